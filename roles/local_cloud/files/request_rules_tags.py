# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags that AWS refuses although its models allow them."""

from __future__ import annotations

from collections.abc import Iterator

from request_rules import DOCS, REPORTS, Json, State, rule

TAGS = f"{DOCS}/tag-editor/latest/userguide/best-practices-and-strats.html"
ECS_TAGS = f"{DOCS}/AmazonECS/latest/developerguide/ecs-using-tags.html"
ECS = tuple(
    f"ecs:{name}"
    for name in (
        "CreateCapacityProvider", "CreateCluster", "CreateService", "RegisterTaskDefinition", "RunTask", "TagResource",
    )
)  # fmt: skip
ELBV2 = tuple(
    f"elbv2:{name}" for name in ("AddTags", "CreateListener", "CreateLoadBalancer", "CreateRule", "CreateTargetGroup")
)
EC2 = ("ec2:CreateTags",)
IAM = ("iam:CreatePolicy", "iam:CreateRole", "iam:TagPolicy", "iam:TagRole", "iam:CreateInstanceProfile")


def keys(request: Json) -> list[str]:
    """The keys of the tags of a request, in whatever form its API has them."""
    tags = request.get("tags") or request.get("Tags") or []
    if isinstance(tags, dict):
        return list(tags)
    return [str(tag.get("key") or tag.get("Key") or "") for tag in tags]


def reserved(request: Json) -> list[str]:
    return [key for key in keys(request) if key.lower().startswith("aws:")]


def doubled(request: Json) -> list[str]:
    seen = keys(request)
    return sorted({key for key in seen if seen.count(key) > 1})


@rule(*ECS, error="InvalidParameterException", message="Tag keys must not begin with aws: {key}", source=ECS_TAGS)
def ecs_reserved_tag(request: Json, _state: State) -> Iterator[Json]:
    """A tag of ECS that begins with aws:."""
    yield from ({"key": key} for key in reserved(request))


@rule(*ECS, error="InvalidParameterException", message="Tag keys must be unique: {key}", source=ECS_TAGS)
def ecs_doubled_tag(request: Json, _state: State) -> Iterator[Json]:
    """Two tags of ECS with one key."""
    yield from ({"key": key} for key in doubled(request))


@rule(
    *ELBV2,
    error="ValidationError",
    message="aws: prefixed tag key names are not allowed for external use.",
    source=f"{DOCS}/elasticloadbalancing/latest/application/load-balancer-tags.html",
    wording=REPORTS,
)
def elb_reserved_tag(request: Json, _state: State) -> Iterator[Json]:
    """A tag of a load balancer, listener, rule or target group that begins with aws:."""
    yield from ({} for _key in reserved(request))


@rule(
    *ELBV2,
    error="DuplicateTagKeys",
    message="Tag key was specified more than once: {key}",
    source=f"{DOCS}/elasticloadbalancing/latest/APIReference/API_AddTags.html",
    wording="https://github.com/getmoto/moto/blob/master/moto/elbv2/exceptions.py",
)
def elb_doubled_tag(request: Json, _state: State) -> Iterator[Json]:
    """Two tags of a load balancer, listener, rule or target group with one key."""
    yield from ({"key": key} for key in doubled(request))


@rule(
    *EC2,
    error="InvalidParameterValue",
    message="Tag keys starting with 'aws:' are reserved for internal use",
    source=f"{DOCS}/AWSEC2/latest/UserGuide/Using_Tags.html",
    wording=REPORTS,
)
def ec2_reserved_tag(request: Json, _state: State) -> Iterator[Json]:
    """A tag of EC2 that begins with aws:."""
    yield from ({} for _key in reserved(request))


@rule(
    *IAM,
    error="InvalidInput",
    message="Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    source=f"{DOCS}/IAM/latest/UserGuide/id_tags.html",
    wording="https://github.com/getmoto/moto/blob/master/moto/iam/exceptions.py",
)
def iam_doubled_tag(request: Json, _state: State) -> Iterator[Json]:
    """Two tags of IAM with keys that differ in case at most."""
    lower = [key.lower() for key in keys(request)]
    if len(lower) > len(set(lower)):
        yield {}

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ecs_cluster creates and keeps, from its variables and from what it found in the account. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.slipway.aws.plugins.module_utils._core.plan import UNKNOWN
from ansible_collections.slipway.aws.plugins.module_utils._core.tags import (
    PROJECT,
    REGION,
    Tags,
    as_text,
    belongs_to,
    from_list,
)
from ansible_collections.slipway.aws.plugins.module_utils._core.tags import problems as tag_problems
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import FARGATE_PROVIDERS, Limit, name_problems
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_cluster_existing as existing
from ansible_collections.slipway.aws.plugins.plugin_utils.docker_instance import instance_architecture
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_secrets import KEY_ARN, key_problems

# The role's variables, or AWS's answers by kind, as the modules return them.
Variables = Mapping[str, Any]
Found = Mapping[str, Sequence[Json]]

# The tag of a cluster that has hosts, or may have some left.
HOSTING = "slipway:hosting"
# Answers by kind: what has a name that the role chose, and how messages and tasks call what hosts consist of.
NAMES = {"clusters": "name", "log_groups": "log_group_name", "roles": "role_name"}
HOSTS = {
    "capacity_providers": "capacity provider",
    "auto_scaling_groups": "Auto Scaling group",
    "launch_templates": "launch template",
    "instance_profiles": "instance profile",
}

_ROLE = re.compile(r"[a-zA-Z0-9_+=,.@-]{1,64}")
_HOSTS = re.compile(r"(?!(?i:aws|ecs|fargate))[a-zA-Z0-9_-]{1,64}")
_LOG_GROUP = re.compile(r"[a-zA-Z0-9._/#-]{1,512}")
_BUCKET = re.compile(r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?")
_BOUNDARY = re.compile(r"(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+)?")
_IMAGE = re.compile(r"ami-[0-9a-f]{8,17}|resolve:ssm:[a-zA-Z0-9_.:/-]+")
_PAGE = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_"
_NUMBERS = {
    "target_capacity": Limit(
        1, 100, "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ManagedScaling.html"
    ),
    "instance_volume_size": Limit(30, 16384, f"{_PAGE}EbsBlockDevice.html"),
    "instance_metadata_hops": Limit(1, 64, f"{_PAGE}LaunchTemplateInstanceMetadataOptionsRequest.html"),
}


def problems(variables: Variables) -> list[str]:
    """What is wrong with the variables, one sentence each."""
    found = tag_problems(variables["ecs_cluster_tags"], "ecs_cluster_tags")
    found += [*name_problems(variables["ecs_cluster_name"], "ecs_cluster_name"), *_role_problems(variables)]
    boundary = variables["ecs_cluster_permissions_boundary"]
    if not _BOUNDARY.fullmatch(boundary):
        found.append(
            "ecs_cluster_permissions_boundary: expected the ARN of a managed policy, such as"
            f" arn:aws:iam::123456789012:policy/shop-boundary, got {boundary!r}. Set the ARN of the policy."
        )
    found += key_problems(str(variables.get("ecs_cluster_log_kms_key") or ""), "ecs_cluster_log_kms_key")
    found += [*existing.problems(variables), *_log_group_problems(variables["ecs_cluster_log_groups"])]
    found += [*(() if existing.has_cluster(variables) else _strategy_problems(variables)), *_exec_problems(variables)]
    return [*found, *(_host_problems(variables) if is_on_hosts(variables) else ())]


def is_on_hosts(variables: Variables) -> bool:
    """Whether the project has hosts of its own; those of a cluster of others are theirs."""
    return bool(variables["ecs_cluster_hosting"] == "ec2" and not existing.has_cluster(variables))


def _role_problems(variables: Variables) -> Iterator[str]:
    names = [*(f"{name}_role" for name in own_roles(variables)), *(["instance_role"] if is_on_hosts(variables) else [])]
    taken: dict[str, str] = {}
    for variable in (f"ecs_cluster_{name}" for name in names):
        role = variables[variable]
        if not _ROLE.fullmatch(role):
            yield f"{variable}: expected 1 to 64 letters, digits or _+=,.@-, got {role!r}."
        if role in taken:
            yield f"{variable}: expected a different name from {taken[role]}, got {role!r} for both."
        taken[role] = variable


def own_roles(variables: Variables) -> list[str]:
    """The roles that this role creates: not those of others, nor those of tasks where their name is empty."""
    others = existing.role_names(variables)
    optional = {name for name in ("execution", "task") if not variables[f"ecs_cluster_{name}_role"]}
    return [name for name in existing.ROLES if name not in others and name not in optional]


def _log_group_problems(groups: Sequence[Json]) -> Iterator[str]:
    for number, group in enumerate(groups):
        if not _LOG_GROUP.fullmatch(group["name"]):
            where = f"ecs_cluster_log_groups[{number}].name"
            yield f"{where}: expected 1 to 512 letters, digits or ._-/#, such as /ecs/shop, got {group['name']!r}."
        if not group.get("existing") and not group.get("retention"):
            yield (
                f"ecs_cluster_log_groups[{number}].retention: expected days for a log group of this project, got"
                " none. Set it, or set existing for a log group outside the project."
            )


def _log_key_problems(variables: Variables, owned: Sequence[Json]) -> Iterator[str]:
    """The module that creates log groups does not change their keys."""
    key = str(variables.get("ecs_cluster_log_kms_key") or "")
    for group in owned if key else ():
        actual, name = group.get("kms_key_id") or "none", group["log_group_name"]
        if actual != key:
            yield (
                f"ecs_cluster_log_kms_key: expected the key of the existing log group {name}, which is {actual}, got"
                f" {key}. Change it with: aws logs associate-kms-key --log-group-name {name} --kms-key-id {key}. Then"
                " rerun."
            )


def _exec_problems(variables: Variables) -> Iterator[str]:
    of = {name.removeprefix("ecs_cluster_exec_"): value for name, value in variables.items()}
    group, bucket, key = of["log_group"], of["bucket"], of["kms_key"]
    if group and not _LOG_GROUP.fullmatch(group):
        yield f"ecs_cluster_exec_log_group: expected 1 to 512 letters, digits or ._-/#, got {group!r}."
    if group in (one["name"] for one in variables["ecs_cluster_log_groups"]):
        yield f"ecs_cluster_exec_log_group: expected a group that is not in ecs_cluster_log_groups, got {group!r}."
    if not _BUCKET.fullmatch(bucket):
        yield f"ecs_cluster_exec_bucket: expected the name of a bucket, such as shop-sessions, got {bucket!r}."
    if not group and not bucket:
        yield (
            "ecs_cluster_exec_log_group, ecs_cluster_exec_bucket: expected at least one for the logs of sessions,"
            " got neither."
        )
    if key and not KEY_ARN.fullmatch(key):
        yield (
            "ecs_cluster_exec_kms_key: expected the ARN of a key, such as"
            f" arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab, got {key!r}."
        )


def exec_bucket_prefix(variables: Variables) -> str:
    """Where the bucket contains the logs of this project's sessions; a cluster of others says it."""
    if existing.has_cluster(variables):
        return str(variables.get("ecs_cluster_exec_prefix", ""))
    return f"{variables['ecs_cluster_project']}/exec"


def _log_groups(variables: Variables) -> list[Json]:
    """The log groups to create, with the one of sessions if there can be any."""
    name, days = variables["ecs_cluster_exec_log_group"], variables["ecs_cluster_exec_log_retention"]
    has_exec = variables["ecs_cluster_exec"] and name and not existing.has_cluster(variables)
    own = [group for group in variables["ecs_cluster_log_groups"] if not group.get("existing")]
    return [*own, *([{"name": name, "retention": days}] if has_exec else [])]


def _log_group_names(variables: Variables) -> list[str]:
    """Names of all log groups. That of sessions stays after the last service with ECS Exec."""
    exec_group = "" if existing.has_cluster(variables) else variables["ecs_cluster_exec_log_group"]
    names = [*(group["name"] for group in variables["ecs_cluster_log_groups"]), exec_group]
    return [name for name in names if name]


def _configuration(variables: Variables) -> Json:
    """How the cluster encrypts and logs sessions. If no service has them, the cluster keeps what it has."""
    if not variables["ecs_cluster_exec"] or existing.has_cluster(variables):
        return {}
    bucket = variables["ecs_cluster_exec_bucket"]
    log = {
        "cloudWatchLogGroupName": variables["ecs_cluster_exec_log_group"],
        "s3BucketName": bucket,
        "s3KeyPrefix": exec_bucket_prefix(variables) if bucket else "",
    }
    given = {"logConfiguration": {member: value for member, value in log.items() if value}}
    key = {"kmsKeyId": variables["ecs_cluster_exec_kms_key"]} if variables["ecs_cluster_exec_kms_key"] else {}
    return {"executeCommandConfiguration": {"logging": "OVERRIDE", **given, **key}}


def _providers(variables: Variables) -> list[str]:
    given: list[str] = variables["ecs_cluster_capacity_providers"]
    return list(dict.fromkeys([*given, *([variables["ecs_cluster_hosts"]] if is_on_hosts(variables) else [])]))


def _strategy_problems(variables: Variables) -> Iterator[str]:
    variable, strategy = "ecs_cluster_default_strategy", variables["ecs_cluster_default_strategy"]
    named, known = [item["capacityProvider"] for item in strategy], _providers(variables)
    if not named or set(named) - set(known):
        yield f"{variable}: expected one or more of {', '.join(known)}, got {', '.join(named) or 'none'}."
    if len({name in FARGATE_PROVIDERS for name in named}) > 1:
        yield (
            f"{variable}: expected either Fargate providers or other providers, got both: {', '.join(named)}. AWS"
            " cannot mix them."
        )
    if named and not any(int(item.get("weight") or 0) > 0 for item in strategy):
        yield f"{variable}: expected one capacity provider with a weight of 1 or more, got none."


def _host_problems(variables: Variables) -> Iterator[str]:
    of = {name.removeprefix("ecs_cluster_"): value for name, value in variables.items()}
    if not _HOSTS.fullmatch(of["hosts"]):
        yield (
            "ecs_cluster_hosts: expected 1 to 64 letters, digits, hyphens or underscores that do not begin with aws,"
            f" ecs or fargate, got {of['hosts']!r}."
        )
    least, start, most = (int(of[f"instances_{name}"]) for name in ("min", "desired", "max"))
    if not 0 <= least <= start <= most or most < 1:
        yield (
            "ecs_cluster_instances_min, ecs_cluster_instances_desired, ecs_cluster_instances_max: expected ascending"
            f" numbers from 0, the last at least 1, got {least}, {start}, {most}."
        )
    for name, limit in _NUMBERS.items():
        if not limit.holds(int(of[name])):
            yield f"ecs_cluster_{name}: expected {limit}, got {of[name]}."
    kind, architecture = of["instance_type"], of["architecture"]
    if not re.fullmatch(r"[a-z0-9-]+[.][a-z0-9-]+", kind) or instance_architecture(kind) != architecture:
        yield (
            f"ecs_cluster_instance_type: expected an instance type for {architecture}, such as"
            f" {'t4g' if architecture == 'ARM64' else 't3'}.medium, got {kind} ({instance_architecture(kind)})."
            " Change it, or ecs_cluster_architecture."
        )
    if not _IMAGE.fullmatch(of["instance_image"]):
        yield (
            "ecs_cluster_instance_image: expected the ID of an image, or resolve:ssm: and the name of a parameter,"
            f" got {of['instance_image']!r}."
        )


def plan(variables: Variables, found: Found | None = None) -> Json:
    """Problems, what of the project exists, and what follows from both. What was not read is not in `found`."""
    found, on_hosts, tags = found or {}, is_on_hosts(variables), own_tags(variables)
    named = {kind: _of_role(kind, variables, found.get(kind) or ()) for kind in (*NAMES, *HOSTS)}
    owned = {kind: [one for one in some if _is_owned(one, variables)] for kind, some in named.items()}
    foreign = [
        _call(kind, one, variables)
        for kind, some in named.items()
        for one in some
        if one not in owned[kind] and _is_used(kind, one, variables)
    ]
    others = existing.cluster_of(variables, found)
    cluster = others or next(iter(owned["clusters"]), {})
    had_hosts = HOSTING in tags_of(cluster) and not existing.has_cluster(variables)
    kept = [name for name in cluster.get("capacity_providers") or () if name == variables["ecs_cluster_hosts"]]
    return {
        "problems": [
            *problems(variables),
            *existing.account_problems(variables, found),
            *_foreign_problems(foreign, variables),
            *_log_key_problems(variables, owned["log_groups"]),
        ],
        # Of others: used, and neither changed nor deleted.
        "existing_cluster": existing.has_cluster(variables),
        "resolved": existing.resolved(variables, found),
        "on_hosts": is_on_hosts(variables),
        "current": cluster,
        "owned": {kind: [one[name] for one in owned[kind]] for kind, name in NAMES.items()},
        "hosts": [what for kind, what in HOSTS.items() if owned[kind]],
        "had_hosts": had_hosts,
        "has_group": bool(owned["auto_scaling_groups"]),
        "tags": tags,
        "role_tags": {**tags, REGION: variables["ecs_cluster_region"]},
        "host_tags": {**tags, "Name": variables["ecs_cluster_hosts"]},
        "cluster_tags": {**tags, **({HOSTING: "ec2"} if had_hosts or on_hosts else {})},
        # Services may still run on hosts that are obsolete.
        "capacity_providers": [*_providers(variables), *(kept if had_hosts and not on_hosts else ())],
        "log_groups": _log_groups(variables),
        "configuration": _configuration(variables),
        "retention": {one["log_group_name"]: int(one.get("retention_in_days") or 0) for one in owned["log_groups"]},
        "launch_template": next(iter(owned["launch_templates"]), {}),
        "result": {
            **_result(variables, cluster, leftover_hosts=had_hosts and not on_hosts),
            **{f"{name}_role_arn": arn for name, arn in existing.roles_of(variables, found).items()},
        },
    }


def own_tags(variables: Variables) -> dict[str, Any]:
    return as_text({**variables["ecs_cluster_tags"], PROJECT: variables["ecs_cluster_project"]})


def _of_role(kind: str, variables: Variables, found: Sequence[Json]) -> list[Json]:
    """Those that are the project's by their name. Log groups are found by how their names begin."""
    if kind == "clusters" and existing.has_cluster(variables):
        return []
    if kind == "roles":
        others = existing.role_names(variables).values()
        return [one for one in found if one["role_name"] not in others]
    if kind != "log_groups":
        return list(found)
    names = set(_log_group_names(variables)) - set(existing.log_group_names(variables))
    return list({one["log_group_name"]: one for one in found if one["log_group_name"] in names}.values())


def tags_of(one: Json) -> Tags:
    tags = one.get("tags") or {}
    return dict(tags) if isinstance(tags, dict) else from_list(tags)


def _is_owned(one: Json, variables: Variables) -> bool:
    """IAM has no regions: a role says whose it is, so that a site in another region neither takes nor deletes it."""
    tags, region = tags_of(one), variables["ecs_cluster_region"]
    return belongs_to(tags, variables["ecs_cluster_project"]) and tags.get(REGION, region) == region


def _is_used(kind: str, one: Json, variables: Variables) -> bool:
    """A role that nothing needs, as one of others takes its place, is in nobody's way."""
    used = [variables[f"ecs_cluster_{name}_role"] for name in own_roles(variables)]
    return kind != "roles" or one["role_name"] in [*used, variables["ecs_cluster_instance_role"]]


def _call(kind: str, one: Json, variables: Variables) -> str:
    return str(one[NAMES[kind]]) if kind in NAMES else f"{HOSTS[kind]} {variables['ecs_cluster_hosts']}"


def _foreign_problems(foreign: Sequence[str], variables: Variables) -> Iterator[str]:
    if foreign:
        yield (
            f"{', '.join(foreign)}: expected the tag {PROJECT}={variables['ecs_cluster_project']} and no other"
            f" region in {REGION}, got other tags. Two sites in one account need different names in"
            " ecs_cluster_project."
            " Choose other names in ecs_cluster_name, ecs_cluster_log_groups, ecs_cluster_execution_role,"
            " ecs_cluster_schedule_role, ecs_cluster_task_role, ecs_cluster_hosts and ecs_cluster_instance_role, or"
            " tag the resources that belong to this project."
        )


class Place(NamedTuple):
    """Where ARNs are. IAM is global: with a region in its policies, sites of two regions would change them in turn."""

    partition: str
    account: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:*:{self.account}:{resource}"

    def role(self, name: str) -> str:
        return UNKNOWN if self.account == UNKNOWN else f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def profile(self, name: str) -> str:
        """Modules refuse an ARN without an account, as check mode may have it."""
        if self.account == UNKNOWN:
            return f"arn:aws:iam::000000000000:instance-profile/{UNKNOWN}"
        return f"arn:{self.partition}:iam::{self.account}:instance-profile/{name}"


def place_of(arn: str) -> Place:
    parts = arn.split(":")
    return Place(parts[1], parts[4]) if len(parts) > 4 else Place("aws", UNKNOWN)


def _insights(cluster: Json) -> str:
    """Empty where it is not known yet: a cluster that is only predicted may follow a setting of the account."""
    settings = cluster.get("settings")
    found = settings if isinstance(settings, list) else []
    return next((str(one.get("value")) for one in found if one.get("name") == "containerInsights"), "")


def _result(variables: Variables, cluster: Json, *, leftover_hosts: bool) -> Json:
    """Roles and log groups are created before the cluster, and IAM's ARNs follow from its own."""
    place = place_of(str(cluster.get("arn", "")))
    own = own_roles(variables)
    roles = {
        f"{name}_role_arn": variables[f"ecs_cluster_{name}_role"] if name in own else "" for name in existing.ROLES
    }
    return {
        "name": cluster.get("name", ""),
        "arn": cluster.get("arn", ""),
        **{name: place.role(role) if cluster and role else "" for name, role in roles.items()},
        "log_groups": _log_group_names(variables) if cluster else [],
        "hosting": variables["ecs_cluster_hosting"],
        "existing": existing.has_cluster(variables),
        "architecture": variables["ecs_cluster_architecture"],
        "capacity_providers": cluster.get("capacity_providers", []),
        "default_strategy": cluster.get("default_capacity_provider_strategy", []),
        "container_insights": _insights(cluster),
        "leftover_hosts": leftover_hosts,
    }

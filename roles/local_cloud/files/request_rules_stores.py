# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ECR, the parameter store, Secrets Manager, CloudWatch Logs and Auto Scaling refuse, beyond their models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from request_rules import DOCS, REPORTS, Json, State, rule

SSM = f"{DOCS}/systems-manager/latest/userguide"
PARAMETER = f"{DOCS}/systems-manager/latest/APIReference/API_PutParameter.html"
SECRET = f"{DOCS}/secretsmanager/latest/apireference"
LOGS = f"{DOCS}/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"
SCALING = f"{DOCS}/autoscaling/ec2/APIReference"
LIFECYCLE = f"{DOCS}/AmazonECR/latest/userguide/lifecycle_policy_parameters.html"
MUTABILITY = f"{DOCS}/AmazonECR/latest/userguide/image-tag-mutability.html"
MOTO = "https://github.com/getmoto/moto/blob/master/moto"
RETENTION = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


def lifecycle(request: Json) -> Any:
    try:
        return json.loads(request["lifecyclePolicyText"])
    except ValueError:
        return None


@rule(
    "ecr:PutLifecyclePolicy",
    error="InvalidParameterException",
    message="Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
    "'Lifecycle policy validation failure: Could not map policyString into LifecyclePolicy.'",
    source=LIFECYCLE,
    wording=f"{MOTO}/ecr/policy_validation.py",
)
def lifecycle_form(request: Json, _state: State) -> Iterator[Json]:
    """A lifecycle policy without a list of rules."""
    policy = lifecycle(request)
    if not isinstance(policy, dict) or not isinstance(policy.get("rules"), list):
        yield {}


@rule(
    "ecr:PutLifecyclePolicy",
    error="InvalidParameterException",
    message="Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
    "'Lifecycle policy validation failure: rule priorities must be unique'",
    source=LIFECYCLE,
)
def lifecycle_priorities(request: Json, _state: State) -> Iterator[Json]:
    """Two rules of a lifecycle policy with one priority."""
    policy = lifecycle(request)
    rules = policy.get("rules") if isinstance(policy, dict) else []
    priorities = [one.get("rulePriority") for one in rules or []]
    if len(priorities) > len(set(priorities)):
        yield {}


@rule(
    "ecr:CreateRepository",
    "ecr:PutImageTagMutability",
    error="InvalidParameterException",
    message="Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
    "'ImageTagMutabilityExclusionFilters can't be null when imageTagMutability is set as {mode}'",
    source=MUTABILITY,
    wording=f"{MOTO}/ecr/models.py",
)
def mutability_filters(request: Json, _state: State) -> Iterator[Json]:
    """Immutable tags with exceptions and no filter that names them, or filters without such a mode."""
    mode = str(request.get("imageTagMutability") or "MUTABLE")
    if mode.endswith("_WITH_EXCLUSION") != bool(request.get("imageTagMutabilityExclusionFilters")):
        yield {"mode": mode}


@rule(
    "ecr:CreateRepository",
    "ecr:PutImageTagMutability",
    error="InvalidParameterException",
    message="Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: "
    "'A filter can have at most two wildcards, got {filter}'",
    source=MUTABILITY,
)
def mutability_wildcards(request: Json, _state: State) -> Iterator[Json]:
    """A filter of tags with more than two wildcards."""
    for one in request.get("imageTagMutabilityExclusionFilters") or []:
        if one["filter"].count("*") > 2:
            yield {"filter": one["filter"]}


@rule(
    "ssm:PutParameter",
    error="ValidationException",
    message="Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
    "parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see "
    "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
    source=f"{SSM}/parameter-store-advanced-parameters.html",
    wording=REPORTS,
)
def parameter_size(request: Json, _state: State) -> Iterator[Json]:
    """A standard parameter of more than 4096 characters."""
    if len(request["Value"]) > 4096 and request.get("Tier", "Standard") == "Standard":
        yield {}


@rule(
    "ssm:PutParameter",
    error="ValidationException",
    message="Parameter name must be a fully qualified name.",
    source=PARAMETER,
    wording=REPORTS,
)
def parameter_path(request: Json, _state: State) -> Iterator[Json]:
    """A parameter's name with a slash that is not its first character."""
    if "/" in request["Name"] and not request["Name"].startswith(("/", "arn:")):
        yield {}


@rule(
    "ssm:PutParameter",
    error="ValidationException",
    message="Parameter name: only letters, numbers, and the symbols . - _ / are allowed, got {name}",
    source=PARAMETER,
)
def parameter_name(request: Json, _state: State) -> Iterator[Json]:
    """A parameter's name of other characters than letters, numbers and . - _ /."""
    if not re.fullmatch(r"[A-Za-z0-9_.\-/]+|arn:.*", request["Name"]):
        yield {"name": request["Name"]}


@rule(
    "ssm:PutParameter",
    error="HierarchyLevelLimitExceededException",
    message="A parameter hierarchy can have at most 15 levels.",
    source=PARAMETER,
)
def parameter_levels(request: Json, _state: State) -> Iterator[Json]:
    """A parameter of more than 15 levels."""
    if len([part for part in request["Name"].split("/") if part]) > 15:
        yield {}


@rule(
    "secretsmanager:CreateSecret",
    error="ValidationException",
    message="Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
    source=f"{SECRET}/API_CreateSecret.html",
    wording=REPORTS,
)
def secret_name_form(request: Json, _state: State) -> Iterator[Json]:
    """A secret's name of other characters."""
    if not re.fullmatch(r"[A-Za-z0-9/_+=.@!\-]+", request["Name"]):
        yield {}


@rule(
    "secretsmanager:DeleteSecret",
    error="InvalidParameterException",
    message="The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
    source=f"{SECRET}/API_DeleteSecret.html",
    wording=f"{MOTO}/secretsmanager/models.py",
)
def recovery_window(request: Json, _state: State) -> Iterator[Json]:
    """A recovery window of fewer than 7 or more than 30 days."""
    if not 7 <= request.get("RecoveryWindowInDays", 30) <= 30:
        yield {}


@rule(
    "logs:PutRetentionPolicy",
    error="InvalidParameterException",
    message="1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
    f"Member must satisfy enum value set: [{', '.join(map(str, RETENTION))}]",
    source=LOGS,
)
def retention(request: Json, _state: State) -> Iterator[Json]:
    """A retention of a number of days that CloudWatch Logs does not have."""
    if request["retentionInDays"] not in RETENTION:
        yield {"days": request["retentionInDays"]}


def group_now(request: Json, state: State) -> Json:
    return state.get("auto_scaling_groups", request["AutoScalingGroupName"]) or {}


def number(request: Json, state: State, name: str) -> int | None:
    value = request.get(name, group_now(request, state).get(name))
    return None if value is None or value == "" else int(value)


@rule(
    "autoscaling:CreateAutoScalingGroup",
    "autoscaling:UpdateAutoScalingGroup",
    error="ValidationError",
    message="Max bound, {most}, must be greater than or equal to min bound, {least}",
    source=f"{SCALING}/API_CreateAutoScalingGroup.html",
    wording=REPORTS,
)
def group_bounds(request: Json, state: State) -> Iterator[Json]:
    """An Auto Scaling group with a maximum below its minimum."""
    least, most = number(request, state, "MinSize"), number(request, state, "MaxSize")
    if least is not None and most is not None and most < least:
        yield {"least": least, "most": most}


@rule(
    "autoscaling:CreateAutoScalingGroup",
    "autoscaling:UpdateAutoScalingGroup",
    error="ValidationError",
    message="Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}",
    source=f"{SCALING}/API_CreateAutoScalingGroup.html",
    wording=REPORTS,
)
def group_capacity(request: Json, state: State) -> Iterator[Json]:
    """A desired capacity that is not between minimum and maximum."""
    least, most = number(request, state, "MinSize"), number(request, state, "MaxSize")
    desired = request.get("DesiredCapacity")
    if desired is not None and least is not None and most is not None and not least <= desired <= most:
        yield {"desired": desired, "least": least, "most": most}


@rule(
    "autoscaling:CreateAutoScalingGroup",
    error="ValidationError",
    message="At least one Availability Zone or VPC Subnet is required.",
    source=f"{SCALING}/API_CreateAutoScalingGroup.html",
    wording=f"{MOTO}/autoscaling/models.py",
)
def group_without_place(request: Json, _state: State) -> Iterator[Json]:
    """An Auto Scaling group without subnets and zones."""
    if not request.get("VPCZoneIdentifier") and not request.get("AvailabilityZones"):
        yield {}


@rule(
    "autoscaling:CreateAutoScalingGroup",
    "autoscaling:UpdateAutoScalingGroup",
    error="ValidationError",
    message="The subnet ID '{name}' does not exist",
    source=f"{SCALING}/API_CreateAutoScalingGroup.html",
    wording=REPORTS,
)
def group_subnet(request: Json, state: State) -> Iterator[Json]:
    """An Auto Scaling group in a subnet that does not exist."""
    names = [name.strip() for name in request.get("VPCZoneIdentifier", "").split(",") if name.strip()]
    yield from ({"name": name} for name in names if not state.get("subnets", name))


@rule(
    "autoscaling:CreateAutoScalingGroup",
    error="ValidationError",
    message="Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or "
    "MixedInstancesPolicy parameter.",
    source=f"{SCALING}/API_CreateAutoScalingGroup.html",
    wording=f"{MOTO}/autoscaling/models.py",
)
def group_without_template(request: Json, _state: State) -> Iterator[Json]:
    """An Auto Scaling group that does not say what to launch, or says it twice."""
    ways = ("LaunchTemplate", "LaunchConfigurationName", "InstanceId", "MixedInstancesPolicy")
    if sum(1 for name in ways if request.get(name)) != 1:
        yield {}

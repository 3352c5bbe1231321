# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The live state of resources, comparable from one run to the next: whole answers without their volatile members.

A member is compared unless VOLATILE names it, so that drift in a member that nobody thought of is seen. AWS answers
most lists in any order: only those in ORDERED keep theirs.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from .._core import tags as tagging
from .._core.error_codes import UNSUPPORTED
from .._core.masking import mask
from .._core.target_groups import target_group_pairs
from .._core.types import Json

SERVICE, IMAGES, LOAD_BALANCER, RULE = "service", "images", "load balancer", "listener rule"
# Strategies with which ECS sets the weights of target groups.
SHIFTING = frozenset({"BLUE_GREEN", "CANARY", "LINEAR"})
# AWS sets it on the instances that an Auto Scaling group starts.
SCALING_GROUP_TAG = "aws:autoscaling:groupName"
GROUP_TAG = "slipway:group"
COMPLETED = "COMPLETED"
# States of a new load balancer. No role waits for the second, which AWS brings about by itself.
PROVISIONING, ACTIVE = "provisioning", "active"
# Further roles that depend on what was read of a kind.
ALSO = {
    "IAM role": ("docker_instance", "ecs_network"),
    "instance profile": ("docker_instance",),
    "log group": ("ecs_network",),
    "repository": ("container_image",),
}


# Lists in which the order has a meaning; all others are sets.
ORDERED = frozenset(
    ("Overrides", "TerminationPolicies", "command", "dnsSearchDomains", "dnsServers", "entryPoint", "placementStrategy")
)
# Lists that are one text, with commas.
LISTED = frozenset(("VPCZoneIdentifier",))


class Volatile(t.NamedTuple):
    """A member that changes while nobody changes the resource. Its path leads through lists as through their
    elements."""

    kind: str
    path: str
    reason: str


COUNT = "changes while tasks start and stop; the derived member stable covers it"
CAPACITY = "the capacity provider changes it"
USE = "records the use of the resource, not its settings"
METRIC = "follows the metric, not the settings"
PROGRESS = "progress of what AWS does by itself"

VOLATILE = (
    Volatile(SERVICE, "events", "a log"),
    Volatile(SERVICE, "runningCount", COUNT),
    Volatile(SERVICE, "pendingCount", COUNT),
    Volatile(SERVICE, "tasks", COUNT),
    Volatile(SERVICE, "currentServiceDeployment", "a new one for each rollout, also of unchanged settings"),
    Volatile(SERVICE, "serviceDeployment", "a new one for each rollout, also of unchanged settings"),
    Volatile(SERVICE, "currentServiceRevisions", "a new one for each rollout, also of unchanged settings"),
    Volatile(SERVICE, "deployments.id", "a new one for each rollout, also of unchanged settings"),
    Volatile(SERVICE, "deployments.createdAt", "a new one for each rollout, also of unchanged settings"),
    Volatile(SERVICE, "deployments.updatedAt", PROGRESS),
    Volatile(SERVICE, "deployments.desiredCount", COUNT),
    Volatile(SERVICE, "deployments.runningCount", COUNT),
    Volatile(SERVICE, "deployments.pendingCount", COUNT),
    Volatile(SERVICE, "deployments.failedTasks", COUNT),
    Volatile(SERVICE, "deployments.rolloutState", "the derived member stable covers it"),
    Volatile(SERVICE, "deployments.rolloutStateReason", "the derived member stable covers it"),
    Volatile(SERVICE, "scalingAlarms.StateValue", METRIC),
    Volatile(SERVICE, "scalingAlarms.StateReason", METRIC),
    Volatile(SERVICE, "scalingAlarms.StateReasonData", METRIC),
    Volatile(SERVICE, "scalingAlarms.StateUpdatedTimestamp", METRIC),
    Volatile(SERVICE, "scalingAlarms.StateTransitionedTimestamp", METRIC),
    Volatile(SERVICE, "scalingAlarms.EvaluationState", METRIC),
    Volatile("cluster", "runningTasksCount", COUNT),
    Volatile("cluster", "pendingTasksCount", COUNT),
    Volatile("cluster", "activeServicesCount", "the services themselves are compared"),
    Volatile("cluster", "registeredContainerInstancesCount", CAPACITY),
    Volatile("cluster", "statistics", COUNT),
    Volatile("Auto Scaling group", "DesiredCapacity", CAPACITY),
    Volatile("Auto Scaling group", "Instances", CAPACITY),
    Volatile("Auto Scaling group", "PredictedCapacity", CAPACITY),
    Volatile("target group", "TargetHealth", COUNT),
    Volatile("instance", "InstanceStatus", "health, not settings"),
    Volatile("secret", "LastAccessedDate", USE),
    Volatile("IAM role", "RoleLastUsed", USE),
    Volatile("instance profile", "Roles.RoleLastUsed", USE),
    Volatile("log group", "storedBytes", USE),
    Volatile("flow log", "DeliverLogsStatus", PROGRESS),
    Volatile("flow log", "DeliverLogsErrorMessage", PROGRESS),
    Volatile("subnet", "AvailableIpAddressCount", "tasks take and return addresses"),
    Volatile("certificate", "InUseBy", "the listeners themselves are compared"),
    Volatile("certificate", "RenewalSummary", PROGRESS),
    Volatile("discovery service", "InstanceCount", COUNT),
    Volatile(IMAGES, "lastRecordedPullTime", USE),
    Volatile(IMAGES, "imageScanStatus", PROGRESS),
    Volatile(IMAGES, "imageScanFindingsSummary", PROGRESS),
)


def converged_state(resource: Json) -> Json:
    """One resource, as the reader returns it, without what is volatile."""
    details = dict(resource["details"])
    derived: Json = {}
    if resource["kind"] == SERVICE:
        derived["stable"] = is_stable(resource)
        if details.get("scalableTarget") or details.get("schedulingStrategy") == "DAEMON":
            # Application Auto Scaling, or the number of hosts, decides.
            details.pop("desiredCount", None)
        details = _without_scheduled_bounds(details)
    if resource["kind"] == "repository":
        # These are the state of the role that pushes them.
        details.pop("images", None)
    if resource["kind"] == LOAD_BALANCER and (details.get("State") or {}).get("Code") == PROVISIONING:
        details["State"] = {**details["State"], "Code": ACTIVE}
    state = without(details, [entry.path for entry in VOLATILE if entry.kind == resource["kind"]])
    # A task definition never changes: where a hidden value does, there is a new revision with another ARN.
    return {**t.cast(Json, mask(in_one_order(state))), **derived, "slipway:tags": resource["tags"]}


def _without_scheduled_bounds(details: Json) -> Json:
    """A service without the limits of its tasks that its schedules change."""
    target = details.get("scalableTarget")
    actions = [one.get("ScalableTargetAction") or {} for one in details.get("scheduledActions") or ()]
    if not target or not actions:
        return details
    changed = {bound for action in actions for bound, value in action.items() if value is not None}
    return {**details, "scalableTarget": {name: value for name, value in target.items() if name not in changed}}


def is_stable(resource: Json) -> bool:
    """Whether a service runs what it shall, and no release of it is unfinished."""
    details = resource["details"]
    deployments = details.get("deployments") or []
    return (
        details.get("runningCount") == details.get("desiredCount")
        and not details.get("pendingCount")
        and len(deployments) == 1
        and deployments[0].get("rolloutState") in (None, COMPLETED)
        and not any(name.startswith(tagging.CHECKPOINT_TAG) for name in resource["tags"])
    )


def without(value: t.Any, paths: t.Collection[str]) -> t.Any:
    """A copy without the members at these paths."""
    if isinstance(value, list):
        return [without(element, paths) for element in value]
    if not isinstance(value, dict):
        return value
    inner: dict[str, list[str]] = {}
    for path in paths:
        name, _dot, rest = path.partition(".")
        inner.setdefault(name, []).append(rest)
    return {
        name: without(member, [path for path in inner.get(name, ()) if path])
        for name, member in value.items()
        if "" not in inner.get(name, ())
    }


def canonical(value: t.Any) -> t.Any:
    """Data of JSON alone. Lists keep their order: in variables, it may have a meaning anywhere."""
    if isinstance(value, dict):
        return {str(name): canonical(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [canonical(element) for element in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def in_one_order(value: t.Any, name: str = "") -> t.Any:
    """The member `name` of an answer, canonical, whatever order AWS chose for its lists."""
    if isinstance(value, dict):
        return {str(member): in_one_order(one, str(member)) for member, one in value.items()}
    if isinstance(value, (list, tuple)):
        elements = [in_one_order(element) for element in value]
        return elements if name in ORDERED else sorted(elements, key=text_of)
    if isinstance(value, str) and name in LISTED:
        return ",".join(sorted(value.split(",")))
    return canonical(value)


def text_of(value: t.Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def digest(value: t.Any) -> str:
    return hashlib.sha256(text_of(value).encode()).hexdigest()


def by_role(resources: t.Sequence[Json]) -> dict[str, dict[str, Json]]:
    """The state of each role: that of its resources, by kind and id. For a group of services it is `ecs_app/shop`."""
    found: dict[str, dict[str, Json]] = {}
    shifted = shifted_pairs(resources)
    for resource in without_shifted_weights(managed(resources), shifted):
        state = found.setdefault(role_of(resource), {})
        state[f"{resource['kind']} {resource['id']}"] = converged_state(resource)
        if resource["kind"] == "repository":
            images = without(
                resource["details"].get("images") or [], [one.path for one in VOLATILE if one.kind == IMAGES]
            )
            pushed = sorted((t.cast(Json, in_one_order(image)) for image in images), key=text_of)
            found.setdefault("container_image", {})[f"{IMAGES} {resource['id']}"] = {"images": pushed}
    return found


def shifted_pairs(resources: t.Sequence[Json]) -> set[frozenset[str]]:
    """The pairs of target groups between which ECS shifts the traffic of a service."""
    services = [one["details"] for one in resources if one["kind"] == SERVICE]
    shifting = [one for one in services if (one.get("deploymentConfiguration") or {}).get("strategy") in SHIFTING]
    return {frozenset(pair) for one in shifting for pair in target_group_pairs(one) if len(pair) > 1}


def without_shifted_weights(resources: t.Sequence[Json], pairs: t.Collection[frozenset[str]]) -> list[Json]:
    """The resources; actions that forward to such a pair have no weights, which are those of the last deployment."""

    def without_weights(value: t.Any) -> t.Any:
        if isinstance(value, list):
            return [without_weights(element) for element in value]
        if not isinstance(value, dict):
            return value
        groups = value.get("TargetGroups")
        if isinstance(groups, list) and frozenset(one.get("TargetGroupArn") for one in groups) in pairs:
            return {**value, "TargetGroups": without(groups, ["Weight"])}
        return {name: without_weights(member) for name, member in value.items()}

    return [
        {**one, "details": without_weights(one["details"])} if pairs and one["kind"] in (LOAD_BALANCER, RULE) else one
        for one in resources
    ]


def role_of(resource: Json) -> str:
    role = str(resource["role"])
    return role_key(role, resource["tags"].get(GROUP_TAG, "")) if role == "ecs_app" else role


def role_key(role: str, group: str) -> str:
    return f"{role}/{group}" if group else role


def managed(resources: t.Sequence[Json]) -> list[Json]:
    """Without instances that an Auto Scaling group starts and ends, and their volumes."""
    hosts = {one["id"] for one in resources if one["kind"] == "instance" and SCALING_GROUP_TAG in one["tags"]}

    def is_of_host(one: Json) -> bool:
        attached = {entry.get("InstanceId") for entry in one["details"].get("Attachments") or ()}
        return one["id"] in hosts or (one["kind"] == "volume" and bool(attached & hosts))

    return [one for one in resources if not is_of_host(one)]


def incomplete(unknown: t.Sequence[Json]) -> list[Json]:
    """What could not be read, with the roles whose state is incomplete because of it; no roles stand for all.

    An API that does not exist at this endpoint has nothing that could be missed.
    """
    return [
        {**one, "roles": [one["role"], *ALSO.get(one["kind"], ())] if one["role"] else []}
        for one in unknown
        if one["code"] != UNSUPPORTED
    ]


def differences(recorded: t.Mapping[str, Json], live: t.Mapping[str, Json]) -> list[str]:
    """The resources that are not as recorded."""
    return sorted(name for name in {*recorded, *live} if recorded.get(name) != live.get(name))

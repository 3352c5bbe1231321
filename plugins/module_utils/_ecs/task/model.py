# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A one-off task: the request, from the settings of a service and from options of its own. No calls."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN
from ..._core.tags import RESERVED, from_list, to_list
from ..._core.types import Json
from ..rollout.deployments import primary

# AWS returns this with the task. It allows letters, digits, hyphens, slashes and underscores.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
STARTED_BY = "slipway/ecs_task_run"
# AWS returns these only with the task sets of a service if another controller deploys it.
_OF_TASK_SETS = ("taskDefinition", "launchType", "capacityProviderStrategy", "platformVersion", "networkConfiguration")
# Where a task runs: who gives one of them gives all.
_CAPACITY = ("capacityProviderStrategy", "launchType")


def chosen_container(definition: Json, name: str | None) -> str:
    """The container that runs the command and whose exit code counts: the given one, the only one, or the only
    essential one."""
    containers = definition.get("containerDefinitions") or ()
    names = [str(container["name"]) for container in containers]
    essential = [str(container["name"]) for container in containers if container.get("essential", True)]
    if name in names:
        return str(name)
    if name is None and 1 in (len(names), len(essential)):
        return names[0] if len(names) == 1 else essential[0]
    got = f"'{name}'" if name else "none"
    raise SlipwayError(INVALID_OPTION, f"container: expected one of {', '.join(names)}, got {got}.")


def runs_as(service: Json) -> Json:
    """The service with all settings of its tasks, some of which AWS returns only with the task set or deployment."""
    sets = [item for item in service.get("taskSets") or () if item.get("status") == "PRIMARY"]
    deployment = primary(service) or {}
    of_task_set = {name: sets[0][name] for name in _OF_TASK_SETS if sets and sets[0].get(name)}
    volumes = service.get("volumeConfigurations") or deployment.get("volumeConfigurations") or []
    return {**service, **of_task_set, "volumeConfigurations": volumes}


def request(cluster: str, service: Json, given: Json, overrides: Json) -> dict[str, t.Any]:
    """The request of RunTask: what the service runs, where and how, and what is `given` instead, in AWS's spelling."""
    strategy = service.get("capacityProviderStrategy")
    propagates = service.get("propagateTags")
    tags = from_list(service.get("tags")).items()
    own = {name: text for name, text in tags if not name.startswith(RESERVED)}
    members = {
        "cluster": cluster,
        "taskDefinition": service.get("taskDefinition"),
        "overrides": overrides,
        "networkConfiguration": service.get("networkConfiguration"),
        "capacityProviderStrategy": strategy,
        "launchType": None if strategy else service.get("launchType"),
        "platformVersion": service.get("platformVersion"),
        "placementConstraints": service.get("placementConstraints"),
        "placementStrategy": service.get("placementStrategy"),
        "volumeConfigurations": [_volume(volume, own) for volume in service.get("volumeConfigurations") or ()],
        "enableECSManagedTags": service.get("enableECSManagedTags"),
        "enableExecuteCommand": service.get("enableExecuteCommand"),
        # RunTask does not copy the tags of a service, so they are passed.
        "propagateTags": "TASK_DEFINITION" if propagates == "TASK_DEFINITION" else None,
        "tags": to_list(own) if propagates == "SERVICE" else None,
        "startedBy": STARTED_BY,
    }
    if any(given.get(name) for name in _CAPACITY):
        members |= dict.fromkeys((*_CAPACITY, "platformVersion", "placementStrategy", "placementConstraints"))
    if given.get("tags") is not None:
        given = {**given, "tags": to_list({**(own if propagates == "SERVICE" else {}), **given["tags"]})}
    members |= {name: value for name, value in given.items() if value is not None}
    return {name: value for name, value in members.items() if value}


def merged_overrides(
    overrides: Json | None, container: str, command: Sequence[str] | None, environment: Mapping[str, str] | None
) -> Json:
    """The overrides, in which the container has this command and these variables."""
    result = dict(overrides or {})
    containers = [dict(one) for one in result.get("containerOverrides") or ()]
    own = next((one for one in containers if one.get("name") == container), None)
    if own is None and (command or environment):
        own = {"name": container}
        containers.append(own)
    if own is not None and command:
        own["command"] = list(command)
    if own is not None and environment:
        before = {item["name"]: item.get("value") for item in own.get("environment") or ()}
        own["environment"] = [{"name": name, "value": text} for name, text in {**before, **environment}.items()]
    return {**result, **({"containerOverrides": containers} if containers else {})}


def override_problems(overrides: Json, definition: Json, place: str = "overrides") -> list[str]:
    """Containers that the task definition does not have, one sentence each."""
    names = [str(container.get("name")) for container in definition.get("containerDefinitions") or ()]
    return [
        f"{place}.containerOverrides[{number}].name: expected one of {', '.join(names)}, got {one.get('name')!r}."
        for number, one in enumerate(overrides.get("containerOverrides") or ())
        if one.get("name") not in (*names, UNKNOWN)
    ]


def _volume(volume: Json, own: Mapping[str, str]) -> dict[str, t.Any]:
    """The volume of a service as RunTask accepts it. By default, AWS deletes it with the task."""
    ebs = volume.get("managedEBSVolume")
    if not ebs or not ebs.get("tagSpecifications"):
        return dict(volume)
    specifications = [
        {
            **{name: value for name, value in item.items() if name != "propagateTags"},
            "tags": to_list({**own, **from_list(item.get("tags"))}),
        }
        if item.get("propagateTags") == "SERVICE"
        else item
        for item in ebs["tagSpecifications"]
    ]
    return {**volume, "managedEBSVolume": {**ebs, "tagSpecifications": specifications}}

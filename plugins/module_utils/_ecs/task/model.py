# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A one-off task with the settings of a service, and optionally another command. No calls."""

from __future__ import annotations

import typing as t

from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.tags import RESERVED, from_list, to_list
from ..._core.types import Json
from ..rollout.deployments import primary

# AWS returns this with the task.
STARTED_BY = "slipway.aws.ecs_task_run"
# AWS returns these only with the task sets of a service if another controller deploys it.
_OF_TASK_SETS = ("taskDefinition", "launchType", "capacityProviderStrategy", "platformVersion", "networkConfiguration")


def chosen_container(definition: Json, name: str | None) -> str:
    """The container that runs the command and whose exit code counts: the given one, or the only one."""
    names = [container["name"] for container in definition.get("containerDefinitions") or ()]
    if name in names or (name is None and len(names) == 1):
        return name or str(names[0])
    got = f"'{name}'" if name else "none"
    raise SlipwayError(INVALID_OPTION, f"container: expected one of {', '.join(names)}, got {got}.")


def runs_as(service: Json) -> Json:
    """The service with all settings of its tasks, some of which AWS returns only with the task set or deployment."""
    sets = [item for item in service.get("taskSets") or () if item.get("status") == "PRIMARY"]
    deployment = primary(service) or {}
    of_task_set = {name: sets[0][name] for name in _OF_TASK_SETS if sets and sets[0].get(name)}
    volumes = service.get("volumeConfigurations") or deployment.get("volumeConfigurations") or []
    return {**service, **of_task_set, "volumeConfigurations": volumes}


def request(cluster: str, service: Json, container: str, command: t.Sequence[str] | None) -> dict[str, t.Any]:
    """The request of RunTask: what the service runs, where and how, with another command if one is given."""
    strategy = service.get("capacityProviderStrategy")
    override = {"containerOverrides": [{"name": container, "command": list(command)}]} if command else None
    propagates = service.get("propagateTags")
    own = {name: text for name, text in from_list(service.get("tags")).items() if not name.startswith(RESERVED)}
    members = {
        "cluster": cluster,
        "taskDefinition": service["taskDefinition"],
        "overrides": override,
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
    return {name: value for name, value in members.items() if value}


def _volume(volume: Json, own: t.Mapping[str, str]) -> dict[str, t.Any]:
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


def is_over(task: Json) -> bool:
    return bool(task.get("lastStatus") == "STOPPED")


def exit_code(task: Json, container: str) -> int | None:
    """The exit code of the container; None if it never started."""
    codes = (item.get("exitCode") for item in task.get("containers") or () if item.get("name") == container)
    code = next(codes, None)
    return None if code is None else int(code)


def headline(service: str, code: int | None, ended: bool) -> str:
    """What happened, in one sentence."""
    if not ended:
        return f"The task with the settings of service {service} timed out and was stopped."
    if code is None:
        return f"The task with the settings of service {service} did not start."
    return f"The command in a task with the settings of service {service} failed with exit code {code}."

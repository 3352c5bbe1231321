# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory of a project that was deployed with ecspresso. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Sequence

from ..._core.error_codes import SOURCE_INVALID
from ..._core.errors import SlipwayError
from ..._core.types import Json
from ..notes import Notes
from ..placeholders import COMMENTS, Placeholders
from ..secrets import Secrets
from . import definitions


class Source(t.NamedTuple):
    """The documents of one service, with placeholders."""

    path: str
    config: Json
    service: Json
    task: Json
    # Names in the environment whose present values the documents are computed from.
    fixed: Sequence[str] = ()


# What the inventory has in another place, or has no use for.
_READ = (
    "region",
    "cluster",
    "service",
    "service_definition",
    "task_definition",
    "plugins",
    "required_version",
    "timeout",
)
_ADVICE = {
    "appspec": "Hooks of CodeDeploy become pre_deploy_tasks and post_deploy_tasks, or lifecycle hooks of the service.",
    "codedeploy": "Use the built-in ECS strategy blue_green, canary or linear.",
    "filter_command": "Slipway's playbooks do not prompt for a choice: select with -e.",
    "ignore": "Slipway keeps tags and members that the inventory does not name.",
}
_COMMENTS = {
    "project": "The project. It uses the existing cluster, network and roles, and never changes them.",
    "secrets": "Secrets by reference. No file contains a value.",
    **COMMENTS,
}


def site(name: str, sources: Sequence[Source], placeholders: Placeholders) -> Json:
    """What inventory_files writes."""
    notes, secrets = Notes(), Secrets(placeholders)
    services = [_service(source, secrets, placeholders, notes) for source in sources]
    region, cluster = (_only(sources, member, placeholders) for member in ("region", "cluster"))
    variables: Json = {
        "cloud": {"slipway_region": region},
        "project": {
            "slipway_project": name,
            "ecs_cluster_arn": cluster or "default",
            "ecs_cluster_log_groups": [],
            # Task definitions name the roles that they have.
            "ecs_cluster_execution_role": "",
            "ecs_cluster_task_role": "",
            "container_image_images": [],
            # Services name the subnets and security groups of others.
            "ecs_network_create": False,
            **_timeout(sources),
        },
        "load_balancer": {"ecs_load_balancer_target_groups": []},
        "secrets": secrets.variables(),
    }
    variables |= placeholders.files([variables, services], notes)
    return {"name": name, "variables": variables, "comments": _COMMENTS, "services": services, "notes": list(notes)}


def _service(source: Source, secrets: Secrets, placeholders: Placeholders, notes: Notes) -> Json:
    config = source.config
    family = str((source.task.get("taskDefinition") or source.task).get("family") or "")
    if not family:
        raise SlipwayError(SOURCE_INVALID, f"{source.path}: expected a family in the task definition, got none.")
    place = _literal(config.get("service") or family, f"{source.path}: service", placeholders)
    for member in config:
        if member not in _READ and config[member]:
            notes.add(f"{source.path}: {member}", "It has no counterpart.", _ADVICE.get(member, "See the guide."))
    for variable in source.fixed:
        notes.add(
            f"{source.path}: environment variable {variable}",
            "The conversion evaluated the definitions with its current value.",
            "Convert each stage with its own value into its own inventory, or write the condition as a template.",
        )
    controller = placeholders.actual(source.service.get("deploymentController") or {})
    definition = {**source.service, "deploymentController": controller}
    if not config.get("service") or not config.get("service_definition"):
        definition.setdefault("desiredCount", 0)
        notes.add(
            f"{source.path}: service",
            "ecspresso only runs tasks with this definition. A service without tasks holds its settings.",
            "Run them with the module ecs_task_run, or list them in ecs_app_schedules.",
        )
    task = definitions.task_definition(source.task, place, secrets, placeholders, notes)
    return t.cast(Json, placeholders.templated(definitions.service(place, definition, task, notes)))


def _literal(name: t.Any, place: str, placeholders: Placeholders) -> str:
    """The name of a service as it is now: an inventory has a file for each name."""
    found = str(placeholders.actual(name))
    unset = [one.argument.strip() for one in placeholders.find(found)]
    if unset:
        raise SlipwayError(
            SOURCE_INVALID, f"{place}: expected a value for {', '.join(unset)}, got none. Set it and convert again."
        )
    return found


def _only(sources: Sequence[Source], member: str, placeholders: Placeholders) -> t.Any:
    """A value that all configurations share, as one inventory has one region and one cluster."""
    found = {str(placeholders.actual(source.config.get(member) or "")): source for source in sources}
    if len(found) > 1:
        listed = ", ".join(f"{value or 'none'} ({source.path})" for value, source in found.items())
        raise SlipwayError(
            SOURCE_INVALID,
            f"{member}: expected the same value in all files, got {listed}. Convert each into its own inventory.",
        )
    return placeholders.templated(sources[0].config.get(member) or "")


def _timeout(sources: Sequence[Source]) -> Json:
    """The longest time that one of the deployments may take."""
    found = [seconds for source in sources if (seconds := _seconds(str(source.config.get("timeout") or "")))]
    return {"ecs_app_wait_timeout": max(found)} if found else {}


def _seconds(text: str) -> int:
    units = {"h": 3600, "m": 60, "s": 1}
    number, total = "", 0.0
    for letter in text:
        if letter in units:
            total, number = total + float(number or 0) * units[letter], ""
        elif letter.isdigit() or letter == ".":
            number += letter
        else:
            return 0
    return int(total + float(number or 0))

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What schedules run: the targets of EventBridge Scheduler, from services and task definitions."""

from __future__ import annotations

import typing as t

from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.paging import batches
from ..._core.plan import UNKNOWN
from ..._core.types import Client, Json
from ..service import api as service_api
from ..service.model import exists
from ..task.model import chosen_container, merged_overrides, override_problems, runs_as
from ..task.model import request as run_request
from ..task.options_flow import as_text, given_members
from ..task_definition import api as definition_api
from . import model

Params = t.Mapping[str, t.Any]
AT_LAUNCH = "task_definition: expected no volume that is configured at launch, because AWS cannot schedule such tasks."


def revisions(ecs: Client, cluster: str) -> dict[str, str]:
    """By family, the revision that a service of the cluster runs."""
    services = _describe(ecs, cluster, service_api.list_services(ecs, cluster))
    running = [str(runs_as(one).get("taskDefinition") or "") for one in services]
    return {model.family_of(arn): arn for arn in running if arn}


def targets(ecs: Client, params: Params, check_mode: bool) -> dict[str, Json | None]:
    """By schedule. None where check mode cannot know it: the service or the revision does not exist yet."""
    names = sorted({one["service"] for one in params["schedules"] if one["service"]})
    try:
        found = _describe(ecs, params["cluster"], names)
    except SlipwayError as error:
        # The cluster, in check mode.
        if error.code != NOT_FOUND or not check_mode:
            raise
        found = []
    services = {one["serviceName"]: runs_as(one) for one in found}
    builder = _Builder(ecs, params, check_mode, services)
    return {one["name"]: builder.target(one) for one in params["schedules"]}


def _describe(ecs: Client, cluster: str, names: t.Sequence[str]) -> list[Json]:
    found: list[Json] = []
    for some in batches(names, service_api.SERVICES_BATCH):
        found += service_api.describe_services(ecs, cluster, some, include=["TAGS"])
    return [one for one in found if exists(one)]


class _Builder:
    """Reads each task definition once."""

    def __init__(self, ecs: Client, params: Params, check_mode: bool, services: t.Mapping[str, Json]) -> None:
        self.ecs, self.params, self.check_mode, self.services = ecs, params, check_mode, services
        self.definitions: dict[str, Json | None] = {}

    def target(self, one: Json) -> Json | None:
        try:
            return self._target(one)
        except SlipwayError as error:
            raise SlipwayError(error.code, f"schedules, {one['name']}, {error.msg}", error.details) from error

    def _target(self, one: Json) -> Json | None:
        given = given_members(self.ecs, {**one, "client_token": None}, self.check_mode)
        service = self.services.get(one["service"] or "", {})
        if one["service"] and not service:
            if self.check_mode:
                return None
            where = f"a service of cluster {self.params['cluster']}"
            raise SlipwayError(NOT_FOUND, f"service: expected {where}, got '{one['service']}', which does not exist.")
        running = self.params["task_definitions"].get(one["service"]) or service.get("taskDefinition")
        name = str(one["task_definition"] or running or "")
        if self.check_mode and UNKNOWN in name:
            return None
        definition = self._definition(name)
        container = chosen_container(definition, one["container"]) if one["command"] or one["environment"] else ""
        environment = as_text(one["environment"])
        overrides = merged_overrides(given.pop("overrides", None), container, one["command"], environment)
        problems = override_problems(overrides, definition)
        if any(volume.get("configuredAtLaunch") for volume in definition.get("volumes") or ()):
            problems.append(AT_LAUNCH)
        if problems:
            raise SlipwayError(INVALID_OPTION, " ".join(problems), {"problems": problems})
        arn = definition["taskDefinitionArn"]
        call = run_request(self.params["cluster"], service, {**given, "taskDefinition": arn}, overrides)
        cluster = model.cluster_arn(self.params["cluster"], service, arn)
        return model.target(call, one, self.params["role_arn"], cluster)

    def _definition(self, name: str) -> Json:
        if name not in self.definitions:
            self.definitions[name] = definition_api.describe_task_definition(self.ecs, name)
        definition = self.definitions[name]
        if definition is None:
            raise SlipwayError(NOT_FOUND, f"task_definition: expected an active revision, got none for '{name}'.")
        return definition

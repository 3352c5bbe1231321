# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_site_adoption: find what an inventory manages, and tag it as the project's."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from ..._core.error_codes import NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.paging import batches
from ..._core.tags import from_list, to_list
from ..._core.types import Connection, Json, Result
from .. import api as ecs_api
from ..cloud import Cloud
from ..limits import check_cluster
from ..schedule import api as schedule_api
from ..service import api as service_api
from ..service.model import exists
from ..site.api import list_rules
from ..site.balancing import targets_of
from ..task_definition import api as definition_api
from . import api, model
from .model import DEFINITION, RULE, SCHEDULE_GROUP, SERVICE, TARGET_GROUP, Resource


def run(connection: Connection) -> Result:
    """Tag what the inventory manages. Check mode returns the plan."""
    params = connection.params
    check_cluster(params["cluster"])
    finder = _Finder(Cloud(connection.client), params)
    steps = model.plan(list(finder.resources()), params["project"], params["group"])
    if not connection.check_mode:
        for step in (one for one in steps if one.put):
            finder.tag(step)
    found = [step.to_result() for step in steps]
    return {
        "changed": any(one["changed"] for one in found),
        "diff": [
            {"before_header": one["arn"], "after_header": one["arn"], "before": one["before"], "after": one["after"]}
            for one in found
            if one["changed"]
        ],
        "resources": found,
        "table": model.table(steps),
    }


class _Finder:
    """Reads the tags of what the options name, and sets them. What does not exist yet is created with its tags."""

    def __init__(self, cloud: Cloud, params: t.Mapping[str, t.Any]) -> None:
        self.cloud, self.params = cloud, params

    def resources(self) -> Iterator[Resource]:
        yield from self._services()
        yield from self._target_groups()
        yield from self._rules()
        yield from self._schedule_group()

    def _services(self) -> Iterator[Resource]:
        """Services, and the revisions that they run, each once."""
        ecs, cluster = self.cloud.ecs, self.params["cluster"]
        scaled, revisions = self.params["scaled_services"], dict[str, None]()
        for some in batches(self.params["services"], service_api.SERVICES_BATCH):
            for one in service_api.describe_services(ecs, cluster, some, include=["TAGS"]):
                if exists(one):
                    name = str(one["serviceName"])
                    tags = from_list(one.get("tags"))
                    yield Resource(SERVICE, name, one["serviceArn"], tags, name in scaled)
                    revisions[str(one.get("taskDefinition") or "")] = None
        for arn in revisions:
            answer = definition_api.describe_task_definition(ecs, arn) if arn else None
            if answer:
                yield Resource(DEFINITION, last(arn), answer["taskDefinitionArn"], from_list(answer["tags"]))

    def _target_groups(self) -> Iterator[Resource]:
        names = self.params["target_groups"]
        found = [one for name in names for one in api.target_groups_named(self.cloud.elbv2, name)]
        tags = api.tags_of(self.cloud.elbv2, [str(one["TargetGroupArn"]) for one in found])
        for one in found:
            arn = str(one["TargetGroupArn"])
            yield Resource(TARGET_GROUP, str(one["TargetGroupName"]), arn, tags[arn])

    def _rules(self) -> Iterator[Resource]:
        """The rules of these priorities on each listener."""
        priorities = {str(one) for one in self.params["rule_priorities"]}
        for listener in self.params["listener_arns"] if priorities else ():
            rules = [one for one in list_rules(self.cloud.elbv2, listener) if str(one["Priority"]) in priorities]
            tags = api.tags_of(self.cloud.elbv2, [str(one["RuleArn"]) for one in rules])
            for one in sorted(rules, key=lambda rule: int(rule["Priority"])):
                self._require_ours(one, listener)
                name = f"{one['Priority']} of listener {last(listener)}"
                yield Resource(RULE, name, str(one["RuleArn"]), tags[str(one["RuleArn"])])

    def _require_ours(self, rule: Json, listener: str) -> None:
        """A rule of the same priority that forwards elsewhere is someone else's."""
        names = {arn.split("/")[1] for arn in targets_of(rule.get("Actions") or [])}
        if not names & set(self.params["target_groups"]):
            wanted = ", ".join(self.params["target_groups"]) or "none"
            raise SlipwayError(
                NOT_FOUND,
                f"rule_priorities: expected rule {rule['Priority']} of {listener} to forward to a target group of the"
                f" project ({wanted}), got one that forwards to {', '.join(names) or 'none'}. Correct the priority.",
            )

    def _schedule_group(self) -> Iterator[Resource]:
        name = self.params["schedule_group"]
        group = schedule_api.get_group(self.cloud.scheduler, name) if name else None
        if group:
            tags = from_list(schedule_api.list_tags(self.cloud.scheduler, group["Arn"]))
            yield Resource(SCHEDULE_GROUP, name, str(group["Arn"]), tags)

    def tag(self, step: model.Step) -> None:
        resource, put = step.resource, step.put
        if resource.kind in (SERVICE, DEFINITION):
            ecs_api.tag_resource(self.cloud.ecs, resource.arn, to_list(put))
        elif resource.kind == SCHEDULE_GROUP:
            schedule_api.change_tags(self.cloud.scheduler, resource.arn, put, [])
        else:
            api.add_tags(self.cloud.elbv2, resource.arn, put)

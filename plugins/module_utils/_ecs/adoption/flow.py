# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_site_adoption: find what an inventory manages, and tag it as the project's."""

from __future__ import annotations

from collections.abc import Iterator

from ..._core.answers import require_members
from ..._core.elb_tags import tags_of
from ..._core.error_codes import CONFLICT, UNSUPPORTED
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.paging import batches
from ..._core.tags import belongs_to, from_list, to_list
from ..._core.types import Connection, Json, Result
from .. import api as ecs_api
from ..cloud import Cloud
from ..limits import check_cluster
from ..rollout.deployments import controller
from ..scaling import api as scaling_api
from ..schedule import api as schedule_api
from ..service import api as service_api
from ..service.model import exists
from ..site.api import list_rules
from ..site.rules import targets_of
from ..task_definition import api as definition_api
from . import api, model
from .model import DEFINITION, RULE, SCALABLE_TARGET, SCHEDULE_GROUP, SERVICE, TARGET_GROUP, Resource


def run(connection: Connection) -> Result:
    """Tag what the inventory manages. Check mode returns the plan."""
    params = connection.params
    check_cluster(params["cluster"])
    finder = _Finder(connection)
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

    def __init__(self, connection: Connection) -> None:
        self.cloud, self.params = Cloud(connection.client), connection.params
        self.scaling = connection.client("application-autoscaling")

    def resources(self) -> Iterator[Resource]:
        yield from self._services()
        yield from self._target_groups()
        yield from self._rules()
        yield from self._schedule_group()

    def _services(self) -> Iterator[Resource]:
        """Services with their scalable targets, and the revisions that they run, each once."""
        found = self._existing()
        scaled = [str(one["serviceName"]) for one in found if one["serviceName"] in self.params["scaled_services"]]
        for one in found:
            name = str(one["serviceName"])
            yield Resource(SERVICE, name, one["serviceArn"], from_list(one.get("tags")), name in scaled)
        for arn in dict.fromkeys(str(one["taskDefinition"]) for one in found):
            answer = definition_api.describe_task_definition(self.cloud.ecs, arn)
            if answer:
                yield Resource(DEFINITION, last(arn), answer["taskDefinitionArn"], from_list(answer["tags"]))
        yield from self._scalable_targets(scaled)

    def _existing(self) -> list[Json]:
        """The services that ECS deploys."""
        ecs, cluster, names = self.cloud.ecs, self.params["cluster"], self.params["services"]
        answers = [
            one
            for some in batches(names, service_api.SERVICES_BATCH)
            for one in service_api.describe_services(ecs, cluster, some, include=["TAGS"])
        ]
        found = [one for one in answers if exists(one) and controller(one) != "EXTERNAL"]
        require_members("DescribeServices", found, "taskDefinition")
        return found

    def _scalable_targets(self, names: list[str]) -> Iterator[Resource]:
        """What Application Auto Scaling has of the services: IAM knows the owner of scaling by its tags alone."""
        resources = {f"service/{last(self.params['cluster'])}/{name}": name for name in names}
        try:
            targets = scaling_api.list_targets(self.scaling, list(resources)) if names else {}
        except SlipwayError as error:
            if error.code != UNSUPPORTED:
                raise
            targets = {}
        for resource, target in sorted(targets.items()):
            if arn := str(target.get("ScalableTargetARN") or ""):
                yield Resource(SCALABLE_TARGET, resources[resource], arn, scaling_api.target_tags(self.scaling, arn))

    def _target_groups(self) -> Iterator[Resource]:
        names = self.params["target_groups"]
        found = [one for name in names for one in api.target_groups_named(self.cloud.elbv2, name)]
        tags = tags_of(self.cloud.elbv2, [str(one["TargetGroupArn"]) for one in found])
        for one in found:
            arn = str(one["TargetGroupArn"])
            yield Resource(TARGET_GROUP, str(one["TargetGroupName"]), arn, tags[arn])

    def _rules(self) -> Iterator[Resource]:
        """The rules of these priorities on each listener."""
        priorities = {str(one) for one in self.params["rule_priorities"]}
        for listener in self.params["listener_arns"] if priorities else ():
            rules = [one for one in list_rules(self.cloud.elbv2, listener) if str(one["Priority"]) in priorities]
            tags = tags_of(self.cloud.elbv2, [str(one["RuleArn"]) for one in rules])
            for one in sorted(rules, key=lambda rule: int(rule["Priority"])):
                own = tags[str(one["RuleArn"])]
                # What the project has already may redirect.
                if not belongs_to(own, self.params["project"]):
                    self._require_ours(one, listener)
                yield Resource(RULE, f"{one['Priority']} of listener {last(listener)}", str(one["RuleArn"]), own)

    def _require_ours(self, rule: Json, listener: str) -> None:
        """A rule of the same priority that forwards elsewhere is someone else's."""
        names = {arn.split("/")[1] for arn in targets_of(rule.get("Actions") or [])}
        if not names & set(self.params["target_groups"]):
            wanted = ", ".join(self.params["target_groups"]) or "none"
            raise SlipwayError(
                CONFLICT,
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
        elif resource.kind == SCALABLE_TARGET:
            scaling_api.tag_target(self.scaling, resource.arn, put)
        elif resource.kind == SCHEDULE_GROUP:
            schedule_api.change_tags(self.cloud.scheduler, resource.arn, put, [])
        else:
            api.add_tags(self.cloud.elbv2, resource.arn, put)

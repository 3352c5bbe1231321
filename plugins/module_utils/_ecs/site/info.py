# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of ecs_site_info: read what runs in a cluster, side by side, and return it as variables."""

from __future__ import annotations

import datetime
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ..._core.answers import require_members
from ..._core.calls import CONNECTIONS
from ..._core.error_codes import NOT_FOUND, UNSUPPORTED
from ..._core.errors import SlipwayError, bad_answer
from ..._core.names import home_of, last
from ..._core.paging import batches
from ..._core.shapes import input_shape
from ..._core.types import Connection, Json, Result
from ..cloud import Cloud
from ..cluster import api as cluster_api
from ..limits import check_cluster
from ..network import api as network_api
from ..scaling import api as scaling_api
from ..scaling import queue
from ..scaling.model import Found
from ..schedule import api as schedule_api
from ..service import api as service_api
from ..service.api import target_groups
from ..task_definition import api as definition_api
from . import api, balancing, model
from .service import Known

T = t.TypeVar("T")
ACTIVE = "ACTIVE"


def run(connection: Connection) -> Result:
    """What runs in the cluster, as variables of an inventory. Nothing is changed."""
    params = connection.params
    check_cluster(params["cluster"])
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        account = _Reader(connection, pool).account()
    site = model.site_of(
        account,
        params["project"] or account.cluster["clusterName"],
        _known(connection, account.cluster),
        datetime.datetime.now(datetime.UTC),
    )
    return {"changed": False, "site": site}


def _known(connection: Connection, cluster: Json) -> Known:
    ecs, home = connection.client("ecs"), home_of(cluster["clusterArn"])
    if home is None:
        raise bad_answer("DescribeClusters", "an ARN", repr(cluster["clusterArn"]))
    return Known(
        home,
        frozenset(input_shape(ecs, "CreateService").members),
        frozenset(input_shape(ecs, "RegisterTaskDefinition").members),
    )


def _revision_of(service: Json) -> str:
    return next((str(one["arn"]) for one in service.get("currentServiceRevisions") or ()), "")


class _Reader:
    """Reads a cluster and what its services refer to."""

    def __init__(self, connection: Connection, pool: ThreadPoolExecutor) -> None:
        self.cloud, self.pool = Cloud(connection.client), pool
        self.client, self.params = connection.client, connection.params

    def account(self) -> model.Account:
        cluster = self._cluster()
        services = self._services(str(cluster["clusterArn"]))
        schedules = self.pool.submit(self._schedules, str(cluster["clusterArn"]))
        rules = self.pool.submit(api.rules_with_target, self.client("events"), str(cluster["clusterArn"]))
        balanced = self._balancing(services)
        return model.Account(
            region=str(self.cloud.ecs.meta.region_name),
            cluster=cluster,
            services=services,
            definitions=self._definitions(services),
            scaling=self._scaling(str(cluster["clusterName"]), services),
            schedules=schedules.result(),
            rules=rules.result(),
            balancing=balanced,
            network=self._network(str(cluster["clusterArn"]), services, balanced),
        )

    def _cluster(self) -> Json:
        name = self.params["cluster"]
        found = cluster_api.describe_clusters(self.cloud.ecs, [name], ["TAGS"])
        active = [one for one in found if one.get("status", ACTIVE) == ACTIVE]
        if not active:
            message = (
                f"cluster: expected an active cluster, got '{name}', which does not exist. Correct the name or the"
                " region."
            )
            raise SlipwayError(NOT_FOUND, message)
        return active[0]

    def _services(self, cluster: str) -> list[Json]:
        names = self.params["services"] or service_api.list_services(self.cloud.ecs, cluster)

        def read(some: list[str]) -> list[Json]:
            return service_api.describe_services(self.cloud.ecs, cluster, some, include=["TAGS"])

        answers = [one for some in self.pool.map(read, batches(names, service_api.SERVICES_BATCH)) for one in some]
        active = [one for one in answers if one["status"] == ACTIVE]
        require_members("DescribeServices", active, "loadBalancers")
        groups = [item for one in active for item in one["loadBalancers"] if not item.get("loadBalancerName")]
        require_members("DescribeServices", groups, "targetGroupArn")
        by_ecs = [one for one in active if (one.get("deploymentController") or {}).get("type", "ECS") != "EXTERNAL"]
        require_members("DescribeServices", by_ecs, "taskDefinition")
        there = {str(one["serviceName"]) for one in active}
        missing = [name for name in self.params["services"] or () if last(name) not in there]
        if missing:
            known = f"active services of the cluster {last(cluster)}"
            message = f"services: expected {known}, got {', '.join(missing)}, which do not exist. Correct the names."
            raise SlipwayError(NOT_FOUND, message)
        return self._with_monitoring(active)

    def _with_monitoring(self, services: t.Sequence[Json]) -> list[Json]:
        """Only the revision of a service contains its monitoring."""
        arns = {str(one["serviceArn"]): _revision_of(one) for one in services}
        found = service_api.describe_service_revisions(self.cloud.ecs, sorted(filter(None, arns.values())))
        settings = {str(one["serviceRevisionArn"]): one.get("monitoring") for one in found}
        its = [settings.get(arns[str(one["serviceArn"])]) for one in services]
        return [{**one, **({"monitoring": own} if own else {})} for one, own in zip(services, its, strict=True)]

    def _definitions(self, services: t.Sequence[Json]) -> dict[str, Json]:
        arns = sorted({str(one["taskDefinition"]) for one in services if one.get("taskDefinition")})
        answers = self.pool.map(lambda arn: definition_api.describe_task_definition(self.cloud.ecs, arn), arns)
        found = dict(zip(arns, answers, strict=True))
        missing = [last(arn) for arn, answer in found.items() if answer is None]
        if missing:
            raise bad_answer("DescribeTaskDefinition", f"the revisions {', '.join(missing)}, which run", "none")
        return {arn: answer for arn, answer in found.items() if answer is not None}

    def _scaling(self, cluster: str, services: t.Sequence[Json]) -> dict[str, Found]:
        names = [str(one["serviceName"]) for one in services]
        resources = {name: f"service/{cluster}/{name}" for name in names}
        client = self.client("application-autoscaling")
        try:
            targets = scaling_api.list_targets(client, list(resources.values()))
        except SlipwayError as error:
            if error.code != UNSUPPORTED:
                raise
            targets = {}
        alarms = self._alarms(cluster, [name for name, resource in resources.items() if resource in targets])

        def read(name: str) -> Found:
            resource = resources[name]
            target = targets.get(resource)
            # Without a target there is neither policy nor schedule.
            policies = scaling_api.list_policies(client, resource) if target else []
            actions = scaling_api.list_schedules(client, resource) if target else []
            return Found(target, policies, actions, alarms.get(name, []))

        return dict(zip(names, self.pool.map(read, names), strict=True))

    def _alarms(self, cluster: str, names: t.Sequence[str]) -> dict[str, list[Json]]:
        """The alarms that this collection creates for queues, by service."""
        by_name = {queue.alarm_name(cluster, name): name for name in names}
        found = scaling_api.list_alarms(self.client("cloudwatch"), list(by_name)) if names else []
        return {by_name[alarm["AlarmName"]]: [alarm] for alarm in found}

    def _schedules(self, cluster: str) -> list[Json]:
        scheduler = self.cloud.scheduler
        listed = schedule_api.list_scheduled(scheduler, cluster)
        answers = self.pool.map(lambda one: schedule_api.get_schedule(scheduler, *one), listed)
        found = [{**one, "GroupName": place[0]} for place, one in zip(listed, answers, strict=True) if one]
        return [one for one in found if (one.get("Target") or {}).get("EcsParameters")]

    def _balancing(self, services: t.Sequence[Json]) -> balancing.Answers:
        """Target groups with their attributes, and load balancers with their listeners and rules."""
        elbv2 = self.cloud.elbv2
        arns = sorted({arn for one in services for arn in target_groups(one)})
        groups = [one for some in batches(arns, 20) for one in service_api.describe_target_groups(elbv2, some) or ()]
        require_members("DescribeTargetGroups", groups, "LoadBalancerArns")
        require_members(
            "DescribeTargetGroups", [one for one in groups if one.get("TargetType") != "lambda"], "Protocol"
        )
        attributes = self.pool.map(lambda one: api.target_group_attributes(elbv2, one["TargetGroupArn"]), groups)
        groups = [{**one, "Attributes": more} for one, more in zip(groups, attributes, strict=True)]
        used = sorted({arn for one in groups for arn in one.get("LoadBalancerArns") or ()})
        balancers = [one for some in batches(used, 20) for one in network_api.describe_load_balancers(elbv2, some)]
        return balancing.Answers(groups, [self._with_listeners(one) for one in balancers])

    def _with_listeners(self, balancer: Json) -> Json:
        elbv2 = self.cloud.elbv2
        listeners = network_api.describe_listeners(elbv2, balancer["LoadBalancerArn"])
        rules = self.pool.map(lambda one: api.list_rules(elbv2, one["ListenerArn"]), listeners)
        found = [{**one, "Rules": some} for one, some in zip(listeners, rules, strict=True)]
        return {**balancer, "Listeners": found}

    def _network(self, cluster: str, services: t.Sequence[Json], balanced: balancing.Answers) -> model.Network:
        """That of the services' tasks or, where they have no addresses of their own, of the instances they run on."""
        subnets = sorted({subnet for one in services for subnet in model.subnets_of(one)})
        vpcs = api.subnet_vpcs(self.cloud.ec2, subnets)
        groups = [str(one["VpcId"]) for one in balanced.groups if one.get("VpcId")]
        instances = [] if vpcs or groups else api.instance_attributes(self.cloud.ecs, cluster)
        return model.network_of(vpcs, groups, instances, balanced.balancers)

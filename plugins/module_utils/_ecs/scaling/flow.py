# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_service_scaling does: read the scaling of all services, plan it, apply it once."""

from __future__ import annotations

import typing as t

from ..._core import tags as tagging
from ..._core.creating import persist
from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.paging import batches
from ..._core.plan import UNKNOWN, compare
from ..._core.types import Client, Connection, Json, Result
from .. import api as ecs_api
from ..limits import check_cluster
from ..service import api as service_api
from ..service.model import exists
from . import api as scaling_api
from .model import MARK, asked, from_aws, problems, resource_label, with_scheduled_bounds

Wishes = t.Mapping[str, Json]


def run(connection: Connection) -> Result:
    """Each service has exactly the scaling that is asked for, or none."""
    params, ecs = connection.params, connection.client("ecs")
    check_cluster(params["cluster"])
    wishes = {wish["name"]: wish for wish in params["services"]}
    _refuse_wrong(params["services"])
    services = _services(ecs, params["cluster"], list(wishes), connection.check_mode)
    _refuse_missing(wishes, services, connection.check_mode)
    scaling = connection.client("application-autoscaling")
    # A cluster may be given by its ARN.
    cluster = last(params["cluster"])
    resources = {name: f"service/{cluster}/{name}" for name in wishes}
    current = _current(scaling, resources, services)
    desired = {
        name: {}
        if wish["state"] == "absent"
        else with_scheduled_bounds(asked(wish, _label(connection, wish, services.get(name))), current[name])
        for name, wish in wishes.items()
    }
    planned = compare(current, desired)
    if not connection.check_mode:
        for name in sorted(planned.members):
            arn = services.get(name, {}).get("serviceArn", "")
            # The mark comes first and goes last, so that a run which is stopped between is known by it.
            if desired[name] and not current[name].get("tags"):
                ecs_api.tag_resource(ecs, arn, tagging.to_list(MARK))
            _apply(scaling, resources[name], current[name], desired[name], _owner(services.get(name)))
            if current[name].get("tags") and not desired[name]:
                ecs_api.untag_resource(ecs, arn, list(MARK))
    return {"changed": planned.changed, "diff": planned.diff, "services": planned.predicted}


def _refuse_wrong(wishes: t.Sequence[Json]) -> None:
    names = [wish["name"] for wish in wishes]
    found = [f"{name}: the name is there more than once" for name in sorted(set(names)) if names.count(name) > 1]
    found += [
        f"{wish['name']}: {problem}" for wish in wishes if wish["state"] == "present" for problem in problems(wish)
    ]
    if found:
        raise SlipwayError(INVALID_OPTION, f"services, {'; '.join(found)}.", {"problems": found})


def _services(ecs: Client, cluster: str, names: list[str], check_mode: bool) -> dict[str, Json]:
    """The services that there are."""
    found: list[Json] = []
    try:
        for batch in batches(names, service_api.SERVICES_BATCH):
            found += service_api.describe_services(ecs, cluster, batch, include=["TAGS"])
    except SlipwayError as error:
        # In check mode the cluster may be yet to be made.
        if error.code != NOT_FOUND or not check_mode:
            raise
    return {service["serviceName"]: service for service in found if exists(service)}


def _refuse_missing(wishes: Wishes, services: t.Mapping[str, Json], check_mode: bool) -> None:
    missing = [name for name, wish in wishes.items() if wish["state"] == "present" and name not in services]
    if missing and not check_mode:
        raise SlipwayError(
            NOT_FOUND, f"There is no service {', '.join(missing)} in the cluster, so it cannot be scaled."
        )


def _current(scaling: t.Any, resources: t.Mapping[str, str], services: t.Mapping[str, Json]) -> dict[str, Json]:
    targets = scaling_api.list_targets(scaling, list(resources.values()))
    current = {}
    for name, resource in resources.items():
        target = targets.get(resource)
        tags = tagging.from_list(services.get(name, {}).get("tags"))
        # Without a target there is neither policy nor schedule.
        policies = scaling_api.list_policies(scaling, resource) if target else []
        schedules = scaling_api.list_schedules(scaling, resource) if target else []
        current[name] = from_aws(target, policies, schedules, tags)
    return current


def _label(connection: Connection, wish: Json, service: Json | None) -> str:
    """What AWS calls the load balancer and target group of a service whose requests are to be counted."""
    if wish["requests_per_target"] is None:
        return ""
    balancers = (service or {}).get("loadBalancers") or ()
    groups = {balancer["targetGroupArn"] for balancer in balancers if balancer.get("targetGroupArn")}
    if wish["target_group_arn"]:
        groups = {wish["target_group_arn"]}
    if connection.check_mode and (service is None or UNKNOWN in groups):
        return UNKNOWN
    if len(groups) != 1:
        _refuse_label(wish, f"the service has {len(groups)} target groups; name the one with target_group_arn")
    (group,) = groups
    found = [
        arn for arn in scaling_api.load_balancers_of(connection.client("elbv2"), group) if ":loadbalancer/app/" in arn
    ]
    if not found:
        _refuse_label(wish, f"no application load balancer sends requests to {group}")
    return resource_label(found[0], group)


def _refuse_label(wish: Json, problem: str) -> t.NoReturn:
    told = f"{wish['name']}: requests_per_target cannot be counted, {problem}"
    raise SlipwayError(INVALID_OPTION, f"services, {told}.", {"problems": [told]})


def _owner(service: Json | None) -> tagging.Tags:
    """The tags of a service for its scalable target: policies of IAM know whose it is by these alone."""
    tags = tagging.from_list((service or {}).get("tags"))
    return {key: value for key, value in tags.items() if not key.startswith(tagging.RESERVED)}


def _put_policy(scaling: t.Any, resource: str, name: str, policy: Json) -> None:
    persist(lambda: scaling_api.put_policy(scaling, resource, name, policy))


def _apply(scaling: t.Any, resource: str, current: Json, desired: Json, owner: tagging.Tags) -> None:
    """The target first, as all else belongs to it; what is no longer wanted goes last."""
    bounds = ("min_capacity", "max_capacity")
    if desired and [current.get(bound) for bound in bounds] != [desired[bound] for bound in bounds]:
        # AWS refuses tags for a target that exists.
        tags = {} if "min_capacity" in current else owner
        between = (desired["min_capacity"], desired["max_capacity"])
        persist(lambda: scaling_api.register_target(scaling, resource, between, tags))
    kinds: tuple[tuple[str, t.Callable[..., None], t.Callable[..., None]], ...] = (
        ("policies", _put_policy, scaling_api.delete_policy),
        ("schedules", scaling_api.put_schedule, scaling_api.delete_schedule),
    )
    for kind, put, delete in kinds:
        old, new = current.get(kind, {}), desired.get(kind, {})
        for name in new:
            if old.get(name) != new[name]:
                put(scaling, resource, name, new[name])
        for name in old:
            if name not in new:
                delete(scaling, resource, name)
    if not desired and "min_capacity" in current:
        scaling_api.deregister_target(scaling, resource)

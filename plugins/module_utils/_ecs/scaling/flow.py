# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_service_scaling does: read the scaling of all services, compare it, apply it once.

The scaling of all services is compared together, and is several resources of AWS, so it is not a `_core.resource`.
"""

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
from .model import TAG, desired_scaling, from_api, resource_label, target_groups_of, validate, with_scheduled_bounds

Services = dict[str, Json]


def run(connection: Connection) -> Result:
    """Each service has exactly the scaling that is requested, or none."""
    params, ecs, check_mode = connection.params, connection.client("ecs"), connection.check_mode
    check_cluster(params["cluster"])
    validate(params["services"])
    options = {one["name"]: one for one in params["services"]}
    services = _find_services(ecs, params["cluster"], list(options), check_mode)
    missing = [name for name, one in options.items() if one["state"] == "present" and name not in services]
    if missing and not check_mode:
        message = f"services: expected existing services of the cluster, got {', '.join(missing)}. Create them first."
        raise SlipwayError(NOT_FOUND, message)
    scaling = connection.client("application-autoscaling")
    # A cluster may be given by its ARN.
    resources = {name: f"service/{last(params['cluster'])}/{name}" for name in options}
    current = _find_scaling(scaling, resources, services)
    desired = {
        name: _desired(connection, one, services.get(name), current[name]) if one["state"] == "present" else {}
        for name, one in options.items()
    }
    planned = compare(current, desired)
    for name in () if check_mode else sorted(planned.members):
        service = services.get(name, {})
        # The tag is set first and removed last, so that an interrupted run can be recognised by it.
        if desired[name] and not current[name].get("tags"):
            ecs_api.tag_resource(ecs, service["serviceArn"], tagging.to_list(TAG))
        _apply(scaling, resources[name], current[name], desired[name], _own_tags(service))
        if current[name].get("tags") and not desired[name]:
            ecs_api.untag_resource(ecs, service["serviceArn"], list(TAG))
    return {"changed": planned.changed, "diff": planned.diff, "services": planned.predicted}


def _find_services(ecs: Client, cluster: str, names: list[str], check_mode: bool) -> Services:
    """The services that exist, of those named."""
    found: list[Json] = []
    try:
        for batch in batches(names, service_api.SERVICES_BATCH):
            found += service_api.describe_services(ecs, cluster, batch, include=["TAGS"])
    except SlipwayError as error:
        # In check mode the cluster may not exist yet.
        if error.code != NOT_FOUND or not check_mode:
            raise
    return {service["serviceName"]: service for service in found if exists(service)}


def _find_scaling(scaling: Client, resources: t.Mapping[str, str], services: Services) -> dict[str, Json]:
    targets = scaling_api.list_targets(scaling, list(resources.values()))
    current = {}
    for name, resource in resources.items():
        target = targets.get(resource)
        tags = tagging.from_list(services.get(name, {}).get("tags"))
        # Without a target there is neither policy nor schedule.
        policies = scaling_api.list_policies(scaling, resource) if target else []
        schedules = scaling_api.list_schedules(scaling, resource) if target else []
        current[name] = from_api(target, policies, schedules, tags)
    return current


def _desired(connection: Connection, options: Json, service: Json | None, current: Json) -> Json:
    return with_scheduled_bounds(desired_scaling(options, _label(connection, options, service)), current)


def _label(connection: Connection, options: Json, service: Json | None) -> str:
    """What AWS calls the load balancer and target group of a service whose requests are counted."""
    if options["requests_per_target"] is None:
        return ""
    groups = target_groups_of(options, service)
    if connection.check_mode and (service is None or UNKNOWN in groups):
        return UNKNOWN
    if len(groups) != 1:
        _refuse_label(options, f"one target group of the service, got {len(groups)}. Set target_group_arn")
    (group,) = groups
    arns = scaling_api.load_balancers_of(connection.client("elbv2"), group)
    balancer = next((arn for arn in arns if ":loadbalancer/app/" in arn), None)
    if balancer is None:
        _refuse_label(options, f"a target group of an application load balancer, got {group}")
    return resource_label(balancer, group)


def _refuse_label(options: Json, expected: str) -> t.NoReturn:
    message = f"{options['name']}: requests_per_target: expected {expected}"
    raise SlipwayError(INVALID_OPTION, f"services, {message}.", {"problems": [message]})


def _own_tags(service: Json) -> tagging.Tags:
    """The tags of a service for its scalable target: IAM policies recognise its owner by these alone."""
    tags = tagging.from_list(service.get("tags"))
    return {key: value for key, value in tags.items() if not key.startswith(tagging.RESERVED)}


def _put_policy(scaling: Client, resource: str, name: str, policy: Json) -> None:
    persist(lambda: scaling_api.put_policy(scaling, resource, name, policy))


def _apply(scaling: Client, resource: str, current: Json, desired: Json, tags: tagging.Tags) -> None:
    """The target first, as all else belongs to it; deletions last."""
    bounds = ("min_capacity", "max_capacity")
    if desired and [current.get(bound) for bound in bounds] != [desired[bound] for bound in bounds]:
        # AWS refuses tags for a target that exists.
        new_tags = {} if "min_capacity" in current else tags
        between = (desired["min_capacity"], desired["max_capacity"])
        persist(lambda: scaling_api.register_target(scaling, resource, between, new_tags))
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

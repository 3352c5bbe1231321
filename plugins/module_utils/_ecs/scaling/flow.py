# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ecs_service_scaling does: read the scaling of all services, compare it, apply it once.

The scaling of all services is compared together, and is several resources of AWS, so it is not a `_core.resource`.
"""

from __future__ import annotations

import typing as t

from ..._core import ownership
from ..._core import tags as tagging
from ..._core.creating import persist
from ..._core.error_codes import INVALID_OPTION, NOT_FOUND
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.paging import batches
from ..._core.plan import UNKNOWN, compare
from ..._core.types import Client, Connection, Json, Result
from .. import api as ecs_api
from ..cluster import api as cluster_api
from ..limits import check_cluster
from ..service import api as service_api
from ..service.model import exists
from . import api as scaling_api
from . import queue as queue_model
from .model import (
    TAG,
    Found,
    desired_scaling,
    from_api,
    resource_label,
    target_groups_of,
    validate,
    with_current_names,
    with_scheduled_bounds,
)

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
    _check_queues(connection, [one for one in params["services"] if one["state"] == "present" and one["queue"]])
    scaling = connection.client("application-autoscaling")
    current = _find_scaling(connection, scaling, options, services)
    desired = {
        name: _desired(connection, one, services.get(name), current[name]) if one["state"] == "present" else {}
        for name, one in options.items()
    }
    unowned = _unowned(services, options, params["match_tags"])
    if not check_mode:
        ownership.refuse(unowned)
    for name in unowned:
        desired[name] = {**desired[name], "tags": current[name].get("tags", {})} if desired[name] else desired[name]
    planned = compare(current, desired)
    for name in () if check_mode else sorted(planned.members):
        service = services.get(name, {})
        # The tag is set first and removed last, so that an interrupted run can be recognised by it.
        if desired[name] and not current[name].get("tags"):
            ecs_api.tag_resource(ecs, service["serviceArn"], tagging.to_list(TAG))
        resource, own_tags = _resource(params["cluster"], name), _own_tags(service)
        put = _apply(scaling, resource, current[name], desired[name], own_tags)
        if current[name].get("alarms", {}) != desired[name].get("alarms", {}):
            arns = {one["PolicyName"]: one["PolicyARN"] for one in scaling_api.list_policies(scaling, resource)} | put
            _apply_alarms(connection.client("cloudwatch"), arns, current[name], desired[name], own_tags)
        _delete_surplus(scaling, resource, current[name], desired[name])
        if current[name].get("tags") and not desired[name]:
            ecs_api.untag_resource(ecs, service["serviceArn"], list(TAG))
    warnings = [ownership.text_of([f"scaling of service {name}" for name in unowned])] if unowned else []
    return {"changed": planned.changed, "diff": planned.diff, "services": planned.predicted, "warnings": warnings}


def _unowned(services: Services, options: Services, match_tags: t.Mapping[str, str] | None) -> list[str]:
    """Those that are to scale and are not adopted."""
    return [
        name
        for name, one in options.items()
        if one["state"] == "present"
        and name in services
        and not ownership.is_adopted(tagging.from_list(services[name].get("tags")), match_tags, f"service {name}")
    ]


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


def _resource(cluster: str, name: str) -> str:
    """What Application Auto Scaling calls a service. A cluster may be given by its ARN."""
    return f"service/{last(cluster)}/{name}"


def _check_queues(connection: Connection, services: t.Sequence[Json]) -> None:
    """Fail if a queue or the metric of running tasks does not exist, before anything is changed."""
    sqs, cluster = connection.client("sqs") if services else None, connection.params["cluster"]
    for one in services:
        try:
            scaling_api.queue_url(sqs, one["queue"]["name"])
        except SlipwayError as error:
            if error.code != NOT_FOUND:
                raise
            problem = f"{one['name']}: queue.name: expected an existing queue, got '{one['queue']['name']}'"
            message = f"services, {problem}. Create the queue first, or correct the name. ({error.msg})"
            raise SlipwayError(NOT_FOUND, message, {**error.details, "problems": [problem]}) from error
    # In check mode, the cluster may get them in the same run.
    if services and not connection.check_mode:
        found = cluster_api.describe_clusters(connection.client("ecs"), [cluster], ["SETTINGS"])
        if not any(queue_model.has_insights(one) for one in found):
            wrong = [f"{one['name']}: {queue_model.insights_problem(last(cluster))}" for one in services]
            raise SlipwayError(INVALID_OPTION, f"services, {'; '.join(wrong)}.", {"problems": wrong})


def _find_scaling(connection: Connection, scaling: Client, options: Services, services: Services) -> dict[str, Json]:
    cluster = last(connection.params["cluster"])
    resources = {name: _resource(cluster, name) for name in options}
    targets = scaling_api.list_targets(scaling, list(resources.values()))
    found, tags = {}, {}
    for name, resource in resources.items():
        target = targets.get(resource)
        tags[name] = tagging.from_list(services.get(name, {}).get("tags"))
        # Without a target there is neither policy nor schedule.
        policies = scaling_api.list_policies(scaling, resource) if target else []
        schedules = scaling_api.list_schedules(scaling, resource) if target else []
        found[name] = Found(target, policies, schedules, [])
    alarms = {
        queue_model.alarm_name(cluster, name): name
        for name in options
        if _may_have_alarm(options[name], found[name], from_api(found[name], tags[name]))
    }
    listed = scaling_api.list_alarms(connection.client("cloudwatch"), list(alarms)) if alarms else []
    for alarm in listed:
        name = alarms[alarm["AlarmName"]]
        found[name] = found[name]._replace(alarms=[alarm])
    return {name: from_api(one, tags[name]) for name, one in found.items()}


def _may_have_alarm(options: Json, found: Found, current: Json) -> bool:
    """Whether to ask for the alarm: not everybody who scales services may read alarms."""
    if options["state"] == "absent":
        return bool(current)
    return bool(options["queue"]) or any(one["PolicyName"] == queue_model.STARTING for one in found.policies)


def _desired(connection: Connection, options: Json, service: Json | None, current: Json) -> Json:
    label = _label(connection, options, service)
    wanted = desired_scaling(options, last(connection.params["cluster"]), label)
    return with_scheduled_bounds(with_current_names(wanted, current), current)


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


def _put_policy(scaling: Client, resource: str, name: str, policy: Json) -> str:
    return persist(lambda: scaling_api.put_policy(scaling, resource, name, policy))


def _apply(scaling: Client, resource: str, current: Json, desired: Json, tags: tagging.Tags) -> dict[str, str]:
    """The target first, as all else belongs to it. Returns the ARNs of the policies that were put."""
    bounds = ("min_capacity", "max_capacity")
    if desired and [current.get(bound) for bound in bounds] != [desired[bound] for bound in bounds]:
        # AWS refuses tags for a target that exists.
        new_tags = {} if "min_capacity" in current else tags
        between = (desired["min_capacity"], desired["max_capacity"])
        persist(lambda: scaling_api.register_target(scaling, resource, between, new_tags))
    changed = _different("policies", current, desired)
    put = {name: _put_policy(scaling, resource, name, policy) for name, policy in changed.items()}
    for name, schedule in _different("schedules", current, desired).items():
        scaling_api.put_schedule(scaling, resource, name, schedule)
    return put


def _apply_alarms(
    cloudwatch: Client, arns: t.Mapping[str, str], current: Json, desired: Json, tags: tagging.Tags
) -> None:
    """After the policies that they trigger, and before these are deleted."""
    for name, alarm in _different("alarms", current, desired).items():
        actions = [arns[policy] for policy in alarm["AlarmActions"]]
        new_tags = {} if name in current.get("alarms", {}) else tags
        scaling_api.put_alarm(cloudwatch, name, {**alarm, "AlarmActions": actions}, new_tags)
    for name in _surplus("alarms", current, desired):
        scaling_api.delete_alarm(cloudwatch, name)


def _delete_surplus(scaling: Client, resource: str, current: Json, desired: Json) -> None:
    for name in _surplus("policies", current, desired):
        scaling_api.delete_policy(scaling, resource, name)
    for name in _surplus("schedules", current, desired):
        scaling_api.delete_schedule(scaling, resource, name)
    if not desired and "min_capacity" in current:
        scaling_api.deregister_target(scaling, resource)


def _different(kind: str, current: Json, desired: Json) -> Json:
    """What to create or update, by name."""
    old = current.get(kind, {})
    return {name: value for name, value in desired.get(kind, {}).items() if old.get(name) != value}


def _surplus(kind: str, current: Json, desired: Json) -> list[str]:
    return [name for name in current.get(kind, {}) if name not in desired.get(kind, {})]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Application Auto Scaling for services of ECS, with the alarms and queues that it uses, one typed function a call:
paginated, errors translated.

`scaling` is a client of `Connection.client("application-autoscaling")`, which retries by itself; `resource` is AWS's
name for a service, service/<cluster>/<service>.
"""

from __future__ import annotations

import functools
import typing as t

from ..._core import tags as tagging
from ..._core.answers import check_complete
from ..._core.error_codes import NOT_FOUND, UNSUPPORTED
from ..._core.errors import SlipwayError, aws_call, aws_delete
from ..._core.paging import batches, pages
from ..._core.types import Client, Json

P = t.ParamSpec("P")
R = t.TypeVar("R")

NAMESPACE: Json = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
# ResourceIds that DescribeScalableTargets takes at a time, and names that DescribeAlarms takes.
TARGETS_BATCH, ALARMS_BATCH = 50, 100
# An endpoint without this service answers with a bare HTTP status; AWS always names its error.
NO_SUCH_SERVICE = {"400", "404", "501", "UnknownOperationException"}


def scaling_call(function: t.Callable[P, R]) -> t.Callable[P, R]:
    """Like aws_call, for an endpoint that may lack Application Auto Scaling."""
    call = aws_call(function)

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except SlipwayError as error:
            if error.details.get("error_code") not in NO_SUCH_SERVICE:
                raise
            message = (
                "This endpoint does not support Application Auto Scaling: remove scaling from the services."
                f" ({error.msg})"
            )
            raise SlipwayError(UNSUPPORTED, message, error.details) from error

    return wrapper


def scaling_deletion(function: t.Callable[P, None]) -> t.Callable[P, None]:
    """Like scaling_call; what is deleted already is no error."""
    call = scaling_call(function)

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            call(*args, **kwargs)
        except SlipwayError as error:
            if error.code != NOT_FOUND:
                raise

    return wrapper


@scaling_call
def list_targets(scaling: Client, resources: t.Sequence[str]) -> dict[str, Json]:
    """The scalable targets that there are, by resource."""
    found: list[Json] = []
    for batch in batches(resources, TARGETS_BATCH):
        found += pages(scaling, "describe_scalable_targets", "ScalableTargets", ResourceIds=batch, **NAMESPACE)
    return {target["ResourceId"]: target for target in found}


@scaling_call
def list_policies(scaling: Client, resource: str) -> list[Json]:
    found = pages(scaling, "describe_scaling_policies", "ScalingPolicies", ResourceId=resource, **NAMESPACE)
    return [policy for policy in found if policy["ResourceId"] == resource]


@scaling_call
def list_schedules(scaling: Client, resource: str) -> list[Json]:
    return pages(scaling, "describe_scheduled_actions", "ScheduledActions", ResourceId=resource, **NAMESPACE)


@scaling_call
def register_target(scaling: Client, resource: str, bounds: tuple[int, int], tags: t.Mapping[str, str]) -> None:
    """Create the target with these tags, or change its bounds; AWS moves the service between them at once."""
    created = {"Tags": dict(tags)} if tags else {}
    least, most = bounds
    scaling.register_scalable_target(ResourceId=resource, MinCapacity=least, MaxCapacity=most, **created, **NAMESPACE)


@scaling_call
def target_tags(scaling: Client, arn: str) -> tagging.Tags:
    return dict(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"])


@scaling_call
def tag_target(scaling: Client, arn: str, tags: t.Mapping[str, str]) -> None:
    scaling.tag_resource(ResourceARN=arn, Tags=dict(tags))


@scaling_call
def put_policy(scaling: Client, resource: str, name: str, configuration: Json) -> str:
    """A policy, with its alarms, which AWS creates for target tracking. Returns its ARN."""
    kind = "TargetTracking" if "TargetValue" in configuration else "Step"
    answer = scaling.put_scaling_policy(
        ResourceId=resource,
        PolicyName=name,
        PolicyType=f"{kind}Scaling",
        **{f"{kind}ScalingPolicyConfiguration": configuration},
        **NAMESPACE,
    )
    return str(answer["PolicyARN"])


@scaling_call
def put_schedule(scaling: Client, resource: str, name: str, schedule: Json) -> None:
    bounds = {member: schedule[member] for member in ("MinCapacity", "MaxCapacity") if member in schedule}
    scaling.put_scheduled_action(
        ResourceId=resource,
        ScheduledActionName=name,
        Schedule=schedule["Schedule"],
        Timezone=schedule["Timezone"],
        ScalableTargetAction=bounds,
        **NAMESPACE,
    )


@scaling_deletion
def delete_policy(scaling: Client, resource: str, name: str) -> None:
    """AWS deletes the alarms that it created for it."""
    scaling.delete_scaling_policy(ResourceId=resource, PolicyName=name, **NAMESPACE)


@scaling_deletion
def delete_schedule(scaling: Client, resource: str, name: str) -> None:
    scaling.delete_scheduled_action(ResourceId=resource, ScheduledActionName=name, **NAMESPACE)


@scaling_deletion
def deregister_target(scaling: Client, resource: str) -> None:
    scaling.deregister_scalable_target(ResourceId=resource, **NAMESPACE)


@aws_call
def list_alarms(cloudwatch: Client, names: t.Sequence[str]) -> list[Json]:
    """The alarms that exist, of those named."""
    found: list[Json] = []
    for batch in batches(names, ALARMS_BATCH):
        found += pages(cloudwatch, "describe_alarms", "MetricAlarms", AlarmNames=batch, AlarmTypes=["MetricAlarm"])
    return [alarm for alarm in found if alarm["AlarmName"] in names]


@aws_call
def put_alarm(cloudwatch: Client, name: str, alarm: Json, tags: t.Mapping[str, str]) -> None:
    """Create the alarm with these tags, or replace it, which keeps its tags."""
    created = {"Tags": tagging.to_capital_list(tags)} if tags else {}
    cloudwatch.put_metric_alarm(AlarmName=name, **alarm, **created)


@aws_delete
def delete_alarm(cloudwatch: Client, name: str) -> None:
    cloudwatch.delete_alarms(AlarmNames=[name])


@aws_call
def queue_url(sqs: Client, name: str) -> str:
    return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])


@aws_call
def load_balancers_of(elb: Client, target_group_arn: str) -> list[str]:
    """ARNs of the load balancers that send requests to a target group."""
    answer = elb.describe_target_groups(TargetGroupArns=[target_group_arn])
    found = [group["TargetGroupArn"] for group in answer["TargetGroups"]]
    check_complete("DescribeTargetGroups", [target_group_arn], found)
    return [arn for group in answer["TargetGroups"] for arn in group.get("LoadBalancerArns") or ()]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a service follows the depth of an SQS queue: two policies and one alarm. Pure.

Target tracking keeps the backlog per task at a target, as AWS documents it with metric math:
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html
Messages in flight count, too, so that a worker that still processes the last ones is not stopped.

Without a running task that metric divides by zero and has no data, so a step scaling policy starts the first task, as
AWS documents it for what else scales to zero:
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html
"""

from __future__ import annotations

import re
import typing as t

from ..._core.plan import Resource
from ..._core.types import Json

TRACKING, STARTING = "QueueBacklogPerTask", "QueueStartFromZero"
INSIGHTS = "containerInsights"
# Their order has no meaning.
SETS = {"Dimensions": ("Name",), "Metrics": ("Id",), "StepAdjustments": ()}
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
# AWS's default for services of ECS.
COOLDOWN = 300
PERIOD = 60
# While a metric is late, FILL stands in for it: one such minute alone starts no task.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
MINUTES = 2
ALARM_MEMBERS = (
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "EvaluationPeriods",
    "InsufficientDataActions",
    "Metrics",
    "OKActions",
    "Threshold",
    "TreatMissingData",
)


def problems(scaling: Resource) -> t.Iterator[str]:
    """What is wrong with the queue that is requested, one sentence each."""
    queue = scaling.get("queue")
    if not queue:
        return
    name, messages = str(queue.get("name") or ""), queue.get("messages_per_task")
    if not QUEUE_NAME.fullmatch(name):
        yield (
            "queue.name: expected the name of a queue, up to 80 letters, digits, hyphens or underscores, a FIFO queue"
            f" with .fifo at the end, got '{name}'"
        )
    if messages is None or float(messages) <= 0:
        yield f"queue.messages_per_task: expected a number above 0, got {messages}"
    if int(scaling.get("max_capacity") or 0) < 1:
        yield f"max_capacity: expected 1 or more for a service with a queue, got {scaling.get('max_capacity')}"


def starts_from_zero(scaling: Resource) -> bool:
    """Whether the service has no task at times."""
    bounds = [scaling, *(scaling.get("schedules") or ())]
    return any(one.get("min_capacity") == 0 for one in bounds)


def policies(scaling: Resource, cluster: str) -> dict[str, Json]:
    """The policies of a service, by name, in AWS's spelling."""
    queue = scaling.get("queue")
    if not queue:
        return {}
    messages = [_messages(queue, "waiting", "Visible"), _messages(queue, "in_flight", "NotVisible")]
    # SQS reports messages in flight only while there are any.
    backlog = _expression("backlog_per_task", "(waiting + FILL(in_flight, 0)) / running")
    tracking = {
        "ScaleInCooldown": _or_default(scaling.get("scale_in_cooldown")),
        "ScaleOutCooldown": _or_default(scaling.get("scale_out_cooldown")),
        "DisableScaleIn": False,
        "TargetValue": float(queue["messages_per_task"]),
        "CustomizedMetricSpecification": {"Metrics": [*messages, _running(scaling, cluster), backlog]},
    }
    # Adding a task is harmless where the metric of the running ones is late; setting their number would stop some.
    starting = {
        "AdjustmentType": "ChangeInCapacity",
        "Cooldown": _or_default(scaling.get("scale_out_cooldown")),
        "MetricAggregationType": "Average",
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    }
    return {TRACKING: tracking, **({STARTING: starting} if starts_from_zero(scaling) else {})}


def alarms(scaling: Resource, cluster: str) -> dict[str, Json]:
    """The alarm that starts the first task, by name; its action is the name of the policy that it triggers."""
    if not scaling.get("queue") or not starts_from_zero(scaling):
        return {}
    waiting, running = _messages(scaling["queue"], "waiting", "Visible"), _running(scaling, cluster)
    metrics = [{**one, "MetricStat": {**one["MetricStat"], "Period": PERIOD}} for one in (waiting, running)]
    return {
        alarm_name(cluster, str(scaling["name"])): {
            "ActionsEnabled": True,
            "AlarmActions": [STARTING],
            "AlarmDescription": f"Messages wait and no task of the service {scaling['name']} runs.",
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "DatapointsToAlarm": MINUTES,
            "EvaluationPeriods": MINUTES,
            "Metrics": [*metrics, _expression("without_tasks", "IF(FILL(running, 0) < 1, waiting, 0)")],
            "Threshold": 1.0,
            "TreatMissingData": "notBreaching",
        }
    }


def alarm_name(cluster: str, service: str) -> str:
    """In the form of the names that AWS chooses, and nobody else's."""
    return f"StepScaling-service/{cluster}/{service}-{STARTING}"


def alarm_from_api(alarm: Resource, names: t.Mapping[str, str]) -> Json:
    """What an alarm does; `names` has the policies by their ARNs."""
    found = {member: alarm[member] for member in ALARM_MEMBERS if member in alarm}
    return {**found, "AlarmActions": [names.get(arn, arn) for arn in alarm.get("AlarmActions") or ()]}


def has_insights(cluster: Resource) -> bool:
    """Whether the cluster has the metric of running tasks."""
    values = {str(one.get("name")): one.get("value") for one in cluster.get("settings") or ()}
    return values.get(INSIGHTS) in ("enabled", "enhanced")


def insights_problem(cluster: str) -> str:
    return (
        f"queue: expected Container Insights on the cluster {cluster}, for its metric RunningTaskCount, got none. Set"
        f" {INSIGHTS} to enabled; in the role ecs_cluster, that is ecs_cluster_container_insights"
    )


def _or_default(seconds: int | None) -> int:
    return COOLDOWN if seconds is None else int(seconds)


def _messages(queue: Resource, name: str, state: str) -> Json:
    return _metric(name, "AWS/SQS", f"ApproximateNumberOfMessages{state}", "Sum", {"QueueName": str(queue["name"])})


def _running(scaling: Resource, cluster: str) -> Json:
    place = {"ClusterName": cluster, "ServiceName": str(scaling["name"])}
    return _metric("running", "ECS/ContainerInsights", "RunningTaskCount", "Average", place)


def _metric(name: str, namespace: str, metric: str, statistic: str, dimensions: t.Mapping[str, str]) -> Json:
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric,
                "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
            },
            "Stat": statistic,
        },
        "ReturnData": False,
    }


def _expression(name: str, expression: str) -> Json:
    return {"Id": name, "Expression": expression, "ReturnData": True}

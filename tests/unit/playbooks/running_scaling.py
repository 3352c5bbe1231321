# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scaling of services that somebody else has made: by CPU, memory, requests, a queue, the clock, and by steps."""

from __future__ import annotations

import typing as t

from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling import queue
from ansible_collections.slipway.aws.tests.unit.playbooks.running_services import Place

Json = dict[str, t.Any]
STEPS: Json = {
    "AdjustmentType": "ChangeInCapacity",
    "Cooldown": 60,
    "MetricAggregationType": "Average",
    "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
}
# Here, alone, the policies have Slipway's own names: only then are they recognised as those of a queue.
WORKER: Json = {"name": "spot", "min_capacity": 0, "queue": {"name": "orders", "messages_per_task": 5}}


class Scaling(t.NamedTuple):
    """What its owner sent to Application Auto Scaling: policies and scheduled actions by name."""

    bounds: tuple[int, int]
    policies: dict[str, Json]
    actions: t.Mapping[str, Json] = {}


def tracking(metric: str, target: float, **members: t.Any) -> Json:
    label = {"ResourceLabel": members.pop("label")} if "label" in members else {}
    return {
        "PredefinedMetricSpecification": {"PredefinedMetricType": metric, **label},
        "TargetValue": target,
        **members,
    }


def scaling(place: Place) -> dict[str, Scaling]:
    """By service."""
    label = f"{place.balancer.partition(':loadbalancer/')[2]}/{place.targets['api'].rpartition(':')[2]}"
    cooldowns = {"ScaleInCooldown": 120, "ScaleOutCooldown": 30}
    return {
        "api": Scaling(
            (3, 8),
            {
                "cpu of the api": tracking("ECSServiceAverageCPUUtilization", 55, **cooldowns),
                "requests": tracking("ALBRequestCountPerTarget", 500, label=label, **cooldowns),
            },
        ),
        "tagged": Scaling(
            (1, 4),
            {"memory": tracking("ECSServiceAverageMemoryUtilization", 62.5)},
            {
                "night": {
                    "Schedule": "cron(0 22 * * ? *)",
                    "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 2},
                },
                "morning": {
                    "Schedule": "cron(0 6 ? * MON-FRI *)",
                    "Timezone": "Europe/Berlin",
                    "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 4},
                },
            },
        ),
        "spot": Scaling((0, 6), queue.policies(WORKER, "prod")),
        "plain": Scaling((1, 3), {"by steps": STEPS}),
    }


def create_scaling(client: t.Callable[[str], t.Any], place: Place, names: t.Collection[str]) -> None:
    """Scaling for those of the services that have some."""
    scaler = client("application-autoscaling")
    client("sqs").create_queue(QueueName="orders")
    for name, wanted in scaling(place).items():
        if name not in names:
            continue
        target = {
            "ServiceNamespace": "ecs",
            "ResourceId": f"service/prod/{name}",
            "ScalableDimension": "ecs:service:DesiredCount",
        }
        least, most = wanted.bounds
        scaler.register_scalable_target(**target, MinCapacity=least, MaxCapacity=most)
        arns = {}
        for policy, configuration in wanted.policies.items():
            kind = "TargetTracking" if "TargetValue" in configuration else "Step"
            put = {f"{kind}ScalingPolicyConfiguration": configuration, "PolicyType": f"{kind}Scaling"}
            arns[policy] = scaler.put_scaling_policy(**target, PolicyName=policy, **put)["PolicyARN"]
        for action, members in wanted.actions.items():
            scaler.put_scheduled_action(**target, ScheduledActionName=action, **members)
        for alarm, members in queue.alarms(WORKER, "prod").items() if name == WORKER["name"] else ():
            actions = [arns[policy] for policy in members["AlarmActions"]]
            client("cloudwatch").put_metric_alarm(AlarmName=alarm, **{**members, "AlarmActions": actions})


def scaling_of(client: t.Callable[[str], t.Any]) -> dict[str, t.Any]:
    """What Application Auto Scaling answers of all services, by kind, and the alarms."""
    scaler = client("application-autoscaling")
    own = {"ServiceNamespace": "ecs"}
    return {
        "targets": scaler.describe_scalable_targets(**own)["ScalableTargets"],
        "policies": scaler.describe_scaling_policies(**own)["ScalingPolicies"],
        "actions": scaler.describe_scheduled_actions(**own)["ScheduledActions"],
        "alarms": client("cloudwatch").describe_alarms()["MetricAlarms"],
    }

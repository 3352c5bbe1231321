# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: what Application Auto Scaling and CloudWatch do each minute.

Queues and tasks are counted, alarms evaluated, and what their policies and the schedules require becomes the desired
count of services.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from types import ModuleType
from typing import Any

import metric_math
import scaling_decisions

Json = dict[str, Any]

INSIGHTS = "ECS/ContainerInsights"
# How many minutes are remembered; an alarm of target tracking has 15.
MINUTES = 20
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


class Scaler:
    """Scales what `scaling` has, in the account and region of the request that it is called in."""

    def __init__(self, scaling: Any, sqs: ModuleType, minute: float) -> None:
        self.scaling, self.sqs, self.minute = scaling, sqs, minute
        self.ecs, self.cloudwatch = scaling.ecs, scaling.cloudwatch
        self.running = type(scaling.ecs._services)()

    def start(self) -> None:
        """Scale in the background, from the first target on."""
        if list(self.scaling.targets.values()) and "history" not in self.running:
            self.running["history"] = deque(maxlen=MINUTES)
            self.ecs.spawn_background(self.run, thread_name="application-autoscaling")

    def run(self) -> None:
        while True:
            time.sleep(self.minute)
            self.look()

    def look(self) -> None:
        """One minute."""
        history: deque[metric_math.Sample] = self.running.setdefault("history", deque(maxlen=MINUTES))
        history.append(self.sample())
        for alarm in list(self.cloudwatch._alarms.values()):
            self.evaluate(alarm, history)
        for target in list(self.scaling.targets.values()):
            self.run_schedules(target)
            self.scale(target, history)

    def sample(self) -> metric_math.Sample:
        """What SQS and Container Insights report."""
        found: dict[metric_math.Metric, float] = {}
        for queue in list(self.sqs._queues.values()):
            self.sqs._refresh_counts(queue)
            place = [{"Name": "QueueName", "Value": queue["name"]}]
            for own, reported in (("", "Visible"), ("NotVisible", "NotVisible"), ("Delayed", "Delayed")):
                name = f"ApproximateNumberOfMessages{reported}"
                count = float(queue["attributes"][f"ApproximateNumberOfMessages{own}"])
                # Messages in flight, and delayed ones, are reported only while there are any.
                if count or not own:
                    found[metric_math.metric("AWS/SQS", name, place)] = count
        for service in list(self.ecs._services.values()):
            found |= self.counted(service) if service["status"] == "ACTIVE" else {}
        return found

    def counted(self, service: Json) -> dict[metric_math.Metric, float]:
        cluster = self.ecs._clusters.get(str(service["clusterArn"]).rpartition("/")[2]) or {}
        settings = {one["name"]: one["value"] for one in cluster.get("settings") or ()}
        if settings.get("containerInsights") not in ("enabled", "enhanced"):
            return {}
        place = [
            {"Name": "ClusterName", "Value": cluster["clusterName"]},
            {"Name": "ServiceName", "Value": service["serviceName"]},
        ]
        counts = {"Running": "runningCount", "Pending": "pendingCount", "Desired": "desiredCount"}
        return {
            metric_math.metric(INSIGHTS, f"{state}TaskCount", place): float(service.get(member) or 0)
            for state, member in counts.items()
        }

    def value(self, alarm: Json, sample: metric_math.Sample) -> float | None:
        if alarm.get("Metrics"):
            return metric_math.value(alarm["Metrics"], sample)
        one = metric_math.metric(alarm["Namespace"] or "", alarm["MetricName"] or "", alarm.get("Dimensions") or ())
        return sample.get(one)

    def evaluate(self, alarm: Json, history: deque[metric_math.Sample]) -> None:
        """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html"""
        periods = int(alarm["EvaluationPeriods"])
        values = [self.value(alarm, sample) for sample in list(history)[-periods:]]
        known = [one for one in values if one is not None]
        if not known and not alarm.get("Metrics") and alarm.get("Namespace") not in ("AWS/SQS", INSIGHTS):
            return  # of metrics that users publish, which the emulator evaluates
        treatment = alarm.get("TreatMissingData") or "missing"
        compare = COMPARISONS[alarm["ComparisonOperator"]]
        breaching = sum(compare(one, alarm["Threshold"]) for one in known)
        breaching += periods - len(known) if treatment == "breaching" else 0
        if not known and treatment in ("missing", "ignore"):
            state = "INSUFFICIENT_DATA" if treatment == "missing" else alarm["StateValue"]
        else:
            state = "ALARM" if breaching >= int(alarm.get("DatapointsToAlarm") or periods) else "OK"
        if state != alarm["StateValue"]:
            reason = f"{breaching} of {periods} datapoints were beyond the threshold ({alarm['Threshold']})."
            self.cloudwatch._record_history(alarm["AlarmName"], alarm["StateValue"], state, reason)
            alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(self.scaling.now())}

    def run_schedules(self, target: Json) -> None:
        for schedule in self.scaling.of(self.scaling.schedules, target):
            now, zone = self.scaling.now(), schedule.get("Timezone") or "UTC"
            due = scaling_decisions.is_due(
                schedule["Schedule"], zone, schedule["CreationTime"], schedule["_checked"], now
            )
            schedule["_checked"] = now
            if due and not target["SuspendedState"]["ScheduledScalingSuspended"]:
                target |= schedule.get("ScalableTargetAction") or {}
                self.scaling.between(target)

    def scale(self, target: Json, history: deque[metric_math.Sample]) -> None:
        """Apply the policy that requires most tasks."""
        service = self.scaling.service(target["ResourceId"])
        if service is None:
            return
        capacity, triggered = int(service["desiredCount"]), self.triggered(target)
        outs, ins = [], []
        for policy, alarm in triggered:
            wanted = self.wanted(policy, alarm, capacity, history)
            if wanted > capacity:
                outs.append((wanted, policy, alarm))
            elif wanted < capacity and self.may_scale_in(policy, target, triggered):
                ins.append((wanted, policy, alarm))
        for proposals in (outs, ins):
            if proposals:
                wanted, policy, alarm = max(proposals, key=lambda one: one[0])
                self.apply(target, policy, alarm, capacity, wanted)
                return

    def triggered(self, target: Json) -> list[tuple[Json, Json]]:
        """Policies with the alarm that triggers each."""
        return [
            (policy, alarm)
            for policy in self.scaling.of(self.scaling.policies, target)
            for alarm in list(self.cloudwatch._alarms.values())
            if policy["PolicyARN"] in alarm["AlarmActions"]
            and alarm["StateValue"] == "ALARM"
            and alarm.get("ActionsEnabled", True)
        ]

    def wanted(self, policy: Json, alarm: Json, capacity: int, history: deque[metric_math.Sample]) -> int:
        """The capacity that a policy requires."""
        value, cooldown, now = self.value(alarm, history[-1]), policy["_cooldown"], self.scaling.now()
        if value is None:
            return capacity
        step = policy.get("StepScalingPolicyConfiguration")
        if step:
            base = scaling_decisions.base_of(cooldown, capacity, now, self.seconds(step.get("Cooldown")))
            return scaling_decisions.stepped(step, base, value - alarm["Threshold"])
        tracking = policy["TargetTrackingScalingPolicyConfiguration"]
        if alarm["ComparisonOperator"].startswith("Less"):
            return scaling_decisions.tracked(capacity, value, tracking["TargetValue"])
        base = scaling_decisions.base_of(cooldown, capacity, now, self.seconds(tracking.get("ScaleOutCooldown")))
        return max(capacity, scaling_decisions.tracked(base, value, tracking["TargetValue"]))

    def may_scale_in(self, policy: Json, target: Json, triggered: list[tuple[Json, Json]]) -> bool:
        """Tasks are stopped only if all policies that track a metric agree, and after a cooldown."""
        tracking = policy.get("TargetTrackingScalingPolicyConfiguration")
        cooldown = (
            tracking.get("ScaleInCooldown") if tracking else policy["StepScalingPolicyConfiguration"].get("Cooldown")
        )
        if self.scaling.now() < policy["_cooldown"].scaled_in + self.seconds(cooldown):
            return False
        if tracking is None:
            return True
        tracked = [
            one["PolicyName"]
            for one in self.scaling.of(self.scaling.policies, target)
            if not one.get("TargetTrackingScalingPolicyConfiguration", {"DisableScaleIn": True}).get("DisableScaleIn")
        ]
        low = {one["PolicyName"] for one, alarm in triggered if alarm["ComparisonOperator"].startswith("Less")}
        return policy["PolicyName"] in tracked and low >= set(tracked)

    def apply(self, target: Json, policy: Json, alarm: Json, capacity: int, wanted: int) -> None:
        count = min(max(wanted, int(target["MinCapacity"])), int(target["MaxCapacity"]))
        cooldown, now = policy["_cooldown"], self.scaling.now()
        if count == capacity:
            return
        suspended = "DynamicScalingOutSuspended" if count > capacity else "DynamicScalingInSuspended"
        if target["SuspendedState"][suspended]:
            return
        if count < capacity:
            cooldown.scaled_in = now
        else:
            cooldown.scaled_in = -math.inf
            cooldown.base, cooldown.out = capacity, now
        cause = f"monitor alarm {alarm['AlarmName']} in state ALARM triggered policy {policy['PolicyName']}"
        self.scaling.set_count(target, count, cause)

    def seconds(self, cooldown: int | None) -> float:
        """A cooldown, in seconds of the local cloud."""
        return (scaling_decisions.COOLDOWN if cooldown is None else float(cooldown)) * self.minute / 60

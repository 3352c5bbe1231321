# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: Application Auto Scaling for services of ECS, which it lacks.

service_scaling.py does what policies on queues, and schedules, require. CPU, memory and requests are not measured:
policies that track them are kept and do nothing.
https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import scaling_decisions
from emulator_patches import wrap
from service_scaling import Scaler

Json = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]

SERVICE = "application-autoscaling"
# Public record: the alarms of target tracking that users show. Above the target for 3 minutes, and below 90 % of it for
# 15.
TRACKING = (("AlarmHigh", "GreaterThanThreshold", 3, 1.0), ("AlarmLow", "LessThanThreshold", 15, 0.9))
PREDEFINED = {
    "ECSServiceAverageCPUUtilization": ("AWS/ECS", "CPUUtilization"),
    "ECSServiceAverageMemoryUtilization": ("AWS/ECS", "MemoryUtilization"),
    "ALBRequestCountPerTarget": ("AWS/ApplicationELB", "RequestCountPerTarget"),
}
ROLE = (
    "arn:aws:iam::{account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_ECSService"
)


class Refused(Exception):
    """An error that AWS returns."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Scaling:
    """The scalable targets of the account and region of a request, with their policies and schedules."""

    def __init__(self, ecs: ModuleType, cloudwatch: ModuleType, now: Callable[[], float]) -> None:
        self.ecs, self.cloudwatch, self.now = ecs, cloudwatch, now
        scoped = type(ecs._services)
        self.targets, self.policies, self.schedules = scoped(), scoped(), scoped()
        self.tags, self.activities = scoped(), scoped()

    # What there is

    def key(self, data: Json, name: str = "") -> tuple[str, ...]:
        return (str(data["ResourceId"]), str(data["ScalableDimension"]), *((str(data[name]),) if name else ()))

    def service(self, resource: str) -> Json | None:
        found = self.ecs._services.get(resource.removeprefix("service/"))
        return found if found and found["status"] == "ACTIVE" else None

    def of(self, store: Any, target: Json) -> list[Json]:
        """The policies or schedules of a target."""
        place = self.key(target)
        return [one for key, one in list(store.items()) if key[:2] == place]

    def arn(self, kind: str, rest: str, service: str = "autoscaling") -> str:
        return f"arn:aws:{service}:{self.ecs.get_region()}:{self.ecs.get_account_id()}:{kind}{rest}"

    def missing(self, what: str, data: Json, name: str = "") -> Refused:
        text = f"{what} for service namespace: ecs, resource ID: {data['ResourceId']}, scalable dimension: "
        named = f", {name}: {data['PolicyName' if 'policy' in name else 'ScheduledActionName']}" if name else ""
        return Refused("ObjectNotFoundException", f"{text}{data['ScalableDimension']}{named}")

    # Targets

    def register(self, data: Json) -> Json:
        key, service = self.key(data), self.service(data["ResourceId"])
        if service is None:
            raise Refused("ValidationException", f"ECS service doesn't exist: {data['ResourceId']}")
        target = self.targets.get(key)
        if target is None:
            rest = f"/{self.ecs.new_uuid().replace('-', '')}"
            target = {name: data[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")} | {
                "RoleARN": ROLE.format(account=self.ecs.get_account_id()),
                "CreationTime": self.now(),
                "ScalableTargetARN": self.arn("scalable-target", rest, SERVICE),
                "SuspendedState": dict.fromkeys(
                    ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"), False
                ),
            }
            self.tags[target["ScalableTargetARN"]] = dict(data.get("Tags") or {})
        bounds = {name: data.get(name, target.get(name)) for name in ("MinCapacity", "MaxCapacity")}
        if None in bounds.values():
            raise Refused("ValidationException", "Min capacity and max capacity must be set for a new target.")
        if bounds["MinCapacity"] > bounds["MaxCapacity"]:
            raise Refused("ValidationException", "Maximum capacity cannot be less than minimum capacity")
        target["SuspendedState"] |= data.get("SuspendedState") or {}
        self.targets[key] = target | bounds
        self.between(self.targets[key])
        return {"ScalableTargetARN": target["ScalableTargetARN"]}

    def describe_targets(self, data: Json) -> Json:
        named = data.get("ResourceIds")
        found = [one for one in self.targets.values() if named is None or one["ResourceId"] in named]
        return {"ScalableTargets": found}

    def deregister(self, data: Json) -> Json:
        target = self.targets.pop(self.key(data), None)
        if target is None:
            raise self.missing("No scalable target registered", data)
        for policy in self.of(self.policies, data):
            self.drop(policy)
        for schedule in self.of(self.schedules, data):
            self.schedules.pop(self.key(schedule, "ScheduledActionName"))
        self.tags.pop(target["ScalableTargetARN"], None)
        return {}

    def between(self, target: Json) -> None:
        """Move a service between its bounds."""
        service = self.service(target["ResourceId"])
        if service is None:
            return
        count, least, most = int(service["desiredCount"]), int(target["MinCapacity"]), int(target["MaxCapacity"])
        if count < least:
            self.set_count(target, least, f"minimum capacity was set to {least}")
        elif count > most:
            self.set_count(target, most, f"maximum capacity was set to {most}")

    def set_count(self, target: Json, count: int, cause: str) -> None:
        cluster, name = target["ResourceId"].split("/")[1:]
        self.ecs._update_service({"cluster": cluster, "service": name, "desiredCount": count})
        message = f"Successfully set desired count to {count}."
        identity = {name: target[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        activity = self.ecs.new_uuid()
        self.activities[activity] = identity | {
            "ActivityId": activity,
            "Description": f"Setting desired count to {count}.",
            "Cause": cause,
            "StartTime": self.now(),
            "EndTime": self.now(),
            "StatusCode": "Successful",
            "StatusMessage": f"{message} Change successfully fulfilled by ecs.",
        }
        service = self.service(target["ResourceId"])
        if service is not None:
            text = f"Message: {message} Waiting for change to be fulfilled by ecs. Cause: {cause}"
            service["events"].insert(0, {"id": activity, "createdAt": self.ecs._iso(), "message": text})

    def describe_activities(self, data: Json) -> Json:
        found = [one for one in self.activities.values() if data.get("ResourceId") in (None, one["ResourceId"])]
        return {"ScalingActivities": sorted(found, key=lambda one: -float(one["StartTime"]))}

    # Policies

    def put_policy(self, data: Json) -> Json:
        if self.key(data) not in self.targets:
            raise self.missing("No scalable target registered", data)
        key = self.key(data, "PolicyName")
        rest = f":{self.ecs.new_uuid()}:resource/ecs/{data['ResourceId']}:policyName/{data['PolicyName']}"
        old = self.policies.get(key) or {"PolicyARN": self.arn("scalingPolicy", rest), "CreationTime": self.now()}
        kept = {name: old[name] for name in ("PolicyARN", "CreationTime")}
        policy = {"PolicyType": "StepScaling", **data, **kept, "_cooldown": scaling_decisions.Cooldown()}
        self.delete_alarms(old)
        self.policies[key] = policy
        if policy["PolicyType"] == "TargetTrackingScaling":
            policy["_alarms"] = [self.track(policy, *alarm) for alarm in TRACKING]
        return {"PolicyARN": policy["PolicyARN"], "Alarms": self.alarms_of(policy)}

    def track(self, policy: Json, kind: str, comparison: str, minutes: int, part: float) -> str:
        """Create an alarm of target tracking; returns its name."""
        tracking = policy["TargetTrackingScalingPolicyConfiguration"]
        name = f"TargetTracking-{policy['ResourceId']}-{kind}-{self.ecs.new_uuid()}"
        custom, predefined = (tracking.get(f"{one}MetricSpecification") for one in ("Customized", "Predefined"))
        if custom and custom.get("Metrics"):
            metric = {"Metrics": custom["Metrics"]}
        elif custom:
            metric = {
                one: custom[one] for one in ("Namespace", "MetricName", "Dimensions", "Statistic") if one in custom
            }
        else:
            namespace, metric_name = PREDEFINED[(predefined or {})["PredefinedMetricType"]]
            metric = {"Namespace": namespace, "MetricName": metric_name, "Statistic": "Average"}
        alarm = {
            "AlarmName": name,
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
            "AlarmActions": [policy["PolicyARN"]],
            "ComparisonOperator": comparison,
            "EvaluationPeriods": minutes,
            "Period": 60,
            "Threshold": float(tracking["TargetValue"]) * part,
        }
        self.cloudwatch._put_metric_alarm({}, alarm | metric, False, True)
        return name

    def alarms_of(self, policy: Json) -> list[Json]:
        """Those that AWS has created, and those of users that trigger the policy."""
        alarms = [one for one in self.cloudwatch._alarms.values() if policy["PolicyARN"] in one["AlarmActions"]]
        return [{"AlarmName": one["AlarmName"], "AlarmARN": one["AlarmArn"]} for one in alarms]

    def describe_policies(self, data: Json) -> Json:
        names = data.get("PolicyNames")
        found = [
            {name: member for name, member in one.items() if not name.startswith("_")} | {"Alarms": self.alarms_of(one)}
            for one in self.policies.values()
            if data.get("ResourceId") in (None, one["ResourceId"]) and (not names or one["PolicyName"] in names)
        ]
        return {"ScalingPolicies": found}

    def delete_policy(self, data: Json) -> Json:
        policy = self.policies.get(self.key(data, "PolicyName"))
        if policy is None:
            raise self.missing("No scaling policy found", data, "policy name")
        self.drop(policy)
        return {}

    def drop(self, policy: Json) -> None:
        self.delete_alarms(policy)
        self.policies.pop(self.key(policy, "PolicyName"))

    def delete_alarms(self, policy: Json) -> None:
        for name in policy.get("_alarms") or ():
            self.cloudwatch._alarms.pop(name, None)

    # Schedules

    def put_schedule(self, data: Json) -> Json:
        if self.key(data) not in self.targets:
            raise self.missing("No scalable target registered", data)
        key = self.key(data, "ScheduledActionName")
        rest = f":{self.ecs.new_uuid()}:resource/ecs/{data['ResourceId']}:scheduledActionName/{key[2]}"
        new = {"ScheduledActionARN": self.arn("scheduledAction", rest), "CreationTime": self.now()}
        schedule = (self.schedules.get(key) or new) | data
        try:
            scaling_decisions.is_due(schedule["Schedule"], schedule.get("Timezone") or "UTC", 0, 0, 60)
        except (KeyError, ValueError) as error:
            raise Refused("ValidationException", f"Schedule is invalid: {error}") from error
        self.schedules[key] = schedule | {"_checked": self.now()}
        return {}

    def describe_schedules(self, data: Json) -> Json:
        found = [
            {name: member for name, member in one.items() if not name.startswith("_")}
            for one in self.schedules.values()
            if data.get("ResourceId") in (None, one["ResourceId"])
        ]
        return {"ScheduledActions": found}

    def delete_schedule(self, data: Json) -> Json:
        if self.schedules.pop(self.key(data, "ScheduledActionName"), None) is None:
            raise self.missing("No scheduled action found", data, "scheduled action name")
        return {}

    # Tags

    def tag(self, data: Json) -> Json:
        self.tags[data["ResourceARN"]] = self.tags.get(data["ResourceARN"], {}) | data["Tags"]
        return {}

    def untag(self, data: Json) -> Json:
        own = self.tags.get(data["ResourceARN"], {})
        self.tags[data["ResourceARN"]] = {key: text for key, text in own.items() if key not in data["TagKeys"]}
        return {}

    def list_tags(self, data: Json) -> Json:
        return {"Tags": self.tags.get(data["ResourceARN"], {})}


OPERATIONS: dict[str, Callable[[Scaling, Json], Json]] = {
    "RegisterScalableTarget": Scaling.register,
    "DescribeScalableTargets": Scaling.describe_targets,
    "DeregisterScalableTarget": Scaling.deregister,
    "DescribeScalingActivities": Scaling.describe_activities,
    "PutScalingPolicy": Scaling.put_policy,
    "DescribeScalingPolicies": Scaling.describe_policies,
    "DeleteScalingPolicy": Scaling.delete_policy,
    "PutScheduledAction": Scaling.put_schedule,
    "DescribeScheduledActions": Scaling.describe_schedules,
    "DeleteScheduledAction": Scaling.delete_schedule,
    "TagResource": Scaling.tag,
    "UntagResource": Scaling.untag,
    "ListTagsForResource": Scaling.list_tags,
}


def application_autoscaling(app: ModuleType, router: ModuleType, minute: float, *services: ModuleType) -> Scaler:
    """Serve the API. `minute` is how many seconds one of alarms and cooldowns lasts; schedules keep to the clock.

    `services` are the emulator's ECS, CloudWatch and SQS.
    """
    ecs, cloudwatch, sqs = services
    scaling = Scaling(ecs, cloudwatch, time.time)
    scaler = Scaler(scaling, sqs, minute)

    async def handle(_method: str, _path: str, headers: dict[str, str], body: bytes, _query: Json) -> Answer:
        operation = OPERATIONS.get(headers.get("x-amz-target", "").rpartition(".")[2])
        if operation is None:
            return answer(400, {"__type": "UnknownOperationException"})
        try:
            found = operation(scaling, json.loads(body or b"{}"))
        except Refused as error:
            return answer(400, {"__type": error.code, "message": str(error)})
        scaler.start()
        return answer(200, found)

    app.SERVICE_HANDLERS[SERVICE] = handle
    router.SERVICE_PATTERNS[SERVICE] = {"host_patterns": [rf"{SERVICE}\."], "credential_scope": SERVICE}
    metric_alarms(cloudwatch)

    @wrap(ecs, "reset")
    def reset(original: Callable[[], Any]) -> Any:
        for store in (scaling.targets, scaling.policies, scaling.schedules, scaling.tags, scaling.activities):
            store.clear()
        return original()

    return scaler


def answer(status: int, members: Json) -> Answer:
    return status, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(members).encode()


def metric_alarms(cloudwatch: ModuleType) -> None:
    """PutMetricAlarm keeps metric math, of which the emulator keeps nothing."""

    @wrap(cloudwatch, "_put_metric_alarm")
    def put(original: Callable[..., Any], params: Json, data: Json, *protocol: bool) -> Any:
        response = original(params, data, *protocol)
        alarm = cloudwatch._alarms.get(data.get("AlarmName"))
        if response[0] == 200 and alarm is not None and data.get("Metrics"):
            for name in ("MetricName", "Namespace", "Statistic", "Period", "ExtendedStatistic", "Unit"):
                alarm.pop(name, None)
            alarm["Metrics"] = data["Metrics"]
        return response

# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of the emulator: blue/green, canary and linear deployments shift traffic in stages; deployments can be
stopped and continued, and alarms roll them back.

The emulator rolls every deployment out as a rolling one, and lacks StopServiceDeployment and ContinueServiceDeployment.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-blue-green.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stop-service-deployment.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContinueServiceDeployment.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-alarm-failure.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from emulator_patches import wrap
from service_deployments import ENDED, NO_CANDIDATE, primary
from traffic_stages import STRATEGIES, Stages, steps_of
from weighted_forward import groups_of, set_weights

Json = dict[str, Any]

TICK_SECONDS = 0.25
# How long ECS takes to act on StopServiceDeployment; AWS documents the states, not their length.
REQUEST_SECONDS = 1.0
# Public record: reports of users.
ALARMED = "Service deployment rolled back because of one or more active alarms."
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
NETWORKING = "Service deployment rolled back because of invalid networking configuration"
UNASSOCIATED = (
    NETWORKING + ": Target group {arn} is not associated with either productionListenerRule or testListenerRule."
)
NOT_ONE = (
    NETWORKING + ". productionListenerRule {rule} should have exactly one target group serving traffic but found"
    " {count} target groups which are serving traffic"
)
CONTINUED = "Provided hookId is either completed, unavailable, or not associated with the given Resource ARN"
NO_RULE = NETWORKING + ". One or more rules not found"
# How AWS words a rollback that somebody has requested is in no public record that was found.
REQUESTED = "Service deployment rolled back because StopServiceDeployment was called."


def strategy_of(service: Json) -> str:
    return str((service.get("deploymentConfiguration") or {}).get("strategy") or "ROLLING")


def balancers_of(service: Json) -> Iterator[tuple[Json, Json]]:
    """Each load balancer whose traffic ECS shifts, with its advanced configuration."""
    for balancer in service.get("loadBalancers") or ():
        if balancer.get("advancedConfiguration"):
            yield balancer, balancer["advancedConfiguration"]


def serving(alb: ModuleType, rule: str) -> list[str]:
    """The target groups that get requests of a rule."""
    weights = groups_of((alb._rules[rule].get("Actions") or [{}])[0])
    return [arn for arn, weight in weights.items() if weight]


def obstacle(alb: ModuleType, service: Json) -> str:
    """Why ECS cannot shift the traffic of a service; empty if it can."""
    for balancer, advanced in balancers_of(service):
        rules = [advanced.get(name) for name in ("productionListenerRule", "testListenerRule") if advanced.get(name)]
        if any(rule not in alb._rules for rule in rules):
            return NO_RULE
        linked = {arn for rule in rules for action in alb._rules[rule]["Actions"] for arn in groups_of(action)}
        for arn in (balancer["targetGroupArn"], advanced.get("alternateTargetGroupArn")):
            if arn not in linked:
                return UNASSOCIATED.format(arn=arn)
        served = serving(alb, rules[0])
        if len(served) != 1:
            return NOT_ONE.format(rule=rules[0], count=len(served))
    return ""


def weights(percent: float, own: str, other: str) -> dict[str, int]:
    """Weights are whole numbers up to 999."""
    scale = 1.0 if percent == int(percent) else 9.99
    return {own: round(percent * scale), other: round((100 - percent) * scale)}


class Shifter:
    """Moves deployments through their stages, and the traffic with them."""

    def __init__(self, ecs: ModuleType, alb: ModuleType, cloudwatch: ModuleType, minute: float) -> None:
        self.ecs, self.alb, self.cloudwatch, self.minute = ecs, alb, cloudwatch, minute
        self._lock = threading.RLock()

    # Where the tasks of a deployment get their requests

    def place(self, service: Json) -> None:
        """Give each new deployment its target groups: where ECS shifts traffic, those that serve nothing now."""
        for deployment in service["deployments"]:
            if "_groups" in deployment:
                continue
            deployment["_groups"] = [
                (self._group(service, deployment, balancer), balancer.get("containerPort", 80))
                for balancer in service.get("loadBalancers") or ()
                if balancer.get("targetGroupArn")
            ]
            deployment["_balancers"] = service.get("loadBalancers") or []

    def _group(self, service: Json, deployment: Json, balancer: Json) -> str:
        advanced = balancer.get("advancedConfiguration") or {}
        rule, own = advanced.get("productionListenerRule"), str(balancer["targetGroupArn"])
        has_source = any(one is not deployment and one.get("_groups") for one in service["deployments"])
        if strategy_of(service) not in STRATEGIES or not has_source or rule not in self.alb._rules:
            return own
        return str(advanced["alternateTargetGroupArn"]) if own in serving(self.alb, rule) else own

    def publish(self, service: Json) -> None:
        """Register the running tasks of each deployment in its own target groups."""
        ledger = service.setdefault("_published_targets", {})
        found: dict[str, list[tuple[str, int]]] = {arn: [] for arn in ledger}
        for deployment in service["deployments"] if service["status"] == "ACTIVE" else ():
            for arn, port in deployment.get("_groups") or ():
                addresses = (self.ecs._task_ip(task) for task in self.tasks(service, deployment, "RUNNING"))
                found.setdefault(arn, []).extend((address, port) for address in addresses if address)
        for arn, targets in found.items():
            with self.ecs.resource_lock("elbv2-targets", arn):
                self.alb.set_targets_for_group(arn, targets, ledger.get(arn, ()))
                ledger[arn] = [address for address, _port in targets]

    def tasks(self, service: Json, deployment: Json, status: str = "") -> list[Json]:
        """The tasks of a deployment."""
        return [
            task
            for task in list(self.ecs._tasks.values())
            if task.get("_deployment_id") == deployment["id"]
            and task.get("clusterArn") == service["clusterArn"]
            and (not status or task.get("lastStatus") == status)
        ]

    # Stages

    def begin(self, service: Json) -> Json | None:
        """Start the stages of a deployment that shifts traffic, at its first look; returns it."""
        self.place(service)
        deployment = primary(service)
        begun = "_stages" in deployment or deployment.get("rolloutState") != "IN_PROGRESS"
        if begun or strategy_of(service) not in STRATEGIES or "_rolled_back_to" in deployment:
            return deployment if "_stages" in deployment else None
        others = [one for one in service["deployments"] if one is not deployment]
        configuration, now = dict(service["deploymentConfiguration"]), time.time()
        deployment["_stages"] = Stages(
            configuration, steps_of(configuration, bool(others)), "", now, self.minute, bool(others), self.ecs.new_uuid
        )
        deployment["_stages"].enter("RECONCILE_SERVICE" if len(others) > 1 else "PRE_SCALE_UP", now)
        for other in others:
            self._supersede(service, other)
        if problem := obstacle(self.alb, service):
            deployment["_stages"].end("roll back", problem)
        return deployment

    def _supersede(self, service: Json, other: Json) -> None:
        """A deployment that another one replaces before it has ended makes room, not the one that serves."""
        if other.get("rolloutState") == "IN_PROGRESS":
            for task in self.tasks(service, other):
                self._stop_task(service, task, "Deployment superseded")

    def _stop_task(self, service: Json, task: Json, reason: str) -> None:
        self.ecs._stop_task({"task": task["taskArn"], "cluster": names_of(service)[0], "reason": reason})

    def look(self, service: Json) -> None:
        """Move the latest deployment of a service as far as it can go."""
        with self._lock:
            self._restore(service)
            deployment = primary(service)
            if service.get("status") != "ACTIVE" or deployment.get("rolloutState") != "IN_PROGRESS":
                return
            self._check_alarms(service, deployment)
            stages = deployment.get("_stages")
            if stages and not stages.ended:
                self._move(service, deployment, stages)
            if stages and stages.ended == "roll back":
                deployment.setdefault("_requested", (0.0, stages.reason))
            due, reason = deployment.get("_requested") or (float("inf"), "")
            if time.time() >= due:
                self._roll_back(service, deployment, reason)

    def _move(self, service: Json, deployment: Json, stages: Stages) -> None:
        before, scaling_up = (stages.production, stages.test), stages.is_scaling_up
        stages.move(self._scaled(service, deployment), time.time())
        if before != (stages.production, stages.test):
            self._shift(service, deployment, stages.production, stages.test)
        if stages.ended == "completed":
            self.ecs._complete_service_deployment(*names_of(service))
        elif stages.is_scaling_up and not scaling_up:
            self.ecs._reconcile_service_tasks(*names_of(service))

    def _scaled(self, service: Json, deployment: Json) -> bool:
        stable = [task for task in self.tasks(service, deployment, "RUNNING") if task.get("_startup_stable")]
        return len(stable) >= int(service.get("desiredCount") or 0)

    def _shift(self, service: Json, deployment: Json, production: float, test: float) -> None:
        """Give a deployment so many percent of the traffic, and the rest to the other target group."""
        shifted = {arn for arn, _port in deployment["_groups"]}
        for balancer, advanced in balancers_of(service):
            pair = [str(balancer["targetGroupArn"]), str(advanced["alternateTargetGroupArn"])]
            own, other = pair if pair[0] in shifted else pair[::-1]
            for name, percent in (("productionListenerRule", production), ("testListenerRule", test)):
                if advanced.get(name) in self.alb._rules:
                    set_weights(self.alb, advanced[name], weights(percent, own, other))

    # The end

    def _check_alarms(self, service: Json, deployment: Json) -> None:
        """An alarm that was already active when the deployment started says nothing about it."""
        alarms = (service.get("deploymentConfiguration") or {}).get("alarms") or {}
        if not alarms.get("enable") or "_requested" in deployment or "_rolled_back_to" in deployment:
            return
        known = (self.cloudwatch._alarms.get(name) or {} for name in alarms.get("alarmNames") or ())
        active = [str(alarm["AlarmName"]) for alarm in known if alarm.get("StateValue") == "ALARM"]
        if deployment.setdefault("_ignores_alarms", bool(active)) or not active:
            return
        deployment["_alarms"] = active
        say(self.ecs, service, f"(deployment {deployment['id']}) deployment failed: alarm detected.")
        if alarms.get("rollback"):
            deployment["_requested"] = (0.0, ALARMED)
        else:
            deployment["_aborted"] = True

    def _roll_back(self, service: Json, deployment: Json, reason: str) -> None:
        """First the traffic, then the tasks."""
        completed = [one for one in service["deployments"] if one is not deployment]
        source = next((one for one in completed if one.get("rolloutState") == "COMPLETED"), None)
        failed = {"rolloutState": "FAILED", "desiredCount": 0, "updatedAt": self.ecs._iso(), "_rollback_reason": reason}
        if source is None:
            deployment |= {**failed, "_rollback_reason": NO_CANDIDATE}
            for task in self.tasks(service, deployment):
                self._stop_task(service, task, "Deployment failed")
            return
        self._shift({**service, "loadBalancers": deployment["_balancers"]}, source, 100.0, 100.0)
        deployment |= {**failed, "status": "ACTIVE"}
        source |= {"status": "PRIMARY", "desiredCount": service["desiredCount"], "updatedAt": self.ecs._iso()}
        source |= {"rolloutState": "IN_PROGRESS", "rolloutStateReason": "", "_rolled_back_to": True}
        service |= {"taskDefinition": source["taskDefinition"], "loadBalancers": source["_balancers"]}
        say(self.ecs, service, f"rolling back to deployment {source['id']}.")
        self.ecs._reconcile_service_tasks(*names_of(service))
        self.ecs._schedule_service_deployment_completion(
            *names_of(service), self.ecs.get_account_id(), self.ecs.get_region()
        )

    def _restore(self, service: Json) -> None:
        """The circuit breaker has failed a deployment: its traffic goes back to the one that runs again."""
        for failed in service["deployments"]:
            stages = failed.get("_stages")
            if stages and not stages.ended and failed.get("rolloutState") == "FAILED":
                stages.end("roll back")
                if primary(service) is not failed:
                    self._shift({**service, "loadBalancers": failed["_balancers"]}, primary(service), 100.0, 100.0)

    def watch(self, service: Json) -> None:
        """Look at a deployment until it ends."""
        deployment = primary(service)
        alarmed = ((service.get("deploymentConfiguration") or {}).get("alarms") or {}).get("enable")
        watched = "_stages" in deployment or "_requested" in deployment or alarmed
        if not watched or deployment.get("_watched") or deployment.get("rolloutState") != "IN_PROGRESS":
            return
        deployment["_watched"] = True

        def follow() -> None:
            while deployment.get("rolloutState") == "IN_PROGRESS" and primary(service) is deployment:
                self.look(service)
                time.sleep(TICK_SECONDS)
            self.look(service)

        self.ecs.spawn_background(follow, thread_name="ministack-ecs-stages")


def names_of(service: Json) -> tuple[str, str]:
    """Cluster and key by which the emulator knows a service."""
    cluster = str(service["clusterArn"]).rsplit("/", 1)[-1]
    return cluster, f"{cluster}/{service['serviceName']}"


def say(ecs: ModuleType, service: Json, message: str) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html"""
    text = f"(service {service['serviceName']}) {message}"
    service["events"].insert(0, {"id": ecs.new_uuid(), "createdAt": ecs._iso(), "message": text})


def traffic_shift(ecs: ModuleType, alb: ModuleType, cloudwatch: ModuleType, minute: float = 60.0) -> None:
    """Deployments of these strategies go through their stages. `minute` is how many seconds one of theirs lasts."""
    shifter = Shifter(ecs, alb, cloudwatch, minute)
    tasks(ecs, shifter)
    requests(ecs, shifter)


def tasks(ecs: ModuleType, shifter: Shifter) -> None:
    """Tasks start, get requests and end when their deployment is so far."""

    @wrap(ecs, "_reconcile_service_tasks")
    def reconcile(original: Callable[..., None], cluster: str, key: str) -> None:
        service = ecs._services.get(key)
        if service and service["status"] == "ACTIVE":
            shifter.begin(service)
            shifter.watch(service)
            deployment = primary(service)
            stages = deployment.get("_stages")
            if deployment.get("_aborted") or (stages and not (stages.is_scaling_up and stages.ended != "roll back")):
                ecs._refresh_service_state(cluster, f"service:{service['serviceName']}")
                return
        original(cluster, key)

    @wrap(ecs, "_complete_service_deployment")
    def complete(original: Callable[..., None], cluster: str, key: str, *args: Any, **kwargs: Any) -> None:
        service = ecs._services.get(key) or {"deployments": []}
        deployment = primary(service)
        stages = None if "_rolled_back_to" in deployment else deployment.get("_stages")
        if "_requested" in deployment or (stages and stages.ended != "completed"):
            shifter.look(service)
        else:
            original(cluster, key, *args, **kwargs)

    @wrap(ecs, "_sync_service_targets")
    def sync(original: Callable[..., None], cluster: str, service: Json) -> None:
        if all("_groups" in one for one in service["deployments"]):
            shifter.publish(service)
        else:
            original(cluster, service)


def requests(ecs: ModuleType, shifter: Shifter) -> None:
    """The calls that read, stop and continue deployments."""
    calls = Calls(ecs, shifter)

    for name in ("_describe_services", "_list_service_deployments", "_describe_service_deployments"):

        @wrap(ecs, name)
        def read(original: Callable[..., Any], data: Json) -> Any:
            calls.look_at_all()
            return original(data)

    ecs._ACTION_MAP |= {"StopServiceDeployment": calls.stop, "ContinueServiceDeployment": calls.go_on}


class Calls:
    """StopServiceDeployment and ContinueServiceDeployment."""

    def __init__(self, ecs: ModuleType, shifter: Shifter) -> None:
        self.ecs, self.shifter = ecs, shifter

    def look_at_all(self) -> None:
        for service in list(self.ecs._services.values()):
            self.shifter.look(service)

    def find(self, arn: str) -> tuple[Json, Json, Json]:
        """A service deployment with its service and deployment, if it is the latest."""
        self.look_at_all()
        for service in list(self.ecs._services.values()):
            for known in service.get("_service_deployments") or ():
                if known["serviceDeploymentArn"] == arn and service["status"] == "ACTIVE":
                    deployment = primary(service)
                    return service, known, deployment if deployment.get("id") == known["_deployment"] else {}
        return {}, {}, {}

    def missing(self, arn: str) -> Any:
        message = f"Service deployment {arn} not found."
        return self.ecs.error_response_json("ServiceDeploymentNotFoundException", message, 400)

    def stop(self, data: Json) -> Any:
        arn = str(data.get("serviceDeploymentArn", ""))
        service, known, deployment = self.find(arn)
        if not known:
            return self.missing(arn)
        if known["status"] in ENDED:
            message = f"The service deployment is {known['status']}."
            return self.ecs.error_response_json("ConflictException", message, 400)
        if deployment.get("rolloutState") == "IN_PROGRESS" and data.get("stopType") == "ABORT":
            deployment["_aborted"] = True
        elif deployment.get("rolloutState") == "IN_PROGRESS":
            deployment.setdefault("_requested", (time.time() + REQUEST_SECONDS, REQUESTED))
            self.shifter.watch(service)
        return self.ecs.json_response({"serviceDeploymentArn": arn})

    def go_on(self, data: Json) -> Any:
        arn, action = str(data.get("serviceDeploymentArn", "")), str(data.get("action") or "CONTINUE")
        service, known, deployment = self.find(arn)
        if not known:
            return self.missing(arn)
        stages = deployment.get("_stages")
        if not stages or not stages.act(str(data.get("hookId", "")), action):
            return self.ecs.error_response_json("InvalidParameterException", CONTINUED, 400)
        self.shifter.look(service)
        return self.ecs.json_response({"serviceDeploymentArn": arn})

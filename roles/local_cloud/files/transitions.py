# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of the emulator: what takes AWS a while passes through its states, each for the same few seconds.

New load balancers are ``provisioning``, new NAT gateways and VPC endpoints ``pending``. A deregistered target is
``draining`` for its deregistration delay, up to those seconds, and serves the requests that it has begun; meanwhile its
task is DEACTIVATING and its deleted service DRAINING. A deleted cluster is returned as INACTIVE.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NatGateway.html
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteCluster.html
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from emulator_patches import groups_of_task, wrap

Json = dict[str, Any]
# Target group, address and port.
Key = tuple[str, str, int]

DELAY = "deregistration_delay.timeout_seconds"
DEFAULT_DELAY = 300.0
# Public record: reports of CloudFormation, Terraform and the AWS CLI.
STILL_DRAINING = "Unable to Start a service that is still Draining."


def starting(module: ModuleType, action: str, store: str, state: str, seconds: float) -> None:
    """What the action creates has a first state for a while, also in its answer."""

    @wrap(module, action)
    def create(original: Callable[..., Any], *args: Any) -> Any:
        before = set(getattr(module, store).keys())
        status, headers, body = original(*args)
        for name in set(getattr(module, store).keys()) - before:
            record = getattr(module, store)[name]
            final, record["State"] = record["State"], state
            threading.Timer(seconds, settle, (record, state, final)).start()
            body = body.replace(f">{final}<".encode(), f">{state}<".encode(), 1)
        return status, headers, body


def settle(record: Json, state: str, final: str) -> None:
    """Reach the final state, unless the resource was deleted meanwhile."""
    if record["State"] == state:
        record["State"] = final


class Draining:
    """The targets that were deregistered a moment ago."""

    def __init__(self, alb: ModuleType, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._alb, self._seconds, self._now = alb, seconds, now
        self._ends: dict[Key, float] = {}

    def delay(self, arn: str) -> float:
        """How long a target of this group drains here: its deregistration delay, up to the longest transition."""
        attributes = {one["Key"]: one["Value"] for one in self._alb._tg_attrs.get(arn) or ()}
        return min(float(attributes.get(DELAY, DEFAULT_DELAY)), self._seconds)

    def key(self, arn: str, target: Json) -> Key:
        return arn, str(target["Id"]), int(target.get("Port") or self._alb._tgs[arn].get("Port") or 80)

    def changed(self, arn: str, before: list[Json]) -> None:
        """Begin with the targets that are registered no longer; one that is registered again drains no more."""
        group = self._alb._tgs.get(arn)
        registered = {self.key(arn, target) for target in self._alb._targets.get(arn) or ()} if group else set()
        removed = {self.key(arn, target) for target in before} - registered if group else set()
        self._ends = {key: end for key, end in self._ends.items() if key not in registered}
        self._ends |= dict.fromkeys(removed, self._now() + self.delay(arn))

    def of(self, arn: str, requested: set[str]) -> list[Key]:
        """The draining targets of a group; those requested, if any are."""
        now = self._now()
        self._ends = {key: end for key, end in self._ends.items() if end > now}
        return [key for key in self._ends if key[0] == arn and (not requested or key[1] in requested)]


def targets(alb: ModuleType, draining: Draining) -> None:
    """Deregistered targets are reported as draining. They get no new requests, as the emulator has removed them."""

    def noticed(name: str, find_arn: Callable[..., str]) -> None:
        @wrap(alb, name)
        def change(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            arn = find_arn(*args)
            before = list(alb._targets.get(arn) or ()) if arn in alb._tgs else []
            response = original(*args, **kwargs)
            draining.changed(arn, before)
            return response

    noticed("set_targets_for_group", lambda arn, *_rest: str(arn))
    for action in ("_register_targets", "_deregister_targets"):
        noticed(action, lambda params: str(alb._p(params, "TargetGroupArn")))

    @wrap(alb, "_describe_target_health")
    def describe(original: Callable[..., Any], params: Json) -> Any:
        status, headers, body = original(params)
        requested = {target["Id"] for target in alb._parse_targets_param(params)}
        found = draining.of(alb._p(params, "TargetGroupArn"), requested) if status == 200 else []
        end = b"</TargetHealthDescriptions>"
        return status, headers, body.replace(end, "".join(map(member, found)).encode() + end)


def member(key: Key) -> str:
    """A draining target as the API writes it."""
    __, address, port = key
    return (
        f"<member><Target><Id>{address}</Id><Port>{port}</Port></Target><HealthCheckPort>{port}</HealthCheckPort>"
        "<TargetHealth><State>draining</State><Reason>Target.DeregistrationInProgress</Reason>"
        "<Description>Target deregistration is in progress</Description></TargetHealth></member>"
    )


def tasks(ecs: ModuleType, alb: ModuleType, draining: Draining) -> None:
    """ECS stops a task when its targets have drained; until then it is DEACTIVATING."""

    def seconds_of(task: Json) -> float:
        address, arns = ecs._task_ip(task), [arn for arn, _port in groups_of_task(ecs, task)]
        serving = [arn for arn in arns if any(one["Id"] == address for one in alb._targets.get(arn) or ())]
        return max(map(draining.delay, serving), default=0.0)

    @wrap(ecs, "_stop_task")
    def stop(original: Callable[..., Any], data: Json) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        task = ecs._resolve_task(data.get("task", ""), cluster)
        if task and task["lastStatus"] == "DEACTIVATING":
            return ecs.json_response({"task": ecs._sanitize(task)})
        is_running = task and task["lastStatus"] == "RUNNING" and ecs._task_is_active(task["taskArn"], task)
        seconds = seconds_of(task) if is_running else 0.0
        if seconds <= 0:
            return original(data)
        with ecs.resource_lock("ecs-task", task["taskArn"]):
            ecs._bump_task_version(task)
            task |= {"desiredStatus": "STOPPED", "lastStatus": "DEACTIVATING", "stoppingAt": ecs._iso()}
        ecs._refresh_service_state(cluster, task["group"])
        later(ecs, lambda: drained(ecs, task), lambda: original(data), seconds)
        return ecs.json_response({"task": ecs._sanitize(task)})


def drained(ecs: ModuleType, task: Json) -> bool:
    """The emulator stops only what is to run."""
    with ecs.resource_lock("ecs-task", task["taskArn"]):
        task["desiredStatus"] = "RUNNING"
    return True


def later(ecs: ModuleType, ready: Callable[[], bool], act: Callable[[], Any], seconds: float = 0.0) -> None:
    """After some seconds, act as soon as it is possible, in the account and region of this request."""
    scope = ecs.get_account_id(), ecs.get_region()

    def wait() -> None:
        time.sleep(seconds)
        while not ready():
            time.sleep(0.1)
        with ecs.request_scope(*scope):
            act()

    ecs.spawn_background(wait, thread_name="ministack-ecs-transition")


def services(ecs: ModuleType) -> None:
    """A deleted service is DRAINING until its tasks have stopped, and its name is not free before."""

    def is_draining(service: Json) -> bool:
        group = f"service:{service['serviceName']}"
        own = [one for one in ecs._tasks.values() if one.get("group") == group]
        return any(one["lastStatus"] == "DEACTIVATING" and one["clusterArn"] == service["clusterArn"] for one in own)

    @wrap(ecs, "_delete_service")
    def delete(original: Callable[..., Any], data: Json) -> Any:
        response = original(data)
        if response[0] != 200:
            return response
        answer = json.loads(response[2])["service"]
        cluster = answer["clusterArn"].rpartition("/")[2]
        service = ecs._services.get(f"{cluster}/{answer['serviceName']}")
        if service and is_draining(service):
            service["status"] = "DRAINING"
            scope = ecs.get_account_id(), ecs.get_region()

            def is_over() -> bool:
                with ecs.request_scope(*scope):
                    return not is_draining(service)

            later(ecs, is_over, lambda: service.update({"status": "INACTIVE"}))
        return ecs.json_response({"service": {**answer, "status": "DRAINING"}})

    @wrap(ecs, "_create_service")
    def create(original: Callable[..., Any], data: Json) -> Any:
        cluster = ecs._resolve_cluster_name(data.get("cluster", "default"))
        existing = ecs._services.get(f"{cluster}/{data.get('serviceName')}") or {}
        if existing.get("status") == "DRAINING":
            return ecs.error_response_json("InvalidParameterException", STILL_DRAINING, 400)
        return original(data)


def clusters(ecs: ModuleType) -> None:
    """A deleted cluster is returned as INACTIVE, until one of its name is created again."""
    deleted = ecs.AccountRegionScopedDict()

    @wrap(ecs, "_delete_cluster")
    def delete(original: Callable[..., Any], data: Json) -> Any:
        response = original(data)
        if response[0] == 200:
            cluster = json.loads(response[2])["cluster"]
            counts = {name: 0 for name in cluster if name.endswith("Count")}
            deleted[cluster["clusterName"]] = {**cluster, **counts, "tags": [], "status": "INACTIVE"}
        return response

    @wrap(ecs, "_describe_clusters")
    def describe(original: Callable[..., Any], data: Json) -> Any:
        status, headers, body = original(data)
        answer = json.loads(body)
        names = {one["arn"]: one["arn"].rpartition("/")[2] for one in answer.get("failures") or ()}
        found = [deleted[name] for name in names.values() if name in deleted]
        if not found:
            return status, headers, body
        answer["clusters"] += [{name: one[name] for name in one if name != "settings"} for one in found]
        answer["failures"] = [one for one in answer["failures"] if names[one["arn"]] not in deleted]
        return ecs.json_response(answer)

    @wrap(ecs, "reset")
    def reset(original: Callable[[], None]) -> None:
        original()
        deleted.clear()


def transitions(alb: ModuleType, ec2: ModuleType, ecs: ModuleType, seconds: float) -> None:
    """Let transitions take as many seconds; with 0, nothing is patched."""
    if seconds <= 0:
        return
    starting(alb, "_create_lb", "_lbs", "provisioning", seconds)
    starting(ec2, "_create_nat_gateway", "_nat_gateways", "pending", seconds)
    starting(ec2, "_create_vpc_endpoint", "_vpc_endpoints", "pending", seconds)
    draining = Draining(alb, seconds)
    targets(alb, draining)
    tasks(ecs, alb, draining)
    services(ecs)
    clusters(ecs)

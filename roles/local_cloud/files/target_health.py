# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of the emulator: health checks of targets, and what ECS does with a task that fails them.

AWS checks each target at the interval of its target group, and counts: a new target is ``initial`` until its first
check passes, or until as many have failed as make it ``unhealthy``. ECS completes a deployment when its tasks are
healthy, and after the grace period replaces those that are not.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-healthcheck.html
"""

from __future__ import annotations

import functools
import http.client
import itertools
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from emulator_patches import groups_of_task, in_grace_period, replace_task, service_of, up_seconds, wrap

Json = dict[str, Any]
# Target group, address and port.
Key = tuple[str, str, int]

# A new target is asked this often, so that nobody waits an interval for a program that starts in a second. Failures
# are counted once an interval all the same.
EAGER_SECONDS = 0.5
# How often a task's health is read.
TASK_SECONDS = 0.5
# ECS does not notice an unhealthy target at once.
NOTICE_SECONDS = 5


@dataclass(frozen=True)
class Health:
    """State of one target. `successes` and `failures` are the last checks in a row."""

    state: str = "initial"
    reason: str = "Elb.RegistrationInProgress"
    description: str = "Target registration is in progress"
    successes: int = 0
    failures: int = 0
    unhealthy_since: float = 0.0


@dataclass(frozen=True)
class Failure:
    """A failed check, in AWS's words."""

    reason: str
    description: str


UNCHECKED = Health("unavailable", "Target.HealthCheckDisabled", "Health checks are not enabled for this target group")


def after_check(health: Health, failure: Failure | None, group: Json) -> Health:
    """The health of a target after one more check."""
    if failure is None:
        passed = replace(health, successes=health.successes + 1, failures=0)
        needed = 1 if health.state == "initial" else int(group.get("HealthyThresholdCount") or 5)
        return Health("healthy", "", "", passed.successes) if passed.successes >= needed else passed
    failed = replace(health, successes=0, failures=health.failures + 1)
    if health.state == "unhealthy" or failed.failures >= int(group.get("UnhealthyThresholdCount") or 2):
        return replace(failed, state="unhealthy", reason=failure.reason, description=failure.description)
    if health.state == "initial":
        return replace(failed, reason="Elb.InitialHealthChecking", description="Initial health checks in progress")
    return failed


def check_port(target: Json, group: Json) -> int:
    """The port that health checks use: the target's own, unless the target group names one."""
    named = str(group.get("HealthCheckPort") or "traffic-port")
    return int(named) if named.isdigit() else int(target.get("Port") or group.get("Port") or 80)


def check(target: Json, group: Json) -> Failure | None:
    """Ask a target as its group's health check does; None when it passes."""
    address = (target["Id"], check_port(target, group))
    seconds = int(group.get("HealthCheckTimeoutSeconds") or 5)
    try:
        if group.get("HealthCheckProtocol") == "TCP":
            socket.create_connection(address, timeout=seconds).close()
            return None
        status = ask(address, group, seconds)
    except TimeoutError:
        return Failure("Target.Timeout", "Request timed out")
    except (OSError, http.client.HTTPException):
        return Failure("Target.FailedHealthChecks", "Health checks failed")
    expected = str((group.get("Matcher") or {}).get("HttpCode") or "200")
    if any(low <= status <= high for low, high in map(code_range, expected.split(","))):
        return None
    return Failure("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]")


def ask(address: tuple[str, int], group: Json, seconds: int) -> int:
    """The code that a target answers. A load balancer accepts any certificate."""
    connection: http.client.HTTPConnection
    if group.get("HealthCheckProtocol") == "HTTPS":
        accept_any = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection(*address, timeout=seconds, context=accept_any)
    else:
        connection = http.client.HTTPConnection(*address, timeout=seconds)
    try:
        connection.request("GET", group.get("HealthCheckPath") or "/", headers={"User-Agent": "ELB-HealthChecker/2.0"})
        return connection.getresponse().status
    finally:
        connection.close()


def code_range(text: str) -> tuple[int, int]:
    """``200-399`` or ``200`` as bounds."""
    low, __, high = text.strip().partition("-")
    return int(low), int(high or low)


class Checked:
    """One registered target: its health, and the end of its checks."""

    def __init__(self) -> None:
        self.health = Health()
        self.ended = threading.Event()

    def follow(self, find_group: Callable[[], Json | None], target: Json) -> None:
        """Check the target at the interval of its group until it is deregistered."""
        due = 0.0
        while not self.ended.is_set():
            group = find_group()
            if group is None:
                return
            failure = check(target, group)
            now = time.monotonic()
            if failure is None or now >= due or self.health.state != "initial":
                before, self.health = self.health, after_check(self.health, failure, group)
                if before.state != self.health.state:
                    self.health = replace(self.health, unhealthy_since=now)
                due = now + int(group.get("HealthCheckIntervalSeconds") or 30)
            self.ended.wait(EAGER_SECONDS if self.health.state == "initial" else max(0.0, due - time.monotonic()))


class Checks:
    """Health of all registered targets."""

    def __init__(self, alb: ModuleType) -> None:
        self.alb = alb
        self._lock = threading.Lock()
        self._targets: dict[Key, Checked] = {}

    def sync(self, arn: str) -> None:
        """Start checks of targets that were registered, end those of targets that are no longer."""
        from ministack.core.concurrency import spawn_background

        group = self.alb._tgs.get(arn)
        registered = {self.key(arn, target): target for target in self.alb._targets.get(arn) or ()} if group else {}
        with self._lock:
            for key in [key for key in self._targets if key[0] == arn and key not in registered]:
                self._targets.pop(key).ended.set()
            for key, target in registered.items():
                if key not in self._targets and (group or {}).get("TargetType") != "lambda":
                    checked = self._targets[key] = Checked()
                    find_group = functools.partial(self.alb._tgs.get, arn)
                    spawn_background(checked.follow, find_group, target, thread_name=f"check-{key[1]}")

    def key(self, arn: str, target: Json) -> Key:
        return arn, str(target["Id"]), int(target.get("Port") or self.alb._tgs[arn].get("Port") or 80)

    def health(self, arn: str, target: Json) -> Health:
        """The health of a target; of one that is not registered, or not yet, that of a new one."""
        if (self.alb._tgs.get(arn) or {}).get("TargetType") == "lambda":
            return UNCHECKED
        checked = self._targets.get(self.key(arn, target)) if arn in self.alb._tgs else None
        return checked.health if checked else Health()


def health_checks(alb: ModuleType) -> Checks:
    """Targets are checked, DescribeTargetHealth answers what was found, and requests go to healthy targets."""
    checks = Checks(alb)

    def synced(name: str, find_arn: Callable[..., str]) -> None:
        @wrap(alb, name)
        def change(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            response = original(*args, **kwargs)
            checks.sync(find_arn(*args))
            return response

    synced("set_targets_for_group", lambda arn, *_rest: str(arn))
    for action in ("_register_targets", "_deregister_targets", "_delete_tg"):
        synced(action, lambda params: str(alb._p(params, "TargetGroupArn")))

    @wrap(alb, "_describe_target_health")
    def describe(original: Callable[..., Any], params: Json) -> Any:
        group = alb._tgs.get(alb._p(params, "TargetGroupArn"))
        if group is None:
            return original(params)
        arn = group["TargetGroupArn"]
        requested = {target["Id"] for target in alb._parse_targets_param(params)}
        targets = [t for t in alb._targets.get(arn, []) if not requested or t["Id"] in requested]
        members = (member(target, group, checks.health(arn, target)) for target in targets)
        described = f"<TargetHealthDescriptions>{''.join(members)}</TargetHealthDescriptions>"
        return alb._xml(200, "DescribeTargetHealth", described)

    turns: dict[str, itertools.count[int]] = defaultdict(itertools.count)

    @wrap(alb, "_proxy_http_target")
    async def forward(original: Callable[..., Any], target: Json, group: Json, *args: Any) -> Any:
        """Healthy targets take turns, the default of AWS; where there is none, all do."""
        arn = group["TargetGroupArn"]
        registered = alb._targets.get(arn, [])
        healthy = [item for item in registered if checks.health(arn, item).state == "healthy"]
        in_turn = healthy or registered or [target]
        target = in_turn[next(turns[arn]) % len(in_turn)]
        response = await original(target, group, *args)
        # One that has just ended is healthy until its next check.
        for other in (item for item in registered if item is not target):
            if response[0] != 502 or b"connect error" not in (response[2] or b""):
                break
            response = await original(other, group, *args)
        return response

    return checks


def member(target: Json, group: Json, health: Health) -> str:
    """One target's health as the API writes it."""
    port = int(target.get("Port") or group.get("Port") or 80)
    detail = f"<Reason>{health.reason}</Reason>" if health.reason else ""
    detail += f"<Description>{health.description}</Description>" if health.description else ""
    return (
        f"<member><Target><Id>{target['Id']}</Id><Port>{port}</Port></Target>"
        f"<HealthCheckPort>{check_port(target, group)}</HealthCheckPort>"
        f"<TargetHealth><State>{health.state}</State>{detail}</TargetHealth></member>"
    )


class TaskTargets:
    """What the target groups of a task's service say of the task."""

    def __init__(self, ecs: ModuleType, checks: Checks) -> None:
        self.ecs = ecs
        self.checks = checks

    def health(self, task: Json) -> dict[str, Health]:
        """By target group."""
        address = self.ecs._task_ip(task)
        return {
            arn: self.checks.health(arn, {"Id": address, "Port": port})
            for arn, port in groups_of_task(self.ecs, task)
            if address and arn in self.checks.alb._tgs
        }

    def failing(self, task: Json) -> tuple[str, Health] | None:
        """The first target group whose checks the task fails, for so long that ECS knows."""
        latest = time.monotonic() - NOTICE_SECONDS
        found = self.health(task).items()
        return next(((arn, h) for arn, h in found if h.state == "unhealthy" and h.unhealthy_since < latest), None)

    def healthy(self, task: Json) -> bool:
        """Whether containers and targets of a task are healthy."""
        definition = self.ecs._task_defs.get(self.ecs._resolve_td_key(task["taskDefinitionArn"])) or {}
        checked = any(item.get("healthCheck") for item in definition.get("containerDefinitions") or ())
        if checked and task.get("healthStatus") != "HEALTHY":
            return False
        return all(health.state in ("healthy", "unavailable") for health in self.health(task).values())


def replace_unhealthy(ecs: ModuleType, checks: Checks) -> None:
    """A deployment completes when its tasks are healthy. ECS replaces unhealthy ones once the grace period is over."""
    targets = TaskTargets(ecs, checks)

    @wrap(ecs, "_record_service_task_healthy")
    def stable(original: Callable[..., None], key: str, task: Json) -> None:
        if targets.healthy(task):
            original(key, task)

    @wrap(ecs, "_maybe_mark_stopped")
    def judge(original: Callable[..., None], task: Json, client: Any = None) -> None:
        original(task, client)
        now = time.monotonic()
        if task.get("lastStatus") != "RUNNING" or now < task.get("_targets_due", 0):
            return
        task["_targets_due"] = now + TASK_SECONDS
        key, service = service_of(ecs, task)
        if not service or not ecs._task_is_active(task["taskArn"], task):
            return
        failing = targets.failing(task)
        if failing and not in_grace_period(task, service):
            arn, health = failing
            message = f"is unhealthy in (target-group {arn}) due to (reason {health.description})"
            event = {
                "id": ecs.new_uuid(),
                "createdAt": ecs._iso(),
                "message": f"(service {service['serviceName']}) {message}",
            }
            service["events"].insert(0, event)
            replace_task(ecs, task, client, f"Task failed ELB health checks in (target-group {arn})")
        elif not task.get("_startup_stable") and up_seconds(task) >= ecs._ECS_DEPLOYMENT_STEADY_DELAY:
            complete(ecs, key, task)


def complete(ecs: ModuleType, key: str, task: Json) -> None:
    """What the emulator does a moment after a task has started, and here again when the task becomes healthy."""
    cluster, name = key.split("/", 1)
    ecs._record_service_task_healthy(key, task)
    if task.get("_startup_stable"):
        ecs._refresh_service_state(cluster, f"service:{name}")
        ecs._reconcile_service_tasks(cluster, key)
        ecs._complete_service_deployment(cluster, key)

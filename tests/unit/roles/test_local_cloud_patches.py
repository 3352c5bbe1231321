# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patches of the emulator that decide by themselves: health of targets, limits of tasks. And that they are needed."""

from __future__ import annotations

import inspect
import sys
import threading
import time
import typing as t
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import alb, ecs

Json = dict[str, t.Any]
FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"


@pytest.fixture(scope="module")
def target_health() -> Iterator[t.Any]:
    """The patch as the local cloud imports it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FILES))
        import target_health  # type: ignore[import-not-found]

        yield target_health
    for name in ("target_health", "emulator_patches"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def task_limits() -> Iterator[t.Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FILES))
        import task_limits  # type: ignore[import-not-found]

        yield task_limits
    for name in ("task_limits", "emulator_patches"):
        sys.modules.pop(name, None)


# Inspections


def test_a_task_is_inspected_twice_a_second_and_whenever_it_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    inspected: list[t.Any] = []
    emulator = SimpleNamespace(_maybe_mark_stopped=lambda _task, client=None: inspected.append(client))
    monkeypatch.syspath_prepend(str(FILES))
    import emulator_patches  # type: ignore[import-not-found]

    emulator_patches.inspections(emulator)
    task: Json = {}
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        emulator._maybe_mark_stopped(task, "engine")
        time.sleep(0.01)
    assert 2 <= len(inspected) <= 3
    for _time in range(5):
        emulator._maybe_mark_stopped(task)
    assert inspected.count(None) == 5
    sys.modules.pop("emulator_patches", None)


# Health of targets

GROUP = {"HealthyThresholdCount": 3, "UnhealthyThresholdCount": 2, "HealthCheckTimeoutSeconds": 1}


def states(target_health: t.Any, checks: str) -> list[str]:
    """The states of a new target after each check: `p` passes, `f` fails."""
    health, found = target_health.Health(), []
    for letter in checks:
        failure = None if letter == "p" else target_health.Failure("Target.Timeout", "Request timed out")
        health = target_health.after_check(health, failure, GROUP)
        found.append(health.state)
    return found


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ("p", "healthy"),
        ("f", "initial"),
        ("fp", "healthy"),
        ("ff", "unhealthy"),
        ("pf", "healthy"),
        ("pff", "unhealthy"),
        ("pfpf", "healthy"),
        ("ffpp", "unhealthy"),
        ("ffppfpp", "unhealthy"),
        ("ffppp", "healthy"),
    ],
)
def test_a_target_changes_its_state_after_the_checks_of_its_group(
    target_health: t.Any, checks: str, expected: str
) -> None:
    assert states(target_health, checks)[-1] == expected


def test_a_target_has_a_reason_for_not_being_healthy(target_health: t.Any) -> None:
    failure = target_health.Failure("Target.Timeout", "Request timed out")
    new = target_health.Health()
    once = target_health.after_check(new, failure, GROUP)
    twice = target_health.after_check(once, failure, GROUP)
    assert [health.reason for health in (new, once, twice)] == [
        "Elb.RegistrationInProgress",
        "Elb.InitialHealthChecking",
        "Target.Timeout",
    ]
    assert twice.description == "Request timed out"


@pytest.fixture
def server() -> Iterator[int]:
    """Answers 404 to /missing, never to /slow, 200 to anything else; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/slow":
                time.sleep(1.5)
            self.send_response(404 if self.path == "/missing" else 200)
            self.end_headers()

        def log_message(self, *_args: t.Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("settings", "reason", "description"),
    [
        ({"HealthCheckPath": "/"}, "", ""),
        ({"HealthCheckPath": "/missing", "Matcher": {"HttpCode": "200,400-404"}}, "", ""),
        (
            {"HealthCheckPath": "/missing"},
            "Target.ResponseCodeMismatch",
            "Health checks failed with these codes: [404]",
        ),
        ({"HealthCheckPath": "/slow"}, "Target.Timeout", "Request timed out"),
        ({"HealthCheckPort": "1"}, "Target.FailedHealthChecks", "Health checks failed"),
        ({"HealthCheckProtocol": "TCP", "HealthCheckPath": "/missing"}, "", ""),
    ],
)
def test_a_failed_check_has_the_message_of_aws(
    target_health: t.Any, server: int, settings: Json, reason: str, description: str
) -> None:
    failure = target_health.check({"Id": "127.0.0.1", "Port": server}, {**GROUP, **settings})
    assert ((failure.reason, failure.description) if failure else ("", "")) == (reason, description)


# Limits of tasks

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("task", "container", "expected"),
    [
        ({}, {}, {}),
        ({"memory": "512"}, {}, {"mem_limit": 512 * MIB, "memswap_limit": 512 * MIB}),
        ({"memory": "1 GB"}, {}, {"mem_limit": 1024 * MIB, "memswap_limit": 1024 * MIB}),
        ({"memory": "512"}, {"memory": 64}, {"mem_limit": 64 * MIB, "memswap_limit": 64 * MIB}),
        ({}, {"memoryReservation": 32}, {"mem_reservation": 32 * MIB}),
        ({"cpu": "256"}, {"cpu": 128}, {"nano_cpus": 250_000_000, "cpu_shares": 128}),
        ({"cpu": ".5 vCPU"}, {}, {"nano_cpus": 500_000_000}),
        ({"cpu": "8192"}, {}, {"nano_cpus": 2_000_000_000}),
    ],
)
def test_a_container_gets_what_it_and_its_task_may_use(
    task_limits: t.Any, task: Json, container: Json, expected: Json
) -> None:
    assert task_limits.limits({"name": "web", **container}, task, {}, 2) == expected


def test_overrides_of_a_task_change_its_limits(task_limits: t.Any) -> None:
    overrides = {"memory": "256", "containerOverrides": [{"name": "web", "memory": 128}, {"name": "db", "memory": 64}]}
    options = task_limits.limits({"name": "web", "memory": 32}, {"memory": "512"}, overrides, 2)
    assert options["mem_limit"] == 128 * MIB


# What the emulator lacks: a test that fails here means that its patch has to go.


def test_memory_and_cpu_do_not_reach_docker() -> None:
    container = {"name": "web", "image": "web", "cpu": 128, "memory": 64, "memoryReservation": 32}
    definition = {"networkMode": "awsvpc", "cpu": "256", "memory": "512", "containerDefinitions": [container]}
    with request_scope("000000000000", "eu-central-1"):
        options = ecs._build_run_kwargs(container, definition, {}, {}, None, False, "0" * 16, "arn", None, "arn")
    assert not {"mem_limit", "mem_reservation", "nano_cpus", "cpu_shares", "cgroup_parent"} & set(options)


def test_a_container_that_used_up_its_memory_has_no_reason() -> None:
    assert "OOMKilled" not in inspect.getsource(ecs)


def test_targets_are_not_checked() -> None:
    source = inspect.getsource(alb)
    assert "Target.ResponseCodeMismatch" not in source
    assert "Elb.InitialHealthChecking" not in source


def test_a_task_that_fails_health_checks_of_its_target_is_not_replaced() -> None:
    assert "ELB health checks" not in inspect.getsource(ecs)
    assert "healthCheckGracePeriodSeconds" not in inspect.getsource(ecs._maybe_mark_stopped)


def test_a_deployment_is_complete_before_its_targets_are_healthy() -> None:
    assert "healthy" not in inspect.getsource(ecs._complete_service_deployment).lower()


# Conditions of rules


@pytest.fixture
def matches(monkeypatch: pytest.MonkeyPatch) -> Iterator[t.Callable[..., bool]]:
    """`matches(condition, path=…, host=…, query=…)`, as the local cloud decides it."""
    monkeypatch.syspath_prepend(str(FILES))
    import load_balancer_members  # type: ignore[import-not-found]

    emulator = SimpleNamespace(
        **{name: getattr(alb, name) for name in ("_parse_conditions", "_condition_xml", "_match_condition")},
        _CONDITION_VALUE_KEYS=alb._CONDITION_VALUE_KEYS,
    )
    load_balancer_members.conditions(emulator)

    def match(condition: Json, path: str = "/", host: str = "a", query: Json | None = None, **headers: str) -> bool:
        return bool(emulator._match_condition(condition, "GET", path, {"host": host, **headers}, query or {}))

    yield match
    for name in ("load_balancer_members", "emulator_patches", "request_parser"):
        sys.modules.pop(name, None)


def test_regular_expressions_decide_where_requests_go(matches: t.Callable[..., bool]) -> None:
    path = {"Field": "path-pattern", "Values": [], "PathPatternConfig": {"RegexValues": ["^/v[0-9]+/"]}}
    assert matches(path, path="/v2/shop")
    assert not matches(path, path="/shop")
    host = {"Field": "host-header", "Values": [], "RegexValues": ["^shop[.]"]}
    assert matches(host, host="SHOP.example.com:8080")
    assert not matches(host, host="api.example.com")
    header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Team", "RegexValues": ["^web$"]}}
    assert matches(header, **{"x-team": "web"})
    assert not matches(header, **{"x-team": "webs"})
    assert not matches(header)


def test_query_strings_decide_where_requests_go(matches: t.Callable[..., bool]) -> None:
    values = [{"Key": "beta", "Value": "1"}, {"Value": "NEW*"}]
    condition = {"Field": "query-string", "Values": [], "QueryStringConfig": {"Values": values}}
    assert matches(condition, query={"beta": ["1"]})
    assert matches(condition, query={"any": ["newest"]})
    assert not matches(condition, query={"beta": ["2"], "a": ["1"]})
    assert not matches(condition)

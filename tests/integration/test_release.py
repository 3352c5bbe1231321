# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases of many services with real containers, which say themselves what runs afterwards."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests.integration.conftest import QUICK, Json, Services, fails
from ansible_collections.slipway.aws.tests.integration.processes import Playbook
from ansible_collections.slipway.aws.tests.integration.throttling import Throttling

# The pause gives the log time to arrive.
BROKEN = ["sh", "-c", "echo connecting; echo no such table: orders; sleep 0.3; exit 3"]
BREAKER = {"enable": True, "rollback": False, "thresholdConfiguration": {"type": "COUNT", "value": 2}}
BREAKER_ON = {"deployment_configuration": {"deploymentCircuitBreaker": BREAKER}}
FIVE = ["basket", "stock", "orders", "search", "web"]
TEN = [f"s{number}" for number in range(10)]
THROTTLED_FOR = 30.0

Start = t.Callable[..., Playbook]


@pytest.fixture
def start(services: Services, tmp_path: Path) -> t.Iterator[Start]:
    """`start(service, …)` runs a playbook that releases them; nothing of it outlives the test."""
    started: list[Playbook] = []

    def run(*items: Json) -> Playbook:
        started.append(Playbook(tmp_path, "ecs_release", **services.options(*items)))
        return started[-1]

    yield run
    for playbook in started:
        playbook.kill()


def of_version(services: Services, version: str, names: t.Iterable[str]) -> list[Json]:
    return [services.service(name, version) for name in names]


def all_run(version: str, names: t.Iterable[str]) -> dict[str, str]:
    return dict.fromkeys(names, version)


def states(result: Json) -> dict[str, str]:
    return {name: service["state"] for name, service in result["services"].items()}


def test_one_of_five_fails_and_all_are_rolled_back_or_are_kept(services: Services) -> None:
    others = [name for name in FIVE if name != "orders"]
    made = services.release(*of_version(services, "v1", FIVE))
    assert set(states(made).values()) == {"created"}, made
    before = {name: services.described(name)["taskDefinition"] for name in FIVE}
    assert services.running(*FIVE) == all_run("v1", FIVE)
    assert not services.with_checkpoint(*FIVE)

    broken = [services.service(name, "v2", *(BROKEN if name == "orders" else ())) for name in FIVE]
    result = services.release(*broken)
    fails(
        result,
        "tasks_failing",
        "The release failed: orders of 5 services. Rolled back: ",
        "Service orders: ",
        "Container web: exit code 3",
        "    | connecting",
        "    | no such table: orders",
    )
    assert result["failed_services"] == ["orders"]
    assert set(states(result).values()) == {"rolled_back"}
    assert services.running(*FIVE) == all_run("v1", FIVE)
    assert {name: services.described(name)["taskDefinition"] for name in FIVE} == before
    assert not services.with_checkpoint(*FIVE)

    result = services.release(*broken, on_failure="keep")
    fails(result, "tasks_failing", "Kept as released: basket, stock, search, web.", "exit code 3")
    assert states(result) == {**dict.fromkeys(others, "updated"), "orders": "failed"}
    assert services.running(*others) == all_run("v2", others)
    assert not services.with_checkpoint(*FIVE)


def test_a_service_comes_after_another_and_a_new_one_goes_with_a_failed_release(services: Services) -> None:
    assert services.release(services.service("stock", "v1")).get("changed")
    result = services.release(
        services.service("stock", "v2"),
        services.service("orders", "v2", after=["stock"]),
        services.service("search", "v2", *BROKEN, after=["stock"]),
        services.service("web", "v2", after=["search"]),
    )
    fate = "Rolled back: stock. Deleted, because the release created them: orders, search."
    fails(result, "tasks_failing", f"The release failed: search of 4 services. {fate}", "exit code 3")
    back = dict.fromkeys(["stock", "orders", "search"], "rolled_back")
    assert states(result) == {**back, "web": "not_started"}
    stock = said(result, "stock", "done in")
    assert stock < said(result, "orders", "created, runs"), result["progress"]
    assert stock < said(result, "search", "created, runs"), result["progress"]
    assert services.running("stock") == all_run("v1", ["stock"])
    assert not [name for name in ("orders", "search", "web") if services.described(name)]


def said(result: Json, name: str, text: str) -> int:
    """The place of the first line on a service that says so."""
    lines = [line.split("  ", 2)[1:] for line in result["progress"]]
    return next(n for n, line in enumerate(lines) if line[0] == name and text in line[-1])


def test_a_killed_release_is_completed_by_the_same_command(services: Services, start: Start) -> None:
    assert services.release(*of_version(services, "v1", TEN)).get("changed")
    # The second half waits for the first, so that the run is killed with some in progress and some untouched.
    wanted = [services.service(name, "v2", after=TEN[:5] if name in TEN[5:] else []) for name in TEN]
    first = start(*wanted)
    first.await_line("started")
    first.kill()
    with_checkpoint = services.with_checkpoint(*TEN)
    assert with_checkpoint, first.describe()
    assert set(with_checkpoint) <= set(TEN[:5]), first.describe()

    again = start(*wanted)
    assert again.end() == 0, again.output
    assert re.search(rf"Resumes release \w+ of \S+, started \S+ \({len(with_checkpoint)} services?\)", again.output), (
        again.output
    )
    assert services.running(*TEN) == all_run("v2", TEN)
    assert not services.with_checkpoint(*TEN)
    assert not services.release(*wanted)["changed"]


def test_a_killed_release_that_fails_later_is_rolled_back_as_a_whole(services: Services, start: Start) -> None:
    assert services.release(*of_version(services, "v1", ["stock", "web"])).get("changed")
    wanted = [
        services.service("stock", "v2"),
        services.service("orders", "v2"),
        services.service("web", "v2", *BROKEN, after=["stock", "orders"], **BREAKER_ON),
    ]
    first = start(*wanted)
    first.await_line("web:2, started")
    first.kill()
    assert services.running("stock", "orders") == all_run("v2", ["stock", "orders"])
    assert services.with_checkpoint("stock", "orders", "web") == ["stock", "orders", "web"]

    result = services.release(*wanted)
    # Either ECS fails the deployment first, or tasks keep failing: the killed run has waited for a while.
    assert result.get("code") in ("deployment_failed", "tasks_failing"), result
    fails(result, result["code"], "Rolled back: stock, web. Deleted, because", "exit code 3")
    assert services.running("stock", "web") == all_run("v1", ["stock", "web"])
    assert not services.described("orders"), "there was none before"
    assert not services.with_checkpoint("stock", "web")


def test_an_interrupted_release_says_where_it_stands_and_is_rolled_back(services: Services, start: Start) -> None:
    names = ["stock", "web"]
    assert services.release(*of_version(services, "v1", names)).get("changed")
    first = start(services.service("stock", "v2"), services.service("web", "v2", after=["stock"]))
    first.await_line("started")
    first.interrupt()
    assert first.process.returncode, first.output
    assert "In progress: stock (" in first.output
    assert "run the playbook slipway.aws.rollback" in first.output
    assert services.with_checkpoint(*names) == ["stock"]

    result = services.release(rollback=True)
    assert states(result) == {"stock": "rolled_back"}
    assert services.running(*names) == all_run("v1", names)
    assert not services.with_checkpoint(*names)
    assert not services.release(rollback=True)["changed"]


def test_a_throttled_release_ends_right(services: Services, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing runs yet, so that all of them change their count, too.
    assert services.release(*(services.service(name, "v1", desired_count=0) for name in FIVE)).get("changed")
    with Throttling(endpoint, THROTTLED_FOR) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        result = services.release(*(services.service(name, "v2", desired_count=1) for name in FIVE))
    print(f"{proxy.refused} calls refused", *result["progress"], sep="\n")
    assert states(result) == dict.fromkeys(FIVE, "updated"), result
    assert proxy.refused > 5
    lines = " ".join([*result["progress"], result.get("msg", "")])
    assert not [word for word in ("Throttling", "Rate exceeded", "fail") if word in lines]
    assert services.running(*FIVE) == all_run("v2", FIVE)
    assert not services.with_checkpoint(*FIVE)


class Checked:
    """A service behind a target group whose health check path is a setting of the release."""

    def __init__(self, services: Services, group: str) -> None:
        self.services = services
        self.group = group
        self.elbv2 = boto3.client("elbv2")

    def release(self, version: str, path: str) -> Json:
        balancer = {"targetGroupArn": self.group, "containerName": "web", "containerPort": 8080}
        service = self.services.service("web", version, load_balancers=[balancer])
        service["task_definition"]["container_definitions"][0]["portMappings"] = [{"containerPort": 8080}]
        settings = {self.group: {"health_check_path": path}}
        return self.services.release(service, target_groups=settings, wait_timeout=600)

    def is_rolled_back(self, version: str) -> None:
        """With a path that the program does not know, all is as before."""
        failed = self.release(version, "/health")
        fails(failed, "health_check_failing", "expected 200, got 404", "Rolled back: web.")
        (group,) = self.elbv2.describe_target_groups(TargetGroupArns=[self.group])["TargetGroups"]
        assert group["HealthCheckPath"] == "/ready"
        assert (self.services.running("web"), self.services.with_checkpoint("web")) == ({"web": "v1"}, [])
        assert not self.release("v1", "/ready")["changed"]


@pytest.fixture
def checked(services: Services, target_group: t.Callable[..., str]) -> Checked:
    checked = Checked(services, target_group("/ready", **QUICK))
    assert checked.release("v1", "/ready")["changed"]
    return checked


def test_a_wrong_health_check_path_is_rolled_back_with_its_service(checked: Checked) -> None:
    checked.is_rolled_back("v2")


@pytest.mark.slow
def test_a_wrong_health_check_path_alone_is_rolled_back(checked: Checked) -> None:
    """The tasks that run already are checked with it."""
    checked.is_rolled_back("v1")

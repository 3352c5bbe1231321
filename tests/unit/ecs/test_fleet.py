# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services brought to their goals side by side, on a clock that does not wait."""

from __future__ import annotations

import re
import typing as t
from concurrent.futures import Executor, Future

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.progress import Progress
from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import Clock
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.rollouts import Fleet, Ship
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.judge import Watch, goal_of
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.observe import Cloud, Observer
from ansible_collections.slipway.aws.tests.unit.ecs.recorded import (
    Json,
    deployment,
    service,
    service_deployment,
    stopped,
)

NEVER = float("inf")


class AtOnce(Executor):
    """Does what is submitted before it returns."""

    def submit(self, call: t.Callable[..., t.Any], /, *args: t.Any, **kwargs: t.Any) -> Future[t.Any]:
        future: Future[t.Any] = Future()
        try:
            future.set_result(call(*args, **kwargs))
        except SlipwayError as error:
            future.set_exception(error)
        return future


class Harbour:
    """Services whose rollouts end so many seconds after their start, well or badly; and the fleet that brings them."""

    def __init__(self) -> None:
        self.time = 0.0
        self.started: dict[str, float] = {}
        self.ends: dict[str, tuple[float, str]] = {}
        self.gone: set[str] = set()
        self.batches: list[int] = []
        self.tasks: list[Json] = []
        self.progress = Progress(None, self.clock)
        self.fleet = Fleet(Cloud(lambda _service, _region="": self), "shop", AtOnce(), self.progress, 60, self.clock)

    @property
    def clock(self) -> Clock:
        def sleep(seconds: float) -> None:
            self.time += seconds

        return Clock(lambda: self.time, sleep)

    def ship(self, name: str, *after: str, seconds: float = 5, status: str = "SUCCESSFUL") -> Ship:
        self.ends[name] = seconds, status
        goal = goal_of(service(), fresh=True, service_deployment=name)
        observer = Observer(self.fleet.cloud, "shop", name, Watch(goal))
        return Ship(name, observer, lambda: self._start(name), frozenset(after))

    def run(self, *ships: Ship, halt: bool = False) -> str:
        self.fleet.run(ships, halt=halt)
        return " ".join(ship.state for ship in ships)

    @property
    def lines(self) -> list[str]:
        return [line[10:] for line in self.progress.lines]

    def _start(self, name: str) -> Json:
        self.started[name] = self.time
        return self._service(name)

    def _status(self, name: str) -> str:
        seconds, status = self.ends[name]
        return status if self.time >= self.started[name] + seconds else "IN_PROGRESS"

    def _service(self, name: str) -> Json:
        over = self._status(name) != "IN_PROGRESS"
        own = deployment(1, rolloutState="COMPLETED" if over else "IN_PROGRESS", runningCount=2 if over else 0)
        return service(own, serviceName=name, serviceArn=f"arn/{name}")

    # The client of ECS

    def describe_services(self, services: list[str], **_request: t.Any) -> Json:
        self.batches.append(len(services))
        missing = [{"arn": name, "reason": "MISSING"} for name in services if name in self.gone]
        return {"services": [self._service(name) for name in services if name not in self.gone], "failures": missing}

    def describe_service_deployments(self, serviceDeploymentArns: list[str]) -> Json:  # noqa: N803
        return {
            "serviceDeployments": [
                service_deployment(self._status(name), serviceDeploymentArn=name, lifecycleStage="")
                for name in serviceDeploymentArns
            ]
        }

    def get_paginator(self, _operation: str) -> Harbour:
        return self

    def paginate(self, **_request: str) -> list[Json]:
        return [{"taskArns": [task["taskArn"] for task in self.tasks]}]

    def describe_tasks(self, **_request: t.Any) -> Json:
        return {"tasks": self.tasks}

    def describe_task_definition(self, **_request: t.Any) -> Json:
        return {"taskDefinition": {"containerDefinitions": []}}


@pytest.fixture
def harbour() -> Harbour:
    return Harbour()


def test_those_without_an_order_go_side_by_side(harbour: Harbour) -> None:
    ships = [harbour.ship(f"s{number:02}", seconds=number) for number in range(25)]
    assert set(harbour.run(*ships).split()) == {"arrived"}
    assert set(harbour.started.values()) == {0.0}
    assert 24 <= harbour.time <= 26, "noticed within two seconds"
    assert harbour.batches[:3] == [10, 10, 5], "ten in a call"
    assert sorted(line.split()[0] for line in harbour.lines) == [ship.name for ship in ships]


def test_what_comes_after_another_is_started_when_that_has_arrived(harbour: Harbour) -> None:
    web, stock, db = harbour.ship("web", "stock", "db"), harbour.ship("stock", "db"), harbour.ship("db")
    assert harbour.run(web, stock, db) == "arrived arrived arrived"
    started = harbour.started
    assert started["db"] + 5 <= started["stock"] <= started["db"] + 7
    assert started["stock"] + 5 <= started["web"]
    assert (db.seconds, stock.seconds) == (started["stock"], started["web"] - started["stock"])


def test_a_predecessor_that_is_there_already_is_not_waited_for(harbour: Harbour) -> None:
    assert harbour.run(harbour.ship("web", "stock")) == "arrived"


def test_halt_starts_no_more_and_leaves_the_others_on_their_way(harbour: Harbour) -> None:
    bad = harbour.ship("bad", seconds=3, status="ROLLBACK_SUCCESSFUL")
    ships = [bad, harbour.ship("quick", seconds=1), harbour.ship("slow", seconds=50), harbour.ship("late", "slow")]
    assert harbour.run(*ships, halt=True) == "failed arrived watched waiting"
    assert [ship.under_way for ship in ships] == [False, False, True, False]
    assert "late" not in harbour.started
    assert harbour.time < 5
    assert bad.error is not None
    assert bad.error.code == "rolled_back"
    assert bad.error.msg.startswith("Service bad: AWS took the service back to what ran before.")


def test_without_halt_all_go_on_but_those_after_the_one_that_failed(harbour: Harbour) -> None:
    ships = [
        harbour.ship("bad", seconds=3, status="STOPPED"),
        harbour.ship("slow", seconds=50),
        harbour.ship("after", "bad"),
        harbour.ship("last", "after"),
    ]
    assert harbour.run(*ships) == "failed arrived waiting waiting"


@pytest.mark.parametrize(("halt", "others"), [(True, "watched"), (False, "arrived")])
def test_a_start_that_fails_is_told_with_the_name(harbour: Harbour, halt: bool, others: str) -> None:
    def refuse() -> Json:
        raise SlipwayError("refused", "No such subnet.", {"error_code": "X"})

    bad = harbour.ship("bad")
    bad.start = refuse
    assert harbour.run(harbour.ship("good"), bad, halt=halt) == f"{others} failed"
    assert bad.error is not None
    assert bad.error.result() == {"code": "refused", "msg": "Service bad: No such subnet.", "error_code": "X"}
    assert "bad   failed. No such subnet." in harbour.lines


def test_a_start_that_leaves_nothing_to_watch_has_arrived(harbour: Harbour) -> None:
    gone = harbour.ship("gone")
    gone.start = lambda: None
    assert harbour.run(gone, harbour.ship("web", "gone")) == "arrived arrived"


def test_each_has_its_own_time(harbour: Harbour) -> None:
    first, slow = harbour.ship("first", seconds=40), harbour.ship("slow", "first", seconds=NEVER)
    assert harbour.run(first, slow) == "arrived failed"
    assert 100 <= harbour.time <= 104
    assert slow.error is not None
    assert slow.error.code == "timeout"
    assert "Waited 60 s. Last seen: 0/2 running" in slow.error.msg


def test_a_service_that_is_deleted_meanwhile_has_failed(harbour: Harbour) -> None:
    web = harbour.ship("web")
    harbour.gone.add("web")
    assert harbour.run(web) == "failed"
    assert web.error is not None
    assert web.error.code == "service_gone"


def test_a_line_is_said_when_the_state_changes_and_every_half_minute(harbour: Harbour) -> None:
    harbour.fleet.timeout = 200
    ships = [harbour.ship(name, seconds=100) for name in ("a", "b", "c", "d", "e")]
    harbour.run(*ships, harbour.ship("done", seconds=0))
    assert harbour.lines[0] == "done  done in 0 s, 2/2 running"
    assert (
        harbour.lines[1:4] == ["Still at it: 1 of 6 done. a 0/2 running; b 0/2 running; c 0/2 running and 2 more"] * 3
    )
    assert [re.sub(r"\d+ s", "N s", line) for line in harbour.lines[4:]] == [
        f"{ship.name}     done in N s, 2/2 running" for ship in ships
    ]


def test_the_reason_of_a_failed_task_is_said_while_the_rollout_goes_on(harbour: Harbour) -> None:
    harbour.tasks = [stopped("f1", stoppedReason="Out of memory")]
    harbour.run(harbour.ship("web", seconds=30))
    assert harbour.lines[0] == "web  0/2 running, 1 failed: Out of memory"
    assert len(harbour.lines) == 2

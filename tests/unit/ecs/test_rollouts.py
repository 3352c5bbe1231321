# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services rolled out side by side, on a clock that does not wait."""

from __future__ import annotations

import re
import typing as t
from concurrent.futures import Executor, Future

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.progress import Progress
from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import Clock
from ansible_collections.slipway.aws.plugins.module_utils._ecs.cloud import Cloud
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.rollouts import (
    MonitoredRollout,
    NotMonitored,
    RolloutGroup,
)
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.deployments import deployment_of
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.judge import RolloutJudge
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.observe import RolloutReader
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


class Cluster:
    """Services whose rollouts end so many seconds after their start, well or badly; and the group that runs them."""

    def __init__(self) -> None:
        self.time = 0.0
        self.started: dict[str, float] = {}
        self.ends: dict[str, tuple[float, str]] = {}
        self.deleted: set[str] = set()
        self.batches: list[int] = []
        self.tasks: list[Json] = []
        self.visible_at = 0.0
        # Hooks by service, and when each was continued.
        self.paused: dict[str, list[str]] = {}
        self.continued: list[tuple[float, str, str, str]] = []
        self.may_continue = True
        self.progress = Progress(None, self.clock)
        self.group = RolloutGroup(
            Cloud(lambda _service, _region="": self), "shop", AtOnce(), self.progress, 60, self.clock
        )

    @property
    def clock(self) -> Clock:
        def sleep(seconds: float) -> None:
            self.time += seconds

        return Clock(lambda: self.time, sleep)

    def rollout(self, name: str, *after: str, seconds: float = 5, status: str = "SUCCESSFUL") -> MonitoredRollout:
        self.ends[name] = seconds, status
        tracked = deployment_of(service(), fresh=True, service_deployment=name)
        reader = RolloutReader(self.group.cloud, "shop", name, RolloutJudge(tracked))
        return MonitoredRollout(name=name, reader=reader, start=lambda: self._start(name), after=frozenset(after))

    def run(self, *rollouts: MonitoredRollout, halt: bool = False) -> str:
        self.group.run(rollouts, halt=halt)
        return " ".join(rollout.state for rollout in rollouts)

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
        absent = set(services) if self.time < self.visible_at else self.deleted
        missing = [{"arn": name, "reason": "MISSING"} for name in services if name in absent]
        return {"services": [self._service(name) for name in services if name not in absent], "failures": missing}

    def describe_service_deployments(self, serviceDeploymentArns: list[str]) -> Json:  # noqa: N803
        return {
            "serviceDeployments": [
                service_deployment(self._status(name), serviceDeploymentArn=name, **self._stage(name))
                for name in serviceDeploymentArns
            ]
        }

    def _stage(self, name: str) -> Json:
        hooks = [
            {"hookId": hook, "targetType": "PAUSE", "status": "AWAITING_ACTION"} for hook in self.paused.get(name, ())
        ]
        return (
            {"lifecycleStage": "POST_TEST_TRAFFIC_SHIFT", "lifecycleHookDetails": hooks}
            if hooks
            else {"lifecycleStage": ""}
        )

    def continue_service_deployment(self, serviceDeploymentArn: str, hookId: str, action: str) -> None:  # noqa: N803
        if not self.may_continue:
            raise SlipwayError("access_denied", "AWS answered ContinueServiceDeployment with AccessDeniedException.")
        self.continued.append((self.time, serviceDeploymentArn, hookId, action))
        self.paused[serviceDeploymentArn].remove(hookId)

    def get_paginator(self, _operation: str) -> Cluster:
        return self

    def paginate(self, **_request: str) -> list[Json]:
        return [{"taskArns": [task["taskArn"] for task in self.tasks]}]

    def describe_tasks(self, **_request: t.Any) -> Json:
        return {"tasks": self.tasks}

    def describe_task_definition(self, **_request: t.Any) -> Json:
        return {"taskDefinition": {"containerDefinitions": []}}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


def test_those_without_an_order_go_side_by_side(cluster: Cluster) -> None:
    rollouts = [cluster.rollout(f"s{number:02}", seconds=number) for number in range(25)]
    assert set(cluster.run(*rollouts).split()) == {"stable"}
    assert set(cluster.started.values()) == {0.0}
    assert 24 <= cluster.time <= 26, "noticed within two seconds"
    assert cluster.batches[:3] == [10, 10, 5], "ten in a call"
    assert sorted(line.split()[0] for line in cluster.lines) == [rollout.name for rollout in rollouts]


def test_what_comes_after_another_is_started_when_that_is_stable(cluster: Cluster) -> None:
    web, stock, db = cluster.rollout("web", "stock", "db"), cluster.rollout("stock", "db"), cluster.rollout("db")
    assert cluster.run(web, stock, db) == "stable stable stable"
    started = cluster.started
    assert started["db"] + 5 <= started["stock"] <= started["db"] + 7
    assert started["stock"] + 5 <= started["web"]
    assert (db.seconds, stock.seconds) == (started["stock"], started["web"] - started["stock"])


def test_a_predecessor_that_exists_already_is_not_waited_for(cluster: Cluster) -> None:
    assert cluster.run(cluster.rollout("web", "stock")) == "stable"


def test_halt_starts_no_more_and_leaves_the_others_in_progress(cluster: Cluster) -> None:
    bad = cluster.rollout("bad", seconds=3, status="ROLLBACK_SUCCESSFUL")
    rollouts = [
        bad,
        cluster.rollout("quick", seconds=1),
        cluster.rollout("slow", seconds=50),
        cluster.rollout("late", "slow"),
    ]
    assert cluster.run(*rollouts, halt=True) == "failed stable monitored waiting"
    assert [rollout.in_progress for rollout in rollouts] == [False, False, True, False]
    assert "late" not in cluster.started
    assert cluster.time < 5
    assert bad.error is not None
    assert bad.error.code == "rolled_back"
    assert bad.error.msg.startswith("Service bad: ECS rolled the service back to the previous deployment.")


def test_without_halt_all_continue_but_those_after_the_one_that_failed(cluster: Cluster) -> None:
    rollouts = [
        cluster.rollout("bad", seconds=3, status="STOPPED"),
        cluster.rollout("slow", seconds=50),
        cluster.rollout("after", "bad"),
        cluster.rollout("last", "after"),
    ]
    assert cluster.run(*rollouts) == "failed stable waiting waiting"


@pytest.mark.parametrize(("halt", "others"), [(True, "monitored"), (False, "stable")])
def test_a_start_that_fails_is_reported_with_the_name(cluster: Cluster, halt: bool, others: str) -> None:
    def refuse() -> Json:
        raise SlipwayError("refused", "No such subnet.", {"error_code": "X"})

    bad = cluster.rollout("bad")
    bad.start = refuse
    assert cluster.run(cluster.rollout("good"), bad, halt=halt) == f"{others} failed"
    assert bad.error is not None
    assert bad.error.result() == {"code": "refused", "msg": "Service bad: No such subnet.", "error_code": "X"}
    assert "bad   failed. No such subnet." in cluster.lines


def test_expired_credentials_leave_nothing_to_roll_back_with(cluster: Cluster) -> None:
    def refuse() -> Json:
        raise SlipwayError("no_credentials", "The token has expired.")

    bad = cluster.rollout("bad")
    bad.start = refuse
    with pytest.raises(NotMonitored) as stopped_by:
        cluster.run(cluster.rollout("good"), bad, halt=True)
    assert stopped_by.value.cause is bad.error
    assert cluster.run(bad) == "failed"


def test_a_rollback_waits_for_no_approval(cluster: Cluster) -> None:
    back, other = cluster.rollout("back", seconds=9), cluster.rollout("other", seconds=9)
    back.continues = True
    cluster.paused = {"back": ["h1", "h2"], "other": ["h3"]}
    assert cluster.run(back, other) == "stable stable"
    assert [one[1:] for one in cluster.continued] == [("back", "h1", "CONTINUE"), ("back", "h2", "CONTINUE")]
    assert (
        cluster.lines[0] == "back   continues after its pause at POST_TEST_TRAFFIC_SHIFT: a rollback needs no approval"
    )


def test_a_rollback_that_may_not_be_continued_says_so_once(cluster: Cluster) -> None:
    back = cluster.rollout("back", seconds=9)
    back.continues, cluster.may_continue = True, False
    cluster.paused = {"back": ["h1"]}
    assert cluster.run(back) == "stable"
    (line,) = [line for line in cluster.lines if "stays paused" in line]
    assert line.startswith("back  stays paused at POST_TEST_TRAFFIC_SHIFT: AWS answered ContinueServiceDeployment")


def test_a_start_that_leaves_nothing_to_monitor_is_stable(cluster: Cluster) -> None:
    deleted = cluster.rollout("deleted")
    deleted.start = lambda: None
    assert cluster.run(deleted, cluster.rollout("web", "deleted")) == "stable stable"


def test_each_has_its_own_time(cluster: Cluster) -> None:
    first, slow = cluster.rollout("first", seconds=40), cluster.rollout("slow", "first", seconds=NEVER)
    assert cluster.run(first, slow) == "stable failed"
    assert 100 <= cluster.time <= 104
    assert slow.error is not None
    assert slow.error.code == "timeout"
    assert "Timed out after 60 s; the rollout is still in progress. Last state: 0/2 running" in slow.error.msg


def test_a_service_that_is_deleted_meanwhile_has_failed(cluster: Cluster) -> None:
    web = cluster.rollout("web")
    cluster.deleted.add("web")
    assert cluster.run(web) == "failed"
    assert web.error is not None
    assert web.error.code == "service_deleted"


def test_a_service_that_some_answers_lack_is_not_taken_for_deleted(cluster: Cluster) -> None:
    """They may be older than the service, whose creation another run has waited for."""
    web = cluster.rollout("web")
    cluster.visible_at = 1
    assert cluster.run(web) == "stable"


def test_a_new_service_that_is_not_visible_yet_is_not_taken_for_deleted(cluster: Cluster) -> None:
    web = cluster.rollout("web")
    web.reader.unseen = True
    cluster.visible_at = 4
    assert cluster.run(web) == "stable"
    gone = cluster.rollout("gone")
    cluster.deleted.add("gone")
    assert cluster.run(gone) == "failed"


def test_a_line_is_reported_when_the_state_changes_and_every_half_minute(cluster: Cluster) -> None:
    cluster.group.timeout = 200
    rollouts = [cluster.rollout(name, seconds=100) for name in ("a", "b", "c", "d", "e")]
    cluster.run(*rollouts, cluster.rollout("done", seconds=0))
    assert cluster.lines[0] == "done  done in 0 s, 2/2 running"
    assert (
        cluster.lines[1:4]
        == ["In progress: 1 of 6 services done. a 0/2 running; b 0/2 running; c 0/2 running and 2 more"] * 3
    )
    assert [re.sub(r"\d+ s", "N s", line) for line in cluster.lines[4:]] == [
        f"{rollout.name}     done in N s, 2/2 running" for rollout in rollouts
    ]


def test_the_reason_of_a_failed_task_is_said_during_the_rollout(cluster: Cluster) -> None:
    cluster.tasks = [stopped("f1", stoppedReason="Out of memory")]
    cluster.run(cluster.rollout("web", seconds=30))
    assert cluster.lines[0] == "web  0/2 running, 1 failed: Out of memory"
    assert len(cluster.lines) == 2

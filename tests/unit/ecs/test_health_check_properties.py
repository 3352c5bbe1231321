# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""For any service and any frequency of reads: a program that starts within its grace period
never fails, and one whose answers stay wrong always does."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.deployments import deployment_of
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.judge import RolloutJudge
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.snapshot import Snapshot
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.verdict import Verdict
from ansible_collections.slipway.aws.tests.unit.ecs.recorded import (
    GROUP,
    Json,
    deployment,
    service,
    stopped,
    target,
    target_group,
    task,
)

SETTINGS = settings(deadline=None, max_examples=200)
REASONS = {
    "refused": {"Reason": "Target.FailedHealthChecks", "Description": "Health checks failed"},
    "slow": {"Reason": "Target.Timeout", "Description": "Request timed out"},
    "404": {"Reason": "Target.ResponseCodeMismatch", "Description": "Health checks failed with these codes: [404]"},
    "503": {"Reason": "Target.ResponseCodeMismatch", "Description": "Health checks failed with these codes: [503]"},
}


@dataclass
class World:
    """A service whose tasks are checked as on AWS; ECS replaces those that are unhealthy after their grace period."""

    desired: int
    interval: int
    threshold: int
    grace: int
    replaces: bool
    # Seconds from the start of a task to its first good answer, and what it answers until then.
    startup: float
    before: str

    def __post_init__(self) -> None:
        self.born = {f"n{number}": 0.0 for number in range(1, self.desired + 1)}
        self.stopped_names: list[str] = []

    def health(self, age: float) -> tuple[str, Json]:
        """A target after this many seconds. Its first check is at once, then one follows in each interval."""
        checks = [number * self.interval for number in range(int(age // self.interval) + 1)]
        if any(moment >= self.startup for moment in checks):
            return "healthy", {}
        return ("unhealthy", REASONS[self.before]) if len(checks) >= self.threshold else ("initial", {})

    def at(self, now: float) -> Snapshot:
        for name, born in list(self.born.items()):
            doomed = now - born >= self.grace and self.health(now - born)[0] == "unhealthy"
            if self.replaces and doomed and now - born >= self.grace + self.interval:
                del self.born[name]
                self.stopped_names.append(name)
                self.born[f"n{len(self.stopped_names) + self.desired}"] = now
        tasks = [task(name, 2) for name in self.born]
        tasks += [
            stopped(name, 2, stoppedReason=f"Task failed ELB health checks in (target-group {GROUP})")
            for name in self.stopped_names
        ]
        targets = []
        for name, born in self.born.items():
            state, why = self.health(now - born)
            targets.append(target(f"10.0.0.{name[1:]}", state, **why))
        return Snapshot(
            service(
                deployment(2, rolloutState="IN_PROGRESS"),
                desiredCount=self.desired,
                healthCheckGracePeriodSeconds=self.grace,
            ),
            tasks=tasks,
            targets={GROUP: targets},
            groups={
                GROUP: target_group(HealthCheckIntervalSeconds=self.interval, UnhealthyThresholdCount=self.threshold)
            },
        )


def watched(world: World, pauses: t.Sequence[float], until: float) -> tuple[Verdict, float]:
    judge, now, number = RolloutJudge(deployment_of(service(deployment(2)), fresh=True)), 0.0, 0
    while True:
        verdict = judge.verdict(world.at(now), now)
        if verdict.over or now > until:
            return verdict, now
        now += pauses[number % len(pauses)]
        number += 1


WORLDS = {
    "desired": st.integers(1, 4),
    "interval": st.integers(5, 60),
    "threshold": st.integers(2, 5),
    "replaces": st.booleans(),
    "before": st.sampled_from(sorted(REASONS)),
}
PAUSES = st.lists(st.floats(0.2, 15), min_size=1, max_size=5)


@SETTINGS
@given(data=st.data(), pauses=PAUSES)
def test_a_program_that_starts_within_its_grace_period_never_fails_the_rollout(
    data: st.DataObject, pauses: list[float]
) -> None:
    options = {name: data.draw(strategy, label=name) for name, strategy in WORLDS.items()}
    startup = data.draw(st.floats(0, 300), label="startup")
    # One more check may pass before AWS sees the first good answer.
    world = World(**options, startup=startup, grace=int(startup) + 1 + options["interval"])
    verdict, _moment = watched(world, pauses, startup + 5 * options["interval"])
    assert not verdict.over, verdict


@SETTINGS
@given(data=st.data(), pauses=PAUSES)
def test_a_program_without_grace_gets_three_times_what_makes_it_unhealthy(
    data: st.DataObject, pauses: list[float]
) -> None:
    options = {name: data.draw(strategy, label=name) for name, strategy in WORLDS.items()}
    options |= {"before": data.draw(st.sampled_from(["refused", "slow", "503"])), "replaces": False}
    startup = data.draw(st.floats(0, 0.99)) * (3 * options["threshold"] - 2) * options["interval"]
    verdict, _moment = watched(World(**options, startup=startup, grace=0), pauses, startup + 5 * options["interval"])
    assert not verdict.over, verdict


@SETTINGS
@given(data=st.data(), pauses=PAUSES)
def test_a_program_that_never_passes_fails_the_rollout_in_time(data: st.DataObject, pauses: list[float]) -> None:
    options = {name: data.draw(strategy, label=name) for name, strategy in WORLDS.items()}
    grace = data.draw(st.integers(0, 120), label="grace")
    world = World(**options, startup=float("inf"), grace=grace)
    # A wrong answer that no look has caught, since ECS was quicker, takes as long as no answer. At each start of a task
    # the first check is at once, and ECS needs one interval to replace it.
    checks = options["threshold"] * 3
    latest = grace + (checks + 4) * (options["interval"] + grace) + 2 * max(pauses)
    verdict, moment = watched(world, pauses, latest)
    assert verdict.code == "health_check_failing", (verdict, moment, latest)


@SETTINGS
@given(data=st.data(), pauses=PAUSES)
def test_a_lasting_wrong_answer_is_a_verdict_as_soon_as_targets_are_unhealthy(
    data: st.DataObject, pauses: list[float]
) -> None:
    options = {name: data.draw(strategy, label=name) for name, strategy in WORLDS.items()}
    options |= {"before": "404", "replaces": False}
    world = World(**options, startup=float("inf"), grace=0)
    verdict, moment = watched(world, pauses, 10_000)
    unhealthy = (options["threshold"] - 1) * options["interval"]
    assert verdict.code == "health_check_failing"
    assert unhealthy <= moment <= unhealthy + max(pauses) + 0.001

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollouts judged by recorded answers."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.deployments import (
    Deployment,
    breaker_limit,
    deployment_of,
    is_on_track,
    is_stable,
    starts_deployment,
)
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.judge import SETTLE_SECONDS, RolloutJudge
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.snapshot import Snapshot, serving
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.tasks import task_failed
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.verdict import Verdict
from ansible_collections.slipway.aws.tests.unit.ecs.recorded import (
    GROUP,
    Json,
    at,
    container,
    deployment,
    service,
    service_deployment,
    stopped,
    target,
    target_group,
    task,
)

OLD = deployment(1, status="ACTIVE")
BREAKER = {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}}


def in_progress(number: int = 2, **members: t.Any) -> Json:
    return deployment(number, **{"rolloutState": "IN_PROGRESS", "rolloutStateReason": "in progress", **members})


def failed(number: int = 2, **members: t.Any) -> Json:
    reason = "ECS deployment circuit breaker: tasks failed to start."
    return deployment(number, **{"rolloutState": "FAILED", "rolloutStateReason": reason, **members})


def new_judge(number: int = 2, *, fresh: bool = True) -> RolloutJudge:
    return RolloutJudge(deployment_of(service(deployment(number)), fresh=fresh))


def verdict_on(judge: RolloutJudge, *snapshots: Snapshot, every: float = 1.0) -> Verdict:
    """The verdict on the last of some snapshots, one per second."""
    verdicts = [judge.verdict(snapshot, index * every) for index, snapshot in enumerate(snapshots)]
    return verdicts[-1]


# By the service's deployments


def completes(**members: t.Any) -> list[Snapshot]:
    """A rollout seen in progress, then complete."""
    both = [task("n1", 2, **members), task("n2", 2, **members)]
    return [Snapshot(service(in_progress(), OLD), tasks=both[:1]), Snapshot(service(deployment(2)), tasks=both)]


def test_a_rollout_that_completes_after_progress_succeeds_at_once_where_health_is_checked() -> None:
    judge = new_judge()
    judge.health_is_checked = True
    assert verdict_on(judge, *completes(healthStatus="HEALTHY")).state == "succeeded"


def test_a_rollout_that_completes_after_progress_succeeds_at_once_behind_a_load_balancer() -> None:
    progress, complete = completes()
    targets = {GROUP: [target("10.0.0.1"), target("10.0.0.2")]}
    assert verdict_on(new_judge(), progress, replace(complete, targets=targets)).state == "succeeded"


def test_a_task_that_nothing_checks_has_to_stay_even_when_its_rollout_completes() -> None:
    progress, complete = completes()
    judge = new_judge()
    assert verdict_on(judge, progress, complete).state == "in_progress"
    assert judge.verdict(complete, 1 + SETTLE_SECONDS - 0.1).state == "in_progress"
    assert judge.verdict(complete, 1 + SETTLE_SECONDS).state == "succeeded"


def test_a_deployment_that_is_complete_from_the_start_is_not_believed_before_its_tasks_stay() -> None:
    snapshot = Snapshot(service(deployment(2)), tasks=[task("n1", 2), task("n2", 2)])
    judge = new_judge()
    assert judge.verdict(snapshot, 0).state == "in_progress"
    assert judge.verdict(snapshot, SETTLE_SECONDS - 0.1).state == "in_progress"
    assert judge.verdict(snapshot, SETTLE_SECONDS).state == "succeeded"


def test_complete_without_tasks_is_not_done() -> None:
    assert verdict_on(new_judge(), *[Snapshot(service(deployment(2)))] * 20).state == "in_progress"


def test_tasks_of_the_old_revision_do_not_count() -> None:
    snapshot = Snapshot(service(deployment(2)), tasks=[task("o1", 1), task("o2", 1)])
    assert verdict_on(new_judge(), *[snapshot] * 20).state == "in_progress"


def test_a_service_of_no_tasks_succeeds() -> None:
    empty = service(deployment(2, desiredCount=0, runningCount=0), desiredCount=0, runningCount=0)
    assert verdict_on(new_judge(), Snapshot(empty)).state == "succeeded"


def test_a_daemon_has_as_many_tasks_as_its_deployment_wants() -> None:
    daemon = service(deployment(2, desiredCount=3), schedulingStrategy="DAEMON", desiredCount=0)
    two = [task("n1", 2), task("n2", 2)]
    assert verdict_on(new_judge(), *[Snapshot(daemon, tasks=two)] * 20).state == "in_progress"
    assert verdict_on(new_judge(), *[Snapshot(daemon, tasks=[*two, task("n3", 2)])] * 20).state == "succeeded"


def test_unhealthy_tasks_do_not_count() -> None:
    sick = [task("n1", 2), task("n2", 2, healthStatus="UNHEALTHY")]
    assert verdict_on(new_judge(), *[Snapshot(service(deployment(2)), tasks=sick)] * 20).state == "in_progress"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["healthy", "healthy"], "succeeded"),
        (["healthy", "initial"], "in_progress"),
        (["healthy", "unhealthy"], "in_progress"),
        (["unused", "unused"], "succeeded"),
    ],
)
def test_tasks_must_be_healthy_behind_the_load_balancer(states: list[str], expected: str) -> None:
    tasks = [task("n1", 2), task("n2", 2)]
    targets = {GROUP: [target(f"10.0.0.{index + 1}", state) for index, state in enumerate(states)]}
    assert (
        verdict_on(new_judge(), *[Snapshot(service(deployment(2)), tasks=tasks, targets=targets)] * 9).state == expected
    )


def test_targets_of_old_tasks_do_not_count() -> None:
    targets = [target("10.0.0.8"), target("10.0.0.9"), target("10.0.0.1", "initial")]
    assert serving(targets, [task("n1", 2)]) == 0


def test_targets_that_are_instances_all_count() -> None:
    assert serving([target("i-1"), target("i-2")], [task("n1", 2)]) == 2


def test_addresses_are_found_at_attachments_too() -> None:
    attached = task("n7", 2, containers=[{"name": "web"}])
    attached["attachments"] = [{"details": [{"name": "privateIPv4Address", "value": "10.0.0.7"}]}]
    assert serving([target("10.0.0.7"), target("10.0.0.8")], [attached]) == 1


def test_rollback_by_the_breaker_is_a_failure_once_it_is_over() -> None:
    back = deployment(1, rolloutState="IN_PROGRESS")
    judge = new_judge()
    during = verdict_on(judge, Snapshot(service(in_progress(), OLD)), Snapshot(service(back, failed(status="ACTIVE"))))
    assert during.state == "in_progress"
    after = verdict_on(judge, Snapshot(service(deployment(1))))
    assert (after.state, after.code) == ("failed", "rolled_back")
    assert "web:1" in after.summary
    assert "circuit breaker" in after.summary


def test_rollback_to_a_new_deployment_of_the_old_revision_is_no_later_deployment() -> None:
    announced = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3."
    judge = new_judge()
    assert verdict_on(judge, Snapshot(service(failed(rolloutStateReason=announced), OLD))).state == "in_progress"
    assert verdict_on(judge, Snapshot(service(deployment(3), failed(status="ACTIVE")))).code == "rolled_back"


def test_rollback_that_fails_too() -> None:
    broken = failed(1)
    assert verdict_on(new_judge(), Snapshot(service(broken, failed(status="ACTIVE")))).code == "rollback_failed"


def test_failure_without_rollback() -> None:
    verdict = verdict_on(new_judge(), Snapshot(service(failed(), OLD)))
    assert verdict.code == "deployment_failed"
    assert "tasks failed to start" in verdict.summary


def test_a_later_deployment_supersedes() -> None:
    verdict = verdict_on(new_judge(), Snapshot(service(in_progress(3), in_progress(2, status="ACTIVE"))))
    assert verdict.code == "superseded"
    assert "ecs-svc/3" in verdict.summary


def test_an_answer_from_before_the_call_is_not_taken_for_a_later_deployment() -> None:
    assert verdict_on(new_judge(), Snapshot(service(deployment(1)))).state == "in_progress"


def test_a_service_that_is_deleted_meanwhile() -> None:
    assert verdict_on(new_judge(), Snapshot(service(status="DRAINING"))).code == "service_deleted"


# By service deployments


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        ("PENDING", "in_progress", ""),
        ("IN_PROGRESS", "in_progress", ""),
        ("SUCCESSFUL", "succeeded", ""),
        ("STOP_REQUESTED", "in_progress", ""),
        ("STOPPED", "failed", "deployment_stopped"),
        ("ROLLBACK_REQUESTED", "in_progress", ""),
        ("ROLLBACK_IN_PROGRESS", "in_progress", ""),
        ("ROLLBACK_SUCCESSFUL", "failed", "rolled_back"),
        ("ROLLBACK_FAILED", "failed", "rollback_failed"),
    ],
)
def test_every_status_of_a_service_deployment(status: str, state: str, code: str) -> None:
    followed = service_deployment(status, statusReason="Because.")
    verdict = verdict_on(new_judge(), Snapshot(service(in_progress(), OLD), followed))
    assert (verdict.state, verdict.code) == (state, code)
    assert "Because." in verdict.summary


@pytest.mark.parametrize("reason", ["Because", "Because.", "Because!"])
def test_what_aws_says_ends_as_a_sentence_does(reason: str) -> None:
    verdict = verdict_on(
        new_judge(), Snapshot(service(in_progress(), OLD), service_deployment("STOPPED", statusReason=reason))
    )
    assert verdict.summary.endswith("Because!" if reason == "Because!" else " Because.")


def test_a_rollback_by_aws_says_which_revision_runs_again() -> None:
    followed = service_deployment("ROLLBACK_SUCCESSFUL", statusReason="The circuit breaker threshold was exceeded.")
    verdict = verdict_on(new_judge(), Snapshot(service(deployment(1), failed(status="ACTIVE")), followed))
    assert verdict.summary.endswith("exceeded. The service runs web:1 again.")


@pytest.mark.parametrize(
    ("part", "said"), [("deploymentCircuitBreaker", "the deployment circuit breaker"), ("alarms", "an alarm")]
)
def test_stopped_by_breaker_or_alarm_is_a_failed_deployment(part: str, said: str) -> None:
    followed = service_deployment("STOPPED", **{part: {"status": "TRIGGERED"}})
    running = in_progress() | {"rolloutStateReason": "ECS deployment in progress."}
    verdict = verdict_on(new_judge(), Snapshot(service(running, OLD), followed))
    assert verdict.code == "deployment_failed"
    assert verdict.summary.endswith(f"not rolled back. Stopped by {said}."), "not that it is in progress"


def test_stopped_by_a_later_deployment_is_superseded() -> None:
    followed = service_deployment("STOPPED")
    assert verdict_on(new_judge(), Snapshot(service(in_progress(3), OLD), followed)).code == "superseded"


def test_a_paused_deployment_says_what_it_waits_for() -> None:
    hook = {"hookId": "h1", "targetType": "PAUSE", "status": "AWAITING_ACTION"}
    followed = service_deployment("IN_PROGRESS", lifecycleStage="TEST_TRAFFIC_SHIFT", lifecycleHookDetails=[hook])
    verdict = verdict_on(new_judge(), Snapshot(service(in_progress(), OLD), followed))
    assert "is paused at TEST_TRAFFIC_SHIFT" in verdict.summary
    assert "ContinueServiceDeployment" in verdict.summary
    assert "IN_PROGRESS (TEST_TRAFFIC_SHIFT)" in verdict.progress


# Tasks that keep failing


def failing(count: int, **members: t.Any) -> Snapshot:
    return Snapshot(service(in_progress(), OLD, **members), tasks=[stopped(f"f{n}", 2) for n in range(count)])


def test_failing_tasks_without_a_breaker_end_the_watch_early() -> None:
    assert verdict_on(new_judge(), failing(2)).state == "in_progress"
    verdict = verdict_on(new_judge(), failing(3))
    assert verdict.code == "tasks_failing"
    assert "3 tasks failed" in verdict.summary
    assert "ECS continues" in verdict.summary


def test_of_a_large_service_a_first_wave_of_failures_is_no_verdict() -> None:
    assert verdict_on(new_judge(), failing(9, desiredCount=50)).state == "in_progress"
    assert verdict_on(new_judge(), failing(10, desiredCount=50)).code == "tasks_failing"


def test_the_breaker_speaks_first_where_there_is_one() -> None:
    assert verdict_on(new_judge(), failing(3, **BREAKER)).state == "in_progress"
    assert verdict_on(new_judge(), failing(6, **BREAKER)).code == "tasks_failing"


def test_a_circuit_breaker_of_a_complete_deployment_is_not_waited_for() -> None:
    tasks = [stopped(f"f{number}", 2) for number in range(3)]
    assert verdict_on(new_judge(), Snapshot(service(deployment(2), **BREAKER), tasks=tasks)).code == "tasks_failing"


def test_a_task_that_works_speaks_against_a_hopeless_service() -> None:
    snapshot = failing(5)
    working = Snapshot(snapshot.service, tasks=[*snapshot.tasks, task("n1", 2)])
    calm = Snapshot(service(in_progress(), OLD), tasks=[task("n1", 2)])
    assert verdict_on(new_judge(), calm, calm, calm, calm, working).state == "in_progress"


def test_failures_that_aws_counted_itself_count() -> None:
    assert verdict_on(new_judge(), Snapshot(service(in_progress(failedTasks=3), OLD))).code == "tasks_failing"


def test_tasks_that_were_scaled_in_or_replaced_did_not_fail() -> None:
    scaled = stopped("s1", stopCode="ServiceSchedulerInitiated", stoppedReason="Scaling activity initiated by x")
    assert not task_failed(scaled)
    assert not task_failed(stopped("s2", stopCode="UserInitiated", stoppedReason="Deployment completed"))
    assert not task_failed(task("n1"))


def test_tasks_that_failed_a_health_check_did_fail() -> None:
    sick = stopped("s1", stopCode="ServiceSchedulerInitiated", stoppedReason="Task failed ELB health checks in (x)")
    assert task_failed(sick)


def test_old_failures_are_no_news_while_new_tasks_start() -> None:
    tasks = [stopped(f"f{number}", 2) for number in range(5)]
    pending = task("p1", 2, lastStatus="PENDING")
    judge = new_judge(fresh=False)
    assert verdict_on(judge, *[Snapshot(service(deployment(2)), tasks=[*tasks, pending])] * 9).state == "in_progress"
    worse = Snapshot(service(deployment(2)), tasks=[*tasks, stopped("f9", 2), pending])
    assert judge.verdict(worse, 20).code == "tasks_failing"


def test_failures_of_another_deployment_of_the_same_revision_do_not_count() -> None:
    others = [stopped(f"f{number}", 2, startedBy="ecs-svc/1") for number in range(9)]
    assert verdict_on(new_judge(), Snapshot(service(in_progress(), OLD), tasks=others)).state == "in_progress"


def test_where_tasks_do_not_name_their_deployment_their_age_decides() -> None:
    tracked = Deployment("ecs-svc/2", deployment(2)["taskDefinition"], at(200))
    old = [stopped(f"f{n}", 2, startedBy="web", createdAt=at(150)) for n in range(9)]
    new = [stopped(f"g{n}", 2, startedBy="web", createdAt=at(200 + n)) for n in range(3)]
    assert verdict_on(RolloutJudge(tracked), Snapshot(service(in_progress(), OLD), tasks=old)).state == "in_progress"
    assert (
        verdict_on(RolloutJudge(tracked), Snapshot(service(in_progress(), OLD), tasks=[*old, *new])).code
        == "tasks_failing"
    )


@pytest.mark.parametrize(
    ("threshold", "desired", "limit"),
    [
        ({}, 1, 3),
        ({}, 20, 10),
        ({}, 1000, 200),
        ({"type": "COUNT", "value": 2}, 50, 2),
        ({"type": "UNBOUNDED_PERCENT", "value": 50}, 1000, 500),
        ({"type": "BOUNDED_PERCENT", "value": 10}, 50, 5),
    ],
)
def test_what_a_breaker_bears(threshold: Json, desired: int, limit: int) -> None:
    breaker = {"enable": True, "rollback": False, **({"thresholdConfiguration": threshold} if threshold else {})}
    asked = service(desiredCount=desired, deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    assert breaker_limit(asked) == limit


# The rest


def test_a_steady_service_needs_no_watching() -> None:
    assert is_stable(service())
    assert not is_stable(service(runningCount=1))
    assert not is_stable(service(pendingCount=1))
    assert not is_stable(service(in_progress(1)))
    assert not is_stable(service(failed(1)))
    assert not is_stable(service(deployment(2), OLD))
    assert not is_stable(service(deployment(1, failedTasks=1)))


@pytest.mark.parametrize("followed", [None, service_deployment("IN_PROGRESS")])
def test_tasks_are_read_only_where_they_are_needed(followed: Json | None) -> None:
    tracked = deployment_of(service(deployment(2)), fresh=True)
    assert is_on_track(service(in_progress(), OLD), tracked, followed)
    assert not is_on_track(service(in_progress(failedTasks=1), OLD), tracked, followed)
    assert not is_on_track(service(OLD), tracked, followed)


def test_services_of_other_controllers_are_counted() -> None:
    foreign = {"deploymentController": {"type": "CODE_DEPLOY"}, "deployments": []}
    assert is_stable({**service(), **foreign})
    assert verdict_on(new_judge(), Snapshot({**service(), **foreign})).state == "succeeded"
    assert verdict_on(new_judge(), Snapshot({**service(runningCount=1), **foreign})).state == "in_progress"


def test_a_call_that_starts_no_deployment_is_known_by_the_primary() -> None:
    assert not starts_deployment(service(), service(desiredCount=5))
    assert starts_deployment(service(), service(in_progress(), OLD))


def test_progress_is_one_line_that_says_what_matters() -> None:
    snapshot = Snapshot(
        service(in_progress(runningCount=1, pendingCount=1), OLD),
        tasks=[task("n1", 2, containers=[container("n1")]), stopped("f1", 2)],
        targets={GROUP: [target("10.0.0.1"), target("10.0.0.2", "initial")]},
    )
    line = verdict_on(new_judge(), snapshot).progress
    assert line == "1/2 running, 1 pending, 1 failed, 1 healthy behind the load balancer"


# Health checks that no task passes

MISMATCH = {"Reason": "Target.ResponseCodeMismatch", "Description": "Health checks failed with these codes: [404]"}
REFUSED = {"Reason": "Target.FailedHealthChecks", "Description": "Health checks failed"}
ELB_FAILED = {
    "stopCode": "ServiceSchedulerInitiated",
    "stoppedReason": f"Task failed ELB health checks in (target-group {GROUP})",
}


def checked(
    states: t.Sequence[tuple[str, Json]], *, stops: int = 0, group: Json | None = None, **members: t.Any
) -> Snapshot:
    """New tasks n1, n2… whose targets have these states, beside a healthy old one; `stops` more were stopped."""
    tasks = [task(f"n{number}", 2) for number in range(1, len(states) + 1)]
    targets = [target(f"10.0.0.{number}", state, **why) for number, (state, why) in enumerate(states, 1)]
    replaced = [stopped(f"g{number}", 2, **ELB_FAILED) for number in range(stops)]
    return Snapshot(
        service(in_progress(), OLD, desiredCount=len(states), **members),
        tasks=[task("o9", 1), *tasks, *replaced],
        targets={GROUP: [target("10.0.0.9"), *targets]},
        groups={GROUP: target_group(**group or {})},
    )


def moment_of(snapshot: Snapshot, until: float = 600, before: t.Sequence[tuple[float, Snapshot]] = ()) -> float | None:
    """When a watch that looks every two seconds calls health checks failing, from what it sees all the time."""
    judge = new_judge()
    for number in range(int(until / 2)):
        seen = next((earlier for end, earlier in before if number * 2 < end), snapshot)
        verdict = judge.verdict(seen, number * 2)
        if verdict.over:
            assert verdict.code == "health_check_failing", verdict
            return number * 2
    return None


def test_a_lasting_wrong_answer_of_all_new_tasks_is_a_verdict_at_once() -> None:
    verdict = verdict_on(new_judge(), checked([("unhealthy", MISMATCH)] * 2))
    assert (verdict.state, verdict.code) == ("failed", "health_check_failing")
    assert (
        "Target group web: health check HTTP GET /health on the target's port: expected 200, got 404" in verdict.summary
    )
    assert "4 checks of 2 tasks, none healthy" in verdict.summary
    assert "ECS continues to start new tasks." in verdict.summary


def test_what_the_breaker_will_do_is_said() -> None:
    assert "Its circuit breaker will roll it back." in (
        verdict_on(new_judge(), checked([("unhealthy", MISMATCH)], **BREAKER)).summary
    )


@pytest.mark.parametrize("state", ["healthy", "initial", "unused", "unavailable"])
def test_one_task_that_may_still_work_speaks_against_a_verdict(state: str) -> None:
    assert moment_of(checked([("unhealthy", MISMATCH), (state, {})])) is None


def test_a_task_that_was_healthy_once_speaks_against_a_verdict() -> None:
    assert moment_of(checked([("unhealthy", MISMATCH)]), before=[(10, checked([("healthy", {})]))]) is None


def test_old_tasks_that_fail_say_nothing_about_new_ones() -> None:
    snapshot = checked([("initial", {})])
    snapshot = replace(
        snapshot, targets={GROUP: [target("10.0.0.9", "unhealthy", **MISMATCH), *snapshot.targets[GROUP][1:]]}
    )
    assert moment_of(snapshot) is None


@pytest.mark.parametrize(
    ("why", "group", "moment"),
    [
        (MISMATCH, {}, 0),
        # Three times as many checks as make a target unhealthy.
        (REFUSED, {}, 4 * 30),
        (REFUSED, {"HealthCheckIntervalSeconds": 10, "UnhealthyThresholdCount": 3}, 6 * 10),
        ({**MISMATCH, "Description": "Health checks failed with these codes: [503]"}, {}, 4 * 30),
        ({**MISMATCH, "Description": "Health checks failed with these codes: [404, 502]"}, {}, 4 * 30),
        ({**MISMATCH, "Description": "Health checks failed with these codes: [429]"}, {}, 4 * 30),
        ({"Reason": "Elb.InternalError", "Description": "Internal error"}, {}, None),
    ],
)
def test_a_program_that_may_still_start_gets_more_time(why: Json, group: Json, moment: float | None) -> None:
    assert moment_of(checked([("unhealthy", why)], group=group)) == moment


def test_the_breaker_speaks_first_where_a_program_may_still_start() -> None:
    assert moment_of(checked([("unhealthy", REFUSED)], **BREAKER)) == (2 * (3 + 3) - 2) * 30


@pytest.mark.parametrize("why", [MISMATCH, REFUSED])
def test_failures_within_the_grace_period_do_not_count(why: Json) -> None:
    snapshot = checked([("unhealthy", why)], healthCheckGracePeriodSeconds=90)
    checks = 2 if why is MISMATCH else 6
    assert moment_of(snapshot) == 90 + checks * 30


def test_another_reason_begins_again() -> None:
    # Refused until it has started, then a wrong answer: that has to come as often as makes a target unhealthy.
    before = [(50, checked([("unhealthy", REFUSED)]))]
    assert moment_of(checked([("unhealthy", MISMATCH)]), before=before) == 50 + 30


def test_each_replaced_task_begins_again_and_what_its_predecessors_failed_counts() -> None:
    judge = new_judge()
    first = checked([("unhealthy", REFUSED)])
    assert not judge.verdict(first, 0).over
    second = checked([("initial", {})], stops=0)
    replaced = stopped("n1", 2, **ELB_FAILED)
    second = replace(second, tasks=[task("n2", 2), replaced], targets={GROUP: [target("10.0.0.2", "initial")]})
    assert not judge.verdict(second, 10).over
    sick = replace(second, targets={GROUP: [target("10.0.0.2", "unhealthy", **REFUSED)]})
    assert not judge.verdict(sick, 60).over
    third = [task("n3", 2), replaced, stopped("n2", 2, **ELB_FAILED)]
    assert not judge.verdict(replace(sick, tasks=third, targets={GROUP: [target("10.0.0.3", "initial")]}), 70).over
    verdict = judge.verdict(
        replace(sick, tasks=third, targets={GROUP: [target("10.0.0.3", "unhealthy", **REFUSED)]}), 130
    )
    assert verdict.code == "health_check_failing"
    assert "6 checks of 3 tasks" in verdict.summary


def test_without_the_settings_of_the_target_group_there_is_no_early_verdict() -> None:
    assert moment_of(replace(checked([("unhealthy", MISMATCH)]), groups={})) is None


def test_a_rollback_that_runs_already_is_waited_for() -> None:
    snapshot = replace(
        checked([("unhealthy", MISMATCH)]), service_deployment=service_deployment("ROLLBACK_IN_PROGRESS")
    )
    assert moment_of(snapshot) is None


@pytest.mark.parametrize("count", [1, 2, 3])
def test_unhealthy_containers_count_as_failed_tasks(count: int) -> None:
    sick = [task(f"n{number}", 2, healthStatus="UNHEALTHY") for number in range(count)]
    verdict = verdict_on(new_judge(), Snapshot(service(in_progress(), OLD), tasks=sick))
    assert verdict.code == ("health_check_failing" if count == 3 else "")


def test_unhealthy_containers_do_not_count_within_the_grace_period() -> None:
    sick = [task(f"n{number}", 2, healthStatus="UNHEALTHY") for number in range(3)]
    snapshot = Snapshot(service(in_progress(), OLD, healthCheckGracePeriodSeconds=60), tasks=sick)
    assert moment_of(snapshot) == 60


def test_tasks_that_ecs_stopped_for_their_health_checks_are_distinguished_from_those_that_ended() -> None:
    tasks = [stopped(f"f{n}", 2, **ELB_FAILED) for n in range(3)]
    verdict = verdict_on(new_judge(), Snapshot(service(in_progress(), OLD), tasks=tasks))
    assert verdict.code == "health_check_failing"
    assert "3 tasks failed their health checks" in verdict.summary
    mixed = [*tasks, stopped("x1", 2)]
    assert verdict_on(new_judge(), Snapshot(service(in_progress(), OLD), tasks=mixed)).code == "tasks_failing"


# Settings of a target group that changed for tasks that run already

SETTLING = 35


def settling_judge() -> RolloutJudge:
    judge = new_judge(1, fresh=False)
    judge.settling = SETTLING
    return judge


def seen(state: str, why: Json | None = None) -> Snapshot:
    """The only task of a service that ECS calls complete, and its target."""
    only = service(deployment(1, desiredCount=1, runningCount=1), desiredCount=1, runningCount=1)
    targets = {GROUP: [target("10.0.0.1", state, **(why or {}))]}
    return Snapshot(only, tasks=[task("n1", 1)], targets=targets, groups={GROUP: target_group()})


def test_targets_that_were_healthy_with_former_settings_are_not_believed_yet() -> None:
    judge = settling_judge()
    assert judge.verdict(seen("healthy"), 0).state == "in_progress"
    assert judge.verdict(seen("healthy"), SETTLING - 1).state == "in_progress"
    assert judge.verdict(seen("healthy"), SETTLING).state == "succeeded"


def test_targets_that_fail_with_new_settings_are_a_verdict_though_they_were_healthy() -> None:
    judge = settling_judge()
    assert not judge.verdict(seen("healthy"), 0).over
    assert not judge.verdict(seen("unhealthy", MISMATCH), SETTLING - 1).over
    assert judge.verdict(seen("unhealthy", MISMATCH), SETTLING).code == "health_check_failing"


def test_targets_that_failed_with_former_settings_are_no_verdict() -> None:
    judge = settling_judge()
    assert not judge.verdict(seen("unhealthy", MISMATCH), 0).over
    assert not judge.verdict(seen("healthy"), SETTLING - 1).over
    assert judge.verdict(seen("healthy"), SETTLING).state == "succeeded"


def test_tasks_that_ecs_stopped_for_former_settings_are_no_failures() -> None:
    judge = settling_judge()
    replaced = [stopped(f"g{number}", 1, **ELB_FAILED) for number in range(4)]
    starting = seen("initial")
    starting = replace(starting, tasks=[*starting.tasks, *replaced])
    assert not judge.verdict(starting, 0).over
    assert not judge.verdict(starting, SETTLING + 60).over
    worse = [stopped(f"x{number}", 1, **ELB_FAILED) for number in range(3)]
    assert judge.verdict(replace(starting, tasks=[*replaced, *worse]), SETTLING + 61).code == "health_check_failing"


def test_tasks_that_end_by_themselves_are_failures_also_while_settings_change() -> None:
    replaced = [stopped(f"g{number}", 1) for number in range(3)]
    judge = settling_judge()
    judge.deployment = replace(judge.deployment, fresh=True)
    assert judge.verdict(replace(seen("initial"), tasks=replaced), 0).code == "tasks_failing"

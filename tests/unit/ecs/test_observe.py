# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout followed through what AWS would answer, second by second, on a clock that does not wait."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import Clock
from ansible_collections.slipway.aws.plugins.module_utils._ecs.cloud import Cloud
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.deployments import deployment_of
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.judge import RolloutJudge
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.observe import (
    Outcome,
    RolloutReader,
    explain,
    wait_stable,
)
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

LOGGED: Json = {
    "containerDefinitions": [
        {
            "name": "web",
            "portMappings": [{"containerPort": 8080}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": "/shop",
                    "awslogs-region": "eu-north-1",
                    "awslogs-stream-prefix": "v2",
                },
            },
        }
    ]
}
CHECKED: Json = {"containerDefinitions": [{"name": "web", "healthCheck": {"command": ["CMD", "true"]}}]}
OLD_ONE = service_deployment("SUCCESSFUL", serviceDeploymentArn="old", createdAt=at(100))
ROLLING = service(deployment(2, rolloutState="IN_PROGRESS", runningCount=0), deployment(1, status="ACTIVE"))


class Aws:
    """AWS by the clock: each answer is a function of the second."""

    def __init__(self) -> None:
        self.time = 0.0
        self.calls: list[str] = []
        self.denied: set[str] = set()
        self.services: t.Callable[[float], Json] = lambda _now: ROLLING
        self.listed: t.Callable[[float], list[Json]] = lambda _now: []
        self.tasks: list[Json] = []
        self.targets: list[Json] = []
        self.groups = [target_group()]
        self.task_definition = LOGGED
        self.log: list[str] = []
        self.streams: list[str] = []
        self.clients: list[str] = []

    @property
    def clock(self) -> Clock:
        def sleep(seconds: float) -> None:
            self.time += seconds

        return Clock(lambda: self.time, sleep)

    def __getattr__(self, operation: str) -> t.Callable[..., Json]:
        answers: dict[str, t.Callable[[Json], Json]] = {
            "describe_services": lambda _request: {"services": [self.services(self.time)]},
            "list_service_deployments": lambda _request: {"serviceDeployments": self.listed(self.time)},
            "describe_service_deployments": self._service_deployments,
            "describe_tasks": lambda request: {"tasks": [x for x in self.tasks if x["taskArn"] in request["tasks"]]},
            "describe_task_definition": lambda _request: {"taskDefinition": self.task_definition},
            "describe_target_health": lambda _request: {"TargetHealthDescriptions": self.targets},
            "describe_target_groups": lambda _request: {"TargetGroups": self.groups},
            "get_log_events": self._log_events,
        }

        def call(**request: t.Any) -> Json:
            self.calls.append(operation)
            if operation in self.denied:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)
            return answers[operation](request)

        return call

    def client(self, service: str, region: str = "", /) -> Aws:
        self.clients.append(f"{service} {region}")
        return self

    def get_paginator(self, _operation: str) -> Aws:
        return self

    def paginate(self, **request: str) -> list[Json]:
        wanted = request.get("desiredStatus", "RUNNING")
        return [{"taskArns": [item["taskArn"] for item in self.tasks if item["desiredStatus"] == wanted]}]

    def _service_deployments(self, request: Json) -> Json:
        (arn,) = request["serviceDeploymentArns"]
        return {"serviceDeployments": [x for x in self.listed(self.time) if x["serviceDeploymentArn"] == arn]}

    def _log_events(self, request: Json) -> Json:
        self.streams.append(f"{request['logGroupName']} {request['logStreamName']} {request['limit']}")
        return {"events": [{"message": f"{line}\n"} for line in self.log]}


def reader(aws: Aws) -> RolloutReader:
    return RolloutReader(
        Cloud(aws.client), "shop", "web", RolloutJudge(deployment_of(ROLLING, fresh=True)), known=frozenset({"old"})
    )


def watched(aws: Aws, timeout: float = 600) -> tuple[RolloutReader, Outcome]:
    observed = reader(aws)
    return observed, wait_stable(observed, None, timeout, aws.clock)


def test_the_service_deployment_that_appears_after_the_call_is_followed() -> None:
    aws = Aws()

    def listed(now: float) -> list[Json]:
        status = "IN_PROGRESS" if now < 30 else "SUCCESSFUL"
        new = service_deployment(status, serviceDeploymentArn="new", createdAt=at(200))
        return [OLD_ONE, new] if now > 5 else [OLD_ONE]

    aws.listed = listed
    observed, outcome = watched(aws)
    assert outcome.verdict.state == "succeeded"
    assert observed.judge.deployment.service_deployment == "new"
    assert 30 <= aws.time <= 32, "noticed within two seconds"


def test_the_service_after_success_does_not_count_the_tasks_that_ecs_has_just_stopped() -> None:
    aws = Aws()
    aws.listed = lambda _now: [service_deployment("SUCCESSFUL", serviceDeploymentArn="new")]
    draining = service(deployment(2, runningCount=2), deployment(1, status="ACTIVE", runningCount=1), runningCount=3)
    answers = iter([draining, service(deployment(2, runningCount=2), runningCount=2)])
    aws.services = lambda _now: next(answers)
    _observed, outcome = watched(aws)
    assert (outcome.verdict.state, outcome.snapshot.service["runningCount"]) == ("succeeded", 2)


def test_a_rollback_is_waited_for_and_reported() -> None:
    aws = Aws()

    def listed(now: float) -> list[Json]:
        status = "IN_PROGRESS" if now < 10 else "ROLLBACK_IN_PROGRESS" if now < 20 else "ROLLBACK_SUCCESSFUL"
        reason = "Service deployment rolled back because the circuit breaker threshold was exceeded."
        return [service_deployment(status, serviceDeploymentArn="new", statusReason=reason)]

    aws.listed = listed
    aws.tasks = [stopped("f1", 2)]
    aws.log = ["starting", "FATAL: no database"]
    observed, outcome = watched(aws)
    assert outcome.verdict.code == "rolled_back"
    assert aws.time >= 20
    message = explain(observed, outcome).msg
    assert "circuit breaker threshold was exceeded" in message
    assert "    | FATAL: no database" in message
    assert aws.streams == ["/shop v2/web/f1 20"]
    assert "logs eu-north-1" in aws.clients, "the log is in the region that it is written to"


@pytest.mark.parametrize(
    ("now", "code", "said"),
    [
        (
            service(deployment(2, rolloutState="FAILED", rolloutStateReason="Circuit breaker: tasks failed")),
            "deployment_failed",
            "Circuit breaker: tasks failed.",
        ),
        (service(deployment(3, rolloutState="IN_PROGRESS"), deployment(2, status="ACTIVE")), "superseded", "later"),
    ],
    ids=["failed", "superseded"],
)
def test_a_deployment_that_ends_between_two_reads_is_not_reported_by_the_first(now: Json, code: str, said: str) -> None:
    aws = Aws()
    aws.listed = lambda _now: [service_deployment("STOPPED", serviceDeploymentArn="new", createdAt=at(200))]
    before = {**deployment(2), "rolloutState": "IN_PROGRESS", "rolloutStateReason": "ECS deployment 2 in progress."}
    answers = iter([service(before)])
    aws.services = lambda _now: next(answers, now)
    _observed, outcome = watched(aws)
    assert outcome.verdict.code == code
    assert said in outcome.verdict.summary


def test_what_an_older_deployment_ended_with_is_not_taken_for_this_one() -> None:
    aws = Aws()
    aws.listed = lambda _now: [OLD_ONE]
    _watching, outcome = watched(aws, timeout=30)
    assert outcome.verdict.code == "timeout"


def test_without_the_right_to_see_service_deployments_the_service_is_read() -> None:
    aws = Aws()
    aws.denied = {"list_service_deployments"}
    aws.services = lambda now: ROLLING if now < 10 else service(deployment(2))
    aws.tasks = [task("n1", 2), task("n2", 2)]
    observed, outcome = watched(aws)
    assert outcome.verdict.state == "succeeded"
    assert 10 <= aws.time <= 12
    assert aws.calls.count("list_service_deployments") == 1
    assert len(observed.unread) == 1


def test_an_api_without_service_deployments_is_not_queried_forever() -> None:
    aws = Aws()
    observed = reader(aws)
    observed.known = frozenset()
    wait_stable(observed, None, 100, aws.clock)
    assert aws.calls.count("list_service_deployments") == 10


def test_the_load_balancer_is_waited_for() -> None:
    aws = Aws()
    balancers = [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}]
    aws.services = lambda _now: service(deployment(2), loadBalancers=balancers)
    aws.tasks = [task("n1", 2), task("n2", 2)]
    aws.targets = [target("10.0.0.1"), target("10.0.0.2", "unhealthy", Description="Health checks failed")]
    observed, outcome = watched(aws, timeout=20)
    assert outcome.verdict.code == "timeout"
    assert "1 healthy behind the load balancer" in outcome.verdict.summary
    assert "Target 10.0.0.2:8080 is unhealthy: Health checks failed" in explain(observed, outcome).msg
    assert aws.calls.count("describe_target_groups") == 1
    aws.targets = [target("10.0.0.1"), target("10.0.0.2")]
    assert watched(aws)[1].verdict.state == "succeeded"


def failing_behind_a_load_balancer(**health: str) -> Aws:
    """Both tasks run, log where they listen, and fail the health check of their target group from the start."""
    aws = Aws()
    balancers = [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}]
    aws.services = lambda _now: service(deployment(2, rolloutState="IN_PROGRESS"), loadBalancers=balancers)
    aws.tasks = [task("n1", 2), task("n2", 2)]
    aws.targets = [target(f"10.0.0.{number}", "unhealthy", **health) for number in (1, 2)]
    return aws


def test_an_answer_that_waiting_does_not_change_ends_the_watch_at_once() -> None:
    description = "Health checks failed with these codes: [404]"
    aws = failing_behind_a_load_balancer(Reason="Target.ResponseCodeMismatch", Description=description)
    observed, outcome = watched(aws, timeout=600)
    failure = explain(observed, outcome)
    assert failure.code == "health_check_failing"
    assert aws.time < 15
    assert "Target group web: health check HTTP GET /health on the target's port: expected 200, got 404" in failure.msg
    assert "What to do: The program does not know the health check's path" in failure.msg


def test_a_program_that_listens_on_loopback_is_recognised_from_its_log() -> None:
    aws = failing_behind_a_load_balancer(Reason="Target.FailedHealthChecks", Description="Health checks failed")
    aws.log = ["[INFO] Listening at: http://127.0.0.1:8080 (7)"]
    observed, outcome = watched(aws, timeout=600)
    failure = explain(observed, outcome)
    assert failure.code == "health_check_failing"
    assert 100 < aws.time < 200, "a program that starts slowly gets time"
    assert failure.details["failure"]["causes"] == ["listens_on_loopback"]
    assert "    | [INFO] Listening at: http://127.0.0.1:8080 (7)" in failure.msg


def test_what_replaced_tasks_failed_with_is_reported_when_their_successors_are_new() -> None:
    aws = failing_behind_a_load_balancer(Reason="Target.FailedHealthChecks", Description="Health checks failed")
    sick = {"stopCode": "ServiceSchedulerInitiated", "stoppedReason": f"Task failed ELB health checks in (x {GROUP})"}
    old_targets, old_tasks = aws.targets, aws.tasks

    def services(now: float) -> Json:
        if now > 10:
            aws.tasks = [stopped(f"n{number}", 2, **sick) for number in range(1, 5)] + [task("n5", 2)]
            new = target("10.0.0.5", "initial", Reason="Elb.InitialHealthChecking")
            aws.targets = [target("10.0.0.9"), new]  # and one of the previous deployment
        else:
            aws.tasks, aws.targets = old_tasks, old_targets
        balancers = [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}]
        return service(deployment(2, rolloutState="IN_PROGRESS"), loadBalancers=balancers)

    aws.services = services
    observed, outcome = watched(aws, timeout=600)
    failure = explain(observed, outcome)
    assert failure.code == "health_check_failing"
    assert failure.details["failure"]["causes"] == ["health_check_refused"]
    assert "Target 10.0.0.1:8080 is unhealthy: Health checks failed" in failure.msg


def test_without_the_right_to_read_target_groups_there_is_no_early_verdict() -> None:
    description = "Health checks failed with these codes: [404]"
    aws = failing_behind_a_load_balancer(Reason="Target.ResponseCodeMismatch", Description=description)
    aws.denied = {"describe_target_groups"}
    observed, outcome = watched(aws, timeout=60)
    assert outcome.verdict.code == "timeout"
    assert "describe_target_groups" in explain(observed, outcome).msg
    assert aws.calls.count("describe_target_groups") == 1


def test_a_health_check_is_waited_for() -> None:
    aws = Aws()
    aws.task_definition = CHECKED
    aws.services = lambda _now: service(deployment(2))
    aws.tasks = [task("n1", 2), task("n2", 2)]
    assert watched(aws, timeout=20)[1].verdict.code == "timeout"
    assert aws.calls.count("describe_task_definition") == 1
    aws.tasks = [task("n1", 2, healthStatus="HEALTHY"), task("n2", 2, healthStatus="HEALTHY")]
    assert watched(aws)[1].verdict.state == "succeeded"


def test_stopped_tasks_are_read_once() -> None:
    aws = Aws()
    aws.tasks = [stopped("f1", 2), stopped("f2", 2, containers=[container("f2", exitCode=1)])]
    watched(aws, timeout=60)
    assert aws.calls.count("describe_tasks") == 1


def test_polling_starts_quick_and_settles() -> None:
    aws = Aws()
    moments: list[float] = []

    def services(now: float) -> Json:
        moments.append(now)
        return ROLLING

    aws.services = services
    watched(aws, timeout=60)
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert pauses[0] <= 0.25
    assert max(pauses) <= 2


def test_a_timeout_reports_the_last_state_and_tasks_that_do_not_start() -> None:
    aws = Aws()
    aws.tasks = [task("p1", 2, lastStatus="PROVISIONING")]
    observed, outcome = watched(aws, timeout=5)
    failure = explain(observed, outcome)
    assert failure.code == "timeout"
    assert "Timed out after 5 s; the rollout is still in progress. Last state: 0/2 running" in failure.msg
    assert "Task p1: is PROVISIONING" in failure.msg


def test_rights_that_are_missing_are_said_beside_what_is_known() -> None:
    aws = Aws()
    aws.denied = {"get_log_events", "describe_target_health", "list_service_deployments"}
    aws.tasks = [stopped(f"f{number}", 2) for number in range(3)]
    observed, outcome = watched(aws)
    message = explain(observed, outcome).msg
    assert outcome.verdict.code == "tasks_failing"
    assert "Task f0 (and 2 more with the same reason): Essential container in task exited" in message
    assert "Could not be read: AWS answered get_log_events with AccessDeniedException" in message

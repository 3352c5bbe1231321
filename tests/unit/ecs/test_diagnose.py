# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a rollout failed, from recorded answers with texts of AWS."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.diagnose import (
    LOG_LINES,
    Evidence,
    LogPlace,
    diagnose,
    log_places,
    recent_events,
)
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.render import render
from ansible_collections.slipway.aws.plugins.module_utils._ecs.rollout.symptoms import SYMPTOMS, recognise
from ansible_collections.slipway.aws.tests.unit.ecs.recorded import (
    GROUP,
    Json,
    at,
    container,
    service,
    stopped,
    target,
    target_group,
    task,
)

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"
BALANCED = {"loadBalancers": [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}]}

# Texts as AWS's documentation has them, and the code that each must get.
KNOWN = [
    (
        "CannotPullContainerError: Error response from daemon: manifest for 123456789012.dkr.ecr.eu-central-1"
        ".amazonaws.com/web:v9 not found: manifest unknown: Requested image not found",
        "image_missing",
    ),
    (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
        "docker.io/library/nginx:nope: docker.io/library/nginx:nope: not found",
        "image_missing",
    ),
    (
        "CannotPullContainerError: Error response from daemon: pull access denied for web, repository does not exist "
        "or may require 'docker login'",
        "image_missing",
    ),
    (
        "CannotPullContainerError: Error response from daemon: Get https://123456789012.dkr.ecr.eu-central-1"
        ".amazonaws.com/v2/: net/http: request canceled while waiting for connection",
        "registry_unreachable",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from "
        "Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network "
        "configuration. RequestError: send request failed caused by: dial tcp 54.1.2.3:443: i/o timeout",
        "registry_unreachable",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        f"unable to retrieve secret from asm: service call has been retried 5 time(s): failed to fetch secret {SECRET} "
        "from secrets manager: RequestCanceled: request context canceled caused by: context deadline exceeded. Please "
        "check your task network configuration.",
        "secrets_unreachable",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve secrets from ssm: service call has been retried 5 time(s): RequestCanceled: request "
        "context canceled caused by: context deadline exceeded. Please check your task network configuration.",
        "secrets_unreachable",
    ),
    (
        "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log "
        "group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. "
        "Check your network configuration. : signal: killed",
        "logs_unreachable",
    ),
    (
        "CannotPullContainerError: denied: User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to "
        "perform: ecr:BatchGetImage on resource",
        "registry_denied",
    ),
    ("CannotPullContainerError: toomanyrequests: You have reached your pull rate limit.", "registry_limit"),
    (
        "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'.",
        "wrong_platform",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
        f"{SECRET} from secrets manager: AccessDeniedException: User is not authorized to perform: "
        "secretsmanager:GetSecretValue",
        "secret_denied",
    ),
    (
        f"ResourceInitializationError: unable to pull secrets or registry auth: failed to fetch secret {SECRET} from "
        "secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        "secret_missing",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: "
        "invalid ssm parameters: /shop/db",
        "secret_missing",
    ),
    (
        "ResourceInitializationError: unable to pull secrets or registry auth: retrieved secret from Secrets Manager "
        "did not contain json key password",
        "secret_key_missing",
    ),
    (
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed "
        "to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.",
        "log_group_missing",
    ),
    ("OutOfMemoryError: Container killed due to memory usage", "out_of_memory"),
    (
        'CannotStartContainerError: failed to create task: exec: "servr": executable file not found in $PATH: unknown',
        "command_missing",
    ),
    ("OSError: [Errno 30] Read-only file system: '/app/cache'", "root_read_only"),
    ("Error: EROFS: open '/tmp/x'", "root_read_only"),
    (
        "CannotStartContainerError: failed to create task: unable to find user app: no matching entries in passwd file",
        "user_missing",
    ),
    ("Task failed ELB health checks in (target-group arn:aws:x:targetgroup/web/1)", "load_balancer_health_check"),
    ("Task failed container health checks", "container_health_check"),
    ("ECS was unable to assume the role 'arn:aws:iam::123456789012:role/x' that was provided", "role_refused"),
    (
        "(service web) was unable to place a task because no container instance met all of its requirements.",
        "no_capacity",
    ),
    ("Capacity is unavailable at this time. Please try again later or in a different availability zone", "no_capacity"),
    (
        "Unexpected EC2 error while attempting to Create Network Interface: InsufficientFreeAddressesInSubnet",
        "no_addresses",
    ),
    ("Your Spot Task was interrupted.", "spot_interrupted"),
    ("ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes", "volume_failed"),
]


@pytest.mark.parametrize(("text", "code"), KNOWN, ids=[f"{code}-{text[:30]}" for text, code in KNOWN])
def test_what_is_well_known_is_recognised(text: str, code: str) -> None:
    known = recognise(text)
    assert known is not None
    assert known.cause == code


def test_every_cause_is_tested_or_seen_in_logs() -> None:
    assert {symptom.cause for symptom in SYMPTOMS} == {code for _text, code in KNOWN} | {"port_in_use"}


def test_what_is_not_known_is_not_guessed() -> None:
    assert recognise("Essential container in task exited") is None


def test_a_container_that_exits_is_reported_with_exit_code_and_log() -> None:
    failed = stopped("f1", containers=[container("f1", exitCode=3)])
    evidence = Evidence(service(), [failed], logs={("f1", "web"): ["starting", "FATAL: DATABASE_URL is not set"]})
    failure = diagnose(evidence)
    assert failure["causes"] == ["container_exited"]
    assert failure["tasks"][0]["containers"][0]["exit_code"] == 3
    text = render("Service web: it failed.", failure)
    assert text.splitlines() == [
        "Service web: it failed.",
        "Task f1: Essential container in task exited",
        "  Container web: exit code 3",
        "    | starting",
        "    | FATAL: DATABASE_URL is not set",
        "What to do: The program exited by itself. Read its log, then correct it, its command or its environment.",
    ]


def test_a_program_that_writes_to_its_read_only_root_is_told_where_it_may_write() -> None:
    failed = stopped("f1", containers=[container("f1", exitCode=1)])
    log = ["Traceback (most recent call last):", "OSError: [Errno 30] Read-only file system: '/app/cache'"]
    failure = diagnose(Evidence(service(), [failed], logs={("f1", "web"): log}))
    assert failure["causes"] == ["root_read_only"]
    advice = render("Service web: it failed.", failure).splitlines()[-1]
    assert "Mount a volume of the task at that path, such as /tmp (volumes, mountPoints), or set" in advice


def test_a_task_that_was_stopped_did_not_end_by_itself() -> None:
    ended = container("t1", exitCode=137)
    task = stopped("t1", stopCode="UserInitiated", stoppedReason="Timed out.", containers=[ended])
    found = diagnose(Evidence(service(), [task]))
    assert found["causes"] == []
    assert render("It timed out.", found) == "It timed out.\nTask t1: Timed out.\n  Container web: exit code 137"


def test_tasks_that_failed_alike_are_reported_once_and_counted() -> None:
    tasks = [stopped(f"f{number}", stoppedAt=at(number)) for number in range(7)]
    other = stopped("g1", stopCode="TaskFailedToStart", stoppedReason="CannotPullContainerError: x: not found")
    failure = diagnose(Evidence(service(), [*tasks, other]))
    assert [(task["id"], task["alike"]) for task in failure["tasks"]] == [("g1", 1), ("f6", 7)]
    assert failure["failed_task_count"] == 8
    assert "Task f6 (and 6 more with the same reason): " in render("x", failure)


def test_out_of_memory_is_recognised_from_the_container() -> None:
    killed = container("f1", exitCode=137, reason="OutOfMemoryError: Container killed due to memory usage")
    failure = diagnose(Evidence(service(), [stopped("f1", containers=[killed])]))
    assert failure["causes"] == ["out_of_memory"]
    assert "exit code 137 (killed, often because it ran out of memory)" in render("x", failure)


def test_the_end_of_a_log_may_have_the_cause() -> None:
    failed = stopped("f1", containers=[container("f1", exitCode=1)])
    lines = ["bind() to 0.0.0.0:80 failed (98: Address already in use)"]
    assert diagnose(Evidence(service(), [failed], logs={("f1", "web"): lines}))["causes"] == ["port_in_use"]


def test_only_the_last_lines_of_a_log_are_reported() -> None:
    lines = [f"line {number}" for number in range(100)]
    failure = diagnose(Evidence(service(), [stopped("f1")], logs={("f1", "web"): lines}))
    assert failure["tasks"][0]["containers"][0]["log"] == lines[-LOG_LINES:]


def test_a_failing_container_health_check_is_reported() -> None:
    sick = stopped(
        "f1",
        stopCode="ServiceSchedulerInitiated",
        stoppedReason="Task failed container health checks",
        containers=[container("f1", healthStatus="UNHEALTHY")],
    )
    failure = diagnose(Evidence(service(), [sick]))
    assert failure["causes"] == ["container_health_check"]
    assert "Container web: health check failed" in render("x", failure)


def test_unhealthy_targets_are_reported_with_their_reason() -> None:
    mismatch = target(
        "10.0.0.1",
        "unhealthy",
        Reason="Target.ResponseCodeMismatch",
        Description="Health checks failed with these codes: [404]",
    )
    leaving = target("10.0.0.2", "draining")
    groups = {GROUP: target_group()}
    failure = diagnose(Evidence(service(**BALANCED), targets={GROUP: [mismatch, leaving]}, groups=groups))
    assert failure["causes"] == ["health_check_path"]
    assert [item["code"] for item in failure["targets"]] == ["Target.ResponseCodeMismatch"]
    assert (
        "Target 10.0.0.1:8080 is unhealthy: Health checks failed with these codes: [404]"
        " (HTTP GET /health on the target's port: expected 200)" in render("x", failure)
    )


@pytest.mark.parametrize(
    ("reason", "description", "cause"),
    [
        ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [301]", "health_check_redirected"),
        ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [400]", "health_check_host"),
        ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [401]", "health_check_denied"),
        ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]", "health_check_path"),
        ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [410]", "target_unhealthy"),
        ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [502]", "health_check_error"),
        ("Target.Timeout", "Request timed out", "health_check_timeout"),
        ("Target.FailedHealthChecks", "Health checks failed", "health_check_refused"),
        ("Elb.InternalError", "Health checks failed due to an internal error", "target_unhealthy"),
    ],
)
def test_each_way_to_fail_a_health_check_has_its_cause(reason: str, description: str, cause: str) -> None:
    targets = {GROUP: [target("10.0.0.1", "unhealthy", Reason=reason, Description=description)]}
    assert diagnose(Evidence(service(**BALANCED), targets=targets))["causes"] == [cause]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("[INFO] Listening at: http://127.0.0.1:8080 (7)", "listens_on_loopback"),
        ("INFO: Uvicorn running on http://localhost:8080 (Press CTRL+C to quit)", "listens_on_loopback"),
        ("Starting development server at http://127.0.0.1:8080/", "listens_on_loopback"),
        ("Server is running on [::1]:8080", "listens_on_loopback"),
        ("[INFO] Listening at: http://0.0.0.0:3000 (7)", "listens_elsewhere"),
        ("Tomcat started on port(s): 9090 (http) with context path ''", "listens_elsewhere"),
        ("listening on :3000", "listens_elsewhere"),
        ("Example app listening on port 3000", "listens_elsewhere"),
        ("Listening on [::]:8080", "health_check_refused"),
        ("Connecting to 127.0.0.1:5432", "health_check_refused"),
        ("worker 12 started at 12:30:11", "health_check_refused"),
    ],
)
def test_a_log_shows_where_a_program_listens(line: str, cause: str) -> None:
    refused = target("10.0.0.1", "unhealthy", Reason="Target.FailedHealthChecks", Description="Health checks failed")
    running = task("n1")
    evidence = Evidence(service(**BALANCED), [running], logs={("n1", "web"): [line]}, targets={GROUP: [refused]})
    assert diagnose(evidence)["causes"] == [cause]


def test_a_port_beside_the_right_one_is_no_cause() -> None:
    refused = target("10.0.0.1", "unhealthy", Reason="Target.Timeout", Description="Request timed out")
    lines = ["Listening on 0.0.0.0:8080", "Metrics: listening on 127.0.0.1:9100"]
    evidence = Evidence(service(**BALANCED), [task("n1")], logs={("n1", "web"): lines}, targets={GROUP: [refused]})
    assert diagnose(evidence)["causes"] == ["health_check_timeout"]


def test_what_a_target_answers_goes_before_what_ecs_says_of_it() -> None:
    reason = f"Task failed ELB health checks in (target-group {GROUP})"
    sick = stopped("f1", stopCode="ServiceSchedulerInitiated", stoppedReason=reason)
    timeout = target("10.0.0.1", "unhealthy", Reason="Target.Timeout", Description="Request timed out")
    assert diagnose(Evidence(service(**BALANCED), [sick]))["causes"] == ["load_balancer_health_check"]
    assert diagnose(Evidence(service(**BALANCED), [sick], targets={GROUP: [timeout]}))["causes"] == [
        "health_check_timeout"
    ]


def test_the_event_shows_where_targets_are_deleted() -> None:
    reason = "Health checks failed with these codes: [404]"
    message = f"(service web) (port 8080) is unhealthy in (target-group {GROUP}) due to (reason {reason})"
    events = [{"id": "1", "createdAt": at(500), "message": message}]
    sick = stopped("f1", stopCode="ServiceSchedulerInitiated", stoppedReason="Task failed ELB health checks in (x)")
    assert diagnose(Evidence(service(events=events, **BALANCED), [sick]))["causes"] == ["health_check_path"]
    failure = diagnose(Evidence(service(events=events, **BALANCED), [sick], groups={GROUP: target_group()}))
    assert "HTTP GET /health on the target's port: expected 200, got 404." in render("x", failure)


def test_a_new_target_is_reported_with_what_the_one_before_answered() -> None:
    reason = "Health checks failed with these codes: [404]"
    message = f"(service web) (port 8080) is unhealthy in (target-group {GROUP}) due to (reason {reason})"
    events = [{"id": "1", "createdAt": at(500), "message": message}]
    new = target(
        "10.0.0.3", "initial", Reason="Elb.InitialHealthChecking", Description="Initial health checks in progress"
    )
    groups = {GROUP: target_group()}
    failure = diagnose(Evidence(service(events=events, **BALANCED), targets={GROUP: [new]}, groups=groups))
    assert "(HTTP GET /health on the target's port: expected 200, got 404)" in render("x", failure)


NO_LIMIT = "The container ran out of memory. "


@pytest.mark.parametrize(
    ("definition", "limit"),
    [
        ({"memory": "512", "containerDefinitions": [{"name": "web"}]}, "Container web used all 512 MiB of the task. "),
        (
            {"memory": "512", "containerDefinitions": [{"name": "web", "memory": 64}]},
            "Container web used all of its 64 MiB. ",
        ),
        ({"containerDefinitions": [{"name": "web"}]}, ""),
        ({}, ""),
    ],
)
def test_out_of_memory_names_the_limit(definition: Json, limit: str) -> None:
    killed = container("f1", exitCode=137, reason="OutOfMemoryError: Container killed due to memory usage")
    failure = diagnose(Evidence(service(), [stopped("f1", containers=[killed])], task_definition=definition))
    assert failure["advice"] == [
        f"{limit or NO_LIMIT}Raise memory in the task definition, or make the program use less."
    ]


def test_a_port_that_the_container_does_not_have_is_reported() -> None:
    definition: Json = {"containerDefinitions": [{"name": "web", "portMappings": [{"containerPort": 80}]}]}
    unhealthy = {GROUP: [target("10.0.0.1", "unhealthy")]}
    failure = diagnose(Evidence(service(**BALANCED), task_definition=definition, targets=unhealthy))
    assert failure["causes"] == ["port_mismatch"]


def test_events_are_the_cause_where_no_task_is() -> None:
    message = "(service web) was unable to place a task because no container instance met all of its requirements."
    events = [{"id": "1", "createdAt": at(500), "message": message}]
    failure = diagnose(Evidence(service(events=events)))
    assert failure["causes"] == ["no_capacity"]
    assert f"Event: {message}" in render("x", failure)


def test_events_from_before_the_deployment_are_not_reported() -> None:
    events = [{"createdAt": at(number), "message": f"event {number}"} for number in (300, 200, 100)]
    assert recent_events(service(events=events), at(200)) == ["event 300", "event 200"]


def test_what_could_not_be_read_is_said() -> None:
    denied = "AWS answered GetLogEvents with AccessDeniedException: no"
    failure = diagnose(Evidence(service(), [stopped("f1")], unread=(denied,)))
    assert f"Could not be read: {denied}" in render("x", failure)
    assert failure["tasks"]


def test_values_of_the_environment_are_never_printed() -> None:
    definition: Json = {
        "containerDefinitions": [
            {"name": "web", "environment": [{"name": "TOKEN", "value": "hunter2"}], "portMappings": []}
        ]
    }
    failed = stopped("f1", overrides={"containerOverrides": [{"environment": [{"name": "T", "value": "hunter2"}]}]})
    failure = diagnose(Evidence(service(), [failed], task_definition=definition))
    assert "hunter2" not in f"{failure}{render('x', failure)}"


def test_logs_are_where_the_task_definition_sends_them() -> None:
    def logging(name: str, driver: str, **options: str) -> Json:
        return {"name": name, "logConfiguration": {"logDriver": driver, "options": options}}

    definition = {
        "containerDefinitions": [
            logging("web", "awslogs", **{"awslogs-group": "/shop", "awslogs-stream-prefix": "v2"}),
            logging("proxy", "awslogs", **{"awslogs-group": "/proxy", "awslogs-region": "eu-north-1"}),
            logging("router", "awsfirelens"),
            {"name": "silent"},
        ]
    }
    containers = [
        {"name": item["name"], "runtimeId": f"{item['name']}-id"} for item in definition["containerDefinitions"]
    ]
    assert log_places(stopped("f1", containers=containers), definition) == [
        LogPlace("web", "", "/shop", "v2/web/f1"),
        LogPlace("proxy", "eu-north-1", "/proxy", "proxy-id"),
    ]

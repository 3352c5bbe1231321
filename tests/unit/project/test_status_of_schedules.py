# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each schedule runs, when it ran and how that ended, and when it runs next."""

from __future__ import annotations

import typing as t

import boto3
import botocore.client
import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._project import schedules_flow
from ansible_collections.slipway.aws.plugins.module_utils._project.status.model import status
from ansible_collections.slipway.aws.plugins.plugin_utils.status import table
from ansible_collections.slipway.aws.tests.unit.project.projects import NOW, Json, project, resource, service

CLUSTER = "arn:aws:ecs:eu-central-1:123456789012:cluster/ecs"
FAMILY = "arn:aws:ecs:eu-central-1:123456789012:task-definition/web"


def schedule(name: str = "night", revision: int = 1, **members: t.Any) -> Json:
    overrides = {"containerOverrides": [{"name": "web", "command": ["clean", "up"]}]}
    parameters = {"TaskDefinitionArn": f"{FAMILY}:{revision}"}
    return {
        "Name": name,
        "ScheduleExpression": "cron(0 22 * * ? *)",
        "ScheduleExpressionTimezone": "UTC",
        "CreationDate": "2026-11-01T00:00:00Z",
        "State": "ENABLED",
        "Target": {"Arn": CLUSTER, "EcsParameters": parameters, "Input": overrides},
        **members,
    }


def run(code: int | None = 0, name: str = "night", **members: t.Any) -> Json:
    """A task that a schedule started half an hour ago."""
    sidecar = {"name": "log", "exitCode": 137}
    return {
        "taskArn": f"{CLUSTER}/1",
        "taskDefinitionArn": f"{FAMILY}:1",
        "startedBy": f"chronos-schedule/{name}",
        "lastStatus": "STOPPED",
        "createdAt": "2026-11-29T11:30:00Z",
        "startedAt": "2026-11-29T11:30:10Z",
        "stoppedAt": "2026-11-29T11:31:00Z",
        "stoppedReason": "Essential container in task exited",
        "containers": [sidecar, {"name": "web", **({} if code is None else {"exitCode": code})}],
        **members,
    }


def of(*schedules: Json, tasks: t.Sequence[Json] = (), services: t.Sequence[Json] = ()) -> Json:
    group = resource("schedule group", "ecs", schedules=list(schedules))
    return status("ecs", {**project(group, *services), "scheduled_tasks": list(tasks)}, NOW)


def only(*schedules: Json, **more: t.Any) -> Json:
    [found] = of(*schedules, **more)["schedules"]
    return t.cast(Json, found)


def test_a_schedule_has_its_last_and_its_next_run() -> None:
    older = run(code=1, createdAt="2026-11-29T11:00:00Z")
    by_hand = run(startedBy="slipway/schedule/night", createdAt="2026-11-29T11:45:00Z", taskArn=f"{CLUSTER}/2")
    assert only(schedule(), tasks=[run(code=1), by_hand])["last_run"]["task_arn"] == f"{CLUSTER}/2"
    others = [run(code=1, name="other"), run(code=1, taskDefinitionArn=FAMILY.replace("web", "api") + ":1")]
    found = only(schedule(), tasks=[older, run(), *others])
    assert (found["state"], found["next_run"], found["problems"]) == ("enabled", "2026-11-29T22:00:00Z", [])
    last = found["last_run"]
    assert (last["exit_code"], last["started_at"], last["stopped_at"]) == (
        0,
        "2026-11-29T11:30:10Z",
        "2026-11-29T11:31:00Z",
    )
    assert only(schedule())["last_run"] is None


@pytest.mark.parametrize(
    ("members", "state", "following"),
    [
        ({"ScheduleExpressionTimezone": "Asia/Seoul"}, "enabled", "2026-11-29T13:00:00Z"),
        ({"ScheduleExpression": "rate(1 hour)", "CreationDate": "2026-11-29T11:15:00Z"}, "enabled", "12:15:00Z"),
        ({"ScheduleExpression": "rate(1 hour)", "StartDate": "2026-12-01T10:00:00Z"}, "enabled", "12-01T10:00:00Z"),
        ({"ScheduleExpression": "at(2026-12-24T18:00:00)"}, "enabled", "2026-12-24T18:00:00Z"),
        ({"ScheduleExpression": "at(2026-01-24T18:00:00)"}, "over", None),
        ({"EndDate": "2026-11-29T20:00:00Z"}, "over", None),
        ({"State": "DISABLED"}, "disabled", None),
    ],
)
def test_the_next_run_is_what_the_schedule_says(members: Json, state: str, following: str | None) -> None:
    found = only(schedule(**members))
    assert found["state"] == state
    assert str(found["next_run"]).endswith(str(following))


@pytest.mark.parametrize(
    ("code", "members", "problem"),
    [
        (1, {}, "The last run failed with exit code 1: Essential container in task exited."),
        (None, {"stoppedReason": "CannotPullContainerError"}, "The last run did not start: CannotPullContainerError."),
    ],
)
def test_a_run_that_failed_needs_attention(code: int | None, members: Json, problem: str) -> None:
    found = of(schedule(), tasks=[run(code, **members)])
    assert found["schedules"][0]["problems"] == [problem]
    assert found["summary"]["needing_attention"] == 1


def test_a_task_that_still_runs_is_no_failure() -> None:
    found = only(schedule(), tasks=[run(None, lastStatus="RUNNING")])
    assert (found["last_run"]["status"], found["problems"]) == ("running", [])


def test_a_schedule_that_does_not_run_what_the_service_runs_needs_attention() -> None:
    web = service("web")
    current = str(web[0]["details"]["taskDefinition"]).rpartition(":")[2]
    assert only(schedule(revision=int(current)), services=web)["problems"] == []
    [problem] = only(schedule(revision=99), services=web)["problems"]
    assert problem == f"It runs web:99, but the service runs web:{current}. Rerun the release."


def test_the_table_has_a_line_for_each_schedule() -> None:
    seoul = schedule("orders", ScheduleExpressionTimezone="Asia/Seoul")
    found = of(schedule(), seoul, schedule("off", State="DISABLED"), tasks=[run(1)])
    lines = [line.text for line in table(found, 120)]
    start = next(at for at, line in enumerate(lines) if line.startswith("  SCHEDULE"))
    assert lines[start].split() == ["SCHEDULE", "WHEN", "NEXT", "RUN", "LAST", "RUN", "REVISION"]
    assert lines[start + 1].startswith("! night     cron(0 22 * * ? *)  ")
    assert "in 10 h" in lines[start + 1]
    assert "29 min ago, exit code 1" in lines[start + 1]
    assert lines[start + 2].strip() == "The last run failed with exit code 1: Essential container in task exited."
    assert "cron(0 22 * * ? *) Asia/Seoul  in 1 h" in lines[start + 3]
    assert "none in the last hour" in lines[start + 3]
    assert "disabled" in lines[start + 4]


def test_without_the_permission_the_last_run_is_unknown(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_client: t.Any, operation: str, _request: Json) -> t.NoReturn:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not for you"}}, operation)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", denied)
    ecs = boto3.client("ecs")
    without = project(*service("web"))
    assert schedules_flow.with_scheduled_tasks(ecs, without) == {**without, "scheduled_tasks": []}
    read = schedules_flow.with_scheduled_tasks(ecs, project(resource("schedule group", "ecs", schedules=[schedule()])))
    [unknown] = read["unknown"]
    assert (unknown["kind"], unknown["action"], unknown["code"]) == ("schedule group", "ecs:ListTasks", "access_denied")

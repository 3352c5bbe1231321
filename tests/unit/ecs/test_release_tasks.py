# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks that run before and after the services of a release change, against moto with simulated rollouts."""

from __future__ import annotations

import http.server
import signal
import threading
import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._ecs import api as ecs_api
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release import flow as release_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release import tasks_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task import api as task_api
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task import run_flow
from ansible_collections.slipway.aws.tests.unit.ecs.releases import (
    Json,
    Rollouts,
    Run,
    described,
    item,
    newer,
    running,
    states,
)

MIGRATE: Json = {"name": "migrate", "service": "web", "command": ["migrate"], "wait_timeout": 5}
SMOKE: Json = {**MIGRATE, "name": "smoke", "command": ["smoke"]}
PULL = "CannotPullContainerError: manifest unknown"


class Tasks:
    """Answers how tasks end. `ends` has the exit code of each command, None for an image that does not exist, and
    `hangs` those that run on until they are stopped."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ends: dict[str, int | None] = {}
        self.hangs: set[str] = set()
        self.before_read: list[t.Callable[[], object]] = []
        self.started: list[str] = []
        self.requests: list[Json] = []
        self._codes: dict[str, int | None] = {}
        describe, run = task_api.describe_tasks, task_api.run_tasks

        def described_tasks(ecs: t.Any, cluster: str, arns: list[str]) -> list[Json]:
            if self.before_read:
                self.before_read.pop(0)()
            return [self._ended(task) for task in describe(ecs, cluster, arns)]

        def run_tasks(ecs: t.Any, request: Json) -> list[Json]:
            self.started.append(_command(request))
            self.requests.append(request)
            started = run(ecs, request)
            self._codes |= {task["taskArn"]: self.ends.get(_command(request), 0) for task in started}
            return started

        monkeypatch.setattr(task_api, "describe_tasks", described_tasks)
        monkeypatch.setattr(task_api, "run_tasks", run_tasks)
        monkeypatch.setattr(run_flow, "STOP_SECONDS", 0.1)

    def _ended(self, task: Json) -> Json:
        was_stopped = task["desiredStatus"] == "STOPPED"
        if _command(task) in self.hangs and not was_stopped:
            return {**task, "lastStatus": "RUNNING", "containers": [{"name": "web"}]}
        code = 137 if was_stopped else self._codes[task["taskArn"]]
        own = {"name": "web", **({"reason": PULL} if code is None else {"exitCode": code})}
        return {**task, "lastStatus": "STOPPED", "stopCode": "EssentialContainerExited", "containers": [own]}


def _command(of: Json) -> str:
    return str(of["overrides"]["containerOverrides"][0]["command"][0])


@pytest.fixture
def placed(aws: None) -> Json:
    """Where services and tasks run. moto checks it when it starts a task."""
    ec2 = boto3.client("ec2")
    subnets = [ec2.describe_subnets()["Subnets"][0]["SubnetId"]]
    groups = [ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]]
    network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": groups}}
    definition = {"network_mode": "awsvpc", "cpu": "256", "memory": "512"}
    return {"definition": definition, "network_configuration": network, "launch_type": "FARGATE"}


@pytest.fixture
def shop(release: Run, placed: Json) -> list[Json]:
    """Newer versions of three services that run."""
    items = [item(name, **placed) for name in ("db", "stock", "web")]
    assert release(*items)["changed"]
    return newer(*items)


@pytest.fixture
def tasks(rollouts: Rollouts, monkeypatch: pytest.MonkeyPatch) -> Tasks:
    return Tasks(monkeypatch)


def task_states(result: Json) -> dict[str, str]:
    options = ("pre_deploy_tasks", "post_deploy_tasks")
    return {task["name"]: task["state"] for option in options for task in result.get(option, ())}


def active(ecs: t.Any, family: str) -> int:
    return len(ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"])


def test_tasks_run_with_the_new_revision_before_and_after_the_services(
    release: Run, shop: list[Json], tasks: Tasks, calls: list[str]
) -> None:
    shop[2]["pre_deploy_tasks"] = [{"name": "warm", "command": ["warm"], "environment": {"A": 2}}]
    options = {"pre_deploy_tasks": [MIGRATE], "post_deploy_tasks": [SMOKE]}
    predicted = release(*shop, check=True, **options)
    assert task_states(predicted) == dict.fromkeys(["migrate", "warm", "smoke"], "not_started")
    assert "RunTask" not in calls
    result = release(*shop, **options)
    assert task_states(result) == dict.fromkeys(["migrate", "warm", "smoke"], "succeeded"), result
    assert tasks.started == ["migrate", "warm", "smoke"]
    new = result["services"]["web"]["after"]["task_definition"]
    assert {request["taskDefinition"] for request in tasks.requests} == {new}
    updates = [number for number, call in enumerate(calls) if call == "UpdateService"]
    runs = [number for number, call in enumerate(calls) if call == "RunTask"]
    assert runs[1] < updates[0] < updates[-1] < runs[2]
    calls.clear()
    again = release(*shop, **options)
    assert (again["changed"], task_states(again)) == (False, dict.fromkeys(["migrate", "warm", "smoke"], "not_needed"))
    assert not {"RunTask", "ListTasks", "TagResource"} & set(calls)
    assert task_states(release(*shop, check=True, **options)) == task_states(again)


def test_tasks_run_for_services_that_do_not_exist_yet(release: Run, tasks: Tasks, placed: Json) -> None:
    web = item("web", tags={"team": "shop"}, propagate_tags="SERVICE", **placed)
    result = release(web, pre_deploy_tasks=[MIGRATE])
    assert (states(result), task_states(result)) == ({"web": "created"}, {"migrate": "succeeded"}), result
    (request,) = tasks.requests
    assert request["networkConfiguration"] == placed["network_configuration"]
    assert (request["launchType"], request["tags"]) == ("FARGATE", [{"key": "team", "value": "shop"}])


@pytest.mark.parametrize(
    "case",
    [
        (1, "task_failed", "The command in a task of web:2 failed with exit code 1."),
        (None, "task_failed", PULL),
        ("hangs", "timeout", "The task of web:2 timed out and was stopped."),
    ],
    ids=["fails", "image missing", "hangs"],
)
def test_if_a_task_before_the_services_fails_nothing_is_touched(
    release: Run, shop: list[Json], tasks: Tasks, ecs: t.Any, case: tuple[t.Any, str, str]
) -> None:
    end, code, said = case
    tasks.ends["migrate"], tasks.hangs = (0, {"migrate"}) if end == "hangs" else (end, set())
    options = {"pre_deploy_tasks": [{**MIGRATE, "wait_timeout": 1}], "post_deploy_tasks": [SMOKE]}
    result = release(*shop, **options)
    assert (result["code"], result["changed"]) == (code, False), result
    assert "Pre-deploy task migrate of service web: " in result["msg"]
    assert said in result["msg"]
    assert "No service was changed." in result["msg"]
    assert task_states(result) == {"migrate": "failed", "smoke": "not_started"}
    assert states(result) == dict.fromkeys(["db", "stock", "web"], "not_started")
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"
    assert [active(ecs, family) for family in ("db", "stock", "web")] == [1, 1, 1], "revisions are left"
    # Corrected, the same release runs it again.
    tasks.ends.clear()
    tasks.hangs = set()
    assert release(*shop, **options)["changed"]
    assert tasks.started == ["migrate", "migrate", "smoke"]
    assert running(ecs, "db", "stock", "web") == "db:3 stock:3 web:3"


def test_revisions_of_another_run_are_kept(release: Run, shop: list[Json], tasks: Tasks, ecs: t.Any, run: Run) -> None:
    made = run("ecs_task_definition", **shop[2]["task_definition"])
    assert made["changed"]
    tasks.ends["migrate"] = 1
    assert release(*shop, pre_deploy_tasks=[MIGRATE])["code"] == "task_failed"
    assert [active(ecs, family) for family in ("stock", "web")] == [1, 2]


def test_if_a_task_after_the_services_fails_all_are_rolled_back(
    release: Run, shop: list[Json], tasks: Tasks, ecs: t.Any
) -> None:
    tasks.ends["smoke"] = 7
    result = release(*shop, pre_deploy_tasks=[MIGRATE], post_deploy_tasks=[SMOKE])
    assert result["code"] == "task_failed"
    assert result["msg"].startswith("The release failed: Post-deploy task smoke. Rolled back: db, stock, web.")
    assert "failed with exit code 7" in result["msg"]
    assert set(states(result).values()) == {"rolled_back"}
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"
    kept = release(*shop, post_deploy_tasks=[SMOKE], on_failure="keep")
    assert "Kept as released: db, stock, web." in kept["msg"]
    assert running(ecs, "db", "stock", "web") == "db:2 stock:2 web:2"


def test_a_service_that_fails_keeps_later_tasks_from_running(
    release: Run, shop: list[Json], rollouts: Rollouts, tasks: Tasks, ecs: t.Any
) -> None:
    rollouts.ends["web/2"] = "ROLLBACK_SUCCESSFUL"
    result = release(*shop, post_deploy_tasks=[SMOKE])
    assert (tasks.started, task_states(result)) == ([], {"smoke": "not_started"})
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"


class Killed(BaseException):
    """Ends the module at once, without a chance to say anything."""


def kill() -> t.NoReturn:
    raise Killed


@pytest.mark.parametrize("new", [False, True], ids=["services exist", "first release"])
def test_a_release_that_dies_while_a_task_runs_finds_it_again(
    release: Run, shop: list[Json], tasks: Tasks, placed: Json, new: bool
) -> None:
    ecs = boto3.client("ecs")
    services = [item("api", **placed)] if new else shop
    task = {**MIGRATE, "service": "api"} if new else MIGRATE
    tasks.hangs = {"migrate"}
    # Reads of tasks before the first change, then the first one that waits.
    tasks.before_read = [lambda: tasks.before_read.append(kill)]
    with pytest.raises(Killed):
        release(*services, pre_deploy_tasks=[task])
    assert tasks.started == ["migrate"]
    tasks.hangs = set()
    result = release(*services, pre_deploy_tasks=[task], post_deploy_tasks=[{**SMOKE, "service": task["service"]}])
    assert task_states(result) == {"migrate": "succeeded", "smoke": "succeeded"}, result
    assert tasks.started == ["migrate", "smoke"]
    assert any("migrate  finds the task of an earlier run" in line for line in result["progress"])
    names = [one["name"] for one in services]
    assert not [service["tags"] for service in described(ecs, *names) if service.get("tags")]


def test_a_release_that_dies_while_services_change_does_not_run_earlier_tasks_again(
    release: Run, shop: list[Json], tasks: Tasks, rollouts: Rollouts
) -> None:
    rollouts.refused["UpdateService", "stock"] = Killed
    with pytest.raises(Killed):
        release(*shop, pre_deploy_tasks=[MIGRATE])
    result = release(*shop, pre_deploy_tasks=[MIGRATE])
    assert (task_states(result), tasks.started) == ({"migrate": "not_needed"}, ["migrate"])
    assert set(states(result).values()) <= {"updated", "unchanged"}


def test_an_interrupted_release_leaves_the_task_and_says_so(
    release: Run, shop: list[Json], tasks: Tasks, ecs: t.Any
) -> None:
    tasks.hangs = {"migrate"}
    tasks.before_read = [lambda: tasks.before_read.append(lambda: signal.raise_signal(signal.SIGTERM))]
    result = release(*shop, pre_deploy_tasks=[MIGRATE])
    arn = result["pre_deploy_tasks"][0]["task_arn"]
    assert (result["code"], task_states(result)) == ("interrupted", {"migrate": "in_progress"}), result
    assert f"Pre-deploy task migrate continues: {arn.rpartition('/')[2]}." in result["msg"]
    assert states(result) == dict.fromkeys(["db", "stock", "web"], "not_started")
    # Its rollback has nothing to change but the checkpoints.
    assert set(states(release(rollback=True)).values()) == {"rolled_back"}
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"


def test_credentials_that_expire_leave_the_task_to_a_rerun(
    release: Run, shop: list[Json], tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expire() -> t.NoReturn:
        raise SlipwayError("no_credentials", "The session has expired.")

    tasks.hangs = {"migrate"}
    tasks.before_read = [lambda: tasks.before_read.append(expire)]
    result = release(*shop, pre_deploy_tasks=[MIGRATE])
    assert (result["code"], task_states(result)) == ("no_credentials", {"migrate": "in_progress"})
    assert "Pre-deploy task migrate continues: " in result["msg"]
    tasks.hangs = set()
    assert task_states(release(*shop, pre_deploy_tasks=[MIGRATE])) == {"migrate": "succeeded"}
    assert tasks.started == ["migrate"]


def test_a_task_that_may_not_be_started_changes_nothing(
    release: Run, shop: list[Json], tasks: Tasks, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_arguments: t.Any) -> t.NoReturn:
        raise SlipwayError("access_denied", "AWS answered RunTask with AccessDeniedException: no")

    monkeypatch.setattr(task_api, "run_tasks", denied)
    result = release(*shop, pre_deploy_tasks=[MIGRATE])
    assert (result["code"], "No service was changed." in result["msg"]) == ("access_denied", True)
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"
    assert active(ecs, "web") == 1


def test_a_release_that_has_lost_its_lock_starts_no_task(
    release: Run, shop: list[Json], tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost() -> t.NoReturn:
        raise SlipwayError("lock_lost", "Another run took over.")

    def run_pre_deploy(running: t.Any) -> None:
        running.group.guard = lost
        tasks_flow.run_pre_deploy(running)

    monkeypatch.setattr(release_flow, "run_pre_deploy", run_pre_deploy)
    result = release(*shop, pre_deploy_tasks=[MIGRATE])
    assert (result["code"], tasks.started) == ("lock_lost", [])


def test_a_checkpoint_that_may_not_be_written_starts_no_task(
    release: Run, shop: list[Json], tasks: Tasks, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_arguments: t.Any) -> t.NoReturn:
        raise SlipwayError("access_denied", "AWS answered TagResource with AccessDeniedException: no")

    monkeypatch.setattr(ecs_api, "tag_resource", denied)
    result = release(*shop, pre_deploy_tasks=[MIGRATE])
    assert (result["code"], tasks.started, result["changed"]) == ("access_denied", [], False)
    assert "No service was changed." in result["msg"]
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"
    assert active(ecs, "web") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pre_deploy_tasks": [{**MIGRATE, "service": "x"}]}, "service: expected one of the release (db, stock, web)"),
        ({"pre_deploy_tasks": [{**MIGRATE, "container": "x"}]}, "container: expected one of web, got 'x'."),
        ({"post_deploy_tasks": [SMOKE, SMOKE]}, "post_deploy_tasks: expected each name once, got smoke 2 times."),
        ({"pre_deploy_tasks": [{**MIGRATE, "wait_timeout": 0}]}, "wait_timeout: expected 1 second or more, got 0."),
        (
            {"pre_deploy_tasks": [{**MIGRATE, "overrides": {"cpus": "1"}}]},
            "pre_deploy_tasks[0] (migrate): overrides: unknown member 'cpus'",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_wrong_tasks_are_refused_before_anything_is_read(
    release: Run, shop: list[Json], calls: list[str], options: Json, said: str
) -> None:
    calls.clear()
    result = release(*shop, **options)
    assert (result["code"], said in result["msg"]) == ("invalid_option", True), result["msg"]
    assert calls == []


def test_a_wrong_task_of_a_service_is_named(release: Run, calls: list[str]) -> None:
    web = item("web", pre_deploy_tasks=[{"name": "migrate", "service": "web"}])
    result = release(*newer(web))
    assert result["code"] == "invalid_option"
    assert "services, web: pre_deploy_tasks[0] (migrate): " in result["msg"], result["msg"]


class Page(http.server.BaseHTTPRequestHandler):
    """A page that says which version it is, after some failures. Other paths redirect to it."""

    content = b"v2"
    failures: t.ClassVar[list[int]] = []

    def do_GET(self) -> None:
        status = 302 if self.path != "/" else self.failures.pop() if self.failures else 200
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/")
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_arguments: t.Any) -> None:
        pass


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[tuple[str, int]]:
    """Where the page is. moto answers requests to AWS alone, and lets those to this machine pass."""
    monkeypatch.setattr(Page, "failures", [])
    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield "127.0.0.1", server.server_port
        finally:
            server.shutdown()
            thread.join()


def checks(address: tuple[str, int], content: str = "v2") -> list[Json]:
    host, port = address
    # The checks of the release follow it to the page.
    page = {"name": "page", "url": f"http://{host}:{port}/old", "content": content}
    return [page, {"name": "port", "type": "tcp", "host": host, "port": port}]


def test_a_release_ends_when_its_checks_succeed(release: Run, shop: list[Json], address: tuple[str, int]) -> None:
    Page.failures.append(503)
    result = release(*shop, verify=checks(address))
    assert [(check["name"], check["state"]) for check in result["verify"]] == [
        ("page", "succeeded"),
        ("port", "succeeded"),
    ], result
    host, port = address
    expected = f"page: http://{host}:{port}/old: expected status 200, got status 503 (Service Unavailable)."
    assert any(expected in line for line in result["progress"])
    again = release(*shop, verify=checks(address))
    assert (again["changed"], {check["state"] for check in again["verify"]}) == (False, {"not_needed"})


def test_a_check_that_fails_rolls_back_all_services(
    release: Run, shop: list[Json], tasks: Tasks, ecs: t.Any, address: tuple[str, int]
) -> None:
    wrong = [*checks(address, "v3"), {"name": "closed", "type": "tcp", "host": "127.0.0.1", "port": 1}]
    result = release(*shop, pre_deploy_tasks=[MIGRATE], verify=wrong, verify_timeout=1)
    assert result["code"] == "verification_failed", result
    assert result["msg"].startswith("The release failed: check page, check closed. Rolled back: db, stock, web.")
    assert "page: http://127.0.0.1:" in result["msg"]
    assert "expected content that matches 'v3', got other content with status 200." in result["msg"]
    assert "closed: 127.0.0.1: expected connections on port 1, got none: " in result["msg"]
    assert set(states(result).values()) == {"rolled_back"}
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"name": "page"}, "verify[0] (page): url: expected a value, as type http requires it, got none."),
        ({"name": "page", "url": "web/"}, "url: expected an address that begins with http:// or https://, got 'web/'."),
        ({"name": "page", "url": "http://web/", "content": "("}, "content: expected a regular expression, got '('."),
        ({"name": "page", "url": "http://web/", "port": 80}, "port: expected none, as type http has no port, got 80."),
        ({"name": "port", "type": "tcp", "host": "web", "port": 0}, "port: expected a number from 1 to 65535, got 0."),
    ],
    ids=["no url", "no address", "no pattern", "port of a page", "no port"],
)
def test_wrong_checks_are_refused_before_anything_is_read(
    release: Run, calls: list[str], check: Json, said: str
) -> None:
    result = release(item("web"), verify=[check])
    assert (result["code"], said in result["msg"]) == ("invalid_option", True), result["msg"]
    assert set(calls) <= {"CreateCluster"}

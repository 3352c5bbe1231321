# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ecs_release beside other clients and on an AWS that denies, forgets and loses: nothing of others is deleted, and the
reason of a failure is never lost."""

from __future__ import annotations

import os
import re
import signal
import threading
import typing as t

import botocore.client
import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core.tags import CHECKPOINT_RUN_TAG
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release import rollback_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.checkpoint import Run, run_of
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service import change_flow as service_changes
from ansible_collections.slipway.aws.tests.unit.ecs.releases import (
    Json,
    Rollouts,
    described,
    item,
    newer,
    running,
    states,
)
from ansible_collections.slipway.aws.tests.unit.ecs.releases import Run as Release

Call = t.Callable[[], Json]
Hook = t.Callable[[str, Json, Call], Json]


class KilledError(BaseException):
    """SIGKILL: nothing of the module's own runs any more."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (rollback_flow, service_changes):
        monkeypatch.setattr(module, "_STALE_SECONDS", 0.1)


def hook(monkeypatch: pytest.MonkeyPatch, answer: Hook) -> None:
    """Let `answer(operation, request, call)` answer each call; `call()` is what AWS answers."""
    real = botocore.client.BaseClient._make_api_call

    def patched(client: t.Any, operation: str, request: Json) -> Json:
        return answer(operation, request, lambda: real(client, operation, request))

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", patched)


def error(operation: str, code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def deny(monkeypatch: pytest.MonkeyPatch, *operations: str) -> None:
    def answer(operation: str, _request: Json, call: Call) -> Json:
        if operation in operations:
            raise error(operation, "AccessDeniedException")
        return call()

    hook(monkeypatch, answer)


def expire(monkeypatch: pytest.MonkeyPatch, after: int) -> list[str]:
    """Let credentials expire after so many calls; the calls that were answered."""
    made: list[str] = []
    counting = threading.Lock()

    def answer(operation: str, _request: Json, call: Call) -> Json:
        with counting:
            if len(made) >= after:
                raise error(operation, "ExpiredTokenException", "The security token included in the request is expired")
            made.append(operation)
        return call()

    hook(monkeypatch, answer)
    return made


def kill(monkeypatch: pytest.MonkeyPatch, release: Release, operation: str, name: str, *items: Json) -> None:
    """A release that is killed in place of one call."""

    def answer(called: str, request: Json, call: Call) -> Json:
        concerns = str(request.get("service") or request.get("serviceName") or request.get("resourceArn"))
        if called == operation and concerns.endswith(name):
            raise KilledError
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        with pytest.raises(KilledError):
            release(*items)


def run_on(ecs: t.Any, name: str) -> Run | None:
    """The release that the checkpoint on a service names."""
    return run_of({tag["key"]: tag["value"] for tag in described(ecs, name)[0].get("tags", ())})


# What others created


@pytest.mark.parametrize("on_failure", ["rollback", "keep"])
def test_a_service_that_another_client_creates_meanwhile_is_left_alone(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch, on_failure: str
) -> None:
    def answer(operation: str, request: Json, call: Call) -> Json:
        if operation == "CreateService" and request.get("tags"):
            ecs.create_service(cluster="shop", serviceName="new", taskDefinition="db:1", desiredCount=1)
            raise error(operation, "InvalidParameterException", "Creation of service was not idempotent.")
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = release(shop[0], item("new", after=["db"]), on_failure=on_failure)
    assert running(ecs, "new") == "db:1"
    assert described(ecs, "new")[0]["status"] == "ACTIVE"
    assert (result["code"], result["failed_services"]) == ("conflict", ["new"])
    assert "expected no service with this name, got one that another client created in the meantime" in result["msg"]
    assert running(ecs, "db") == ("db:1" if on_failure == "rollback" else "db:2")


def test_a_service_that_a_read_did_not_show_is_left_alone(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = ["DescribeServices"]

    def answer(operation: str, request: Json, call: Call) -> Json:
        if operation == "DescribeServices" and stale.pop() if stale else False:
            return {"services": [], "failures": [{"arn": name, "reason": "MISSING"} for name in request["services"]]}
        if operation == "CreateService":
            raise error(operation, "InvalidParameterException", "Creation of service was not idempotent.")
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = release(shop[0])
    assert [one["status"] for one in described(ecs, "db")] == ["ACTIVE"]
    assert running(ecs, "db") == "db:1"
    assert (result["code"], result["failed_services"]) == ("conflict", ["db"])


def test_a_service_that_was_created_again_by_another_client_is_not_deleted(
    release: Release, rollouts: Rollouts, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollouts.ends["new/1"] = "STOPPED"

    def answer(operation: str, request: Json, call: Call) -> Json:
        answered = call()
        if operation == "DescribeServiceDeployments" and described(ecs, "new")[0].get("tags"):
            ecs.delete_service(cluster="shop", service="new", force=True)
            ecs.create_service(cluster="shop", serviceName="new", taskDefinition="new:1", desiredCount=0)
        return answered

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = release(item("new"))
    assert described(ecs, "new")[0]["status"] == "ACTIVE"
    assert result["code"] == "rollback_failed"
    assert result["failed_services"] == ["new"]
    assert "Someone stopped the deployment." in result["msg"]
    assert "Not changed, because another client created the current service." in result["msg"]


def test_a_service_that_another_release_has_taken_over_is_not_rolled_back(
    release: Release, shop: list[Json], rollouts: Rollouts, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollouts.ends["db/2"] = "STOPPED"
    others = Run("0123456789ab", 1, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", "root@elsewhere").tag()

    def answer(operation: str, request: Json, call: Call) -> Json:
        if operation == "DescribeServiceDeployments":
            arn = described(ecs, "db")[0]["serviceArn"]
            ecs.tag_resource(resourceArn=arn, tags=[{"key": CHECKPOINT_RUN_TAG, "value": others[CHECKPOINT_RUN_TAG]}])
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = release(shop[0])
    assert described(ecs, "db")[0]["taskDefinition"].endswith("db:2")
    assert result["code"] == "rollback_failed"
    assert "Not changed, because release 0123456789ab of root@elsewhere" in result["msg"]
    assert run_on(ecs, "db") == run_of(others)


# Answers that are lost


def test_a_lost_answer_of_create_service_ends_well(
    release: Release, rollouts: Rollouts, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An API that does not know tokens refuses botocore's second try."""
    tokens = []

    def answer(operation: str, request: Json, call: Call) -> Json:
        answered = call()
        if operation == "CreateService":
            tokens.append(request["clientToken"])
            raise error(operation, "InvalidParameterException", "Creation of service was not idempotent.")
        return answered

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = release(item("new"))
    assert states(result) == {"new": "created"}
    assert running(ecs, "new") == "new:1"
    assert len(tokens) == 1


def test_a_service_whose_creation_was_never_answered_is_deleted_again(
    release: Release, rollouts: Rollouts, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(operation: str, request: Json, call: Call) -> Json:
        answered = call()
        if operation == "CreateService":
            raise error(operation, "ServerException", "Service unavailable")
        return answered

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = release(item("new"))
    assert (result["code"], states(result)) == ("aws_error", {"new": "rolled_back"})
    assert described(ecs, "new")[0]["status"] == "INACTIVE"


def test_a_rerun_makes_the_same_request(release: Release, rollouts: Rollouts, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = []

    def answer(operation: str, request: Json, call: Call) -> Json:
        if operation == "CreateService":
            tokens.append(request["clientToken"])
            raise error(operation, "ServerException")
        return call()

    hook(monkeypatch, answer)
    for _run in range(2):
        release(item("new"))
    assert len(tokens) == 2
    assert len(set(tokens)) == 1


# Checkpoints that cannot be removed


@pytest.mark.parametrize("count", [1, 3])
def test_a_complete_release_whose_checkpoints_are_left_says_so_and_is_not_rolled_back(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    names = ["db", "stock", "web"][:count]
    with monkeypatch.context() as patch:
        deny(patch, "UntagResource")
        result = release(*shop[:count])
        assert (result["failed"], result["code"], result.get("changed")) == (True, "checkpoints_left", True)
        assert states(result) == dict.fromkeys(names, "updated")
        assert all(service["checkpoint_left"] for service in result["services"].values())
        assert "The release is complete" in result["msg"]
        assert "AWS answered UntagResource with AccessDeniedException" in result["msg"]
        assert release(rollback=True)["code"] == "checkpoints_left"
    assert targets(ecs, *names) == [f"{name}:2" for name in names]
    rolled_back = release(rollback=True)
    assert (rolled_back["changed"], states(rolled_back)) == (False, dict.fromkeys(names, "unchanged"))
    assert "Nothing to roll back, the release is complete" in rolled_back["progress"][0]
    assert running(ecs, *names) == " ".join(f"{name}:2" for name in names)


def targets(ecs: t.Any, *names: str) -> list[str]:
    return [service["taskDefinition"].rpartition("/")[2] for service in described(ecs, *names)]


def test_services_by_name_of_a_complete_release_are_not_rolled_back(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which of them says that it is complete is not known to who names some."""
    with monkeypatch.context() as patch:
        deny(patch, "UntagResource")
        release(*shop)
    for name in ("db", "web", "stock", "db"):
        assert not release({"name": name}, rollback=True)["changed"]
    assert running(ecs, "db", "stock", "web") == "db:2 stock:2 web:2"


def test_a_rerun_that_only_removes_checkpoints_changes_nothing(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        deny(patch, "UntagResource")
        release(*shop)
    result = release(*shop)
    assert (result["changed"], result["diff"]) == (False, [])
    assert running(ecs, "db", "stock", "web") == "db:2 stock:2 web:2"


def test_where_nothing_may_be_noted_the_account_shows_that_the_release_is_complete(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(operation: str, request: Json, call: Call) -> Json:
        noted = any("state=complete" in tag["value"] for tag in request.get("tags") or ())
        if operation == "UntagResource" or (operation == "TagResource" and noted):
            raise error(operation, "ExpiredTokenException")
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        assert release(*shop)["code"] == "checkpoints_left"
    result = release(rollback=True)
    assert (result["changed"], set(states(result).values())) == (False, {"unchanged"})
    assert targets(ecs, "db", "stock", "web") == ["db:2", "stock:2", "web:2"]
    assert not release(*shop)["changed"]
    assert running(ecs, "db", "stock", "web") == "db:2 stock:2 web:2"


@pytest.mark.parametrize("name", ["stock", "web"])
def test_a_run_that_is_killed_while_it_removes_checkpoints_is_not_rolled_back_in_part(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kill(monkeypatch, release, "UntagResource", name, *shop)
    assert not release(rollback=True)["changed"]
    assert running(ecs, "db", "stock", "web") == "db:2 stock:2 web:2"


def test_checkpoints_that_are_left_after_a_rollback_are_reported_with_the_failure(
    release: Release, shop: list[Json], rollouts: Rollouts, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollouts.ends["stock/2"] = "STOPPED"
    with monkeypatch.context() as patch:
        deny(patch, "UntagResource")
        result = release(*shop)
    assert (result["code"], result["failed_services"]) == ("deployment_stopped", ["stock"])
    assert "Rolled back: db, stock." in result["msg"]
    assert (
        "Also failed: the checkpoint of db is left, the checkpoint of stock is left: AWS answered Untag"
        in result["msg"]
    )
    assert states(release(rollback=True)) == {"db": "rolled_back", "stock": "rolled_back"}
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"


# Credentials that expire


def calls_of(release: Release, items: list[Json], monkeypatch: pytest.MonkeyPatch) -> int:
    with monkeypatch.context() as patch:
        made = expire(patch, 10**6)
        release(*items)
    return len(made)


def prepare(release: Release, ecs: t.Any, rollouts: Rollouts) -> list[Json]:
    """`db` and `stock` run their first revisions; what is to be released, of which `new` does not exist."""
    for name in ("db", "stock", "new"):
        if described(ecs, name):
            ecs.delete_service(cluster="shop", service=name, force=True)
        for arn in ecs.list_task_definitions(familyPrefix=name)["taskDefinitionArns"]:
            ecs.deregister_task_definition(taskDefinition=arn)
    rollouts.number.clear()
    items = [item("db"), item("stock", after=["db"])]
    assert release(*items)["changed"]
    return [*newer(*items), item("new", after=["stock"])]


@pytest.mark.parametrize("ends", ["SUCCESSFUL", pytest.param("STOPPED", marks=pytest.mark.variants)])
def test_credentials_that_expire_after_each_call(
    release: Release, rollouts: Rollouts, ecs: t.Any, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    rollouts.ends["stock/2"] = ends
    calls = calls_of(release, prepare(release, ecs, rollouts), monkeypatch)
    for after in range(calls):
        items = prepare(release, ecs, rollouts)
        before = targets(ecs, "db", "stock")
        with monkeypatch.context() as patch:
            expire(patch, after)
            result = release(*items)
        context = (after, result["msg"])
        assert result["failed"], context
        assert result["code"] == "no_credentials" or ends == "STOPPED" or "complete" in result["msg"], context
        assert "ExpiredToken" in result["msg"], context
        if "services" not in result:
            assert (result["code"], targets(ecs, "db", "stock")) == ("no_credentials", before), context
            assert re.search(r"Nothing was changed|No service was changed", result["msg"]), context
            continue
        stopped = [name for name, one in result["services"].items() if one.get("code") == "deployment_stopped"]
        if stopped:
            assert result["failed_services"] == ["stock"], context
            assert "Service stock: Someone stopped the deployment." in result["msg"], context
        assert re.search(r"To resume, rerun the same|Rerun the same|runs again|No other service was", result["msg"]), (
            context
        )
        rolled_back = release(rollback=True)
        arrived = result["code"] == "checkpoints_left" or "set force=true" in rolled_back["progress"][0]
        wanted = [
            f"{name}:{int(arn.rpartition(':')[2]) + arrived}" for name, arn in zip(("db", "stock"), before, strict=True)
        ]
        assert targets(ecs, "db", "stock") == wanted, context
        assert ([one["status"] for one in described(ecs, "new")] == ["ACTIVE"]) is arrived, context


# Permissions that a verdict needs


@pytest.mark.parametrize("operation", ["ListTasks", "DescribeTasks"])
def test_a_release_is_refused_at_once_where_tasks_may_not_be_read(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch, calls: list[str], operation: str
) -> None:
    calls.clear()
    with monkeypatch.context() as patch:
        deny(patch, operation)
        result = release(*shop)
    assert result["code"] == "access_denied"
    assert f"AWS answered {operation} with AccessDeniedException" in result["msg"]
    assert "Nothing was changed." in result["msg"]
    assert not {"RegisterTaskDefinition", "TagResource", "UpdateService"} & set(calls)
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"


def test_neither_rollout_nor_rollback_is_judged_where_tasks_may_not_be_read_any_more(
    release: Release, shop: list[Json], rollouts: Rollouts, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without service deployments only tasks decide; the timeout would count as a failure."""
    changed: list[str] = []

    def answer(operation: str, request: Json, call: Call) -> Json:
        if operation == "UpdateService":
            changed.append(operation)
        if operation in ("ListServiceDeployments", "DescribeServiceDeployments"):
            raise error(operation, "AccessDeniedException")
        if operation == "ListTasks" and changed:
            raise error(operation, "AccessDeniedException")
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = release(shop[0], wait_timeout=600)
    assert (result["code"], states(result)) == ("access_denied", {"db": "in_progress"})
    assert "AWS answered ListTasks" in result["msg"]
    assert states(release(rollback=True)) == {"db": "rolled_back"}


# Two releases at once


def test_another_release_in_progress_is_named_and_nothing_is_touched(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch, calls: list[str]
) -> None:
    kill(monkeypatch, release, "UpdateService", "stock", *shop)
    other = [{**one, "desired_count": 2} for one in shop]
    for one in other:
        one["task_definition"] = {**one["task_definition"], "cpu": "256"}
    calls.clear()
    for check in (True, False):
        result = release(*other, check=check)
        assert (result["failed"], result["code"]) == (True, "release_in_progress")
        run = run_on(ecs, "db")
        assert run is not None
        assert str(run) in result["msg"]
        assert re.search(r"\w+@\S+", str(run))
        assert "db (to db:2), stock (to stock:2)" in result["msg"]
        assert "Nothing was changed." in result["msg"]
        assert result["release"]["id"] == run.id
    assert not {"RegisterTaskDefinition", "TagResource", "UpdateService"} & set(calls)
    assert set(states(release(*shop)).values()) <= {"updated", "unchanged"}, "the same release resumes at once"
    assert running(ecs, "db", "stock", "web") == "db:2 stock:2 web:2"


def test_another_release_can_be_replaced(
    release: Release, shop: list[Json], rollouts: Rollouts, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ran before both stays the way back."""
    kill(monkeypatch, release, "UpdateService", "stock", *shop)
    other = {**shop[0], "task_definition": {**shop[0]["task_definition"], "cpu": "256"}}
    rollouts.ends["db/3"] = "STOPPED"
    assert states(release(other, force=True)) == {"db": "rolled_back"}
    assert targets(ecs, "db") == ["db:1"]


def test_a_release_that_timed_out_is_not_in_progress(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hurried(*items: Json) -> Json:
        return release(*items, wait_timeout=0)

    kill(monkeypatch, hurried, "UpdateService", "stock", *shop)
    other = {**shop[0], "task_definition": {**shop[0]["task_definition"], "cpu": "256"}}
    assert states(release(other)) == {"db": "updated"}


def test_an_interrupted_release_is_not_in_progress(
    release: Release, shop: list[Json], rollouts: Rollouts, ecs: t.Any
) -> None:
    rollouts.refused["UpdateService", "stock"] = KeyboardInterrupt
    assert release(*shop)["code"] == "interrupted"
    other = {**shop[0], "task_definition": {**shop[0]["task_definition"], "cpu": "256"}}
    assert states(release(other)) == {"db": "updated"}


def test_an_interrupted_release_waits_for_nothing(
    release: Release, shop: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread waits until a service is deleted. The process would wait for the thread."""
    reads = []

    def answer(operation: str, _request: Json, call: Call) -> Json:
        answered = call()
        if operation == "DescribeServices":
            for service in answered["services"]:
                service["status"] = "DRAINING"
            reads.append(threading.current_thread())
            if len(reads) == 4:
                os.kill(os.getpid(), signal.SIGINT)
        return answered

    with monkeypatch.context() as patch:
        hook(patch, answer)
        assert release(shop[0], wait_timeout=600)["code"] == "interrupted"
    waiting = reads[3]
    waiting.join(10)
    assert (waiting is threading.main_thread(), waiting.is_alive()) == (False, False)


def test_an_interrupted_release_can_be_rolled_back_though_ecs_has_completed_it(
    release: Release, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(operation: str, request: Json, call: Call) -> Json:
        if operation == "DescribeServiceDeployments":
            raise KeyboardInterrupt
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        assert release(shop[0])["code"] == "interrupted"
    assert states(release(rollback=True)) == {"db": "rolled_back"}
    assert running(ecs, "db") == "db:1"


# Reports


def test_an_interruption_during_the_way_back_keeps_the_failure(
    release: Release, shop: list[Json], rollouts: Rollouts, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollouts.ends["db/2"] = "STOPPED"
    updates: list[str] = []

    def answer(operation: str, request: Json, call: Call) -> Json:
        updates.extend([operation] if operation == "UpdateService" else [])
        if operation == "UpdateService" and len(updates) == 2:
            raise KeyboardInterrupt
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = release(shop[0])
    assert (result["code"], result["failed_services"]) == ("interrupted", ["db"])
    assert "Failed before: db. Service db: Someone stopped the deployment." in result["msg"]
    assert states(release(rollback=True)) == {"db": "rolled_back"}


def test_revisions_that_cannot_be_deregistered_are_reported_with_the_refusal(
    release: Release, rollouts: Rollouts, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollouts.refuse("RegisterTaskDefinition", "stock")
    with monkeypatch.context() as patch:
        deny(patch, "DeregisterTaskDefinition")
        result = release(item("db"), item("stock"))
    assert result["code"] == "refused"
    assert result["msg"].startswith("task_definition stock: AWS answered RegisterTaskDefinition with ClientException")
    assert "could not be deregistered: db:1: AWS answered DeregisterTaskDefinition" in result["msg"]


def test_rollback_says_that_there_is_nothing_to_roll_back(release: Release, shop: list[Json]) -> None:
    result = release(rollback=True)
    assert not result["changed"]
    assert result["progress"][0].endswith(
        "Nothing to roll back in cluster shop: no service has a checkpoint of an unfinished release."
    )


def test_tasks_that_stop_are_not_counted_among_those_that_run(
    release: Release, shop: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(operation: str, request: Json, call: Call) -> Json:
        answered = call()
        for service in answered.get("services", []) if operation == "DescribeServices" else []:
            service["runningCount"] += 1
            service["deployments"][0]["runningCount"] = service["desiredCount"]
        return answered

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = release(shop[0])
    (row,) = (line for line in result["progress"] if "  db " in line and "updated" in line)
    assert "1/1, 1 stopping" in row

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history of releases, the lock of a project, and rollbacks to releases of the history, against moto."""

from __future__ import annotations

import contextlib
import datetime
import os
import signal
import threading
import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import history as model
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.history import Entry, Record
from ansible_collections.slipway.aws.plugins.module_utils._core.history_api import read_history
from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import Clock
from ansible_collections.slipway.aws.plugins.module_utils._ecs.history import lock_flow, process_flow
from ansible_collections.slipway.aws.plugins.module_utils._ecs.history.target import find_target
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release import record_flow
from ansible_collections.slipway.aws.tests.unit.ecs.releases import Json, Rollouts, Run, item, newer, running, states
from ansible_collections.slipway.aws.tests.unit.ecs.test_release_faults import Call, KilledError, error, hook, kill

PATH = "/slipway/shop/release/"
NOW = datetime.datetime(2026, 11, 30, 12, 0, tzinfo=datetime.UTC)


@pytest.fixture
def history(run: Run) -> t.Callable[[], list[Json]]:
    """The releases of the project, newest first."""
    return lambda: t.cast(
        "list[Json]", run("project_history", False, project="shop", format="none")["history"]["releases"]
    )


@pytest.fixture
def recorded(release: Run) -> Run:
    """`release`, of a project."""
    return lambda *items, **options: release(*items, **{"project": "shop", **options})


History = t.Callable[[], list[Json]]


def change(release: Json) -> dict[str, tuple[str, str]]:
    """What each service ran before and after."""
    versions = {one["name"]: (one["before"], one["after"]) for one in release["services"]}
    return {name: tuple(one["task_definition"] if one else "" for one in pair) for name, pair in versions.items()}


# History


@pytest.mark.witness("project_history")
def test_releases_are_recorded_and_reruns_are_not(recorded: Run, history: History, calls: list[str]) -> None:
    web = item("web")
    assert recorded(web, revision="0a1b2c3")["release_number"] == 1
    calls.clear()
    assert "release_number" not in recorded(web)
    assert {"PutParameter", "GetParametersByPath"} & set(calls) == set()
    predicted = recorded(*newer(web), check=True)
    assert predicted["changed"]
    assert len(history()) == 1
    recorded(*newer(web))
    second, first = history()
    assert (second["number"], second["outcome"], change(second)) == (2, "succeeded", {"web": ("web:1", "web:2")})
    assert (first["number"], first["revision"], change(first)) == (1, "0a1b2c3", {"web": ("", "web:1")})
    assert first["by"].startswith("arn:aws:sts::")
    assert first["started_at"] <= first["ended_at"]
    assert [one["image"] for one in second["services"][0]["after"]["images"]] == ["app:2"]
    tags = boto3.client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId=f"{PATH}1")["TagList"]
    assert tags == [{"Key": "slipway:project", "Value": "shop"}]


def test_a_promotion_is_recorded_with_its_origin_and_a_rollback_has_none(recorded: Run, history: History) -> None:
    origin = {"project": "shop-staging", "region": "eu-central-1", "account": "123456789012", "release": 12}
    web = item("web")
    recorded(web)
    recorded(*newer(web), promoted_from=origin)
    recorded(rollback_to="previous", services=None)
    rollback, promotion, release = history()
    assert (promotion["promoted_from"], release["promoted_from"], rollback["promoted_from"]) == (origin, None, None)


def test_a_failed_release_is_recorded_with_its_code(recorded: Run, history: History, rollouts: Rollouts) -> None:
    web = item("web")
    recorded(web)
    rollouts.ends["web/2"] = "STOPPED"
    failed = recorded(*newer(web))
    assert (failed["code"], failed["release_number"]) == ("deployment_stopped", 2)
    release = history()[0]
    assert (release["outcome"], release["code"]) == ("rolled_back", "deployment_stopped")
    assert change(release) == {"web": ("web:1", "web:1")}


def test_without_permission_to_record_nothing_is_changed(
    recorded: Run, monkeypatch: pytest.MonkeyPatch, ecs: t.Any
) -> None:
    denied = {"PutParameter"}

    def answer(operation: str, _request: Json, call: Call) -> Json:
        if operation in denied:
            raise error(operation, "AccessDeniedException")
        return call()

    hook(monkeypatch, answer)
    failed = recorded(item("web"))
    assert failed["code"] == "access_denied"
    assert failed["msg"].endswith("AccessDeniedException: no. Nothing was changed.")
    assert ecs.list_services(cluster="shop")["serviceArns"] == ecs.list_task_definitions()["taskDefinitionArns"] == []


def test_an_end_that_cannot_be_recorded_is_a_warning(
    recorded: Run, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def answer(operation: str, _request: Json, call: Call) -> Json:
        done.append(operation)
        if operation == "PutParameter" and "CreateService" in done:
            raise error(operation, "ThrottlingException", "Rate exceeded")
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = recorded(item("web"))
    assert states(result) == {"web": "created"}
    assert "The record of release 1 could not be completed" in str(result["warnings"])
    assert history()[0]["outcome"] == "in_progress"


def test_old_releases_are_deleted(recorded: Run, history: History) -> None:
    ssm, web = boto3.client("ssm"), item("web")
    for number in range(1, 15):
        value, _parts = model.encoded(Record(id="old", run="old", outcome="succeeded"))
        ssm.put_parameter(Name=f"{PATH}{number}", Value=value, Type="String")
    recorded(web, keep_releases=10)
    assert [one["number"] for one in history()] == [*range(15, 5, -1)]


@pytest.mark.parametrize("count", [1, 60])
def test_a_record_fits_into_parameters(count: int) -> None:
    digests = [f"sha256:{number:064x}" for number in range(10**70, 10**70 + 4 * count)]
    images = [["web", f"repository@{digest}", digest] for digest in digests]
    services = {
        f"s{number}": {"state": "updated", "before": {"images": images[number::4]}, "after": {}}
        for number in range(count)
    }
    record = Record(id="a", run="b", services=t.cast("dict[str, Json]", services))
    value, parts = model.encoded(record)
    assert max(map(len, [value, *parts.values()])) <= 4096
    assert bool(parts) == (count > 1)
    stored = {f"{PATH}7": (value, NOW)} | {f"{PATH}7/{name}": (part, NOW) for name, part in parts.items()}
    [entry] = model.decoded(stored, PATH)[0]
    assert entry.record == record
    if parts:
        del stored[f"{PATH}7/{next(iter(parts))}"]
        [entry] = model.decoded(stored, PATH)[0]
        assert (entry.record.id, entry.record.services) == ("a", None)


# Lock


def abandoned(entry_number: int, *, process: str = "") -> None:
    """Make the lock that of a run that was killed on another machine."""
    ssm = boto3.client("ssm")
    listing = read_history(ssm, "shop")
    [entry] = [one for one in listing.entries if one.number == entry_number]
    value, _parts = model.encoded(model.dataclasses.replace(entry.record, process=process))
    ssm.put_parameter(Name=f"{PATH}{entry_number}", Value=value, Type="String", Overwrite=True)


@pytest.mark.parametrize("operation", ["RegisterTaskDefinition", "TagResource", "UpdateService", "UntagResource"])
def test_a_killed_release_holds_the_lock_until_it_expires_and_is_resumed(
    recorded: Run, history: History, ecs: t.Any, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    web = item("web")
    recorded(web)
    name = "None" if operation == "RegisterTaskDefinition" else "web"
    kill(monkeypatch, recorded, operation, name, *newer(web))
    refused = recorded(*newer(web), lock_timeout=0)
    assert (refused["code"], refused["release"]["number"]) == ("release_in_progress", 2)
    assert "Nothing was changed." in refused["msg"]
    assert history()[0]["outcome"] == "in_progress"
    # Its process has ended, as far as this machine can see.
    abandoned(2, process=process_flow.this_process() + "0")
    assert history()[0]["services"][0]["before"]["task_definition"] == "web:1"
    assert recorded(*newer(web), lock_timeout=0)["release_number"] == 3
    resumed, killed = history()[:2]
    assert (killed["outcome"], killed["resumed_by"], resumed["resumes"]) == ("unfinished", 3, 2)
    assert change(resumed) == {"web": ("web:1", "web:2")}
    assert running(ecs, "web") == "web:2"


def test_an_interrupted_release_frees_the_lock_and_is_resumed(
    recorded: Run, history: History, rollouts: Rollouts
) -> None:
    web = item("web")
    recorded(web)
    rollouts.refused["UpdateService", "web"] = KeyboardInterrupt
    assert recorded(*newer(web))["code"] == "interrupted"
    assert history()[0]["outcome"] == "interrupted"
    assert recorded(*newer(web), lock_timeout=0)["release_number"] == 3
    assert [(one["resumes"], one["outcome"]) for one in history()[:1]] == [(2, "succeeded")]


def last_write(act: t.Callable[[Call], Json]) -> t.Callable[[str, Json, Call], Json]:
    """`act` instead of the call that records the end of a release."""
    done: list[str] = []

    def answer(operation: str, _request: Json, call: Call) -> Json:
        done.append(operation)
        return act(call) if operation == "PutParameter" and "UntagResource" in done else call()

    return answer


@pytest.mark.parametrize("event", ["killed", "interrupted", "credentials expired"])
def test_a_release_that_ended_is_recorded_though_its_last_call_was_lost(
    recorded: Run, history: History, ecs: t.Any, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    """A rerun finds nothing to do, so nobody else could record it."""
    web = item("web")
    recorded(web)

    def lose(call: Call) -> Json:
        if event == "interrupted":
            call()
            raise KeyboardInterrupt
        raise KilledError if event == "killed" else error("PutParameter", "ExpiredTokenException")

    with monkeypatch.context() as patch:
        hook(patch, last_write(lose))
        with pytest.raises(KilledError) if event == "killed" else contextlib.nullcontext():
            recorded(*newer(web))
    # Also no checkpoint is left that was written after it was removed.
    assert running(ecs, "web") == "web:2"
    monkeypatch.setattr(model, "EXPIRED", -1.0)
    assert [(one["number"], one["outcome"]) for one in history()] == [(2, "succeeded"), (1, "succeeded")]
    assert change(history()[0]) == {"web": ("web:1", "web:2")}
    assert recorded(*newer(web))["changed"] is False
    assert recorded(rollback_to="2")["changed"] is False


def test_a_run_that_is_interrupted_while_it_acquires_the_lock_frees_it(
    recorded: Run, history: History, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(operation: str, _request: Json, call: Call) -> Json:
        if operation == "PutParameter":
            os.kill(os.getpid(), signal.SIGINT)
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = recorded(item("web"))
    assert (result["code"], result["msg"]) == ("interrupted", "Interrupted. Nothing was changed.")
    assert history() == []


def test_an_interrupted_run_that_has_lost_the_lock_writes_nothing(
    recorded: Run, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoints are those of the run that took over."""
    web = item("web")
    recorded(web)
    monkeypatch.setattr(lock_flow, "_FRESH", -1.0)
    written: list[str] = []

    def answer(operation: str, _request: Json, call: Call) -> Json:
        if operation == "UpdateService":
            value, _parts = model.encoded(Record(id="other", run="other"))
            boto3.client("ssm").put_parameter(Name=f"{PATH}3", Value=value, Type="String")
            written.clear()
            raise KeyboardInterrupt
        written.append(operation)
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        assert recorded(*newer(web))["code"] == "interrupted"
    assert "TagResource" not in written


def test_a_release_waits_for_another_one_and_then_plans_again(
    recorded: Run, history: History, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one releases the same in between, so nothing is left to do."""
    web = item("web")
    recorded(web)
    [second] = newer(web)
    ssm, other = boto3.client("ssm"), Record(id="other", run="other", by="arn:aws:iam::1:user/alice", host="a@b")
    ssm.put_parameter(Name=f"{PATH}2", Value=model.encoded(other)[0], Type="String")

    def answer(operation: str, _request: Json, call: Call) -> Json:
        if operation == "GetParameters" and other.outcome == "in_progress":
            object.__setattr__(other, "outcome", "succeeded")
            ssm.put_parameter(Name=f"{PATH}2", Value=model.encoded(other)[0], Type="String", Overwrite=True)
            definition = {"family": "web", "containerDefinitions": [second_container(second)]}
            revision = ecs.register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
            ecs.update_service(cluster="shop", service="web", taskDefinition=revision)
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        result = recorded(second, lock_timeout=30)
    assert "Waiting up to 30 s for release 2 of arn:aws:iam::1:user/alice on a@b" in str(result["progress"])
    assert (result["changed"], states(result)) == (False, {"web": "unchanged"})
    assert [one["number"] for one in history()] == [2, 1]


def second_container(service: Json) -> Json:
    return dict(service["task_definition"]["container_definitions"][0])


def test_a_lock_expires(recorded: Run, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    web = item("web")
    recorded(web)
    kill(monkeypatch, recorded, "UpdateService", "web", *newer(web))
    monkeypatch.setattr(model, "EXPIRED", -1.0)
    assert history()[0]["outcome"] == "unfinished"
    # Another release, too: nobody carries out the killed one.
    assert states(recorded({**web, "desired_count": 2}, lock_timeout=0)) == {"web": "updated"}


def test_a_release_that_lost_the_lock_stops_before_the_next_service(
    recorded: Run, history: History, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run takes over while the first service is updated."""
    items = [item("db"), item("web", after=["db"])]
    recorded(*items)
    monkeypatch.setattr(lock_flow, "_FRESH", -1.0)
    ssm = boto3.client("ssm")

    def answer(operation: str, request: Json, call: Call) -> Json:
        if operation == "UpdateService":
            value, _parts = model.encoded(Record(id="other", run="other", by="arn:of:other"))
            ssm.put_parameter(Name=f"{PATH}3", Value=value, Type="String")
        return call()

    with monkeypatch.context() as patch:
        hook(patch, answer)
        lost = recorded(*newer(*items))
    assert (lost["code"], lost["release_number"], states(lost)) == (
        "lock_lost",
        2,
        {"db": "updated", "web": "not_started"},
    )
    assert (
        "in progress: release 3 of arn:of:other, started at an unknown time. This run makes no further changes"
        in lost["msg"]
    )
    assert "Wait until the other release has ended (see the playbook slipway.aws.history)." in lost["msg"]
    # Both would disturb the other run.
    assert "To resume" not in lost["msg"]
    assert "To roll back" not in lost["msg"]
    runs = {
        one["serviceName"]: one["taskDefinition"][-5:]
        for one in ecs.describe_services(cluster="shop", services=["db", "web"])["services"]
    }
    assert runs == {"db": "/db:2"[-5:], "web": "web:1"}
    assert [(one["number"], one["outcome"]) for one in history()[:2]] == [(3, "in_progress"), (2, "unfinished")]
    assert recorded(*newer(*items), force=True)["release_number"] == 4


def test_a_run_that_takes_over_by_force_waits_until_the_other_one_has_noticed(
    recorded: Run, ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one still carries out a call that it has begun; what it does is planned with."""
    web = item("web")
    recorded(web)
    [second] = newer(web)
    ssm = boto3.client("ssm")
    value, _parts = model.encoded(Record(id="other", run="other", by="arn:of:other"))
    ssm.put_parameter(Name=f"{PATH}2", Value=value, Type="String")
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        revision = ecs.register_task_definition(family="web", containerDefinitions=[second_container(second)])
        ecs.update_service(
            cluster="shop", service="web", taskDefinition=revision["taskDefinition"]["taskDefinitionArn"]
        )

    let_notice = lock_flow.let_notice
    monkeypatch.setattr(
        record_flow, "let_notice", lambda former, say, _clock: let_notice(former, say, Clock(sleep=sleep))
    )
    result = recorded(second, force=True)
    assert waited == [7.0]
    assert "Taking over from release 2 of arn:of:other" in str(result["progress"])
    assert (result["changed"], running(ecs, "web")) == (False, "web:2")


def test_only_one_of_many_runs_gets_the_lock(aws: None) -> None:
    """Each gets it once, one after the other, and no two have the same number."""
    ssm, holding, numbers, most = boto3.client("ssm"), [], [], []

    def run(name: str) -> None:
        request = lock_flow.Request(project="shop", tags={}, timeout=60, force=False, since=0.0, say=lambda _text: None)
        lock, history = lock_flow.acquire(ssm, request, lambda _entries: Record(id=name, run=name), Clock())
        holding.append(name)
        most.append(len(holding))
        numbers.append(lock.number)
        holding.remove(name)
        lock.complete(Record(id=name, run=name, outcome="succeeded"), 50, history.names)

    threads = [threading.Thread(target=run, args=(f"run {number}",)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(numbers), max(most)) == ([1, 2, 3, 4, 5], 1)


def test_a_lock_whose_creation_had_no_answer_is_ours(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm = boto3.client("ssm")

    def answer(operation: str, request: Json, call: Call) -> Json:
        call()
        if operation == "PutParameter" and not request.get("Overwrite"):
            raise error(operation, "ParameterAlreadyExists")
        return call()

    lock = lock_flow.Lock(ssm, "shop", 1, Record(id="a", run="b"), {})
    with monkeypatch.context() as patch:
        hook(patch, answer)
        assert lock.create()
    lock.withdraw()
    assert read_history(ssm, "shop").entries == []


def test_this_process_lives_and_another_one_is_dead() -> None:
    own = process_flow.this_process()
    place = own.rpartition(":")[0].rpartition(":")[0]
    assert own
    assert [process_flow.is_dead(one) for one in (own, "", f"{place}:1:0", "elsewhere:1:1:1")] == [
        False,
        False,
        True,
        False,
    ]


# Rollback


def test_rollback_to_the_previous_release_and_to_a_number(
    recorded: Run, history: History, release: Run, ecs: t.Any
) -> None:
    web, db = item("web"), item("db")
    recorded(web, db, revision="1111111")
    [second] = newer(web)
    recorded(second, db, revision="2222222")
    third = {
        **web,
        "task_definition": {
            "family": "web",
            "container_definitions": [{"name": "web", "image": "app:3", "memory": 64}],
        },
    }
    recorded(third, item("late"))

    def back(to: str, **options: t.Any) -> Json:
        return recorded(rollback_to=to, **options)

    predicted = back("previous", check=True)
    assert (states(predicted), predicted["target"]) == ({"web": "updated"}, 2)
    assert running(ecs, "web", "late") == "web:3 late:1"
    assert "late, because it was created since" in str(predicted["progress"])
    done = back("previous")
    assert (states(done), done["release_number"], running(ecs, "web", "db")) == ({"web": "updated"}, 4, "web:2 db:1")
    assert [(one["action"], one["to"], one["revision"]) for one in history()[:1]] == [("rollback", 2, "2222222")]
    again = back("previous")
    assert (again["changed"], again["target"]) == (False, 2)
    back("1")
    assert running(ecs, "web") == "web:1"
    back("3", services=[{"name": "web"}])
    assert running(ecs, "web") == "web:3"
    assert len(history()) == 6
    for wanted, code in (("9", "not_found"), ("last", "invalid_option")):
        assert back(wanted)["code"] == code
    assert back("1", services=[{"name": "nothing"}])["code"] == "not_found"


def test_a_rollback_to_what_no_longer_exists_changes_nothing(recorded: Run, history: History, ecs: t.Any) -> None:
    ecr = boto3.client("ecr")
    uri = ecr.create_repository(repositoryName="shop")["repository"]["repositoryUri"]
    web = item("web", definition={"container_definitions": [{"name": "web", "image": f"{uri}:1", "memory": 64}]})
    recorded(web, item("db"))
    recorded(*newer(web, item("db")))
    ecs.deregister_task_definition(taskDefinition="db:1")
    failed = recorded(rollback_to="previous", check=True)
    assert failed["code"] == "rollback_impossible"
    assert failed["problems"] == [
        "db: the revision db:1 is deregistered (INACTIVE).",
        f"web: the image {uri}:1 no longer exists.",
    ]
    assert len(history()) == 2
    assert running(ecs, "web", "db") == "web:2 db:2"


@pytest.mark.parametrize("operation", ["UpdateService", "UntagResource"])
def test_a_rollback_of_an_unfinished_release_restores_what_ran_before_it(
    recorded: Run, history: History, ecs: t.Any, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """By its checkpoints; one that is complete except for them, by the history."""
    web = item("web")
    recorded(web)
    kill(monkeypatch, recorded, operation, "web", *newer(web))
    abandoned(2, process=process_flow.this_process() + "0")
    result = recorded(rollback_to="previous")
    is_complete = operation == "UntagResource"
    assert states(result) == {"web": "updated" if is_complete else "rolled_back"}
    assert running(ecs, "web") == "web:1"
    [release] = history()[:1]
    assert (release["action"], release["resumes"], release["outcome"]) == ("rollback", 2, "succeeded")
    assert release["to"] == (1 if is_complete else None)


def test_nothing_to_roll_back(recorded: Run) -> None:
    result = recorded(rollback_to="previous")
    assert (result["changed"], "Nothing to roll back" in str(result["progress"])) == (False, True)


def entry(number: int, before: str, after: str, outcome: str = "succeeded", **members: t.Any) -> Entry:
    versions = [{"task_definition": one, "images": []} if one else {} for one in (before, after)]
    services = {"web": {"state": "updated", "before": versions[0], "after": versions[1]}}
    return Entry(
        number, Record(id=str(number), run="", cluster="shop", outcome=outcome, services=services, **members), NOW
    )


ONE, TWO = entry(1, "", "web:1"), entry(2, "web:1", "web:2")


@pytest.mark.parametrize(
    ("entries", "wanted", "expected"),
    [
        ([], "previous", None),
        ([ONE, TWO], "previous", (1, "web:1")),
        # A release that was rolled back has changed nothing.
        ([ONE, TWO, entry(3, "web:2", "web:2", "rolled_back")], "previous", (1, "web:1")),
        # One that failed and was kept has.
        ([ONE, entry(2, "web:1", "web:2", "failed")], "previous", (1, "web:1")),
        # After a rollback it is the same.
        ([ONE, TWO, entry(3, "web:2", "web:1", action="rollback", to=1)], "previous", (1, "web:1")),
        # Even if older releases were deleted from the history.
        ([entry(7, "web:6", "web:7")], "previous", (None, "web:6")),
        ([ONE, TWO, entry(3, "web:2", "web:3")], "1", (1, "web:1")),
        ([ONE], "1", (1, "")),
    ],
)
def test_targets(entries: list[Entry], wanted: str, expected: tuple[int | None, str] | None) -> None:
    target = find_target(entries, "shop", wanted)
    found = target and (target.number, str(target.services.get("web", {}).get("task_definition", "")))
    assert found == expected


def test_a_release_that_did_not_succeed_is_no_target() -> None:
    with pytest.raises(SlipwayError, match=r"which was rolled back\. The history of this cluster has 1"):
        find_target([entry(1, "", "web:1"), entry(2, "web:1", "web:1", "rolled_back")], "shop", "2")

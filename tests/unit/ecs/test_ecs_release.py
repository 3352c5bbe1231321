# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ecs_release as a whole, against moto with simulated rollouts."""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from pathlib import Path

import boto3
import botocore.client
import pytest
import yaml
from botocore.exceptions import EndpointConnectionError

from ansible_collections.slipway.aws.plugins.modules import ecs_release
from ansible_collections.slipway.aws.tests.unit.ecs.releases import (
    READS,
    TASKS,
    Json,
    Rollouts,
    Run,
    container,
    described,
    item,
    newer,
    running,
    states,
)


def active(ecs: t.Any, family: str) -> int:
    """How many revisions of a family are active."""
    return len(ecs.list_task_definitions(familyPrefix=family)["taskDefinitionArns"])


# Fifty


@pytest.fixture
def fifty(release: Run, calls: list[str]) -> list[Json]:
    """Fifty services that are up to date."""
    items = [item(f"s{number:02}") for number in range(50)]
    assert release(*items)["changed"]
    calls.clear()
    return items


def test_where_nothing_differs_each_thing_is_read_once(release: Run, fifty: list[Json], calls: list[str]) -> None:
    result = release(*fifty)
    assert (result["changed"], result["diff"]) == (False, [])
    assert set(states(result).values()) == {"unchanged"}
    assert len(result["progress"]) == 1
    assert Counter(calls) == {"DescribeServices": 5, "DescribeTaskDefinition": 50}


def test_check_mode_shows_exactly_what_differs(release: Run, fifty: list[Json], calls: list[str]) -> None:
    fifty[7]["task_definition"]["container_definitions"] = [container(environment=[{"name": "A", "value": "2"}])]
    fifty[21]["desired_count"] = 3
    fifty[42:43] = newer(fifty[42])
    result = release(*fifty, check=True)
    assert result["changed"]
    assert [(diff["after_header"], diff["before"], diff["after"]) for diff in result["diff"]] == [
        (
            "s07",
            revision(result, "s07", "before", environment=[{"name": "A", "value": "1"}]),
            revision(result, "s07", "after", environment=[{"name": "A", "value": "2"}]),
        ),
        ("s21", {"desired_count": 1}, {"desired_count": 3}),
        ("s42", revision(result, "s42", "before", image="app:1"), revision(result, "s42", "after", image="app:2")),
    ]
    assert [name for name, state in states(result).items() if state != "unchanged"] == ["s07", "s21", "s42"]
    assert set(calls) <= READS


def revision(result: Json, name: str, when: str, **members: t.Any) -> Json:
    """The difference that another revision makes."""
    arn = result["services"][name][when]["task_definition"]
    assert arn.endswith(f"/{name}:{1 if when == 'before' else 2}")
    return {"task_definition": arn, "definition": {"container_definitions": [{"name": "web", **members}]}}


def test_what_services_share_is_read_once(release: Run, calls: list[str]) -> None:
    release(item("one", family="web"))
    items = [item(name, family="web") for name in ("one", "two", "three")]
    items += [{"name": name, "task_definition": "web", "desired_count": 1} for name in ("four", "five", "six")]
    assert states(release(*items)) == {"one": "unchanged"} | dict.fromkeys(
        ["two", "three", "four", "five", "six"], "created"
    )
    calls.clear()
    assert not release(*items)["changed"]
    assert Counter(calls) == {"DescribeServices": 1, "DescribeTaskDefinition": 2}


# Prediction

WRITTEN_BY_AWS = {"registered_at", "registered_by", "requires_attributes", "compatibilities"}


@pytest.mark.witness("ecs_release")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_check_mode_predicts_what_a_real_run_answers(release: Run) -> None:
    old = [item(name, desired_count=0) for name in ("same", "image", "tags")]
    release(*old)
    asked = [old[0], *newer(old[1]), {**old[2], "tags": {"team": "shop"}}, item("new", desired_count=0)]
    predicted, real = release(*asked, check=True), release(*asked)
    assert states(real) == {"same": "unchanged", "image": "updated", "tags": "updated", "new": "created"}
    assert predicted["diff"][:2] == real["diff"][:2]
    for name, service in real["services"].items():
        prediction = predicted["services"][name]
        known = [entry for entry in ("state", "changed", "before") if entry in service]
        assert [prediction[entry] for entry in known] == [service[entry] for entry in known]
        if name != "new":  # The first revision's ARN is not known before.
            assert prediction["after"] == service["after"]
            assert prediction["diff"] == service["diff"]
        assert seen(prediction["task_definition"], name) == seen(service["task_definition"], name)
        assert prediction["service"]["tags"] == service["service"]["tags"]
    assert not release(*asked)["changed"]


def seen(task_definition: Json, name: str) -> Json:
    hidden = WRITTEN_BY_AWS | ({"arn"} if name == "new" else set())
    return {member: value for member, value in task_definition.items() if member not in hidden}


def test_check_mode_on_an_empty_account_predicts_the_services(run: Run, calls: list[str]) -> None:
    items = [item("stock"), {"name": "web", "task_definition": "absent", "after": ["stock"]}]
    result = run("ecs_release", True, cluster="nowhere", services=items)
    assert states(result) == {"stock": "created", "web": "created"}
    assert result["services"]["web"]["after"] == {"task_definition": "unknown", "desired_count": 1}
    assert set(calls) <= READS


def test_an_initial_count_is_for_new_services_only(release: Run, ecs: t.Any) -> None:
    """Afterwards the number of tasks is left to those who scale."""
    made = release(item("web", initial_count=3, desired_count=None))
    assert made["services"]["web"]["after"]["desired_count"] == 3
    ecs.update_service(cluster="shop", service="web", desiredCount=5)
    assert release(item("web", initial_count=3, desired_count=None))["changed"] is False


# What cannot be carried out


BAD: list[tuple[str, list[Json], str, list[str]]] = [
    ("immutable", [item("web", launch_type="EC2")], "immutable", ["services, web: AWS cannot change launch_type"]),
    (
        "a wrong member",
        [item("web", definition={"container_definitions": [container(memry=1)]}), item("new")],
        "invalid_option",
        ["services, web: container_definitions[0] (web): unknown member 'memry' (did you mean 'memory'?)."],
    ),
    (
        "no such task definition",
        [{"name": "web", "task_definition": "absent"}, {"name": "new", "task_definition": "web:7"}],
        "not_found",
        [
            "services, web: task_definition: expected an active revision, got none for 'absent'.",
            "services, new: task_definition: expected an active revision",
        ],
    ),
    (
        "no such revision",
        [item("web", definition={"revision": 9})],
        "not_found",
        ["task_definition web:9: The task definition web:9 does not exist."],
    ),
    (
        "one name twice",
        [item("web"), item("web")],
        "invalid_option",
        ["services, web: expected each name once"],
    ),
    (
        "an order that cannot be",
        [item("web", after=["new", "db"]), item("new", after=["web"])],
        "invalid_option",
        ["services, web: after: expected services of the release, got db.", "services: after: expected no cycle, got "],
    ),
    (
        "one family in two ways",
        [item("web"), item("new", family="web", definition={"cpu": "256"})],
        "invalid_option",
        ["services, new: expected one definition of the family web, got another one."],
    ),
    (
        "types, choices, options",
        [
            item("web", desired_count="many"),
            item("new", launch_type="MOON"),
            item("db", recreate=True, wait=True),
            item("x", definition={"keep_revisions": 3}),
            {"task_definition": "web"},
        ],
        "invalid_option",
        [
            "services, web: argument 'desired_count' is of type str",
            "services, new: value of launch_type must be one of: EC2, ",
            "services, db: ",
            "recreate, wait",
            "services, x: ",
            "keep_revisions",
            "services, 5: missing required arguments: name",
        ],
    ),
    (
        "nothing to run",
        [{"name": "new"}],
        "invalid_option",
        ["services, new: task_definition: expected a task definition to create"],
    ),
    ("no services", [], "invalid_option", ["services: expected at least one service, got none."]),
    (
        "several reasons",
        [item("web", launch_type="EC2"), {"name": "new", "task_definition": "absent"}],
        "multiple_errors",
        ["services, web: AWS cannot change launch_type", "services, new: task_definition: expected an active"],
    ),
]


@pytest.mark.parametrize(("items", "code", "messages"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_plan_that_cannot_be_carried_out_touches_nothing(
    release: Run, calls: list[str], items: list[Json], code: str, messages: list[str]
) -> None:
    release(item("web", launch_type="FARGATE"))
    calls.clear()
    result = release(*items)
    assert (result["failed"], result["code"]) == (True, code)
    assert [text for text in messages if text not in result["msg"]] == [], result["msg"]
    assert set(calls) <= READS
    if code == "invalid_option" and items:
        assert result["problems"] == result["msg"].splitlines()


def test_a_cluster_that_does_not_exist_is_reported(release: Run, calls: list[str]) -> None:
    assert release(item("web"), cluster="nowhere")["code"] == "not_found"
    assert set(calls) <= READS


@pytest.mark.parametrize("parallel", [0, 33])
def test_calls_at_a_time_are_bounded(release: Run, parallel: int) -> None:
    assert release(item("web"), parallel=parallel)["msg"] == f"parallel: expected 1 to 32, got {parallel}."


def test_one_refused_registration_deregisters_the_others(
    release: Run, rollouts: Rollouts, ecs: t.Any, calls: list[str]
) -> None:
    items = [item(name) for name in ("db", "stock", "web")]
    release(*items)
    rollouts.refuse("RegisterTaskDefinition", "stock")
    calls.clear()
    result = release(*newer(*items))
    assert result["code"] == "refused"
    assert result["msg"].startswith("task_definition stock: AWS answered RegisterTaskDefinition with ClientException")
    assert "No service was changed." in result["msg"]
    assert set(calls) - READS - TASKS == {"RegisterTaskDefinition", "DeregisterTaskDefinition"}
    assert [active(ecs, family) for family in ("db", "stock", "web")] == [1, 1, 1]


# Which revision


def test_a_service_keeps_an_older_revision_that_is_up_to_date(release: Run, ecs: t.Any, calls: list[str]) -> None:
    old = item("web")
    release(old)
    release(*newer(item("other", family="web")))
    calls.clear()
    result = release(old)
    assert (result["changed"], result["services"]["web"]["task_definition"]["revision"]) == (False, 1)
    assert set(calls) <= READS
    assert release(*newer(old))["services"]["web"]["after"]["task_definition"].endswith("web:2")
    assert active(ecs, "web") == 2


def test_services_of_one_family_each_keep_what_is_up_to_date(release: Run, ecs: t.Any) -> None:
    members = {"family": "web", "containerDefinitions": [container()]}
    for name in ("old", "new"):
        arn = ecs.register_task_definition(**members)["taskDefinition"]["taskDefinitionArn"]
        ecs.create_service(cluster="shop", serviceName=name, taskDefinition=arn, desiredCount=1)
    assert not release(item("old", family="web"), item("new", family="web"))["changed"]


def test_a_revision_that_is_named_is_what_runs(release: Run, ecs: t.Any) -> None:
    release(item("web"))
    release(*newer(item("other", family="web")))
    asked = {"name": "web", "task_definition": {"family": "web", "revision": 2}}
    assert release(asked)["services"]["web"]["after"]["task_definition"].endswith("web:2")
    assert release({"name": "web", "task_definition": "web:1"})["changed"]
    assert running(ecs, "web") == "web:1"


# One outcome


def test_what_was_changed_is_rolled_back_when_one_fails(
    release: Run, shop: list[Json], rollouts: Rollouts, ecs: t.Any
) -> None:
    rollouts.ends["stock/2"] = "ROLLBACK_SUCCESSFUL"
    result = release(*shop, item("new", after=["db"]))
    assert (result["failed"], result["code"], result["failed_services"]) == (True, "rolled_back", ["stock"])
    assert result["services"]["stock"]["code"] == "rolled_back"
    new = states(result).pop("new")
    assert states(result) | {"new": ""} == {
        "db": "rolled_back",
        "stock": "rolled_back",
        "web": "not_started",
        "new": "",
    }
    assert new in ("rolled_back", "not_started"), "they go side by side"
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"
    assert [service["status"] for service in described(ecs, "new")] in ([], ["INACTIVE"])
    assert [active(ecs, family) for family in ("db", "stock", "web")] == [2, 2, 2]
    assert any(line.endswith("db     rolling back to db:1") for line in result["progress"])
    table = [
        line.split("  ", 1)[1] for line in result["progress"] if "SERVICE" in line or "failed, rolled back" in line
    ]
    assert table[0].split() == ["SERVICE", "OUTCOME", "BEFORE", "NOW", "RUNNING", "SECONDS"]
    assert table[1].split()[:6] == ["stock", "failed,", "rolled", "back", "stock:1", "stock:1"]


def test_a_service_that_the_release_made_is_deleted_again(
    release: Run, shop: list[Json], rollouts: Rollouts, ecs: t.Any
) -> None:
    rollouts.ends["new/1"] = "STOPPED"
    result = release(item("new"), shop[0])
    assert states(result)["new"] == "rolled_back"
    assert (result["services"]["new"]["before"], result["services"]["new"]["after"]) == ({}, {})
    assert [service["status"] for service in described(ecs, "new")] == ["INACTIVE"]
    assert running(ecs, "db") == "db:1"


def test_with_keep_the_others_stay_new(release: Run, shop: list[Json], rollouts: Rollouts, ecs: t.Any) -> None:
    rollouts.ends["stock/2"] = "STOPPED"
    result = release(*shop, item("new"), on_failure="keep")
    assert result["code"] == "deployment_stopped"
    assert states(result) == {"db": "updated", "stock": "failed", "web": "not_started", "new": "created"}
    assert "Kept as released: db, new." in result["msg"]
    assert running(ecs, "db", "stock", "web", "new") == "db:2 stock:2 web:1 new:1"


def test_a_failed_creation_is_reported_although_aws_returns_a_deleted_service(
    release: Run, rollouts: Rollouts, ecs: t.Any
) -> None:
    release(item("web"))
    ecs.delete_service(cluster="shop", service="web", force=True)
    rollouts.refuse("UntagResource", "None")
    for on_failure in ("keep", "rollback"):
        rollouts.refuse("CreateService", "web", "AccessDeniedException")
        result = release(item("web"), on_failure=on_failure)
        assert (result["code"], result["failed_services"]) == ("access_denied", ["web"])


def test_services_that_fail_for_different_reasons_have_a_code_of_their_own(release: Run, rollouts: Rollouts) -> None:
    release(item("web"), item("db"))
    rollouts.ends |= {"web/2": "STOPPED", "db/2": "ROLLBACK_SUCCESSFUL"}
    result = release(*newer(item("web"), item("db")), on_failure="keep")
    assert (result["code"], result["failed_services"]) == ("multiple_errors", ["web", "db"])
    assert {name: service["code"] for name, service in result["services"].items()} == {
        "web": "deployment_stopped",
        "db": "rolled_back",
    }


# The way back


def test_what_cannot_be_rolled_back_is_reported_and_what_it_needs_stays(
    release: Run, shop: list[Json], rollouts: Rollouts, ecs: t.Any
) -> None:
    rollouts.ends |= {"web/2": "STOPPED", "stock/3": "STOPPED"}
    result = release(*shop)
    assert result["code"] == "rollback_failed"
    assert states(result) == {"db": "rollback_failed", "stock": "rollback_failed", "web": "rolled_back"}
    assert "Not rolled back: db, stock. To resume, rerun" in result["msg"]
    assert result["failed_services"] == ["web"]
    assert states(release(rollback=True)) == {"db": "rolled_back", "stock": "rolled_back"}
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"


def test_a_service_that_was_deleted_meanwhile_is_not_rolled_back(
    release: Run, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_when_described(ecs, monkeypatch, "db")
    result = release(shop[0])
    assert (result["code"], states(result)) == ("rollback_failed", {"db": "rollback_failed"})
    assert result["services"]["db"]["code"] == "service_deleted"


def test_a_service_that_was_deleted_meanwhile_does_not_hold_back_the_others(
    release: Run, shop: list[Json], ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = botocore.client.BaseClient._make_api_call

    def patched(client: t.Any, operation: str, request: Json) -> Json:
        answer = t.cast("Json", call(client, operation, request))
        if operation == "UpdateService" and request["service"] == "web":
            ecs.delete_service(cluster="shop", service="web", force=True)
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", patched)
        result = release(*shop)
    assert states(result) == {"db": "rolled_back", "stock": "rolled_back", "web": "rollback_failed"}, result["msg"]
    assert result["msg"].startswith("The release failed: web of 3 services. Not rolled back: web.")
    assert running(ecs, "db", "stock") == "db:1 stock:1"


def delete_when_described(ecs: t.Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Delete a service as soon as one of its deployments is read."""
    call = botocore.client.BaseClient._make_api_call

    def patched(client: t.Any, operation: str, request: Json) -> Json:
        if operation == "DescribeServiceDeployments":
            ecs.delete_service(cluster="shop", service=name, force=True)
            return {"serviceDeployments": []}
        return t.cast("Json", call(client, operation, request))

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", patched)


# A run that was stopped


@pytest.fixture
def stopped(release: Run, shop: list[Json], rollouts: Rollouts) -> list[Json]:
    """A release that was stopped when it had brought `db`, and before it touched `stock`."""
    rollouts.refused["UpdateService", "stock"] = KeyboardInterrupt
    result = release(*shop)
    assert (result["failed"], result["code"]) == (True, "interrupted")
    assert states(result) == {"db": "updated", "stock": "in_progress", "web": "not_started"}
    assert "In progress: stock (starting). Done: db. To resume, rerun the same command." in result["msg"]
    return shop


def test_a_run_that_loses_its_connection_says_where_the_release_stands(
    release: Run, shop: list[Json], calls: list[str], ecs: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        lose_connection(broken, calls)
        result = release(shop[0])
    assert (result["code"], states(result)) == ("no_connection", {"db": "in_progress"})
    assert "In progress: db" in result["msg"]
    kept = release(rollback=True)
    assert (kept["changed"], states(kept)) == (False, {"db": "unchanged"}), "ECS has completed it"
    assert "to roll it back anyway, set force=true. Services: db" in kept["progress"][0]
    assert states(release(rollback=True, force=True)) == {"db": "rolled_back"}
    assert running(ecs, "db") == "db:1"


def lose_connection(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    """Services cannot be read any more once one was updated."""
    call, updates = botocore.client.BaseClient._make_api_call, calls.count("UpdateService")

    def patched(client: t.Any, operation: str, request: Json) -> Json:
        if operation == "DescribeServices" and calls.count("UpdateService") > updates:
            raise EndpointConnectionError(endpoint_url="https://ecs.example")
        return t.cast("Json", call(client, operation, request))

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", patched)


def test_the_same_again_completes_it(release: Run, stopped: list[Json], ecs: t.Any) -> None:
    result = release(*stopped)
    assert states(result) == {"db": "unchanged", "stock": "updated", "web": "updated"}
    assert re.search(r"\. Resumes release \w+ of \S+, started \S+ \(2 services\)$", result["progress"][0])
    assert running(ecs, "db", "stock", "web") == "db:2 stock:2 web:2"
    assert not release(*stopped)["changed"]


def test_if_that_fails_it_rolls_back_both(release: Run, stopped: list[Json], rollouts: Rollouts, ecs: t.Any) -> None:
    rollouts.ends["web/2"] = "STOPPED"
    assert set(states(release(*stopped)).values()) == {"rolled_back"}
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"


@pytest.mark.parametrize("named", [(), ("db", "stock", "web", "absent")], ids=["all", "named"])
def test_it_can_be_rolled_back(release: Run, stopped: list[Json], ecs: t.Any, calls: list[str], named: t.Any) -> None:
    asked = [{"name": name} for name in named]
    calls.clear()
    predicted = release(*asked, rollback=True, check=True)
    assert set(calls) <= {*READS, "ListServices"}
    result = release(*asked, rollback=True)
    assert states(result) == {"db": "rolled_back", "stock": "rolled_back"}
    assert predicted["diff"] == result["diff"]
    assert {name: service["unfinished"] for name, service in result["services"].items()} == {"db": True, "stock": True}
    assert running(ecs, "db", "stock", "web") == "db:1 stock:1 web:1"
    assert release(*asked, rollback=True)["services"] == {}


def test_a_service_that_another_client_changed_since_is_kept(release: Run, stopped: list[Json], ecs: t.Any) -> None:
    arn = ecs.register_task_definition(family="db", containerDefinitions=[container()])["taskDefinition"]
    ecs.update_service(cluster="shop", service="db", taskDefinition=arn["taskDefinitionArn"])
    assert states(release(rollback=True)) == {"stock": "rolled_back"}
    assert described(ecs, "db")[0]["taskDefinition"].endswith("db:3")


# Notes and lines


def test_notes_are_nobody_elses(release: Run, run: Run, stopped: list[Json], ecs: t.Any) -> None:
    note = {tag["key"]: tag["value"] for tag in described(ecs, "db")[0]["tags"]}
    assert "slipway:checkpoint.0" in note
    tagged = {"cluster": "shop", "name": "db", "tags": {"team": "shop"}, "wait": False}
    result = run("ecs_service", **tagged)
    assert result["diff"] == {"before": {}, "after": {"tags": {"team": "shop"}}}
    assert result["service"]["tags"] == {"team": "shop", **note}
    assert not run("ecs_service", **tagged)["changed"]
    assert release(stopped[0], check=True)["services"]["db"]["service"]["tags"] == {"team": "shop"}
    assert run("ecs_service", **{**tagged, "tags": {}})["diff"] == {"before": {"tags": {"team": "shop"}}, "after": {}}
    assert {tag["key"] for tag in described(ecs, "db")[0]["tags"]} == set(note)


def test_lines_go_to_a_file_too(release: Run, tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.write_text("an earlier line\n")
    result = release(item("web"), progress=str(path))
    assert path.read_text().splitlines() == ["an earlier line", *result["progress"]]
    assert [line[10:] for line in result["progress"]][:2] == [
        "Release of 1 service to cluster shop: 1 to create",
        "web  created, runs web:1",
    ]
    assert release(item("web"), progress=str(tmp_path / "absent" / "file"))["code"] == "invalid_option"


# The documentation


def test_examples_do_what_they_say(run: Run, rollouts: Rollouts, calls: list[str]) -> None:
    subnet = boto3.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    # moto wants security groups.
    text = ecs_release.EXAMPLES.replace("[subnet-0123456789abcdef0]", f"[{subnet}], securityGroups: []")
    made, latest, rolled_back, with_tasks, locked, previous = (
        task["slipway.aws.ecs_release"] for task in yaml.safe_load(text)
    )
    assert states(run("ecs_release", **made)) == {"stock": "created", "web": "created"}
    for again in (made, latest, locked):
        calls.clear()
        assert not run("ecs_release", **again).get("changed", True)
        assert set(calls) <= READS
    predicted = run("ecs_release", True, **{**with_tasks, "services": latest["services"]})
    steps = [*predicted["pre_deploy_tasks"], *predicted["post_deploy_tasks"], *predicted["verify"]]
    assert [(step["name"], step["state"]) for step in steps] == [
        ("migrate", "not_needed"),
        ("smoke", "not_needed"),
        ("page", "not_needed"),
    ]
    rollouts.refused["UpdateService", "stock"] = KeyboardInterrupt
    run("ecs_release", **{**made, "services": newer(*made["services"])})
    assert list(run("ecs_release", True, **previous)["services"]) == ["stock"]
    assert states(run("ecs_release", **rolled_back)) == {"stock": "rolled_back"}

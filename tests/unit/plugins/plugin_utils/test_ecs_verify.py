# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which checks are refused, how a failed one is reported, and whether every task runs what was released."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.filter.verification import verification
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_verify import check_problems, digest_problems

Json = dict[str, Any]
PAGE: Json = {"name": "page", "type": "http"}
PORT: Json = {"name": "port", "type": "tcp", "host": "cache", "port": 6379}
CLIENT: Json = {"name": "client", "type": "command", "command": ["psql"], "service": "database"}


def test_good_checks_have_no_problems() -> None:
    checks = [PAGE, PORT, CLIENT, {"name": "ssh", "type": "command", "command": ["true"], "from": "docker_host"}]
    checks += [{**PAGE, "name": "first", "status": 100}, {**PAGE, "name": "last", "status": 599}]
    checks += [{**PORT, "name": "lowest", "port": 1}, {**PORT, "name": "highest", "port": 65535}]
    assert check_problems(checks, ["database"]) == []
    assert check_problems([], []) == []


FIRST = "ecs_verify_checks[0]"


@pytest.mark.parametrize(
    ("checks", "problem"),
    [
        ([PAGE, PAGE], "ecs_verify_checks: expected each name once, got page 2 times."),
        ([{**PAGE, "type": "smtp"}], f"{FIRST} (page).type: expected http, tcp, command, got 'smtp'."),
        ([{**PAGE, "type": None}], f"{FIRST} (page).type: expected http, tcp, command, got none."),
        ([{**PAGE, "path": "shop"}], f"{FIRST} (page).path: expected a path that begins with a slash, got 'shop'."),
        ([{**PAGE, "status": 99}], f"{FIRST} (page).status: expected a number from 100 to 599, got 99."),
        ([{**PAGE, "status": 600}], f"{FIRST} (page).status: expected a number from 100 to 599, got 600."),
        ([{**PAGE, "port": 80}], f"{FIRST} (page).port: expected none, as type http has no port, got 80. Remove it."),
        ([{**PORT, "port": 0}], f"{FIRST} (port).port: expected a number from 1 to 65535, got 0."),
        ([{**PORT, "port": 65536}], f"{FIRST} (port).port: expected a number from 1 to 65535, got 65536."),
        ([{**PORT, "host": None}], f"{FIRST} (port).host: expected a value, as type tcp requires it, got none."),
        ([{**PORT, "host": ""}], f"{FIRST} (port).host: expected a name or an address, got an empty string."),
        ([{**PORT, "from": "task"}], f"{FIRST} (port).from: expected one of here, docker_host, got 'task'."),
        (
            [{**CLIENT, "service": None}],
            f"{FIRST} (client).service: expected one of the services (database), got none.",
        ),
        (
            [{**CLIENT, "service": "web"}],
            f"{FIRST} (client).service: expected one of the services (database), got 'web'.",
        ),
        (
            [{**CLIENT, "command": []}],
            f"{FIRST} (client).command: expected a client and its arguments, got an empty list.",
        ),
    ],
)
def test_wrong_checks_are_named(checks: list[Json], problem: str) -> None:
    assert check_problems(checks, ["database"]) == [problem]


def test_checks_are_completed() -> None:
    checks = [{**PAGE, "path": "/x", "content": None}, PORT, CLIENT, {**CLIENT, "name": "here", "from": "here"}]
    done = verification(checks, url="http://site.example", address="127.0.0.1:80")
    (page,) = done["http"]
    assert (page["url"], page["host"], page["shown_url"]) == (
        "http://127.0.0.1:80/x",
        "site.example",
        "http://site.example/x",
    )
    assert (page["status"], page["content"]) == (200, "")
    assert [one["from"] for one in done["tcp"] + done["command"]] == ["here", "task", "here"]


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (
            {"item": PAGE, "status": 503, "msg": "HTTP Error 503"},
            "page: http://a/: expected status 200, got HTTP Error 503",
        ),
        (
            {"item": {**PAGE, "content": "Django"}, "status": 200},
            "page: http://a/: expected content that matches 'Django', got other content with status 200.",
        ),
        ({"item": PORT, "msg": "Timeout"}, "port: cache: expected connections on port 6379, got none: Timeout"),
        ({"item": CLIENT, "exit_code": 2, "output": [], "msg": "no such host"}, "client: 'psql' failed: no such host"),
        (
            {"item": {**CLIENT, "content": "1"}, "exit_code": 0, "output": ["0"]},
            "client: 'psql': expected output that matches '1', got '0'.",
        ),
        ({"item": CLIENT, "rc": 1, "stdout": "", "stderr": "refused"}, "client: 'psql' failed: refused"),
    ],
)
def test_failed_checks_are_reported(result: Json, message: str) -> None:
    item = {"shown_url": "http://a/", "status": 200, **result["item"]}
    good = {"item": item, "status": 200}
    assert verification([], results=[good, {**result, "item": item, "failed": True}])["failures"] == [message]


OLD, NEW = f"sha256:{'0' * 64}", f"sha256:{'1' * 64}"
IMAGES = {"shop": f"registry.example/shop@{NEW}", "proxy": f"registry.example/proxy@{OLD}"}
ASKED: list[Json] = [
    {
        "name": "web",
        "task_definition": {
            "containerDefinitions": [{"name": "app", "image": "shop"}, {"name": "x", "image": "a/b:1"}]
        },
    }
]


def found(
    *digests: str, name: str = "web", desired: int | None = None, status: str = "RUNNING", **container: str
) -> Json:
    """A service with a task for each digest."""
    tasks = [
        {
            "task_arn": f"arn:aws:ecs:eu-central-1:123456789012:task/ecs/{number}",
            "last_status": status,
            "containers": [
                {"name": "app", "image": "registry.example/shop:1", "image_digest": digest, **container},
                {"name": "x", "image": "a/b:1", "image_digest": OLD},
            ],
        }
        for number, digest in enumerate(digests)
    ]
    return {"service_name": name, "desired_count": len(digests) if desired is None else desired, "tasks": tasks}


@pytest.mark.parametrize("asked", [ASKED, []])
def test_every_task_runs_what_was_released(asked: list[Json]) -> None:
    assert digest_problems([found(*[NEW] * 10)], ["web"], IMAGES, asked) == []
    assert digest_problems([found(desired=0)], ["web"], IMAGES, asked) == []


@pytest.mark.parametrize("asked", [ASKED, []])
def test_one_new_task_of_ten_is_not_a_release(asked: list[Json]) -> None:
    (problem,) = digest_problems([found(NEW, *[OLD] * 9)], ["web"], IMAGES, asked)
    assert problem == (f"web, container app: expected {NEW}, got {OLD} in 9 of 10 running tasks (1, 2, 3 and 6 more).")


def test_the_image_of_another_service_does_not_count() -> None:
    images = {**IMAGES, "old-shop": f"registry.example/shop@{OLD}"}
    assert "in 1 of 1 running tasks" in digest_problems([found(OLD)], ["web"], images, ASKED)[0]


def test_a_container_that_names_a_digest_itself_has_to_run_it() -> None:
    declared = [{"name": "web", "task_definition": {"containerDefinitions": [{"name": "app", "image": f"a/b@{NEW}"}]}}]
    assert digest_problems([found(NEW)], ["web"], {}, declared) == []
    assert f"expected {NEW}, got {OLD}" in digest_problems([found(OLD)], ["web"], {}, declared)[0]


def test_images_are_looked_up_where_the_run_has_not_released_them() -> None:
    stored = [
        {
            "repository_name": "shop",
            "repository_uri": "registry.example/shop",
            "images": [{"image_digest": NEW, "image_tags": ["1"]}],
        }
    ]
    given: Json = {"names": ["web"], "found": [found(OLD)], "services": ASKED}
    for images, repositories in (({"shop": "shop:1"}, stored), ({"shop": f"registry.example/shop@{NEW}"}, [])):
        done = verification([], images=images, repositories=repositories, **given)
        assert done["missing_images"] == []
        assert f"expected {NEW}, got {OLD}" in done["digest_problems"][0]
        assert done["digests"] == [OLD]
    (missing,) = verification([], images={"shop": "shop:2"}, repositories=stored, **given)["missing_images"]
    assert "expected an image 'shop:2'" in missing


def test_missing_services_and_tasks_are_problems() -> None:
    starting = found(NEW, NEW, status="PENDING")
    assert digest_problems([starting], ["web", "worker"], IMAGES, ASKED) == [
        "web: expected 2 running tasks, got 0.",
        "worker: expected a service, got none.",
    ]
    assert digest_problems([found(NEW, desired=10)], ["web"], IMAGES) == ["web: expected 10 running tasks, got 1."]


def test_a_reference_with_a_digest_shows_what_runs_where_ecs_does_not_yet() -> None:
    told = found("", image=f"registry.example/shop@{NEW}")
    assert digest_problems([told], ["web"], IMAGES, ASKED) == []
    assert "got none in 1 of 1" in digest_problems([found("")], ["web"], IMAGES, ASKED)[0]

"""The filters of the role that checks a site: what is refused, and what is said of checks that failed."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.filter.check_problems import check_problems
from ansible_collections.slipway.aws.plugins.filter.digest_problems import digest_problems
from ansible_collections.slipway.aws.plugins.filter.failed_checks import failed_checks

Json = dict[str, Any]
PAGE: Json = {"name": "page", "type": "http"}
PORT: Json = {"name": "port", "type": "tcp", "host": "cache", "port": 6379}
CLIENT: Json = {"name": "client", "type": "command", "command": ["psql"], "service": "database"}


def test_good_checks_have_no_problems() -> None:
    checks = [PAGE, PORT, CLIENT, {"name": "ssh", "type": "command", "command": ["true"], "from": "docker_host"}]
    checks += [{**PAGE, "name": "first", "status": 100}, {**PAGE, "name": "last", "status": 599}]
    checks += [{**PORT, "name": "lowest", "port": 1}, {**PORT, "name": "highest", "port": 65535}]
    assert check_problems(checks, ["database"]) == []


@pytest.mark.parametrize(
    ("checks", "problem"),
    [
        ([], "at least one is right"),
        ([PAGE, PAGE], "page is there 2 times"),
        ([{**PAGE, "type": "smtp"}], "page: type: expected http, tcp, command, got 'smtp'"),
        ([{**PAGE, "path": "shop"}], "page: path is 'shop', a path with a slash in front is right"),
        ([{**PAGE, "status": 99}], "page: status is 99"),
        ([{**PAGE, "status": 600}], "page: status is 600"),
        ([{**PAGE, "port": 80}], "page: http has no port"),
        ([{**PORT, "port": 0}], "port: port is 0, a number from 1 to 65535 is right"),
        ([{**PORT, "port": 65536}], "port: port is 65536"),
        ([{**PORT, "host": None}], "port: tcp needs host"),
        ([{**PORT, "from": "task"}], "port: from is 'task', here or docker_host is right"),
        ([{**CLIENT, "service": None}], "client: service is missing, one of database is right"),
        ([{**CLIENT, "service": "web"}], "client: service is 'web', one of database is right"),
        ([{**CLIENT, "command": []}], "client: host or command is empty"),
    ],
)
def test_wrong_checks_are_named(checks: list[Json], problem: str) -> None:
    assert problem in "; ".join(check_problems(checks, ["database"]))


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"item": PAGE, "status": 503, "msg": "HTTP Error 503"}, "page: http://a/ does not answer 200: HTTP Error 503"),
        (
            {"item": {**PAGE, "content": "Django"}, "status": 200},
            "page: http://a/ answers 200, but without what its check asks for: Django",
        ),
        ({"item": PORT, "msg": "Timeout"}, "port: cache takes no connections on port 6379: Timeout"),
        ({"item": CLIENT, "exit_code": 2, "output": [], "msg": "no such host"}, "client: 'psql' fails: no such host"),
        (
            {"item": {**CLIENT, "content": "1"}, "exit_code": 0, "output": ["0"]},
            "client: 'psql' prints '0', without what its check asks for: 1",
        ),
        ({"item": CLIENT, "rc": 1, "stdout": "", "stderr": "refused"}, "client: 'psql' fails: refused"),
    ],
)
def test_failed_checks_are_sentences(result: Json, said: str) -> None:
    good = {"item": PAGE, "status": 200}
    assert failed_checks([good, {**result, "failed": True}], url="http://a") == [said]


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


def test_missing_services_and_tasks_are_problems() -> None:
    starting = found(NEW, NEW, status="PENDING")
    assert digest_problems([starting], ["web", "worker"], IMAGES, ASKED) == [
        "web: expected 2 running tasks, got 0.",
        "worker: expected a service, got none.",
    ]
    assert digest_problems([found(NEW, desired=10)], ["web"], IMAGES) == ["web: expected 10 running tasks, got 1."]


def test_a_reference_with_a_digest_tells_what_runs_where_ecs_does_not_yet() -> None:
    told = found("", image=f"registry.example/shop@{NEW}")
    assert digest_problems([told], ["web"], IMAGES, ASKED) == []
    assert "got none in 1 of 1" in digest_problems([found("")], ["web"], IMAGES, ASKED)[0]

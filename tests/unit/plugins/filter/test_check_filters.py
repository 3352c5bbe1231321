"""The filters of the role that checks a site: what is refused, and what is said of checks that failed."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.filter.check_problems import check_problems
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
        ([{**PAGE, "type": "smtp"}], "page: type is 'smtp', http, tcp, command are right"),
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

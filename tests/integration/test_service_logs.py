# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logs that are followed while a release replaces all tasks: each line is shown once, in the order of its task."""

from __future__ import annotations

import re
import time
import typing as t
from collections import Counter, defaultdict
from pathlib import Path

import boto3
import docker
import pytest

from ansible_collections.slipway.aws.tests.integration.conftest import REGION, Json, Shop
from ansible_collections.slipway.aws.tests.integration.processes import Run, await_that
from ansible_collections.slipway.aws.tests.proxies.base import Answer, Proxy, Request, refusal

pytestmark = pytest.mark.slow

# Services and their numbers of tasks.
FIVE = {"basket": 2, "stock": 1, "orders": 1, "search": 2, "web": 1}
SECONDS = 60.0
PATIENCE = 300
# Seconds in which Ctrl-C ends the run.
AT_ONCE = 10.0
# What ansible-playbook exits with after Ctrl-C, and after a failed task.
INTERRUPTED, FAILED = 99, 2
# Says which service, version and task writes, to which output, and which of its lines this is.
WRITE = """
task=$(cat /proc/sys/kernel/random/uuid)
trap 'stopped=yes' TERM
number=0
while [ -z "$stopped" ]; do
  number=$((number + 1))
  echo "$NAME $task $VERSION out $number"
  echo "$NAME $task $VERSION err $number" >&2
  sleep 0.3
done
echo "$NAME $task $VERSION end $number"
"""
SHOWN = re.compile(r"\d\d:\d\d:\d\d  (\S+)/(\S+)  (.*)")
# The numbers of a task's lines, by its output.
Numbers = dict[tuple[str, str], list[int]]


class Writers:
    """Services whose containers write numbered lines."""

    def __init__(self, shop: Shop, ecs: t.Any, network: Json) -> None:
        self.shop, self.ecs, self.network = shop, ecs, network
        self.engine, self.logs = docker.from_env(), boto3.client("logs")
        (self.cluster,) = ecs.describe_clusters(clusters=[shop.name])["clusters"]
        # Where a version writes to that logs elsewhere.
        self.moved = f"{shop.name}-moved"
        self.logs.create_log_group(logGroupName=self.moved)

    def service(self, name: str, version: str, count: int = 1, container: str = "app", group: str = "") -> Json:
        environment = {"NAME": name, "VERSION": version}
        options = {
            "awslogs-group": group or self.shop.name,
            "awslogs-region": REGION,
            "awslogs-stream-prefix": name,
        }
        definition = {
            "family": f"{self.shop.name}-{name}",
            "network_mode": "awsvpc",
            "container_definitions": [
                {
                    **self.shop.container("sh", "-c", WRITE),
                    "name": container,
                    "environment": [{"name": key, "value": value} for key, value in environment.items()],
                    "logConfiguration": {"logDriver": "awslogs", "options": options},
                }
            ],
        }
        return {
            "name": name,
            "initial_count": count,
            "task_definition": definition,
            "network_configuration": self.network,
        }

    def release(self, *services: Json) -> None:
        result = self.shop.run("ecs_release", cluster=self.shop.name, services=[*services], wait_timeout=PATIENCE)
        assert result.get("changed"), result

    def stop(self) -> None:
        """End all tasks, and wait until nothing is written any more."""
        for name in FIVE:
            self.ecs.update_service(cluster=self.shop.name, service=name, desiredCount=0)
        await_that(lambda: not self._containers(), self._containers, PATIENCE)

    def _containers(self) -> list[t.Any]:
        found = self.engine.containers.list(
            filters={"label": f"com.amazonaws.ecs.cluster={self.cluster['clusterArn']}"}
        )
        return [one for one in found if "NAME=" in "\n".join(one.attrs["Config"]["Env"])]

    def in_docker(self) -> set[str]:
        """What Docker has of the running containers."""
        return {line for one in self._containers() for line in one.logs().decode().splitlines()}

    def written(self) -> dict[str, list[str]]:
        """What CloudWatch Logs has, by stream."""
        found: dict[str, list[str]] = {}
        for group in (self.shop.name, self.moved):
            for page in self.logs.get_paginator("describe_log_streams").paginate(logGroupName=group):
                for stream in page["logStreams"]:
                    name = stream["logStreamName"]
                    found[f"{group}/{name}"] = [*self._lines(logGroupName=group, logStreamName=name)]
        return found

    def _lines(self, **stream: str) -> t.Iterator[str]:
        token: Json = {}
        while True:
            answer = self.logs.get_log_events(**stream, **token, startFromHead=True)
            yield from (event["message"] for event in answer["events"])
            if token.get("nextToken") == answer["nextForwardToken"]:
                return
            token = {"nextToken": answer["nextForwardToken"]}


@pytest.fixture
def writers(shop: Shop, ecs: t.Any, network: Json) -> t.Iterator[Writers]:
    made = Writers(shop, ecs, network)
    yield made
    made.logs.delete_log_group(logGroupName=made.moved)


@pytest.fixture
def follow(shop: Shop, endpoint: str, tmp_path: Path) -> t.Iterator[t.Callable[..., Run]]:
    """`follow()` runs the playbook logs."""
    started: list[Run] = []

    def run(address: str = endpoint) -> Run:
        variables = {
            "slipway_project": shop.name,
            "slipway_region": REGION,
            "slipway_endpoint_url": address,
            "slipway_access_key": "local",
            "slipway_secret_key": "the-local-cloud-takes-any-key",
        }
        given = [f"--extra-vars={name}={value}" for name, value in variables.items()]
        started.append(Run(tmp_path, "playbooks/logs.yml", "-i", "inventory/local", *given))
        return started[-1]

    yield run
    for one in started:
        one.kill()


def messages(run: Run) -> list[str]:
    """The lines of containers that are shown, each under the name of its service."""
    # The last one may be incomplete.
    lines = [SHOWN.fullmatch(line) for line in run.output.split("\n")[:-1]]
    found = [line for line in lines if line]
    for service, _container, message in (line.groups() for line in found):
        assert message.startswith(f"{service} "), message
    return [line[3] for line in found]


def by_task(lines: t.Iterable[str]) -> Numbers:
    found: Numbers = defaultdict(list)
    for line in lines:
        name, task, version, output, number = line.split()
        found[f"{name} {version} {task}", output].append(int(number))
    return dict(found)


def test_each_line_of_five_services_is_shown_once_while_a_release_replaces_them(
    writers: Writers, follow: t.Callable[..., Run]
) -> None:
    writers.release(*(writers.service(name, "v1", count) for name, count in FIVE.items()))
    run, start = follow(), time.monotonic()
    await_that(lambda: len(set(messages(run))) > len(FIVE), run.describe)
    in_docker = writers.in_docker()

    # Two of the new versions write to streams and to a log group that the old ones had not.
    renamed = {"search": {"container": "engine"}, "web": {"group": writers.moved}}
    writers.release(*(writers.service(name, "v2", count, **renamed.get(name, {})) for name, count in FIVE.items()))
    await_that(lambda: time.monotonic() > start + SECONDS, run.describe, PATIENCE)
    in_docker |= writers.in_docker()
    writers.stop()
    written = writers.written()
    all_lines = Counter(line for lines in written.values() for line in lines)
    await_that(lambda: set(messages(run)) >= set(all_lines), lambda: sorted(set(all_lines) - set(messages(run))))

    assert run.process.poll() is None, run.output
    interrupted = time.monotonic()
    run.interrupt()
    assert time.monotonic() < interrupted + AT_ONCE
    assert run.process.returncode == INTERRUPTED, run.output
    assert "Traceback" not in run.output

    shown = messages(run)
    tasks = {name.rpartition(" ")[0] for name, _output in by_task(shown)}
    assert tasks == {f"{name} {version}" for name in FIVE for version in ("v1", "v2")}
    assert len(written) == 2 * sum(FIVE.values()), [*written]
    assert Counter(shown) == all_lines
    assert set(all_lines.values()) == {1}
    assert in_docker <= set(shown)
    assert {line.split()[2] for line in in_docker} == {"v1", "v2"}
    for lines in written.values():
        assert [line for line in shown if line in set(lines)] == lines
    # Each task was followed to its end.
    assert sum(output == "end" for _name, output in by_task(shown)) == len(written)
    for numbers in by_task(shown).values():
        assert numbers == sorted(numbers)


def test_expired_credentials_end_it_with_their_code(
    writers: Writers, follow: t.Callable[..., Run], endpoint: str
) -> None:
    writers.release(writers.service("web", "v1"))
    expired: list[float] = []

    def before(request: Request) -> Answer | None:
        message = "The security token included in the request is expired"
        return refusal(request, "ExpiredTokenException", message) if expired else None

    with Proxy(endpoint, before) as proxy:
        run = follow(proxy.address)
        await_that(lambda: len(messages(run)) > 10, run.describe)
        expired.append(time.monotonic())
        assert run.end() == FAILED, run.output
        assert time.monotonic() < expired[0] + AT_ONCE
    assert "no_credentials" in run.output
    assert "The security token included in the request is expired" in run.output
    assert "Traceback" not in run.output
    assert max(Counter(messages(run)).values()) == 1

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks at the end keep to their time limit, whatever a page does, and look at every task."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.slipway.aws.tests.proxies.base import Answer, Proxy, json_answer, json_error

LIMIT = 4
# What a try that began within the limit may take, and Ansible for its tasks.
SLACK = 9
REGISTRY = "000000000000.dkr.ecr.eu-central-1.amazonaws.com"
ROLE = [{"name": "Verify", "ansible.builtin.import_role": {"name": "slipway.aws.ecs_verify"}}]


class Page(BaseHTTPRequestHandler):
    """Ready from its third request on."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200 if self.asked > 2 else 503)
        self.end_headers()
        self.wfile.write(b"Welcome")

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def page() -> t.Iterator[str]:
    Page.asked = 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def silent_page() -> t.Iterator[str]:
    """Takes connections, and never answers."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def verify(cloud: t.Any, url: str, *options: str, **variables: t.Any) -> tuple[t.Any, float]:
    """How the role ended, and how long it took beside what it always takes."""
    given = {
        "ecs_cluster_result": {"name": "none"},
        "ecs_load_balancer_result": {"url": url},
        "ecs_verify_services": [],
        "ecs_verify_images": {},
        "ecs_verify_timeout": LIMIT,
    }
    began = time.monotonic()
    run = cloud.play(ROLE, *options, **{**given, **variables})
    return run, time.monotonic() - began


def test_a_page_with_other_content_is_reported(cloud: t.Any, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Page, "asked", 2)
    run, _seconds = verify(cloud, page, ecs_verify_content="never said", ecs_verify_timeout=1)
    assert run.code == 2
    assert "expected content that matches 'never said', got other content" in " ".join(run.output.split())


def test_check_mode_verifies_nothing(cloud: t.Any) -> None:
    run = cloud.play(ROLE, "--check", ecs_cluster_result={"name": "none"}, ecs_verify_services=["web"])
    assert (run.code, run.changed) == (0, 0), run.output


@pytest.mark.variants
def test_the_time_limit_is_in_seconds(cloud: t.Any, page: str, silent_page: str) -> None:
    run, usual = verify(cloud, page, "-v", ecs_verify_timeout=30)
    assert run.code == 0, run.output
    assert "Wait until the pages answer, limit in seconds: 30" in run.output
    checks = [
        {"name": "page", "type": "http"},
        {"name": "other page", "type": "http", "path": "/other"},
    ]
    run, seconds = verify(cloud, silent_page, ecs_verify_checks=checks)
    assert run.code == 2
    assert "page: http" in run.output
    assert seconds < usual + LIMIT + SLACK


@pytest.mark.variants
def test_a_client_that_hangs_ends_with_the_time_limit(cloud: t.Any) -> None:
    client = {"name": "client", "type": "command", "from": "here", "command": ["sleep", "600"]}
    run, seconds = verify(cloud, "", ecs_verify_checks=[client])
    assert run.code == 2
    assert "client: 'sleep 600' failed" in run.output
    assert seconds < 60


def tasks_running(cloud: t.Any, *digests: str, **more: Answer) -> Proxy:
    """The account, with a service `web` that runs a task of each digest; `more` answers other operations."""
    prefix, image = "arn:aws:ecs:eu-central-1:000000000000", f"{REGISTRY}/verified:1"
    arns = [f"{prefix}:task/shop/{number:032}" for number in range(len(digests))]
    counts = {"desiredCount": len(digests), "runningCount": len(digests), "pendingCount": 0}
    deployment = {**counts, "id": "ecs-svc/1", "status": "PRIMARY", "rolloutState": "COMPLETED", "taskDefinition": "x"}
    names = {"serviceName": "web", "serviceArn": f"{prefix}:service/shop/web", "clusterArn": f"{prefix}:cluster/shop"}
    service = {**names, "status": "ACTIVE", **counts}
    tasks = [
        {
            "clusterArn": f"{prefix}:cluster/shop",
            "taskArn": arn,
            "taskDefinitionArn": f"{prefix}:task-definition/web:1",
            "lastStatus": "RUNNING",
            "containers": [{"name": "web", "image": image, "imageDigest": digest}],
        }
        for arn, digest in zip(arns, digests, strict=True)
    ]
    answers = {
        "DescribeServices": json_answer(200, {"services": [{**service, "deployments": [deployment]}], "failures": []}),
        "ListServiceDeployments": json_answer(200, {"serviceDeployments": []}),
        "ListTasks": json_answer(200, {"taskArns": arns}),
        "DescribeTasks": json_answer(200, {"tasks": tasks, "failures": []}),
        **more,
    }
    return Proxy(cloud.address, lambda request: answers.get(request.operation))


@pytest.fixture(scope="module")
def pushed(cloud: t.Any) -> str:
    """The digest of the image `verified:1`."""
    ecr = cloud.client("ecr")
    ecr.create_repository(repositoryName="verified")
    manifest = json.dumps({"schemaVersion": 2, "layers": []})
    ecr.put_image(repositoryName="verified", imageTag="1", imageManifest=manifest)
    (image,) = ecr.describe_images(repositoryName="verified")["imageDetails"]
    return str(image["imageDigest"])


def verify_digests(cloud: t.Any, account: Proxy) -> t.Any:
    with account, contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        check = {"name": "port", "type": "tcp", "host": "127.0.0.1", "port": server.getsockname()[1]}
        images = {"ecs_verify_services": ["web"], "ecs_verify_images": {"web": "verified:1"}}
        run, _seconds = verify(cloud._replace(address=account.address), "", ecs_verify_checks=[check], **images)
        return run


@pytest.mark.witness("ecs_verify")
@pytest.mark.parametrize("new", [1, pytest.param(10, marks=pytest.mark.variants)])
def test_every_task_must_run_the_image_that_was_pushed(cloud: t.Any, pushed: str, new: int) -> None:
    digests = [pushed] * new + [f"sha256:{'0' * 64}"] * (10 - new)
    run = verify_digests(cloud, tasks_running(cloud, *digests))
    assert run.code == (0 if new == 10 else 2), run.output
    assert new == 10 or "in 9 of 10 running tasks" in " ".join(run.output.split())


@pytest.mark.variants
def test_a_missing_permission_is_named(cloud: t.Any, pushed: str) -> None:
    denied = json_error("AccessDeniedException", "not authorized to perform: ecs:ListTasks")
    run = verify_digests(cloud, tasks_running(cloud, pushed, ListTasks=denied))
    assert run.code == 2, run.output
    assert "ecs:ListTasks" in run.output.partition("Report what failed")[2]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two sites on a running local cloud, whose address is SLIPWAY_ENDPOINT. The runs of one are killed."""

from __future__ import annotations

import json
import os
import re
import typing as t
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._project import flow as flows
from ansible_collections.slipway.aws.tests.integration.conftest import SERVE, enter_account
from ansible_collections.slipway.aws.tests.integration.processes import Run, await_that
from ansible_collections.slipway.aws.tests.interruptions.interrupting_proxy import InterruptingProxy

Json = dict[str, t.Any]
# A run that takes longer hangs.
LIMIT = 600.0


def variables(project: str, port: int, folder: Path) -> Json:
    """A small site: one image, and one service that answers with the project's name."""
    container = {
        "name": "web",
        "image": f"localhost:{port}/base/debian:trixie",
        "command": ["perl", "-e", SERVE],
        "environment": [{"name": "VERSION", "value": project}],
        "portMappings": [{"containerPort": 8080}],
        "secrets": [{"name": "KEY", "valueFrom": "key"}],
    }
    service = {
        "name": "web",
        "load_balancers": [{"targetGroupArn": "web", "containerName": "web", "containerPort": 8080}],
        "task_definition": {
            "family": f"{project}-web",
            "cpu": 256,
            "memory": 512,
            "containerDefinitions": [container],
        },
    }
    image = {
        "name": f"{project}-web",
        "path": str(folder / "image"),
        "tags": ["1"],
        "smoke_test": {"container_port": 8080, "path": "/ready"},
    }
    return {
        "slipway_project": project,
        "slipway_tags": {"weather": project},
        "slipway_directory": str(folder / "keys"),
        "local_cloud_port": port,
        "container_image_images": [image],
        "ecs_load_balancer_name": f"{project}-alb",
        "ecs_load_balancer_target_groups": [{"name": "web", "port": 8080, "health_check_path": "/ready"}],
        "ecs_app_secrets": {"key": {"length": 20}},
        "ecs_app_services": [service],
        "ecs_verify_path": "/ready",
        "ecs_verify_content": project,
    }


class Site:
    """A project and its playbooks."""

    def __init__(self, project: str, address: str, folder: Path, proxy: InterruptingProxy | None = None) -> None:
        self.project = project
        self.address = urllib.parse.urlsplit(address)
        self.folder = folder
        self.proxy = proxy
        context = folder / "image"
        context.mkdir(parents=True)
        base = f"localhost:{self.address.port}/base/debian:trixie"
        (context / "Dockerfile").write_text(f'FROM {base}\nCOPY serve /\nUSER nobody\nCMD ["perl", "/serve"]\n')
        (context / "serve").write_text(SERVE)
        self.variables = folder / "variables.json"
        endpoint = {"slipway_endpoint_url": proxy.address if proxy else address}
        self.variables.write_text(json.dumps(variables(project, int(self.address.port or 0), folder) | endpoint))

    def start(self, playbook: str, *options: str) -> Run:
        # The banner of each task, also of those that are skipped.
        arguments = (playbook, "--extra-vars", f"@{self.variables}", *options)
        return Run(self.folder, *arguments, ANSIBLE_STDOUT_CALLBACK="default", ANSIBLE_DISPLAY_SKIPPED_HOSTS="true")

    def run(self, playbook: str, *options: str) -> Run:
        """Run to the end, which must be a success."""
        run = self.start(playbook, *options)
        assert run.process.wait(LIMIT) == 0, run.output
        return run

    def kill_after(self, call: str, playbook: str, *options: str) -> bool:
        """Kill a run right after a change. Whether it was killed: it may also succeed before."""
        assert self.proxy
        run: list[Run] = []
        self.proxy.arm(call, lambda: run[0].kill())  # noqa: PLW0108  # it does not exist yet
        run.append(self.start(playbook, *options))
        code = run[0].process.wait(LIMIT)
        killed = self.proxy.disarm()
        assert code == (-9 if killed else 0), run[0].output
        return killed

    def kill_at(self, pattern: str, playbook: str, *options: str) -> None:
        """Kill a run when its output matches the pattern."""
        seen = re.compile(pattern, re.DOTALL)
        run = self.start(playbook, *options)
        await_that(lambda: bool(seen.search(run.output)) or run.process.poll() is not None, run.describe, LIMIT)
        assert run.process.poll() is None, run.output
        run.kill()

    def owned(self) -> list[Json]:
        return flows.resources(boto3.client, self.project)

    def inventory(self) -> list[tuple[str, str, str]]:
        """What the project owns, by kind, without ids and its own name."""

        def plain(text: str) -> str:
            return text.replace(self.project, "PROJECT")

        return sorted(
            (one["kind"], plain(one["name"]), plain(json.dumps(one["tags"], sort_keys=True))) for one in self.owned()
        )

    def answer(self) -> str:
        """The answer of the service through the load balancer."""
        request = urllib.request.Request(f"{self.address.geturl()}/ready")
        request.add_header("Host", f"{self.project}-alb.alb.localhost:{self.address.port}")
        with urllib.request.urlopen(request, timeout=10) as response:
            return str(response.read().decode())


@pytest.fixture(scope="session")
def endpoint() -> str:
    address = os.environ.get("SLIPWAY_ENDPOINT", "")
    if not address:
        pytest.skip("SLIPWAY_ENDPOINT is not set: it is the address of a local cloud, such as http://127.0.0.1:4566")
    return address


@pytest.fixture(scope="session", autouse=True)
def aws(endpoint: str) -> t.Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        enter_account(patch, endpoint)
        yield


@pytest.fixture(scope="session")
def other(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    site = Site("other", endpoint, tmp_path_factory.mktemp("other"))
    yield site
    site.run("playbooks/destroy.yml", "--extra-vars", "destroy_confirm=other")
    assert site.owned() == []


@pytest.fixture(scope="session")
def killed(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    with InterruptingProxy(endpoint) as proxy:
        yield Site("killed", endpoint, tmp_path_factory.mktemp("killed"), proxy)

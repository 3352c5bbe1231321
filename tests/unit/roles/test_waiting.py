# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""While a module waits, the run says what for, and for how long."""

from __future__ import annotations

import json
import re
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.callback.steps import SHOW_PROGRESS

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
CLUSTER = {
    "clusterName": "slow",
    "clusterArn": "arn:aws:ecs:eu-central-1:123456789012:cluster/slow",
    "status": "PROVISIONING",
}
TASK: dict[str, t.Any] = {
    "name": "Cluster",
    "slipway.aws.ecs_cluster": {"name": "{{ item }}", "wait_timeout": 7},
    "loop": ["slow"],
    "environment": {"SOMETHING": "else"},
}


class Provisioning(BaseHTTPRequestHandler):
    """An ECS whose cluster never becomes ready."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = json.dumps({"clusters": [CLUSTER], "cluster": CLUSTER, "failures": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def slow_cloud(cloud: t.Any) -> t.Iterator[t.Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provisioning)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield cloud._replace(address=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()


def test_a_run_that_waits_says_what_for_and_for_how_long(slow_cloud: t.Any) -> None:
    run = slow_cloud.play([TASK])
    assert run.code == 2
    said = re.search(r"Cluster … \d+ s, waiting for cluster slow to be stable, up to 7 s\n", run.output)
    assert said, run.output
    assert said.start() < run.output.index("failed: [localhost]")


@pytest.mark.variants
def test_another_callback_prints_what_a_module_waits_for(slow_cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_STDOUT_CALLBACK", "default")
    run = slow_cloud.play([TASK])
    assert re.search(r"Waiting for cluster slow to be stable: [3-7] s of up to 7 s\.", run.output), run.output


@pytest.mark.variants
def test_it_is_silent_on_request(slow_cloud: t.Any) -> None:
    assert "waiting for" not in slow_cloud.play([{**TASK, "no_log": True}]).output.lower()


def test_each_module_that_waits_shows_it() -> None:
    """A module with an option for its time limit has an action that shows for what it waits."""
    modules = {path.stem for path in (PLUGINS / "modules").glob("*.py") if '"wait_timeout":' in path.read_text()}
    followed = {path.stem for path in (PLUGINS / "action").glob("*.py") if "(WaitingAction)" in path.read_text()}
    assert len(modules) >= 5
    # The lines of logs are no progress, and a release has lines of its own.
    followed -= {"ecs_service_logs"}
    assert modules <= {*followed, "ecs_release"}
    assert {*followed, "ecs_release"} == set(SHOW_PROGRESS)

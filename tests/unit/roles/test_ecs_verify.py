# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks at the end keep to their time limit, whatever a page does."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

LIMIT = 4
# What a try that began within the limit may take, and Ansible for its tasks.
SLACK = 9
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


def verify(cloud: t.Any, url: str, **variables: t.Any) -> tuple[t.Any, float]:
    """How the role ended, and how long it took beside what it always takes."""
    given = {
        "ecs_cluster_result": {"name": "none"},
        "ecs_load_balancer_result": {"url": url},
        "ecs_verify_services": [],
        "ecs_verify_images": {},
        "ecs_verify_timeout": LIMIT,
    }
    began = time.monotonic()
    run = cloud.play(ROLE, **{**given, **variables})
    return run, time.monotonic() - began


def test_a_page_with_other_content_is_told(cloud: t.Any, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Page, "asked", 2)
    run, _seconds = verify(cloud, page, ecs_verify_content="never said", ecs_verify_timeout=1)
    assert run.code == 2
    assert "without what its check asks for: never said" in run.output


def test_the_time_limit_is_in_seconds(cloud: t.Any, page: str, silent_page: str) -> None:
    run, usual = verify(cloud, page, ecs_verify_timeout=30)
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


def test_a_client_that_hangs_ends_with_the_time_limit(cloud: t.Any) -> None:
    client = {"name": "client", "type": "command", "from": "here", "command": ["sleep", "600"]}
    run, seconds = verify(cloud, "", ecs_verify_checks=[client])
    assert run.code == 2
    assert "client: 'sleep 600' fails" in run.output
    assert seconds < 60

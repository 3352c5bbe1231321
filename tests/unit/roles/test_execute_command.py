# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud's ExecuteCommand answers as AWS does. What its sessions do: tests/unit/plugins/connection."""

from __future__ import annotations

import inspect
import json
import sys
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import ecs as emulator
from ministack.services import kms

Json = dict[str, t.Any]
FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"


def call(operation: str, **members: t.Any) -> Json:
    status, _headers, body = emulator._dispatch_action(operation, members)
    return {"status": status, **json.loads(body)}


@pytest.fixture
def execute() -> Iterator[Callable[[bool], Json]]:
    """Starts a session in a task that is started with ECS Exec, or without."""
    kept, actions = dict(vars(emulator)), dict(emulator._ACTION_MAP)

    def start(is_enabled: bool) -> Json:
        task = call("RunTask", taskDefinition="web", enableExecuteCommand=is_enabled)["tasks"][0]
        return call("ExecuteCommand", task=task["taskArn"], command="sh -c 'echo a b'", interactive=True)

    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import execute_command  # type: ignore[import-not-found]

        patch.setattr(emulator, "_get_docker", lambda: None)
        execute_command.execute_command(emulator, kms, None, 4566)
        call("RegisterTaskDefinition", family="web", containerDefinitions=[{"name": "web", "image": "w", "memory": 64}])
        yield start
        emulator.reset()
    vars(emulator).update(kept)
    emulator._ACTION_MAP.update(actions)
    for name in ("execute_command", "session_agent", "session_encryption", "emulator_patches"):
        sys.modules.pop(name, None)


def test_session_has_a_stream_and_a_token(execute: Callable[[bool], Json]) -> None:
    session = execute(True)["session"]
    assert session["streamUrl"].startswith(f"ws://127.0.0.1:4566/v1/data-channel/{session['sessionId']}?")
    assert len(session["tokenValue"]) > 40


def test_task_without_ecs_exec_is_refused(execute: Callable[[bool], Json]) -> None:
    answer = execute(False)
    assert (answer["status"], answer["__type"]) == (400, "InvalidParameterException")
    assert answer["message"].startswith("The execute command failed because execute command was not enabled when")


def test_the_emulator_serves_no_session_by_itself() -> None:
    source = inspect.getsource(emulator._execute_command)
    assert "amazonaws.com/v1/data-channel" in source
    assert "enableExecuteCommand" not in source

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local cloud starts a task once for each client token, as AWS does."""

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

Json = dict[str, t.Any]
Call = Callable[..., Json]
FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"


def call(operation: str, **members: t.Any) -> Json:
    status, _headers, body = emulator._dispatch_action(operation, members)
    return {"status": status, **json.loads(body)}


@pytest.fixture
def run() -> Iterator[Call]:
    """Starts a task in the emulator with the patch, without HTTP."""
    kept, actions = dict(vars(emulator)), dict(emulator._ACTION_MAP)
    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import client_tokens  # type: ignore[import-not-found]

        patch.setattr(emulator, "_get_docker", lambda: None)
        client_tokens.client_tokens(emulator)
        call("RegisterTaskDefinition", family="web", containerDefinitions=[{"name": "web", "image": "w", "memory": 64}])
        yield lambda cluster, **members: call("RunTask", cluster=cluster, taskDefinition="web", **members)
        emulator.reset()
    vars(emulator).update(kept)
    emulator._ACTION_MAP.update(actions)
    for name in ("client_tokens", "emulator_patches"):
        sys.modules.pop(name, None)


def arns(answer: Json) -> list[str]:
    return [task["taskArn"] for task in answer["tasks"]]


def test_the_same_request_with_the_same_token_starts_nothing(run: Call) -> None:
    first, second = (run("shop", clientToken="a", count=2) for _ in range(2))
    assert (len(arns(first)), arns(second)) == (2, arns(first))
    others = [
        arns(run(*where, **how)) for where, how in ((["shop"], {}), (["shop"], {}), (["web"], {"clientToken": "a"}))
    ]
    assert len({*arns(first), *(arn for one in others for arn in one)}) == 5


def test_another_request_with_the_token_is_a_conflict_that_names_the_task(run: Call) -> None:
    first = run("shop", clientToken="a")
    second = run("shop", clientToken="a", count=2)
    assert (second["status"], second["__type"], second["resourceIds"]) == (400, "ConflictException", arns(first))


def test_the_emulator_ignores_the_token_by_itself() -> None:
    assert "clientToken" not in inspect.getsource(emulator._run_task)

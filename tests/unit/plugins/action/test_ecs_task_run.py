# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of tasks is shown when the run is interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.action import ecs_task_run
from ansible_collections.slipway.aws.plugins.plugin_utils.follower import Follower
from ansible_collections.slipway.aws.plugins.plugin_utils.waiting import LINES_FILE

STOPPED = "11:00:03  Interrupted. The tasks that this run started were stopped: arn:task."


def test_the_end_of_an_interrupted_task_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ecs_task_run.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    ecs_task_run.show_last_line()
    assert capsys.readouterr().out == ""
    path = tmp_path / f"{ecs_task_run.FOLDER}x" / LINES_FILE
    path.parent.mkdir()
    Follower(path, print)
    path.write_text(f"11:00:02  | Migrating\n{STOPPED}\n")
    ecs_task_run.show_last_line()
    assert capsys.readouterr().out == f"  {STOPPED}\n"


def test_a_module_that_says_nothing_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ecs_task_run.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(ecs_task_run, "LAST_LINE_SECONDS", 0.1)
    path = tmp_path / f"{ecs_task_run.FOLDER}x" / LINES_FILE
    path.parent.mkdir()
    Follower(path, print)
    ecs_task_run.show_last_line()
    assert capsys.readouterr().out == ""

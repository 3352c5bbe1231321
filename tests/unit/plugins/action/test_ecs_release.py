# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a release are shown while it runs, unless it is to be silent."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.action import ecs_release
from ansible_collections.slipway.aws.plugins.action.ecs_release import Follower

ROOT = Path(__file__).resolve().parents[4]


def wait_for(lines: list[str], number: int) -> None:
    end = time.monotonic() + 10
    while len(lines) < number and time.monotonic() < end:
        time.sleep(0.01)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecs_release, "LOOK", 0.01)


@pytest.mark.usefixtures("quick")
def test_each_complete_line_is_shown_once(tmp_path: Path) -> None:
    path, shown = tmp_path / "progress", list[str]()
    with Follower(path, shown.append), path.open("a", encoding="utf-8", buffering=1) as file:
        file.write("größer\nha")
        file.flush()
        wait_for(shown, 1)
        assert shown == ["  größer"]
        file.write("lf\n")
        wait_for(shown, 2)
        file.write("the last one\nno line")
    assert shown == ["  größer", "  half", "  the last one"]


@pytest.mark.usefixtures("quick")
def test_what_was_there_before_is_no_news(tmp_path: Path) -> None:
    path, shown = tmp_path / "progress", list[str]()
    path.write_text("old\n")
    with Follower(path, shown.append):
        path.write_text("old\nnew\n")
    assert shown == ["  new"]


def test_a_file_that_is_never_written_is_no_error(tmp_path: Path) -> None:
    shown = list[str]()
    with Follower(tmp_path / "absent", shown.append):
        pass
    assert shown == []


def test_last_words_of_an_interrupted_module_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ecs_release.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    ecs_release.show_last_words()
    assert capsys.readouterr().out == ""
    path = tmp_path / f"{ecs_release.FOLDER}x" / "progress"
    path.parent.mkdir()
    path.write_text("12:00:00  web  started\n12:00:01  Interrupted. ECS goes on.\n12:00:01  To go on, …\n")
    ecs_release.show_last_words()
    assert capsys.readouterr().out == "  12:00:01  Interrupted. ECS goes on.\n  12:00:01  To go on, …\n"


# In a play

SERVICES = [
    {
        "name": "web",
        "desired_count": 0,
        "task_definition": {"family": "web", "container_definitions": [{"name": "web", "image": "x", "memory": 64}]},
    }
]


@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
@pytest.mark.usefixtures("aws")
def test_a_play_shows_the_lines_unless_they_are_to_be_hidden(tmp_path: Path) -> None:
    tagged = [{**SERVICES[0], "tags": {"team": "shop"}}]
    stdout, result = play(
        tmp_path,
        {"slipway.aws.ecs_cluster": {"name": "shop"}},
        {"slipway.aws.ecs_release": {"cluster": "shop", "services": SERVICES}, "no_log": True},
        {"slipway.aws.ecs_release": {"cluster": "shop", "services": tagged}},
    )
    lines = [line for line in stdout.splitlines() if re.match(r"  \d\d:\d\d:\d\d  ", line)]
    assert lines == [f"  {line}" for line in result["progress"]]
    assert "1 to change" in lines[0]
    assert "1 to create" not in stdout
    assert lines[-1].split()[1:3] == ["web", "updated"]


def play(folder: Path, *tasks: t.Any) -> tuple[str, t.Any]:
    """What a play of these tasks says, and the last one's result."""
    result = folder / "result.json"
    registered = [*tasks[:-1], {**tasks[-1], "register": "told"}]
    copied = {"ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": str(result), "mode": "0600"}}
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [*registered, copied]}]
    (folder / "play.yml").write_text(json.dumps(plays))
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible-playbook")),
            "-i",
            "localhost,",
            "-c",
            "local",
            folder / "play.yml",
        ],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_PYTHON_INTERPRETER": sys.executable, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(result.read_text())

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a release are shown while it runs, unless it is to be silent."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.action import ecs_release
from ansible_collections.slipway.aws.plugins.plugin_utils import follower
from ansible_collections.slipway.aws.plugins.plugin_utils.follower import Follower

ROOT = Path(__file__).resolve().parents[4]


def wait_for(lines: list[str], number: int) -> None:
    end = time.monotonic() + 10
    while len(lines) < number and time.monotonic() < end:
        time.sleep(0.01)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "READ_EVERY", 0.01)


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
def test_lines_from_before_are_not_shown(tmp_path: Path) -> None:
    path, shown = tmp_path / "progress", list[str]()
    path.write_text("old\n")
    with Follower(path, shown.append):
        path.write_text("old\nnew\n")
    assert shown == ["  new"]


def test_a_file_that_is_never_written_causes_no_error(tmp_path: Path) -> None:
    shown = list[str]()
    with Follower(tmp_path / "absent", shown.append):
        pass
    assert shown == []


def test_the_last_lines_of_an_interrupted_module_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ecs_release.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    ecs_release.show_last_lines()
    assert capsys.readouterr().out == ""
    path = tmp_path / f"{ecs_release.FOLDER}x" / "progress"
    path.parent.mkdir()
    path.write_text("11:00:00  Interrupted. An earlier run.\n")
    Follower(path, print)
    monkeypatch.setattr(ecs_release, "FIRST_LINE_SECONDS", 0.0)
    ecs_release.show_last_lines()
    assert capsys.readouterr().out == "  Interrupted. Nothing was changed.\n", "it had not said anything"
    monkeypatch.undo()
    monkeypatch.setattr(ecs_release.constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    with path.open("a") as file:
        file.write("12:00:00  web  started\n12:00:01  Interrupted. ECS continues.\n12:00:01  To resume, …\n")
    ecs_release.show_last_lines()
    assert capsys.readouterr().out == "  12:00:01  Interrupted. ECS continues.\n  12:00:01  To resume, …\n"


@pytest.mark.parametrize("code", [-signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGKILL])
def test_a_module_ended_by_a_signal_explains_what_that_means(code: int) -> None:
    died = {"failed": True, "rc": code, "module_stderr": "Traceback", "exception": "Traceback"}
    assert ecs_release.killed(died, [])["msg"] == "Interrupted. Nothing was changed."
    for lines in (None, ["12:00:00  Release of 1 service"]):
        result = ecs_release.killed(died, lines)
        assert result["msg"].startswith("Interrupted. ECS continues the started deployments")
        assert "Traceback" not in str(result)
        assert (result["code"], result["changed"], result["progress"]) == ("interrupted", True, lines or [])


@pytest.mark.parametrize("result", [{"failed": True, "rc": 1}, {"failed": True, "code": "x", "rc": 143}, {"rc": 0}])
def test_other_results_are_unchanged(result: dict[str, t.Any]) -> None:
    assert ecs_release.killed(result, []) is result


# In a play

SERVICES = [
    {
        "name": "web",
        "desired_count": 0,
        "task_definition": {"family": "web", "container_definitions": [{"name": "web", "image": "x", "memory": 64}]},
    }
]


@pytest.mark.variants
@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
@pytest.mark.usefixtures("aws")
def test_a_play_shows_the_lines_unless_no_log_is_set(tmp_path: Path) -> None:
    tagged = [{**SERVICES[0], "tags": {"team": "shop"}}]
    stdout, result = play(
        tmp_path,
        {"slipway.aws.ecs_cluster": {"name": "shop"}},
        {"slipway.aws.ecs_release": {"cluster": "shop", "services": SERVICES}, "no_log": True},
        {"slipway.aws.ecs_release": {"cluster": "shop", "services": tagged}},
    )
    lines = [line for line in stdout.splitlines() if re.match(r"  \d\d:\d\d:\d\d  ", line)]
    assert lines == [f"  {line}" for line in result["progress"]]
    assert "1 to update" in lines[0]
    assert "1 to create" not in stdout
    assert lines[-1].split()[1:3] == ["web", "updated"]
    printed = stdout.splitlines()
    assert printed[printed.index(lines[0]) - 1] == "slipway.aws.ecs_release", "the lines stand below their task"
    assert printed.count("slipway.aws.ecs_release") == 1


@pytest.mark.parametrize(("whom", "number"), [("module", signal.SIGTERM), ("ansible", signal.SIGINT)])
def test_a_signal_before_the_module_handles_signals_says_that_nothing_was_changed(
    tmp_path: Path, whom: str, number: signal.Signals
) -> None:
    """Python needs a second to start and to import; here it never comes further."""
    interpreter, started = tmp_path / "python", tmp_path / "pid"
    interpreter.write_text(f"#!/bin/sh\necho $$ >{started}.new; mv {started}.new {started}; exec sleep 60\n")
    interpreter.chmod(0o700)
    task = {"slipway.aws.ecs_release": {"cluster": "shop", "services": SERVICES}}
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(tmp_path / "temporary")}
    with subprocess.Popen(
        [*PLAYBOOK, "-e", f"ansible_python_interpreter={interpreter}", tmp_path / "play.yml"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as run:
        end = time.monotonic() + 60
        while not started.exists() and time.monotonic() < end:
            time.sleep(0.02)
        os.kill(int(started.read_text()) if whom == "module" else run.pid, number)
        output, _nothing = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "Interrupted. Nothing was changed." in output
    assert "Traceback" not in output


PLAYBOOK = (str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local")


def play(folder: Path, *tasks: t.Any) -> tuple[str, t.Any]:
    """What a play of these tasks says, and the last one's result."""
    result = folder / "result.json"
    registered = [*tasks[:-1], {**tasks[-1], "register": "outcome"}]
    copied = {"ansible.builtin.copy": {"content": "{{ outcome | to_json }}", "dest": str(result), "mode": "0600"}}
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [*registered, copied]}]
    (folder / "play.yml").write_text(json.dumps(plays))
    done = subprocess.run(
        [*PLAYBOOK, folder / "play.yml"],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_PYTHON_INTERPRETER": sys.executable, "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(result.read_text())

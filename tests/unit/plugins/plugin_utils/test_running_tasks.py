# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is shown of tasks while they run."""

from __future__ import annotations

import copy
import io
import pickle
import sys
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import running_tasks
from ansible_collections.slipway.aws.plugins.plugin_utils.running_tasks import CLEAR, RunningTasks
from ansible_collections.slipway.aws.plugins.plugin_utils.task_lines import TaskLine, WaitingLine


class Screen(io.StringIO):
    """A display, and the standard output that it writes to."""

    def display(self, msg: str, **_options: t.Any) -> None:
        self.write(f"{msg}\n")

    @property
    def lines(self) -> list[str]:
        return self.getvalue().splitlines()


class Shown(t.NamedTuple):
    screen: Screen
    tasks: RunningTasks
    clock: list[float]

    def at(self, seconds: float) -> str:
        """What is written at that time."""
        before = len(self.screen.getvalue())
        self.clock[0] = seconds
        self.tasks.show()
        return self.screen.getvalue()[before:]


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> Shown:
    screen, clock = Screen(), [0.0]
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(running_tasks.threading.Thread, "start", lambda _thread: None)
    tasks = RunningTasks(screen, terminal=terminal, clock=lambda: clock[0])
    tasks.watch()
    return Shown(screen, tasks, clock)


def test_a_log_has_lines_at_growing_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    log = shown(monkeypatch, terminal=False)
    log.tasks.begin("1", "localhost", "shop", "Create the NAT gateways")
    for second in range(1, 190):
        log.at(second)
    title = "shop: Create the NAT gateways …"
    times = ("3 s", "10 s", "30 s", "1 min 0 s", "2 min 0 s", "3 min 0 s")
    assert log.screen.lines == [f"{title} {time}" for time in times]
    assert log.tasks.end("1", "localhost") == 189
    assert log.at(300) == ""


def test_what_a_task_waits_for_is_said_once_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    log = shown(monkeypatch, terminal=False)
    log.tasks.begin("1", "localhost", "shop", "Create the cluster", explains_itself=True)
    assert log.at(4) == ""
    waiting = WaitingLine.of("1", "  12:00:00  Waiting for cluster x: 3 s of up to 60 s.")
    log.screen.display(waiting)
    assert log.at(5) == "shop: Create the cluster … 5 s, waiting for cluster x, up to 60 s\n"
    log.screen.display(waiting)
    assert log.at(6) == ""


def test_lines_of_a_task_follow_its_title_and_say_that_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    log = shown(monkeypatch, terminal=False)
    log.tasks.begin("1", "localhost", "shop", "Release")
    log.clock[0] = 9
    log.screen.display(TaskLine.of("1", "  12:00:00  web started"))
    log.screen.display(TaskLine.of("1", "  12:00:01  web stable"))
    assert log.screen.lines == ["shop: Release", "  12:00:00  web started", "  12:00:01  web stable"]
    assert log.at(9.5) == ""
    assert log.at(10) == "shop: Release … 10 s\n"


def test_lines_of_unknown_tasks_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    log = shown(monkeypatch, terminal=False)
    log.screen.display(WaitingLine.of("2", "Waiting for x: 3 s of up to 60 s."))
    assert log.screen.lines == ["Waiting for x: 3 s of up to 60 s."]


def test_a_terminal_has_one_line_that_other_output_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = shown(monkeypatch, terminal=True)
    monkeypatch.setenv("COLUMNS", "40")
    terminal.tasks.begin("1", "a", "shop", "Install the packages")
    assert terminal.at(1) == f"{CLEAR}shop on a: Install the packages …"
    assert terminal.at(1.2) == ""
    terminal.tasks.begin("1", "b", "shop", "Install the packages")
    assert terminal.at(4) == f"{CLEAR}shop on 2 hosts: Install the packages …"[: len(CLEAR) + 39]
    terminal.screen.display("[WARNING]: something")
    assert terminal.screen.getvalue().endswith(f"…{CLEAR}[WARNING]: something\n")
    terminal.tasks.end("1", "a")
    assert terminal.at(5) == f"{CLEAR}shop on b: Install the packages … 5 s"
    terminal.tasks.end("1", "b")
    assert terminal.screen.getvalue().endswith(CLEAR)
    assert terminal.at(6) == ""


def test_everything_is_as_before_when_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = shown(monkeypatch, terminal=True)
    terminal.tasks.begin("1", "localhost", "shop", "Create the VPC")
    terminal.at(1)
    terminal.tasks.stop()
    assert terminal.screen.getvalue().endswith(CLEAR)
    terminal.screen.display("the end")
    assert terminal.screen.getvalue().endswith("the end\n")


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda line: pickle.loads(pickle.dumps(line))])
def test_a_line_stays_its_tasks_between_processes(clone: t.Callable[[TaskLine], TaskLine]) -> None:
    line = clone(WaitingLine.of("1", "text"))
    assert (type(line), line.task, str(line)) == (WaitingLine, "1", "text")

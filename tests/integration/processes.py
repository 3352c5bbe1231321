# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-playbook as a person runs it: in processes of its own, which can be interrupted and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import typing as t
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# On every process of a playbook, whichever session and parent it has.
MARK = "SLIPWAY_TEST_RUN"
LIMIT = 60.0
PAUSE = 0.1


def await_that(holds: t.Callable[[], bool], describe: t.Callable[[], t.Any], limit: float = LIMIT) -> None:
    """Wait until the condition holds; otherwise the test fails with what `describe` returns."""
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, describe()
        time.sleep(PAUSE)


class Run:
    """A run of ansible-playbook with these arguments. What it leaves behind when it is killed stays in the folder."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._id = uuid.uuid4().hex
        self._output = folder / f"{self._id}.output"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        ours = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_HOME": str(folder), "ANSIBLE_NOCOLOR": "1"}
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [Path(sys.executable).with_name("ansible-playbook"), *arguments],
                cwd=ROOT,
                env={**kept, **ours, **environment, MARK: self._id},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def living(self) -> list[int]:
        """Ids of the processes of this run."""
        mark = f"{MARK}={self._id}".encode()
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _read(path)]

    def kill(self) -> None:
        """End every process of the run, wherever it is, without a chance to say anything."""

        def all_dead() -> bool:
            for process in self.living:
                _kill(process)
            return not self.living

        await_that(all_dead, self.describe)
        self.process.wait(LIMIT)

    def interrupt(self) -> None:
        """What Ctrl-C does: the signal goes to the group in the terminal's foreground, to no other session."""
        os.killpg(self.process.pid, signal.SIGINT)
        self.end()
        await_that(lambda: not self.living, self.describe)

    def end(self) -> int:
        """Wait until it has ended; its exit status."""
        return self.process.wait(LIMIT)

    def describe(self) -> str:
        return f"processes {self.living}, output:\n{self.output}"


class Playbook(Run):
    """A run of one task. `progress` is the file that ecs_release writes while it runs."""

    def __init__(self, folder: Path, module: str, **options: t.Any) -> None:
        folder = folder / uuid.uuid4().hex
        folder.mkdir()
        self.progress = folder / "progress"
        task = {"name": "The task", f"slipway.aws.{module}": {**options, "progress": str(self.progress)}}
        play = {"name": "The play", "hosts": "localhost", "gather_facts": False, "tasks": [task]}
        (folder / "play.yml").write_text(json.dumps([play]))
        super().__init__(folder, str(folder / "play.yml"))

    @property
    def lines(self) -> list[str]:
        """What the release has said so far."""
        return self.progress.read_text().splitlines() if self.progress.exists() else []

    def await_line(self, text: str) -> None:
        """Wait until the release says so; it has to be still at work then."""
        await_that(lambda: any(text in line for line in self.lines) or self.process.poll() is not None, self.describe)
        assert self.process.poll() is None, self.output

    def describe(self) -> str:
        return f"progress {self.lines}, {super().describe()}"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the process has ended, or is none of ours
        return b""


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs playbooks for tests as a user does, but in forks of one process, see playbook_server.py.

Starting Ansible takes longer than most plays. A play whose environment or folder is another one than that of the server
starts an Ansible of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = str(Path(sys.executable).with_name("ansible-playbook"))
# A fork reads them itself.
READ_LATER = {"ANSIBLE_STDOUT_CALLBACK", "COLUMNS", "PYTEST_CURRENT_TEST"}

Done = subprocess.CompletedProcess[str]


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without settings of Ansible and keys of AWS, with these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
    home = {name: os.environ[name] for name in ("ANSIBLE_HOME",) if name in os.environ}
    return {**kept, **home, "ANSIBLE_NOCOLOR": "1", **variables}


def collections() -> dict[str, str]:
    """Where ansible-test says that the collection is."""
    return {name: os.environ[name] for name in ("ANSIBLE_COLLECTIONS_PATH",) if name in os.environ}


class Server:
    """The process whose forks are plays, from the first play to the end of the tests."""

    def __init__(self) -> None:
        # It runs one play at a time.
        self.lock = threading.Lock()
        self.process: subprocess.Popen[str] | None = None
        self.environment: dict[str, str] = {}

    def start(self, variables: dict[str, str]) -> subprocess.Popen[str]:
        if self.process is None:
            self.environment = at_start(variables)
            command = [sys.executable, str(Path(__file__).with_name("playbook_server.py"))]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        return self.process

    def serves(self, folder: Path, variables: dict[str, str]) -> bool:
        return folder == ROOT and self.environment in ({}, at_start(variables))

    def run(self, words: list[str], variables: dict[str, str]) -> Done:
        process = self.start(variables)
        assert process.stdin
        assert process.stdout
        with tempfile.NamedTemporaryFile("r+") as stdout, tempfile.NamedTemporaryFile("r+") as stderr:
            request = {
                "words": (command := [PROGRAM, *words]),
                "folder": str(ROOT),
                "environment": variables,
                "stdin": os.devnull,
                "stdout": stdout.name,
                "stderr": stderr.name,
            }
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            code = process.stdout.readline()
            assert code, f"{command}: expected an exit status, got the end of playbook_server.py"
            return Done(command, int(code), stdout.read(), stderr.read())

    def end(self) -> None:
        if self.process:
            self.process.communicate()
            self.process = None


SERVER = Server()


def run(*words: str | Path, folder: Path = ROOT, extra: Mapping[str, Any] | None = None, **variables: str) -> Done:
    """How ansible-playbook ended, and what it printed; `extra` are Ansible's variables, others those of the process."""
    command = [*map(str, words), *(["--extra-vars", json.dumps(extra)] if extra else [])]
    wanted = environment(**variables)
    if SERVER.lock.acquire(blocking=False):
        try:
            if SERVER.serves(folder, wanted):
                return SERVER.run(command, wanted)
        finally:
            SERVER.lock.release()
    return start(command, folder, wanted)


def start(words: list[str], folder: Path, variables: dict[str, str], typed: str = "") -> Done:
    """Run ansible-playbook in a process of its own; `typed` is its standard input."""
    # Python by the path that modules get: a worktree's is another one than that in the program's first line.
    command = [sys.executable, PROGRAM, *words]
    return subprocess.run(command, cwd=folder, env=variables, input=typed, capture_output=True, text=True, check=False)


def at_start(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if name not in READ_LATER}

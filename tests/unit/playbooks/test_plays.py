# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests run playbooks in forks of one process, see plays.py: such a play is like one that a user starts."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.tests import plays

# What Ansible reads when it starts, what it loads, and what a module of it sees.
TASKS: list[dict[str, t.Any]] = [
    {"ansible.builtin.debug": {"msg": "{{ slipway_project }} {{ kept | default('nothing') }} {{ ansible_version }}"}},
    {"ansible.builtin.command": {"argv": ["sh", "-c", "env | sort; pwd; umask; ls -l /proc/self/fd | wc -l"]}},
    {"ansible.builtin.debug": {"msg": "{{ lookup('ansible.builtin.config', 'DEFAULT_LOCAL_TMP') is directory }}"}},
    {"ansible.builtin.set_fact": {"kept": "a fact"}},
    {"ansible.builtin.fail": {"msg": "as wanted"}},
]
# Each process has another one.
OWN = ("PYTEST_CURRENT_TEST=", "_=", "Finished in ", "PWD=", "SHLVL=")


@pytest.fixture
def playbook(tmp_path: Path) -> Path:
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [{**task, "register": "it"} for task in TASKS]}
    path = tmp_path / "playbook.yml"
    path.write_text(yaml.safe_dump([play]))
    return path


def printed(done: plays.Done) -> list[str]:
    assert done.returncode == 2, done.stdout + done.stderr
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    return [line for line in lines if not line.startswith((*OWN, "start:", "end:", "delta:"))]


def test_a_play_in_a_fork_is_like_one_of_its_own(playbook: Path) -> None:
    variables = {"COLUMNS": "99", "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
    words = ["-v", "-i", "inventory/local", str(playbook)]
    own = printed(plays.start(words, plays.ROOT, plays.environment(**variables)))
    assert "COLUMNS=99" in own
    files = {*plays.ROOT.iterdir()}
    # The second one has nothing of the first.
    for _number in range(2):
        assert printed(plays.run(*words, **variables)) == own
    assert plays.SERVER.process
    # Temporary files are where those of Ansible are.
    assert {*plays.ROOT.iterdir()} <= files

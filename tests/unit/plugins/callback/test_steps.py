# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failure is shown once; what Ansible says of a playbook itself is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
# Longer than a line of YAML, and with quotes that YAML would double.
REASON = f"the reason of the assertion: 'web' is a name of{' many words' * 12}, and 'db' is none"
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: An assertion
      ansible.builtin.assert: {that: false, fail_msg: "{{ reason }}"}
      ignore_errors: true
    - name: A module
      ansible.builtin.command: {argv: ["no-such-command-of-ours"]}
      ignore_errors: true
    - name: A loop
      ansible.builtin.fail: {msg: "the reason of {{ item }}"}
      loop: [one]
      ignore_errors: true
    - name: A mistake in the playbook
      ansible.builtin.debug: {msg: "{{ nothing_here }}"}
"""


def test_a_failure_is_printed_once(tmp_path: Path) -> None:
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(PLAYBOOK)
    command = [Path(sys.executable).with_name("ansible-playbook"), "--inventory", "localhost,", "-c", "local"]
    # ansible-test says there where the collection is.
    path = "ANSIBLE_COLLECTIONS_PATH"
    kept = {name: value for name, value in os.environ.items() if name == path or not name.startswith("ANSIBLE_")}
    variables = json.dumps({"ansible_python_interpreter": sys.executable, "reason": REASON})
    environment = {**kept, "ANSIBLE_NOCOLOR": "1"}

    def shown(*options: str) -> str:
        words = [*command, "-e", variables, *options, playbook]
        run = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 2
        return run.stdout + run.stderr

    usual = shown()
    assert usual.count("the reason of the assertion") == 1
    assert f"    {REASON}\n" in usual
    assert usual.count("the reason of one") == 1
    assert usual.count("msg: Error executing command") == 1
    assert "[ERROR]: Task failed: Finalization of task args" in usual
    assert "Origin: " in usual
    assert "[ERROR]: Task failed: Action failed: the reason of the assertion" in shown("-v")


QUIET = """
- hosts: localhost
  gather_facts: false
  vars: {__slipway_quiet: true}
  tasks:
    - name: A task
      ansible.builtin.debug: {msg: what nobody wants to read}
    - name: An assertion
      ansible.builtin.assert: {that: "{{ holds }}", fail_msg: the reason}
"""


@pytest.mark.parametrize(("holds", "code"), [(True, 0), (False, 2)])
def test_a_quiet_play_prints_failures_alone_and_not_to_standard_output(tmp_path: Path, holds: bool, code: int) -> None:
    playbook = tmp_path / "playbook.yml"
    playbook.write_text(QUIET)
    command = [Path(sys.executable).with_name("ansible-playbook"), "--inventory", "localhost,", "-c", "local"]
    path = "ANSIBLE_COLLECTIONS_PATH"
    kept = {name: value for name, value in os.environ.items() if name == path or not name.startswith("ANSIBLE_")}
    words = [*command, "-e", json.dumps({"holds": holds}), playbook]
    run = subprocess.run(words, cwd=ROOT, env=kept, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (code, "")
    assert ("msg: the reason" in run.stderr) == (not holds)

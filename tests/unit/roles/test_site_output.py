# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much a plan of the whole site prints."""

from __future__ import annotations

import json
import os
import re
import subprocess
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
REGION = "eu-central-1"
# A line that says how long a task has taken so far: a busy machine prints more of them.
ELAPSED = re.compile(r"… \d+ s|… \d+ min")
MOST_LINES_OF_A_PLAN = 150


def run(cloud: t.Any, folder: Path, *options: str, variables: dict[str, t.Any] | None = None, **more: str) -> list[str]:
    """The lines that a run of the site prints, without those about tasks that take long."""
    given = {
        "slipway_endpoint_url": cloud.address,
        "slipway_region": REGION,
        "slipway_directory": str(folder),
        **(variables or {}),
    }
    command = ["ansible-playbook", "site.yml", *options, "--extra-vars", json.dumps(given)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        command, cwd=ROOT, env={**kept, "ANSIBLE_NOCOLOR": "1", **more}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in (done.stdout + done.stderr).splitlines() if not ELAPSED.search(line)]


def test_a_plan_of_an_empty_account_is_short(cloud: t.Any, tmp_path: Path) -> None:
    """As `make plan` runs it."""
    lines = run(cloud, tmp_path, "--check", "--diff", ANSIBLE_CALLBACKS_ENABLED="slipway.aws.plan")
    assert len(lines) <= MOST_LINES_OF_A_PLAN, "\n".join(lines)
    assert "  + Create the VPC" in lines
    assert [line for line in lines if re.match(r"\d+ to create, ", line)]
    assert [line for line in lines if "US dollars a month" in line]
    assert not [line for line in lines if "FAILED" in line or "ERROR" in line]

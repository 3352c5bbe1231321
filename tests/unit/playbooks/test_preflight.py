# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook preflight on the workshop's inventory: no false alarm, its JSON, its report, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ansible_collections.slipway.aws.tests import plays

Json = dict[str, t.Any]
ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.own_cloud("the account is empty")


@pytest.fixture(scope="module")
def address(start_cloud: t.Callable[..., str]) -> str:
    return start_cloud(MINISTACK_REGION="ap-northeast-2")


def play(address: str, **variables: t.Any) -> subprocess.CompletedProcess[str]:
    """Run the playbook with the inventory of the local cloud."""
    given = {"slipway_endpoint_url": address, "ansible_python_interpreter": sys.executable, **variables}
    return plays.run("playbooks/preflight.yml", extra=given)


def test_the_workshop_passes_in_an_empty_account(address: str) -> None:
    done = play(address, preflight_format="json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["result"], found["counts"]["FAIL"], found["counts"]["WARN"]) == ("passed", 0, 0)


def test_a_run_of_one_tag_needs_the_rest(address: str, tmp_path: Path) -> None:
    report = tmp_path / "reports/preflight.xml"
    done = play(address, preflight_tags=["service"], preflight_junit=str(report))
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    for what in ("existing cluster, got ecs", "existing IAM role, got ecs-execution", "existing log group"):
        assert any(what in line for line in lines), lines
    assert done.stdout.rstrip().splitlines()[-1].startswith("Preflight failed. Checks: ")
    root = ElementTree.parse(report).getroot()
    assert root.attrib["failures"] == str(len(lines))

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Compose file becomes an inventory by the playbook, with which the site can be planned."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.tests import plays

ROOT = Path(__file__).resolve().parents[3]
GUESTBOOK = ROOT / "tests/unit/convert/guestbook"
SECRET = "for-development-only"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GUESTBOOK, tmp_path / "guestbook"))


def play(playbook: str, *options: str, given: dict[str, t.Any], **environment: str) -> subprocess.CompletedProcess[str]:
    return plays.run(playbook, *options, extra=given, **environment)


def convert(source: Path, *options: str, **given: t.Any) -> subprocess.CompletedProcess[str]:
    names = {"origin": "compose", "source": str(source / "compose.yml"), "inventory": str(source.parent / "shop")}
    return play("playbooks/convert.yml", *options, given={**names, **given})


def test_an_inventory_is_predicted_written_once_and_never_overwritten(source: Path) -> None:
    inventory = source.parent / "shop"
    predicted = convert(source, "--check")
    assert (predicted.returncode, inventory.exists()) == (0, False)
    written = convert(source)
    assert written.returncode == 0
    assert "services.shell: Its profiles are not active: debug." in " ".join(written.stdout.split())
    assert "changed=1" in written.stdout
    assert "changed=0" in convert(source).stdout
    files = {str(path.relative_to(inventory)): path.read_text() for path in inventory.rglob("*") if path.is_file()}
    assert {"NOTES.md", "hosts.yml", "group_vars/all/service_web.yml", "group_vars/all/secrets.yml"} <= files.keys()
    assert [name for name, text in files.items() if SECRET in text] == []
    assert SECRET not in predicted.stdout + written.stdout
    service = inventory / "group_vars/all/service_web.yml"
    service.write_text(service.read_text().replace("desired_count: 1", "desired_count: 2"))
    refused = convert(source)
    assert refused.returncode == 2
    assert "group_vars/all/service_web.yml" in refused.stdout
    assert yaml.safe_load(service.read_text())["service_web"]["desired_count"] == 2


def test_what_is_missing_is_named(source: Path) -> None:
    refused = convert(source, inventory="")
    assert refused.returncode == 2
    assert "expected origin, source and inventory" in " ".join(refused.stdout.split())


@pytest.mark.variants
@pytest.mark.own_cloud("plans a whole site, which the other kinds of clouds do in tests of their own")
def test_the_site_can_be_planned_with_it(source: Path, ministack: str) -> None:
    assert convert(source).returncode == 0
    given = {
        "slipway_endpoint_url": ministack,
        "slipway_access_key": "key",
        "slipway_secret_key": "b2f0c1d4e7a9",
        "slipway_directory": str(source.parent / ".slipway"),
        "ecs_network_docker_host_cidrs": ["10.9.0.0/16"],
    }
    options = ("--check", "-i", str(source.parent / "shop"))
    without = play("site.yml", *options, given=given)
    assert without.returncode == 2
    assert "CACHE_PASSWORD" in without.stdout
    planned = play("site.yml", *options, given=given, CACHE_PASSWORD="visitors-only")
    assert planned.returncode == 0, planned.stdout
    assert "visitors-only" not in planned.stdout

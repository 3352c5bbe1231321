# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook init: what it writes for an application, what it keeps, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.tests import plays

ROOT = Path(__file__).resolve().parents[3]
COLLECTIONS = str(ROOT / ".ansible/collections")
REGION, ACCOUNT = "eu-central-1", "000000000000"
DOCKERFILE = "ARG BASE_IMAGE=debian\nFROM ${BASE_IMAGE}\nEXPOSE 8000\nUSER app\n"
INIT = {
    "project": "shop",
    "application": "app",
    "stages": "staging,production",
    "regions": REGION,
    "accounts": ACCOUNT,
    "pipelines": "github,gitlab",
    "repository": "acme/shop",
}


def application(here: Path) -> None:
    (here / "app").mkdir(parents=True, exist_ok=True)
    (here / "app/Dockerfile").write_text(DOCKERFILE)


def init(here: Path, *options: str, **variables: str) -> plays.Done:
    """From the folder of this project, as plays in forks are."""
    application(here)
    return plays.run("slipway.aws.init", *options, extra={**INIT, "directory": str(here), **variables})


def test_init_writes_inventories_that_ansible_reads_and_keeps_what_exists(tmp_path: Path) -> None:
    tmp_path.joinpath("ansible.cfg").write_text("# mine\n[defaults]\ninventory = inventory/local\n")
    done = init(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert tmp_path.joinpath("ansible.cfg").read_text().startswith("# mine")
    for stage, expected in (("local", "shop-local"), ("staging", "shop-staging"), ("production", "shop-production")):
        command = [
            Path(sys.executable).with_name("ansible-inventory"),
            "-i",
            f"inventory/{stage}",
            "--host",
            "localhost",
        ]
        listed = json.loads(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout)
        assert listed["slipway_project"] == expected
        assert listed["ecs_app_services"][0]["name"] == "shop"
        assert (listed["container_image_images"] == []) == (stage == "production")
        assert listed["ecs_app_container_defaults"] == {"readonlyRootFilesystem": True}
        assert (listed["ecs_app_root_user"], listed["ecs_cluster_log_retention"]) == ("refuse", 365)
        assert listed["container_image_base_image"].startswith("localhost:" if stage == "local" else "public.ecr.aws/")
        assert ("slipway_account" in listed) == (stage != "local") or listed["slipway_account"] == ""
    assert yaml.safe_load(tmp_path.joinpath(".github/workflows/slipway-plan.yml").read_text())["name"] == "Slipway plan"


@pytest.mark.variants
def test_init_adds_a_stage_and_changes_nothing_else(tmp_path: Path) -> None:
    assert init(tmp_path).returncode == 0
    stage = tmp_path / "inventory/staging/group_vars/all/stage.yml"
    stage.write_text(stage.read_text() + "# mine\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    predicted = init(tmp_path, "--check", stages="staging,qa,production")
    assert predicted.returncode == 0, predicted.stdout
    added = init(tmp_path, stages="staging,qa,production")
    assert added.returncode == 0, added.stdout
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path: after[path] for path in before} == before
    assert {path.relative_to(tmp_path).parts[:2] for path in after.keys() - before.keys()} == {("inventory", "qa")}
    assert "changed=0 " in init(tmp_path, stages="staging,qa,production").stdout


def test_init_refuses_what_is_wrong_before_it_writes(tmp_path: Path) -> None:
    application(tmp_path)
    wrong = {**INIT, "stages": "local", "regions": ""}
    done = plays.run("slipway.aws.init", folder=tmp_path, extra=wrong, ANSIBLE_COLLECTIONS_PATH=COLLECTIONS)
    assert done.returncode == 2
    said = " ".join((done.stdout + done.stderr).split())
    assert "stages: expected names other than local" in said
    assert "regions: expected a region, such as eu-central-1, got nothing." in said
    assert [path.name for path in tmp_path.iterdir()] == ["app"]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a record knows of files and code, and what of secrets it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.action import compare_role
from ansible_collections.slipway.aws.tests import plays

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[4]
READ = {
    "scope": {"project": "ecs", "region": "eu-central-1"},
    "records": {},
    "problems": {},
    "states": {},
    "unknown": [],
}


def test_the_content_of_a_file_counts_but_not_that_of_a_private_key(tmp_path: Path) -> None:
    config, key = tmp_path / "ssh_config", tmp_path / "id_ed25519"
    missing = compare_role.content_of(str(config))
    config.write_text("Host a")
    first = compare_role.content_of(str(config))
    config.write_text("Host b")
    assert len({missing, first, compare_role.content_of(str(config))}) == 3
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nx")
    assert compare_role.content_of(str(key)) == "exists"


def test_each_file_of_a_build_counts(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch")
    (tmp_path / ".dockerignore").write_text("notes")
    source = [{"path": str(tmp_path), "dockerfile": None}]
    before = compare_role.contexts_of(source)
    (tmp_path / "notes").write_text("x")
    assert compare_role.contexts_of(source) == before
    (tmp_path / "app.py").write_text("x")
    assert compare_role.contexts_of(source) != before
    (tmp_path / "Dockerfile").unlink()
    assert "dockerfile: expected a Dockerfile" in compare_role.contexts_of(source)[1][0]


@pytest.mark.parametrize("edited", ["plugins/filter/x.py", "roles/ecs_app/tasks/main.yml", "galaxy.yml"])
def test_an_edit_of_the_code_counts(edited: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_role, "COLLECTION", tmp_path)
    for name in ("plugins/filter/x.py", "roles/ecs_app/tasks/main.yml", "roles/ecs_verify/tasks/main.yml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("one")
    (tmp_path / "galaxy.yml").write_text("version: 0.1.0")
    before = compare_role.code_of.__wrapped__("ecs_app")
    (tmp_path / "roles/ecs_verify/tasks/main.yml").write_text("two")
    assert compare_role.code_of.__wrapped__("ecs_app") == before
    (tmp_path / edited).write_text("version: 0.2.0")
    assert compare_role.code_of.__wrapped__("ecs_app") != before


def compared(folder: Path, roles: list[str], variables: str, *options: str) -> list[str]:
    """Why each role runs in full, according to a playbook of its own."""
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {"name": "Start", "ansible.builtin.set_fact": {"__slipway_records": READ}},
            *({"slipway.aws.compare_role": {"role": role}, "register": f"of_{role}"} for role in roles),
            {
                "ansible.builtin.copy": {
                    "content": "{{ [" + ", ".join(f"of_{role}.msg" for role in roles) + "] | to_json }}",
                    "dest": str(folder / "answers"),
                }
            },
        ],
    }
    (folder / "play.yml").write_text(yaml.safe_dump([play]))
    (folder / "password").write_text("x")
    (folder / "variables.yml").write_text(variables)
    words = ["-i", "localhost,", "-c", "slipway.aws.forkserver", "-e", f"@{folder}/variables.yml", *options]
    words += ["--vault-password-file", str(folder / "password"), str(folder / "play.yml")]
    given = {"ansible_python_interpreter": sys.executable}
    ended = plays.run(*words, extra=given, **plays.collections())
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return list(json.loads((folder / "answers").read_text()))


def encrypted(folder: Path, name: str) -> str:
    (folder / "password").write_text("x")
    command = [Path(sys.executable).with_name("ansible-vault"), "encrypt_string", "-n", name, "red"]
    command += ["--vault-password-file", str(folder / "password")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_what_is_not_known_cannot_be_compared(tmp_path: Path) -> None:
    variables = "{docker_host_users: ['{{ nowhere }}'], ecs_cluster_project: shop}"
    unresolved, other, none = compared(tmp_path, ["docker_host", "ecs_cluster", "ecr_registry"], variables)
    assert "docker_host_users cannot be resolved" in unresolved
    assert "ecs_cluster_project is shop, but the records are those of ecs." in other
    assert none == "no record"


def test_a_part_of_a_playbook_is_not_compared(tmp_path: Path) -> None:
    [said] = compared(tmp_path, ["ecs_cluster"], "{}", "--start-at-task", "Start")
    assert "a part of the playbook was selected" in said


def test_an_encrypted_value_is_not_recorded(tmp_path: Path) -> None:
    namespace, secret = encrypted(tmp_path, "service_discovery_namespace"), encrypted(tmp_path, "secret")
    variables = f"{namespace}\n{secret}\necs_app_secret_values: {{key: '{{{{ secret }}}}'}}"
    of_a_setting, of_a_secret = compared(tmp_path, ["service_discovery", "ecs_app"], variables)
    assert "contains an encrypted value" in of_a_setting
    assert of_a_secret == "no record"

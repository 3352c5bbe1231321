# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._core.templates import escaped
from ansible_collections.slipway.aws.plugins.module_utils._inventory.model import files, slugs_of

MODULE = "inventory_files"
# Where Python finds the collection.
PATHS = os.pathsep.join(map(str, sys.path))
Json = dict[str, t.Any]
Run = t.Callable[..., Json]

SMALL: Json = {"family": "web", "containerDefinitions": [{"name": "web", "image": "nginx:1.29", "memory": 64}]}
LARGE: Json = {
    "family": "big",
    "containerDefinitions": [
        {
            "name": "big",
            "image": "nginx:1.29",
            "environment": [{"name": f"NAME_{number}", "value": f"{{{{ {number} }}}}"} for number in range(40)],
        }
    ],
}
SITE: Json = {
    "name": "shop",
    "variables": {
        "project": {
            "slipway_project": "shop",
            "text": "{{ not a template }}",
            "script": "one\ntwo {{ three }}\n",
            "from_environment": {"__template__": "{{ 6 * 7 }}"},
            "version": "1.10",
            "answer": "no",
        },
        "empty": {},
    },
    "comments": {"project": "What the shop ships."},
    "services": [
        {"name": "web", "task_definition": SMALL, "desired_count": 2},
        {"name": "big-one", "task_definition": LARGE},
    ],
    "notes": [{"place": "services.web.volumes[0]", "reason": "A bind mount has no counterpart.", "advice": "Use EFS."}],
}


def read_by_ansible(directory: Path) -> Json:
    """The variables of localhost as Ansible templates them."""
    play = directory.parent / "play.yml"
    names = "slipway_project, text, script, from_environment, version, answer, ecs_app_services"
    play.write_text(
        json.dumps(
            [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "tasks": [
                        {
                            "ansible.builtin.copy": {
                                "dest": str(directory.parent / "read.json"),
                                "content": "{{ dict(['"
                                + "','".join(names.split(", "))
                                + "'] | zip(query('ansible.builtin.vars', '"
                                + "','".join(names.split(", "))
                                + "'))) | to_json }}",
                                "mode": "0600",
                            }
                        }
                    ],
                }
            ]
        )
    )
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", directory, play]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | {"ANSIBLE_NOCOLOR": "1"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads((directory.parent / "read.json").read_text()))


def test_ansible_reads_what_was_given(run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "inventory"
    run(MODULE, directory=str(directory), site=SITE)
    variables = SITE["variables"]["project"] | {"from_environment": 42}
    assert read_by_ansible(directory) == {**variables, "ecs_app_services": SITE["services"]}


def test_each_service_has_a_file_and_a_large_task_definition_is_json(run: Run, tmp_path: Path) -> None:
    result = run(MODULE, directory=str(tmp_path), site=SITE)
    assert result["files"] == sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert result["files"] == [
        "NOTES.md",
        "group_vars/all/project.yml",
        "group_vars/all/service_big_one.yml",
        "group_vars/all/service_web.yml",
        "group_vars/all/services.yml",
        "group_vars/task_definitions/big_one.json",
        "hosts.yml",
    ]
    assert json.loads((tmp_path / "group_vars/task_definitions/big_one.json").read_text()) == LARGE
    assert "# What the shop ships." in (tmp_path / "group_vars/all/project.yml").read_text()
    assert "A bind mount has no counterpart. Use EFS." in (tmp_path / "NOTES.md").read_text()


def test_check_mode_predicts_and_a_rerun_changes_nothing(run: Run, tmp_path: Path) -> None:
    directory = tmp_path / "inventory"
    predicted = run(MODULE, check=True, directory=str(directory), site=SITE)
    assert not directory.exists()
    first = run(MODULE, directory=str(directory), site=SITE)
    assert first == predicted
    assert first["changed"]
    assert {item["before_header"] for item in first["diff"]} == {str(directory / path) for path in first["files"]}
    second = run(MODULE, directory=str(directory), site=SITE)
    assert not second["changed"]
    assert second["diff"] == []


@pytest.mark.parametrize("check", [True, False])
def test_an_edited_file_is_kept_and_nothing_is_written(run: Run, tmp_path: Path, check: bool) -> None:
    run(MODULE, directory=str(tmp_path), site=SITE)
    edited = tmp_path / "group_vars/all/service_web.yml"
    edited.write_text("---\nservice_web: {}\n")
    (tmp_path / "hosts.yml").unlink()
    failed = run(MODULE, directory=str(tmp_path), site=SITE, check=check)
    assert failed["code"] == "file_exists"
    assert failed["files"] == ["group_vars/all/service_web.yml"]
    assert edited.read_text() == "---\nservice_web: {}\n"
    assert not (tmp_path / "hosts.yml").exists()
    forced = run(MODULE, directory=str(tmp_path), site=SITE, check=check, force=True)
    assert [item["before_header"] for item in forced["diff"]] == [str(tmp_path / "hosts.yml"), str(edited)]
    assert ("service_web: {}" in edited.read_text()) == check


def test_a_file_of_a_deleted_service_is_kept_and_named(run: Run, tmp_path: Path) -> None:
    run(MODULE, directory=str(tmp_path), site=SITE)
    result = run(MODULE, directory=str(tmp_path), site={**SITE, "services": SITE["services"][:1]}, force=True)
    assert result["left"] == ["group_vars/all/service_big_one.yml", "group_vars/task_definitions/big_one.json"]
    assert all((tmp_path / path).exists() for path in result["left"])


def test_a_secret_is_in_the_file_and_in_no_result(run: Run, tmp_path: Path) -> None:
    container = {"name": "web", "image": "web", "environment": [{"name": "DB_PASSWORD", "value": "tr0ub4dor"}]}
    service = {"name": "web", "task_definition": {"family": "web", "containerDefinitions": [container]}}
    result = run(MODULE, directory=str(tmp_path), site={**SITE, "services": [service]})
    assert "tr0ub4dor" in (tmp_path / "group_vars/all/service_web.yml").read_text()
    assert "tr0ub4dor" not in json.dumps(result)


def test_an_unwritable_directory_is_reported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    failed = run(MODULE, directory=str(tmp_path / "file"), site=SITE)
    assert failed["code"] == "file_exists"
    failed = run(MODULE, directory="/proc/slipway", site=SITE)
    assert failed["code"] == "file_not_written"


def test_names_that_differ_only_in_punctuation_get_files_of_their_own() -> None:
    assert slugs_of(["a-b", "a_b", "a.b", "ü"]) == ["a_b", "a_b_2", "a_b_3", "_"]


def test_names_get_files_of_their_own_on_any_file_system() -> None:
    """Some take two names that differ in their case for one, and none takes 255 characters beside a prefix."""
    assert slugs_of(["Web", "web", "WEB"]) == ["Web", "web_2", "WEB_3"]
    slugs = slugs_of(["a" * 255, "a" * 254])
    assert len(set(slugs)) == 2
    assert max(map(len, slugs)) < 120


@pytest.mark.parametrize("length", [1, 100])
def test_what_others_wrote_is_no_template(length: int) -> None:
    """The labels of a container are anybody's. A large task definition is JSON, which is never a template."""
    labels: Json = {"__template__": "{{ lookup('pipe', 'id') }}"}
    definition = escaped({"containerDefinitions": [{"name": str(n), "dockerLabels": labels} for n in range(length)]})
    written = files({"name": "shop", "services": [{"name": "web", "task_definition": definition}]})
    [text] = [text for text in written.values() if "lookup(" in text and "pipe" in text]
    read = json.loads(text) if length > 1 else read_by_yaml(text)["service_web"]["task_definition"]
    assert read["containerDefinitions"][0]["dockerLabels"] == labels
    assert length > 1 or "__template__: !unsafe" in text


def read_by_yaml(text: str) -> Json:
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    return dict(yaml.load(text, Loader))


KILLED = """
import itertools, os, signal
from ansible_collections.slipway.aws.plugins.module_utils._inventory import flow

calls, replace = itertools.count(), os.replace
os.replace = lambda *given: os.kill(os.getpid(), signal.SIGKILL) if next(calls) == {number} else replace(*given)
flow.run({{"directory": {directory!r}, "site": {site!r}, "force": False}}, False)
"""


@pytest.mark.parametrize("number", [0, 3])
def test_a_run_that_is_killed_is_completed_by_the_next_one(run: Run, tmp_path: Path, number: int) -> None:
    directory = tmp_path / "inventory"
    script = KILLED.format(number=number, directory=str(directory), site=SITE)
    done = subprocess.run([sys.executable, "-c", script], check=False, env={**os.environ, "PYTHONPATH": PATHS})
    assert done.returncode == -9
    assert not (directory / "hosts.yml").exists()
    names = [path.name for path in directory.rglob("*") if path.is_file()]
    assert len([name for name in names if not name.startswith(".")]) == number
    files = run(MODULE, directory=str(directory), site=SITE)["files"]
    assert sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()) == files
    assert not run(MODULE, directory=str(directory), site=SITE)["changed"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), JSON, min_size=1))
def test_any_value_is_read_as_it_was_written(variables: Json) -> None:
    text = files({"name": "shop", "variables": {"project": variables}})["group_vars/all/project.yml"]
    assert read_by_yaml(text) == variables

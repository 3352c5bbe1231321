# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret in a variable that is not for secrets is refused by a play, before anything is touched."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.variable_secrets import secret_problems
from ansible_collections.slipway.aws.tests.secret_values import ACCESS_KEY, PASSWORD, SECRET_KEY, SECRETS

Json = dict[str, t.Any]
ROOT = Path(__file__).resolve().parents[4]
TOKEN = SECRETS["GitHub"]


def problems(**variables: t.Any) -> list[str]:
    def literal(name: str) -> t.Any:
        return "unknown" if "{{" in str(variables[name]) else variables[name]

    return secret_problems(variables, variables.__getitem__, literal, ["ecs_app_secret_values"])


@pytest.mark.parametrize(
    ("variables", "entry"),
    [
        ({"ecs_app_tags": {"owner": TOKEN}}, "ecs_app_tags.owner"),
        ({"slipway_tags": {"owner": TOKEN}}, "slipway_tags.owner"),
        ({"ecs_app_settings": {"LEVEL": TOKEN}}, "ecs_app_settings.LEVEL"),
        ({"ecs_app_secrets": {"db": {"from": TOKEN}}}, "ecs_app_secrets.db.from"),
        ({"ecs_app_secrets": {"db": TOKEN}}, "ecs_app_secrets.db"),
        (
            {"container_image_images": [{"name": "web", "build_args": {"NPM_TOKEN": SECRETS["npm"]}}]},
            "web.build_args.NPM_TOKEN",
        ),
        (
            {"ecs_app_schedules": [{"name": "night", "environment": {"URL": SECRETS["address"]}}]},
            "night.environment.URL",
        ),
    ],
)
def test_a_secret_is_refused_by_its_place(variables: Json, entry: str) -> None:
    (problem,) = problems(**variables)
    assert f"add '{entry}' to slipway_plain_values" in problem
    assert not [one for one in (*SECRETS.values(), PASSWORD) if one in problem]
    assert problems(**variables, slipway_plain_values=[entry]) == []


def test_what_is_for_secrets_may_hold_them() -> None:
    assert problems(ecs_app_secret_values={"db": TOKEN}, slipway_aws_config={"proxies": SECRETS["address"]}) == []
    assert problems(slipway_access_key="test", slipway_secret_key="test", slipway_plain_values=None) == []


def test_keys_of_aws_are_refused_in_files_and_not_from_the_environment() -> None:
    keys = {"slipway_access_key": ACCESS_KEY, "slipway_secret_key": SECRET_KEY}
    (problem,) = problems(**keys)
    assert problem.startswith("slipway_secret_key: expected no AWS key in a file, got an AWS secret access key")
    assert SECRET_KEY not in problem
    assert problems(**keys, slipway_plain_values=["slipway_secret_key"]) == []
    assert problems(slipway_secret_key="{{ lookup('env', 'SECRET') }}") == []


def test_a_play_refuses_it_and_prints_no_value() -> None:
    """Also values that come from a template, and beside misspelt options whose message would show them."""
    environment = [{"name": "URL", "value": "{{ address }}"}]
    container = {"name": "web", "image": "web", "environment": environment, "comand": [TOKEN]}
    definition = {"family": "web", "networkMode": TOKEN, "containerDefinitions": [container]}
    variables = {
        "address": SECRETS["address"],
        "ecs_app_services": [{"name": "web", "task_definition": definition}],
        "ecs_app_tags": {"owner": TOKEN},
    }
    words = ["ansible", "localhost", "-m", "slipway.aws.validate_variables", "-vvv", "-e", json.dumps(variables)]
    command = [Path(sys.executable).with_name(words[0]), *words[1:]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "misplaced_secret" in output
    for said in ("environment[0] (URL).value", "ecs_app_tags.owner", "unknown member 'comand'", "networkMode"):
        assert said in output
    assert TOKEN not in output
    assert PASSWORD not in output

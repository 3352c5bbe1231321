# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of the ECR modules shows does what it says, and nothing the second time."""

from __future__ import annotations

import importlib
import json
import typing as t

import pytest
import yaml

Json = dict[str, t.Any]
Run = t.Callable[..., Json]

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
}


def examples(module: str) -> list[t.Any]:
    """The options of each example of a module, under its name."""
    text = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{module}").EXAMPLES
    action = f"slipway.aws.{module}"
    return [pytest.param(task[action], id=task["name"]) for task in yaml.safe_load(text) if action in task]


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
@pytest.mark.parametrize("options", examples("ecr_repository"))
def test_ecr_repository(run: Run, ecr: t.Any, options: Json) -> None:
    ecr.create_repository(repositoryName="webapp")
    ecr.set_repository_policy(repositoryName="webapp", policyText=json.dumps(POLICY))
    first = run("ecr_repository", **options)
    assert first.get("changed"), first
    assert not run("ecr_repository", **options)["changed"]


@pytest.mark.parametrize("options", examples("ecr_repository_info"))
def test_ecr_repository_info(run: Run, ecr: t.Any, put: t.Callable[..., str], options: Json) -> None:
    ecr.create_repository(repositoryName="webapp")
    put("webapp", "src-0d4a1185c5c1d7f3", "1")
    found = run("ecr_repository_info", **options)["repositories"]
    assert [repository["repository_name"] for repository in found] == ["webapp"]
    assert len(found[0].get("images", [])) == ("image_tag" in options)


@pytest.mark.witness("ecr_authorization_info")
@pytest.mark.parametrize("options", examples("ecr_authorization_info"))
def test_ecr_authorization_info(run: Run, options: Json | None) -> None:
    known = run("ecr_authorization_info", **(options or {}))
    assert (known["changed"], known["username"]) == (False, "AWS")
    assert known["password"]
    assert known["registry"]


@pytest.mark.parametrize("options", examples("ecr_image_tag"))
def test_ecr_image_tag(run: Run, ecr: t.Any, put: t.Callable[..., str], options: Json) -> None:
    ecr.create_repository(repositoryName="webapp")
    for tag, content in (("src-0d4a1185c5c1d7f3", "1"), ("src-2222222222222222", "2"), ("ecr0.9", "2")):
        put("webapp", tag, content)
    first = run("ecr_image_tag", **options)
    assert first.get("changed"), first
    assert not run("ecr_image_tag", **options)["changed"]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two projects of one account share a repository, and build an image of the same source once."""

from __future__ import annotations

import json
import os
import typing as t

import pytest

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud, Engine

Json = dict[str, t.Any]
SHARED = [{"name": "base/web", "shared": True}]


def role(name: str, entry: str = "main", **variables: t.Any) -> Json:
    return {
        "ansible.builtin.include_role": {"name": f"slipway.aws.{name}", "tasks_from": entry},
        "vars": {"ecr_registry_repositories": SHARED, **variables},
    }


def reset(cloud: Cloud) -> t.Any:
    ecr = cloud.client("ecr")
    for one in ecr.describe_repositories()["repositories"]:
        ecr.delete_repository(repositoryName=one["repositoryName"], force=True)
    return ecr


def tags_of(ecr: t.Any, name: str = "base/web") -> dict[str, str]:
    (found,) = ecr.describe_repositories(repositoryNames=[name])["repositories"]
    listed = ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
    return {tag["Key"]: tag["Value"] for tag in listed}


@pytest.mark.variants
def test_repository_belongs_to_whoever_created_it(cloud: Cloud) -> None:
    ecr = reset(cloud)
    uri = {"that": "ecr_registry_result.repositories['base/web'].uri is search('/base/web$')"}
    predicted = cloud.play(
        [role("ecr_registry"), {"ansible.builtin.assert": uri}], "--check", slipway_project="shop-test"
    )
    assert (predicted.code, predicted.changed) == (0, 1), predicted.output
    created = cloud.play([role("ecr_registry")], slipway_project="shop-test")
    assert created.code == 0, created.output
    owner = {"slipway:project": "shop-test", "slipway:shared": "true"}
    assert tags_of(ecr) == owner
    used = cloud.play(
        [
            role("ecr_registry", ecr_registry_repositories=[{**SHARED[0], "keep_images": 3, "scan_on_push": False}]),
            {"ansible.builtin.assert": uri},
            role("ecr_registry", "find"),
            {"ansible.builtin.assert": uri},
            role("ecr_registry", "absent", ecr_registry_absent_with_images=True),
        ],
        slipway_project="shop",
    )
    assert (used.code, used.changed) == (0, 0), used.output
    assert tags_of(ecr) == owner
    gone = cloud.play([role("ecr_registry", "absent")], slipway_project="shop-test")
    assert (gone.code, gone.changed) == (0, 1), gone.output


def test_repository_of_others_is_used_and_left_as_it_is(cloud: Cloud) -> None:
    ecr = reset(cloud)
    ecr.create_repository(repositoryName="base/web", tags=[{"Key": "owner", "Value": "platform"}])
    before = json.dumps([ecr.describe_repositories()["repositories"], tags_of(ecr)], default=str)
    theirs = [{"name": "base/web", "existing": True}]
    uri = {"that": "ecr_registry_result.repositories['base/web'].uri is search('/base/web$')"}
    full = {"ecr_registry_repositories": theirs, "ecr_registry_absent_with_images": True}
    tasks = [
        step
        for entry in ("main", "find", "absent")
        for step in (role("ecr_registry", entry, **full), {"ansible.builtin.assert": uri})
    ]
    for options in (("--check",), ()):
        used = cloud.play(tasks, *options, slipway_project="shop")
        assert (used.code, used.changed) == (0, 0), used.output
    assert json.dumps([ecr.describe_repositories()["repositories"], tags_of(ecr)], default=str) == before


def test_missing_repository_of_others_is_refused_before_any_is_created(cloud: Cloud) -> None:
    ecr = reset(cloud)
    given = [{"name": "shop/web"}, {"name": "base/web", "existing": True}]
    refused = cloud.play([role("ecr_registry", ecr_registry_repositories=given)], slipway_project="shop")
    assert refused.code == 2
    said = (
        "ecr_registry_repositories[1] (base/web).existing: expected a repository of this account and region, got none."
    )
    assert said in " ".join(refused.output.split())
    assert ecr.describe_repositories()["repositories"] == []
    ecr.create_repository(repositoryName="base/web", tags=[{"Key": "slipway:project", "Value": "shop"}])
    refused = cloud.play([role("ecr_registry", ecr_registry_repositories=given)], slipway_project="shop")
    assert "got one with the tag slipway:project=shop" in " ".join(refused.output.split())
    full = {"ecr_registry_repositories": given, "ecr_registry_absent_with_images": True}
    kept = cloud.play([role("ecr_registry", "absent", **full)], slipway_project="shop")
    assert (kept.code, kept.changed) == (0, 0), kept.output


@pytest.mark.variants
@pytest.mark.parametrize(("owner", "user"), [(True, False), (False, True)])
def test_sharing_needs_both_sides(cloud: Cloud, owner: bool, user: bool) -> None:
    ecr = reset(cloud)
    mark = [{"Key": "slipway:shared", "Value": "true"}] if owner else []
    ecr.create_repository(repositoryName="base/web", tags=[{"Key": "slipway:project", "Value": "shop-test"}, *mark])
    before = tags_of(ecr)
    repositories = [{"name": "base/web", "shared": user}]
    refused = cloud.play([role("ecr_registry", ecr_registry_repositories=repositories)], slipway_project="shop")
    assert refused.code == 2
    assert "set shared in both projects" in " ".join(refused.output.split())
    assert tags_of(ecr) == before


@pytest.mark.variants
def test_second_project_neither_builds_nor_pushes(cloud: Cloud, engine: Engine, tmp_path: Path) -> None:
    ecr = reset(cloud)
    (tmp_path / "web").mkdir()
    (tmp_path / "web/Dockerfile").write_text("ARG BASE_IMAGE\nFROM $BASE_IMAGE\n")
    settings: Json = {
        "slipway_directory": str(tmp_path),
        "container_image_base_image": "debian",
        "ansible_host": "localhost",
    }

    def ship(project: str) -> Json:
        # Each image is declared once: its repository follows.
        image = {"name": "web", "repository": SHARED[0], "path": str(tmp_path / "web"), "tags": [f"{project}-1.0"]}
        result = tmp_path / f"{project}.json"
        done = cloud.play(
            [
                {"ansible.builtin.include_role": {"name": "slipway.aws.ecr_registry"}},
                {"ansible.builtin.include_role": {"name": "slipway.aws.container_image"}},
                {"ansible.builtin.copy": {"content": "{{ container_image_result.images.web }}", "dest": str(result)}},
            ],
            slipway_project=project,
            container_image_images=[image],
            **settings,
        )
        assert done.code == 0, done.output
        return dict(json.loads(result.read_text()))

    # The role has a directory in the home directory, named after the project.
    production, stage = f"shop-{os.getpid()}", f"shop-{os.getpid()}-test"
    first = ship(stage)
    assert first["built"]
    assert engine.calls() == ["image_pull", "image_build", "login", "image_push"]
    second = ship(production)
    assert (second["built"], second["pushed"]) == (False, False)
    assert engine.calls()[4:] == ["image_pull"]
    assert second["digest"] == first["digest"]
    (image,) = ecr.describe_images(repositoryName="base/web")["imageDetails"]
    assert {f"{stage}-1.0", f"{production}-1.0"} < set(image["imageTags"])

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""promote, and the steps of the pipelines in their order, on an emulator without containers.

Scripts take the place of pip, gh, GitHub's actions and Docker; see tests/pipelines.py. Nothing is proven of GitHub, of
GitLab and of the tokens that they issue.
"""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.tests import plays
from ansible_collections.slipway.aws.tests.pipelines import ROOT, Runner, gitlab, workflows
from ansible_collections.slipway.aws.tests.unit.playbooks.test_init import init

Json = dict[str, t.Any]
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "b2f0c1d4e7a9"}
# The pages of a site are not in the emulator.
WITHOUT_PAGES = "\necs_verify_checks: []\n"
STAGING, PRODUCTION = ({"stage": name} for name in ("staging", "production"))


@pytest.fixture
def runner(cloud: t.Any, engine: t.Any, tmp_path: Path) -> Runner:
    del engine  # It makes a Docker Engine of modules that build nothing.
    here = tmp_path / "shop"
    done = init(here)
    assert done.returncode == 0, done.stdout
    application = here / "inventory/shared/application.yml"
    document = yaml.safe_load(application.read_text())
    for image in document["container_image_images"]:
        del image["smoke_test"]
    application.write_text(yaml.safe_dump(document, sort_keys=False) + WITHOUT_PAGES)
    collections = os.environ["ANSIBLE_COLLECTIONS_PATH"].replace(".ansible", str(ROOT / ".ansible"))
    environment = {
        **KEYS,
        "HOME": os.environ["HOME"],
        "AWS_ENDPOINT_URL": cloud.address,
        "ANSIBLE_COLLECTIONS_PATH": collections,
        "ANSIBLE_NOCOLOR": "1",
    }
    return Runner(tmp_path / "runner", here, environment)


def runs(cloud: t.Any, project: str) -> list[tuple[str, int]]:
    """The images of a project's service, with its number of tasks."""
    ecs = cloud.client("ecs")
    found: list[tuple[str, int]] = []
    if not ecs.describe_clusters(clusters=[project])["clusters"]:
        return found
    for one in ecs.describe_services(cluster=project, services=["shop"])["services"]:
        definition = ecs.describe_task_definition(taskDefinition=one["taskDefinition"])["taskDefinition"]
        found.append((definition["containerDefinitions"][0]["image"], one["desiredCount"]))
    return found


def change(runner: Runner, text: str) -> None:
    (runner.here / "app/page").write_text(text)


# First, in an empty account.
@pytest.mark.variants
def test_a_stage_keeps_what_it_runs_and_refuses_what_it_cannot_get(cloud: t.Any, runner: Runner) -> None:
    def promote(*options: str, source: str = "inventory/staging") -> tuple[int, str]:
        words = ("slipway.aws.promote", "-i", "inventory/production", "-e", f"promote_from={source}", *options)
        done = plays.run(*words, folder=runner.here, **runner.environment)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    code, said = promote()
    assert code == 2
    assert "shop: expected a service of this name in shop-staging in eu-central-1, got none." in said
    code, said = promote(source="inventory/missing")
    assert "stage: expected an inventory, or a file with a status as JSON, got inventory/missing" in said
    code, said = promote(source="inventory/production")
    assert "expected another stage, got this one" in said
    code, said = promote("-e", "slipway_account=123456789012")
    assert "slipway_account: expected credentials of the account 123456789012, got those of 000000000000." in said
    site = ("slipway.aws.site", "-i", "inventory/production", "--tags", "service")
    done = plays.run(*site, folder=runner.here, **runner.environment)
    assert "slipway_promoted: expected images that this stage already runs, got none for shop (shop)" in " ".join(
        (done.stdout + done.stderr).split()
    )


@pytest.mark.variants
def test_the_pipelines_take_a_change_from_a_pull_request_to_production(cloud: t.Any, runner: Runner) -> None:
    github, of_gitlab = workflows(), gitlab()
    # A pull request, before anything exists: one comment for each stage.
    for stage in (STAGING, PRODUCTION):
        assert runner.github(github["plan"], "plan", stage) == 0, runner.output
    first, second = (path.read_text() for path in sorted(runner.comments.iterdir()))
    assert first.startswith("<!-- slipway plan staging -->\n### shop-staging in eu-central-1: ")
    assert "- + create: Build the image: shop" in first
    assert second.startswith("<!-- slipway plan production -->\n### shop-production in eu-central-1: ")
    assert "Build the image" not in second
    assert "- + create: Release all services together (shop)" in second

    # Merged: applied to staging, predicted and promoted.
    assert runner.github(github["release"], "staging") == 0, runner.output
    ((built, count),) = runs(cloud, "shop-staging")
    assert (count, "@sha256:" in built) == (1, True)
    assert runner.github(github["release"], "production-plan") == 0, runner.output
    assert runs(cloud, "shop-production") == []
    assert runner.github(github["release"], "production") == 0, runner.output
    assert runs(cloud, "shop-production") == [(built, 2)]

    # At night, nothing has changed; then something has.
    for stage in (STAGING, PRODUCTION):
        assert runner.github(github["drift"], "drift", stage) == 0, runner.output
    cloud.client("ecs").update_service(cluster="shop-production", service="shop", desiredCount=5)
    assert runner.github(github["drift"], "drift", PRODUCTION) == 2, runner.output
    assert "desiredCount: 2 → 5" in (runner.folder / "GITHUB_STEP_SUMMARY").read_text()

    # The next change, on GitLab: staging has it, and production only by hand.
    change(runner, "2")
    assert runner.gitlab(of_gitlab["plan staging"]) == 0, runner.output
    assert "Build the image: shop" in (runner.here / "plan.md").read_text()
    assert runner.gitlab(of_gitlab["release staging"]) == 0, runner.output
    ((rebuilt, _count),) = runs(cloud, "shop-staging")
    assert rebuilt != built
    assert runner.gitlab(of_gitlab["predict production"]) == 0, runner.output
    assert runs(cloud, "shop-production") == [(built, 5)]
    assert runner.gitlab(of_gitlab["release production"]) == 0, runner.output
    assert runs(cloud, "shop-production") == [(rebuilt, 2)]
    history = plays.run("slipway.aws.history", "-i", "inventory/production", folder=runner.here, **runner.environment)
    assert "promoted from shop-staging in eu-central-1, account 000000000000, release 2" in history.stdout

    # A pull request without a change updates its comment.
    assert runner.github(github["plan"], "plan", STAGING) == 0, runner.output
    assert len(list(runner.comments.iterdir())) == 2
    assert ": no changes\n" in (runner.comments / "1").read_text()

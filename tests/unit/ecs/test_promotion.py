# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images a stage gets from another one, and what is refused: of statuses, then of images on both emulators."""

from __future__ import annotations

import copy
import json
import typing as t

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.module_utils._ecs.promotion.model import find, missing, origin, predicted
from ansible_collections.slipway.aws.plugins.module_utils._ecs.promotion.registry import located, unreachable

Json = dict[str, t.Any]
Run = t.Callable[..., Json]

FIRST, SECOND = (f"sha256:{letter * 64}" for letter in "ab")
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)


def runs(service: str, *images: tuple[str, str, str | None], **members: t.Any) -> Json:
    """A service of a status, its containers with image and digest."""
    listed = [{"container": name, "image": image, "digest": digest} for name, image, digest in images]
    release = {"number": 7, "outcome": "succeeded"}
    return {"name": service, "state": "stable", "problems": [], "images": listed, "release": release, **members}


def status(project: str, *services: Json, account: str = "123456789012") -> Json:
    return {"project": project, "region": "eu-central-1", "account": account, "services": list(services)}


def declares(service: str, **containers: str) -> Json:
    listed = [{"name": name, "image": image} for name, image in containers.items()]
    return {"name": service, "task_definition": {"containerDefinitions": listed}}


WEB = runs("web", ("app", f"{ECR}/shop/app@{FIRST}", FIRST), ("proxy", "docker.io/nginx:1.29", None))
SERVICES = [declares("web", app="app", proxy="docker.io/nginx:1.29")]
EMPTY = status("shop-production")


def problems(*services: Json, declared: t.Sequence[Json] = (), unstable: bool = False) -> list[str]:
    return find(status("shop-staging", *services), EMPTY, declared or SERVICES, unstable=unstable).problems


def test_a_stage_gets_the_digest_that_the_same_container_runs() -> None:
    before = status("shop-production", runs("web", ("app", f"{ECR}/shop/app@{SECOND}", SECOND)))
    found = find(status("shop-staging", WEB), before, SERVICES, unstable=False)
    assert found.images == {"app": f"{ECR}/shop/app@{FIRST}"}
    (one,) = found.containers
    assert (one["before"], one["after"]) == (f"{ECR}/shop/app@{SECOND}", f"{ECR}/shop/app@{FIRST}")
    assert found.problems == []


@pytest.mark.parametrize(
    "image", ["localhost:4566/shop/app:1.0", "localhost:4566/shop/app", "localhost:4566/shop/app:1@x"]
)
def test_a_tag_is_replaced_by_the_digest_that_tasks_run(image: str) -> None:
    web = runs("web", ("app", image, FIRST))
    found = find(status("shop-staging", web), EMPTY, SERVICES, unstable=False)
    assert found.images == {"app": f"localhost:4566/shop/app@{FIRST}"}


REFUSED: list[tuple[list[Json], str]] = [
    ([], "web: expected a service of this name in shop-staging in eu-central-1, got none."),
    ([{**WEB, "images": None}], "Allow ecs:DescribeTaskDefinition"),
    ([runs("web", ("other", "x", FIRST))], "web, container app: expected a container of this name"),
    (
        [runs("web", ("app", "x:1", FIRST), ("app", "x:1", SECOND))],
        f"expected one version in shop-staging in eu-central-1, got {FIRST}, {SECOND}.",
    ),
    ([runs("web", ("app", "x:1", None))], "expected a digest in shop-staging in eu-central-1, got x:1"),
    ([{**WEB, "state": "deploying"}], "expected a stable service in shop-staging in eu-central-1, got deploying."),
    (
        [{**WEB, "state": "failing", "problems": ["1 of 3 tasks are running."]}],
        "got failing: 1 of 3 tasks are running. Wait until it is stable, or correct it there, or set promote_unstable.",
    ),
    ([{**WEB, "release": {"number": 7, "outcome": "interrupted"}}], "got interrupted."),
]


@pytest.mark.parametrize(("services", "said"), REFUSED)
def test_what_is_not_certain_is_refused(services: list[Json], said: str) -> None:
    assert [text for text in problems(*services) if said in text], problems(*services)


def test_unstable_services_can_be_promoted_on_request() -> None:
    assert problems({**WEB, "state": "failing"}, unstable=True) == []


def test_a_stopped_service_has_the_digest_of_its_task_definition() -> None:
    assert problems({**WEB, "state": "stopped"}) == []


def test_services_that_the_stage_does_not_have_do_not_matter() -> None:
    assert problems(WEB, runs("worker", ("app", "x:1", None), state="failing")) == []


def test_an_image_in_two_versions_is_refused() -> None:
    declared = [*SERVICES, declares("worker", app="app")]
    said = problems(WEB, runs("worker", ("app", f"{ECR}/shop/app@{SECOND}", SECOND)), declared=declared)
    assert len(said) == 1
    assert "worker, container app: expected one version of the image app" in said[0]


def test_the_origin_is_the_newest_release_of_what_is_promoted() -> None:
    newer = {"number": 9, "outcome": "succeeded"}
    source = status("shop-staging", WEB, runs("other", release=newer), runs("unknown", release=None))
    assert origin(source, SERVICES) == {
        "project": "shop-staging",
        "region": "eu-central-1",
        "account": "123456789012",
        "release": 7,
    }
    assert origin(status("shop-staging"), SERVICES)["release"] is None


def test_what_a_stage_does_not_run_yet_is_predicted_and_refused() -> None:
    found = find(EMPTY, EMPTY, SERVICES, unstable=True)
    assert predicted(found, SERVICES) == {"app": f"unknown@sha256:{'0' * 64}"}
    assert "got none for web (app). Release them with the playbook slipway.aws.promote." in missing(found)[0]
    assert missing(find(status("shop-production", WEB), EMPTY, SERVICES, unstable=True)) == []


def test_images_are_located_by_their_registry() -> None:
    references = [f"{ECR}/shop/app@{FIRST}", f"localhost:4566/shop/app@{FIRST}", f"docker.io/nginx@{FIRST}"]
    found = located(references, "localhost:4566")
    assert [(one.account, one.region, one.repository) for one in found] == [
        ("123456789012", "eu-central-1", "shop/app"),
        ("", "", "shop/app"),
    ]


def test_advice_differs_for_the_registry_of_another_account() -> None:
    (image,) = located([f"{ECR}/shop/app@{FIRST}"], "")
    own, other = (unreachable(image, account, "no such image") for account in ("123456789012", "999999999999"))
    assert "Release the other stage again" in own
    assert "arn:aws:iam::999999999999:root ecr:BatchGetImage" in other
    assert "document promote" in other


# With images


@BOTH
@pytest.mark.witness("promotion_info")
def test_images_are_found_in_the_registry(run: Run) -> None:
    ecr = boto3.client("ecr")
    uri = ecr.create_repository(repositoryName="shop/app")["repository"]["repositoryUri"]
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "layers": [], "config": {"size": 2, "digest": "1"}})
    put = ecr.put_image(repositoryName="shop/app", imageTag="1", imageManifest=manifest)["image"]
    digest, account = put["imageId"]["imageDigest"], uri.partition(".")[0]
    source = status("shop-staging", runs("web", ("app", f"{uri}@{digest}", digest)), account=account)
    options = {"source": source, "target": status("shop-production", account=account), "services": SERVICES}
    found = run("promotion_info", **options)
    assert found["images"] == {"app": f"{uri}@{digest}"}
    assert (found["changed"], found["promoted_from"]["release"]) == (False, 7)

    gone = copy.deepcopy(options)
    gone["source"]["services"][0]["images"][0] |= {"image": f"{uri}@{FIRST}", "digest": FIRST}
    refused = run("promotion_info", **gone)
    assert refused["code"] == "not_promotable"
    assert f"expected an image that account {account} can pull, got no such image in the repository." in refused["msg"]

    local = copy.deepcopy(options)
    local["source"]["services"][0]["images"][0]["image"] = f"localhost:4566/other@{digest}"
    refused = run("promotion_info", **local, registry="localhost:4566")
    assert "got no such repository" in refused["msg"]


def test_a_stage_is_not_promoted_to_itself(run: Run) -> None:
    refused = run("promotion_info", source=status("shop", WEB), target=status("shop", WEB), services=SERVICES)
    assert refused["code"] == "not_promotable"
    assert refused["msg"] == "shop in eu-central-1: expected another stage, got this one. Set another inventory."


def test_without_a_target_a_stage_keeps_its_images(run: Run) -> None:
    kept = run("promotion_info", source=status("shop", WEB), services=SERVICES)
    assert kept["images"] == {"app": f"{ECR}/shop/app@{FIRST}"}
    refused = run("promotion_info", source=EMPTY, services=SERVICES)
    assert refused["code"] == "not_promotable"
    predicted = run("promotion_info", check=True, source=EMPTY, services=SERVICES)
    assert predicted["images"] == {"app": f"unknown@sha256:{'0' * 64}"}

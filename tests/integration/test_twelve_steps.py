# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create, again, modify, again, delete, again: each in check mode and for real, for every module that changes anything.

Check mode must change nothing and say what the real run says.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

import boto3

from ansible_collections.slipway.aws.tests.conftest import RunModule
from ansible_collections.slipway.aws.tests.integration.conftest import WORK, Json, Shop

Look = t.Callable[[], t.Any]
MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"


def step(run: RunModule, module: str, options: Json, look: Look, changes: bool) -> Json:
    """One module in check mode and for real, and what it returned then."""
    before = look()
    predicted = run(module, check=True, **options)
    assert look() == before, "check mode changes nothing"
    real = run(module, **options)
    assert (predicted.get("changed"), real.get("changed")) == (changes, changes), (predicted, real)
    assert predicted["diff"] == real["diff"]
    assert bool(real["diff"]["before"] or real["diff"]["after"]) == changes
    assert (look() != before) == changes
    return real


def twelve_steps(run: RunModule, module: str, look: Look, made: Json, changed: Json, gone: Json) -> list[Json]:
    """What the three real runs that change something returned."""
    results = []
    for options in (made, changed, gone):
        results.append(step(run, module, options, look, changes=True))
        step(run, module, options, look, changes=False)
    return results


def test_ecs_cluster(run: RunModule, ecs: t.Any, name: str) -> None:
    def look() -> Json:
        found = ecs.describe_clusters(clusters=[name], include=["SETTINGS", "CONFIGURATIONS", "TAGS"])["clusters"]
        return next((cluster for cluster in found if cluster["status"] == "ACTIVE"), {})

    made = {
        "name": name,
        "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
        "settings": [{"name": "containerInsights", "value": "enabled"}],
        "tags": {"team": "shop"},
    }
    changed = {
        "name": name,
        "capacity_providers": ["FARGATE"],
        "default_capacity_provider_strategy": [{"capacityProvider": "FARGATE", "weight": 1}],
        "tags": {"team": "web"},
    }
    results = twelve_steps(run, "ecs_cluster", look, made, changed, {"name": name, "state": "absent"})
    assert results[1]["cluster"]["capacity_providers"] == ["FARGATE"]
    assert results[1]["cluster"]["settings"] == made["settings"], "what is not asked for stays"


def test_ecs_task_definition(run: RunModule, ecs: t.Any, name: str) -> None:
    def look() -> list[str]:
        return list(ecs.list_task_definitions(familyPrefix=name, status="ACTIVE")["taskDefinitionArns"])

    container = {"name": "web", "image": "web:1", "environment": [{"name": "A", "value": "1"}]}
    made = {"family": name, "cpu": 256, "memory": "512", "container_definitions": [container]}
    other = {**container, "environment": [{"name": "A", "value": "2"}]}
    results = twelve_steps(
        run,
        "ecs_task_definition",
        look,
        made,
        {**made, "container_definitions": [other]},
        {"family": name, "state": "absent"},
    )
    assert [result["task_definition"]["revision"] for result in results[:2]] == [1, 2]
    assert len(results[2]["deregistered"]) == 2


def test_ecs_service(run: RunModule, ecs: t.Any, shop: Shop, network: Json) -> None:
    members = ("taskDefinition", "desiredCount", "deploymentConfiguration", "tags")

    def look() -> Json:
        found = ecs.describe_services(cluster=shop.name, services=["web"], include=["TAGS"])["services"]
        return next(({m: s.get(m) for m in members} for s in found if s["status"] == "ACTIVE"), {})

    first, second = shop.register(*WORK), shop.register(*WORK, cpu=1)
    service = {"cluster": shop.name, "name": "web", "wait_timeout": 60}
    made = {
        **service,
        "task_definition": first,
        "desired_count": 1,
        "network_configuration": network,
        "deployment_configuration": {"maximumPercent": 200, "minimumHealthyPercent": 50},
        "tags": {"team": "shop"},
    }
    changed = {
        **made,
        "task_definition": second,
        "desired_count": 2,
        "deployment_configuration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
        "tags": {"team": "web"},
    }
    results = twelve_steps(run, "ecs_service", look, made, changed, {**service, "state": "absent"})
    assert [result["service"]["running_count"] for result in results[:2]] == [1, 2]
    assert results[1]["service"]["task_definition"].endswith(second)


def test_ecr_repository(run: RunModule, aws: None, name: str) -> None:
    ecr = boto3.client("ecr")

    def look() -> list[Json]:
        every = ecr.get_paginator("describe_repositories").paginate().build_full_result()["repositories"]
        return [{**one, "tags": tags(one)} for one in every if one["repositoryName"] == name]

    def tags(repository: Json) -> t.Any:
        return ecr.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]

    made = {"name": name, "image_scanning_configuration": {"scanOnPush": True}, "tags": {"team": "shop"}}
    changed = {"name": name, "image_tag_mutability": "IMMUTABLE", "tags": {"team": "web"}}
    results = twelve_steps(run, "ecr_repository", look, made, changed, {"name": name, "state": "absent"})
    assert results[1]["repository"]["image_scanning_configuration"] == {"scanOnPush": True}


def test_ecr_image_tag(run: RunModule, aws: None, name: str) -> None:
    ecr = boto3.client("ecr")
    assert run("ecr_repository", name=name)["changed"]
    first, second = (push(ecr, name, tag) for tag in ("v1", "v2"))

    def look() -> list[Json]:
        images = ecr.describe_images(repositoryName=name)["imageDetails"]
        return sorted(({m: image[m] for m in ("imageDigest", "imageTags")} for image in images), key=str)

    made = {"repository": name, "source": "v1", "tags": ["live"]}
    results = twelve_steps(
        run,
        "ecr_image_tag",
        look,
        made,
        {**made, "source": "v2"},
        {"repository": name, "tags": ["live"], "state": "absent"},
    )
    assert [result["image"]["image_digest"] for result in results[:2]] == [first, second]
    assert run("ecr_repository", name=name, state="absent", force=True)["changed"]


def push(ecr: t.Any, repository: str, tag: str) -> str:
    """An image of its own for each tag; its digest."""
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 2, "digest": tag}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": []})
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    ecr.put_image(
        repositoryName=repository,
        imageManifest=manifest,
        imageManifestMediaType=MANIFEST_TYPE,
        imageDigest=digest,
        imageTag=tag,
    )
    return digest

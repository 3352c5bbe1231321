# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags of repositories stay on their images, except for those that people move: in the local cloud as in AWS."""

from __future__ import annotations

import asyncio
import json
import sys
import typing as t
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import ecr as emulator

Json = dict[str, t.Any]
FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
FILTER = {"filterType": "WILDCARD", "filter": "latest*"}
EXCEPT = {"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": [FILTER]}
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def call(operation: str, **members: t.Any) -> Json:
    request = json.dumps({"repositoryName": "web", **members})
    answer = emulator.handle_request("POST", "/", {"x-amz-target": f"ecr.{operation}"}, request, {})
    status, _headers, body = asyncio.run(answer)
    return {"status": status, **json.loads(body)}


@pytest.fixture
def patched() -> Iterator[None]:
    """The emulator with the patch, without HTTP."""
    kept = dict(vars(emulator))
    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import image_tags  # type: ignore[import-not-found]

        image_tags.image_tags(emulator)
        yield
        emulator.reset()
    vars(emulator).update(kept)
    for name in ("image_tags", "emulator_patches"):
        sys.modules.pop(name, None)


def test_the_emulator_keeps_the_filters_until_the_mode_changes(patched: None) -> None:
    assert call("CreateRepository", **EXCEPT)["repository"]["imageTagMutabilityExclusionFilters"] == [FILTER]
    (found,) = call("DescribeRepositories", repositoryNames=["web"])["repositories"]
    assert {name: found[name] for name in EXCEPT} == EXCEPT
    call("PutImageTagMutability", imageTagMutability="MUTABLE")
    assert "imageTagMutabilityExclusionFilters" not in call("DescribeRepositories")["repositories"][0]
    assert call("PutImageTagMutability", **EXCEPT)["imageTagMutabilityExclusionFilters"] == [FILTER]


@pytest.mark.parametrize(("tag", "moves"), [("latest-1", True), ("v1", False)])
def test_in_the_emulator_only_the_tags_that_a_filter_names_move(patched: None, tag: str, moves: bool) -> None:
    call("CreateRepository", **EXCEPT)
    assert call("PutImage", imageManifest='{"a": 1}', imageTag=tag)["status"] == 200
    again = call("PutImage", imageManifest='{"a": 2}', imageTag=tag)
    assert again["status"] == (200 if moves else 400)
    headers = {"content-type": MANIFEST}
    assert emulator._v2_put_manifest("web", tag, headers, b'{"a": 3}')[0] == (201 if moves else 400)
    assert call("DescribeRepositories")["repositories"][0]["imageTagMutability"] == EXCEPT["imageTagMutability"]


def test_the_emulator_forgets_the_filters_by_itself() -> None:
    with request_scope("000000000000", "eu-central-1"):
        call("CreateRepository", **EXCEPT)
        assert "imageTagMutabilityExclusionFilters" not in call("DescribeRepositories")["repositories"][0]
        emulator.reset()


def push(cloud: Cloud, tag: str, content: str) -> int:
    """The status of a push, as Docker asks for it."""
    body = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "annotations": {"content": content}})
    url = f"{cloud.address}/v2/web/manifests/{tag}"
    request = urllib.request.Request(url, body.encode(), {"Content-Type": MANIFEST}, method="PUT")
    try:
        return int(urllib.request.urlopen(request).status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.variants
def test_a_repository_of_the_release_before_gets_immutable_tags_in_place(cloud: Cloud) -> None:
    ecr: t.Any = boto3.client(
        "ecr", endpoint_url=cloud.address, aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-central-1"
    )
    created = ecr.create_repository(
        repositoryName="web",
        imageTagMutability="MUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        tags=[{"Key": "slipway:project", "Value": "shop"}],
    )["repository"]
    assert [push(cloud, tag, "before") for tag in ("stable", "1234")] == [201, 201]
    registry = [{"ansible.builtin.include_role": {"name": "slipway.aws.ecr_registry"}}]
    given: Json = {"slipway_project": "shop", "container_image_images": [{"name": "web", "tags": ["stable"]}]}

    predicted = cloud.play(registry, "--check", "--diff", **given)
    assert (predicted.code, predicted.changed) == (0, 1), predicted.output
    assert "~ Create the repositories (web)" in predicted.output
    converged, again = (cloud.play(registry, **given) for _ in range(2))
    assert (converged.changed, again.changed) == (1, 0), converged.output + again.output
    (found,) = ecr.describe_repositories()["repositories"]
    kept = ("repositoryArn", "repositoryUri", "createdAt", "encryptionConfiguration")
    assert {name: found[name] for name in kept} == {name: created[name] for name in kept}
    # People's tags move, a tag by content stays, and pushing the same again is fine.
    tries = (("stable", "after"), ("1234", "after"), ("1234", "before"), ("5678", "after"))
    assert [push(cloud, *one) for one in tries] == [201, 400, 201, 201]
    ecr.delete_repository(repositoryName="web", force=True)

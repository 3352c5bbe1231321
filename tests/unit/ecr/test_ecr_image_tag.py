# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags that move from image to image, against two emulators."""

from __future__ import annotations

import hashlib
import json
import typing as t
import urllib.request

import pytest

Json = dict[str, t.Any]
Run = t.Callable[..., Json]
Put = t.Callable[[str, str, str], str]


@pytest.fixture
def images(run: Run, put: Put) -> tuple[str, str]:
    """Two images, v1 and v2, of a repository."""
    run("ecr_repository", name="webapp")
    return put("webapp", "v1", "1"), put("webapp", "v2", "2")


def tag(run: Run, check: bool = False, **options: t.Any) -> Json:
    return run("ecr_image_tag", check=check, repository="webapp", **options)


def twice(run: Run, **options: t.Any) -> Json:
    predicted, real = tag(run, check=True, **options), tag(run, **options)
    assert "failed" not in real, real
    for name in ("changed", "diff", "image"):
        assert predicted[name] == real[name]
    return real


def named(ecr: t.Any) -> dict[str, str]:
    details = ecr.describe_images(repositoryName="webapp")["imageDetails"]
    return {name: image["imageDigest"] for image in details for name in image.get("imageTags", [])}


@pytest.mark.witness("ecr_image_tag")
def test_the_twelve_steps(run: Run, ecr: t.Any, images: tuple[str, str]) -> None:
    first, second = images
    tags = ["production", "ecr1.0"]
    assert tag(run, check=True, source="v1", tags=tags)["changed"]
    assert named(ecr) == {"v1": first, "v2": second}
    created = twice(run, source="v1", tags=tags)
    assert created["changed"]
    assert created["image"] == {"image_digest": first, "image_tags": ["ecr1.0", "production", "v1"]}
    assert created["diff"] == {"before": {}, "after": {"tags": dict.fromkeys(tags, first)}}
    assert not twice(run, source=first, tags=tags)["changed"]

    modified = twice(run, source=second, tags=["production", "v2"])
    assert modified["changed"]
    assert modified["diff"] == {"before": {"tags": {"production": first}}, "after": {"tags": {"production": second}}}
    assert named(ecr) == {"v1": first, "ecr1.0": first, "v2": second, "production": second}
    assert not twice(run, source="v2", tags=["production", "v2"])["changed"]

    assert tag(run, check=True, state="absent", tags=["production"])["changed"]
    assert "production" in named(ecr)
    deleted = twice(run, state="absent", tags=["production"])
    assert deleted["changed"]
    assert deleted["diff"]["before"] == {"tags": {"production": second}}
    assert "production" not in named(ecr)
    assert not twice(run, state="absent", tags=["production"])["changed"]


@pytest.mark.parametrize(
    "emulator",
    [
        "moto",
        pytest.param(
            "ministack", marks=pytest.mark.xfail(strict=True, reason="deletes the image with any of its tags")
        ),
    ],
    indirect=True,
)
def test_an_image_keeps_its_other_tags(run: Run, ecr: t.Any, images: tuple[str, str]) -> None:
    tag(run, source="v1", tags=["old"])
    tag(run, state="absent", tags=["old"])
    assert named(ecr)["v1"] == images[0]


def test_the_last_tag_of_an_image_that_lost_another_is_kept(run: Run, images: tuple[str, str]) -> None:
    """MiniStack still names the tag that has moved to another image."""
    for source in ("v1", "v2"):
        tag(run, source=source, tags=["production"])
    assert tag(run, state="absent", tags=["v1"])["code"] == "last_tag"


def test_the_last_tag_is_removed_only_by_force(run: Run, ecr: t.Any, images: tuple[str, str]) -> None:
    for check in (True, False):
        refused = tag(run, check=check, state="absent", tags=["v1"])
        assert refused["code"] == "last_tag"
        assert refused["images"] == [images[0]]
    assert tag(run, state="absent", tags=["v1"], force=True)["changed"]
    assert "v1" not in named(ecr)


def test_a_tag_of_an_immutable_repository_is_kept_and_a_new_one_is_added(
    run: Run, ecr: t.Any, images: tuple[str, str]
) -> None:
    run("ecr_repository", name="webapp", image_tag_mutability="IMMUTABLE")
    for check in (True, False):
        refused = tag(run, check=check, source="v1", tags=["fresh", "v2"])
        assert refused["code"] == "tag_immutable"
        assert refused["immutable_tags"] == ["v2"]
    assert named(ecr) == {"v1": images[0], "v2": images[1]}
    assert twice(run, source="v1", tags=["fresh", "v1"])["changed"]
    assert not twice(run, source="v1", tags=["fresh", "v1"])["changed"]


def test_what_does_not_exist_is_reported(run: Run, images: tuple[str, str]) -> None:
    digest = f"sha256:{'0' * 64}"
    for source in ("v9", digest):
        result = tag(run, source=source, tags=["x"])
        assert result["code"] == "not_found"
        assert source in result["msg"]
    assert run("ecr_image_tag", repository="none", source="v1", tags=["x"])["code"] == "not_found"
    assert not run("ecr_image_tag", repository="none", state="absent", tags=["x"])["changed"]


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
def test_an_image_that_is_not_known_yet_is_predicted_without_a_call(run: Run, calls: list[str]) -> None:
    predicted = tag(run, check=True, source="unknown", tags=["x"])
    assert predicted["changed"]
    assert predicted["image"] == {"image_digest": "unknown", "image_tags": ["x"]}
    assert calls == []


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
@pytest.mark.parametrize(
    "options",
    [
        {"source": "v1", "tags": []},
        {"source": "v1", "tags": ["-x"]},
        {"source": "v1", "tags": ["a:b"]},
        {"source": "webapp:v1", "tags": ["a"]},
        {"source": "sha256:1", "tags": ["a"]},
        {"state": "absent", "tags": ["a b"]},
    ],
)
def test_a_wrong_value_is_refused_before_any_call(run: Run, calls: list[str], options: Json) -> None:
    assert tag(run, **options)["code"] == "invalid_option"
    assert calls == []


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
def test_however_many_tags_two_reads_return_what_they_name(run: Run, images: tuple[str, str], calls: list[str]) -> None:
    tags = [f"t{number}" for number in range(20)]
    tag(run, source="v1", tags=tags)
    calls.clear()
    assert not tag(run, source="v1", tags=tags)["changed"]
    assert calls == ["BatchGetImage", "DescribeImages"]


@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_a_pushed_image_can_be_pulled_by_its_new_tag(run: Run, ministack: str) -> None:
    run("ecr_repository", name="webapp")
    digest = push(ministack, "webapp", "v1")
    result = tag(run, source="v1", tags=["production"])
    assert result["image"] == {"image_digest": digest, "image_tags": ["production", "v1"]}
    with urllib.request.urlopen(f"{ministack}/v2/webapp/manifests/production", timeout=10) as answer:
        assert answer.headers["Docker-Content-Digest"] == digest


def push(registry: str, repository: str, name: str) -> str:
    """Push an image without layers by the registry's own protocol, as `docker push` does."""
    config = b"{}"
    config_digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    send(
        "POST", f"{registry}/v2/{repository}/blobs/uploads/?digest={config_digest}", config, "application/octet-stream"
    )
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": len(config),
                "digest": config_digest,
            },
            "layers": [],
        }
    ).encode()
    send("PUT", f"{registry}/v2/{repository}/manifests/{name}", manifest, media_type)
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def send(method: str, url: str, content: bytes, media_type: str) -> None:
    request = urllib.request.Request(url, data=content, method=method, headers={"Content-Type": media_type})
    urllib.request.urlopen(request, timeout=10).close()

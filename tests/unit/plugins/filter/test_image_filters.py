# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which digest a base image has, and what is left to do for an image."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.filter.base_digest import base_digest
from ansible_collections.slipway.aws.plugins.filter.image_plan import image_plan

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
URIS = {"webapp": "registry.example:5000/webapp", "shop/web": "registry.example:5000/shop/web"}


@pytest.mark.parametrize(
    "name",
    ["localhost:4566/base/debian:trixie", "localhost:4566/base/debian", f"localhost:4566/base/debian@{ONE}"],
)
def test_digest_is_that_of_the_name(name: str) -> None:
    image = {"RepoDigests": [f"another.example/debian@{TWO}", f"localhost:4566/base/debian@{ONE}"]}
    assert base_digest(image, name) == ONE


def test_name_that_the_engine_shortened_has_the_digest_that_there_is() -> None:
    assert base_digest({"RepoDigests": [f"debian@{ONE}"]}, "docker.io/library/debian:trixie") == ONE


def test_order_of_digests_makes_no_difference() -> None:
    digests = [f"debian@{TWO}", f"debian@{ONE}"]
    assert base_digest({"RepoDigests": digests}, "debian") == base_digest({"RepoDigests": digests[::-1]}, "debian")


@pytest.mark.parametrize("image", [{}, {"RepoDigests": None}, {"RepoDigests": []}])
def test_digest_of_an_image_that_no_registry_has_is_unknown(image: dict[str, Any]) -> None:
    assert base_digest(image, "debian:trixie") == "unknown"


def plan(*tags: str, stored: dict[str, list[str]] | None = None, **settings: str) -> dict[str, Any]:
    """One image with the content tag src-a, against digests and their tags in its repository."""
    image = {"name": "webapp", "tags": list(tags), **settings}
    images = [{"image_digest": digest, "image_tags": names} for digest, names in (stored or {}).items()]
    repository = settings.get("repository", "webapp")
    (answer,) = image_plan(
        [image],
        [{"tag": "src-a", "dockerfile": "Dockerfile"}],
        URIS,
        [{"repository_name": repository, "images": images}],
    )
    return answer


def test_image_without_its_content_tag_is_missing() -> None:
    answer = plan("ecr1.0", stored={ONE: ["ecr1.0", "src-b"]})
    assert (answer["pushed"], answer["complete"], answer["digest"]) == (False, False, "unknown")
    assert answer["uri"] == "registry.example:5000/webapp"


def test_image_with_all_tags_is_complete() -> None:
    answer = plan("ecr1.0", stored={ONE: ["ecr1.0", "src-a"], TWO: ["src-b"]})
    assert (answer["pushed"], answer["complete"], answer["digest"]) == (True, True, ONE)
    assert answer["reference"] == f"registry.example:5000/webapp@{ONE}"


@pytest.mark.parametrize("stored", [{ONE: ["src-a"]}, {ONE: ["src-a"], TWO: ["ecr1.0"]}])
def test_tag_that_names_nothing_or_another_image_is_to_be_moved(stored: dict[str, list[str]]) -> None:
    answer = plan("ecr1.0", stored=stored)
    assert (answer["pushed"], answer["complete"]) == (True, False)


def test_image_without_tags_needs_none() -> None:
    assert plan(stored={ONE: ["src-a"]})["complete"]


def test_tags_of_another_repository_do_not_count() -> None:
    stored = [{"repository_name": "webapp", "images": [{"image_digest": ONE, "image_tags": ["src-a"]}]}]
    images = [{"name": "web", "repository": "shop/web"}]
    (answer,) = image_plan(images, [{"tag": "src-a", "dockerfile": "Dockerfile"}], URIS, stored)
    assert not answer["pushed"]


def test_repository_that_does_not_exist_yet_has_no_images() -> None:
    (answer,) = image_plan([{"name": "webapp"}], [{"tag": "src-a", "dockerfile": "Dockerfile"}], URIS, [])
    assert not answer["pushed"]


def test_image_knows_whether_it_was_built() -> None:
    contexts = [{"tag": "src-a", "dockerfile": "Dockerfile"}] * 2
    answer = image_plan([{"name": "webapp"}, {"name": "web", "repository": "shop/web"}], contexts, URIS, [], ["web"])
    assert [image["built"] for image in answer] == [False, True]

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from an image's only declaration, what is left to do for it, and which digest is released."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.filter.image_plan import image_plan
from ansible_collections.slipway.aws.plugins.plugin_utils import container_image
from ansible_collections.slipway.aws.plugins.plugin_utils.container_image import base_digest, image_problems

Json = dict[str, Any]
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
REGISTRY = {
    "repositories": {
        "webapp": {"uri": "registry.example:5000/webapp"},
        "shop/web": {"uri": "registry.example:5000/shop/web"},
    }
}


def image(**options: Any) -> Json:
    return {"name": "webapp", "path": "/src", **options}


# Declared


def test_repository_and_name_follow_from_the_image() -> None:
    found = image_plan([image(tags=["1.0", "stable"]), image(name="web", repository={"name": "shop/web"})])
    assert found["repositories"] == [{"name": "webapp", "mutable_tags": ["1.0", "stable"]}, {"name": "shop/web"}]
    assert found["tagged"] == {"webapp": "webapp:1.0", "web": "shop/web"}
    assert found["problems"] == []


def test_images_share_a_repository_and_its_settings() -> None:
    shared = {"name": "shop", "keep_images": 5}
    images = [image(tags=["web-1"], repository=shared), image(name="api", tags=["api-1"], repository={"name": "shop"})]
    found = image_plan(images)
    assert (found["repositories"], found["problems"]) == ([{**shared, "mutable_tags": ["web-1", "api-1"]}], [])


SERVICES = [
    {
        "name": "web",
        "task_definition": {"containerDefinitions": [{"image": "webapp", "portMappings": [{"containerPort": 80}]}]},
    }
]
FIRST = "container_image_images[0] (webapp)"


@pytest.mark.parametrize(
    ("images", "problem"),
    [
        ([image(path=None)], f"{FIRST}: expected either path or git, got neither."),
        ([image(git={"repo": "x"})], f"{FIRST}: expected either path or git, got path and git."),
        (
            [image(tags=["a b"])],
            f"{FIRST}.tags: expected up to 128 letters, digits, dots, underscores and hyphens, got",
        ),
        ([image(tags=["a" * 129])], f"{FIRST}.tags: expected up to 128"),
        ([image(name="shop/web")], "container_image_images[0] (shop/web).name: expected letters, digits, dots"),
        ([image(), image()], "container_image_images: expected each name once, got webapp 2 times."),
        ([image(smoke_test={"port": 80, "container_port": 80})], f"{FIRST}.smoke_test.port: expected a port from 1024"),
        ([image(smoke_test={})], f"{FIRST}.smoke_test.container_port: expected the port on which the container"),
        (
            [image(tags=["1"]), image(name="api", tags=["1"], repository={"name": "webapp"})],
            "expected different tags for images in one repository, got webapp:1 2 times.",
        ),
        (
            [
                image(tags=["1"], repository={"keep_images": 1}),
                image(name="api", tags=["2"], repository={"name": "webapp", "keep_images": 2}),
            ],
            "expected one keep_images for the repository webapp, got several.",
        ),
    ],
)
def test_wrong_declarations_are_named(images: list[Json], problem: str) -> None:
    assert any(problem in found for found in image_plan(images)["problems"])


@pytest.mark.parametrize(("port", "good"), [(1023, False), (1024, True), (65535, True), (65536, False), ("x", False)])
def test_port_of_smoke_tests_is_one_that_any_user_can_publish(port: Any, good: bool) -> None:
    assert (image_plan([], settings={"smoke_test_port": port})["problems"] == []) is good


def test_smoke_test_has_defaults_and_the_port_of_the_service() -> None:
    settings = {"address": "10.0.0.1", "smoke_test_port": 10000}
    found = image_plan([image(smoke_test={"path": "/x"}, tags=["1"])], settings=settings, services=SERVICES)
    assert found["problems"] == []
    test = found["images"][0]["smoke_test"]
    assert (test["container_port"], test["url"], test["status"]) == (80, "http://10.0.0.1:10000/x", 200)
    assert (test["content"], test["headers"], test["env"]) == ("", {}, {})


def test_name_of_the_service_can_be_the_users_own() -> None:
    services = [{**SERVICES[0], "task_definition": {"containerDefinitions": [{"image": "own", "portMappings": []}]}}]
    services[0]["task_definition"]["containerDefinitions"][0]["portMappings"] = [{"containerPort": 81}]
    found = image_plan([image(smoke_test={})], settings={"images": {"own": "webapp:1"}}, services=services)
    assert found["images"][0]["smoke_test"]["container_port"] == 81


def test_source_from_git_is_a_folder_of_the_checkout() -> None:
    source = {"name": "webapp", "git": {"repo": "x", "path": "docker"}}
    (found,) = image_plan([source], settings={"checkout_directory": "/state"})["images"]
    assert (found["checkout"], found["path"]) == ("/state/webapp", "/state/webapp/docker")


# Planned


def in_registry(mode: str, *moving: str) -> list[Json]:
    """The repository webapp, where the tag 1.0 is on image ONE, and the tag of the newest content on image TWO."""
    return [
        {
            "repository_name": "webapp",
            "image_tag_mutability": mode,
            "image_tag_mutability_exclusion_filters": [{"filterType": "WILDCARD", "filter": tag} for tag in moving],
            "images": [
                {"image_digest": ONE, "image_tags": ["1.0"]},
                {"image_digest": TWO, "image_tags": ["content", "2.0"]},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("tags", "content", "repositories", "refused"),
    [
        (["1.0"], "new", in_registry("IMMUTABLE"), "1.0"),
        (["1.0", "2.0"], "content", in_registry("IMMUTABLE"), "1.0"),
        (["2.0"], "content", in_registry("IMMUTABLE"), None),
        (["3.0"], "new", in_registry("IMMUTABLE"), None),
        (["1.0"], "new", in_registry("MUTABLE"), None),
        (["1.0"], "new", in_registry("IMMUTABLE_WITH_EXCLUSION", "1.*"), None),
        (["1.0"], "new", in_registry("IMMUTABLE_WITH_EXCLUSION", "2.*"), "1.0"),
    ],
)
def test_another_image_under_an_immutable_tag_is_refused_before_it_is_built(
    tags: list[str], content: str, repositories: list[Json], refused: str | None
) -> None:
    found = image_plan([image(tags=tags)], contexts=[{"tag": content}], repositories=repositories)["immutable_tags"]
    assert [f"got {refused}. Use new tags" in problem for problem in found] == [True] * bool(refused)


def test_check_mode_counts_the_settings_that_the_repository_is_to_have() -> None:
    fixed: Json = {"contexts": [{"tag": "new"}], "repositories": in_registry("IMMUTABLE")}
    for settings, refused in (({"check_mode": True}, False), ({}, True)):
        assert bool(image_plan([image(tags=["1.0"])], settings=settings, **fixed)["immutable_tags"]) is refused
    kept = image(tags=["1.0"], repository={"mutability": "IMMUTABLE"})
    assert image_plan([kept], settings={"check_mode": True}, **fixed)["immutable_tags"]


@pytest.mark.parametrize(
    "name",
    ["localhost:4566/base/debian:trixie", "localhost:4566/base/debian", f"localhost:4566/base/debian@{ONE}"],
)
def test_digest_is_that_of_the_name(name: str) -> None:
    image = {"RepoDigests": [f"another.example/debian@{TWO}", f"localhost:4566/base/debian@{ONE}"]}
    assert base_digest(image, name) == ONE


def test_name_that_the_engine_shortened_has_the_digest_that_there_is() -> None:
    assert base_digest({"RepoDigests": [f"debian@{ONE}"]}, "docker.io/library/debian:trixie") == ONE


def test_a_pinned_base_image_is_pulled_by_its_digest_and_built_from_by_its_full_name() -> None:
    pinned = f"localhost:5000/base/debian:trixie@{ONE}"
    pulled = {
        "item": f"localhost:5000/base/debian@{ONE}",
        "image": {"RepoDigests": [f"localhost:5000/base/debian@{ONE}"]},
    }
    found = image_plan([image()], settings={"base_image": pinned}, pulls=[pulled])
    assert found["base_images"] == [pulled["item"]]
    (planned,) = found["images"]
    assert (planned["base_digests"], planned["build_args"]["BASE_IMAGE"]) == ([ONE], pinned)


@pytest.mark.parametrize(
    ("services", "settings", "decides"),
    [
        ([], {}, False),
        (SERVICES, {}, True),
        (SERVICES, {"container_defaults": {"user": "1000"}}, False),
        ([{"name": "web", "task_definition": {"containerDefinitions": [{"image": "webapp", "user": "0"}]}}], {}, False),
        ([{"name": "web", "task_definition": {"containerDefinitions": [{"image": "own"}]}}], {}, False),
        (
            [{"name": "web", "task_definition": {"containerDefinitions": [{"image": "own"}]}}],
            {"images": {"own": "webapp:1"}},
            True,
        ),
    ],
)
def test_an_image_decides_on_the_user_where_no_container_does(
    services: list[Json], settings: Json, decides: bool
) -> None:
    (found,) = image_plan([image(tags=["1"])], settings=settings, services=services)["images"]
    assert found["user_decides"] is decides


def test_order_of_digests_makes_no_difference() -> None:
    digests = [f"debian@{TWO}", f"debian@{ONE}"]
    assert base_digest({"RepoDigests": digests}, "debian") == base_digest({"RepoDigests": digests[::-1]}, "debian")


@pytest.mark.parametrize("image", [{}, {"RepoDigests": None}, {"RepoDigests": []}])
def test_digest_of_an_image_that_no_registry_has_is_unknown(image: Json) -> None:
    assert base_digest(image, "debian:trixie") == "unknown"


def test_build_depends_on_base_image_and_arguments() -> None:
    pulls = [{"item": "debian", "image": {"RepoDigests": [f"debian@{ONE}"], "Architecture": "arm64"}}]
    settings = {"base_image": "debian", "base_image_arg": "BASE"}
    found = image_plan([image(build_args={"A": "1"}), image(name="api", base_image="other")], settings, pulls=pulls)
    assert found["base_images"] == ["debian", "other"]
    first, second = found["images"]
    assert first["build_args"] == {"BASE": "debian", "A": "1"}
    assert (first["base_digests"], first["inputs"]) == ([ONE], {"architecture": "arm64"})
    assert (second["base_digests"], second["inputs"]) == (["unknown"], {"architecture": "unknown"})


def test_build_depends_on_the_stage_only_where_one_is_chosen() -> None:
    found = image_plan([image(target="production"), image(name="api")], {"base_image": "debian"})
    assert found["images"][0]["inputs"] == {"architecture": "unknown", "target": "production"}
    assert found["images"][1]["inputs"] == {"architecture": "unknown"}


def plan(*tags: str, stored: dict[str, list[str]] | None = None, **options: Any) -> Json:
    """One image with the content tag src-a, against digests and their tags in its repository."""
    images = [{"image_digest": digest, "image_tags": names} for digest, names in (stored or {}).items()]
    repository = options.get("repository", {"name": "webapp"})["name"]
    (answer,) = image_plan(
        [image(tags=list(tags), **options)],
        registry=REGISTRY,
        contexts=[{"tag": "src-a", "dockerfile": "Dockerfile"}],
        repositories=[{"repository_name": repository, "images": images}],
    )["images"]
    return dict(answer)


def test_image_without_its_content_tag_is_to_be_built() -> None:
    answer = plan("ecr1.0", stored={ONE: ["ecr1.0", "src-b"]})
    assert (answer["pushed"], answer["complete"], answer["built"], answer["digest"]) == (False, False, True, "unknown")
    assert answer["uri"] == "registry.example:5000/webapp"


def test_image_with_all_tags_is_complete() -> None:
    answer = plan("ecr1.0", stored={ONE: ["ecr1.0", "src-a"], TWO: ["src-b"]})
    assert (answer["pushed"], answer["complete"], answer["built"], answer["digest"]) == (True, True, False, ONE)
    assert answer["reference"] == f"registry.example:5000/webapp@{ONE}"


@pytest.mark.parametrize("stored", [{ONE: ["src-a"]}, {ONE: ["src-a"], TWO: ["ecr1.0"]}])
def test_tag_that_names_nothing_or_another_image_is_to_be_moved(stored: dict[str, list[str]]) -> None:
    answer = plan("ecr1.0", stored=stored)
    assert (answer["pushed"], answer["complete"]) == (True, False)


def test_image_without_tags_needs_none() -> None:
    assert plan(stored={ONE: ["src-a"]})["complete"]


def test_tags_of_another_repository_do_not_count() -> None:
    stored = [{"repository_name": "webapp", "images": [{"image_digest": ONE, "image_tags": ["src-a"]}]}]
    images = [image(name="web", repository={"name": "shop/web"})]
    (answer,) = image_plan(images, contexts=[{"tag": "src-a"}], registry=REGISTRY, repositories=stored)["images"]
    assert not answer["pushed"]


def test_nothing_read_means_nothing_known() -> None:
    (answer,) = image_plan([image()], registry=REGISTRY)["images"]
    assert (answer["content_tag"], answer["digest"], answer["pushed"]) == ("unknown", "unknown", False)


def test_repository_that_the_registry_lacks_is_a_problem() -> None:
    (problem,) = image_plan([image(repository={"name": "other"})], registry=REGISTRY)["problems"]
    assert problem == (
        f"{FIRST}.repository: expected an existing repository (webapp, shop/web), got other."
        " Create it with --tags registry."
    )


def test_image_knows_whether_it_was_built() -> None:
    images = [image(), image(name="web", repository={"name": "shop/web"})]
    answer = image_plan(images, contexts=[{"tag": "src-a"}] * 2, registry=REGISTRY, built=["web"])["images"]
    assert [one["built"] for one in answer] == [False, True]


def test_dockerfile_is_the_images_until_the_context_is_read() -> None:
    images = [image(dockerfile="docker/Dockerfile")]
    assert image_plan(images)["images"][0]["dockerfile"] == "docker/Dockerfile"
    contexts = [{"tag": "src-a", "dockerfile": ".slipway.Dockerfile", "archive": "/tmp/a.tar.gz"}]
    (read,) = image_plan(images, contexts=contexts)["images"]
    assert (read["dockerfile"], read["archive"]) == (".slipway.Dockerfile", "/tmp/a.tar.gz")


def test_result_has_each_image_by_name() -> None:
    stored = [{"repository_name": "webapp", "images": [{"image_digest": ONE, "image_tags": ["src-a"]}]}]
    contexts = [{"tag": "src-a"}]
    found = image_plan([image(tags=["1"])], registry=REGISTRY, contexts=contexts, repositories=stored, built=["webapp"])
    assert found["results"] == {
        "webapp": {
            "repository": "webapp",
            "uri": "registry.example:5000/webapp",
            "tags": ["1"],
            "content_tag": "src-a",
            "digest": ONE,
            "reference": f"registry.example:5000/webapp@{ONE}",
            "built": True,
            "pushed": True,
        }
    }


# Named by digest

STORED = [
    {
        "repository_name": "shop/web",
        "repository_uri": "registry.example/shop/web",
        "images": [{"image_digest": ONE, "image_tags": ["1.0", "0.9"]}],
    }
]


def references(images: dict[str, str], **known: Any) -> dict[str, str]:
    given: Json = {"repositories": STORED, "uris": {}, "known": {}, **known}
    return container_image.references(images, **given)


def test_tag_becomes_the_digest_that_it_has() -> None:
    assert references({"w": "shop/web:1.0"}) == {"w": f"registry.example/shop/web@{ONE}"}


def test_registry_is_called_as_docker_reaches_it() -> None:
    found = references({"w": "shop/web:1.0"}, uris={"shop/web": "localhost:4566/shop/web"})
    assert found == {"w": f"localhost:4566/shop/web@{ONE}"}


def test_what_this_run_pushed_or_found_comes_before_the_registry() -> None:
    planned = image_plan(
        [image(name="web", repository={"name": "shop/web"}, tags=["1.0", "2.0"]), image()],
        registry=REGISTRY,
        contexts=[{"tag": "src-a"}, {"tag": "src-b"}],
        repositories=[
            {"repository_name": "shop/web", "images": [{"image_digest": TWO, "image_tags": ["src-a"]}]},
            {"repository_name": "webapp", "images": [{"image_digest": TWO, "image_tags": ["src-b"]}]},
        ],
    )
    images = {"now": "shop/web:1.0", "next": "shop/web:2.0", "old": "shop/web:0.9", "untagged": "webapp"}
    assert references(images, known=planned["references"]) == {
        "now": f"registry.example:5000/shop/web@{TWO}",
        "next": f"registry.example:5000/shop/web@{TWO}",
        "old": f"registry.example/shop/web@{ONE}",
        "untagged": f"registry.example:5000/webapp@{TWO}",
    }


def test_reference_with_a_digest_stays() -> None:
    assert references({"w": f"a/b@{TWO}"}) == {"w": f"a/b@{TWO}"}
    assert image_problems({"w": f"a/b@{TWO}"}, []) == []


def test_images_that_no_service_uses_are_left_out() -> None:
    images = {"webapp": "shop/web:1.0", "unused": "gone:1"}
    assert set(references(images, services=SERVICES)) == {"webapp"}
    assert image_problems(images, STORED, services=SERVICES) == []


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("shop/api:1.0", "expected a repository 'shop/api'"),
        ("shop/web:2", "expected an image 'shop/web:2'"),
        ("shop/web", "Set tags in container_image_images, or build and release it in one run"),
    ],
)
def test_missing_image_is_named(reference: str, why: str) -> None:
    (problem,) = image_problems({"w": reference}, STORED)
    assert why in problem

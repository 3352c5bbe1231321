# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which repositories are created, used and deleted, and whose they are."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.filter.image_plan import image_plan
from ansible_collections.slipway.aws.plugins.filter.repository_plan import repository_plan

Json = dict[str, Any]


def found(name: str, project: str | None = "shop", **more: Any) -> Json:
    tags = {"slipway:project": project} if project else {}
    shared = {"slipway:shared": "true"} if more.pop("shared", False) else {}
    uri = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{name}"
    arn = f"arn:aws:ecr:eu-central-1:123456789012:repository/{name}"
    described = {"repository_name": name, "repository_uri": uri, "repository_arn": arn}
    return {**described, "tags": {**tags, **shared}, **more}


def test_no_image_expires_by_default() -> None:
    """A lifecycle policy does not know which images a release of the history needs."""
    (one,) = repository_plan([{"name": "web"}], project="shop", tags={"tier": 1})["repositories"]
    assert (one["scan_on_push"], one["lifecycle_policy"]) == (True, {})
    assert one["tags"] == {"tier": "1", "slipway:project": "shop"}


@pytest.mark.parametrize(
    ("images", "mode", "moving"),
    [
        ([{"name": "web"}], "IMMUTABLE", None),
        ([{"name": "web", "tags": ["stable", 2]}], "IMMUTABLE_WITH_EXCLUSION", ["stable", "2"]),
        ([{"name": "web", "tags": ["v1"], "repository": {"mutability": "IMMUTABLE"}}], "IMMUTABLE", None),
        ([{"name": "web", "tags": ["v1"], "repository": {"mutability": "MUTABLE"}}], "MUTABLE", None),
        ([{"name": "web", "tags": ["v1"], "repository": {"mutable_tags": []}}], "IMMUTABLE", None),
        ([{"name": "web", "tags": ["v1"], "repository": {"mutable_tags": ["v*"]}}], "IMMUTABLE_WITH_EXCLUSION", ["v*"]),
        (
            [{"name": f"web-{name}", "repository": {"name": "web"}, "tags": [name]} for name in ("a", "b")],
            "IMMUTABLE_WITH_EXCLUSION",
            ["a", "b"],
        ),
        ([{"name": "web", "tags": ["v1"], "repository": {"shared": True}}], None, None),
        ([{"name": "web", "repository": {"shared": True, "mutability": "IMMUTABLE"}}], "IMMUTABLE", None),
    ],
)
def test_nobody_can_put_another_image_under_a_tag_that_does_not_move(
    images: list[Json], mode: str | None, moving: list[str] | None
) -> None:
    (one,) = repository_plan(image_plan(images)["repositories"], project="shop")["repositories"]
    filters = [{"filterType": "WILDCARD", "filter": tag} for tag in moving] if moving else None
    assert (one["mutability"], one["exclusion_filters"]) == (mode, filters)


def test_one_variable_lets_all_tags_move_where_a_repository_does_not_say_otherwise() -> None:
    asked = [{"name": "web", "mutable_tags": ["v1"]}, {"name": "kept", "mutability": "IMMUTABLE"}]
    found = repository_plan(asked, project="shop", mutability="MUTABLE")["repositories"]
    assert [(one["mutability"], one["exclusion_filters"]) for one in found] == [("MUTABLE", None), ("IMMUTABLE", None)]


def test_a_new_repository_has_the_key_and_an_existing_one_keeps_its_own() -> None:
    asked = [{"name": "new"}, {"name": "old"}, {"name": "own", "encryption": {"encryptionType": "AES256"}}]
    plan = repository_plan(asked, project="shop", found=[found("old")], kms_key="arn:key")
    assert [one.get("encryption") for one in plan["repositories"]] == [
        {"encryptionType": "KMS", "kmsKey": "arn:key"},
        None,
        {"encryptionType": "AES256"},
    ]


def test_settings_make_a_lifecycle_policy() -> None:
    given = {"name": "web", "keep_images": 5, "untagged_days": 7}
    (one,) = repository_plan([given], project="shop")["repositories"]
    assert one["lifecycle_policy"] == {
        "rules": [
            {
                "rulePriority": 1,
                "description": "Untagged images expire after some days",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 7,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": "The newest images are kept",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 5},
                "action": {"type": "expire"},
            },
        ]
    }
    (one,) = repository_plan([{**given, "untagged_days": None}], project="shop")["repositories"]
    assert [rule["rulePriority"] for rule in one["lifecycle_policy"]["rules"]] == [2]
    own = {"rules": []}
    (one,) = repository_plan([{"name": "web", "lifecycle_policy": own, "shared": True}], project="shop")["repositories"]
    assert one["lifecycle_policy"] == own
    assert one["tags"] == {"slipway:project": "shop", "slipway:shared": "true"}


def test_repositories_of_others_are_foreign_unless_both_sides_share_them() -> None:
    asked = [{"name": "own"}, {"name": "both", "shared": True}, {"name": "here", "shared": True}, {"name": "there"}]
    there = [
        found("own"),
        found("both", "base", shared=True),
        found("here", "base"),
        found("there", "base", shared=True),
        found("nobody", None),
    ]
    plan = repository_plan(asked, project="shop", found=there)
    assert [one["repository_name"] for one in plan["shared"]] == ["both"]
    assert plan["foreign"] == ["here", "there"]
    assert [one["name"] for one in plan["repositories"]] == ["own", "here", "there"]
    assert list(plan["result"]["repositories"]) == ["own", "both"]


def test_result_names_repositories_as_docker_does() -> None:
    asked = [{"name": "shop/web"}]
    result = repository_plan(asked, project="shop", found=[found("shop/web")])["result"]
    assert result["registry"] == "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    assert result["repositories"]["shop/web"]["uri"] == f"{result['registry']}/shop/web"
    local = repository_plan(asked, project="shop", found=[found("shop/web")], address="localhost:4566")["result"]
    assert local["repositories"]["shop/web"]["uri"] == "localhost:4566/shop/web"
    assert repository_plan(asked, project="shop")["result"] == {"registry": "", "repositories": {}}


def test_only_the_projects_repositories_without_images_are_deleted() -> None:
    there = [found("empty", images=[]), found("full", images=[{}]), found("unread"), found("theirs", "base", images=[])]
    assert repository_plan([], project="shop", found=there)["deletable"] == ["empty", "unread"]


@pytest.mark.parametrize(
    ("repositories", "problem"),
    [
        ([{"name": "Web"}], "ecr_registry_repositories[0] (Web).name: expected 2 to 256 lowercase letters"),
        ([{"name": "w"}], "ecr_registry_repositories[0] (w).name: expected 2 to 256"),
        ([{"name": "web"}, {"name": "web"}], "ecr_registry_repositories: expected each name once, got web 2 times."),
        ([{"name": "web", "keep_images": 0}], "(web).keep_images: expected a whole number above 0, got 0."),
        ([{"name": "web", "untagged_days": -1}], "(web).untagged_days: expected a whole number above 0, got -1."),
        (
            [{"name": "web", "mutable_tags": list("abcdef")}],
            "(web).mutable_tags: expected at most 5, got 6: a, b, c, d, e, f.",
        ),
        ([{"name": "web", "mutable_tags": ["*"]}], "got '*'. To allow every tag to move, set mutability to MUTABLE."),
        ([{"name": "web", "mutable_tags": ["v*.*.*"]}], "with at most 2 wildcards (*), got 'v*.*.*'."),
        ([{"name": "web", "mutable_tags": ["a"], "mutability": "MUTABLE"}], "expected none if mutability is"),
    ],
)
def test_wrong_declarations_are_named(repositories: list[Json], problem: str) -> None:
    (found_problem,) = repository_plan(repositories)["problems"]
    assert problem in found_problem

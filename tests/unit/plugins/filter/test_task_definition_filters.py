# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What short definitions become, and what a wrong name in them is told."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.slipway.aws.plugins.filter.complete_task_definition import complete_task_definition
from ansible_collections.slipway.aws.plugins.filter.image_references import image_references
from ansible_collections.slipway.aws.plugins.filter.missing_references import missing_references
from ansible_collections.slipway.aws.plugins.filter.note_secret_versions import note_secret_versions
from ansible_collections.slipway.aws.plugins.filter.release_services import release_services

DIGEST = "sha256:" + "0" * 64
REPOSITORIES = [
    {
        "repository_name": "shop/web",
        "repository_uri": "registry.example/shop/web",
        "images": [
            {"image_digest": "sha256:" + "1" * 64, "image_tags": ["0.9"]},
            {"image_digest": DIGEST, "image_tags": ["1.0", "src-abc"]},
        ],
    }
]


def definition(**container: Any) -> dict[str, Any]:
    return {"family": "web", "containerDefinitions": [{"name": "web", "image": "web", **container}]}


def test_image_by_name_becomes_its_digest() -> None:
    done = complete_task_definition(definition(), images={"web": f"r/web@{DIGEST}"})
    assert done["containerDefinitions"][0]["image"] == f"r/web@{DIGEST}"


@pytest.mark.parametrize("image", ["nginx:1.27", "public.example/nginx", f"web@{DIGEST}"])
def test_image_reference_is_left_alone(image: str) -> None:
    assert complete_task_definition(definition(image=image))["containerDefinitions"][0]["image"] == image


def test_unknown_image_is_reported_with_the_known_ones() -> None:
    with pytest.raises(AnsibleFilterError, match="no image named 'web'; the known ones are: api, shop"):
        complete_task_definition(definition(), images={"shop": "x", "api": "y"})


def test_secret_by_name_becomes_its_path_and_others_stay() -> None:
    secrets = [{"name": "A", "valueFrom": "key"}, {"name": "B", "valueFrom": "/other/key"}]
    done = complete_task_definition(definition(image="a/b", secrets=secrets), secrets={"key": "/ecs/key"})
    assert [s["valueFrom"] for s in done["containerDefinitions"][0]["secrets"]] == ["/ecs/key", "/other/key"]


def test_a_member_of_a_secret_follows_its_arn() -> None:
    secrets = [{"name": "A", "valueFrom": "db:password::"}, {"name": "B", "valueFrom": "arn:aws:x:y::"}]
    done = complete_task_definition(definition(image="a/b", secrets=secrets), secrets={"db": "arn:aws:db"})
    found = [secret["valueFrom"] for secret in done["containerDefinitions"][0]["secrets"]]
    assert found == ["arn:aws:db:password::", "arn:aws:x:y::"]


def test_versions_of_secrets_are_noted_where_they_are_used() -> None:
    secrets = [{"name": "A", "valueFrom": "db:password::"}, {"name": "B", "valueFrom": "other"}]
    noted = note_secret_versions(definition(secrets=secrets, dockerLabels={"a": "b"}), {"db": "3", "key": "1"})
    assert noted["containerDefinitions"][0]["dockerLabels"] == {"a": "b", "slipway.secrets": "db=3"}
    assert note_secret_versions(definition(secrets=secrets), {"key": "1"}) == definition(secrets=secrets)


def test_a_service_that_scales_has_a_count_to_begin_with() -> None:
    services = [
        {"name": "a", "desired_count": 3, "scaling": {"min_capacity": 2}},
        {"name": "b", "scaling": {"min_capacity": 2}},
        {"name": "c", "desired_count": 3},
    ]
    released = release_services(services, [{}, {}, {}])
    assert [(one.get("initial_count"), one.get("desired_count")) for one in released] == [
        (3, None),
        (2, None),
        (None, 3),
    ]


def test_what_the_definition_says_comes_first() -> None:
    given = {**definition(image="a/b", logConfiguration={"logDriver": "none"}), "networkMode": "bridge"}
    done = complete_task_definition(given, log_group="/ecs/web", region="eu-central-1", defaults={"cpu": 256})
    assert (done["networkMode"], done["cpu"]) == ("bridge", 256)
    assert done["containerDefinitions"][0]["logConfiguration"] == {"logDriver": "none"}


def test_log_group_is_filled_in() -> None:
    done = complete_task_definition(definition(image="a/b"), log_group="/ecs/web", region="eu-central-1")
    assert done["containerDefinitions"][0]["logConfiguration"]["options"] == {
        "awslogs-group": "/ecs/web",
        "awslogs-region": "eu-central-1",
        "awslogs-stream-prefix": "web",
    }


def test_given_definition_is_not_written_to() -> None:
    given = definition(secrets=[{"name": "A", "valueFrom": "key"}])
    before = copy.deepcopy(given)
    complete_task_definition(given, images={"web": "x/y"}, secrets={"key": "/k"}, log_group="/ecs/web")
    assert given == before


@pytest.mark.parametrize(("image", "why"), [("shop/api:1.0", "no repository 'shop/api'"), ("shop/web:2", "tagged '2'")])
def test_missing_image_is_reported(image: str, why: str) -> None:
    with pytest.raises(AnsibleFilterError, match=why):
        image_references({"w": image}, REPOSITORIES)


def test_names_become_arns_and_arns_stay() -> None:
    balancers = [{"targetGroupArn": "web"}, {"targetGroupArn": "arn:x"}, {"containerName": "c"}]
    (service,) = release_services([{"name": "w", "load_balancers": balancers}], [{}], target_groups={"web": "arn:web"})
    assert service["load_balancers"] == [
        {"targetGroupArn": "arn:web"},
        {"targetGroupArn": "arn:x"},
        {"containerName": "c"},
    ]


def test_unknown_name_is_reported_with_the_known_ones() -> None:
    service = {"name": "w", "load_balancers": [{"targetGroupArn": "wbe"}]}
    with pytest.raises(AnsibleFilterError, match="no target group named 'wbe'; the known ones are: web"):
        release_services([service], [{}], target_groups={"web": "arn:web"})


def test_options_of_a_service_come_before_the_defaults() -> None:
    services = [
        {"name": "a", "options": {"propagate_tags": "NONE"}, "desired_count": 2, "after": ["b"]},
        {"name": "b", "options": {"capacity_provider_strategy": [{"capacityProvider": "FARGATE_SPOT"}]}},
    ]
    defaults = {"launch_type": "FARGATE", "propagate_tags": "SERVICE"}
    first, second = release_services(services, [{"family": "a"}, {"family": "b"}], defaults, tags={"team": "shop"})
    assert first == {
        "name": "a",
        "after": ["b"],
        "desired_count": 2,
        "launch_type": "FARGATE",
        "load_balancers": [],
        "propagate_tags": "NONE",
        "tags": {"team": "shop"},
        "task_definition": {"definition": {"family": "a"}, "tags": {"team": "shop"}},
    }
    assert "launch_type" not in second
    assert "desired_count" not in second


def test_name_of_service_discovery_becomes_its_arn() -> None:
    service = {"name": "web", "options": {"service_registries": [{"registryArn": "web"}]}}
    released = release_services([service], [definition()], registries={"web": "arn:web"})
    assert released[0]["service_registries"] == [{"registryArn": "arn:web"}]
    with pytest.raises(AnsibleFilterError, match="registryArn: there is no Cloud Map service named 'web'"):
        release_services([service], [definition()])


USER = {"task_definition": {"containerDefinitions": [{"image": "w"}, {"image": "new"}]}}


@pytest.mark.parametrize(
    ("images", "services", "said"),
    [
        ({"w": "shop/web:9.9"}, [USER], "w: shop/web:9.9: the repository 'shop/web' has no image tagged '9.9'."),
        ({"w": "shop/wbe:1.0"}, [USER], "w: shop/wbe:1.0: the registry has no repository 'shop/wbe'."),
        (
            {},
            [{"load_balancers": [{"targetGroupArn": "wbe"}]}],
            "web: targetGroupArn: expected the name of a target group (web)",
        ),
        (
            {},
            [{"options": {"service_registries": [{"registryArn": "db"}]}}],
            "web: registryArn: expected the name of a Cloud Map service (none), got 'db'.",
        ),
    ],
)
def test_names_that_stand_for_nothing_are_reported(
    images: dict[str, str], services: list[dict[str, Any]], said: str
) -> None:
    named = [{"name": "web", **service} for service in services]
    (problem,) = missing_references(named, images=images, repositories=REPOSITORIES, target_groups=["web"])
    assert problem.startswith(said)


def test_names_that_exist_or_are_planned_are_not() -> None:
    known = {"shop/new:1.0": "registry.example/shop/new@unknown"}
    service = {
        **USER,
        "name": "web",
        "load_balancers": [{"targetGroupArn": "web"}, {"targetGroupArn": "arn:aws:x"}, {"targetGroupArn": "unknown"}],
        "options": {"service_registries": [{"registryArn": "database"}]},
    }
    images = {"w": "shop/web:1.0", "new": "shop/new:1.0", "unused": "gone:1.0"}
    found = missing_references([service], images, REPOSITORIES, known, target_groups=["web"], registries=["database"])
    assert found == []

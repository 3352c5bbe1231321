# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages and services that init derives, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.deployer_trust import problems as trust_problems
from ansible_collections.slipway.aws.plugins.plugin_utils.stages import layout

Json = dict[str, Any]
VARIABLES: Json = {"project": "shop", "application": ".", "stages": "staging, production", "regions": "eu-central-1"}
PIPELINES: Json = {"pipelines": "github,gitlab", "repository": "acme/shop", "branch": "main", "accounts": "1" * 12}


def dockerfile(name: str, *ports: int, **members: Any) -> Json:
    usual = {
        "path": name,
        "dockerfile": "Dockerfile",
        "base": "node",
        "health_path": "",
        "user": "app",
        "arguments": [],
    }
    return {**usual, "name": name, "ports": list(ports), **members}


def derive(*dockerfiles: Json, **variables: Any) -> Json:
    return layout({**VARIABLES, **variables}, dockerfiles or [dockerfile("web", 8000)])


def test_the_first_stage_builds_and_each_other_gets_its_images_from_the_one_before() -> None:
    stages = derive(stages=["dev", "staging", "prod"], regions=["a", "b", "c"], accounts="1" * 12)["stages"]
    assert [(one["project"], one["region"], one["from"], one["important"]) for one in stages] == [
        ("shop-dev", "a", "", False),
        ("shop-staging", "b", "dev", False),
        ("shop-prod", "c", "staging", True),
    ]


@pytest.mark.parametrize(
    ("dockerfiles", "front"),
    [
        ([dockerfile("api", 1), dockerfile("nginx", 2), dockerfile("web", 3)], "nginx"),
        ([dockerfile("api", 1), dockerfile("worker")], "api"),
        ([dockerfile("shop-frontend", 1), dockerfile("shop-backend", 2)], "shop-frontend"),
        ([dockerfile("worker")], None),
    ],
)
def test_one_service_that_listens_is_behind_the_load_balancer(dockerfiles: list[Json], front: str | None) -> None:
    found = derive(*dockerfiles)
    assert (found["front"] or {}).get("name") == front
    assert [one["name"] for one in found["services"] if one["public"]] == ([front] if front else [])


def test_a_port_can_be_given_for_an_application_that_exposes_none() -> None:
    found = derive(dockerfile("web"), application_port="8080")
    assert found["front"]["port"] == 8080
    assert not [hint for hint in found["hints"] if "exposes no port" in hint]


def test_an_application_at_the_top_has_the_name_of_its_folder_and_two_of_a_name_differ() -> None:
    found = derive(dockerfile("app", 80, path=""), dockerfile("web"), dockerfile("web", path="other/web"))
    assert [one["name"] for one in found["services"]] == ["shop", "web", "web-2"]


def test_services_that_run_as_root_are_known() -> None:
    files = [
        dockerfile("a", user=""),
        dockerfile("b", user="root"),
        dockerfile("c", user="app"),
        dockerfile("d", user="0:0"),
    ]
    assert layout(VARIABLES, files)["root_services"] == ["a", "b", "d"]


def test_hints_name_what_a_dockerfile_lacks() -> None:
    hints = "\n".join(derive(dockerfile("app", 80, path="", user=""))["hints"])
    assert "containers run as root" in hints
    assert "begin the Dockerfile with ARG BASE_IMAGE" in hints
    assert ".dockerignore" in hints
    assert derive(dockerfile("web", 80, arguments=["BASE_IMAGE"]))["hints"] == []


REFUSED: list[tuple[Json, str]] = [
    ({"project": "Shop"}, "project: expected lowercase letters"),
    ({"project": ""}, "got nothing"),
    ({"stages": ""}, "stages: expected at least one"),
    ({"stages": "local,production"}, "stages: expected names other than local"),
    ({"stages": "a,a"}, "stages: expected each name once, got a twice"),
    ({"stages": "Staging"}, "stages: expected lowercase letters"),
    ({"regions": ""}, "regions: expected a region"),
    ({"regions": "a,b,c"}, "regions: expected one, or one for each of 2 stages, got 3"),
    ({"accounts": "123"}, "accounts: expected 12 digits, got 123"),
    ({"project": "a-shop-with-a-long-name"}, "of at most 32 characters, got a-shop-with-a-long-name-production-web"),
    ({"pipelines": "jenkins"}, "pipelines: expected some of github, gitlab, got jenkins"),
    ({"pipelines": "github"}, "repository: expected owner and name"),
    ({**PIPELINES, "repository": "acme/*"}, "repository: expected owner and name"),
    ({**PIPELINES, "branch": "*"}, "branch: expected the name of a branch, such as main, got *"),
    ({**PIPELINES, "accounts": ""}, "accounts: expected an account for the pipelines' roles"),
]


@pytest.mark.parametrize(("wrong", "said"), REFUSED)
def test_wrong_variables_are_refused(wrong: Json, said: str) -> None:
    found = derive(**wrong)
    assert set(found) == {"problems"}
    assert [text for text in found["problems"] if said in text], found["problems"]


def test_a_folder_without_dockerfiles_is_refused() -> None:
    assert "expected a Dockerfile in ., got none" in layout(VARIABLES, [])["problems"][0]


def test_pipelines_get_roles_that_the_deployer_accepts() -> None:
    for stage in derive(**PIPELINES)["stages"]:
        for what, documents in (("plan", ["plan", "status"]), ("release", ["service"])):
            identities = [{**trust, "subjects": trust[what]} for trust in stage["trust"]]
            assert len(identities) == 2
            assert [*trust_problems({"web_identities": identities}, "role", documents)] == []

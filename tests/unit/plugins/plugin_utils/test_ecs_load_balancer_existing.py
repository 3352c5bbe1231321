# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the load balancer, listeners and target groups of others that a project names."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_load_balancer_existing as existing

Json = dict[str, Any]
ELB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"
SHARED, GROUP = f"{ELB}:loadbalancer/app/shared/1a", f"{ELB}:targetgroup/theirs/2b"
MINE = {"slipway:project": "shop"}
NONE_BESIDE = "with an existing load balancer, whose settings do not change, got"


def listener(port: int, protocol: str = "HTTP") -> Json:
    return {"listener_arn": f"{ELB}:listener/app/shared/1a/{port}", "port": port, "protocol": protocol}


def balancer(*listeners: Json, **members: Any) -> Json:
    one = {"load_balancer_arn": SHARED, "load_balancer_name": "shared", "vpc_id": "vpc-1", "tags": {"owner": "a"}}
    return {**one, "listeners": [*listeners], **members}


def variables(**changes: Any) -> Json:
    defaults: Json = {
        "project": "shop",
        "region": "eu-central-1",
        "arn": "shared",
        "name_tags": {},
        "listener_arns": [],
        "test_port": 0,
        "rules": [],
        "certificate_arn": "",
        "domains": [],
        "access_logs_bucket": "",
    }
    return {f"ecs_load_balancer_{name}": value for name, value in {**defaults, **changes}.items()}


@pytest.mark.parametrize(
    ("changed", "group", "problem"),
    [
        (
            {"name_tags": {"owner": "a"}},
            {},
            "name_tags: expected none together with ecs_load_balancer_arn, got {'owner': 'a'}",
        ),
        ({"arn": "no_name"}, {}, "arn: expected the name or ARN of a load balancer in eu-central-1, got 'no_name'."),
        (
            {"arn": SHARED.replace("eu-central-1", "us-east-1")},
            {},
            "arn: expected the name or ARN of a load balancer in eu-central-1, got 'arn:aws:elasticloadbalancing:us-",
        ),
        (
            {"listener_arns": ["web"]},
            {},
            "listener_arns[0]: expected the ARN of a listener in eu-central-1, got 'web'.",
        ),
        (
            {"arn": "", "listener_arns": [listener(80)["listener_arn"]]},
            {},
            "listener_arns: expected none without ecs_load_balancer_arn or ecs_load_balancer_name_tags, got arn:",
        ),
        ({"certificate_arn": "arn:c"}, {}, f"certificate_arn: expected none {NONE_BESIDE} arn:c."),
        ({"domains": ["example.com"]}, {}, f"domains: expected none {NONE_BESIDE} ['example.com']."),
        ({"access_logs_bucket": "logs"}, {}, f"access_logs_bucket: expected none {NONE_BESIDE} logs."),
        (
            {},
            {"arn": "theirs"},
            "target_groups[0] (web).arn: expected the ARN of a target group in eu-central-1, got 't",
        ),
        (
            {},
            {"arn": GROUP, "target_group_name": "web"},
            "target_groups[0] (web).target_group_name: expected none with arn, got 'web'. Use arn for an existing",
        ),
    ],
)
def test_a_wrong_variable_is_named_with_what_is_expected(changed: Json, group: Json, problem: str) -> None:
    (found,) = existing.problems(variables(**changed), [{"name": "web", **group}])
    assert found.startswith(f"ecs_load_balancer_{problem}")


@pytest.mark.parametrize(
    "given", [{}, {"arn": SHARED}, {"arn": "", "name_tags": {"owner": "a"}}, {"arn": "", "domains": ["example.com"]}]
)
def test_names_arns_and_tags_have_no_problems(given: Json) -> None:
    assert [*existing.problems(variables(**given), [{"name": "web", "arn": GROUP}, {"name": "own"}])] == []


HTTP, HTTPS, TCP = listener(80), listener(443, "HTTPS"), listener(81, "TCP")
SECOND = listener(8443, "HTTPS")
TWO = [balancer(HTTP), balancer(HTTP, load_balancer_name="other", load_balancer_arn=f"{SHARED}2")]


@pytest.mark.parametrize(
    ("changed", "balancers", "problem"),
    [
        ({"arn": "none"}, TWO, "arn: expected one load balancer in this account and region, got none for none."),
        (
            {"arn": "", "name_tags": {"owner": "a"}},
            TWO,
            f"name_tags: expected one load balancer in this account and region, got {SHARED}, {SHARED}2 for {{'owner'",
        ),
        (
            {},
            [balancer(HTTP, tags=MINE)],
            f"arn: expected a load balancer outside the project, got {SHARED} with the tag slipway:project=shop,"
            " which is",
        ),
        (
            {},
            [balancer(HTTP, vpc_id="vpc-2")],
            f"arn: expected a load balancer in vpc-1, the VPC of the project, got {SHARED} in vpc-2.",
        ),
        (
            {"listener_arns": [HTTPS["listener_arn"]]},
            [balancer(HTTP)],
            f"listener_arns: expected listeners of shared ({HTTP['listener_arn']}), got {HTTPS['listener_arn']}.",
        ),
        ({"test_port": 82}, [balancer(HTTP)], "test_port: expected the port of a listener of shared, got 82."),
        (
            {"listener_arns": [TCP["listener_arn"]]},
            [balancer(HTTP, TCP)],
            "listener_arns: expected listeners with the protocol HTTP or HTTPS, got TCP.",
        ),
        ({}, [balancer(TCP)], "listener_arns: expected a listener on port 443 or 80, got ports 81."),
        ({}, [balancer()], "listener_arns: expected a listener on port 443 or 80, got ports none."),
    ],
)
def test_a_load_balancer_that_does_not_fit_is_named(changed: Json, balancers: list[Json], problem: str) -> None:
    found = {"load_balancers": balancers, "vpc_id": "vpc-1"}
    (one,) = existing.account_problems(variables(**changed), [{"name": "web", "has_rule": True}], found)
    assert one.startswith(f"ecs_load_balancer_{problem}")


@pytest.mark.parametrize("with_rule", [{"rules": [{"priority": 1}]}, {}])
def test_listeners_matter_to_rules_alone(with_rule: Json) -> None:
    found = {"load_balancers": [balancer(TCP)], "vpc_id": ""}
    problems = [*existing.account_problems(variables(**with_rule), [{"name": "web", "has_rule": False}], found)]
    assert len(problems) == len(with_rule)


@pytest.mark.parametrize(
    ("one", "problem"),
    [
        (None, f"expected an existing target group, got none for {GROUP}."),
        (
            {"tags": MINE},
            f"expected a target group outside the project, got {GROUP} with the tag slipway:project=shop,",
        ),
        ({"vpc_id": "vpc-2"}, f"expected a target group in vpc-1, the VPC of the project, got {GROUP} in vpc-2."),
        ({"vpc_id": "vpc-1", "tags": {"slipway:project": "other"}}, ""),
        ({}, ""),
    ],
)
def test_a_target_group_that_does_not_fit_is_named(one: Json | None, problem: str) -> None:
    groups = [{"name": "own"}, {"name": "web", "arn": GROUP}]
    found = {"target_groups": [] if one is None else [{"target_group_arn": GROUP, **one}], "vpc_id": "vpc-1"}
    known = [*existing.account_problems(variables(), groups, found)]
    assert [text.startswith(f"ecs_load_balancer_target_groups[1] (web).arn: {problem}") for text in known] == (
        [True] if problem else []
    )


def test_what_was_not_read_is_not_judged() -> None:
    assert [*existing.account_problems(variables(), [{"name": "web", "arn": GROUP, "has_rule": True}], {})] == []


@pytest.mark.parametrize(
    ("changed", "ports"),
    [
        ({}, [443]),
        ({"listener_arns": [HTTP["listener_arn"], HTTPS["listener_arn"]]}, [443, 80]),
        ({"listener_arns": [TCP["listener_arn"], HTTP["listener_arn"]]}, [81, 80]),
        ({"listener_arns": [SECOND["listener_arn"], HTTPS["listener_arn"]]}, [443, 8443]),
        ({"test_port": 81}, [443, 81]),
        ({"test_port": 443}, [443]),
    ],
)
def test_rules_are_put_on_the_listener_of_https_or_on_those_that_are_named(changed: Json, ports: list[int]) -> None:
    found = existing.listeners(variables(**changed), balancer(HTTP, SECOND, HTTPS, TCP))
    assert [one["port"] for one in found] == ports


def test_the_name_of_a_target_group_is_in_its_arn() -> None:
    assert (existing.name_of_group(GROUP), existing.name_of_group("theirs")) == ("theirs", "theirs")


def test_a_load_balancer_is_found_by_all_tags_that_are_named() -> None:
    found = {"load_balancers": [balancer(tags={"owner": "a", "stage": "test"}), balancer(tags={"owner": "a"})]}
    for given, number in (({"owner": "a"}, 2), ({"owner": "a", "stage": "test"}, 1), ({"owner": "b"}, 0), ({}, 0)):
        assert len(existing.balancers(variables(arn="", name_tags=given), found)) == number


OTHER = listener(8080)


@pytest.mark.parametrize(
    ("changed", "of", "chosen", "port"),
    [
        ({}, HTTP, [HTTPS, HTTP], 443),
        ({"redirect_http": False}, HTTP, [HTTPS, HTTP], None),
        ({}, HTTPS, [HTTPS, HTTP], None),
        # Not one of the project's.
        ({}, OTHER, [HTTPS, HTTP], None),
        # Test traffic is not redirected, and is not where others are sent.
        ({"test_port": 80}, HTTP, [HTTPS, HTTP], None),
        ({"test_port": 443}, HTTP, [HTTPS, HTTP], None),
        ({}, HTTP, [HTTP, OTHER], None),
    ],
)
def test_http_is_redirected_to_the_listener_of_https(
    changed: Json, of: Json, chosen: list[Json], port: int | None
) -> None:
    given = variables(**{"redirect_http": True, **changed})
    assert existing.redirects_to(given, of, chosen).get("port") == port


def test_former_load_balancers_are_those_before_target_groups_of_the_project() -> None:
    def group(name: str, *before: str, **tags: str) -> Json:
        return {"target_group_arn": name, "load_balancer_arns": [*before], "tags": tags}

    groups = [
        group("own", "former", "current", **MINE),
        group("theirs", "shared"),
        group("unrelated", "unrelated"),
        group("unused", **MINE),
    ]
    names = ("former", "current", "shared", "unrelated")
    some = [balancer(load_balancer_arn=name) for name in names]
    own = balancer(load_balancer_arn="own", tags=MINE)
    groups[0]["load_balancer_arns"].append("own")
    found = {"target_groups": groups, "load_balancers": [*some, own]}
    given = variables(target_groups=[{"name": "web", "arn": "theirs"}])
    assert existing.former_balancers(given, found, {"load_balancer_arn": "current"}) == ["former", "shared"]
    assert existing.former_balancers(given, {}, {}) == []

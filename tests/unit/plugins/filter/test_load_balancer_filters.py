"""The filters of the load balancer's role: rules, hosted zones, and which certificates may go."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.filter.hosted_zone import hosted_zone
from ansible_collections.slipway.aws.plugins.filter.listener_rule_problems import listener_rule_problems
from ansible_collections.slipway.aws.plugins.filter.listener_rule_shifted import listener_rule_shifted
from ansible_collections.slipway.aws.plugins.filter.listener_rules import listener_rules
from ansible_collections.slipway.aws.plugins.filter.unneeded_certificates import unneeded_certificates

Json = dict[str, Any]
ZONES = [
    {"id": "/hostedzone/Z1", "name": "example.com.", "config": {"private_zone": False}},
    {"id": "/hostedzone/Z2", "name": "shop.example.com.", "config": {"private_zone": False}},
    {"id": "/hostedzone/Z3", "name": "www.shop.example.com.", "config": {"private_zone": True}},
]


def weighted(**weights: int) -> list[Json]:
    groups = [{"target_group_arn": arn, "weight": weight} for arn, weight in weights.items()]
    return [{"type": "forward", "forward_config": {"target_groups": groups}}]


@pytest.mark.parametrize(
    ("actions", "weights"),
    [
        (weighted(web=0, green=100), {"web": 0, "green": 100}),
        (weighted(web=0), {}),
        (weighted(blue=0, green=100), {}),
        ([{"type": "forward", "target_group_arn": "web"}], {}),
        ([{"type": "redirect"}], {}),
        ([{"type": "authenticate-oidc"}, *weighted(web=0, green=100)], {}),
        ([], {}),
    ],
)
def test_weights_are_ecss_where_the_group_is_one_of_several(actions: list[Json], weights: dict[str, int]) -> None:
    assert listener_rule_shifted(actions, "web") == weights


def test_rules_stand_in_the_order_of_the_list() -> None:
    groups = [{"name": "web"}, {"name": "api", "paths": ["/api/*"]}, {"name": "shop", "hosts": ["shop.example.com"]}]
    rules = listener_rules(groups, {"api": "arn:api"})
    assert [(rule["priority"], rule["target_group_arn"]) for rule in rules] == [(20, "arn:api"), (30, "shop")]


def test_a_priority_moves_a_rule() -> None:
    groups = [{"name": "a", "paths": ["/a"]}, {"name": "b", "paths": ["/b"], "priority": 5}]
    assert [rule["target_group_arn"] for rule in listener_rules(groups)] == ["b", "a"]


@pytest.mark.parametrize(
    ("group", "problem"),
    [
        ({"hosts": ["localhost"]}, "api: 'localhost' is no host"),
        ({"hosts": ["shop.example.com:80"]}, "api: 'shop.example.com:80' is no host"),
        ({"paths": ["api"]}, "api: 'api' is no path"),
        ({"paths": ["/a b"]}, "api: '/a b' is no path"),
        ({"paths": ["/" + "a" * 128]}, "is no path"),
        ({"hosts": ["a" * 125 + ".com"]}, "is no host"),
        ({"paths": list("/*/*/*")}, "api has 6 hosts and paths, AWS takes 5"),
        ({"priority": 7}, "api has priority 7, but neither hosts nor paths"),
        ({"paths": ["/"], "priority": 50001}, "api: priority 50001 is not between 1 and 50000"),
        ({"paths": ["/"], "priority": 10}, "api and web both have priority 10"),
    ],
)
def test_a_wrong_rule_is_described(group: Json, problem: str) -> None:
    problems = listener_rule_problems([{"name": "web", "paths": ["/web"]}, {"name": "api", **group}])
    assert len(problems) == 1
    assert problem in problems[0]


@pytest.mark.parametrize("host", ["api.example.com", "*.example.com", "API?.Example.COM", "a" * 124 + ".com"])
@pytest.mark.parametrize("path", ["/", "/api/*", "*.php", "/a~b/$c&d", "/" + "a" * 127])
def test_right_rules_have_no_problems(host: str, path: str) -> None:
    assert listener_rule_problems([{"name": "web"}, {"name": "api", "hosts": [host], "paths": [path]}]) == []


@pytest.mark.parametrize(
    ("domain", "zone"),
    [
        ("example.com", "Z1"),
        ("www.example.com.", "Z1"),
        ("*.Example.com", "Z1"),
        ("www.shop.example.com", "Z2"),
        ("notexample.com", ""),
        ("com", ""),
    ],
)
def test_the_longest_public_zone_is_the_one(domain: str, zone: str) -> None:
    assert hosted_zone(domain, ZONES) == zone


def certificate(arn: str, record: str, **tags: str) -> Json:
    option = {"resource_record": {"name": record, "type": "CNAME", "value": "x"}}
    return {"certificate_arn": arn, "domain_validation_options": [option], "tags": tags}


def test_a_certificate_of_others_stays_and_so_does_its_record() -> None:
    certificates = [
        certificate("mine", "_a.example.com.", project="ecs"),
        certificate("mine too", "_b.example.com.", project="ecs"),
        certificate("theirs", "_A.example.com.", project="shop"),
        {"certificate_arn": "imported"},
    ]
    found = unneeded_certificates(certificates, {"project": "ecs"})
    assert found == {"arns": ["mine", "mine too"], "records": [{"name": "_b.example.com", "type": "CNAME"}]}


def test_the_one_in_use_stays() -> None:
    certificates = [certificate("old", "_a.", project="ecs"), certificate("new", "_a.", project="ecs")]
    assert unneeded_certificates(certificates, {"project": "ecs"}, keep="new") == {"arns": ["old"], "records": []}

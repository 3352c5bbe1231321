# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ecs_load_balancer makes of its variables and of what it found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_load_balancer import DEFAULTS, plan
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_load_balancer_problems import hosted_zone

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[4]
ZONES = [
    {"id": "/hostedzone/Z1", "name": "example.com.", "config": {"private_zone": False}},
    {"id": "/hostedzone/Z2", "name": "shop.example.com.", "config": {"private_zone": False}},
    {"id": "/hostedzone/Z3", "name": "www.shop.example.com.", "config": {"private_zone": True}},
]
MINE = {"slipway:project": "ecs", "Name": "ecs-alb"}
GIVEN = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
DEFINITION = {"containerDefinitions": [{"name": "api", "portMappings": [{"containerPort": 8000}]}]}
SERVICES = [{"name": "api", "load_balancers": [{"targetGroupArn": "api"}], "task_definition": DEFINITION}]


def planned(found: Json | None = None, services: list[Json] | None = None, **changes: Any) -> Json:
    """The plan of a project ecs with the role's defaults."""
    defaults: Json = {
        "arn": "",
        "name_tags": {},
        "listener_arns": [],
        "rules": [],
        "access_logs_bucket": "",
        "access_logs_create": False,
        "access_logs_days": 365,
        "access_logs_prefix": "",
        "certificate_arn": "",
        "domains": [],
        "hosted_zone_id": "",
        "idle_timeout": 60,
        "name": "ecs-alb",
        "project": "ecs",
        "redirect_http": True,
        "region": "eu-central-1",
        "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        "tags": {"tier": 1},
        "target_groups": [{"name": "web", "port": 8080}],
        "test_port": 0,
        "url": "",
    }
    variables = {f"ecs_load_balancer_{name}": value for name, value in {**defaults, **changes}.items()}
    return plan(variables, services or [], found or {})


def balancer(actions: list[Json], port: int = 80, **members: Any) -> Json:
    listener = {"listener_arn": f"arn:{port}", "port": port, "protocol": "HTTP", "default_actions": actions}
    names = {"load_balancer_name": "ecs-alb", "load_balancer_arn": "arn:alb", "dns_name": "alb.example"}
    return {**names, "tags": MINE, "listeners": [listener], **members}


def group(name: str, **members: Any) -> Json:
    return {"target_group_name": name, "target_group_arn": f"arn:{name}", "target_type": "ip", "tags": MINE, **members}


def weighted(**weights: int) -> list[Json]:
    groups = [{"target_group_arn": f"arn:ecs-{name}", "weight": weight} for name, weight in weights.items()]
    return [{"type": "forward", "forward_config": {"target_groups": groups}}]


def test_defaults_of_target_groups_are_those_of_the_documentation() -> None:
    specs = yaml.safe_load((ROOT / "roles/ecs_load_balancer/meta/argument_specs.yml").read_text())
    options = specs["argument_specs"]["main"]["options"]["ecs_load_balancer_target_groups"]["options"]
    assert {name: option["default"] for name, option in options.items() if "default" in option} == DEFAULTS


@pytest.mark.parametrize(
    ("actions", "weights"),
    [
        (weighted(web=0, green=100), {"arn:ecs-web": 0, "arn:ecs-green": 100}),
        (weighted(web=0), {}),
        (weighted(blue=0, green=100), {}),
        ([{"type": "forward", "target_group_arn": "arn:ecs-web"}], {}),
        ([{"type": "redirect"}], {}),
        ([{"type": "authenticate-oidc"}, *weighted(web=0, green=100)], {}),
        ([], {}),
    ],
)
def test_weights_that_ecs_shifts_are_kept(actions: list[Json], weights: dict[str, int]) -> None:
    found = planned({"load_balancers": [balancer(actions)], "target_groups": [group("ecs-web")]})
    assert found["result"]["shifted"] == weights
    forward = [{"Type": "forward", "TargetGroupArn": "arn:ecs-web"}]
    assert found["listeners"] == [{"Protocol": "HTTP", "Port": 80, "DefaultActions": [] if weights else forward}]


def test_https_has_the_certificate_and_http_redirects() -> None:
    plan = planned({"certificate": {"certificate_arn": "arn:new"}}, domains=["example.com"])
    assert (plan["requests_certificate"], plan["certificate_tags"]) == (True, MINE)
    http, https = plan["listeners"]
    assert http["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    assert (https["Port"], https["Certificates"]) == (443, [{"CertificateArn": "arn:new"}])
    given = planned(certificate_arn=GIVEN, domains=["example.com"])
    assert (given["requests_certificate"], given["listeners"][1]["Certificates"]) == (
        False,
        [{"CertificateArn": GIVEN}],
    )


def test_rules_are_in_the_order_of_the_list() -> None:
    groups = [{"name": "web"}, {"name": "api", "paths": ["/api/*"]}, {"name": "shop", "hosts": ["shop.example.com"]}]
    rules = planned({"groups": [group("ecs-api")]}, target_groups=groups)["rules"]
    assert [(rule["priority"], rule["target_group_arn"]) for rule in rules] == [(20, "arn:ecs-api"), (30, "shop")]


def test_a_priority_moves_a_rule() -> None:
    groups = [{"name": "a", "paths": ["/a"]}, {"name": "b", "paths": ["/b"], "priority": 5}]
    assert [rule["target_group_arn"] for rule in planned(target_groups=groups)["rules"]] == ["b", "a"]


def test_settings_of_a_target_group_change_with_its_services() -> None:
    groups = [{"name": "api"}, {"name": "free", "port": 9000}]
    api, free = planned(services=SERVICES, target_groups=groups)["target_groups"]
    assert (api["full_name"], api["port"], api["keep_settings"]) == ("ecs-api", 8000, True)
    assert (free["port"], free["keep_settings"], free["health_check_interval"]) == (9000, False, 10)


def test_the_port_of_an_existing_target_group_is_not_set_again() -> None:
    groups = [{"name": "api"}, {"name": "free", "port": 9000}]
    existing = {"target_groups": [group("ecs-api"), group("ecs-free")]}
    assert [one["port"] for one in planned(existing, SERVICES, target_groups=groups)["target_groups"]] == [None, 9000]


def test_the_result_names_target_groups_as_the_variables_do() -> None:
    found = {"load_balancers": [balancer([])], "target_groups": [group("ecs-web", port=8080), group("ecs-old")]}
    result = planned(found)["result"]
    assert result["target_groups"] == {"web": {"arn": "arn:ecs-web", "port": 8080, "target_type": "ip"}}
    assert result["listeners"] == [{"arn": "arn:80", "port": 80, "protocol": "HTTP"}]
    assert result["url"] == "http://alb.example"
    assert planned()["result"]["url"] == ""


@pytest.mark.parametrize(
    ("group", "url"),
    [
        ({}, "http://alb.example"),
        ({"hosts": ["*.example.com", "api.example.com"]}, "http://api.example.com"),
        ({"paths": ["/api/*"]}, "http://alb.example/api/"),
        ({"hosts": ["api.example.com"], "paths": ["/v?", "/v1"]}, "http://api.example.com/v1"),
    ],
)
def test_each_service_behind_the_load_balancer_has_a_url(group: Json, url: str) -> None:
    found = {"load_balancers": [balancer([])]}
    services = [*SERVICES, {"name": "worker", "task_definition": DEFINITION}]
    assert planned(found, services, target_groups=[{"name": "api", **group}])["result"]["urls"] == {"api": url}
    assert planned(None, services, target_groups=[{"name": "api", **group}])["result"]["urls"] == {}
    at_port = planned(found, services, target_groups=[{"name": "api", **group}], url="http://alb.localhost:4566")
    assert (":4566" in at_port["result"]["urls"]["api"]) is True


def test_a_target_group_that_no_request_reaches_has_no_url() -> None:
    groups = [{"name": "web", "port": 80}, {"name": "api"}]
    found = {"load_balancers": [balancer([])]}
    assert planned(found, SERVICES, target_groups=groups)["result"]["urls"] == {}


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"certificate_arn": GIVEN}, "https://alb.example"),
        ({"domains": ["*.example.com", "www.example.com"]}, "https://www.example.com"),
        ({"url": "https://shop.example.com"}, "https://shop.example.com"),
    ],
)
def test_the_url_is_the_one_that_users_open(changes: Json, url: str) -> None:
    assert planned({"load_balancers": [balancer([])]}, **changes)["result"]["url"] == url


def test_access_logs_are_turned_off_with_the_bucket_that_they_have() -> None:
    found = {"load_balancers": [balancer([], access_logs_s3_bucket="old")]}
    assert planned(found)["logs_bucket"] == "old"
    assert planned(found, access_logs_bucket="new")["logs_bucket"] == "new"
    assert planned()["logs_bucket"] == ""


def test_load_balancers_of_the_project_with_deletion_protection_are_named() -> None:
    protected = {"load_balancer_name": "a", "deletion_protection_enabled": "true"}
    others = [
        balancer([], load_balancer_name="b", deletion_protection_enabled="false"),
        balancer([], load_balancer_name="c", deletion_protection_enabled="true", tags={}),
    ]
    plan = planned({"load_balancers": [balancer([], **protected), *others]})
    assert (plan["protected"], plan["owned"]["load_balancers"]) == (["a"], ["a", "b"])


def test_check_mode_predicts_a_load_balancer_without_arn() -> None:
    predicted = planned()["predicted"]
    result = planned({"load_balancer": predicted, "groups": [group("ecs-web")]})["result"]
    assert (result["name"], result["arn"], result["url"]) == ("ecs-alb", "unknown", "http://unknown")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"hosts": ["localhost"]}, "hosts: expected names such as api.example.com or *.example.com, got 'localhost'."),
        ({"hosts": ["shop.example.com:80"]}, "got 'shop.example.com:80'."),
        ({"paths": ["api"]}, "paths: expected paths such as /api or /api/*, got 'api'."),
        ({"paths": ["/a b"]}, "got '/a b'."),
        ({"paths": ["/" + "a" * 128]}, "paths: expected paths"),
        ({"hosts": ["a" * 125 + ".com"]}, "hosts: expected names"),
        ({"paths": list("/*/*/*")}, "hosts and paths: expected 1 to 5 values together, got 6."),
        ({"priority": 7}, "priority: expected hosts or paths together with a priority, got neither."),
        ({"paths": ["/"], "priority": 50001}, "priority: expected 1 to 50000, got 50001."),
        ({"paths": ["/"], "priority": 10}, "priority: expected a unique priority, got 10, which web also has."),
        ({"port": 0}, "port: expected 1 to 65535, got 0."),
        (
            {"health_check_timeout": 10},
            "health_check_timeout: expected less than the health_check_interval (10), got 10.",
        ),
        ({"healthy_threshold": 1}, "healthy_threshold: expected 2 to 10, got 1."),
        ({"health_check_timeout": 1}, "health_check_timeout: expected 2 to 120, got 1."),
    ],
)
def test_invalid_target_groups_are_refused(changes: Json, problem: str) -> None:
    groups = [{"name": "web", "paths": ["/web"]}, {"name": "api", **changes}]
    (error,) = planned(target_groups=groups)["problems"]
    assert error.startswith("ecs_load_balancer_target_groups[1] (api).")
    assert problem in error


@pytest.mark.parametrize("host", ["api.example.com", "*.example.com", "API?.Example.COM", "a" * 124 + ".com"])
@pytest.mark.parametrize("path", ["/", "/api/*", "*.php", "/a~b/$c&d", "/" + "a" * 127])
def test_valid_rules_have_no_problems(host: str, path: str) -> None:
    assert planned(target_groups=[{"name": "web"}, {"name": "api", "hosts": [host], "paths": [path]}])["problems"] == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"tags": {"a": None}}, "ecs_load_balancer_tags, 'a': expected text, true, false or a whole number, got null."),
        ({"idle_timeout": 4001}, "ecs_load_balancer_idle_timeout: expected 1 to 4000 seconds, got 4001."),
        (
            {"access_logs_prefix": "a"},
            "expected the name of a bucket for ecs_load_balancer_access_logs_prefix, got none.",
        ),
        (
            {"access_logs_create": True},
            "derives it, or set ecs_load_balancer_access_logs_create to false.",
        ),
        (
            {"access_logs_days": -1},
            "ecs_load_balancer_access_logs_days: expected 1 to 36500, or 0 to keep logs, got -1.",
        ),
        ({"name": "internal-x"}, "ecs_load_balancer_name: expected 1 to 32 letters, digits or hyphens"),
        ({"arn": "ecs alb"}, "ecs_load_balancer_arn: expected the name or ARN of a load balancer in eu-central-1"),
        (
            {"arn": "a", "name_tags": {"a": 1}},
            "ecs_load_balancer_name_tags: expected none together with ecs_load_balancer_arn",
        ),
        (
            {"arn": "a", "domains": ["a.example"]},
            "ecs_load_balancer_domains: expected none with an existing load balancer",
        ),
        ({"arn": "a", "listener_arns": ["b"]}, "ecs_load_balancer_listener_arns[0]: expected the ARN of a listener in"),
        ({"target_groups": [{"name": "a", "arn": "b"}]}, "[0] (a).arn: expected the ARN of a target group in eu-"),
        ({"target_groups": [{"name": "a", "target_group_name": "-"}]}, "[0] (a).target_group_name: expected 1 to 32"),
        ({"target_groups": [{"name": "a" * 29}]}, "[0] (aaaaaaaaaaaaaaaaaaaaaaaaaaaaa).name: expected 1 to 32 letters"),
        ({"target_groups": [{"name": "a"}, {"name": "a"}]}, "[1] (a).name: expected a unique name, got 'a' twice."),
        ({"certificate_arn": GIVEN, "ssl_policy": "ELBSecurityPolicy-2016-08"}, "with TLS 1.2 or newer"),
        ({"certificate_arn": GIVEN, "ssl_policy": "ELBSecurityPolicy-TLS13-1-0-2021-06"}, "with TLS 1.2 or newer"),
    ],
)
def test_invalid_variables_are_refused(changes: Json, problem: str) -> None:
    (error,) = planned(**changes)["problems"]
    assert problem in error


def test_a_load_balancer_has_at_most_100_target_groups() -> None:
    groups = [{"name": f"g{number}", "paths": [f"/{number}"]} for number in range(101)]
    (error,) = planned(target_groups=groups)["problems"]
    assert "target_groups: expected at most 100 for one load balancer, which AWS cannot increase, got 101." in error
    assert planned(target_groups=groups[1:])["problems"] == []


@pytest.mark.parametrize("policy", ["TLS13-1-2-Res-PQ-2025-09", "FS-1-2-Res-2020-10", "TLS-1-2-Ext-2018-06"])
def test_policies_from_tls_1_2_on_are_accepted(policy: str) -> None:
    assert planned(certificate_arn=GIVEN, ssl_policy=f"ELBSecurityPolicy-{policy}")["problems"] == []


def test_what_others_own_is_refused() -> None:
    found = {
        "load_balancers": [balancer([], tags={})],
        "target_groups": [
            group("ecs-web", tags={"slipway:project": "other"}, target_type="instance"),
            group("ecs-other", tags={}),
        ],
    }
    of_balancer, of_group, of_type = planned(found)["problems"]
    assert "ecs_load_balancer_name: expected names that no other project uses, got ecs-alb" in of_balancer
    assert "ecs_load_balancer_target_groups: expected names that no other project uses, got ecs-web," in of_group
    assert "[0] (web).target_type: expected instance, the type of the existing target group, got ip." in of_type


def test_rules_beside_those_of_target_groups_are_added_by_priority() -> None:
    office = [{"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.0/24"]}}]
    moved = [{"Type": "redirect", "RedirectConfig": {"Host": "shop.example.com", "StatusCode": "HTTP_301"}}]
    plan = planned(
        {"target_groups": [group("ecs-web"), group("ecs-admin")]},
        target_groups=[{"name": "web"}, {"name": "admin", "conditions": office, "priority": 5}],
        rules=[
            {"priority": 9, "hosts": ["www.example.com"], "actions": moved},
            {"priority": 2, "paths": ["/admin"], "target_group": "admin"},
        ],
    )
    assert plan["problems"] == []
    assert [(one["priority"], one.get("target_group_arn"), one.get("actions")) for one in plan["rules"]] == [
        (2, "arn:ecs-admin", None),
        (5, "arn:ecs-admin", None),
        (9, None, moved),
    ]
    assert plan["rules"][1]["conditions"] == office


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (
            {"priority": 10, "paths": ["/x"], "target_group": "web"},
            "[0].priority: expected a unique priority, got 10, which",
        ),
        (
            {"priority": 1, "paths": ["/x"], "target_group": "a"},
            "[0].target_group: expected a name in ecs_load_balancer_",
        ),
        (
            {"priority": 1, "paths": ["/x"]},
            "[0]: expected a target_group, or actions that complete a request, got neither.",
        ),
        ({"priority": 1, "target_group": "web"}, "[0].hosts and paths: expected 1 to 5 values together, got 0."),
    ],
)
def test_wrong_further_rules_are_refused(rule: Json, problem: str) -> None:
    (found,) = planned(target_groups=[{"name": "web", "paths": ["/"]}], rules=[rule])["problems"]
    assert f"ecs_load_balancer_rules{problem}" in found


def test_a_target_group_of_nobody_is_not_adopted() -> None:
    found = {"target_groups": [group("ecs-web", tags={"team": "a"}), group("ecs-other", tags={})]}
    plan = planned(found)
    assert (plan["problems"], plan["not_adopted"]) == ([], ["ecs-web"])
    assert planned({"target_groups": [group("ecs-web")]})["not_adopted"] == []


def test_a_bucket_of_the_project_is_used_and_one_of_others_refused() -> None:
    bucket: Json = {"name": "logs", "bucket_tagging": MINE}
    plan = planned({"buckets": [bucket]}, access_logs_bucket="logs", access_logs_create=True)
    assert (plan["problems"], plan["owned"]["buckets"]) == ([], ["logs"])
    (problem,) = planned({"buckets": [{"name": "logs"}]}, access_logs_bucket="logs")["problems"]
    assert "set ecs_load_balancer_access_logs_create to false" in problem


def test_domains_without_a_hosted_zone_are_refused_by_name() -> None:
    domains = ["www.example.com", "www.example.org"]
    (problem,) = planned({"hosted_zones": ZONES}, domains=domains)["problems"]
    assert "got www.example.org. For other names," in problem
    (problem,) = planned({"hosted_zones": ZONES}, domains=domains[:1], hosted_zone_id="Z9")["problems"]
    assert problem.startswith("ecs_load_balancer_hosted_zone_id: expected the ID of a hosted zone in this account (")


def test_a_given_certificate_covers_the_domains_by_name_or_wildcard() -> None:
    names = ["*.example.com", "example.org"]
    found = {"given_certificates": [{"status": "ISSUED", "subject_alternative_names": names}]}
    assert planned(found, certificate_arn=GIVEN, domains=["www.example.com", "example.org"])["problems"] == []
    (problem,) = planned(found, certificate_arn=GIVEN, domains=["a.b.example.com"])["problems"]
    assert "expected an issued certificate for a.b.example.com" in problem


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
def test_the_public_zone_with_the_longest_name_is_taken(domain: str, zone: str) -> None:
    assert hosted_zone(domain, ZONES) == zone


def certificate(arn: str, record: str, **tags: str) -> Json:
    option = {"resource_record": {"name": record, "type": "CNAME", "value": "x"}}
    return {"certificate_arn": arn, "domain_validation_options": [option], "tags": tags}


def test_certificates_of_others_are_kept_with_their_records() -> None:
    certificates = [
        certificate("mine", "_a.example.com.", **MINE),
        certificate("of another load balancer", "_b.example.com.", **{**MINE, "Name": "other"}),
        certificate("theirs", "_A.example.com.", **{"slipway:project": "shop"}),
        {"certificate_arn": "imported"},
    ]
    found = planned({"certificates": certificates})
    assert found["obsolete_certificates"] == {"arns": ["mine"], "records": []}
    owned = {"arns": ["mine", "of another load balancer"], "records": [{"name": "_b.example.com", "type": "CNAME"}]}
    assert found["owned_certificates"] == owned


def test_the_certificate_in_use_is_kept() -> None:
    found = {
        "certificate": {"certificate_arn": "new"},
        "certificates": [certificate("old", "_a.", **MINE), certificate("new", "_a.", **MINE)],
    }
    assert planned(found, domains=["example.com"])["obsolete_certificates"] == {"arns": ["old"], "records": []}


def shifting(*, strategy: str = "canary", web: int = 100, **changes: Any) -> Json:
    """A project whose service `web` shifts traffic, with what the role has created for it, as the role passes it."""
    rule = {"rule_arn": "arn:default", "priority": "default", "is_default": True}
    rule["actions"] = weighted(**{"web": web, "web-2": 100 - web})
    found = balancer(rule["actions"])
    found["listeners"][0]["rules"] = [rule]
    account = {"load_balancers": [found], "groups": [group("ecs-web"), group("ecs-web-2")]}
    definition = {"containerDefinitions": [{"name": "web", "portMappings": [{"containerPort": 8080}]}]}
    members = {"load_balancers": [{"targetGroupArn": "web"}], "task_definition": definition, "strategy": strategy}
    return planned(account, [{"name": "web", **members}], **changes)


def test_a_service_that_shifts_traffic_has_a_second_target_group_and_a_rule() -> None:
    made = shifting()
    assert [one["full_name"] for one in made["target_groups"]] == ["ecs-web", "ecs-web-2"]
    assert made["default"] == {"target_group_arn": "arn:ecs-web", "alternate_target_group_arn": "arn:ecs-web-2"}
    result = made["result"]
    assert result["shifting"]["web"] == {
        "arn": "arn:ecs-web",
        "alternate_arn": "arn:ecs-web-2",
        "production_rule": "arn:default",
        "test_rule": "",
    }
    assert (list(result["target_groups"]), result["alternates"]) == (["web"], {"web": "arn:ecs-web-2"})


def test_on_a_load_balancer_of_others_ecs_shifts_the_weights_of_the_projects_rule() -> None:
    rule = {"rule_arn": "arn:rule", "priority": "20", "actions": weighted(web=0, **{"web-2": 100})}
    theirs = {"rule_arn": "arn:theirs", "priority": "default", "actions": []}
    listeners = [
        {"listener_arn": f"arn:{port}", "port": port, "protocol": protocol, "default_actions": [], "rules": rules}
        for port, protocol, rules in ((80, "HTTP", [theirs]), (443, "HTTPS", [rule, theirs]))
    ]
    shared = balancer([], load_balancer_name="all", tags={}, listeners=listeners)
    found = {"load_balancers": [shared], "target_groups": [group("ecs-web"), group("ecs-web-2")]}
    service = {"name": "web", "load_balancers": [{"targetGroupArn": "web"}], "task_definition": DEFINITION}
    web = {"name": "web", "hosts": ["a.example"], "priority": 20}
    made = planned(found, [{**service, "strategy": "canary"}], arn="all", target_groups=[web])
    assert made["problems"] == []
    assert (made["listeners"], made["default"], made["port"]) == ([], {}, 443)
    (place,) = made["shared_listeners"]
    assert (place["listener_arn"], place["rules"][0]["alternate_target_group_arn"]) == ("arn:443", "arn:ecs-web-2")
    assert made["result"]["shifting"]["web"]["production_rule"] == "arn:rule"
    assert made["result"]["url"] == "https://alb.example"
    again = planned(found, [service], arn="all", target_groups=[web])
    assert again["result"]["target_groups"]["web"]["arn"] == "arn:ecs-web-2"
    (problem,) = planned(found, [{**service, "strategy": "canary"}], arn="all", target_groups=[{"name": "web"}])[
        "problems"
    ]
    assert "[0] (web): expected hosts, paths or conditions, because a service with a strategy uses it" in problem


def on_both(*ports: tuple[int, str], **changes: Any) -> dict[str, list[Json]]:
    """The rules on each listener of a load balancer of others, by their ports and protocols."""
    listeners = [
        {"listener_arn": f"arn:{port}", "port": port, "protocol": protocol, "default_actions": [], "rules": []}
        for port, protocol in ports
    ]
    shared = balancer([], load_balancer_name="all", tags={}, listeners=listeners)
    found = {"load_balancers": [shared], "target_groups": [group("ecs-web")]}
    web = {"name": "web", "hosts": ["a.example"], "priority": 20, "transforms": [{"Type": "url-rewrite"}]}
    moved = {"priority": 5, "paths": ["/old"], "actions": [{"Type": "fixed-response"}]}
    given: Json = {"arn": "all", "listener_arns": [one["listener_arn"] for one in listeners], "target_groups": [web]}
    made = planned(found, None, **{**given, "rules": [moved], **changes})
    return {one["listener_arn"]: one["rules"] for one in made["shared_listeners"]} | {"port": made["port"]}


def test_on_a_load_balancer_of_others_http_redirects_where_https_has_rules() -> None:
    rules = on_both((80, "HTTP"), (8443, "HTTPS"), (9000, "HTTP"), test_port=9000)
    assert rules["port"] == 8443
    config = {"Protocol": "HTTPS", "Port": "8443", "Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
    redirect = [{"Type": "redirect", "RedirectConfig": {**config, "StatusCode": "HTTP_301"}}]
    assert rules["arn:80"] == [
        {"priority": 5, "paths": ["/old"], "actions": redirect},
        {"priority": 20, "hosts": ["a.example"], "paths": [], "actions": redirect},
    ]
    assert [one.get("target_group_arn") for one in rules["arn:8443"]] == [None, "arn:ecs-web"]
    # New versions answer there before they get requests.
    assert rules["arn:9000"] == rules["arn:8443"]


@pytest.mark.parametrize(
    ("ports", "changes"),
    [
        ([(80, "HTTP"), (443, "HTTPS")], {"redirect_http": False}),
        ([(80, "HTTP"), (8080, "HTTP")], {}),
        ([(80, "HTTP"), (9443, "HTTPS")], {"test_port": 9443}),
    ],
)
def test_http_forwards_where_nothing_is_to_redirect_to(ports: list[tuple[int, str]], changes: Json) -> None:
    rules = on_both(*ports, **changes)
    assert [rules[f"arn:{port}"][1]["target_group_arn"] for port, _protocol in ports] == ["arn:ecs-web"] * 2


def test_load_balancers_that_variables_no_longer_name_are_searched_for_rules() -> None:
    balancers = [balancer([])] + [
        balancer([], load_balancer_name=name, load_balancer_arn=f"arn:{name}", tags={}) for name in ("a", "b", "c", "d")
    ]
    groups = [
        *(group(name, load_balancer_arns=[f"arn:{name}"]) for name in ("alb", "a")),
        *(group(name, load_balancer_arns=[f"arn:{name}"], tags={"team": "x"}) for name in ("b", "c")),
        group("d", load_balancer_arns=["arn:d"], tags={"slipway:project": "other"}),
    ]
    found = {"load_balancers": balancers, "target_groups": groups}
    theirs = [{"name": "web", "arn": "arn:b"}]
    assert planned(found, None, target_groups=theirs)["former_balancers"] == ["arn:a", "arn:b"]
    assert planned(found, None, target_groups=theirs, arn="arn:a")["former_balancers"] == ["arn:b"]


OWN, ALTERNATE = "arn:ecs-web", "arn:ecs-web-2"


@pytest.mark.parametrize(("web", "serves", "other"), [(100, OWN, ALTERNATE), (0, ALTERNATE, OWN), (90, OWN, ALTERNATE)])
def test_a_service_that_rolls_again_stays_where_its_requests_go(web: int, serves: str, other: str) -> None:
    made = shifting(strategy="rolling", web=web)
    # The role reads the rules to know it.
    assert made["shifts"]
    result = made["result"]
    assert (result["target_groups"]["web"]["arn"], result["shifting"]) == (serves, {})
    # It remains, as its listener forwards to it.
    assert result["alternates"] == {"web": other}


def test_a_test_listener_is_like_the_production_listener() -> None:
    listeners = shifting(test_port=9000)["listeners"]
    assert [(one["Protocol"], one["Port"], one["DefaultActions"]) for one in listeners] == [
        ("HTTP", 80, []),
        ("HTTP", 9000, [{"Type": "forward", "TargetGroupArn": "arn:ecs-web"}]),
    ]
    assert "test_port: expected 1 to 65535 except 80 and 443" in " ".join(shifting(test_port=80)["problems"])


def test_a_rule_gets_the_alternate_target_group_of_its_own() -> None:
    groups = [{"name": "web", "port": 80}, {"name": "api", "paths": ["/api/*"]}]
    service = {**SERVICES[0], "strategy": "blue_green"}
    made = planned({"groups": [group("ecs-web"), group("ecs-api")]}, [service], target_groups=groups)
    assert made["rules"][0]["alternate_target_group_arn"] == "api-2"
    assert made["default"] == {}

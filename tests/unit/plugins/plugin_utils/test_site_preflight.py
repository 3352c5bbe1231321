# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What preflight is to check of a site, from its variables and the tags of the run; and how it prints what it found."""

from __future__ import annotations

import copy
import typing as t
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader

from ansible_collections.slipway.aws.plugins.plugin_utils import preflight, site_preflight
from ansible_collections.slipway.aws.plugins.plugin_utils.role_defaults import ROLES, resolved

Json = dict[str, t.Any]
ROOT = Path(__file__).resolve().parents[4]
REGISTRY = "<account>.dkr.ecr.eu-central-1.amazonaws.com"


@cache
def workshop() -> Json:
    """The variables of the workshop's inventory, with all defaults."""
    given = DataLoader().load_from_file(str(ROOT / "inventory/workshop.yml"), trusted_as_template=True)
    about: Json = {"hostvars": {"localhost": {"inventory_dir": str(ROOT / "inventory/aws")}}, "groups": {}}
    # Filters of the collection, which nobody has loaded here, compute these in a run.
    images = {name: f"{name}:ecr1.0" for name in ("webapp", "workshop-nginx", "workshop-django")}
    about |= {"ecs_app_images": images, "ecs_cluster_repositories": [*images]}
    files = [ROLES / role / "defaults/main.yml" for role in site_preflight.ROLES]
    names = {name for path in files for name in yaml.safe_load(path.read_text())}
    about |= {"slipway_region": "eu-central-1", "workshop_exec": False}
    return resolved({**given, **about}, sorted(names))


def options(*tags: str, **changes: t.Any) -> Json:
    return site_preflight.options({**copy.deepcopy(workshop()), **changes}, tags or ("all",))


def service_of(found: Json) -> Json:
    return dict(found["services"][0])


def test_a_whole_run_creates_what_the_services_name() -> None:
    found = options()
    service, creates = service_of(found), found["creates"]
    network = service["network_configuration"]["awsvpcConfiguration"]
    definition = service["task_definition"]["definition"]
    assert found["problems"] == []
    assert set(network["subnets"]) <= set(creates["subnet"])
    assert set(network["securityGroups"]) <= set(creates["security group"])
    assert {definition["executionRoleArn"], definition["taskRoleArn"]} <= set(creates["IAM role"])
    assert {one["image"] for one in definition["containerDefinitions"]} <= set(creates["image"])
    assert {one["targetGroupArn"] for one in service["load_balancers"]} <= set(creates["target group"])
    assert creates["parameter"] == ["/ecs/django-secret-key"]
    assert (found["cluster"], creates["cluster"]) == ("ecs", ["ecs"])
    assert found["new"] == {"VPC": 1, "elastic IP": 1, "load balancer": 1}


def test_a_run_of_one_tag_needs_what_other_roles_create() -> None:
    found = options("service")
    assert set(found["creates"]) == {"parameter", "secret"}
    assert found["network"]["vpc_filters"] == {"tag:slipway:project": "ecs"}
    assert found["network"]["security_groups"] == ["ecs-tasks"]
    assert found["new"] == {}
    images = [one["image"] for one in service_of(found)["task_definition"]["definition"]["containerDefinitions"]]
    assert images == [f"{REGISTRY}/workshop-django:ecr1.0", f"{REGISTRY}/workshop-nginx:ecr1.0"]


def test_a_run_without_services_checks_none() -> None:
    assert options("network")["services"] == []


def test_what_others_own_is_not_created() -> None:
    found = options(
        ecs_cluster_arn="arn:aws:ecs:eu-central-1:123456789012:cluster/shared",
        ecs_cluster_name="shared",
        ecs_cluster_execution_role_arn="arn:aws:iam::123456789012:role/shared",
        ecs_cluster_log_groups=[{"name": "/shared", "existing": True}],
        ecs_network_vpc_id="vpc-0123456789abcdef0",
        ecs_network_private_subnet_ids=["subnet-0123456789abcdef0"],
        ecs_network_create=False,
        ecs_network_security_group_ids={"tasks": "sg-0123456789abcdef0"},
    )
    creates, service = found["creates"], service_of(found)
    assert "cluster" not in creates
    assert creates["IAM role"] == ["ecs-task", "ecs-load-balancing", "ecs-schedules"]
    assert (creates["log group"], creates["subnet"], creates["security group"]) == ([], [], [])
    assert service["task_definition"]["definition"]["executionRoleArn"] == "arn:aws:iam::123456789012:role/shared"
    assert service["network_configuration"]["awsvpcConfiguration"] == {
        "subnets": ["subnet-0123456789abcdef0"],
        "securityGroups": ["sg-0123456789abcdef0"],
        "assignPublicIp": "DISABLED",
    }
    assert found["new"] == {"load balancer": 1}


def test_a_target_group_of_others_is_read() -> None:
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shared/0123456789abcdef"
    balancer = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shared/0123456789abcdef"
    groups = [{"name": "workshop", "arn": arn}]
    found = options(ecs_load_balancer_target_groups=groups, ecs_load_balancer_arn=balancer)
    assert [one["targetGroupArn"] for one in service_of(found)["load_balancers"]] == [arn]
    assert (found["problems"], found["creates"]["target group"]) == ([], [])
    assert found["new"] == {"VPC": 1, "elastic IP": 1}


def test_what_others_own_behind_a_load_balancer_is_checked_once() -> None:
    """A target group that a service uses is checked with the service."""
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{}/0123456789abcdef"
    balancer = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/shared/0123456789abcdef"
    groups = [{"name": name, "arn": arn.format(name)} for name in ("workshop", "spare")]
    found = options(ecs_load_balancer_target_groups=groups, ecs_load_balancer_arn=balancer)
    assert [(one["name"], one["place"]) for one in found["load_balancers"]] == [(balancer, "ecs_load_balancer_arn")]
    place = "ecs_load_balancer_target_groups[1] (spare).arn"
    assert found["target_groups"] == [{"name": arn.format("spare"), "place": place}]
    assert options()["load_balancers"] == options()["target_groups"] == []


def test_a_load_balancer_of_others_is_read_by_its_tags() -> None:
    found = options(ecs_load_balancer_name_tags={"team": "platform"})["load_balancers"]
    assert [(one["tags"], one["place"]) for one in found] == [({"team": "platform"}, "ecs_load_balancer_name_tags")]


def test_rules_of_the_own_load_balancer_are_counted() -> None:
    groups = [{"name": "workshop"}, *({"name": f"g{number}", "paths": [f"/{number}"]} for number in range(60))]
    assert options(ecs_load_balancer_target_groups=groups)["rules"] == 60
    assert options(ecs_load_balancer_target_groups=groups, ecs_load_balancer_test_port=9000)["rules"] == 120
    assert options(ecs_load_balancer_target_groups=groups, ecs_load_balancer_name_tags={"team": "x"})["rules"] == 0


def test_members_of_secrets_are_named_without_their_values() -> None:
    values = {"database": {"username": "shop", "password": "hunter2-h7x"}, "key": "hunter2-h7x"}
    secrets = {"database": {"type": "SecretsManager"}, "key": {"type": "SecretsManager"}, "other": {}}
    found = options(ecs_app_secrets=secrets, ecs_app_secret_values=values)
    arn = "arn:<partition>:secretsmanager:eu-central-1:<account>:secret:ecs/database"
    assert found["secret_members"] == {arn: ["password", "username"]}
    assert "hunter2" not in repr(found)


def test_a_certificate_is_checked_or_its_domains_are() -> None:
    arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
    given = options(ecs_load_balancer_certificate_arn=arn, ecs_load_balancer_domains=["shop.example.com"])
    assert [one["arn"] for one in given["certificates"]] == [arn]
    assert (given["certificates"][0]["domains"], given["domains"]) == (["shop.example.com"], [])
    requested = options(ecs_load_balancer_domains=["shop.example.com"])
    assert requested["certificates"] == []
    assert [one["place"] for one in requested["domains"]] == ["ecs_load_balancer_domains[0]"]


def test_a_secret_of_others_is_named_as_they_do() -> None:
    secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:shared-AbCdEf"
    found = options(ecs_app_secrets={"django-secret-key": {"from": secret}})
    django = service_of(found)["task_definition"]["definition"]["containerDefinitions"][0]
    assert [one["valueFrom"] for one in django["secrets"]] == [secret]
    assert found["creates"]["secret"] == []


def test_a_target_type_that_does_not_fit_is_a_problem() -> None:
    groups = [{"name": "workshop", "target_type": "instance", "health_check_path": "/readyz"}]
    [problem] = options(ecs_load_balancer_target_groups=groups)["problems"]
    assert "expected a target group of target_type ip with networkMode awsvpc, got workshop of instance" in problem


# A run that has nothing to check

RECORD = {"proven": True, "unproven": "", "inputs": {"variables": "1"}, "collection": "0.2.0", "differences": []}
READ: Json = {"records": {"ecs_app": RECORD}, "unknown": [], "problems": {}}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"proven": False, "unproven": "A secret is not the project's."}, "ecs_app: A secret is not the project's."),
        ({"inputs": {"variables": "2"}}, "the variables of ecs_app, or the collection, have changed"),
        ({"collection": "0.1.0"}, "the variables of ecs_app, or the collection, have changed"),
        ({"differences": ["service web"]}, "ecs_app is not as recorded"),
    ],
)
def test_preflight_is_skipped_where_records_prove_that_nothing_changed(change: Json, why: str) -> None:
    read = {**READ, "records": {"ecs_app": {**RECORD, **change}}}
    assert site_preflight.why_checked(read, {"ecs_app": "1"}, "0.2.0") == why


def test_preflight_runs_without_a_record_or_where_it_cannot_be_compared() -> None:
    assert site_preflight.why_checked(READ, {"ecs_network": "1"}, "0.2.0") == "no record of ecs_network"
    unread = {**READ, "unknown": [{"kind": "secret"}]}
    assert site_preflight.why_checked(unread, {"ecs_app": "1"}, "0.2.0").startswith("a part of the project")


# What it prints


def check(state: str, text: str, name: str = "log group") -> Json:
    return {"check": name, "place": "web", "state": state, "text": text, "permission": ""}


CHECKS = [check("OK", "fine"), check("WARN", "odd"), check("UNKNOWN", "unread"), check("FAIL", "wrong \x00")]
FOUND = {"result": "failed", "counts": {"OK": 1, "WARN": 1, "UNKNOWN": 1, "FAIL": 1}, "checks": CHECKS}


def test_the_list_has_a_line_for_each_check() -> None:
    lines = [line.text for line in preflight.listing(FOUND)]
    assert lines[:2] == ["OK      log group     fine", "WARN    log group     odd"]
    assert lines[-1] == "Preflight failed. Checks: 1 OK, 1 WARN, 1 UNKNOWN, 1 FAIL."


def test_a_run_prints_problems_alone() -> None:
    assert [line.state for line in preflight.listing(FOUND, passed=False)] == ["WARN", "FAIL", "FAIL"]


def test_the_junit_report_has_a_test_for_each_check() -> None:
    root = ElementTree.fromstring(preflight.junit(FOUND))
    assert root.attrib == {"tests": "4", "failures": "1", "skipped": "1"}
    assert [one.attrib["message"] for one in root.iter("failure")] == ["wrong ?"]
    assert [one.attrib["message"] for one in root.iter("skipped")] == ["unread"]

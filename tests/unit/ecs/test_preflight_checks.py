# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of preflight on answers alone: what no emulator answers, and the many forms of policies and names."""

from __future__ import annotations

import datetime
import json
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.names import Home
from ansible_collections.slipway.aws.plugins.module_utils._ecs.preflight import judge, trust
from ansible_collections.slipway.aws.plugins.module_utils._ecs.preflight.checklist import (
    Account,
    Desired,
    Key,
    Service,
    Unread,
)
from ansible_collections.slipway.aws.plugins.module_utils._ecs.preflight.permissions import image_of, secret_of
from ansible_collections.slipway.aws.plugins.module_utils._ecs.preflight.site import covers

Json = dict[str, t.Any]
HOME = Home("aws", "eu-central-1", "123456789012")
NOW = datetime.datetime(2026, 11, 30, tzinfo=datetime.UTC)
TASKS = "ecs-tasks.amazonaws.com"


def statement(**changes: t.Any) -> Json:
    usual = {"Effect": "Allow", "Principal": {"Service": TASKS}, "Action": "sts:AssumeRole"}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def when(operator: str, key: str, value: t.Any) -> Json:
    return statement(Condition={operator: {key: value}})


@pytest.mark.parametrize(
    ("statements", "trusted"),
    [
        ([statement()], True),
        (statement(), True),
        ([statement(Action=["sts:AssumeRole", "sts:TagSession"])], True),
        ([statement(Action="sts:*")], True),
        ([statement(Principal={"Service": ["ec2.amazonaws.com", TASKS]})], True),
        ([statement(Principal="*")], True),
        ([statement(Action="sts:AssumeRoleWithWebIdentity")], False),
        ([statement(Principal={"Service": "ec2.amazonaws.com"})], False),
        ([statement(Principal={"AWS": "arn:aws:iam::123456789012:root"})], False),
        ([statement(Effect="Deny")], False),
        ([statement(), statement(Effect="Deny")], False),
        ([statement(), statement(Effect="Deny", Principal="*")], False),
        ([], False),
        ([when("StringEquals", "aws:SourceAccount", "123456789012")], True),
        ([when("StringEquals", "AWS:SourceAccount", ["1", "123456789012"])], True),
        ([when("StringEquals", "aws:SourceAccount", "999999999999")], False),
        ([when("ArnLike", "aws:SourceArn", "arn:aws:ecs:eu-central-1:123456789012:*")], True),
        ([when("ArnLike", "aws:SourceArn", "arn:aws:ecs:*:123456789012:*")], True),
        ([when("ArnLike", "aws:SourceArn", "arn:aws:ecs:us-east-1:123456789012:*")], False),
        ([when("StringLike", "aws:SourceArn", "*")], True),
        ([when("StringEquals", "aws:PrincipalOrgID", "o-1")], None),
        ([when("StringEquals", "aws:PrincipalOrgID", "o-1"), statement(Effect="Deny")], False),
        ([statement(), statement(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})], None),
        ([when("StringEquals", "aws:SourceAccount", "999999999999"), statement()], True),
    ],
)
def test_trust_follows_effect_principal_and_condition(statements: t.Any, trusted: bool | None) -> None:
    document = {"Version": "2012-10-17", "Statement": statements}
    assert trust.judge(document, TASKS, HOME).trusted is trusted
    assert trust.judge(json.dumps(document), TASKS, HOME).trusted is trusted


def test_a_policy_that_cannot_be_read_is_unknown() -> None:
    assert trust.judge("%7B", TASKS, HOME).trusted is None


@pytest.mark.parametrize(
    ("value", "store", "name", "more"),
    [
        ("/shop/key", "parameter", "/shop/key", ("", "", "")),
        ("key", "parameter", "key", ("", "", "")),
        ("arn:aws:ssm:eu-central-1:123456789012:parameter/shop/key", "parameter", "/shop/key", ("", "", "")),
        ("arn:aws:ssm:eu-central-1:123456789012:parameter/key", "parameter", "key", ("", "", "")),
        ("arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf", "secret", "", ("", "", "")),
        ("arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf:user::", "secret", "", ("user", "", "")),
        ("arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf::S:", "secret", "", ("", "S", "")),
        ("arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf:::v", "secret", "", ("", "", "v")),
    ],
)
def test_value_from_names_a_parameter_or_a_part_of_a_secret(
    value: str, store: str, name: str, more: tuple[str, str, str]
) -> None:
    found = secret_of(value, HOME)
    assert (found.store, (found.json_key, found.stage, found.version)) == (store, more)
    assert found.name == (name or "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf")


@pytest.mark.parametrize(
    ("image", "identity"),
    [
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:1.0", {"imageTag": "1.0"}),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web", {"imageTag": "latest"}),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web@sha256:0", {"imageDigest": "sha256:0"}),
        ("123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop/web:1@sha256:0", {"imageDigest": "sha256:0"}),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/shop/web:1", {"imageTag": "1"}),
        ("public.ecr.aws/nginx/nginx:1", None),
        ("nginx", None),
        ("localhost:4566/shop/web:1", None),
    ],
)
def test_images_of_private_registries_are_known(image: str, identity: Json | None) -> None:
    found = image_of(image)
    assert (found.identity if found else None) == identity


@pytest.mark.parametrize(
    ("name", "domain", "does"),
    [
        ("shop.example.com", "shop.example.com", True),
        ("*.example.com", "shop.example.com", True),
        ("*.example.com", "a.shop.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.example.com", "*.example.com", True),
        ("Shop.example.com.", "shop.example.com", True),
    ],
)
def test_a_wildcard_covers_one_label(name: str, domain: str, does: bool) -> None:
    assert covers(name, domain) is does


def found(services: t.Sequence[Service], answers: Json | None = None, **site: t.Any) -> list[tuple[str, str]]:
    """Texts of the checks that an account with these answers gives, with their states."""
    account = Account(HOME, NOW, {Key("cluster", "shop"): {"status": "ACTIVE", "capacityProviders": ["FARGATE"]}})
    account.answers |= answers or {}
    checks = judge.results(Desired("shop", services, {}, site), account)
    return [(one.state, one.text) for one in checks]


ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
ISSUED = {
    "Status": "ISSUED",
    "DomainName": "shop.example.com",
    "SubjectAlternativeNames": ["shop.example.com", "*.example.com"],
    "NotAfter": NOW + datetime.timedelta(days=90),
    "Type": "IMPORTED",
}


@pytest.mark.parametrize(
    ("change", "state", "text"),
    [
        ({}, "OK", "certificate for shop.example.com is issued"),
        ({"Status": "PENDING_VALIDATION"}, "FAIL", "with status PENDING_VALIDATION. Complete its validation"),
        ({"Status": "EXPIRED"}, "FAIL", "with status EXPIRED"),
        ({"NotAfter": NOW - datetime.timedelta(days=1)}, "FAIL", "one that expired on 2026-11-29. Renew it"),
        ({"NotAfter": NOW + datetime.timedelta(days=10)}, "WARN", "one that expires on 2026-12-10. Renew it"),
        (
            {"SubjectAlternativeNames": ["shop.example.com"]},
            "FAIL",
            "expected a certificate for api.example.com, got one",
        ),
    ],
)
def test_certificates_are_issued_valid_and_for_all_domains(change: Json, state: str, text: str) -> None:
    domains = ["shop.example.com", "api.example.com"]
    answers = {Key("certificate", ARN): {**ISSUED, **change}}
    checks = found([], answers, certificates=[{"arn": ARN, "domains": domains}])
    assert any(one == state and text in said for one, said in checks), checks


def test_a_certificate_that_aws_renews_causes_no_warning() -> None:
    soon = {"NotAfter": NOW + datetime.timedelta(days=10), "Type": "AMAZON_ISSUED", "RenewalEligibility": "ELIGIBLE"}
    answers = {Key("certificate", ARN): {**ISSUED, **soon}}
    assert [state for state, _text in found([], answers, certificates=[{"arn": ARN}])] == ["OK"]


def service(tasks: int, cpu: str = "1024", **options: t.Any) -> Service:
    definition = {"cpu": cpu, "network_mode": "awsvpc", "container_definitions": []}
    return Service("web", "web", {"desired_count": tasks, "launch_type": "FARGATE", **options}, definition)


@pytest.mark.parametrize(
    ("tasks", "state", "text"),
    [
        (6, "OK", "Fargate On-Demand vCPU: 6 of 6"),
        (7, "FAIL", "expected a quota of at least 7 for Fargate On-Demand vCPU, which the services need, got 6."),
    ],
)
def test_fargate_has_enough_processors(tasks: int, state: str, text: str) -> None:
    answers = {Key("quota", "L-3032A538", ("fargate",)): {"Value": 6.0}}
    checks = found([service(tasks - 2), service(4, "0.5 vCPU")], answers)
    assert any(one == state and text in said for one, said in checks), checks


@pytest.mark.parametrize(
    ("existing", "states"),
    [
        # A sixth VPC; the fifth; and one that the project has already.
        ([{}] * 5, ["FAIL"]),
        ([{}] * 4, ["OK"]),
        ([{"Tags": [{"Key": "slipway:project", "Value": "shop"}]}, *[{}] * 4], []),
    ],
)
def test_quotas_count_what_the_run_creates(existing: list[Json], states: list[str]) -> None:
    answers = {Key("usage", "VPC"): existing, Key("quota", "L-F678F1CE", ("vpc",)): {"Value": 5.0}}
    checks = found([], answers, new={"VPC": 1}, project="shop")
    assert [state for state, _text in checks] == states


@pytest.mark.parametrize(("rules", "quota", "states"), [(100, 0, []), (101, 100, ["FAIL"]), (150, 150, [])])
def test_a_load_balancer_has_only_so_many_rules(rules: int, quota: int, states: list[str]) -> None:
    """Below what every account has, nothing is read."""
    answers = {Key("quota", "L-7EED9B64", ("elasticloadbalancing",)): {"Value": float(quota)}} if quota else {}
    checks = found([], answers, rules=rules)
    assert [state for state, _text in checks] == states
    assert all(f"expected a quota of {rules} or more for rules of an Application" in text for _state, text in checks)


def test_nothing_is_claimed_of_what_could_not_be_read() -> None:
    checks = found(
        [service(2)], {Key("quota", "L-3032A538", ("fargate",)): Unread("servicequotas:GetServiceQuota", "no")}
    )
    assert (
        "UNKNOWN",
        "quotas: the quota of Fargate On-Demand vCPU is unknown: no. Requires servicequotas:GetServiceQuota.",
    ) in checks

"""A target group is made in one step with its tags, and changed where it differs."""

from __future__ import annotations

import typing as t

import boto3
import pytest

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
HEALTH = {
    "health_check_path": "/readyz",
    "health_check_codes": "200-399",
    "health_check_interval": 10,
    "health_check_timeout": 5,
    "healthy_threshold": 2,
    "unhealthy_threshold": 3,
}


@pytest.fixture
def options(aws: None) -> Json:
    vpc = boto3.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    fixed = {"name": "web", "vpc_id": vpc, "protocol": "HTTP", "port": 8080, "target_type": "ip"}
    return {**fixed, **HEALTH, "deregistration_delay": 30, "tags": {"slipway:project": "ecs"}}


@pytest.mark.witness("elb_target_group")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_the_twelve_steps(run: RunModule, options: Json, calls: list[str]) -> None:
    changed = {**options, "health_check_path": "/healthz", "deregistration_delay": 60, "tags": {"team": "shop"}}
    for wanted in (options, changed):
        for expected in (True, False):
            predicted = run("elb_target_group", check=True, **wanted)
            made = run("elb_target_group", **wanted)
            assert (predicted["changed"], made["changed"]) == (expected, expected), (predicted, made)
            shown = made["target_group"]
            assert {name: value for name, value in wanted.items() if name != "name"}.items() <= shown.items()
            known = {name for name, value in predicted["target_group"].items() if value != "unknown"}
            assert {name: predicted["target_group"][name] for name in known} == {name: shown[name] for name in known}
    for check, expected in ((True, True), (False, True), (True, False), (False, False)):
        assert run("elb_target_group", check=check, name="web", state="absent")["changed"] is expected
    # Its owner is known from its first moment.
    assert calls.index("AddTags") > calls.index("ModifyTargetGroup") > calls.index("CreateTargetGroup")


def test_what_aws_cannot_change_is_a_failure_that_says_so(run: RunModule, options: Json) -> None:
    run("elb_target_group", **options)
    failed = run("elb_target_group", **{**options, "port": 80})
    assert failed["code"] == "immutable"
    assert "port: expected 8080, got 80." in failed["msg"]


def test_a_new_one_is_reported_with_what_aws_filled_in(run: RunModule, options: Json) -> None:
    fixed = {name: options[name] for name in ("name", "vpc_id", "protocol", "port", "target_type")}
    made = run("elb_target_group", **fixed)
    assert made["target_group"]["health_check_interval"] == 30
    assert run("elb_target_group", **fixed)["target_group"] == made["target_group"]


def test_what_is_left_out_is_left_alone(run: RunModule, options: Json) -> None:
    run("elb_target_group", **options)
    assert not run("elb_target_group", name="web")["changed"]


def test_settings_are_kept_where_a_release_changes_them(run: RunModule, options: Json) -> None:
    created = run("elb_target_group", keep_settings=True, **options)["target_group"]
    assert (created["health_check_path"], created["deregistration_delay"]) == ("/readyz", 30)
    others = {"health_check_path": "/healthz", "deregistration_delay": 60}
    kept = run("elb_target_group", keep_settings=True, **{**options, **others})
    assert not kept["changed"]
    assert kept["target_group"]["health_check_path"] == "/readyz"
    tagged = run("elb_target_group", keep_settings=True, **{**options, **others, "tags": {"team": "shop"}})
    assert tagged["diff"]["after"] == {"tags": {"team": "shop"}}
    assert run("elb_target_group", **{**options, **others})["changed"]

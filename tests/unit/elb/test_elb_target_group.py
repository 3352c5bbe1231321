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


STICKY = {"stickiness.enabled": True, "stickiness.type": "lb_cookie", "stickiness.lb_cookie.duration_seconds": 3600}
# A target group of each kind, and what to change of it.
KINDS: dict[str, tuple[Json, Json]] = {
    "application": (
        {"protocol": "HTTP", "port": 80, "target_type": "ip", "ip_address_type": "ipv4", "attributes": STICKY},
        {"attributes": {"stickiness.enabled": False, "slow_start.duration_seconds": 60}, "health_check_port": "9000"},
    ),
    "grpc": (
        {"protocol": "HTTP", "protocol_version": "GRPC", "port": 50051, "target_type": "ip", "health_check_codes": "0"},
        {"health_check_codes": "0-5", "health_check_path": "/grpc.health.v1.Health/Check"},
    ),
    "tls": (
        {"protocol": "TLS", "port": 443, "target_type": "ip", "health_check_protocol": "TCP"},
        {"attributes": {"preserve_client_ip.enabled": True, "proxy_protocol_v2.enabled": True}},
    ),
    "udp": (
        {"protocol": "UDP", "port": 53, "health_check_protocol": "HTTP", "health_check_port": "8080"},
        {"health_check_port": "8081", "attributes": {"deregistration_delay.connection_termination.enabled": True}},
    ),
    "balancer": (
        {"protocol": "TCP", "port": 80, "target_type": "alb", "health_check_protocol": "HTTP"},
        {"health_check_path": "/readyz", "health_check_codes": "200-599"},
    ),
    "function": (
        {"target_type": "lambda", "health_check_enabled": False},
        {"health_check_enabled": True, "attributes": {"lambda.multi_value_headers.enabled": True}},
    ),
    "gateway": (
        {"protocol": "GENEVE", "port": 6081, "target_type": "ip", "health_check_port": "80"},
        {
            "attributes": {
                "target_failover.on_deregistration": "rebalance",
                "target_failover.on_unhealthy": "rebalance",
                "stickiness.type": "source_ip_dest_ip",
            }
        },
    ),
    "quic": ({"protocol": "QUIC", "port": 443, "target_type": "ip"}, {"unhealthy_threshold": 3}),
}
# moto does not know the protocol, does not change codes of gRPC, or changes no codes for a check of another protocol.
NOT_IN_MOTO = {"quic", "grpc", "balancer"}


def texts(attributes: Json) -> Json:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in attributes.items()}


@pytest.mark.witness("elb_target_group")
@pytest.mark.parametrize(
    ("emulator", "kind"),
    [(name, kind) for name in ("moto", "ministack") for kind in KINDS if name != "moto" or kind not in NOT_IN_MOTO],
    indirect=["emulator"],
)
def test_target_groups_of_each_kind(run: RunModule, options: Json, kind: str) -> None:
    first, change = KINDS[kind]
    place = {} if kind == "function" else {"vpc_id": options["vpc_id"]}
    for wanted in ({**place, **first}, {**place, **first, **change}):
        for expected in (True, False):
            predicted = run("elb_target_group", check=True, name="web", **wanted)
            done = run("elb_target_group", name="web", **wanted)
            assert (predicted.get("changed"), done.get("changed")) == (expected, expected), (predicted, done)
            assert predicted["diff"] == done["diff"]
            for shown in (predicted["target_group"], done["target_group"]):
                assert texts(wanted.get("attributes", {})).items() <= (shown.get("attributes") or {}).items()
                assert {n: v for n, v in wanted.items() if n != "attributes"}.items() <= shown.items()
    assert run("elb_target_group", name="web", state="absent")["changed"]


BALANCED = {"protocol": "HTTP", "port": 80, "target_type": "ip", "vpc_id": "vpc-1"}
NETWORKED = {"protocol": "TCP", "port": 80, "target_type": "ip", "vpc_id": "vpc-1"}
DRAINING = "target_health_state.unhealthy.draining_interval_seconds"


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (
            {"protocol": "HTTP", "port": 80},
            "vpc_id: expected a value for a new target group of type instance, got none.",
        ),
        ({"target_type": "lambda", "port": 80}, "port: expected none for the target type lambda, got 80."),
        (
            {"target_type": "lambda", "deregistration_delay": 5},
            "deregistration_delay: expected none for the target type",
        ),
        ({**BALANCED, "target_type": "alb"}, "protocol: expected TCP for the target type alb, got HTTP."),
        ({**NETWORKED, "protocol": "GENEVE"}, "port: expected 6081 for GENEVE, got 80."),
        (
            {**NETWORKED, "protocol_version": "GRPC"},
            "protocol_version: expected only with the protocols HTTP and HTTPS",
        ),
        (
            {**BALANCED, "health_check_enabled": False},
            "health_check_enabled: expected true, because only the target type",
        ),
        (
            {**BALANCED, "health_check_protocol": "TCP"},
            "health_check_protocol: expected HTTP or HTTPS for the protocol",
        ),
        ({**NETWORKED, "health_check_path": "/"}, "health_check_path: expected only for HTTP or HTTPS health checks"),
        ({**BALANCED, "health_check_port": "0"}, "health_check_port: expected traffic-port or 1 to 65535, got 0."),
        ({**BALANCED, "health_check_codes": "0-5"}, "health_check_codes: expected codes from 200 to 499, such as 200"),
        ({**BALANCED, "health_check_codes": "500"}, "health_check_codes: expected codes from 200 to 499"),
        ({**BALANCED, "health_check_codes": "ok"}, "health_check_codes: expected codes from 200 to 499"),
        (
            {**BALANCED, "protocol_version": "GRPC", "health_check_codes": "200"},
            "health_check_codes: expected codes from 0 to 99, such as 0 or 0-5, got '200'.",
        ),
        (
            {"attributes": {"stickiness.enable": True}},
            "attributes: unknown attribute 'stickiness.enable' (did you mean",
        ),
        ({"attributes": {"slow_start.duration_seconds": 10}}, "expected 0 or 30 to 900, got 10."),
        (
            {"attributes": {"stickiness.enabled": None}},
            "attributes, stickiness.enabled: expected true or false, got null.",
        ),
        ({"attributes": {"stickiness.app_cookie.cookie_name": "AWSALBTG"}}, "that does not begin with AWSALB, got"),
        (
            {"attributes": {"deregistration_delay.timeout_seconds": 5}},
            "expected the option deregistration_delay, got the attribute",
        ),
        (
            {**NETWORKED, "attributes": {"slow_start.duration_seconds": 30}},
            "expected only for Application Load Balancers, got one for Network Load Balancers.",
        ),
        (
            {**NETWORKED, "attributes": {"stickiness.type": "lb_cookie"}},
            "attributes, stickiness.type: expected source_ip for Network Load Balancers, got lb_cookie.",
        ),
        (
            {**NETWORKED, "protocol": "UDP", "attributes": {"preserve_client_ip.enabled": False}},
            "attributes, preserve_client_ip.enabled: expected another value for UDP, got false.",
        ),
        (
            {**NETWORKED, "protocol": "TLS", "attributes": {"stickiness.enabled": True}},
            "attributes, stickiness.enabled: expected another value for TLS, got true.",
        ),
        (
            {**BALANCED, "attributes": {"load_balancing.algorithm.anomaly_mitigation": "on"}},
            "expected off with the algorithm round_robin, got on. Only weighted_random has it.",
        ),
        (
            {
                **BALANCED,
                "attributes": {"slow_start.duration_seconds": 30, "load_balancing.algorithm.type": "weighted_random"},
            },
            "slow_start.duration_seconds: expected 0 with the algorithm weighted_random, got 30.",
        ),
        (
            {**BALANCED, "attributes": {"stickiness.type": "app_cookie"}},
            "stickiness.app_cookie.cookie_name: expected a name for app_cookie, got none.",
        ),
        ({**NETWORKED, "attributes": {DRAINING: 30}}, f"attributes, {DRAINING}: expected 0 while"),
        (
            {
                **NETWORKED,
                "protocol": "GENEVE",
                "port": 6081,
                "attributes": {"target_failover.on_unhealthy": "rebalance"},
            },
            "expected the same value, got no_rebalance and rebalance.",
        ),
    ],
)
def test_what_aws_would_refuse_is_refused_before(run: RunModule, calls: list[str], wanted: Json, problem: str) -> None:
    for check in (True, False):
        failed = run("elb_target_group", check=check, name="web", **wanted)
        assert (failed.get("failed"), failed.get("code")) == (True, "invalid_option"), failed
        assert problem in failed["msg"]
    assert set(calls) <= {"DescribeTargetGroups"}


def test_attributes_that_are_omitted_keep_their_values(run: RunModule, options: Json) -> None:
    run("elb_target_group", **options, attributes=STICKY)
    assert not run("elb_target_group", **options)["changed"]
    slow = run("elb_target_group", **options, attributes={"slow_start.duration_seconds": 30})
    assert slow["diff"]["after"] == {"attributes": {"slow_start.duration_seconds": "30"}}
    assert slow["target_group"]["attributes"]["stickiness.enabled"] == "true"


def test_what_exists_decides_what_is_allowed(run: RunModule, options: Json) -> None:
    """Protocol and type may be omitted."""
    run("elb_target_group", **options)
    failed = run("elb_target_group", name="web", attributes={"proxy_protocol_v2.enabled": True})
    assert "expected only for Network Load Balancers" in failed["msg"]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules with conditions, actions and transforms of every kind; and secrets of clients, which AWS never returns."""

from __future__ import annotations

import typing as t

import boto3
import pytest

Json = dict[str, t.Any]
OIDC: Json = {
    "Issuer": "https://login.example.com",
    "AuthorizationEndpoint": "https://login.example.com/authorize",
    "TokenEndpoint": "https://login.example.com/token",
    "UserInfoEndpoint": "https://login.example.com/userinfo",
    "ClientId": "shop",
}
COGNITO: Json = {
    "UserPoolArn": "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_abc",
    "UserPoolClientId": "shop",
    "UserPoolDomain": "shop",
    "AuthenticationRequestExtraParams": {"prompt": "login"},
}
JWT: Json = {
    "JwksEndpoint": "https://login.example.com/keys",
    "Issuer": "https://login.example.com",
    "AdditionalClaims": [{"Format": "string-array", "Name": "roles", "Values": ["b", "a"]}],
}
REWRITE: Json = {"Rewrites": [{"Regex": "^/shop/(.*)$", "Replace": "/$1"}]}


class Listener(t.NamedTuple):
    client: t.Any
    arn: str
    web: str
    api: str


@pytest.fixture
def listener(aws: None) -> Listener:
    """One with TLS, which authentication requires."""
    ec2, elb = boto3.client("ec2"), boto3.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"eu-central-1{zone}")["Subnet"]
        for n, zone in enumerate("ab")
    ]
    balancer = elb.create_load_balancer(Name="lb", Subnets=[one["SubnetId"] for one in subnets], Scheme="internal")
    certificate = boto3.client("acm").request_certificate(DomainName="example.com")["CertificateArn"]
    web, api = (
        elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")["TargetGroups"][0][
            "TargetGroupArn"
        ]
        for name in ("web", "api")
    )
    created = elb.create_listener(
        LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": web}],
    )
    return Listener(elb, created["Listeners"][0]["ListenerArn"], web, api)


def forward(listener: Listener, web: int, api: int, seconds: int = 0) -> Json:
    groups = [{"TargetGroupArn": listener.web, "Weight": web}, {"TargetGroupArn": listener.api, "Weight": api}]
    sticky = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": seconds}} if seconds else {}
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups, **sticky}}


def header(*values: str) -> Json:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Team", "Values": list(values)}}


def query(*values: Json) -> Json:
    return {"Field": "query-string", "QueryStringConfig": {"Values": list(values)}}


def authenticate(**members: t.Any) -> Json:
    return {"Type": "authenticate-oidc", "AuthenticateOidcConfig": {**OIDC, **members}}


# What a rule has beside its priority and its path, and then: `to` is its target group.
KINDS: dict[str, tuple[Json, Json]] = {
    "header": ({"conditions": [header("a", "b"), header("c")]}, {"conditions": [header("a")]}),
    "query": (
        {"conditions": [query({"Key": "beta", "Value": "1"}, {"Value": "new*"})]},
        {"conditions": [query({"Key": "beta", "Value": "2"}), query({"Value": "x"})]},
    ),
    "method": (
        {"conditions": [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["PUT", "GET"]}}]},
        {"conditions": [{"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}}]},
    ),
    "source": (
        {"conditions": [{"Field": "source-ip", "SourceIpConfig": {"Values": ["2001:DB8::/32", "192.0.2.0/24"]}}]},
        {"conditions": [{"Field": "source-ip", "SourceIpConfig": {"Values": ["192.0.2.7/32"]}}]},
    ),
    "regex": (
        {"conditions": [{"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^shop[.]"]}}]},
        {"conditions": [{"Field": "host-header", "RegexValues": ["^SHOP[.]", "^api[.]"]}]},
    ),
    "redirect": (
        {
            "to": None,
            "actions": [{"Type": "redirect", "RedirectConfig": {"Host": "a.example.com", "StatusCode": "HTTP_301"}}],
        },
        {"to": None, "actions": [{"Type": "redirect", "RedirectConfig": {"Path": "/a", "StatusCode": "HTTP_302"}}]},
    ),
    "fixed": (
        {"to": None, "actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": 404}}]},
        {
            "to": None,
            "actions": [
                {
                    "Type": "fixed-response",
                    "FixedResponseConfig": {"StatusCode": "503", "ContentType": "text/html", "MessageBody": "later"},
                }
            ],
        },
    ),
    "oidc": (
        {"actions": [authenticate(SessionTimeout="3600")], "client_secret": "of-the-client"},
        {"actions": [authenticate(OnUnauthenticatedRequest="deny", Scope="openid email")]},
    ),
    "cognito": (
        {"actions": [{"Type": "authenticate-cognito", "AuthenticateCognitoConfig": COGNITO}]},
        {"actions": [{"Type": "authenticate-cognito", "AuthenticateCognitoConfig": {**COGNITO, "SessionTimeout": 60}}]},
    ),
    "jwt": (
        {"actions": [{"Type": "jwt-validation", "JwtValidationConfig": JWT}]},
        {"actions": [{"Type": "jwt-validation", "JwtValidationConfig": {**JWT, "AdditionalClaims": []}}]},
    ),
    "transform": (
        {"transforms": [{"Type": "url-rewrite", "UrlRewriteConfig": REWRITE}]},
        {"transforms": [{"Type": "host-header-rewrite", "HostHeaderRewriteConfig": REWRITE}]},
    ),
}
# moto fails with regular expressions, does not know the action, and forgets transforms.
NOT_IN_MOTO = {"regex", "jwt", "transform"}


def rule(listener: Listener, members: Json) -> Json:
    target = {"target_group_arn": members.get("to", listener.web)}
    named = {name: value for name, value in members.items() if name != "to"}
    return {"priority": 10, "paths": ["/a"], **target, **named}


def in_turn(run: t.Any, listener: Listener, *wanted: Json) -> None:
    """Each is predicted, made, and then unchanged; and all that the result shows, AWS has."""
    for one in wanted:
        options: Json = {"listener_arn": listener.arn, "rules": [one]}
        predicted, done = run("elb_listener_rules", check=True, **options), run("elb_listener_rules", **options)
        assert (predicted.get("changed"), done.get("changed")) == (True, True), (predicted, done)
        assert (predicted["diff"], predicted["rules"]) == (done["diff"], done["rules"])
        for check in (True, False):
            again = run("elb_listener_rules", check=check, **options)
            assert again["changed"] is False, again["diff"]
            assert again["rules"] == done["rules"]


@pytest.mark.witness("elb_listener_rules")
@pytest.mark.parametrize(
    ("emulator", "kind"),
    [(name, kind) for name in ("moto", "ministack") for kind in KINDS if name != "moto" or kind not in NOT_IN_MOTO],
    indirect=["emulator"],
)
def test_each_kind_of_condition_action_and_transform(listener: Listener, run: t.Any, kind: str) -> None:
    first, second = KINDS[kind]
    in_turn(run, listener, rule(listener, first), rule(listener, second), rule(listener, {}))


@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_weights_and_stickiness_are_as_requested(listener: Listener, run: t.Any) -> None:
    plain, sticky = ({"to": None, "actions": [forward(listener, 90, 10, seconds)]} for seconds in (0, 60))
    in_turn(run, listener, rule(listener, plain), rule(listener, sticky), rule(listener, plain))
    [found] = [one for one in listener.client.describe_rules(ListenerArn=listener.arn)["Rules"] if not one["IsDefault"]]
    shifted = forward(listener, 0, 100)
    listener.client.modify_rule(RuleArn=found["RuleArn"], Actions=[shifted])
    back = run("elb_listener_rules", listener_arn=listener.arn, rules=[rule(listener, plain)])
    assert [group["weight"] for group in back["diff"]["before"]["rules"][0]["target_groups"]] != [90, 10]


@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_shifted_weights_are_kept_behind_authentication(listener: Listener, run: t.Any) -> None:
    wanted = rule(listener, {**KINDS["cognito"][0], "alternate_target_group_arn": listener.api})
    in_turn(run, listener, wanted)
    [found] = [one for one in listener.client.describe_rules(ListenerArn=listener.arn)["Rules"] if not one["IsDefault"]]
    actions = [*found["Actions"][:1], {**forward(listener, 0, 100), "Order": 2}]
    listener.client.modify_rule(RuleArn=found["RuleArn"], Actions=actions)
    assert run("elb_listener_rules", listener_arn=listener.arn, rules=[wanted])["changed"] is False
    other = {**wanted, "actions": KINDS["cognito"][1]["actions"]}
    changed = run("elb_listener_rules", listener_arn=listener.arn, rules=[other])
    weights = {one["target_group_arn"]: one["weight"] for one in changed["rules"][0]["target_groups"]}
    assert weights == {listener.web: 0, listener.api: 100}


@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_shifted_weights_of_a_sticky_default_action_are_kept(listener: Listener, run: t.Any) -> None:
    shifted = forward(listener, 0, 100, 60)
    listener.client.modify_listener(ListenerArn=listener.arn, DefaultActions=[shifted])
    pair = {"target_group_arn": listener.web, "alternate_target_group_arn": listener.api}
    result = run("elb_listener_rules", listener_arn=listener.arn, rules=[], default_action=pair)
    assert result["changed"] is False, result["diff"]


# Secrets of clients


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    """The settings of OpenID Connect that requests have."""
    import botocore.client

    found: list[Json] = []
    call = botocore.client.BaseClient._make_api_call

    def kept(client: t.Any, operation: str, request: Json) -> t.Any:
        found.extend(
            action["AuthenticateOidcConfig"]
            for action in request.get("Actions", ())
            if "AuthenticateOidcConfig" in action
        )
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", kept)
    return found


def secrets(sent: list[Json]) -> list[Json]:
    taken = [{name: value for name, value in one.items() if "Secret" in name} for one in sent]
    sent.clear()
    return taken


@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_a_secret_is_sent_only_where_aws_needs_it(listener: Listener, run: t.Any, sent: list[Json]) -> None:
    def made(secret: str | None = None, **members: t.Any) -> Json:
        renew = members.pop("renew_client_secret", False)
        wanted = rule(
            listener,
            {"actions": [authenticate(**members)], "client_secret": secret, "renew_client_secret": renew},
        )
        result = run("elb_listener_rules", listener_arn=listener.arn, rules=[wanted])
        assert "one-secret" not in str(result)
        assert "two-secret" not in str(result)
        return t.cast("Json", result)

    failed = made()
    assert failed["code"] == "invalid_option"
    assert "rules, priority 10, client_secret: expected the secret of the client shop" in failed["msg"]
    assert made("one-secret")["changed"]
    assert secrets(sent) == [{"ClientSecret": "one-secret"}]
    # AWS does not say whether it has another one.
    assert not made("two-secret")["changed"]
    assert made("two-secret", Scope="openid email")["changed"]
    assert secrets(sent) == [{"UseExistingClientSecret": True}]
    assert made("two-secret", Scope="openid email", renew_client_secret=True)["changed"]
    assert secrets(sent) == [{"ClientSecret": "two-secret"}]
    assert made(ClientId="other")["code"] == "invalid_option"
    assert made("two-secret", ClientId="other")["changed"]
    assert secrets(sent) == [{"ClientSecret": "two-secret"}]


# What is refused before

FIXED: Json = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
ONE = {"priority": 1, "paths": ["/"]}


def condition(field: str, **config: t.Any) -> Json:
    return {"priority": 1, "target_group_arn": "x", "conditions": [{"Field": field, **config}]}


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (
            condition("cookie", Values=["a"]),
            "conditions[0].Field: expected one of host-header, path-pattern, http-header",
        ),
        (condition("http-header", Values=["a"]), "conditions[0].Values: expected HttpHeaderConfig for http-header"),
        (condition("query-string", QueryStringConfig={"Values": []}), "QueryStringConfig: expected values, got none."),
        (condition("query-string", QueryStringConfig={"Values": [{"Key": "a"}]}), "expected a Value in each"),
        (condition("http-request-method", HttpRequestMethodConfig={"Values": ["get"]}), "in capital letters"),
        (condition("source-ip", SourceIpConfig={"Values": ["office"]}), "expected networks such as 192.0.2.0/24"),
        (
            condition("http-header", HttpHeaderConfig={"HttpHeaderName": "Host", "Values": ["a"]}),
            "expected another header than Host. Use hosts.",
        ),
        (
            condition("http-header", HttpHeaderConfig={"HttpHeaderName": "a b", "Values": ["a"]}),
            "HttpHeaderName: expected a name of 1 to 40 characters, got 'a b'.",
        ),
        (condition("path-pattern", PathPatternConfig={"Values": ["/" * 129]}), "at most 128 characters, got 129"),
        (condition("path-pattern", Path={"Values": ["/"]}), "rules[0].conditions[0]: unknown member 'Path'"),
        (
            {**condition("path-pattern", PathPatternConfig={"RegexValues": ["^/a"]}), "paths": ["/a"]},
            "conditions: expected one of path-pattern at most, hosts and paths included, got 2.",
        ),
        (
            {
                **condition("http-header", HttpHeaderConfig={"HttpHeaderName": "a", "Values": list("abcde")}),
                "paths": ["/"],
            },
            "hosts, paths and conditions: expected 1 to 5 values together, got 6.",
        ),
        (ONE, "target_group_arn: expected it, or actions that end with exactly one of forward, redirect or"),
        (
            {**ONE, "actions": [authenticate()], "client_secret": "hunter3"},
            "target_group_arn: expected it, or actions that end",
        ),
        ({**ONE, "actions": [FIXED, FIXED]}, "got fixed-response and fixed-response."),
        ({**ONE, "actions": [FIXED], "target_group_arn": "x"}, "together with target_group_arn, got fixed-response."),
        ({**ONE, "actions": [{"Type": "redirect"}]}, "actions[0].RedirectConfig: expected the settings of redirect"),
        (
            {**ONE, "actions": [{**FIXED, "TargetGroupArn": "x"}]},
            "actions[0].TargetGroupArn: expected FixedResponseConfig",
        ),
        (
            {**ONE, "actions": [{"Type": "redirect", "RedirectConfig": {"Query": "a", "StatusCode": "HTTP_301"}}]},
            "which would redirect in a loop.",
        ),
        (
            {**ONE, "actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "302"}}]},
            "expected text that matches ^(2|4|5)",
        ),
        (
            {
                **ONE,
                "actions": [
                    {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "a"}}
                ],
            },
            "ContentType: expected one of text/plain",
        ),
        (
            {**ONE, "target_group_arn": "x", "actions": [authenticate(ClientSecret="hunter2")]},
            "AuthenticateOidcConfig.ClientSecret: expected none, got a value. Use the option client_secret of",
        ),
        (
            {**ONE, "target_group_arn": "x", "client_secret": "hunter3"},
            "client_secret: expected an action authenticate-oidc",
        ),
        ({**ONE, "target_group_arn": "x", "renew_client_secret": True}, "renew_client_secret: requires client_secret"),
        (
            {
                **ONE,
                "actions": [
                    {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "x", "Weight": 1000}]}}
                ],
            },
            "expected weights from 0 to 999, got 1000.",
        ),
        (
            {
                **ONE,
                "actions": [
                    {
                        "Type": "forward",
                        "ForwardConfig": {
                            "TargetGroups": [{"TargetGroupArn": "x"}],
                            "TargetGroupStickinessConfig": {"Enabled": True},
                        },
                    }
                ],
            },
            "DurationSeconds: expected 1 to 604800 seconds",
        ),
        (
            {
                **ONE,
                "target_group_arn": "x",
                "transforms": [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": []}}],
            },
            "transforms[0].UrlRewriteConfig.Rewrites: expected exactly one, got 0.",
        ),
        (
            {
                **ONE,
                "target_group_arn": "x",
                "transforms": [{"Type": "url-rewrite", "HostHeaderRewriteConfig": REWRITE}],
            },
            "transforms[0].HostHeaderRewriteConfig: expected UrlRewriteConfig for url-rewrite, got this member.",
        ),
    ],
)
def test_what_aws_would_refuse_is_refused_before(run: t.Any, calls: list[str], wanted: Json, problem: str) -> None:
    result = run("elb_listener_rules", listener_arn="arn", rules=[wanted])
    assert (result.get("code"), calls) == ("invalid_option", []), result
    assert problem in result["msg"]
    assert "hunter2" not in result["msg"]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever rule or target group is valid: made once, answered as AWS answers, and requested again without a
difference; and requests are what botocore's model allows."""

from __future__ import annotations

import copy
import typing as t

import botocore.session
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._core import rule_actions as actions
from ansible_collections.slipway.aws.plugins.module_utils._core import rule_conditions as conditions
from ansible_collections.slipway.aws.plugins.module_utils._core import target_group_attributes as attributes
from ansible_collections.slipway.aws.plugins.module_utils._core.plan import compare
from ansible_collections.slipway.aws.plugins.module_utils._core.target_groups import CODES, DELAY, HEALTH
from ansible_collections.slipway.aws.plugins.module_utils._elb.listener_rules import model
from ansible_collections.slipway.aws.plugins.module_utils._elb.target_group import model as groups

Json = dict[str, t.Any]
ELB = botocore.session.get_session().get_service_model("elbv2")
CREATE_RULE, MODIFY_RULE, CREATE_GROUP = (
    ELB.operation_model(name).input_shape for name in ("CreateRule", "ModifyRule", "CreateTargetGroup")
)
SETTINGS = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text("abcXY-", min_size=1, max_size=4)
SECONDS = st.integers(1, 604800)

# Rules

HOSTS = st.sampled_from(["a.example.com", "*.Example.com", "b?.example.org"])
PATHS = st.sampled_from(["/", "/a/*", "*.png", "/B?"])
NETWORKS = st.sampled_from(["192.0.2.0/24", "10.1.2.3/8", "2001:DB8::/32", "2001:db8:0:0::/48"])
METHODS = st.sampled_from(["GET", "PUT", "M-SEARCH"])
PAIRS = st.fixed_dictionaries({"Value": TEXT}, optional={"Key": TEXT})
ONE, FEW = {"min_size": 1, "max_size": 1}, {"min_size": 1, "max_size": 2}


def condition(
    field: str, values: st.SearchStrategy[t.Any], **more: st.SearchStrategy[t.Any]
) -> st.SearchStrategy[Json]:
    config = st.fixed_dictionaries({"Values": st.lists(values, **FEW), **more})  # type: ignore[arg-type]
    return st.fixed_dictionaries({"Field": st.just(field), conditions.CONFIGURATIONS[field]: config})


def regular(field: str) -> st.SearchStrategy[Json]:
    values = st.lists(TEXT, **ONE)  # type: ignore[arg-type]
    name = conditions.CONFIGURATIONS[field]
    return st.one_of(
        st.fixed_dictionaries({"Field": st.just(field), "RegexValues": values}),
        st.fixed_dictionaries({"Field": st.just(field), name: st.fixed_dictionaries({"RegexValues": values})}),
        st.fixed_dictionaries(
            {"Field": st.just(field), "Values": st.lists(PATHS if "path" in field else HOSTS, **ONE)}
        ),  # type: ignore[arg-type]
    )


CONDITIONS = st.one_of(
    condition("http-header", TEXT, HttpHeaderName=TEXT),
    condition("http-request-method", METHODS),
    condition("query-string", PAIRS),
    condition("source-ip", NETWORKS),
    regular("host-header"),
    regular("path-pattern"),
)
SESSION = {
    "SessionCookieName": TEXT,
    "Scope": st.sampled_from(["openid", "openid email"]),
    "SessionTimeout": SECONDS | st.just(604800),
    "AuthenticationRequestExtraParams": st.dictionaries(TEXT, TEXT, max_size=2),
    "OnUnauthenticatedRequest": st.sampled_from(["deny", "allow", "authenticate"]),
}
ENDPOINTS = dict.fromkeys(("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint", "ClientId"), TEXT)
POOL = dict.fromkeys(("UserPoolArn", "UserPoolClientId", "UserPoolDomain"), TEXT)
CLAIMS = st.fixed_dictionaries(
    {"Format": st.sampled_from(["single-string", "string-array"]), "Name": TEXT, "Values": st.lists(TEXT, min_size=1)}
)
GATES = {
    "authenticate-oidc": st.fixed_dictionaries(ENDPOINTS, optional=SESSION),
    "authenticate-cognito": st.fixed_dictionaries(POOL, optional=SESSION),
    "jwt-validation": st.fixed_dictionaries(
        {"JwksEndpoint": TEXT, "Issuer": TEXT},
        optional={"AdditionalClaims": st.lists(CLAIMS, max_size=2, unique_by=lambda claim: str(claim["Name"]))},
    ),
}
TARGETS = st.lists(
    st.fixed_dictionaries({"TargetGroupArn": TEXT}, optional={"Weight": st.integers(0, 999)}),
    min_size=1,
    max_size=3,
    unique_by=lambda group: str(group["TargetGroupArn"]),
)
STICKY = st.fixed_dictionaries({"Enabled": st.booleans(), "DurationSeconds": SECONDS})
LAST = {
    "forward": st.fixed_dictionaries({"TargetGroups": TARGETS}, optional={"TargetGroupStickinessConfig": STICKY}),
    "redirect": st.fixed_dictionaries(
        {"StatusCode": st.sampled_from(["HTTP_301", "HTTP_302"]), "Host": TEXT},
        optional={
            "Protocol": st.sampled_from(["HTTPS", "#{protocol}"]),
            "Port": st.sampled_from(["443", "#{port}"]),
            "Path": st.sampled_from(["/a", "/#{path}"]),
            "Query": st.sampled_from(["", "a=b", "#{query}"]),
        },
    ),
    "fixed-response": st.fixed_dictionaries(
        {"StatusCode": st.sampled_from(["200", 404, "503"])},
        optional={"ContentType": st.sampled_from(actions.CONTENT_TYPES), "MessageBody": st.sampled_from(["", "later"])},
    ),
}
REWRITES = st.fixed_dictionaries({"Regex": TEXT, "Replace": st.text("a$1", max_size=3)})


def action(kind: str, config: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"Type": st.just(kind), actions.CONFIGURATIONS[kind]: config})


@st.composite
def rules(draw: st.DrawFn) -> Json:
    """Options of a rule that the module takes."""
    ends = draw(st.one_of(st.just([]), *(st.lists(action(kind, config), **ONE) for kind, config in LAST.items())))  # type: ignore[arg-type]
    gates = draw(st.lists(st.one_of(*(action(kind, config) for kind, config in GATES.items())), max_size=1))
    kinds = draw(st.lists(st.sampled_from(sorted(actions.TRANSFORMS)), unique=True, max_size=2))
    transforms = [{"Type": kind, actions.TRANSFORMS[kind]: {"Rewrites": [draw(REWRITES)]}} for kind in kinds]
    wanted: Json = {
        "priority": draw(st.integers(1, 50000)),
        "hosts": draw(st.lists(HOSTS, max_size=1)),
        "paths": draw(st.lists(PATHS, max_size=1)),
        "conditions": draw(st.lists(CONDITIONS, max_size=2)),
        "actions": [*gates, *ends],
        "transforms": transforms,
        **({} if ends else {"target_group_arn": draw(TEXT)}),
        **({} if ends else draw(st.fixed_dictionaries({}, optional={"alternate_target_group_arn": st.just("zz")}))),
    }
    if any(gate["Type"] == "authenticate-oidc" for gate in gates):
        wanted["client_secret"] = "of-the-client"
    return wanted


def valid(wanted: Json) -> Json | None:
    """The rule as the module plans it; None where it refuses it."""
    try:
        return model.desired([wanted], CREATE_RULE)[0]
    except model.SlipwayError:
        return None


def turned(value: t.Any) -> t.Any:
    """Lists in the other order, where order means nothing."""
    if isinstance(value, dict):
        return {key: turned(member) for key, member in reversed(value.items())}
    if isinstance(value, list):
        return [turned(item) for item in reversed(value)]
    return value


def completed(one: Json) -> Json:
    """An action as AWS answers it: with its defaults, and without secrets."""
    name = actions.CONFIGURATIONS[one["Type"]]
    if one["Type"] != "forward":
        config = {**actions.DEFAULTS.get(one["Type"], {}), **one[name]}
        return {**one, name: {key: value for key, value in config.items() if key not in actions.UNSEEN}}
    config = one.get(name) or {"TargetGroups": [{"TargetGroupArn": one["TargetGroupArn"], "Weight": 1}]}
    return {**one, name: {"TargetGroupStickinessConfig": {"Enabled": False}, **config}}


def answer(request: Json, priority: int) -> Json:
    """The rule as AWS describes it."""
    doubled = []
    for one in turned(request["Conditions"]):
        config = one.get(conditions.CONFIGURATIONS[one["Field"]]) or {}
        flat = {"Values": config["Values"]} if one["Field"] in conditions.FLAT and config.get("Values") else {}
        doubled.append({**one, **flat})
    return {
        "RuleArn": "arn",
        "Priority": str(priority),
        "IsDefault": False,
        "Conditions": doubled,
        "Actions": [completed(one) for one in reversed(request["Actions"])]
        if len(request["Actions"]) > 1
        else [completed(one) for one in request["Actions"]],
        "Transforms": request.get("Transforms", []),
    }


@SETTINGS
@given(rules())
def test_a_rule_that_was_made_is_as_desired(wanted: Json) -> None:
    given_before = copy.deepcopy(wanted)
    planned = valid(wanted)
    if planned is None:
        return
    request = model.request(planned, None, wanted.get("client_secret"))
    report = ParamValidator().validate({"ListenerArn": "arn", "Priority": planned["priority"], **request}, CREATE_RULE)
    assert not report.has_errors(), report.generate_report()
    found = model.from_api([answer(request, planned["priority"])])
    [again] = model.keep_shifted([planned], found)
    assert model.settings(found[0]) == model.settings(again)
    assert not model.needs_secret(again, found[0])
    assert "of-the-client" not in str((model.settings(planned), model.to_result(planned)))
    assert wanted == given_before


@SETTINGS
@given(rules(), rules())
def test_a_rule_becomes_any_other_one(before: Json, after: Json) -> None:
    old, new = valid(before), valid({**after, "priority": before["priority"]})
    if old is None or new is None:
        return
    created = answer(model.request(old, None, before.get("client_secret")), old["priority"])
    [current] = model.from_api([created])
    [wanted] = model.keep_shifted([new], [current])
    request = model.request(wanted, current, after.get("client_secret"))
    report = ParamValidator().validate({"RuleArn": "arn", **request}, MODIFY_RULE)
    assert not report.has_errors(), report.generate_report()
    kept = {name: created[name] for name in ("Actions", "Transforms")}
    merged = {**kept, **{name: value for name, value in request.items() if name != "ResetTransforms"}}
    merged |= {"Transforms": []} if request.get("ResetTransforms") else {}
    changed = answer({**merged, "Actions": merged["Actions"]}, wanted["priority"])
    assert model.settings(model.from_api([changed])[0]) == model.settings(wanted)


# Target groups

PROTOCOLS = sorted(attributes.KINDS)


def value_of(values: t.Any) -> st.SearchStrategy[t.Any]:
    if isinstance(values, attributes.Range):
        most = values.most or values.least + 5
        numbers = st.integers(values.least, most)
        return st.one_of(numbers, numbers.map(str), *(st.just(word) for word in values.words))
    if isinstance(values, attributes.Words):
        return st.sampled_from([*values.words, *([True, False] if "true" in values.words else [])])
    return st.sampled_from(["session", ""])


OPTIONAL: dict[str, st.SearchStrategy[t.Any]] = {
    "ip_address_type": st.sampled_from(["ipv4", "ipv6"]),
    "health_check_enabled": st.just(True),
    "health_check_protocol": st.sampled_from(["HTTP", "HTTPS", "TCP"]),
    "health_check_port": st.sampled_from(["traffic-port", "80"]),
    "health_check_path": st.sampled_from(["/", "/a"]),
    "health_check_interval": st.integers(20, 300),
    "healthy_threshold": st.integers(2, 10),
    CODES: st.sampled_from(["200", "200-399", "0", "0-5"]),
    DELAY: st.integers(0, 3600),
}
OF_HTTP = {
    "protocol_version": st.sampled_from(["HTTP1", "HTTP2", "GRPC"]),
    "target_control_port": st.integers(1, 65535),
}
OF_FUNCTIONS = ("health_check_path", "health_check_interval", "healthy_threshold", CODES)


@st.composite
def target_groups(draw: st.DrawFn) -> Json:
    """Options of a target group, some of which the module refuses together."""
    protocol = draw(st.sampled_from(PROTOCOLS))
    kind = draw(st.sampled_from(["instance", "ip", "lambda", *(["alb"] if protocol == "TCP" else [])]))
    place = {"protocol": protocol, "port": 6081 if protocol == "GENEVE" else 80, "vpc_id": "vpc-1"}
    fixed = {**({} if kind == "lambda" else place), "target_type": kind}
    family = attributes.kind_of(fixed)
    optional = OPTIONAL | (OF_HTTP if family == attributes.ALB else {})
    own = {
        key: one.values for key, one in attributes.ATTRIBUTES.items() if family in one.kinds and "timeout" not in key
    }
    chosen = draw(st.lists(st.sampled_from(sorted(own)), unique=True, max_size=3))
    some = {name: optional[name] for name in OF_FUNCTIONS} if kind == "lambda" else optional
    return {
        **fixed,
        **draw(st.fixed_dictionaries({}, optional=some)),
        "attributes": {key: draw(value_of(own[key])) for key in chosen},
    }


DEFAULTS: Json = {"name": "web", "keep_settings": False, "tags": None} | dict.fromkeys(
    (*groups.FIXED, *HEALTH, CODES, DELAY)
)


def planned_group(wanted: Json, current: Json | None = None) -> t.Any:
    """The plan, or None where the module refuses the options."""
    params = {**DEFAULTS, **wanted}
    try:
        groups.validate(CREATE_GROUP, params)
        planned = compare(current, groups.desired(params, current, None))
        groups.refuse(params, current, planned)
    except groups.SlipwayError:
        return None
    return planned


@SETTINGS
@given(target_groups())
def test_a_target_group_that_was_made_is_as_desired(wanted: Json) -> None:
    planned = planned_group(wanted)
    if planned is None:
        return
    request = groups.create_request("web", planned.predicted)
    report = ParamValidator().validate(request, CREATE_GROUP)
    assert not report.has_errors(), report.generate_report()
    found = {
        **{name: value for name, value in request.items() if name != "Name"},
        "TargetGroupName": "web",
        "TargetGroupArn": "arn",
        "Attributes": groups.changed_attributes(planned),
        "Tags": [],
    }
    again = planned_group(wanted, groups.from_api(found))
    assert not again.changed, again.diff

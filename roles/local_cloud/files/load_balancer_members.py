# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of the emulator: target groups and rules keep all members that the API of Elastic Load Balancing has.

The emulator keeps some, and takes each target group for one of an application load balancer. Members are read from
requests and written into answers by botocore's model, so that those of a newer one need no change here.
"""

from __future__ import annotations

import fnmatch
import functools
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any
from xml.sax.saxutils import escape

from emulator_patches import wrap
from request_parser import Form, tree

Json = dict[str, Any]

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
GROUP: Json = {"HealthCheckEnabled": True, "HealthyThresholdCount": 5, "UnhealthyThresholdCount": 2}
HTTP_CHECK: Json = {"HealthCheckPath": "/", "Matcher": {"HttpCode": "200"}}
GRPC_CHECK: Json = {"HealthCheckPath": "/AWS.ALB/healthcheck", "Matcher": {"GrpcCode": "12"}}
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
HEALTH_ATTRIBUTES = {
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
}
COMMON = {"deregistration_delay.timeout_seconds": "300", "stickiness.enabled": "false"}
APPLICATION = {
    "stickiness.type": "lb_cookie",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "slow_start.duration_seconds": "0",
}
NETWORK = {
    "stickiness.type": "source_ip",
    "deregistration_delay.connection_termination.enabled": "false",
    "preserve_client_ip.enabled": "true",
    "proxy_protocol_v2.enabled": "false",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
GATEWAY = {
    "stickiness.type": "source_ip_dest_ip_proto",
    "target_failover.on_deregistration": "no_rebalance",
    "target_failover.on_unhealthy": "no_rebalance",
    "send_tcp_reset.on_deregistration.enabled": "false",
    "send_tcp_reset.on_unhealthy.enabled": "false",
}
# AWS never returns these.
SECRETS = ("ClientSecret", "UseExistingClientSecret")


@functools.cache
def model() -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model("elbv2")


def requested(operation: str, params: Json) -> Json:
    """The parameters of a request, by the names of the model."""
    form = {name: values[0] if isinstance(values, list) else str(values) for name, values in params.items() if values}
    return dict(Form(False).parse(model().operation_model(operation).input_shape, tree(form)) or {})


def to_xml(shape: Any, value: Any) -> str:
    """A value as the query protocol writes it."""
    if shape.type_name == "structure":
        members = ((name, shape.members[name]) for name in shape.members if value.get(name) is not None)
        return "".join(f"<{name}>{to_xml(member, value[name])}</{name}>" for name, member in members)
    if shape.type_name == "list":
        return "".join(f"<member>{to_xml(shape.member, item)}</member>" for item in value)
    if shape.type_name == "map":
        return "".join(
            f"<entry><key>{escape(key)}</key><value>{escape(item)}</value></entry>" for key, item in value.items()
        )
    return str(value).lower() if shape.type_name == "boolean" else escape(str(value))


def as_member(shape: str, value: Json) -> str:
    return f"<member>{to_xml(model().shape_for(shape), value)}</member>"


# Target groups


def defaults(request: Json) -> Json:
    """What AWS fills into a new target group."""
    protocol, kind = request.get("Protocol"), request.get("TargetType", "instance")
    if kind == "lambda":
        check = {"HealthCheckIntervalSeconds": 35, "HealthCheckTimeoutSeconds": 30, "HealthCheckEnabled": False}
        return {**GROUP, **HTTP_CHECK, **check}
    is_application = protocol in {"HTTP", "HTTPS"}
    version = {"ProtocolVersion": "HTTP1"} if is_application else {}
    check_protocol = request.get("HealthCheckProtocol", "HTTP" if is_application or kind == "alb" else "TCP")
    own = {} if check_protocol == "TCP" else GRPC_CHECK if request.get("ProtocolVersion") == "GRPC" else HTTP_CHECK
    if check_protocol != "TCP" and not is_application:
        own = {**own, "Matcher": {"HttpCode": "200-399"}}
    return {
        **GROUP,
        **version,
        **own,
        "HealthCheckProtocol": check_protocol,
        "HealthCheckPort": "80" if protocol == "GENEVE" else "traffic-port",
        "HealthCheckIntervalSeconds": 10 if protocol == "GENEVE" else 30,
        "HealthCheckTimeoutSeconds": 6 if kind == "alb" else 5 if is_application or protocol == "GENEVE" else 10,
        "IpAddressType": "ipv4",
        "TargetType": kind,
    }


def attributes(group: Json) -> dict[str, str]:
    if group.get("TargetType") == "lambda":
        return {**HEALTH_ATTRIBUTES, "lambda.multi_value_headers.enabled": "false"}
    if group["Protocol"] == "GENEVE":
        return {**COMMON, **GATEWAY}
    return {**COMMON, **HEALTH_ATTRIBUTES, **(APPLICATION if group["Protocol"] in {"HTTP", "HTTPS"} else NETWORK)}


def target_groups(alb: ModuleType) -> None:
    """A target group has the members and attributes of its protocol and type."""

    @wrap(alb, "_create_tg")
    def create(original: Callable[..., Any], params: Json) -> Any:
        before = set(alb._tgs)
        response = original(params)
        for arn in set(alb._tgs) - before:
            request = requested("CreateTargetGroup", params)
            name, _tags = request.pop("Name"), request.pop("Tags", None)
            group = {"TargetGroupArn": arn, "TargetGroupName": name, "LoadBalancerArns": []}
            alb._tgs[arn] = {**group, **defaults(request), **request}
            alb._tg_attrs[arn] = [{"Key": key, "Value": value} for key, value in attributes(alb._tgs[arn]).items()]
            return alb._xml(200, "CreateTargetGroup", f"<TargetGroups>{alb._tg_xml(alb._tgs[arn])}</TargetGroups>")
        return response

    @wrap(alb, "_modify_tg")
    def modify(original: Callable[..., Any], params: Json) -> Any:
        group = alb._tgs.get(alb._p(params, "TargetGroupArn"))
        if not group:
            return original(params)
        request = requested("ModifyTargetGroup", params)
        if request.get("HealthCheckProtocol") == "TCP":
            for member in HTTP_CHECK:
                group.pop(member, None)
        group |= request
        return alb._xml(200, "ModifyTargetGroup", f"<TargetGroups>{alb._tg_xml(group)}</TargetGroups>")

    @wrap(alb, "_tg_xml")
    def describe(_original: Callable[..., str], group: Json) -> str:
        return as_member("TargetGroup", group)


# Rules


def actions(alb: ModuleType) -> None:
    """Actions keep all members, and a secret that a request does not repeat."""

    @wrap(alb, "_parse_actions")
    def parse(original: Callable[..., Any], params: Json, prefix: str = "DefaultActions") -> Any:
        operation = "CreateRule" if prefix == "Actions" else "CreateListener"
        full = requested(operation, params).get(prefix) or []
        return [merged(action, given) for action, given in zip(original(params, prefix), full, strict=True)]

    @wrap(alb, "_action_xml")
    def describe(_original: Callable[..., str], action: Json) -> str:
        oidc = action.get("AuthenticateOidcConfig")
        public = {"AuthenticateOidcConfig": {k: v for k, v in oidc.items() if k not in SECRETS}} if oidc else {}
        return as_member("Action", {**action, **public})

    @wrap(alb, "_modify_rule")
    def modify(original: Callable[..., Any], params: Json) -> Any:
        arn = alb._p(params, "RuleArn")
        secrets = list(client_secrets(alb._rules.get(arn, {})))
        response = original(params)
        for action in alb._rules.get(arn, {}).get("Actions") or ():
            oidc = action.get("AuthenticateOidcConfig") or {}
            if secrets and oidc.pop("UseExistingClientSecret", False):
                oidc["ClientSecret"] = secrets[0]
        return response


def client_secrets(rule: Json) -> Iterator[str]:
    configs = (action.get("AuthenticateOidcConfig") or {} for action in rule.get("Actions") or ())
    return (config["ClientSecret"] for config in configs if "ClientSecret" in config)


def merged(action: Json, given: Json) -> Json:
    """An action of the emulator with what it drops: whole configurations, members of others, and stickiness."""
    configs = {
        name: {**action.get(name, {}), **config}
        for name, config in given.items()
        if isinstance(config, dict) and name != "ForwardConfig"
    }
    sticky = (given.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    if sticky.get("Enabled"):
        groups = given["ForwardConfig"].get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
        weighted = [{"Weight": 1, **group} for group in groups]
        configs["ForwardConfig"] = {"TargetGroups": weighted, "TargetGroupStickinessConfig": sticky}
    elif "ForwardConfig" in action:
        configs["ForwardConfig"] = {**action["ForwardConfig"], "TargetGroupStickinessConfig": {"Enabled": False}}
    return {**action, **configs}


def conditions(alb: ModuleType) -> None:
    """Conditions keep all members, and those on query strings and with regular expressions count."""

    @wrap(alb, "_parse_conditions")
    def parse(original: Callable[..., Any], params: Json, prefix: str = "Conditions") -> Any:
        full = requested("CreateRule", params).get(prefix) or []
        return [{**kept, **given} for kept, given in zip(original(params, prefix), full, strict=True)]

    @wrap(alb, "_condition_xml")
    def describe(original: Callable[..., str], condition: Json) -> str:
        simple = alb._CONDITION_VALUE_KEYS.get(condition["Field"])
        if simple and condition["Values"]:
            condition = {**condition, simple: {"Values": condition["Values"], **condition.get(simple, {})}}
        return as_member("RuleCondition", condition)

    @wrap(alb, "_match_condition")
    def match(
        original: Callable[..., bool], condition: Json, method: str, path: str, headers: Json, query: Json
    ) -> bool:
        field = condition["Field"]
        config = next((value for name, value in condition.items() if name.endswith("Config")), {})
        if field == "query-string":
            return any(in_query(pair, query) for pair in config.get("Values") or ())
        patterns = [*(config.get("RegexValues") or ()), *(condition.get("RegexValues") or ())]
        actual = {"path-pattern": path, "host-header": headers.get("host", "").partition(":")[0].lower()}
        text = actual.get(field, headers.get(str(config.get("HttpHeaderName", "")).lower(), ""))
        if any(re.search(pattern, text) for pattern in patterns):
            return True
        has_values = condition.get("Values") or config.get("Values")
        return (bool(has_values) or not patterns) and original(condition, method, path, headers, query)


def in_query(pair: Json, query: Json) -> bool:
    """Whether a query has the value, of that key if there is one. Case does not matter, * and ? are wildcards."""
    given = [
        (name, value) for name, values in query.items() for value in (values if isinstance(values, list) else [values])
    ]
    key, value = pair.get("Key"), str(pair["Value"]).lower()
    return any(
        fnmatch.fnmatchcase(found.lower(), value) and (key is None or fnmatch.fnmatchcase(name.lower(), key.lower()))
        for name, found in given
    )


def load_balancer_members(alb: ModuleType) -> None:
    target_groups(alb)
    actions(alb)
    conditions(alb)

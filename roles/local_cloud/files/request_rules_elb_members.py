# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Elastic Load Balancing refuses of target groups by protocol and type, and of conditions and actions by kind."""

from __future__ import annotations

import re
from collections.abc import Iterator

from request_rules import REPORTS, Json, State
from request_rules_elb import (
    API,
    CONDITION,
    GROUP,
    GROUPS,
    GUIDE,
    LISTENER_RULES,
    LISTENERS,
    MOTO,
    actions_of,
    attribute,
    conditions_of,
    elb,
    group_now,
    listener_of,
)

ATTRIBUTE = f"{API}/API_TargetGroupAttribute.html"
TRANSFORM = f"{API}/API_RuleTransform.html"
ACTION = f"{API}/API_Action.html"
HTTP = {"HTTP", "HTTPS"}
NETWORK = {"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"}
CONDITION_CONFIGS = {
    "host-header": "HostHeaderConfig",
    "path-pattern": "PathPatternConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
ACTION_CONFIGS = {
    "redirect": "RedirectConfig",
    "fixed-response": "FixedResponseConfig",
    "authenticate-oidc": "AuthenticateOidcConfig",
    "authenticate-cognito": "AuthenticateCognitoConfig",
    "jwt-validation": "JwtValidationConfig",
}
SECURE = ("authenticate-oidc", "authenticate-cognito", "jwt-validation")
# Beginnings of attributes that only target groups of some load balancers have.
APPLICATION_ONLY = ("load_balancing.algorithm", "slow_start", "stickiness.app_cookie", "stickiness.lb_cookie")
NETWORK_ONLY = (
    "deregistration_delay.connection_termination",
    "preserve_client_ip",
    "proxy_protocol_v2",
    "target_health_state",
)
GATEWAY_ONLY = ("target_failover", "send_tcp_reset")
FUNCTION_ONLY = ("lambda",)
ANY = ("deregistration_delay.timeout_seconds", "stickiness.enabled", "stickiness.type")
SHARED = ("load_balancing.cross_zone", "target_group_health")


@elb(
    "CreateTargetGroup",
    message="{member} cannot be specified for target groups with target type 'lambda'",
    source=GROUP,
    wording=MOTO,
)
def group_of_functions(request: Json, _state: State) -> Iterator[Json]:
    """A target group of functions with a protocol, port or VPC."""
    for name, member in (("Protocol", "Protocol"), ("Port", "Port"), ("VpcId", "VPC ID")):
        if request.get("TargetType") == "lambda" and request.get(name):
            yield {"member": member}


@elb("CreateTargetGroup", message="Target groups of load balancers must have the protocol TCP", source=GROUP)
def group_of_balancers(request: Json, _state: State) -> Iterator[Json]:
    """A target group of an application load balancer with another protocol than TCP."""
    if request.get("TargetType") == "alb" and request.get("Protocol", "TCP") != "TCP":
        yield {}


@elb("CreateTargetGroup", message="Target groups with the GENEVE protocol must have port 6081", source=GROUP)
def geneve_port(request: Json, _state: State) -> Iterator[Json]:
    """A target group of the protocol GENEVE with another port than 6081."""
    if request.get("Protocol") == "GENEVE" and request.get("Port", 6081) != 6081:
        yield {}


@elb(
    "CreateTargetGroup",
    message="The {member} cannot be specified for target groups with the {protocol} protocol",
    source=GROUP,
)
def protocol_version(request: Json, _state: State) -> Iterator[Json]:
    """A protocol version, or a port of the target optimizer, for another protocol than HTTP and HTTPS."""
    protocol = request.get("Protocol")
    for name, member in (("ProtocolVersion", "protocol version"), ("TargetControlPort", "target control port")):
        if protocol and protocol not in HTTP and request.get(name):
            yield {"member": member, "protocol": protocol}


@elb(*GROUPS, message="Health check enabled must be true for target groups with target type '{type}'", source=GROUP)
def checks_disabled(request: Json, state: State) -> Iterator[Json]:
    """A target group without health checks, unless it is for functions."""
    kind = request.get("TargetType") or group_now(request, state).get("TargetType", "instance")
    if request.get("HealthCheckEnabled") is False and kind != "lambda":
        yield {"type": kind}


@elb(*GROUPS, message="Health check protocol {check} is not supported for this target group", source=GROUP)
def check_protocol(request: Json, state: State) -> Iterator[Json]:
    """A health check by another protocol than HTTP, HTTPS and TCP, or by TCP for HTTP and for load balancers."""
    now = group_now(request, state)
    protocol, kind = (request.get(name) or now.get(name) for name in ("Protocol", "TargetType"))
    check = request.get("HealthCheckProtocol")
    if check and (check not in {*HTTP, "TCP"} or (check == "TCP" and (protocol in HTTP or kind == "alb"))):
        yield {"check": check}


@elb(
    *GROUPS,
    message="Health check {member} are not supported for TCP health checks",
    source=GROUP,
    wording=REPORTS,
    error="InvalidConfigurationRequest",
)
def tcp_check(request: Json, state: State) -> Iterator[Json]:
    """A path or codes for a health check by TCP."""
    now = group_now(request, state)
    check = request.get("HealthCheckProtocol") or now.get("HealthCheckProtocol")
    is_default = not check and request.get("Protocol") in {*NETWORK, "GENEVE"} and request.get("TargetType") != "alb"
    for name, member in (("Matcher", "matchers"), ("HealthCheckPath", "paths")):
        if request.get(name) and (check == "TCP" or is_default):
            yield {"member": member}


@elb(*GROUPS, message="Matcher codes of {code} do not fit the protocol version", source=f"{API}/API_Matcher.html")
def check_matcher(request: Json, state: State) -> Iterator[Json]:
    """Codes of gRPC for another protocol version, codes of HTTP for GRPC, or codes of gRPC that are none of 0 to 99."""
    version = request.get("ProtocolVersion") or group_now(request, state).get("ProtocolVersion")
    for name, code in (request.get("Matcher") or {}).items():
        numbers = [int(number) for number in re.findall(r"\d+", code)]
        if (name == "GrpcCode") != (version == "GRPC") or (name == "GrpcCode" and max(numbers, default=100) > 99):
            yield {"code": code}


def keys(request: Json) -> list[str]:
    return [str(one.get("Key")) for one in request.get("Attributes") or ()]


@elb(
    "ModifyTargetGroupAttributes",
    message="Target group attribute key '{key}' is not recognized",
    source=ATTRIBUTE,
    wording=MOTO,
)
def attribute_key(request: Json, _state: State) -> Iterator[Json]:
    """An attribute of a target group that does not exist."""
    known = (*ANY, *SHARED, *APPLICATION_ONLY, *NETWORK_ONLY, *GATEWAY_ONLY, *FUNCTION_ONLY)
    yield from ({"key": key} for key in keys(request) if not key.startswith(known))


@elb(
    "ModifyTargetGroupAttributes",
    message="The provided target group attribute is not supported",
    source=ATTRIBUTE,
    wording=REPORTS,
    error="InvalidConfigurationRequest",
)
def attribute_of_others(request: Json, state: State) -> Iterator[Json]:
    """An attribute that target groups of this protocol or type do not have."""
    group = group_now(request, state)
    protocol = group.get("Protocol")
    if group.get("TargetType") == "lambda":
        own: tuple[str, ...] = (*FUNCTION_ONLY, *SHARED)
    elif protocol in HTTP:
        own = (*ANY, *SHARED, *APPLICATION_ONLY)
    else:
        own = (*ANY, *GATEWAY_ONLY) if protocol == "GENEVE" else (*ANY, *SHARED, *NETWORK_ONLY)
    known = (*APPLICATION_ONLY, *NETWORK_ONLY, *GATEWAY_ONLY, *FUNCTION_ONLY, *ANY, *SHARED)
    for key in keys(request):
        if group and key.startswith(known) and not key.startswith(own):
            yield {}


@elb(
    "ModifyTargetGroupAttributes",
    message="Stickiness type '{type}' is not supported for target groups with the {protocol} protocol",
    source=ATTRIBUTE,
    wording=MOTO,
    error="InvalidConfigurationRequest",
)
def stickiness_type(request: Json, state: State) -> Iterator[Json]:
    """A kind of stickiness that target groups of this protocol do not have."""
    protocol, kind = group_now(request, state).get("Protocol"), attribute(request, "stickiness.type")
    cookies, gateway = {"lb_cookie", "app_cookie"}, {"source_ip_dest_ip", "source_ip_dest_ip_proto"}
    own = cookies if protocol in HTTP else gateway if protocol == "GENEVE" else {"source_ip"}
    if protocol and kind and kind not in own:
        yield {"type": kind, "protocol": protocol}


@elb(
    "ModifyTargetGroupAttributes",
    message="You must set an application cookie name to enable stickiness of type 'app_cookie'",
    source=ATTRIBUTE,
    wording=MOTO,
    error="InvalidConfigurationRequest",
)
def cookie_name(request: Json, _state: State) -> Iterator[Json]:
    """Stickiness by the cookie of an application, without its name."""
    is_new = attribute(request, "stickiness.type") == "app_cookie"
    if is_new and not attribute(request, "stickiness.app_cookie.cookie_name"):
        yield {}


@elb(
    "ModifyTargetGroupAttributes",
    message="You cannot enable both slow start and {algorithm} algorithm on a target group",
    source=f"{GUIDE}/edit-target-group-attributes.html",
    wording=REPORTS,
    error="InvalidConfigurationRequest",
)
def slow_start_algorithm(request: Json, _state: State) -> Iterator[Json]:
    """Slow start with another algorithm than round robin."""
    algorithm, seconds = (
        attribute(request, key) for key in ("load_balancing.algorithm.type", "slow_start.duration_seconds")
    )
    if seconds not in {"", "0"} and algorithm not in {"", "round_robin"}:
        yield {"algorithm": algorithm.replace("_", " ")}


@elb(
    "ModifyTargetGroupAttributes",
    message="'slow_start.duration_seconds' value '{value}' must be 0 or between '30-900' inclusive",
    source=ATTRIBUTE,
)
def slow_start(request: Json, _state: State) -> Iterator[Json]:
    """A slow start that is neither 0 nor 30 to 900 seconds."""
    value = attribute(request, "slow_start.duration_seconds")
    if value and not (value == "0" or (value.isdigit() and 30 <= int(value) <= 900)):
        yield {"value": value}


@elb(*LISTENER_RULES, message="The '{member}' field is not compatible with '{field}'", source=CONDITION, wording=MOTO)
def condition_member(request: Json, _state: State) -> Iterator[Json]:
    """A condition with the settings of another field, or with values outside of them."""
    for condition in conditions_of(request):
        field = str(condition.get("Field"))
        flat = ["Values"] if field in {"host-header", "path-pattern"} else []
        regex = ["RegexValues"] if field in {"host-header", "path-pattern", "http-header"} else []
        wrong = set(condition) - {"Field", CONDITION_CONFIGS.get(field), *flat, *regex}
        yield from ({"member": name, "field": field} for name in sorted(wrong) if field in CONDITION_CONFIGS)


def configs(request: Json, field: str) -> Iterator[Json]:
    return (
        condition.get(CONDITION_CONFIGS[field]) or {}
        for condition in conditions_of(request)
        if condition.get("Field") == field
    )


@elb(
    *LISTENER_RULES,
    message="The 'HttpHeaderName' value is too long; the limit is '40'",
    source=CONDITION,
    wording=MOTO,
)
def header_name(request: Json, _state: State) -> Iterator[Json]:
    """A condition on a header without name, or with one of more than 40 characters."""
    names = (str(config.get("HttpHeaderName", "")) for config in configs(request, "http-header"))
    yield from ({} for name in names if not 1 <= len(name) <= 40)


@elb(
    *LISTENER_RULES,
    message="The 'http-request-method' value is invalid; the allowed characters are A-Z, hyphen and underscore",
    source=CONDITION,
    wording=MOTO,
)
def method_value(request: Json, _state: State) -> Iterator[Json]:
    """A method of other characters than capital letters, hyphens and underscores."""
    for config in configs(request, "http-request-method"):
        yield from ({} for value in config.get("Values") or () if not re.fullmatch(r"[A-Z_-]{1,40}", value))


@elb(
    *LISTENER_RULES,
    message="A 'Value' must be specified in 'QueryStringKeyValuePair'",
    source=CONDITION,
    wording=MOTO,
)
def query_value(request: Json, _state: State) -> Iterator[Json]:
    """A condition on the query string that has a key alone."""
    for config in configs(request, "query-string"):
        yield from ({} for pair in config.get("Values") or () if not pair.get("Value"))


@elb(*LISTENER_RULES, message="The source IP value '{value}' must be in CIDR format", source=CONDITION)
def source_network(request: Json, _state: State) -> Iterator[Json]:
    """A source address that is not a network in CIDR notation."""
    for config in configs(request, "source-ip"):
        values = config.get("Values") or ()
        yield from ({"value": value} for value in values if not re.fullmatch(r"[0-9A-Fa-f.:]+/\d{1,3}", value))


@elb(
    *LISTENERS,
    *LISTENER_RULES,
    message="An action of type '{type}' must have a '{config}'",
    source=ACTION,
)
def action_settings(request: Json, _state: State) -> Iterator[Json]:
    """An action without the settings of its type."""
    for action in actions_of(request):
        config = ACTION_CONFIGS.get(action["Type"])
        if config and not action.get(config):
            yield {"type": action["Type"], "config": config}


def protocol_of(request: Json, state: State) -> str:
    """The protocol of the listener that a request is about."""
    return str(request.get("Protocol") or listener_of(request, state).get("Protocol", ""))


@elb(
    *LISTENERS,
    *LISTENER_RULES,
    message="Actions of type '{type}' are supported only on HTTPS listeners",
    source=ACTION,
    error="InvalidLoadBalancerAction",
)
def secure_action(request: Json, state: State) -> Iterator[Json]:
    """Authentication or the validation of tokens on a listener without HTTPS."""
    protocol = protocol_of(request, state)
    for action in actions_of(request):
        if protocol and protocol != "HTTPS" and action["Type"] in SECURE:
            yield {"type": action["Type"]}


@elb(
    "CreateRule",
    message="A client secret must be specified for actions of type 'authenticate-oidc'",
    source=f"{API}/API_AuthenticateOidcActionConfig.html",
    error="InvalidLoadBalancerAction",
)
def client_secret(request: Json, _state: State) -> Iterator[Json]:
    """A new rule that authenticates by OpenID Connect without the client's secret."""
    for action in actions_of(request):
        if action["Type"] == "authenticate-oidc" and not (action.get("AuthenticateOidcConfig") or {}).get(
            "ClientSecret"
        ):
            yield {}


@elb(
    *LISTENERS,
    *LISTENER_RULES,
    message="Weight '{weight}' of a target group must be between '0-999' inclusive",
    source=f"{API}/API_TargetGroupTuple.html",
)
def weight(request: Json, _state: State) -> Iterator[Json]:
    """A weight of more than 999."""
    for action in actions_of(request):
        for group in (action.get("ForwardConfig") or {}).get("TargetGroups") or ():
            if not 0 <= int(group.get("Weight", 1)) <= 999:
                yield {"weight": group["Weight"]}


@elb(
    *LISTENERS,
    *LISTENER_RULES,
    message="Target group stickiness duration must be specified and between 1 and 604800 seconds",
    source=f"{API}/API_TargetGroupStickinessConfig.html",
)
def sticky_seconds(request: Json, _state: State) -> Iterator[Json]:
    """Stickiness of a target group that is enabled without a duration."""
    for action in actions_of(request):
        sticky = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
        if sticky.get("Enabled") and not 1 <= int(sticky.get("DurationSeconds") or 0) <= 604800:
            yield {}


@elb(
    *LISTENER_RULES,
    message="A rule can only have one transform of each type",
    source=TRANSFORM,
    wording="https://github.com/ministackorg/ministack/blob/main/ministack/services/alb.py",
)
def transform_twice(request: Json, _state: State) -> Iterator[Json]:
    """Two transforms of one type."""
    kinds = [str(transform.get("Type")) for transform in request.get("Transforms") or ()]
    if len(kinds) > len(set(kinds)):
        yield {}

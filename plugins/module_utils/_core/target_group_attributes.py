# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes of target groups: which there are, what values each takes, and for which load balancers. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
"""

from __future__ import annotations

import re
import typing as t

from .shapes import did_you_mean, text_of
from .target_groups import DELAY, DELAY_ATTRIBUTE
from .types import Json

# Kinds of target groups, as far as attributes differ: by load balancer, and those of Lambda functions.
ALB, NLB, GWLB, LAMBDA = "Application Load Balancers", "Network Load Balancers", "Gateway Load Balancers", "functions"
KINDS = {
    **dict.fromkeys(("HTTP", "HTTPS"), ALB),
    **dict.fromkeys(("TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"), NLB),
    "GENEVE": GWLB,
}
# Values that AWS refuses for a protocol.
_CLIENT_IP = ("preserve_client_ip.enabled", "false")
_TERMINATION = ("target_health_state.unhealthy.connection_termination.enabled", "true")
IMPOSSIBLE = {
    "TLS": (("stickiness.enabled", "true"),),
    "UDP": (_CLIENT_IP, _TERMINATION),
    "TCP_UDP": (_CLIENT_IP, _TERMINATION),
}
WEEK = 604800


class Range(t.NamedTuple):
    """Whole numbers, and words that stand for others."""

    least: int
    most: int | None = None
    words: tuple[str, ...] = ()

    def takes(self, value: str) -> bool:
        number = int(value) if re.fullmatch(r"\d{1,9}", value) else -1
        return value in self.words or (number >= self.least and (self.most is None or number <= self.most))

    def __str__(self) -> str:
        numbers = f"{self.least} or more" if self.most is None else f"{self.least} to {self.most}"
        return " or ".join((*self.words, numbers))


class Words(t.NamedTuple):
    words: tuple[str, ...]

    def takes(self, value: str) -> bool:
        return value in self.words

    def __str__(self) -> str:
        return " or ".join(self.words)


class CookieName(t.NamedTuple):
    """AWS reserves some names; an empty one asks for none."""

    def takes(self, value: str) -> bool:
        return bool(re.fullmatch(r"(?!AWSALB)[!#$%&'*+.^`|~\w-]{0,255}", value, re.ASCII))

    def __str__(self) -> str:
        return "a name of a cookie that does not begin with AWSALB"


class Attribute(t.NamedTuple):
    kinds: tuple[str, ...]
    values: Range | Words | CookieName


SWITCH = Words(("true", "false"))
STICKINESS = {
    ALB: ("lb_cookie", "app_cookie"),
    NLB: ("source_ip",),
    GWLB: ("source_ip_dest_ip", "source_ip_dest_ip_proto"),
}
_REBALANCE = Words(("rebalance", "no_rebalance"))
_PERCENTAGE = Range(1, 100, ("off",))
_HEALTH = "target_group_health"
ATTRIBUTES: dict[str, Attribute] = {
    DELAY_ATTRIBUTE: Attribute((ALB, NLB, GWLB), Range(0, 3600)),
    "deregistration_delay.connection_termination.enabled": Attribute((NLB,), SWITCH),
    "stickiness.enabled": Attribute((ALB, NLB, GWLB), SWITCH),
    "stickiness.type": Attribute((ALB, NLB, GWLB), Words(tuple(word for some in STICKINESS.values() for word in some))),
    "stickiness.app_cookie.cookie_name": Attribute((ALB,), CookieName()),
    "stickiness.app_cookie.duration_seconds": Attribute((ALB,), Range(1, WEEK)),
    "stickiness.lb_cookie.duration_seconds": Attribute((ALB,), Range(1, WEEK)),
    "load_balancing.cross_zone.enabled": Attribute(
        (ALB, NLB, LAMBDA), Words(("true", "false", "use_load_balancer_configuration"))
    ),
    "load_balancing.algorithm.type": Attribute(
        (ALB,), Words(("round_robin", "least_outstanding_requests", "weighted_random"))
    ),
    "load_balancing.algorithm.anomaly_mitigation": Attribute((ALB,), Words(("on", "off"))),
    "slow_start.duration_seconds": Attribute((ALB,), Range(30, 900, ("0",))),
    f"{_HEALTH}.dns_failover.minimum_healthy_targets.count": Attribute((ALB, NLB, LAMBDA), Range(1, words=("off",))),
    f"{_HEALTH}.dns_failover.minimum_healthy_targets.percentage": Attribute((ALB, NLB, LAMBDA), _PERCENTAGE),
    f"{_HEALTH}.unhealthy_state_routing.minimum_healthy_targets.count": Attribute((ALB, NLB, LAMBDA), Range(1)),
    f"{_HEALTH}.unhealthy_state_routing.minimum_healthy_targets.percentage": Attribute((ALB, NLB, LAMBDA), _PERCENTAGE),
    "preserve_client_ip.enabled": Attribute((NLB,), SWITCH),
    "proxy_protocol_v2.enabled": Attribute((NLB,), SWITCH),
    "target_health_state.unhealthy.connection_termination.enabled": Attribute((NLB,), SWITCH),
    "target_health_state.unhealthy.draining_interval_seconds": Attribute((NLB,), Range(0, 360000)),
    "target_failover.on_deregistration": Attribute((GWLB,), _REBALANCE),
    "target_failover.on_unhealthy": Attribute((GWLB,), _REBALANCE),
    "send_tcp_reset.on_deregistration.enabled": Attribute((GWLB,), SWITCH),
    "send_tcp_reset.on_unhealthy.enabled": Attribute((GWLB,), SWITCH),
    "lambda.multi_value_headers.enabled": Attribute((LAMBDA,), SWITCH),
}


def as_text(given: Json) -> dict[str, str]:
    """Attributes as AWS takes them: true as text, and numbers. What is no text is refused by `value_problems`."""
    return {str(key): text_of(value) or "" for key, value in given.items()}


def value_problems(given: Json) -> t.Iterator[str]:
    """Unknown keys and impossible values, whatever the kind of the target group."""
    for key, value in given.items():
        known, text = ATTRIBUTES.get(str(key)), text_of(value)
        if key == DELAY_ATTRIBUTE:
            yield f"attributes: expected the option {DELAY}, got the attribute {key}. Use the option."
        elif known is None:
            yield f"attributes: unknown attribute '{key}'{did_you_mean(str(key), list(ATTRIBUTES), False)}."
        elif text is None or not known.values.takes(text):
            shown = "null" if value is None else repr(value)
            yield f"attributes, {key}: expected {known.values}, got {shown}."


def kind_of(group: Json) -> str:
    return LAMBDA if group.get("target_type") == "lambda" else KINDS.get(str(group.get("protocol")), "")


def kind_problems(group: Json, given: t.Collection[str]) -> t.Iterator[str]:
    """What the kind of the target group does not allow of the attributes that were `given`; `group` is as desired."""
    kind, protocol, attributes = kind_of(group), group.get("protocol"), group.get("attributes") or {}
    for key in given:
        if kind and kind not in ATTRIBUTES[key].kinds:
            kinds = " and ".join(ATTRIBUTES[key].kinds)
            yield f"attributes, {key}: expected only for {kinds}, got one for {kind}."
    stickiness = attributes.get("stickiness.type")
    if "stickiness.type" in given and kind in STICKINESS and stickiness not in STICKINESS[kind]:
        expected = " or ".join(STICKINESS[kind])
        yield f"attributes, stickiness.type: expected {expected} for {kind}, got {stickiness}."
    for key, value in IMPOSSIBLE.get(str(protocol), ()):
        if key in given and attributes.get(key) == value:
            yield f"attributes, {key}: expected another value for {protocol}, got {value}."
    yield from _combination_problems(attributes, given)


def _combination_problems(attributes: Json, given: t.Collection[str]) -> t.Iterator[str]:
    """Attributes that exclude each other, where one of them was given."""
    algorithm = attributes.get("load_balancing.algorithm.type", "round_robin")
    mitigation = attributes.get("load_balancing.algorithm.anomaly_mitigation", "off")
    slow_start = attributes.get("slow_start.duration_seconds", "0")
    if mitigation == "on" and algorithm != "weighted_random" and any("algorithm" in key for key in given):
        yield (
            "attributes, load_balancing.algorithm.anomaly_mitigation: expected off with the algorithm"
            f" {algorithm}, got on. Only weighted_random has it."
        )
    together = {"slow_start.duration_seconds", "load_balancing.algorithm.type"}
    if slow_start != "0" and algorithm != "round_robin" and together & set(given):
        yield f"attributes, slow_start.duration_seconds: expected 0 with the algorithm {algorithm}, got {slow_start}."
    cookie = attributes.get("stickiness.app_cookie.cookie_name")
    if attributes.get("stickiness.type") == "app_cookie" and not cookie and "stickiness.type" in given:
        yield "attributes, stickiness.app_cookie.cookie_name: expected a name for app_cookie, got none."
    yield from _pair_problems(attributes, given)


def _pair_problems(attributes: Json, given: t.Collection[str]) -> t.Iterator[str]:
    termination = "target_health_state.unhealthy.connection_termination.enabled"
    interval = "target_health_state.unhealthy.draining_interval_seconds"
    if interval in given and attributes[interval] != "0" and attributes.get(termination, "true") == "true":
        yield f"attributes, {interval}: expected 0 while {termination} is true, got {attributes[interval]}."
    failover = [f"target_failover.on_{event}" for event in ("deregistration", "unhealthy")]
    values = [attributes.get(key, "no_rebalance") for key in failover]
    if set(failover) & set(given) and values[0] != values[1]:
        yield f"attributes, {failover[0]} and {failover[1]}: expected the same value, got {values[0]} and {values[1]}."

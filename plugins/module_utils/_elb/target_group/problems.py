# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a target group's type and protocol do not allow of its options. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
"""

from __future__ import annotations

import re
import typing as t

from ..._core.target_group_attributes import ALB, KINDS, kind_of
from ..._core.target_groups import CODES, DELAY, matcher_of
from ..._core.types import Json

GENEVE_PORT = 6081
_CODE_LIST = re.compile(r"\d{1,3}(-\d{1,3})?(,\d{1,3}(-\d{1,3})?)*")
# The codes that health checks may expect, by the kind of load balancer; gRPC has its own.
_GRPC = range(100)
_HTTP = {
    ALB: range(200, 500),
    "Network Load Balancers": range(200, 600),
    "Gateway Load Balancers": range(200, 400),
    "functions": range(200, 500),
}
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
_NOT_FOR_FUNCTIONS = (
    "protocol",
    "protocol_version",
    "port",
    "vpc_id",
    "target_control_port",
    "health_check_protocol",
    "health_check_port",
    DELAY,
)


def problems(group: Json, given: t.Collection[str], is_new: bool) -> t.Iterator[str]:
    """One sentence each. `group` is as desired, with what it has already; `given` are the options that were given."""
    if group.get("target_type") == "lambda":
        yield from (
            f"{name}: expected none for the target type lambda, got {group[name]}."
            for name in _NOT_FOR_FUNCTIONS
            if name in given
        )
    else:
        yield from _required(group) if is_new else ()
        yield from _of_protocol(group, given)
        if group.get("health_check_enabled") is False and "health_check_enabled" in given:
            yield (
                "health_check_enabled: expected true, because only the target type lambda works without health"
                " checks, got false."
            )
    yield from _of_health_check(group, given)


def _required(group: Json) -> t.Iterator[str]:
    kind = group.get("target_type") or "instance"
    missing = [name for name in ("protocol", "port", "vpc_id") if not group.get(name)]
    yield from (f"{name}: expected a value for a new target group of type {kind}, got none." for name in missing)


def _of_protocol(group: Json, given: t.Collection[str]) -> t.Iterator[str]:
    protocol, kind = group.get("protocol"), kind_of(group)
    if protocol and group.get("target_type") == "alb" and protocol != "TCP":
        yield f"protocol: expected TCP for the target type alb, got {protocol}."
    if protocol == "GENEVE" and group.get("port") not in (None, GENEVE_PORT):
        yield f"port: expected {GENEVE_PORT} for GENEVE, got {group['port']}."
    for name in ("protocol_version", "target_control_port"):
        if name in given and kind and kind != ALB:
            yield f"{name}: expected only with the protocols HTTP and HTTPS, got {group[name]} with {protocol}."


def _of_health_check(group: Json, given: t.Collection[str]) -> t.Iterator[str]:
    protocol, check = group.get("protocol"), group.get("health_check_protocol")
    if "health_check_protocol" in given and check == "TCP" and kind_of(group) == ALB:
        yield f"health_check_protocol: expected HTTP or HTTPS for the protocol {protocol}, got TCP."
    if "health_check_protocol" in given and check == "TCP" and group.get("target_type") == "alb":
        yield "health_check_protocol: expected HTTP or HTTPS for the target type alb, got TCP."
    if check == "TCP" or (check is None and protocol in KINDS and kind_of(group) != ALB):
        wrong = [name for name in ("health_check_path", CODES) if name in given]
        if group.get("target_type") != "alb":
            yield from (f"{name}: expected only for HTTP or HTTPS health checks, got it for TCP." for name in wrong)
    port = group.get("health_check_port")
    if "health_check_port" in given and port != "traffic-port":
        number = int(str(port)) if re.fullmatch(r"\d{1,5}", str(port)) else 0
        if not 1 <= number <= 65535:
            yield f"health_check_port: expected traffic-port or 1 to 65535, got {port}."
    if CODES in given:
        yield from _of_codes(group)


def _of_codes(group: Json) -> t.Iterator[str]:
    codes, is_grpc = group[CODES], group.get("protocol_version") == "GRPC"
    allowed = _GRPC if is_grpc else _HTTP.get(kind_of(group), range(200, 600))
    numbers = [int(code) for code in re.findall(r"\d+", codes)]
    if (
        not _CODE_LIST.fullmatch(codes)
        or not all(number in allowed for number in numbers)
        or (matcher_of(codes) == "GrpcCode") != is_grpc
    ):
        example = "0 or 0-5" if is_grpc else "200 or 200-399"
        yield f"{CODES}: expected codes from {allowed[0]} to {allowed[-1]}, such as {example}, got {codes!r}."

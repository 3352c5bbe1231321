# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of target groups that change while targets are registered: option names, and the requests. Pure."""

from __future__ import annotations

import re
import typing as t

from .types import Json

# Options, and what AWS calls them.
HEALTH = {
    "health_check_enabled": "HealthCheckEnabled",
    "health_check_protocol": "HealthCheckProtocol",
    "health_check_port": "HealthCheckPort",
    "health_check_path": "HealthCheckPath",
    "health_check_interval": "HealthCheckIntervalSeconds",
    "health_check_timeout": "HealthCheckTimeoutSeconds",
    "healthy_threshold": "HealthyThresholdCount",
    "unhealthy_threshold": "UnhealthyThresholdCount",
}
CODES = "health_check_codes"
DELAY = "deregistration_delay"
DELAY_ATTRIBUTE = "deregistration_delay.timeout_seconds"

HEALTH_OPTIONS = frozenset({*HEALTH, CODES})
# Module options of the settings.
ARGUMENTS: dict[str, Json] = {
    "health_check_enabled": {"type": "bool"},
    "health_check_protocol": {"type": "str", "choices": ["HTTP", "HTTPS", "TCP"]},
    "health_check_port": {"type": "str"},
    "health_check_path": {"type": "str"},
    CODES: {"type": "str"},
    "health_check_interval": {"type": "int"},
    "health_check_timeout": {"type": "int"},
    "healthy_threshold": {"type": "int"},
    "unhealthy_threshold": {"type": "int"},
    DELAY: {"type": "int"},
}


def settings_of(found: Json, attributes: t.Iterable[Json]) -> Json:
    """The settings by option, from the answers of DescribeTargetGroups and DescribeTargetGroupAttributes."""
    by_key = {one["Key"]: one["Value"] for one in attributes}
    matcher = found.get("Matcher") or {}
    return {
        **{option: found.get(member) for option, member in HEALTH.items()},
        CODES: matcher.get("HttpCode") or matcher.get("GrpcCode"),
        # A Lambda function has none.
        DELAY: None if found.get("TargetType") == "lambda" else int(by_key.get(DELAY_ATTRIBUTE, 300)),
    }


def health_request(wanted: Json) -> Json:
    """Of a request, what concerns the health check."""
    request = {member: wanted[option] for option, member in HEALTH.items() if wanted.get(option) is not None}
    return {**request, **({"Matcher": {matcher_of(wanted[CODES]): wanted[CODES]}} if wanted.get(CODES) else {})}


def matcher_of(codes: str) -> t.Literal["GrpcCode", "HttpCode"]:
    """Codes of gRPC have one or two digits (0 to 99), those of HTTP three."""
    return "HttpCode" if re.match(r"\d{3}", codes) else "GrpcCode"


def attributes_request(wanted: Json) -> list[Json]:
    return [{"Key": DELAY_ATTRIBUTE, "Value": str(wanted[DELAY])}] if DELAY in wanted else []


def settling_seconds(settings: Json) -> int:
    """How long targets may still have the state that earlier settings gave them."""
    checks = max(int(settings["healthy_threshold"] or 5), int(settings["unhealthy_threshold"] or 2))
    return checks * int(settings["health_check_interval"] or 30) + int(settings["health_check_timeout"] or 5)


def target_group_pairs(service: Json) -> list[list[str]]:
    """The target group of each load balancer, with the alternate one if ECS shifts traffic between them."""
    pairs = (
        (item.get("targetGroupArn"), (item.get("advancedConfiguration") or {}).get("alternateTargetGroupArn"))
        for item in service.get("loadBalancers") or ()
    )
    return [[str(arn) for arn in pair if arn] for pair in pairs if pair[0]]

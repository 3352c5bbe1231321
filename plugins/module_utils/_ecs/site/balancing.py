# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Target groups and listener rules of services, as ecs_load_balancer_target_groups. Pure.

The role sets the same rules on each of its listeners, and each forwards to one target group. Target groups that are
used otherwise are named by ARN, and stay as they are.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ..._core.notes import Note
from ..._core.target_group_attributes import kind_problems, value_problems
from ..._core.target_groups import DELAY_ATTRIBUTE, settings_of
from ..._core.types import Json
from . import rules as rules_of

# What the role sets of a target group, beside its settings.
_FIXED = {"protocol": "Protocol", "port": "Port", "target_type": "TargetType"}
# The same, where it is not AWS's default, which the role leaves to AWS.
_UNUSUAL = {
    "protocol_version": ("ProtocolVersion", "HTTP1"),
    "ip_address_type": ("IpAddressType", "ipv4"),
    "health_check_port": ("HealthCheckPort", "traffic-port"),
}
# What the role puts after the name of a target group for the one that ECS shifts traffic to.
ALTERNATE = "-2"
_PROTOCOLS = ("HTTP", "HTTPS")
# Of each target group without any; the inventory has what differs.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
_HEALTH = "target_group_health"
_ATTRIBUTES = {
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "stickiness.app_cookie.cookie_name": "",
    "stickiness.app_cookie.duration_seconds": "86400",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    f"{_HEALTH}.dns_failover.minimum_healthy_targets.count": "1",
    f"{_HEALTH}.dns_failover.minimum_healthy_targets.percentage": "off",
    f"{_HEALTH}.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    f"{_HEALTH}.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
_SETTINGS = (
    "health_check_protocol",
    "health_check_path",
    "health_check_codes",
    "health_check_interval",
    "health_check_timeout",
    "healthy_threshold",
    "unhealthy_threshold",
    "deregistration_delay",
)


class Balancing(t.NamedTuple):
    """`variables` are those of the role, `names` of the target groups by ARN, as services refer to them."""

    variables: Json
    names: dict[str, str]
    notes: list[Note]


class Answers(t.NamedTuple):
    """`groups` have `Attributes`, listeners have `Rules`, and balancers have `Listeners`."""

    groups: t.Sequence[Json]
    balancers: t.Sequence[Json]


def elements(found: Answers) -> Balancing:
    """The load balancer that most target groups are behind, its listeners with rules for them, and these groups."""
    used = Counter(arn for group in found.groups for arn in group.get("LoadBalancerArns") or ())
    known = [one for one in found.balancers if one.get("Type", "application") == "application"]
    balancer = max(known, key=lambda one: (used[one["LoadBalancerArn"]], one["LoadBalancerArn"]), default=None)
    rules = rules_of.of_balancer(balancer or {}, {group["TargetGroupArn"] for group in found.groups})
    listeners = rules_of.listeners(rules)
    written, further, notes, names = [], list[Json](), list[Note](), dict[str, str]()
    for group in sorted(found.groups, key=lambda one: str(one["TargetGroupName"])):
        own, reason = rules_of.of_group([rule for rule in rules if rule.group == group["TargetGroupArn"]], listeners)
        if reason := _reason(group, balancer, found.groups) or reason:
            notes.append(_note(group, reason))
            continue
        item, more = _group(group)
        written.append({**item, **(own[0] if own else {})})
        further += [{"target_group": item["name"], **rule} for rule in own[1:]]
        notes += more
        names[str(group["TargetGroupArn"])] = str(item["name"])
    # The first one is that of the requests which no rule takes.
    written.sort(key=lambda item: "priority" in item)
    variables: Json = {"ecs_load_balancer_target_groups": written}
    if balancer and written:
        variables |= {
            "ecs_load_balancer_arn": balancer["LoadBalancerArn"],
            "ecs_load_balancer_listener_arns": listeners,
            **_redirects(balancer, listeners),
            **({"ecs_load_balancer_rules": rules_of.by_priority(further)} if further else {}),
        }
    return Balancing(variables, names, notes)


def _redirects(balancer: Json, listeners: t.Sequence[str]) -> Json:
    """Rules on a listener of HTTP forward as those of HTTPS do, where the role would redirect."""
    protocols = {one.get("Protocol") for one in balancer["Listeners"] if one["ListenerArn"] in listeners}
    return {"ecs_load_balancer_redirect_http": False} if protocols >= {*_PROTOCOLS} else {}


def _note(group: Json, reason: str) -> Note:
    return Note(
        f"target_groups.{group['TargetGroupName']}",
        f"It cannot be expressed, because {reason}.",
        "The service refers to it by ARN. Runs do not change its settings and rules.",
    )


def _reason(group: Json, balancer: Json | None, groups: t.Sequence[Json]) -> str:
    """Why the role cannot have the target group, whatever its rules."""
    arns, name = group.get("LoadBalancerArns") or [], str(group["TargetGroupName"])
    first = name.removesuffix(ALTERNATE)
    if not arns:
        return "no load balancer uses it"
    if balancer is None or balancer["LoadBalancerArn"] not in arns:
        return "it is behind another load balancer"
    if group.get("Protocol") not in _PROTOCOLS:
        return f"its protocol is {group.get('Protocol')}"
    if first != name and any(one["TargetGroupName"] == first for one in groups):
        return f"the role considers it the alternate target group of {first}"
    return ""


def _group(group: Json) -> tuple[Json, list[Note]]:
    """An element of ecs_load_balancer_target_groups without its rule."""
    settings, name = settings_of(group, group["Attributes"]), str(group["TargetGroupName"])
    attributes, notes = _attributes(group)
    unusual = {option: group.get(member) for option, (member, usual) in _UNUSUAL.items() if group.get(member) != usual}
    if group.get("TargetControlPort"):
        notes.append(_left(f"{name}.TargetControlPort", "the role has no variable for it"))
    return {
        "name": name,
        "target_group_name": name,
        **{option: group[member] for option, member in _FIXED.items() if group.get(member) is not None},
        **{option: value for option, value in unusual.items() if value is not None},
        **{option: settings[option] for option in _SETTINGS if settings.get(option) is not None},
        **({"attributes": attributes} if attributes else {}),
    }, notes


def _left(place: str, reason: str) -> Note:
    return Note(f"target_groups.{place}", f"It cannot be expressed, because {reason}.", "Runs do not change it.")


def _attributes(group: Json) -> tuple[dict[str, str], list[Note]]:
    """The attributes that are not AWS's defaults."""
    all_of = {str(one["Key"]): str(one.get("Value") or "") for one in group["Attributes"]}
    given = {key: value for key, value in all_of.items() if key != DELAY_ATTRIBUTE and value != _ATTRIBUTES.get(key)}
    options = {"protocol": group.get("Protocol"), "target_type": group.get("TargetType"), "attributes": all_of}
    written, notes = dict[str, str](), list[Note]()
    for key, value in sorted(given.items()):
        problem = next(value_problems({key: value}), "") or next(kind_problems(options, [key]), "")
        if problem:
            place = f"{group['TargetGroupName']}.attributes.{key}"
            notes.append(_left(place, f"elb_target_group refuses it ({problem.rstrip('.')})"))
        else:
            written[key] = value
    return written, notes

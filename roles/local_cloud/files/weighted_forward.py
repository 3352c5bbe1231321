# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of the emulator: a listener or rule forwards to several target groups, each with its weight.

The emulator knows forwards to one target group only. On AWS, a group gets its weight's share of the requests, none with
weight 0.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ForwardActionConfig.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-action-types.html#forward-actions
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from emulator_patches import wrap

Json = dict[str, Any]
CHANGES = ("_create_listener", "_modify_listener", "_create_rule", "_modify_rule")
DEFAULT_WEIGHT = 1


def groups_of(action: Json) -> dict[str, int]:
    """Weights by target group of an action that forwards, also of one without weights."""
    listed = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
    weights = {group["TargetGroupArn"]: int(group["Weight"]) for group in listed}
    return weights or ({action["TargetGroupArn"]: DEFAULT_WEIGHT} if action.get("TargetGroupArn") else {})


def forward_to(weights: Mapping[str, int]) -> Json:
    """An action that forwards to several target groups."""
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


class Turns:
    """Smooth weighted turns: whatever the number of requests, each group has served its share of them."""

    def __init__(self) -> None:
        self._credits: dict[tuple[tuple[str, int], ...], dict[str, float]] = {}

    def next(self, weights: Mapping[str, int]) -> str:
        served = {arn: weight for arn, weight in weights.items() if weight}
        if not served:
            return ""
        credit = self._credits.setdefault(tuple(sorted(weights.items())), dict.fromkeys(served, 0.0))
        for arn, weight in served.items():
            credit[arn] += weight
        chosen = max(credit, key=lambda arn: credit[arn])
        credit[chosen] -= sum(served.values())
        return chosen


def requested(alb: ModuleType, params: Json, prefix: str) -> dict[str, int]:
    """The weights that a request has at this action."""
    found: dict[str, int] = {}
    number = 1
    while arn := alb._p(params, f"{prefix}.ForwardConfig.TargetGroups.member.{number}.TargetGroupArn"):
        weight = alb._p(params, f"{prefix}.ForwardConfig.TargetGroups.member.{number}.Weight", str(DEFAULT_WEIGHT))
        found[arn] = int(weight)
        number += 1
    return found


def kept(alb: ModuleType) -> None:
    """Weights are part of actions."""

    @wrap(alb, "_parse_actions")
    def parse(original: Callable[..., Any], params: Json, prefix: str = "DefaultActions") -> Any:
        actions = original(params, prefix)
        for number, action in enumerate(actions, 1):
            weights = requested(alb, params, f"{prefix}.member.{number}")
            if len(weights) == 1 and list(weights.values()) != [0]:
                action["TargetGroupArn"] = next(iter(weights))
            elif weights:
                action |= {"ForwardConfig": forward_to(weights)["ForwardConfig"]}
                action.pop("TargetGroupArn", None)
        return actions

    @wrap(alb, "_action_xml")
    def describe(original: Callable[..., str], action: Json) -> str:
        text = original(action)
        if "ForwardConfig" not in action:
            return text
        members = "".join(
            f"<member><TargetGroupArn>{arn}</TargetGroupArn><Weight>{weight}</Weight></member>"
            for arn, weight in groups_of(action).items()
        )
        sticky = "<TargetGroupStickinessConfig><Enabled>false</Enabled></TargetGroupStickinessConfig>"
        config = f"<ForwardConfig><TargetGroups>{members}</TargetGroups>{sticky}</ForwardConfig>"
        return text.removesuffix("</member>") + config + "</member>"


def weighted_forward(alb: ModuleType) -> None:
    """Requests are shared by weight, and weights are returned as they were set."""
    kept(alb)
    turns = Turns()

    @wrap(alb, "_execute_action")
    async def execute(original: Callable[..., Any], action: Json, *args: Any, **kwargs: Any) -> Any:
        if "ForwardConfig" in action:
            action = {"Type": "forward", "TargetGroupArn": turns.next(groups_of(action))}
        return await original(action, *args, **kwargs)

    for name in CHANGES:

        @wrap(alb, name)
        def change(original: Callable[..., Any], params: Json) -> Any:
            response = original(params)
            associate(alb)
            return response


def associate(alb: ModuleType) -> None:
    """A target group names the load balancers that forward to it."""
    for holder in (*alb._listeners.values(), *alb._rules.values()):
        balancer = (alb._listeners.get(holder["ListenerArn"]) or {}).get("LoadBalancerArn")
        actions = holder.get("Actions") or holder.get("DefaultActions") or ()
        for group in (alb._tgs.get(arn) for action in actions for arn in groups_of(action)):
            if group and balancer and balancer not in group["LoadBalancerArns"]:
                group["LoadBalancerArns"].append(balancer)


def set_weights(alb: ModuleType, rule_arn: str, weights: Mapping[str, int]) -> None:
    """Change a rule's weights, as ECS does; the default rule of a listener has the listener's own actions."""
    rule = alb._rules[rule_arn]
    rule["Actions"] = [forward_to(weights)]
    if rule.get("IsDefault"):
        alb._listeners[rule["ListenerArn"]]["DefaultActions"] = rule["Actions"]
    associate(alb)

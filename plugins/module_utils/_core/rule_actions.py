# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Actions and transforms of listener rules in one form, and what AWS refuses of them. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
"""

from __future__ import annotations

import typing as t

from .types import Json

FORWARD = "forward"
OIDC = "authenticate-oidc"
# The member that holds the settings of an action, by its type.
CONFIGURATIONS = {
    FORWARD: "ForwardConfig",
    "redirect": "RedirectConfig",
    "fixed-response": "FixedResponseConfig",
    OIDC: "AuthenticateOidcConfig",
    "authenticate-cognito": "AuthenticateCognitoConfig",
    "jwt-validation": "JwtValidationConfig",
}
OIDC_CONFIG = CONFIGURATIONS[OIDC]
# Each rule ends with exactly one of these.
LAST = (FORWARD, "redirect", "fixed-response")
# What AWS never returns, and the option for it.
UNSEEN = {"ClientSecret": "client_secret", "UseExistingClientSecret": "renew_client_secret"}
_SESSION: Json = {
    "SessionCookieName": "AWSELBAuthSessionCookie",
    "Scope": "openid",
    "SessionTimeout": 604800,
    "OnUnauthenticatedRequest": "authenticate",
}
# What AWS fills in.
DEFAULTS: dict[str, Json] = {
    "redirect": {
        "Protocol": "#{protocol}",
        "Port": "#{port}",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
    },
    "fixed-response": {"ContentType": "text/plain", "MessageBody": ""},
    OIDC: _SESSION,
    "authenticate-cognito": _SESSION,
}
CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
TRANSFORMS = {"host-header-rewrite": "HostHeaderRewriteConfig", "url-rewrite": "UrlRewriteConfig"}
LONGEST_REWRITE = 1024
MOST_WEIGHT = 999
MOST_GROUPS = 5


def normal(action: Json) -> Json:
    """An action without what AWS fills in, nor its place, nor what AWS never returns."""
    kind = str(action["Type"])
    name = CONFIGURATIONS.get(kind)
    if name is None:
        return {key: value for key, value in action.items() if key != "Order"}
    config = {
        key: _sorted(value)
        for key, value in (action.get(name) or {}).items()
        if value not in (None, {}, []) and value != DEFAULTS.get(kind, {}).get(key) and key not in UNSEEN
    }
    return {"Type": kind, **({name: config} if config else {})}


def _sorted(value: t.Any) -> t.Any:
    """Claims of a token in one order, and the values of each."""
    if not isinstance(value, list):
        return value
    claims = [{**claim, "Values": sorted(claim.get("Values") or ())} for claim in value]
    return sorted(claims, key=lambda claim: str(claim.get("Name")))


def forward_of(action: Json) -> Json:
    """The target groups of an action that forwards, and stickiness if it is enabled."""
    config = action.get("ForwardConfig") or {}
    listed = config.get("TargetGroups") or [{"TargetGroupArn": action.get("TargetGroupArn")}]
    groups = [
        {"target_group_arn": str(group.get("TargetGroupArn") or ""), "weight": int(group.get("Weight", 1))}
        for group in listed
    ]
    sticky = config.get("TargetGroupStickinessConfig") or {}
    members: Json = {"stickiness": sticky} if sticky.get("Enabled") else {}
    if len(groups) == 1 and groups[0]["weight"]:
        return {"target_group_arn": groups[0]["target_group_arn"], **members}
    return {"target_groups": sorted(groups, key=lambda group: str(group["target_group_arn"])), **members}


def split(actions: t.Sequence[Json]) -> Json:
    """The options of a rule's actions: where it forwards to in the end, and the other actions."""
    ordered = sorted(actions, key=lambda action: int(action.get("Order") or 0))
    forwards = bool(ordered) and ordered[-1]["Type"] == FORWARD
    others = [normal(action) for action in (ordered[:-1] if forwards else ordered)]
    return {**(forward_of(ordered[-1]) if forwards else {}), **({"actions": others} if others else {})}


def joined(rule: Json) -> list[Json]:
    """The actions of a rule, as AWS takes them: the reverse of `split`."""
    forward = [_forward(rule)] if {"target_group_arn", "target_groups"} & set(rule) else []
    found = [*rule.get("actions", ()), *forward]
    return [{**action, "Order": number} for number, action in enumerate(found, 1)] if len(found) > 1 else found


def _forward(rule: Json) -> Json:
    if "target_groups" not in rule and "stickiness" not in rule:
        return {"Type": FORWARD, "TargetGroupArn": rule["target_group_arn"]}
    listed = rule.get("target_groups") or [{"target_group_arn": rule["target_group_arn"], "weight": 1}]
    groups = [{"TargetGroupArn": group["target_group_arn"], "Weight": group["weight"]} for group in listed]
    sticky = {"TargetGroupStickinessConfig": rule["stickiness"]} if "stickiness" in rule else {}
    return {"Type": FORWARD, "ForwardConfig": {"TargetGroups": groups, **sticky}}


def client_of(rule: Json | None) -> tuple[str, str] | None:
    """The issuer and the client of a rule that authenticates with OpenID Connect: whose secret it has."""
    for action in (rule or {}).get("actions", ()):
        if action["Type"] == OIDC:
            config = action.get(OIDC_CONFIG) or {}
            return str(config.get("Issuer")), str(config.get("ClientId"))
    return None


def with_secret(actions: t.Iterable[Json], secret: str | None) -> list[Json]:
    """Actions with the secret of the client, or with the one that the rule has already."""
    own: Json = {"ClientSecret": secret} if secret else {"UseExistingClientSecret": True}
    return [
        {**action, OIDC_CONFIG: {**action[OIDC_CONFIG], **own}} if action["Type"] == OIDC else action
        for action in actions
    ]


def problems(actions: t.Sequence[Json], target_group_arn: str | None) -> t.Iterator[str]:
    """What AWS would refuse of actions that its model allows; each begins with the place."""
    for number, action in enumerate(actions):
        yield from (f"actions[{number}]{problem}" for problem in _own_problems(action))
    ordered = [action["Type"] for action in sorted(actions, key=lambda action: int(action.get("Order") or 0))]
    last = [kind for kind in ordered if kind in LAST]
    kinds = f"{', '.join(LAST[:-1])} or {LAST[-1]}"
    if target_group_arn and last:
        yield f"actions: expected none of {kinds} together with target_group_arn, got {last[0]}. Remove one of them."
    elif not target_group_arn and (len(last) != 1 or ordered[-1] not in LAST):
        got = " and ".join(ordered) or "none"
        yield f"target_group_arn: expected it, or actions that end with exactly one of {kinds}, got {got}."


def _own_problems(action: Json) -> t.Iterator[str]:
    kind = action["Type"]
    name = CONFIGURATIONS[kind]
    allowed = {"Type", "Order", name, *(["TargetGroupArn"] if kind == FORWARD else [])}
    for member in sorted(set(action) - allowed):
        yield f".{member}: expected {name} for {kind}, got this member."
    config = action.get(name) or {}
    if not config and not (kind == FORWARD and action.get("TargetGroupArn")):
        yield f".{name}: expected the settings of {kind}, got none."
    for member, option in UNSEEN.items():
        if member in config:
            yield f".{name}.{member}: expected none, got a value. Use the option {option} of the rule."
    if kind == FORWARD:
        yield from (f".{name}{problem}" for problem in _forward_problems(action, config))
    if kind == "redirect" and not any(config.get(key) not in (None, value) for key, value in _WITHOUT_QUERY.items()):
        yield f".{name}: expected a different protocol, host, port or path, got none, which would redirect in a loop."
    if kind == "fixed-response" and config.get("ContentType") not in (None, *CONTENT_TYPES):
        yield f".{name}.ContentType: expected one of {', '.join(CONTENT_TYPES)}, got {config['ContentType']!r}."


_WITHOUT_QUERY = {key: value for key, value in DEFAULTS["redirect"].items() if key != "Query"}


def _forward_problems(action: Json, config: Json) -> t.Iterator[str]:
    groups = config.get("TargetGroups") or []
    arns = [group.get("TargetGroupArn") for group in groups]
    if action.get("TargetGroupArn") and arns not in ([], [action["TargetGroupArn"]]):
        yield f".TargetGroups: expected only the target group of TargetGroupArn, got {len(arns)}. Remove one of them."
    if not all(arns) or len(set(arns)) < len(arns):
        yield ".TargetGroups: expected a TargetGroupArn in each, and each once."
    if len(groups) > MOST_GROUPS:
        yield f".TargetGroups: expected at most {MOST_GROUPS}, got {len(groups)}."
    for group in groups:
        if not 0 <= int(group.get("Weight", 1)) <= MOST_WEIGHT:
            yield f".TargetGroups: expected weights from 0 to {MOST_WEIGHT}, got {group['Weight']}."
    sticky = config.get("TargetGroupStickinessConfig") or {}
    if sticky.get("Enabled") and not 1 <= int(sticky.get("DurationSeconds") or 0) <= DEFAULTS[OIDC]["SessionTimeout"]:
        yield ".TargetGroupStickinessConfig.DurationSeconds: expected 1 to 604800 seconds if it is enabled."


def transform_problems(transforms: t.Sequence[Json]) -> t.Iterator[str]:
    """What AWS would refuse of transforms that its model allows."""
    kinds = [transform["Type"] for transform in transforms]
    for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        yield f"transforms: expected one {kind} at most, got {kinds.count(kind)}."
    for number, transform in enumerate(transforms):
        place, name = f"transforms[{number}]", TRANSFORMS[transform["Type"]]
        for member in sorted(set(transform) - {"Type", name}):
            yield f"{place}.{member}: expected {name} for {transform['Type']}, got this member."
        rewrites = (transform.get(name) or {}).get("Rewrites") or []
        if len(rewrites) != 1:
            yield f"{place}.{name}.Rewrites: expected exactly one, got {len(rewrites)}."
        for rewrite in rewrites:
            if not rewrite["Regex"] or max(len(rewrite["Regex"]), len(rewrite["Replace"])) > LONGEST_REWRITE:
                yield f"{place}.{name}.Rewrites: expected strings of at most {LONGEST_REWRITE} characters."

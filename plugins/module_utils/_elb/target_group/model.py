# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Target groups: a flat resource under the module's option names, and the requests that follow from it."""

from __future__ import annotations

import re

from ..._core import tags
from ..._core import target_group_attributes as attributes
from ..._core.error_codes import IMMUTABLE, INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN, Plan
from ..._core.shapes import Shape, check_values
from ..._core.target_groups import (
    CODES,
    DELAY,
    DELAY_ATTRIBUTE,
    HEALTH,
    attributes_request,
    health_request,
    settings_of,
)
from ..._core.types import Json
from .problems import problems

# Options, and what AWS calls them.
FIXED = {
    "protocol": "Protocol",
    "protocol_version": "ProtocolVersion",
    "port": "Port",
    "vpc_id": "VpcId",
    "target_type": "TargetType",
    "ip_address_type": "IpAddressType",
    "target_control_port": "TargetControlPort",
}
# What a new target group has that was not requested.
NEW: Json = {"target_group_arn": UNKNOWN}

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,32}(?<!-)")
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html
LONGEST_DELAY = 3600


def validate(shape: Shape, params: Json) -> None:
    """Fail before anything is read where AWS would refuse an option, whatever the target group."""
    found = list(attributes.value_problems(params["attributes"] or {}))
    if not NAME.fullmatch(params["name"]):
        found.append(
            f"name: expected 1 to 32 letters, digits or hyphens, no hyphen first or last, got {params['name'][:100]!r}."
        )
    if params[DELAY] is not None and not 0 <= params[DELAY] <= LONGEST_DELAY:
        found.append(f"{DELAY}: expected 0 to {LONGEST_DELAY} seconds, got {params[DELAY]}.")
    _fail(found)
    check_values(shape, {**FIXED, **HEALTH}, params)


def _fail(found: list[str]) -> None:
    if found:
        raise SlipwayError(INVALID_OPTION, " ".join(found), {"problems": found})


def from_api(answer: Json) -> Json:
    own = {one["Key"]: one["Value"] for one in answer["Attributes"] if one["Key"] != DELAY_ATTRIBUTE}
    return {
        "target_group_name": answer["TargetGroupName"],
        "target_group_arn": answer["TargetGroupArn"],
        **{option: answer.get(member) for option, member in FIXED.items()},
        **settings_of(answer, answer["Attributes"]),
        "attributes": own,
        "tags": tags.from_list(answer["Tags"]),
    }


def desired(params: Json, current: Json | None, wanted_tags: tags.Tags | None) -> Json:
    """The options that were given; with `keep_settings`, the settings of an existing target group are kept."""
    settings = () if current and params["keep_settings"] else (*HEALTH, CODES, DELAY)
    given = {name: params[name] for name in (*FIXED, *settings)}
    own = {**(current or {}).get("attributes", {}), **attributes.as_text(params["attributes"] or {})}
    return {
        "target_group_name": params["name"],
        **given,
        "attributes": own if params["attributes"] else None,
        "tags": wanted_tags,
    }


def refuse(params: Json, current: Json | None, planned: Plan) -> None:
    """Fail where AWS allows no such target group, or does not change what it would have to."""
    if current:
        refuse_fixed(params["name"], planned)
    wanted = {name: value for name, value in planned.predicted.items() if value is not None}
    given = {name for name in (*FIXED, *HEALTH, CODES, DELAY) if params[name] is not None}
    _fail([*problems(wanted, given, current is None), *attributes.kind_problems(wanted, params["attributes"] or ())])


def refuse_fixed(name: str, planned: Plan) -> None:
    """AWS changes none of these."""
    if fixed := sorted(planned.members & set(FIXED)):
        wrong = [f"{one}: expected {planned.before.get(one)}, got {planned.after.get(one)}." for one in fixed]
        why = f"AWS cannot change this setting of the existing target group {name}. Use another name for a new one."
        raise SlipwayError(IMMUTABLE, " ".join([*wrong, why]), {"problems": wrong})


def create_request(name: str, wanted: Json) -> Json:
    """With its tags, so that it has an owner from its first moment."""
    request = {member: wanted[option] for option, member in FIXED.items() if wanted.get(option) is not None}
    owner = {"Tags": tags.to_capital_list(wanted["tags"])} if wanted.get("tags") else {}
    return {"Name": name, **request, **health_request(wanted), **owner}


def changed_attributes(planned: Plan) -> list[Json]:
    """What ModifyTargetGroupAttributes has to set."""
    changed = planned.after.get("attributes") or {}
    delay = attributes_request(planned.predicted) if DELAY in planned.members else []
    return [*delay, *({"Key": key, "Value": value} for key, value in sorted(changed.items()))]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Auto Scaling groups as plain dicts: what is compared, and what others have put on them. Pure."""

from __future__ import annotations

import typing as t

from .._core.plan import Plan, Resource, Sets, compare, normalise
from .._core.shapes import plain
from .._core.tags import Tags

SETS: Sets = {"AvailabilityZones": ()}
# ECS puts it on the groups of its capacity providers, and needs it there.
MANAGED = "AmazonECSManaged"
KIND = "auto-scaling-group"


def from_answer(answer: t.Mapping[str, t.Any], members: t.Iterable[str]) -> dict[str, t.Any]:
    """A group of AWS's as the module returns it, with those of its members that can be asked for."""
    settings = {name: plain(answer[name]) for name in members if answer.get(name) is not None}
    return {
        "name": answer["AutoScalingGroupName"],
        "arn": answer["AutoScalingGroupARN"],
        "settings": normalise(settings, SETS),
        "tags": _own_tags(answer),
        "instances": [instance["InstanceId"] for instance in answer.get("Instances") or ()],
    }


def _own_tags(answer: t.Mapping[str, t.Any]) -> Tags:
    return {tag["Key"]: tag.get("Value") or "" for tag in answer.get("Tags") or () if tag["Key"] != MANAGED}


def canonical(settings: Resource) -> dict[str, t.Any]:
    """Subnets as one text, as AWS has them, in one order."""
    filled = dict(settings)
    if isinstance(filled.get("VPCZoneIdentifier"), str):
        filled["VPCZoneIdentifier"] = ",".join(sorted(filled["VPCZoneIdentifier"].replace(" ", "").split(",")))
    return normalise(filled, SETS)


def plan(current: Resource | None, settings: Resource, tags: Tags | None) -> Plan:
    """Plan the way to what `settings` ask for. What they do not name stays as it is."""
    had = canonical(current["settings"]) if current else {}
    asked = {name: _merge(had.get(name), value) for name, value in canonical(settings).items()}
    wanted: dict[str, t.Any] = {"settings": {**had, **asked}, **({} if tags is None else {"tags": tags})}
    return compare({**current, "settings": had} if current else None, wanted, SETS)


def _merge(old: t.Any, new: t.Any) -> t.Any:
    """AWS answers a launch template by both its names."""
    return {**old, **new} if isinstance(old, dict) and isinstance(new, dict) else new


def tag_list(name: str, tags: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """The tags as Auto Scaling takes them: on the group and on each instance that it starts."""
    common = {"ResourceId": name, "ResourceType": KIND, "PropagateAtLaunch": True}
    return [{**common, "Key": key, "Value": value} for key, value in sorted(tags.items())]


def keys_of(name: str, keys: t.Iterable[str]) -> list[dict[str, t.Any]]:
    return [{"ResourceId": name, "ResourceType": KIND, "Key": key} for key in keys]


def is_going(group: t.Mapping[str, t.Any] | None) -> bool:
    """True while AWS deletes it."""
    return bool(group and group.get("Status"))


def is_gone(group: t.Mapping[str, t.Any] | None) -> bool:
    return group is None

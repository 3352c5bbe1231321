# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling groups as plain dicts: what is compared, and what others have put on them. Pure."""

from __future__ import annotations

import typing as t

from .._core.error_codes import INVALID_OPTION
from .._core.errors import SlipwayError
from .._core.plan import UNKNOWN, Resource, Sets, normalise
from .._core.shapes import Shape, check_options, plain, snake
from .._core.tags import Tags
from .._core.types import Json

SETS: Sets = {"AvailabilityZones": ()}
# ECS puts it on the groups of its capacity providers, and needs it there.
MANAGED = "AmazonECSManaged"
KIND = "auto-scaling-group"
REQUIRED = ("MinSize", "MaxSize")
# What a new group has that was not requested.
NEW: Json = {"arn": UNKNOWN, "settings": {}, "tags": {}, "instances": []}


def checked(shape: Shape, settings: Json, allow_unknown: bool) -> Json:
    """The settings in the types that AWS wants. Inside of an option, names are AWS's own."""
    unknown = [name for name in settings if name not in shape.members or name == "AutoScalingGroupName"]
    if unknown:
        known = ", ".join(sorted(set(shape.members) - {"AutoScalingGroupName"}))
        raise SlipwayError(INVALID_OPTION, f"settings: expected one of {known}, got '{unknown[0]}'.")
    options = {snake(name): value for name, value in settings.items()}
    found = check_options(shape, options, allow_unknown=allow_unknown)
    return {name: found[snake(name)] for name in settings if snake(name) in found}


def from_api(answer: Resource, members: t.Iterable[str]) -> Json:
    """A group as the module returns it, with those of its `members` that can be requested."""
    settings = {name: plain(answer[name]) for name in members if answer.get(name) is not None}
    return {
        "name": answer["AutoScalingGroupName"],
        "arn": answer["AutoScalingGroupARN"],
        "settings": canonical(settings),
        "tags": _own_tags(answer),
        "instances": [instance["InstanceId"] for instance in answer.get("Instances") or ()],
    }


def _own_tags(answer: Resource) -> Tags:
    return {tag["Key"]: tag.get("Value") or "" for tag in answer.get("Tags") or () if tag["Key"] != MANAGED}


def canonical(settings: Resource) -> Json:
    """Subnets as one text, as AWS has them, in one order."""
    filled = dict(settings)
    if isinstance(filled.get("VPCZoneIdentifier"), str):
        filled["VPCZoneIdentifier"] = ",".join(sorted(filled["VPCZoneIdentifier"].replace(" ", "").split(",")))
    return normalise(filled, SETS)


def desired(name: str, current: Resource | None, settings: Resource, tags: Tags | None) -> Json:
    """What is requested. What `settings` do not name stays as it is."""
    missing = [member for member in REQUIRED if member not in settings]
    if current is None and missing:
        raise SlipwayError(
            INVALID_OPTION, f"settings: expected {' and '.join(missing)} for the new Auto Scaling group {name}. Add it."
        )
    actual = current["settings"] if current else {}
    given = {member: _merge(actual.get(member), value) for member, value in canonical(settings).items()}
    wanted = {**actual, **given}
    problems = list(_problems(wanted, current is None, given))
    if problems:
        raise SlipwayError(INVALID_OPTION, " ".join(problems), {"problems": problems})
    return {"name": name, "settings": wanted, "tags": tags}


# What AWS refuses of whole groups. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html
_LAUNCH = ("LaunchTemplate", "MixedInstancesPolicy", "LaunchConfigurationName")
_PLACES = ("VPCZoneIdentifier", "AvailabilityZones", "AvailabilityZoneIds")


def _problems(settings: Json, is_new: bool, given: t.Collection[str]) -> t.Iterator[str]:
    least, most, wanted = (settings.get(member) for member in ("MinSize", "MaxSize", "DesiredCapacity"))
    if isinstance(least, int) and isinstance(most, int):
        if least > most:
            yield f"settings.MinSize: expected at most MaxSize ({most}), got {least}."
        elif "DesiredCapacity" in given and isinstance(wanted, int) and not least <= wanted <= most:
            yield f"settings.DesiredCapacity: expected {least} to {most}, from MinSize to MaxSize, got {wanted}."
    if not is_new:
        return
    launch = [member for member in _LAUNCH if settings.get(member)]
    if len(launch) != 1:
        yield f"settings: expected one of {', '.join(_LAUNCH)} for a new group, got {' and '.join(launch) or 'none'}."
    if not any(settings.get(member) for member in _PLACES):
        yield f"settings: expected {' or '.join(_PLACES)} for a new group, got none. Set where its instances run."


def _merge(old: t.Any, new: t.Any) -> t.Any:
    """AWS answers a launch template by both its names."""
    return {**old, **new} if isinstance(old, dict) and isinstance(new, dict) else new


def tag_list(name: str, tags: t.Mapping[str, str]) -> list[Json]:
    """The tags as Auto Scaling takes them: on the group and on each instance that it starts."""
    common = {"ResourceId": name, "ResourceType": KIND, "PropagateAtLaunch": True}
    return [{**common, "Key": key, "Value": value} for key, value in sorted(tags.items())]


def keys_of(name: str, keys: t.Iterable[str]) -> list[Json]:
    return [{"ResourceId": name, "ResourceType": KIND, "Key": key} for key in keys]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between two answers of AWS, member by member. Pure.

Elements of lists are matched by what identifies them, not by their position, and JSON documents in texts, such as
policies, are compared as documents. Values are compared as they are, and shown without their secrets.
"""

from __future__ import annotations

import json
import re
import typing as t

from ..._core.masking import mask
from ..._core.plan import blank
from ..._core.secret_forms import MASK
from ..._core.types import Json
from ..state import ORDERED

# What identifies the elements of a list. An element has at least one of these members.
IDENTITIES: dict[str, tuple[str, ...]] = {
    "Actions": ("Order", "Type"),
    "Associations": ("SubnetId", "GatewayId", "Main"),
    "BlockDeviceMappings": ("DeviceName",),
    "CidrBlockAssociationSet": ("CidrBlock",),
    "Conditions": ("Field",),
    "DefaultActions": ("Order", "Type"),
    "IpPermissions": ("IpProtocol", "FromPort", "ToPort"),
    "IpPermissionsEgress": ("IpProtocol", "FromPort", "ToPort"),
    "IpRanges": ("CidrIp",),
    "Ipv6Ranges": ("CidrIpv6",),
    "Listeners": ("Port",),
    "PrefixListIds": ("PrefixListId",),
    "Routes": ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId"),
    "Rules": ("Priority",),
    "UserIdGroupPairs": ("GroupId",),
    "capacityProviderStrategy": ("capacityProvider",),
    "defaultCapacityProviderStrategy": ("capacityProvider",),
    "dependsOn": ("containerName",),
    "deployments": ("status",),
    "devices": ("hostPath",),
    "environmentFiles": ("value",),
    "extraHosts": ("hostname",),
    "images": ("imageDigest",),
    "loadBalancers": ("targetGroupArn", "loadBalancerName"),
    "mountPoints": ("containerPath",),
    "portMappings": ("containerPort", "containerPortRange", "protocol"),
    "resourceRequirements": ("type",),
    "rules": ("rulePriority",),
    "scalingAlarms": ("AlarmName",),
    "scalingPolicies": ("PolicyName",),
    "scheduledActions": ("ScheduledActionName",),
    "serviceRegistries": ("registryArn",),
    "systemControls": ("namespace",),
    "tmpfs": ("containerPath",),
    "volumesFrom": ("sourceContainer",),
}
# What identifies the elements of all other lists: the first that all elements have.
NAMES: tuple[str, ...] = ("name", "Name", "key", "Key", "Sid", "Id", "ID", "id", "RoleName")
# Members whose values are encoded, so that nothing in them could be masked.
ENCODED = frozenset(("UserData", "userData"))

_PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*")


class Change(t.NamedTuple):
    """One member that differs. None is a member that does not exist; `masked`: a secret in it is hidden."""

    member: str
    recorded: t.Any
    actual: t.Any
    masked: bool = False

    def to_result(self) -> Json:
        return self._asdict()


class _Value(t.NamedTuple):
    """A value, and how it is shown: of the same form, without secrets."""

    real: t.Any
    shown: t.Any


_NOTHING = _Value(None, None)


def changes(recorded: Json, actual: Json) -> list[Change]:
    """What differs, sorted by member."""
    found = _changes("", "", _Value(recorded, mask(recorded)), _Value(actual, mask(actual)))
    return sorted(found, key=lambda change: change.member)


def _changes(path: str, name: str, old: _Value, new: _Value) -> t.Iterator[Change]:
    old, new = _document(old), _document(new)
    if old.real == new.real or (blank(old.real) and blank(new.real)):
        return
    if isinstance(old.real, dict) and isinstance(new.real, dict):
        for member in sorted({**old.real, **new.real}):
            yield from _changes(_joined(path, member), member, _member(old, member), _member(new, member))
    elif isinstance(old.real, list) or isinstance(new.real, list):
        yield from _of_lists(path, name, _elements(old), _elements(new))
    else:
        yield _change(path, name, old, new)


def _document(value: _Value) -> _Value:
    """The document that a text holds. A text with a secret in it stays one, as it is masked as a whole."""
    text = value.real
    if not isinstance(text, str) or value.shown != text or not text.lstrip().startswith(("{", "[")):
        return value
    try:
        document = json.loads(text)
    except ValueError:
        return value
    return _Value(document, mask(document))


def _member(value: _Value, name: str) -> _Value:
    return _Value(value.real[name], value.shown[name]) if name in value.real else _NOTHING


def _joined(path: str, name: str) -> str:
    if not _PLAIN_NAME.fullmatch(name):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name


def _change(path: str, name: str, old: _Value, new: _Value) -> Change:
    if name in ENCODED:
        old, new = (_NOTHING if one.real is None else _Value(one.real, "(encoded)") for one in (old, new))
    # A record has masks already.
    masked = any(one.real != one.shown or MASK in str(one.shown) for one in (old, new))
    return Change(path, old.shown, new.shown, masked)


# Lists


def _elements(value: _Value) -> list[_Value]:
    """AWS takes and returns a single element of a document as itself, too."""
    if not isinstance(value.real, list):
        return [] if value.real is None else [value]
    return [_Value(real, shown) for real, shown in zip(value.real, value.shown, strict=True)]


def _of_lists(path: str, name: str, old: list[_Value], new: list[_Value]) -> t.Iterator[Change]:
    if name in ORDERED:
        if [one.real for one in old] != [one.real for one in new]:
            yield _change(path, name, _whole(old), _whole(new))
        return
    if not all(isinstance(one.real, dict) for one in (*old, *new)):
        old, new = sorted(old, key=_text), sorted(new, key=_text)
        if [_text(one) for one in old] != [_text(one) for one in new]:
            yield _change(path, name, _whole(old), _whole(new))
        return
    pairs = _by_identity(name, old, new) or _by_content(old, new)
    for label, (before, after) in sorted(pairs.items()):
        yield from _changes(f"{path}[{label}]", "", before, after)


def _whole(elements: list[_Value]) -> _Value:
    return _Value([one.real for one in elements], [one.shown for one in elements])


def _text(value: _Value) -> str:
    """Equal for what does not differ."""
    return json.dumps(_canonical(value.real), sort_keys=True, default=str)


def _canonical(value: t.Any, name: str = "") -> t.Any:
    if isinstance(value, dict):
        return {member: _canonical(value[member], member) for member in value if not blank(value[member])}
    if isinstance(value, list):
        elements = [_canonical(element) for element in value]
        return (
            elements
            if name in ORDERED
            else sorted(elements, key=lambda one: json.dumps(one, sort_keys=True, default=str))
        )
    return value


_Pairs = dict[str, tuple[_Value, _Value]]


def _by_identity(name: str, old: list[_Value], new: list[_Value]) -> _Pairs | None:
    """Pairs of the elements that are the same thing; None where nothing identifies each of them."""
    candidates = [IDENTITIES[name]] if name in IDENTITIES else [(member,) for member in NAMES]
    for identity in candidates:
        olds, news = _labelled(old, identity), _labelled(new, identity)
        if "" not in {**olds, **news}:
            found = ((label, _by_content(olds.get(label, []), news.get(label, []))) for label in {**olds, **news})
            return {_numbered(label, number): pair for label, pairs in found for number, pair in pairs.items()}
    return None


def _labelled(elements: list[_Value], identity: tuple[str, ...]) -> dict[str, list[_Value]]:
    """Elements by what identifies them; several have the same where that is not unique."""
    found: dict[str, list[_Value]] = {}
    for element in elements:
        parts = [str(element.real[member]) for member in identity if not blank(element.real.get(member))]
        found.setdefault("/".join(parts), []).append(element)
    return found


def _numbered(label: str, number: str) -> str:
    return label if number in ("0", "+0") else f"{label} {number}"


def _by_content(old: list[_Value], new: list[_Value]) -> _Pairs:
    """Pairs of what is left when equal elements are taken out, in their order."""
    olds, news = list(enumerate(old)), list(enumerate(new))
    for one in list(olds):
        equal = next((other for other in news if _text(other[1]) == _text(one[1])), None)
        if equal is not None:
            olds.remove(one)
            news.remove(equal)
    both = list(zip(olds, news, strict=False))
    pairs = {str(number): (before, after) for (number, before), (_position, after) in both}
    pairs |= {str(number): (before, _NOTHING) for number, before in olds[len(both) :]}
    return pairs | {f"+{position}": (_NOTHING, after) for position, after in news[len(both) :]}

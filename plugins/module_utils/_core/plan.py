# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One comparison from which `changed`, the diff, the prediction and the request all follow.

Resources are plain dicts: option name at the top (`network_mode`), AWS's own spelling below. Pure: no AWS, no Ansible.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

Resource = t.Mapping[str, t.Any]
# What check mode cannot know yet, such as the id of something that it would create.
UNKNOWN = "unknown"
# The lists that AWS treats as sets, by member name, and what identifies an element: members of it, or () for itself.
Sets = t.Mapping[str, tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What has to change, why, and what will be there afterwards.

    `before` and `after` hold exactly the members that differ; `predicted` is the whole resource after the change.
    """

    before: dict[str, t.Any]
    after: dict[str, t.Any]
    predicted: dict[str, t.Any]

    @property
    def changed(self) -> bool:
        return bool(self.before or self.after)

    @property
    def members(self) -> frozenset[str]:
        """Names of the top-level members that differ."""
        return frozenset(self.before) | frozenset(self.after)

    @property
    def diff(self) -> dict[str, t.Any]:
        """As Ansible's `diff` wants it."""
        return {"before": self.before, "after": self.after}


def compare(current: Resource | None, desired: Resource, sets: Sets | None = None) -> Plan:
    """Plan the way from `current` (None: nothing there) to `desired`, both normalised.

    A member that `desired` lacks, or has as None, is left alone. An empty value asks for nothing to be there, which
    a resource that has no such member already satisfies. What is in the resource but not in `desired` stays in the
    prediction.
    """
    before: dict[str, t.Any] = {}
    after: dict[str, t.Any] = {}
    actual = dict(current or {})
    for name, wanted in desired.items():
        if wanted is None:
            continue
        old, new = difference(actual.get(name), wanted, sets or {}, name)
        if old is not None:
            before[name] = old
        if new is not None:
            after[name] = new
    desired_members = {name: value for name, value in desired.items() if value is not None}
    return Plan(before, after, {**actual, **desired_members})


def remove(current: Resource) -> Plan:
    """Plan the end of a resource."""
    return Plan(dict(current), {}, {})


def difference(old: t.Any, new: t.Any, sets: Sets, name: str = "") -> tuple[t.Any, t.Any]:
    """The parts of two values that differ; (None, None) when nothing does.

    Of dicts only the differing members are kept, of lists with identified elements only the differing elements,
    each with the members that identify it.
    """
    if (blank(old) and blank(new)) or old == new:
        return None, None
    if isinstance(old, dict) and isinstance(new, dict):
        return _dict_difference(old, new, sets)
    identity = sets.get(name)
    if identity and isinstance(old, list) and isinstance(new, list):
        olds, news = _by_identity(old, identity), _by_identity(new, identity)
        if olds is not None and news is not None:
            return _element_difference(olds, news, identity, sets)
    return (None if blank(old) else old), (None if blank(new) else new)


def _dict_difference(old: Resource, new: Resource, sets: Sets) -> tuple[t.Any, t.Any]:
    before, after = {}, {}
    for name in {**old, **new}:
        was, will = difference(old.get(name), new.get(name), sets, name)
        if was is not None:
            before[name] = was
        if will is not None:
            after[name] = will
    return before or None, after or None


Elements = dict[tuple[t.Any, ...], dict[str, t.Any]]


def _by_identity(elements: list[t.Any], identity: tuple[str, ...]) -> Elements | None:
    """Elements by what identifies them; None when that is not unique."""
    if not all(isinstance(element, dict) for element in elements):
        return None
    found = {tuple(element.get(name) for name in identity): element for element in elements}
    return found if len(found) == len(elements) else None


def _element_difference(olds: Elements, news: Elements, identity: tuple[str, ...], sets: Sets) -> tuple[t.Any, t.Any]:
    before, after = [], []
    for key in {**olds, **news}:
        old, new = olds.get(key), news.get(key)
        was, will = difference(old, new, sets)
        named = {name: value for name, value in zip(identity, key, strict=True) if value is not None}
        if was is not None or (old and will is not None):
            before.append({**named, **(was or {})})
        if will is not None or (new and was is not None):
            after.append({**named, **(will or {})})
    return before or None, after or None


def blank(value: t.Any) -> bool:
    """True for what AWS does not distinguish from a missing member."""
    return value is None or value in ([], {})


def normalise(resource: Resource, sets: Sets | None = None) -> dict[str, t.Any]:
    """Drop null and empty members at every depth and sort what AWS treats as sets.

    Empty members at the top stay: there they ask for "nothing". Empty strings stay: they are values.
    """
    return {name: _normal(value, sets or {}, name) for name, value in resource.items() if value is not None}


def _normal(value: t.Any, sets: Sets, name: str) -> t.Any:
    if isinstance(value, dict):
        members = {key: _normal(member, sets, key) for key, member in value.items()}
        return {key: member for key, member in members.items() if not blank(member)}
    if isinstance(value, list):
        elements = [_normal(element, sets, name) for element in value if element is not None]
        return sorted(elements, key=_sort_key(sets[name])) if name in sets else elements
    return value


def _sort_key(identity: tuple[str, ...]) -> t.Callable[[t.Any], str]:
    def key(element: t.Any) -> str:
        named = [element.get(name) for name in identity] if isinstance(element, dict) else []
        return json.dumps([named, element], sort_keys=True, default=str)

    return key

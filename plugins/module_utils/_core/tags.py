# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags as a plain dict, whichever way a service spells its tag list."""

from __future__ import annotations

import typing as t

Tags = dict[str, str]
# What a release notes on a service until it has ended: what ran before.
RELEASE_MARK = "slipway:before"
# What says of a service that its scaling was set by ecs_service_scaling.
SCALING_MARK = "slipway:scaling"
# Nobody but AWS, and those who make the marks, may write or remove these.
RESERVED = ("aws:", RELEASE_MARK, SCALING_MARK)


def from_list(items: t.Iterable[t.Mapping[str, str]] | None) -> Tags:
    """From [{key, value}] (ECS) or [{Key, Value}] (most others)."""
    return {item.get("key", item.get("Key", "")): item.get("value", item.get("Value", "")) for item in items or ()}


def to_list(tags: t.Mapping[str, str], key: str = "key", value: str = "value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in sorted(tags.items())]


def wanted(current: t.Mapping[str, str], asked: t.Mapping[str, t.Any] | None, purge: bool) -> Tags | None:
    """The tags that should be there; None when the caller leaves them alone."""
    if asked is None:
        return None
    kept = {name: text for name, text in current.items() if not purge or name.startswith(RESERVED)}
    return {**kept, **{str(name): str(text) for name, text in asked.items()}}


def changes(current: t.Mapping[str, str], desired: t.Mapping[str, str]) -> tuple[Tags, list[str]]:
    """What to set and what to remove."""
    put = {name: text for name, text in desired.items() if current.get(name) != text}
    return put, sorted(name for name in current if name not in desired and not name.startswith(RESERVED))

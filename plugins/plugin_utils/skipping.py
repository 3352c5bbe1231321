# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a role has nothing to do: its inputs and its live state are those of a proven record. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.masking import mask
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._project.state import canonical, digest, role_key

# What the inputs of a role consist of, as people call it.
PARTS = {
    "variables": "its variables",
    "dependencies": "what it reads from other roles",
    "files": "files that it reads",
    "collection": "this collection",
}
NEEDED = 3


def variables_of(options: Mapping[str, Json], value_of: Callable[[str], Any]) -> Json:
    """The values of a role's variables. Of secrets, the record has the names alone."""
    return {name: _public(value_of(name), option) for name, option in sorted(options.items())}


def _public(value: Any, option: Json) -> Any:
    if not option.get("no_log"):
        return canonical(value)
    return sorted(str(name) for name in value) if isinstance(value, Mapping) else None


def secrets_in(variables: Json) -> list[str]:
    """Variables with values that look like secrets: not even their digest may be recorded."""
    return [name for name, value in variables.items() if mask({name: value}) != {name: value}]


def inputs(variables: Json, dependencies: Json, files: Json, collection: Json) -> Json:
    """A digest of each part."""
    parts = (variables, dependencies, files, collection)
    return {name: digest(canonical(part)) for name, part in zip(PARTS, parts, strict=True)}


def why_not(role: str, group: str, given: Json, read: Json, obstacles: Sequence[str]) -> str:
    """Why a role has to run in full; empty where the record proves that it has nothing to do.

    `given` are its inputs, `read` is the project as project_record_info returns it, `obstacles` are the role's own
    reasons.
    """
    if obstacles:
        return " ".join(obstacles)
    if unread := [entry for entry in read["unknown"] if role in entry["roles"] or not entry["roles"]]:
        return "; ".join(f"{one['kind']}: requires {one['action'] or one['message']}" for one in unread)
    key = role_key(role, group)
    record = read["records"].get(key)
    if record is None:
        return str(read["problems"].get(key) or "no record")
    if not record["proven"]:
        return str(record["unproven"])
    if changed := [text for name, text in PARTS.items() if record["inputs"].get(name) != given[name]]:
        return f"changed: {', '.join(changed)}"
    if different := record["differences"]:
        more = f" and {len(different) - NEEDED} more" if len(different) > NEEDED else ""
        return f"not as recorded: {', '.join(different[:NEEDED])}{more}"
    moving = (read["states"].get(key) or {}).get("unstable") or []
    return f"not stable: {', '.join(moving[:NEEDED])}" if moving else ""

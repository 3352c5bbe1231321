# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Obsolete resources of a project, which no variable names any more, and which of them may be deleted. No calls."""

from __future__ import annotations

import typing as t

from ..._core.tags import CHECKPOINT_TAG, SCALING_TAG, SHARED_TAG, Tags, carries
from ..._core.types import Json

GROUP = "slipway:group"
# Kinds that carry the group of those who deploy them. Of others nobody knows which group they belong to.
GROUPED = ("service", "schedule", "task definition", "parameter", "secret")
# Kinds that a service can refer to: without the services nobody knows whether they are used.
REFERRED = ("task definition", "target group", "discovery service")


# A person decides about what runs there and which addresses point there.
LISTED = ("load balancer", "cluster")


class Existing(t.Protocol):
    """A resource as it was read."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def tags(self) -> Tags: ...
    @property
    def holds(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def uses(self) -> frozenset[str]: ...
    @property
    def used_by(self) -> frozenset[str]: ...


class Rules(t.NamedTuple):
    """Whose resources count and what allows their deletion.

    `released` are load balancers that no longer forward to a target group that nobody asks for; `full` are kinds that
    may be deleted with what they hold.
    """

    owner: Tags
    group: str
    keep: t.Mapping[str, t.Collection[str]]
    released: t.Collection[str] = ()
    full: t.Collection[str] = ()


def obsolete(found: t.Mapping[str, t.Sequence[Existing]], rules: Rules) -> list[Json]:
    """One entry for each resource that no variable asks for, in the order of `found`."""
    obsolete_resources = {kind: [one for one in some if _is_obsolete(kind, one, rules)] for kind, some in found.items()}
    kept = [
        one
        for one in found.get("service", ())
        if one not in obsolete_resources["service"] or _reason("service", one, rules)
    ]
    used = {arn for one in kept for arn in one.uses}
    return [
        _entry(kind, one, rules)
        for kind, some in obsolete_resources.items()
        for one in some
        if kind not in REFERRED or ("service" in found and not _is_used(kind, one, used))
    ]


def _is_obsolete(kind: str, one: Existing, rules: Rules) -> bool:
    is_ours = carries(one.tags, rules.owner)
    is_of_group = one.tags.get(GROUP, "") == rules.group if kind in GROUPED else not rules.group
    return is_ours and is_of_group and one.name not in rules.keep[kind] and one.id not in rules.keep[kind]


def _is_used(kind: str, one: Existing, used: set[str]) -> bool:
    return one.name in families_in(used) if kind == "task definition" else one.id in used


def families_in(arns: t.Iterable[str]) -> set[str]:
    """The families among what services refer to."""
    parts = (arn.partition(":task-definition/")[2] for arn in arns)
    return {part.partition(":")[0] for part in parts if part}


def _entry(kind: str, one: Existing, rules: Rules) -> Json:
    return {
        "kind": kind,
        "id": one.id,
        "name": one.name,
        "state": one.state,
        "scaled": SCALING_TAG in one.tags,
        "kept_because": _reason(kind, one, rules),
    }


def _reason(kind: str, one: Existing, rules: Rules) -> str:
    """Why it is kept even when its deletion is requested; empty where it is."""
    if not rules.keep["service"]:
        return "ecs_app_services is empty; to delete everything, run the playbook destroy"
    if kind in LISTED:
        return "delete it by hand when nothing runs in it and no DNS record points to it"
    if any(name.startswith(CHECKPOINT_TAG) for name in one.tags):
        return "its release has not ended"
    if one.used_by - set(rules.released):
        return "a load balancer forwards to it"
    if SHARED_TAG in one.tags:
        return "other projects share it"
    if one.holds and kind not in rules.full:
        return f"it contains {one.holds}"
    return ""


def summary(entries: t.Sequence[Json], variables: t.Mapping[str, str], switch: str) -> str:
    """One message for all of them; empty where there is none."""
    named: dict[str, list[str]] = {}
    for entry in entries:
        named.setdefault(variables[entry["kind"]], []).append(_named(entry))
    lines = [f"No longer in {variable}: {', '.join(some)}." for variable, some in named.items()]
    if any(not entry["kept_because"] for entry in entries):
        lines.append(f"Delete with -e {switch}=true.")
    return " ".join(lines)


def _named(entry: Json) -> str:
    more = [entry["state"], f"kept: {entry['kept_because']}" if entry["kept_because"] else ""]
    message = "; ".join(one for one in more if one)
    return f"{entry['kind']} {entry['name']}" + (f" ({message})" if message else "")

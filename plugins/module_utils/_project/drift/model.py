# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drift: what differs between the records of the last converged runs and the resources that exist now. Pure."""

from __future__ import annotations

import typing as t

from ..._core.error_codes import UNSUPPORTED
from ..._core.history import SUCCEEDED
from ..._core.types import Json
from .. import state
from ..model import TAGS
from .members import Change, changes

# The kind of what is unknown because there is no record of it.
RECORD = "record"
# Drift of a resource.
CHANGED, MISSING, UNRECORDED = "changed", "missing", "unrecorded"
# Drift of a project. Incomplete: some of it could not be read or compared.
NONE, DRIFT, INCOMPLETE = "none", "drift", "incomplete"
EXIT_CODES = {NONE: 0, DRIFT: 2, INCOMPLETE: 1}
REMEDIES = {
    CHANGED: "Rerun site.yml --tags {tag}.",
    MISSING: "Rerun site.yml --tags {tag}.",
    UNRECORDED: "Add it to the variables and rerun site.yml --tags {tag}, or delete it.",
}
# A rerun would release again what was rolled back for a reason.
ROLLED_BACK = (
    "Release {number} has rolled it back. To keep this, first set variables and application to the version that it"
    " runs: the playbook slipway.aws.history shows its images and its Git revision. Otherwise site.yml --tags {tag}"
    " releases again what was rolled back."
)
# Under this name a state has the tags; the answer repeats them in one of these.
STATE_TAGS = "slipway:tags"
TAG_LISTS = ("Tags", "tags", "TagList", "TagSet", "tagSet")
# The roles that converge resources, with the tags of the playbook site.yml under which they run.
ROLE_TAGS = {**TAGS, "container_image": "image"}


class Recorded(t.NamedTuple):
    """A resource of a record."""

    record: Json
    state: Json


class Live(t.NamedTuple):
    """What was read now: resources by kind and id, their states by the same, and what could not be read."""

    resources: dict[str, Json]
    states: dict[str, Json]
    unknown: list[Json]

    @property
    def unknown_kinds(self) -> set[str]:
        kinds = {one["kind"] for one in self.unknown}
        return kinds | ({state.IMAGES} if "repository" in kinds else set())


def live(read: Json) -> Live:
    """From what the reader returned."""
    resources = {f"{one['kind']} {one['id']}": one for one in read["resources"]}
    roles = state.by_role(read["resources"]).values()
    states = {key: one for some in roles for key, one in some.items()}
    # An API that does not exist at this endpoint has nothing to compare, now as when it was recorded.
    return Live(resources, states, [one for one in read["unknown"] if one["code"] != UNSUPPORTED])


def drift(records: t.Mapping[str, Json], problems: t.Mapping[str, str], found: Live) -> Json:
    """What differs, resource by resource, and what is unknown."""
    recorded = _recorded(records)
    unread = _without_record(records, problems, found)
    roles = {one["role"] for one in unread}
    keys = sorted({*recorded, *found.states}, key=lambda key: (key.casefold(), key))
    entries = {key: _entry(key, recorded.get(key), found, roles) for key in keys}
    resources = [one for one in entries.values() if one]
    unknown = [*found.unknown, *unread]
    return {
        "result": INCOMPLETE if unknown else DRIFT if resources else NONE,
        "resources": resources,
        "unchanged": [key for key, one in entries.items() if not one and key in recorded and key in found.states],
        "unknown": unknown,
        "records": {key: _about(record) for key, record in sorted(records.items())},
    }


def _recorded(records: t.Mapping[str, Json]) -> dict[str, Recorded]:
    """Resources by kind and id; the newest record of a resource counts."""
    found: dict[str, Recorded] = {}
    for record in sorted(records.values(), key=lambda record: str(record["at"])):
        found |= {key: Recorded(record, one) for key, one in record["state"].items()}
    return found


def _without_record(records: t.Mapping[str, Json], problems: t.Mapping[str, str], found: Live) -> list[Json]:
    """Roles whose resources exist, and that have no record with which to compare them."""
    owners = {state.role_of(one) for one in found.resources.values()}
    reasons = dict.fromkeys(owners - records.keys(), "it has no record") | {**problems}
    return [
        {
            "kind": RECORD,
            "tag": ROLE_TAGS.get(_role(key), ""),
            "role": key,
            "action": "",
            "code": "",
            "message": f"The role {key} cannot be compared: {reason}. Rerun site.yml, which records it.",
        }
        for key, reason in sorted(reasons.items())
    ]


def _role(key: str) -> str:
    """The role of a key, which for a group of services ends with the group, and for stored records with a digest."""
    return key.partition("/")[0].partition(".")[0]


def _about(record: Json) -> Json:
    return {name: record.get(name) for name in ("at", "by", "collection", "proven")}


def _entry(key: str, recorded: Recorded | None, found: Live, without_record: t.Collection[str]) -> Json | None:
    """The drift of one resource; None where there is none, or where it cannot be said."""
    kind, identity = key.rsplit(" ", 1)
    actual = found.states.get(key)
    is_unknown = kind in found.unknown_kinds
    if recorded is None:
        resource = found.resources.get(key)
        if resource is None or state.role_of(resource) in without_record:
            return None
        return _resource(kind, identity, resource["role"], _named(resource["name"], actual), UNRECORDED)
    about = {"recorded_at": recorded.record["at"], "recorded_by": recorded.record.get("by")}
    role, name = recorded.record["role"], _named(found.resources.get(key, {}).get("name"), recorded.state)
    if actual is None:
        return None if is_unknown else _resource(kind, identity, role, name, MISSING) | about
    differing = _changes(recorded.state, actual, is_unknown=is_unknown)
    if not differing:
        return None
    members = [change.to_result() for change in differing]
    return _resource(kind, identity, role, name, CHANGED) | about | {"members": members}


def _resource(kind: str, identity: str, role: str, name: str, how: str) -> Json:
    tag = ROLE_TAGS.get(role, "")
    return {
        "kind": kind,
        "id": identity,
        "name": name or identity,
        "role": role,
        "tag": tag,
        "drift": how,
        "remedy": REMEDIES[how].format(tag=tag),
        "rolled_back_by": None,
        "members": [],
        "recorded_at": None,
        "recorded_by": None,
        "events": [],
    }


# Where an answer has the name of its resource.
_NAMES = (
    *("serviceName", "clusterName", "family", "repositoryName", "logGroupName", "LoadBalancerName", "TargetGroupName"),
    *("GroupName", "KeyName", "RoleName", "InstanceProfileName", "LaunchTemplateName", "Name", "name", "DomainName"),
)


def other_revisions(resources: t.Iterable[Json]) -> list[Json]:
    """Services that run another revision than the last converged run has released."""
    return [
        one
        for one in resources
        if one["kind"] == "service" and any(member["member"] == "taskDefinition" for member in one["members"])
    ]


def mark_rolled_back(services: t.Iterable[Json], releases: t.Mapping[str, Json]) -> None:
    """Say of services that a rollback has changed, after they were recorded, what a rerun would do to them."""
    for one in services:
        release = releases.get("/".join(one["id"].split("/")[-2:])) or {}
        is_later = str(release.get("started", "")) > str(one["recorded_at"])
        if release.get("action") == "rollback" and release["outcome"] == SUCCEEDED and is_later:
            one["rolled_back_by"] = release["number"]
            one["remedy"] = ROLLED_BACK.format(number=release["number"], tag=one["tag"])


def _named(name: str | None, details: Json | None) -> str:
    """The name of a resource that may be missing now."""
    if name or not details:
        return name or ""
    named = (details.get(member) for member in _NAMES)
    return str(next((one for one in named if one), details.get(STATE_TAGS, {}).get("Name", "")))


def _changes(recorded: Json, actual: Json, *, is_unknown: bool) -> list[Change]:
    old, new = _comparable(recorded), _comparable(actual)
    if is_unknown:
        # A part of it could not be read: what is missing in the answer may exist.
        old = {name: value for name, value in old.items() if name in new}
    found = changes(old, new)
    members = {change.member for change in found}
    # Each deployment of a service repeats the service's members.
    return [one for one in found if not (one.member.startswith("deployments[") and _repeated(one.member) in members)]


def _repeated(member: str) -> str:
    return member.partition("].")[2]


def _comparable(state_of_resource: Json) -> Json:
    """The members of a state that someone can set: its tags as a dictionary and only once, and what a service has
    apart from its progress."""
    tags = state_of_resource.get(STATE_TAGS) or {}
    members = {name: value for name, value in state_of_resource.items() if name not in (STATE_TAGS, "stable")}
    if "deployments" in members:
        members["deployments"] = [one for one in members["deployments"] if one.get("status") == "PRIMARY"]
    repeated = [name for name in TAG_LISTS if isinstance(members.get(name), (list, dict))]
    return {**{name: value for name, value in members.items() if name not in repeated}, "tags": tags}

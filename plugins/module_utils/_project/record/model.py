# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of converged roles: what proves one, and how it is stored as parameters. Pure.

A parameter of the standard tier has 4 KB, so a record is compressed and divided into chunks. Each chunk has the digest
of the whole: chunks of two writers, or of one that was interrupted, never form a record.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import typing as t
import zlib

from ..._core.names import record_path
from ..._core.types import Json
from .. import state

VERSION = 1
# With the head of a chunk, less than the 4096 characters of a parameter.
CHUNK = 3900
_HEAD = re.compile(r"slipway (\d+) ([0-9a-f]{64}) (\d+)/(\d+) (.*)", re.DOTALL)
# A record is of one of each.
SCOPE = ("project", "account", "region", "endpoint")
MEMBERS = ("role", "group", "collection", "inputs", "proven", "at", "by", "result", "state")


class Scope(t.NamedTuple):
    """Where a record counts."""

    project: str
    account: str
    region: str
    endpoint: str


class Run(t.NamedTuple):
    """A role that ran in full. `before` is the digest of its state before, `unproven` the role's own reason why a rerun
    may not skip it."""

    role: str
    group: str
    inputs: Json
    result: Json
    before: str
    unproven: str = ""

    @property
    def key(self) -> str:
        return state.role_key(self.role, self.group)


def folder_of(role: str, group: str) -> str:
    """A group may have characters that a parameter's name may not have."""
    return f"{role}.{hashlib.sha256(group.encode()).hexdigest()[:16]}" if group else role


# What is recorded


def new(run: Run, scope: Scope, live: t.Mapping[str, Json], known: Json) -> Json:
    """The record of a role. `known` are members that all records of a run share: collection, at, by."""
    reason = why_unproven(run, live)
    return {
        "version": VERSION,
        **scope._asdict(),
        **known,
        "role": run.role,
        "group": run.group,
        # Nothing asks for those of an unproven record, and variables with secrets are a reason for one.
        "inputs": {} if reason else run.inputs,
        "result": run.result,
        "state": live,
        "proven": not reason,
        "unproven": reason,
    }


def why_unproven(run: Run, live: t.Mapping[str, Json]) -> str:
    """Why a rerun has to verify the role; empty where this run has proven that there is nothing to do."""
    if run.unproven:
        return run.unproven
    if run.before != state.digest(live):
        return "its resources changed during the last run"
    moving = unstable(live)
    return f"not stable: {', '.join(moving)}" if moving else ""


def unstable(live: t.Mapping[str, Json]) -> list[str]:
    return [name for name, one in live.items() if one.get("stable") is False]


# How it is stored


def chunks(record: Json) -> list[str]:
    """The values of a record's parameters."""
    packed = zlib.compress(json.dumps(record, sort_keys=True, separators=(",", ":")).encode(), 9)
    payload = base64.b64encode(packed).decode()
    parts = [payload[start : start + CHUNK] for start in range(0, len(payload), CHUNK)]
    whole = hashlib.sha256(payload.encode()).hexdigest()
    return [f"slipway {VERSION} {whole} {number}/{len(parts)} {part}" for number, part in enumerate(parts)]


class Records(t.NamedTuple):
    """Records by role, and for each that cannot be used why."""

    records: dict[str, Json]
    problems: dict[str, str]


def read(parameters: t.Mapping[str, str], scope: Scope) -> Records:
    """The records in a project's parameters. One that is torn, foreign or of another version is none."""
    folders: dict[str, dict[str, str]] = {}
    for name, value in parameters.items():
        folder, _slash, number = name.removeprefix(record_path(scope.project)).partition("/")
        folders.setdefault(folder, {})[number] = value
    found = Records({}, {})
    for folder, values in sorted(folders.items()):
        try:
            record = _joined(values)
            _check(record, folder, scope)
        except ValueError as error:
            found.problems[folder] = str(error)
        else:
            found.records[state.role_key(record["role"], record["group"])] = record
    return found


def _joined(values: t.Mapping[str, str]) -> Json:
    first = _HEAD.fullmatch(values.get("0", ""))
    if not first:
        raise ValueError("its record cannot be read")
    version, whole, _number, count, _part = first.groups()
    if int(version) != VERSION:
        raise ValueError(f"its record has version {version}, this collection writes {VERSION}")
    if int(count) > len(values):
        raise ValueError("its record is incomplete")
    heads = [f"slipway {version} {whole} {number}/{count} " for number in range(int(count))]
    given = [values.get(str(number), "") for number in range(int(count))]
    if not all(value.startswith(head) for head, value in zip(heads, given, strict=True)):
        raise ValueError("its record is incomplete")
    payload = "".join(value.removeprefix(head) for head, value in zip(heads, given, strict=True))
    if hashlib.sha256(payload.encode()).hexdigest() != whole:
        raise ValueError("its record is damaged")
    try:
        return t.cast(Json, json.loads(zlib.decompress(base64.b64decode(payload, validate=True))))
    except (binascii.Error, zlib.error, ValueError) as error:
        raise ValueError("its record cannot be read") from error


def _check(record: t.Any, folder: str, scope: Scope) -> None:
    if not isinstance(record, dict) or not {*SCOPE, *MEMBERS} <= record.keys():
        raise ValueError("its record is incomplete")
    if folder_of(record["role"], record["group"]) != folder:
        raise ValueError(f"its record is that of {record['role']}")
    for name, value in scope._asdict().items():
        if record[name] != value:
            raise ValueError(f"its record is of the {name} {record[name] or 'of AWS'}, not {value or 'of AWS'}")

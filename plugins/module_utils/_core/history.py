# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of releases: how they are stored as parameters, and which one holds the lock of its project. Pure.

The parameter of the newest release is the lock, too. Whoever creates that of the next number, which AWS lets only one
do, holds the lock until its record has an outcome or is no longer renewed. Nobody else writes to a record.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime
import hashlib
import json
import re
import typing as t
import zlib

from .types import Json

VERSION = 1
# A parameter of the standard tier has 4096 characters.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
CHUNK = 3900
_VALUE = re.compile(r"slipway (\d+) (\S+)")
_NAME = re.compile(r"(\d+)(?:/(.+))?")
# A running release renews its record so often, in seconds; without that for so long, its run is taken for killed.
RENEWED, EXPIRED = 15.0, 60.0
# With fewer releases, a run that reads an old list could create a number for the second time.
FEWEST_KEPT = 10

IN_PROGRESS, UNFINISHED = "in_progress", "unfinished"
SUCCEEDED, FAILED, ROLLED_BACK = "succeeded", "failed", "rolled_back"
INTERRUPTED, ROLLBACK_FAILED = "interrupted", "rollback_failed"
# After these, what the release has changed waits for a run that resumes it or rolls it back.
OPEN = (INTERRUPTED, UNFINISHED, ROLLBACK_FAILED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """A release as it is recorded. `services` has those that it changes, None if they cannot be read.

    `id` is the same in each run of the same release, `run` is this run's own. `to` is the release that a rollback
    restores, `resumes` the interrupted one that this one completes or rolls back. `concluded` is how a release in
    progress ends as soon as its checkpoints are removed. `promoted_from` is the stage that ran the images before.
    """

    id: str
    run: str
    action: str = "release"
    to: int | None = None
    resumes: int | None = None
    cluster: str = ""
    started: str = ""
    ended: str = ""
    seconds: float | None = None
    by: str = ""
    host: str = ""
    process: str = ""
    revision: str = ""
    promoted_from: Json = dataclasses.field(default_factory=dict)
    outcome: str = IN_PROGRESS
    concluded: str = ""
    code: str = ""
    services: dict[str, Json] | None = dataclasses.field(default_factory=dict)


class Entry(t.NamedTuple):
    """A record in the history, and when it was written last."""

    number: int
    record: Record
    modified: datetime.datetime
    value: str = ""


# How a record is stored


def encoded(record: Record) -> tuple[str, dict[str, str]]:
    """The value of a record's parameter, and those of further ones by the last part of their names.

    Only services of large releases are stored apart. Their names follow from their content, so that what belongs
    together is complete or missing, never mixed.
    """
    whole = dataclasses.asdict(record)
    value = _packed(whole)
    if len(value) <= CHUNK:
        return _head(value), {}
    services = _packed(whole.pop("services"))
    digest = hashlib.sha256(services.encode()).hexdigest()[:16]
    parts = [services[start : start + CHUNK] for start in range(0, len(services), CHUNK)]
    return (
        _head(_packed({**whole, "stored": [digest, len(parts)]})),
        {f"{digest}.{at}": _head(part) for at, part in enumerate(parts)},
    )


def _head(payload: str) -> str:
    return f"slipway {VERSION} {payload}"


def _packed(content: t.Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _unpacked(payload: str) -> t.Any:
    return json.loads(zlib.decompress(base64.b64decode(payload, validate=True)))


def decoded(
    stored: t.Mapping[str, tuple[str, datetime.datetime]], path: str
) -> tuple[list[Entry], dict[int, str], dict[int, list[str]]]:
    """The history in the parameters below `path`, oldest first; why others cannot be read; and the names of each."""
    entries: list[Entry] = []
    problems: dict[int, str] = {}
    names: dict[int, list[str]] = {}
    parts: dict[int, dict[str, str]] = {}
    for name, (value, _modified) in stored.items():
        if found := _NAME.fullmatch(name.removeprefix(path)):
            names.setdefault(int(found[1]), []).append(name)
            parts.setdefault(int(found[1]), {})[found[2] or ""] = value
    for number in sorted(parts):
        if "" not in parts[number]:
            continue
        try:
            record = _record(parts[number])
        except ValueError as error:
            problems[number] = str(error)
            # It may be that of a running release of a newer version.
            record = Record(id="", run="", services=None)
        value, modified = stored[f"{path}{number}"]
        entries.append(Entry(number, record, modified, value))
    return entries, problems, names


def _record(values: t.Mapping[str, str]) -> Record:
    try:
        content = _content(values[""])
        known = {field.name for field in dataclasses.fields(Record)}
        if not isinstance(content, dict) or not {"id", "run", "outcome"} <= content.keys():
            raise ValueError("its record is incomplete")
        if "stored" in content:
            digest, count = content["stored"]
            pieces = [values.get(f"{digest}.{at}") for at in range(count)]
            content["services"] = _services([piece for piece in pieces if piece], count)
        return Record(**{name: value for name, value in content.items() if name in known})
    except (binascii.Error, zlib.error, TypeError, json.JSONDecodeError) as error:
        raise ValueError("its record cannot be read") from error


def _content(value: str) -> t.Any:
    found = _VALUE.fullmatch(value)
    if not found:
        raise ValueError("its record cannot be read")
    if int(found[1]) != VERSION:
        raise ValueError(f"its record has version {found[1]}, this collection writes {VERSION}")
    return _unpacked(found[2])


def _services(pieces: t.Sequence[str], count: int) -> dict[str, Json] | None:
    """The services of a large release; None if a write of them was interrupted."""
    if len(pieces) < count:
        return None
    return t.cast("dict[str, Json]", _unpacked("".join(piece.rpartition(" ")[2] for piece in pieces)))


# Who holds the lock


def is_expired(entry: Entry, now: datetime.datetime) -> bool:
    """Whether a release that has no outcome is no longer renewed."""
    return (now - entry.modified).total_seconds() > EXPIRED


def outcome_of(entry: Entry, entries: t.Sequence[Entry], now: datetime.datetime) -> str:
    """How a release ended. One without an outcome is unfinished if another one followed, or if nobody renews it.

    If its run was killed in the very end, nothing but checkpoints was left: it is unfinished only if these were.
    """
    if entry.record.outcome != IN_PROGRESS:
        return entry.record.outcome
    if entry.number == entries[-1].number and not is_expired(entry, now):
        return IN_PROGRESS
    is_resumed = any(other.record.resumes == entry.number for other in entries)
    return UNFINISHED if is_resumed else entry.record.concluded or UNFINISHED


def settled(entries: t.Sequence[Entry], now: datetime.datetime) -> list[Entry]:
    """The entries, each with its outcome, also where a killed run could not write it."""
    outcomes = ((entry, outcome_of(entry, entries, now)) for entry in entries)
    return [
        entry if outcome == UNFINISHED else entry._replace(record=dataclasses.replace(entry.record, outcome=outcome))
        for entry, outcome in outcomes
    ]


def holder(entries: t.Sequence[Entry], now: datetime.datetime) -> Entry | None:
    """The release that holds the lock; None if it is free."""
    if not entries or outcome_of(entries[-1], entries, now) != IN_PROGRESS:
        return None
    return entries[-1]


def kept_numbers(names: t.Iterable[int], newest: int, keep: int) -> set[int]:
    """The numbers of the newest `keep` releases."""
    return set(sorted(names, reverse=True)[:keep]) | {newest}


def surplus(names: t.Mapping[int, t.Sequence[str]], newest: int, keep: int) -> list[str]:
    """The parameters of all but the newest `keep` releases, and of those whose first parameter is missing."""
    kept = kept_numbers(names, newest, keep)
    return sorted(name for number, some in names.items() if number not in kept for name in some)


def words(number: int, record: Record) -> str:
    """A release for people: its number, who started it, where, and when."""
    where = f" on {record.host}" if record.host else ""
    return f"release {number} of {record.by or 'unknown'}{where}, started {record.started or 'at an unknown time'}"

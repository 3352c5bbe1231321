# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which log streams belong to services, and what their events say. Pure."""

from __future__ import annotations

import datetime
import os.path
import typing as t

from ..._core.types import Json

# Events may arrive this late and are still shown, in milliseconds: so much of the past is read again each time.
LATE = 30_000


class Place(t.NamedTuple):
    """A log group of a region."""

    region: str
    group: str


class Source(t.NamedTuple):
    """The log streams of one container of a service: all whose names are the prefix and the ID of a task."""

    service: str
    container: str
    place: Place
    prefix: str


class Line(t.NamedTuple):
    """A line of a log. `at` is in milliseconds since 1970."""

    at: int
    service: str
    container: str
    task_id: str
    message: str

    def to_result(self) -> Json:
        return {
            "time": f"{moment(self.at):%Y-%m-%dT%H:%M:%S}.{self.at % 1000:03}Z",
            "service": self.service,
            "container": self.container,
            "task_id": self.task_id,
            "message": self.message,
        }


def moment(milliseconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.UTC)


def sources(service: str, definition: Json) -> tuple[list[Source], list[str]]:
    """The sources of a service's containers, and why others have none."""
    found, problems = [], []
    for container in definition.get("containerDefinitions") or ():
        name = str(container.get("name") or "")
        logging = container.get("logConfiguration") or {}
        options = logging.get("options") or {}
        prefix, group = options.get("awslogs-stream-prefix"), options.get("awslogs-group")
        if logging.get("logDriver") != "awslogs" or not group:
            driver = logging.get("logDriver") or "the default of its host"
            problems.append(
                f"{service}/{name}: expected the log driver awslogs, got {driver}. Its log cannot be shown."
            )
        elif not prefix:
            problems.append(f"{service}/{name}: expected awslogs-stream-prefix, got none. Its log cannot be shown.")
        else:
            place = Place(str(options.get("awslogs-region") or ""), str(group))
            found.append(Source(service, name, place, f"{prefix}/{name}/"))
    return found, problems


def merged(found: t.Iterable[Source]) -> list[Source]:
    """Without repetitions. Services whose containers write to the same streams share a source, named after all."""
    streams: dict[tuple[Place, str, str], list[str]] = {}
    for source in found:
        names = streams.setdefault((source.place, source.prefix, source.container), [])
        names += [source.service] if source.service not in names else []
    return [Source(",".join(names), name, place, prefix) for (place, prefix, name), names in streams.items()]


def common_prefix(found: t.Sequence[Source]) -> str:
    """What the names of all streams begin with."""
    return os.path.commonprefix([source.prefix for source in found])  # noqa: RUF071  # they are no paths


def by_source(events: t.Iterable[Json], found: t.Sequence[Source]) -> t.Iterator[tuple[Json, Source]]:
    """The events that have a source, each with it."""
    prefixes = {source.prefix: source for source in found}
    for event in events:
        stream = str(event.get("logStreamName") or "")
        if source := prefixes.get(stream[: stream.rfind("/") + 1]):
            yield event, source


def lines(event: Json, source: Source) -> list[Line]:
    """The lines of an event. Only line feeds separate them, as in the files of Docker."""
    task = str(event.get("logStreamName") or "").removeprefix(source.prefix)
    at, text = int(event.get("timestamp") or 0), str(event.get("message") or "").removesuffix("\n")
    return [Line(at, source.service, source.container, task, one.rstrip("\r")) for one in text.split("\n")]


class Seen:
    """Of a log group: which events have been shown, and since when to read."""

    def __init__(self, since: int) -> None:
        self.start = since
        self._newest = 0
        self._shown: dict[str, int] = {}

    def new(self, events: t.Sequence[Json], found: t.Sequence[Source], now: int) -> list[Line]:
        """The lines that have not been shown. Events without a source may get one: a release is found later."""
        fresh = {
            event["eventId"]: (int(event.get("timestamp") or 0), lines(event, source))
            for event, source in by_source(events, found)
            if event["eventId"] not in self._shown
        }
        self._newest = max([self._newest, *(int(event.get("timestamp") or 0) for event in events)])
        # The clock of a host may be ahead: what others write meanwhile is read, too.
        self.start = max(self.start, min(self._newest, now) - LATE)
        shown = {**self._shown, **{key: at for key, (at, _lines) in fresh.items()}}
        self._shown = {key: at for key, at in shown.items() if at >= self.start}
        return [line for _at, some in fresh.values() for line in some]

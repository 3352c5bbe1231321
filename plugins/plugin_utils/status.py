# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status of a project as a table for a terminal. Pure."""

from __future__ import annotations

import datetime
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import UNSUPPORTED

Json = Mapping[str, Any]

# What a line is, from which follows its colour.
PLAIN, HEADING, BAD, BUSY, QUIET = "plain", "heading", "bad", "busy", "quiet"
UNKNOWN = "unknown"
# Longer names have a line of their own.
LONGEST_NAME = 28
GAP = "  "
INDENT = " " * 4
# As many characters of a digest and of a commit as identify it among others.
DIGEST, COMMIT = 12, 7
TAGS = 2
# Tags that follow from the content of an image say less than the others.
CONTENT = re.compile(r"src-[0-9a-f]{16}")
UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
COLUMNS = ("SERVICE", "STATE", "TASKS", "HEALTH", "REVISION", "SINCE", "RELEASE")
SCHEDULE_COLUMNS = ("SCHEDULE", "WHEN", "NEXT RUN", "LAST RUN", "REVISION")
MARKS = {BAD: "! ", BUSY: "~ "}


class Line(NamedTuple):
    """A line of the table."""

    text: str
    kind: str = PLAIN


def table(status: Json, width: int) -> list[Line]:
    """The status in lines of at most `width` characters, except where one word is longer."""
    lines = [*_header(status), Line(""), *_services(status, width)]
    if status["schedules"]:
        lines += [Line(""), *_schedules(status, width)]
    if status["resources"]:
        lines += [Line(""), Line("OTHER RESOURCES", HEADING), *_resources(status["resources"], width)]
    unsupported = [one for one in status["unknown"] if one["code"] == UNSUPPORTED]
    unknown = [one for one in status["unknown"] if one["code"] != UNSUPPORTED]
    if unknown:
        lines += [Line(""), Line("UNKNOWN, because it could not be read", HEADING), *_unknown(unknown, width)]
    lines += _unsupported(unsupported, width)
    return lines


def _header(status: Json) -> Iterator[Line]:
    summary = status["summary"]
    counts = [_counted(summary["services"], "service"), _counted(summary["resources"], "resource")]
    counts += [f"{summary['deploying']} deploying"] if summary["deploying"] else []
    counts += [f"{summary['needing_attention']} needing attention"] if summary["needing_attention"] else []
    where = f"{status['region']}, account {status['account'] or UNKNOWN}"
    kind = BAD if summary["needing_attention"] else BUSY if summary["deploying"] else PLAIN
    yield Line(f"{status['project']} in {where}, {status['read_at'].replace('T', ' ').removesuffix('Z')} UTC", HEADING)
    yield Line(", ".join(counts), kind)


# Services


def _services(status: Json, width: int) -> list[Line]:
    services = status["services"]
    if not services:
        is_unknown = any(one["kind"] == "service" for one in status["unknown"])
        return [Line("Services: unknown, see below." if is_unknown else "No services.")]
    several = len({one["cluster"] for one in services}) > 1
    names = [f"{one['cluster']}/{one['name']}" if several else one["name"] for one in services]
    versions = [_versions(one) for one in services]
    broadest = max(len(text) for some in versions for text in [*some, "VERSION"])
    for full in (True, False):
        rows = [_row(one, name, full) for one, name in zip(services, names, strict=True)]
        widths = _widths([COLUMNS, *rows])
        left = len(MARKS[BAD]) + sum(widths) + len(GAP) * len(widths)
        if beside := left + broadest <= width:
            break
    lines = [Line((GAP + _padded(COLUMNS, widths) + (f"{GAP}VERSION" if beside else "")).rstrip(), HEADING)]
    for one, row, some in zip(services, rows, versions, strict=True):
        lines += _service(one, row, some, _Layout(widths, width, left if beside else 0))
    return lines


class _Layout(NamedTuple):
    """`versions` is the position of the versions in the line, 0 if they have lines of their own."""

    widths: Sequence[int]
    width: int
    versions: int


def _row(service: Json, name: str, full: bool) -> tuple[str, ...]:
    """The columns. Families of task definitions are shown in `full` where the terminal is wide enough."""
    counts = service["tasks"]
    return (
        name,
        service["state"],
        f"{counts['running']}/{counts['desired']}",
        "-" if service["state"] == "stopped" else _health(service["health"]),
        _revision(service, full),
        age(service["deployed_seconds_ago"]),
        _release(service["release"]),
    )


def _service(service: Json, row: Sequence[str], versions: Sequence[str], layout: _Layout) -> Iterator[Line]:
    kind = BAD if service["problems"] else BUSY if service["state"] == "deploying" else PLAIN
    mark = MARKS.get(kind, GAP)
    if len(row[0]) > LONGEST_NAME:
        yield Line(f"{mark}{row[0]}", kind)
        mark, row = GAP, ["", *row[1:]]
    texts = [mark + _padded(row, layout.widths)]
    more = list(versions)
    if layout.versions:
        texts[0] = f"{texts[0]:{layout.versions}}{more.pop(0)}" if more else texts[0]
        texts += [f"{'':{layout.versions}}{text}" for text in more]
    else:
        texts += [INDENT + text for text in more]
    addresses = [f"Address: {UNKNOWN}"] if service["urls"] is None else list(service["urls"])
    yield from (Line(text.rstrip(), kind) for text in texts)
    yield from (Line(INDENT + text, QUIET) for text in [*addresses, *_scaling(service["scaling"])])
    for problem in service["problems"]:
        yield from (Line(text, BAD) for text in _wrapped(problem, layout.width))


def _scaling(scaling: Json | None) -> Iterator[str]:
    if scaling:
        by = f" with the queue {scaling['queue']}" if scaling["queue"] else ""
        yield f"Scales from {scaling['min_capacity']} to {scaling['max_capacity']} tasks{by}"


def _release(release: Json) -> str:
    """The number of a release in the history, its outcome, and what it restored."""
    number = "" if release["number"] is None else f"{release['number']} "
    restored = "" if release["action"] != "rollback" or release["to"] is None else f", rollback to {release['to']}"
    return f"{number}{release['outcome'].replace('_', ' ')}{restored}"


def _health(health: Json) -> str:
    if health["state"] != "degraded":
        return str(health["state"])
    counts = health["targets"] or health["containers"] or {}
    return f"{counts.get('healthy', 0)} of {sum(counts.values())} healthy"


def _revision(service: Json, full: bool) -> str:
    """The revision of the task definition, and the newest one if the service runs an older one."""
    definition, newest = str(service["task_definition"] or UNKNOWN), service["newest_task_definition"]
    revision = definition if full else definition.rpartition(":")[2]
    return f"{revision} of {newest.rpartition(':')[2]}" if newest else revision


def _versions(service: Json) -> list[str]:
    if service["images"] is None:
        return [UNKNOWN]
    return [_version(one, service["name"]) for one in service["images"]]


def _version(image: Json, service: str) -> str:
    """Container, tags, digest and commit; without what is the same as another part."""
    tags = [tag for tag in image["tags"] if not CONTENT.fullmatch(tag)] or list(image["tags"])
    more = [f"+{len(tags) - TAGS}"] if len(tags) > TAGS else []
    commit = image["revision"]
    digest = f"@{image['digest'].removeprefix('sha256:')[:DIGEST]}" if image["digest"] else ""
    parts = [
        *([image["container"]] if image["container"] != service else []),
        *tags[:TAGS],
        *more,
        *([digest] if digest else []),
        *([f"git {commit[:COMMIT]}"] if commit and not any(commit in tag for tag in tags[:TAGS]) else []),
    ]
    return " ".join(parts) or UNKNOWN


# Schedules


def _schedules(status: Json, width: int) -> Iterator[Line]:
    """A line for each schedule, and its problems below it."""
    rows = [SCHEDULE_COLUMNS, *(_schedule(one, status["read_at"]) for one in status["schedules"])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(SCHEDULE_COLUMNS))]
    kinds = [HEADING, *(BAD if one["problems"] else PLAIN for one in status["schedules"])]
    problems: list[Sequence[str]] = [(), *(one["problems"] for one in status["schedules"])]
    for row, kind, some in zip(rows, kinds, problems, strict=True):
        yield Line((MARKS.get(kind, GAP) + _padded(row, widths)).rstrip(), kind)
        yield from (Line(text, BAD) for problem in some for text in _wrapped(problem, width))


def _schedule(one: Json, read_at: str) -> tuple[str, ...]:
    """The time zone is part of the expression, unless it is UTC."""
    zone = "" if one["timezone"] == "UTC" else f" {one['timezone']}"
    run = one["last_run"]
    return (
        one["name"],
        f"{one['schedule']}{zone}",
        f"in {age(_seconds(read_at, one['next_run']))}" if one["next_run"] else one["state"],
        _run(run) if run else "none in the last hour",
        one["task_definition"] or UNKNOWN,
    )


def _run(run: Json) -> str:
    if run["status"] != "stopped":
        return str(run["status"])
    code = "not started" if run["exit_code"] is None else f"exit code {run['exit_code']}"
    return f"{age(run['seconds_ago'])} ago, {code}"


def _seconds(first: str, second: str) -> int:
    return int((datetime.datetime.fromisoformat(second) - datetime.datetime.fromisoformat(first)).total_seconds())


# The rest


def _resources(resources: Sequence[Json], width: int) -> Iterator[Line]:
    """A line for each kind, and one for each resource that needs attention."""
    kinds = [(kind, list(some)) for kind, some in groupby(resources, key=lambda one: one["kind"])]
    first = max(len(kind) for kind, _some in kinds)
    for kind, some in kinds:
        fine = [one for one in some if not one["needs_attention"]]
        for one in some:
            if one["needs_attention"]:
                yield Line(f"{MARKS[BAD]}{kind:{first}}{GAP}{_resource(one)}", BAD)
        if fine:
            count = f"{len(fine)} " if len(fine) > 1 else ""
            left = f"{GAP}{kind:{first}}{GAP}{count}"
            yield Line(left + _listed([_resource(one) for one in fine], width - len(left)))


def _resource(one: Json) -> str:
    name = one["name"] or one["id"]
    # The usual states say nothing.
    state = "" if one["state"] in ("active", "available", "issued", "in-use", "running") else one["state"]
    more = ", ".join(text for text in (state, one["summary"]) if text)
    return f"{name} ({more})" if more else name


def _listed(texts: Sequence[str], width: int) -> str:
    """As many of the texts as fit, and the number of the others."""
    for number in range(len(texts), 1, -1):
        rest = f", +{len(texts) - number}" if number < len(texts) else ""
        line = ", ".join(texts[:number]) + rest
        if len(line) <= width:
            return line
    return texts[0] + (f", +{len(texts) - 1}" if len(texts) > 1 else "")


def _unknown(unknown: Sequence[Json], width: int) -> Iterator[Line]:
    for one in unknown:
        missing = f"requires {one['action']}, " if one["action"] else ""
        yield from (Line(text, BAD) for text in _wrapped(f"{one['kind']}: {missing}{one['message']}", width))


def _unsupported(unknown: Sequence[Json], width: int) -> Iterator[Line]:
    """What an emulator does not have, which no permission would change."""
    actions = sorted({one["action"] or one["kind"] for one in unknown})
    if actions:
        text = f"This endpoint does not support {', '.join(actions)}."
        yield from (Line(""), *(Line(line, QUIET) for line in textwrap.wrap(text, width, break_long_words=False)))


def age(seconds: int | None) -> str:
    """A time span in its largest unit."""
    if seconds is None:
        return UNKNOWN
    size, unit = next(((size, unit) for size, unit in UNITS if seconds >= size), (1, "s"))
    return f"{seconds // size} {unit}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column. A long name has a line of its own."""
    names = [len(row[0]) for row in rows if len(row[0]) <= LONGEST_NAME]
    return [max(names), *(max(len(row[column]) for row in rows) for column in range(1, len(COLUMNS)))]


def _padded(texts: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(f"{text:{size}}" for text, size in zip(texts, widths, strict=True))


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=INDENT,
        subsequent_indent=INDENT + GAP,
        break_long_words=False,
        break_on_hyphens=False,
    )

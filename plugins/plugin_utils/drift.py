# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The drift of a project as lines for a terminal, and as a JUnit report. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree

Json = Mapping[str, Any]

# What a line is, from which follows its colour.
PLAIN, HEADING, CHANGED, BAD, QUIET = "plain", "heading", "changed", "bad", "quiet"
TITLES = {
    "changed": "CHANGED since the last run: site.yml restores what its variables set; restore the rest by hand",
    "missing": "MISSING since the last run: site.yml creates it",
    "unrecorded": "NOT IN THE RECORD, but with the project's tag",
}
# Longer values are cut on the terminal; JSON has them in full.
LONGEST = 120
# XML has no control characters.
_CONTROL = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


class Line(NamedTuple):
    """A line of the list."""

    text: str
    kind: str = PLAIN


def listing(drift: Json) -> list[Line]:
    """The drift, for people."""
    lines = [*_header(drift)]
    for how, title in TITLES.items():
        some = [one for one in drift["resources"] if one["drift"] == how]
        if some:
            lines += [Line(""), Line(title, HEADING), *(line for one in some for line in _resource(one))]
    if drift["unknown"]:
        lines += [Line(""), Line("UNKNOWN, because it could not be read or compared", HEADING)]
        lines += [Line(f"  {_unknown(one)}", BAD) for one in drift["unknown"]]
    return [*lines, *(Line(text, QUIET) for text in drift["notes"])]


def _header(drift: Json) -> Iterator[Line]:
    yield Line(f"{drift['project']} in {drift['region']}, account {drift['account']}", HEADING)
    resources = drift["resources"]
    summary = f"{_counted(len(resources), 'resource')} with drift, {len(drift['unchanged'])} without"
    if drift["unknown"]:
        yield Line(f"{summary}; incomplete: {_counted(len(drift['unknown']), 'part')} unknown.", BAD)
    else:
        yield Line(f"{summary}.", CHANGED if resources else PLAIN)
    at = sorted(str(record["at"]) for record in drift["records"].values())
    if at:
        span = at[0] if at[0] == at[-1] else f"{at[0]} to {at[-1]}"
        yield Line(f"Compared with {_counted(len(at), 'record')} of {span}.", QUIET)


def _resource(one: Json) -> Iterator[Line]:
    # An ARN has the name in it.
    is_named = one["name"] == one["id"] or one["id"].startswith("arn:")
    yield Line(f"  {one['kind']} {one['name']}" + ("" if is_named else f" ({one['id']})"), CHANGED)
    for member in one["members"]:
        yield Line(f"    {_member(member)}")
    for event in one["events"]:
        yield Line(f"    {event['event']} by {event['by'] or 'unknown'}, {event['at']}", QUIET)
    yield Line(f"    {one['remedy']}", QUIET)


def _member(member: Json) -> str:
    recorded, actual = shown(member["recorded"]), shown(member["actual"])
    changed = " (changed)" if member["masked"] and recorded == actual else ""
    return f"{member['member']}: {recorded} → {actual}{changed}"


def shown(value: Any) -> str:
    """A value in one line."""
    if value is None:
        return "none"
    text = value if isinstance(value, str) and value else json.dumps(_brief(value), ensure_ascii=False, sort_keys=True)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _brief(value: Any) -> Any:
    """Without empty members."""
    if isinstance(value, Mapping):
        return {name: _brief(member) for name, member in value.items() if member not in (None, [], {})}
    return [_brief(element) for element in value] if isinstance(value, list) else value


def _unknown(one: Json) -> str:
    required = f"requires {one['action']}, " if one["action"] else ""
    return f"{one['kind']}: {required}{one['message']}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def junit(drift: Json) -> str:
    """A test for each resource that was compared, failed where it differs; an error for each part that is unknown."""
    resources: Sequence[Json] = drift["resources"]
    unknown: Sequence[Json] = drift["unknown"]
    counts = {
        "tests": str(len(resources) + len(unknown) + len(drift["unchanged"])),
        "failures": str(len(resources)),
        "errors": str(len(unknown)),
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": f"drift of {drift['project']}", **counts})
    for name in drift["unchanged"]:
        _case(suite, drift, name)
    for one in resources:
        case = _case(suite, drift, f"{one['kind']} {one['id']}")
        lines = [line.text.strip() for line in _resource(one)]
        failure = ElementTree.SubElement(case, "failure", {"type": one["drift"], "message": _plain(_message(one))})
        failure.text = _plain("\n".join(lines))
    for one in unknown:
        case = _case(suite, drift, f"{one['kind']} {one['role']}")
        ElementTree.SubElement(case, "error", {"type": one["code"] or "unknown", "message": _plain(_unknown(one))})
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, drift: Json, name: str) -> ElementTree.Element:
    attributes = {"classname": f"slipway.{drift['project']}", "name": _plain(name)}
    return ElementTree.SubElement(suite, "testcase", attributes)


def _message(one: Json) -> str:
    members = ", ".join(member["member"] for member in one["members"])
    return f"{one['kind']} {one['name']}: {members or one['drift']}"


def _plain(text: str) -> str:
    return _CONTROL.sub("?", text)

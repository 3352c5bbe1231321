# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of preflight as lines for a terminal, and as a JUnit report. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from xml.etree import ElementTree

Json = Mapping[str, Any]

# States in the order in which a report names them.
FAIL, UNKNOWN, WARN, OK = "FAIL", "UNKNOWN", "WARN", "OK"
STATES = (OK, WARN, UNKNOWN, FAIL)
# XML has no control characters.
_CONTROL = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


class Line(NamedTuple):
    """A line of the list, and the state that gives it its colour; empty for the summary."""

    text: str
    state: str = ""


def listing(preflight: Json, passed: bool = True) -> list[Line]:
    """The checks, for people; `passed` says whether those that passed are listed, too."""
    shown = [one for one in preflight["checks"] if passed or one["state"] in (FAIL, WARN)]
    lines = [Line(f"{one['state']:<8}{one['check']:<13} {one['text']}", one["state"]) for one in shown]
    return [*lines, summary(preflight)]


def summary(preflight: Json) -> Line:
    counts = preflight["counts"]
    counted = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state]) or "none"
    return Line(f"Preflight {preflight['result']}. Checks: {counted}.", FAIL if preflight["result"] == "failed" else "")


def junit(preflight: Json) -> str:
    """A test for each check: failed, skipped where it is unknown, with the text of a warning in its output."""
    checks = preflight["checks"]
    counts = {
        "tests": str(len(checks)),
        "failures": str(preflight["counts"][FAIL]),
        "skipped": str(preflight["counts"][UNKNOWN]),
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": "preflight", **counts})
    for one in checks:
        _case(suite, one)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, one: Json) -> None:
    name = {"classname": f"slipway.preflight.{one['check'].replace(' ', '_')}", "name": _plain(one["place"])}
    case = ElementTree.SubElement(suite, "testcase", name)
    text = _plain(one["text"])
    if one["state"] == FAIL:
        ElementTree.SubElement(case, "failure", {"type": one["check"], "message": text}).text = text
    elif one["state"] == UNKNOWN:
        ElementTree.SubElement(case, "skipped", {"message": text})
    elif one["state"] == WARN:
        ElementTree.SubElement(case, "system-out").text = text


def _plain(text: str) -> str:
    return _CONTROL.sub("?", text)

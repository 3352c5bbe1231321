# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history of a project as a table for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils.promotion import origin_text
from ansible_collections.slipway.aws.plugins.plugin_utils.status import (
    BAD,
    BUSY,
    COMMIT,
    DIGEST,
    GAP,
    HEADING,
    INDENT,
    MARKS,
    PLAIN,
    QUIET,
    Line,
)

Json = Mapping[str, Any]

COLUMNS = ("RELEASE", "STARTED (UTC)", "SECONDS", "OUTCOME", "GIT", "BY")
KINDS = {"succeeded": PLAIN, "in_progress": BUSY}
NONE = "-"


def table(history: Json, width: int, limit: int) -> list[Line]:
    """The newest `limit` releases. Who released has a column if a terminal of this width has room for it."""
    releases = history["releases"][:limit]
    if not releases:
        return [Line(f"{history['project']}: no release is recorded.")]
    rows = [COLUMNS, *(_row(one) for one in releases)]
    texts = _columns(rows)
    who = [""] * len(rows)
    if max(map(len, texts)) + len(GAP) > width:
        # Names of roles are long: they get lines of their own, so that none is cut.
        texts, who = _columns([row[:-1] for row in rows]), [f"{INDENT}by {row[-1]}" for row in rows]
    lines = [Line(f"{GAP}{texts[0]}", HEADING)]
    for one, text, by in zip(releases, texts[1:], who[1:], strict=True):
        kind = KINDS.get(one["outcome"], BAD)
        lines.append(Line(f"{MARKS.get(kind, GAP)}{text}", kind))
        lines += [Line(text, QUIET) for text in [*filter(None, [by]), *_services(one)]]
    more = len(history["releases"]) - len(releases)
    return lines + ([Line(f"{GAP}{more} more", QUIET)] if more else [])


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, each column as wide as its longest text."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [GAP.join(f"{text:{size}}" for text, size in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(release: Json) -> tuple[str, ...]:
    revision, _dash, more = (release["revision"] or "").partition("-")
    return (
        str(release["number"]),
        (release["started_at"] or NONE).replace("T", " ").removesuffix("Z"),
        NONE if release["seconds"] is None else f"{release['seconds']:.0f}",
        _outcome(release),
        f"{revision[:COMMIT]}{'-' + more if more else ''}" or NONE,
        _who(release),
    )


def _outcome(release: Json) -> str:
    texts = [release["outcome"].replace("_", " ")]
    if release["action"] == "rollback":
        to, resumes = release["to"], release["resumes"]
        texts.append(f"rollback to {to}" if to is not None else f"rollback of {resumes}" if resumes else "rollback")
    elif release["resumes"] is not None:
        texts.append(f"resumes {release['resumes']}")
    if release["resumed_by"] is not None:
        texts.append(f"see {release['resumed_by']}")
    return ", ".join(texts)


def _who(release: Json) -> str:
    name = (release["by"] or NONE).rpartition(":")[2].partition("/")[2] or (release["by"] or NONE)
    return f"{name} ({release['host']})" if release["host"] else name


def _services(release: Json) -> Iterator[str]:
    if release["problem"]:
        yield f"{INDENT}{release['problem']}"
    if origin := release.get("promoted_from"):
        yield f"{INDENT}promoted from {origin_text(origin)}"
    services = release["services"] or ()
    first = max((len(one["name"]) for one in services), default=0)
    for one in services:
        before, after = one["before"], one["after"]
        texts = [f"{one['name']:{first}}", one["state"].replace("_", " "), _change(_revision(before), _revision(after))]
        yield INDENT + GAP.join([*texts, *_images(before, after)]).rstrip()


def _change(before: str, after: str) -> str:
    return f"{before} -> {after}" if before and after and before != after else after or before


def _revision(version: Json | None) -> str:
    return str(version["task_definition"]) if version else ""


def _images(before: Json | None, after: Json | None) -> Iterator[str]:
    """The containers whose image changed, with the beginning of both digests."""
    former = {one["container"]: one for one in (before or {}).get("images") or ()}
    for one in (after or {}).get("images") or ():
        other = former.get(one["container"])
        if other is None or (other["image"], other["digest"]) != (one["image"], one["digest"]):
            yield f"{one['container']} {_change(_digest(other), _digest(one))}"


def _digest(image: Json | None) -> str:
    if image is None:
        return ""
    return f"@{image['digest'].removeprefix('sha256:')[:DIGEST]}" if image["digest"] else str(image["image"])

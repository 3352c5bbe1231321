# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release is, apart from its calls: the order of its services, what it notes on them, and its table. Pure.

What a service ran before is noted in tags on the service itself, until the release has ended. So a run that was killed
can be completed or taken back by the next one, whatever machine that runs on.
"""

from __future__ import annotations

import base64
import binascii
import graphlib
import json
import typing as t
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..._core.plan import Plan
from ..._core.tags import CHECKPOINT_TAG, Tags
from ..service.members import Options
from ..service.model import DesiredService
from .checkpoint import Run, run_of

# A tag's value holds 256 characters.
_PIECE = 250
_END = "."
_MARK_FORMAT = f"{CHECKPOINT_TAG}.{{}}"


@dataclass(frozen=True)
class Before:
    """What a service was before a release that has not ended.

    `options` has what the release changes, None when there was no service; `target` is the ARN of the task definition
    that the release leads to; `run` is that release; `groups` has former settings of target groups by ARN.
    """

    options: Options | None
    target: str
    run: Run | None = None
    groups: Mapping[str, Options] = field(default_factory=dict)

    def fits(self, running: str) -> bool:
        """False when somebody else has changed the service since."""
        return running in (self.target, (self.options or {}).get("task_definition", self.target))


def mark(before: Before) -> Tags:
    """`before` as tags. ECS allows few characters in them, so it is packed."""
    groups = [before.groups] if before.groups else []
    text = json.dumps([before.options, before.target, *groups], sort_keys=True, separators=(",", ":"))
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode() + _END
    pieces = [packed[start : start + _PIECE] for start in range(0, len(packed), _PIECE)]
    own = before.run.tag() if before.run else {}
    return {**{_MARK_FORMAT.format(number): piece for number, piece in enumerate(pieces)}, **own}


def marks(tags: Iterable[str]) -> list[str]:
    """The keys among `tags` that are such notes."""
    return [key for key in tags if key.startswith(CHECKPOINT_TAG)]


def unmark(tags: Mapping[str, str]) -> Before | None:
    """What the tags note; None when there is nothing, or nothing that can be read."""
    packed = "".join(tags.get(_MARK_FORMAT.format(number), "") for number in range(len(marks(tags))))
    packed, end, _left_from_a_longer_note = packed.partition(_END)
    if not end:
        return None
    try:
        options, target, *groups = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
    except (ValueError, binascii.Error, zlib.error):
        return None
    return Before(options, target, run_of(tags), groups[0] if groups else {})


def before_of(current: Options, plan: Plan, target: str, earlier: Before | None = None) -> Before:
    """What has to be noted of a service, so that `plan` can be taken back: the members that it changes, whole.

    What an `earlier` release that has not ended has noted stays: the way back leads to before both.
    """
    if earlier and earlier.options is None:
        return Before(None, target)
    options = {name: current.get(name) for name in plan.members if name in current}
    if "tags" in options:
        options["tags"] = {key: text for key, text in current["tags"].items() if not key.startswith(CHECKPOINT_TAG)}
    return Before({**options, **(earlier.options or {} if earlier else {})}, target)


def way_back(before: Before) -> DesiredService:
    """What to ask for, so that a service is again as it was."""
    return DesiredService({name: value for name, value in (before.options or {}).items() if value is not None})


def wrong_order(after: Mapping[str, Collection[str]]) -> list[str]:
    """What is wrong with the order of services, one sentence each."""
    unknown = [
        f"services, {name}: after names {other}, which is none of the release's services."
        for name, others in after.items()
        for other in others
        if other not in after
    ]
    try:
        graphlib.TopologicalSorter(after).prepare()
    except graphlib.CycleError as error:
        unknown.append(f"services: after leads in a circle: {' after '.join(reversed(error.args[1]))}.")
    return unknown


def depth(after: Mapping[str, Collection[str]]) -> int:
    """How many services come one after the other at most."""
    order = graphlib.TopologicalSorter(after)
    order.prepare()
    levels = 0
    while order.is_active():
        order.done(*order.get_ready())
        levels += 1
    return levels


def reversed_order(after: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """The order of the way back: what came last goes first."""
    return {name: frozenset(other for other, others in after.items() if name in others) for name in after}


class Row(t.NamedTuple):
    """One service in the table."""

    name: str
    outcome: str
    before: str
    after: str
    running: str
    seconds: float


def table(rows: Sequence[Row]) -> list[str]:
    """The table at the end, for people."""
    if not rows:
        return []
    lines = [("SERVICE", "OUTCOME", "BEFORE", "NOW", "RUNNING", "SECONDS")]
    lines += [
        (row.name, row.outcome, row.before or "-", row.after or "-", row.running or "-", f"{row.seconds:.0f}")
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

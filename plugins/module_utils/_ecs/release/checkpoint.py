# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a checkpoint is: the release that wrote it, in a tag that people can read. Pure."""

from __future__ import annotations

import base64
import binascii
import datetime
import hashlib
import json
import re
import typing as t
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..._core.names import last
from ..._core.plan import Plan
from ..._core.tags import CHECKPOINT_RUN_TAG, CHECKPOINT_TAG, Tags
from ..service.members import Options
from ..service.model import DesiredService

State = t.Literal["", "complete", "interrupted"]
STATES: tuple[State, ...] = ("complete", "interrupted")
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html
_NOT_ALLOWED = re.compile(r"[^\w+\-.:/@]", re.ASCII)
_MOST = 256
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Run:
    """A release, as each of its checkpoints names it.

    `id` is the same for each run of the same release, so that a rerun knows its own. `services` is how many of them it
    changes. It is taken to be under way until `until`, unless `state` says how it ended.
    """

    id: str
    services: int = 0
    started: str = ""
    until: str = ""
    by: str = ""
    state: State = ""

    def tag(self) -> Tags:
        words = {
            "id": self.id,
            "services": str(self.services),
            "started": self.started,
            "until": self.until,
            "state": self.state,
            "by": _NOT_ALLOWED.sub("-", self.by),
        }
        return {CHECKPOINT_RUN_TAG: " ".join(f"{name}={word}" for name, word in words.items() if word)[:_MOST]}

    @property
    def told(self) -> str:
        """For people."""
        by = f" of {self.by}" if self.by else ""
        return f"release {self.id}{by}, started {self.started or 'at an unknown time'}"


def run_of(tags: Mapping[str, str]) -> Run | None:
    """The release that wrote the checkpoint among the tags; None where it does not say."""
    words = dict(word.partition("=")[::2] for word in tags.get(CHECKPOINT_RUN_TAG, "").split())
    if not words.get("id"):
        return None
    services = words.get("services", "")
    state = next((one for one in STATES if one == words.get("state")), "")
    return Run(
        words["id"],
        int(services) if services.isdecimal() else 0,
        words.get("started", ""),
        words.get("until", ""),
        words.get("by", ""),
        t.cast("State", state),
    )


def release_id(cluster: str, services: t.Any) -> str:
    """What tells a release from another one: what it asks for."""
    asked = json.dumps([last(cluster), services], sort_keys=True, default=str)
    return hashlib.sha256(asked.encode()).hexdigest()[:12]


def at(moment: datetime.datetime) -> str:
    """A moment as checkpoints spell it, which sorts as text."""
    return f"{moment.astimezone(datetime.UTC):{_TIME}}"


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

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checkpoint of a release on a service, in its tags: what it ran before, and which release changes it. No calls.

It lets any machine resume or roll back a release that was killed. It is removed when the release has ended.
"""

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
# A tag's value holds 256 characters.
_MOST = 256
_PIECE = 250
_END = "."
_KEY = f"{CHECKPOINT_TAG}.{{}}"
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Run:
    """A release, as its checkpoints name it.

    `id` is the same in each run of the same release, so that a rerun recognises it. `services` is how many it changes.
    It counts as in progress until `until`, unless `state` says how it ended. `step` is "pre" as long as it has changed
    no service.
    """

    id: str
    services: int = 0
    started: str = ""
    until: str = ""
    by: str = ""
    state: State = ""
    step: str = ""

    def tag(self) -> Tags:
        words = {
            "id": self.id,
            "services": str(self.services),
            "started": self.started,
            "until": self.until,
            "state": self.state,
            "step": self.step,
            "by": _NOT_ALLOWED.sub("-", self.by),
        }
        return {CHECKPOINT_RUN_TAG: " ".join(f"{name}={word}" for name, word in words.items() if word)[:_MOST]}

    def __str__(self) -> str:
        by = f" of {self.by}" if self.by else ""
        return f"release {self.id}{by}, started {self.started or 'at an unknown time'}"


def run_of(tags: Mapping[str, str]) -> Run | None:
    """The release that wrote the checkpoint in the tags; None if they do not say."""
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
        words.get("step", ""),
    )


def release_id(cluster: str, services: t.Any) -> str:
    """The ID of a release, which is the same for the same desired services."""
    desired = json.dumps([last(cluster), services], sort_keys=True, default=str)
    return hashlib.sha256(desired.encode()).hexdigest()[:12]


def later(until: str, seconds: float) -> str:
    """The time of a checkpoint that many seconds later."""
    moment = datetime.datetime.strptime(until, _TIME).replace(tzinfo=datetime.UTC)
    return timestamp(moment + datetime.timedelta(seconds=seconds))


def timestamp(moment: datetime.datetime) -> str:
    """The time as checkpoints contain it, which sorts as text."""
    return f"{moment.astimezone(datetime.UTC):{_TIME}}"


@dataclass(frozen=True)
class Checkpoint:
    """What a service was before a release that has not ended.

    `options` are the former values of what the release changes, or None if it creates the service. `target` is the ARN
    of the desired task definition, `run` the release, and `groups` the former settings of target groups by ARN.
    """

    options: Options | None
    target: str
    run: Run | None = None
    groups: Mapping[str, Options] = field(default_factory=dict)

    def fits(self, running: str) -> bool:
        """False if another client has changed the service since."""
        return running in (self.target, (self.options or {}).get("task_definition", self.target))


def to_tags(checkpoint: Checkpoint) -> Tags:
    """The checkpoint as tags. ECS allows few characters in them, so it is encoded."""
    groups = [checkpoint.groups] if checkpoint.groups else []
    text = json.dumps([checkpoint.options, checkpoint.target, *groups], sort_keys=True, separators=(",", ":"))
    packed = base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode() + _END
    pieces = [packed[start : start + _PIECE] for start in range(0, len(packed), _PIECE)]
    own = checkpoint.run.tag() if checkpoint.run else {}
    return {**{_KEY.format(number): piece for number, piece in enumerate(pieces)}, **own}


def checkpoint_keys(tags: Iterable[str]) -> list[str]:
    """The keys of tags that belong to a checkpoint."""
    return [key for key in tags if key.startswith(CHECKPOINT_TAG)]


def from_tags(tags: Mapping[str, str]) -> Checkpoint | None:
    """The checkpoint in the tags; None if there is none, or none that can be read."""
    packed = "".join(tags.get(_KEY.format(number), "") for number in range(len(checkpoint_keys(tags))))
    packed, end, _left_from_a_longer_one = packed.partition(_END)
    if not end:
        return None
    try:
        options, target, *groups = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
    except (ValueError, binascii.Error, zlib.error):
        return None
    return Checkpoint(options, target, run_of(tags), groups[0] if groups else {})


def new_checkpoint(current: Options, plan: Plan, target: str, earlier: Checkpoint | None = None) -> Checkpoint:
    """The checkpoint with which `plan` can be rolled back: the members that it changes, as a whole.

    The checkpoint of an `earlier`, unfinished release is kept in it, so that a rollback restores what ran before both.
    """
    if earlier and earlier.options is None:
        return Checkpoint(None, target)
    options = {name: current.get(name) for name in plan.members if name in current}
    if "tags" in options:
        options["tags"] = {key: text for key, text in current["tags"].items() if not key.startswith(CHECKPOINT_TAG)}
    return Checkpoint({**options, **(earlier.options or {} if earlier else {})}, target)


def desired_before(checkpoint: Checkpoint) -> DesiredService:
    """The desired service of a rollback."""
    return DesiredService({name: value for name, value in (checkpoint.options or {}).items() if value is not None})

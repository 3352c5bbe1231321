# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose a checkpoint is: the release that wrote it, in a tag that people can read. Pure."""

from __future__ import annotations

import datetime
import hashlib
import json
import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from ..._core.names import last
from ..._core.tags import CHECKPOINT_RUN_TAG, Tags

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

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks that run with a release, before or after its services change: when they run, as what, and how they ended.

No calls.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..._core.shapes import to_members
from ..._core.tags import to_list
from ..._core.types import Json, Result
from ..service.members import Options
from ..service.model import Shapes
from ..task.model import runs_as

When = t.Literal["pre_deploy", "post_deploy"]
TITLES: Mapping[When, str] = {"pre_deploy": "Pre-deploy task", "post_deploy": "Post-deploy task"}
# AWS allows these in `startedBy`, and 128 of them.
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_-]")
_NAME_LENGTH = 60
_KEY_LENGTH = 24
_TOKEN_LENGTH = 64


@dataclass
class DeployTask:
    """A task that runs with the new revision of a service of the release."""

    when: When
    name: str
    service: str
    container: str | None
    command: list[str]
    environment: dict[str, str]
    overrides: Json
    timeout: int
    state: t.Literal["not_needed", "not_started", "in_progress", "succeeded", "failed"] = "not_started"
    # The task as ecs_task_run returns it.
    result: Result = field(default_factory=dict)
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{TITLES[self.when]} {self.name}"

    def to_result(self) -> Result:
        known: Result = {"task_arn": "", "exit_code": None, "output": [], "stopped_reason": "", "containers": []}
        shown = {name: self.result.get(name, value) for name, value in known.items()}
        state = {"name": self.name, "service": self.service, "state": self.state, "seconds": round(self.seconds, 1)}
        return {**state, **shown}


@dataclass(frozen=True)
class Identity:
    """Names a task of one release: AWS returns `started_by` with it, and starts it once for each token."""

    key: str
    name: str

    @property
    def started_by(self) -> str:
        return f"slipway/{self.key}/{_NOT_ALLOWED.sub('-', self.name)[:_NAME_LENGTH]}"

    def token(self, attempt: int) -> str:
        return hashlib.sha256(f"{self.started_by}/{attempt}".encode()).hexdigest()[:_TOKEN_LENGTH]


def identity_of(task: DeployTask, release: str, started: str, targets: Sequence[str]) -> Identity:
    """The identity of a task in a release.

    A checkpoint says when the release `started`, which distinguishes it from an earlier one of the same services. As
    long as no service has a checkpoint, the revisions to release do.
    """
    own = [task.when, task.name, task.service, task.container, task.command, task.environment, task.overrides]
    text = json.dumps([release, started or sorted(targets), own], sort_keys=True, default=str)
    return Identity(hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH], task.name)


def settings_of(found: Options | None, desired: Options, target: str, shapes: Shapes) -> Json:
    """The service as AWS will describe it once it is released, as far as tasks depend on it."""
    current = runs_as(found) if found else {}
    members = to_members(shapes.create, {name: value for name, value in desired.items() if name != "tags"})
    tags = {} if desired.get("tags") is None else {"tags": to_list(desired["tags"])}
    return {**current, **members, **tags, "taskDefinition": target}


def seconds_of(tasks: Sequence[DeployTask]) -> int:
    return sum(task.timeout for task in tasks)

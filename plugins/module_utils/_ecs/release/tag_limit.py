# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checkpoint that a release is going to write on each service, and whether AWS has room for its tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..._core.error_codes import LIMIT_EXCEEDED
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN
from ..._core.tags import AWS, CHECKPOINT_TAG, MOST
from ..target_group.model import changed, checkpoint_of
from .checkpoint import Before, Run, before_of, mark
from .gather import raise_all
from .state import Part

# As long as an ARN gets, for a revision that is yet to be registered.
_LONG_ARN = "arn:aws-us-gov:ecs:us-gov-west-1:123456789012:task-definition/{}:1234567"


def target_of(part: Part) -> str:
    """The task definition that the release leads to."""
    return str(part.desired.options.get("task_definition") or (part.current or {}).get("task_definition", ""))


def needs_checkpoint(part: Part) -> bool:
    """Whether the release is going to write one: also where it completes an earlier release."""
    return part.current is None or part.plan.changed or part.before is not None or bool(changed(part.groups))


def checkpoint_for(part: Part, run: Run) -> Before:
    """What `part` has to note before it is changed."""
    former = checkpoint_of(part.groups, part.before.groups if part.before else {})
    if part.current is None:
        return Before(None, target_of(part), run, former)
    before = before_of(part.current, part.plan.plan, target_of(part), part.before)
    return replace(before, run=run, groups=former)


def refuse_too_many_tags(parts: Sequence[Part], run: Run) -> None:
    """Fail where AWS would refuse a checkpoint in the middle of the release, for all services at once."""
    problems = [(f"services, {part.name}", problem) for part in parts if (problem := _problem(part, run))]
    raise_all([(what, SlipwayError(LIMIT_EXCEEDED, problem)) for what, problem in problems])


def _problem(part: Part, run: Run) -> str:
    if not needs_checkpoint(part):
        return ""
    before = checkpoint_for(part, run)
    if before.target == UNKNOWN and part.asked:
        before = replace(before, target=_LONG_ARN.format(part.asked.name.family))
    needed = len(mark(before))
    # Tags that the release removes are removed last, so they count beside the new ones. AWS does not count its own.
    present = {**((part.current or {}).get("tags") or {}), **part.plan.put_tags}
    present |= {tag["key"]: "" for tag in part.plan.request.get("tags") or ()}
    own = [key for key in present if not key.startswith((AWS, CHECKPOINT_TAG))]
    if len(own) + needed <= MOST:
        return ""
    return (
        f"tags: expected at most {MOST - needed}, because the checkpoint of a release needs {needed} of the {MOST} tags"
        f" that AWS allows, got {len(own)}, present and desired ones together. Remove {len(own) + needed - MOST}."
    )

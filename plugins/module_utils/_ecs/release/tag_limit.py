# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a service has room for the tags of a checkpoint. No calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..._core.error_codes import LIMIT_EXCEEDED
from ..._core.errors import SlipwayError
from ..._core.plan import UNKNOWN
from ..._core.tags import AWS, CHECKPOINT_TAG, MOST
from .checkpoint import Run, to_tags
from .gather import raise_all
from .state import ServiceRelease

# As long as ARNs get, for a revision that is not registered yet.
_LONG_ARN = "arn:aws-us-gov:ecs:us-gov-west-1:123456789012:task-definition/{}:1234567"


def refuse_too_many_tags(services: Sequence[ServiceRelease], run: Run) -> None:
    """Fail if AWS would reject a checkpoint in the middle of the release, with all services at once."""
    problems = [(f"services, {service.name}", problem) for service in services if (problem := _problem(service, run))]
    raise_all([(what, SlipwayError(LIMIT_EXCEEDED, problem)) for what, problem in problems])


def _problem(service: ServiceRelease, run: Run) -> str:
    if not service.needs_checkpoint:
        return ""
    checkpoint = service.new_checkpoint(run)
    if checkpoint.target == UNKNOWN and service.desired_definition:
        checkpoint = replace(checkpoint, target=_LONG_ARN.format(service.desired_definition.name.family))
    needed = len(to_tags(checkpoint))
    # Tags are removed last, so the old ones count beside the new ones. AWS does not count its own.
    tags = {**((service.current or {}).get("tags") or {}), **service.plan.put_tags}
    tags |= {tag["key"]: "" for tag in service.plan.request.get("tags") or ()}
    own = [key for key in tags if not key.startswith((AWS, CHECKPOINT_TAG))]
    if len(own) + needed <= MOST:
        return ""
    return (
        f"tags: expected at most {MOST - needed}, because the checkpoint of a release needs {needed} of the {MOST} tags"
        f" that AWS allows, got {len(own)}, current and desired ones together. Remove {len(own) + needed - MOST}."
    )

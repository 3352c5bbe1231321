# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an adoption tags: the plan, from the tags that resources have. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ..._core import ownership
from ..._core.tags import GROUP, PROJECT, SCALING_TAG, Tags
from ..._core.types import Json

SERVICE, DEFINITION = "service", "task definition"
TARGET_GROUP, RULE, SCHEDULE_GROUP = "target group", "listener rule", "schedule group"
SCALABLE_TARGET = "scalable target"
# The roles tag none of these with the group of services.
_WITHOUT_GROUP = (TARGET_GROUP, RULE)


class Resource(t.NamedTuple):
    """`name` is for people; `scales` where the inventory manages the scaling of a service."""

    kind: str
    name: str
    arn: str
    tags: Tags
    scales: bool = False


class Step(t.NamedTuple):
    """What one resource gets."""

    resource: Resource
    put: Tags

    def to_result(self) -> Json:
        before = dict(sorted(self.resource.tags.items()))
        return {
            "kind": self.resource.kind,
            "name": self.resource.name,
            "arn": self.resource.arn,
            "before": before,
            "after": dict(sorted({**before, **self.put}.items())),
            "changed": bool(self.put),
        }


def plan(resources: Sequence[Resource], project: str, group: str) -> list[Step]:
    """A step for each resource. Fails if one is another project's."""
    return [Step(one, _missing(one, _wanted(one, project, group))) for one in resources]


def _wanted(one: Resource, project: str, group: str) -> Tags:
    ownership.is_adopted(one.tags, {PROJECT: project}, f"{one.kind} {one.name}")
    of_group = {GROUP: group} if group and one.kind not in _WITHOUT_GROUP else {}
    return {PROJECT: project, **of_group, **({SCALING_TAG: "true"} if one.scales else {})}


def _missing(one: Resource, wanted: Mapping[str, str]) -> Tags:
    return {name: text for name, text in wanted.items() if one.tags.get(name) != text}


def table(steps: Sequence[Step]) -> list[str]:
    """A line for each resource: what it is, its tags before, and what it gets."""
    rows = [[f"{one.kind} {one.name}", _text(one.tags), _text(put)] for one, put in steps]
    lines = [["RESOURCE", "TAGS BEFORE", "ADDED"], *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(2)]
    return [f"{one:<{widths[0]}}  {two:<{widths[1]}}  {three}" for one, two, three in lines]


def _text(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={text}" for name, text in sorted(tags.items())) or "-"

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Target groups whose settings change with a release: current, desired, and those of a checkpoint. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..._core.plan import Plan, compare
from ..._core.target_groups import HEALTH_OPTIONS, settling_seconds
from ..._core.types import Json

# Settings by target group's ARN.
Settings = Mapping[str, Json]


@dataclass(frozen=True)
class TargetGroup:
    """One target group: its settings and what has to change."""

    name: str
    arn: str
    plan: Plan

    @property
    def former(self) -> Json:
        """What a rollback restores."""
        return dict(self.plan.before)

    @property
    def settling(self) -> int:
        """Seconds for which targets may keep the state that the former settings gave them."""
        return settling_seconds(self.plan.predicted) if self.plan.members & HEALTH_OPTIONS else 0

    def __str__(self) -> str:
        changes = [f"{name} {self.plan.before.get(name)} -> {value}" for name, value in self.plan.after.items()]
        return f"target group {self.name}: {', '.join(changes)}"


def compare_settings(name: str, arn: str, current: Json, wanted: Json) -> TargetGroup:
    return TargetGroup(name, arn, compare(current, wanted))


def changed(groups: Iterable[TargetGroup]) -> list[TargetGroup]:
    return [group for group in groups if group.plan.changed]


def checkpoint_of(groups: Iterable[TargetGroup], earlier: Settings) -> dict[str, Json]:
    """What a checkpoint has to hold to restore the settings. Those of an earlier release are kept."""
    former = {group.arn: group.former for group in changed(groups)}
    return {arn: {**former.get(arn, {}), **earlier.get(arn, {})} for arn in {**former, **earlier}}


def diff_of(groups: Iterable[TargetGroup]) -> tuple[Json, Json]:
    """Before and after, by name; empty where nothing differs."""
    differing = changed(groups)
    return {one.name: one.plan.before for one in differing}, {one.name: one.plan.after for one in differing}


def used_by(members: Mapping[str, t.Any]) -> set[str]:
    """ARNs of the target groups of a service's options, those for blue/green deployments included."""
    balancers = members.get("load_balancers") or ()
    others = [(item.get("advancedConfiguration") or {}).get("alternateTargetGroupArn") for item in balancers]
    return {str(arn) for arn in (*(item.get("targetGroupArn") for item in balancers), *others) if arn}

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which the services of a release are changed. No calls."""

from __future__ import annotations

import graphlib
from collections.abc import Collection, Mapping


def wrong_order(after: Mapping[str, Collection[str]]) -> list[str]:
    """Problems of the order of services, one sentence each."""
    problems = [
        f"services, {name}: after: expected services of the release, got {other}."
        for name, others in after.items()
        for other in others
        if other not in after
    ]
    try:
        graphlib.TopologicalSorter(after).prepare()
    except graphlib.CycleError as error:
        problems.append(f"services: after: expected no cycle, got {' after '.join(reversed(error.args[1]))}.")
    return problems


def depth(after: Mapping[str, Collection[str]]) -> int:
    """The length of the longest chain of services that come after each other."""
    order = graphlib.TopologicalSorter(after)
    order.prepare()
    levels = 0
    while order.is_active():
        order.done(*order.get_ready())
        levels += 1
    return levels


def reversed_order(after: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """The order of the rollback: the last one comes first."""
    return {name: frozenset(other for other, others in after.items() if name in others) for name in after}

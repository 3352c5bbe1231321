# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which the services of a release are changed. No calls."""

from __future__ import annotations

import graphlib
from collections.abc import Collection, Mapping


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

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Between which numbers of tasks a service scales, and by which queue. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ..._core.types import Json


def scaling(service: Json) -> Json | None:
    """The limits and the queue; None without scaling, or if it could not be read."""
    target = service.get("scalableTarget")
    if not target:
        return None
    return {
        "min_capacity": target["MinCapacity"],
        "max_capacity": target["MaxCapacity"],
        "queue": next(_queues(service), None),
    }


def _queues(service: Json) -> Iterator[str]:
    for policy in service.get("scalingPolicies") or ():
        tracking = policy.get("TargetTrackingScalingPolicyConfiguration") or {}
        for query in (tracking.get("CustomizedMetricSpecification") or {}).get("Metrics") or ():
            dimensions = ((query.get("MetricStat") or {}).get("Metric") or {}).get("Dimensions") or ()
            yield from (str(one["Value"]) for one in dimensions if one.get("Name") == "QueueName" and "Value" in one)

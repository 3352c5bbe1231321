# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch of the emulator: for a while, there is no capacity for the first tasks of a cluster.

On AWS, tasks of a capacity provider on EC2 wait until an instance has joined the cluster, and Fargate may have none in
a zone. The emulator starts each task at once.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from emulator_patches import service_of, wrap
from eventual_consistency import retry

Json = dict[str, Any]

FARGATE = "Capacity is unavailable at this time. Please try again later or in a different availability zone"
EVENTS = {
    "FARGATE": f"was unable to place a task. Reason: {FARGATE}.",
    "EC2": (
        "was unable to place a task because no container instance met all of its requirements. Reason: No Container "
        "Instances were found in your capacity provider."
    ),
}
# RunTask on EC2 names the first resource that is missing.
FAILURES = {"FARGATE": FARGATE, "EC2": "RESOURCE:MEMORY"}


class Capacity:
    """Since when tasks have been requested, by cluster and kind of capacity."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._now = seconds, now
        self._since: dict[tuple[str, str], float] = {}

    def is_missing(self, cluster: str, kind: str) -> bool:
        now = self._now()
        return now - self._since.setdefault((cluster, kind), now) < self._seconds

    def forget(self, cluster: str) -> None:
        """A cluster that is created again has no capacity again."""
        self._since = {key: since for key, since in self._since.items() if key[0] != cluster}


def capacity(ecs: ModuleType, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
    """Let capacity be missing for as many seconds; with 0, nothing is patched."""
    if seconds <= 0:
        return
    missing = Capacity(seconds, now)

    @wrap(ecs, "_run_task")
    def run(original: Callable[..., Any], data: Json) -> Any:
        name = ecs._resolve_cluster_name(data.get("cluster", "default"))
        cluster = ecs._clusters.get(name)
        launch_type, strategy, refused = ecs._launch_choice(data, cluster)
        kind = ecs._task_capacity(launch_type, strategy)[0]
        if refused or not cluster or not missing.is_missing(cluster["clusterArn"], kind):
            return original(data)
        if not str(data.get("group") or "").startswith("service:"):
            failures = [{"arn": cluster["clusterArn"], "reason": FAILURES[kind]}] * int(data.get("count") or 1)
            return ecs.json_response({"tasks": [], "failures": failures})
        key, service = service_of(ecs, {"clusterArn": cluster["clusterArn"], "group": data["group"]})
        message = f"(service {service['serviceName']}) {EVENTS[kind]}"
        service["events"].insert(0, {"id": ecs.new_uuid(), "createdAt": ecs._iso(), "message": message})
        retry(ecs, name, key, lambda: missing.is_missing(cluster["clusterArn"], kind))
        return ecs.json_response({"tasks": [], "failures": []})

    @wrap(ecs, "_put_cluster")
    def create(original: Callable[..., Any], data: Json) -> Any:
        cluster = original(data)
        missing.forget(cluster["clusterArn"])
        return cluster

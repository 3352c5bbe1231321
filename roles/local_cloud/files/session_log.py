# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's log of a session, in the log group that the cluster names, or that of the container.

The agent stores what the terminal showed when the session ends, in a stream with the name of the session:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html. Here, it stores no logs in buckets, and needs
no permissions of the task role.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ministack.core.responses import request_scope

Json = dict[str, Any]
# The emulator keeps logs in memory: of a longer session, it has the end.
KEPT = 1024 * 1024
# A request to CloudWatch Logs has no more events.
BATCH = 10_000


def log_group(cluster: Json, container: Json) -> str:
    """Where sessions in a container are logged; empty if nowhere."""
    execute = (cluster.get("configuration") or {}).get("executeCommandConfiguration") or {}
    own = (container.get("logConfiguration") or {}).get("options") or {}
    groups = {
        "NONE": "",
        "OVERRIDE": (execute.get("logConfiguration") or {}).get("cloudWatchLogGroupName") or "",
        "DEFAULT": own.get("awslogs-group") or "",
    }
    return groups[execute.get("logging") or "DEFAULT"]


class SessionLog:
    """What the terminal of a session showed."""

    def __init__(self, logs: ModuleType, place: tuple[str, str], group: str, session: str) -> None:
        self.logs = logs
        self.place = place
        self.group = group
        self.session = session
        self.shown = bytearray()

    def add(self, data: bytes) -> None:
        if self.group:
            self.shown += data
            del self.shown[:-KEPT]

    def store(self) -> None:
        lines = [line for line in self.shown.decode(errors="replace").splitlines() if line.strip()]
        if not lines:
            return
        stream = {"logGroupName": self.group, "logStreamName": self.session}
        with request_scope(*self.place):
            self.logs._create_log_stream(stream)
            for start in range(0, len(lines), BATCH):
                events = [{"message": line} for line in lines[start : start + BATCH]]
                self.logs._put_log_events({**stream, "logEvents": events})

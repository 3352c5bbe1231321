# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts a session in a container, or finds out why there is none."""

from __future__ import annotations

import time

from ..._core.errors import SlipwayError
from ..._core.types import Client
from . import api, model

# The agent of a container that has just started is not connected yet:
# https://github.com/aws/containers-roadmap/issues/187 recommends to try again after a few seconds.
NOT_CONNECTED = "TargetNotConnectedException"
AGAIN_SECONDS = 2.0


class Opener:
    """Starts sessions in one container."""

    def __init__(self, ecs: Client, cluster: str, task: str, container: str | None) -> None:
        self.ecs = ecs
        self.cluster = cluster
        self.task = task
        self.container = container

    def open(self, command: str, seconds: float) -> model.Session:
        """Start a session; one whose agent is not connected yet is tried again for a while."""
        deadline = time.monotonic() + seconds
        container = self.container or self._only_container()
        place = model.Place(self.cluster, self.task, container)
        while True:
            try:
                return api.execute_command(self.ecs, place, command)
            except SlipwayError as error:
                self.check()
                if error.details.get("error_code") != NOT_CONNECTED or time.monotonic() > deadline:
                    self._check_agent(container)
                    raise
            time.sleep(AGAIN_SECONDS)

    def check(self) -> None:
        """Fail if no command can run in the container, with the reason."""
        model.check(api.describe_task(self.ecs, self.cluster, self.task), self.cluster, self.task, self.container)

    def _only_container(self) -> str:
        task = api.describe_task(self.ecs, self.cluster, self.task)
        model.check(task, self.cluster, self.task, None)
        return model.container_of(task or {}, None)

    def _check_agent(self, container: str) -> None:
        task = api.describe_task(self.ecs, self.cluster, self.task)
        if task:
            model.container_of(task, container)
            model.check_agent(task, container)

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts a session in a container, or finds out why there is none."""

from __future__ import annotations

import typing as t

from ..._core.errors import SlipwayError
from ..._core.types import Client, Json
from ..._core.waiting import Clock
from ..task import api as task_api
from . import api, model

AGAIN_SECONDS = 2.0


class Opener:
    """Starts sessions in one container."""

    def __init__(self, ecs: Client, cluster: str, task: str, container: str | None, clock: Clock | None = None) -> None:
        self.ecs = ecs
        self.cluster = cluster
        self.task = task
        self.container = container
        self.clock = clock or Clock()

    def open(self, command: str, seconds: float) -> api.Session:
        """Start a session in which a command runs."""
        return self._started(lambda place: api.execute_command(self.ecs, place, command), seconds)

    def open_port(self, ssm: Client, port: int, host: str | None, seconds: float) -> api.Session:
        """Start a session that forwards a port of the container, or of a host that it reaches."""

        def start(place: api.Place) -> api.Session:
            task = self._read()
            self._check(task)
            return api.start_session(ssm, model.target(task or {}, place.container), *model.forwarding(port, host))

        return self._started(start, seconds)

    def _started(self, start: t.Callable[[api.Place], api.Session], seconds: float) -> api.Session:
        """One whose agent is not connected yet is tried again for a while."""
        until = self.clock.now() + seconds
        if not self.container:
            self.container = self._only_container()
        place = api.Place(self.cluster, self.task, self.container)
        while True:
            try:
                return start(place)
            except SlipwayError as error:
                task = self._describe()
                self._check(task)
                if not model.may_connect_later(error, task, self.container) or self.clock.now() > until:
                    model.check_agent(task or {}, self.container)
                    raise
            self.clock.sleep(AGAIN_SECONDS)

    def check(self) -> None:
        """Fail if the container does not run, with the reason."""
        self._check(self._describe())

    def data_key(self, kms: Client, session: str, key: str, challenge: str) -> tuple[bytes, bytes]:
        """A data key for the session, as it is and encrypted."""
        task = self._read()
        self._check(task)
        context = model.encryption_context(session, task or {}, str(self.container), challenge)
        return api.generate_data_key(kms, key, context)

    def _only_container(self) -> str:
        task = self._read()
        model.check(task, self.cluster, self.task, None)
        return model.container_of(task or {}, None)

    def _read(self) -> Json | None:
        """The task. None if it does not exist, or ended an hour ago."""
        return next(iter(task_api.describe_tasks(self.ecs, self.cluster, [self.task])), None)

    def _describe(self) -> Json | None:
        """The task. An empty one if nothing can be said about it: what failed before is what counts."""
        try:
            return self._read()
        except SlipwayError:
            return {}

    def _check(self, task: Json | None) -> None:
        if task != {}:
            model.check(task, self.cluster, self.task, self.container)

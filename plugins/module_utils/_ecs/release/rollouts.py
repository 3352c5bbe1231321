# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many services on their way at once: started in order, watched side by side, in few calls."""

from __future__ import annotations

import graphlib
import itertools
import typing as t
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from ..._core.errors import ACCESS_DENIED, AWS_ERROR, SlipwayError
from ..._core.paging import batches
from ..._core.progress import SILENCE, Progress
from ..._core.types import Json
from ..._core.waiting import FIRST_PAUSE, LONGEST_PAUSE, Clock
from ..rollout.judge import Verdict
from ..rollout.observe import Cloud, Observer, Outcome, explain, timed_out
from ..service import api as service_api

Service = dict[str, t.Any]


@dataclass
class Ship:
    """One service on its way. `start` makes the calls; it answers the service to watch, or None where that is all."""

    name: str
    observer: Observer
    start: Callable[[], Service | None]
    after: frozenset[str] = frozenset()
    service: Service | None = None
    verdict: Verdict | None = None
    error: SlipwayError | None = None
    state: t.Literal["waiting", "starting", "watched", "arrived", "failed"] = "waiting"
    started: float = 0.0
    seconds: float = 0.0
    told: str = ""

    @property
    def under_way(self) -> bool:
        return self.state in ("starting", "watched")


class Unwatched(Exception):
    """AWS could not be asked how the ships fare, for the reason in `cause`."""

    def __init__(self, cause: SlipwayError) -> None:
        super().__init__(cause.msg)
        self.cause = cause


@dataclass
class Fleet:
    """Brings ships to their goals. `pool` bounds how many calls are made at a time."""

    cloud: Cloud
    cluster: str
    pool: Executor
    progress: Progress
    timeout: float
    clock: Clock = field(default_factory=Clock)
    # Of the column of names.
    width: int = 0

    def run(self, ships: Sequence[Ship], *, halt: bool) -> None:
        """Until each has arrived or failed; with `halt`, no further than to the first that failed.

        A ship whose predecessor failed stays `waiting`. With `halt` those under way are left `watched`, but every
        call that was begun has ended.
        """
        names = {ship.name: ship for ship in ships}
        self.width = min(max(map(len, names), default=0), 30)
        order = graphlib.TopologicalSorter({ship.name: ship.after & names.keys() for ship in ships})
        order.prepare()
        starting: dict[Future[Service | None], Ship] = {}
        pause, next_look = FIRST_PAUSE, 0.0
        while not (halt and any(ship.error for ship in ships)):
            for name in order.get_ready():
                starting[self.pool.submit(self._start, names[name])] = names[name]
                pause = FIRST_PAUSE
            watched = [ship for ship in ships if ship.state == "watched"]
            if not starting and not watched:
                return
            done = self._wait(starting, next_look if watched else None)
            ended = [self._started(starting.pop(future), future) for future in done]
            if watched and self.clock.now() >= next_look:
                try:
                    ended += self._look(watched)
                except SlipwayError as error:
                    raise Unwatched(error) from error
                next_look, pause = self.clock.now() + pause, min(pause * 2, LONGEST_PAUSE)
            order.done(*(ship.name for ship in ended if ship.state == "arrived"))
            self._heartbeat(ships)
        for future, ship in starting.items():
            if not future.cancel():
                self._started(ship, future)

    def say(self, name: str, text: str) -> None:
        """Add a line on one service."""
        self.progress.say(f"{name:<{self.width}}  {text}")

    def _wait(self, starting: dict[Future[Service | None], Ship], until: float | None) -> set[Future[Service | None]]:
        """Wait for the first start to end, no longer than until the next look; the starts that have ended."""
        left = SILENCE if until is None else max(0.0, until - self.clock.now())
        if starting:
            return wait(starting, timeout=left, return_when=FIRST_COMPLETED).done
        self.clock.sleep(left)
        return set()

    def _start(self, ship: Ship) -> Service | None:
        ship.state, ship.started = "starting", self.clock.now()
        return ship.start()

    def _started(self, ship: Ship, future: Future[Service | None]) -> Ship:
        """Note how a start has ended: its service is to be watched, or that was all, or it failed."""
        try:
            ship.service = future.result()
        except SlipwayError as error:
            self._fail(ship, SlipwayError(error.code, f"Service {ship.name}: {error.msg}", error.details))
            self.say(ship.name, f"failed. {error.msg}")
            return ship
        if ship.service is None:
            self._arrive(ship)
        else:
            ship.state = "watched"
            # What goes without saying.
            ship.told = f"0/{ship.service.get('desiredCount', 0)} running"
        return ship

    def _look(self, watched: Sequence[Ship]) -> list[Ship]:
        """Look at all that are under way, in batches; those that have ended."""
        names = [ship.name for ship in watched]
        answers = self.pool.map(self._read, batches(names, service_api.SERVICES_BATCH))
        found = {service["serviceName"]: service for service in itertools.chain.from_iterable(answers)}
        for ship in watched:
            ship.service = found.get(ship.name, {"serviceName": ship.name, "status": "INACTIVE"})
        deployments = self._deployments(watched)
        for ship, text in zip(
            watched, self.pool.map(lambda ship: self._judge(ship, deployments), watched), strict=True
        ):
            if text != ship.told:
                self.say(ship.name, text)
                ship.told = text
        return [ship for ship in watched if not ship.under_way]

    def _read(self, names: list[str]) -> list[Service]:
        return service_api.describe_services(self.cloud.ecs, self.cluster, names)

    def _deployments(self, watched: Sequence[Ship]) -> dict[str, Json]:
        """The service deployments that are known to be followed, by ARN."""
        arns = {arn for ship in watched if (arn := ship.observer.watch.goal.service_deployment)}
        reads = self.pool.map(self._read_deployments, batches(sorted(arns), service_api.DEPLOYMENTS_BATCH))
        return {found["serviceDeploymentArn"]: found for found in itertools.chain.from_iterable(reads)}

    def _read_deployments(self, arns: list[str]) -> list[Service]:
        try:
            return service_api.describe_service_deployments(self.cloud.ecs, arns)
        except SlipwayError as error:
            # Whether a rollout can be judged without is for its observer to say.
            if error.code in (ACCESS_DENIED, AWS_ERROR):
                return []
            raise

    def _judge(self, ship: Ship, deployments: Mapping[str, Json]) -> str:
        """Judge what was read of a ship's service; what there is to say of it."""
        watch, service = ship.observer.watch, t.cast(Service, ship.service)
        sight = ship.observer.glance(service, deployments)
        now = self.clock.now()
        verdict = watch.observe(sight, now)
        ship.observer.require_judgeable(sight, verdict)
        if not verdict.over and now - ship.started > self.timeout:
            verdict = timed_out(verdict, self.timeout)
        ship.verdict = verdict
        if verdict.state == "succeeded":
            self._arrive(ship)
            return f"done in {ship.seconds:.0f} s, {verdict.progress}"
        if verdict.state == "failed":
            sight = ship.observer.look(service)
            watch.observe(sight, now)  # remembers the tasks that failed
            self._fail(ship, explain(ship.observer, Outcome(verdict, sight)))
            return f"failed after {ship.seconds:.0f} s. {verdict.summary}"
        reasons = [str(task.get("stoppedReason") or "") for task in watch.failed_tasks[-1:]]
        return ": ".join([verdict.progress, *filter(None, reasons)])

    def _arrive(self, ship: Ship) -> None:
        ship.state, ship.seconds = "arrived", self.clock.now() - ship.started

    def _fail(self, ship: Ship, error: SlipwayError) -> None:
        ship.state, ship.seconds, ship.error = "failed", self.clock.now() - ship.started, error

    def _heartbeat(self, ships: Sequence[Ship]) -> None:
        if self.progress.silent_for < SILENCE:
            return
        going = [f"{ship.name} {ship.told}".strip() for ship in ships if ship.under_way]
        more = f" and {len(going) - 3} more" if len(going) > 3 else ""
        arrived = sum(ship.state == "arrived" for ship in ships)
        self.progress.say(f"Still at it: {arrived} of {len(ships)} done. {'; '.join(going[:3])}{more}")

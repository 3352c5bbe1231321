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

from ..._core.error_codes import ACCESS_DENIED, AWS_ERROR
from ..._core.errors import SlipwayError
from ..._core.paging import batches
from ..._core.progress import SILENCE, Progress
from ..._core.types import Json
from ..._core.waiting import FIRST_PAUSE, LONGEST_PAUSE, Clock
from ..cloud import Cloud
from ..rollout.observe import Outcome, RolloutReader, explain, timed_out
from ..rollout.verdict import Verdict
from ..service import api as service_api

Service = dict[str, t.Any]


@dataclass
class ServiceRollout:
    """One service on its way. `start` makes the calls; it answers the service to watch, or None where that is all."""

    name: str
    reader: RolloutReader
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


class NotMonitored(Exception):
    """AWS could not be asked how the ships fare, for the reason in `cause`."""

    def __init__(self, cause: SlipwayError) -> None:
        super().__init__(cause.msg)
        self.cause = cause


@dataclass
class RolloutGroup:
    """Brings ships to their goals. `pool` bounds how many calls are made at a time."""

    cloud: Cloud
    cluster: str
    pool: Executor
    progress: Progress
    timeout: float
    clock: Clock = field(default_factory=Clock)
    # Of the column of names.
    width: int = 0

    def run(self, rollouts: Sequence[ServiceRollout], *, halt: bool) -> None:
        """Until each has arrived or failed; with `halt`, no further than to the first that failed.

        A ship whose predecessor failed stays `waiting`. With `halt` those under way are left `watched`, but every
        call that was begun has ended.
        """
        names = {rollout.name: rollout for rollout in rollouts}
        self.width = min(max(map(len, names), default=0), 30)
        order = graphlib.TopologicalSorter({rollout.name: rollout.after & names.keys() for rollout in rollouts})
        order.prepare()
        starting: dict[Future[Service | None], ServiceRollout] = {}
        pause, next_look = FIRST_PAUSE, 0.0
        while not (halt and any(rollout.error for rollout in rollouts)):
            for name in order.get_ready():
                starting[self.pool.submit(self._start, names[name])] = names[name]
                pause = FIRST_PAUSE
            watched = [rollout for rollout in rollouts if rollout.state == "watched"]
            if not starting and not watched:
                return
            done = self._wait(starting, next_look if watched else None)
            ended = [self._started(starting.pop(future), future) for future in done]
            if watched and self.clock.now() >= next_look:
                try:
                    ended += self._look(watched)
                except SlipwayError as error:
                    raise NotMonitored(error) from error
                next_look, pause = self.clock.now() + pause, min(pause * 2, LONGEST_PAUSE)
            order.done(*(rollout.name for rollout in ended if rollout.state == "arrived"))
            self._heartbeat(rollouts)
        for future, rollout in starting.items():
            if not future.cancel():
                self._started(rollout, future)

    def say(self, name: str, text: str) -> None:
        """Add a line on one service."""
        self.progress.say(f"{name:<{self.width}}  {text}")

    def _wait(
        self, starting: dict[Future[Service | None], ServiceRollout], until: float | None
    ) -> set[Future[Service | None]]:
        """Wait for the first start to end, no longer than until the next look; the starts that have ended."""
        left = SILENCE if until is None else max(0.0, until - self.clock.now())
        if starting:
            return wait(starting, timeout=left, return_when=FIRST_COMPLETED).done
        self.clock.sleep(left)
        return set()

    def _start(self, rollout: ServiceRollout) -> Service | None:
        rollout.state, rollout.started = "starting", self.clock.now()
        return rollout.start()

    def _started(self, rollout: ServiceRollout, future: Future[Service | None]) -> ServiceRollout:
        """Note how a start has ended: its service is to be watched, or that was all, or it failed."""
        try:
            rollout.service = future.result()
        except SlipwayError as error:
            self._fail(rollout, SlipwayError(error.code, f"Service {rollout.name}: {error.msg}", error.details))
            self.say(rollout.name, f"failed. {error.msg}")
            return rollout
        if rollout.service is None:
            self._arrive(rollout)
        else:
            rollout.state = "watched"
            # What goes without saying.
            rollout.told = f"0/{rollout.service.get('desiredCount', 0)} running"
        return rollout

    def _look(self, watched: Sequence[ServiceRollout]) -> list[ServiceRollout]:
        """Look at all that are under way, in batches; those that have ended."""
        names = [rollout.name for rollout in watched]
        answers = self.pool.map(self._read, batches(names, service_api.SERVICES_BATCH))
        found = {service["serviceName"]: service for service in itertools.chain.from_iterable(answers)}
        for rollout in watched:
            rollout.service = found.get(rollout.name, {"serviceName": rollout.name, "status": "INACTIVE"})
        deployments = self._deployments(watched)
        for rollout, text in zip(
            watched, self.pool.map(lambda rollout: self._judge(rollout, deployments), watched), strict=True
        ):
            if text != rollout.told:
                self.say(rollout.name, text)
                rollout.told = text
        return [rollout for rollout in watched if not rollout.under_way]

    def _read(self, names: list[str]) -> list[Service]:
        return service_api.describe_services(self.cloud.ecs, self.cluster, names)

    def _deployments(self, watched: Sequence[ServiceRollout]) -> dict[str, Json]:
        """The service deployments that are known to be followed, by ARN."""
        arns = {arn for rollout in watched if (arn := rollout.reader.judge.deployment.service_deployment)}
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

    def _judge(self, rollout: ServiceRollout, deployments: Mapping[str, Json]) -> str:
        """Judge what was read of a ship's service; what there is to say of it."""
        judge, service = rollout.reader.judge, t.cast(Service, rollout.service)
        snapshot = rollout.reader.quick_snapshot(service, deployments)
        now = self.clock.now()
        verdict = judge.verdict(snapshot, now)
        rollout.reader.require_judgeable(snapshot, verdict)
        if not verdict.over and now - rollout.started > self.timeout:
            verdict = timed_out(verdict, self.timeout)
        rollout.verdict = verdict
        if verdict.state == "succeeded":
            self._arrive(rollout)
            return f"done in {rollout.seconds:.0f} s, {verdict.progress}"
        if verdict.state == "failed":
            snapshot = rollout.reader.full_snapshot(service)
            judge.verdict(snapshot, now)  # remembers the tasks that failed
            self._fail(rollout, explain(rollout.reader, Outcome(verdict, snapshot)))
            return f"failed after {rollout.seconds:.0f} s. {verdict.summary}"
        reasons = [str(task.get("stoppedReason") or "") for task in judge.failed_tasks[-1:]]
        return ": ".join([verdict.progress, *filter(None, reasons)])

    def _arrive(self, rollout: ServiceRollout) -> None:
        rollout.state, rollout.seconds = "arrived", self.clock.now() - rollout.started

    def _fail(self, rollout: ServiceRollout, error: SlipwayError) -> None:
        rollout.state, rollout.seconds, rollout.error = "failed", self.clock.now() - rollout.started, error

    def _heartbeat(self, rollouts: Sequence[ServiceRollout]) -> None:
        if self.progress.silent_for < SILENCE:
            return
        going = [f"{rollout.name} {rollout.told}".strip() for rollout in rollouts if rollout.under_way]
        more = f" and {len(going) - 3} more" if len(going) > 3 else ""
        arrived = sum(rollout.state == "arrived" for rollout in rollouts)
        self.progress.say(f"Still at it: {arrived} of {len(rollouts)} done. {'; '.join(going[:3])}{more}")

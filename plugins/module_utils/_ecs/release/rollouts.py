# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rollouts of many services: started in order, monitored side by side, with few calls."""

from __future__ import annotations

import graphlib
import itertools
import threading
import typing as t
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from ..._core.error_codes import ACCESS_DENIED, AWS_ERROR, NO_CREDENTIALS
from ..._core.errors import SlipwayError
from ..._core.paging import batches
from ..._core.progress import SILENCE, Progress
from ..._core.types import Client, Json
from ..._core.waiting import FIRST_PAUSE, LONGEST_PAUSE, Clock
from ..cloud import Cloud
from ..rollout.observe import Outcome, RolloutReader, explain, timed_out
from ..service import api as service_api
from ..service.members import Options
from ..service.model import Shapes
from ..service_deployment.api import continue_service_deployment
from ..service_deployment.model import CONTINUE, pauses, shifting_seconds
from .state import Release, ServiceRollout

_NAMES_WIDTH = 30
Starting = dict[Future[Options | None], "MonitoredRollout"]


@dataclass(kw_only=True)
class MonitoredRollout(ServiceRollout):
    """A rollout with what carries it out. `start` makes the calls and returns the service to monitor, or None."""

    reader: RolloutReader
    start: Callable[[], Options | None]
    # Whether its pauses are continued, as nobody has to approve what ran before.
    continues: bool = False
    # Stages and IDs of the hooks that this run has continued.
    continued: set[tuple[str, str]] = field(default_factory=set)


@dataclass(kw_only=True)
class RunningRelease(Release):
    """A release with what carries it out."""

    group: RolloutGroup
    shapes: Shapes
    # Records how the release ends, before its last checkpoints are removed.
    conclude: Callable[[], None] = lambda: None

    @property
    def cloud(self) -> Cloud:
        return self.group.cloud

    @property
    def ecs(self) -> Client:
        return self.group.cloud.ecs

    @property
    def pool(self) -> Executor:
        return self.group.pool

    @property
    def timeout(self) -> float:
        return self.group.timeout


class NotMonitored(Exception):
    """The state of the rollouts could not be read, because of `cause`."""

    def __init__(self, cause: SlipwayError) -> None:
        super().__init__(cause.msg)
        self.cause = cause


@dataclass
class RolloutGroup:
    """Runs rollouts side by side. `pool` limits the number of simultaneous calls, and waits for nothing once `over`."""

    cloud: Cloud
    cluster: str
    pool: Executor
    progress: Progress
    timeout: float
    clock: Clock = field(default_factory=Clock)
    over: threading.Event = field(default_factory=threading.Event)
    # Of the column of names.
    width: int = 0
    # Fails if another run has taken over.
    guard: Callable[[], None] = lambda: None

    def run(self, rollouts: Sequence[MonitoredRollout], *, halt: bool) -> None:
        """Run until each is stable or failed; with `halt`, only until the first one fails.

        A rollout stays `waiting` if one before it fails. With `halt`, those in progress stay `monitored`, but all calls
        that were begun have ended. They cannot be rolled back without credentials.
        """
        names = {rollout.name: rollout for rollout in rollouts}
        self.width = min(max(map(len, names), default=0), _NAMES_WIDTH)
        order = graphlib.TopologicalSorter({rollout.name: rollout.after & names.keys() for rollout in rollouts})
        order.prepare()
        starting: Starting = {}
        pause, next_read = FIRST_PAUSE, 0.0
        while not (halt and any(rollout.error for rollout in rollouts)):
            for name in order.get_ready():
                starting[self.pool.submit(self._start, names[name])] = names[name]
                pause = FIRST_PAUSE
            monitored = [rollout for rollout in rollouts if rollout.state == "monitored"]
            if not starting and not monitored:
                return
            done = self._wait(starting, next_read if monitored else None)
            ended = [self._started(starting.pop(future), future) for future in done]
            if monitored and self.clock.now() >= next_read:
                try:
                    ended += self._monitor(monitored)
                except SlipwayError as error:
                    raise NotMonitored(error) from error
                next_read, pause = self.clock.now() + pause, min(pause * 2, LONGEST_PAUSE)
            order.done(*(rollout.name for rollout in ended if rollout.state == "stable"))
            self._heartbeat(rollouts)
        for future, rollout in starting.items():
            if not future.cancel():
                self._started(rollout, future)
        expired = [one.error for one in rollouts if one.error and one.error.code == NO_CREDENTIALS]
        if halt and expired:
            raise NotMonitored(expired[0])

    def end(self) -> None:
        """Start nothing more, and leave what is waited for to ECS."""
        self.over.set()
        self.pool.shutdown(wait=False, cancel_futures=True)

    def say(self, name: str, text: str) -> None:
        """Report a line about one service."""
        self.progress.say(f"{name:<{self.width}}  {text}")

    def _wait(self, starting: Starting, until: float | None) -> set[Future[Options | None]]:
        """Wait for the first start to end, at most until the next read. Returns the starts that have ended."""
        left = SILENCE if until is None else max(0.0, until - self.clock.now())
        if starting:
            return wait(starting, timeout=left, return_when=FIRST_COMPLETED).done
        self.clock.sleep(left)
        return set()

    def _start(self, rollout: MonitoredRollout) -> Options | None:
        try:
            self.guard()
        except SlipwayError as error:
            raise NotMonitored(error) from error
        rollout.state, rollout.started = "starting", self.clock.now()
        answer = rollout.start()
        rollout.deployment = rollout.reader.deployment
        return answer

    def _started(self, rollout: MonitoredRollout, future: Future[Options | None]) -> MonitoredRollout:
        """Take the result of a start: the rollout is monitored from now on, already stable, or failed."""
        try:
            rollout.answer = future.result()
        except SlipwayError as error:
            self._fail(rollout, SlipwayError(error.code, f"Service {rollout.name}: {error.msg}", error.details))
            self.say(rollout.name, f"failed. {error.msg}")
            return rollout
        if rollout.answer is None:
            self._succeed(rollout)
        else:
            rollout.state = "monitored"
            # Every rollout begins like this, so it is not reported.
            rollout.reported = f"0/{rollout.answer.get('desiredCount', 0)} running"
        return rollout

    def _monitor(self, monitored: Sequence[MonitoredRollout]) -> list[MonitoredRollout]:
        """Read and judge all monitored rollouts, in batches. Returns those that have ended."""
        names = [rollout.name for rollout in monitored]
        answers = self.pool.map(self._read, batches(names, service_api.SERVICES_BATCH))
        found = {answer["serviceName"]: answer for answer in itertools.chain.from_iterable(answers)}
        for rollout in monitored:
            rollout.answer = rollout.reader.seen(found.get(rollout.name), rollout.answer)
        deployments = self._deployments(monitored)
        for rollout in monitored:
            deployment = deployments.get(rollout.reader.judge.deployment.service_deployment or "")
            if rollout.continues and deployment:
                self._continue(rollout, deployment)
        texts = self.pool.map(lambda rollout: self._judge(rollout, deployments), monitored)
        for rollout, text in zip(monitored, texts, strict=True):
            if text != rollout.reported:
                self.say(rollout.name, text)
                rollout.reported = text
        return [rollout for rollout in monitored if not rollout.in_progress]

    def _continue(self, rollout: MonitoredRollout, deployment: Json) -> None:
        """Continue a deployment where it is paused. If that fails, someone else can still do it."""
        stage, arn = str(deployment.get("lifecycleStage")), str(deployment["serviceDeploymentArn"])
        for hook_id in [str(hook.get("hookId", "")) for hook in pauses(deployment)]:
            if (stage, hook_id) in rollout.continued:
                continue
            rollout.continued.add((stage, hook_id))
            try:
                continue_service_deployment(self.cloud.ecs, arn, hook_id, CONTINUE)
                self.say(rollout.name, f"continues after its pause at {stage}: a rollback needs no approval")
            except SlipwayError as error:
                self.say(rollout.name, f"stays paused at {stage}: {error.msg}")

    def _read(self, names: list[str]) -> list[Json]:
        return service_api.describe_services(self.cloud.ecs, self.cluster, names)

    def _deployments(self, monitored: Sequence[MonitoredRollout]) -> dict[str, Json]:
        """The known service deployments by ARN."""
        arns = {arn for rollout in monitored if (arn := rollout.reader.judge.deployment.service_deployment)}
        reads = self.pool.map(self._read_deployments, batches(sorted(arns), service_api.DEPLOYMENTS_BATCH))
        return {found["serviceDeploymentArn"]: found for found in itertools.chain.from_iterable(reads)}

    def _read_deployments(self, arns: list[str]) -> list[Json]:
        try:
            return service_api.describe_service_deployments(self.cloud.ecs, arns)
        except SlipwayError as error:
            # The reader decides whether a rollout can be judged without them.
            if error.code in (ACCESS_DENIED, AWS_ERROR):
                return []
            raise

    def _judge(self, rollout: MonitoredRollout, deployments: Mapping[str, Json]) -> str:
        """Judge a rollout by what was read. Returns its progress as one line."""
        reader, answer = rollout.reader, t.cast("Options", rollout.answer)
        snapshot, now = reader.quick_snapshot(answer, deployments), self.clock.now()
        verdict = reader.judge.verdict(snapshot, now)
        rollout.deployment = reader.deployment
        reader.require_judgeable(snapshot, verdict)
        # Bake times and pauses take as long as the service says.
        timeout = self.timeout + shifting_seconds(answer)
        if not verdict.over and now - rollout.started > timeout:
            verdict = timed_out(verdict, timeout)
        rollout.verdict = verdict
        if verdict.state == "succeeded":
            rollout.answer = reader.after_success(answer)
            self._succeed(rollout)
            return f"done in {rollout.seconds:.0f} s, {verdict.progress}"
        if verdict.state == "failed":
            snapshot = reader.full_snapshot(answer)
            reader.judge.verdict(snapshot, now)  # remembers the tasks that failed
            self._fail(rollout, explain(reader, Outcome(verdict, snapshot)))
            return f"failed after {rollout.seconds:.0f} s. {verdict.summary}"
        reasons = [str(task.get("stoppedReason") or "") for task in reader.judge.failed_tasks[-1:]]
        return ": ".join([verdict.progress, *filter(None, reasons)])

    def _succeed(self, rollout: MonitoredRollout) -> None:
        rollout.state, rollout.seconds = "stable", self.clock.now() - rollout.started

    def _fail(self, rollout: MonitoredRollout, error: SlipwayError) -> None:
        rollout.state, rollout.seconds, rollout.error = "failed", self.clock.now() - rollout.started, error

    def _heartbeat(self, rollouts: Sequence[MonitoredRollout]) -> None:
        if self.progress.silent_for < SILENCE:
            return
        going = [f"{rollout.name} {rollout.reported}".strip() for rollout in rollouts if rollout.in_progress]
        more = f" and {len(going) - 3} more" if len(going) > 3 else ""
        stable = sum(rollout.state == "stable" for rollout in rollouts)
        self.progress.say(f"In progress: {stable} of {len(rollouts)} services done. {'; '.join(going[:3])}{more}")

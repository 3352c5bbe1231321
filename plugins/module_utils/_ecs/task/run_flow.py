# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts tasks and follows them until they have stopped, with their logs."""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..._core.creating import persist
from ..._core.error_codes import ACCESS_DENIED, TIMEOUT
from ..._core.errors import SlipwayError
from ..._core.names import last
from ..._core.types import Json
from ..._core.waiting import poll, postponed
from ..cloud import Cloud
from ..rollout.diagnose import LogPlace, log_places
from ..rollout.tasks import task_id
from . import api
from .outcome import is_over, never_started, succeeded

# CloudWatch returns lines shortly after the task has stopped.
LOG_SECONDS = 10.0
LOG_LINES = 100
# A container has 30 seconds to stop unless its definition says otherwise.
STOP_SECONDS = 40.0
Say = Callable[[str], object]


class LogTail:
    """The log stream of one container: each line once, and the last ones kept."""

    def __init__(self, cloud: Cloud, place: LogPlace, say: Say) -> None:
        self._logs = cloud.logs(place.region)
        self._place = place
        self._say = say
        self._token = ""
        self.lines: collections.deque[str] = collections.deque(maxlen=LOG_LINES)
        self.problem = ""

    def read(self) -> bool:
        """Say the lines that are new. Returns whether there were any, or whether none can ever be read."""
        if self.problem:
            return True
        try:
            events = api.log_events(self._logs, self._place.group, self._place.stream, self._token)
        except SlipwayError as error:
            # A task does not fail because its log cannot be read. Other errors may pass.
            if error.code == ACCESS_DENIED:
                self.problem = f"the log of container {self._place.container}: {error.msg}"
            return bool(self.problem)
        for line in events.lines if events else ():
            self.lines.append(line)
            self._say(line)
        self._token = events.token if events else ""
        return bool(events and events.lines)


@dataclass
class StartedTasks:
    """Tasks of one task definition, and what is known of them. Lines of the container's log are said at once."""

    cloud: Cloud
    cluster: str
    definition: Json
    container: str
    say: Say
    tasks: list[Json] = field(default_factory=list)
    timed_out: set[str] = field(default_factory=set)
    tails: dict[str, LogTail] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    # Signals that came while the tasks were started.
    interrupted: list[int] = field(default_factory=list)

    def wait(self, timeout: float, heartbeat: Callable[[], object] = lambda: None) -> None:
        """Wait until all have stopped. Tasks that time out are stopped.

        If it cannot be read whether they run, they are left as they are.
        """

        def read() -> list[Json]:
            if self.interrupted:
                raise KeyboardInterrupt
            running = self._read()
            heartbeat()
            return running

        try:
            poll(read, lambda running: not running, timeout=timeout, waiting_for=_waiting_for)
        except SlipwayError as error:
            if error.code != TIMEOUT:
                raise
            self.timed_out = {task["taskArn"] for task in self.tasks if not is_over(task)}
            if not self.stop("Timed out."):
                self._wait_stopped()
        self._drain()

    def stop(self, reason: str) -> list[str]:
        """Stop those that run. Returns a sentence for each that could not be stopped, as it may still run."""
        left = []
        for task in self.tasks:
            if is_over(task):
                continue
            try:
                api.stop_task(self.cloud.ecs, self.cluster, task["taskArn"], reason)
            except SlipwayError as error:
                left.append(f"Task {task_id(task)} was not stopped and may still be running: {error.msg}")
        self.problems += left
        return left

    @property
    def failed(self) -> list[Json]:
        """Those that timed out first, whatever exit code they had when they were stopped."""
        failed = [one for one in self.tasks if one["taskArn"] in self.timed_out or not succeeded(one, self.container)]
        return sorted(failed, key=lambda task: task["taskArn"] not in self.timed_out)

    @property
    def ended(self) -> bool:
        """Whether all stopped by themselves."""
        return not self.timed_out

    @property
    def revision(self) -> str:
        return last(self.definition["taskDefinitionArn"])

    @property
    def logs(self) -> dict[tuple[str, str], list[str]]:
        return {(name, self.container): list(tail.lines) for name, tail in self.tails.items()}

    @property
    def unread(self) -> list[str]:
        return [*self.problems, *sorted({tail.problem for tail in self.tails.values() if tail.problem})]

    def _read(self) -> list[Json]:
        """Read the tasks and the new lines of their logs. Returns those that run."""
        arns = [task["taskArn"] for task in self.tasks if not is_over(task)]
        found = {task["taskArn"]: task for task in api.describe_tasks(self.cloud.ecs, self.cluster, arns)}
        # A task that was just started may not be found yet.
        self.tasks = [found.get(task["taskArn"], task) for task in self.tasks]
        for task in self.tasks:
            if not (is_over(task) and never_started(task, self.container)) and (tail := self._tail(task)):
                tail.read()
        return [task for task in self.tasks if not is_over(task)]

    def _wait_stopped(self) -> None:
        try:
            poll(
                self._read,
                lambda running: not running,
                timeout=STOP_SECONDS,
                waiting_for=_waiting_for,
            )
        except SlipwayError as error:
            # The failure is that they timed out.
            self.problems.append(f"Whether the tasks have stopped: {error.msg}")

    def _tail(self, task: Json) -> LogTail | None:
        """The log of the task's container; None if it logs elsewhere."""
        name = task_id(task)
        if name not in self.tails:
            places = [place for place in log_places(task, self.definition) if place.container == self.container]
            if not places:
                return None
            say = self.say if len(self.tasks) == 1 else lambda line: self.say(f"{name[:8]}  {line}")
            self.tails[name] = LogTail(self.cloud, places[0], say)
        return self.tails[name]

    def _drain(self) -> None:
        """Read the logs to their end. CloudWatch may have it a little later than the task stopped."""
        for task in self.tasks:
            tail = None if never_started(task, self.container) else self._tail(task)
            if tail is None:
                continue
            try:
                poll(
                    lambda tail=tail: tail.read() or bool(tail.lines),  # type: ignore[misc]
                    bool,
                    timeout=LOG_SECONDS,
                    waiting_for="the output",
                )
            except SlipwayError as error:
                if error.code != TIMEOUT:
                    raise
            while tail.read() and not tail.problem:
                pass


def start(started: StartedTasks, request: Json, token: str = "") -> None:
    """Start the tasks. AWS starts them once for each token. If only some of several start, they are stopped.

    A signal that stops the run waits for the answer, which says what has to be stopped.
    """
    call = {**request, **({"clientToken": token} if token else {})}

    def run() -> list[Json]:
        if started.interrupted:
            raise KeyboardInterrupt
        with postponed(started.interrupted):
            return api.run_tasks(started.cloud.ecs, call)

    try:
        started.tasks = persist(run)
    except SlipwayError as error:
        for arn in error.details.get("started") or ():
            api.stop_task(started.cloud.ecs, started.cluster, arn, "Not all tasks started.")
        raise


def find(cloud: Cloud, cluster: str, started_by: str) -> list[Json]:
    """Tasks by who started them, those that have stopped too. AWS forgets these after about an hour."""
    arns = [
        arn
        for status in ("RUNNING", "STOPPED")
        for arn in api.list_tasks(cloud.ecs, cluster, startedBy=started_by, desiredStatus=status)
    ]
    return api.describe_tasks(cloud.ecs, cluster, list(dict.fromkeys(arns))) if arns else []


def _waiting_for(running: Sequence[Json]) -> str:
    states = ", ".join(f"{task_id(task)} ({task.get('lastStatus', 'unknown')})" for task in running[:3])
    more = f" and {len(running) - 3} more" if len(running) > 3 else ""
    return f"task{'' if len(running) == 1 else 's'} {states}{more} to stop"

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disturbs a run at a stage of its release, and keeps in mind which run made which call."""

from __future__ import annotations

import re
import sys
import threading
import time
import traceback
import typing as t
from collections import Counter

from ansible_collections.slipway.aws.tests.proxies import base

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.races.matrix import Case, Stage

PAGE = "/page"
FIRST, SECOND = "first", "second"
_KEY = re.compile(r"Credential=([^/]+)/")
TOKEN_EXPIRED = base.json_error("ExpiredTokenException", "The security token included in the request is expired")
DENIED = base.json_error("AccessDeniedException", "User is not authorized to perform this action")
THROTTLED = base.json_error("ThrottlingException", "Rate exceeded")
# The record of a release is written when it begins, when it is about to end, and at its end.
WRITE = "write the record"
SHIFTED = ("PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME")
CHANGING = ("CreateService", "UpdateService", "DeleteService", "RunTask", "TagResource", "UntagResource")


class Call(t.NamedTuple):
    run: str
    operation: str
    at: float
    subject: str


class Disturber(base.Proxy):
    """Calls `act` once, when the first run gets to the stage of the case. Also serves the page that releases check."""

    def __init__(self, target: str) -> None:
        super().__init__(target, self._serve_early, self._serve_late)
        self.made: list[Call] = []
        self.problems: list[str] = []
        self.page_fails = False
        self.struck = threading.Event()
        # The answer to all further calls of the first run, or to those of one operation; None loses them.
        self.fault: base.Answer | None = base.Answer(0, {}, b"")
        self.faulty: t.Callable[[base.Request], bool] = lambda _request: False
        self._case: Case | None = None
        self._act: t.Callable[[base.Request], None] | None = None
        # What the first run has done so far.
        self._progress: Counter[str] = Counter()
        self._counting = threading.Lock()

    def arm(self, case: Case, act: t.Callable[[base.Request], None]) -> None:
        self._case, self._act, self._progress = case, act, Counter()
        self.struck.clear()

    def disarm(self) -> None:
        self._act = None
        self.faulty = lambda _request: False

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """A client that is killed leaves its connection; anything else is a fault of the test."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.problems.append("".join(traceback.format_exception(error)))

    def of(self, run: str) -> list[Call]:
        return [call for call in self.made if call.run == run]

    def _serve_early(self, request: base.Request) -> base.Answer | None:
        run = run_of(request)
        with self._counting:
            self.made.append(Call(run, request.operation, time.monotonic(), _subject(request)))
            if run == FIRST:
                self._progress[WRITE if _is_overwriting(request) else request.operation] += 1
        if run == FIRST:
            self._strike(request, None)
            self._disturb(request)
            if self.faulty(request):
                return self.fault
        if request.path == PAGE:
            return base.Answer(500 if self.page_fails else 200, {}, b"the page")
        return None

    def _serve_late(self, request: base.Request, answer: base.Answer) -> base.Answer:
        if run_of(request) == FIRST:
            self._strike(request, answer)
            if self.fault is None:
                self._disturb(request)
        return answer

    def _disturb(self, request: base.Request) -> None:
        if self.fault is None and self.faulty(request):
            raise base.LostError

    def _strike(self, request: base.Request, answer: base.Answer | None) -> None:
        with self._counting:
            case, act = self._case, self._act
            # The page is this proxy's own.
            late = bool(case and case.late and request.path != PAGE)
            if case is None or act is None or late != (answer is not None):
                return
            if not is_at(case.stage, request, answer, self._progress):
                return
            self._act = None
        self.struck.set()
        act(request)


def run_of(request: base.Request) -> str:
    """Each run has an access key of its own, by its name. The page is asked without one."""
    found = _KEY.search(request.headers.get("authorization", ""))
    return found[1] if found else FIRST


def is_at(stage: Stage, request: base.Request, answer: base.Answer | None, progress: Counter[str]) -> bool:
    """Whether the call shows that its run is at the stage. `progress` counts its calls so far."""
    members = request.members if request.headers.get("x-amz-target") else {}
    operation, command = request.operation, _command(members)
    shown = answer.json().get("serviceDeployments") or [] if answer and operation.endswith("ServiceDeployments") else []
    return {
        "reading": operation == "DescribeServices",
        "lock": operation == "PutParameter" and not members.get("Overwrite"),
        "registering": operation == "RegisterTaskDefinition",
        "starting the migration": operation == "RunTask" and command == "migrate",
        "migrating": operation == "DescribeTasks" and progress["RunTask"] > 0,
        "updating": operation in ("UpdateService", "CreateService"),
        "shifting": any(one.get("lifecycleStage") in SHIFTED for one in shown),
        "paused": "AWAITING_ACTION" in str(shown),
        "starting the smoke test": operation == "RunTask" and command == "smoke",
        "verifying": request.path == PAGE,
        "rolling back": operation == "UpdateService" and str(members.get("taskDefinition", "")).endswith(":1"),
        "clearing": operation == "UntagResource",
        "recording": _is_overwriting(request) and progress[WRITE] > 2,
    }.get(stage, False)


def _is_overwriting(request: base.Request) -> bool:
    return request.operation == "PutParameter" and bool(request.members.get("Overwrite"))


def _command(members: t.Mapping[str, t.Any]) -> str:
    overrides = (members.get("overrides") or {}).get("containerOverrides") or [{}]
    return str((overrides[0].get("command") or [""])[0])


def _subject(request: base.Request) -> str:
    members = request.members if request.headers.get("x-amz-target") else {}
    return str(members.get("cluster") or members.get("Name") or "")

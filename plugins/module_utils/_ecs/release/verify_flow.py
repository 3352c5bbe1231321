# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last step of a release: pages and ports that have to answer as expected."""

from __future__ import annotations

import re
import socket
import typing as t
from collections.abc import Mapping
from http.client import HTTPException
from urllib.error import HTTPError, URLError

from ansible.module_utils.urls import ConnectionError as NotConnected
from ansible.module_utils.urls import open_url

from ..._core.error_codes import TIMEOUT, VERIFICATION_FAILED
from ..._core.errors import SlipwayError
from ..._core.progress import SILENCE
from ..._core.types import Connection
from ..._core.waiting import poll
from ..arguments import CHECK
from ..limits import refuse, twice
from .options_flow import checked
from .rollouts import RunningRelease
from .verification import Check, check_problems, page_problem, port_problem

# For each attempt.
ATTEMPT_SECONDS = 5.0
# As much of a page as is searched.
_MOST_BYTES = 10 * 1024 * 1024


def checks_of(connection: Connection) -> list[Check]:
    """The checks of the release, validated."""
    checks: list[Check] = []
    problems: list[str] = []
    for number, given in enumerate(connection.params["verify"] or ()):
        params, wrong = checked(given, CHECK)
        if params is not None:
            wrong = [*check_problems(params)]
            checks.append(Check(params["name"], params["type"], params))
        name = f" ({given['name']})" if given.get("name") else ""
        problems += [f"verify[{number}]{name}: {problem}" for problem in wrong]
    names = [check.name for check in checks]
    problems += [f"verify: expected each name once, got {name} {names.count(name)} times." for name in twice(names)]
    refuse(problems)
    return checks


def run_verification(release: RunningRelease) -> list[SlipwayError]:
    """Repeat the checks until each has succeeded or they time out. Returns why they failed."""
    if not release.checks:
        return []
    if not release.changes:
        for check in release.checks:
            check.state = "not_needed"
        return []
    try:
        poll(
            lambda: _attempt(release),
            lambda left: not left,
            timeout=release.checks_timeout,
            waiting_for="the checks",
            clock=release.group.clock,
        )
    except SlipwayError as error:
        if error.code != TIMEOUT:
            raise
        return [_failure(release)]
    return []


def _attempt(release: RunningRelease) -> list[Check]:
    """Make those checks that have not succeeded yet. Returns those that fail."""
    for check in release.checks:
        if check.state == "succeeded":
            continue
        before, check.problem = check.problem, _problem(check)
        check.state = "failed" if check.problem else "succeeded"
        if check.problem and check.problem != before:
            release.progress.say(f"verify {check.name}: {check.problem}")
        elif not check.problem:
            release.progress.say(f"verify  {check.name}: succeeded")
    left = [check for check in release.checks if check.state == "failed"]
    if left and release.progress.silent_for >= SILENCE:
        done = len(release.checks) - len(left)
        release.progress.say(f"In progress: {done} of {len(release.checks)} checks done.")
    return left


def _problem(check: Check) -> str:
    return _page(check.options) if check.type == "http" else _port(check.options)


def _page(options: Mapping[str, t.Any]) -> str:
    url, status, content = options["url"], options["status"] or 200, options["content"] or ""
    got, text, reason = 0, "", ""
    try:
        answer = open_url(url, headers=options["headers"], timeout=ATTEMPT_SECONDS, follow_redirects="safe")
        got, text = answer.status, answer.read(_MOST_BYTES).decode(errors="replace")
    except HTTPError as error:
        got, text = error.code, error.read(_MOST_BYTES).decode(errors="replace")
        reason = f"status {error.code} ({error.reason})."
    except (HTTPException, NotConnected, OSError, URLError, ValueError) as error:
        reason = f"no answer: {getattr(error, 'reason', None) or error}."
    if got == status and re.search(content, text):
        return ""
    return page_problem(url, (status, content), got, reason or f"status {got}.")


def _port(options: Mapping[str, t.Any]) -> str:
    try:
        socket.create_connection((options["host"], options["port"]), ATTEMPT_SECONDS).close()
    except OSError as error:
        return port_problem(options["host"], options["port"], f"{error}.")
    return ""


def _failure(release: RunningRelease) -> SlipwayError:
    failed = [check for check in release.checks if check.state == "failed"]
    release.failed_steps += [f"check {check.name}" for check in failed]
    problems = [f"{check.name}: {check.problem}" for check in failed]
    text = f"Still failing {release.checks_timeout:g} s after all services became stable:"
    return SlipwayError(VERIFICATION_FAILED, "\n".join([text, *problems]))

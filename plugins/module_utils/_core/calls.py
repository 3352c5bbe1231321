# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a client calls AWS: retries, time-outs, and what is recorded of each attempt."""

from __future__ import annotations

import typing as t

from .answers import check_members, check_readable
from .errors import CALL, THROTTLING, Call
from .waiting import Clock, next_line, say_waiting

# botocore repeats after throttling and faults of the network, with jittered backoff, and slows down by itself while AWS
# throttles. The number includes the first attempt.
RETRIES: dict[str, t.Any] = {"mode": "adaptive", "total_max_attempts": 10}
# What AWS's variables and its configuration file call these.
NAMES = {"retry_mode": "mode", "max_attempts": "total_max_attempts"}
# As many calls as may be under way at a time.
CONNECTIONS = 32
# Seconds until a connection that brings nothing is given up, and how many such attempts end a call.
CONNECT_SECONDS = 10
READ_SECONDS = 30
STALLS = 3
STALLED = ("ConnectTimeoutError", "ReadTimeoutError")


def settings(chosen: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Arguments of botocore's Config. What the user has `chosen` elsewhere is left to botocore."""
    elsewhere = {NAMES[name] for name in NAMES if chosen.get(name) is not None}
    retries = {name: value for name, value in RETRIES.items() if name not in elsewhere}
    return {
        "connect_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "max_pool_connections": CONNECTIONS,
        **({"retries": retries} if retries else {}),
    }


def watch(client: t.Any) -> t.Any:
    """The client, whose calls are noted and whose answers are checked from now on."""
    events = client.meta.events
    events.register("before-call", _begin)
    events.register("before-parse", _check)
    events.register("after-call", _check_parsed)
    events.register("needs-retry", _note)
    return client


def _begin(model: t.Any, **_event: t.Any) -> None:
    now = Clock().now()
    CALL.set(Call(model.name, started=now, due=now + next_line(0)))


def _check(operation_model: t.Any, response_dict: t.Mapping[str, t.Any], **_event: t.Any) -> None:
    check_readable(operation_model, response_dict)


def _check_parsed(model: t.Any, parsed: t.Any, http_response: t.Any, **_event: t.Any) -> None:
    if http_response.status_code < 300:
        check_members(model, parsed)


def _note(response: t.Any, caught_exception: Exception | None, **_event: t.Any) -> None:
    """After each attempt. Raises what ended the last of too many that stalled."""
    call = CALL.get()
    if caught_exception is None:
        status, code = response[0].status_code, response[1].get("Error", {}).get("Code", "")
        if code in THROTTLING:
            # EC2 does so with status 503: the call was not carried out.
            what = f"AWS, which throttles {call.operation}"
            call.due = say_waiting(what, call.started, call.due, Clock().now())
            return
        # AWS may have carried out what one of its servers could not answer.
        call.lost |= status >= 500
        return
    call.lost = True
    call.stalled += type(caught_exception).__name__ in STALLED
    if call.stalled >= STALLS:
        raise caught_exception

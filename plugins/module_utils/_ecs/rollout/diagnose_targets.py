# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out why targets fail their health checks, from recorded answers and the logs of tasks. No calls."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

from ..._core.error_codes import (
    HEALTH_CHECK_DENIED,
    HEALTH_CHECK_ERROR,
    HEALTH_CHECK_HOST,
    HEALTH_CHECK_PATH,
    HEALTH_CHECK_REDIRECTED,
    HEALTH_CHECK_REFUSED,
    HEALTH_CHECK_TIMEOUT,
    LISTENS_ELSEWHERE,
    LISTENS_ON_LOOPBACK,
    TARGET_UNHEALTHY,
)
from ..._core.types import Json
from .health_checks import answered_codes, check_of
from .listening import Place, other_places

# The last lines by (task id, container).
Logs = Mapping[tuple[str, str], Sequence[str]]

_CAUSES_BY_ANSWER = {
    400: HEALTH_CHECK_HOST,
    401: HEALTH_CHECK_DENIED,
    403: HEALTH_CHECK_DENIED,
    404: HEALTH_CHECK_PATH,
    421: HEALTH_CHECK_HOST,
}
_CAUSES_BY_DESCRIPTION = {"Request timed out": HEALTH_CHECK_TIMEOUT, "Health checks failed": HEALTH_CHECK_REFUSED}
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
_UNHEALTHY = re.compile(
    r"is unhealthy in \(?target-group (?P<group>[^\s()]*)\)? .*?due to \(?reason (?P<text>[^()]*)\)?"
)


def unhealthy(
    targets: Mapping[str, Sequence[Json]], groups: Mapping[str, Json], events: Sequence[str] = ()
) -> list[dict[str, t.Any]]:
    """The targets that get no traffic and are not draining. A new target has no answer yet: the one before it had."""
    answers = {
        found["group"]: ", ".join(map(str, codes))
        for event in events
        if (found := _UNHEALTHY.search(event)) and (codes := answered_codes(found["text"]))
    }
    return [
        {
            "target_group": group,
            "target": f"{item['Target']['Id']}:{item['Target'].get('Port', '')}".rstrip(":"),
            "state": health.get("State", ""),
            "code": health.get("Reason", ""),
            "reason": health.get("Description") or health.get("Reason") or "no reason given",
            "check": _check(groups.get(group), answers.get(group) if health.get("State") == "initial" else None),
        }
        for group, items in targets.items()
        for item in items
        if (health := item.get("TargetHealth", {})).get("State") not in ("healthy", "draining", "unused", "unavailable")
    ]


def _check(group: Json | None, answer: str | None) -> str:
    check = check_of(group) if group else ""
    return f"{check}, got {answer}" if check and answer else check


def causes(
    targets: Sequence[Json], events: Sequence[str], service: Json, logs: Logs, groups: Mapping[str, Json]
) -> dict[str, str]:
    """Why targets are unhealthy, or were when ECS replaced their tasks, each with what was found.

    If nothing answers, the log of the program may name another address that it listens on.
    """
    codes = {_cause_of(target["reason"]): "" for target in targets if target["state"] == "unhealthy"}
    if not codes:
        reasons = [reason for event in events if (reason := _UNHEALTHY.search(event))]
        codes = {_cause_of(reason["text"]): _finding(groups.get(reason["group"]), reason["text"]) for reason in reasons}
    silent = codes.keys() & {HEALTH_CHECK_REFUSED, HEALTH_CHECK_TIMEOUT}
    elsewhere = _elsewhere(service, logs) if silent else None
    if elsewhere is None:
        return codes
    container, place, port = elsewhere
    cause = LISTENS_ON_LOOPBACK if place.port == port else LISTENS_ELSEWHERE
    finding = (
        f"The log of container {container} shows that it listens on {place}, but the target group uses port {port}."
    )
    return {cause: finding, **{code: "" for code in codes if code not in silent}}


def _finding(group: Json | None, description: str) -> str:
    """What a target that is deleted answered."""
    answer = ", ".join(map(str, answered_codes(description)))
    return f"The health check is {check_of(group)}, got {answer}." if group and answer else ""


def _cause_of(description: str) -> str:
    """The cause by the description of a target's health."""
    if description in _CAUSES_BY_DESCRIPTION:
        return _CAUSES_BY_DESCRIPTION[description]
    code = next(iter(answered_codes(description)), 0)
    if 300 <= code < 400:
        return HEALTH_CHECK_REDIRECTED
    return HEALTH_CHECK_ERROR if code >= 500 else _CAUSES_BY_ANSWER.get(code, TARGET_UNHEALTHY)


def _elsewhere(service: Json, logs: Logs) -> tuple[str, Place, int] | None:
    """A container behind a load balancer that listens where the load balancer cannot reach it, as its log says."""
    for balancer in service.get("loadBalancers") or ():
        container, port = str(balancer.get("containerName")), int(balancer.get("containerPort") or 0)
        for (_task, name), lines in logs.items():
            if name == container and (places := other_places(lines, port)):
                return container, places[-1], port
    return None

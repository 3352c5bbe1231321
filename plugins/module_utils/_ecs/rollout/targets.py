# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say why targets fail their health checks, from recorded answers and the tasks' logs. No calls."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

from ..._core.types import Json
from .health_checks import answered_codes, check_of
from .listening import Place, other_places

# The last lines by (task id, container).
Logs = Mapping[tuple[str, str], Sequence[str]]

_TARGET_UNHEALTHY = "target_unhealthy"
_CHECK_PATH = "health_check_path"
_CHECK_REDIRECTED = "health_check_redirected"
_CHECK_DENIED = "health_check_denied"
_CHECK_HOST = "health_check_host"
_CHECK_ERROR = "health_check_error"
_CHECK_TIMEOUT = "health_check_timeout"
_CHECK_REFUSED = "health_check_refused"
_LISTENS_ELSEWHERE = "listens_elsewhere"
_LISTENS_ON_LOOPBACK = "listens_on_loopback"
_CAUSES_BY_ANSWER = {
    400: _CHECK_HOST,
    401: _CHECK_DENIED,
    403: _CHECK_DENIED,
    404: _CHECK_PATH,
    421: _CHECK_HOST,
}
_CAUSES_BY_DESCRIPTION = {"Request timed out": _CHECK_TIMEOUT, "Health checks failed": _CHECK_REFUSED}
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-event-messages-list.html
_UNHEALTHY = re.compile(r"is unhealthy in \(?target-group .* due to \(?reason (?P<text>[^()]*)\)?")
ADVICE = {
    _TARGET_UNHEALTHY: "The target does not pass its health check: check the path and expected code, the port that the"
    " program listens on (0.0.0.0, not 127.0.0.1), and that the security group lets the load balancer in.",
    _CHECK_PATH: "The program does not know the health check's path: correct health_check_path of the target group, or"
    " let the program answer it.",
    _CHECK_REDIRECTED: "The health check's path redirects, for instance to HTTPS or a login: check a path that answers"
    " itself, or expect that code (matcher).",
    _CHECK_DENIED: "The health check's path asks for a login: check one that does not, or exempt it.",
    _CHECK_HOST: "The program refuses the request, often for its host name: a health check has the target's address as"
    " Host. Allow it, for instance in Django's ALLOWED_HOSTS.",
    _CHECK_ERROR: "The program runs and fails at the health check's path: read its log.",
    _CHECK_TIMEOUT: "The health check gets no answer in time: let the security group of the tasks accept the load"
    " balancer on this port, or make the path answer faster.",
    _CHECK_REFUSED: "Nothing accepts the health check's connection: let the program listen on 0.0.0.0 and on the port"
    " of the target; if it starts slowly, set health_check_grace_period_seconds.",
    _LISTENS_ELSEWHERE: "Let the program listen on that port, or give its port to portMappings, to containerPort of"
    " load_balancers and to the target group.",
    _LISTENS_ON_LOOPBACK: "Only the container itself reaches 127.0.0.1: let the program listen on 0.0.0.0.",
}


def unhealthy(targets: Mapping[str, Sequence[Json]], groups: Mapping[str, Json]) -> list[dict[str, t.Any]]:
    """The targets that get no traffic and are not on their way out."""
    return [
        {
            "target_group": group,
            "target": f"{item['Target']['Id']}:{item['Target'].get('Port', '')}".rstrip(":"),
            "state": health.get("State", ""),
            "code": health.get("Reason", ""),
            "reason": health.get("Description") or health.get("Reason") or "no reason given",
            "check": check_of(groups[group]) if group in groups else "",
        }
        for group, items in targets.items()
        for item in items
        if (health := item.get("TargetHealth", {})).get("State") not in ("healthy", "draining", "unused", "unavailable")
    ]


def causes(targets: Sequence[Json], events: Sequence[str], service: Json, logs: Logs) -> dict[str, str]:
    """Why targets are unhealthy, or were when ECS replaced their tasks.

    What a program's log says of where it listens explains why nobody answers.
    """
    found = [_cause_of(target["reason"]) for target in targets if target["state"] == "unhealthy"]
    found = found or [_cause_of(reason["text"]) for event in events if (reason := _UNHEALTHY.search(event))]
    codes = dict.fromkeys(found, "")
    silent = codes.keys() & {_CHECK_REFUSED, _CHECK_TIMEOUT}
    elsewhere = _elsewhere(service, logs) if silent else None
    if elsewhere is None:
        return codes
    container, place, port = elsewhere
    cause = _LISTENS_ON_LOOPBACK if place.port == port else _LISTENS_ELSEWHERE
    said = f"The log of container {container} says that it listens on {place}; the target group uses port {port}."
    return {cause: said, **{code: "" for code in codes if code not in silent}}


def _cause_of(description: str) -> str:
    """The cause by what AWS says of a target."""
    if description in _CAUSES_BY_DESCRIPTION:
        return _CAUSES_BY_DESCRIPTION[description]
    code = next(iter(answered_codes(description)), 0)
    if 300 <= code < 400:
        return _CHECK_REDIRECTED
    return _CHECK_ERROR if code >= 500 else _CAUSES_BY_ANSWER.get(code, _TARGET_UNHEALTHY)


def _elsewhere(service: Json, logs: Logs) -> tuple[str, Place, int] | None:
    """A container behind a load balancer whose log says that it listens where no load balancer gets at it."""
    for balancer in service.get("loadBalancers") or ():
        container, port = str(balancer.get("containerName")), int(balancer.get("containerPort") or 0)
        for (_task, name), lines in logs.items():
            if name == container and (places := other_places(lines, port)):
                return container, places[-1], port
    return None

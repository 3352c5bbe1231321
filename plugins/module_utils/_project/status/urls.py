# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a service answers: the addresses of the listeners and rules that forward to its target groups. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from ..._core.target_groups import target_group_pairs
from ..._core.types import Json
from .project import Project

PORTS = {"http": 80, "https": 443}
# Where the local cloud's load balancers answer, on the port of its API.
LOCAL_DOMAIN = "alb.localhost"
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}


def urls(project: Project, service: Json) -> list[str] | None:
    """The addresses; None if it has target groups, and the load balancers could not be read."""
    arns = {arn for pair in target_group_pairs(service) for arn in pair}
    if not arns:
        return []
    found = [
        address
        for balancer in project.of("load balancer")
        for listener in balancer["details"].get("Listeners") or ()
        for address in _of_listener(project, balancer["details"], listener, arns)
    ]
    # On load balancers of others.
    for rule in project.of("listener rule"):
        place = rule["details"]
        found += _of_listener(project, place, {**place, "Rules": [place]}, arns)
    if not found and project.is_unknown("load balancer"):
        return None
    return list(dict.fromkeys(found))


def _of_listener(project: Project, balancer: Json, listener: Json, arns: set[str]) -> Iterator[str]:
    rules = [rule for rule in listener.get("Rules") or () if not rule.get("IsDefault")]
    # A service that a rule forwards to is named by the rule; the default action is the same page without its host.
    yielded = False
    for rule in rules:
        if arns & set(_forwarded(rule.get("Actions"))):
            for host in _values(rule, "host-header", "HostHeaderConfig") or [""]:
                for path in _values(rule, "path-pattern", "PathPatternConfig") or ["/"]:
                    yielded = True
                    yield _address(project, balancer, listener, host, path)
    if not yielded and arns & set(_forwarded(listener.get("DefaultActions"))):
        yield _address(project, balancer, listener, "", "/")


def _forwarded(actions: list[Json] | None) -> Iterator[str]:
    for action in actions or ():
        if action.get("Type") == "forward":
            yield str(action.get("TargetGroupArn") or "")
            yield from (
                str(group.get("TargetGroupArn"))
                for group in (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
            )


def _values(rule: Json, field: str, member: str) -> list[str]:
    """The values of a rule's condition."""
    return [
        str(value)
        for condition in rule.get("Conditions") or ()
        if condition.get("Field") == field
        for value in (condition.get(member) or {}).get("Values") or condition.get("Values") or ()
    ]


def _address(project: Project, balancer: Json, listener: Json, host: str, path: str) -> str:
    protocol, port = str(listener.get("Protocol") or "HTTP").lower(), int(listener.get("Port") or 0)
    name = host or _domain(project, listener) or str(balancer.get("DNSName") or "")
    local = urlsplit(project.endpoint)
    if local.hostname in LOCAL_HOSTS:
        port = int(local.port or 0)
        name = host or f"{balancer.get('LoadBalancerName')}.{LOCAL_DOMAIN}"
    suffix = "" if port == PORTS.get(protocol) else f":{port}"
    return f"{protocol}://{name}{suffix}{path.rstrip('*') if protocol in PORTS else ''}"


def _domain(project: Project, listener: Json) -> str:
    """The domain of the listener's certificate: browsers refuse the load balancer's own name."""
    for one in listener.get("Certificates") or ():
        certificate = project.by_id.get(str(one.get("CertificateArn")), {}).get("details") or {}
        domain = str(certificate.get("DomainName") or "")
        if domain and not domain.startswith("*"):
            return domain
    return ""

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Published ports: those of HTTP become target groups of the load balancer. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator

from ..._core.types import Json
from .ports import TCP, Port
from .project import Project, container_name

_LONGEST = 32
# The order in which published ports are taken for the site's main page.
_MAIN = (80, 443, 8080, 8000, 3000, 8888)
_ROUTES = re.compile(r"Host\(([^)]*)\)")
_URL = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::(?P<port>\d+))?(?P<path>/[^\s\"'|;&)>?#]*)?"
)


class Target(t.NamedTuple):
    """A port of a service that the load balancer forwards to."""

    service: str
    port: Port
    group: str


def targets_of(project: Project) -> list[Target]:
    """The targets, the one with the main page first."""
    found = [(service, port) for service in project.services for port in _http_ports(project, service)]
    found.sort(key=lambda one: _MAIN.index(one[1].published) if one[1].published in _MAIN else len(_MAIN))
    counts = {service: sum(1 for name, _port in found if name == service) for service, _port in found}
    return [
        Target(service, port, _group_name(project, service, port if counts[service] > 1 else None))
        for service, port in found
    ]


def _http_ports(project: Project, service: str) -> Iterator[Port]:
    is_chosen = service in project.options.publish
    published = [port for port in project.ports[service] if port.published is not None or is_chosen]
    http = [port for port in published if port.is_http and (is_chosen or not port.is_local)]
    plain = [port for port in http if not port.is_tls]
    for port in published:
        place = f"ports[{port.number}/{port.protocol}]"
        if port.is_local and port not in http:
            forward = "To reach it, use the playbook slipway.aws.forward."
            proxy = f" If a proxy makes it public, convert again with -e publish={service}." if port.is_http else ""
            reason = "It is only published on the local machine, so the load balancer does not forward to it."
            project.note(service, place, reason, forward + proxy)
        elif port not in http:
            project.note(
                service,
                place,
                "The load balancer forwards HTTP, but this port uses another protocol.",
                "Other services reach it by name. To reach it from your machine, use the playbook"
                " slipway.aws.forward. For access from the internet, create a Network Load Balancer.",
            )
        elif port.is_tls and plain:
            project.note(
                service,
                place,
                "The load balancer terminates TLS and forwards plain HTTP to the port.",
                "For HTTPS, set ecs_load_balancer_domains or ecs_load_balancer_certificate_arn.",
            )
    yield from plain or http


def _group_name(project: Project, service: str, port: Port | None) -> str:
    suffix = f"-{port.number}" if port else ""
    longest = _LONGEST - len(project.options.project) - 1 - len(suffix)
    return re.sub(r"[^A-Za-z0-9-]", "-", service)[: max(longest, 1)].strip("-") + suffix


def groups_of(project: Project, targets: list[Target]) -> list[Json]:
    """The target groups; the first one gets what no rule of another one matches."""
    return [
        {
            "name": target.group,
            **({"protocol": "HTTPS", "health_check_protocol": "HTTPS"} if target.port.is_tls else {}),
            **({"hosts": _hosts(project, target)} if number else {}),
            "health_check_path": _health_path(project, target),
        }
        for number, target in enumerate(targets)
    ]


def balancers_of(project: Project, task: str, targets: list[Target]) -> list[Json]:
    """The load balancers of a service on ECS."""
    return [
        {"targetGroupArn": one.group, "containerName": container_name(one.service), "containerPort": one.port.number}
        for one in targets
        if one.service in project.tasks[task]
    ]


def _hosts(project: Project, target: Target) -> list[str]:
    """The host names of a target group's rule: a proxy's labels have them, otherwise the domain is known or made up."""
    service = project.services[target.service]
    found: list[str] = []
    for name, text in (service.get("labels") or {}).items():
        if str(name).endswith(".rule"):
            found += [one.strip(" `\"'") for part in _ROUTES.findall(str(text)) for one in part.split(",")]
    virtual = (service.get("environment") or {}).get("VIRTUAL_HOST")
    found += [one.strip() for one in str(virtual).split(",")] if virtual else []
    if found:
        return list(dict.fromkeys(found))[:5]
    host = f"{target.group.lower()}.{project.options.domain or 'example.com'}"
    project.note(
        target.service,
        f"ports[{target.port.number}/{TCP}]",
        f"All services share one load balancer and port, so it distinguishes them by host name: {host}.",
        "Change hosts in ecs_load_balancer_target_groups, or convert again with -e domain=…."
        if not project.options.domain
        else "Create a DNS record for this name.",
    )
    return [host]


def _health_path(project: Project, target: Target) -> str:
    """The path that the health check of the service itself requests, or the front page."""
    test = (project.services[target.service].get("healthcheck") or {}).get("test") or []
    for found in _URL.finditer(" ".join(map(str, test))):
        if int(found["port"] or 80) == target.port.number:
            return found["path"] or "/"
    return "/"

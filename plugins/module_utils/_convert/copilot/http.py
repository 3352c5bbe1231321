# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the load balancer reaches a Copilot service. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ..._core.types import Json
from .manifest import seconds
from .project import Project

_CHECK = {
    "path": "health_check_path",
    "success_codes": "health_check_codes",
    "healthy_threshold": "healthy_threshold",
    "unhealthy_threshold": "unhealthy_threshold",
}
_VERSIONS = {"grpc": "GRPC", "http2": "HTTP2", "http1": "HTTP1"}


def apply(element: Json, given: t.Any, containers: Sequence[Json], project: Project) -> None:
    """Target groups and rules of a service, and the certificate's domains."""
    if not given:
        return
    rules = dict(given) if isinstance(given, Mapping) else {}
    additional = rules.pop("additional_rules", None) or []
    existing = rules.pop("alb", None)
    if existing:
        project.variables["ecs_load_balancer_arn"] = project.value(existing, "the load balancer")
    for number, rule in enumerate([rules, *additional]):
        name = element["name"] if not number else f"{element['name']}-{number + 1}"
        place = f"{element['name']}.http" + (f".additional_rules[{number - 1}]" if number else "")
        _rule(element, name, dict(rule), containers, project, place)


def _rule(element: Json, name: str, rule: Json, containers: Sequence[Json], project: Project, place: str) -> None:
    container = _container(rule.pop("target_container", None), containers)
    port = int(rule.pop("target_port", None) or _port(container))
    _expose(container, port)
    group: Json = {"name": name, "port": port}
    if port == 443:
        group |= {"protocol": "HTTPS", "health_check_protocol": "HTTPS"}
    hosts = _hosts(rule, project)
    if hosts:
        group["hosts"] = hosts
    paths = _paths(str(rule.pop("path", None) or "/"))
    if paths:
        group["paths"] = paths
    _health_check(group, rule.pop("healthcheck", None), element, project, place)
    delay = rule.pop("deregistration_delay", None)
    if delay is not None:
        group["deregistration_delay"] = int(seconds(delay))
    _settings(group, rule, project, place)
    element.setdefault("load_balancers", []).append(
        {"targetGroupArn": name, "containerName": container["name"], "containerPort": port}
    )
    project.target_groups.append(group)
    project.leftovers(rule, place)


def _settings(group: Json, rule: Json, project: Project, place: str) -> None:
    if rule.pop("stickiness", False):
        group["attributes"] = {"stickiness.enabled": "true"}
    sources = rule.pop("allowed_source_ips", None)
    if sources:
        group["conditions"] = [{"Field": "source-ip", "SourceIpConfig": {"Values": list(sources)}}]
    version = rule.pop("version", None)
    if version and str(version).lower() != "http1":
        group["protocol_version"] = _VERSIONS.get(str(version).lower(), str(version).upper())
    if rule.pop("redirect_to_https", True) is False:
        project.notes.add(
            f"{place}.redirect_to_https",
            "With a certificate, the load balancer redirects all requests to HTTPS.",
            "Without domains and a certificate, it only serves HTTP.",
        )


def _container(name: t.Any, containers: Sequence[Json]) -> Json:
    return next((one for one in containers if one["name"] == name), containers[0])


def _port(container: Json) -> int:
    mappings = container.get("portMappings") or [{"containerPort": 80}]
    return int(mappings[0]["containerPort"])


def _expose(container: Json, port: int) -> None:
    mappings = container.setdefault("portMappings", [])
    if all(int(mapping["containerPort"]) != port for mapping in mappings):
        mappings.append({"containerPort": port})


def _hosts(rule: Json, project: Project) -> list[str]:
    """The aliases, which are also domains of the certificate."""
    alias = rule.pop("alias", None) or []
    zones = {str(rule.pop("hosted_zone", None) or "")}
    hosts: list[str] = []
    for one in [alias] if isinstance(alias, str) else alias:
        if isinstance(one, Mapping):
            hosts.append(str(one["name"]))
            zones.add(str(one.get("hosted_zone") or ""))
        else:
            hosts += [host.strip() for host in str(one).split(",")]
    project.domains += [host for host in hosts if host not in project.domains]
    zones.discard("")
    if len(zones) == 1:
        project.variables["ecs_load_balancer_hosted_zone_id"] = zones.pop()
    return hosts


def _paths(path: str) -> list[str]:
    """Copilot's path matches itself and everything below."""
    plain = path.strip("/")
    return [f"/{plain}", f"/{plain}/*"] if plain else []


def _health_check(group: Json, check: t.Any, element: Json, project: Project, place: str) -> None:
    given = {"path": check} if isinstance(check, str) else dict(check or {})
    for name, option in _CHECK.items():
        value = given.pop(name, None)
        if value is not None:
            group[option] = str(value) if name == "success_codes" else value
    for name in ("interval", "timeout"):
        value = given.pop(name, None)
        if value is not None:
            group[f"health_check_{name}"] = int(seconds(value))
    grace = given.pop("grace_period", None)
    if grace is not None:
        element["options"]["health_check_grace_period_seconds"] = int(seconds(grace))
    port = given.pop("port", None)
    if port is not None:
        group["health_check_port"] = str(port)
    project.leftovers(given, f"{place}.healthcheck")

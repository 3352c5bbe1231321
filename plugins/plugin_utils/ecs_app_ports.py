# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The containers of services, and what follows from their port mappings, so that a port is declared once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import BRIDGE, items_of
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_definition import options_of

# A number, or a range such as 8000-8010.
Port = int | str
# Of a target group that no service uses. AWS wants one, which counts for targets that name none.
DEFAULT_PORT = 80


def containers(service: Json) -> list[Json]:
    return [dict(one) for one in items_of(service.get("task_definition"), "containerDefinitions")]


def image_name(container: Json) -> str | None:
    """The name in ecs_app_images of a container's image; None for an image that is named by its address."""
    image = str(container.get("image") or "")
    return image if image and not any(mark in image for mark in "/:@") else None


def mappings(container: Json) -> list[Json]:
    """Load balancers and security groups of this collection speak TCP."""
    found = items_of(container, "portMappings")
    return [dict(one) for one in found if str(one.get("protocol") or "tcp").lower() == "tcp"]


def number(value: Any) -> Port | None:
    """None for what is no port: others refuse it, with a reason."""
    text = str(value).strip() if value is not None else ""
    if text.isdecimal():
        return int(text) or None
    first, _dash, last = text.partition("-")
    return text if first.isdecimal() and last.isdecimal() else None


def completed(service: Json) -> Json:
    """The service with the options of its definition, and the container and port of each load balancer, where its
    containers leave no choice."""
    if (service.get("options") or {}).get("definition"):
        service = {**service, "options": options_of(service)}
    if not service.get("load_balancers"):
        return service
    return {**service, "load_balancers": [_completed(item, containers(service)) for item in service["load_balancers"]]}


def _completed(item: Json, known: Sequence[Json]) -> Json:
    found = dict(item)
    listening = [container for container in known if mappings(container)]
    if found.get("containerName") is None and len(listening) == 1:
        found["containerName"] = listening[0].get("name")
    if found.get("containerPort") is None:
        ports = _ports(container for container in listening if container.get("name") == found.get("containerName"))
        if len(ports) == 1:
            found["containerPort"] = ports[0]
    return found


def _ports(some: Iterator[Json]) -> list[Port]:
    found = [number(mapping.get("containerPort")) for container in some for mapping in mappings(container)]
    return list(dict.fromkeys(port for port in found if port))


def target_groups(services: Sequence[Json], groups: Sequence[Json]) -> list[Json]:
    """The target groups, each with the port of the first service that registers its tasks there."""
    ports: dict[str, Port] = {}
    for balancer in (item for service in services for item in completed(service).get("load_balancers") or ()):
        if port := number(balancer.get("containerPort")):
            ports.setdefault(str(balancer.get("targetGroupArn")), port)
    return [{"port": ports.get(str(group.get("name")), DEFAULT_PORT), **group} for group in groups]


def from_load_balancer(services: Sequence[Json], groups: Sequence[Json]) -> list[Port]:
    """Where the load balancer sends requests and health checks: to what services register, else to the group's port."""
    balancers = [(service, item) for service in services for item in completed(service).get("load_balancers") or ()]
    used = {str(item.get("targetGroupArn")) for _service, item in balancers}
    found = [_host_port(service, item) for service, item in balancers]
    found += [number(group.get("port")) for group in groups if str(group.get("name")) not in used]
    found += [number(group.get("health_check_port")) for group in groups]
    return _sorted(found)


def _host_port(service: Json, balancer: Json) -> Port | None:
    """Where the container is reached. On a bridge that is the port of the host, or any free one."""
    port = number(balancer.get("containerPort"))
    if (service.get("task_definition") or {}).get("networkMode") != BRIDGE:
        return port
    own = (one for one in containers(service) if one.get("name") == balancer.get("containerName"))
    hosts = [one.get("hostPort") for c in own for one in mappings(c) if number(one.get("containerPort")) == port]
    return number(hosts[0]) if hosts else None


def from_peers(services: Sequence[Json]) -> list[Port]:
    """Where other containers of the project reach a service by its name, in Cloud Map or in Service Connect."""
    return _sorted(port for service in services for port in (*_registered(service), *_connected(service)))


def _registered(service: Json) -> Iterator[Port | None]:
    for registry in options_of(service).get("service_registries") or ():
        if chosen := number(registry.get("containerPort") or registry.get("port")):
            yield chosen
            continue
        for mapping in (one for container in containers(service) for one in mappings(container)):
            yield number(mapping.get("containerPort") or mapping.get("containerPortRange"))


def _connected(service: Json) -> Iterator[Port | None]:
    connect = options_of(service).get("service_connect_configuration") or {}
    named = {one.get("name"): one.get("containerPort") for c in containers(service) for one in mappings(c)}
    for one in connect.get("services") or () if connect.get("enabled", True) else ():
        yield number(one.get("ingressPortOverride") or named.get(one.get("portName")))


def of_images(services: Sequence[Json], images: Mapping[str, str]) -> dict[str, Port]:
    """The port of each repository whose containers all listen on the same one."""
    found: dict[str, set[Port]] = {}
    for container in (one for service in services for one in containers(service)):
        repository = str(images.get(str(container.get("image"))) or "").partition(":")[0]
        if repository:
            found.setdefault(repository, set()).update(_ports(iter([container])))
    return {repository: next(iter(ports)) for repository, ports in found.items() if len(ports) == 1}


def _sorted(found: Iterator[Port | None] | Sequence[Port | None]) -> list[Port]:
    ports = {port for port in found if port}
    return sorted(ports, key=lambda port: [int(part) for part in str(port).split("-")])

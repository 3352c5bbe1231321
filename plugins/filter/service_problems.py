# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: service_problems
short_description: Say what is wrong with services before AWS sees them
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Checks services, as the role P(slipway.aws.ecs_app#role) takes them, by AWS's rules and by what they name.
  - That is sizes that Fargate has, ports, health checks, dependencies, environments, scaling, and names of images,
    secrets and target groups.
positional: _input
options:
  _input:
    description: The services.
    type: list
    elements: dict
    required: true
  images:
    description: The names that an image without slash and colon can be.
    type: list
    elements: str
    default: []
  secrets:
    description: The types of secrets and settings by the names that a C(valueFrom) without slash can be or begin with.
    type: dict
    default: {}
  target_groups:
    description: The names that a C(targetGroupArn) can be. Without it all are taken for right.
    type: list
    elements: str
  compatibilities:
    description: What a task definition without C(requiresCompatibilities) is for.
    type: list
    elements: str
    default: [FARGATE]
"""

EXAMPLES = r"""
- name: The services can be released
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join('; ') }}"
  vars:
    problems: "{{ services | slipway.aws.service_problems(images=['web'], target_groups=['web']) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem. Empty when all is right.
  type: list
  elements: str
"""

import graphlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._ecs.release import wrong_order
from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling import problems as scaling_problems

Json = dict[str, Any]

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
# CPU units, and the MiB that go with them: first, last, step.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html
FARGATE = {
    256: [512, 1024, 2048],
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
HEALTH_CHECK = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")


@dataclass(frozen=True)
class Known:
    """The names that services can use."""

    images: Sequence[str]
    secrets: Mapping[str, str]
    target_groups: Sequence[str] | None
    compatibilities: Sequence[str]


def service_problems(
    services: Sequence[Json],
    images: Iterable[str] = (),
    secrets: Mapping[str, str] | None = None,
    target_groups: Iterable[str] | None = None,
    compatibilities: Iterable[str] = ("FARGATE",),
) -> list[str]:
    groups = None if target_groups is None else list(target_groups)
    known = Known(list(images), secrets or {}, groups, list(compatibilities))
    found = [f"{service['name']}: {problem}" for service in services for problem in _of_service(service, known)]
    return found + _of_all(services)


def _of_all(services: Sequence[Json]) -> list[str]:
    names = [str(service["name"]) for service in services]
    found = [f"{name}: the name is there more than once, each service needs its own" for name in _twice(names)]
    families: dict[str, Json] = {}
    for service in services:
        definition = service["task_definition"]
        family = str(definition.get("family"))
        if families.setdefault(family, definition) != definition:
            found.append(f"{service['name']}: family {family} is another service's, with another definition")
    order = wrong_order({str(service["name"]): service.get("after") or [] for service in services})
    return found + [problem.removeprefix("services, ").removeprefix("services: ").rstrip(".") for problem in order]


def _of_service(service: Json, known: Known) -> Iterator[str]:
    definition = service["task_definition"]
    containers = definition.get("containerDefinitions") or []
    if not NAME.fullmatch(str(service["name"])):
        yield "up to 255 letters, digits, hyphens and underscores are right in a name"
    if not NAME.fullmatch(str(definition.get("family") or "")):
        yield f"task_definition.family is '{definition.get('family') or ''}', letters, digits, - and _ are right"
    if not containers or not all(isinstance(one, dict) and one.get("name") for one in containers):
        yield "task_definition needs containerDefinitions, each with a name"
        return
    yield from _size_problems(definition, known)
    yield from _port_problems(definition, containers)
    yield from _balancer_problems(service, containers, known)
    yield from _order_problems(containers)
    yield from _count_problems(service)
    for name in _twice([str(container["name"]) for container in containers]):
        yield f"container {name} is there more than once"
    if not any(container.get("essential", True) for container in containers):
        yield "one of the containers has to be essential"
    for container in containers:
        for problem in _container_problems(container, known):
            yield f"container {container['name']}: {problem}"


def _size_problems(definition: Json, known: Known) -> Iterator[str]:
    if "FARGATE" not in (definition.get("requiresCompatibilities") or known.compatibilities):
        return
    cpu, memory = amount(definition.get("cpu"), "vcpu"), amount(definition.get("memory"), "gb")
    if cpu not in FARGATE:
        sizes = ", ".join(str(size) for size in FARGATE)
        yield f"task_definition.cpu is {_told(definition.get('cpu'))}, Fargate has {sizes} (1024 is one vCPU)"
    elif memory not in FARGATE[cpu]:
        given = _told(definition.get("memory"))
        yield f"task_definition.memory is {given}, with cpu {cpu} Fargate has {_sizes(cpu)} MiB"


def amount(given: Any, unit: str) -> int | None:
    """256, "256", "0.25 vCPU", "1 GB" in CPU units or MiB; None for what is no amount."""
    text = str(given).lower().strip()
    try:
        return round(float(text.removesuffix(unit)) * 1024) if text.endswith(unit) else int(text)
    except ValueError:
        return None


def _sizes(cpu: int) -> str:
    sizes = FARGATE[cpu]
    if isinstance(sizes, range):
        return f"{sizes[0]} to {sizes[-1]} in steps of {sizes.step}"
    return ", ".join(str(size) for size in sizes)


def _port_problems(definition: Json, containers: Sequence[Json]) -> Iterator[str]:
    shared = definition.get("networkMode", "awsvpc") in ("awsvpc", "host")
    taken = []
    for container in containers:
        for mapping in container.get("portMappings") or ():
            port, host = mapping.get("containerPort"), mapping.get("hostPort")
            for number in (port, host):
                if number is not None and not 0 <= _number(number) <= 65535:
                    yield f"container {container['name']}: port {number} is none, 1 to 65535 is right"
            # The containers of a task share its network interface; on a bridge only ports of the host collide.
            listening = port if shared else host
            if listening:
                taken.append(f"{listening}/{mapping.get('protocol', 'tcp')}")
    for port in _twice(taken):
        yield f"port {port} is mapped more than once in the task"


def _balancer_problems(service: Json, containers: Sequence[Json], known: Known) -> Iterator[str]:
    ports = {
        str(container["name"]): [_number(one.get("containerPort")) for one in container.get("portMappings") or ()]
        for container in containers
    }
    for balancer in service.get("load_balancers") or ():
        group, name, port = (balancer.get(key) for key in ("targetGroupArn", "containerName", "containerPort"))
        if known.target_groups is not None and group and not str(group).startswith("arn:"):
            yield from _name_problems("target group", str(group), known.target_groups)
        if name not in ports:
            yield f"load_balancers: containerName is {_told(name)}, the task has {', '.join(ports)}"
        elif _number(port) not in ports[name]:
            there = ", ".join(str(one) for one in ports[name]) or "none"
            yield f"load_balancers: containerPort of {name} is {_told(port)}, its portMappings have {there}"


def _order_problems(containers: Sequence[Json]) -> Iterator[str]:
    checked = {str(container["name"]): bool(container.get("healthCheck")) for container in containers}
    graph: dict[str, list[str]] = {name: [] for name in checked}
    for container in containers:
        for dependency in container.get("dependsOn") or ():
            other, condition = str(dependency.get("containerName")), dependency.get("condition")
            where = f"container {container['name']}: dependsOn"
            if other not in checked:
                yield f"{where} names {other}, the task has {', '.join(checked)}"
                continue
            graph[str(container["name"])].append(other)
            if condition not in CONDITIONS:
                yield f"{where}: condition is {_told(condition)}, one of {', '.join(CONDITIONS)} is right"
            elif condition == "HEALTHY" and not checked[other]:
                yield f"{where} waits until {other} is healthy, which has no healthCheck"
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield f"dependsOn leads in a circle: {' after '.join(reversed(error.args[1]))}"


def _count_problems(service: Json) -> Iterator[str]:
    count, scaling = service.get("desired_count"), service.get("scaling")
    if count is not None and _number(count) < 0:
        yield f"desired_count is {count}, 0 or more is right"
    if not scaling:
        return
    found = scaling_problems(scaling)
    yield from (f"scaling: {problem}" for problem in found)
    if scaling.get("requests_per_target") is not None and not service.get("load_balancers"):
        yield "scaling: requests_per_target needs a load balancer, and load_balancers is empty"
    if found or count is None:
        return
    least, most = int(scaling["min_capacity"]), int(scaling["max_capacity"])
    if not least <= _number(count) <= most:
        yield f"desired_count is {count}, scaling has {least} to {most}"


def _container_problems(container: Json, known: Known) -> Iterator[str]:
    image = str(container.get("image") or "")
    if not image:
        yield "image is missing"
    elif not any(mark in image for mark in "/:@"):
        yield from _name_problems("image", image, known.images)
    secrets = container.get("secrets") or []
    for secret in secrets:
        source = str(secret.get("valueFrom") or "")
        if "/" not in source and not source.startswith("arn:"):
            # What follows is a member of its JSON, a version's stage and a version.
            name, _colon, part = source.partition(":")
            yield from _name_problems("secret", name, list(known.secrets))
            if part and known.secrets.get(name, "SecretsManager") != "SecretsManager":
                yield f"valueFrom {source}: {name} is a parameter, only secrets of SecretsManager have parts"
    names = [str(one.get("name")) for one in [*(container.get("environment") or []), *secrets]]
    for name in _twice(names):
        yield f"{name} is there more than once in environment and secrets"
    check = container.get("healthCheck") or {}
    if check and not check.get("command"):
        yield "healthCheck needs a command"
    for member, (least, most) in HEALTH_CHECK.items():
        if check.get(member) is not None and not least <= _number(check[member]) <= most:
            yield f"healthCheck.{member} is {check[member]}, {least} to {most} is right"


def _name_problems(kind: str, name: str, known: Sequence[str]) -> Iterator[str]:
    if name not in known:
        yield f"there is no {kind} named '{name}', the known ones are: {', '.join(sorted(known)) or 'none'}"


def _told(value: Any) -> str:
    return "missing" if value is None else str(value)


def _number(value: Any) -> int:
    """-1 for what is no number, so that it is out of every range."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"service_problems": service_problems}

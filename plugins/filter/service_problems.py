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

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import did_you_mean, named, snake
from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import (
    AWSVPC,
    FARGATE,
    FARGATE_PROVIDERS,
    SHARED_NETWORK,
    items_of,
    number_of,
    twice,
)
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.order import wrong_order
from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling.model import problems as scaling_problems
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service import limits as service_limits
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task_definition.problems import (
    definition_problems,
    fargate_size_problems,
)

Json = dict[str, Any]

CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
# What a secret's name in valueFrom may look like. All else is not shown: it may be the secret itself.
SECRET_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,40}", re.IGNORECASE)


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
    compatibilities: Iterable[str] = (FARGATE,),
) -> list[str]:
    groups = None if target_groups is None else list(target_groups)
    known = Known(list(images), secrets or {}, groups, list(compatibilities))
    found = [
        f"{service['name']}: {problem.rstrip('.')}" for service in services for problem in _of_service(service, known)
    ]
    return found + _of_all(services)


def _of_all(services: Sequence[Json]) -> list[str]:
    names = [str(service["name"]) for service in services]
    found = [f"{name}: the name is there more than once, each service needs its own" for name in twice(names)]
    families: dict[str, Json] = {}
    for service in services:
        definition = service["task_definition"]
        family = str(definition.get("family"))
        if families.setdefault(family, definition) != definition:
            found.append(f"{service['name']}: family {family} is another service's, with another definition")
    order = wrong_order({str(service["name"]): service.get("after") or [] for service in services})
    return found + [problem.removeprefix("services, ").removeprefix("services: ").rstrip(".") for problem in order]


def _of_service(service: Json, known: Known) -> Iterator[str]:
    """What modules refuse, and beyond that what only the roles know: names, scaling, how containers wait."""
    given = service["task_definition"]
    # The roles' own default, which comes with the rest of the definition.
    definition = {"family": "", "network_mode": AWSVPC, **{snake(name): value for name, value in given.items()}}
    containers = items_of(definition, "container_definitions")
    options = {name: value for name, value in (service.get("options") or {}).items() if value is not None}
    options |= {name: service[name] for name in ("desired_count", "load_balancers") if service.get(name) is not None}
    yield from service_limits.service_problems(service["name"], options)
    if not containers:
        yield "task_definition.containerDefinitions: expected one container or more, got none"
        return
    yield from (f"task_definition.{_as_written(problem)}" for problem in definition_problems(definition))
    yield from service_limits.relation_problems(options, definition)
    if not given.get("requiresCompatibilities") and _is_fargate(options, known):
        for problem in fargate_size_problems(given.get("cpu"), given.get("memory")):
            yield f"task_definition.{problem}"
    yield from _port_problems(definition, containers)
    yield from _target_group_problems(options, known)
    yield from _order_problems(containers)
    yield from _scaling_problems(service)
    for number, container in enumerate(containers):
        where = f"task_definition.containerDefinitions[{number}]{named(container)}"
        yield from _container_problems(container, where, known)


def _as_written(problem: str) -> str:
    """A problem of a definition, whose members the roles have in AWS's spelling."""
    for option, member in (
        ("container_definitions", "containerDefinitions"),
        ("network_mode", "networkMode"),
        ("placement_constraints", "placementConstraints"),
        ("ephemeral_storage", "ephemeralStorage"),
    ):
        problem = re.sub(rf"^{option}\b", member, problem)
    return problem


def _is_fargate(options: Json, known: Known) -> bool:
    if options.get("launch_type"):
        return bool(options["launch_type"] == FARGATE)
    providers = {str(item.get("capacityProvider")) for item in items_of(options, "capacity_provider_strategy")}
    if providers:
        return providers <= set(FARGATE_PROVIDERS)
    return FARGATE in known.compatibilities


def _port_problems(definition: Json, containers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    shared = definition.get("network_mode") in SHARED_NETWORK
    taken = []
    for container in containers:
        for mapping in items_of(container, "portMappings"):
            # The containers of a task share its network interface; on a bridge only ports of the host collide.
            listening = mapping.get("containerPort") if shared else mapping.get("hostPort")
            if listening:
                taken.append(f"{listening}/{mapping.get('protocol', 'tcp')}")
    for port in twice(taken):
        yield f"task_definition.containerDefinitions: expected each port once in the task, got {port} more than once"


def _target_group_problems(options: Json, known: Known) -> Iterator[str]:
    for number, balancer in enumerate(items_of(options, "load_balancers")):
        group = balancer.get("targetGroupArn")
        if known.target_groups is not None and group and not str(group).startswith("arn:"):
            where = f"load_balancers[{number}].targetGroupArn"
            yield from _name_problems(where, "target groups", str(group), known.target_groups)


def _order_problems(containers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    checked = {str(container.get("name")): bool(container.get("healthCheck")) for container in containers}
    for number, container in enumerate(containers):
        for place, dependency in enumerate(items_of(container, "dependsOn")):
            other, condition = str(dependency.get("containerName")), dependency.get("condition")
            where = f"task_definition.containerDefinitions[{number}]{named(container)}.dependsOn[{place}].condition"
            if condition not in CONDITIONS:
                yield f"{where}: expected one of {', '.join(CONDITIONS)}, got {condition or 'nothing'}"
            elif condition == "HEALTHY" and not checked.get(other, True):
                yield f"{where}: expected a healthCheck in container {other}, got none, so it never becomes healthy"


def _scaling_problems(service: Json) -> Iterator[str]:
    count, scaling = service.get("desired_count"), service.get("scaling")
    if not scaling:
        return
    found = scaling_problems(scaling)
    yield from (f"scaling: {problem}" for problem in found)
    if scaling.get("requests_per_target") is not None and not service.get("load_balancers"):
        yield "scaling: requests_per_target needs a load balancer, and load_balancers is empty"
    number = number_of(count)
    if found or number is None:
        return
    least, most = int(scaling["min_capacity"]), int(scaling["max_capacity"])
    if not least <= number <= most:
        yield f"desired_count: expected {least} to {most}, as scaling has it, got {count}"


def _container_problems(container: Mapping[str, Any], where: str, known: Known) -> Iterator[str]:
    image = str(container.get("image") or "")
    if image and not any(mark in image for mark in "/:@"):
        yield from _name_problems(f"{where}.image", "images", image, known.images)
    for place, secret in enumerate(items_of(container, "secrets")):
        source = str(secret.get("valueFrom") or "")
        if "/" not in source and not source.startswith("arn:"):
            yield from _secret_problems(f"{where}.secrets[{place}]{named(secret)}.valueFrom", source, known)


def _secret_problems(where: str, source: str, known: Known) -> Iterator[str]:
    """What follows the name of a secret is a member of its JSON, a version's stage and a version."""
    name, _colon, part = source.partition(":")
    names = list(known.secrets)
    if name not in names:
        yield (
            f"{where}: expected one of the secrets and settings ({', '.join(sorted(names)) or 'none'}), a path or an"
            f" ARN, got {_told_name(name, names)}"
        )
    elif part and known.secrets[name] != "SecretsManager":
        yield f"{where}: expected only a name, as {name} is a parameter and has no parts, got more behind a colon"


def _told_name(name: str, names: Sequence[str]) -> str:
    """A misspelt name; anything else is not shown."""
    near = SECRET_NAME.fullmatch(name) and did_you_mean(name, names, False)
    return f"'{name}'{near}" if near else "another text, which is not shown as it may be a secret"


def _name_problems(where: str, kind: str, name: str, known: Sequence[str]) -> Iterator[str]:
    if name not in known:
        yield f"{where}: expected one of the {kind} ({', '.join(sorted(known)) or 'none'}), got '{name}'"


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"service_problems": service_problems}

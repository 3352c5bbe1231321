# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS would refuse of a whole task definition, one sentence each, in the order of its members. Pure.

A definition is a plain dict: option names at the top (`container_definitions`), AWS's spelling below. The rules are
those of https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html, of the pages of its
members, and of those that stand beside a rule.
"""

from __future__ import annotations

import graphlib
import json
import typing as t
from collections.abc import Iterator, Mapping, Sequence

from ..._core.fargate import FARGATE_SIZES
from ..._core.plan import UNKNOWN
from ..._core.shapes import named
from ..._core.types import Json
from ..limits import (
    AWSVPC,
    DEFINITION_BYTES,
    FARGATE,
    PORT_NAME,
    PORT_NAME_RULE,
    amount,
    items_of,
    memory_sizes,
    name_problems,
    number_of,
    range_problems,
    twice,
)

CONTAINERS = "container_definitions"
# Conditions of dependsOn that an essential container never reaches.
_ENDED = ("COMPLETE", "SUCCESS")


def definition_problems(definition: Json, place: str = "") -> list[str]:
    """All that is wrong; what has a wrong type is for the check against botocore's model."""
    containers = items_of(definition, CONTAINERS)
    found = [
        *range_problems(definition, ""),
        *_name_problems(definition, containers),
        *_size_problems(definition, containers),
        *_fargate_problems(definition, containers),
        *_network_problems(definition, containers),
        *_volume_problems(definition, containers),
        *_order_problems(containers),
        *(problem for number, one in enumerate(containers) for problem in _container_problems(one, number)),
        *_whole_problems(definition, containers),
    ]
    return [f"{place}{problem}" for problem in dict.fromkeys(found)]


def is_for_fargate(definition: Json) -> bool:
    return FARGATE in (definition.get("requires_compatibilities") or ())


def _at(container: Json, number: int, member: str = "") -> str:
    return f"{CONTAINERS}[{number}]{named(container)}{'.' if member else ''}{member}"


def _name_problems(definition: Json, containers: Sequence[Json]) -> Iterator[str]:
    if "family" in definition:
        yield from name_problems(definition["family"], "family")
    for number, container in enumerate(containers):
        if container.get("name"):
            yield from name_problems(container["name"], _at(container, number, "name"))
        else:
            yield f"{_at(container, number)}.name: expected a name, got nothing."
    for number, volume in enumerate(items_of(definition, "volumes")):
        if "name" in volume:
            yield from name_problems(volume["name"], f"volumes[{number}]{named(volume)}.name")
    for member in (CONTAINERS, "volumes"):
        names = twice(str(one.get("name")) for one in items_of(definition, member))
        yield from (f"{member}: expected each name once, got '{name}' more than once." for name in names)


def _size_problems(definition: Json, containers: Sequence[Json]) -> Iterator[str]:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html"""
    sizes: dict[str, int | None] = {}
    for name, unit, example in (("cpu", "vcpu", "256 or '.25 vCPU'"), ("memory", "gb", "512 or '0.5 GB'")):
        given = definition.get(name)
        sizes[name] = None if given in (None, "") else amount(given, unit)
        if given not in (None, "", UNKNOWN) and (sizes[name] is None or t.cast(int, sizes[name]) <= 0):
            yield f"{name}: expected a size such as {example}, got {given!r}."
    for number, container in enumerate(containers):
        has = [member for member in ("memory", "memoryReservation") if container.get(member) is not None]
        if definition.get("memory") in (None, "") and not is_for_fargate(definition) and not has:
            yield (
                f"{_at(container, number)}: expected memory or memoryReservation, because the task definition has no"
                " memory, got neither. Set one of them."
            )
        yield from _share_problems(container, number, sizes)


def _share_problems(container: Json, number: int, sizes: Mapping[str, int | None]) -> Iterator[str]:
    """A container has no more than its task, and is promised no more than it may have."""
    for member, size in (("cpu", "cpu"), ("memory", "memory"), ("memoryReservation", "memory")):
        given, most = number_of(container.get(member)), sizes[size]
        if given is not None and most and given > most:
            where = _at(container, number, member)
            yield f"{where}: expected at most the task's {size} {most}, got {container[member]}."
    limit, reservation = number_of(container.get("memory")), number_of(container.get("memoryReservation"))
    if limit and reservation and reservation > limit:
        yield (
            f"{_at(container, number, 'memoryReservation')}: expected at most the container's memory"
            f" {container['memory']}, got {container['memoryReservation']}."
        )


def _fargate_problems(definition: Json, containers: Sequence[Json]) -> Iterator[str]:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html"""
    if not is_for_fargate(definition):
        return
    yield from fargate_size_problems(definition.get("cpu"), definition.get("memory"))
    mode = definition.get("network_mode")
    if mode not in (None, "", AWSVPC, UNKNOWN):
        yield f"network_mode: expected awsvpc, the only mode on Fargate, got {mode}."
    if definition.get("placement_constraints"):
        yield "placement_constraints: expected none, because Fargate has no hosts to choose from. Omit them."
    for number, container in enumerate(containers):
        if container.get("privileged") is True:
            yield f"{_at(container, number, 'privileged')}: expected false on Fargate, got true."
    for number, volume in enumerate(items_of(definition, "volumes")):
        where = f"volumes[{number}]{named(volume)}"
        if isinstance(volume.get("host"), Mapping) and volume["host"].get("sourcePath"):
            source = volume["host"]["sourcePath"]
            yield f"{where}.host.sourcePath: expected none, because Fargate has no hosts, got {source!r}."
        if volume.get("dockerVolumeConfiguration"):
            yield f"{where}.dockerVolumeConfiguration: expected none, because Fargate has no Docker volumes. Omit it."


def fargate_size_problems(cpu: t.Any, memory: t.Any) -> Iterator[str]:
    """What Fargate has no task for."""
    if UNKNOWN in (cpu, memory):
        return
    units = amount(cpu, "vcpu")
    if units is None or units not in FARGATE_SIZES:
        sizes = ", ".join(str(size) for size in FARGATE_SIZES)
        yield f"cpu: expected one of Fargate's sizes {sizes} (1024 is one vCPU), got {_written(cpu)}."
    elif amount(memory, "gb") not in FARGATE_SIZES[units]:
        sizes = memory_sizes(units)
        yield f"memory: expected one of Fargate's sizes with cpu {units}, {sizes} MiB, got {_written(memory)}."


def _written(value: t.Any) -> str:
    return "nothing" if value in (None, "") else str(value)


def _network_problems(definition: Json, containers: Sequence[Json]) -> Iterator[str]:
    mode = definition.get("network_mode")
    for number, container in enumerate(containers):
        for member in ("links", "hostname"):
            if mode == AWSVPC and container.get(member):
                yield f"{_at(container, number, member)}: expected none in network mode awsvpc. Omit it."
        if mode == "none" and container.get("portMappings"):
            yield f"{_at(container, number, 'portMappings')}: expected none in network mode none. Omit them."
        for place, mapping in enumerate(items_of(container, "portMappings")):
            yield from _port_problems(mapping, _at(container, number, f"portMappings[{place}]"), mode == AWSVPC)
    names = [str(one["name"]) for each in containers for one in items_of(each, "portMappings") if one.get("name")]
    for name in twice(names):
        yield f"{CONTAINERS}: expected each name of portMappings once in the task, got '{name}' more than once."


def _port_problems(mapping: Json, where: str, awsvpc: bool) -> Iterator[str]:
    port, host = number_of(mapping.get("containerPort")), number_of(mapping.get("hostPort"))
    if port is None and not mapping.get("containerPortRange"):
        yield f"{where}: expected containerPort or containerPortRange, got neither."
    if awsvpc and host and port is not None and host != port:
        yield f"{where}.hostPort: expected {port:.0f} or none in network mode awsvpc, got {host:.0f}."
    if mapping.get("name") and not PORT_NAME.fullmatch(str(mapping["name"])):
        yield f"{where}.name: expected {PORT_NAME_RULE}, got {mapping['name']!r}."


def _volume_problems(definition: Json, containers: Sequence[Json]) -> Iterator[str]:
    volumes = [str(one.get("name")) for one in items_of(definition, "volumes")]
    names = [str(one.get("name")) for one in containers]
    for number, container in enumerate(containers):
        for member, key, kind, known in (
            ("mountPoints", "sourceVolume", "volumes", volumes),
            ("volumesFrom", "sourceContainer", "containers", names),
        ):
            for place, item in enumerate(items_of(container, member)):
                source = item.get(key)
                if source is not None and source not in known:
                    where = _at(container, number, f"{member}[{place}].{key}")
                    yield f"{where}: expected one of the task's {kind} ({_listed(known)}), got {source!r}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _order_problems(containers: Sequence[Json]) -> Iterator[str]:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html"""
    essential = {str(one.get("name")): one.get("essential", True) is not False for one in containers}
    graph: dict[str, list[str]] = {name: [] for name in essential}
    known = _listed(list(essential))
    for number, container in enumerate(containers):
        for place, dependency in enumerate(items_of(container, "dependsOn")):
            where, other = _at(container, number, f"dependsOn[{place}]"), str(dependency.get("containerName"))
            if other not in essential:
                yield f"{where}.containerName: expected one of the task's containers ({known}), got {other!r}."
                continue
            graph[str(container.get("name"))].append(other)
            if dependency.get("condition") in _ENDED and essential[other]:
                yield (
                    f"{where}.condition: expected START or HEALTHY, because container {other} is essential, got"
                    f" {dependency['condition']}. Set essential to false for {other}."
                )
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        yield f"{CONTAINERS}: expected no cycle in dependsOn, got {' after '.join(reversed(error.args[1]))}."


def _container_problems(container: Json, number: int) -> Iterator[str]:
    if not container.get("image"):
        yield f"{_at(container, number, 'image')}: expected an image, got nothing."
    environment, secrets = items_of(container, "environment"), items_of(container, "secrets")
    for member, entries in (("environment", environment), ("secrets", secrets)):
        for place, entry in enumerate(entries):
            name, where = str(entry.get("name") or ""), _at(container, number, f"{member}[{place}]")
            if not name or "=" in name or not name.isprintable():
                yield f"{where}.name: expected the name of a variable, got {name!r}."
    for name in twice(str(one.get("name")) for one in [*environment, *secrets]):
        yield f"{_at(container, number)}: expected {name} only once in environment and secrets, got it more than once."
    check = container.get("healthCheck")
    if isinstance(check, Mapping) and not check.get("command"):
        yield f"{_at(container, number, 'healthCheck.command')}: expected a command, got nothing."
    for place, limit in enumerate(items_of(container, "ulimits")):
        soft, hard = number_of(limit.get("softLimit")), number_of(limit.get("hardLimit"))
        if soft is not None and hard is not None and 0 <= hard < soft:
            where = _at(container, number, f"ulimits[{place}]{named(limit)}")
            yield f"{where}.softLimit: expected at most the hardLimit {limit['hardLimit']}, got {limit['softLimit']}."


def _whole_problems(definition: Json, containers: Sequence[Json]) -> Iterator[str]:
    if containers and not any(one.get("essential", True) is not False for one in containers):
        yield f"{CONTAINERS}: expected at least one essential container, got none. Remove essential from one of them."
    size = len(json.dumps(definition, separators=(",", ":"), ensure_ascii=False, default=str).encode(errors="replace"))
    if size > DEFINITION_BYTES:
        yield (
            f"task definition: expected at most {DEFINITION_BYTES // 1024} KiB, got {size / 1024:.1f}."
            " Move settings into environmentFiles, Parameter Store or the image."
        )

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of a service that AWS would reject, alone and with its task definition, one sentence each. No calls.

A service is a plain dict of options (`desired_count`), AWS's spelling below. The rules are those of
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html and of the pages of its members.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping

from ..._core.plan import UNKNOWN
from ..._core.types import Json
from ..limits import AWSVPC, FARGATE, FARGATE_PROVIDERS, items_of, name_problems, number_of, range_problems


def service_problems(name: t.Any, options: Json) -> list[str]:
    """Problems of the options of a service. None means that an option is omitted."""
    given = {option: value for option, value in options.items() if value is not None}
    return [
        *name_problems(name, "name"),
        *range_problems(given, ""),
        *_balancer_problems(given),
        *_capacity_problems(given),
        *_daemon_problems(given),
        *_deployment_problems(given),
    ]


def _balancer_problems(options: Json) -> Iterator[str]:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html"""
    for number, item in enumerate(items_of(options, "load_balancers")):
        where = f"load_balancers[{number}]"
        for member, what in (
            ("containerName", "the name of a container"),
            ("containerPort", "a port of the container"),
        ):
            if item.get(member) in (None, ""):
                yield f"{where}.{member}: expected {what}, got nothing."
        named = [member for member in ("targetGroupArn", "loadBalancerName") if item.get(member)]
        if len(named) != 1:
            got = "both" if named else "neither"
            yield f"{where}: expected either targetGroupArn or loadBalancerName, got {got}."


def _capacity_problems(options: Json) -> Iterator[str]:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html"""
    strategy = items_of(options, "capacity_provider_strategy")
    if options.get("launch_type") and strategy:
        yield "launch_type: expected none together with capacity_provider_strategy, got both. Omit one of them."
    bases = sum(bool(number_of(item.get("base"))) for item in strategy)
    if bases > 1:
        yield f"capacity_provider_strategy: expected at most one base above 0, got {bases}."
    weights = [item.get("weight") for item in strategy]
    if len(strategy) > 1 and not any(number_of(weight) or weight == UNKNOWN for weight in weights):
        yield "capacity_provider_strategy: expected a weight above 0 for at least one of several providers, got none."
    providers = {str(item.get("capacityProvider")) for item in strategy} - {UNKNOWN}
    if providers & set(FARGATE_PROVIDERS) and providers - set(FARGATE_PROVIDERS):
        yield (
            f"capacity_provider_strategy: expected either Fargate providers or other providers, got both:"
            f" {', '.join(sorted(providers))}."
        )


def _is_fargate(options: Json) -> bool:
    providers = {str(item.get("capacityProvider")) for item in items_of(options, "capacity_provider_strategy")}
    return options.get("launch_type") == FARGATE or bool(providers & set(FARGATE_PROVIDERS))


def _daemon_problems(options: Json) -> Iterator[str]:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-options.html"""
    if _is_fargate(options):
        for option in ("placement_constraints", "placement_strategy"):
            if options.get(option):
                yield f"{option}: expected none, because Fargate has no hosts to choose from. Omit it."
    if options.get("scheduling_strategy") != "DAEMON":
        return
    if _is_fargate(options):
        yield "scheduling_strategy: expected REPLICA, because Fargate has no hosts for a DAEMON, got DAEMON."
    if options.get("desired_count") is not None:
        yield "desired_count: expected none with scheduling_strategy DAEMON, one task per host. Omit it."
    if options.get("placement_strategy"):
        yield "placement_strategy: expected none with scheduling_strategy DAEMON, one task per host. Omit it."


def _deployment_problems(options: Json) -> Iterator[str]:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html"""
    configuration = options.get("deployment_configuration")
    if not isinstance(configuration, Mapping):
        return
    most, least = (number_of(configuration.get(member)) for member in ("maximumPercent", "minimumHealthyPercent"))
    rolling = configuration.get("strategy") in (None, "ROLLING")
    if rolling and most is not None and least is not None and least >= most:
        yield (
            "deployment_configuration: expected maximumPercent above minimumHealthyPercent,"
            f" got {most:.0f} and {least:.0f}."
        )


def relation_problems(options: Json, definition: Json) -> Iterator[str]:
    """Problems of a service together with its task definition."""
    containers = items_of(definition, "container_definitions")
    ports = {
        str(one.get("name")): [number_of(port.get("containerPort")) for port in items_of(one, "portMappings")]
        for one in containers
    }
    ranges = {str(one.get("name")) for one in containers for port in items_of(one, "portMappings") if _is_range(port)}
    for member in ("load_balancers", "service_registries"):
        for number, item in enumerate(items_of(options, member)):
            name, port = item.get("containerName"), number_of(item.get("containerPort"))
            if name in (None, "", UNKNOWN):
                continue
            where = f"{member}[{number}]"
            if name not in ports:
                known = ", ".join(ports) or "none"
                yield f"{where}.containerName: expected one of the task's containers ({known}), got {name!r}."
            elif port is not None and port not in ports[name] and name not in ranges:
                known = ", ".join(f"{one:.0f}" for one in ports[name] if one is not None) or "none"
                yield f"{where}.containerPort: expected a port of portMappings of {name} ({known}), got {port:.0f}."
    yield from _connect_problems(options, containers)
    yield from _attachment_problems(options, definition)


def _is_range(mapping: Json) -> bool:
    return bool(mapping.get("containerPortRange"))


def _connect_problems(options: Json, containers: list[Json]) -> Iterator[str]:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceConnectService.html"""
    connect = options.get("service_connect_configuration")
    named = [str(port["name"]) for one in containers for port in items_of(one, "portMappings") if port.get("name")]
    for number, item in enumerate(items_of(connect, "services")):
        if item.get("portName") and item["portName"] not in named:
            where, known = f"service_connect_configuration.services[{number}].portName", ", ".join(named) or "none"
            yield f"{where}: expected one of the names in portMappings ({known}), got {item['portName']!r}."


def _attachment_problems(options: Json, definition: Json) -> Iterator[str]:
    mode = definition.get("network_mode")
    if mode not in (None, "", AWSVPC, UNKNOWN) and options.get("network_configuration"):
        yield f"network_configuration: expected none, because the task definition's network mode is {mode}. Omit it."
    volumes = [str(one.get("name")) for one in items_of(definition, "volumes")]
    for number, item in enumerate(items_of(options, "volume_configurations")):
        if item.get("name") and item["name"] not in volumes:
            where, known = f"volume_configurations[{number}].name", ", ".join(volumes) or "none"
            yield f"{where}: expected one of the task definition's volumes ({known}), got {item['name']!r}."

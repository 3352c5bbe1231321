# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the resources of a project cost a month on AWS, as they are: an estimate by the table docs/prices.yml. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import FARGATE, FARGATE_PROVIDERS
from ansible_collections.slipway.aws.plugins.plugin_utils.cost import INTERNET, LOAD_BALANCER, REST, Line, Prices, total

Json = Mapping[str, Any]

ARM = "ARM64"
TASKS = "tasks"
PARTS = (TASKS, LOAD_BALANCER, INTERNET, REST)
# Kinds whose price depends on them: if one could not be read, the sum is too small.
PRICED = ("service", "load balancer", "NAT gateway", "elastic IP", "VPC endpoint", "instance", "volume")
NOT_INCLUDED = (
    "data transfer and data that gateways and endpoints process",
    "capacity units of load balancers (requests and connections)",
    "storage of images and logs, queries and metrics",
    "secrets of AWS Secrets Manager, KMS keys and DNS zones",
    "disks of cluster hosts without the project's tag",
    "taxes, discounts and free tiers",
)


@dataclass(frozen=True)
class Costs:
    lines: tuple[Line, ...]
    region: str
    known_region: bool
    as_of: str
    hours: int
    incomplete: tuple[str, ...]
    """Kinds that could not be read."""
    not_included: tuple[str, ...] = NOT_INCLUDED

    @property
    def total(self) -> float:
        return total(self.lines)

    @property
    def unpriced(self) -> list[Line]:
        return [line for line in self.lines if line.each is None]

    @property
    def parts(self) -> list[tuple[str, list[Line]]]:
        found = [(part, [line for line in self.lines if line.part == part]) for part in PARTS]
        return [(part, lines) for part, lines in found if lines]


def costs(resources: Sequence[Json], region: str, unknown: Sequence[str], table: Json) -> Costs:
    of = Prices(table, region)
    by_kind: dict[str, list[Json]] = {}
    for one in resources:
        by_kind.setdefault(one["kind"], []).append(one)
    found = [line for price in PRICES for line in price(by_kind, of) if line.number]
    incomplete = tuple(kind for kind in PRICED if kind in unknown)
    return Costs(tuple(found), of.region, of.known, of.as_of, int(table["hours_a_month"]), incomplete)


ByKind = Mapping[str, Sequence[Json]]


def _details(by_kind: ByKind, kind: str) -> list[Json]:
    return [one.get("details") or {} for one in by_kind.get(kind, ())]


def _tasks(by_kind: ByKind, of: Prices) -> Iterator[Line]:
    """Running and starting tasks on Fargate. Those on hosts cost nothing but their hosts."""
    arms = {
        definition.get("taskDefinitionArn")
        for one in _details(by_kind, "task definition")
        for definition in (one, *(one.get("revisions") or ()))
        if (definition.get("runtimePlatform") or {}).get("cpuArchitecture") == ARM
    }
    for service in _details(by_kind, "service"):
        sizes: Counter[tuple[str, float, float, bool]] = Counter()
        for task in service.get("tasks") or ():
            provider = task.get("capacityProviderName") or task.get("launchType") or ""
            if task.get("lastStatus") != "STOPPED" and provider in FARGATE_PROVIDERS and task.get("cpu"):
                architecture = ARM if task.get("taskDefinitionArn") in arms else "X86_64"
                sizes[architecture, float(task["cpu"]), float(task["memory"]), provider != FARGATE] += 1
        for (architecture, cpu, memory, spot), number in sizes.items():
            size = f"{cpu / 1024:g} vCPU, {memory / 1024:g} GB{', ARM64' if architecture == ARM else ''}"
            what = f"{'Spot task' if spot else 'task'} of {service.get('serviceName')}, {size}"
            yield Line(TASKS, what, number, of.task(architecture, cpu, memory, spot=spot))
        if _assigns_public_address(service):
            what = f"public address of a task of {service.get('serviceName')}"
            yield Line(TASKS, what, sum(sizes.values()), of.month("public_address_hour"))


def _assigns_public_address(service: Json) -> bool:
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    return bool(network.get("assignPublicIp") == "ENABLED")


def _load_balancers(by_kind: ByKind, of: Prices) -> Iterator[Line]:
    for one in _details(by_kind, "load balancer"):
        name = one.get("LoadBalancerName")
        yield Line(LOAD_BALANCER, f"load balancer {name}", 1, of.month("load_balancer_hour"))
        if one.get("Scheme") == "internet-facing":
            zones = len(one.get("AvailabilityZones") or ())
            yield Line(
                LOAD_BALANCER, f"public address of the load balancer {name}", zones, of.month("public_address_hour")
            )


def _internet_access(by_kind: ByKind, of: Prices) -> Iterator[Line]:
    gateways = len(_details(by_kind, "NAT gateway"))
    yield Line(INTERNET, "NAT gateway", gateways, of.month("nat_gateway_hour"))
    yield Line(INTERNET, "elastic IP", len(_details(by_kind, "elastic IP")), of.month("public_address_hour"))
    # The others are routes, which are free.
    interfaces = [one for one in _details(by_kind, "VPC endpoint") if one.get("VpcEndpointType") == "Interface"]
    zones = sum(len(one.get("SubnetIds") or ()) for one in interfaces)
    yield Line(INTERNET, "VPC endpoint in a zone", zones, of.month("interface_endpoint_hour"))


def _machines(by_kind: ByKind, of: Prices) -> Iterator[Line]:
    running = [one for one in _details(by_kind, "instance") if (one.get("State") or {}).get("Name") == "running"]
    for kind, number in Counter(str(one.get("InstanceType")) for one in running).items():
        yield Line(REST, f"instance, {kind}", number, of.instance(kind))
    elastic = {one.get("PublicIp") for one in _details(by_kind, "elastic IP")}
    addresses = [one["PublicIpAddress"] for one in running if one.get("PublicIpAddress")]
    public = sum(address not in elastic for address in addresses)
    yield Line(REST, "public address of an instance", public, of.month("public_address_hour"))
    disks = Counter((str(one.get("VolumeType")), int(one.get("Size") or 0)) for one in _details(by_kind, "volume"))
    for (kind, size), number in disks.items():
        price = size * of.month("gp3_gib_month") if kind == "gp3" else None
        yield Line(REST, f"disk, {size} GiB {kind}", number, price)


PRICES: tuple[Callable[[ByKind, Prices], Iterator[Line]], ...] = (_tasks, _load_balancers, _internet_access, _machines)

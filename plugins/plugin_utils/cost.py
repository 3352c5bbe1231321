# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site costs a month on AWS: an estimate from its variables and the table docs/prices.yml. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.slipway.aws.plugins.module_utils._core.fargate import FARGATE_SIZES
from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import FARGATE, FARGATE_PROVIDERS
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_network

Json = Mapping[str, Any]

TABLE = Path(__file__).resolve().parents[2] / "docs/prices.yml"
# The region whose prices are used for one that the table does not have.
REGION = "ap-northeast-2"
# The variables of roles that decide; the estimate needs each of them.
VARIABLES = (
    "docker_instance_address_type",
    "docker_instance_type",
    "docker_instance_volume_size",
    "ecs_app_services",
    "ecs_cluster_architecture",
    "ecs_cluster_arn",
    "ecs_cluster_default_strategy",
    "ecs_cluster_hosting",
    "ecs_cluster_instance_type",
    "ecs_cluster_instance_volume_size",
    "ecs_cluster_instances_min",
    "ecs_load_balancer_arn",
    "ecs_load_balancer_name_tags",
    "ecs_load_balancer_scheme",
    "ecs_network_docker_host_connection",
    "ecs_network_endpoints",
    "ecs_network_hosting",
    "ecs_network_nat",
    "ecs_network_vpc_id",
    "ecs_network_vpc_tags",
    "ecs_network_zones",
    "slipway_endpoint_url",
    "slipway_region",
)
# Whether images are built at all, which needs a Docker host.
BUILDS = "builds_images"
# CPU units of a task that names none.
SMALLEST = min(FARGATE_SIZES)

INTERNET, LOAD_BALANCER, REST = "internet access of private subnets", "load balancer", "everything else"


@dataclass(frozen=True)
class Line:
    """A number of something, at a price a month; without a price where the table has none."""

    part: str
    what: str
    number: int
    each: float | None

    @property
    def month(self) -> float:
        return self.number * (self.each or 0)


class Prices:
    """The table's prices of one region, a month."""

    def __init__(self, table: Json, region: str) -> None:
        self.known = region in table["regions"]
        self.region = region if self.known else REGION
        self.as_of = str(table["as_of"])
        self._hours = table["hours_a_month"]
        self._of = table["regions"][self.region]
        self._spot = table["fargate_spot_share"]["price"]

    def month(self, name: str) -> float:
        price = float(self._of[name]["price"])
        return price * self._hours if name.endswith("_hour") else price

    def instance(self, kind: str) -> float | None:
        """An instance of that type, or None if the table does not have it."""
        entry = self._of["instances"].get(kind)
        return float(entry["price"]) * float(self._hours) if entry else None

    def task(self, architecture: str, cpu: float, memory: float, *, spot: bool) -> float:
        """A Fargate task: CPU units and MiB."""
        name = f"fargate_{architecture.lower()}"
        price = cpu / 1024 * self.month(f"{name}_vcpu_hour") + memory / 1024 * self.month(f"{name}_gb_hour")
        return price * self._spot if spot else price


def prices() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(TABLE.read_text())
    return loaded


def lines(settings: Json, of: Prices) -> list[Line]:
    """What AWS charges by the hour, whether or not anyone visits."""
    parts = (_network, _load_balancer, _docker_host, _hosts, _tasks)
    return [line for part in parts for line in part(settings, of) if line.number]


def _zones(settings: Json) -> int:
    """The role uses two where none is named."""
    return len(settings["ecs_network_zones"]) or 2


def _network(settings: Json, of: Prices) -> Iterator[Line]:
    if settings["ecs_network_vpc_id"] or settings["ecs_network_vpc_tags"]:
        return
    zones = _zones(settings)
    nat = settings["ecs_network_nat"]
    gateways = {"none": 0, "single": 1, "per_zone": zones}[nat]
    yield Line(INTERNET, "NAT gateway", gateways, of.month("nat_gateway_hour"))
    yield Line(INTERNET, "public address of a NAT gateway", gateways, of.month("public_address_hour"))
    endpoints = settings["ecs_network_endpoints"]
    if endpoints is None:
        connection = settings["ecs_network_docker_host_connection"]
        endpoints = ecs_network.default_endpoints(nat, settings["ecs_network_hosting"], connection)
    # The others are routes, which are free.
    interfaces = len(set(endpoints).difference(ecs_network.GATEWAY_ENDPOINTS)) * zones
    yield Line(INTERNET, "VPC endpoint in a zone", interfaces, of.month("interface_endpoint_hour"))


def _load_balancer(settings: Json, of: Prices) -> Iterator[Line]:
    # Others pay for theirs.
    if settings.get("ecs_load_balancer_arn") or settings.get("ecs_load_balancer_name_tags"):
        return
    yield Line(LOAD_BALANCER, "load balancer", 1, of.month("load_balancer_hour"))
    public = settings["ecs_load_balancer_scheme"] == "internet-facing"
    addresses = _zones(settings) if public else 0
    yield Line(LOAD_BALANCER, "public address of the load balancer", addresses, of.month("public_address_hour"))


def _docker_host(settings: Json, of: Prices) -> Iterator[Line]:
    if not settings.get(BUILDS, True):
        return
    kind = settings["docker_instance_type"]
    size = int(settings["docker_instance_volume_size"])
    yield Line(REST, f"Docker host, {kind}", 1, of.instance(kind))
    yield Line(REST, f"disk of the Docker host, {size} GiB", 1, size * of.month("gp3_gib_month"))
    public = settings["docker_instance_address_type"] == "public"
    yield Line(REST, "public address of the Docker host", int(public), of.month("public_address_hour"))


def _hosts(settings: Json, of: Prices) -> Iterator[Line]:
    if settings["ecs_cluster_hosting"] != "ec2" or settings.get("ecs_cluster_arn"):
        return
    kind = settings["ecs_cluster_instance_type"]
    size = int(settings["ecs_cluster_instance_volume_size"])
    number = int(settings["ecs_cluster_instances_min"])
    yield Line(REST, f"cluster host (minimum number), {kind}", number, of.instance(kind))
    yield Line(REST, f"disk of a cluster host, {size} GiB", number, size * of.month("gp3_gib_month"))


def _tasks(settings: Json, of: Prices) -> Iterator[Line]:
    for service in settings["ecs_app_services"]:
        definition = service["task_definition"]
        own = (definition.get("runtimePlatform") or {}).get("cpuArchitecture")
        architecture = own or settings["ecs_cluster_architecture"]
        cpu = float(definition.get("cpu") or SMALLEST)
        memory = float(definition.get("memory") or FARGATE_SIZES[SMALLEST][0])
        size = f"{cpu / 1024:g} vCPU, {memory / 1024:g} GB{', ARM64' if architecture == 'ARM64' else ''}"
        count, often = _count(service)
        for provider, number in placed(count, _strategy(service, settings)).items():
            spot = provider != FARGATE
            what = f"{'Spot task' if spot else 'task'} of {service['name']}{often}, {size}"
            # Tasks on hosts cost nothing but their hosts.
            if provider in FARGATE_PROVIDERS:
                yield Line(REST, what, number, of.task(architecture, cpu, memory, spot=spot))


def _count(service: Json) -> tuple[int, str]:
    """The minimum number of tasks, and a word for it."""
    if scaling := service.get("scaling"):
        return int(scaling["min_capacity"]), " at least"
    return 1 if service.get("desired_count") is None else int(service["desired_count"]), ""


def _strategy(service: Json, settings: Json) -> Sequence[Json]:
    options = service.get("options") or {}
    if options.get("launch_type"):
        return [{"capacityProvider": options["launch_type"], "weight": 1}]
    strategy: Sequence[Json] = options.get("capacity_provider_strategy") or settings["ecs_cluster_default_strategy"]
    return strategy


def placed(count: int, strategy: Sequence[Json]) -> dict[str, int]:
    """How many tasks each capacity provider gets: first its base, then by weight."""
    got = {item["capacityProvider"]: min(int(item.get("base") or 0), count) for item in strategy}
    weights = {item["capacityProvider"]: int(item.get("weight") or 0) for item in strategy}
    shared = dict.fromkeys(got, 0)
    for _task in range(count - sum(got.values())):
        heavy = [name for name, weight in weights.items() if weight] or list(weights)
        shared[min(heavy, key=lambda name: (shared[name] + 1) / (weights[name] or 1))] += 1
    return {name: got[name] + shared[name] for name in got}


def report(settings: Json, table: Json) -> list[str]:
    """The estimate as lines of text."""
    region = str(settings.get("slipway_region") or REGION)
    of = Prices(table, region)
    known = lines(settings, of)
    hours = table["hours_a_month"]
    text = [f"{line.number:>3} x {_money(line.each):>8} = {_sum(line):>8}  {line.what}" for line in known]
    text.append(f"{total(known):>25.2f}  US dollars a month ({', '.join(_parts(known))})")
    text.append(
        f"An estimate for {hours} hours, from the list prices for {of.region} of {of.as_of}; docs/prices.yml says"
        " how reliable each is. It does not include data transfer, requests, metrics, storage of logs and images,"
        " secrets, or taxes."
    )
    if not of.known:
        text.append(f"There are no prices for {region}, so these are the prices for {of.region}.")
    text += [f"Not included: {line.what}, because there is no price for it." for line in known if line.each is None]
    if settings.get("slipway_endpoint_url"):
        text.append("The local cloud is free: this is what the site would cost on AWS.")
    return text


def total(known: Sequence[Line]) -> float:
    return sum(line.month for line in known)


def _parts(known: Sequence[Line]) -> Iterator[str]:
    for part in (INTERNET, LOAD_BALANCER, REST):
        yield f"{part} {total([line for line in known if line.part == part]):.2f}"


def _money(price: float | None) -> str:
    return "?" if price is None else f"{price:.2f}"


def _sum(line: Line) -> str:
    return "?" if line.each is None else f"{line.month:.2f}"

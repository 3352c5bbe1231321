# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the resources of a project are: regions, VPCs, zones, subnets and what runs in them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

OK, WAITING, BAD, UNKNOWN = "ok", "waiting", "bad", "unknown"
STATES = (OK, WAITING, BAD, UNKNOWN)
PUBLIC, PRIVATE = "public", "private"
ANYWHERE = ("0.0.0.0/0", "::/0")
# Where the reader found no zone or subnet.
ELSEWHERE = "zone unknown"
# AWS's tag on instances of an Auto Scaling group.
SCALING_GROUP = "aws:autoscaling:groupName"

States = Mapping[str, int]


@dataclass(frozen=True)
class Rule:
    """What a load balancer forwards, and where to. `service` is the key of the one that registers there, or ''."""

    listener: str
    condition: str
    target: str
    service: str
    states: States


@dataclass(frozen=True)
class Balancer:
    name: str
    address: str
    public: bool
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Node:
    """A gateway or a machine in a subnet."""

    kind: str
    name: str
    note: str


@dataclass(frozen=True)
class Workload:
    """The tasks of one service in one subnet, counted by state."""

    cluster: str
    service: str
    states: States

    @property
    def key(self) -> str:
        return f"{self.cluster}/{self.service}"


@dataclass(frozen=True)
class Subnet:
    id: str
    name: str
    cidr: str
    reach: str
    egress: str
    nodes: tuple[Node, ...]
    workloads: tuple[Workload, ...]


@dataclass(frozen=True)
class Zone:
    name: str
    subnets: tuple[Subnet, ...]
    targets: bool
    """Whether a load balancer forwards to tasks in it."""


@dataclass(frozen=True)
class Vpc:
    id: str
    name: str
    cidr: str
    owned: bool
    gateway: str
    balancers: tuple[Balancer, ...]
    zones: tuple[Zone, ...]
    endpoints: tuple[str, ...]


@dataclass(frozen=True)
class Placement:
    """The tasks of one service by zone, and the requests that load balancers forward to it."""

    cluster: str
    service: str
    zones: tuple[tuple[str, States], ...]
    routes: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.cluster}/{self.service}"


@dataclass(frozen=True)
class Idle:
    """A service without tasks in any subnet: none runs, or they could not be read."""

    cluster: str
    service: str
    note: str

    @property
    def key(self) -> str:
        return f"{self.cluster}/{self.service}"


@dataclass(frozen=True)
class Card:
    """What is in the region and in no VPC."""

    title: str
    icon: str
    entries: tuple[str, ...]


@dataclass(frozen=True)
class Topology:
    region: str
    account: str
    vpcs: tuple[Vpc, ...]
    idle: tuple[Idle, ...]
    cards: tuple[Card, ...]


class Graph:
    """The reader's resources by kind and id, with what they say of each other."""

    def __init__(self, resources: Sequence[Json]) -> None:
        self._kinds: dict[str, list[Json]] = {}
        for one in resources:
            self._kinds.setdefault(one["kind"], []).append(one)
        self.routes = {
            link["SubnetId"]: table
            for table in self.details("route table")
            for link in table.get("Associations") or ()
            if link.get("SubnetId")
        }
        # Hosts of clusters. The Docker host runs no tasks.
        self.instances = {
            one["id"]: one["details"] for one in self.of("instance") if SCALING_GROUP in (one.get("tags") or {})
        }
        # Of a service: the target groups that its tasks register in.
        self.registered = {
            group["targetGroupArn"]: key_of(one)
            for one in self.details("service")
            for group in one.get("loadBalancers") or ()
            if group.get("targetGroupArn")
        }
        self.facing = {
            zone.get("SubnetId")
            for one in self.details("load balancer")
            if one.get("Scheme") == "internet-facing"
            for zone in one.get("AvailabilityZones") or ()
        }
        self.groups = {one["TargetGroupArn"]: one for one in self.details("target group") if "TargetGroupArn" in one}

    def of(self, kind: str) -> list[Json]:
        return self._kinds.get(kind, [])

    def details(self, kind: str) -> list[Json]:
        return [one.get("details") or {} for one in self.of(kind)]

    def names(self, kind: str) -> tuple[str, ...]:
        return tuple(sorted(str(one["name"]) for one in self.of(kind)))


def topology(resources: Sequence[Json], region: str, account: str) -> Topology:
    graph = Graph(resources)
    places = dict(_places(graph))
    work = list(_workloads(graph))
    homes = [
        *(place[0] for place in places.values()),
        *(_home(one, places, "") for one in graph.details("load balancer")),
    ]
    identities = dict.fromkeys([*(one["VpcId"] for one in graph.details("VPC")), *homes])
    vpcs = tuple(_vpc(graph, identity, places, work) for identity in identities)
    placed = {(one.cluster, one.service) for _subnet, one in work}
    return Topology(region, account, vpcs, tuple(_idle(graph, placed)), tuple(_cards(graph)))


def task_state(task: Json) -> str:
    """One task, as a circle of the picture."""
    status = task.get("lastStatus")
    if status != "RUNNING":
        return WAITING
    return BAD if task.get("healthStatus") == "UNHEALTHY" else OK


def running_tasks(service: Json) -> list[Json]:
    return [task for task in service.get("tasks") or () if task.get("lastStatus") != "STOPPED"]


def short(arn: str) -> str:
    """The name at the end of an ARN."""
    return arn.rpartition("/")[2]


def key_of(service: Json) -> str:
    """Identifies a service: two clusters may have services of one name."""
    return f"{short(service.get('clusterArn') or '')}/{service['serviceName']}"


# Subnets that something of the project is in, with VPC and zone. Those of others are known by their ids alone.


def _places(graph: Graph) -> Iterator[tuple[str, tuple[str, str]]]:
    known = [*graph.details("load balancer"), *graph.details("target group")]
    home = next((one["VpcId"] for one in [*graph.details("VPC"), *known] if one.get("VpcId")), "")
    for one in graph.details("service"):
        for task in running_tasks(one):
            if subnet := _subnet_of(graph, one, task):
                yield subnet, (home, task.get("availabilityZone") or ELSEWHERE)
    for one in graph.details("load balancer"):
        for zone in one.get("AvailabilityZones") or ():
            if zone.get("SubnetId"):
                yield zone["SubnetId"], (one.get("VpcId") or home, zone.get("ZoneName") or ELSEWHERE)
    for one in graph.details("instance"):
        if one.get("SubnetId"):
            zone = _zone_of(one) or ELSEWHERE
            yield one["SubnetId"], (one.get("VpcId") or home, zone)
    for one in graph.details("subnet"):
        yield one["SubnetId"], (one.get("VpcId") or home, one.get("AvailabilityZone") or ELSEWHERE)


def _subnet_of(graph: Graph, service: Json, task: Json) -> str:
    """Of its network interface, or else the only one in its zone that it may be in; '' if that is not known."""
    for attachment in task.get("attachments") or ():
        for detail in attachment.get("details") or ():
            if detail.get("name") == "subnetId":
                return str(detail["value"])
    zone = task.get("availabilityZone")
    network = (service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    allowed = list(network.get("subnets") or ())
    if not allowed:
        # It uses the network of its host.
        hosts = {one.get("SubnetId") or "" for one in graph.instances.values() if _zone_of(one) == zone}
        return hosts.pop() if zone and len(hosts) == 1 else ""
    zones = {one["SubnetId"]: one.get("AvailabilityZone") for one in graph.details("subnet")}
    fitting = [subnet for subnet in allowed if zones.get(subnet, zone) == zone]
    return str(fitting[0]) if len(fitting) == 1 else ""


def _zone_of(instance: Json) -> str:
    return str((instance.get("Placement") or {}).get("AvailabilityZone") or "")


def _workloads(graph: Graph) -> Iterator[tuple[str, Workload]]:
    for one in graph.details("service"):
        by_subnet: dict[str, Counter[str]] = {}
        for task in running_tasks(one):
            by_subnet.setdefault(_subnet_of(graph, one, task), Counter())[task_state(task)] += 1
        for subnet, states in by_subnet.items():
            if subnet:
                yield subnet, Workload(short(one.get("clusterArn") or ""), one["serviceName"], states)


def _vpc(
    graph: Graph, identity: str, places: Mapping[str, tuple[str, str]], work: Sequence[tuple[str, Workload]]
) -> Vpc:
    own = next((one for one in graph.of("VPC") if one["id"] == identity), None)
    details: Json = (own or {}).get("details") or {}
    gateways = [
        one
        for one in graph.of("internet gateway")
        for link in one["details"].get("Attachments") or ()
        if link.get("VpcId") == identity
    ]
    balancers = [one for one in graph.details("load balancer") if _home(one, places, identity) == identity]
    zones = sorted({zone for vpc, zone in places.values() if vpc == identity})
    return Vpc(
        id=identity,
        name=str(own["name"] or identity) if own else identity or "unknown",
        cidr=str(details.get("CidrBlock") or ""),
        owned=own is not None,
        gateway=str(gateways[0]["name"] or gateways[0]["id"]) if gateways else "",
        balancers=tuple(_balancer(graph, one) for one in balancers),
        zones=tuple(_zone(graph, zone, _inside(places, identity, zone), work) for zone in zones),
        endpoints=tuple(
            sorted(
                str(one.get("ServiceName", "")).rpartition(".")[2]
                for one in graph.details("VPC endpoint")
                if one.get("VpcId") == identity
            )
        ),
    )


def _home(balancer: Json, places: Mapping[str, tuple[str, str]], default: str) -> str:
    """The VPC of a load balancer, by its subnets."""
    subnets = (zone.get("SubnetId") for zone in balancer.get("AvailabilityZones") or ())
    known = (places[subnet][0] for subnet in subnets if subnet in places)
    return next(known, str(balancer.get("VpcId") or default))


def _inside(places: Mapping[str, tuple[str, str]], vpc: str, zone: str) -> list[str]:
    return [subnet for subnet, place in places.items() if place == (vpc, zone)]


def _zone(graph: Graph, name: str, subnets: Iterable[str], work: Sequence[tuple[str, Workload]]) -> Zone:
    found = [_subnet(graph, identity, work) for identity in subnets]
    # Public first: traffic comes in from above.
    found.sort(key=lambda one: (one.reach != PUBLIC, one.name, one.id))
    targets = set(graph.registered.values())
    reached = any(one.key in targets for subnet in found for one in subnet.workloads)
    return Zone(name, tuple(found), reached)


def _subnet(graph: Graph, identity: str, work: Sequence[tuple[str, Workload]]) -> Subnet:
    own = next((one for one in graph.of("subnet") if one["id"] == identity), None)
    details: Json = (own or {}).get("details") or {}
    reach, egress = _reach(graph, identity)
    return Subnet(
        id=identity,
        name=str(own["name"] or identity) if own else identity,
        cidr=str(details.get("CidrBlock") or ""),
        reach=reach,
        egress=egress,
        nodes=tuple(_nodes(graph, identity)),
        workloads=tuple(
            sorted((one for subnet, one in work if subnet == identity), key=lambda one: (one.cluster, one.service))
        ),
    )


def _reach(graph: Graph, subnet: str) -> tuple[str, str]:
    """Whether the internet reaches the subnet, and how it reaches the internet. Empty if the route table is unknown."""
    table = graph.routes.get(subnet)
    if table is None:
        # Load balancers that face the internet require public subnets.
        return (PUBLIC, "internet gateway") if subnet in graph.facing else ("", "")
    for route in table.get("Routes") or ():
        if (route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")) not in ANYWHERE:
            continue
        if str(route.get("GatewayId", "")).startswith("igw-"):
            return PUBLIC, "internet gateway"
        if gateway := route.get("NatGatewayId"):
            return PRIVATE, f"NAT gateway {_named(graph, 'NAT gateway', gateway)}"
        return PRIVATE, str(
            route.get("TransitGatewayId") or route.get("NetworkInterfaceId") or route.get("GatewayId") or ""
        )
    return PRIVATE, "no internet access"


def _named(graph: Graph, kind: str, identity: str) -> str:
    return next((str(one["name"]) for one in graph.of(kind) if one["id"] == identity and one["name"]), identity)


def _nodes(graph: Graph, subnet: str) -> Iterator[Node]:
    for one in graph.of("NAT gateway"):
        if one["details"].get("SubnetId") == subnet:
            addresses = [str(item.get("PublicIp") or "") for item in one["details"].get("NatGatewayAddresses") or ()]
            yield Node("NAT gateway", str(one["name"] or one["id"]), ", ".join(filter(None, addresses)))
    for one in graph.of("instance"):
        details = one["details"]
        if details.get("SubnetId") == subnet:
            kind = "Cluster host" if SCALING_GROUP in (one.get("tags") or {}) else "Docker host"
            name = one["id"] if kind == "Cluster host" else str(one["name"] or one["id"])
            state = (details.get("State") or {}).get("Name")
            facts = [details.get("InstanceType"), details.get("PublicIpAddress"), state if state != "running" else None]
            yield Node(kind, name, ", ".join(str(fact) for fact in facts if fact))


def _balancer(graph: Graph, details: Json) -> Balancer:
    rules = [rule for listener in details.get("Listeners") or () for rule in _rules(graph, listener)]
    public = details.get("Scheme") == "internet-facing"
    return Balancer(str(details["LoadBalancerName"]), str(details.get("DNSName") or ""), public, tuple(rules))


def _rules(graph: Graph, listener: Json) -> Iterator[Rule]:
    name = f"{listener.get('Protocol', '')} {listener.get('Port', '')}".strip()
    rules = listener.get("Rules") or [{"IsDefault": True, "Actions": listener.get("DefaultActions") or []}]
    for rule in rules:
        condition = "otherwise" if rule.get("IsDefault") else " and ".join(_conditions(rule)) or "always"
        if rule.get("IsDefault") and len(rules) == 1:
            condition = "all requests"
        for action in rule.get("Actions") or ():
            for target in _targets(action):
                group = graph.groups.get(target, {})
                service = graph.registered.get(target, "")
                text = str(group.get("TargetGroupName") or target.split("/")[-2] if "/" in target else target)
                yield Rule(name, condition, text, service, target_states(group))


def _conditions(rule: Json) -> Iterator[str]:
    for condition in rule.get("Conditions") or ():
        values = list(condition.get("Values") or ())
        for member, config in condition.items():
            if member.endswith("Config"):
                given = config.get("Values") or ()
                values += [
                    f"{one.get('Key', '')}={one.get('Value', '')}" if isinstance(one, Mapping) else str(one)
                    for one in given
                ]
        what = {"path-pattern": "", "host-header": ""}.get(condition.get("Field", ""), f"{condition.get('Field')} ")
        yield what + " or ".join(dict.fromkeys(map(str, values)))


def _targets(action: Json) -> list[str]:
    """Target groups of a rule's action, or what it does instead of forwarding."""
    if weighted := (action.get("ForwardConfig") or {}).get("TargetGroups"):
        return [one["TargetGroupArn"] for one in weighted]
    if action.get("TargetGroupArn"):
        return [action["TargetGroupArn"]]
    if redirect := action.get("RedirectConfig"):
        return [f"redirect to {redirect.get('Protocol', '')} {redirect.get('Port', '')}".rstrip()]
    if fixed := action.get("FixedResponseConfig"):
        return [f"answer {fixed.get('StatusCode', '')}".rstrip()]
    return [str(action.get("Type") or "unknown action")]


TARGET_STATES = {"healthy": OK, "initial": WAITING, "draining": WAITING, "unused": WAITING, "unhealthy": BAD}


def target_states(group: Json) -> Counter[str]:
    states = [(one.get("TargetHealth") or {}).get("State", "") for one in group.get("TargetHealth") or ()]
    return Counter(TARGET_STATES.get(state, UNKNOWN) for state in states)


def _idle(graph: Graph, placed: set[tuple[str, str]]) -> Iterator[Idle]:
    for one in graph.details("service"):
        cluster, name = short(one.get("clusterArn") or ""), one["serviceName"]
        if (cluster, name) not in placed:
            running, desired = one.get("runningCount") or 0, one.get("desiredCount") or 0
            yield Idle(cluster, name, f"{running} of {desired} running")


def _cards(graph: Graph) -> Iterator[Card]:
    kinds = (
        ("Registry", "registry", ("repository",)),
        ("Secrets", "secret", ("parameter", "secret")),
        ("Service discovery", "name", ("namespace",)),
        ("Logs", "log", ("log group",)),
        ("Certificates", "certificate", ("certificate",)),
        ("Storage", "bucket", ("bucket",)),
    )
    for title, icon, names in kinds:
        entries = tuple(name for kind in names for name in graph.names(kind))
        if entries:
            yield Card(title, icon, entries)


def placements(vpc: Vpc) -> list[Placement]:
    """The services of a VPC, by cluster and name."""
    found: dict[tuple[str, str], dict[str, Counter[str]]] = {}
    for zone in vpc.zones:
        for work in (work for subnet in zone.subnets for work in subnet.workloads):
            states = found.setdefault((work.cluster, work.service), {}).setdefault(zone.name, Counter())
            states.update(work.states)
    routes: dict[str, list[str]] = {}
    for rule in (rule for balancer in vpc.balancers for rule in balancer.rules):
        routes.setdefault(rule.service, []).append(f"{rule.listener}  {rule.condition}")
    return [
        Placement(cluster, service, tuple(zones.items()), tuple(routes.get(f"{cluster}/{service}", ())))
        for (cluster, service), zones in sorted(found.items())
    ]


def zone_letter(zone: str, region: str) -> str:
    """What distinguishes a zone in its region: a letter, or the name of a local zone."""
    return zone.removeprefix(region).strip("-") or zone

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ecs_network creates and deletes, from its variables and from what exists. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from ipaddress import IPv4Network
from itertools import combinations
from re import fullmatch
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core import tags as tagging
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import text_of
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_app_ports as ports
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_network_flow_logs as flow_logs

PREFIX = "ecs_network_"
TAG = tagging.PROJECT
# AWS has routes to these two. The others get network interfaces, which cost by the hour.
GATEWAY_ENDPOINTS = ("s3", "dynamodb")
# Without these, a task in a private subnet cannot pull its image: the registry's two, and where it keeps the layers.
IMAGE_ENDPOINTS = ("ecr.api", "ecr.dkr", "s3")
# Hosts have to reach ECS, which reaches Fargate by itself.
HOST_ENDPOINTS = ("ecs", "ecs-agent", "ecs-telemetry")
# Sessions with the Docker host need this one beside ssm. Agents since 3.3.40 do without ec2messages:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/setup-create-vpc.html
SESSIONS, SESSION_ENDPOINTS = "session_manager", ("ssmmessages",)
# Tasks that share the address of their host get one of its ports.
EPHEMERAL_PORTS = "32768-65535"
LAST_PORT = 65535
KINDS = ("public", "private")
# What security groups are for, by the names that roles use.
GROUPS = ("load_balancer", "tasks", "docker_host")
TASKS, LOAD_BALANCER, ENDPOINTS = "tasks", "load-balancer", "endpoints"


def default_endpoints(nat: str, hosting: str, connection: str) -> list[str]:
    """The endpoints where none are listed: all that containers and hosts need where there is no NAT gateway."""
    if nat != "none":
        return []
    sessions = SESSION_ENDPOINTS if connection == SESSIONS else ()
    return ["ecr.api", "ecr.dkr", "logs", "s3", "secretsmanager", "ssm", *sessions, *_host_endpoints(hosting)]


def _defaults(values: Json) -> list[str]:
    return default_endpoints(values["nat"], values["hosting"], values["docker_host_connection"])


def _host_endpoints(hosting: str) -> Sequence[str]:
    return HOST_ENDPOINTS if hosting == "ec2" else ()


@dataclass(frozen=True)
class Variables:
    """The role's variables, without their prefix. What the defaults leave open is filled in."""

    project: str
    tags: Json
    create: bool
    security_group_ids: Json
    vpc_id: str
    vpc_tags: Json
    public_subnet_ids: list[str]
    public_subnet_tags: Json
    private_subnet_ids: list[str]
    private_subnet_tags: Json
    cidr: str
    zones: list[str]
    public_cidrs: list[str]
    private_cidrs: list[str]
    nat: str
    hosting: str
    endpoints: list[str]
    load_balancer_ports: list[Any]
    load_balancer_test_port: int
    load_balancer_test_cidrs: list[str]
    task_ports: list[Any]
    task_peer_ports: list[Any]
    docker_host_group: str
    docker_host_connection: str
    docker_host_ports: list[Any]
    docker_host_cidrs: list[str]
    flow_logs: str
    flow_logs_group: str
    flow_logs_retention: int
    flow_logs_kms_key: str
    flow_logs_role: str

    @classmethod
    def of(cls, variables: Json, services: Sequence[Json] = (), target_groups: Sequence[Json] = ()) -> Variables:
        values = {name.removeprefix(PREFIX): value for name, value in variables.items()}
        hosting = values["hosting"]
        if values["task_ports"] is None:
            known = ports.from_load_balancer(services, target_groups)
            values["task_ports"] = [*known, EPHEMERAL_PORTS] if hosting == "ec2" else known
        if values["task_peer_ports"] is None:
            values["task_peer_ports"] = ports.from_peers(services)
        if values["endpoints"] is None:
            own = values["create"] and not (values["vpc_id"] or values["vpc_tags"])
            values["endpoints"] = _defaults(values) if own else []
        return cls(**{field.name: values[field.name] for field in fields(cls)})

    @property
    def own_vpc(self) -> bool:
        """Whether the project has a VPC of its own. In an existing one it owns nothing but security groups."""
        return self.create and not self.has_vpc

    @property
    def has_vpc(self) -> bool:
        """Whether a VPC of others is named."""
        return bool(self.vpc_id or self.vpc_tags)

    @property
    def given_groups(self) -> dict[str, str]:
        """Security groups of others, by what they are for."""
        return {str(key): str(group) for key, group in self.security_group_ids.items() if group}

    def group(self, name: str) -> str:
        return f"{self.project}-{name}"


def layout(
    variables: Json,
    services: Sequence[Json] = (),
    target_groups: Sequence[Json] = (),
    found: Mapping[str, Sequence[Json]] | None = None,
) -> Json:
    """The network from variables alone and, once the role has read what exists, what is to be created and deleted."""
    v = Variables.of(variables, services, target_groups)
    owned = {f"tag:{TAG}": v.project}
    known: Json = {
        "variables": dict(vars(v)),
        "own_vpc": v.own_vpc,
        # Neither a VPC of its own nor one of others.
        "none": not v.own_vpc and not v.has_vpc,
        "given_groups": list(v.given_groups.values()),
        "opens_docker_host": v.create and "docker_host" not in v.given_groups and bool(v.docker_host_ports),
        "tags": tagging.checked({**v.tags, TAG: v.project}, f"{PREFIX}tags"),
        "owned": owned,
        "vpc_filters": owned if v.own_vpc else _vpc_filters(v),
        "groups": [v.group(LOAD_BALANCER), v.group(TASKS), v.docker_host_group],
        "problems": list(_variable_problems(v)),
    }
    if found is None:
        return known
    known["deletions"] = deletions(v.project, found, v.given_groups.values())
    known["flow_logs"] = flow_logs.layout(v, known["tags"], found)
    return known | (_own_layout if v.own_vpc else _existing_layout)(v, found)


def _vpc_filters(v: Variables) -> Json:
    return {"vpc-id": v.vpc_id} if v.vpc_id else {f"tag:{key}": text_of(value) for key, value in v.vpc_tags.items()}


# Problems of variables alone


def _variable_problems(v: Variables) -> Iterator[str]:
    if not fullmatch("[a-zA-Z][a-zA-Z0-9-]{0,19}", v.project):
        yield (
            f"{PREFIX}project: expected a letter and up to 19 letters, digits or hyphens, got '{v.project}'."
            " Choose another name."
        )
    yield from _port_problems(v)
    for name in ("load_balancer_test_cidrs", "docker_host_cidrs"):
        for index, cidr in enumerate(getattr(v, name)):
            yield from _range_problems(f"{PREFIX}{name}[{index}]", cidr, 8, 32)
    yield from _given_group_problems(v)
    yield from _own_problems(v) if v.own_vpc else _existing_problems(v)


def _given_group_problems(v: Variables) -> Iterator[str]:
    name, known = f"{PREFIX}security_group_ids", list(GROUPS)
    for key, group in v.security_group_ids.items():
        if key not in known:
            yield f"{name}: expected groups for {', '.join(known)}, got {key}. Remove it, or correct the spelling."
        elif group and not fullmatch("sg-[0-9a-f]{8,17}", str(group)):
            yield f"{name}.{key}: expected the ID of a security group, such as sg-0123456789abcdef0, got {group!r}."
    if v.given_groups and not v.has_vpc:
        yield (
            f"{name}: expected nothing without {PREFIX}vpc_id or {PREFIX}vpc_tags, got"
            f" {', '.join(v.given_groups.values())}. Set the VPC of these groups, or remove them."
        )


def _port_problems(v: Variables) -> Iterator[str]:
    for name in ("load_balancer_ports", "task_ports", "task_peer_ports", "docker_host_ports"):
        for index, port in enumerate(getattr(v, name)):
            if not _is_port_range(str(port)):
                yield (
                    f"{PREFIX}{name}[{index}]: expected a port from 1 to 65535 or a range such as 8000-8099,"
                    f" got {port}."
                )


def _is_port_range(text: str) -> bool:
    parts = fullmatch("([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    if not parts:
        return False
    first, last = int(parts[1]), int(parts[2] or parts[1])
    return first <= last and 1 <= last <= LAST_PORT


def _existing_problems(v: Variables) -> Iterator[str]:
    for one, other in (
        ("vpc_id", "vpc_tags"),
        ("public_subnet_ids", "public_subnet_tags"),
        ("private_subnet_ids", "private_subnet_tags"),
    ):
        if getattr(v, one) and getattr(v, other):
            yield f"{PREFIX}{one}: expected nothing together with {PREFIX}{other}, got {getattr(v, one)}. Keep one."
    if v.create and not v.private_subnet_ids and not v.private_subnet_tags:
        yield (
            f"{PREFIX}private_subnet_ids: expected the private subnets of the existing VPC, got none."
            f" Set it, or {PREFIX}private_subnet_tags."
        )
    for name in ("zones", "public_cidrs", "private_cidrs", "endpoints"):
        if getattr(v, name):
            yield (
                f"{PREFIX}{name}: expected an empty list, because the role only creates security groups in an"
                f" existing VPC, got {getattr(v, name)}. Remove it, or do not use an existing VPC."
            )


def _own_problems(v: Variables) -> Iterator[str]:
    for name in ("public_subnet_ids", "public_subnet_tags", "private_subnet_ids", "private_subnet_tags"):
        if getattr(v, name):
            yield (
                f"{PREFIX}{name}: expected nothing without {PREFIX}vpc_id or {PREFIX}vpc_tags, got {getattr(v, name)}."
                " Set the VPC of these subnets, or remove it."
            )
    if len(set(v.endpoints)) < len(v.endpoints):
        yield f"{PREFIX}endpoints: expected each service once, got {', '.join(v.endpoints)}. Remove the duplicates."
    required = [*IMAGE_ENDPOINTS, *_host_endpoints(v.hosting)]
    missing = [name for name in required if name not in v.endpoints]
    if v.nat == "none" and missing:
        yield (
            f"{PREFIX}endpoints: expected at least {', '.join(required)} if {PREFIX}nat is none, got"
            f" {', '.join(v.endpoints) or 'none'}. Add {', '.join(missing)}, otherwise no task can pull its image."
        )
    if v.zones and not (len(set(v.zones)) == len(v.zones) and 2 <= len(v.zones) <= 8):
        yield (
            f"{PREFIX}zones: expected two to eight different zones, which a load balancer needs, got"
            f" {', '.join(v.zones)}. List other zones, or none to use the region's first two."
        )
    yield from flow_logs.problems(v)
    yield from _own_range_problems(v)


def _own_range_problems(v: Variables) -> Iterator[str]:
    # Where subnets are derived, a sixteenth has to be as large as AWS's smallest subnet, or as a load balancer needs.
    narrowest = 23 if not v.public_cidrs else 24 if not v.private_cidrs else 28
    # Subnets that are derived from a wrong range would only repeat what is wrong with it.
    if problems := list(_range_problems(f"{PREFIX}cidr", v.cidr, 16, narrowest)):
        yield from problems
        return
    zones = len(v.zones) or 2
    named: list[tuple[str, str]] = []
    for kind, smallest in (("public", 27), ("private", 28)):
        cidrs = _cidrs(v, kind, zones)
        if len(cidrs) != zones:
            yield (
                f"{PREFIX}{kind}_cidrs: expected one range for each of the {zones} zones, got {', '.join(cidrs)}."
                f" List {zones}, or none to derive them from {PREFIX}cidr."
            )
        named += [(f"{PREFIX}{kind}_cidrs[{index}]", cidr) for index, cidr in enumerate(cidrs)]
        for name, cidr in named[-len(cidrs) :]:
            yield from _range_problems(name, cidr, 16, smallest)
    yield from _division_problems(IPv4Network(v.cidr), named)


def _range_problems(name: str, cidr: str, widest: int, narrowest: int) -> Iterator[str]:
    network = _network(cidr)
    if network is None:
        yield f"{name}: expected an IPv4 range such as 10.0.0.0/16, got {cidr}."
    elif str(network.network_address) != cidr.partition("/")[0]:
        yield f"{name}: expected the first address of the range, as in {network}, got {cidr}."
    elif not widest <= network.prefixlen <= narrowest:
        yield f"{name}: expected a prefix from /{widest} to /{narrowest}, got {cidr}."


def _network(cidr: str) -> IPv4Network | None:
    try:
        return IPv4Network(cidr, strict=False)
    except ValueError:
        return None


def _division_problems(whole: IPv4Network, named: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Subnets lie in their VPC and do not overlap."""
    known = [(name, network) for name, cidr in named if (network := _network(cidr))]
    for name, network in known:
        if not network.subnet_of(whole):
            yield f"{name}: expected a range inside {whole}, which is {PREFIX}cidr, got {network}."
    for (first, one), (second, other) in combinations(known, 2):
        if one.overlaps(other):
            yield f"{second}: expected a range that does not overlap {one} of {first}, got {other}."


def _cidrs(v: Variables, kind: str, zones: int) -> list[str]:
    """Ranges of the subnets: by default a sixteenth of the VPC each, private ones from its middle."""
    if listed := getattr(v, f"{kind}_cidrs"):
        return list(listed)
    try:
        parts = [str(part) for part in IPv4Network(v.cidr).subnets(prefixlen_diff=4)]
    except ValueError:
        return []
    return parts[:8][:zones] if kind == "public" else parts[8:][:zones]


# An existing VPC: only security groups are created.


def _existing_layout(v: Variables, found: Mapping[str, Sequence[Json]]) -> Json:
    vpc = found["vpcs"][0] if found["vpcs"] else {}
    cidrs = [one["cidr_block"] for one in vpc.get("cidr_block_association_set") or ()]
    public = choose_subnets(found["subnets"], v.public_subnet_ids, v.public_subnet_tags)
    private = choose_subnets(found["subnets"], v.private_subnet_ids, v.private_subnet_tags)
    created = [one for one in _security_groups(v, cidrs) if v.create and one["key"] not in v.given_groups]
    problems = list(_existing_vpc_problems(v, found["vpcs"], found.get("own_vpcs", ()))) if v.has_vpc else []
    if not problems:
        names = [group["name"] for group in created]
        namesakes = [one for one in found.get("groups", ()) if one["group_name"] in names]
        problems += [*_chosen_problems(v, public, private), *_group_problems(v, namesakes)]
        problems += _found_group_problems(v, found["given_groups"]) if "given_groups" in found else []
    return {
        "problems": [*_variable_problems(v), *problems],
        "result": _result(v, found, _ids(public, "subnet_id"), _ids(private, "subnet_id")),
        "security_groups": created,
    }


def choose_subnets(subnets: Sequence[Json], ids: Sequence[str], tags: Json) -> list[Json]:
    """Those with these ids, in their order, or else those that carry all of these tags, in the order of their zones."""
    if ids:
        known = {subnet["subnet_id"]: subnet for subnet in subnets}
        return [known[one] for one in ids if one in known]
    if not tags:
        return []
    desired = {(str(key), text_of(value)) for key, value in tags.items()}
    tagged = [subnet for subnet in subnets if desired <= set((subnet.get("tags") or {}).items())]
    return sorted(tagged, key=lambda subnet: (str(subnet["availability_zone"]), str(subnet["subnet_id"])))


def _existing_vpc_problems(v: Variables, vpcs: Sequence[Json], own: Sequence[Json]) -> Iterator[str]:
    variable, value = ("vpc_id", v.vpc_id) if v.vpc_id else ("vpc_tags", v.vpc_tags)
    if own:
        yield (
            f"{PREFIX}{variable}: expected no VPC of project {v.project} together with an existing one, got"
            f" {', '.join(_ids(own, 'vpc_id'))} with the tag {TAG}={v.project}, which destroy would delete. To keep"
            f" using it, remove {PREFIX}{variable}; otherwise destroy the project, or set another {PREFIX}project."
        )
    if len(vpcs) != 1:
        yield (
            f"{PREFIX}{variable}: expected one VPC in this region, got {', '.join(_ids(vpcs, 'vpc_id')) or 'none'}"
            f" for {value}. Set exactly one."
        )


def _chosen_problems(v: Variables, public: Sequence[Json], private: Sequence[Json]) -> Iterator[str]:
    for kind, chosen in (("public", public), ("private", private)):
        ids, tags = getattr(v, f"{kind}_subnet_ids"), getattr(v, f"{kind}_subnet_tags")
        if not ids and not tags:
            continue
        zones = {subnet["availability_zone"] for subnet in chosen}
        name = f"{PREFIX}{kind}_subnet_{'ids' if ids else 'tags'}"
        if missing := [one for one in ids if one not in _ids(chosen, "subnet_id")]:
            yield f"{name}: expected subnets of the existing VPC, got {', '.join(missing)}. Remove or correct them."
        elif len(zones) < (2 if v.create else 1):
            found = ", ".join(_ids(chosen, "subnet_id")) or "no subnet"
            yield f"{name}: expected subnets in at least two zones, got {found}. Add further subnets."
    if both := [one for one in _ids(public, "subnet_id") if one in _ids(private, "subnet_id")]:
        yield (
            f"{PREFIX}public_subnet_ids and {PREFIX}private_subnet_ids, or their tags: expected each subnet in only"
            f" one of them, got {', '.join(both)} in both. Remove it from one."
        )


def _found_group_problems(v: Variables, groups: Sequence[Json]) -> Iterator[str]:
    known = {str(one["group_id"]): one.get("tags") or {} for one in groups}
    for key, group in v.given_groups.items():
        name = f"{PREFIX}security_group_ids.{key}"
        if group not in known:
            yield f"{name}: expected a security group of the existing VPC, got {group}. Correct it."
        elif tagging.belongs_to(known[group], v.project):
            yield (
                f"{name}: expected a security group outside the project, got {group} with the tag {TAG}={v.project},"
                " which is deleted with the project. Remove its tag, or remove the variable."
            )


def _group_problems(v: Variables, groups: Sequence[Json]) -> Iterator[str]:
    foreign = [one["group_name"] for one in groups if not tagging.belongs_to(one.get("tags") or {}, v.project)]
    if foreign:
        yield (
            f"{PREFIX}docker_host_group or {PREFIX}project: expected names other than {', '.join(foreign)}, which"
            f" the existing VPC already has without the tag {TAG}={v.project}, got {v.docker_host_group} and"
            f" {v.project}."
            " Choose others."
        )


# A VPC of the project's own


def _own_layout(v: Variables, found: Mapping[str, Sequence[Json]]) -> Json:
    region_zones = sorted(one["zone_name"] for one in found.get("zones", ()))
    zones = v.zones or region_zones[:2]
    subnets = {kind: _subnets(v, kind, zones, found["subnets"]) for kind in KINDS}
    nat = [f"{v.project}-nat-{zone}" for zone in {"none": [], "single": zones[:1], "per_zone": zones}[v.nat]]
    tables = _route_tables(v, zones, found.get("route_tables", ()), routed=bool(nat))
    region = next((str(one["region_name"]) for one in found.get("zones", ())), "")
    endpoints = Endpoints(v, region, found.get("endpoints", ()))
    problems = [] if not region else list(_own_found_problems(v, zones, region_zones, found))
    if not problems and region:
        problems += endpoints.problems(zones, found.get("endpoint_services", ()))
    return {
        "problems": [*_variable_problems(v), *problems, *flow_logs.layout(v, {}, found)["problems"]],
        "zones": zones,
        "subnets": subnets,
        # By name, as zones are not known where the network is only found.
        "result": _result(
            v, found, *(_ids(_named(found["subnets"], f"-subnet-{kind}"), "subnet_id") for kind in KINDS)
        ),
        "nat_gateways": nat,
        "nat_gateways_to_create": [one for one in nat if one not in map(name_of, found.get("nat_gateways", ()))],
        "nat_gateways_obsolete": [one for one in map(name_of, found.get("nat_gateways", ())) if one not in nat],
        "internet_gateway_id": next(iter(_ids(found.get("internet_gateways", ()), "internet_gateway_id")), ""),
        "security_groups": [*_security_groups(v, [v.cidr]), *(_endpoints_group(v) if endpoints.interfaces else [])],
        "route_tables": tables,
        "endpoints": endpoints.layout(subnets["private"], tables["private"]),
    }


def _result(v: Variables, found: Mapping[str, Sequence[Json]], public: list[str], private: list[str]) -> Json:
    """What the role returns of what exists."""
    vpc = found["vpcs"][0] if found["vpcs"] else {}
    ids = {one["group_name"]: one["group_id"] for one in found.get("groups", ())}
    groups = {group["key"]: ids.get(group["name"], "") if v.create else "" for group in _security_groups(v, ())}
    return {
        "vpc_id": vpc.get("vpc_id", ""),
        "vpc_cidr": vpc.get("cidr_block", ""),
        "public_subnet_ids": public,
        "private_subnet_ids": private,
        "security_group_ids": {**groups, **v.given_groups},
        "nat_gateway_ids": _ids(_named(found.get("nat_gateways", ()), ""), "nat_gateway_id"),
        "postponed": [],
    }


def name_of(resource: Json) -> str:
    return str((resource.get("tags") or {}).get("Name", ""))


def _named(resources: Sequence[Json], part: str) -> list[Json]:
    return sorted((one for one in resources if part in name_of(one)), key=name_of)


def _ids(resources: Sequence[Json], key: str) -> list[str]:
    return [str(one[key]) for one in resources]


def _subnets(v: Variables, kind: str, zones: Sequence[str], existing: Sequence[Json]) -> list[Json]:
    """The subnets in the order of their zones, each with its id where it exists."""
    ids = {one["cidr_block"]: one["subnet_id"] for one in existing}
    named = enumerate(zip(zones, _cidrs(v, kind, len(zones)), strict=False), 1)
    return [
        {"name": f"{v.project}-subnet-{kind}{number}-{zone}", "zone": zone, "cidr": cidr, "id": ids.get(cidr, "")}
        for number, (zone, cidr) in named
    ]


def _own_found_problems(
    v: Variables, zones: Sequence[str], region_zones: Sequence[str], found: Mapping[str, Sequence[Json]]
) -> Iterator[str]:
    if unknown := [zone for zone in zones if zone not in region_zones]:
        yield (
            f"{PREFIX}zones: expected zones of this region ({', '.join(region_zones)}), got {', '.join(unknown)}."
            " List some of these, or none to use the first two."
        )
    elif len(zones) < 2:
        yield f"{PREFIX}zones: expected at least two zones, got only {', '.join(zones)}. Choose another region."
    vpcs = found["vpcs"]
    if len(vpcs) > 1:
        yield (
            f"{PREFIX}project: expected one VPC with the tag {TAG}={v.project}, got {', '.join(_ids(vpcs, 'vpc_id'))}."
            f" Remove the tag from the others, or set another {PREFIX}project."
        )
    elif vpcs and vpcs[0]["cidr_block"] != v.cidr:
        yield (
            f"{PREFIX}cidr: expected {vpcs[0]['cidr_block']}, the range of {vpcs[0]['vpc_id']} of project {v.project},"
            f" got {v.cidr}. AWS cannot change the range of a VPC: keep it, set another {PREFIX}project, or destroy the"
            " project first."
        )
    else:
        yield from _moved_subnets(v, zones, found["subnets"])


def _moved_subnets(v: Variables, zones: Sequence[str], existing: Sequence[Json]) -> Iterator[str]:
    """Subnets in another zone than described, or not described: only a person can decide what to do about them."""
    described = {
        one["cidr"]: (f"{PREFIX}{kind}_cidrs", one["zone"]) for kind in KINDS for one in _subnets(v, kind, zones, ())
    }
    remedy = (
        "AWS cannot move a subnet: list the existing ones and add further zones only at the end, or destroy the"
        " project first."
    )
    for subnet in sorted(existing, key=lambda one: str(one["cidr_block"])):
        cidr, zone = subnet["cidr_block"], subnet["availability_zone"]
        if cidr not in described:
            yield (
                f"{PREFIX}public_cidrs and {PREFIX}private_cidrs: expected {cidr} of {subnet['subnet_id']} in one of"
                f" them, got neither. {remedy}"
            )
        elif zone != described[cidr][1]:
            yield (
                f"{PREFIX}zones: expected {zone} for {cidr} of {subnet['subnet_id']}, got {described[cidr][1]}."
                f" {remedy}"
            )


# Security groups


def _rule(open_ports: Sequence[Any], **source: Any) -> Json:
    return {"proto": "tcp", "ports": list(open_ports), **source}


def _security_groups(v: Variables, cidrs: Sequence[str]) -> list[Json]:
    """In the order in which they refer to each other."""
    tested = int(v.load_balancer_test_port) and v.load_balancer_test_cidrs
    testers = [_rule([int(v.load_balancer_test_port)], cidr_ip=v.load_balancer_test_cidrs)] if tested else []
    peers = [_rule(v.task_peer_ports, group_name=v.group(TASKS))] if v.task_peer_ports else []
    given = v.given_groups.get("load_balancer")
    balancer = {"group_id": given} if given else {"group_name": v.group(LOAD_BALANCER)}
    return [
        {
            "key": "load_balancer",
            "name": v.group(LOAD_BALANCER),
            "description": "Load balancer, open to everyone",
            "rules": [_rule(v.load_balancer_ports, cidr_ip="0.0.0.0/0"), *testers],
            # It sends to containers in any range of the VPC.
            "rules_egress": [_rule(v.task_ports, cidr_ip=list(cidrs))],
        },
        {
            "key": "tasks",
            "name": v.group(TASKS),
            "description": "Containers, open to the load balancer",
            "rules": [_rule(v.task_ports, **balancer), *peers],
        },
        {
            "key": "docker_host",
            "name": v.docker_host_group,
            "description": "Docker host, open to those who build on it",
            "rules": [_rule(v.docker_host_ports, cidr_ip=v.docker_host_cidrs)] if v.docker_host_ports else [],
        },
    ]


def _endpoints_group(v: Variables) -> list[Json]:
    """The names of AWS's services lead to the endpoints from anywhere in the VPC, also for the Docker host."""
    return [
        {
            "key": "endpoints",
            "name": v.group(ENDPOINTS),
            "description": "VPC endpoints, open to the containers and to the Docker host",
            "rules": [_rule([443], group_name=[v.group(TASKS), v.docker_host_group])],
            "rules_egress": [],
        }
    ]


# Route tables


def _route_tables(v: Variables, zones: Sequence[str], existing: Sequence[Json], *, routed: bool) -> Json:
    known = {name_of(one): one for one in existing}

    def table(name: str, destinations: Sequence[str]) -> Json:
        there = known.get(name, {})
        return {
            "name": name,
            "id": there.get("route_table_id", ""),
            # amazon.aws.ec2_vpc_route_table warns of a gateway endpoint's route whenever it looks for routes to remove.
            "purge": any(_is_stray(route, destinations) for route in there.get("routes") or ()),
        }

    destinations = ["0.0.0.0/0"] if routed else []
    private = [table(f"{v.project}-rtb-private{number}-{zone}", destinations) for number, zone in enumerate(zones, 1)]
    return {"public": table(f"{v.project}-rtb-public", ["0.0.0.0/0"]), "private": private}


def _is_stray(route: Json, destinations: Sequence[str]) -> bool:
    destination = route.get("destination_cidr_block")
    return route.get("origin") == "CreateRoute" and destination is not None and destination not in destinations


# VPC endpoints


def endpoint_state(endpoint: Json) -> str:
    # AWS documents "Available" and answers "available".
    return str(endpoint["state"]).lower()


def is_owned(endpoint: Json, project: str) -> bool:
    return tagging.belongs_to(tagging.from_list(endpoint.get("tags")), project)


def live_endpoints(endpoints: Sequence[Json], project: str) -> list[Json]:
    """Those of the project that exist."""
    return [
        {
            "id": one["vpc_endpoint_id"],
            "service": one["service_name"],
            "state": endpoint_state(one),
            "places": {*(one.get("subnet_ids") or []), *(one.get("route_table_ids") or [])},
        }
        for one in endpoints
        if is_owned(one, project) and endpoint_state(one) != "deleted"
    ]


class Endpoints:
    """The VPC endpoints of a region that are desired, and those that exist."""

    def __init__(self, v: Variables, region: str, existing: Sequence[Json]) -> None:
        self._prefix = f"com.amazonaws.{region}."
        self._names = list(v.endpoints)
        self._live = live_endpoints(existing, v.project)

    def _services(self, names: Sequence[str]) -> list[str]:
        return [self._prefix + name for name in names]

    @property
    def interfaces(self) -> list[str]:
        return self._services([name for name in self._names if name not in GATEWAY_ENDPOINTS])

    @property
    def gateways(self) -> list[str]:
        return self._services([name for name in self._names if name in GATEWAY_ENDPOINTS])

    def problems(self, zones: Sequence[str], offered: Sequence[Json]) -> Iterator[str]:
        everywhere = {one["service_name"] for one in offered if set(zones) <= set(one["availability_zones"])}
        if self._names and (missing := [one for one in self._services(self._names) if one not in everywhere]):
            yield (
                f"{PREFIX}endpoints: expected services that AWS offers in {' and '.join(zones)}, got"
                f" {', '.join(missing)}. Use short names, such as ecr.api for {self._prefix}ecr.api, or choose other"
                " zones."
            )

    def layout(self, subnets: Sequence[Json], tables: Sequence[Json]) -> Json:
        """What to create by type, what has to be deleted before, and what is obsolete.

        amazon.aws.ec2_vpc_endpoint does not move an endpoint to other subnets or route tables, and takes one that is
        being deleted for one that exists: both have to be deleted before it creates the endpoint again.
        """
        desired = {
            "Interface": (self.interfaces, [one["id"] for one in subnets]),
            "Gateway": (self.gateways, [one["id"] for one in tables]),
        }
        listed = [*self.interfaces, *self.gateways]
        obsolete = [_endpoint_result(one) for one in self._live if one["service"] not in listed]
        hosts = self._services(HOST_ENDPOINTS)
        kinds = {
            kind: {
                "services": services,
                "replaced": [_endpoint_result(one) for one in self._live if _moves(one, services, ids)],
            }
            for kind, (services, ids) in desired.items()
        }
        return {
            **kinds,
            "obsolete": obsolete,
            # The hosts of a cluster that is about to run on Fargate need these until their services have left them.
            "of_hosts": [one["service"] for one in obsolete if one["service"] in hosts],
        }


def _moves(endpoint: Json, services: Sequence[str], ids: Sequence[str]) -> bool:
    return endpoint["service"] in services and (endpoint["state"] == "deleting" or endpoint["places"] != set(ids))


def _endpoint_result(endpoint: Json) -> Json:
    return {name: endpoint[name] for name in ("id", "service", "state")}


# Deleting the network


def deletions(project: str, found: Mapping[str, Sequence[Json]], given: Collection[str] = ()) -> Json:
    """What of a project is deleted with its network, in an order that AWS accepts; `given` are groups of others."""
    groups = [one for one in found.get("groups", ()) if one["group_id"] not in given]
    names = [f"{project}-{name}" for name in (ENDPOINTS, TASKS, LOAD_BALANCER)]
    # A group that others refer to comes after them.
    order = {names[0]: 0, names[1]: 2, names[2]: 3}
    return {
        "endpoints": [_endpoint_result(one) for one in live_endpoints(found.get("endpoints", ()), project)],
        "security_groups": sorted(groups, key=lambda one: order.get(one["group_name"], 1)),
        "route_tables": [one for one in found.get("route_tables", ()) if _is_deletable(one, project)],
    }


def _is_deletable(table: Json, project: str) -> bool:
    """The module tags a table only after creating it: an interrupted run leaves one with neither tags nor subnets."""
    tags = table.get("tags") or {}
    return tagging.belongs_to(tags, project) or not (tags or table.get("associations"))

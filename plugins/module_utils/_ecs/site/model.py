# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs in a cluster, as the variables of an inventory. Pure."""

from __future__ import annotations

import datetime
import typing as t
from collections import Counter

from ..._core.names import last
from ..._core.notes import Note
from ..._core.tags import PROJECT, from_list
from ..._core.templates import escaped
from ..._core.types import Json
from ..scaling.model import Found as FoundScaling
from . import balancing, scaling, schedules, service
from .secrets import Variables
from .service import ROLES, Roles

# What other roles would do of their own accord.
_NOTHING: Json = {"ecs_verify_checks": []}
_HEADS = {
    "project": "The project, and existing resources that it uses and does not change.",
    "load_balancer": "Target groups, and the listener rules that forward to them.",
    "schedules": "Scheduled tasks.",
}


class Network(t.NamedTuple):
    """Where tasks and load balancer are; empty where that is not known."""

    vpc: str = ""
    task_subnets: t.Sequence[str] = ()
    balancer_subnets: t.Sequence[str] = ()


class Account(t.NamedTuple):
    """What was read: answers of AWS. Definitions by ARN, scaling by the name of the service."""

    region: str
    cluster: Json
    services: t.Sequence[Json]
    definitions: t.Mapping[str, Json]
    scaling: t.Mapping[str, FoundScaling]
    schedules: t.Sequence[Json]
    balancing: balancing.Answers
    network: Network
    # Those of EventBridge that start tasks in the cluster, by name.
    rules: t.Sequence[str] = ()


def subnets_of(answer: Json) -> list[str]:
    return list(_vpc_of(answer).get("subnets") or ())


def _vpc_of(answer: Json) -> Json:
    return dict((answer.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {})


def network_of(
    vpcs: t.Mapping[str, str],
    of_groups: t.Sequence[str],
    instances: t.Sequence[t.Mapping[str, str]],
    balancers: t.Sequence[Json],
) -> Network:
    """The VPC that most things are in: subnets of tasks with theirs, target groups, container instances."""
    of_instances = {one["ecs.subnet-id"]: one["ecs.vpc-id"] for one in instances if one.get("ecs.subnet-id")}
    subnets = {**of_instances, **vpcs}
    counted = Counter([*subnets.values(), *of_groups])
    vpc = max(sorted(counted), key=lambda one: counted[one], default="")
    zones = [zone for one in balancers if one.get("VpcId") == vpc for zone in one.get("AvailabilityZones") or ()]
    return Network(
        vpc,
        sorted(subnet for subnet, its in subnets.items() if its == vpc),
        sorted({str(zone["SubnetId"]) for zone in zones if zone.get("SubnetId")}),
    )


def site_of(account: Account, project: str, known: service.Known, now: datetime.datetime) -> Json:
    """The site as inventory_files writes it."""
    account = account._replace(services=escaped(list(account.services)), definitions=escaped(account.definitions))
    notes = list[Note]()
    taken = _taken(account, project, notes)
    balanced = balancing.elements(account.balancing)
    timed = schedules.elements(account.schedules, taken, now)
    roles = _roles(account, taken)
    known, hidden = known._replace(roles=roles), Variables()
    items = [_item(one, account, balanced.names, known, hidden, notes) for one in taken]
    timed, secrets = _without_secrets(timed, hidden)
    notes += [*balanced.notes, *timed.notes, *secrets, *map(_of_rule, account.rules)]
    variables = {
        "cloud": {"slipway_region": account.region},
        "project": _project(account, project, taken, roles),
        "load_balancer": balanced.variables,
        "images": {"container_image_images": [], "ecr_registry_repositories": []},
        "schedules": _schedules(timed, project),
    }
    return {
        "name": project,
        "variables": {name: values for name, values in variables.items() if values},
        "comments": {name: text for name, text in _HEADS.items() if variables[name]},
        "services": items,
        "notes": [note.to_result() for note in notes],
    }


def _without_secrets(timed: schedules.Schedules, hidden: Variables) -> tuple[schedules.Schedules, list[Note]]:
    """The schedules with variables in place of secrets in what they override."""
    found = [hidden.replaced(item, "schedule", "schedules") for item in timed.items]
    return timed._replace(items=[item for item, _notes in found]), [note for _item, own in found for note in own]


def _of_rule(name: str) -> Note:
    return Note(
        f"rules.{name}",
        "It was left out because it is a rule of Amazon EventBridge, and the schedules of a project are those of"
        " EventBridge Scheduler.",
        "Runs leave it alone. To manage its tasks, add them to ecs_app_schedules, then disable the rule.",
    )


def _taken(account: Account, project: str, notes: list[Note]) -> list[Json]:
    """The services that can be in one inventory, by name."""
    found: list[Json] = []
    families: dict[str, Json] = {}
    for one in sorted(account.services, key=lambda answer: str(answer["serviceName"])):
        reason, advice = _obstacle(one, account, project, families)
        if reason:
            notes.append(Note(f"services.{one['serviceName']}", reason, advice))
        else:
            families.setdefault(last(one["taskDefinition"]).partition(":")[0], one)
            found.append(one)
    return found


def _obstacle(one: Json, account: Account, project: str, families: t.Mapping[str, Json]) -> tuple[str, str]:
    """Why a service is not in the inventory, and what to do."""
    owner = from_list(one.get("tags")).get(PROJECT)
    if owner and owner != project:
        return f"It was left out because it belongs to the project {owner}.", "Manage it with that project's inventory."
    if (one.get("deploymentController") or {}).get("type") == "EXTERNAL" or not one.get("taskDefinition"):
        return (
            "It was left out because another controller deploys it with task sets, which Slipway does not manage.",
            "Keep using that controller, or create a separate service that ECS deploys.",
        )
    first = families.get(last(one["taskDefinition"]).partition(":")[0])
    if first and first["taskDefinition"] != one["taskDefinition"]:
        return (
            f"It was left out because it runs {last(one['taskDefinition'])} and the service {first['serviceName']} runs"
            f" {last(first['taskDefinition'])}: services of one project with the same family must have the same"
            " definition.",
            "Make both run the same revision, or register the definition under another family, then import again.",
        )
    return "", ""


def _item(
    one: Json,
    account: Account,
    names: t.Mapping[str, str],
    known: service.Known,
    hidden: Variables,
    notes: list[Note],
) -> Json:
    item, more = service.element(one, account.definitions[one["taskDefinition"]], known, hidden)
    found, note = scaling.element(one, account.scaling[one["serviceName"]])
    notes += [*more, *([note] if note else [])]
    if found or note:
        # Application Auto Scaling changes the number of tasks.
        item.pop("desired_count", None)
    if item.get("load_balancers") and all(_is_simple(balancer) for balancer in item["load_balancers"]):
        item["load_balancers"] = [_named(balancer, names) for balancer in item["load_balancers"]]
    return {**item, **({"scaling": found} if found else {})}


def _is_simple(balancer: Json) -> bool:
    return "advancedConfiguration" not in balancer


def _named(balancer: Json, names: t.Mapping[str, str]) -> Json:
    arn = str(balancer.get("targetGroupArn") or "")
    return {**balancer, "targetGroupArn": names[arn]} if arn in names else balancer


def _project(account: Account, project: str, taken: t.Sequence[Json], roles: Roles) -> Json:
    """The cluster, roles and network, which stay as they are."""
    network = account.network
    groups = Counter(group for one in taken for group in _vpc_of(one).get("securityGroups") or ())
    tasks = _most(groups)
    found = {
        "slipway_project": project,
        "ecs_cluster_arn": account.cluster["clusterArn"],
        **_role_variables(roles),
        # Services name the log groups of their containers.
        "ecs_cluster_log_groups": [],
        "ecs_network_create": False,
    }
    if network.vpc:
        found["ecs_network_vpc_id"] = network.vpc
        found["ecs_network_private_subnet_ids"] = sorted(network.task_subnets)
        found["ecs_network_public_subnet_ids"] = sorted(set(network.balancer_subnets) - set(network.task_subnets))
        found |= {"ecs_network_security_group_ids": {"tasks": tasks}} if tasks else {}
    return {**{name: value for name, value in found.items() if value != [] or name.endswith("groups")}, **_NOTHING}


def _role_variables(roles: Roles) -> Json:
    """Roles of others by ARN; where services have none, the project creates none."""
    found: Json = {}
    for name, arn in roles.items():
        found |= {f"ecs_cluster_{name}_role_arn": arn} if arn else {f"ecs_cluster_{name}_role": ""}
    return found


def _roles(account: Account, taken: t.Sequence[Json]) -> Roles:
    """The roles that most services have."""
    definitions = [account.definitions[one["taskDefinition"]] for one in taken]
    counted = {name: Counter(str(one.get(member) or "") for one in definitions) for name, member in ROLES.items()}
    return {name: _most(roles) for name, roles in counted.items()}


def _most(counted: Counter[str]) -> str:
    named = {one: count for one, count in counted.items() if one}
    return max(sorted(named), key=lambda one: named[one], default="")


def _schedules(timed: schedules.Schedules, project: str) -> Json:
    if not timed.items:
        return {}
    group = {} if timed.group == project else {"ecs_app_schedule_group": timed.group}
    return {"ecs_cluster_schedule_role_arn": timed.role_arn, **group, "ecs_app_schedules": timed.items}

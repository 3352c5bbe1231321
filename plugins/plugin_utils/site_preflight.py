# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the variables of a site to what ecs_preflight checks: services as they will be released, before anything exists.

What a run creates has a name that follows from variables. Such names stand for ids and ARNs here, and are listed, so
that preflight does not miss them in the account. The module fills in `<account>` and `<partition>`. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.names import is_arn
from ansible_collections.slipway.aws.plugins.module_utils._core.plan import UNKNOWN
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import AWSVPC
from ansible_collections.slipway.aws.plugins.module_utils._secrets.model import SECRETS_MANAGER
from ansible_collections.slipway.aws.plugins.plugin_utils import (
    ecs_app,
    ecs_app_secrets,
    ecs_app_strategies,
    ecs_cluster,
    ecs_load_balancer,
    ecs_network,
)
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_hosting import providers_of
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_cluster_existing import ROLES as ROLE_NAMES
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_network import TASKS

# The roles that preflight knows, each with the tag of site.yml that runs it.
TAGS = {
    "ecs_network": "network",
    "container_image": "image",
    "service_discovery": "discovery",
    "ecs_cluster": "cluster",
    "ecs_load_balancer": "load_balancer",
    "ecs_app": "service",
}
EVERY_TAG = "all"
# Those that run on this machine, and have a record.
ROLES = tuple(role for role in TAGS if role != "container_image")
# NAT gateways by ecs_network_nat; one for each zone is two at least.
NAT = {"none": 0, "single": 1}
REMEDIES = "Correct the variables, then rerun."


@dataclass(frozen=True)
class Site:
    """The variables of all roles, and the tags of the run."""

    variables: Json
    tags: Collection[str]

    def of(self, role: str) -> dict[str, Any]:
        """The variables of a role, without their prefix."""
        return {
            name.removeprefix(f"{role}_"): value
            for name, value in self.variables.items()
            if name.startswith(f"{role}_")
        }

    def runs(self, role: str) -> bool:
        return EVERY_TAG in self.tags or TAGS[role] in self.tags

    @property
    def project(self) -> str:
        return str(self.of("ecs_app")["project"])

    @property
    def services(self) -> list[Json]:
        return list(self.of("ecs_app")["services"] or [])

    def network(self) -> ecs_network.Variables:
        own = {name: value for name, value in self.variables.items() if name.startswith("ecs_network_")}
        return ecs_network.Variables.of(own, self.services, self.of("ecs_load_balancer")["target_groups"])


def options(variables: Json, tags: Collection[str]) -> Json:
    """The options of ecs_preflight for a run of site.yml with these tags."""
    site = Site(variables, tags)
    own = {name: value for name, value in variables.items() if name.startswith("ecs_app_")}
    members = _secret_members(site)
    own["ecs_app_secret_values"] = list(own.get("ecs_app_secret_values") or ())
    with_services = site.runs("ecs_app")
    planned = ecs_app.plan(own, _others(site), _account(site)) if with_services else {"services": [], "problems": []}
    return {
        "project": site.project,
        "cluster": str(site.of("ecs_cluster")["name"]),
        "services": planned["services"],
        "problems": [f"{problem} {REMEDIES}" for problem in planned["problems"]],
        "creates": _created(site),
        "network": _network(site),
        "root_user": site.of("ecs_app")["root_user"],
        "secret_members": members,
        **(_balancer(site) if site.runs("ecs_load_balancer") else {}),
        "new": _new(site),
    }


def _others(site: Site) -> Json:
    return {
        "check_mode": True,
        "hosting": site.of("ecs_cluster")["hosting"],
        "target_groups": [group["name"] for group in site.of("ecs_load_balancer")["target_groups"]],
        "discovery_services": site.of("service_discovery")["services"],
        "repositories": [],
    }


# Predicted results of roles


def _account(site: Site) -> Json:
    images = site.of("ecs_app")["images"]
    return {
        "network": _tasks_network(site),
        "registry": {"repositories": {}},
        "cluster": _cluster(site),
        "load_balancer": _groups(site),
        "discovery": {
            "namespace": site.of("service_discovery")["namespace"],
            "services": {name: name for name in site.of("service_discovery")["services"]},
        },
        "repositories": [],
        "images": {image: _image(site, image) for image in images.values() if "@" not in image},
        "secrets": _secrets(site),
    }


def _tasks_network(site: Site) -> Json:
    network = site.network()
    given = network.given_groups.get("tasks")
    subnets = [subnet_name(site)] if network.own_vpc or network.private_subnet_tags else network.private_subnet_ids
    return {
        "private_subnet_ids": list(network.private_subnet_ids or subnets),
        "security_group_ids": {"tasks": given or (network.group(TASKS) if network.create else "")},
    }


def subnet_name(site: Site) -> str:
    """What stands for the private subnets."""
    return f"private subnets of {site.network().project}"


def _image(site: Site, image: str) -> str:
    region = str(site.of("ecs_app")["region"])
    return f"<account>.dkr.ecr.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}/{image}"


def _cluster(site: Site) -> Json:
    own, on_hosts = site.of("ecs_cluster"), site.of("ecs_cluster")["hosting"] == "ec2"
    created = ecs_cluster.own_roles(site.variables)
    roles = {name: own[f"{name}_role_arn"] or (own[f"{name}_role"] if name in created else "") for name in ROLE_NAMES}
    providers, strategy = [*own["capacity_providers"], *([own["hosts"]] if on_hosts else [])], own["default_strategy"]
    if own["arn"]:
        # The cluster of others says what it has. Preflight reads it, and compares the services with it.
        providers += [UNKNOWN, *(name for one in site.services for name in providers_of(one.get("options") or {}))]
        strategy = [{"capacityProvider": UNKNOWN}] if on_hosts else []
    return {
        "name": own["name"],
        **{f"{name}_role_arn": role for name, role in roles.items()},
        "log_groups": [group["name"] for group in own["log_groups"]],
        "hosting": own["hosting"],
        "architecture": own["architecture"],
        "capacity_providers": providers,
        "default_strategy": strategy,
        "container_insights": own["container_insights"],
        "leftover_hosts": False,
        "existing": bool(own["arn"]),
    }


def _groups(site: Site) -> Json:
    balancer = ecs_load_balancer.Site(site.variables, site.services, {})
    groups = {group["name"]: group for group in balancer.groups}
    # One of others has an ARN. It is read, and its type then compared.
    names = {name: str(group.get("arn") or group["full_name"]) for name, group in groups.items()}
    types = {name: _fitting_type(site, name) for name, group in groups.items() if group.get("arn")}
    shifted = [name for name in ecs_app_strategies.shifted_groups(site.services) if name in names]
    return {
        "name": balancer.of("name"),
        "target_groups": {
            name: {"arn": names[name], "target_type": types.get(name, group["target_type"])}
            for name, group in groups.items()
        },
        "shifting": {
            name: {
                "arn": names[name],
                "alternate_arn": names[name] + ecs_load_balancer.ALTERNATE,
                "production_rule": UNKNOWN,
                "test_rule": UNKNOWN if balancer.of("test_port") else "",
            }
            for name in shifted
        },
    }


def _fitting_type(site: Site, name: str) -> str:
    """The target type that the services of a target group need."""
    users = [
        (one.get("task_definition") or {}).get("networkMode", AWSVPC)
        for one in site.services
        if name in [str(item.get("targetGroupArn")) for item in one.get("load_balancers") or ()]
    ]
    return "ip" if all(mode == AWSVPC for mode in users) else "instance"


def _secrets(site: Site) -> dict[str, Json]:
    own = site.of("ecs_app")
    found = ecs_app_secrets.desired(own["secrets"], own["settings"])
    return {item["name"]: {"value_from": _value_from(site, item), "version": UNKNOWN} for item in found}


def _value_from(site: Site, item: Json) -> str:
    if item.get("from"):
        return str(item["from"])
    if item["type"] != SECRETS_MANAGER:
        return f"/{site.project}/{item['name']}"
    region = site.of("ecs_app")["region"]
    return f"arn:<partition>:secretsmanager:{region}:<account>:secret:{site.project}/{item['name']}"


def _secret_members(site: Site) -> dict[str, list[str]]:
    """The names in the JSON of secrets whose values the run sets, and never the values."""
    own = site.of("ecs_app")
    values = own.get("secret_values") or {}
    stored = [one for one in ecs_app_secrets.desired(own["secrets"], own["settings"]) if not one.get("from")]
    found = {_value_from(site, one): values.get(one["name"]) for one in stored}
    return {
        name: sorted(str(member) for member in value)
        for name, value in found.items()
        if name.startswith("arn:") and isinstance(value, Mapping)
    }


# What the run creates


def _created(site: Site) -> dict[str, list[str]]:
    """By kind, the names of what this run creates or updates."""
    own = site.of("ecs_app")
    stored = [one for one in ecs_app_secrets.desired(own["secrets"], own["settings"]) if not one.get("from")]
    created: dict[str, list[str]] = {}
    if site.runs("ecs_app"):
        values = [_value_from(site, one) for one in stored]
        created["parameter"] = [value for value in values if value.startswith("/")]
        created["secret"] = [value for value in values if value.startswith("arn:")]
    if site.runs("ecs_network"):
        network = site.network()
        created["security group"] = [network.group(TASKS)] if network.create else []
        created["subnet"] = [subnet_name(site)] if network.own_vpc else []
    if site.runs("container_image"):
        created["image"] = [_image(site, image) for image in own["images"].values() if "@" not in image]
    return created | _created_for_tasks(site)


def _created_for_tasks(site: Site) -> dict[str, list[str]]:
    created: dict[str, list[str]] = {}
    if site.runs("ecs_cluster"):
        own = site.of("ecs_cluster")
        created["IAM role"] = [str(own[f"{name}_role"]) for name in ecs_cluster.own_roles(site.variables)]
        created["log group"] = [group["name"] for group in own["log_groups"] if not group.get("existing")]
        if not own["arn"]:
            created["cluster"] = [own["name"]]
            created["capacity provider"] = _cluster(site)["capacity_providers"]
    if site.runs("ecs_load_balancer"):
        groups = _groups(site)
        alternates = [one["alternate_arn"] for one in groups["shifting"].values()]
        names = [str(one["arn"]) for one in groups["target_groups"].values()]
        created["target group"] = [*(name for name in names if not is_arn(name)), *alternates]
    if site.runs("service_discovery"):
        created["discovery service"] = list(site.of("service_discovery")["services"])
        created["namespace"] = [str(site.of("service_discovery")["namespace"])]
    return created


def _network(site: Site) -> Json:
    """How the module finds what exists, and which routes a network has that this run creates."""
    network = site.network()
    tags = {f"tag:{key}": str(value) for key, value in network.private_subnet_tags.items()}
    own = {f"tag:{ecs_network.TAG}": network.project, "tag:Name": f"{network.project}-subnet-private*"}
    is_created = site.runs("ecs_network") and network.own_vpc
    groups = [network.group(TASKS)] if network.create and not site.runs("ecs_network") else []
    return {
        "vpc_filters": {} if is_created else _vpc_filters(network),
        "subnets": {} if is_created else {subnet_name(site): own if network.own_vpc else tags},
        "security_groups": groups,
        "nat": network.nat if is_created else None,
        "endpoints": list(network.endpoints) if is_created else None,
    }


def _vpc_filters(network: ecs_network.Variables) -> Json:
    if network.own_vpc:
        return {f"tag:{ecs_network.TAG}": network.project}
    if network.vpc_id:
        return {"vpc-id": network.vpc_id}
    return {f"tag:{key}": str(value) for key, value in network.vpc_tags.items()}


def _balancer(site: Site) -> Json:
    own = site.of("ecs_load_balancer")
    arn, domains = str(own["certificate_arn"]), list(own["domains"])
    place = "ecs_load_balancer_certificate_arn"
    bucket = str(own["access_logs_bucket"])
    given = {"name": bucket, "place": "ecs_load_balancer_access_logs_bucket"}
    zone = own["hosted_zone_id"]
    return {
        "certificates": [{"arn": arn, "domains": domains, "place": place}] if arn else [],
        "domains": [
            {"name": name, "hosted_zone_id": zone, "place": f"ecs_load_balancer_domains[{number}]"}
            for number, name in enumerate(domains if not arn else ())
        ],
        "buckets": [given] if bucket and not own["access_logs_create"] else [],
        **_others_balancer(site),
    }


def _others_balancer(site: Site) -> Json:
    """The load balancer and the target groups of others, and how many rules the own one has.

    Target groups that services use are checked with these.
    """
    own = site.of("ecs_load_balancer")
    used = {str(item.get("targetGroupArn")) for one in site.services for item in one.get("load_balancers") or ()}
    groups = ecs_load_balancer.Site(site.variables, site.services, {}).groups
    balancer = {
        "name": own["arn"],
        "tags": own["name_tags"],
        "place": f"ecs_load_balancer_{'arn' if own['arn'] else 'name_tags'}",
        "listeners": own["listener_arns"],
        "listeners_place": "ecs_load_balancer_listener_arns",
    }
    with_rules = sum(1 for one in groups if one["has_rule"]) + len(own["rules"])
    return {
        # Each of both listeners has all of them.
        "rules": 0 if own["arn"] or own["name_tags"] else with_rules * (2 if int(own["test_port"]) else 1),
        "load_balancers": [balancer] if own["arn"] or own["name_tags"] else [],
        "target_groups": [
            {"name": one["arn"], "place": f"ecs_load_balancer_target_groups[{number}] ({one['name']}).arn"}
            for number, one in enumerate(groups)
            if one.get("arn") and one["name"] not in used
        ],
    }


def _new(site: Site) -> dict[str, int]:
    """How many of what quotas count the site has."""
    network, wanted = site.network(), {}
    if site.runs("ecs_network") and network.own_vpc:
        wanted = {"VPC": 1, "elastic IP": NAT.get(network.nat, max(2, len(network.zones)))}
    balancer = ecs_load_balancer.Site(site.variables, site.services, {})
    if site.runs("ecs_load_balancer") and balancer.is_needed and not balancer.is_shared:
        wanted["load balancer"] = 1
    return {kind: number for kind, number in wanted.items() if number}


# A run that has nothing to check


def why_checked(read: Json, given: Mapping[str, str], collection: str) -> str:
    """Why preflight has something to check; empty where all roles are proven to be as recorded.

    `read` is the project as project_record_info returns it, `given` has the digest of each role's variables.
    """
    records: Mapping[str, Json] = read.get("records") or {}
    if read.get("unknown") or read.get("problems"):
        return "a part of the project could not be compared"
    for role, variables in given.items():
        if role not in records:
            return f"no record of {role}"
        record = records[role]
        if not record["proven"]:
            return f"{role}: {record['unproven']}"
        if record["inputs"].get("variables") != variables or record["collection"] != collection:
            return f"the variables of {role}, or the collection, have changed"
        if record["differences"]:
            return f"{role} is not as recorded"
    return ""

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the tasks of a service run, what they need for it, and what cannot run there. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import (
    ARCHITECTURES,
    AWSVPC,
    DEFAULT_ARCHITECTURE,
    EC2,
    FARGATE,
    FARGATE_PROVIDERS,
    items_of,
)
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_app_ports


def providers_of(options: Mapping[str, Any]) -> list[str]:
    return [str(item.get("capacityProvider")) for item in items_of(options, "capacity_provider_strategy")]


def launch_of(service: Json, cluster: Json) -> Json:
    """The options that say where a service runs: its own ones, or what the cluster has for all."""
    own = service.get("options") or {}
    if own.get("launch_type") or own.get("capacity_provider_strategy"):
        return {name: own[name] for name in ("launch_type", "capacity_provider_strategy") if own.get(name)}
    strategy = cluster.get("default_strategy") or []
    plain = {item["capacityProvider"] for item in strategy} <= {FARGATE}
    # On the way back from hosts: a service that was created on them has no launch type to return to.
    if plain and not (strategy and cluster.get("leftover_hosts")):
        return {"launch_type": FARGATE}
    return {"capacity_provider_strategy": strategy}


def is_on_fargate(options: Mapping[str, Any], default: bool) -> bool:
    """Whether a service with these options runs on Fargate; `default` is for one that leaves it to the cluster."""
    if options.get("launch_type"):
        return bool(options["launch_type"] == FARGATE)
    providers = set(providers_of(options))
    return providers <= set(FARGATE_PROVIDERS) if providers else default


def compatibility(launch: Mapping[str, Any]) -> str:
    """FARGATE, EC2 or, for instances of others, what the launch type says."""
    return str(launch.get("launch_type") or (FARGATE if is_on_fargate(launch, True) else EC2))


def placed(service: Json, cluster: Json, network: Json, architecture: str) -> Json:
    """The service with all that follows from where it runs. What it says itself comes first."""
    launch = launch_of(service, cluster)
    kind = compatibility(launch)
    definition = {
        "networkMode": AWSVPC,
        "requiresCompatibilities": [kind],
        **({} if architecture == DEFAULT_ARCHITECTURE else {"runtimePlatform": {"cpuArchitecture": architecture}}),
        **service["task_definition"],
    }
    options = {**launch, **(service.get("options") or {})}
    if definition["networkMode"] == AWSVPC:
        # Only Fargate can give public addresses.
        public = {"assignPublicIp": "DISABLED"} if kind == FARGATE else {}
        options.setdefault("network_configuration", {"awsvpcConfiguration": {**network, **public}})
    return {**service, "task_definition": definition, "options": options}


def problems(
    service: Json, cluster: Json, target_types: Mapping[str, str], images: Collection[str], built: str
) -> Iterator[str]:
    """Why a placed service cannot run in this cluster. `images` are those whose architecture is `built`."""
    launch = launch_of(service, cluster)
    found = list(_launch_problems(launch, cluster))
    if found:
        yield from found
        return
    kind, definition = compatibility(launch), service["task_definition"]
    wanted = definition["requiresCompatibilities"]
    if kind in (FARGATE, EC2) and wanted and kind not in wanted:
        where = "task_definition.requiresCompatibilities"
        yield f"{where}: expected {kind}, where the service runs, got {', '.join(wanted)}. Remove it or add {kind}."
    yield from _network_problems(service)
    yield from _target_problems(service, target_types)
    yield from _architecture_problems(service, kind, cluster, images, built)


def _launch_problems(launch: Json, cluster: Json) -> Iterator[str]:
    known = list(cluster.get("capacity_providers") or ())
    strangers = [provider for provider in providers_of(launch) if provider not in known]
    if strangers:
        yield (
            f"options.capacity_provider_strategy: expected providers of the cluster ({', '.join(known) or 'none'}), got"
            f" {', '.join(strangers)}. See ecs_cluster_hosting and ecs_cluster_capacity_providers."
        )
    # A cluster of others may have instances that no capacity provider starts.
    if launch.get("launch_type") == EC2 and cluster.get("hosting") != "ec2" and not cluster.get("existing"):
        yield "options.launch_type: expected FARGATE, because ecs_cluster_hosting is fargate, got EC2."
    if launch.get("launch_type") == "MANAGED_INSTANCES":
        yield (
            "options.launch_type: expected FARGATE or EC2, got MANAGED_INSTANCES, which requires a capacity"
            " provider. Use capacity_provider_strategy."
        )


def _network_problems(service: Json) -> Iterator[str]:
    if service["task_definition"]["networkMode"] != AWSVPC:
        return
    network = (service["options"].get("network_configuration") or {}).get("awsvpcConfiguration") or {}
    missing = [name for name in ("subnets", "securityGroups") if network.get(name) == []]
    if missing:
        yield (
            f"options.network_configuration: expected {' and '.join(missing)} with networkMode {AWSVPC}, got none."
            " Set it, or run the tag network; an existing network also requires ecs_network_private_subnet_ids and"
            " ecs_network_security_group_ids.tasks."
        )


def _target_problems(service: Json, target_types: Mapping[str, str]) -> Iterator[str]:
    mode = service["task_definition"]["networkMode"]
    wanted = "ip" if mode == AWSVPC else "instance"
    for number, balancer in enumerate(items_of(service, "load_balancers")):
        name = str(balancer.get("targetGroupArn"))
        has = target_types.get(name, wanted)
        if mode == "none":
            yield f"load_balancers[{number}]: expected none with networkMode none, got {name}. Remove it."
        elif has != wanted:
            yield (
                f"load_balancers[{number}].targetGroupArn: expected a target group of target_type {wanted} with"
                f" networkMode {mode}, got {name} of {has}. Change it in ecs_load_balancer_target_groups."
            )


def _architecture_problems(
    service: Json, kind: str, cluster: Json, images: Collection[str], built: str
) -> Iterator[str]:
    where = "task_definition.runtimePlatform.cpuArchitecture"
    platform = service["task_definition"].get("runtimePlatform") or {}
    wanted = str(platform.get("cpuArchitecture") or DEFAULT_ARCHITECTURE)
    hosts = cluster.get("architecture") or DEFAULT_ARCHITECTURE
    if wanted not in ARCHITECTURES:
        yield f"{where}: expected {' or '.join(ARCHITECTURES)}, got {wanted}."
        return
    if kind == EC2 and wanted != hosts and not cluster.get("existing"):
        yield f"{where}: expected {hosts}, which the hosts have, got {wanted}. See ecs_cluster_architecture."
    used = {ecs_app_ports.image_name(container) for container in ecs_app_ports.containers(service)}
    mine = ", ".join(sorted(str(name) for name in used & set(images)))
    if mine and wanted != built:
        yield (
            f"{where}: expected {built}, for which the Docker host builds {mine}, got {wanted}."
            " See docker_instance_type and ecs_cluster_architecture."
        )

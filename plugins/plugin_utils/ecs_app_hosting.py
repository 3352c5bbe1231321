# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the tasks of a service run, what they need for it, and what cannot be there. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import (
    ARCHITECTURES,
    AWSVPC,
    DEFAULT_ARCHITECTURE,
    EC2,
    FARGATE,
    FARGATE_PROVIDERS,
)

Json = dict[str, Any]


def providers_of(options: Mapping[str, Any]) -> list[str]:
    return [str(item.get("capacityProvider")) for item in options.get("capacity_provider_strategy") or ()]


def launch_of(service: Json, cluster: Json) -> Json:
    """The options that say where a service runs: its own ones, or what the cluster has for all."""
    own = service.get("options") or {}
    if own.get("launch_type") or own.get("capacity_provider_strategy"):
        return {name: own[name] for name in ("launch_type", "capacity_provider_strategy") if own.get(name)}
    strategy = cluster.get("default_strategy") or []
    plain = {item["capacityProvider"] for item in strategy} <= {FARGATE}
    # On the way back from hosts: a service that was made on them has no launch type to go back to.
    if plain and not (strategy and cluster.get("leftover_hosts")):
        return {"launch_type": FARGATE}
    return {"capacity_provider_strategy": strategy}


def compatibility(launch: Json) -> str:
    """FARGATE, EC2 or, for instances of others, what the launch type says."""
    if launch.get("launch_type"):
        return str(launch["launch_type"])
    return FARGATE if set(providers_of(launch)) <= set(FARGATE_PROVIDERS) else EC2


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
        # Public addresses are there on Fargate alone.
        public = {"assignPublicIp": "DISABLED"} if kind == FARGATE else {}
        options.setdefault("network_configuration", {"awsvpcConfiguration": {**network, **public}})
    return {**service, "task_definition": definition, "options": options}


def problems(
    service: Json, cluster: Json, target_types: Mapping[str, str], images: Sequence[str], built: str
) -> list[str]:
    """Why a placed service cannot run there, one sentence each. `images` are those whose architecture is `built`."""
    options, definition = service["options"], service["task_definition"]
    launch = {name: options[name] for name in ("launch_type", "capacity_provider_strategy") if options.get(name)}
    told = list(_launch_problems(launch, cluster))
    if told:
        return told
    kind = compatibility(launch)
    return [
        *_definition_problems(definition, kind),
        *(_fargate_problems(definition, options) if kind == FARGATE else ()),
        *_network_problems(service, target_types),
        *_architecture_problems(definition, kind, cluster, images, built),
    ]


def _launch_problems(launch: Json, cluster: Json) -> Iterator[str]:
    providers, known = providers_of(launch), list(cluster.get("capacity_providers") or ())
    if len(launch) > 1:
        yield f"options has launch_type {launch['launch_type']} and a capacity_provider_strategy; take one of them"
    if set(providers) & set(FARGATE_PROVIDERS) and set(providers) - set(FARGATE_PROVIDERS):
        yield f"capacity_provider_strategy mixes Fargate and hosts ({', '.join(providers)}), which AWS cannot"
    strangers = [provider for provider in providers if provider not in known]
    if strangers:
        yield (
            f"capacity_provider_strategy names {', '.join(strangers)}, which the cluster does not have"
            f" ({', '.join(known) or 'none'}); see ecs_cluster_hosting and ecs_cluster_capacity_providers"
        )
    if launch.get("launch_type") == EC2 and cluster.get("hosting") != "ec2":
        yield "launch_type is EC2, and ecs_cluster_hosting is fargate, so there are no hosts"
    if launch.get("launch_type") == "MANAGED_INSTANCES":
        yield "launch_type MANAGED_INSTANCES is not chosen but follows from a capacity provider; name that"


def _definition_problems(definition: Json, kind: str) -> Iterator[str]:
    wanted = definition["requiresCompatibilities"]
    if kind in (FARGATE, EC2) and wanted and kind not in wanted:
        yield f"requiresCompatibilities is {', '.join(wanted)}, and it runs on {kind}; leave it out or add {kind}"


def _fargate_problems(definition: Json, options: Json) -> Iterator[str]:
    if definition["networkMode"] != AWSVPC:
        yield f"networkMode is {definition['networkMode']}, and Fargate has {AWSVPC} alone"
    if options.get("scheduling_strategy") == "DAEMON":
        yield "scheduling_strategy is DAEMON, one task a host, and Fargate has no hosts; take REPLICA"
    yield from (
        f"{name} chooses among hosts, and Fargate has none"
        for name in ("placement_constraints", "placement_strategy")
        if options.get(name)
    )
    for container in definition.get("containerDefinitions") or ():
        if container.get("privileged"):
            yield f"container {container.get('name')} is privileged, which Fargate does not allow"
        if container.get("links"):
            yield f"container {container.get('name')} has links, and on Fargate containers meet at localhost"
    for volume in definition.get("volumes") or ():
        if (volume.get("host") or {}).get("sourcePath"):
            yield f"volume {volume.get('name')} is a folder of the host, and Fargate has none"


def _network_problems(service: Json, target_types: Mapping[str, str]) -> Iterator[str]:
    mode = service["task_definition"]["networkMode"]
    if mode != AWSVPC and service["options"].get("network_configuration"):
        yield f"options has a network_configuration, and networkMode is {mode}; it is for {AWSVPC} alone"
    wanted = "ip" if mode == AWSVPC else "instance"
    for balancer in service.get("load_balancers") or ():
        name = str(balancer.get("targetGroupArn"))
        has = target_types.get(name, wanted)
        if mode == "none":
            yield f"networkMode is none, so no load balancer reaches it; leave out {name}"
        elif has != wanted:
            yield (
                f"networkMode is {mode}, and target group {name} has the target_type {has};"
                f" set it to {wanted} in ecs_load_balancer_target_groups"
            )


def _architecture_problems(
    definition: Json, kind: str, cluster: Json, images: Sequence[str], built: str
) -> Iterator[str]:
    platform = definition.get("runtimePlatform") or {}
    wanted = str(platform.get("cpuArchitecture") or DEFAULT_ARCHITECTURE)
    hosts = cluster.get("architecture") or DEFAULT_ARCHITECTURE
    if wanted not in ARCHITECTURES:
        yield f"cpuArchitecture is {wanted}; {' or '.join(ARCHITECTURES)} is right"
        return
    if kind == EC2 and wanted != hosts:
        yield f"cpuArchitecture is {wanted}, and the hosts are {hosts}; see ecs_cluster_architecture"
    used = {str(container.get("image")) for container in definition.get("containerDefinitions") or ()}
    mine = sorted(used & set(images))
    if mine and wanted != built:
        yield (
            f"cpuArchitecture is {wanted}, and the Docker host builds {', '.join(mine)} for {built};"
            " see docker_instance_type and ecs_cluster_architecture"
        )

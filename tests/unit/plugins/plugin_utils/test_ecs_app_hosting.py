# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from where a service runs, and what cannot run there."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_app_hosting
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_problems import Known, service_problems

Json = dict[str, Any]

FARGATE: Json = {
    "hosting": "fargate",
    "architecture": "X86_64",
    "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
    "default_strategy": [{"base": 0, "capacityProvider": "FARGATE", "weight": 1}],
    "leftover_hosts": False,
}
HOSTS: Json = {
    **FARGATE,
    "hosting": "ec2",
    "capacity_providers": ["FARGATE", "FARGATE_SPOT", "hosts"],
    "default_strategy": [{"base": 0, "capacityProvider": "hosts", "weight": 1}],
}
NETWORK = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}
SPOT = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
MIXED = [*SPOT, {"capacityProvider": "hosts", "weight": 1}]


def service(options: Json | None = None, **definition: Any) -> Json:
    task = {"family": "web", "containerDefinitions": [{"name": "web", "image": "web"}], **definition}
    return {
        "name": "web",
        "options": options or {},
        "task_definition": task,
        "load_balancers": [{"targetGroupArn": "web"}],
    }


def placed(cluster: Json, options: Json | None = None, architecture: str = "X86_64", **definition: Any) -> Json:
    return ecs_app_hosting.placed(service(options, **definition), cluster, NETWORK, architecture)


def test_on_fargate_nothing_has_to_be_said() -> None:
    done = placed(FARGATE)
    assert done["options"] == {
        "launch_type": "FARGATE",
        "network_configuration": {"awsvpcConfiguration": {**NETWORK, "assignPublicIp": "DISABLED"}},
    }
    assert (done["task_definition"]["networkMode"], done["task_definition"]["requiresCompatibilities"]) == (
        "awsvpc",
        ["FARGATE"],
    )
    assert "runtimePlatform" not in done["task_definition"]


def test_the_default_strategy_of_the_cluster_counts() -> None:
    on_hosts = placed(HOSTS)
    assert on_hosts["options"]["capacity_provider_strategy"] == HOSTS["default_strategy"]
    assert on_hosts["options"]["network_configuration"] == {"awsvpcConfiguration": NETWORK}
    assert on_hosts["task_definition"]["requiresCompatibilities"] == ["EC2"]
    on_spot = placed({**FARGATE, "default_strategy": SPOT})
    assert "launch_type" not in on_spot["options"]
    assert on_spot["options"]["capacity_provider_strategy"] == SPOT
    back = placed({**FARGATE, "leftover_hosts": True})
    assert back["options"]["capacity_provider_strategy"] == FARGATE["default_strategy"]


def test_a_service_chooses_for_itself() -> None:
    assert placed(HOSTS, {"launch_type": "FARGATE"})["task_definition"]["requiresCompatibilities"] == ["FARGATE"]
    assert placed(HOSTS, {"capacity_provider_strategy": SPOT})["options"]["capacity_provider_strategy"] == SPOT


def test_tasks_behind_the_address_of_their_host_have_no_network_configuration() -> None:
    assert "network_configuration" not in placed(HOSTS, networkMode="bridge")["options"]


def test_an_architecture_is_for_those_that_name_none() -> None:
    assert placed(FARGATE, architecture="ARM64")["task_definition"]["runtimePlatform"] == {"cpuArchitecture": "ARM64"}
    own = {"cpuArchitecture": "X86_64"}
    assert placed(FARGATE, None, "ARM64", runtimePlatform=own)["task_definition"]["runtimePlatform"] == own


@pytest.mark.parametrize(
    ("cluster", "options", "definition"),
    [
        (FARGATE, {}, {}),
        (FARGATE, {"capacity_provider_strategy": SPOT}, {"runtimePlatform": {"cpuArchitecture": "ARM64"}}),
        (HOSTS, {}, {"networkMode": "bridge"}),
        (HOSTS, {}, {}),
    ],
)
def test_what_is_filled_in_is_as_the_api_has_it(cluster: Json, options: Json, definition: Json) -> None:
    model = botocore.session.get_session().get_service_model("ecs")
    done = placed(cluster, options, **definition)
    names = {"launch_type": "launchType", "capacity_provider_strategy": "capacityProviderStrategy"}
    names["network_configuration"] = "networkConfiguration"
    request = {"serviceName": "web", **{names[name]: value for name, value in done["options"].items()}}
    validator = ParamValidator()
    assert not validator.validate(request, model.operation_model("CreateService").input_shape).has_errors()
    register = model.operation_model("RegisterTaskDefinition").input_shape
    assert not validator.validate(done["task_definition"], register).has_errors()
    for kind in done["task_definition"]["requiresCompatibilities"]:
        assert kind in model.shape_for("Compatibility").enum


def problems(service: Json, cluster: Json, target: str = "ip", built: str = "X86_64") -> list[str]:
    return list(ecs_app_hosting.problems(service, cluster, {"web": target}, ["web"], built))


@pytest.mark.parametrize(
    ("cluster", "options", "definition", "target", "text"),
    [
        (
            FARGATE,
            {"launch_type": "EC2"},
            {},
            "ip",
            "options.launch_type: expected FARGATE, because ecs_cluster_hosting is",
        ),
        (
            FARGATE,
            {"capacity_provider_strategy": [{"capacityProvider": "hosts"}]},
            {},
            "ip",
            "options.capacity_provider_strategy: expected providers of the cluster (FARGATE, FARGATE_SPOT), got hosts.",
        ),
        (HOSTS, {"launch_type": "MANAGED_INSTANCES"}, {}, "ip", "which requires a capacity provider"),
        (
            FARGATE,
            {},
            {"requiresCompatibilities": ["EC2"]},
            "ip",
            "task_definition.requiresCompatibilities: expected FARGATE, where the service runs, got EC2.",
        ),
        (
            HOSTS,
            {},
            {"networkMode": "bridge"},
            "ip",
            "load_balancers[0].targetGroupArn: expected a target group of target_type instance with networkMode",
        ),
        (HOSTS, {}, {}, "instance", "expected a target group of target_type ip with networkMode awsvpc, got web of"),
        (HOSTS, {}, {"networkMode": "none"}, "ip", "load_balancers[0]: expected none with networkMode none, got web."),
        (FARGATE, {}, {"runtimePlatform": {"cpuArchitecture": "MIPS"}}, "ip", "expected X86_64 or ARM64, got MIPS."),
        (HOSTS, {}, {"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "ip", "expected X86_64, which the hosts have"),
        (
            FARGATE,
            {},
            {"runtimePlatform": {"cpuArchitecture": "ARM64"}},
            "ip",
            "cpuArchitecture: expected X86_64, for which the Docker host builds web, got ARM64.",
        ),
    ],
)
def test_a_service_that_cannot_run_in_the_cluster_is_refused(
    cluster: Json, options: Json, definition: Json, target: str, text: str
) -> None:
    found = problems(placed(cluster, options, **definition), cluster, target)
    assert any(text in problem for problem in found), found


@pytest.mark.parametrize(
    ("cluster", "options", "definition", "text"),
    [
        (
            FARGATE,
            {},
            {"networkMode": "bridge"},
            "networkMode: expected awsvpc, the only mode on Fargate",
        ),
        (
            FARGATE,
            {"scheduling_strategy": "DAEMON"},
            {},
            "options.scheduling_strategy: expected REPLICA, because Fargate",
        ),
        (
            FARGATE,
            {"placement_strategy": [{"type": "random"}]},
            {},
            "options.placement_strategy: expected none, because",
        ),
        (FARGATE, {}, {"cpu": 300}, "task_definition.cpu: expected one of Fargate's sizes"),
        (
            FARGATE,
            {},
            {"containerDefinitions": [{"name": "c", "image": "a/b", "privileged": True}]},
            "containerDefinitions[0] (c).privileged: expected false on Fargate, got true.",
        ),
        (
            FARGATE,
            {},
            {"containerDefinitions": [{"name": "c", "image": "a/b", "links": ["d"]}]},
            "containerDefinitions[0] (c).links: expected none in network mode awsvpc.",
        ),
        (
            FARGATE,
            {},
            {"volumes": [{"name": "v", "host": {"sourcePath": "/srv"}}]},
            "volumes[0] (v).host.sourcePath: expected none, because Fargate has no hosts, got '/srv'.",
        ),
        (
            HOSTS,
            {"capacity_provider_strategy": MIXED},
            {},
            "expected either Fargate providers or other providers, got both",
        ),
        (
            HOSTS,
            {"capacity_provider_strategy": SPOT, "launch_type": "FARGATE"},
            {},
            "options.launch_type: expected none together with capacity_provider_strategy",
        ),
        (
            HOSTS,
            {"network_configuration": {"a": 1}},
            {"networkMode": "host"},
            "options.network_configuration: expected none, because the task definition's network mode is host.",
        ),
    ],
)
def test_a_placed_service_follows_the_rules_of_where_it_runs(
    cluster: Json, options: Json, definition: Json, text: str
) -> None:
    known = Known(images={"web": "web:1"}, secrets={}, target_groups=None, registries=None, on_fargate=True)
    found = service_problems([placed(cluster, options, **definition)], known)
    assert any(text in problem for problem in found), found
    assert all(problem.startswith("ecs_app_services[0] (web).") for problem in found)


@pytest.mark.parametrize("cluster", [FARGATE, HOSTS])
def test_a_service_that_can_run_is_accepted(cluster: Json) -> None:
    assert problems(placed(cluster), cluster) == []
    on_arm = {**cluster, "architecture": "ARM64"}
    assert problems(placed(cluster, architecture="ARM64"), on_arm, built="ARM64") == []

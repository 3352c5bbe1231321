# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from where a service runs, and what cannot run there."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from ansible_collections.slipway.aws.plugins.filter.hosted_services import hosted_services
from ansible_collections.slipway.aws.plugins.filter.hosting_problems import hosting_problems

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
    (one,) = hosted_services([service(options, **definition)], cluster, NETWORK, architecture)
    return one


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


@pytest.mark.parametrize(
    ("cluster", "options", "definition", "target", "text"),
    [
        (FARGATE, {"launch_type": "EC2"}, {}, "ip", "launch_type is EC2, and ecs_cluster_hosting is fargate"),
        (FARGATE, {"capacity_provider_strategy": [{"capacityProvider": "hosts"}]}, {}, "ip", "names hosts, which the"),
        (HOSTS, {"capacity_provider_strategy": MIXED}, {}, "ip", "mixes Fargate and hosts (FARGATE_SPOT, hosts)"),
        (HOSTS, {"capacity_provider_strategy": SPOT, "launch_type": "FARGATE"}, {}, "ip", "take one of them"),
        (FARGATE, {}, {"networkMode": "bridge"}, "instance", "networkMode is bridge, and Fargate has awsvpc alone"),
        (FARGATE, {}, {"requiresCompatibilities": ["EC2"]}, "ip", "leave it out or add FARGATE"),
        (FARGATE, {"scheduling_strategy": "DAEMON"}, {}, "ip", "scheduling_strategy is DAEMON"),
        (FARGATE, {"placement_strategy": [{"type": "random"}]}, {}, "ip", "placement_strategy chooses among hosts"),
        (
            FARGATE,
            {},
            {"containerDefinitions": [{"name": "c", "image": "a/b", "privileged": True}]},
            "ip",
            "container c is privileged",
        ),
        (FARGATE, {}, {"containerDefinitions": [{"name": "c", "image": "a/b", "links": ["d"]}]}, "ip", "c has links"),
        (HOSTS, {"launch_type": "MANAGED_INSTANCES"}, {}, "ip", "follows from a capacity provider"),
        (FARGATE, {}, {"volumes": [{"name": "v", "host": {"sourcePath": "/srv"}}]}, "ip", "volume v is a folder"),
        (HOSTS, {}, {"networkMode": "bridge"}, "ip", "target group web has the target_type ip; set it to instance"),
        (HOSTS, {}, {}, "instance", "target group web has the target_type instance; set it to ip"),
        (HOSTS, {"network_configuration": {}, "x": 1}, {"networkMode": "none"}, "ip", "no load balancer reaches it"),
        (HOSTS, {"network_configuration": {"a": 1}}, {"networkMode": "host"}, "instance", "it is for awsvpc alone"),
        (FARGATE, {}, {"runtimePlatform": {"cpuArchitecture": "MIPS"}}, "ip", "X86_64 or ARM64 is right"),
        (HOSTS, {}, {"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "ip", "and the hosts are X86_64"),
        (FARGATE, {}, {"runtimePlatform": {"cpuArchitecture": "ARM64"}}, "ip", "the Docker host builds web for X86_64"),
    ],
)
def test_what_cannot_be_is_refused(cluster: Json, options: Json, definition: Json, target: str, text: str) -> None:
    told = hosting_problems([placed(cluster, options, **definition)], cluster, {"web": target}, ["web"], "X86_64")
    assert any(text in one for one in told), told
    assert all(one.startswith("web: ") for one in told)


@pytest.mark.parametrize("cluster", [FARGATE, HOSTS])
def test_what_can_be_is_not_refused(cluster: Json) -> None:
    assert hosting_problems([placed(cluster)], cluster, {"web": "ip"}, ["web"], "X86_64") == []
    assert (
        hosting_problems(
            [placed(cluster, architecture="ARM64")], {**cluster, "architecture": "ARM64"}, {}, ["web"], "ARM64"
        )
        == []
    )

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS would refuse is refused before any call, and what it takes is not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.fargate import FARGATE_SIZES
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service.limits import relation_problems, service_problems
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task_definition.problems import definition_problems

Json = dict[str, t.Any]
Run = t.Callable[..., Json]
GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef"
FARGATE_TASK: Json = {"requires_compatibilities": ["FARGATE"], "cpu": "256", "memory": "512", "network_mode": "awsvpc"}


def container(name: str = "web", **members: t.Any) -> Json:
    return {"name": name, "image": "app:1", "memory": 64, **members}


def definition(*containers: Json, **members: t.Any) -> Json:
    return {"family": "web", "container_definitions": list(containers) or [container()], **members}


def balancer(**members: t.Any) -> Json:
    return {"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80, **members}


AT = "container_definitions[0] (web)"
WRONG_DEFINITIONS: dict[str, tuple[Json, str]] = {
    "a newline in a name": (
        definition(container("web\n")),
        "container_definitions[0].name: expected 1 to 255 letters, digits, hyphens or underscores, got 'web\\n'.",
    ),
    "an umlaut in a family": (definition(family="größe"), "family: expected 1 to 255 letters"),
    "NUL in a volume's name": (definition(volumes=[{"name": "a\0"}]), "volumes[0].name: expected 1 to 255"),
    "a long name": (definition(container("w" * 256)), ".name: expected 1 to 255 letters"),
    "no name": (definition({"image": "a", "memory": 64}), "container_definitions[0].name: expected a name"),
    "a name twice": (definition(container(), container()), "expected each name once, got 'web' more than once."),
    "eleven containers": (
        definition(*(container(f"c{number}") for number in range(11))),
        "container_definitions: expected 1 to 10 elements, got 11.",
    ),
    "a port": (
        definition(container(portMappings=[{"containerPort": 65536}])),
        f"{AT}.portMappings[0].containerPort: expected 1 to 65535, got 65536.",
    ),
    "a negative host port": (
        definition(container(portMappings=[{"containerPort": 80, "hostPort": -1}])),
        f"{AT}.portMappings[0].hostPort: expected 0 to 65535, got -1.",
    ),
    "no port": (definition(container(portMappings=[{}])), f"{AT}.portMappings[0]: expected containerPort or"),
    "another host port": (
        definition(container(portMappings=[{"containerPort": 80, "hostPort": 81}]), network_mode="awsvpc"),
        f"{AT}.portMappings[0].hostPort: expected 80 or none in network mode awsvpc, got 81.",
    ),
    "a port's name": (
        definition(container(portMappings=[{"containerPort": 80, "name": "Web"}])),
        f"{AT}.portMappings[0].name: expected 1 to 64 lower case letters",
    ),
    "negative memory": (definition(container(memory=-1)), f"{AT}.memory: expected 4 or more, got -1."),
    "no memory": (definition({"name": "web", "image": "a"}), f"{AT}: expected memory or memoryReservation"),
    "more memory than the task": (
        definition(container(memory=1024), memory="512"),
        f"{AT}.memory: expected at most the task's memory 512, got 1024.",
    ),
    "a promise above the limit": (
        definition(container(memoryReservation=128)),
        f"{AT}.memoryReservation: expected at most the container's memory 64, got 128.",
    ),
    "memory: abc": (definition(memory="abc"), "memory: expected a size such as 512 or '0.5 GB', got 'abc'."),
    "cpu: inf": (definition(cpu="inf"), "cpu: expected a size such as 256 or '.25 vCPU', got 'inf'."),
    "cpu: 257 on Fargate": (
        definition(**{**FARGATE_TASK, "cpu": "257"}),
        "cpu: expected one of Fargate's sizes 256, 512, 1024, 2048, 4096, 8192, 16384 (1024 is one vCPU), got 257.",
    ),
    "a pair of sizes": (
        definition(**{**FARGATE_TASK, "memory": "4096"}),
        "memory: expected one of Fargate's sizes with cpu 256, 512, 1024, 2048 MiB, got 4096.",
    ),
    "Fargate without sizes": (
        definition(requires_compatibilities=["FARGATE"]),
        "(1024 is one vCPU), got nothing.",
    ),
    "Fargate without memory": (
        definition(**{**FARGATE_TASK, "memory": None}),
        "memory: expected one of Fargate's sizes with cpu 256, 512, 1024, 2048 MiB, got nothing.",
    ),
    "Fargate with bridge": (
        definition(**{**FARGATE_TASK, "network_mode": "bridge"}),
        "network_mode: expected awsvpc, the only mode on Fargate, got bridge.",
    ),
    "Fargate with privileges": (
        definition(container(privileged=True), **FARGATE_TASK),
        f"{AT}.privileged: expected false on Fargate, got true.",
    ),
    "Fargate with a folder of the host": (
        definition(volumes=[{"name": "a", "host": {"sourcePath": "/srv"}}], **FARGATE_TASK),
        "volumes[0] (a).host.sourcePath: expected none, because Fargate has no hosts, got '/srv'.",
    ),
    "a volume that nobody declares": (
        definition(container(mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}])),
        f"{AT}.mountPoints[0].sourceVolume: expected one of the task's volumes (none), got 'data'.",
    ),
    "volumes of nobody": (
        definition(container(volumesFrom=[{"sourceContainer": "db"}])),
        f"{AT}.volumesFrom[0].sourceContainer: expected one of the task's containers (web), got 'db'.",
    ),
    "a dependency on nobody": (
        definition(container(dependsOn=[{"containerName": "db", "condition": "START"}])),
        f"{AT}.dependsOn[0].containerName: expected one of the task's containers (web), got 'db'.",
    ),
    "a circle": (
        definition(
            container(dependsOn=[{"containerName": "b", "condition": "START"}]),
            container("b", dependsOn=[{"containerName": "web", "condition": "START"}]),
        ),
        "container_definitions: expected no cycle in dependsOn, got ",
    ),
    "the end of an essential container": (
        definition(container(dependsOn=[{"containerName": "b", "condition": "SUCCESS"}]), container("b")),
        f"{AT}.dependsOn[0].condition: expected START or HEALTHY, because container b is essential, got SUCCESS.",
    ),
    "nothing essential": (definition(container(essential=False)), "expected at least one essential container"),
    "a variable twice": (
        definition(container(environment=[{"name": "A", "value": "1"}, {"name": "A", "value": "2"}])),
        f"{AT}: expected A only once in environment and secrets, got it more than once.",
    ),
    "a variable that is a secret, too": (
        definition(
            container(environment=[{"name": "A", "value": "1"}], secrets=[{"name": "A", "valueFrom": "/shop/a"}])
        ),
        f"{AT}: expected A only once in environment and secrets, got it more than once.",
    ),
    "a variable with a newline": (
        definition(container(environment=[{"name": "A\n", "value": "1"}])),
        f"{AT}.environment[0].name: expected the name of a variable, got 'A\\n'.",
    ),
    "no image": (definition({"name": "web", "memory": 64}), f"{AT}.image: expected an image, got nothing."),
    "a health check's interval": (
        definition(container(healthCheck={"command": ["CMD", "true"], "interval": 301})),
        f"{AT}.healthCheck.interval: expected 5 to 300, got 301.",
    ),
    "a soft limit": (
        definition(container(ulimits=[{"name": "nofile", "softLimit": 2, "hardLimit": 1}])),
        f"{AT}.ulimits[0] (nofile).softLimit: expected at most the hardLimit 1, got 2.",
    ),
    "more than 64 KiB": (
        definition(container(environment=[{"name": "A", "value": "x" * 65536}])),
        "task definition: expected at most 64 KiB, got 64.1.",
    ),
}


@pytest.mark.parametrize(("wrong", "problem"), WRONG_DEFINITIONS.values(), ids=WRONG_DEFINITIONS.keys())
def test_definitions_that_aws_would_refuse(wrong: Json, problem: str) -> None:
    assert problem in "\n".join(definition_problems(wrong))


RIGHT_DEFINITIONS: dict[str, Json] = {
    "the least": definition(),
    "the longest name": definition(container("w" * 255)),
    "any port of the host": definition(container(portMappings=[{"containerPort": 65535, "hostPort": 0}])),
    "a range of ports": definition(container(portMappings=[{"containerPortRange": "8000-8010"}])),
    "Fargate": definition({"name": "web", "image": "a"}, **FARGATE_TASK),
    "sizes as texts": definition(**{**FARGATE_TASK, "cpu": ".25 vCPU", "memory": "0.5GB"}),
    "any size on instances": definition(requires_compatibilities=["EC2"], cpu="300", memory="100"),
    "memory of the task": definition({"name": "web", "image": "a"}, memory="512"),
    "a container that is waited for": definition(
        container(dependsOn=[{"containerName": "b", "condition": "SUCCESS"}]), container("b", essential=False)
    ),
    "an unlimited ulimit": definition(
        container(ulimits=[{"name": "memlock", "softLimit": -1, "hardLimit": -1}]),
    ),
    "TCP and UDP": definition(
        container(portMappings=[{"containerPort": 53}, {"containerPort": 53, "protocol": "udp"}])
    ),
    "what check mode does not know yet": definition(**{**FARGATE_TASK, "cpu": "unknown"}),
    "wrong types, which are for another check": definition(
        container(environment="A=1", portMappings=3, dependsOn={}, command=1), volumes=5, cpu=[]
    )
    | {"cpu": None},
}


@pytest.mark.parametrize("right", RIGHT_DEFINITIONS.values(), ids=RIGHT_DEFINITIONS.keys())
def test_definitions_that_aws_takes(right: Json) -> None:
    assert definition_problems(right) == []


@pytest.mark.parametrize(
    ("cpu", "memory"), [(cpu, memory) for cpu, sizes in FARGATE_SIZES.items() for memory in (sizes[0], sizes[-1])]
)
def test_fargates_sizes(cpu: int, memory: int) -> None:
    assert definition_problems(definition(**{**FARGATE_TASK, "cpu": str(cpu), "memory": str(memory)})) == []


WRONG_SERVICES: dict[str, tuple[Json, str]] = {
    "a negative count": ({"desired_count": -1}, "desired_count: expected 0 or more, got -1."),
    "a negative time": (
        {"health_check_grace_period_seconds": -1},
        "health_check_grace_period_seconds: expected 0 to 2147483647, got -1.",
    ),
    "a load balancer without port": (
        {"load_balancers": [{"targetGroupArn": GROUP, "containerName": "web"}]},
        "load_balancers[0].containerPort: expected a port of the container, got nothing.",
    ),
    "a load balancer without container": (
        {"load_balancers": [{"targetGroupArn": GROUP, "containerPort": 80}]},
        "load_balancers[0].containerName: expected the name of a container, got nothing.",
    ),
    "a load balancer's port": (
        {"load_balancers": [balancer(containerPort=70000)]},
        "load_balancers[0].containerPort: expected 1 to 65535, got 70000.",
    ),
    "no target group": (
        {"load_balancers": [{"containerName": "web", "containerPort": 80}]},
        "load_balancers[0]: expected either targetGroupArn or loadBalancerName, got neither.",
    ),
    "two ways to choose capacity": (
        {"launch_type": "FARGATE", "capacity_provider_strategy": [{"capacityProvider": "FARGATE"}]},
        "launch_type: expected none together with capacity_provider_strategy, got both.",
    ),
    "two bases": (
        {"capacity_provider_strategy": [{"capacityProvider": one, "base": 1, "weight": 1} for one in ("a", "b")]},
        "capacity_provider_strategy: expected at most one base above 0, got 2.",
    ),
    "no weight": (
        {"capacity_provider_strategy": [{"capacityProvider": one} for one in ("a", "b")]},
        "capacity_provider_strategy: expected a weight above 0 for at least one of several providers, got none.",
    ),
    "Fargate and hosts": (
        {"capacity_provider_strategy": [{"capacityProvider": one, "weight": 1} for one in ("FARGATE", "b")]},
        "capacity_provider_strategy: expected either Fargate providers or other providers, got both: FARGATE, b.",
    ),
    "a daemon on Fargate": (
        {"launch_type": "FARGATE", "scheduling_strategy": "DAEMON"},
        "scheduling_strategy: expected REPLICA, because Fargate has no hosts for a DAEMON, got DAEMON.",
    ),
    "a count of daemons": (
        {"scheduling_strategy": "DAEMON", "desired_count": 1},
        "desired_count: expected none with scheduling_strategy DAEMON",
    ),
    "a deployment that cannot replace a task": (
        {"deployment_configuration": {"maximumPercent": 100, "minimumHealthyPercent": 100}},
        "deployment_configuration: expected maximumPercent above minimumHealthyPercent, got 100 and 100.",
    ),
    "17 subnets": (
        {"network_configuration": {"awsvpcConfiguration": {"subnets": ["subnet-1"] * 17}}},
        "network_configuration.awsvpcConfiguration.subnets: expected 1 to 16 elements, got 17.",
    ),
    "no subnet": (
        {"network_configuration": {"awsvpcConfiguration": {"subnets": []}}},
        "network_configuration.awsvpcConfiguration.subnets: expected 1 to 16 elements, got 0.",
    ),
}


@pytest.mark.parametrize(("wrong", "problem"), WRONG_SERVICES.values(), ids=WRONG_SERVICES.keys())
def test_services_that_aws_would_refuse(wrong: Json, problem: str) -> None:
    assert problem in "\n".join(service_problems("web", wrong))


@pytest.mark.parametrize("name", ["", "a b", "web\n", "wéb", "w" * 256, "a/b"])
def test_names_of_services(name: str) -> None:
    (problem,) = service_problems(name, {})
    assert problem.startswith("name: expected 1 to 255 letters, digits, hyphens or underscores, got ")


def test_a_service_that_aws_takes() -> None:
    options = {
        "desired_count": 0,
        "load_balancers": [balancer()],
        "deployment_configuration": {"maximumPercent": 100, "minimumHealthyPercent": 0},
        "capacity_provider_strategy": [{"capacityProvider": "FARGATE", "base": 1, "weight": 1}],
        "network_configuration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
    }
    assert service_problems("web", options) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (
            {"load_balancers": [balancer(containerName="nginx")]},
            "load_balancers[0].containerName: expected one of the task's containers (web), got 'nginx'.",
        ),
        (
            {"load_balancers": [balancer(containerPort=81)]},
            "load_balancers[0].containerPort: expected a port of portMappings of web (80), got 81.",
        ),
        (
            {"service_connect_configuration": {"enabled": True, "services": [{"portName": "web"}]}},
            "service_connect_configuration.services[0].portName: expected one of the names in portMappings (http), got",
        ),
        (
            {"volume_configurations": [{"name": "data"}]},
            "volume_configurations[0].name: expected one of the task definition's volumes (none), got 'data'.",
        ),
    ],
)
def test_services_that_do_not_fit_their_definition(options: Json, problem: str) -> None:
    task = definition(container(portMappings=[{"containerPort": 80, "name": "http"}]))
    (told,) = relation_problems(options, task)
    assert told.startswith(problem)
    assert list(relation_problems({"load_balancers": [balancer()]}, task)) == []


@pytest.mark.parametrize(
    "options",
    [
        {"module": "ecs_service", "name": "web", "task_definition": "web"},
        {"module": "ecs_release", "services": [{"name": "web", "task_definition": "web"}]},
        {"module": "ecs_task_run", "service": "web", "command": ["true"]},
        {"module": "ecs_service_info"},
        {"module": "ecs_service_scaling", "services": [{"name": "web", "state": "absent"}]},
        {"module": "ecs_service", "name": "web", "state": "absent"},
    ],
    ids=lambda options: "-".join(str(one) for one in options.values() if isinstance(one, str)),
)
@pytest.mark.parametrize("cluster", ["", "a b", "shop\n"])
def test_a_cluster_of_no_name_is_refused_before_any_call(
    run: Run, calls: list[str], options: Json, cluster: str
) -> None:
    module = {name: value for name, value in options.items() if name != "module"}
    result = run(options["module"], cluster=cluster, **module)
    assert (result["code"], calls) == ("invalid_option", [])
    assert result["msg"].startswith("cluster: expected 1 to 255 letters")


@pytest.mark.parametrize(
    ("module", "options", "problem"),
    [
        ("ecs_service", {"name": "web", "wait_timeout": -1}, "wait_timeout: expected 0 seconds or more, got -1."),
        ("ecs_service", {"name": "a b"}, "name: expected 1 to 255"),
        ("ecs_cluster", {"name": "größe"}, "name: expected 1 to 255"),
        ("elb_target_group", {"name": "a_b"}, "name: expected 1 to 32 letters, digits or hyphens"),
        ("elb_target_group", {"name": "web", "port": 65536}, "port: expected 1 to 65535, got 65536."),
        (
            "elb_target_group",
            {"name": "web", "health_check_interval": 301},
            "health_check_interval: expected 5 to 300, got 301.",
        ),
        (
            "elb_target_group",
            {"name": "web", "deregistration_delay": -1},
            "deregistration_delay: expected 0 to 3600 seconds, got -1.",
        ),
        ("auto_scaling_group", {"name": "g" * 256}, "name: expected at most 255 characters, got 256."),
        ("ecs_task_definition", {"family": "web", "tags": {"a": None}}, "tags, 'a': expected text"),
        ("elb_target_group", {"name": "web", "tags": {"a": None}}, "tags, 'a': expected text"),
        ("ecr_repository", {"name": "web", "tags": {"aws:a": "b"}}, "tags, 'aws:a': expected a key without"),
    ],
)
def test_modules_refuse_before_any_call(run: Run, calls: list[str], module: str, options: Json, problem: str) -> None:
    result = run(module, **options)
    assert (result["code"], calls) == ("invalid_option", []), result["msg"]
    assert problem in result["msg"]


def test_a_release_reports_all_that_is_wrong_with_all_services_before_any_call(run: Run, calls: list[str]) -> None:
    def service(name: str, task: Json, **options: t.Any) -> Json:
        whole = {"family": name, "containerDefinitions": [container(name)], **task}
        return {"name": name, "task_definition": {"definition": whole}, **options}

    result = run(
        "ecs_release",
        cluster="shop",
        services=[
            service("a", {"memory": "abc"}),
            service("b", {"networkMode": "bridge", "requiresCompatibilities": ["FARGATE"]}, desired_count=-1),
            service("c", {}, load_balancers=[balancer(containerName="x")]),
            service("d", {"containerDefinitions": [container("d", command=["serve", None])]}, load_balancers=[{}]),
            service("e", {}, tags={"a": None}),
        ],
    )
    assert (result["code"], calls) == ("invalid_option", [])
    for problem in (
        "services, a: memory: expected a size",
        "network_mode: expected awsvpc",
        "desired_count: expected 0 or more, got -1.",
        "cpu: expected one of Fargate's sizes",
        "services, c: load_balancers[0].containerName: expected one of the task's containers (c), got 'x'.",
        "container_definitions[0] (d).command[1]: expected a value, got null.",
        "load_balancers[0].containerPort: expected a port of the container, got nothing.",
        "services, e: tags, 'a': expected text",
    ):
        assert problem in result["msg"]


def test_a_definition_of_options_is_checked_as_a_whole(run: Run, ecs: t.Any) -> None:
    result = run("ecs_task_definition", **definition(**{**FARGATE_TASK, "network_mode": "bridge"}))
    assert result["code"] == "invalid_option"
    assert ecs.list_task_definitions()["taskDefinitionArns"] == []

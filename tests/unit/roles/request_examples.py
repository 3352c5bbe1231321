# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For each rule of the local cloud, a request that AWS accepts and one that differs from it in what AWS refuses."""

from __future__ import annotations

import copy
import dataclasses
import typing as t

Json = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Example:
    """A call by boto3's names. Texts such as <subnet> stand for what the test's account has."""

    operation: str
    right: Json
    wrong: Json


def changed(request: Json, changes: Json) -> Json:
    """A request with other members; None leaves one out."""
    return {name: value for name, value in (copy.deepcopy(request) | changes).items() if value is not None}


# Task definitions


CONTAINER = {"name": "web", "image": "web", "memory": 256}
ROUTER = CONTAINER | {"name": "router", "firelensConfiguration": {"type": "fluentbit"}}
CHECK = {"command": ["CMD-SHELL", "true"]}
ROLE = "arn:aws:iam::000000000000:role/tasks"
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/web:1"
TASK: Json = {"family": "web", "containerDefinitions": [CONTAINER]}
FARGATE: Json = {
    "family": "web",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [CONTAINER],
}


def task(wrong: Json, right: Json | None = None, base: Json = TASK) -> Example:
    return Example("ecs.register_task_definition", changed(base, right or {}), changed(base, wrong))


def container(wrong: Json, right: Json | None = None, base: Json = TASK) -> Example:
    """Two definitions that differ in their only container."""
    one = [{"containerDefinitions": [changed(CONTAINER, changes)]} for changes in (wrong, right or {})]
    return task(one[0], one[1], base)


def containers(wrong: list[Json], right: list[Json], base: Json = TASK) -> Example:
    return task({"containerDefinitions": wrong}, {"containerDefinitions": right}, base)


def fargate(wrong: Json, right: Json | None = None) -> Example:
    return task(wrong, right, FARGATE)


def log(driver: str, **options: str) -> Json:
    return {
        "logConfiguration": {"logDriver": driver, "options": {key.replace("_", "-"): options[key] for key in options}}
    }


AWSLOGS = log("awslogs", awslogs_group="web", awslogs_region="eu-central-1")
SIDE = CONTAINER | {"name": "side"}


def dependent(condition: str, on: str = "side") -> Json:
    return CONTAINER | {"dependsOn": [{"containerName": on, "condition": condition}]}


PORT = {"containerPort": 80}
SECRET = {"name": "KEY", "valueFrom": "/web/key"}
WITH_ROLE = TASK | {"executionRoleArn": ROLE}

TASK_DEFINITIONS = {
    "family_name": task({"family": "web.1"}),
    "no_containers": task({"containerDefinitions": []}),
    "too_many_containers": containers(
        [CONTAINER | {"name": f"c{n}"} for n in range(11)], [CONTAINER | {"name": f"c{n}"} for n in range(10)]
    ),
    "container_without_name_or_image": container({"image": ""}),
    "container_name": container({"name": "my.web"}),
    "container_names_unique": containers([CONTAINER, CONTAINER], [CONTAINER, SIDE]),
    "no_essential_container": container({"essential": False}),
    "fargate_network_mode": fargate({"networkMode": "bridge"}),
    "fargate_without_size": fargate({"cpu": None}),
    "task_size_is_no_number": fargate({"cpu": "a quarter"}, {"cpu": ".25 vCPU", "memory": "1GB"}),
    "fargate_size": fargate({"memory": "4096"}, {"cpu": "2048", "memory": "4096"}),
    "host_ports": container(
        {"portMappings": [PORT | {"hostPort": 8080}]}, {"portMappings": [PORT | {"hostPort": 80}]}, FARGATE
    ),
    "container_port": container({"portMappings": [{"hostPort": 80}]}, {"portMappings": [PORT]}),
    "container_ports_unique": containers(
        [CONTAINER | {"portMappings": [PORT]}, SIDE | {"portMappings": [PORT]}],
        [CONTAINER | {"portMappings": [PORT]}, SIDE | {"portMappings": [{"containerPort": 81}]}],
        FARGATE,
    ),
    "ports_without_network": container({"portMappings": [PORT]}, {}, TASK | {"networkMode": "none"}),
    "links": task(
        {"networkMode": "awsvpc", "containerDefinitions": [CONTAINER | {"links": ["side"]}, SIDE]},
        {"networkMode": "bridge", "containerDefinitions": [CONTAINER | {"links": ["side"]}, SIDE]},
    ),
    "container_without_memory": container({"memory": None}, {"memory": None, "memoryReservation": 64}),
    "reservation_above_memory": container({"memoryReservation": 512}, {"memoryReservation": 128}),
    "container_memory_above_task": container({"memory": 1024}, {}, FARGATE),
    "container_cpu_above_task": container({"cpu": 512}, {"cpu": 256}, FARGATE),
    "secret_name": container(
        {"secrets": [SECRET], "environment": [{"name": "KEY", "value": "1"}]},
        {"secrets": [SECRET], "environment": [{"name": "OTHER", "value": "1"}]},
        WITH_ROLE,
    ),
    "secrets_without_role": task(
        {"containerDefinitions": [CONTAINER | {"secrets": [SECRET]}]},
        {"containerDefinitions": [CONTAINER | {"secrets": [SECRET]}], "executionRoleArn": ROLE},
    ),
    "fargate_images_without_role": fargate(
        {"containerDefinitions": [CONTAINER | {"image": ECR}]},
        {"containerDefinitions": [CONTAINER | {"image": ECR}], "executionRoleArn": ROLE},
    ),
    "fargate_logs_without_role": fargate(
        {"containerDefinitions": [CONTAINER | AWSLOGS]},
        {"containerDefinitions": [CONTAINER | AWSLOGS], "executionRoleArn": ROLE},
    ),
    "log_options": container(log("awslogs", awslogs_group="web"), AWSLOGS),
    "fargate_log_driver": container(log("json-file"), log("splunk"), FARGATE),
    "firelens_without_user": containers([CONTAINER, ROUTER], [CONTAINER | log("awsfirelens"), ROUTER]),
    "firelens_without_router": containers(
        [CONTAINER | log("awsfirelens"), SIDE], [CONTAINER | log("awsfirelens"), ROUTER]
    ),
    "essential_dependency": containers(
        [dependent("SUCCESS"), SIDE], [dependent("SUCCESS"), SIDE | {"essential": False}]
    ),
    "unknown_dependency": containers([dependent("START", "other"), SIDE], [dependent("START"), SIDE]),
    "healthy_without_check": containers(
        [dependent("HEALTHY"), SIDE], [dependent("HEALTHY"), SIDE | {"healthCheck": CHECK}]
    ),
    "unknown_volume": task(
        {
            "volumes": [{"name": "data"}],
            "containerDefinitions": [CONTAINER | {"mountPoints": [{"sourceVolume": "date", "containerPath": "/d"}]}],
        },
        {
            "volumes": [{"name": "data"}],
            "containerDefinitions": [CONTAINER | {"mountPoints": [{"sourceVolume": "data", "containerPath": "/d"}]}],
        },
    ),
    "health_check": container({"healthCheck": CHECK | {"interval": 4}}, {"healthCheck": CHECK | {"interval": 5}}),
    "fargate_ipc": fargate({"ipcMode": "task"}),
    "fargate_pid": fargate({"pidMode": "host"}, {"pidMode": "task"}),
    "fargate_definition_constraints": fargate(
        {"placementConstraints": [{"type": "memberOf", "expression": "attribute:a == b"}]}
    ),
    "fargate_container_options": container({"privileged": True}, {"privileged": False}, FARGATE),
    "fargate_volume": fargate(
        {"volumes": [{"name": "data", "host": {"sourcePath": "/data"}}]}, {"volumes": [{"name": "data"}]}
    ),
    "ephemeral_storage": fargate({"ephemeralStorage": {"sizeInGiB": 20}}, {"ephemeralStorage": {"sizeInGiB": 21}}),
    "fargate_stop_timeout": container({"stopTimeout": 121}, {"stopTimeout": 120}, FARGATE),
    "definition_constraint_type": task(
        {"placementConstraints": [{"type": "memberOf"}]},
        {"placementConstraints": [{"type": "memberOf", "expression": "attribute:a == b"}]},
    ),
    "ecs_reserved_tag": task(
        {"tags": [{"key": "aws:name", "value": "web"}]}, {"tags": [{"key": "name", "value": "web"}]}
    ),
    "ecs_doubled_tag": task(
        {"tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]},
        {"tags": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]},
    ),
}


# Services, tasks and clusters. The account has a cluster, task definitions of three network modes, and a network.


NETWORK: Json = {"awsvpcConfiguration": {"subnets": ["<subnet>"], "securityGroups": ["<group>"]}}
SERVICE: Json = {
    "cluster": "cluster",
    "serviceName": "web",
    "taskDefinition": "bridge",
    "desiredCount": 0,
    "launchType": "EC2",
}
ON_FARGATE = SERVICE | {"launchType": "FARGATE", "taskDefinition": "fargate", "networkConfiguration": NETWORK}
DAEMON = changed(SERVICE, {"schedulingStrategy": "DAEMON", "desiredCount": None})
BALANCER = {"targetGroupArn": "<instances>", "containerName": "web", "containerPort": 80}
BALANCED = SERVICE | {"loadBalancers": [BALANCER]}


def service(wrong: Json, right: Json | None = None, base: Json = SERVICE) -> Example:
    return Example("ecs.create_service", changed(base, right or {}), changed(base, wrong))


def network(**members: t.Any) -> Json:
    """Another network of a service."""
    return {"networkConfiguration": {"awsvpcConfiguration": NETWORK["awsvpcConfiguration"] | members}}


def balancer(**members: t.Any) -> Json:
    return {"loadBalancers": [BALANCER | members]}


def strategy(*items: tuple[str, int, int]) -> list[Json]:
    return [{"capacityProvider": name, "base": base, "weight": weight} for name, base, weight in items]


def ecs(operation: str, wrong: Json, right: Json) -> Example:
    return Example(f"ecs.{operation}", right, wrong)


BY_STRATEGY = changed(ON_FARGATE, {"launchType": None})
SPREAD = [{"type": "spread", "field": "instanceId"}]

SERVICES = {
    "unknown_cluster": service({"cluster": "other"}),
    "service_name": service({"serviceName": "my web"}),
    "inactive_service": ecs(
        "update_service",
        {"cluster": "cluster", "service": "deleted", "desiredCount": 0},
        {"cluster": "cluster", "service": "active", "desiredCount": 0},
    ),
    "unknown_definition": service({"taskDefinition": "web:9"}),
    "inactive_definition": service({"taskDefinition": "inactive:1"}),
    "definition_not_for_fargate": service({"taskDefinition": "awsvpc"}, base=ON_FARGATE),
    "awsvpc_without_network": service({"networkConfiguration": None}, base=ON_FARGATE),
    "network_without_awsvpc": service({"networkConfiguration": NETWORK}),
    "public_address_on_instances": service(
        network(assignPublicIp="ENABLED"), network(), SERVICE | {"taskDefinition": "awsvpc"}
    ),
    "network_limits": service(network(securityGroups=["<group>"] * 6), network(securityGroups=["<group>"]), ON_FARGATE),
    "unknown_subnet": service(network(subnets=["subnet-0123456789abcdef0"]), base=ON_FARGATE),
    "unknown_security_group": service(network(securityGroups=["sg-0123456789abcdef0"]), base=ON_FARGATE),
    "subnets_of_two_vpcs": service(network(subnets=["<subnet>", "<foreign subnet>"]), base=ON_FARGATE),
    "security_group_of_another_vpc": service(network(securityGroups=["<foreign group>"]), base=ON_FARGATE),
    "placement_on_fargate": service({"placementStrategy": SPREAD}, base=ON_FARGATE),
    "placement_limits": service({"placementStrategy": SPREAD * 6}, {"placementStrategy": SPREAD * 5}),
    "launch_type_and_strategy": service(
        {"capacityProviderStrategy": strategy(("FARGATE", 0, 1))},
        {"capacityProviderStrategy": strategy(("FARGATE", 0, 1)), "launchType": None},
        ON_FARGATE,
    ),
    "provider_of_another_cluster": service(
        {"capacityProviderStrategy": strategy(("FARGATE_SPOT", 0, 1))},
        {"capacityProviderStrategy": strategy(("FARGATE", 0, 1))},
        BY_STRATEGY,
    ),
    "strategy_weights": service(
        {"capacityProviderStrategy": strategy(("FARGATE", 1, 1), ("FARGATE", 1, 1))},
        {"capacityProviderStrategy": strategy(("FARGATE", 1, 1), ("FARGATE", 0, 1))},
        BY_STRATEGY,
    ),
    "daemon_count": service({"desiredCount": 2}, base=DAEMON),
    "daemon_maximum": service(
        {"deploymentConfiguration": {"maximumPercent": 200}},
        {"deploymentConfiguration": {"maximumPercent": 100}},
        DAEMON,
    ),
    "daemon_placement": service({"placementStrategy": SPREAD}, base=DAEMON),
    "daemon_providers": service(
        {"launchType": None, "capacityProviderStrategy": strategy(("hosts", 0, 1))}, base=DAEMON
    ),
    "daemon_on_fargate": service(
        {"launchType": "FARGATE", "taskDefinition": "fargate", "networkConfiguration": NETWORK}, base=DAEMON
    ),
    "deployment_percents": service(
        {"deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 150}},
        {"deploymentConfiguration": {"maximumPercent": 150, "minimumHealthyPercent": 100}},
    ),
    "balanced_container": service(balancer(containerName="side"), base=BALANCED),
    "balanced_port": service(balancer(containerPort=81), base=BALANCED),
    "target_type": service(balancer(targetGroupArn="<addresses>"), base=BALANCED),
    "target_group_without_balancer": service(balancer(targetGroupArn="<unused>"), base=BALANCED),
    "unknown_target_group": service(balancer(targetGroupArn="<instances>0"), base=BALANCED),
    "too_many_target_groups": service({"loadBalancers": [BALANCER] * 6}, {"loadBalancers": [BALANCER] * 5}),
    "grace_period_without_balancer": service(
        {"healthCheckGracePeriodSeconds": 60}, balancer() | {"healthCheckGracePeriodSeconds": 60}
    ),
    "exec_without_role": service(
        {"enableExecuteCommand": True}, {"enableExecuteCommand": True, "taskDefinition": "with-role"}
    ),
    "too_many_registries": service({"serviceRegistries": [{"registryArn": "arn:aws:servicediscovery:a"}] * 2}),
    "service_connect_port": service(
        {"serviceConnectConfiguration": {"enabled": True, "services": [{"portName": "grpc"}]}},
        {"serviceConnectConfiguration": {"enabled": True, "services": [{"portName": "http"}]}},
    ),
    "number_of_tasks": ecs(
        "run_task",
        {"cluster": "cluster", "taskDefinition": "bridge", "count": 11},
        {"cluster": "cluster", "taskDefinition": "bridge", "count": 1},
    ),
    "described_services": ecs(
        "describe_services",
        {"cluster": "cluster", "services": ["web"] * 11},
        {"cluster": "cluster", "services": ["web"] * 10},
    ),
    "described_items": ecs(
        "describe_tasks",
        {"cluster": "cluster", "tasks": ["0" * 32] * 101},
        {"cluster": "cluster", "tasks": ["0" * 32] * 100},
    ),
    "cluster_with_services": ecs("delete_cluster", {"cluster": "cluster"}, {"cluster": "empty"}),
    "cluster_with_tasks": ecs("delete_cluster", {"cluster": "busy"}, {"cluster": "idle"}),
    "cluster_name": ecs("create_cluster", {"clusterName": "my cluster"}, {"clusterName": "my-cluster"}),
    "provider_name": ecs(
        "create_capacity_provider",
        {"name": "ecs-hosts", "autoScalingGroupProvider": {"autoScalingGroupArn": "arn:aws:autoscaling:a"}},
        {"name": "machines", "autoScalingGroupProvider": {"autoScalingGroupArn": "arn:aws:autoscaling:a"}},
    ),
    "unknown_provider": ecs(
        "put_cluster_capacity_providers",
        {"cluster": "spare", "capacityProviders": ["other"], "defaultCapacityProviderStrategy": []},
        {"cluster": "spare", "capacityProviders": ["FARGATE"], "defaultCapacityProviderStrategy": []},
    ),
    "default_strategy": ecs(
        "put_cluster_capacity_providers",
        {
            "cluster": "spare",
            "capacityProviders": ["FARGATE"],
            "defaultCapacityProviderStrategy": strategy(("FARGATE_SPOT", 0, 1)),
        },
        {
            "cluster": "spare",
            "capacityProviders": ["FARGATE"],
            "defaultCapacityProviderStrategy": strategy(("FARGATE", 0, 1)),
        },
    ),
}


# Tags


def tags(*keys: str) -> list[Json]:
    return [{"Key": key, "Value": str(number)} for number, key in enumerate(keys)]


ROLE_DOCUMENT = '{"Version":"2012-10-17","Statement":[]}'
TAGS = {
    "elb_reserved_tag": Example(
        "elbv2.add_tags",
        {"ResourceArns": ["<balancer>"], "Tags": tags("name")},
        {"ResourceArns": ["<balancer>"], "Tags": tags("aws:name")},
    ),
    "elb_doubled_tag": Example(
        "elbv2.add_tags",
        {"ResourceArns": ["<balancer>"], "Tags": tags("a", "b")},
        {"ResourceArns": ["<balancer>"], "Tags": tags("a", "a")},
    ),
    "ec2_reserved_tag": Example(
        "ec2.create_tags",
        {"Resources": ["<vpc>"], "Tags": tags("name")},
        {"Resources": ["<vpc>"], "Tags": tags("aws:name")},
    ),
    "iam_doubled_tag": Example(
        "iam.create_role",
        {"RoleName": "tagged", "AssumeRolePolicyDocument": ROLE_DOCUMENT, "Tags": tags("a", "b")},
        {"RoleName": "tagged", "AssumeRolePolicyDocument": ROLE_DOCUMENT, "Tags": tags("a", "A")},
    ),
}


EXAMPLES: dict[str, Example] = TASK_DEFINITIONS | SERVICES | TAGS

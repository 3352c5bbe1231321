# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For each rule of the local cloud, a request that AWS accepts and one that differs from it in what AWS refuses."""

from __future__ import annotations

import copy
import dataclasses
import json
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


def task(wrong: Json, right: Json | None = None, base: Json | None = None) -> Example:
    base = base or TASK
    return Example("ecs.register_task_definition", changed(base, right or {}), changed(base, wrong))


def container(wrong: Json, right: Json | None = None, base: Json | None = None) -> Example:
    """Two definitions that differ in their only container."""
    one = [{"containerDefinitions": [changed(CONTAINER, changes)]} for changes in (wrong, right or {})]
    return task(one[0], one[1], base)


def containers(wrong: list[Json], right: list[Json], base: Json | None = None) -> Example:
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


def service(wrong: Json, right: Json | None = None, base: Json | None = None) -> Example:
    base = base or SERVICE
    return Example("ecs.create_service", changed(base, right or {}), changed(base, wrong))


def network(**members: t.Any) -> Json:
    """Another network of a service."""
    return {"networkConfiguration": {"awsvpcConfiguration": NETWORK["awsvpcConfiguration"] | members}}


def balancer(**members: t.Any) -> Json:
    return {"loadBalancers": [BALANCER | members]}


def pausing(stage: str) -> Json:
    """A deployment configuration that pauses at a lifecycle stage."""
    hook = {"targetType": "PAUSE", "lifecycleStages": [stage]}
    return {"deploymentConfiguration": {"strategy": "BLUE_GREEN", "lifecycleHooks": [hook]}}


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
    "shifted_balancers": service(
        {"deploymentConfiguration": {"strategy": "CANARY"}},
        {"deploymentConfiguration": {"strategy": "ROLLING"}},
        BALANCED,
    ),
    "pausing_stages": service(pausing("TEST_TRAFFIC_SHIFT"), pausing("POST_TEST_TRAFFIC_SHIFT")),
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


# Load balancers


NEW_BALANCER: Json = {"Name": "new", "Subnets": ["<subnet>", "<second subnet>"], "SecurityGroups": ["<group>"]}
NEW_GROUP: Json = {"Name": "new", "Port": 80, "Protocol": "HTTP", "VpcId": "<vpc>"}
FORWARD = [{"Type": "forward", "TargetGroupArn": "<instances>"}]
NEW_LISTENER: Json = {"LoadBalancerArn": "<balancer>", "Port": 8080, "Protocol": "HTTP", "DefaultActions": FORWARD}
PATH = {"Field": "path-pattern", "Values": ["/a"]}
NEW_RULE: Json = {"ListenerArn": "<listener 80>", "Priority": 9, "Conditions": [PATH], "Actions": FORWARD}


def new_balancer(wrong: Json, right: Json | None = None) -> Example:
    return Example("elbv2.create_load_balancer", changed(NEW_BALANCER, right or {}), changed(NEW_BALANCER, wrong))


def group(wrong: Json, right: Json | None = None) -> Example:
    return Example("elbv2.create_target_group", changed(NEW_GROUP, right or {}), changed(NEW_GROUP, wrong))


def listener(wrong: Json, right: Json | None = None) -> Example:
    return Example("elbv2.create_listener", changed(NEW_LISTENER, right or {}), changed(NEW_LISTENER, wrong))


def listener_rule(wrong: Json, right: Json | None = None) -> Example:
    return Example("elbv2.create_rule", changed(NEW_RULE, right or {}), changed(NEW_RULE, wrong))


def conditions(*wrong: Json, right: list[Json] | None = None) -> Example:
    return listener_rule({"Conditions": list(wrong)}, {"Conditions": right or [PATH]})


def attribute(operation: str, arn: str, key: str, wrong: str, right: str) -> Example:
    name = "TargetGroupArn" if "target" in operation else "LoadBalancerArn"
    one = [{name: arn, "Attributes": [{"Key": key, "Value": value}]} for value in (right, wrong)]
    return Example(f"elbv2.{operation}", one[0], one[1])


def answer(content: str) -> list[Json]:
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": content}}]


def redirect(**members: str) -> list[Json]:
    return [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **members}}]


def logs_to(bucket: str) -> Json:
    settings = {"access_logs.s3.enabled": "true", "access_logs.s3.bucket": bucket}
    attributes = [{"Key": key, "Value": value} for key, value in settings.items()]
    return {"LoadBalancerArn": "<balancer>", "Attributes": attributes}


def attributes(arn: str, wrong: dict[str, str], right: dict[str, str]) -> Example:
    one = [
        {"TargetGroupArn": arn, "Attributes": [{"Key": key, "Value": value} for key, value in values.items()]}
        for values in (right, wrong)
    ]
    return Example("elbv2.modify_target_group_attributes", one[0], one[1])


def condition(field: str, config: str, wrong: t.Any, right: t.Any) -> Example:
    found = [{"Field": field, config: {"Values": values}} for values in (wrong, right)]
    return conditions(found[0], right=[found[1]])


def forward(**config: t.Any) -> list[Json]:
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "<instances>"}], **config}}]


def weighted(weight: int) -> list[Json]:
    return forward(TargetGroups=[{"TargetGroupArn": "<instances>", "Weight": weight}])


def sticky(**members: t.Any) -> list[Json]:
    return forward(TargetGroupStickinessConfig={"Enabled": True, **members})


URL = "https://login.example.com"
OIDC: Json = {
    "Issuer": URL,
    "AuthorizationEndpoint": URL,
    "TokenEndpoint": URL,
    "UserInfoEndpoint": URL,
    "ClientId": "shop",
}


def secured(port: int, **members: str) -> Json:
    action = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {**OIDC, **members}}
    return {"ListenerArn": f"<listener {port}>", "Actions": [action, {**FORWARD[0], "Order": 2}]}


REWRITE = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a", "Replace": "/b"}]}}
TCP_GROUP: Json = {"Protocol": "TCP", "HealthCheckProtocol": "TCP"}
LAMBDA_GROUP: Json = {"TargetType": "lambda", "Protocol": None, "Port": None, "VpcId": None}

LOAD_BALANCERS = {
    "balancer_name_length": new_balancer({"Name": "a" * 33}, {"Name": "a" * 32}),
    "balancer_name": new_balancer({"Name": "a_b"}),
    "balancer_name_form": new_balancer({"Name": "internal-web"}),
    "balancer_exists": new_balancer({"Name": "web", "Scheme": "internal"}),
    "balancer_subnet": new_balancer({"Subnets": ["<subnet>", "subnet-0123456789abcdef0"]}),
    "two_subnets_of_a_zone": new_balancer({"Subnets": ["<subnet>", "<second subnet>", "<third subnet>"]}),
    "one_zone": new_balancer({"Subnets": ["<subnet>"]}),
    "balancer_in_two_vpcs": new_balancer({"Subnets": ["<subnet>", "<foreign second subnet>"]}),
    "balancer_group": new_balancer({"SecurityGroups": ["sg-0123456789abcdef0"]}),
    "balancer_group_of_another_vpc": new_balancer({"SecurityGroups": ["<foreign group>"]}),
    "balancer_without_gateway": new_balancer(
        {"Subnets": ["<foreign subnet>", "<foreign second subnet>"], "SecurityGroups": ["<foreign group>"]},
        {
            "Subnets": ["<foreign subnet>", "<foreign second subnet>"],
            "SecurityGroups": ["<foreign group>"],
            "Scheme": "internal",
        },
    ),
    "group_name_length": group({"Name": "a" * 33}, {"Name": "a" * 32}),
    "group_name": group({"Name": "a_b"}),
    "group_name_form": group({"Name": "a-"}),
    "group_exists": group({"Name": "unused", "Port": 81}),
    "group_without_port": group({"Port": None}),
    "group_vpc": group({"VpcId": "vpc-0123456789abcdef0"}),
    "check_timeout": group(
        {"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 10},
        {"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 9},
    ),
    "check_path": group({"HealthCheckPath": "health"}, {"HealthCheckPath": "/health?full=1"}),
    "check_codes": group({"Matcher": {"HttpCode": "200-500"}}, {"Matcher": {"HttpCode": "200-299,301"}}),
    "group_in_use": Example(
        "elbv2.delete_target_group", {"TargetGroupArn": "<spare>"}, {"TargetGroupArn": "<instances>"}
    ),
    "action_group": listener({"DefaultActions": [{"Type": "forward", "TargetGroupArn": "<instances>0"}]}),
    "group_of_another_balancer": listener({"LoadBalancerArn": "<second balancer>"}),
    "listener_exists": listener({"Port": 80}),
    "listener_certificate": listener(
        {"Protocol": "HTTPS"}, {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": "<certificate>"}]}
    ),
    "listener_port": listener({"Protocol": None}),
    "priority_in_use": listener_rule({"Priority": 1}),
    "rule_without_condition": listener_rule({"Conditions": []}),
    "condition_field": conditions({"Field": "path", "Values": ["/a"]}),
    "condition_without_value": conditions({"Field": "path-pattern"}),
    "condition_values": conditions(
        {"Field": "path-pattern", "Values": [f"/{n}" for n in range(6)]},
        right=[{"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{n}" for n in range(5)]}}],
    ),
    "condition_length": conditions({"Field": "path-pattern", "Values": ["/" * 129]}),
    "condition_twice": conditions(PATH, PATH, right=[PATH, {"Field": "host-header", "Values": ["a.example.com"]}]),
    "last_action": listener_rule({"Actions": [*answer("text/html"), *FORWARD]}),
    "redirect_loop": listener({"DefaultActions": redirect(Port="8080")}, {"DefaultActions": redirect(Port="443")}),
    "fixed_content": listener({"DefaultActions": answer("image/png")}, {"DefaultActions": answer("text/html")}),
    "deregistration_delay": attribute(
        "modify_target_group_attributes", "<unused>", "deregistration_delay.timeout_seconds", "3601", "3600"
    ),
    "idle_timeout": attribute(
        "modify_load_balancer_attributes", "<balancer>", "idle_timeout.timeout_seconds", "4001", "4000"
    ),
    "log_bucket": Example("elbv2.modify_load_balancer_attributes", logs_to("logs-of-balancers"), logs_to("other")),
    "group_of_functions": group({"TargetType": "lambda"}, LAMBDA_GROUP),
    "group_of_balancers": group({"TargetType": "alb"}, {"TargetType": "alb", "Protocol": "TCP"}),
    "geneve_port": group({"Protocol": "GENEVE"}, {"Protocol": "GENEVE", "Port": 6081}),
    "protocol_version": group({"Protocol": "TCP", "ProtocolVersion": "GRPC"}, {"ProtocolVersion": "GRPC"}),
    "checks_disabled": group({"HealthCheckEnabled": False}, {**LAMBDA_GROUP, "HealthCheckEnabled": False}),
    "check_protocol": group({"HealthCheckProtocol": "TCP"}, TCP_GROUP),
    "tcp_check": group({**TCP_GROUP, "HealthCheckPath": "/"}, {"Protocol": "TCP", "HealthCheckProtocol": "HTTP"}),
    "check_matcher": group({"Matcher": {"GrpcCode": "0"}}, {"ProtocolVersion": "GRPC", "Matcher": {"GrpcCode": "0"}}),
    "attribute_key": attributes("<unused>", {"sticky": "true"}, {"stickiness.enabled": "true"}),
    "attribute_of_others": attributes(
        "<unused>", {"proxy_protocol_v2.enabled": "true"}, {"slow_start.duration_seconds": "30"}
    ),
    "stickiness_type": attributes("<unused>", {"stickiness.type": "source_ip"}, {"stickiness.type": "lb_cookie"}),
    "cookie_name": attributes(
        "<unused>",
        {"stickiness.type": "app_cookie"},
        {"stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "session"},
    ),
    "slow_start_algorithm": attributes(
        "<unused>",
        {"slow_start.duration_seconds": "30", "load_balancing.algorithm.type": "weighted_random"},
        {"slow_start.duration_seconds": "30", "load_balancing.algorithm.type": "round_robin"},
    ),
    "slow_start": attributes("<unused>", {"slow_start.duration_seconds": "29"}, {"slow_start.duration_seconds": "30"}),
    "condition_member": conditions(
        {"Field": "path-pattern", "HostHeaderConfig": {"Values": ["a.example.com"]}, **PATH}
    ),
    "header_name": conditions(
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "a" * 41, "Values": ["a"]}},
        right=[{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "a" * 40, "Values": ["a"]}}],
    ),
    "method_value": condition("http-request-method", "HttpRequestMethodConfig", ["get"], ["GET"]),
    "query_value": condition("query-string", "QueryStringConfig", [{"Key": "a"}], [{"Key": "a", "Value": "b"}]),
    "source_network": condition("source-ip", "SourceIpConfig", ["192.0.2.1"], ["192.0.2.1/32"]),
    "action_settings": listener_rule({"Actions": [{"Type": "redirect"}]}),
    "secure_action": listener_rule(secured(80, ClientSecret="a"), secured(443, ClientSecret="a")),
    "client_secret": listener_rule({"Priority": 7, **secured(443)}, {"Priority": 7, **secured(443, ClientSecret="a")}),
    "weight": listener_rule({"Actions": weighted(1000)}, {"Actions": weighted(999)}),
    "sticky_seconds": listener_rule({"Actions": sticky()}, {"Actions": sticky(DurationSeconds=60)}),
    "transform_twice": listener_rule({"Transforms": [REWRITE, REWRITE]}, {"Transforms": [REWRITE]}),
    "target_form": Example(
        "elbv2.register_targets",
        {"TargetGroupArn": "<addresses>", "Targets": [{"Id": "10.0.97.5", "Port": 80}]},
        {"TargetGroupArn": "<addresses>", "Targets": [{"Id": "i-0123456789abcdef0", "Port": 80}]},
    ),
}


# Networks


def network_call(operation: str, wrong: Json, right: Json, **common: t.Any) -> Example:
    return Example(f"ec2.{operation}", common | right, common | wrong)


def permission(*blocks: str, first: int = 80, last: int = 80, text: str = "web") -> Json:
    ranges = [{"CidrIp": block, "Description": text} for block in blocks]
    return {"IpPermissions": [{"IpProtocol": "tcp", "FromPort": first, "ToPort": last, "IpRanges": ranges}]}


def from_group(name: str) -> Json:
    pairs = [{"GroupId": name}]
    return {"IpPermissions": [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": pairs}]}


def authorize(wrong: Json, right: Json) -> Example:
    return network_call("authorize_security_group_ingress", wrong, right, GroupId="<rules>")


SERVICE_NAME = "com.amazonaws.eu-central-1.ecr.api"
ENDPOINT: Json = {"ServiceName": SERVICE_NAME, "VpcEndpointType": "Interface", "PrivateDnsEnabled": True}
DEFAULT_ROUTE = "0.0.0.0/0"
INSTANCE: Json = {"ImageId": "ami-0123456789abcdef0", "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.micro"}

NETWORKS = {
    "block_form": network_call("create_vpc", {"CidrBlock": "10.0.0.0/33"}, {"CidrBlock": "10.8.0.0/16"}),
    "vpc_range": network_call("create_vpc", {"CidrBlock": "10.0.0.0/15"}, {"CidrBlock": "10.8.0.0/16"}),
    "subnet_range": network_call(
        "create_subnet", {"CidrBlock": "10.9.0.0/24"}, {"CidrBlock": "10.0.1.0/24"}, VpcId="<vpc>"
    ),
    "subnet_conflict": network_call(
        "create_subnet", {"CidrBlock": "10.0.97.0/25"}, {"CidrBlock": "10.0.2.0/24"}, VpcId="<vpc>"
    ),
    "unknown_vpc": network_call("create_route_table", {"VpcId": "vpc-0123456789abcdef0"}, {"VpcId": "<vpc>"}),
    "second_gateway": network_call(
        "attach_internet_gateway", {"VpcId": "<vpc>"}, {"VpcId": "<bare vpc>"}, InternetGatewayId="<spare gateway>"
    ),
    "security_group_name": network_call(
        "create_security_group", {"GroupName": "sg-web"}, {"GroupName": "web"}, Description="web", VpcId="<vpc>"
    ),
    "security_group_description": network_call(
        "create_security_group",
        {"Description": "the web's"},
        {"Description": "the web"},
        GroupName="described",
        VpcId="<vpc>",
    ),
    "rule_description": authorize(permission("10.0.0.1/32", text="it's"), permission("10.0.0.1/32", text="it is")),
    "rule_exists": authorize(permission("10.0.0.0/8"), permission("10.0.0.2/32")),
    "port_range": authorize(permission("10.0.0.3/32", first=90), permission("10.0.0.3/32", last=90)),
    "rule_of_unknown_group": authorize(from_group("sg-0123456789abcdef0"), from_group("<group>")),
    "rule_of_another_vpc": authorize(from_group("<foreign group>"), from_group("<second group>")),
    "too_many_rules": authorize(
        permission(*(f"10.1.0.{n}/32" for n in range(61))), permission(*(f"10.1.0.{n}/32" for n in range(50)))
    ),
    "security_group_in_use": network_call(
        "delete_security_group", {"GroupId": "<group>"}, {"GroupId": "<spare group>"}
    ),
    "route_exists": network_call(
        "create_route",
        {"RouteTableId": "<routes>"},
        {"RouteTableId": "<empty routes>"},
        DestinationCidrBlock=DEFAULT_ROUTE,
        GatewayId="<gateway>",
    ),
    "route_to_foreign_gateway": network_call(
        "create_route",
        {"RouteTableId": "<foreign routes>", "GatewayId": "<gateway>"},
        {"RouteTableId": "<second routes>", "GatewayId": "<gateway>"},
        DestinationCidrBlock=DEFAULT_ROUTE,
    ),
    "route_to_unknown_nat": network_call(
        "create_route",
        {"NatGatewayId": "nat-0123456789abcdef0"},
        {"NatGatewayId": "<nat>"},
        RouteTableId="<third routes>",
        DestinationCidrBlock=DEFAULT_ROUTE,
    ),
    "second_route_table": network_call(
        "associate_route_table",
        {"SubnetId": "<subnet>"},
        {"SubnetId": "<third subnet>"},
        RouteTableId="<second routes>",
    ),
    "nat_without_address": network_call(
        "create_nat_gateway", {}, {"AllocationId": "<spare address>"}, SubnetId="<second subnet>"
    ),
    "nat_subnet": network_call(
        "create_nat_gateway",
        {"SubnetId": "subnet-0123456789abcdef0"},
        {"SubnetId": "<subnet>"},
        ConnectivityType="private",
    ),
    "address_in_use": network_call(
        "release_address", {"AllocationId": "<address>"}, {"AllocationId": "<free address>"}
    ),
    "second_endpoint": network_call(
        "create_vpc_endpoint",
        ENDPOINT | {"VpcId": "<vpc>"},
        ENDPOINT | {"VpcId": "<vpc>", "ServiceName": "com.amazonaws.eu-central-1.ecr.dkr"},
    ),
    "endpoint_without_dns": network_call(
        "create_vpc_endpoint",
        ENDPOINT | {"VpcId": "<foreign vpc>"},
        ENDPOINT | {"VpcId": "<foreign vpc>", "PrivateDnsEnabled": False},
    ),
    "endpoint_zones": network_call(
        "create_vpc_endpoint",
        {"SubnetIds": ["<subnet>", "<third subnet>"]},
        {"SubnetIds": ["<subnet>", "<second subnet>"]},
        **ENDPOINT | {"VpcId": "<vpc>", "ServiceName": "com.amazonaws.eu-central-1.logs"},
    ),
    "subnet_in_use": network_call("delete_subnet", {"SubnetId": "<subnet>"}, {"SubnetId": "<spare subnet>"}),
    "vpc_in_use": network_call("delete_vpc", {"VpcId": "<routed vpc>"}, {"VpcId": "<spare vpc>"}),
    "route_table_in_use": network_call(
        "delete_route_table", {"RouteTableId": "<routes>"}, {"RouteTableId": "<spare routes>"}
    ),
    "gateway_in_use": network_call(
        "delete_internet_gateway", {"InternetGatewayId": "<gateway>"}, {"InternetGatewayId": "<detached gateway>"}
    ),
    "gateway_with_addresses": network_call(
        "detach_internet_gateway",
        {"InternetGatewayId": "<gateway>", "VpcId": "<vpc>"},
        {"InternetGatewayId": "<routed gateway>", "VpcId": "<routed vpc>"},
    ),
    "instance_in_two_networks": network_call(
        "run_instances",
        {"SecurityGroupIds": ["<foreign group>"]},
        {"SecurityGroupIds": ["<group>"]},
        SubnetId="<subnet>",
        **INSTANCE,
    ),
    "user_data": network_call(
        "run_instances", {"UserData": "a" * 16385}, {"UserData": "a" * 16384}, SubnetId="<subnet>", **INSTANCE
    ),
}


# Policies, and what keeps values


def policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


ALLOW: Json = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
ASSUME: Json = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}


def without(statement: Json, member: str) -> Json:
    return {name: value for name, value in statement.items() if name != member}


def inline(wrong: str, right: str | None = None) -> Example:
    common = {"RoleName": "tasks", "PolicyName": "inline"}
    right = policy(ALLOW) if right is None else right
    return Example("iam.put_role_policy", common | {"PolicyDocument": right}, common | {"PolicyDocument": wrong})


def trust(wrong: str) -> Example:
    common = {"RoleName": "tasks"}
    return Example(
        "iam.update_assume_role_policy",
        common | {"PolicyDocument": policy(ASSUME)},
        common | {"PolicyDocument": wrong},
    )


def big(characters: int) -> str:
    """A policy of about so many characters."""
    return policy(ALLOW | {"Resource": "a" * (characters - len(policy(ALLOW).replace(" ", "")))})


MANAGED = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POLICIES = {
    "policy_syntax": inline("{"),
    "policy_actions": inline(policy(without(ALLOW, "Action"))),
    "policy_resources": inline(policy(without(ALLOW, "Resource"))),
    "statement_ids": inline(policy(ALLOW | {"Sid": "A"}, ALLOW | {"Sid": "A"}), policy(ALLOW, ALLOW | {"Sid": "A"})),
    "trust_resources": trust(policy(ASSUME | {"Resource": "*"})),
    "trust_size": trust(policy(*[ASSUME] * 30)),
    "policy_size": Example(
        "iam.create_policy",
        {"PolicyName": "big", "PolicyDocument": big(6100)},
        {"PolicyName": "big", "PolicyDocument": big(6200)},
    ),
    "inline_policies_size": inline(big(10300), big(10200)),
    "policies_per_role": Example(
        "iam.attach_role_policy",
        {"RoleName": "tasks", "PolicyArn": MANAGED},
        {"RoleName": "with-ten-policies", "PolicyArn": MANAGED},
    ),
}


def lifecycle(*priorities: int) -> Json:
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 9}
    rules = [{"rulePriority": one, "selection": selection, "action": {"type": "expire"}} for one in priorities]
    return {"repositoryName": "images", "lifecyclePolicyText": json.dumps({"rules": rules})}


def parameter(wrong: Json, right: Json | None = None) -> Example:
    base = {"Name": "/web/key", "Value": "1", "Type": "String", "Overwrite": True}
    return Example("ssm.put_parameter", base | (right or {}), base | wrong)


HOSTS: Json = {
    "AutoScalingGroupName": "new",
    "MinSize": 1,
    "MaxSize": 3,
    "VPCZoneIdentifier": "<subnet>",
    "LaunchTemplate": {"LaunchTemplateId": "lt-0123456789abcdef0"},
}


def hosts(wrong: Json, right: Json | None = None) -> Example:
    """Two groups; the accepted one gets a name of its own."""
    name = "-".join([*wrong, str(sorted(right or {}))])
    right = changed(HOSTS, {"AutoScalingGroupName": name} | (right or {}))
    return Example("autoscaling.create_auto_scaling_group", right, changed(HOSTS, wrong))


def mutability(name: str) -> Json:
    """Immutable tags but for some."""
    filters = [{"filterType": "WILDCARD", "filter": name}]
    return {
        "repositoryName": "images",
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": filters,
    }


STORES = {
    "lifecycle_form": Example(
        "ecr.put_lifecycle_policy", lifecycle(1), {"repositoryName": "images", "lifecyclePolicyText": "[" + " " * 200}
    ),
    "lifecycle_priorities": Example("ecr.put_lifecycle_policy", lifecycle(1, 2), lifecycle(1, 1)),
    "mutability_filters": Example(
        "ecr.put_image_tag_mutability", mutability("v1"), {**mutability("v1"), "imageTagMutability": "IMMUTABLE"}
    ),
    "mutability_wildcards": Example("ecr.put_image_tag_mutability", mutability("v*.*"), mutability("v*.*.*")),
    "parameter_size": parameter({"Value": "a" * 4097}, {"Value": "a" * 4096}),
    "parameter_path": parameter({"Name": "web/key"}),
    "parameter_name": parameter({"Name": "/web/a key"}),
    "parameter_levels": parameter({"Name": "/a" * 16}, {"Name": "/a" * 15}),
    "secret_name_form": Example(
        "secretsmanager.create_secret",
        {"Name": "web/key", "SecretString": "1"},
        {"Name": "web key", "SecretString": "1"},
    ),
    "recovery_window": Example(
        "secretsmanager.delete_secret",
        {"SecretId": "old", "RecoveryWindowInDays": 7},
        {"SecretId": "old", "RecoveryWindowInDays": 6},
    ),
    "retention": Example(
        "logs.put_retention_policy",
        {"logGroupName": "logs", "retentionInDays": 5},
        {"logGroupName": "logs", "retentionInDays": 4},
    ),
    "group_bounds": hosts({"MaxSize": 0}),
    "group_capacity": hosts({"DesiredCapacity": 4}, {"DesiredCapacity": 3}),
    "group_without_place": hosts({"VPCZoneIdentifier": None}),
    "group_subnet": hosts({"VPCZoneIdentifier": "subnet-0123456789abcdef0"}, {"MaxSize": 5}),
    "group_without_template": hosts({"LaunchTemplate": None}),
}


EXAMPLES: dict[str, Example] = {
    **TASK_DEFINITIONS,
    **SERVICES,
    **TAGS,
    **LOAD_BALANCERS,
    **NETWORKS,
    **POLICIES,
    **STORES,
}

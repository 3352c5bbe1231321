# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster as somebody else has made it: thirty services that differ in where they run, how they are deployed and what
their containers are. Each is what its owner sent to AWS."""

from __future__ import annotations

import datetime
import json
import typing as t

Json = dict[str, t.Any]
REGION, ACCOUNT = "eu-central-1", "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
NAMESPACE = f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:namespace/ns-abcdefghijklmnop"
# Of listener rules: only requests of one client, and another path for the tasks.
CLIENT: Json = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Client", "Values": ["app"]}}
REWRITE: Json = {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/host", "Replace": "/"}]}}


class Place(t.NamedTuple):
    """What the services use, by name: subnets, groups, target groups, listeners and rules."""

    vpc: str
    subnets: list[str]
    group: str
    targets: dict[str, str]
    balancer: str
    listener: str
    rules: dict[str, str]
    registry: str

    @property
    def network(self) -> Json:
        return {"awsvpcConfiguration": {"subnets": self.subnets, "securityGroups": [self.group]}}


def create_place(client: t.Callable[[str], t.Any]) -> Place:
    """A network, a load balancer with rules, and a registry of names."""
    ec2, elb = client("ec2"), client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=REGION + zone)["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("abab")
    ]
    group = ec2.create_security_group(GroupName="tasks", Description="tasks", VpcId=vpc)["GroupId"]
    targets = {}
    for name in ("web", "api", "blue", "green", "canary", "canary-2", "linear", "linear-2", "host", "plain"):
        kind = "instance" if name == "host" else "ip"
        made = elb.create_target_group(
            Name=f"prod-{name}",
            Protocol="HTTP",
            Port=8080,
            VpcId=vpc,
            TargetType=kind,
            HealthCheckPath=f"/{name}/health",
            HealthCheckIntervalSeconds=15,
            Matcher={"HttpCode": "200"},
        )
        targets[name] = made["TargetGroups"][0]["TargetGroupArn"]
    balancer = elb.create_load_balancer(Name="prod", Subnets=subnets[2:])["LoadBalancers"][0]["LoadBalancerArn"]
    action = [{"Type": "forward", "TargetGroupArn": targets["web"]}]
    listener = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=action)
    arn = listener["Listeners"][0]["ListenerArn"]
    rules = {}
    for number, (name, other) in enumerate(
        [("api", ""), ("blue", "green"), ("canary", "canary-2"), ("linear", "linear-2"), ("host", ""), ("plain", "")], 1
    ):
        pair = [{"TargetGroupArn": targets[one], "Weight": weight} for one, weight in ((name, 1), (other, 0)) if one]
        to = {"ForwardConfig": {"TargetGroups": pair}} if other else {"TargetGroupArn": targets[name]}
        path = {"Field": "path-pattern", "PathPatternConfig": {"Values": [f"/{name}/*"]}}
        made = elb.create_rule(
            ListenerArn=arn,
            Priority=10 * number,
            Conditions=[path, *([CLIENT] if name == "api" else [])],
            Actions=[{"Type": "forward", **to}],
            **({"Transforms": [REWRITE]} if name == "host" else {}),
        )
        rules[name] = made["Rules"][0]["RuleArn"]
    customize(elb, arn, targets["api"])
    create_roles(client("iam"))
    discovery = client("servicediscovery")
    discovery.create_private_dns_namespace(Name="prod.internal", Vpc=vpc)
    [space] = [one for one in discovery.list_namespaces()["Namespaces"] if one["Name"] == "prod.internal"]
    dns = {"DnsRecords": [{"Type": "SRV", "TTL": 10}]}
    registry = discovery.create_service(Name="orders", NamespaceId=space["Id"], DnsConfig=dns)["Service"]["Arn"]
    return Place(vpc, subnets[:2], group, targets, balancer, arn, rules, registry)


def customize(elb: t.Any, listener: str, group: str) -> None:
    """A target group that is checked on a port of its own, keeps clients at a task, and has a second rule."""
    elb.modify_target_group(TargetGroupArn=group, HealthCheckPort="8081")
    attributes = {"stickiness.enabled": "true", "stickiness.lb_cookie.duration_seconds": "3600"}
    listed = [{"Key": key, "Value": value} for key, value in attributes.items()]
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=listed)
    elb.create_rule(
        ListenerArn=listener,
        Priority=15,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["api.shop.example"]}}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )


def create_roles(iam: t.Any) -> None:
    """Each is one that AWS's service may assume."""
    services = {"exec": "ecs-tasks", "task": "ecs-tasks", "elb": "ecs", "ebs": "ecs", "schedules": "scheduler"}
    for name, service in services.items():
        statement = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": f"{service}.amazonaws.com"},
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy))


def container(name: str = "app", **members: t.Any) -> Json:
    return {"name": name, "image": f"public.ecr.aws/shop/{name}:1.4", **members}


def on_fargate(*containers: Json, **members: t.Any) -> Json:
    return {
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "executionRoleArn": f"{ROLE}exec",
        "containerDefinitions": list(containers) or [container(portMappings=[{"containerPort": 8080}])],
        **members,
    }


def on_hosts(*containers: Json, **members: t.Any) -> Json:
    return {"containerDefinitions": list(containers) or [container(memory=128)], **members}


def shifted(place: Place, name: str, other: str) -> Json:
    advanced = {
        "alternateTargetGroupArn": place.targets[other],
        "productionListenerRule": place.rules[name],
        "roleArn": f"{ROLE}elb",
    }
    return {
        "targetGroupArn": place.targets[name],
        "containerName": "app",
        "containerPort": 8080,
        "advancedConfiguration": advanced,
    }


def balanced(place: Place, name: str) -> list[Json]:
    return [{"targetGroupArn": place.targets[name], "containerName": "app", "containerPort": 8080}]


PORT = [{"containerPort": 8080, "name": "http", "protocol": "tcp"}]
LOGS = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "/prod", "awslogs-region": REGION, "awslogs-stream-prefix": "app"},
}


def services(place: Place) -> dict[str, tuple[Json, Json]]:
    """By name, a service beside its defaults, and its task definition."""
    fargate: Json = {"launchType": "FARGATE", "networkConfiguration": place.network}
    own = {"capacityProviderStrategy": [{"capacityProvider": "prod-hosts", "weight": 1, "base": 1}]}
    return {
        "plain": (fargate, on_fargate()),
        "web": (
            {**fargate, "loadBalancers": balanced(place, "web"), "healthCheckGracePeriodSeconds": 60},
            on_fargate(),
        ),
        "api": ({**fargate, "loadBalancers": balanced(place, "api"), "desiredCount": 3}, on_fargate()),
        "spot": (
            {
                "capacityProviderStrategy": [
                    {"capacityProvider": "FARGATE_SPOT", "weight": 3},
                    {"capacityProvider": "FARGATE", "weight": 1, "base": 1},
                ],
                "networkConfiguration": place.network,
            },
            on_fargate(),
        ),
        "public": (
            {
                "launchType": "FARGATE",
                "platformVersion": "1.4.0",
                "networkConfiguration": {
                    "awsvpcConfiguration": {**place.network["awsvpcConfiguration"], "assignPublicIp": "ENABLED"}
                },
            },
            on_fargate(),
        ),
        "arm": (fargate, on_fargate(runtimePlatform={"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"})),
        "windows": (
            fargate,
            on_fargate(
                cpu="1024",
                memory="2048",
                runtimePlatform={"cpuArchitecture": "X86_64", "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"},
            ),
        ),
        "provider": ({**own, "networkConfiguration": place.network}, on_hosts(networkMode="awsvpc")),
        "bridge": (
            {"launchType": "EC2", "loadBalancers": balanced(place, "host")},
            on_hosts(
                container(memory=128, portMappings=[{"containerPort": 8080, "hostPort": 0}]), networkMode="bridge"
            ),
        ),
        "host-network": ({"launchType": "EC2"}, on_hosts(networkMode="host", pidMode="host")),
        "daemon": ({"launchType": "EC2", "schedulingStrategy": "DAEMON"}, on_hosts()),
        "external": ({"launchType": "EXTERNAL"}, on_hosts(requiresCompatibilities=["EXTERNAL"])),
        "placed": (
            {
                **own,
                "placementStrategy": [
                    {"type": "spread", "field": "attribute:ecs.availability-zone"},
                    {"type": "binpack", "field": "memory"},
                ],
                "placementConstraints": [{"type": "distinctInstance"}],
            },
            on_hosts(placementConstraints=[{"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}]),
        ),
        "connected": (
            {
                **fargate,
                "serviceConnectConfiguration": {
                    "enabled": True,
                    "namespace": NAMESPACE,
                    "services": [
                        {
                            "portName": "http",
                            "discoveryName": "connected",
                            "clientAliases": [{"port": 80, "dnsName": "connected"}],
                        }
                    ],
                    "logConfiguration": LOGS,
                },
            },
            on_fargate(container(portMappings=PORT)),
        ),
        "client": ({**fargate, "serviceConnectConfiguration": {"enabled": True, "namespace": NAMESPACE}}, on_fargate()),
        "registered": (
            {
                **fargate,
                "serviceRegistries": [{"registryArn": place.registry, "containerName": "app", "containerPort": 8080}],
            },
            on_fargate(),
        ),
        "blue-green": (
            {
                **fargate,
                "loadBalancers": [shifted(place, "blue", "green")],
                "deploymentConfiguration": {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 15},
            },
            on_fargate(),
        ),
        "canary": (
            {
                **fargate,
                "loadBalancers": [shifted(place, "canary", "canary-2")],
                "deploymentConfiguration": {
                    "strategy": "CANARY",
                    "bakeTimeInMinutes": 5,
                    "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 5},
                },
            },
            on_fargate(),
        ),
        "linear": (
            {
                **fargate,
                "loadBalancers": [shifted(place, "linear", "linear-2")],
                "deploymentConfiguration": {
                    "strategy": "LINEAR",
                    "bakeTimeInMinutes": 5,
                    "linearConfiguration": {"stepPercent": 20.0, "stepBakeTimeInMinutes": 3},
                },
            },
            on_fargate(),
        ),
        "breaker": (
            {
                **fargate,
                "deploymentConfiguration": {
                    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
                    "maximumPercent": 150,
                    "minimumHealthyPercent": 50,
                    "alarms": {"alarmNames": ["errors"], "enable": True, "rollback": True},
                },
            },
            on_fargate(),
        ),
        "tagged": (
            {
                **fargate,
                "tags": [{"key": "team", "value": "payments"}, {"key": "cost", "value": "12"}],
                "propagateTags": "SERVICE",
                "enableECSManagedTags": True,
                "enableExecuteCommand": True,
            },
            {**on_fargate(taskRoleArn=f"{ROLE}task"), "tags": [{"key": "team", "value": "payments"}]},
        ),
        "sidecars": (
            fargate,
            on_fargate(
                container("init", essential=False, command=["sh", "-c", "echo {{ ready }}"]),
                container(
                    portMappings=PORT,
                    dependsOn=[
                        {"containerName": "init", "condition": "SUCCESS"},
                        {"containerName": "proxy", "condition": "HEALTHY"},
                    ],
                ),
                container(
                    "proxy",
                    healthCheck={"command": ["CMD-SHELL", "curl -f localhost || exit 1"], "interval": 10},
                    ulimits=[{"name": "nofile", "softLimit": 4096, "hardLimit": 8192}],
                ),
            ),
        ),
        "secrets": (
            fargate,
            on_fargate(
                container(
                    environment=[{"name": "LEVEL", "value": "info"}, {"name": "EMPTY", "value": ""}],
                    environmentFiles=[{"value": "arn:aws:s3:::prod-settings/app.env", "type": "s3"}],
                    secrets=[
                        {"name": "DATABASE", "valueFrom": f"{SECRET}prod/database-AbCdEf:password::"},
                        {"name": "TOKEN", "valueFrom": "token"},
                        {"name": "KEY", "valueFrom": "/prod/key"},
                    ],
                    logConfiguration=LOGS,
                )
            ),
        ),
        "firelens": (
            fargate,
            on_fargate(
                container(
                    "router",
                    firelensConfiguration={"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}},
                ),
                container(
                    logConfiguration={"logDriver": "awsfirelens", "options": {"Name": "cloudwatch", "region": REGION}}
                ),
            ),
        ),
        "efs": (
            fargate,
            on_fargate(
                container(mountPoints=[{"sourceVolume": "data", "containerPath": "/data", "readOnly": False}]),
                volumes=[
                    {
                        "name": "data",
                        "efsVolumeConfiguration": {
                            "fileSystemId": "fs-0123456789abcdef0",
                            "transitEncryption": "ENABLED",
                            "authorizationConfig": {"accessPointId": "fsap-0123456789abcdef0", "iam": "ENABLED"},
                        },
                    }
                ],
            ),
        ),
        "ebs": (
            {
                **fargate,
                "volumeConfigurations": [
                    {
                        "name": "scratch",
                        "managedEBSVolume": {
                            "roleArn": f"{ROLE}ebs",
                            "sizeInGiB": 20,
                            "volumeType": "gp3",
                            "encrypted": True,
                        },
                    }
                ],
            },
            on_fargate(
                container(mountPoints=[{"sourceVolume": "scratch", "containerPath": "/scratch"}]),
                volumes=[{"name": "scratch", "configuredAtLaunch": True}],
            ),
        ),
        "hardened": (
            fargate,
            on_fargate(
                container(
                    image="busybox",
                    readonlyRootFilesystem=True,
                    user="1000",
                    linuxParameters={"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
                    entryPoint=["/bin/app"],
                    workingDirectory="/srv",
                    stopTimeout=60,
                    dockerLabels={"owner": "shop"},
                ),
                ephemeralStorage={"sizeInGiB": 40},
            ),
        ),
        "shares": (fargate, {"family": "plain"}),
        "older": (fargate, on_fargate()),
        "nightly": ({**fargate, "desiredCount": 0}, on_fargate()),
    }


# Those of the daily tests: where they run, how traffic reaches them, and what needs care in variables.
DAILY = ("plain", "api", "spot", "bridge", "blue-green", "tagged", "sidecars", "secrets", "nightly")


def create_services(client: t.Callable[[str], t.Any], place: Place, names: t.Collection[str] = ()) -> list[str]:
    """The cluster `prod` with these services, or all; with a schedule, and an older revision that runs."""
    ecs = client("ecs")
    group = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:0:autoScalingGroupName/prod"
    ecs.create_capacity_provider(name="prod-hosts", autoScalingGroupProvider={"autoScalingGroupArn": group})
    ecs.create_cluster(
        clusterName="prod",
        capacityProviders=["FARGATE", "FARGATE_SPOT", "prod-hosts"],
        settings=[{"name": "containerInsights", "value": "enabled"}],
    )
    made = []
    for name, (service, definition) in services(place).items():
        if names and name not in names:
            continue
        family = definition.get("family")
        arn = family or ecs.register_task_definition(family=name, **definition)["taskDefinition"]["taskDefinitionArn"]
        if name == "older":
            ecs.register_task_definition(family=name, **{**definition, "memory": "1024"})
        count = {} if service.get("schedulingStrategy") == "DAEMON" else {"desiredCount": 1}
        ecs.create_service(cluster="prod", serviceName=name, taskDefinition=arn, **{**count, **service})
        made.append(name)
    create_schedule(client, place)
    return made


def create_schedule(client: t.Callable[[str], t.Any], place: Place) -> None:
    """A task at night with the settings of a service, in a group of its own."""
    scheduler, ecs = client("scheduler"), client("ecs")
    scheduler.create_schedule_group(Name="jobs")
    [nightly] = ecs.describe_services(cluster="prod", services=["nightly"])["services"]
    network = place.network["awsvpcConfiguration"]
    scheduler.create_schedule(
        GroupName="jobs",
        Name="cleanup",
        ScheduleExpression="cron(30 2 * * ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        FlexibleTimeWindow={"Mode": "OFF"},
        EndDate=datetime.datetime(2040, 1, 1, tzinfo=datetime.UTC),
        Target={
            "Arn": nightly["clusterArn"],
            "RoleArn": f"{ROLE}schedules",
            "Input": '{"containerOverrides": [{"name": "app", "command": ["clean", "--all"]}]}',
            "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 86400},
            "EcsParameters": {
                "TaskDefinitionArn": nightly["taskDefinition"],
                "LaunchType": "FARGATE",
                "PlatformVersion": "LATEST",
                "NetworkConfiguration": {
                    "awsvpcConfiguration": {"Subnets": network["subnets"], "SecurityGroups": network["securityGroups"]}
                },
            },
        },
    )

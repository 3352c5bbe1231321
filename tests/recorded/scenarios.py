# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options with which each module reads the recorded account: as users write them, not as AWS answers."""

from __future__ import annotations

import typing as t

from ansible_collections.slipway.aws.tests.recorded.answers import ACCOUNT, REGION
from ansible_collections.slipway.aws.tests.recorded.readers import Reader

Json = dict[str, t.Any]
TAGS = {"slipway:project": "shop", "team": "web"}
GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/shop-web/608e176bc37cd1d3"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"

CONTAINERS: list[Json] = [
    {
        "name": "log",
        "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable",
        "memoryReservation": 50,
        "firelensConfiguration": {"type": "fluentbit"},
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/ecs/shop",
                "awslogs-region": REGION,
                "awslogs-stream-prefix": "web",
            },
        },
    },
    {
        "name": "web",
        "image": f"{REGISTRY}/shop/web:1.4.2",
        "portMappings": [{"containerPort": 8080, "name": "http", "appProtocol": "http"}],
        "environment": [
            {"name": "BASE_URL", "value": "https://shop.example.com"},
            {"name": "DEBUG", "value": ""},
            {"name": "WORKERS", "value": "4"},
        ],
        "secrets": [
            {
                "name": "DATABASE",
                "valueFrom": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop/database-ZO5wu6",
            },
            {"name": "SECRET_KEY", "valueFrom": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop/web/SECRET_KEY"},
        ],
        "dependsOn": [{"containerName": "log", "condition": "START"}],
        "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/tmp"}],
        "readonlyRootFilesystem": True,
        "ulimits": [{"name": "nofile", "softLimit": 65536, "hardLimit": 65536}],
        "logConfiguration": {"logDriver": "awsfirelens"},
        "healthCheck": {
            "command": ["CMD-SHELL", "curl --fail http://localhost:8080/readyz"],
            "interval": 10,
            "startPeriod": 20,
        },
    },
]
DEFINITION: Json = {
    "family": "shop-web",
    "requires_compatibilities": ["FARGATE"],
    "network_mode": "awsvpc",
    "cpu": "0.25 vCPU",
    "memory": "0.5 GB",
    "task_role_arn": "shop-host",
    "execution_role_arn": "shop-execution",
    "volumes": [{"name": "scratch"}],
    "container_definitions": CONTAINERS,
    "tags": TAGS,
}
FLOW_LOG: Json = {
    "resource_id": "vpc-0c1be6284618ac4c1",
    "match_tags": {"slipway:project": "shop"},
    "traffic_type": "REJECT",
    "log_group_name": "/ecs/shop/flow-logs",
    "role_arn": f"arn:aws:iam::{ACCOUNT}:role/shop-flow-logs",
}
SERVICE: Json = {
    "cluster": "shop",
    "name": "web",
    "task_definition": "shop-web:7",
    "desired_count": 2,
    "capacity_provider_strategy": [
        {"capacityProvider": "FARGATE", "base": 1},
        {"capacityProvider": "FARGATE_SPOT", "weight": 2},
    ],
    "deployment_configuration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    "network_configuration": {
        "awsvpcConfiguration": {
            "subnets": ["subnet-0a92e88c50ab9adac", "subnet-0b829c7f54fd00883"],
            "securityGroups": ["sg-037c67c516127610d"],
            "assignPublicIp": "ENABLED",
        }
    },
    "load_balancers": [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}],
    "service_registries": [
        {"registryArn": f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:service/srv-shopweb000000001"}
    ],
    "service_connect_configuration": {
        "enabled": True,
        "namespace": "shop",
        "services": [{"portName": "http", "discoveryName": "web", "clientAliases": [{"port": 80, "dnsName": "web"}]}],
    },
    "health_check_grace_period_seconds": 60,
    "propagate_tags": "SERVICE",
    "enable_ecs_managed_tags": True,
    "enable_execute_command": False,
    "tags": TAGS,
}


def named(kind: str, member: str) -> t.Callable[[Json], list[str]]:
    """What a result lists."""
    return lambda result: sorted(str(one[member]) for one in result[kind])


POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Pull",
            "Effect": "Allow",
            "Principal": {"AWS": "444455556666"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        }
    ],
}
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Keep ten",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
            "action": {"type": "expire"},
        }
    ]
}
CLUSTER: Json = {
    "name": "shop",
    "capacity_providers": ["FARGATE", "FARGATE_SPOT", "shop-hosts"],
    "default_capacity_provider_strategy": [{"capacityProvider": "FARGATE", "weight": 1}],
    "settings": [{"name": "containerInsights", "value": "enabled"}],
    "configuration": {"executeCommandConfiguration": {"logging": "DEFAULT"}},
    "service_connect_defaults": {"namespace": "shop"},
    "tags": TAGS,
}
SCALING: Json = {
    "name": "web",
    "min_capacity": 0,
    "max_capacity": 6,
    "cpu_utilization": 60,
    "queue": {"name": "orders", "messages_per_task": 100},
    "schedules": [
        {"name": "night", "schedule": "cron(0 22 * * ? *)", "timezone": "Europe/Berlin", "min_capacity": 0},
    ],
}
SCHEDULES: Json = {
    "name": "shop",
    "cluster": "shop",
    "role_arn": f"arn:aws:iam::{ACCOUNT}:role/shop-schedules",
    "schedules": [
        {
            "name": "night",
            "service": "web",
            "container": "web",
            "command": ["clean-up"],
            "schedule": "cron(0 22 * * ? *)",
            "timezone": "Europe/Berlin",
            "maximum_retry_attempts": 3,
        }
    ],
    "match_tags": {"slipway:project": "shop"},
    "tags": TAGS,
}
SECRETS: list[Json] = [
    {"name": "SECRET_KEY"},
    {"name": "database", "type": "SecretsManager"},
]
# The subnet that the account has.
PLACED = {
    "awsvpcConfiguration": {
        "subnets": ["subnet-0b829c7f54fd00883"],
        "securityGroups": ["sg-037c67c516127610d"],
        "assignPublicIp": "ENABLED",
    }
}


def failures_of(checks: list[Json]) -> list[str]:
    return [one["text"] for one in checks if one["state"] == "FAIL"]


HOOK = {
    "hookTargetArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:shop-smoke-test",
    "roleArn": "shop-hooks",
    "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
}
CERTIFICATE = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/291f52cc-1817-469f-918a-cccbb4f9a5fb"
LISTENER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:listener/app/shop/28710532987600ac/c3e840dcd6d774c6"
TARGETS: Json = {
    "name": "shop-web",
    "vpc_id": "vpc-0c1be6284618ac4c1",
    "protocol": "HTTP",
    "port": 8080,
    "protocol_version": "HTTP1",
    "target_type": "ip",
    "ip_address_type": "ipv4",
    "health_check_enabled": True,
    "health_check_port": "traffic-port",
    "health_check_path": "/readyz",
    "health_check_codes": "200",
    "health_check_interval": 15,
    "healthy_threshold": 2,
    "deregistration_delay": 30,
    "attributes": {
        "stickiness.enabled": False,
        "slow_start.duration_seconds": 0,
        "load_balancing.algorithm.type": "round_robin",
        "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    },
    "tags": TAGS,
}
GROUP_SETTINGS: Json = {
    "MinSize": 1,
    "MaxSize": 3,
    "LaunchTemplate": {"LaunchTemplateName": "shop-hosts", "Version": "4"},
    "VPCZoneIdentifier": "subnet-0a92e88c50ab9adac, subnet-0b829c7f54fd00883",
}
KEEP = {
    "schedule": [],
    "service": [],
    "task definition": [],
    "parameter": [],
    "secret": [],
    "target group": [],
    "discovery service": [],
    "log group": ["/ecs/other"],
    "repository": [],
    "load balancer": [],
    "cluster": [],
}


def absent(module: str, **options: t.Any) -> Reader:
    return Reader(
        module, {"state": "absent", "wait": False, **options} if module in WAITING else {"state": "absent", **options}
    )


WAITING = {"auto_scaling_group", "ecs_capacity_provider", "ecs_cluster", "ecs_service"}
RULES: Json = {
    "listener_arn": LISTENER,
    "rules": [{"priority": 10, "hosts": ["Shop.example.com"], "paths": ["/api", "/api/*"], "target_group_arn": GROUP}],
}

ADOPTION: Json = {
    "cluster": "shop",
    "project": "shop",
    "services": ["web"],
    "scaled_services": ["web"],
    "target_groups": ["shop-web"],
    "listener_arns": [LISTENER],
    "rule_priorities": [10],
    "schedule_group": "shop",
}


def adopted(result: Json) -> list[str]:
    """What an adoption shows to exist. A scalable target has no ARN if it is older than tags of such are."""
    return [str(one["arn"]) for one in result["resources"] if one["kind"] != "scalable target"]


def named_in_site(result: Json) -> list[str]:
    """What an import shows to exist."""
    groups = result["site"]["variables"]["load_balancer"]["ecs_load_balancer_target_groups"]
    return [str(one["name"]) for one in (*result["site"]["services"], *groups)]


READERS = (
    Reader("acm_certificate_request", {"domains": ["shop.example.com", "*.shop.example.com"], "tags": TAGS}),
    Reader("auto_scaling_group", {"name": "shop-hosts", "settings": GROUP_SETTINGS, "tags": TAGS}),
    absent("auto_scaling_group", name="shop-hosts"),
    Reader(
        "ec2_host_keys_info",
        {"instance_id": "i-0a1b2c3d4e5f60718"},
        lambda result: [result["host_keys"]["ssh-ed25519"]],
    ),
    Reader(
        "ec2_managed_node",
        {"instance_id": "i-0a1b2c3d4e5f60718"},
        lambda result: [result["session"]["instance_id"]],
    ),
    Reader("ecr_authorization_info", {}, lambda result: [result["registry"]]),
    Reader("ecr_image_tag", {"repository": "shop/web", "source": "1.4.2", "tags": ["latest"]}),
    absent("ecr_image_tag", repository="shop/web", tags=["latest"]),
    Reader(
        "ecr_repository",
        {
            "name": "shop/web",
            "image_tag_mutability": "IMMUTABLE",
            "image_scanning_configuration": {"scanOnPush": True},
            "policy": POLICY,
            "lifecycle_policy": LIFECYCLE,
            "tags": TAGS,
        },
    ),
    absent("ecr_repository", name="shop/web", force=True),
    Reader(
        "ecr_repository_info",
        {"include": ["images", "lifecycle_policy", "policy", "tags"]},
        named("repositories", "repository_name"),
    ),
    Reader(
        "ecs_capacity_provider",
        {
            "name": "shop-hosts",
            "auto_scaling_group_provider": {
                "autoScalingGroupArn": "shop-hosts",
                "managedScaling": {"targetCapacity": 100},
                "managedDraining": "ENABLED",
            },
            "tags": {"slipway:project": "shop"},
        },
    ),
    absent("ecs_capacity_provider", name="shop-hosts", detach_from=["shop"]),
    Reader("ecs_capacity_provider_info", {"names": ["shop-hosts"]}, named("capacity_providers", "name")),
    Reader("ecs_cluster", CLUSTER),
    absent("ecs_cluster", name="shop"),
    Reader("ecs_cluster_info", {}, named("clusters", "name")),
    Reader(
        "ecs_preflight",
        {
            "project": "shop",
            "cluster": "shop",
            "services": [
                {
                    **{name: value for name, value in SERVICE.items() if name not in ("cluster", "task_definition")},
                    "network_configuration": PLACED,
                    "task_definition": {**DEFINITION, "task_role_arn": "shop-execution"},
                    "deployment_configuration": {"lifecycleHooks": [HOOK]},
                }
            ],
            "certificates": [{"arn": CERTIFICATE, "domains": ["shop.example.com", "api.shop.example.com"]}],
            "domains": [{"name": "shop.example.com"}],
            "load_balancers": [
                {"name": "shop", "listeners": [LISTENER]},
                {"tags": {"team": "web"}, "place": "ecs_load_balancer_name_tags"},
            ],
            "new": {"elastic IP": 1},
        },
        lambda result: [result["preflight"]["result"], *failures_of(result["preflight"]["checks"])],
    ),
    Reader(
        "ecs_release",
        {
            "cluster": "shop",
            "services": [
                {
                    **{name: value for name, value in SERVICE.items() if name not in ("cluster", "task_definition")},
                    "task_definition": DEFINITION,
                }
            ],
        },
    ),
    Reader("ecs_schedule_group", SCHEDULES),
    Reader("ecs_schedule_group", {"name": "shop", "cluster": "shop"}),
    absent("ecs_schedule_group", name="shop"),
    Reader("ecs_secrets", {"path": "/shop/web/", "secrets": SECRETS, "match_tags": TAGS}),
    absent("ecs_secrets", path="/shop/web/", match_tags=TAGS),
    Reader("ecs_service", SERVICE),
    absent("ecs_service", cluster="shop", name="web", force=True),
    Reader(
        "ecs_service_info",
        {"cluster": "shop", "rollouts": True, "tasks": True, "network": True},
        named("services", "service_name"),
    ),
    Reader("ecs_container_info", {"cluster": "shop"}, named("containers", "name")),
    Reader("ecs_service_logs", {"cluster": "shop", "since": 0}, lambda result: [*result["services"]]),
    Reader("ecs_service_scaling", {"cluster": "shop", "services": [SCALING]}),
    Reader("ecs_site_info", {"cluster": "shop"}, named_in_site),
    Reader("ecs_site_adoption", ADOPTION, adopted),
    Reader("ecs_task_definition", DEFINITION),
    absent("ecs_task_definition", family="shop-web"),
    Reader(
        "ecs_task_definition_info", {"family": "shop-web", "list_revisions": True}, named("task_definitions", "arn")
    ),
    Reader("ec2_flow_log", FLOW_LOG),
    absent("ec2_flow_log", resource_id=FLOW_LOG["resource_id"], match_tags=FLOW_LOG["match_tags"]),
    Reader("elb_listener_rules", RULES),
    Reader("elb_listener_rules", {**RULES, "owner_tags": {"slipway:project": "shop"}}),
    Reader("elb_target_group", TARGETS),
    absent("elb_target_group", name="shop-web"),
    Reader("project_info", {"project": "shop", "keep": KEEP, "cluster": "shop", "namespace": "shop.internal"}),
    Reader(
        "service_discovery_namespace",
        {"name": "shop.internal", "vpc_id": "vpc-0c1be6284618ac4c1", "services": ["db", "web"], "tags": TAGS},
    ),
    absent("service_discovery_namespace", name="shop.internal"),
)

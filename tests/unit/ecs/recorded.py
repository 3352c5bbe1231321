# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of ECS in the shapes that AWS documents, as short as they can be."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

Json = dict[str, t.Any]

PREFIX = "arn:aws:ecs:eu-central-1:123456789012"
CLUSTER = f"{PREFIX}:cluster/shop"
GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/0123456789abcdef"
START = datetime(2025, 11, 1, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def task_definition_arn(revision: int) -> str:
    return f"{PREFIX}:task-definition/web:{revision}"


def deployment(number: int = 1, **members: t.Any) -> Json:
    """Deployment ecs-svc/<number>: revision <number> of the family, complete, two tasks."""
    return {
        "id": f"ecs-svc/{number}",
        "status": "PRIMARY",
        "taskDefinition": task_definition_arn(number),
        "desiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "failedTasks": 0,
        "createdAt": at(number * 100),
        "rolloutState": "COMPLETED",
        "rolloutStateReason": f"ECS deployment ecs-svc/{number} completed.",
        **members,
    }


def service(*deployments: Json, **members: t.Any) -> Json:
    listed = list(deployments) or [deployment()]
    return {
        "serviceName": "web",
        "serviceArn": f"{PREFIX}:service/shop/web",
        "clusterArn": CLUSTER,
        "status": "ACTIVE",
        "taskDefinition": listed[0]["taskDefinition"],
        "desiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "launchType": "FARGATE",
        "schedulingStrategy": "REPLICA",
        "deployments": listed,
        "events": [],
        "loadBalancers": [],
        **members,
    }


def task(name: str, number: int = 1, **members: t.Any) -> Json:
    """A running task of deployment <number>."""
    return {
        "taskArn": f"{PREFIX}:task/shop/{name}",
        "taskDefinitionArn": task_definition_arn(number),
        "startedBy": f"ecs-svc/{number}",
        "group": "service:web",
        "lastStatus": "RUNNING",
        "desiredStatus": "RUNNING",
        "healthStatus": "UNKNOWN",
        "createdAt": at(number * 100 + 1),
        "containers": [container(name)],
        **members,
    }


def container(name: str = "x", **members: t.Any) -> Json:
    digits = "".join(letter for letter in name if letter.isdigit()) or "1"
    interface = {"attachmentId": "a", "privateIpv4Address": f"10.0.0.{digits}"}
    return {"name": "web", "lastStatus": "RUNNING", "networkInterfaces": [interface], **members}


def stopped(name: str, number: int = 1, **members: t.Any) -> Json:
    """A task that ended by itself with exit code 1."""
    return task(
        name,
        number,
        **{
            "lastStatus": "STOPPED",
            "desiredStatus": "STOPPED",
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "stoppedAt": at(number * 100 + 50),
            "containers": [container(name, lastStatus="STOPPED", exitCode=1)],
            **members,
        },
    )


def target(address: str, state: str = "healthy", **health: t.Any) -> Json:
    return {"Target": {"Id": address, "Port": 8080}, "TargetHealth": {"State": state, **health}}


def target_group(**members: t.Any) -> Json:
    """What DescribeTargetGroups answers."""
    return {
        "TargetGroupArn": GROUP,
        "TargetGroupName": "web",
        "Protocol": "HTTP",
        "Port": 80,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckPath": "/health",
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "Matcher": {"HttpCode": "200"},
        "TargetType": "ip",
        **members,
    }


def service_deployment(status: str, **members: t.Any) -> Json:
    return {
        "serviceDeploymentArn": f"{PREFIX}:service-deployment/shop/web/abc",
        "status": status,
        "lifecycleStage": "SCALE_UP",
        **members,
    }

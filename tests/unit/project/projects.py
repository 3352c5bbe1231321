# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Projects as the reader returns them: `project(*service("web"), *balanced("web"))`."""

from __future__ import annotations

import datetime
import typing as t

Json = dict[str, t.Any]

NOW = datetime.datetime(2026, 11, 29, 12, 0, tzinfo=datetime.UTC)
DEPLOYED = "2026-11-29T09:00:00Z"
HOME = "arn:aws:ecs:eu-central-1:123456789012"
DIGEST = f"sha256:{'1a2b3c4d' * 8}"
ELB = "arn:aws:elasticloadbalancing:eu-central-1:123456789012"


def resource(kind: str, name: str, role: str = "ecs_app", /, identity: str = "", **details: t.Any) -> Json:
    return {
        "kind": kind,
        "tag": "",
        "role": role,
        "id": identity or name,
        "arn": identity or name,
        "name": name,
        "holds": "",
        "tags": {},
        "uses": [],
        "details": details,
    }


def definition(family: str, revision: int) -> str:
    return f"{HOME}:task-definition/{family}:{revision}"


def group(name: str) -> str:
    return f"{ELB}:targetgroup/{name}/1"


def deployment(revision: str, **members: t.Any) -> Json:
    usual = {"status": "PRIMARY", "createdAt": DEPLOYED, "updatedAt": DEPLOYED, "rolloutState": "COMPLETED"}
    return {**usual, "id": f"ecs-svc/{revision}", "taskDefinition": revision, "failedTasks": 0, **members}


def task(revision: str, health: str = "HEALTHY", **containers: str) -> Json:
    """A task, its containers by name with their images."""
    return {
        "taskDefinitionArn": revision,
        "lastStatus": "RUNNING",
        "healthStatus": health,
        "containers": [
            {"name": name, "image": image, "imageDigest": image.partition("@")[2] or DIGEST}
            for name, image in containers.items()
        ],
    }


def service(
    name: str = "web",
    /,
    *,
    revision: int = 7,
    desired: int = 2,
    running: int | None = None,
    cluster: str = "ecs",
    tags: Json | None = None,
    **members: t.Any,
) -> list[Json]:
    """A service with its family and its tasks; `members` are those of its details, None leaves one out."""
    running = desired if running is None else running
    arn = definition(name, revision)
    image = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{name}@{DIGEST}"
    details = {
        "serviceName": name,
        "clusterArn": f"{HOME}:cluster/{cluster}",
        "status": "ACTIVE",
        "desiredCount": desired,
        "runningCount": running,
        "pendingCount": 0,
        "taskDefinition": arn,
        "deployments": [deployment(arn)],
        "loadBalancers": [],
        "events": [],
        "tasks": [task(arn, **{name: image}) for _number in range(running)],
        **members,
    }
    details = {member: value for member, value in details.items() if value is not None}
    containers = [{"name": name, "image": image}]
    family = resource(
        "task definition",
        name,
        identity=name,
        taskDefinitionArn=arn,
        containerDefinitions=containers,
    )
    found = resource("service", name, identity=f"{HOME}:service/{cluster}/{name}", **details)
    return [{**found, "tags": tags or {}}, family]


def behind(*names: str) -> list[Json]:
    return [{"targetGroupArn": group(name), "containerName": "web", "containerPort": 80} for name in names]


def target_group(name: str, *states: str) -> Json:
    targets = [
        {"Target": {"Id": f"10.0.0.{number}"}, "TargetHealth": {"State": state, "Description": f"it is {state}"}}
        for number, state in enumerate(states)
    ]
    return resource(
        "target group", name, "ecs_load_balancer", identity=group(name), Protocol="HTTP", Port=80, TargetHealth=targets
    )


def forward(name: str) -> list[Json]:
    return [{"Type": "forward", "TargetGroupArn": group(name)}]


def rule(name: str, hosts: t.Sequence[str] = (), paths: t.Sequence[str] = ()) -> Json:
    conditions = [{"Field": "host-header", "HostHeaderConfig": {"Values": list(hosts)}}] if hosts else []
    conditions += [{"Field": "path-pattern", "PathPatternConfig": {"Values": list(paths)}}] if paths else []
    return {"IsDefault": False, "Conditions": conditions, "Actions": forward(name)}


def balancer(*listeners: Json, name: str = "ecs-web") -> Json:
    dns = f"{name}-1.eu-central-1.elb.amazonaws.com"
    return resource(
        "load balancer",
        name,
        "ecs_load_balancer",
        LoadBalancerName=name,
        DNSName=dns,
        Scheme="internet-facing",
        State={"Code": "active"},
        Listeners=list(listeners),
    )


def listener(default: str, *rules: Json, protocol: str = "HTTP", port: int = 80, **members: t.Any) -> Json:
    return {"Protocol": protocol, "Port": port, "DefaultActions": forward(default), "Rules": list(rules), **members}


def unknown(kind: str, action: str) -> Json:
    message = f"AWS answered {action.partition(':')[2]} with AccessDeniedException: not authorized"
    return {
        "kind": kind,
        "tag": "",
        "role": "ecs_app",
        "action": action,
        "code": "access_denied",
        "message": message,
    }


def project(*resources: Json, unknown: t.Sequence[Json] = ()) -> Json:
    """The result of project_info with details."""
    return {
        "resources": list(resources),
        "unknown": list(unknown),
        "records": {},
        "caller": {"account": "123456789012", "arn": "arn:aws:iam::123456789012:user/me"},
        "region": "eu-central-1",
    }

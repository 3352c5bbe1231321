# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each wrong value of a service is told with what would be right, and right ones are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.filter.complete_load_balancers import complete_load_balancers
from ansible_collections.slipway.aws.plugins.filter.service_problems import service_problems

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[4]
KNOWN: Json = {
    "images": ["web"],
    "secrets": {"key": "SecureString", "database": "SecretsManager"},
    "target_groups": ["web"],
}


def container(name: str = "web", **members: Any) -> Json:
    return {"name": name, "image": "web", **members}


def service(*containers: Json, definition: Json | None = None, **members: Any) -> Json:
    task = {"family": "web", "cpu": 256, "memory": 512, "containerDefinitions": list(containers) or [container()]}
    return {"name": "web", "task_definition": {**task, **(definition or {})}, **members}


def on_port(port: int, **members: Any) -> Json:
    return container(portMappings=[{"containerPort": port}], **members)


def balanced(**members: Any) -> list[Json]:
    return [{"targetGroupArn": "web", "containerName": "web", "containerPort": 80, **members}]


def test_the_workshop_is_right() -> None:
    workshop = yaml.safe_load((ROOT / "inventory/workshop.yml").read_text())
    groups = [group["name"] for group in workshop["ecs_load_balancer_target_groups"]]
    images, secrets = workshop["ecs_app_images"], dict.fromkeys(workshop["ecs_app_secrets"], "SecureString")
    assert service_problems(complete_load_balancers(workshop["ecs_app_services"]), images, secrets, groups) == []


RIGHT = {
    "sizes as texts": service(definition={"cpu": "1 vCPU", "memory": "2 GB"}),
    "16 vCPU": service(definition={"cpu": "16384", "memory": "122880"}),
    "any size on instances": service(definition={"requiresCompatibilities": ["EC2"], "cpu": 300, "memory": 100}),
    "a member of a secret": service(container(secrets=[{"name": "A", "valueFrom": "database:password::"}])),
    "references": service(
        container(image="nginx:1", secrets=[{"name": "A", "valueFrom": "/x"}, {"name": "B", "valueFrom": "arn:aws:x"}])
    ),
    "one port each on a bridge": service(
        on_port(80),
        {**on_port(80), "name": "b"},
        definition={"networkMode": "bridge", "requiresCompatibilities": ["EC2"]},
    ),
    "TCP and UDP": service(
        container(portMappings=[{"containerPort": 53}, {"containerPort": 53, "protocol": "udp"}]),
    ),
    "a target group's ARN": service(on_port(80), load_balancers=balanced(targetGroupArn="arn:aws:x")),
    "no task for now": service(desired_count=0),
    "scaling": service(desired_count=2, scaling={"min_capacity": 1, "max_capacity": 2, "cpu_utilization": 60}),
}


@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT.keys())
def test_nothing_is_wrong(right: Json) -> None:
    assert service_problems([right], **KNOWN) == []


def test_services_may_share_a_definition() -> None:
    assert service_problems([service(), {**service(), "name": "api", "after": ["web"]}], **KNOWN) == []


WRONG = [
    (
        service(definition={"cpu": 300}),
        "task_definition.cpu is 300, Fargate has 256, 512, 1024, 2048, 4096, 8192, 16384",
    ),
    (service(definition={"cpu": None}), "task_definition.cpu is missing, Fargate has 256"),
    (
        service(definition={"memory": 4096}),
        "task_definition.memory is 4096, with cpu 256 Fargate has 512, 1024, 2048 MiB",
    ),
    (service(definition={"cpu": 8192, "memory": 20000}), "Fargate has 16384 to 61440 in steps of 4096 MiB"),
    (service(definition={"cpu": 512, "memory": 512}), "Fargate has 1024 to 4096 in steps of 1024 MiB"),
    (service(definition={"cpu": 1024, "memory": 1024}), "Fargate has 2048 to 8192 in steps of 1024 MiB"),
    (service(definition={"cpu": 2048, "memory": 2048}), "Fargate has 4096 to 16384 in steps of 1024 MiB"),
    (service(definition={"cpu": 4096, "memory": 4096}), "Fargate has 8192 to 30720 in steps of 1024 MiB"),
    (service(definition={"cpu": 16384, "memory": 16384}), "Fargate has 32768 to 122880 in steps of 8192 MiB"),
    (service(definition={"memory": None}), "task_definition.memory is missing, with cpu 256 Fargate has 512"),
    (service(container(image=None)), "container web: image is missing"),
    (service(definition={"family": "a b"}), "task_definition.family is 'a b'"),
    (service(definition={"containerDefinitions": []}), "task_definition needs containerDefinitions"),
    ({**service(), "name": "a b"}, "a b: up to 255 letters, digits, hyphens and underscores"),
    (
        service(on_port(80), load_balancers=balanced(containerName="nginx")),
        "load_balancers: containerName is nginx, the task has web",
    ),
    (
        service(on_port(80), load_balancers=balanced(containerPort=8080)),
        "web: load_balancers: containerPort of web is 8080, its portMappings have 80",
    ),
    (
        service(on_port(80), load_balancers=balanced(targetGroupArn="wbe")),
        "there is no target group named 'wbe', the known ones are: web",
    ),
    (service(on_port(80), {**on_port(80), "name": "b"}), "port 80/tcp is mapped more than once in the task"),
    (service(on_port(70000)), "container web: port 70000 is none, 1 to 65535 is right"),
    (service(container(), container()), "container web is there more than once"),
    (service(container(essential=False)), "one of the containers has to be essential"),
    (service(container(image="wbe")), "container web: there is no image named 'wbe', the known ones are: web"),
    (
        service(container(secrets=[{"name": "A", "valueFrom": "kye"}])),
        "container web: there is no secret named 'kye', the known ones are: database, key",
    ),
    (
        service(container(secrets=[{"name": "A", "valueFrom": "key:password::"}])),
        "container web: valueFrom key:password::: key is a parameter, only secrets of SecretsManager have parts",
    ),
    (
        service(container(environment=[{"name": "A"}], secrets=[{"name": "A", "valueFrom": "key"}])),
        "container web: A is there more than once in environment and secrets",
    ),
    (
        service(container(healthCheck={"command": ["CMD"], "interval": 3})),
        "healthCheck.interval is 3, 5 to 300 is right",
    ),
    (service(container(healthCheck={"interval": 30})), "healthCheck needs a command"),
    (
        service(container(dependsOn=[{"containerName": "db", "condition": "START"}])),
        "container web: dependsOn names db, the task has web",
    ),
    (
        service(container(dependsOn=[{"containerName": "b", "condition": "HEALTHY"}]), container("b")),
        "dependsOn waits until b is healthy, which has no healthCheck",
    ),
    (
        service(container(dependsOn=[{"containerName": "b", "condition": "UP"}]), container("b")),
        "dependsOn: condition is UP, one of START, COMPLETE, SUCCESS, HEALTHY is right",
    ),
    (
        service(container(dependsOn=[{"containerName": "web", "condition": "START"}])),
        "dependsOn leads in a circle: web after web",
    ),
    (service(after=["db"]), "web: after names db, which is none of the release's services"),
    (service(after=["web"]), "after leads in a circle: web after web"),
    (service(desired_count=-1), "desired_count is -1, 0 or more is right"),
    (
        service(desired_count=5, scaling={"min_capacity": 1, "max_capacity": 4}),
        "web: desired_count is 5, scaling has 1 to 4",
    ),
    (service(scaling={"min_capacity": 3, "max_capacity": 2}), "scaling: min_capacity 3 is more than max_capacity 2"),
    (
        service(scaling={"min_capacity": 1, "max_capacity": 2, "requests_per_target": 100}),
        "scaling: requests_per_target needs a load balancer",
    ),
    (
        service(
            scaling={"min_capacity": 1, "max_capacity": 2, "schedules": [{"name": "a", "schedule": "daily"}]},
        ),
        "scaling: schedules, a: 'daily' is no schedule",
    ),
]


@pytest.mark.parametrize(("wrong", "problem"), WRONG, ids=[problem for _wrong, problem in WRONG])
def test_wrong_services_are_told(wrong: Json, problem: str) -> None:
    assert problem in "; ".join(service_problems([wrong], **KNOWN))


def test_names_are_each_one_s_own() -> None:
    other = service(definition={"memory": 1024})
    found = service_problems([service(), other], **KNOWN)
    assert found == [
        "web: the name is there more than once, each service needs its own",
        "web: family web is another service's, with another definition",
    ]


def test_target_groups_may_be_unknown() -> None:
    assert service_problems([service(on_port(80), load_balancers=balanced(targetGroupArn="any"))], images=["web"]) == []


@pytest.mark.parametrize("wrong", [service for service, _said in WRONG])
def test_no_value_is_told_as_none(wrong: Json) -> None:
    assert "None" not in " ".join(service_problems([wrong], **KNOWN))

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each invalid value of a service is reported with what is expected, and valid ones are accepted."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_app_problems
from ansible_collections.slipway.aws.plugins.plugin_utils.container_image import tagged
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app_ports import completed

Json = dict[str, Any]
ROOT = Path(__file__).resolve().parents[4]
KNOWN = ecs_app_problems.Known(
    images={"web": "web:1.0"},
    secrets={"key": "SecureString", "database": "SecretsManager"},
    target_groups=["web"],
    registries=["database"],
    on_fargate=True,
)


def problems(*services: Json, **known: Any) -> list[str]:
    return ecs_app_problems.service_problems(services, dataclasses.replace(KNOWN, **known))


def container(name: str = "web", **members: Any) -> Json:
    return {"name": name, "image": "web", **members}


def service(*containers: Json, definition: Json | None = None, **members: Any) -> Json:
    task = {"family": "web", "cpu": 256, "memory": 512, "containerDefinitions": list(containers) or [container()]}
    return {"name": "web", "task_definition": {**task, **(definition or {})}, **members}


def on_port(port: int, **members: Any) -> Json:
    return container(portMappings=[{"containerPort": port}], **members)


def balanced(**members: Any) -> list[Json]:
    return [{"targetGroupArn": "web", "containerName": "web", "containerPort": 80, **members}]


def test_the_workshop_is_valid() -> None:
    workshop = yaml.safe_load((ROOT / "inventory/workshop.yml").read_text())
    groups = [group["name"] for group in workshop["ecs_load_balancer_target_groups"]]
    images, secrets = (
        tagged(workshop["container_image_images"]),
        dict.fromkeys(workshop["ecs_app_secrets"], "SecureString"),
    )
    services = map(completed, workshop["ecs_app_services"])
    assert problems(*services, images=images, secrets=secrets, target_groups=groups) == []


AGENT_MOUNTS = [{"sourceVolume": "agent", "containerPath": path} for path in ecs_app_problems.AGENT_WRITES]
EXEC = {"enable_execute_command": True}
RIGHT = {
    "ECS Exec beside a container that is read-only": service(
        container(), container("proxy", readonlyRootFilesystem=True), options=EXEC
    ),
    "ECS Exec with volumes for its agent": service(
        container(readonlyRootFilesystem=True, mountPoints=AGENT_MOUNTS),
        definition={"volumes": [{"name": "agent"}]},
        options=EXEC,
    ),
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
def test_a_valid_service_is_accepted(right: Json) -> None:
    assert problems(right) == []


def test_services_may_share_a_definition() -> None:
    assert problems(service(), {**service(), "name": "api", "after": ["web"]}) == []


FIRST = "task_definition.containerDefinitions[0] (web)"
WRONG = [
    (
        service(container(readonlyRootFilesystem=True), options=EXEC),
        "options.enable_execute_command: expected a container with a writable root file system, got readonlyRootFiles",
    ),
    (
        service(definition={"cpu": 300}),
        "cpu: expected one of Fargate's sizes 256, 512, 1024, 2048, 4096, 8192, 16384 (1024 is one vCPU), got 300",
    ),
    (
        service(definition={"cpu": None}),
        "cpu: expected one of Fargate's sizes 256, 512, 1024, 2048, 4096, 8192, 16384 (1024 is one vCPU), got nothing",
    ),
    (
        service(definition={"memory": 4096}),
        "sizes with cpu 256, 512, 1024, 2048 MiB, got 4096",
    ),
    (
        service(definition={"cpu": 8192, "memory": 20000}),
        "sizes with cpu 8192, 16384 to 61440 in steps of 4096 MiB, got 20000",
    ),
    (
        service(definition={"cpu": 512, "memory": 512}),
        "sizes with cpu 512, 1024 to 4096 in steps of 1024 MiB, got 512",
    ),
    (
        service(definition={"cpu": 1024, "memory": 1024}),
        "sizes with cpu 1024, 2048 to 8192 in steps of 1024 MiB, got 1024",
    ),
    (
        service(definition={"cpu": 2048, "memory": 2048}),
        "sizes with cpu 2048, 4096 to 16384 in steps of 1024 MiB, got 2048",
    ),
    (
        service(definition={"cpu": 4096, "memory": 4096}),
        "sizes with cpu 4096, 8192 to 30720 in steps of 1024 MiB, got 4096",
    ),
    (
        service(definition={"cpu": 16384, "memory": 16384}),
        "sizes with cpu 16384, 32768 to 122880 in steps of 8192 MiB, got 16384",
    ),
    (
        service(definition={"family": "a b"}),
        "task_definition.family: expected 1 to 255 letters, digits, hyphens or underscores, got 'a b'",
    ),
    (
        service(definition={"containerDefinitions": []}),
        "task_definition.containerDefinitions: expected one container or more, got none",
    ),
    (
        {**service(), "name": "a b"},
        "[0] (a b).name: expected 1 to 255 letters, digits, hyphens or",
    ),
    (
        service(on_port(80), load_balancers=balanced(containerName="nginx")),
        "load_balancers[0].containerName: expected one of the task's containers (web), got 'nginx'",
    ),
    (
        service(on_port(80), load_balancers=balanced(containerPort=8080)),
        "load_balancers[0].containerPort: expected a port of portMappings of web (80), got 8080",
    ),
    (
        service(on_port(80), load_balancers=balanced(targetGroupArn="wbe")),
        "load_balancers[0].targetGroupArn: expected one of the target groups (web), got 'wbe'",
    ),
    (
        service(on_port(80), {**on_port(80), "name": "b"}),
        "task_definition.containerDefinitions: expected each port once in the task, got 80/tcp more than once",
    ),
    (
        service(on_port(70000)),
        f"{FIRST}.portMappings[0].containerPort: expected 1 to 65535, got 70000",
    ),
    (
        service(container(), container()),
        "task_definition.containerDefinitions: expected each name once, got 'web' more than once",
    ),
    (
        service(container(essential=False)),
        "task_definition.containerDefinitions: expected at least one essential container",
    ),
    (service(definition={"memory": None}), "sizes with cpu 256, 512, 1024, 2048 MiB, got nothing"),
    (service(container(image=None)), f"{FIRST}.image: expected an image, got nothing"),
    (
        service(container(image="wbe")),
        f"{FIRST}.image: expected one of the images (web), got 'wbe'",
    ),
    (
        service(container(secrets=[{"name": "A", "valueFrom": "kye"}])),
        f"{FIRST}.secrets[0] (A).valueFrom: expected one of the secrets and settings (database, key), a path or an",
    ),
    (
        service(container(secrets=[{"name": "A", "valueFrom": "key:password::"}])),
        f"{FIRST}.secrets[0] (A).valueFrom: expected only a name, because key is a parameter",
    ),
    (
        service(container(environment=[{"name": "A"}], secrets=[{"name": "A", "valueFrom": "key"}])),
        f"{FIRST}: expected A only once in environment and secrets, got it more than once",
    ),
    (
        service(container(healthCheck={"command": ["CMD"], "interval": 3})),
        f"{FIRST}.healthCheck.interval: expected 5 to 300, got 3",
    ),
    (
        service(container(healthCheck={"interval": 30})),
        f"{FIRST}.healthCheck.command: expected a command, got nothing",
    ),
    (
        service(container(dependsOn=[{"containerName": "db", "condition": "START"}])),
        f"{FIRST}.dependsOn[0].containerName: expected one of the task's containers (web), got 'db'",
    ),
    (
        service(container(dependsOn=[{"containerName": "b", "condition": "HEALTHY"}]), container("b")),
        f"{FIRST}.dependsOn[0].condition: expected a healthCheck in container b, got none",
    ),
    (
        service(container(dependsOn=[{"containerName": "b", "condition": "UP"}]), container("b")),
        f"{FIRST}.dependsOn[0].condition: expected one of START, COMPLETE, SUCCESS, HEALTHY, got UP",
    ),
    (
        service(container(dependsOn=[{"containerName": "web", "condition": "START"}])),
        "task_definition.containerDefinitions: expected no cycle in dependsOn, got web after web",
    ),
    (service(after=["db"]), "ecs_app_services[0] (web).after: expected services of the release, got db."),
    (service(after=["web"]), "ecs_app_services: after: expected no cycle, got web after web."),
    (service(desired_count=-1), "desired_count: expected 0 or more, got -1"),
    (
        service(desired_count=5, scaling={"min_capacity": 1, "max_capacity": 4}),
        "desired_count: expected 1 to 4, the limits of scaling, got 5",
    ),
    (
        service(scaling={"min_capacity": 3, "max_capacity": 2}),
        "scaling.min_capacity: expected at most max_capacity, 2, got 3",
    ),
    (
        service(scaling={"min_capacity": 1, "max_capacity": 2, "requests_per_target": 100}),
        "scaling.requests_per_target: expected a load balancer in load_balancers, got none",
    ),
    (
        service(
            scaling={"min_capacity": 1, "max_capacity": 2, "schedules": [{"name": "a", "schedule": "daily"}]},
        ),
        "scaling.schedules, a: expected at(2026-12-24T18:00:00), rate(12 hours) or cron(",
    ),
    (
        service(scaling={"min_capacity": 0, "max_capacity": 4, "queue": {"name": "a/b", "messages_per_task": 1}}),
        "scaling.queue.name: expected the name of a queue, up to 80 letters, digits, hyphens or underscores, a FIFO",
    ),
    (
        service(scaling={"min_capacity": 0, "max_capacity": 4, "queue": {"name": "a", "messages_per_task": 0}}),
        "scaling.queue.messages_per_task: expected a number above 0, got 0",
    ),
    (
        service(scaling={"min_capacity": 0, "max_capacity": 0, "queue": {"name": "a", "messages_per_task": 1}}),
        "scaling.max_capacity: expected 1 or more for a service with a queue, got 0",
    ),
]


@pytest.mark.parametrize(("wrong", "problem"), WRONG, ids=[problem for _wrong, problem in WRONG])
def test_an_invalid_service_is_refused(wrong: Json, problem: str) -> None:
    assert problem in " ".join(problems(wrong))


def test_a_queue_needs_a_cluster_that_counts_tasks() -> None:
    worker = service(scaling={"min_capacity": 0, "max_capacity": 9, "queue": {"name": "a", "messages_per_task": 1}})
    (problem,) = problems(worker, cluster="shop", insights="disabled")
    assert problem == (
        "ecs_app_services[0] (web).scaling.queue: expected Container Insights on the cluster shop, for its metric"
        " RunningTaskCount, got none. Set containerInsights to enabled; in the role ecs_cluster, that is"
        " ecs_cluster_container_insights."
    )
    assert [problems(worker, insights=known) for known in ("", "enabled", "enhanced")] == [[], [], []]


def test_names_and_families_are_unique() -> None:
    other = service(definition={"memory": 1024})
    found = problems(service(), other)
    assert found == [
        "ecs_app_services: expected each name once, got 'web' more than once.",
        "ecs_app_services[1] (web).task_definition.family: expected another family, or the same definition as the"
        " other service of this family, got 'web' with another definition.",
    ]


def test_target_groups_may_be_unknown() -> None:
    assert problems(service(on_port(80), load_balancers=balanced(targetGroupArn="any")), target_groups=None) == []


def test_a_secret_in_the_place_of_its_name_is_not_shown() -> None:
    wrong = service(container(secrets=[{"name": "A", "valueFrom": "Tr0ub4dor&3"}]))
    (problem,) = problems(wrong)
    assert problem.endswith("or an ARN, got something else, which is not shown because it may be a secret.")
    assert "Tr0ub4dor" not in problem


@pytest.mark.parametrize("name", ["hunter2", "correct-horse"])
def test_nor_is_a_secret_that_could_be_a_name(name: str) -> None:
    assert name not in str(problems(service(container(secrets=[{"name": "A", "valueFrom": name}]))))


def test_a_misspelt_name_of_a_secret_is_shown_with_the_right_one() -> None:
    (problem,) = problems(service(container(secrets=[{"name": "A", "valueFrom": "databse"}])))
    assert problem.endswith("got 'databse' (did you mean 'database'?).")


@pytest.mark.parametrize(
    "launch", [{"launch_type": "EC2"}, {"capacity_provider_strategy": [{"capacityProvider": "b"}]}]
)
def test_only_fargate_has_sizes(launch: Json) -> None:
    on_hosts = service(container(memory=64), definition={"cpu": None, "memory": None}, options=launch)
    assert problems(on_hosts) == []


def test_a_cluster_of_hosts_takes_any_size() -> None:
    sized = service(container(memory=64), definition={"cpu": 300, "memory": 100})
    assert problems(sized, on_fargate=False) == []


def test_names_of_cloud_map_are_checked_once_they_are_known() -> None:
    named = service(options={"service_registries": [{"registryArn": "db"}]})
    (problem,) = problems(named)
    assert problem == (
        "ecs_app_services[0] (web).options.service_registries[0].registryArn: expected one of the Cloud Map services"
        " (database), got 'db'."
    )
    assert problems(named, registries=None) == []
    assert problems(service(options={"service_registries": [{"registryArn": "unknown"}]})) == []


@pytest.mark.parametrize("image", ["webapp:", "registry.example/web:1.0:2", "Web:1.0", "web:1.0 "])
def test_an_image_is_a_repository_and_a_tag(image: str) -> None:
    (problem,) = ecs_app_problems.image_problems({"web": image, "api": "shop/api:1.0"})
    assert problem.startswith("ecs_app_images.web: expected repository:tag without a registry, such as webapp:1.0, got")


@pytest.mark.parametrize("wrong", [service for service, _said in WRONG])
def test_no_value_is_shown_as_none(wrong: Json) -> None:
    assert "None" not in " ".join(problems(wrong))

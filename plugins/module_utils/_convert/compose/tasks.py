# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which services share a task, and what the tasks and services of ECS are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..._core.types import Json
from ..notes import without_empty
from .amounts import cpu_units, fargate_size
from .balancers import Target, balancers_of
from .container import container_of, limits_of
from .project import Project, container_name
from .unsupported import DEPLOY_KEYS, UNKNOWN
from .volumes import has_data, mounts_of

_COMPLETED = "service_completed_successfully"
_CONDITIONS = {"service_started": "START", "service_healthy": "HEALTHY", _COMPLETED: "SUCCESS"}
_SMALLEST = (256, 512)
_LARGEST = (16384, 122880)
_DEPLOY_HANDLED = frozenset(("replicas", "resources", "restart_policy", "update_config", "mode"))
# The only rollout that never has two tasks on the same data.
_ONE_AT_A_TIME: Json = {
    "minimumHealthyPercent": 0,
    "maximumPercent": 100,
    "deploymentCircuitBreaker": {"enable": True, "rollback": True},
}


def tasks_of(services: Mapping[str, Json]) -> dict[str, list[str]]:
    """Services by task: those that share a network are containers of one, and a service that only has to complete is
    a container of the first task that waits for it."""
    host = {name: name for name in services}
    for name, service in services.items():
        kind, _colon, other = str(service.get("network_mode") or "").partition(":")
        if kind == "service" and other in services:
            host[name] = other
    for name, service in services.items():
        for other, dependency in (service.get("depends_on") or {}).items():
            if dependency.get("condition") == _COMPLETED and host.get(other) == other and _is_job(other, services):
                host[other] = name
    found: dict[str, list[str]] = {}
    for name in services:
        found.setdefault(_root(name, host), []).append(name)
    return {first: [first, *(name for name in members if name != first)] for first, members in found.items()}


def _root(name: str, host: Mapping[str, str]) -> str:
    seen: set[str] = set()
    while host[name] != name and name not in seen:
        seen.add(name)
        name = host[name]
    return name


def _is_job(name: str, services: Mapping[str, Json]) -> bool:
    """Whether all that depend on a service wait for its end."""
    conditions = {
        dependency.get("condition")
        for service in services.values()
        for other, dependency in (service.get("depends_on") or {}).items()
        if other == name
    }
    return conditions == {_COMPLETED} and not services[name].get("ports")


def service_of(project: Project, task: str, targets: list[Target]) -> Json:
    """An element of ecs_app_services."""
    members = project.tasks[task]
    after = sorted({project.task_of(one) for member in members for one in _dependencies(project, member)} - {task})
    return without_empty(
        {
            "name": container_name(task),
            "desired_count": _count(project, task),
            "after": [container_name(one) for one in after],
            "load_balancers": balancers_of(project, task, targets),
            "task_definition": _definition(project, task),
            "options": _options(project, task),
        }
    )


def _dependencies(project: Project, service: str) -> Iterable[str]:
    found = project.services[service].get("depends_on") or {}
    return [name for name in found if name in project.services]


def _count(project: Project, task: str) -> int:
    given = project.services[task]
    deploy = given.get("deploy") or {}
    for key in deploy:
        if key not in _DEPLOY_HANDLED and deploy[key]:
            project.note(task, f"deploy.{key}", *DEPLOY_KEYS.get(key, UNKNOWN))
    mode = str(deploy.get("mode") or "replicated")
    if mode == "global":
        project.note(
            task, "deploy.mode", "Fargate has no hosts, so it cannot run one task on each host.", "Set desired_count."
        )
    elif mode.endswith("-job"):
        reason = "An ECS service restarts tasks that end."
        project.note(task, "deploy.mode", reason, "Run it with ecs_app_schedules, or as one of pre_deploy_tasks.")
    elif (restart := _restart(given)).partition(":")[0] in ("no", "none", "on-failure"):
        reason = f"An ECS service restarts tasks that end, whatever restart says ({restart})."
        advice = "If the service exits by itself, run it with ecs_app_schedules, or as one of pre_deploy_tasks."
        project.note(task, "restart", reason, advice)
    replicas = deploy.get("replicas", given.get("scale"))
    return 1 if replicas is None else int(replicas)


def _restart(service: Json) -> str:
    """When Compose starts a container again that has ended."""
    policy = (service.get("deploy") or {}).get("restart_policy") or {}
    return str(policy.get("condition") or service.get("restart") or "")


def _definition(project: Project, task: str) -> Json:
    members = project.tasks[task]
    containers = [_in_task(project, task, member) for member in members]
    volumes = {volume["name"]: volume for member in members for volume in mounts_of(project, member)[1]}
    cpu, memory = _size(project, task)
    return without_empty(
        {
            "family": f"{project.options.project}-{container_name(task)}"[:255],
            "cpu": cpu,
            "memory": memory,
            "runtimePlatform": _platform(project, task),
            "pidMode": "task" if any(_shares_processes(project.services[one]) for one in members) else None,
            "volumes": list(volumes.values()),
            "containerDefinitions": containers,
        }
    )


def _shares_processes(service: Json) -> bool:
    return str(service.get("pid") or "").startswith("service:")


def _in_task(project: Project, task: str, service: str) -> Json:
    """A container; one of several waits for others in its task, and one that has to complete is not essential."""
    members = project.tasks[task]
    container = container_of(project, service)
    if len(members) == 1:
        return container
    waits = [
        {"containerName": container_name(other), "condition": _condition(project, other, dependency)}
        for other, dependency in (project.services[service].get("depends_on") or {}).items()
        if other in members
    ]
    _cpus, most, reserved = limits_of(project.services[service])
    return {
        **container,
        **without_empty({"memory": most, "memoryReservation": reserved if reserved != most else None}),
        **({"essential": False} if service != task and _is_job(service, project.services) else {}),
        **({"dependsOn": waits} if waits else {}),
    }


def _condition(project: Project, service: str, dependency: Json) -> str:
    condition = _CONDITIONS.get(str(dependency.get("condition")), "START")
    has_test = bool((project.services[service].get("healthcheck") or {}).get("test"))
    return "START" if condition == "HEALTHY" and not has_test else condition


def _size(project: Project, task: str) -> tuple[int, int]:
    """The nearest size of Fargate that has what the containers may use together."""
    members: Sequence[str] = project.tasks[task]
    limits = [limits_of(project.services[member]) for member in members]
    cpu = sum(cpu_units(share) or 0 for share, _most, _reserved in limits)
    memory = sum(most or reserved or 0 for _share, most, reserved in limits)
    if not cpu and not memory:
        project.notes.add(
            f"services.{task}.deploy.resources",
            f"Compose sets no limits, but a Fargate task requires a size. It is now {_SMALLEST[0]} CPU units,"
            f" {_SMALLEST[1]} MiB.",
            "Measure what it needs, for example with docker stats, and set cpu and memory of the task definition.",
        )
        return _SMALLEST
    found = fargate_size(cpu, memory)
    if found is None:
        project.note(
            task,
            "deploy.resources",
            "Fargate has no task of this size.",
            "The service gets the largest size. Split the service.",
        )
    return found or _LARGEST


def _platform(project: Project, task: str) -> Json | None:
    platform = str(project.services[task].get("platform") or "")
    if not platform:
        return None
    system, _slash, architecture = platform.partition("/")
    if system != "linux" or architecture.partition("/")[0] not in ("amd64", "x86_64", "arm64", "aarch64"):
        project.note(task, "platform", f"The service cannot run on {platform} on Fargate.", "It runs on Linux, X86_64.")
        return None
    name = "ARM64" if architecture.startswith(("arm64", "aarch64")) else "X86_64"
    return {"cpuArchitecture": name, "operatingSystemFamily": "LINUX"}


def _options(project: Project, task: str) -> Json:
    members = project.tasks[task]
    options: Json = {}
    if any(has_data(project, member) for member in members):
        options["deployment_configuration"] = _ONE_AT_A_TIME
    if task in project.named:
        options["service_registries"] = [{"registryArn": project.hosts.names[task].partition(".")[0]}]
    return options

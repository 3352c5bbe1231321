# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with services, by AWS's rules and by the names that they use. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.slipway.aws.plugins.module_utils._core.plan import UNKNOWN
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import did_you_mean, named, snake
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SCHEDULE
from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import (
    AWSVPC,
    SHARED_NETWORK,
    items_of,
    number_of,
    twice,
)
from ansible_collections.slipway.aws.plugins.module_utils._ecs.release.order import wrong_order
from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling.model import problems as scaling_problems
from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling.queue import insights_problem
from ansible_collections.slipway.aws.plugins.module_utils._ecs.schedule.model import (
    problems as schedule_option_problems,
)
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service import limits as service_limits
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task_definition.problems import (
    definition_problems,
    fargate_size_problems,
)
from ansible_collections.slipway.aws.plugins.plugin_utils import (
    ecs_app_definition,
    ecs_app_hosting,
    ecs_app_ports,
    ecs_app_secrets,
    ecs_app_strategies,
    ecs_verify,
)

CONDITIONS = ("START", "COMPLETE", "SUCCESS", "HEALTHY")
# `repository:tag`, `repository@digest` or, where a run has just pushed it, the repository alone.
IMAGE = re.compile(r"[a-z0-9][a-z0-9._/-]*(:[A-Za-z0-9_][A-Za-z0-9._-]*)?(@sha256:[0-9a-f]{64})?")
# What a secret's name in valueFrom may look like. All else is not shown: it may be the secret itself.
SECRET_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,40}", re.IGNORECASE)
# Where the agent of ECS Exec writes: https://github.com/aws/containers-roadmap/issues/1359
AGENT_WRITES = ("/managed-agents", "/var/lib/amazon/ssm", "/var/log/amazon/ssm")
# Options that services of the role have beside `options`.
DIRECT = ("name", "desired_count", "load_balancers", "after", "scaling")


@dataclass(frozen=True)
class Known:
    """The names that services can use, None for those that are not known yet, and where services run by default.

    `insights` is the setting of the cluster, empty if it is not known yet.
    """

    images: Mapping[str, str]
    secrets: Mapping[str, str]
    target_groups: Sequence[str] | None
    registries: Sequence[str] | None
    on_fargate: bool
    cluster: str = ""
    insights: str = ""


def place_of(number: int, service: Json) -> str:
    return f"ecs_app_services[{number}]{named(service)}"


def service_problems(services: Sequence[Json], known: Known) -> list[str]:
    """One sentence for each problem, with its place."""
    found = [
        f"{place_of(number, service)}.{problem}"
        for number, service in enumerate(services)
        for problem in _problems(service, known)
    ]
    return [*found, *_problems_of_all(services)]


def image_problems(images: Mapping[str, str]) -> list[str]:
    return [
        f"ecs_app_images.{name}: expected repository:tag without a registry, such as webapp:1.0, got {image!r}."
        for name, image in images.items()
        if not IMAGE.fullmatch(str(image))
    ]


def schedule_problems(schedules: Sequence[Json], services: Sequence[Json]) -> list[str]:
    """What is wrong with the schedules of tasks, by the rules of their module and by the names of services."""
    by_name = {str(service["name"]): service for service in services}
    omitted = {name: option.get("default") for name, option in SCHEDULE.items()}
    found = []
    for number, one in enumerate(schedules):
        place = f"ecs_app_schedules[{number}]{named(one)}"
        if one["service"] not in by_name:
            expected = _one_of("services of ecs_app_services", list(by_name))
            found.append(f"{place}.service: expected {expected}, got '{one['service']}'.")
        else:
            containers = ecs_app_ports.containers(by_name[one["service"]])
            found += [f"{place}.{problem}" for problem in _chosen_problems(one, containers)]
        found += [f"{place}.{problem}." for problem in schedule_option_problems({**omitted, **one})]
    names = twice(str(one["name"]) for one in schedules)
    return [*found, *(f"ecs_app_schedules: expected each name once, got '{name}' more than once." for name in names)]


def verify_problems(checks: Sequence[Json]) -> list[str]:
    """What is wrong with the checks that end a release."""
    found = [
        f"ecs_app_verify[{number}]{named(check)}{problem}"
        for number, check in enumerate(checks)
        for problem in ecs_verify.problems_of(check, ())
    ]
    names = twice(str(check.get("name")) for check in checks)
    return [*found, *(f"ecs_app_verify: expected each name once, got '{name}' more than once." for name in names)]


def _problems_of_all(services: Sequence[Json]) -> Iterator[str]:
    for name in twice(str(service["name"]) for service in services):
        yield f"ecs_app_services: expected each name once, got '{name}' more than once."
    families: dict[str, Json] = {}
    for number, service in enumerate(services):
        definition = service["task_definition"]
        family = str(definition.get("family"))
        if families.setdefault(family, definition) != definition:
            yield (
                f"{place_of(number, service)}.task_definition.family: expected another family, or the same"
                f" definition as the other service of this family, got {family!r} with another definition."
            )
    places = {str(service["name"]): f"{place_of(number, service)}." for number, service in enumerate(services)}
    for problem in wrong_order({str(service["name"]): service.get("after") or [] for service in services}):
        whose, _colon, what = problem.removeprefix("services").partition(": ")
        yield places.get(whose.removeprefix(", "), "ecs_app_services: ") + what


def _problems(service: Json, known: Known) -> Iterator[str]:
    """What modules refuse, and beyond that what only the role knows: names, scaling, how containers wait."""
    given = service["task_definition"]
    # The role's own default, which comes with the rest of the definition.
    definition = {"family": "", "network_mode": AWSVPC, **{snake(name): value for name, value in given.items()}}
    containers = ecs_app_ports.containers(service)
    options = {name: value for name, value in (service.get("options") or {}).items() if value is not None}
    options |= {name: service[name] for name in ("desired_count", "load_balancers") if service.get(name) is not None}
    yield from ecs_app_definition.problems(service)
    yield from map(_at_option, service_limits.service_problems(service["name"], options))
    if not containers:
        yield "task_definition.containerDefinitions: expected one container or more, got none."
        return
    yield from (f"task_definition.{_as_written(problem)}" for problem in definition_problems(definition))
    yield from map(_at_option, service_limits.relation_problems(options, definition))
    if not given.get("requiresCompatibilities") and ecs_app_hosting.is_on_fargate(options, known.on_fargate):
        for problem in fargate_size_problems(given.get("cpu"), given.get("memory")):
            yield f"task_definition.{problem}"
    yield from _port_problems(definition, containers)
    yield from _name_problems(options, "load_balancers", "targetGroupArn", "target groups", known.target_groups)
    for problem in _name_problems(options, "service_registries", "registryArn", "Cloud Map services", known.registries):
        yield f"options.{problem}"
    yield from _order_problems(containers)
    yield from _exec_problems(options, containers)
    yield from _scaling_problems(service, known)
    yield from _task_problems(service, containers)
    yield from ecs_app_strategies.problems(service)
    for number, container in enumerate(containers):
        where = f"task_definition.containerDefinitions[{number}]{named(container)}"
        yield from _container_problems(container, where, known)


def _at_option(problem: str) -> str:
    """A problem of an option of ecs_service, where the role has that option."""
    return problem if problem.startswith(DIRECT) else f"options.{problem}"


def _as_written(problem: str) -> str:
    """A problem of a definition, whose members the role has in AWS's spelling."""
    option = re.match(r"[a-z_]+", problem)
    if option is None:
        return problem
    first, *others = option[0].split("_")
    return first + "".join(word.capitalize() for word in others) + problem[option.end() :]


def _port_problems(definition: Json, containers: Sequence[Json]) -> Iterator[str]:
    shared = definition.get("network_mode") in SHARED_NETWORK
    taken = []
    for mapping in (one for container in containers for one in items_of(container, "portMappings")):
        # The containers of a task share its network interface; on a bridge only ports of the host collide.
        listening = mapping.get("containerPort") if shared else mapping.get("hostPort")
        if listening:
            taken.append(f"{listening}/{mapping.get('protocol', 'tcp')}")
    for port in twice(taken):
        yield f"task_definition.containerDefinitions: expected each port once in the task, got {port} more than once."


def _name_problems(options: Json, option: str, member: str, kind: str, known: Sequence[str] | None) -> Iterator[str]:
    for number, item in enumerate(items_of(options, option)):
        name = str(item.get(member) or UNKNOWN)
        # In check mode, what does not exist yet has no ARN.
        if known is not None and name != UNKNOWN and not name.startswith("arn:") and name not in known:
            yield f"{option}[{number}].{member}: expected {_one_of(kind, known)}, got {name!r}."


def _one_of(kind: str, known: Sequence[str]) -> str:
    return f"one of the {kind} ({', '.join(sorted(known)) or 'none'})"


def _order_problems(containers: Sequence[Json]) -> Iterator[str]:
    checked = {str(container.get("name")): bool(container.get("healthCheck")) for container in containers}
    for number, container in enumerate(containers):
        for place, dependency in enumerate(items_of(container, "dependsOn")):
            other, condition = str(dependency.get("containerName")), dependency.get("condition")
            where = f"task_definition.containerDefinitions[{number}]{named(container)}.dependsOn[{place}].condition"
            if condition not in CONDITIONS:
                yield f"{where}: expected one of {', '.join(CONDITIONS)}, got {condition or 'nothing'}."
            elif condition == "HEALTHY" and not checked.get(other, True):
                yield (
                    f"{where}: expected a healthCheck in container {other}, got none, so it would never become healthy."
                )


def _exec_problems(options: Json, containers: Sequence[Json]) -> Iterator[str]:
    """A container that the agent of ECS Exec cannot run in may be one of several."""
    is_enabled = boolean(options.get("enable_execute_command"), strict=False)
    if is_enabled and not any(map(_has_agent, containers)):
        yield (
            "options.enable_execute_command: expected a container with a writable root file system, got"
            " readonlyRootFilesystem in each. Remove it from a container, or mount writable volumes at"
            f" {', '.join(AGENT_WRITES)}, which AWS does not support."
        )


def _has_agent(container: Json) -> bool:
    mounts = items_of(container, "mountPoints")
    writable = {str(mount.get("containerPath")) for mount in mounts if not mount.get("readOnly")}
    return not container.get("readonlyRootFilesystem") or writable >= set(AGENT_WRITES)


def _scaling_problems(service: Json, known: Known) -> Iterator[str]:
    count, scaling = service.get("desired_count"), service.get("scaling")
    if not scaling:
        return
    found = scaling_problems(scaling)
    yield from (f"scaling{': ' if problem.startswith('expected') else '.'}{problem}." for problem in found)
    if scaling.get("requests_per_target") is not None and not service.get("load_balancers"):
        yield "scaling.requests_per_target: expected a load balancer in load_balancers, got none."
    if scaling.get("queue") and known.insights == "disabled":
        yield f"scaling.{insights_problem(known.cluster)}."
    number = number_of(count)
    if found or number is None:
        return
    least, most = int(scaling["min_capacity"]), int(scaling["max_capacity"])
    if not least <= number <= most:
        yield f"desired_count: expected {least} to {most}, the limits of scaling, got {count}."


def _task_problems(service: Json, containers: Sequence[Json]) -> Iterator[str]:
    for option in ("pre_deploy_tasks", "post_deploy_tasks"):
        for number, task in enumerate(service.get(option) or ()):
            for problem in _chosen_problems(task, containers):
                yield f"{option}[{number}]{named(task)}.{problem}"


def _chosen_problems(task: Json, containers: Sequence[Json]) -> Iterator[str]:
    """The container of a task is one of the service's."""
    names, given = [str(container.get("name")) for container in containers], task.get("container")
    if given is not None and given not in names:
        yield f"container: expected one of {', '.join(names)}, got {given!r}."


def _container_problems(container: Json, where: str, known: Known) -> Iterator[str]:
    image = ecs_app_ports.image_name(container)
    if image and image not in known.images:
        yield f"{where}.image: expected {_one_of('images', list(known.images))}, got {image!r}."
    for place, secret in enumerate(items_of(container, "secrets")):
        name = ecs_app_secrets.name_of(secret.get("valueFrom"))
        if name is not None:
            at = f"{where}.secrets[{place}]{named(secret)}.valueFrom"
            yield from _secret_problems(at, name, bool(str(secret["valueFrom"])[len(name) + 1 :]), known.secrets)


def _secret_problems(where: str, name: str, has_part: bool, types: Mapping[str, str]) -> Iterator[str]:
    """What follows the name of a secret is a member of its JSON, a version's stage and a version."""
    if name not in types:
        known = ", ".join(sorted(types)) or "none"
        near = SECRET_NAME.fullmatch(name) and did_you_mean(name, list(types), False)
        got = f"'{name}'{near}" if near else "something else, which is not shown because it may be a secret"
        yield f"{where}: expected one of the secrets and settings ({known}), a path or an ARN, got {got}."
    elif has_part and types[name] != "SecretsManager":
        yield (
            f"{where}: expected only a name, because {name} is a parameter and has no members, got more after a colon."
        )

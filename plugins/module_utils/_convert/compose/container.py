# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service of Compose as a container of a task definition. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Sequence

from ..._core.types import Json
from ..notes import without_empty
from .amounts import clamped, mebibytes, seconds
from .commands import commands_of, health_command
from .images import image_of
from .project import Project, container_name
from .secrets import file_value, has_address
from .unsupported import KEYS, UNKNOWN
from .values import Value
from .volumes import mounts_of

_LONGEST_STOP = 120
_MOST_RETRIES = 10
_LOG_DRIVERS = ("awslogs", "awsfirelens", "splunk")
# Drivers of Docker whose place CloudWatch takes.
_LOCAL_LOG_DRIVERS = ("json-file", "local", "journald", "none")
_SECRETS_DIRECTORY = "/run/secrets/"
# Keys that other parts of the conversion read.
HANDLED = frozenset(
    [
        "build",
        "cap_add",
        "cap_drop",
        "command",
        "configs",
        "container_name",
        "cpus",
        "depends_on",
        "deploy",
        "entrypoint",
        "env_file",
        "environment",
        "expose",
        "extends",
        "healthcheck",
        "hostname",
        "image",
        "init",
        "labels",
        "links",
        "logging",
        "mem_limit",
        "mem_reservation",
        "network_mode",
        "networks",
        "pid",
        "platform",
        "ports",
        "profiles",
        "read_only",
        "restart",
        "scale",
        "secrets",
        "stdin_open",
        "stop_grace_period",
        "sysctls",
        "tmpfs",
        "tty",
        "ulimits",
        "user",
        "volumes",
        "working_dir",
    ]
)


def container_of(project: Project, service: str) -> Json:
    """The container definition, without its volumes."""
    given = project.services[service]
    environment, secrets = environment_of(project, service)
    commands = commands_of(project, service, secrets)
    health = _health_check(project, service, secrets)
    mounts, _volumes, tmpfs = mounts_of(project, service)
    return without_empty(
        {
            "name": container_name(service),
            "image": image_of(project, service),
            **commands,
            "workingDirectory": given.get("working_dir"),
            "user": given.get("user"),
            "portMappings": _port_mappings(project, service),
            "environment": environment,
            "secrets": [{"name": name, "valueFrom": secrets[name]} for name in sorted(secrets)],
            "mountPoints": mounts,
            "linuxParameters": _linux_parameters(project, service, tmpfs),
            "readonlyRootFilesystem": given.get("read_only") or None,
            "interactive": given.get("stdin_open") or None,
            "pseudoTerminal": given.get("tty") or None,
            "stopTimeout": _stop_timeout(project, service),
            "ulimits": list(_ulimits(project, service)),
            "systemControls": [
                {"namespace": name, "value": str(value)} for name, value in _pairs(given.get("sysctls"))
            ],
            "dockerLabels": _labels(project, service),
            "logConfiguration": _log_configuration(project, service),
            "healthCheck": health,
        }
    )


def note_keys(project: Project, service: str) -> None:
    """Notes for all keys that have no counterpart."""
    for key, value in project.services[service].items():
        if key in HANDLED or value in (None, "", [], {}, False):
            continue
        project.note(service, key, *KEYS.get(key, UNKNOWN))


def environment_of(project: Project, service: str) -> tuple[list[Json], dict[str, str]]:
    """The environment as ECS takes it, and the secrets by variable."""
    plain: list[Json] = []
    secrets = dict(_file_secrets(project, service))
    for name, value in project.environments[service].items():
        place = f"environment.{name}"
        text = str(value.text or "")
        if text.startswith(_SECRETS_DIRECTORY) and name.endswith("_FILE") and name.removesuffix("_FILE") in secrets:
            project.note(
                service, place, "ECS passes secrets as variables.", f"It is now {name.removesuffix('_FILE')}. Check it."
            )
        elif has_address(value):
            secrets[name] = project.secrets.add_address(service, name, value)
        elif project.secrets.is_in_text(name, value) or (project.has_secret(text) and not project.is_secret(text)):
            secrets[name] = project.secrets.add_text(service, name, value, project.public)
        elif project.secrets.is_private(name, value) or project.is_secret(text):
            secrets[name] = project.secrets.add(service, name, value)
        elif value.text is None:
            reason = "It has no value in the file, because Compose reads it from the shell."
            project.note(service, place, reason, "Set it in the service's file.")
        else:
            plain.append({"name": name, "value": project.hosts.replaced(name, text, service)})
    return plain, secrets


def _file_secrets(project: Project, service: str) -> Iterator[tuple[str, str]]:
    """Secrets that Compose mounts as files, as variables; one that has the path gives its name."""
    paths = {
        value.text: name.removesuffix("_FILE")
        for name, value in project.environments[service].items()
        if name.endswith("_FILE") and value.text
    }
    known = project.model.get("secrets") or {}
    for grant in project.services[service].get("secrets") or ():
        source, target = str(grant.get("source")), str(grant.get("target") or grant.get("source"))
        path = target if target.startswith("/") else _SECRETS_DIRECTORY + target
        definition = known.get(source) or {}
        value = file_value("compose_directory", definition, project.relative(str(definition.get("file") or "")))
        entry: Json = {"from": str(definition.get("name") or source)} if definition.get("external") else {}
        name = project.secrets.add_file(source, entry, value)
        variable = paths.get(path) or re.sub(r"\W", "_", source).upper()
        if path not in paths:
            project.note(
                service,
                f"secrets.{source}",
                f"Compose mounts it as the file {path}. ECS passes secrets as variables only.",
                f"The variable {variable} contains it. Make the application read this variable.",
            )
        yield variable, name


def _port_mappings(project: Project, service: str) -> list[Json]:
    mappings: list[Json] = []
    for port in project.ports[service]:
        protocol = {"protocol": port.protocol} if port.protocol != "tcp" else {}
        mappings.append({"containerPort": port.number, **protocol})
    return mappings


def _linux_parameters(project: Project, service: str, tmpfs: Sequence[Json]) -> Json:
    given = project.services[service]
    added = [str(name).upper().removeprefix("CAP_") for name in given.get("cap_add") or ()]
    for name in added:
        if name != "SYS_PTRACE":
            project.note(
                service,
                f"cap_add.{name}",
                "The only capability that Fargate can add is SYS_PTRACE.",
                "If the application needs it, run the service on EC2 instances: ecs_cluster_hosting: ec2.",
            )
    dropped = [str(name).upper().removeprefix("CAP_") for name in given.get("cap_drop") or ()]
    capabilities = without_empty({"add": [one for one in added if one == "SYS_PTRACE"], "drop": dropped})
    return without_empty(
        {"capabilities": capabilities, "initProcessEnabled": given.get("init") or None, "tmpfs": list(tmpfs)}
    )


def _stop_timeout(project: Project, service: str) -> int | None:
    wanted = seconds(project.services[service].get("stop_grace_period"))
    if wanted is None or wanted <= _LONGEST_STOP:
        return wanted
    project.note(
        service,
        "stop_grace_period",
        f"Fargate waits at most {_LONGEST_STOP} seconds, not {wanted}.",
        "Make sure that the application stops in this time.",
    )
    return _LONGEST_STOP


def _ulimits(project: Project, service: str) -> Iterator[Json]:
    for name, limit in (project.services[service].get("ulimits") or {}).items():
        if name != "nofile":
            project.note(
                service, f"ulimits.{name}", "Fargate only supports nofile.", "Check that the default is enough."
            )
            continue
        both = limit if isinstance(limit, dict) else {"soft": limit, "hard": limit}
        soft, hard = (int(both.get(kind) or both.get("single") or 0) for kind in ("soft", "hard"))
        yield {"name": name, "softLimit": soft, "hardLimit": hard}


def _labels(project: Project, service: str) -> Json:
    """Labels as they are; those of a proxy have no reader any more."""
    found: Json = {}
    for name, value in (project.services[service].get("labels") or {}).items():
        if str(name).startswith(("traefik.", "caddy", "com.docker.compose.")):
            project.note(
                service,
                "labels",
                "ECS has no proxy that reads labels to discover containers.",
                "The rules in ecs_load_balancer_target_groups replace them. Check these rules.",
            )
        elif project.has_secret(str(value)):
            project.note(service, f"labels.{name}", "It has a secret in it.", "Let the application read it elsewhere.")
        else:
            found[str(name)] = str(value)
    return found


def _log_configuration(project: Project, service: str) -> Json | None:
    logging = project.services[service].get("logging") or {}
    driver = logging.get("driver")
    if driver in _LOG_DRIVERS:
        return _driver(project, service, logging)
    if driver and driver not in _LOCAL_LOG_DRIVERS:
        advice = "Logs now go to CloudWatch. For other destinations, use the log driver awsfirelens."
        project.note(service, "logging", f"Fargate does not support the log driver {driver}.", advice)
    return None


def _driver(project: Project, service: str, logging: Json) -> Json:
    """A driver of ECS, with secrets by reference."""
    options: dict[str, str] = {}
    secrets: list[Json] = []
    for name, value in _pairs(logging.get("options")):
        given = Value(str(value), str(value))
        if project.secrets.is_private(name, given) or project.has_secret(str(value)):
            secrets.append({"name": name, "valueFrom": project.secrets.add(service, name, given)})
        else:
            options[name] = str(value)
    return without_empty({"logDriver": logging["driver"], "options": options, "secretOptions": secrets})


def _health_check(project: Project, service: str, secrets: dict[str, str]) -> Json | None:
    """The health check, within the limits of ECS. ECS ignores those of images, so nothing disables one."""
    given = project.services[service].get("healthcheck") or {}
    test = given.get("test") or []
    if given.get("disable") or not test or test[0] == "NONE":
        if given and not given.get("disable") and not test:
            reason = "It changes the health check of the image, which ECS ignores."
            project.note(service, "healthcheck", reason, "Set healthCheck with the image's command.")
        return None
    if given.get("start_interval"):
        project.note(service, "healthcheck.start_interval", "ECS only has one interval.", "Nothing is needed.")
    limits = {"interval": (5, 300), "timeout": (2, 60), "startPeriod": (0, 300)}
    wanted = {
        "interval": seconds(given.get("interval")),
        "timeout": seconds(given.get("timeout")),
        "startPeriod": seconds(given.get("start_period")),
    }
    numbers = {name: clamped(number, *limits[name]) for name, number in wanted.items() if number is not None}
    for name, number in numbers.items():
        if number != wanted[name]:
            reason = f"ECS accepts {limits[name][0]} to {limits[name][1]} seconds, not {wanted[name]}."
            project.note(service, f"healthcheck.{name}", reason, f"It is now {number} seconds.")
    retries = given.get("retries")
    if retries and int(retries) > _MOST_RETRIES:
        reason = f"ECS takes 1 to {_MOST_RETRIES} retries, not {retries}."
        project.note(service, "healthcheck.retries", reason, f"It is {_MOST_RETRIES} now.")
    return {
        "command": health_command(project, service, test, secrets),
        **numbers,
        **({"retries": clamped(int(retries), 1, _MOST_RETRIES)} if retries else {}),
    }


def _pairs(mapping: t.Any) -> Iterator[tuple[str, t.Any]]:
    yield from (mapping or {}).items()


def limits_of(service: Json) -> tuple[t.Any, int | None, int | None]:
    """What a container may and wants to have: processors, MiB at most, MiB reserved."""
    resources = (service.get("deploy") or {}).get("resources") or {}
    limits, reservations = resources.get("limits") or {}, resources.get("reservations") or {}
    return (
        limits.get("cpus") or service.get("cpus") or reservations.get("cpus"),
        mebibytes(limits.get("memory") or service.get("mem_limit")),
        mebibytes(reservations.get("memory") or service.get("mem_reservation")),
    )

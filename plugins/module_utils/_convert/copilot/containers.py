# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The containers of a Copilot service. Pure."""

from __future__ import annotations

import posixpath
import typing as t
from collections.abc import Mapping

from ..._core.types import Json
from .manifest import seconds, variables_of, words
from .project import Project

_CONDITIONS = {"start": "START", "healthy": "HEALTHY", "complete": "COMPLETE", "success": "SUCCESS"}
_LOG_ROUTER = "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"


def main(name: str, given: Json, project: Project) -> Json:
    """The container of the service itself; takes its members from the manifest."""
    image = given.pop("image", None) or {}
    image = dict(image) if isinstance(image, Mapping) else {"location": image}
    container: Json = {"name": name, "image": _image(name, image, project)}
    port = image.pop("port", None)
    if port:
        container["portMappings"] = [{"containerPort": int(port)}]
    _common(container, image, project, f"{name}.image")
    credentials = image.pop("credentials", None)
    if credentials:
        container["repositoryCredentials"] = {"credentialsParameter": credentials}
    project.leftovers(image, f"{name}.image")
    own = {"COPILOT_APPLICATION_NAME": project.application, "COPILOT_SERVICE_NAME": name}
    if project.environment:
        own["COPILOT_ENVIRONMENT_NAME"] = project.environment
    _environment(container, given, own, project, name)
    _commands(container, given)
    return container


def sidecar(service: str, name: str, sidecar_of: Mapping[str, t.Any], project: Project) -> Json:
    given, place = dict(sidecar_of), f"{service}.sidecars.{name}"
    image = given.pop("image", None) or {}
    image = dict(image) if isinstance(image, Mapping) else {"location": image}
    container: Json = {"name": name, "image": _image(f"{service}-{name}", image, project)}
    port = given.pop("port", None)
    if port:
        number, _slash, protocol = str(port).partition("/")
        container["portMappings"] = [{"containerPort": int(number), **({"protocol": protocol} if protocol else {})}]
    if given.pop("essential", True) is False:
        container["essential"] = False
    credentials = given.pop("credentialsParameter", None) or image.pop("credentials", None)
    if credentials:
        container["repositoryCredentials"] = {"credentialsParameter": credentials}
    mounts = [
        {
            "sourceVolume": mount["source_volume"],
            "containerPath": mount["path"],
            "readOnly": bool(mount.get("read_only", True)),
        }
        for mount in given.pop("mount_points", None) or ()
    ]
    if mounts:
        container["mountPoints"] = mounts
    _common(container, {**image, **{key: given.pop(key) for key in _COMMON if key in given}}, project, place)
    _environment(container, given, {}, project, place)
    _commands(container, given)
    project.leftovers(given, place)
    return container


_COMMON = ("healthcheck", "labels", "depends_on")


def _common(container: Json, given: Json, project: Project, place: str) -> None:
    check = given.pop("healthcheck", None)
    if check:
        container["healthCheck"] = _health_check(check)
    labels = given.pop("labels", None)
    if labels:
        container["dockerLabels"] = {str(key): str(value) for key, value in labels.items()}
    after = given.pop("depends_on", None)
    if after:
        container["dependsOn"] = [
            {"containerName": other, "condition": _CONDITIONS.get(str(condition).lower(), str(condition).upper())}
            for other, condition in after.items()
        ]


def _health_check(check: Mapping[str, t.Any]) -> Json:
    # What Copilot sets where a manifest has a health check that says no more.
    durations = {"interval": 10, "timeout": 5, "start_period": 0}
    times = {name: int(seconds(check.get(name, default))) for name, default in durations.items()}
    command = check.get("command")
    if isinstance(command, str):
        command = ["CMD-SHELL", command]
    return {
        "command": words(command or ["CMD-SHELL", "curl -f http://localhost/ || exit 1"]),
        "interval": times["interval"],
        "timeout": times["timeout"],
        "retries": int(check.get("retries", 2)),
        **({"startPeriod": times["start_period"]} if times["start_period"] else {}),
    }


def _environment(container: Json, given: Json, own: Mapping[str, str], project: Project, place: str) -> None:
    path = given.pop("env_file", None)
    from_file = _from_file(path, project, place) if path else {}
    variables = {**own, **from_file, **(given.pop("variables", None) or {})}
    plain, hidden = project.passed(variables, f"{place}.variables")
    secrets = [*project.referenced(given.pop("secrets", None) or {}), *hidden]
    container |= {name: value for name, value in (("environment", plain), ("secrets", secrets)) if value}


def _from_file(path: str, project: Project, place: str) -> Mapping[str, str]:
    if path not in project.env_files:
        project.notes.add(
            f"{place}.env_file",
            f"The file {path} is not in the workspace.",
            "Add its variables to the environment of the container.",
        )
    return variables_of(project.env_files.get(path, ""))


def _commands(container: Json, given: Json) -> None:
    for name, member in (("entrypoint", "entryPoint"), ("command", "command")):
        value = given.pop(name, None)
        if value:
            container[member] = words(value)


def _image(name: str, image: Json, project: Project) -> str:
    """The image of a container: by its address, or one that is built."""
    build, location = image.pop("build", None), image.pop("location", None)
    if not build:
        return str(project.value(location, "the address of an image"))
    build = {"dockerfile": build} if isinstance(build, str) else dict(build)
    dockerfile = str(build.pop("dockerfile", "") or "")
    context = build.pop("context", None)
    if context is None:
        context = posixpath.dirname(dockerfile) or "."
    if not dockerfile:
        dockerfile = posixpath.join(context, "Dockerfile")
    inside = posixpath.relpath(dockerfile, context)
    entry: Json = {
        "name": name,
        "repository": {"name": f"{project.name}/{name}"},
        "path": {"__template__": posixpath.normpath(f"{{{{ copilot_directory }}}}/{context}")},
        **({} if inside == "Dockerfile" else {"dockerfile": inside}),
        "tags": ["latest"],
    }
    arguments = build.pop("args", None)
    if arguments:
        entry["build_args"] = {str(key): str(value) for key, value in arguments.items()}
    target = build.pop("target", None)
    if target:
        entry["target"] = target
    if build.pop("cache_from", None):
        project.notes.add(
            f"{name}.image.build.cache_from",
            "The role container_image only builds an image when its source has changed.",
            "Omit it.",
        )
    project.leftovers(build, f"{name}.image.build")
    project.images.append(entry)
    return name


def with_log_router(containers: list[Json], given: Mapping[str, t.Any], project: Project, place: str) -> list[Json]:
    """The containers with the log driver awsfirelens and the container that routes the logs."""
    logging = dict(given)
    options = {"enable-ecs-log-metadata": "true" if logging.pop("enableMetadata", True) else "false"}
    path = logging.pop("configFilePath", None)
    if path:
        options |= {"config-file-type": "file", "config-file-value": str(path)}
    router: Json = {
        "name": "firelens_log_router",
        "image": str(logging.pop("image", None) or _LOG_ROUTER),
        "firelensConfiguration": {"type": "fluentbit", "options": options},
    }
    destination = {str(key): str(value) for key, value in (logging.pop("destination", None) or {}).items()}
    secrets = project.referenced(logging.pop("secretOptions", None) or {})
    _environment(router, logging, {}, project, f"{place}.logging")
    project.leftovers(logging, f"{place}.logging")
    driver: Json = {"logDriver": "awsfirelens", "options": destination}
    if secrets:
        driver["secretOptions"] = secrets
    return [{**container, "logConfiguration": driver} for container in containers] + [router]

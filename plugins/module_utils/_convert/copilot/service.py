# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One manifest of a service or a job as an element of ecs_app_services. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._core.error_codes import SOURCE_INVALID
from ..._core.errors import SlipwayError
from ..._core.types import Json
from . import containers, http, overrides, scaling, storage
from .manifest import FormError, of_environment, schedule
from .project import Project

JOB = "Scheduled Job"
_TYPES = ("Load Balanced Web Service", "Backend Service", "Worker Service", JOB)
_OTHERS = {
    "Request-Driven Web Service": (
        "It runs on AWS App Runner, not on Amazon ECS.",
        "Change the type to Load Balanced Web Service, with http.path, and convert again.",
    ),
    "Static Site": (
        "It is a bucket with a CloudFront distribution, without a container.",
        "Keep the stack, or serve the files with an nginx container.",
    ),
}
_SYSTEMS = {"linux": "LINUX", "windows": "WINDOWS_SERVER_2019_CORE"}
_ARCHITECTURES = {"x86_64": "X86_64", "amd64": "X86_64", "arm64": "ARM64", "arm": "ARM64"}


def convert(manifest: Mapping[str, t.Any], project: Project) -> Json | None:
    """The element of a manifest; None for a type that ECS does not run."""
    given = project.interpolated(of_environment(manifest, project.environment))
    name, kind = str(given.pop("name", "")), str(given.pop("type", ""))
    if kind in _OTHERS:
        project.notes.add(name, *_OTHERS[kind])
        return None
    if not name or kind not in _TYPES:
        raise SlipwayError(
            SOURCE_INVALID,
            f"manifest of {name or 'a service'}: expected a type of {', '.join((*_TYPES, *_OTHERS))}, got"
            f" {kind or 'none'}. Correct the manifest.",
        )
    try:
        return _element(name, kind, given, project)
    except (FormError, overrides.OverrideError) as error:
        raise SlipwayError(SOURCE_INVALID, f"manifest of {name}: {error}. Correct the manifest.") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SlipwayError(
            SOURCE_INVALID,
            f"manifest of {name}: expected values in the forms that Copilot documents, got another one ({error})."
            " Correct the manifest.",
        ) from error


def _element(name: str, kind: str, given: Json, project: Project) -> Json:
    element: Json = {"name": name, "options": {}}
    main = containers.main(name, given, project)
    others = [containers.sidecar(name, key, one, project) for key, one in (given.pop("sidecars", None) or {}).items()]
    definition: Json = {
        "family": f"{project.name}-{name}",
        "cpu": str(given.pop("cpu", 256)),
        "memory": str(given.pop("memory", 512)),
        **_platform(given.pop("platform", None)),
    }
    storage.apply(definition, main, given.pop("storage", None) or {}, project, name)
    if kind == JOB:
        _job(element, given, project)
    else:
        scaling.apply(element, given.pop("count", None), project)
    everyone = [main, *others]
    http.apply(element, given.pop("http", None), everyone, project)
    _network(element, given.pop("network", None) or {}, everyone, kind, project)
    _deployment(element, given.pop("deployment", None) or {}, project)
    if given.pop("exec", False):
        element["options"]["enable_execute_command"] = True
    definition["containerDefinitions"] = _logged(everyone, given.pop("logging", None) or {}, project, name)
    for rule in given.pop("taskdef_overrides", None) or ():
        overrides.apply(definition, str(rule["path"]), rule.get("value"))
    _elsewhere(given, main, project, name)
    project.leftovers(given, name)
    element["task_definition"] = project.secrets.replaced(definition, name)
    return {key: value for key, value in element.items() if value not in ({}, [])}


def _platform(given: t.Any) -> Json:
    if not given:
        return {}
    if isinstance(given, Mapping):
        system, machine = str(given.get("osfamily", "linux")), str(given.get("architecture", "x86_64"))
    else:
        system, _slash, machine = str(given).partition("/")
    family, architecture = _SYSTEMS.get(system.lower(), system.upper()), _ARCHITECTURES.get(machine.lower(), "X86_64")
    if (family, architecture) == ("LINUX", "X86_64"):
        return {}
    return {"runtimePlatform": {"operatingSystemFamily": family, "cpuArchitecture": architecture}}


def _job(element: Json, given: Json, project: Project) -> None:
    """A job is a schedule; a service without tasks holds its settings."""
    name, trigger = element["name"], dict(given.pop("on", None) or {})
    element["desired_count"] = 0
    expression, enabled = schedule(str(trigger.pop("schedule", "none")))
    entry: Json = {"name": name, "service": name, "schedule": expression}
    if not enabled:
        entry["enabled"] = False
    project.schedules.append(entry)
    project.leftovers(trigger, f"{name}.on")
    if given.pop("retries", None) is not None:
        project.notes.add(
            f"{name}.retries",
            "EventBridge Scheduler only retries a task that could not start, not one that failed.",
            "Retry inside the container, or rerun a failed task with the playbook run_schedule.",
        )
    if given.pop("timeout", None) is not None:
        project.notes.add(
            f"{name}.timeout",
            "ECS has no timeout for tasks.",
            "Limit the time in the container: put the command timeout with the seconds before its command.",
        )


def _network(element: Json, network: Mapping[str, t.Any], all_of: list[Json], kind: str, project: Project) -> None:
    name, given = element["name"], dict(network)
    port = next((one["portMappings"][0] for one in all_of if one.get("portMappings")), None)
    connect = given.pop("connect", False)
    if connect:
        _connect(element, connect, port, project)
    if port and kind != JOB:
        project.names.append(name)
        element["options"]["service_registries"] = [{"registryArn": name}]
    vpc = dict(given.pop("vpc", None) or {})
    _placement(element, vpc, project)
    project.leftovers(vpc, f"{name}.network.vpc")
    project.leftovers(given, f"{name}.network")


def _connect(element: Json, connect: t.Any, port: Json | None, project: Project) -> None:
    alias = connect.get("alias") if isinstance(connect, Mapping) else None
    configuration: Json = {"enabled": True, "namespace": {"__template__": "{{ service_discovery_namespace }}"}}
    if port:
        port.setdefault("name", "target")
        client = {"port": port["containerPort"], "dnsName": str(alias or element["name"])}
        configuration["services"] = [
            {"portName": port["name"], "discoveryName": f"{element['name']}-sc", "clientAliases": [client]}
        ]
    element["options"]["service_connect_configuration"] = configuration


def _placement(element: Json, vpc: Json, project: Project) -> None:
    place = f"{element['name']}.network.vpc"
    placement, groups = vpc.pop("placement", None), vpc.pop("security_groups", None)
    subnets = placement.get("subnets") if isinstance(placement, Mapping) else None
    if placement == "public":
        project.notes.add(
            f"{place}.placement",
            "Tasks run in private subnets and reach the internet through a NAT gateway.",
            "If the service needs a public address, set network_configuration in its options.",
        )
    if isinstance(groups, Mapping):
        if groups.get("deny_default"):
            project.notes.add(
                f"{place}.security_groups", "The security group of the project's tasks remains attached.", "Replace it."
            )
        groups = groups.get("groups")
    if not isinstance(subnets, list) and subnets:
        project.notes.add(f"{place}.placement", "Subnets by tag apply to the whole project.", _SUBNETS)
        subnets = None
    if not subnets and not groups:
        return
    given = groups if isinstance(groups, list) else [groups] if groups else []
    named = [project.value(group, "a security group") for group in given]
    element["options"]["network_configuration"] = {
        "awsvpcConfiguration": {
            "subnets": list(subnets) if subnets else {"__template__": _SUBNETS_OF_PROJECT},
            "securityGroups": {"__template__": _groups(named, project)},
            "assignPublicIp": "DISABLED",
        }
    }


# Variables are validated before the role ecs_network has run.
_SUBNETS_OF_PROJECT = "{{ ecs_network_result.private_subnet_ids | default(['unknown']) }}"
_SUBNETS = "Set ecs_network_private_subnet_tags."


def _groups(named: list[str], project: Project) -> str:
    listed = ", ".join(project.placeholders.expression(str(one)) for one in named)
    return f"{{{{ [ecs_network_result.security_group_ids.tasks | default('unknown')] + [{listed}] }}}}"


def _deployment(element: Json, deployment: Mapping[str, t.Any], project: Project) -> None:
    given = dict(deployment)
    configuration: Json = {}
    if given.pop("rolling", "default") == "recreate":
        configuration |= {"minimumHealthyPercent": 0, "maximumPercent": 100}
    alarms = given.pop("rollback_alarms", None)
    if isinstance(alarms, list):
        configuration["alarms"] = {"alarmNames": alarms, "enable": True, "rollback": True}
    elif alarms:
        project.notes.add(
            f"{element['name']}.deployment.rollback_alarms",
            "Copilot creates these alarms; Slipway does not.",
            "Create the alarms in CloudWatch, and list them in deployment_configuration.alarms of the service.",
        )
    if configuration:
        element["options"]["deployment_configuration"] = configuration
    project.leftovers(given, f"{element['name']}.deployment")


def _logged(all_of: list[Json], logging: Mapping[str, t.Any], project: Project, place: str) -> list[Json]:
    given = dict(logging)
    retention = given.pop("retention", None)
    if retention:
        project.retention.append(int(retention))
    return containers.with_log_router(all_of, given, project, place) if given else all_of


def _elsewhere(given: Json, main: Json, project: Project, name: str) -> None:
    """What Copilot creates besides ECS."""
    if given.pop("nlb", None):
        project.notes.add(
            f"{name}.nlb",
            "The role only creates an Application Load Balancer, not a Network Load Balancer.",
            "Create target groups with the module elb_target_group, and add their ARNs to load_balancers.",
        )
    for member, (variable, reason) in _MESSAGES.items():
        if given.pop(member, None):
            project.notes.add(f"{name}.{member}", reason, _ALLOW)
            token = project.missing(variable, name, f"what Copilot passes to {name} as {variable}", reason)
            main.setdefault("environment", []).append({"name": variable, "value": token})
    tracing = (given.pop("observability", None) or {}).get("tracing")
    if tracing:
        project.notes.add(
            f"{name}.observability.tracing",
            "Copilot adds an OpenTelemetry collector container and permissions for X-Ray.",
            "Add a container with the image public.ecr.aws/aws-observability/aws-otel-collector, and add the"
            " permissions to ecs_cluster_task_statements.",
        )


_MESSAGES = {
    "publish": ("COPILOT_SNS_TOPIC_ARNS", "Copilot creates the topics; Slipway does not."),
    "subscribe": ("COPILOT_QUEUE_URI", scaling.QUEUE),
}
_ALLOW = "Keep them in a separate stack, and allow the task role to use them in ecs_cluster_task_statements."

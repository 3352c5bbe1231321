# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service and its task definition, from answers of ECS to an element of ecs_app_services. Pure."""

from __future__ import annotations

import typing as t
from types import MappingProxyType

from ..._core.names import PARAMETER, Home, arn_of, is_arn
from ..._core.notes import Note
from ..._core.plan import blank, normalise
from ..._core.tags import OWN, RESERVED, Tags, from_list, to_list
from ..._core.types import Json
from ..arguments import SERVICE_MEMBERS
from ..limits import AWSVPC, BRIDGE, FARGATE
from ..service.defaults import DEFAULTS
from ..service.model import from_api
from ..task_definition.model import ACTIVE, parse_name
from .secrets import Variables

# Of DescribeServices, what is no setting of its own, each with the reason.
SERVICE_READ_ONLY: t.Mapping[str, str] = MappingProxyType(
    {
        "clusterArn": "the cluster is one variable of the project",
        "createdAt": "AWS writes it",
        "createdBy": "AWS writes it",
        "currentServiceDeployment": "it changes with each deployment",
        "currentServiceRevisions": "they change with each deployment",
        "deployments": "they change by themselves; the settings that only they contain are read from them",
        "events": "AWS writes them",
        "pendingCount": "it changes by itself",
        "platformFamily": "it follows from the task definition",
        "resourceManagementType": "AWS sets it; a service that ECS manages has a note",
        "runningCount": "it changes by itself",
        "serviceArn": "it follows from cluster and name",
        "status": "only active services are read",
        "taskSets": "services with task sets are left out, with a note",
    }
)
# Of DescribeTaskDefinition, what only AWS writes.
DEFINITION_READ_ONLY = frozenset(
    [
        "compatibilities",
        "deleteRequestedAt",
        "deregisteredAt",
        "registeredAt",
        "registeredBy",
        "requiresAttributes",
        "revision",
        "status",
        "tags",
        "taskDefinitionArn",
    ]
)
# Options of a service that the element has under another name, or that say how many tasks there are.
_ELSEWHERE = frozenset(("desired_count", "load_balancers", "role", "tags", "task_definition"))
# Written in any case: where they are omitted, the role has defaults of its own.
_WRITTEN = frozenset(("deployment_configuration", "propagate_tags"))


# What each role is for, and its member of a task definition.
ROLES = {"execution": "executionRoleArn", "task": "taskRoleArn"}
# ARNs by what a role is for; empty where there is none.
Roles = t.Mapping[str, str]


class Known(t.NamedTuple):
    """What AWS takes, where names are resolved, and the roles that the variables of the project name."""

    home: Home
    service_members: frozenset[str]
    definition_members: frozenset[str]
    roles: Roles = MappingProxyType({})


def own_tags(tags: Tags) -> Tags:
    """The tags that the service has beside those that modules and roles set."""
    return {name: text for name, text in tags.items() if not name.startswith(RESERVED) and name not in OWN}


def element(answer: Json, definition: Json, known: Known, hidden: Variables) -> tuple[Json, list[Note]]:
    """The service without its scaling, as ecs_app_services has it. `answer` has the monitoring of its revision."""
    name = str(answer["serviceName"])
    notes = [*_service_notes(answer, known), *_revision_notes(answer, definition)]
    written, more = _definition(definition, name, known, hidden)
    number = None if answer.get("schedulingStrategy") == "DAEMON" else answer.get("desiredCount")
    count = {} if number is None else {"desired_count": number}
    options, found = hidden.replaced(_options(answer), name, f"services.{name}.options")
    balancers = [dict(item) for item in answer.get("loadBalancers") or ()]
    return {
        "name": name,
        **count,
        **({"load_balancers": balancers} if balancers else {}),
        "options": options,
        "task_definition": written,
    }, [*notes, *found, *more]


def _options(answer: Json) -> Json:
    """What the service has and AWS does not fill in by itself."""
    current = from_api(answer, answer.get("monitoring"))
    given = {
        name: value
        for name in SERVICE_MEMBERS
        if name not in _ELSEWHERE
        and (value := current.get(name)) is not None
        and (value != DEFAULTS.get(name) or name in _WRITTEN)
    }
    if answer.get("availabilityZoneRebalancing"):
        given["availability_zone_rebalancing"] = answer["availabilityZoneRebalancing"]
    if given.get("capacity_provider_strategy"):
        given.pop("launch_type", None)
    role = str(answer.get("roleArn") or "")
    if role and "aws-service-role/" not in role:
        given["role"] = role
    tags = own_tags(from_list(answer.get("tags")))
    deployment = dict(given.get("deployment_configuration") or {})
    if not (deployment.get("alarms") or {}).get("enable"):
        deployment.pop("alarms", None)
    return {**given, "deployment_configuration": deployment, **({"tags": tags} if tags else {})}


def _service_notes(answer: Json, known: Known) -> t.Iterator[Note]:
    place = f"services.{answer['serviceName']}"
    for member in sorted(answer.keys() - known.service_members - {*SERVICE_READ_ONLY, "roleArn"}):
        if not blank(answer[member]):
            yield Note(
                f"{place}.{member}",
                "It cannot be expressed because the installed botocore does not know it as a setting of a service.",
                "Runs do not change it. To manage it, install a newer botocore.",
            )
    if answer.get("resourceManagementType") == "ECS":
        yield Note(
            f"{place}.resourceManagementType",
            "Amazon ECS manages the service in Express Mode, with its load balancer, scaling and security groups.",
            "Change it with Express Mode only, or create a separate service for the same task definition.",
        )
    if (answer.get("deploymentController") or {}).get("type") == "CODE_DEPLOY":
        yield Note(
            f"{place}.deploymentController",
            "AWS CodeDeploy deploys the service, so Slipway cannot release a new task definition.",
            "Move it to ECS blue/green deployments first; the first release explains how.",
        )


def _revision_notes(answer: Json, definition: Json) -> t.Iterator[Note]:
    if definition.get("status", ACTIVE) != ACTIVE:
        yield Note(
            f"services.{answer['serviceName']}.taskDefinition",
            f"It runs {parse_name(answer['taskDefinition'])}, which is deregistered, so no new task can start.",
            "The first run registers the same task definition again; check mode reports this change.",
        )


# The task definition


def _definition(answer: Json, service: str, known: Known, hidden: Variables) -> tuple[Json, list[Note]]:
    place = f"services.{service}.task_definition"
    notes = [
        Note(
            f"{place}.{member}",
            "It cannot be expressed because the installed botocore does not know it as a setting of a task definition.",
            "The next revision would lose it. Install a newer botocore, then import again.",
        )
        for member in sorted(answer.keys() - known.definition_members - DEFINITION_READ_ONLY)
        if not blank(answer[member])
    ]
    given = {member: value for member, value in answer.items() if member not in DEFINITION_READ_ONLY}
    given = {member: value for member, value in normalise(given).items() if not blank(value) and value != ""}
    given["containerDefinitions"] = [_container(one, known.home) for one in given.get("containerDefinitions") or ()]
    tags = own_tags(from_list(answer.get("tags")))
    written = {**_as_variables(given, known.roles), **({"tags": to_list(tags)} if tags else {})}
    replaced, found = hidden.replaced(written, service, place)
    return replaced, [*notes, *found]


def _as_variables(definition: Json, roles: Roles) -> Json:
    """The definition without what the role ecs_app completes. What it lacks in spite of that is written empty."""
    is_fargate = FARGATE in (definition.get("requiresCompatibilities") or ())
    system = str((definition.get("runtimePlatform") or {}).get("operatingSystemFamily", ""))
    # Without one, AWS takes bridge, and on Windows a mode that has no name.
    mode = AWSVPC if is_fargate else None if system.startswith("WINDOWS") else BRIDGE
    whole = {"requiresCompatibilities": [], "networkMode": mode, **definition}
    for name, member in ROLES.items():
        arn = whole.pop(member, "")
        whole |= {member: arn} if arn != roles.get(name, "") else {}
    if whole["networkMode"] == AWSVPC:
        del whole["networkMode"]
    first = ("family", "cpu", "memory")
    return {**{member: whole[member] for member in first if member in whole}, **whole}


def _container(container: Json, home: Home) -> Json:
    """In variables, a secret or an image without a slash is a name of the project's."""
    image = str(container.get("image") or "")
    plain = image and not any(mark in image for mark in "/:@")
    secrets = [
        {**one, "valueFrom": _parameter(str(one.get("valueFrom") or ""), home)}
        for one in container.get("secrets") or ()
    ]
    return {
        **container,
        **({"image": f"{image}:latest"} if plain else {}),
        **({"secrets": secrets} if secrets else {}),
    }


def _parameter(source: str, home: Home) -> str:
    return source if is_arn(source) or "/" in source else arn_of(PARAMETER, source, home)

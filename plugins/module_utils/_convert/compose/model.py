# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Compose project as a Slipway project. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from ..._core.types import Json
from ..jinja import template
from ..notes import Notes, some_of, without_empty
from ..platforms import of_builds
from .balancers import Target, groups_of, targets_of
from .commands import find_secrets
from .container import note_keys
from .hosts import Hosts, cloud_map_name, hosts_of
from .images import builds_of
from .members import note_members
from .ports import Port, declared, of_image
from .project import DIRECTORY, Options, Project
from .secrets import Secrets, has_address
from .tasks import service_of, tasks_of
from .unsupported import PID_OF_HOST
from .values import Value, environment_of
from .volumes import note_volumes


class Source(t.Protocol):
    """What was read; `raw` still has the variables of the file, and all profiles."""

    @property
    def model(self) -> Json: ...
    @property
    def raw(self) -> Json: ...
    @property
    def unset(self) -> tuple[str, ...]: ...
    @property
    def directory(self) -> str: ...


def site_of(source: Source, options: Options) -> Json:
    """The description of the project that the module inventory_files writes."""
    project = _project(source, options)
    _note_source(project, source)
    _find_secrets(project)
    targets = targets_of(project)
    services = [service_of(project, task, targets) for task in project.tasks]
    for name in project.services:
        note_keys(project, name)
        note_members(project, name)
    note_volumes(project)
    variables = _variables(project, targets, services)
    _note_rest(project, targets)
    return {
        "name": options.project,
        "variables": variables,
        "comments": _COMMENTS,
        "services": services,
        "notes": list(project.notes),
    }


# The role's build argument for its base image, under a name that the Dockerfiles of others do not have.
_OWN_BASE_IMAGES = {"container_image_base_image_arg": "SLIPWAY_BASE_IMAGE"}
_EXTENSION = ("It is an extension for another tool.", "Check whether the application needs it.")
_COMMENTS = {
    "cloud": "Where the project runs.",
    "project": "The project's name, and the location of its source.",
    "images": "Images to build. ECS pulls all other images from their registries.",
    "load_balancer": (
        "The rules of the load balancer. The first target group gets all requests that match no other rule."
    ),
    "secrets": "Secrets by name. Those without a value here get a random one when they are created.",
}


def _project(source: Source, options: Options) -> Project:
    services: Mapping[str, Json] = source.model.get("services") or {}
    raw = source.raw.get("services") or {}
    environments = {name: environment_of(one, raw.get(name) or {}) for name, one in services.items()}
    namespace = f"{options.project}.internal"
    tasks = tasks_of(services)
    task_of = {member: task for task, members in tasks.items() for member in members}
    names = {name: f"{cloud_map_name(task_of[name])}.{namespace}" for name in services}
    hosts = hosts_of(services, names)
    used = _used(services, environments, hosts)
    ports = {name: _ports(one, used.get(name, set())) for name, one in services.items()}
    named = _named(services, used, ports, task_of)
    notes = Notes()
    secrets = Secrets(notes, hosts)
    return Project(
        options,
        source.model,
        services,
        environments,
        tasks,
        ports,
        named,
        hosts,
        _public(services, environments, secrets),
        secrets,
        notes,
        source.directory,
    )


def _public(
    services: Mapping[str, Json], environments: Mapping[str, Mapping[str, Value]], secrets: Secrets
) -> frozenset[str]:
    """Words that occur where no secret is: names, and values of other variables."""
    found = set(services)
    for environment in environments.values():
        plain = (value for name, value in environment.items() if not secrets.is_private(name, value))
        found |= {value.text for value in plain if value.text}
    return frozenset(found)


def _used(
    services: Mapping[str, Json], environments: Mapping[str, Mapping[str, Value]], hosts: Hosts
) -> dict[str, set[int]]:
    """The services whose names others use, with the ports beside them."""
    found: dict[str, set[int]] = {}
    for user, service in services.items():
        texts = [(name, str(value.text or value.raw)) for name, value in environments[user].items()]
        texts += [("", str(word)) for key in ("command", "entrypoint") for word in service.get(key) or ()]
        for variable, text in texts:
            for name, port in hosts.used(variable, text):
                if name != user:
                    found.setdefault(name, set()).update({port} if port else ())
        for name in service.get("depends_on") or {}:
            found.setdefault(name, set())
    return found


def _ports(service: Json, used: set[int]) -> list[Port]:
    ports = declared(service)
    known = {port.number for port in ports}
    ports += [Port(number) for number in sorted(used - known)]
    well_known = of_image(str(service.get("image") or ""))
    if well_known and (not ports or (not used and not service.get("expose") and well_known not in known)):
        ports.append(Port(well_known))
    return ports


def _named(
    services: Mapping[str, Json],
    used: Mapping[str, set[int]],
    ports: Mapping[str, list[Port]],
    task_of: Mapping[str, str],
) -> frozenset[str]:
    """The tasks that get a name: those that others use, and those with ports that nobody publishes."""
    if len(services) == 1:
        return frozenset()
    found = {name for name in used if name in services and ports[name]}
    found |= {name for name, known in ports.items() if known and not any(port.published is not None for port in known)}
    return frozenset(task_of[name] for name in found)


def _find_secrets(project: Project) -> None:
    """Secrets as such first, so that addresses with the same passwords refer to them."""
    for service, environment in project.environments.items():
        for name, value in environment.items():
            if has_address(value) or project.secrets.is_in_text(name, value):
                continue
            if project.secrets.is_private(name, value):
                project.secrets.add(service, name, value)
    for service in project.services:
        find_secrets(project, service)


def _variables(project: Project, targets: list[Target], services: list[Json]) -> dict[str, Json]:
    options = project.options
    images = builds_of(project)
    names = sorted(project.hosts.names[task].partition(".")[0] for task in project.named)
    return {
        "cloud": {"slipway_region": options.region},
        "project": without_empty(
            {
                "slipway_project": options.project,
                DIRECTORY: template(options.directory) if images or project.model.get("secrets") else None,
                "service_discovery_services": names,
            }
        ),
        "images": {
            "container_image_images": images,
            **_OWN_BASE_IMAGES,
            **of_builds(services, images, project.notes),
        }
        if images
        else {},
        "load_balancer": _load_balancer(project, targets) if targets else {},
        "secrets": project.secrets.variables(),
    }


def _load_balancer(project: Project, targets: list[Target]) -> Json:
    return {
        "ecs_load_balancer_name": f"{project.options.project}-alb",
        "ecs_load_balancer_target_groups": groups_of(project, targets),
    }


def _note_source(project: Project, source: Source) -> None:
    """What is to say of the file as a whole, and of what is not in the model that was read."""
    notes = project.notes
    for name, given in (source.raw.get("services") or {}).items():
        if name not in project.services:
            profiles = ", ".join(given.get("profiles") or ())
            notes.add(f"services.{name}", f"Its profiles are not active: {profiles}.", "Convert with -e profiles=….")
            continue
        for key in given:
            # The reader leaves them out where it interpolates.
            if key.startswith("x-"):
                notes.add(f"services.{name}.{key}", *_EXTENSION)
    for name in source.unset:
        reason = "The variable is not set, so it is empty, unless it names a secret."
        notes.add(f"${{{name}}}", reason, "Set it in the environment or in the file .env, then convert again.")
    for key in source.model:
        if key.startswith("x-") and key not in _fragments(source):
            notes.add(key, *_EXTENSION)
    for name, network in (source.model.get("networks") or {}).items():
        _note_network(project, name, network or {})
    for service in project.services:
        _note_service(project, service)


def _note_service(project: Project, service: str) -> None:
    for grant in project.services[service].get("configs") or ():
        _note_config(project, service, grant)
    if project.services[service].get("pid") == "host":
        project.note(service, "pid", *PID_OF_HOST)
    _note_service_network(project, service)


def _note_service_network(project: Project, service: str) -> None:
    mode = str(project.services[service].get("network_mode") or "")
    if mode and mode != "bridge" and not mode.startswith("service:"):
        reason = f"A Fargate task has its own network interface in the VPC, and does not support network_mode {mode}."
        project.note(service, "network_mode", reason, "List the ports that it listens on in ports or expose.")
    dependants = [name for name, one in project.services.items() if service in (one.get("depends_on") or {})]
    if dependants and not project.ports[service] and project.task_of(service) == service:
        reason = f"Services depend on it ({some_of(dependants)}), but the file does not say on which port."
        project.note(service, "expose", reason, "If they connect to it, add expose and convert again.")


def _note_config(project: Project, service: str, grant: Json) -> None:
    start = "the Dockerfile" if project.services[service].get("build") else f"FROM {project.services[service]['image']}"
    target = grant.get("target") or f"/{grant['source']}"
    project.note(
        service,
        f"configs.{grant['source']}",
        "ECS cannot mount single files into containers.",
        f"Build an image that contains it: {start}, then COPY the file to {target}.",
    )


def _fragments(source: Source) -> set[str]:
    """Extensions that the file itself reads by anchors: their content is where it is used."""
    return {name for name, value in source.model.items() if name.startswith("x-") and isinstance(value, dict | list)}


def _note_network(project: Project, name: str, network: Json) -> None:
    place = f"networks.{name}"
    if network.get("external"):
        notes = "It is a network of another project. All tasks of this project run in one VPC."
        project.notes.add(place, notes, "For another VPC, set ecs_network_vpc_id and its subnets.")
    elif network.get("internal"):
        project.notes.add(
            place,
            "In Compose, its services cannot reach the internet. On ECS, all services in private subnets can.",
            "To prevent this for all services, set ecs_network_nat: none; otherwise limit the outbound rules of a"
            " security group.",
        )
    elif name != "default":
        project.notes.add(
            place,
            "In Compose, networks separate services. On ECS, all services of the project share one security group.",
            "Services can reach each other at the ports in ecs_network_task_peer_ports. To restrict this, set"
            " network_configuration with another security group in the options of a service.",
        )


def _note_rest(project: Project, targets: list[Target]) -> None:
    notes = project.notes
    if project.named:
        example = project.hosts.names[sorted(project.named)[0]]
        notes.add(
            "services",
            f"Services have names in Cloud Map, such as {example}. The environment and commands now contain these"
            " names.",
            "Change the names in configuration files inside images as well.",
        )
    if not targets:
        notes.add(
            "services",
            "No service publishes an HTTP port, so no service is behind the load balancer.",
            "Run site.yml with --skip-tags load_balancer,verify.",
        )
    random, inputs = project.secrets.random(), project.secrets.inputs()
    if random:
        notes.add(
            "environment",
            f"The files contain no values that look like secrets. These get a random value: {', '.join(random)}.",
            "If a third party issues a value, or existing data requires it, set ecs_app_secret_values, for example"
            " from Ansible Vault.",
        )
    if inputs:
        notes.add(
            "environment",
            f"The playbook reads these secrets from its environment: {', '.join(inputs)}.",
            "Export them before you run it, or replace the lookups in secrets.yml.",
        )

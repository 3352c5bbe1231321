# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task definitions as plain dicts: what AWS fills in, what is a set, what a new revision would be. Pure.

The defaults are those of the API reference, page RegisterTaskDefinition and the types that it links
(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html).
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..._core.error_codes import INVALID_OPTION
from ..._core.errors import SlipwayError
from ..._core.names import PARAMETER, ROLE, Home, Kind, Names, last
from ..._core.plan import UNKNOWN, Plan, Resource, Sets, blank, compare, normalise
from ..._core.shapes import Shape, option_names, snake, to_options
from ..._core.tags import Tags, from_list
from ..._core.types import Json
from ..limits import AWSVPC, BRIDGE, DEFAULT_ARCHITECTURE, FARGATE, SHARED_NETWORK

ACTIVE, INACTIVE = "ACTIVE", "INACTIVE"
# What AWS writes beside what was registered; of a revision that does not exist yet these are unknown.
WRITTEN_BY_AWS = (
    "arn",
    "revision",
    "status",
    "requires_attributes",
    "compatibilities",
    "registered_at",
    "registered_by",
)

# Lists that AWS treats as sets. Not here, because their order means something: command, entryPoint, environmentFiles
# (the first file that has a variable wins), dnsServers, dnsSearchDomains, mountOptions.
SETS: Sets = {
    "container_definitions": ("name",),
    "volumes": ("name",),
    "placement_constraints": ("type", "expression"),
    "requires_compatibilities": (),
    "inference_accelerators": ("deviceName",),
    "properties": ("name",),
    "environment": ("name",),
    "secrets": ("name",),
    "secretOptions": ("name",),
    "portMappings": ("containerPort", "containerPortRange", "protocol"),
    "mountPoints": ("containerPath",),
    "volumesFrom": ("sourceContainer",),
    "dependsOn": ("containerName",),
    "extraHosts": ("hostname", "ipAddress"),
    "ulimits": ("name",),
    "systemControls": ("namespace",),
    "resourceRequirements": ("type",),
    "devices": ("hostPath", "containerPath"),
    "tmpfs": ("containerPath",),
    "permissions": (),
    "ignoredExitCodes": (),
    "links": (),
    "dockerSecurityOptions": (),
    "credentialSpecs": (),
    "add": (),
    "drop": (),
}

# What AWS takes by name or by ARN.
KINDS: t.Mapping[str, Kind] = {
    "task_role_arn": ROLE,
    "execution_role_arn": ROLE,
    "secrets.valueFrom": PARAMETER,
    "secretOptions.valueFrom": PARAMETER,
}

# Those that AWS answers as they were sent.
SPELLED: t.Mapping[str, Kind] = {path: kind for path, kind in KINDS.items() if not kind.answered}

# What AWS fills into a structure, an empty one too, by the member that holds it.
# Pages: API_ContainerDefinition, API_PortMapping, API_HealthCheck, API_MountPoint, API_VolumeFrom, API_Device,
# API_ContainerRestartPolicy, API_DockerVolumeConfiguration, API_EFSVolumeConfiguration,
# API_S3FilesVolumeConfiguration, API_ProxyConfiguration.
FILLED: dict[str, dict[str, t.Any]] = {
    "container_definitions": {"essential": True, "cpu": 0},
    "portMappings": {"protocol": "tcp"},
    "healthCheck": {"interval": 30, "timeout": 5, "retries": 3},
    "mountPoints": {"readOnly": False},
    "volumesFrom": {"readOnly": False},
    "devices": {"permissions": ["mknod", "read", "write"]},
    "restartPolicy": {"restartAttemptPeriod": 300},
    "dockerVolumeConfiguration": {"scope": "task", "driver": "local"},
    "efsVolumeConfiguration": {"rootDirectory": "/"},
    "s3filesVolumeConfiguration": {"rootDirectory": "/"},
    "proxy_configuration": {"type": "APPMESH"},
}

# Values that mean the same as no value and that AWS does not add.
# Pages: those above, API_LinuxParameters, API_Volume, API_EFSAuthorizationConfig.
IMPLIED: dict[str, dict[str, t.Any]] = {
    "": {"enable_fault_injection": False},
    "container_definitions": {
        "disableNetworking": False,
        "interactive": False,
        "privileged": False,
        "pseudoTerminal": False,
        "readonlyRootFilesystem": False,
        "versionConsistency": "enabled",
    },
    "linuxParameters": {"initProcessEnabled": False},
    "healthCheck": {"startPeriod": 0},
    "volumes": {"configuredAtLaunch": False},
    "dockerVolumeConfiguration": {"autoprovision": False},
    "efsVolumeConfiguration": {"transitEncryption": "DISABLED"},
    "authorizationConfig": {"iam": "DISABLED"},
}

_UNITS = {"cpu": re.compile(r"([\d.]+)\s*vcpu", re.IGNORECASE), "memory": re.compile(r"([\d.]+)\s*gb", re.IGNORECASE)}


class Name(t.NamedTuple):
    """What `family`, `family:revision` and an ARN have in common."""

    family: str
    revision: int | None

    def __str__(self) -> str:
        return self.family if self.revision is None else f"{self.family}:{self.revision}"


def parse_name(text: str, revision: int | None = None) -> Name:
    """Read a family, family:revision or ARN; a `revision` given beside it must not contradict."""
    family, _colon, number = last(text).partition(":")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", family) or not (number == "" or number.isdigit()):
        expected = "a family (letters, digits, - and _), family:revision or the ARN of a task definition"
        raise SlipwayError(INVALID_OPTION, f"family: expected {expected}, got '{text}'.")
    named = int(number) if number else None
    if named is not None and revision is not None and named != revision:
        raise SlipwayError(INVALID_OPTION, f"family: '{text}' and revision {revision} contradict each other.")
    return Name(family, revision if named is None else named)


@dataclasses.dataclass(frozen=True)
class DesiredTaskDefinition:
    """What is requested: a whole definition (`document`), or what differs from the current one (`options`), or both."""

    name: Name
    document: Json | None
    options: Json
    tags: Tags | None
    purge_tags: bool


def from_api(answer: Json) -> Json:
    """A revision under the names of the result."""
    options = to_options(answer)
    arn = options.pop("task_definition_arn")
    return {**options, "arn": arn, "tags": from_list(answer.get("tags"))}


def to_result(revision: Resource) -> Json:
    """A revision as the modules return it: canonical, and its tags always there."""
    written = {name: revision[name] for name in revision if name not in ("tags", "status")}
    members = canonical({name: value for name, value in written.items() if name not in WRITTEN_BY_AWS})
    extra = {name: revision[name] for name in WRITTEN_BY_AWS if name in revision}
    return {**members, **extra, "tags": revision.get("tags") or {}}


def from_document(document: t.Mapping[str, t.Any], request: Shape, answer: Shape) -> Json:
    """Options from a document as `aws ecs describe-task-definition` prints it, or as this collection returns it.

    Members that only AWS writes are left out; a name that AWS does not know stays, for the check to report.
    """
    body = document.get("taskDefinition", document)
    if not isinstance(body, dict):
        raise SlipwayError(INVALID_OPTION, "definition: expected a dictionary with the members of a task definition.")
    members = {**body, **({"tags": document["tags"]} if "tags" in document else {})}
    read_only = {snake(member) for member in answer.members} - set(option_names(request)) | {"arn"}
    options = {snake(name): value for name, value in members.items()}
    return {name: value for name, value in options.items() if name not in read_only}


def tags_of(options: t.Mapping[str, t.Any]) -> dict[str, str] | None:
    """The tags of a document, as AWS's list or as a dict."""
    tags = options.get("tags")
    return from_list(tags) if isinstance(tags, list) else tags


def merged(current: Resource, document: Resource | None, options: Resource) -> Json:
    """What is requested, as a whole.

    A document is a whole task definition. Without one, what the options do not name stays as it is. An empty value
    takes a member away.
    """
    given = {**(current if document is None else document), **options}
    return {name: value for name, value in given.items() if not blank(value) and value != ""}


def canonical(definition: Resource) -> Json:
    """The one form of all definitions that mean the same to AWS."""
    # AWS has no empty texts here; some emulators answer them for what was not given.
    given = {name: value for name, value in definition.items() if not blank(value) and value != ""}
    filled = {name: _fill(value, name) for name, value in given.items() if not _implied("", name, value)}
    _fill_platform(filled)
    for name, unit in _UNITS.items():
        if name in filled:
            filled[name] = _in_units(filled[name], unit)
    filled["container_definitions"] = [
        _fill_container(container, filled.get("network_mode"))
        for container in filled.get("container_definitions") or ()
    ]
    return {name: value for name, value in normalise(filled, SETS).items() if not blank(value)}


def _fill(value: t.Any, name: str) -> t.Any:
    if isinstance(value, list):
        return [_fill(element, name) for element in value if element is not None]
    if not isinstance(value, dict):
        return value
    members = {key: _fill(member, key) for key, member in value.items()}
    given = {key: member for key, member in members.items() if not blank(member) and not _implied(name, key, member)}
    return {**FILLED.get(name, {}), **given}


def _implied(structure: str, name: str, value: t.Any) -> bool:
    implied = IMPLIED.get(structure, {})
    return name in implied and bool(implied[name] == value)


def _fill_platform(definition: Json) -> None:
    """On Fargate the platform is Linux on X86_64 and the network awsvpc. Elsewhere it is bridge, on Windows none."""
    fargate = FARGATE in (definition.get("requires_compatibilities") or ())
    platform = definition.get("runtime_platform") or {}
    if fargate:
        platform = {"operatingSystemFamily": "LINUX", "cpuArchitecture": DEFAULT_ARCHITECTURE, **platform}
        definition["runtime_platform"] = platform
    mode = definition.setdefault("network_mode", AWSVPC if fargate else BRIDGE)
    if mode == BRIDGE and str(platform.get("operatingSystemFamily", "")).startswith("WINDOWS"):
        del definition["network_mode"]


def _fill_container(container: t.Any, network_mode: str | None) -> t.Any:
    """What AWS fills in because of other members: the user of a log router, and the ports of the host.

    The host's port is the container's where they share a network, else 0: any.
    """
    if not isinstance(container, dict):
        return container
    router = {"user": "0"} if "firelensConfiguration" in container else {}
    ports = [_fill_port(port, network_mode in SHARED_NETWORK) for port in container.get("portMappings") or ()]
    return {**router, **container, **({"portMappings": ports} if ports else {})}


def _fill_port(mapping: t.Any, shared: bool) -> t.Any:
    if not isinstance(mapping, dict):
        return mapping
    host = mapping.get("hostPort") or (mapping.get("containerPort") if shared else 0)
    others = {name: value for name, value in mapping.items() if name != "hostPort"}
    return others if "containerPortRange" in mapping and not host else {**others, "hostPort": host}


def _in_units(value: t.Any, unit: re.Pattern[str]) -> str:
    """`1 vCPU` and `2 GB` as AWS keeps them: 1024 and 2048."""
    size = unit.fullmatch(str(value).strip())
    return str(int(float(size.group(1)) * 1024)) if size else str(value).strip()


@dataclasses.dataclass(frozen=True)
class Draft:
    """A revision as planned: how it differs, and what to ask AWS for, which is as the caller spelled it."""

    plan: Plan
    request: Json
    tags: Tags

    @property
    def is_new(self) -> bool:
        """False when nothing differs, or only what can be changed in place."""
        return bool(self.plan.members - {"tags"})


def draft(current: Resource | None, wanted: Resource, tags: Tags | None, home: Home | None = None) -> Draft:
    """Plan the way from the `current` revision to `wanted`, a whole definition; tags None: as they are.

    `home` is where the current revision is.
    """
    has_tags = (current or {}).get("tags") or {}
    wants_tags = has_tags if tags is None else tags
    has = None if current is None else canonical(current)
    wants = Names(KINDS, SETS, home).keep(canonical({**wanted, "tags": wants_tags, "status": ACTIVE}), has)
    if wants.get("container_definitions"):
        wants["container_definitions"] = _with_same_images(wants["container_definitions"], has or {})
    every_member = {name: wants.get(name, []) for name in {**(has or {}), **wants}}
    found = compare(has, every_member, SETS)
    return Draft(Plan(found.before, found.after, wants), _request(wanted, current or {}, home), wants_tags)


def _request(wanted: Resource, current: Resource, home: Home | None) -> Json:
    """As the caller spelled it; what means the same as in the current revision is spelled as there."""
    request: Json = Names(SPELLED, SETS, home).keep(dict(wanted), current)
    if request.get("container_definitions"):
        request["container_definitions"] = _with_same_images(request["container_definitions"], current)
    return request


def _with_same_images(containers: list[Json], has: Resource) -> list[Json]:
    """The containers, their images spelled as the current ones where both are the same: no tag means latest."""
    images = {one.get("name"): one.get("image") for one in has.get("container_definitions") or ()}
    return [
        {**one, "image": old}
        if (old := images.get(one.get("name"))) and _tagged(old) == _tagged(one.get("image"))
        else one
        for one in containers
    ]


def _tagged(image: t.Any) -> str:
    return f"{image}:latest" if image and not {":", "@"} & set(last(image)) else str(image)


def predict(planned: Draft, newest: str | None) -> Json:
    """The revision that would be registered: its number follows the newest one."""
    revision = (parse_name(newest).revision or 0) + 1 if newest else 1
    arn = f"{newest.rpartition(':')[0]}:{revision}" if newest else UNKNOWN
    unknown = dict.fromkeys(WRITTEN_BY_AWS, UNKNOWN)
    return {
        **planned.plan.predicted,
        **unknown,
        "arn": arn,
        "revision": revision,
        "status": ACTIVE,
        "tags": planned.tags,
    }

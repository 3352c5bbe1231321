# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task definitions that ECS refuses although its model allows them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from request_rules import DOCS, REPORTS, Finder, Json, State, rule

GUIDE = f"{DOCS}/AmazonECS/latest/developerguide"
API = f"{DOCS}/AmazonECS/latest/APIReference"
PARAMETERS = f"{GUIDE}/task_definition_parameters.html"
CONTAINER = f"{API}/API_ContainerDefinition.html"
FARGATE = f"{GUIDE}/fargate-tasks-services.html"
QUOTAS = f"{GUIDE}/service-quotas.html"
# Six messages of RegisterTaskDefinition.
SIX = "https://github.com/klothoplatform/klotho/issues/892"

GIB = 1024
# CPU units, and the MiB of memory that Fargate has with them.
FARGATE_SIZES = {
    256: [512, 1 * GIB, 2 * GIB],
    512: range(1 * GIB, 4 * GIB + 1, GIB),
    1024: range(2 * GIB, 8 * GIB + 1, GIB),
    2048: range(4 * GIB, 16 * GIB + 1, GIB),
    4096: range(8 * GIB, 30 * GIB + 1, GIB),
    8192: range(16 * GIB, 60 * GIB + 1, 4 * GIB),
    16384: range(32 * GIB, 120 * GIB + 1, 8 * GIB),
    32768: [60 * GIB, 120 * GIB, 244 * GIB],
}
FARGATE_LOG_DRIVERS = {"awslogs", "splunk", "awsfirelens"}
ECR_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")


def definition(message: str, source: str, wording: str = "") -> Callable[[Finder], Finder]:
    """A rule for RegisterTaskDefinition, which refuses with ClientException."""
    return rule("ecs:RegisterTaskDefinition", error="ClientException", message=message, source=source, wording=wording)


def for_fargate(request: Json) -> bool:
    return "FARGATE" in request.get("requiresCompatibilities", [])


def network_mode(request: Json) -> str:
    return str(request.get("networkMode") or "bridge")


def containers(request: Json) -> list[Json]:
    return list(request.get("containerDefinitions") or [])


def size(text: Any, unit: str, factor: int) -> int | None:
    """``1 vCPU`` and ``2GB`` in CPU units and MiB; None for what is no number."""
    found = re.fullmatch(rf"\s*(\d*\.?\d+)\s*({unit})?\s*", str(text), re.IGNORECASE)
    return int(float(found[1]) * (factor if found[2] else 1)) if found else None


def cpu_units(request: Json) -> int | None:
    return size(request["cpu"], "vcpu", 1024) if request.get("cpu") else None


def memory_mib(request: Json) -> int | None:
    return size(request["memory"], "gb", 1024) if request.get("memory") else None


def logs(container: Json) -> Json:
    return dict(container.get("logConfiguration") or {})


@definition("Family contains invalid characters: {family}", f"{API}/API_RegisterTaskDefinition.html")
def family_name(request: Json, _state: State) -> Iterator[Json]:
    """A family of other characters than letters, numbers, underscores and hyphens, or of more than 255."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", request["family"]):
        yield {"family": request["family"]}


@definition(
    "Container list cannot be empty.",
    f"{API}/API_RegisterTaskDefinition.html",
    "https://github.com/awsdocs/aws-cloudformation-user-guide/pull/454",
)
def no_containers(request: Json, _state: State) -> Iterator[Json]:
    """A task definition without containers."""
    if not containers(request):
        yield {}


@definition("A task definition can have at most 10 containers, got {number}.", QUOTAS)
def too_many_containers(request: Json, _state: State) -> Iterator[Json]:
    """More than 10 containers."""
    if len(containers(request)) > 10:
        yield {"number": len(containers(request))}


@definition(
    "Container.{member} should not be null or empty.", CONTAINER, "https://github.com/hashicorp/terraform/issues/2888"
)
def container_without_name_or_image(request: Json, _state: State) -> Iterator[Json]:
    """A container without name or image."""
    for container in containers(request):
        yield from ({"member": member} for member in ("name", "image") if not container.get(member))


@definition("Container.name contains invalid characters: {name}", CONTAINER)
def container_name(request: Json, _state: State) -> Iterator[Json]:
    """A container's name of other characters than letters, numbers, underscores and hyphens, or of more than 255."""
    for container in containers(request):
        if container.get("name") and not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", container["name"]):
            yield {"name": container["name"]}


@definition("Container names must be unique: {name} is used more than once.", PARAMETERS)
def container_names_unique(request: Json, _state: State) -> Iterator[Json]:
    """Two containers of one name."""
    names = Counter(container.get("name") for container in containers(request))
    yield from ({"name": name} for name, number in names.items() if name and number > 1)


@definition("At least one container must be essential.", CONTAINER)
def no_essential_container(request: Json, _state: State) -> Iterator[Json]:
    """A task of which no container is essential."""
    if containers(request) and not any(one.get("essential", True) for one in containers(request)):
        yield {}


@definition(
    # AWS's own quotation marks.
    "Fargate only supports network mode \u2018awsvpc\u2019.",
    f"{GUIDE}/fargate-task-networking.html",
    "https://github.com/aws/amazon-ecs-cli/issues/1145",
)
def fargate_network_mode(request: Json, _state: State) -> Iterator[Json]:
    """A Fargate task with another network mode than awsvpc."""
    if for_fargate(request) and network_mode(request) != "awsvpc":
        yield {}


@definition("Fargate requires that '{member}' be defined at the task level.", FARGATE, SIX)
def fargate_without_size(request: Json, _state: State) -> Iterator[Json]:
    """A Fargate task without CPU or memory."""
    if for_fargate(request):
        yield from ({"member": member} for member in ("cpu", "memory") if not request.get(member))


@definition(
    "Invalid '{member}' setting for task. For more information, see the Troubleshooting section of the Amazon ECS "
    "Developer Guide.",
    f"{GUIDE}/task-cpu-memory-error.html",
    f"{GUIDE}/task-cpu-memory-error.html",
)
def task_size_is_no_number(request: Json, _state: State) -> Iterator[Json]:
    """CPU or memory of a task that is neither a number nor has the unit vCPU or GB."""
    if request.get("cpu") is not None and not cpu_units(request):
        yield {"member": "cpu"}
    if request.get("memory") is not None and not memory_mib(request):
        yield {"member": "memory"}


@definition(
    "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
    "See the Amazon ECS documentation for the valid values.",
    FARGATE,
    "https://github.com/aws-games/cloud-game-development-toolkit/issues/737",
)
def fargate_size(request: Json, _state: State) -> Iterator[Json]:
    """A Fargate task with a combination of CPU and memory that Fargate does not have."""
    cpu, memory = cpu_units(request), memory_mib(request)
    if for_fargate(request) and cpu and memory and memory not in FARGATE_SIZES.get(cpu, []):
        yield {"cpu": cpu, "memory": memory}


@definition(
    "When networkMode={mode}, the host ports and container ports in port mappings must match.",
    f"{API}/API_PortMapping.html",
    "https://github.com/aws/amazon-ecs-cli/issues/1014",
)
def host_ports(request: Json, _state: State) -> Iterator[Json]:
    """In the network modes awsvpc and host, a host port that differs from the container's port."""
    if network_mode(request) not in {"awsvpc", "host"}:
        return
    for container in containers(request):
        for mapping in container.get("portMappings") or []:
            if mapping.get("hostPort") and mapping["hostPort"] != mapping.get("containerPort"):
                yield {"mode": network_mode(request)}


@definition(
    "Invalid 'containerPort' setting for container '{name}'.",
    f"{API}/API_PortMapping.html",
    "https://github.com/aws/aws-cli/issues/7288",
)
def container_port(request: Json, _state: State) -> Iterator[Json]:
    """A port mapping without a container port between 1 and 65535, or a range of ports."""
    for container in containers(request):
        for mapping in container.get("portMappings") or []:
            if not mapping.get("containerPortRange") and not 1 <= mapping.get("containerPort", 0) <= 65535:
                yield {"name": container.get("name")}


@definition("Container ports must be unique in networkMode={mode}: {port} is mapped more than once.", PARAMETERS)
def container_ports_unique(request: Json, _state: State) -> Iterator[Json]:
    """In the network mode awsvpc, one port for two containers: they share one network interface."""
    mappings = [mapping for container in containers(request) for mapping in container.get("portMappings") or []]
    ports = Counter((one.get("containerPort"), one.get("protocol", "tcp")) for one in mappings)
    for (port, _protocol), number in ports.items():
        if network_mode(request) == "awsvpc" and port and number > 1:
            yield {"mode": "awsvpc", "port": port}


@definition("networkMode=none does not support port mappings.", f"{API}/API_RegisterTaskDefinition.html")
def ports_without_network(request: Json, _state: State) -> Iterator[Json]:
    """Port mappings in the network mode none."""
    if network_mode(request) == "none" and any(one.get("portMappings") for one in containers(request)):
        yield {}


@definition(
    "Links are not supported when networkMode={mode}.",
    CONTAINER,
    "https://github.com/aws-observability/aws-otel-collector/issues/1359",
)
def links(request: Json, _state: State) -> Iterator[Json]:
    """Links in another network mode than bridge."""
    if network_mode(request) != "bridge" and any(one.get("links") for one in containers(request)):
        yield {"mode": network_mode(request)}


@definition(
    "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified.",
    CONTAINER,
    "https://github.com/sil-org/ecs-deploy/issues/59",
)
def container_without_memory(request: Json, _state: State) -> Iterator[Json]:
    """A container without memory in a task without memory."""
    for container in containers(request):
        if not (request.get("memory") or container.get("memory") or container.get("memoryReservation")):
            yield {"name": container.get("name")}


@definition(
    "Invalid setting for container '{name}'. 'memory' must be at least 'memoryReservation'.",
    CONTAINER,
)
def reservation_above_memory(request: Json, _state: State) -> Iterator[Json]:
    """A container that reserves more memory than it may use."""
    for container in containers(request):
        if container.get("memory") and container.get("memoryReservation", 0) > container["memory"]:
            yield {"name": container.get("name")}


@definition(
    "The 'memory' setting for container '{name}' is greater than for the task.",
    PARAMETERS,
    "https://github.com/pulumi/pulumi-awsx/issues/1220",
)
def container_memory_above_task(request: Json, _state: State) -> Iterator[Json]:
    """A container with more memory than its task."""
    memory = memory_mib(request)
    for container in containers(request):
        if memory and container.get("memory", 0) > memory:
            yield {"name": container.get("name")}


@definition(
    "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.", PARAMETERS, SIX
)
def container_cpu_above_task(request: Json, _state: State) -> Iterator[Json]:
    """Containers that have together more CPU than their task."""
    units = cpu_units(request)
    if units and sum(container.get("cpu", 0) for container in containers(request)) > units:
        yield {}


@definition(
    "The secret name must be unique and not shared with any new or existing environment variables set on the "
    "container, such as '{name}'.",
    f"{API}/API_Secret.html",
    "https://github.com/dagster-io/dagster/issues/11622",
)
def secret_name(request: Json, _state: State) -> Iterator[Json]:
    """A secret of the name of an environment variable, or of another secret, of its container."""
    for container in containers(request):
        names = Counter(one.get("name") for one in container.get("secrets") or [])
        plain = {one.get("name") for one in container.get("environment") or []}
        yield from ({"name": name} for name, number in names.items() if number > 1 or name in plain)


@definition(
    "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
    f"{GUIDE}/specifying-sensitive-data.html",
    "https://github.com/fabfuel/ecs-deploy/issues/87",
)
def secrets_without_role(request: Json, _state: State) -> Iterator[Json]:
    """Secrets without an execution role that may read them."""
    if not request.get("executionRoleArn") and any(one.get("secrets") for one in containers(request)):
        yield {}


@definition(
    "Fargate requires task definition to have execution role ARN to support ECR images.",
    f"{GUIDE}/task_execution_IAM_role.html",
    "https://github.com/hashicorp/terraform-provider-aws/issues/3051",
)
def fargate_images_without_role(request: Json, _state: State) -> Iterator[Json]:
    """A Fargate task with an image in ECR and without an execution role."""
    images = [str(container.get("image")) for container in containers(request)]
    if for_fargate(request) and not request.get("executionRoleArn") and any(map(ECR_IMAGE.match, images)):
        yield {}


@definition(
    "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
    f"{GUIDE}/task_execution_IAM_role.html",
    "https://github.com/virtual-kubelet/virtual-kubelet/issues/193",
)
def fargate_logs_without_role(request: Json, _state: State) -> Iterator[Json]:
    """A Fargate task that logs to CloudWatch without an execution role."""
    drivers = [logs(container).get("logDriver") for container in containers(request)]
    if for_fargate(request) and not request.get("executionRoleArn") and "awslogs" in drivers:
        yield {}


@definition("Log driver awslogs requires options: {options}", f"{GUIDE}/using_awslogs.html", SIX)
def log_options(request: Json, _state: State) -> Iterator[Json]:
    """The log driver awslogs without group and region."""
    for container in containers(request):
        options = logs(container).get("options") or {}
        absent = [name for name in ("awslogs-region", "awslogs-group") if not options.get(name)]
        if logs(container).get("logDriver") == "awslogs" and absent:
            yield {"options": ", ".join(absent)}


@definition("Fargate does not support log driver {driver}.", f"{API}/API_LogConfiguration.html")
def fargate_log_driver(request: Json, _state: State) -> Iterator[Json]:
    """A Fargate task with another log driver than awslogs, splunk and awsfirelens."""
    for container in containers(request):
        driver = logs(container).get("logDriver")
        if for_fargate(request) and driver and driver not in FARGATE_LOG_DRIVERS:
            yield {"driver": driver}


@definition(
    "When a firelensConfiguration object is specified, at least one container has to be configured with the "
    "awsfirelens log driver.",
    f"{GUIDE}/using_firelens.html",
    REPORTS,
)
def firelens_without_user(request: Json, _state: State) -> Iterator[Json]:
    """A log router that no container uses."""
    routers = [container for container in containers(request) if container.get("firelensConfiguration")]
    if routers and not any(logs(container).get("logDriver") == "awsfirelens" for container in containers(request)):
        yield {}


@definition("Log driver awsfirelens requires a container with firelensConfiguration.", f"{GUIDE}/using_firelens.html")
def firelens_without_router(request: Json, _state: State) -> Iterator[Json]:
    """The log driver awsfirelens without a log router."""
    users = [container for container in containers(request) if logs(container).get("logDriver") == "awsfirelens"]
    if users and not any(container.get("firelensConfiguration") for container in containers(request)):
        yield {}


@definition(
    "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container", CONTAINER, SIX
)
def essential_dependency(request: Json, _state: State) -> Iterator[Json]:
    """A container that others want to have ended, and with which the task ends."""
    essential = {one.get("name") for one in containers(request) if one.get("essential", True)}
    for dependency in dependencies(request):
        if dependency["condition"] in {"SUCCESS", "COMPLETE"} and dependency["containerName"] in essential:
            yield {}


def dependencies(request: Json) -> list[Json]:
    return [one for container in containers(request) for one in container.get("dependsOn") or []]


@definition("Container dependency {name} does not exist in the task definition.", f"{API}/API_ContainerDependency.html")
def unknown_dependency(request: Json, _state: State) -> Iterator[Json]:
    """A dependency on a container that the task does not have."""
    names = {container.get("name") for container in containers(request)}
    yield from ({"name": one["containerName"]} for one in dependencies(request) if one["containerName"] not in names)


@definition(
    "Container {name} has the dependency condition HEALTHY and no health check.", f"{API}/API_ContainerDependency.html"
)
def healthy_without_check(request: Json, _state: State) -> Iterator[Json]:
    """The condition HEALTHY for a container without a health check."""
    checked = {container.get("name") for container in containers(request) if container.get("healthCheck")}
    for dependency in dependencies(request):
        if dependency["condition"] == "HEALTHY" and dependency["containerName"] not in checked:
            yield {"name": dependency["containerName"]}


@definition("Unknown volume '{name}'.", f"{API}/API_MountPoint.html")
def unknown_volume(request: Json, _state: State) -> Iterator[Json]:
    """A mount of a volume that the task does not have."""
    names = {volume.get("name") for volume in request.get("volumes") or []}
    for container in containers(request):
        for mount in container.get("mountPoints") or []:
            if mount.get("sourceVolume") and mount["sourceVolume"] not in names:
                yield {"name": mount["sourceVolume"]}


@definition(
    "Health check of container {name}: {member} must be between {low} and {high}.", f"{API}/API_HealthCheck.html"
)
def health_check(request: Json, _state: State) -> Iterator[Json]:
    """A container's health check with an interval, timeout, number or start period out of range."""
    limits = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
    for container in containers(request):
        for member, (low, high) in limits.items():
            value = (container.get("healthCheck") or {}).get(member)
            if value is not None and not low <= value <= high:
                yield {"name": container.get("name"), "member": member, "low": low, "high": high}


@definition(
    "Tasks using the Fargate launch type do not support ipcMode.",
    f"{API}/API_RegisterTaskDefinition.html",
    "https://github.com/cn-terraform/terraform-aws-ecs-fargate/issues/2",
)
def fargate_ipc(request: Json, _state: State) -> Iterator[Json]:
    """ipcMode on Fargate."""
    if for_fargate(request) and request.get("ipcMode"):
        yield {}


@definition(
    "Tasks using the Fargate launch type do not support pidMode '{mode}'. The supported value for pidMode is 'task'.",
    f"{API}/API_RegisterTaskDefinition.html",
    "https://github.com/getmoto/moto/blob/master/moto/ecs/models.py",
)
def fargate_pid(request: Json, _state: State) -> Iterator[Json]:
    """pidMode host on Fargate."""
    if for_fargate(request) and request.get("pidMode", "task") != "task":
        yield {"mode": request["pidMode"]}


@definition("Fargate does not support task placement constraints.", PARAMETERS, REPORTS)
def fargate_definition_constraints(request: Json, _state: State) -> Iterator[Json]:
    """Placement constraints in the definition of a Fargate task."""
    if for_fargate(request) and request.get("placementConstraints"):
        yield {}


@definition("Fargate does not support {member}.", f"{GUIDE}/fargate-tasks-services.html#fargate-task-defs-params")
def fargate_container_options(request: Json, _state: State) -> Iterator[Json]:
    """Options of containers that Fargate does not have: privileged, security options, DNS servers, devices, swap."""
    for container in containers(request):
        linux = container.get("linuxParameters") or {}
        options = ("privileged", "dockerSecurityOptions", "disableNetworking", "dnsServers")
        parameters = ("devices", "sharedMemorySize", "maxSwap", "swappiness")
        used = [name for name in options if container.get(name)] + [name for name in parameters if linux.get(name)]
        yield from ({"member": name} for name in used if for_fargate(request))


@definition("Fargate does not support host paths and Docker volumes: {name}", f"{API}/API_Volume.html")
def fargate_volume(request: Json, _state: State) -> Iterator[Json]:
    """A volume of the host, or of Docker, on Fargate."""
    for volume in request.get("volumes") or []:
        if volume.get("dockerVolumeConfiguration") or (volume.get("host") or {}).get("sourcePath"):
            yield from [{"name": volume.get("name")}] * for_fargate(request)


@definition("Ephemeral storage must be between 21 and 200 GiB.", f"{API}/API_EphemeralStorage.html")
def ephemeral_storage(request: Json, _state: State) -> Iterator[Json]:
    """Ephemeral storage of less than 21 or more than 200 GiB."""
    if not 21 <= (request.get("ephemeralStorage") or {}).get("sizeInGiB", 21) <= 200:
        yield {}


@definition("stopTimeout of container {name} must be between 0 and 120 seconds on Fargate.", CONTAINER)
def fargate_stop_timeout(request: Json, _state: State) -> Iterator[Json]:
    """A stop timeout of more than two minutes on Fargate."""
    for container in containers(request):
        if for_fargate(request) and not 0 <= container.get("stopTimeout", 0) <= 120:
            yield {"name": container.get("name")}


@definition("Placement constraints of a task definition are of the type memberOf.", PARAMETERS)
def definition_constraint_type(request: Json, _state: State) -> Iterator[Json]:
    """More than 10 placement constraints, or one without an expression."""
    constraints = request.get("placementConstraints") or []
    if len(constraints) > 10 or any(not one.get("expression") for one in constraints):
        yield {}

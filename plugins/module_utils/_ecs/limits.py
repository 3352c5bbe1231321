# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits that AWS documents and botocore's model does not have. Each says on which page. Pure."""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .._core.error_codes import INVALID_OPTION
from .._core.errors import SlipwayError
from .._core.fargate import FARGATE_SIZES
from .._core.plan import UNKNOWN
from .._core.shapes import named
from .._core.types import Json

R = t.TypeVar("R")

_API = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/"
_GUIDE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"


class Limit(t.NamedTuple):
    """The range of a number, and the page that has it; `most` None is no limit."""

    least: int
    most: int | None
    page: str

    def __str__(self) -> str:
        return f"{self.least} or more" if self.most is None else f"{self.least} to {self.most}"

    def holds(self, number: float) -> bool:
        return number >= self.least and (self.most is None or number <= self.most)


PORT = Limit(1, 65535, f"{_API}API_PortMapping.html")

# By the member that holds a number, and the number's own.
NUMBERS: Mapping[tuple[str, str], Limit] = {
    ("container_definitions", "cpu"): Limit(0, 262144, f"{_API}API_ContainerDefinition.html"),
    ("container_definitions", "memory"): Limit(4, None, f"{_API}API_ContainerDefinition.html"),
    ("container_definitions", "memoryReservation"): Limit(4, None, f"{_API}API_ContainerDefinition.html"),
    ("container_definitions", "startTimeout"): Limit(0, None, f"{_API}API_ContainerDefinition.html"),
    ("container_definitions", "stopTimeout"): Limit(0, None, f"{_API}API_ContainerDefinition.html"),
    ("portMappings", "containerPort"): PORT,
    ("portMappings", "hostPort"): Limit(0, 65535, f"{_API}API_PortMapping.html"),
    ("healthCheck", "interval"): Limit(5, 300, f"{_API}API_HealthCheck.html"),
    ("healthCheck", "timeout"): Limit(2, 60, f"{_API}API_HealthCheck.html"),
    ("healthCheck", "retries"): Limit(1, 10, f"{_API}API_HealthCheck.html"),
    ("healthCheck", "startPeriod"): Limit(0, 300, f"{_API}API_HealthCheck.html"),
    ("restartPolicy", "restartAttemptPeriod"): Limit(60, 1800, f"{_API}API_ContainerRestartPolicy.html"),
    ("linuxParameters", "maxSwap"): Limit(0, None, f"{_API}API_LinuxParameters.html"),
    ("linuxParameters", "swappiness"): Limit(0, 100, f"{_API}API_LinuxParameters.html"),
    ("linuxParameters", "sharedMemorySize"): Limit(0, None, f"{_API}API_LinuxParameters.html"),
    ("tmpfs", "size"): Limit(1, None, f"{_API}API_Tmpfs.html"),
    ("ephemeral_storage", "sizeInGiB"): Limit(21, 200, f"{_API}API_EphemeralStorage.html"),
    ("efsVolumeConfiguration", "transitEncryptionPort"): Limit(1, 65535, f"{_API}API_EFSVolumeConfiguration.html"),
    ("", "desired_count"): Limit(0, None, f"{_API}API_CreateService.html"),
    ("", "health_check_grace_period_seconds"): Limit(0, 2147483647, f"{_API}API_CreateService.html"),
    ("load_balancers", "containerPort"): PORT,
    ("service_registries", "port"): PORT,
    ("service_registries", "containerPort"): PORT,
    ("deployment_configuration", "maximumPercent"): Limit(0, None, f"{_API}API_DeploymentConfiguration.html"),
    ("deployment_configuration", "minimumHealthyPercent"): Limit(0, None, f"{_API}API_DeploymentConfiguration.html"),
}

# How many elements a list may have.
COUNTS: Mapping[tuple[str, str], Limit] = {
    ("", "container_definitions"): Limit(1, 10, f"{_GUIDE}service-quotas.html"),
    ("", "capacity_provider_strategy"): Limit(0, 20, f"{_API}API_CapacityProviderStrategyItem.html"),
    ("", "placement_constraints"): Limit(0, 10, f"{_API}API_CreateService.html"),
    ("", "placement_strategy"): Limit(0, 5, f"{_API}API_CreateService.html"),
    ("", "volume_configurations"): Limit(0, 1, f"{_API}API_ServiceVolumeConfiguration.html"),
    ("awsvpcConfiguration", "subnets"): Limit(1, 16, f"{_API}API_AwsVpcConfiguration.html"),
    ("awsvpcConfiguration", "securityGroups"): Limit(0, 5, f"{_API}API_AwsVpcConfiguration.html"),
}
# Of a whole task definition. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
DEFINITION_BYTES = 64 * 1024

# Of families, containers, volumes, services and clusters.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
NAME_RULE = "1 to 255 letters, digits, hyphens or underscores"
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
PORT_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")
PORT_NAME_RULE = "1 to 64 lower case letters, digits, underscores or hyphens, no hyphen first"
_CLUSTER_ARN = re.compile(r"arn:[\w-]+:ecs:[\w-]*:\d*:cluster/[A-Za-z0-9_-]{1,255}")

# Launch types, and the capacity providers that every account has.
FARGATE, EC2 = "FARGATE", "EC2"
FARGATE_PROVIDERS = (FARGATE, "FARGATE_SPOT")
ARCHITECTURES = ("X86_64", "ARM64")
DEFAULT_ARCHITECTURE = ARCHITECTURES[0]
# In this network mode each task has an address of its own. It is the only one on Fargate.
AWSVPC, BRIDGE = "awsvpc", "bridge"
# In these a port of a container is that port of the network interface.
SHARED_NETWORK = (AWSVPC, "host")


def amount(given: t.Any, unit: str) -> int | None:
    """256, "256", "0.25 vCPU", "1 GB" in CPU units or MiB; None for what is no amount."""
    text = str(given).lower().strip()
    try:
        return round(float(text.removesuffix(unit)) * 1024) if text.endswith(unit) else int(text)
    except (OverflowError, ValueError):
        return None


def memory_sizes(cpu: int) -> str:
    """The MiB that Fargate has with so many CPU units."""
    sizes = FARGATE_SIZES[cpu]
    if isinstance(sizes, range):
        return f"{sizes[0]} to {sizes[-1]} in steps of {sizes.step}"
    return ", ".join(str(size) for size in sizes)


def number_of(value: t.Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def range_problems(value: t.Any, place: str, member: str = "") -> Iterator[str]:
    """What is out of its range, at any depth."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            here = f"{place}.{name}" if place else str(name)
            limit, count = NUMBERS.get((member, name)), COUNTS.get((member, name))
            number = number_of(inner)
            if limit and number is not None and not limit.holds(number):
                yield f"{here}: expected {limit}, got {inner}."
            if count and isinstance(inner, (list, tuple)) and not count.holds(len(inner)):
                yield f"{here}: expected {count} elements, got {len(inner)}."
            yield from range_problems(inner, here, str(name))
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from range_problems(inner, f"{place}[{number}]{named(inner)}", member)


def items_of(holder: t.Any, member: str) -> list[Json]:
    """The dictionaries in a list; none where something else stands, which is for the check of types."""
    items = holder.get(member) if isinstance(holder, Mapping) else None
    return [one for one in items if isinstance(one, dict)] if isinstance(items, (list, tuple)) else []


def twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)


def name_problems(name: t.Any, place: str) -> Iterator[str]:
    if name != UNKNOWN and not NAME.fullmatch(str(name)):
        yield f"{place}: expected {NAME_RULE}, got {str(name)[:300]!r}."


def refuse(problems: Sequence[str]) -> None:
    """Fail with all of `problems` at once, if there are any."""
    if problems:
        raise SlipwayError(INVALID_OPTION, " ".join(problems), {"problems": list(problems)})


def problems_of(call: t.Callable[[], R]) -> tuple[R | None, list[str]]:
    """What a check returns, or what it found wrong; so that all problems can be reported together."""
    try:
        return call(), []
    except SlipwayError as error:
        if error.code != INVALID_OPTION:
            raise
        return None, list(error.details.get("problems") or [error.msg])


def check_cluster(cluster: t.Any, option: str = "cluster") -> None:
    """Fail where AWS would not know a cluster by this text; some endpoints answer an empty one with another cluster."""
    if not (NAME.fullmatch(str(cluster)) or _CLUSTER_ARN.fullmatch(str(cluster))):
        refuse([f"{option}: expected {NAME_RULE}, or the ARN of a cluster, got {str(cluster)[:300]!r}."])

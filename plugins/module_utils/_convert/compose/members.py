# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Members inside of the keys of a service that the conversion does not use: why, and what to do. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping, Sequence

from .project import Project
from .unsupported import UNKNOWN

_KERNEL = "Fargate does not support it."
_PERCENT = (
    "ECS replaces as many tasks at a time as its percentages allow.",
    "Set minimumHealthyPercent and maximumPercent in deployment_configuration of the service's options.",
)
_STEPS = (
    "ECS replaces tasks without pauses between them.",
    "For a rollout in steps, choose the strategy canary or linear of the service.",
)
_ADDRESS = ("A task gets its addresses from the subnet.", "Use the name of the service.")
_ONE_INTERFACE = ("A Fargate task has its own network interface in the VPC.", "Nothing is needed.")
_RESTARTS = ("ECS always replaces a task that ends, and waits longer after each failure.", "Nothing is needed.")
_GPU = (
    "Fargate has no devices of its host.",
    "If the application needs it, run the service on EC2 instances: ecs_cluster_hosting: ec2.",
)


class Part(t.NamedTuple):
    """What the conversion uses of a part of a service, and what it says of other members."""

    used: Sequence[str]
    reasons: Mapping[str, tuple[str, str]] = {}


# By path: * is each value of a dictionary, [] each element of a list.
PARTS: Mapping[str, Part] = {
    "depends_on.*": Part(("condition", "restart", "required")),
    "deploy.resources": Part(("limits", "reservations")),
    "deploy.resources.limits": Part(("cpus", "memory"), {"pids": (_KERNEL, "Nothing is needed.")}),
    "deploy.resources.reservations": Part(
        ("cpus", "memory"), {"devices": _GPU, "generic_resources": _GPU, "pids": (_KERNEL, "Nothing is needed.")}
    ),
    "deploy.restart_policy": Part(("condition",), {"delay": _RESTARTS, "max_attempts": _RESTARTS, "window": _RESTARTS}),
    "deploy.update_config": Part(
        (),
        {
            "delay": _STEPS,
            "failure_action": (
                "ECS rolls a failed deployment back.",
                "To change that, set deploymentCircuitBreaker in deployment_configuration of the service's options.",
            ),
            "max_failure_ratio": (
                "ECS counts failed tasks by itself.",
                "Set alarms in deployment_configuration of the service's options.",
            ),
            "monitor": (
                "ECS observes a deployment until it is stable.",
                "To observe it longer, choose the strategy blue_green with a bake time.",
            ),
            "order": _PERCENT,
            "parallelism": _PERCENT,
        },
    ),
    "healthcheck": Part(("disable", "interval", "retries", "start_interval", "start_period", "test", "timeout")),
    "logging": Part(("driver", "options")),
    "networks.*": Part(
        ("aliases",),
        {
            "driver_opts": _ONE_INTERFACE,
            "gw_priority": _ONE_INTERFACE,
            "interface_name": _ONE_INTERFACE,
            "ipv4_address": _ADDRESS,
            "ipv6_address": _ADDRESS,
            "link_local_ips": _ADDRESS,
            "mac_address": _ADDRESS,
            "priority": _ONE_INTERFACE,
        },
    ),
    "volumes[]": Part(("bind", "read_only", "source", "target", "tmpfs", "type", "volume")),
}
# Values that are the same on ECS.
_SAME = {"deploy.update_config.failure_action": ("rollback",), "deploy.update_config.order": ("start-first",)}


def note_members(project: Project, service: str) -> None:
    """Notes for all members of the parts that have no counterpart."""
    for path, part in PARTS.items():
        for place, mapping in _at(project.services[service], path):
            for name, value in mapping.items():
                is_same = value in _SAME.get(f"{path}.{name}", (None, "", [], {}, False))
                if name not in part.used and not is_same and not name.startswith("x-"):
                    project.note(service, f"{place}.{name}", *part.reasons.get(name, UNKNOWN))


def _at(value: t.Any, path: str, place: str = "") -> Iterator[tuple[str, Mapping[str, t.Any]]]:
    """The dictionaries at a path, each with its place."""
    first, _dot, rest = path.partition(".")
    name = first.removesuffix("[]")
    if not path:
        yield from [(place, value)] if isinstance(value, Mapping) else []
    elif isinstance(value, Mapping):
        for key in value if name == "*" else [name] if name in value else ():
            here = f"{place}.{key}".lstrip(".")
            if first != name:
                for number, element in enumerate(value[key] or ()):
                    yield from _at(element, rest, f"{here}[{number}]")
            else:
                yield from _at(value[key], rest, here)

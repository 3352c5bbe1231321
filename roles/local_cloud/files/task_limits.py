# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of the emulator: tasks and containers have limits of memory and CPU, and one killed for its memory says so.

On AWS the limit of a task holds for its containers together. Here each container gets it: one that needs more than its
task has is killed, several that need more only together are not.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from emulator_patches import wrap

Json = dict[str, Any]

MIB = 1024 * 1024
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
KILLED = 137
# The longest message of the kernel.
RECORD = 8192


def amount(value: Any) -> int:
    """CPU units or MiB: ``512``, ``.5 vCPU`` or ``1 GB`` as a number, 0 where there is none."""
    text = str(value or 0).lower().replace(" ", "")
    for unit in ("vcpu", "gb"):
        if text.endswith(unit):
            return int(float(text.removesuffix(unit)) * 1024)
    return int(text)


def limits(container: Json, definition: Json, overrides: Json, processors: int) -> Json:
    """Docker's options for what a container may use: the least of its own limit and its task's."""
    of_container = next(
        (o for o in overrides.get("containerOverrides") or () if o.get("name") == container["name"]), {}
    )
    container, definition = {**container, **of_container}, {**definition, **overrides}
    options: Json = {}
    memory = min(filter(None, (amount(definition.get("memory")), amount(container.get("memory")))), default=0)
    if memory:
        # Without swap, as on Fargate.
        options |= {"mem_limit": memory * MIB, "memswap_limit": memory * MIB}
    reserved = amount(container.get("memoryReservation"))
    if reserved:
        options["mem_reservation"] = min(filter(None, (reserved, memory))) * MIB
    if amount(definition.get("cpu")):
        # Docker refuses more than the machine has.
        options["nano_cpus"] = min(amount(definition.get("cpu")) * 10**9 // 1024, processors * 10**9)
    if amount(container.get("cpu")):
        options["cpu_shares"] = max(2, amount(container.get("cpu")))
    return options


@functools.cache
def processors(engine: Any) -> int:
    return int(engine.info()["NCPU"])


def task_limits(ecs: ModuleType) -> None:
    """Docker enforces what a task definition allows. A container that Linux killed for its memory says so."""

    @wrap(ecs, "_build_run_kwargs")
    def run_options(original: Callable[..., Json], container: Json, definition: Json, *args: Any) -> Json:
        overrides = (ecs._tasks.get(args[5]) or {}).get("overrides") or {}
        allowed = limits(container, definition, overrides, processors(ecs._get_docker()))
        return original(container, definition, *args) | allowed

    @wrap(ecs, "_mark_task_stopped")
    def stop(original: Callable[..., bool], arn: str, task: Json, *args: Any, **kwargs: Any) -> bool:
        ids = list(task.get("_docker_ids") or ())
        for container, container_id in zip(task.get("containers") or (), ids, strict=False):
            if container.get("exitCode") == KILLED and out_of_memory(ecs._get_docker(), container_id):
                container["reason"] = OUT_OF_MEMORY
        return original(arn, task, *args, **kwargs)


def out_of_memory(engine: Any, container_id: str) -> bool:
    """Whether Linux ended a container because it used more memory than it may.

    The engine reports it only where the kernel's notification reached it in time, which it does not on every machine.
    """
    import docker.errors

    if any(container_id in record for record in kernel_log() if "oom-kill:" in record):
        return True
    try:
        return bool(engine.containers.get(container_id).attrs["State"].get("OOMKilled"))
    except docker.errors.APIError:
        return False


def kernel_log(path: str = "/dev/kmsg") -> Iterator[str]:
    """The kernel's messages, one a read; none where this process may not read them."""
    with contextlib.suppress(OSError):
        log = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            while True:
                try:
                    record = os.read(log, RECORD)
                except BrokenPipeError:  # overwritten before it was read: the next read goes on behind it
                    continue
                if not record:
                    return
                yield record.decode(errors="replace")
        finally:
            os.close(log)

# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ECS refuses although its model allows it."""

from __future__ import annotations

from collections.abc import Iterator

from request_rules import DOCS, Json, State, rule

ECS = f"{DOCS}/AmazonECS/latest/developerguide"
API = f"{DOCS}/AmazonECS/latest/APIReference"

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


def for_fargate(request: Json) -> bool:
    return "FARGATE" in request.get("requiresCompatibilities", [])


@rule(
    "ecs:RegisterTaskDefinition",
    error="ClientException",
    message="No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. "
    "See the Amazon ECS documentation for the valid values.",
    source=f"{ECS}/fargate-tasks-services.html",
)
def fargate_size(request: Json, _state: State) -> Iterator[Json]:
    """A Fargate task with a combination of CPU and memory that Fargate does not have."""
    cpu, memory = request.get("cpu"), request.get("memory")
    if for_fargate(request) and cpu and memory and int(memory) not in FARGATE_SIZES.get(int(cpu), []):
        yield {"cpu": cpu, "memory": memory}

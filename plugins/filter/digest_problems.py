# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: digest_problems
short_description: Report tasks that do not run the released images
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Compares the digest of each container of each running task with that of the image that was released for it.
  - A service that does not exist, or has fewer running tasks than it should, is a problem too.
positional: _input
options:
  _input:
    description: The services with their tasks, as M(slipway.aws.ecs_service_info) returns them.
    type: list
    elements: dict
    required: true
  names:
    description: The names of the services that should run.
    type: list
    elements: str
    required: true
  images:
    description: >-
      The images by name, each a reference with a digest, as P(slipway.aws.image_references#filter) returns them.
    type: dict
    required: true
  services:
    description:
      - The services as the role P(slipway.aws.ecs_app#role) takes them, which say which container has which image.
      - For a service that is none of them, an image counts as right where its repository has it in O(images).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Every task runs what was released
  ansible.builtin.assert:
    that: problems | length == 0
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ found.services | slipway.aws.digest_problems(names=['web'], images=images, services=services) }}"
"""

RETURN = r"""
_value:
  description: One sentence for each problem, none where all tasks run what was released.
  type: list
  elements: str
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]
# As many tasks as are named; the others are counted.
NAMED = 3


def digest_problems(
    found: Sequence[Json], names: Sequence[str], images: Mapping[str, str], services: Sequence[Json] = ()
) -> list[str]:
    running = {str(service["service_name"]): service for service in found}
    asked = {str(service["name"]): service for service in services}
    problems: list[str] = []
    for name in names:
        if name in running:
            problems += _of_service(name, running[name], _expected(asked.get(name), images))
        else:
            problems.append(f"{name}: expected a service, got none.")
    return problems


def _expected(service: Json | None, images: Mapping[str, str]) -> Callable[[Json], set[str]]:
    """The digests that a container of a task may have; none where nothing is known of its image."""
    if service is not None:
        containers = service["task_definition"].get("containerDefinitions") or ()
        named = {str(one.get("name")): images.get(str(one.get("image"))) for one in containers}
        return lambda container: {_digest(reference) for reference in (named.get(container["name"]),) if reference}
    return lambda container: {
        _digest(reference)
        for reference in images.values()
        if _repository(reference) == _repository(str(container.get("image")))
    }


def _of_service(name: str, service: Json, expected: Callable[[Json], set[str]]) -> Iterator[str]:
    tasks = [task for task in service.get("tasks") or () if task.get("last_status") == "RUNNING"]
    desired = int(service.get("desired_count") or 0)
    if len(tasks) < desired:
        yield f"{name}: expected {desired} running tasks, got {len(tasks)}."
    wrong: dict[tuple[str, str, str], list[str]] = {}
    for task in tasks:
        for container in task["containers"]:
            right, got = expected(container), _got(container)
            if right and got not in right:
                key = (str(container["name"]), " or ".join(sorted(right)), got or "none")
                wrong.setdefault(key, []).append(str(task["task_arn"]).rpartition("/")[2])
    for (container_name, right_digest, got), ids in wrong.items():
        more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
        those = f"{len(ids)} of {len(tasks)} running tasks ({', '.join(ids[:NAMED])}{more})"
        yield f"{name}, container {container_name}: expected {right_digest}, got {got} in {those}."


def _got(container: Json) -> str:
    """The digest that runs. ECS needs a moment to tell it, and runs a reference with a digest as it is."""
    return str(container.get("image_digest") or "") or _digest(str(container.get("image") or ""))


def _digest(reference: str) -> str:
    return reference.rpartition("@")[2] if "@" in reference else ""


def _repository(reference: str) -> str:
    """The repository's name, whatever the registry is called from where one looks."""
    path = reference.partition("@")[0].partition("/")[2]
    return path.rpartition(":")[0] or path


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"digest_problems": digest_problems}

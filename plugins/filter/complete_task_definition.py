# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: complete_task_definition
short_description: Fill in what a task definition gets from its surroundings
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes a task definition in AWS's own spelling and fills in what is the same for all services of a site, where the
    definition does not say it itself.
  - The roles, the network mode V(awsvpc) and the compatibility V(FARGATE).
  - For each container an image by digest for an image by name, what stands for the names of secrets, and the log group.
positional: _input
options:
  _input:
    description: The task definition.
    type: dict
    required: true
  images:
    description: Image references by name. An image that has neither a slash nor a colon must be one of these names.
    type: dict
    default: {}
  secrets:
    description:
      - ARNs, or paths of parameters, by name. A C(valueFrom) without slash that is no ARN must be one of these names.
        What follows after a colon stays, such as C(database:password::) for a member of a secret's JSON.
    type: dict
    default: {}
  defaults:
    description: Members of the task definition for which the definition itself has no value.
    type: dict
    default: {}
  log_group:
    description: The log group of containers without a C(logConfiguration) of their own. The empty string is none.
    type: str
    default: ""
  region:
    description: The region of the log group.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: A definition of three lines
  ansible.builtin.debug:
    msg: "{{ definition | slipway.aws.complete_task_definition(images={'web': 'registry.example/web@sha256:0123'}) }}"
  vars:
    definition:
      family: web
      containerDefinitions: [{name: web, image: web, portMappings: [{containerPort: 8080}]}]
"""

RETURN = r"""
_value:
  description: The completed task definition.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import AWSVPC, FARGATE

Json = dict[str, Any]
DEFAULTS: Json = {"networkMode": AWSVPC, "requiresCompatibilities": [FARGATE]}


def named(kind: str, name: str, known: Json, container: str) -> str:
    """What `name` stands for, or an error that says which names there are."""
    if name in known:
        return str(known[name])
    there = ", ".join(sorted(known)) or "none"
    raise AnsibleFilterError(f"container {container}: there is no {kind} named {name!r}; the known ones are: {there}")


def reference(value_from: str, secrets: Json, container: str) -> str:
    """What AWS calls a secret. A part of it stays behind a colon."""
    if "/" in value_from or value_from.startswith("arn:"):
        return value_from
    name, colon, part = value_from.partition(":")
    return named("secret", name, secrets, container) + colon + part


def complete_container(container: Json, images: Json, secrets: Json, log: Json | None) -> Json:
    name = str(container.get("name", "?"))
    done = dict(container)
    image = str(container.get("image", ""))
    if not any(mark in image for mark in "/:@"):
        done["image"] = named("image", image, images, name)
    if container.get("secrets"):
        done["secrets"] = [
            {**secret, "valueFrom": reference(str(secret["valueFrom"]), secrets, name)}
            for secret in container["secrets"]
        ]
    if log:
        done.setdefault("logConfiguration", log)
    return done


def complete_task_definition(
    definition: Json,
    images: Json | None = None,
    secrets: Json | None = None,
    defaults: Json | None = None,
    log_group: str = "",
    region: str = "",
) -> Json:
    done = {**DEFAULTS, **(defaults or {}), **definition}
    options = {"awslogs-group": log_group, "awslogs-region": region, "awslogs-stream-prefix": definition["family"]}
    log = {"logDriver": "awslogs", "options": options} if log_group else None
    done["containerDefinitions"] = [
        complete_container(container, images or {}, secrets or {}, log)
        for container in definition["containerDefinitions"]
    ]
    return done


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Json]]:
        return {"complete_task_definition": complete_task_definition}

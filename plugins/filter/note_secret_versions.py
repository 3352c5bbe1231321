# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: note_secret_versions
short_description: Note in a task definition which versions of secrets it is for
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - ECS reads secrets when a task starts, so a new value alone reaches no task that runs.
  - A container that gets one of the secrets carries the version in the Docker label C(slipway.secrets). So a new
    version is a new task definition, which is deployed like any other.
positional: _input, versions
options:
  _input:
    description: The task definition, with secrets by name.
    type: dict
    required: true
  versions:
    description: Versions by the names of secrets. Others are not noted.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: The label of a container is told
  ansible.builtin.debug:
    msg: "{{ (definition | slipway.aws.note_secret_versions({'key': '3'})).containerDefinitions[0].dockerLabels }}"
  vars:
    definition:
      family: web
      containerDefinitions: [{name: web, image: web, secrets: [{name: KEY, valueFrom: key}]}]
"""

RETURN = r"""
_value:
  description: The task definition with the labels.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]
LABEL = "slipway.secrets"


def note_secret_versions(definition: Json, versions: Mapping[str, str]) -> Json:
    containers = [_noted(container, versions) for container in definition["containerDefinitions"]]
    return {**definition, "containerDefinitions": containers}


def _noted(container: Json, versions: Mapping[str, str]) -> Json:
    used = {str(secret["valueFrom"]).partition(":")[0] for secret in container.get("secrets") or ()}
    label = " ".join(f"{name}={versions[name]}" for name in sorted(used & set(versions)))
    labels = {**(container.get("dockerLabels") or {}), LABEL: label}
    return {**container, "dockerLabels": labels} if label else container


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Json]]:
        return {"note_secret_versions": note_secret_versions}

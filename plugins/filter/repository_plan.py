# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: repository_plan
short_description: Derives from declared repositories what is created, used and deleted
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes repositories as the role P(slipway.aws.ecr_registry#role) has them in C(ecr_registry_repositories), and
    compares them with those that exist.
  - A repository belongs to the project in its tag C(slipway:project). One of another project is used where both
    projects say that it is shared.
positional: _input
options:
  _input:
    description: The repositories.
    type: list
    elements: dict
    required: true
  project:
    description: The name of the project.
    type: str
    default: ""
  tags:
    description: Further tags.
    type: dict
    default: {}
  found:
    description: The repositories that exist, as M(slipway.aws.ecr_repository_info) returns them.
    type: list
    elements: dict
    default: []
  address:
    description: Address of the registry, if it differs from the one that AWS returns.
    type: str
    default: ""
  kms_key:
    description: The ARN of the key that encrypts new repositories which name none.
    type: str
    default: ""
  mutability:
    description: Whether tags of repositories that do not say so may move, V(MUTABLE) or V(IMMUTABLE).
    type: str
    default: IMMUTABLE
"""

EXAMPLES = r"""
- name: List the repositories to create or update
  ansible.builtin.debug:
    msg: "{{ plan.repositories | map(attribute='name') }}"
  vars:
    plan: "{{ [{'name': 'shop/web'}] | slipway.aws.repository_plan(project='shop') }}"
"""

RETURN = r"""
_value:
  description:
    - C(problems), what is wrong with the declarations, a sentence each.
    - C(repositories), those that the project manages, with defaults, C(tags) and C(lifecycle_policy).
    - C(shared), those of other projects and of others, as found; C(foreign), names of those that the project may not
      use; C(unusable), a sentence for each one of others that is missing or the project's own.
    - C(deletable), names of the project's repositories without images.
    - C(result), what the role returns.
  type: dict
"""

from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils import ecr_registry

Json = dict[str, Any]


def repository_plan(
    repositories: Sequence[Json],
    project: str = "",
    tags: Json | None = None,
    found: Sequence[Json] = (),
    address: str = "",
    **defaults: str,
) -> Json:
    new = ecr_registry.Defaults(**defaults)
    names = {str(repository.get("name")) for repository in repositories}
    own = [one for one in ecr_registry.owned(found, project) if one["repository_name"] in names]
    existing = ecr_registry.existing_names(repositories)
    shared = ecr_registry.shared(found, repositories, project)
    shared += [one for one in found if one["repository_name"] in existing and one not in own]
    others = {one["repository_name"] for one in shared} | existing
    known = {one["repository_name"] for one in own} | others
    return {
        "problems": ecr_registry.problems(repositories),
        "repositories": [
            ecr_registry.desired(
                one, project, tags or {}, new._replace(kms_key="") if one.get("name") in known else new
            )
            for one in repositories
            if one.get("name") not in others
        ],
        "shared": shared,
        "foreign": [name for one in found if (name := one["repository_name"]) in names - known],
        "unusable": list(ecr_registry.existing_problems(found, repositories, project)),
        "deletable": ecr_registry.deletable(found, repositories, project),
        "result": ecr_registry.result([*own, *shared], address),
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Json]]:
        return {"repository_plan": repository_plan}

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ecs_app_plan
short_description: Complete and validate the services of a site
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes the variables of the role P(slipway.aws.ecs_app#role) and returns what its modules are given.
  - A service is completed with what follows from where it runs, from the ports of its containers, and from the network,
    cluster, load balancer, registry and Cloud Map namespace of its site. What it says itself is kept.
  - Names of images become references by digest, those of secrets, target groups and Cloud Map services what AWS calls
    them.
positional: _input, others, account
options:
  _input:
    description: The role's variables by their names. Of C(ecs_app_secret_values), only the names are needed.
    type: dict
    required: true
  others:
    description:
      - What variables of other roles say, where the play knows them - C(hosting), the names of C(target_groups),
        C(discovery_services) and C(repositories).
    type: dict
    default: {}
  account:
    description:
      - What has been read. The results of roles as C(network), C(registry), C(cluster), C(load_balancer) and
        C(discovery), and what modules returned as C(repositories), C(images) and C(secrets).
      - Empty before anything is read. Then only C(problems), C(schedules), C(secrets) and C(tags) are returned.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Validate the services
  ansible.builtin.assert:
    that: plan.problems | length == 0
    fail_msg: "{{ plan.problems | join('\n') }}"
  vars:
    plan: "{{ variables | slipway.aws.ecs_app_plan }}"
"""

RETURN = r"""
_value:
  description:
    - C(problems), one sentence each with the variable's name and position.
    - C(services) and C(target_groups), as M(slipway.aws.ecs_release) takes them.
    - C(schedules) and C(schedule_group), as M(slipway.aws.ecs_schedule_group) takes them.
    - C(scaling), as M(slipway.aws.ecs_service_scaling) takes it.
    - C(secrets), secrets and settings as M(slipway.aws.ecs_secrets) takes them.
    - C(images), references by the names of images.
    - C(kept), by kind the names of resources that are not obsolete.
    - C(tags), the tags of everything that is created.
  type: dict
"""

from collections.abc import Callable

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app import plan


def ecs_app_plan(variables: Json, others: Json | None = None, account: Json | None = None) -> Json:
    return plan(variables, others or {}, account or {})


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Json]]:
        return {"ecs_app_plan": ecs_app_plan}

#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_run
version_added: 0.1.0
short_description: Run a one-off Amazon ECS task with the settings of a service
author:
  - The Slipway authors (@slipway)
description:
  - Runs one task with the task definition, subnets, security groups, secrets, capacity, placement, volumes and tags of
    a service, optionally with another command. Waits until the task has ended and returns its output.
  - Use it for what has to run once and inside the network, such as a migration, or a database client where the database
    can only be reached from its VPC.
  - All containers of the task definition are started. The task ends with the command if its container is essential.
  - Fails if the exit code of the command is not 0, with the reason and the last lines of the log.
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  service:
    description: The service whose settings the task gets.
    type: str
    required: true
  container:
    description:
      - The container that runs the command, and whose exit code and output are returned. May be omitted if there is
        only one.
    type: str
  command:
    description:
      - The command to run instead of the container's own, as a list of words without a shell. An entry point of the
        image is kept. By default, the container's own command runs.
      - Do not put secrets into it. AWS returns it in the description of the task.
    type: list
    elements: str
  wait_timeout:
    description: How many seconds the task may take. A task that takes longer is stopped.
    type: int
    default: 300
extends_documentation_fragment:
  - slipway.aws.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
attributes:
  check_mode:
    support: full
    details: Finds the service and the container, and starts nothing.
  diff_mode:
    support: none
    details: Changes nothing that lasts.
  idempotent:
    support: none
    details: Runs the command every time.
notes:
  - Values that look like secrets are shown as V(********), as in M(slipway.aws.ecs_task_definition).
seealso:
  - module: slipway.aws.ecs_service
"""

EXAMPLES = r"""
- name: Query the database
  slipway.aws.ecs_task_run:
    cluster: shop
    service: database
    command: [psql, --host=database.shop.internal, --command=SELECT 1]
  register: query

- name: Show the output
  ansible.builtin.debug:
    var: query.output

- name: Migrate the database
  slipway.aws.ecs_task_run:
    cluster: shop
    service: web
    container: django
    command: [python3, manage.py, migrate]
"""

RETURN = r"""
task_arn:
  description: The ARN of the task. In check mode V(unknown).
  returned: success, or when the task failed
  type: str
  sample: arn:aws:ecs:ap-northeast-2:123456789012:task/shop/9781c248fb1e4a13a6b94d0f0dc1f6a2
exit_code:
  description: The exit code of the command, or null if it was not started.
  returned: success, or when the task failed
  type: int
  sample: 0
output:
  description: The last 100 lines that the container wrote to CloudWatch Logs. Empty if it logs elsewhere.
  returned: success, or when the task failed
  type: list
  elements: str
  sample: ["1"]
failure:
  description: Why the task failed, as M(slipway.aws.ecs_service) returns it for a service.
  returned: when the task failed
  type: dict
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(task_failed). The task did not start, or its command did not exit with 0.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(no_connection), V(no_credentials),
      V(not_found), V(refused), V(throttled) and V(timeout). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: task_failed
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task import flow

ARGUMENT_SPEC = {
    "cluster": {"type": "str", "default": "default"},
    "service": {"type": "str", "required": True},
    "container": {"type": "str"},
    "command": {"type": "list", "elements": "str"},
    "wait_timeout": {"type": "int", "default": 300},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_run
version_added: 0.1.0
short_description: Runs an Amazon ECS task of its own, with a command or as it is
author:
  - The Slipway authors (@slipway)
description:
  - Starts one task as a service starts its own, with its task definition, subnets, security groups, secrets, capacity,
    placement, volumes and tags, and with another command if one is given. Waits until the task has ended and returns
    what the command printed.
  - Meant for what has to run once and inside, such as a migration, or a database's client where the database is reached
    from its VPC alone.
  - All containers of the task definition start. The task ends when the command does, if its container is essential.
  - Fails when the command does not end with 0, with the reason and the last lines of the log.
options:
  cluster:
    description: The cluster of the service.
    type: str
    default: default
  service:
    description: The service beside whose tasks this one runs.
    type: str
    required: true
  container:
    description:
      - The container that gets the command, and whose exit code and output are returned. It can be left out where there
        is only one.
    type: str
  command:
    description:
      - The command in place of the container's own, word by word and without a shell. An entry point of the image
        stays in front of it. Without it, the container's own command runs.
      - It can be read in what AWS tells of the task, so it is no place for a secret.
    type: list
    elements: str
  wait_timeout:
    description: How many seconds the task may take from its start to its end. One that takes longer is stopped.
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
    details: The service and its container are looked up, and nothing is started.
  diff_mode:
    support: none
    details: Nothing that lasts is changed.
  idempotent:
    support: none
    details: The command runs each time.
notes:
  - A value that looks like a secret is shown as V(********), as in M(slipway.aws.ecs_task_definition).
seealso:
  - module: slipway.aws.ecs_service
"""

EXAMPLES = r"""
- name: The database answers
  slipway.aws.ecs_task_run:
    cluster: shop
    service: database
    command: [psql, --host=database.shop.internal, --command=SELECT 1]
  register: asked

- name: That is what it said
  ansible.builtin.debug:
    var: asked.output

- name: The tables are up to date
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
  description: The exit code of the command, null when it was not started.
  returned: success, or when the task failed
  type: int
  sample: 0
output:
  description: The last 100 lines that the container wrote to CloudWatch Logs. None where it logs elsewhere.
  returned: success, or when the task failed
  type: list
  elements: str
  sample: ["1"]
failure:
  description: Why it failed, as M(slipway.aws.ecs_service) returns it for a service.
  returned: when the task failed
  type: dict
code:
  description:
    - Which error it was, for programs.
    - V(task_failed) for a task that did not start or a command that did not end with 0, V(timeout) for one that was
      stopped because it took too long, V(not_found) for a service that does not exist, V(invalid_option),
      V(access_denied), V(no_credentials), V(no_connection), V(throttled), V(refused) and V(aws_error) for what AWS
      answered.
    - V(bad_answer) for an answer that cannot be read, or leaves out what was asked for.
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

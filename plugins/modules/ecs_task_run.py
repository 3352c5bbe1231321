#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_run
version_added: 0.1.0
short_description: Run one-off Amazon ECS tasks and show their output
author:
  - The Slipway authors (@slipway)
description:
  - Runs tasks with the settings of a service (task definition, subnets, security groups, secrets, capacity, placement,
    volumes and tags), or of any task definition with settings of their own, optionally with another command. Waits
    until the tasks have stopped, shows the lines of their log meanwhile, and returns exit codes and output.
  - Use it for what has to run once and inside the network, such as a migration, or a database client where the database
    can only be reached from its VPC. For tasks that belong to a release, use
    O(slipway.aws.ecs_release#module:pre_deploy_tasks).
  - All containers of the task definition are started. The task ends with the command if its container is essential.
  - Fails if the exit code of the command is not 0, with the reason and the last lines of the log. A task that times out
    is stopped. A run that is interrupted, for instance by Ctrl-C, stops the tasks that it started.
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  service:
    description:
      - The service whose settings the task gets. Each of them can be replaced by an option below.
      - One of O(service) and O(task_definition) is required.
    type: str
  task_definition:
    description:
      - The task definition, as a family, whose latest active revision runs, C(family:revision), or an ARN.
      - By default, the one that O(service) runs.
    type: str
  container:
    description:
      - The container that runs the command, and whose exit code and output are returned. You can omit it if there is
        only one, or only one that is essential.
    type: str
  command:
    description:
      - The command to run instead of the container's own, as a list of words without a shell. An entry point of the
        image is kept. By default, the container's own command runs.
      - Do not put secrets into it. AWS returns it in the description of the task.
    type: list
    elements: str
  environment:
    description:
      - Environment variables of the container, in addition to its own.
      - Do not put secrets into them. AWS returns them in the description of the task.
    type: dict
  overrides:
    description:
      - Everything else of the task definition that AWS can replace for a task, in the spelling of AWS's
        C(TaskOverride), such as C(cpu), C(memory), C(taskRoleArn), C(ephemeralStorage) and C(containerOverrides).
      - O(command) and O(environment) take precedence.
    type: dict
  count:
    description: The number of tasks, V(1) to V(10). By default V(1). All of them have to succeed.
    type: int
  launch_type:
    description: Where the tasks run. Replaces capacity, placement and platform version of O(service).
    type: str
    choices: [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]
  capacity_provider_strategy:
    description:
      - The capacity providers of the tasks, each with C(capacityProvider), C(weight) and C(base). Replaces capacity,
        placement and platform version of O(service).
      - Without it, O(launch_type) and O(service), the default strategy of the cluster holds.
    type: list
    elements: dict
  platform_version:
    description: Version of the Fargate platform, such as V(1.4.0) or V(LATEST).
    type: str
  network_configuration:
    description:
      - The network of tasks with network mode C(awsvpc), as C(awsvpcConfiguration) with C(subnets), C(securityGroups)
        and C(assignPublicIp).
    type: dict
  placement_constraints:
    description: The container instances that may run tasks, each with C(type) and C(expression).
    type: list
    elements: dict
  placement_strategy:
    description: How to choose a container instance, each with C(type) and C(field). The order matters.
    type: list
    elements: dict
  volume_configurations:
    description:
      - EBS volumes that are created with the tasks, each with C(name) and C(managedEBSVolume). By default, AWS deletes
        them with the task.
    type: list
    elements: dict
  group:
    description: The name of the task group. By default, AWS uses C(family:) and the name of the family.
    type: str
  started_by:
    description:
      - What AWS returns as C(startedBy) with the tasks, up to 128 letters, digits, hyphens, slashes and underscores.
      - By default C(slipway/ecs_task_run), followed by a digest of O(client_token) if there is one.
    type: str
  tags:
    description: Tags of the tasks. Those that O(service) propagates are kept beside them.
    type: dict
    aliases: [resource_tags]
  propagate_tags:
    description: Whether the tasks get the tags of their task definition. By default as O(service) has it.
    type: str
    choices: [TASK_DEFINITION, NONE]
  enable_ecs_managed_tags:
    description: Whether AWS adds tags with the name of the cluster. By default as O(service) has it.
    type: bool
  enable_execute_command:
    description: Whether ECS Exec is enabled for the tasks. By default as O(service) has it.
    type: bool
  client_token:
    description:
      - Makes the run idempotent. AWS starts tasks once for each token and cluster, up to 64 characters.
      - A later run with the same token waits for the tasks of the first one, or returns how they ended, and changes
        nothing, also if the first run was killed.
      - AWS remembers a token for 24 hours, but at most for one hour after the task has stopped.
    type: str
  wait:
    description: Whether to wait until the tasks have stopped. Otherwise, the result has no exit code and no output.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds the tasks may take. Tasks that take longer are stopped.
    type: int
    default: 300
extends_documentation_fragment:
  - slipway.aws.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.plain_values
attributes:
  check_mode:
    support: full
    details: Finds the service, the task definition and the container, and starts nothing.
  diff_mode:
    support: none
    details: Changes nothing that lasts.
  idempotent:
    support: partial
    details: Runs the command every time, unless O(client_token) is set.
notes:
  - Values that look like secrets are shown as V(********), as in M(slipway.aws.ecs_task_definition).
  - Output is read from CloudWatch Logs, if the container has the log driver C(awslogs). While the task runs on the
    controller, each line is shown at once, unless C(no_log) is set. A log that cannot be read is a warning.
  - >-
    Requires C(ecs:RunTask), C(ecs:DescribeTasks), C(ecs:StopTask), C(ecs:DescribeTaskDefinition), C(iam:PassRole) for
    the roles of the task definition, C(ecs:DescribeServices) for O(service), C(ecs:ListTasks) for O(client_token),
    C(ecs:TagResource) where the tasks get tags, and C(logs:GetLogEvents).
seealso:
  - module: slipway.aws.ecs_release
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

- name: Import last night's orders once, without a service
  slipway.aws.ecs_task_run:
    cluster: shop
    task_definition: import:3
    launch_type: FARGATE
    network_configuration:
      awsvpcConfiguration:
        subnets: [subnet-0123456789abcdef0]
        securityGroups: [sg-0123456789abcdef0]
    environment:
      DAY: "2026-11-29"
    overrides:
      cpu: "1024"
      memory: "4096"
    client_token: import-2026-11-29
    wait_timeout: 1800
"""

RETURN = r"""
task_arn:
  description: The ARN of the task; of several, the first one or the first one that failed. In check mode V(unknown).
  returned: success, or when the task failed
  type: str
  sample: arn:aws:ecs:ap-northeast-2:123456789012:task/shop/9781c248fb1e4a13a6b94d0f0dc1f6a2
exit_code:
  description: The exit code of the command in this task, or null if it was not started or has not ended.
  returned: success, or when the task failed
  type: int
  sample: 0
output:
  description: The last 100 lines that the container wrote to CloudWatch Logs. Empty if it logs elsewhere.
  returned: success, or when the task failed
  type: list
  elements: str
  sample: ["1"]
tasks:
  description: All tasks. Empty in check mode.
  returned: success, or when the task failed
  type: list
  elements: dict
  contains:
    task_arn:
      description: The ARN of the task.
      type: str
    status:
      description: The last status of the task, such as V(STOPPED).
      type: str
    exit_code:
      description: The exit code of the command, or null.
      type: int
    stop_code:
      description: Why the task stopped, as AWS's code, such as V(EssentialContainerExited).
      type: str
    stopped_reason:
      description: Why the task stopped, in AWS's words.
      type: str
    containers:
      description: All containers, each with C(name), C(exit_code), which is null if it never started, and C(reason).
      type: list
      elements: dict
    output:
      description: The last 100 lines that the container wrote to CloudWatch Logs.
      type: list
      elements: str
failure:
  description: Why the task failed, as M(slipway.aws.ecs_service) returns it for a service.
  returned: when the task failed
  type: dict
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(interrupted). The run was interrupted. ECS continues the deployments that started; the message gives the state
      of tasks.
    - V(task_failed). The task did not start, or its command did not exit with 0.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout).
      These any module returns that calls AWS.
  returned: failure
  type: str
  sample: task_failed
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import TASK
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task import flow

ARGUMENT_SPEC = {
    "cluster": {"type": "str", "default": "default"},
    "service": {"type": "str"},
    "task_definition": {"type": "str"},
    "container": {"type": "str"},
    "command": {"type": "list", "elements": "str"},
    "environment": {"type": "dict"},
    **TASK,
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "client_token": {"type": "str", "no_log": False},
    "plain_values": {"type": "list", "elements": "str"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run, required_one_of=[("service", "task_definition")])


if __name__ == "__main__":
    main()

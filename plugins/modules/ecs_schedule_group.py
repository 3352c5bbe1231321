#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_schedule_group
version_added: 0.1.0
short_description: Manages schedules of Amazon EventBridge Scheduler that run Amazon ECS tasks
author:
  - The Slipway authors (@slipway)
description:
  - Creates a schedule group with exactly these schedules. Each runs tasks with the settings of a service (task
    definition, subnets, security groups, capacity, placement and tags), or of any task definition with settings of
    their own, optionally with another command.
  - A schedule runs one revision of a task definition. Run the module after each deployment, so that schedules run what
    the service runs. Without O(schedules), it does nothing else.
  - The group is what belongs to an owner. A schedule has no tags.
options:
  state:
    description:
      - Whether the group exists. V(absent) deletes it with all of its schedules. Tasks that run are not stopped.
      - V(absent) with O(schedules) deletes only these and keeps the group.
    type: str
    choices: [present, absent]
    default: present
  name:
    description: The name of the schedule group. The group V(default), which every account has, is refused.
    type: str
    required: true
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  role_arn:
    description:
      - The ARN of the IAM role that EventBridge Scheduler assumes to run the tasks. Required with O(schedules).
      - It needs C(ecs:RunTask) for the task definitions, C(iam:PassRole) for their roles, C(ecs:TagResource) where
        tasks get tags, and C(sqs:SendMessage) for dead-letter queues.
    type: str
  schedules:
    description:
      - The schedules. Each gets exactly these settings. What is omitted gets AWS's default.
      - If omitted, existing schedules run the revisions that the services of O(cluster) run of their task definitions,
        and nothing else changes.
    type: list
    elements: dict
    suboptions:
      name:
        description: The name of the schedule, unique in the group.
        type: str
        required: true
      schedule:
        description:
          - When it runs, as V(at(yyyy-mm-ddThh:mm:ss\)), V(rate(12 hours\)) or V(cron(minutes hours day-of-month
            month day-of-week year\)), with C(?) for one of the two days.
          - A schedule whose time or O(schedules[].end_date) has passed never runs again. It is neither created nor
            updated, and a warning says so.
          - Required unless O(state=absent).
        type: str
      timezone:
        description: The time zone of O(schedules[].schedule), such as V(Asia/Seoul).
        type: str
        default: UTC
      enabled:
        description: Whether the schedule is enabled.
        type: bool
        default: true
      description:
        description: A description.
        type: str
      start_date:
        description:
          - When it begins, such as V(2026-12-24T18:00:00Z). A rate counts from it, or else from the creation.
          - AWS refuses a start that has passed, so it is dropped then.
        type: str
      end_date:
        description: When it ends, such as V(2027-12-24T18:00:00Z).
        type: str
      flexible_window:
        description:
          - Minutes after its time within which AWS may start it, V(1) to V(1440). By default, within its minute.
        type: int
      maximum_retry_attempts:
        description:
          - How often AWS tries again to start the tasks, V(0) to V(185). AWS's default is V(185).
          - A task that started is not run again, whatever its exit code.
        type: int
      maximum_event_age:
        description: For how many seconds AWS tries to start the tasks, V(60) to V(86400). AWS's default is V(86400).
        type: int
      dead_letter_queue:
        description: The ARN of the SQS queue that receives a message if the tasks could not be started.
        type: str
      service:
        description:
          - The service whose settings the tasks get. Each of them can be replaced by an option below.
          - One of O(schedules[].service) and O(schedules[].task_definition) is required.
        type: str
      task_definition:
        description:
          - The task definition, as a family, whose latest active revision is scheduled, C(family:revision), or an ARN.
          - By default, the one that O(schedules[].service) runs.
        type: str
      container:
        description:
          - The container that runs the command. You can omit it if there is only one, or only one that is essential.
        type: str
      command:
        description:
          - The command to run instead of the container's own, as a list of words without a shell.
          - Do not put secrets into it. AWS returns it in the description of the schedule.
        type: list
        elements: str
      environment:
        description:
          - Environment variables of the container, in addition to its own.
          - Do not put secrets into them. AWS returns them in the description of the schedule.
        type: dict
      overrides:
        description:
          - Everything else of the task definition that AWS can replace for a task, in the spelling of AWS's
            C(TaskOverride), such as C(cpu), C(memory), C(taskRoleArn) and C(containerOverrides).
          - O(schedules[].command) and O(schedules[].environment) take precedence.
        type: dict
      count:
        description: The number of tasks, V(1) to V(10). By default V(1).
        type: int
      launch_type:
        description: Where the tasks run. Replaces capacity, placement and platform version of O(schedules[].service).
        type: str
        choices: [EC2, FARGATE, EXTERNAL]
      capacity_provider_strategy:
        description:
          - The capacity providers of the tasks, each with C(capacityProvider), C(weight) and C(base). Replaces
            capacity, placement and platform version of O(schedules[].service).
        type: list
        elements: dict
      platform_version:
        description: Version of the Fargate platform, such as V(1.4.0).
        type: str
      network_configuration:
        description:
          - The network of tasks with network mode C(awsvpc), as C(awsvpcConfiguration) with C(subnets),
            C(securityGroups) and C(assignPublicIp).
        type: dict
      placement_constraints:
        description: The container instances that may run tasks, each with C(type) and C(expression).
        type: list
        elements: dict
      placement_strategy:
        description: How to choose a container instance, each with C(type) and C(field). The order matters.
        type: list
        elements: dict
      group:
        description: The name of the task group. By default, AWS uses C(family:) and the name of the family.
        type: str
      tags:
        description: Tags of the tasks. Those that O(schedules[].service) propagates are kept beside them.
        type: dict
      propagate_tags:
        description:
          - Whether the tasks get the tags of their task definition. By default as O(schedules[].service) has it.
        type: str
        choices: [TASK_DEFINITION, NONE]
      enable_ecs_managed_tags:
        description: Whether AWS adds tags with the name of the cluster. By default as O(schedules[].service) has it.
        type: bool
      enable_execute_command:
        description: Whether ECS Exec is enabled for the tasks. By default as O(schedules[].service) has it.
        type: bool
  task_definitions:
    description:
      - The task definition that each service runs, by the name of the service. By default, the module reads it.
      - After a release in check mode, pass the revisions that it would register.
    type: dict
    default: {}
  purge_schedules:
    description: Whether to delete schedules of the group that are not in O(schedules).
    type: bool
    default: true
  match_tags:
    description:
      - Tags that identify the owner. A group without them is someone else's. The module fails and changes nothing.
      - A new group gets them.
    type: dict
  tags:
    description: Tags of the group. If omitted, tags are kept.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether to remove tags that are not in O(tags) or O(match_tags).
    type: bool
    default: true
  wait_timeout:
    description: How many seconds AWS may take to delete the group.
    type: int
    default: 300
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.plain_values
notes:
  - EventBridge Scheduler has no overlap policy. It starts a run even if the last one is still running. A command that
    must not run twice at a time has to hold a lock of its own, for instance in its database.
  - AWS starts a run within the minute of its time, and at least once. Rarely, it starts one twice.
  - Volumes that are configured at launch cannot be scheduled.
  - >-
    Requires C(scheduler:GetScheduleGroup), C(scheduler:ListSchedules), C(scheduler:GetSchedule),
    C(scheduler:ListTagsForResource), C(scheduler:CreateScheduleGroup), C(scheduler:CreateSchedule),
    C(scheduler:UpdateSchedule), C(scheduler:DeleteSchedule), C(scheduler:DeleteScheduleGroup),
    C(scheduler:TagResource), C(scheduler:UntagResource), C(iam:PassRole) for O(role_arn), C(ecs:DescribeServices),
    C(ecs:DescribeTaskDefinition), and without O(schedules) C(ecs:ListServices).
seealso:
  - module: slipway.aws.ecs_task_run
  - module: slipway.aws.ecs_service_scaling
"""

EXAMPLES = r"""
- name: Send the orders of the day every evening in Seoul, and clean up every hour
  slipway.aws.ecs_schedule_group:
    name: shop
    cluster: shop
    role_arn: arn:aws:iam::123456789012:role/shop-schedules
    schedules:
      - name: orders
        service: web
        container: django
        command: [python3, manage.py, send_orders]
        schedule: cron(0 22 * * ? *)
        timezone: Asia/Seoul
        maximum_retry_attempts: 3
        maximum_event_age: 3600
      - name: clean-up
        service: web
        container: django
        command: [python3, manage.py, clearsessions]
        schedule: rate(1 hour)
    match_tags:
      project: shop

- name: Run what the services run now, after they were rolled back
  slipway.aws.ecs_schedule_group:
    name: shop
    cluster: shop

- name: Delete one schedule
  slipway.aws.ecs_schedule_group:
    name: shop
    state: absent
    schedules:
      - name: clean-up

- name: Delete the group with all of its schedules
  slipway.aws.ecs_schedule_group:
    name: shop
    state: absent
"""

RETURN = r"""
group:
  description:
    - The group; in check mode the predicted one. With O(state=absent) the deleted one, empty if none existed.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
      sample: shop
    arn:
      description: Its ARN. In check mode V(unknown) for one that does not exist yet.
      type: str
      sample: arn:aws:scheduler:ap-northeast-2:123456789012:schedule-group/shop
    tags:
      description: The tags of the group.
      type: dict
      sample: {"project": "shop"}
    schedules:
      description:
        - The schedules by name, in the spelling of AWS's C(CreateSchedule), with AWS's defaults. C(Input) of the
          C(Target) are the overrides of the task.
        - In check mode, the C(Target) of a schedule whose service or revision does not exist yet is V(unknown).
      type: dict
      sample:
        clean-up:
          ActionAfterCompletion: NONE
          FlexibleTimeWindow: {Mode: "OFF"}
          ScheduleExpression: rate(1 hour)
          ScheduleExpressionTimezone: UTC
          State: ENABLED
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - >-
      V(not_adopted). The resource exists and belongs to no project yet: it has no tag C(slipway:project).
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout).
      These any module returns that calls AWS.
  returned: failure
  type: str
  sample: invalid_option
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SCHEDULE
from ansible_collections.slipway.aws.plugins.module_utils._ecs.schedule import flow

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str", "required": True},
    "cluster": {"type": "str", "default": "default"},
    "role_arn": {"type": "str"},
    "schedules": {"type": "list", "elements": "dict", "options": SCHEDULE},
    "task_definitions": {"type": "dict", "default": {}},
    "purge_schedules": {"type": "bool", "default": True},
    "match_tags": {"type": "dict"},
    "plain_values": {"type": "list", "elements": "str"},
    "wait_timeout": {"type": "int", "default": 300},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()

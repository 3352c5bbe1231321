#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service_scaling
version_added: 0.1.0
short_description: Manages automatic scaling of Amazon ECS services
author: The Slipway authors (@slipway)
description:
  - Sets capacity limits, target tracking policies and schedules of each service in Application Auto Scaling, or
    removes them.
  - Scales a service with the depth of an SQS queue, also from and to no task at all.
  - AWS then changes the number of tasks. Omit O(slipway.aws.ecs_service#module:desired_count) for an existing service;
    C(initial_count) of O(slipway.aws.ecs_release#module:services) is for a new one.
  - Other policies and schedules of the service are deleted.
  - A new scalable target gets the tags of its service.
  - Limits that a schedule has changed are kept until the next schedule.
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  services:
    description: The services.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The name of the service.
        type: str
        required: true
      state:
        description:
          - Whether the service scales.
          - V(absent) deletes limits, policies, schedules and their alarms. The number of tasks is kept.
        type: str
        choices: [present, absent]
        default: present
      min_capacity:
        description: The minimum number of tasks. Required with O(services[].state=present).
        type: int
      max_capacity:
        description: The maximum number of tasks. Required with O(services[].state=present).
        type: int
      cpu_utilization:
        description:
          - The target for the average CPU utilization, in percent of what the tasks reserve.
          - With several targets, the one that requires the most tasks applies.
        type: float
      memory_utilization:
        description: The same for memory.
        type: float
      requests_per_target:
        description: The target for requests per task and minute from the load balancer.
        type: float
      target_group_arn:
        description:
          - The target group whose requests are counted. Required if the service has several.
        type: str
      queue:
        description:
          - The SQS queue whose messages the service processes. AWS keeps as many tasks as its depth requires.
          - The policy C(QueueBacklogPerTask) tracks the messages per running task. Messages in flight count, too, so
            that a task that still processes the last messages is not stopped.
          - If O(services[].min_capacity), also of a schedule, is 0, the policy C(QueueStartFromZero) and an alarm in
            CloudWatch start the first task once a message waits. The alarm gets the tags of its service.
          - Tasks are counted by the metric C(RunningTaskCount), so the cluster needs Container Insights, for which AWS
            charges.
          - The module fails with V(not_found) if there is no such queue in the account and region.
        type: dict
        suboptions:
          name:
            description: The name of the queue.
            type: str
            required: true
          messages_per_task:
            description:
              - The target for the number of messages per running task. Choose as many as a task processes in the time
                that a message may wait.
            type: float
            required: true
      scale_in_cooldown:
        description: Seconds between two scale-in activities. AWS defaults to 300.
        type: int
      scale_out_cooldown:
        description: Seconds between two scale-out activities. AWS defaults to 300.
        type: int
      schedules:
        description: Changes of the limits at certain times.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The name of the schedule.
            type: str
            required: true
          schedule:
            description:
              - When, as C(at(yyyy-mm-ddThh:mm:ss)), C(rate(value unit)) or C(cron(minutes hours day-of-month month
                day-of-week year)), with C(?) for one of the two days.
            type: str
            required: true
          timezone:
            description: The time zone of O(services[].schedules[].schedule).
            type: str
            default: UTC
          min_capacity:
            description: The minimum number of tasks from then on.
            type: int
          max_capacity:
            description: The maximum number of tasks from then on.
            type: int
  match_tags:
    description:
      - The tag C(slipway:project) with the name of the project whose services these are. A service of another project
        is refused.
      - A service without this tag is not adopted. Check mode compares its scaling and warns, a run refuses it.
    type: dict
    version_added: 0.2.0
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
notes:
  - A service that scales carries the tag C(slipway:scaling). M(slipway.aws.ecs_service) and
    M(slipway.aws.ecs_release) keep it.
  - AWS creates the role C(AWSServiceRoleForApplicationAutoScaling_ECSService) with the first target. The caller needs
    C(iam:CreateServiceLinkedRole) for that.
seealso:
  - module: slipway.aws.ecs_service
  - module: slipway.aws.ecs_release
"""

EXAMPLES = r"""
- name: Scale the shop with its load, and in at night
  slipway.aws.ecs_service_scaling:
    cluster: shop
    services:
      - name: web
        min_capacity: 2
        max_capacity: 10
        cpu_utilization: 60
        scale_out_cooldown: 60
        schedules:
          - name: night
            schedule: cron(0 22 * * ? *)
            timezone: Asia/Seoul
            min_capacity: 1
            max_capacity: 2
          - name: morning
            schedule: cron(0 6 * * ? *)
            timezone: Asia/Seoul
            min_capacity: 2
            max_capacity: 10
      - name: stock
        min_capacity: 1
        max_capacity: 4
        memory_utilization: 70

- name: Start workers while there are messages, up to 20, and none at night
  slipway.aws.ecs_service_scaling:
    cluster: shop
    services:
      - name: worker
        min_capacity: 0
        max_capacity: 20
        queue:
          name: orders
          messages_per_task: 100
        schedules:
          - name: night
            schedule: cron(0 22 * * ? *)
            timezone: Europe/Berlin
            max_capacity: 0
          - name: morning
            schedule: cron(0 6 * * ? *)
            timezone: Europe/Berlin
            max_capacity: 20

- name: Stop scaling the stock
  slipway.aws.ecs_service_scaling:
    cluster: shop
    services:
      - name: stock
        state: absent
"""

RETURN = r"""
services:
  description: The scaling by service; in check mode the predicted one. Empty without scaling.
  returned: success
  type: dict
  contains:
    min_capacity:
      description: The minimum number of tasks.
      type: int
      sample: 2
    max_capacity:
      description: The maximum number of tasks.
      type: int
      sample: 10
    policies:
      description: Policies by name, in AWS's spelling.
      type: dict
    schedules:
      description: Schedules by name, in AWS's spelling.
      type: dict
    alarms:
      description: >-
        Alarms of the module's own by name, in AWS's spelling. C(AlarmActions) has names of policies. AWS's alarms of
        target tracking are not listed.
      type: dict
    tags:
      description: The tag that marks a service with scaling.
      type: dict
      sample: {"slipway:scaling": "true"}
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - >-
      V(not_adopted). The resource exists and belongs to no project yet: it has no tag C(slipway:project).
    - V(unsupported). The endpoint does not support Application Auto Scaling.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused) and V(throttled). These any
      module returns that calls AWS.
  returned: failure
  type: str
  sample: invalid_option
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling import flow

SCHEDULE = {
    "name": {"type": "str", "required": True},
    "schedule": {"type": "str", "required": True},
    "timezone": {"type": "str", "default": "UTC"},
    "min_capacity": {"type": "int"},
    "max_capacity": {"type": "int"},
}
QUEUE = {
    "name": {"type": "str", "required": True},
    "messages_per_task": {"type": "float", "required": True},
}
SERVICE = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "min_capacity": {"type": "int"},
    "max_capacity": {"type": "int"},
    "cpu_utilization": {"type": "float"},
    "memory_utilization": {"type": "float"},
    "requests_per_target": {"type": "float"},
    "target_group_arn": {"type": "str"},
    "queue": {"type": "dict", "options": QUEUE},
    "scale_in_cooldown": {"type": "int"},
    "scale_out_cooldown": {"type": "int"},
    "schedules": {"type": "list", "elements": "dict", "options": SCHEDULE, "default": []},
}
ARGUMENT_SPEC = {
    "cluster": {"type": "str", "default": "default"},
    "services": {"type": "list", "elements": "dict", "options": SERVICE, "required": True},
    "match_tags": {"type": "dict"},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()

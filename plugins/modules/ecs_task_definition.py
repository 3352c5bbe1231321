#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_definition
short_description: Manages Amazon ECS task definitions
version_added: 0.1.0
description:
  - Registers a new revision of a task definition exactly when something differs from the newest active revision, or
    from the given O(revision).
  - Every member of the API is compared. Defaults of AWS (such as C(essential), C(protocol) or the timings of a health
    check), the order of sets (such as C(environment)), and numbers given as text make no difference.
  - Options that are omitted keep their values from the revision that is compared. An empty value removes the member.
  - Options are members of the API's request in snake case. Their contents keep AWS's spelling, and are validated
    against the API's model before any call.
author: The Slipway authors (@slipway)
options:
  state:
    description:
      - V(present) registers a revision if needed.
      - V(absent) deregisters the active revisions of the family, or only the given one.
    type: str
    choices: [present, absent]
    default: present
  family:
    description:
      - The family; also C(family:revision) or the ARN of a revision.
      - Required, unless O(definition) or O(definition_file) contains it.
    type: str
    aliases: [name]
  revision:
    description: The revision to compare with instead of the newest; with O(state=absent) the one to deregister.
    type: int
  definition:
    description:
      - A complete task definition in AWS's spelling, as C(aws ecs describe-task-definition) prints it or as this module
        returns it. Members that only AWS writes, such as the ARN, are ignored.
      - Members that it omits are not in the new revision. Other options override it.
    type: dict
  definition_file:
    description: Path of a JSON or YAML file with a O(definition).
    type: path
  container_definitions:
    description:
      - The containers, each with the members of C(ContainerDefinition).
      - Required for the first revision of a family.
      - "See U(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)."
    type: list
    elements: dict
  volumes:
    description:
      - The volumes that the containers can mount, each with the members of C(Volume).
      - "See U(https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Volume.html)."
    type: list
    elements: dict
  cpu:
    description: CPU units of the task, as a number (V(256)) or as V(1 vCPU). Required on Fargate.
    type: str
  memory:
    description: Memory of the task, in MiB (V(512)) or as V(2 GB). Required on Fargate.
    type: str
  network_mode:
    description:
      - The network mode of the containers, V(awsvpc), V(bridge), V(host) or V(none).
      - AWS defaults to V(bridge), except on Windows.
    type: str
  requires_compatibilities:
    description:
      - The launch types that AWS validates the task definition for, of V(EC2), V(FARGATE), V(EXTERNAL) and
        V(MANAGED_INSTANCES).
    type: list
    elements: str
  execution_role_arn:
    description: The role that lets ECS pull images, write logs and read secrets.
    type: str
  task_role_arn:
    description: The role that the containers use.
    type: str
  runtime_platform:
    description: C(cpuArchitecture) and C(operatingSystemFamily). On Fargate AWS defaults to C(X86_64) and C(LINUX).
    type: dict
  ephemeral_storage:
    description: C(sizeInGiB), from 21 to 200, of a task on Fargate.
    type: dict
  placement_constraints:
    description: Up to ten constraints, each with C(type) (V(memberOf)) and C(expression).
    type: list
    elements: dict
  proxy_configuration:
    description: The App Mesh proxy, with C(type), C(containerName) and C(properties).
    type: dict
  inference_accelerators:
    description: Elastic Inference accelerators, each with C(deviceName) and C(deviceType).
    type: list
    elements: dict
  pid_mode:
    description: The process namespace of the containers, V(host) or V(task).
    type: str
  ipc_mode:
    description: The IPC namespace of the containers, V(host), V(task) or V(none).
    type: str
  enable_fault_injection:
    description: Whether the containers may inject faults.
    type: bool
  keep_revisions:
    description:
      - How many of the newest active revisions to keep; older ones are deregistered. If omitted, all are kept.
      - Revisions that a deployment of a service or a task in the region runs are kept, too. Other references, such as
        schedules, are not read.
      - If the family has the tag C(slipway:project), revisions that a release of the project's history needs are kept,
        too, so that a rollback to it remains possible. This requires the permission C(ssm:GetParametersByPath) on the
        parameters below C(/slipway/<project>/release); without it, no revision is deregistered, and a warning says so.
    type: int
  delete:
    description:
      - Whether to delete the deregistered revisions; with O(state=absent) also those that are inactive already.
      - AWS keeps a deleted revision as long as something runs it.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - slipway.aws.boto3
  - slipway.aws.plain_values
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
notes:
  - A value that looks like a secret (by the name of its variable, option or argument, or as a password in an address)
    is shown as V(********) in the result, in the diff and in messages, followed by (changed) where it changed. It
    remains readable in AWS, so put secrets into C(secrets); the module warns of others.
  - Ansible itself shows arguments with C(-vvv) when it refuses them before the module starts, the items of a loop, and
    all arguments in the system's log unless C(no_target_syslog) is set. The module cannot mask these.
  - Tags are updated in place, without a new revision.
  - A run without changes makes one call to AWS, however many revisions the family has.
seealso:
  - module: slipway.aws.ecs_task_definition_info
"""

EXAMPLES = r"""
- name: Register the task definition of the web page
  slipway.aws.ecs_task_definition:
    family: web
    requires_compatibilities: [FARGATE]
    network_mode: awsvpc
    cpu: 256
    memory: 512
    execution_role_arn: arn:aws:iam::123456789012:role/ecs-execution
    container_definitions:
      - name: web
        image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/web:1.0
        portMappings:
          - containerPort: 8080
        environment:
          - name: GREETING
            value: Hello
        healthCheck:
          command: [CMD-SHELL, curl -f http://localhost:8080/ || exit 1]
        logConfiguration:
          logDriver: awslogs
          options:
            awslogs-group: /ecs/web
            awslogs-region: eu-central-1
            awslogs-stream-prefix: web
    tags:
      team: web
    keep_revisions: 10
  register: web

- name: Give the task more memory
  slipway.aws.ecs_task_definition:
    family: web
    memory: 2 GB

- name: Register revision 1 again
  slipway.aws.ecs_task_definition:
    definition: "{{ web.task_definition }}"

- name: Deregister revision 1
  slipway.aws.ecs_task_definition:
    family: web:1
    state: absent

- name: Delete the family
  slipway.aws.ecs_task_definition:
    family: web
    state: absent
    delete: true
"""

RETURN = r"""
task_definition:
  description:
    - The revision; in check mode the predicted one, with V(unknown) where AWS decides.
    - Its members have the names of the options, so it can be used as O(definition). Defaults of AWS are filled in, and
      sets are sorted.
  returned: O(state=present)
  type: dict
  contains:
    arn:
      description: ARN of the revision.
      type: str
      sample: arn:aws:ecs:eu-central-1:123456789012:task-definition/web:1
    family:
      description: The family.
      type: str
      sample: web
    revision:
      description: Number of the revision.
      type: int
      sample: 1
    status:
      description: Its status.
      type: str
      sample: ACTIVE
    container_definitions:
      description: The containers, in AWS's spelling.
      type: list
      elements: dict
    tags:
      description: The tags.
      type: dict
    registered_at:
      description: When it was registered.
      type: str
deregistered:
  description: ARNs of the revisions that were deregistered.
  returned: O(state=absent), or when O(keep_revisions) is given
  type: list
  elements: str
deleted:
  description: ARNs of the revisions that were deleted.
  returned: O(state=absent), or when O(keep_revisions) is given
  type: list
  elements: str
diff:
  description: Exactly the members that differ.
  returned: always
  type: dict
  contains:
    before:
      description: Their values before the run.
      type: dict
    after:
      description: Their values after the run.
      type: dict
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused) and V(throttled). These any
      module returns that calls AWS.
  returned: failure
  type: str
  sample: invalid_option
operation:
  description: The API call that failed. AWS's own code is C(error_code); its support asks for C(request_id).
  returned: when AWS answered with an error
  type: str
  sample: DescribeClusters
problems:
  description: All problems of the options, one sentence each.
  returned: when options are invalid
  type: list
  elements: str
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import TASK_DEFINITION, TASK_DEFINITION_RULES
from ansible_collections.slipway.aws.plugins.module_utils._ecs.task_definition import flow

ARGUMENT_SPEC = {
    "state": {"choices": ["present", "absent"], "default": "present"},
    "keep_revisions": {"type": "int"},
    "delete": {"type": "bool", "default": False},
    "plain_values": {"type": "list", "elements": "str"},
    **TASK_DEFINITION,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run, **TASK_DEFINITION_RULES)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_task_definition
short_description: Register, prune and remove Amazon ECS task definitions
version_added: 0.1.0
description:
  - Keeps a family's task definition as it is asked for. A new revision is registered exactly when something differs
    from the newest active revision, or from the O(revision) that is named.
  - Every member of the API is compared. What AWS fills in (such as C(essential), C(protocol) or the timings of a health
    check) makes no difference, nor does the order of what AWS treats as a set (such as C(environment)), nor a number
    that is given as text.
  - An option that is not given leaves its member as it is in the revision that is compared. An empty value takes the
    member away.
  - The names of the options are those of the API in Ansible's spelling. What is inside of them is in AWS's own
    spelling and is checked against the API's model before any call.
author: The Slipway authors (@slipway)
options:
  state:
    description:
      - V(present) registers a revision if needed.
      - V(absent) deregisters the active revisions of the family, or only the one that is named.
    type: str
    choices: [present, absent]
    default: present
  family:
    description:
      - The family; also C(family:revision) or the ARN of a revision.
      - Required, unless O(definition) or O(definition_file) has it.
    type: str
    aliases: [name]
  revision:
    description: The revision to compare with, instead of the newest active one; with O(state=absent) the one to remove.
    type: int
  definition:
    description:
      - A whole task definition in AWS's own spelling, as C(aws ecs describe-task-definition) prints it or as this
        module returns it. What only AWS writes, such as the ARN, is ignored.
      - It is a whole one. A member that it does not name is not in the new revision. Other options override it.
    type: dict
  definition_file:
    description: Path of a JSON or YAML file that holds what O(definition) may hold.
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
      - AWS takes V(bridge) when none is given, except on Windows.
    type: str
  requires_compatibilities:
    description:
      - What AWS checks the task definition against, of V(EC2), V(FARGATE), V(EXTERNAL) and V(MANAGED_INSTANCES).
    type: list
    elements: str
  execution_role_arn:
    description: The role that lets ECS pull images, write logs and read secrets.
    type: str
  task_role_arn:
    description: The role of the containers themselves.
    type: str
  runtime_platform:
    description: C(cpuArchitecture) and C(operatingSystemFamily). On Fargate AWS takes C(X86_64) and C(LINUX).
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
    description: Whether the containers may ask for faults to be injected.
    type: bool
  keep_revisions:
    description:
      - Deregister all active revisions but this many of the newest.
      - A revision that a service, in any of its deployments, or a task in the region runs is kept besides. Who else
        names a revision, such as a schedule, is not looked for.
      - Nothing is deregistered when this is not given.
    type: int
  delete:
    description:
      - Delete what is deregistered. With O(state=absent) revisions that are inactive already are deleted too.
      - AWS keeps a deleted revision as long as something runs it.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
notes:
  - A value that looks like a secret (by the name of its variable, option or argument, or as a password in an address)
    is shown as V(********) in the result, in the diff and in messages, followed by (changed) where it changed. It can
    be read in AWS all the same, so put secrets into C(secrets); the module warns of others.
  - Ansible itself shows arguments with C(-vvv) when it refuses them before the module starts, the items of a loop, and
    all arguments in the system's log unless C(no_target_syslog) is set. These the module cannot mask.
  - Tags are changed in place, without a new revision.
  - A second run makes one call to AWS, however many revisions the family has.
seealso:
  - module: slipway.aws.ecs_task_definition_info
"""

EXAMPLES = r"""
- name: The task definition of the web page is registered
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

- name: The task gets more memory, all else stays as it is
  slipway.aws.ecs_task_definition:
    family: web
    memory: 2 GB

- name: What revision 1 says is what the next deployment runs
  slipway.aws.ecs_task_definition:
    definition: "{{ web.task_definition }}"

- name: Revision 1 is gone
  slipway.aws.ecs_task_definition:
    family: web:1
    state: absent

- name: The family is gone for good
  slipway.aws.ecs_task_definition:
    family: web
    state: absent
    delete: true
"""

RETURN = r"""
task_definition:
  description:
    - The revision, with O(state=present). In check mode the one that would be, V(unknown) where AWS decides.
    - Its members have the names of the options, so it can be given back as O(definition). What AWS fills in is there,
      and what AWS treats as a set is sorted.
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
      description: The containers, in AWS's own spelling.
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
      description: What they were.
      type: dict
    after:
      description: What they are now.
      type: dict
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(no_connection), V(no_credentials), V(not_found), V(refused) and V(throttled). These any module returns that
      calls AWS.
  returned: failure
  type: str
  sample: invalid_option
operation:
  description: The API call that failed. AWS's own code is C(error_code); its support asks for C(request_id).
  returned: when AWS answered with an error
  type: str
  sample: DescribeClusters
problems:
  description: Everything that is wrong with the options, one sentence each.
  returned: when options are wrong
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
    **TASK_DEFINITION,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run, **TASK_DEFINITION_RULES)


if __name__ == "__main__":
    main()

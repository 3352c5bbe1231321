#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service
version_added: 0.1.0
short_description: Make, change, watch and delete a service of Amazon ECS
description:
  - Makes a service be as described, changes what differs, and waits until what it changed really runs.
  - An option that is left out is left alone, O(desired_count) too, so autoscaling keeps what it set.
  - >-
    Options at the top are named as the API's members in snake case. What is inside them has AWS's own spelling and is
    checked against the installed botocore before any call, so a member that a newer botocore knows works at once.
  - Members that are left out inside an option have AWS's default, and are set back to it.
author: The Slipway authors (@slipway)
options:
  name:
    description: Name of the service.
    type: str
    required: true
    aliases: [service, service_name]
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  state:
    description:
      - With V(present) the service exists as described.
      - With V(absent) it is scaled to nothing, deleted, and drained.
    type: str
    choices: [present, absent]
    default: present
  task_definition:
    description:
      - What the tasks run, as a family, V(family:revision) or an ARN. A family stands for its latest active revision.
      - Needed to make a service, unless its deployment controller is V(EXTERNAL).
    type: str
  desired_count:
    description:
      - How many tasks to run.
      - Left out, an existing service keeps its count and a new one gets V(1).
    type: int
  launch_type:
    description:
      - What the tasks run on.
      - AWS cannot change it in place, except back from O(capacity_provider_strategy). To move an existing service to
        other capacity, use O(capacity_provider_strategy).
    type: str
    choices: [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]
  capacity_provider_strategy:
    description:
      - The capacity providers that the tasks are spread over, as C(capacityProvider), C(weight) and C(base).
      - A change of it starts a new deployment. An empty list leads back to the launch type.
    type: list
    elements: dict
  platform_version:
    description: Version of the Fargate platform, such as V(1.4.0) or V(LATEST).
    type: str
  deployment_configuration:
    description:
      - How a new deployment replaces the old one, as C(strategy), C(maximumPercent), C(minimumHealthyPercent),
        C(deploymentCircuitBreaker), C(alarms), C(bakeTimeInMinutes), C(lifecycleHooks), C(linearConfiguration),
        C(canaryConfiguration) and C(earlySuccessCriteria).
      - The strategy is V(ROLLING), V(BLUE_GREEN), V(LINEAR) or V(CANARY).
      - Percentages default to 200 and 100, for daemons to 100 and 0.
    type: dict
  deployment_controller:
    description: Who deploys, with C(type) being V(ECS), V(CODE_DEPLOY) or V(EXTERNAL).
    type: dict
  force_new_deployment:
    description:
      - Start a new deployment even if nothing differs, for instance to pull a tag again.
      - The task is then changed at every run.
    type: bool
    default: false
  availability_zone_rebalancing:
    description: Whether AWS moves tasks so that they are spread evenly over the zones.
    type: str
    choices: [ENABLED, DISABLED]
  network_configuration:
    description:
      - Where tasks of network mode C(awsvpc) live, as C(awsvpcConfiguration) with C(subnets), C(securityGroups) and
        C(assignPublicIp).
      - Security groups that are left out are left alone.
    type: dict
  load_balancers:
    description:
      - The target groups that tasks are registered in, each with C(targetGroupArn), C(containerName) and
        C(containerPort), and C(advancedConfiguration) for the strategies that shift traffic.
    type: list
    elements: dict
  health_check_grace_period_seconds:
    description: For how long after its start a task may fail health checks.
    type: int
  service_registries:
    description: Registries of AWS Cloud Map, as C(registryArn), C(port), C(containerName) and C(containerPort).
    type: list
    elements: dict
  service_connect_configuration:
    description: Service Connect, as C(enabled), C(namespace), C(services), C(logConfiguration) and so on.
    type: dict
  volume_configurations:
    description: Volumes that are made when a task is launched, as C(name) and C(managedEBSVolume).
    type: list
    elements: dict
  vpc_lattice_configurations:
    description: Target groups of VPC Lattice, as C(roleArn), C(targetGroupArn) and C(portName).
    type: list
    elements: dict
  placement_constraints:
    description: Which container instances may run tasks, as C(type) and C(expression).
    type: list
    elements: dict
  placement_strategy:
    description: How to choose among them, as C(type) and C(field). The order matters.
    type: list
    elements: dict
  scheduling_strategy:
    description: V(REPLICA) runs a number of tasks, V(DAEMON) one on each container instance. Cannot change in place.
    type: str
    choices: [REPLICA, DAEMON]
  role:
    description:
      - Role by which ECS calls the load balancer, by name or ARN, for tasks without network mode C(awsvpc).
      - Cannot change in place. Without it ECS uses its service-linked role.
    type: str
  enable_execute_command:
    description: Whether C(aws ecs execute-command) works on the tasks.
    type: bool
  enable_ecs_managed_tags:
    description: Whether AWS tags the tasks with cluster and service.
    type: bool
  propagate_tags:
    description: Whose tags the tasks get.
    type: str
    choices: [TASK_DEFINITION, SERVICE, NONE]
  monitoring:
    description:
      - How often AWS measures, as C(metricConfigurations) with C(metricNames) and C(resolutionSeconds).
      - AWS shows it only at the service's revisions.
    type: dict
  client_token:
    description:
      - Idempotency token of C(CreateService), up to 36 characters. Requests with the same token create
        one service.
      - By default, it is derived from the request, so that a rerun sends the same token.
    type: str
  recreate:
    description:
      - Whether to delete the service and make it anew where AWS cannot change it in place.
      - What was not asked for is taken from the old one. The service is interrupted.
      - If AWS then refuses the new one, RV(request) has all that it was to be. A run that is killed after the deletion
        cannot tell it, and the next run knows only what is asked for. So ask for what matters, O(desired_count) too.
    type: bool
    default: false
  force:
    description: With O(state=absent), delete the service without scaling it to nothing before.
    type: bool
    default: false
  wait:
    description:
      - Whether to follow the deployment that was started until it has ended.
      - Without a change, one that still runs is followed.
      - With O(state=absent), whether to wait for the last task to stop.
    type: bool
    default: true
  wait_timeout:
    description: For how long to wait at most, in seconds.
    type: int
    default: 600
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
notes:
  - A rollout that fails is a failed task, and its message tells which tasks failed, with exit codes, reasons and the
    last lines of their logs, which targets are unhealthy, what the service's events say, and what to do.
  - RV(code) lists the codes of all failures.
  - The values of secrets are never read. The lines of logs are what the containers wrote. One that writes a secret
    into its log shows it here too; C(no_log) with the task hides the message with it.
  - >-
    Needs C(ecs:DescribeServices), C(ecs:CreateService), C(ecs:UpdateService), C(ecs:DeleteService),
    C(ecs:TagResource), C(ecs:UntagResource), C(ecs:DescribeTaskDefinition) and C(iam:PassRole), for O(monitoring)
    C(ecs:DescribeServiceRevisions). To wait and to explain it also uses C(ecs:ListServiceDeployments),
    C(ecs:DescribeServiceDeployments), C(ecs:ListTasks), C(ecs:DescribeTasks),
    C(elasticloadbalancing:DescribeTargetHealth), C(elasticloadbalancing:DescribeTargetGroups) and
    C(logs:GetLogEvents), and says what it could not read. Logs are read in the region that they are written to.
seealso:
  - module: slipway.aws.ecs_service_info
  - module: slipway.aws.ecs_task_definition
  - module: slipway.aws.ecs_cluster
"""

EXAMPLES = r"""
- name: The web service runs the latest revision behind its load balancer
  slipway.aws.ecs_service:
    cluster: shop
    name: web
    task_definition: web
    desired_count: 2
    launch_type: FARGATE
    network_configuration:
      awsvpcConfiguration:
        subnets: [subnet-0123456789abcdef0, subnet-0fedcba9876543210]
        securityGroups: [sg-0123456789abcdef0]
    load_balancers:
      - targetGroupArn: arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef
        containerName: web
        containerPort: 8080
    deployment_configuration:
      deploymentCircuitBreaker: {enable: true, rollback: true}
    tags:
      team: shop

- name: A new revision is rolled out, and nothing else is touched
  slipway.aws.ecs_service:
    cluster: shop
    name: web
    task_definition: web:42
    wait_timeout: 900

- name: The service shifts traffic to a new revision in two steps
  slipway.aws.ecs_service:
    cluster: shop
    name: web
    deployment_configuration:
      strategy: CANARY
      bakeTimeInMinutes: 5
      canaryConfiguration: {canaryPercent: 10, canaryBakeTimeInMinutes: 10}
      alarms: {alarmNames: [web-5xx], enable: true, rollback: true}

- name: The service runs on Spot capacity
  slipway.aws.ecs_service:
    cluster: shop
    name: web
    capacity_provider_strategy:
      - {capacityProvider: FARGATE, base: 1, weight: 1}
      - {capacityProvider: FARGATE_SPOT, weight: 3}

- name: The service is gone
  slipway.aws.ecs_service:
    cluster: shop
    name: web
    state: absent
"""

RETURN = r"""
service:
  description:
    - The service as AWS describes it, top-level members in snake case, tags as a dictionary, the ten latest events.
    - In check mode what it would be, under the same keys.
  type: dict
  returned: when there is one
  contains:
    service_arn:
      description: ARN of the service.
      type: str
    service_name:
      description: Name of the service.
      type: str
    status:
      description: V(ACTIVE), V(DRAINING) or V(INACTIVE).
      type: str
    task_definition:
      description: ARN of the task definition.
      type: str
    desired_count:
      description: How many tasks should run.
      type: int
    running_count:
      description: How many tasks run.
      type: int
    deployments:
      description: What is being rolled out, and what is being replaced.
      type: list
      elements: dict
    tags:
      description: Tags of the service.
      type: dict
code:
  description:
    - What went wrong, as a word that never changes. The first eight are those of a rollout.
    - V(rolled_back), AWS took the service back to what ran before.
    - V(rollback_failed), AWS tried to take the service back, and that failed too.
    - V(deployment_failed), AWS gave the deployment up and left the service as it is.
    - V(deployment_stopped), somebody stopped the deployment.
    - V(superseded), a later deployment of the same service took over.
    - V(tasks_failing), no circuit breaker ends it and no task works, while ECS goes on starting new ones.
    - V(health_check_failing), no new task passes its health checks, after the grace period of the service. An answer
      that waiting does not change, such as 404, counts as soon as the targets are unhealthy; a program that may still
      start gets three times as many checks.
    - V(timeout), the time to wait is over.
    - V(service_gone), the service was deleted while its rollout was watched.
    - V(immutable), AWS cannot change an option in place; nothing was changed.
    - V(access_denied), AWS does not allow the call that is named.
    - V(bad_answer), an answer cannot be read, or leaves out what was asked for.
    - V(aws_error), AWS answered with a fault of its own.
    - V(conflict), something else is being done to the service, or another client created it meanwhile.
    - V(invalid_option), an option cannot be right; nothing was changed.
    - V(limit_exceeded), a quota is used up.
    - V(no_connection), AWS cannot be reached.
    - V(no_credentials), there are no usable credentials.
    - V(not_found), the cluster or the task definition does not exist.
    - V(refused), AWS refuses the request for what it says.
    - V(throttled), AWS was asked too often, even after ten tries.
  type: str
  returned: failure
failure:
  description: Why a rollout failed.
  type: dict
  returned: when a rollout failed
  contains:
    code:
      description: The same as RV(code).
      type: str
    summary:
      description: What happened, in a sentence.
      type: str
    causes:
      description: Well-known causes that were recognised, such as V(image_missing) or V(out_of_memory).
      type: list
      elements: str
    advice:
      description: What to do about each cause.
      type: list
      elements: str
    tasks:
      description: Up to three failed tasks, with stopped reason, and exit code, reason, health and log of containers.
      type: list
      elements: dict
    failed_task_count:
      description: How many tasks failed.
      type: int
    targets:
      description: Targets of load balancers that are not healthy, with the reason and what their target group checks.
      type: list
      elements: dict
    events:
      description: The latest events of the service.
      type: list
      elements: str
    unread:
      description: What could not be read, for want of rights.
      type: list
      elements: str
request:
  description: The new service as it was to be, as CreateService takes it.
  type: dict
  returned: when the old service is deleted, for O(recreate=true), and the new one could not be made
immutable:
  description: The options that AWS cannot change in place.
  type: list
  elements: str
  returned: when RV(code) is V(immutable)
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SERVICE
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service import flow

ARGUMENT_SPEC = {
    "name": {"type": "str", "required": True, "aliases": ["service", "service_name"]},
    "cluster": {"type": "str", "default": "default"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "client_token": {"type": "str", "no_log": False},
    "recreate": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
    **SERVICE,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()

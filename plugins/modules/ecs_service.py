#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service
version_added: 0.1.0
short_description: Create, update and delete an Amazon ECS service, and wait until it is stable
description:
  - Creates or updates an ECS service and waits until it is stable. If its rollout fails, the task fails and says why.
  - Omitted options are left as they are, including O(desired_count), so that autoscaling keeps its value.
  - >-
    Top-level options are named like the members of the API, in snake case. Members inside them have the spelling of AWS
    and are validated against the installed botocore before any call, so members of a newer botocore work at once.
  - Members that are omitted inside an option have the default of AWS, and are reset to it.
author: The Slipway authors (@slipway)
options:
  name:
    description: Name of the service. Required, unless O(definition) or O(definition_file) contains it.
    type: str
    aliases: [service, service_name]
  cluster:
    description: Name or ARN of the cluster. By default the one of the definition, otherwise V(default).
    type: str
  state:
    description:
      - With V(present), the service is created or updated.
      - With V(absent), it is scaled to zero, deleted and drained.
    type: str
    choices: [present, absent]
    default: present
  definition:
    description:
      - A service in AWS's spelling, as a request of C(CreateService), as C(aws ecs describe-services) prints it, or as
        RV(service). Members that only AWS writes, such as the ARN, are ignored.
      - Its members stand for the options of the same names; options that are given override them. Members that it omits
        are left as they are. A service that AWS scales should omit C(desiredCount).
    type: dict
    version_added: 0.2.0
  definition_file:
    description: Path of a JSON or YAML file with a O(definition).
    type: path
    version_added: 0.2.0
  task_definition:
    description:
      - What the tasks run, as a family, V(family:revision) or an ARN. A family stands for its latest active revision.
      - Required to create a service, unless its deployment controller is V(EXTERNAL).
    type: str
  desired_count:
    description:
      - How many tasks to run.
      - If omitted, an existing service keeps its count and a new one gets V(1).
    type: int
  launch_type:
    description:
      - The capacity that the tasks run on.
      - AWS cannot change it in place, except back from O(capacity_provider_strategy). To move an existing service to
        other capacity, use O(capacity_provider_strategy).
    type: str
    choices: [EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]
  capacity_provider_strategy:
    description:
      - The capacity providers of the tasks, each with C(capacityProvider), C(weight) and C(base).
      - A change starts a new deployment. An empty list switches back to the launch type.
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
    description: The deployment controller, with the C(type) V(ECS), V(CODE_DEPLOY) or V(EXTERNAL).
    type: dict
  force_new_deployment:
    description:
      - Whether to start a new deployment even if nothing differs, for example to pull an image tag again.
      - The task then reports a change in every run.
    type: bool
    default: false
  availability_zone_rebalancing:
    description: Whether AWS moves tasks to keep them evenly spread over the availability zones.
    type: str
    choices: [ENABLED, DISABLED]
  network_configuration:
    description:
      - The network of tasks with network mode C(awsvpc), as C(awsvpcConfiguration) with C(subnets), C(securityGroups)
        and C(assignPublicIp).
      - Omitted security groups are left as they are.
    type: dict
  load_balancers:
    description:
      - The target groups that tasks are registered in, each with C(targetGroupArn), C(containerName) and
        C(containerPort), and C(advancedConfiguration) for the strategies that shift traffic.
    type: list
    elements: dict
  health_check_grace_period_seconds:
    description: How many seconds after its start a task may fail health checks.
    type: int
  service_registries:
    description: Registries of AWS Cloud Map, each with C(registryArn), C(port), C(containerName) and C(containerPort).
    type: list
    elements: dict
  service_connect_configuration:
    description: Service Connect, with C(enabled), C(namespace), C(services), C(logConfiguration) and so on.
    type: dict
  volume_configurations:
    description: Volumes that are created for each task, each with C(name) and C(managedEBSVolume).
    type: list
    elements: dict
  vpc_lattice_configurations:
    description: Target groups of VPC Lattice, each with C(roleArn), C(targetGroupArn) and C(portName).
    type: list
    elements: dict
  placement_constraints:
    description: The container instances that may run tasks, each with C(type) and C(expression).
    type: list
    elements: dict
  placement_strategy:
    description: How to choose a container instance, each with C(type) and C(field). The order matters.
    type: list
    elements: dict
  scheduling_strategy:
    description: V(REPLICA) runs O(desired_count) tasks, V(DAEMON) one per container instance. Cannot change in place.
    type: str
    choices: [REPLICA, DAEMON]
  role:
    description:
      - Name or ARN of the role with which ECS calls the load balancer, for tasks without network mode C(awsvpc).
      - Cannot change in place. By default, ECS uses its service-linked role.
    type: str
  enable_execute_command:
    description: Whether C(aws ecs execute-command) works on the tasks.
    type: bool
  enable_ecs_managed_tags:
    description: Whether AWS tags the tasks with their cluster and service.
    type: bool
  propagate_tags:
    description: Where the tags of the tasks are copied from.
    type: str
    choices: [TASK_DEFINITION, SERVICE, NONE]
  monitoring:
    description:
      - Resolution of metrics, as C(metricConfigurations) with C(metricNames) and C(resolutionSeconds).
      - AWS returns it only with the revisions of the service.
    type: dict
  client_token:
    description:
      - Idempotency token of C(CreateService), up to 36 characters. Requests with the same token create
        one service.
      - By default, it is derived from the request, so that a rerun sends the same token.
    type: str
  recreate:
    description:
      - Whether to delete and create the service again if AWS cannot change it in place. This interrupts the service.
      - Omitted options are taken from the old service.
      - If AWS rejects the new service, RV(request) contains its complete settings. If the run is killed after the
        deletion, they are lost, and the next run uses only the given options. So set all options that matter, including
        O(desired_count).
    type: bool
    default: false
  force:
    description: With O(state=absent), whether to delete the service without scaling it to zero first.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the service is stable.
      - If nothing changes, a deployment that is still in progress is waited for.
      - With O(state=absent), whether to wait until the last task has stopped.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds to wait at most.
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
  - If a rollout fails, the message contains the failed tasks with exit codes, reasons and the last lines of their logs,
    unhealthy targets, events of the service, and what to do.
  - The values of secrets are never read. Log lines are returned as the containers wrote them, including any secrets in
    them; set C(no_log) for the task to hide the message.
  - >-
    Requires C(ecs:DescribeServices), C(ecs:CreateService), C(ecs:UpdateService), C(ecs:DeleteService),
    C(ecs:TagResource), C(ecs:UntagResource), C(ecs:DescribeTaskDefinition) and C(iam:PassRole), and for O(monitoring)
    C(ecs:DescribeServiceRevisions). To wait and to explain failures it uses C(ecs:ListServiceDeployments),
    C(ecs:DescribeServiceDeployments), C(ecs:ListTasks), C(ecs:DescribeTasks),
    C(elasticloadbalancing:DescribeTargetHealth), C(elasticloadbalancing:DescribeTargetGroups) and
    C(logs:GetLogEvents), and names what it could not read. Logs are read in the region that they are written to.
seealso:
  - module: slipway.aws.ecs_service_info
  - module: slipway.aws.ecs_task_definition
  - module: slipway.aws.ecs_cluster
"""

EXAMPLES = r"""
- name: Run the latest revision behind a load balancer
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

- name: Roll out a new revision and change nothing else
  slipway.aws.ecs_service:
    cluster: shop
    name: web
    task_definition: web:42
    wait_timeout: 900

- name: Shift traffic to a new revision in two steps
  slipway.aws.ecs_service:
    cluster: shop
    name: web
    task_definition: web:43
    load_balancers:
      - targetGroupArn: arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef
        containerName: web
        containerPort: 8080
        advancedConfiguration:
          alternateTargetGroupArn: "{{ alternate_target_group }}"
          productionListenerRule: "{{ production_listener_rule }}"
          roleArn: arn:aws:iam::123456789012:role/web-traffic
    deployment_configuration:
      strategy: CANARY
      bakeTimeInMinutes: 5
      canaryConfiguration: {canaryPercent: 10, canaryBakeTimeInMinutes: 10}
      alarms: {alarmNames: [web-5xx], enable: true, rollback: true}

- name: Run the service on Spot capacity
  slipway.aws.ecs_service:
    cluster: shop
    name: web
    capacity_provider_strategy:
      - {capacityProvider: FARGATE, base: 1, weight: 1}
      - {capacityProvider: FARGATE_SPOT, weight: 3}

- name: Deploy from a definition in AWS's spelling, with another number of tasks
  slipway.aws.ecs_service:
    definition:
      cluster: shop
      serviceName: web
      taskDefinition: web:42
      desiredCount: 4
    desired_count: 1

- name: Delete the service
  slipway.aws.ecs_service:
    cluster: shop
    name: web
    state: absent
"""

RETURN = r"""
service:
  description:
    - The service as AWS returns it, with top-level members in snake case, tags as a dictionary and the latest events.
    - In check mode, the predicted service under the same keys.
  type: dict
  returned: when the service exists
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
      description: The desired number of tasks.
      type: int
    running_count:
      description: The number of running tasks.
      type: int
    deployments:
      description: The deployment that is rolled out, and those that it replaces.
      type: list
      elements: dict
    tags:
      description: Tags of the service.
      type: dict
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(code_deploy). AWS CodeDeploy deploys the service.
    - V(deployment_failed). The deployment failed and was not rolled back.
    - V(deployment_stopped). Someone stopped the deployment.
    - V(health_check_failing). No new task passes its health checks, so the deployment cannot succeed.
    - V(immutable). AWS cannot change this property of an existing resource.
    - V(rollback_failed). The deployment failed, and so did its rollback.
    - V(rolled_back). ECS rolled the service back to the previous deployment.
    - V(service_deleted). The service was deleted during its rollout.
    - V(superseded). A later deployment of the same service replaced this one.
    - V(tasks_failing). No task keeps running, and ECS continues to start new ones.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout).
      These any module returns that calls AWS.
  type: str
  returned: failure
failure:
  description:
    - Why a rollout failed.
    - Health checks fail a rollout after the service's grace period. An answer that waiting does not change, such as
      404, counts as soon as the targets are unhealthy; a program that may still start gets three times as many checks.
  type: dict
  returned: when a rollout failed
  contains:
    code:
      description: The same as RV(code).
      type: str
    summary:
      description: What happened, in one sentence.
      type: str
    causes:
      description: Recognised causes, such as V(image_missing) or V(out_of_memory).
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
      description: Unhealthy targets of load balancers, with the reason and the health check of their target group.
      type: list
      elements: dict
    events:
      description: The latest events of the service.
      type: list
      elements: str
    unread:
      description: What could not be read because permissions are missing.
      type: list
      elements: str
request:
  description: The request of CreateService for the new service.
  type: dict
  returned: when O(recreate=true) deleted the old service, but the new one could not be created
immutable:
  description: The options that AWS cannot change in place.
  type: list
  elements: str
  returned: when RV(code) is V(immutable) or V(code_deploy)
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SERVICE
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service import flow

ARGUMENT_SPEC = {
    "name": {"type": "str", "aliases": ["service", "service_name"]},
    "cluster": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "client_token": {"type": "str", "no_log": False},
    "recreate": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
    **SERVICE,
}


def main() -> None:
    run(
        ARGUMENT_SPEC,
        flow.run,
        required_one_of=[("name", "definition", "definition_file")],
        mutually_exclusive=[("definition", "definition_file")],
    )


if __name__ == "__main__":
    main()

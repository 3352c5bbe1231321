#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_status
version_added: 0.2.0
short_description: Shows what runs where
author:
  - The Slipway authors (@slipway)
description:
  - Shows the version, tasks, health, last release and addresses of each service of a project, the last and next run of
    each schedule, and the state of all of its other resources, as a table on the terminal or as JSON.
  - It reads everything once, as M(slipway.aws.project_info) does, changes nothing, and can run during a release.
  - Services that need attention come first, with the reason.
  - What could not be read is in RV(status.unknown) with the missing permission. It is never taken for absent, and
    members that depend on it are null.
  - The playbook C(slipway.aws.status) runs it.
options:
  project:
    description:
      - The name of the project.
    type: str
    required: true
  format:
    description:
      - What to print. V(table) is for people. It is as wide as the environment variable E(COLUMNS) says, else as the
        terminal, else 100 columns. V(json) prints RV(status) for programs. V(none) only returns it.
    type: str
    choices: [table, json, none]
    default: table
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
"""

EXAMPLES = r"""
- name: Show what runs where
  slipway.aws.project_status:
    project: ecs

- name: Read what runs where
  slipway.aws.project_status:
    project: ecs
    format: none
  register: project

- name: Fail if something needs attention
  ansible.builtin.assert:
    that: project.status.summary.needing_attention == 0
"""

RETURN = r"""
status:
  description: What runs where.
  returned: success
  type: dict
  contains:
    version:
      description: Version of this format. New members keep it. It grows when members are renamed or removed.
      type: int
      sample: 1
    project:
      description: The name of the project.
      type: str
      sample: ecs
    region:
      description: The region.
      type: str
      sample: ap-northeast-2
    account:
      description: The account.
      type: str
      sample: "123456789012"
    read_at:
      description: When it was read, in UTC.
      type: str
      sample: "2026-11-29T12:00:00Z"
    summary:
      description: Numbers of what follows.
      type: dict
      contains:
        services:
          description: How many services there are.
          type: int
          sample: 2
        needing_attention:
          description: How many services, schedules and other resources need attention.
          type: int
          sample: 0
        deploying:
          description: How many services are being deployed.
          type: int
          sample: 0
        resources:
          description: How many resources there are, services included.
          type: int
          sample: 40
        unknown:
          description: How many calls failed, so that something is unknown.
          type: int
          sample: 0
    services:
      description: The services. Those that need attention come first.
      type: list
      elements: dict
      contains:
        name:
          description: The name.
          type: str
          sample: workshop
        cluster:
          description: The name of the cluster.
          type: str
          sample: ecs
        arn:
          description: The ARN.
          type: str
          sample: arn:aws:ecs:ap-northeast-2:123456789012:service/ecs/workshop
        state:
          description:
            - V(stable), V(deploying), V(failing), V(stopped) if it should run no task, or V(deleting).
            - A service is V(stable) after a failed release, too, if all of its tasks run and are healthy.
          type: str
          sample: stable
        problems:
          description: What needs attention, a sentence each.
          type: list
          elements: str
          sample: ["1 of 3 tasks are running."]
        task_definition:
          description: Family and revision of the task definition that it should run.
          type: str
          sample: workshop:7
        newest_task_definition:
          description: The newest revision of that family, null if the service runs it.
          type: str
          sample: workshop:8
        images:
          description: The images of the containers. Null if they could not be read.
          type: list
          elements: dict
          contains:
            container:
              description: The name of the container.
              type: str
              sample: django
            image:
              description: The image as the task definition names it.
              type: str
              sample: 123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/workshop-django@sha256:0d4a1185...
            repository:
              description: The name of the repository.
              type: str
              sample: workshop-django
            digest:
              description: The digest that tasks run. Null if neither tasks nor task definition have it.
              type: str
              sample: sha256:0d4a1185c5c1d7f3c0c4f5c2f3ac0f6a6d1b8a7cba31e7e5b8f6d0a9c8b7a695
            tags:
              description: The tags of that digest in its repository. Of other registries, the tag in the address.
              type: list
              elements: str
              sample: [ecr1.0]
            revision:
              description:
                - The commit in git. It comes from the label C(org.opencontainers.image.revision) in the C(dockerLabels)
                  of the container, or from a tag such as V(sha-0a1b2c3), V(git-0a1b2c3) or V(0a1b2c3). Null if there is
                  neither.
              type: str
              sample: 0a1b2c3d4e5f
        tasks:
          description: Numbers of tasks.
          type: dict
          contains:
            desired:
              description: How many should run.
              type: int
              sample: 2
            running:
              description: How many run.
              type: int
              sample: 2
            pending:
              description: How many are starting.
              type: int
              sample: 0
            failed:
              description: How many of the current deployment have failed.
              type: int
              sample: 0
        health:
          description: The health of tasks.
          type: dict
          contains:
            state:
              description:
                - V(healthy), V(degraded) if some fail their health checks, V(unhealthy) if all do, V(starting) if the
                  load balancer has no result yet, V(unchecked) if nothing checks them, or V(unknown).
              type: str
              sample: healthy
            containers:
              description: Tasks by the health of their containers. Null if they could not be read.
              type: dict
              sample: {"healthy": 2}
            targets:
              description: Targets by their state in the load balancer. Null if they could not be read.
              type: dict
              sample: {"healthy": 2}
            reasons:
              description: Why targets are unhealthy, as the load balancer says.
              type: list
              elements: str
              sample: ["Health checks failed with these codes: [502]"]
        deployed_at:
          description: When the current deployment began, in UTC.
          type: str
          sample: "2026-11-29T09:00:00Z"
        deployed_seconds_ago:
          description: The same, as a number of seconds.
          type: int
          sample: 10800
        release:
          description: The last release of the service.
          type: dict
          contains:
            number:
              description:
                - Its number in the history of the project, as M(slipway.aws.project_history) shows it. Null if the
                  history has no release of the service, if something else has deployed it since, or if the history
                  could not be read.
              type: int
              sample: 12
            action:
              description: V(release) or V(rollback). Null without a number.
              type: str
              sample: release
            to:
              description: The number of the release that a rollback restored. Null otherwise.
              type: int
              sample: null
            code:
              description: The error code with which that release ended. Null otherwise.
              type: str
              sample: null
            outcome:
              description:
                - V(succeeded), V(in_progress), V(rolling_back), V(rolled_back), V(rollback_failed), V(failed),
                  V(stopped) or V(unknown), as ECS says of the last deployment.
                - If that has succeeded, the outcome of the release in the history. A release may fail, and be rolled
                  back, after each of its deployments has succeeded.
                - V(interrupted) or V(unfinished), if the release of M(slipway.aws.ecs_release) that began it has not
                  ended. Rerun that release, or roll it back.
              type: str
              sample: succeeded
            reason:
              description: What ECS says of a deployment that failed. Empty otherwise.
              type: str
              sample: ""
            started_at:
              description: When the deployment began, in UTC.
              type: str
              sample: "2026-11-29T09:00:00Z"
            ended_at:
              description: When the deployment ended, in UTC. Null while it is in progress.
              type: str
              sample: "2026-11-29T09:01:30Z"
            id:
              description: The ID of the release. Null if neither the history nor a checkpoint has it.
              type: str
              sample: 3f0a9b5c7d21
            by:
              description: Who started that release, on which host. Null if that is not known.
              type: str
              sample: me@laptop
        urls:
          description: Where load balancers forward requests to the service. Null if that could not be read.
          type: list
          elements: str
          sample: ["http://ecs-workshop-1234567890.ap-northeast-2.elb.amazonaws.com/"]
        scaling:
          description: How AWS scales the service now. Null if it does not, or if that could not be read.
          type: dict
          contains:
            min_capacity:
              description: The minimum number of tasks.
              type: int
              sample: 0
            max_capacity:
              description: The maximum number of tasks.
              type: int
              sample: 20
            queue:
              description: The SQS queue whose depth it follows. Null if it follows none.
              type: str
              sample: orders
    schedules:
      description: The schedules of tasks.
      type: list
      elements: dict
      contains:
        name:
          description: The name.
          type: str
          sample: night
        group:
          description: The name of the schedule group.
          type: str
          sample: ecs
        cluster:
          description: The name of the cluster.
          type: str
          sample: ecs
        schedule:
          description: When it runs.
          type: str
          sample: cron(0 22 * * ? *)
        timezone:
          description: The time zone of RV(status.schedules.schedule).
          type: str
          sample: Asia/Seoul
        state:
          description: V(enabled), V(disabled), or V(over) if it never runs again.
          type: str
          sample: enabled
        task_definition:
          description: Family and revision of the task definition that it runs.
          type: str
          sample: workshop:7
        next_run:
          description:
            - When it runs next, in UTC, as its expression says. Null if it does not. A rate is counted from its start,
              or its creation.
          type: str
          sample: "2026-11-29T13:00:00Z"
        last_run:
          description:
            - The newest task that it started. Null if ECS knows none, as it forgets tasks about an hour after they
              stopped.
          type: dict
          contains:
            task_arn:
              description: The ARN of the task.
              type: str
            task_definition:
              description: Family and revision of its task definition.
              type: str
              sample: workshop:7
            status:
              description: Its last status, such as V(stopped).
              type: str
              sample: stopped
            started_at:
              description: When it started, in UTC.
              type: str
              sample: "2026-11-29T11:30:00Z"
            stopped_at:
              description: When it stopped, in UTC, or null.
              type: str
              sample: "2026-11-29T11:30:41Z"
            seconds_ago:
              description: How many seconds ago it started.
              type: int
              sample: 1800
            exit_code:
              description: The exit code of the command, or null if it was not started or has not ended.
              type: int
              sample: 0
            reason:
              description: Why the task stopped, in AWS's words.
              type: str
        problems:
          description: What needs attention, a sentence each.
          type: list
          elements: str
          sample: ["The last run failed with exit code 1: Essential container in task exited."]
    resources:
      description: All other resources, without task definitions.
      type: list
      elements: dict
      contains:
        kind:
          description: What it is.
          type: str
          sample: repository
        name:
          description: The name.
          type: str
          sample: workshop-django
        id:
          description: The ID, or the ARN or name where that is the ID.
          type: str
          sample: workshop-django
        role:
          description: The role that creates it.
          type: str
          sample: ecr_registry
        state:
          description: The state as AWS calls it, in lower case. Null if this kind has none.
          type: str
          sample: active
        summary:
          description: What else there is to say, for people.
          type: str
          sample: 3 images
        needs_attention:
          description: Whether the state is that of a failure.
          type: bool
          sample: false
    unknown:
      description: What could not be read.
      type: list
      elements: dict
      contains:
        kind:
          description: What is unknown, or incomplete.
          type: str
          sample: IAM role
        role:
          description: The role that creates it.
          type: str
          sample: ecs_cluster
        action:
          description: The permission that the failed call requires.
          type: str
          sample: iam:ListRoles
        code:
          description: The error code.
          type: str
          sample: access_denied
        message:
          description: What AWS answered.
          type: str
          sample: "AWS answered ListRoles with AccessDenied: not authorized"
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: access_denied
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._project.status import flow

ARGUMENT_SPEC = {
    "project": {"type": "str", "required": True},
    "format": {"type": "str", "choices": ["table", "json", "none"], "default": "table"},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()

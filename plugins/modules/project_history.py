#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_history
version_added: 0.2.0
short_description: Shows who released what and when
author:
  - The Slipway authors (@slipway)
description:
  - Shows the releases that M(slipway.aws.ecs_release) has recorded for a project, newest first, as a table on the
    terminal or as JSON.
  - Each has a number, start, duration, outcome, who started it, the revision in git if known, and for each service
    what it ran before and after, with the digests of its images.
  - It only reads, and can run during a release.
  - The playbook C(slipway.aws.history) runs it.
options:
  project:
    description:
      - The name of the project.
    type: str
    required: true
  format:
    description:
      - What to print. V(table) is for people. It is as wide as the environment variable E(COLUMNS) says, else as the
        terminal, else 100 columns. V(json) prints RV(history) for programs. V(none) only returns it.
    type: str
    choices: [table, json, none]
    default: table
  limit:
    description:
      - How many releases the table shows at most. RV(history) has all of them.
    type: int
    default: 20
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
notes:
  - Requires the permission C(ssm:GetParametersByPath) on the parameters below C(/slipway/<project>/release).
"""

EXAMPLES = r"""
- name: Show the last releases
  slipway.aws.project_history:
    project: ecs

- name: Read the last release
  slipway.aws.project_history:
    project: ecs
    format: none
  register: project

- name: Fail if the last release did not succeed
  ansible.builtin.assert:
    that: (project.history.releases | first).outcome == 'succeeded'
"""

RETURN = r"""
history:
  description: The history.
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
    read_at:
      description: When it was read, in UTC.
      type: str
      sample: "2026-11-29T12:00:00Z"
    releases:
      description: The releases, newest first.
      type: list
      elements: dict
      contains:
        number:
          description: The number. O(slipway.aws.ecs_release#module:rollback_to) takes it.
          type: int
          sample: 12
        action:
          description: V(release) or V(rollback).
          type: str
          sample: release
        to:
          description: The release that a rollback restores. Null for others, and for the rollback of an unfinished one.
          type: int
          sample: 10
        resumes:
          description: The interrupted release that this one completes or rolls back. Null for others.
          type: int
          sample: 11
        resumed_by:
          description: The release that completes or rolls back this one. Null if there is none.
          type: int
          sample: 13
        outcome:
          description:
            - V(in_progress), V(succeeded), V(failed) if it was not rolled back, V(rolled_back), V(rollback_failed), or
              V(interrupted).
            - V(unfinished), if its run was killed, so that nobody recorded the end.
          type: str
          sample: succeeded
        code:
          description: The error code of M(slipway.aws.ecs_release). Null if there was no error.
          type: str
          sample: tasks_failing
        started_at:
          description: When it began, in UTC.
          type: str
          sample: "2026-11-29T11:00:00Z"
        ended_at:
          description: When it ended, in UTC. Null without an end.
          type: str
          sample: "2026-11-29T11:01:30Z"
        seconds:
          description: How long it took. Null without an end.
          type: float
          sample: 90.0
        renewed_at:
          description: When it was written last, in UTC. A release in progress writes four times a minute.
          type: str
          sample: "2026-11-29T11:01:30Z"
        by:
          description: ARN of whose credentials it used.
          type: str
          sample: arn:aws:iam::123456789012:user/deployer
        host:
          description: User and host that it ran on.
          type: str
          sample: me@laptop
        revision:
          description: The revision in git. Null if unknown.
          type: str
          sample: 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567
        promoted_from:
          description: The stage that ran the images before, if the release was a promotion. Null otherwise.
          type: dict
          sample: {project: shop-staging, region: eu-central-1, account: "123456789012", release: 12}
        cluster:
          description: The name of the cluster.
          type: str
          sample: ecs
        services:
          description: The services that it changed. Null if they could not be read.
          type: list
          elements: dict
          contains:
            name:
              description: The name.
              type: str
              sample: workshop
            state:
              description: How it ended, as M(slipway.aws.ecs_release) returns it.
              type: str
              sample: updated
            before:
              description: What it ran before. Null if it did not exist.
              type: dict
              contains: &version
                task_definition:
                  description: Family and revision of the task definition.
                  type: str
                  sample: workshop:7
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
                    digest:
                      description: The digest that ran. Null if unknown.
                      type: str
                      sample: sha256:0d4a1185c5c1d7f3c0c4f5c2f3ac0f6a6d1b8a7cba31e7e5b8f6d0a9c8b7a695
            after:
              description: What it ran afterwards. Null if it did not exist, or if the release has no end.
              type: dict
              contains: *version
        problem:
          description: Why the record could not be read. Null if it could.
          type: str
          sample: its record cannot be read
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
from ansible_collections.slipway.aws.plugins.module_utils._ecs.history import info

ARGUMENT_SPEC = {
    "project": {"type": "str", "required": True},
    "format": {"type": "str", "choices": ["table", "json", "none"], "default": "table"},
    "limit": {"type": "int", "default": 20},
}


def main() -> None:
    run(ARGUMENT_SPEC, info.run)


if __name__ == "__main__":
    main()

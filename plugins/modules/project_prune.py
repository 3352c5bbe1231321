#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: project_prune
version_added: 0.2.0
short_description: Deletes revisions and images that no release of the history needs
author:
  - The Slipway authors (@slipway)
description:
  - Deletes the oldest releases of the history of M(slipway.aws.ecs_release), then revisions of task definitions and
    images of a project. It deregisters revisions before it deletes them.
  - It keeps whatever a release that stays in the history needs, so that a rollback to it remains possible, and whatever
    a service or a task in the region runs.
  - It keeps the newest revision of each family, the newest image of each repository, and images that the newest
    revision of any other family names.
  - It reads everything once before it deletes. If it is interrupted, a rerun deletes the rest.
  - The playbook C(slipway.aws.prune) runs it.
options:
  project:
    description:
      - The name of the project. Only revisions and repositories with it in their tag C(slipway:project) are pruned, in
        families whose newest revision has it.
    type: str
    required: true
  keep_releases:
    description:
      - How many releases the history keeps, 10 or more.
    type: int
    default: 50
  keep_days:
    description:
      - For how many days revisions and images are kept that no release needs yet.
    type: int
    default: 7
  format:
    description:
      - What to print. V(list) has a line for each thing that is deleted or kept, with the reason. V(json) prints
        RV(deleted) and RV(kept) for programs. V(none) only returns them.
    type: str
    choices: [list, json, none]
    default: list
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
notes:
  - Nothing is deleted of a project without a history, nor while a release is in progress.
  - Images of a repository that other projects share are kept.
  - It does not know what pulls images outside Amazon ECS in this region, such as AWS Lambda or other accounts, and
    which schedules of Amazon EventBridge name a revision.
seealso:
  - module: slipway.aws.ecs_release
  - module: slipway.aws.project_history
"""

EXAMPLES = r"""
- name: Delete what no release of the history needs
  slipway.aws.project_prune:
    project: shop

- name: Keep 20 releases, and everything that is younger than 30 days
  slipway.aws.project_prune:
    project: shop
    keep_releases: 20
    keep_days: 30

- name: Find out what would be deleted
  slipway.aws.project_prune:
    project: shop
    format: none
  check_mode: true
  register: prune
"""

RETURN = r"""
deleted:
  description: What was deleted; in check mode, what would be.
  returned: success
  type: dict
  contains:
    releases:
      description: The numbers of releases that the history no longer has.
      type: list
      elements: int
      sample: [1, 2]
    task_definitions:
      description: Families and revisions of task definitions.
      type: list
      elements: str
      sample: ["web:1", "web:2"]
    images:
      description: The images.
      type: list
      elements: dict
      contains:
        repository:
          description: The name of the repository.
          type: str
          sample: shop/web
        digest:
          description: The digest.
          type: str
          sample: sha256:0d4a1185c5c1d7f3c0c4f5c2f3ac0f6a6d1b8a7cba31e7e5b8f6d0a9c8b7a695
        tags:
          description: The tags that it had.
          type: list
          elements: str
          sample: [src-0a1b2c3d4e5f6071]
        bytes:
          description: The size, with layers that other images may share.
          type: int
          sample: 52428800
    bytes:
      description: The sum of the sizes.
      type: int
      sample: 52428800
kept:
  description: What is kept of what was considered, and why.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: V(task definition), V(image), V(repository) or V(project).
      type: str
      sample: task definition
    name:
      description: Revision, image or repository.
      type: str
      sample: web:3
    reason:
      description: Why it is kept.
      type: str
      sample: release 3 needs it
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(history_unreadable). A record of the history cannot be read, so the revisions and images that this release
      needs are unknown.
    - V(access_denied), V(aws_error), V(bad_answer), V(invalid_option), V(misplaced_secret), V(no_connection),
      V(no_credentials), V(refused) and V(throttled). These any module returns that calls AWS.
  returned: failure
  type: str
  sample: access_denied
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.prune import flow

ARGUMENT_SPEC = {
    "project": {"type": "str", "required": True},
    "keep_releases": {"type": "int", "default": 50},
    "keep_days": {"type": "int", "default": 7},
    "format": {"type": "str", "choices": ["list", "json", "none"], "default": "list"},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()

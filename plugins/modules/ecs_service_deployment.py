#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service_deployment
version_added: 0.2.0
short_description: Stop or continue deployments of Amazon ECS services
author:
  - The Slipway authors (@slipway)
description:
  - Stops the deployments of services that are in progress, and rolls them back to what ran before.
  - Continues deployments that are paused at a lifecycle hook of the type C(PAUSE), or rolls them back there.
  - Services without such a deployment are left as they are.
  - The playbooks C(slipway.aws.stop) and C(slipway.aws.continue) use it.
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  services:
    description: Names of services. By default, all services of the cluster.
    type: list
    elements: str
  state:
    description:
      - V(stopped) stops deployments with C(StopServiceDeployment).
      - V(continued) continues paused deployments with C(ContinueServiceDeployment).
    type: str
    choices: [stopped, continued]
    required: true
  rollback:
    description:
      - Whether services run again what they ran before. By default, they do so with O(state=stopped) and do not with
        O(state=continued).
      - With O(state=stopped), V(false) requests the stop type C(ABORT), which leaves old and new tasks side by side.
        The API of AWS has this value, but the documentation of AWS names only C(ROLLBACK) as valid.
    type: bool
  ask_timeout:
    description:
      - Shows what is paused, and asks at the terminal whether to continue it or to roll it back, for so many seconds.
      - Without an answer, deployments stay paused, and the task fails with V(no_answer).
      - Ignored with O(state=stopped) and in check mode.
    type: int
  wait:
    description:
      - Whether to wait until stopped deployments have ended, and continued ones have ended or are paused again.
    type: bool
    default: true
  wait_timeout:
    description: How many seconds to wait. Bake times and pauses of a continued deployment are added.
    type: int
    default: 600
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
seealso:
  - module: slipway.aws.ecs_release
  - module: slipway.aws.ecs_service
"""

EXAMPLES = r"""
- name: Stop the deployment of the shop, and roll it back
  slipway.aws.ecs_service_deployment:
    cluster: shop
    services: [web]
    state: stopped

- name: Find out what is paused
  slipway.aws.ecs_service_deployment:
    cluster: shop
    state: continued
  check_mode: true
  register: paused

- name: Continue what is paused
  slipway.aws.ecs_service_deployment:
    cluster: shop
    state: continued

- name: Ask whether to continue, for ten minutes
  slipway.aws.ecs_service_deployment:
    cluster: shop
    state: continued
    ask_timeout: 600

- name: Roll back what is paused
  slipway.aws.ecs_service_deployment:
    cluster: shop
    state: continued
    rollback: true
"""

RETURN = r"""
deployments:
  description: The deployments that were in progress, as they are now.
  returned: always
  type: list
  elements: dict
  contains:
    service:
      description: The name of the service.
      type: str
      sample: web
    service_deployment_arn:
      description: The ARN of the service deployment.
      type: str
      sample: arn:aws:ecs:ap-northeast-2:123456789012:service-deployment/shop/web/KTaJ6Hbq8EXAMPLE
    status:
      description: The status, such as V(IN_PROGRESS), V(SUCCESSFUL) or V(ROLLBACK_SUCCESSFUL).
      type: str
      sample: IN_PROGRESS
    status_reason:
      description: Why it has this status, in AWS's words; empty if AWS gives no reason.
      type: str
      sample: ""
    lifecycle_stage:
      description: The lifecycle stage of a deployment that shifts traffic, else empty.
      type: str
      sample: POST_TEST_TRAFFIC_SHIFT
    production_traffic:
      description: The percentage of production traffic that the new revision gets, or null if AWS does not say it.
      type: float
      sample: 0.0
    test_traffic:
      description: The percentage of test traffic that the new revision gets, or null if AWS does not say it.
      type: float
      sample: 100.0
    paused:
      description: Where it is paused, until when and how to continue it; empty if it is not paused.
      type: str
      sample: >-
        paused at POST_TEST_TRAFFIC_SHIFT until 2026-11-30 14:02:11 UTC, when ECS rolls it back; to continue it
        (ContinueServiceDeployment), run the playbook slipway.aws.continue
    hooks:
      description: Its lifecycle hooks so far.
      type: list
      elements: dict
      contains:
        id:
          description: The ID of the hook.
          type: str
          sample: 5f0e4c2a-6f6c-4d6f-8f2f-2a4f0c9b1e11
        type:
          description: V(PAUSE) or V(AWS_LAMBDA).
          type: str
          sample: PAUSE
        status:
          description: V(AWAITING_ACTION) while it waits.
          type: str
          sample: AWAITING_ACTION
        timeout_action:
          description: What ECS does when it times out, V(ROLLBACK) or V(CONTINUE).
          type: str
          sample: ROLLBACK
        expires_at:
          description: When it times out.
          type: str
          sample: "2026-11-30T14:02:11+00:00"
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(deployment_failed). The deployment failed and was not rolled back.
    - V(no_answer). Nobody answered in time whether to continue a paused deployment, or there is no terminal.
    - V(rollback_failed). The deployment failed, and so did its rollback.
    - V(rolled_back). ECS rolled the service back to the previous deployment.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout).
      These any module returns that calls AWS.
  returned: failure
  type: str
  sample: rolled_back
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service_deployment import flow

ARGUMENT_SPEC = {
    "cluster": {"type": "str", "default": "default"},
    "services": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["stopped", "continued"], "required": True},
    "rollback": {"type": "bool"},
    "ask_timeout": {"type": "int"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 600},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()

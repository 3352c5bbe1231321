#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_service_logs
version_added: 0.2.0
short_description: Show the logs of Amazon ECS services, several at a time
author:
  - The Slipway authors (@slipway)
description:
  - Reads what the containers of services wrote to CloudWatch Logs, in the order of time, and follows it until it is
    interrupted.
  - Each line is shown at once with its time, service and container, unless C(no_log) is set. The module has to run on
    the controller for that.
  - When a service rolls out another task definition, its logs are followed, too. The module looks for that every 10
    seconds, and shows what the new containers have written meanwhile. A service that is deleted does not end it.
  - The playbook C(slipway.aws.logs) runs it.
options:
  cluster:
    description: Name or ARN of the cluster.
    type: str
    default: default
  services:
    description: Names of services. By default, all services of the cluster.
    type: list
    elements: str
  containers:
    description: Names of containers. By default, all containers.
    type: list
    elements: str
  since:
    description: How many seconds of the past to read.
    type: int
    default: 600
  filter:
    description:
      - A filter pattern of CloudWatch Logs, such as V(ERROR) or V(?ERROR ?WARN). Only lines that match are returned.
      - See U(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html).
    type: str
    default: ""
  lines:
    description: How many of the last lines to return. V(0) returns all. All of them are shown.
    type: int
    default: 1000
  follow:
    description: Whether to continue with new lines until the run is interrupted, for example by Ctrl-C.
    type: bool
    default: false
  follow_timeout:
    description: After how many seconds to end with O(follow). V(0) does not end.
    type: int
    default: 0
  format:
    description:
      - What to print. V(lines) is for people. V(json) prints RV(lines) at the end, for programs. V(none) only
        returns it.
    type: str
    choices: [lines, json, none]
    default: lines
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.reads
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
notes:
  - Only containers with the log driver C(awslogs) and the option C(awslogs-stream-prefix) can be read. The module warns
    about others.
  - Each line is shown once. Events that arrive up to 30 seconds after a later one are shown, too, out of order. The
    API does not say when it has delivered everything.
  - After Ctrl-C, C(ansible-playbook) exits with 99. If credentials expire, RV(code) is V(no_credentials).
  - Services whose containers share a log group, a prefix and a name are shown together, as V(web,worker).
  - Requires C(ecs:DescribeServices), C(ecs:DescribeTaskDefinition), C(logs:FilterLogEvents), and C(ecs:ListServices)
    without O(services).
seealso:
  - module: slipway.aws.project_status
"""

EXAMPLES = r"""
- name: Follow all services of a cluster
  slipway.aws.ecs_service_logs:
    cluster: shop
    follow: true

- name: Read the errors of the last hour
  slipway.aws.ecs_service_logs:
    cluster: shop
    services: [web]
    since: 3600
    filter: "?ERROR ?Exception"
    format: none
  register: errors

- name: Fail if there are any
  ansible.builtin.assert:
    that: errors.lines | length == 0
"""

RETURN = r"""
lines:
  description: The last lines, in the order of their times.
  returned: success
  type: list
  elements: dict
  contains:
    time:
      description: When the container wrote it, in UTC.
      type: str
      sample: "2026-11-30T08:15:30.123Z"
    service:
      description: The name of the service.
      type: str
      sample: web
    container:
      description: The name of the container.
      type: str
      sample: nginx
    task_id:
      description: The ID of the task.
      type: str
      sample: 9781c248fb1e4a13a6b94d0f0dc1f6a2
    message:
      description: The line.
      type: str
      sample: GET / HTTP/1.1 200
services:
  description: The names of the services whose logs were read.
  returned: success
  type: list
  elements: str
  sample: [web, worker]
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused), V(throttled) and V(timeout).
      These any module returns that calls AWS.
  returned: failure
  type: str
  sample: not_found
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import run
from ansible_collections.slipway.aws.plugins.module_utils._ecs.logs import flow

ARGUMENT_SPEC = {
    "cluster": {"type": "str", "default": "default"},
    "services": {"type": "list", "elements": "str"},
    "containers": {"type": "list", "elements": "str"},
    "since": {"type": "int", "default": 600},
    "filter": {"type": "str", "default": ""},
    "lines": {"type": "int", "default": 1000},
    "follow": {"type": "bool", "default": False},
    "follow_timeout": {"type": "int", "default": 0},
    "format": {"type": "str", "choices": ["lines", "json", "none"], "default": "lines"},
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_port_forward
version_added: 0.2.0
short_description: Forward a local port to a container on Amazon ECS, or through it to a host that it reaches
author:
  - The Slipway authors (@slipway)
description:
  - Listens at 127.0.0.1 and forwards each connection through a session of AWS Systems Manager Session Manager, to a
    port of the container, or of a host that the container reaches, such as a database in private subnets.
  - The host of the play has to be a container with the connection P(slipway.aws.ecs_exec#connection). Any image will
    do, as the agent of ECS Exec connects, which is in the network of the task.
  - It speaks the protocol of Session Manager itself, so that C(session-manager-plugin) need not be installed.
  - It ends with Ctrl-C, or after O(seconds). The playbook C(slipway.aws.forward) finds the container of a service.
options:
  port:
    description: The port of the container, or of O(host).
    type: int
    required: true
  host:
    description: A host that the container reaches. Without it, the port is one of the container itself.
    type: str
  local_port:
    description: The port at 127.0.0.1. 0 chooses a free one, which is shown.
    type: int
    default: 0
  seconds:
    description: Seconds after which it ends. 0 continues until Ctrl-C.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
    details: Nothing is forwarded.
  diff_mode:
    support: none
    details: Nothing is changed.
  idempotent:
    support: full
notes:
  - Requires the permissions C(ssm:StartSession) and C(ecs:DescribeTasks), see the variant V(forward) of the role
    P(slipway.aws.deployer#role).
  - AWS does not log what passes through such a session.
  - A program that ends only its half of a connection ends the whole, as with C(session-manager-plugin).
  - Amazon ECS ends a session through which nothing passes for 20 minutes.
extends_documentation_fragment:
  - slipway.aws.attributes
  - slipway.aws.attributes.action
seealso:
  - plugin: slipway.aws.ecs_exec
    plugin_type: connection
"""

EXAMPLES = r"""
- name: Forward a port to the database until Ctrl-C
  hosts: service_web[0]
  gather_facts: false
  tasks:
    - name: Forward the port
      slipway.aws.ecs_port_forward:
        local_port: 15432
        host: shop.c9akciq32.eu-central-1.rds.amazonaws.com
        port: 5432
"""

RETURN = r"""
local_port:
  description: The port at 127.0.0.1.
  returned: success, except in check mode
  type: int
  sample: 15432
connections:
  description: How many connections were forwarded.
  returned: success, except in check mode
  type: int
  sample: 3
refused:
  description: How many of them the agent could not connect.
  returned: success, except in check mode
  type: int
  sample: 0
"""

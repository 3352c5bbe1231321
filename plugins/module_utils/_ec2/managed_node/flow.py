# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ec2_managed_node does: wait until the agent of an instance is connected, and reboot it if need be."""

from __future__ import annotations

import functools

from ..._core.types import Connection, Result
from ..._core.waiting import poll
from . import api, model


def run(connection: Connection) -> Result:
    params, ssm = connection.params, connection.client("ssm")
    instance_id = params["instance_id"]
    read = functools.partial(api.read_node, ssm, instance_id)
    nodes = read()
    reboots = bool(params["reboot"]) and not model.is_online(nodes)
    if reboots and not connection.check_mode:
        api.reboot_instance(connection.client("ec2"), instance_id)
    if not (reboots and connection.check_mode):
        nodes = poll(
            read,
            model.is_online,
            timeout=params["wait_timeout"],
            waiting_for=lambda nodes: f"the SSM Agent of {instance_id} to be Online, it is {model.state(nodes)}",
        )
    return {
        "changed": reboots,
        **model.to_result(nodes),
        "session": {
            "instance_id": instance_id,
            "region": ssm.meta.region_name,
            "endpoint_url": ssm.meta.endpoint_url,
            "profile": params.get("profile") or "",
        },
    }

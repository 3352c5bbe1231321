# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module ec2_host_keys_info does: wait until the console shows the keys."""

from __future__ import annotations

import functools

from ..._core.types import Connection, Result
from ..._core.waiting import poll
from . import api, model


def run(connection: Connection) -> Result:
    instance_id = connection.params["instance_id"]
    output = poll(
        functools.partial(api.read_console, connection.client("ec2"), instance_id),
        lambda text: bool(model.host_keys(text)),
        timeout=connection.params["wait_timeout"],
        waiting_for=f"SSH host keys in the console output of {instance_id}",
    )
    return {"changed": False, "host_keys": model.host_keys(output)}

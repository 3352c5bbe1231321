# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Forwards a local port through the connection of the host, which is a container."""

from __future__ import annotations

import signal
import socket
import time
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.plugin_utils.session_forward import Watcher

LOCAL = "127.0.0.1"
SPEC: dict[str, dict[str, t.Any]] = {
    "port": {"type": "int", "required": True},
    "host": {"type": "str"},
    "local_port": {"type": "int", "default": 0},
    "seconds": {"type": "int", "default": 0},
}
Json = dict[str, t.Any]


class Stop:
    """Notices that the user or the playbook wants an end."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds if seconds else float("inf")
        self._is_asked = False

    def __enter__(self) -> Stop:
        self._handlers = {number: signal.signal(number, self._asked) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def __call__(self) -> bool:
        return self._is_asked or time.monotonic() >= self._until

    def _asked(self, _number: int, _frame: t.Any) -> None:
        self._is_asked = True


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Ansible finds the plugin by this name."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        args = self.validate_argument_spec(SPEC)[1]
        if not hasattr(self._connection, "forward"):
            name = self._connection.transport
            return {**result, "failed": True, "msg": f"Connection: expected slipway.aws.ecs_exec, got {name}."}
        if self._task.check_mode:
            return {**result, "changed": False, "skipped": True}
        try:
            listener = socket.create_server((LOCAL, args["local_port"]))
        except OSError as error:
            message = f"local_port: expected a free port of {LOCAL}, got {args['local_port']}: {error.strerror}."
            return {**result, "failed": True, "msg": f"{message} Choose another one."}
        with listener, Stop(args["seconds"]) as stop:
            local_port = listener.getsockname()[1]
            target = f"{args['host'] or (task_vars and task_vars['inventory_hostname'])}:{args['port']}"
            watcher = Watcher(
                stop,
                lambda: Display().display(f"{LOCAL}:{local_port} -> {target} (Ctrl-C ends)"),
                lambda: Display().warning(f"{target}: expected a port that answers, got none."),
            )
            tunnel = self._connection.forward(listener, args["port"], args["host"], watcher)
        return {
            **result,
            "changed": False,
            "local_port": local_port,
            "connections": tunnel.opened,
            "refused": tunnel.refused,
        }

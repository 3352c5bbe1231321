# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: ecs_exec
short_description: Runs modules and commands in containers on Amazon ECS, by ECS Exec
version_added: 0.2.0
author: The Slipway authors (@slipway)
description:
  - Runs commands in a container of a running task, and copies files. It speaks the protocol of AWS Systems Manager
    Session Manager itself, so that C(session-manager-plugin) need not be installed.
  - The inventory P(slipway.aws.ecs#inventory) lists containers as hosts, with this connection and its variables.
  - Bytes pass unchanged, and standard output, standard error and the exit status are those of the command.
  - The container needs C(sh), C(stty), C(base64), C(sed) and C(head), which Debian, Alpine and BusyBox have. Without
    Python in it, use M(ansible.builtin.raw) and M(ansible.builtin.script).
  - The task has to be started with ECS Exec, see O(slipway.aws.ecs_service#module:enable_execute_command).
  - Amazon ECS runs commands as root, whatever user the container has. C(become) to another user works with C(su), and
    with other methods that the container has, as long as they ask for no password.
options:
  cluster:
    description: The name or ARN of the cluster of the task.
    type: str
    default: default
    vars:
      - name: ecs_cluster
  task:
    description: The ARN of the task.
    type: str
    required: true
    vars:
      - name: ecs_task_arn
  container:
    description: The name of the container. Only a task of one container needs none.
    type: str
    vars:
      - name: ecs_container
  region:
    description: The region of the task.
    type: str
    aliases: [aws_region]
    env:
      - name: AWS_REGION
    vars:
      - name: ecs_region
  access_key:
    description: The AWS access key ID.
    type: str
    aliases: [aws_access_key_id, aws_access_key]
    env:
      - name: AWS_ACCESS_KEY_ID
      - name: AWS_ACCESS_KEY
    vars:
      - name: ansible_ecs_exec_access_key
  secret_key:
    description: The AWS secret access key. Rather use a profile or the environment than a variable.
    type: str
    aliases: [aws_secret_access_key, aws_secret_key]
    env:
      - name: AWS_SECRET_ACCESS_KEY
      - name: AWS_SECRET_KEY
    vars:
      - name: ansible_ecs_exec_secret_key
  profile:
    description: The AWS profile to use.
    type: str
    aliases: [aws_profile]
    env:
      - name: AWS_PROFILE
      - name: AWS_DEFAULT_PROFILE
    vars:
      - name: ansible_ecs_exec_profile
  endpoint_url:
    description: The URL of the AWS API, if it is not AWS's own.
    type: str
    aliases: [aws_endpoint_url]
    env:
      - name: AWS_URL
      - name: AWS_ENDPOINT_URL
    vars:
      - name: ansible_ecs_exec_endpoint_url
  assume_role_arn:
    description: The ARN of a role to assume first.
    type: str
    aliases: [iam_role_arn]
    vars:
      - name: ansible_ecs_exec_assume_role_arn
  connect_timeout:
    description:
      - Seconds until a session has to be ready. Meanwhile, a session that cannot start because the agent in the
        container is not connected yet is tried again.
    type: int
    default: 30
    vars:
      - name: ansible_ecs_exec_connect_timeout
  command_timeout:
    description: Seconds after which a command is interrupted and fails. 0 lets commands run as long as they want.
    type: int
    default: 1800
    vars:
      - name: ansible_ecs_exec_command_timeout
  pipelining:
    description: Modules are passed to Python in the container as its input, which needs no temporary files there.
    type: bool
    default: true
    vars:
      - name: ansible_pipelining
      - name: ansible_ecs_exec_pipelining
extends_documentation_fragment:
  - amazon.aws.boto3
  - amazon.aws.common.plugins
requirements:
  - websocket-client
notes:
  - Requires the permissions C(ecs:ExecuteCommand) and C(ecs:DescribeTasks), and C(kms:GenerateDataKey) for the key if
    the cluster encrypts sessions.
  - Amazon ECS ends a session through which nothing passes for 20 minutes. Run long commands with C(async), or let them
    print something.
  - If no session can start, or one ends, the message has a code, such as V(exec_not_enabled), V(exec_agent_stopped),
    V(container_stopped), V(not_found) or V(access_denied). See R(Troubleshooting,
    ansible_collections.slipway.aws.docsite.guide_troubleshooting).
  - If the cluster logs sessions, see O(slipway.aws.ecs_cluster#module:configuration), the log contains what passes
    through them, in base64. C(no_log) does not change that.
seealso:
  - plugin: slipway.aws.ecs
    plugin_type: inventory
"""

EXAMPLES = r"""
# Check every container of a service. ecs.yml is a file of the inventory slipway.aws.ecs.
# ansible -i ecs.yml service_web -m ansible.builtin.ping

- name: Check a file in every container of two services
  hosts: service_web:service_worker
  gather_facts: false
  tasks:
    - name: Read the version
      ansible.builtin.raw: cat /etc/app-version
      register: version
      changed_when: false

    - name: Validate the version
      ansible.builtin.assert:
        that: version.stdout | trim == ecs_version
"""

import os
import shlex
import socket
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleFileNotFound
from ansible_collections.amazon.aws.plugins.plugin_utils.connection import AWSConnectionBase

from ansible_collections.slipway.aws.plugins.module_utils._core import calls
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._ecs.execute_command import api, flow
from ansible_collections.slipway.aws.plugins.plugin_utils import session_client, session_forward, session_shell


class Connection(AWSConnectionBase):  # type: ignore[misc]  # amazon.aws has no types
    transport = "slipway.aws.ecs_exec"
    has_pipelining = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._session: session_client.Client | None = None

    def _connect(self) -> Connection:
        self._ready()
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        output: list[bytes] = []
        given = session_client.of_bytes(in_data) if in_data else None
        status, errors = self._run(cmd, given, output.append)
        return status, b"".join(output), errors

    def put_file(self, in_path: str, out_path: str) -> None:
        super().put_file(in_path, out_path)
        if not os.path.isfile(in_path):
            raise AnsibleFileNotFound(f"The file to copy: expected a file, got {in_path}, which does not exist.")
        command = f"cat > {shlex.quote(out_path)}"
        status, errors = self._run(command, session_client.of_file(in_path), lambda _data: None)
        self._require(status, f"{out_path}: expected a file that can be written", errors)

    def fetch_file(self, in_path: str, out_path: str) -> None:
        super().fetch_file(in_path, out_path)
        with open(out_path, "wb") as target:
            status, errors = self._run(f"cat {shlex.quote(in_path)}", None, target.write)
        self._require(status, f"{in_path}: expected a file that can be read", errors)

    def forward(
        self, listener: socket.socket, port: int, host: str | None, watcher: session_forward.Watcher
    ) -> session_forward.Tunnel:
        """Forward the connections of a local port until they are to stop; the session, closed, has their number."""
        self._require_websocket()
        try:
            tunnel = self._tunnel(port, host, self.get_option("connect_timeout"))
            try:
                tunnel.forward(listener, watcher)
            finally:
                tunnel.close()
        except (session_client.SessionError, SlipwayError) as error:
            raise AnsibleConnectionFailure(_message(error)) from None
        return tunnel

    def close(self) -> None:
        session, self._session, self._connected = self._session, None, False
        if session:
            session.close()

    def reset(self) -> None:
        self.close()
        self._connect()

    def _run(
        self, command: str, given: session_client.Input | None, stdout: t.Callable[[bytes], t.Any]
    ) -> tuple[int, bytes]:
        session = self._ready()
        try:
            return session.run(command, given, stdout, self.get_option("command_timeout"))
        except session_client.CommandTimeout as error:
            self.close()
            raise AnsibleError(f"{error}. Raise ansible_ecs_exec_command_timeout.") from None
        except (session_client.SessionError, SlipwayError) as error:
            self.close()
            raise AnsibleConnectionFailure(_message(error)) from None

    def _require(self, status: int, expected: str, errors: bytes) -> None:
        if status:
            raise AnsibleError(f"{expected}, got {errors.decode(errors='replace').strip() or f'status {status}'}.")

    def _ready(self) -> session_client.Client:
        """The session; one serves all commands of a task."""
        self._require_websocket()
        if not self._session:
            try:
                self._session = self._open(self.get_option("connect_timeout"))
            except (session_client.SessionError, SlipwayError) as error:
                raise AnsibleConnectionFailure(_message(error)) from None
            self._connected = True
        return self._session

    def _require_websocket(self) -> None:
        if not session_client.HAS_WEBSOCKET:
            raise AnsibleConnectionFailure("slipway.aws.ecs_exec: expected websocket-client, got none. Install it.")

    def _open(self, seconds: float) -> session_client.Client:
        marker, opener = session_client.new_marker(), self._opener()
        session = opener.open(session_shell.start(marker), seconds)
        return session_client.Client(self._access(opener, session), marker, seconds)

    def _tunnel(self, port: int, host: str | None, seconds: float) -> session_forward.Tunnel:
        opener = self._opener()
        session = opener.open_port(self._client("ssm"), port, host, seconds)
        return session_forward.Tunnel(self._access(opener, session), seconds)

    def _opener(self) -> flow.Opener:
        place = (self.get_option(name) for name in ("cluster", "task", "container"))
        return flow.Opener(self._client("ecs"), *place)

    def _access(self, opener: flow.Opener, session: api.Session) -> session_client.Access:
        def data_key(key: str, challenge: str) -> tuple[bytes, bytes]:
            return opener.data_key(self._client("kms"), session.id, key, challenge)

        return session_client.Access(session.url, session.token, opener.check, data_key)

    def _client(self, service: str) -> t.Any:
        # amazon.aws has refused a Python without it, with a message.
        from botocore.config import Config

        config = Config(**calls.settings({}))
        role = self.get_option("assume_role_arn")
        given = {"profile_name": None, **api.assume_role(self.client("sts", config=config), role)} if role else {}
        return calls.watch(self.client(service, config=config, **given))


def _message(error: Exception) -> str:
    """What went wrong, with its code for programs."""
    return f"{error} (code {error.code})" if isinstance(error, SlipwayError) else str(error)

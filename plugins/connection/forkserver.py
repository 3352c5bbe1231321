# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: forkserver
short_description: Runs modules on the controller faster, in forks of one process
version_added: 0.2.0
author: The Slipway authors (@slipway)
description:
  - A replacement of P(ansible.builtin.local#connection) for C(localhost). The first task of a run starts a server
    process, which imports boto3 and other libraries and compiles Ansible's files once. Each module then runs in a fork
    of it, which saves most of the time that a module takes to start.
  - A module's result, output, exit status, variables, working directory and check mode are the same as with
    P(ansible.builtin.local#connection). Modules share nothing that one of them changes.
  - Ansible packs each module with the files that it imports, once a run. The packed modules of ansible-core and of the
    collections that this one uses are kept in C(slipway/modules) in Ansible's home directory, which only its user can
    read, for later runs with the same files. It may be deleted at any time.
  - All workers of a run share the server. It listens on a socket in the run's private temporary directory, and it ends
    with the run, also if the run is killed.
  - Some modules run the usual way; those that are not written in Python, asynchronous tasks, tasks that become another
    user, tasks whose C(environment) has variables that Python reads when it starts, such as C(PYTHONPATH), and all
    tasks of hosts whose C(ansible_python_interpreter) is not the Python of the controller.
  - If the server cannot start, Ansible prints one warning, and all modules run the usual way.
options:
  enabled:
    description: Whether modules run in forks of the server. Otherwise each starts a Python of its own.
    type: bool
    default: true
    vars:
      - name: slipway_forkserver
  become_success_timeout:
    description: See P(ansible.builtin.local#connection).
    type: int
    default: 10
    vars:
      - name: ansible_local_become_success_timeout
  become_strip_preamble:
    description: See P(ansible.builtin.local#connection).
    type: bool
    default: true
    vars:
      - name: ansible_local_become_strip_preamble
extends_documentation_fragment:
  - connection_pipelining
notes:
  - The server requires Linux. On other systems, modules run the usual way.
  - An upgrade of a Python library by a task is noticed; the next module starts another server.
  - With C(-vvv), Ansible shows which modules run the usual way.
seealso:
  - plugin: ansible.builtin.local
    plugin_type: connection
"""

EXAMPLES = r"""
# inventory/hosts.yml
all:
  hosts:
    localhost:
      ansible_connection: slipway.aws.forkserver
      ansible_python_interpreter: "{{ ansible_playbook_python }}"

# Run modules the usual way once:
# ansible-playbook site.yml -e slipway_forkserver=false
"""

import os
import typing as t

from ansible import constants
from ansible.plugins.connection.local import Connection as LocalConnection
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.plugin_utils import forkserver, module_cache

display = Display()


class Connection(LocalConnection):  # type: ignore[misc]  # Ansible has no types
    """The connection local, with another way to start Python modules. Actions ask whether the transport is local."""

    def set_options(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().set_options(*args, **kwargs)
        # Ansible packs the module after this, if the task runs one.
        if self.get_option("enabled"):
            forkserver.begin(constants.DEFAULT_LOCAL_TMP, os.getcwd())
            module_cache.begin(constants.DEFAULT_LOCAL_TMP, constants.ANSIBLE_HOME)

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        done = None
        if self.get_option("enabled"):
            module_cache.add(constants.DEFAULT_LOCAL_TMP)
            done = self._in_fork(cmd, in_data)
        if not done:
            return self._as_usual(cmd, in_data, sudoable)
        status, stdout, stderr = done
        if status == forkserver.UNKNOWN:
            return 1, stdout, stderr + b"The exit status of the module is unknown.\n"
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return code, stdout, stderr
        code, _stdout, message = self._as_usual(forkserver.killed(cmd, -code), None, sudoable)
        return code, stdout, stderr + message

    def _as_usual(self, command: str, in_data: bytes | None, sudoable: bool) -> tuple[int, bytes, bytes]:
        done = super().exec_command(command, in_data=in_data, sudoable=sudoable)
        return t.cast("tuple[int, bytes, bytes]", done)

    def _in_fork(self, command: str, in_data: bytes | None) -> tuple[int, bytes, bytes] | None:
        """The module's wait status and output; none if it has to run the usual way."""
        directory, host = constants.DEFAULT_LOCAL_TMP, self._play_context.remote_addr
        request = forkserver.request(command, in_data, os.fsdecode(self.cwd or os.getcwd()))
        if not request or forkserver.failed(directory):
            return None
        if not self._connected:
            self._connect()
        display.vvv(f"EXEC in a fork {command}", host=host)
        try:
            done = forkserver.run(request, directory)
        except forkserver.CannotStart as error:
            if forkserver.first_failure(directory):
                display.warning(
                    f"Modules run the usual way, because the server of slipway.aws.forkserver cannot start: {error}"
                )
            return None
        if not done:
            display.vvv("The module requires its own process", host=host)
        return done

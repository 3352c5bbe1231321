# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ansible-playbook in forks of one process, which has imported Ansible and the collection's plugins.

A fork has the command line, the environment, the folder and the outputs of its request, and a temporary directory of
its own. It keeps nothing of an earlier play: each is a fork of the same process, which runs none itself.
Started by plays.py, which describes each play in a line on the standard input and reads its exit status.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

# It prepares Ansible for all that follows.
from ansible.cli import playbook  # isort: split

import compiled_templates
import forks
from ansible import constants
from ansible.plugins import loader
from ansible.utils.path import cleanup_tmp_file

ROOT = Path(__file__).resolve().parent.parent
COLLECTION = "ansible_collections.slipway.aws"
BUILTIN = (
    *("assert", "copy", "debug", "fail", "include_vars", "normal", "set_fact", "template"),
    "validate_argument_spec",
)


def preload() -> None:
    """Import what most plays use, by the names under which Ansible imports it."""
    loader.init_plugin_loader()
    for kind in (loader.become_loader, loader.callback_loader, loader.connection_loader, loader.shell_loader):
        list(kind.all(class_only=True))
    for kind in (loader.cache_loader, loader.inventory_loader, loader.strategy_loader):
        list(kind.all(class_only=True))
    names = [f"ansible.builtin.{name}" for name in BUILTIN]
    for name in [*names, *(f"slipway.aws.{path.stem}" for path in (ROOT / "plugins/action").glob("[a-z]*.py"))]:
        loader.action_loader.get(name, class_only=True)
    for name in ("ansible.builtin.default", "slipway.aws.plan", "slipway.aws.steps"):
        loader.callback_loader.get(name, class_only=True)
    importlib.import_module(f"{COLLECTION}.plugins.plugin_utils.preload")._load(True)


def prepare_modules() -> subprocess.Popen[bytes]:
    """Start the process that becomes the server of the connection forkserver, see module_server.py."""
    forkserver = importlib.import_module(f"{COLLECTION}.plugins.plugin_utils.forkserver")
    address = f"slipway-tests-{os.getpid()}"
    command = [sys.executable, str(Path(__file__).with_name("module_server.py")), address]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdout
    server.stdout.readline()

    def begin(words: list[str], **given: Any) -> Any:
        listening, run = given["pass_fds"]
        environment = {"environment": dict(os.environ)}
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.connect(f"\0{address}")
            files = [listening, run, given["stderr"].fileno()]
            socket.send_fds(connection, [json.dumps(environment).encode()], files)
        # It has its source already.
        return types.SimpleNamespace(stdin=open(os.devnull, "wb"))

    vars(forkserver)["subprocess"] = types.SimpleNamespace(Popen=begin, PIPE=subprocess.PIPE)
    return server


def own_settings() -> None:
    """A temporary directory of its own: that of this process is deleted when this process ends."""
    atexit.unregister(cleanup_tmp_file)
    for name in ("DEFAULT_LOCAL_TMP", "DEFAULT_STDOUT_CALLBACK"):
        # The default is a template of other settings.
        setattr(constants, name, constants.config.get_config_value(name, variables=vars(constants)))


def play(request: dict[str, Any]) -> None:
    """Become ansible-playbook."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        file = os.open(request[name], os.O_RDWR)
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    own_settings()
    # The collections have been found already.
    loader._configure_collection_loader = lambda _paths: None
    sys.argv[:] = sys.orig_argv[:] = request["words"]
    playbook.main()


def serve() -> dict[str, Any] | None:
    """The request of a play, in the fork that has to run it; none at the end."""
    answers = os.fdopen(os.dup(1), "w")
    requests = os.fdopen(os.dup(0))
    while line := requests.readline():
        process = os.fork()
        if not process:
            answers.close()
            requests.close()
            return dict(json.loads(line))
        status = os.waitpid(process, 0)[1]
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()
    return None


if __name__ == "__main__":
    preload()
    modules = prepare_modules()
    templates = Path(tempfile.mkdtemp())
    compiled_templates.keep(templates)
    forks.share_memory()
    owner = os.getpid()
    with contextlib.suppress(KeyboardInterrupt):
        found = serve()
    if os.getpid() == owner:
        modules.communicate()
        shutil.rmtree(templates)
    elif found:
        with forks.ending_at_once():
            play(found)

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module in a process of its own, which can be signalled and killed. tests/races/account.py starts it."""

from __future__ import annotations

import importlib
import os
import signal
import typing as t

from ansible.module_utils.testing import patch_module_args


def run(name: str, options: dict[str, t.Any], environment: dict[str, str], output: str) -> None:
    """Run a module, with its output in a file."""
    # A shell's background jobs ignore it, and so would everything that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.environ.update(environment)
    module = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{name}")
    with patch_module_args(options):
        module.main()

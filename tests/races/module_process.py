# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module in a process of its own, which can be signalled and killed. Started with its name; options come on stdin."""

from __future__ import annotations

import importlib
import json
import signal
import sys

from ansible.module_utils.testing import patch_module_args

if __name__ == "__main__":
    # A shell's background jobs ignore it, and so would everything that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    module = importlib.import_module(f"ansible_collections.slipway.aws.plugins.modules.{sys.argv[1]}")
    with patch_module_args(json.load(sys.stdin)):
        module.main()

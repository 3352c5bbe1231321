# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module ec2_managed_node and shows what it waits for."""

from __future__ import annotations

from ansible_collections.slipway.aws.plugins.plugin_utils.waiting import WaitingAction


class ActionModule(WaitingAction):
    """Ansible finds the plugin by this name."""

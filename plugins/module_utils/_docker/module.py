# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge to Ansible of a module that asks AWS for nothing: parse the options, run a flow, exit."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .build_context import ContextError

Flow = t.Callable[[dict[str, t.Any], bool], dict[str, t.Any]]


def run(argument_spec: dict[str, t.Any], flow: Flow) -> None:
    """A module's main(); `flow` gets the options and whether it may only predict."""
    module = AnsibleModule(argument_spec=argument_spec, supports_check_mode=True)
    try:
        result = flow(module.params, module.check_mode)
    except ContextError as error:
        module.fail_json(msg=str(error), code=error.code)
    module.exit_json(**result)

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The edge to Ansible of a module that makes no request to AWS: parse the options, run a flow, exit."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from .errors import SlipwayError
from .masking import mask

Flow = t.Callable[[dict[str, t.Any], bool], dict[str, t.Any]]


def run(argument_spec: dict[str, t.Any], flow: Flow) -> None:
    """A module's main(); `flow` gets the options, and whether it only predicts. Its `warnings` become Ansible's."""
    module = AnsibleModule(argument_spec=argument_spec, supports_check_mode=True)
    try:
        result = flow(module.params, module.check_mode)
    except SlipwayError as error:
        module.fail_json(**error.result(), invocation={"module_args": mask(module.params)})
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    module.exit_json(**result, invocation={"module_args": mask(module.params)})

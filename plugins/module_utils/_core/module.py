# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The edge to Ansible: create the module, run a flow, exit."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from . import tags
from .clients import ModuleClients
from .error_codes import INVALID_OPTION
from .errors import SlipwayError
from .masking import mask
from .secret_forms import refuse_secrets, shown_options
from .types import Connection, Result

TAG_OPTIONS: dict[str, t.Any] = {
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


def run(argument_spec: dict[str, t.Any], flow: t.Callable[[Connection], Result], **constraints: t.Any) -> None:
    """A module's main(): parse the options, run `flow`, exit with its result or fail with its SlipwayError.

    `constraints` are AnsibleModule's: required_if, mutually_exclusive and the like.
    """
    module = AnsibleAWSModule(argument_spec=argument_spec, supports_check_mode=True, **constraints)
    # amazon.aws fails by itself, without a code, where a region or profile is missing or does not exist.
    module.fail_json = functools.partial(module.fail_json, code=INVALID_OPTION)
    try:
        params = _checked(module.params)
        refuse_secrets(shown_options(params, module.argument_spec), "", params.get("plain_values"))
        result = flow(Connection(ModuleClients(module), params, module.check_mode))
    except SlipwayError as error:
        _end(module, module.fail_json, error.result())
    else:
        _end(module, module.exit_json, result)


def _checked(params: dict[str, t.Any]) -> dict[str, t.Any]:
    """The options, their tags as AWS takes them. Where `tags` is a list, it names images."""
    given = {name: params.get(name) for name in ("tags", "match_tags")}
    if (params.get("wait_timeout") or 0) < 0:
        raise SlipwayError(INVALID_OPTION, f"wait_timeout: expected 0 seconds or more, got {params['wait_timeout']}.")
    text = {name: tags.checked(value, name) for name, value in given.items() if isinstance(value, dict)}
    return {**params, **text}


def _end(module: AnsibleAWSModule, leave: t.Callable[..., t.Any], result: Result) -> None:
    """Exit, with the result's `warnings` as Ansible's, and without the secrets that options and result may hold."""
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    leave(**mask(result), invocation={"module_args": mask(module.params)})

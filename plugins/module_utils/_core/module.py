# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The edge to Ansible: make the module and its client, run a flow, exit."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from .errors import INVALID_OPTION, SlipwayError

# botocore retries throttling and faults of the network with jittered backoff, and slows down by itself while AWS
# throttles; aws_config overrides this.
RETRIES = {"mode": "adaptive", "max_attempts": 10}
# As many calls as may be under way at a time.
CONNECTIONS = 32
TAG_OPTIONS: dict[str, t.Any] = {
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}

Result = dict[str, t.Any]


class Clients(t.Protocol):
    """Makes a client of an AWS service; of the connection's own region, where none is named."""

    def __call__(self, service: str, region: str = "", /) -> t.Any: ...


class Connection(t.NamedTuple):
    """What a flow gets from Ansible: `client(service)`, the options, and whether it may only predict."""

    client: Clients
    params: dict[str, t.Any]
    check_mode: bool


def run(argument_spec: dict[str, t.Any], flow: t.Callable[[Connection], Result], **constraints: t.Any) -> None:
    """A module's main(): parse the options, run `flow`, exit with its result or fail with its SlipwayError.

    `constraints` are AnsibleModule's: required_if, mutually_exclusive and the like.
    """
    module = AnsibleAWSModule(argument_spec=argument_spec, supports_check_mode=True, **constraints)
    # amazon.aws fails by itself, without a code, where a region or profile is missing or does not exist.
    module.fail_json = functools.partial(module.fail_json, code=INVALID_OPTION)
    connection = Connection(functools.partial(aws_client, module), module.params, module.check_mode)
    try:
        result = flow(connection)
    except SlipwayError as error:
        module.fail_json(**error.result())
    module.exit_json(**result)


def aws_client(module: AnsibleAWSModule, service: str, region: str = "") -> t.Any:
    """A client of `module`'s connection options that retries by itself; `region` instead of theirs, if given."""
    from botocore.config import Config

    elsewhere = {"region": region} if region else {}
    return module.client(service, config=Config(retries=RETRIES, max_pool_connections=CONNECTIONS), **elsewhere)

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clients of a module, all of one session: each session reads boto3's data on endpoints and partitions again."""

from __future__ import annotations

import threading
import typing as t

from ansible.module_utils.ansible_release import __version__
from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from . import calls

USER_AGENT = f"Ansible/{__version__} slipway.aws"


class ModuleClients:
    """Creates clients by a module's connection options, from any thread."""

    def __init__(self, module: AnsibleAWSModule, settings: t.Mapping[str, t.Any]) -> None:
        self._module = module
        self._settings = settings
        self._lock = threading.Lock()
        self._session: t.Any = None

    def __call__(self, service: str, region: str = "") -> t.Any:
        """A client that retries by itself; `region` instead of the module's, if given.

        What the user has chosen wins: the option aws_config, then AWS's variables, then its configuration file.
        """
        # boto3's sessions serve one thread at a time; their clients serve many.
        with self._lock:
            return calls.watch(self._create(service, region))

    def _create(self, service: str, region: str) -> t.Any:
        import boto3.session
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        own = Config(**self._settings)
        default_region, endpoint, options = get_aws_connection_info(self._module)
        config = Config(user_agent=USER_AGENT).merge(own)
        if chosen := options.pop("aws_config", None):
            config = config.merge(chosen)
        profile = options.pop("profile_name", None)
        try:
            self._session = self._session or boto3.session.Session(profile_name=profile)
            return self._session.client(
                service, region_name=region or default_region, endpoint_url=endpoint, config=config, **options
            )
        except (ValueError, BotoCoreError):
            # amazon.aws fails with the reason.
            return self._module.client(service, config=own, **({"region": region} if region else {}))

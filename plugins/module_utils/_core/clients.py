# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clients of a module, all of one session: each session reads boto3's data on endpoints and partitions again."""

from __future__ import annotations

import os
import threading
import typing as t

from ansible.module_utils.ansible_release import __version__
from ansible_collections.amazon.aws.plugins.module_utils.botocore import get_aws_connection_info
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from . import calls

USER_AGENT = f"Ansible/{__version__} slipway.aws"


class ModuleClients:
    """Creates clients by a module's connection options, from any thread."""

    def __init__(self, module: AnsibleAWSModule) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._session: t.Any = None
        self._settings: t.Any = None

    def __call__(self, service: str, region: str = "") -> t.Any:
        """A client that retries by itself; `region` instead of the module's, if given.

        What the user has chosen wins: the option aws_config, then AWS's variables, then its configuration file.
        """
        from botocore.exceptions import BotoCoreError

        # boto3's sessions serve one thread at a time; their clients serve many.
        with self._lock:
            try:
                if not self._session:
                    self._begin()
                client = self._create(service, region)
            except (ValueError, BotoCoreError):
                # amazon.aws fails with the reason.
                client = self._module.client(service, config=self._settings, **({"region": region} if region else {}))
        return calls.watch(client)

    def _begin(self) -> None:
        import boto3.session
        from botocore.config import Config
        from botocore.session import Session

        session = Session(profile=self._module.params.get("profile") or None)
        self._settings = Config(**calls.settings(_chosen(session)))
        self._session = boto3.session.Session(botocore_session=session)

    def _create(self, service: str, region: str) -> t.Any:
        from botocore.config import Config

        default_region, endpoint, options = get_aws_connection_info(self._module)
        # The session has it.
        options.pop("profile_name", None)
        config = Config(user_agent=USER_AGENT).merge(self._settings)
        if chosen := options.pop("aws_config", None):
            config = config.merge(chosen)
        return self._session.client(
            service, region_name=region or default_region, endpoint_url=endpoint, config=config, **options
        )


def _chosen(session: t.Any) -> dict[str, str | None]:
    """What the environment or AWS's configuration file says about retries."""
    from botocore.exceptions import BotoCoreError

    try:
        file = session.get_scoped_config()
    except BotoCoreError:  # creating the client reports it better
        file = {}
    return {name: os.environ.get(f"AWS_{name.upper()}") or file.get(name) for name in calls.NAMES}

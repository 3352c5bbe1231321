# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of the AWS services that ECS services depend on."""

from __future__ import annotations

import threading
import typing as t

from .._core.types import Clients


class Cloud:
    """Clients, each created when it is first used."""

    def __init__(self, client: Clients) -> None:
        self._client = client
        self._clients: dict[tuple[str, str], t.Any] = {}
        # Threads may share clients of boto3, but not create them at the same time.
        self._lock = threading.Lock()

    def _get(self, service: str, region: str = "") -> t.Any:
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = self._client(service, region)
            return self._clients[service, region]

    def client(self, service: str, region: str = "") -> t.Any:
        """Of any service, for what is read by a table."""
        return self._get(service, region)

    @property
    def ecs(self) -> t.Any:
        return self._get("ecs")

    @property
    def ec2(self) -> t.Any:
        return self._get("ec2")

    @property
    def elbv2(self) -> t.Any:
        return self._get("elbv2")

    @property
    def discovery(self) -> t.Any:
        return self._get("servicediscovery")

    @property
    def ecr(self) -> t.Any:
        return self._get("ecr")

    @property
    def scheduler(self) -> t.Any:
        return self._get("scheduler")

    @property
    def ssm(self) -> t.Any:
        return self._get("ssm")

    @property
    def sts(self) -> t.Any:
        return self._get("sts")

    def logs(self, region: str) -> t.Any:
        """CloudWatch Logs of a region. Containers may log to another one."""
        return self._get("logs", region)

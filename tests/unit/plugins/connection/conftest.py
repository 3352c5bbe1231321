# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An emulator with the local cloud's ExecuteCommand, whose containers are this machine."""

from __future__ import annotations

import asyncio
import sys
import typing as t
from pathlib import Path

import boto3
import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack import app as emulator
from ministack.services import cloudwatch_logs, ecs, kms, ssm

from ansible_collections.slipway.aws.plugins.module_utils._ecs.execute_command import flow
from ansible_collections.slipway.aws.plugins.plugin_utils import session_client, session_forward, session_shell
from ansible_collections.slipway.aws.tests.session_server import BadNetwork, PtyTerminal, listener, serving

FILES = Path(__file__).resolve().parents[4] / "roles/local_cloud/files"
REGION = "eu-central-1"
KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "b2f0c1d4e7a9"}
Json = dict[str, t.Any]


# Of the only instance.
INSTANCE = "i-0123456789abcdef0"


class Machines:
    """The agents of instances: that of one is connected."""

    def container(self, identity: str) -> str | None:
        return "machine" if identity == INSTANCE else None


class Cloud:
    """An account with a cluster, and the network in front of it."""

    def __init__(self, address: str, network: BadNetwork) -> None:
        self.address = address
        self.network = network
        self.ssh_port = 22
        """What port 22 of instances is on this machine."""
        self.ecs = boto3.client("ecs", endpoint_url=address, region_name=REGION, **KEYS)
        self.ecs.create_cluster(clusterName="shop")

    def start(
        self, family: str, containers: t.Iterable[str] = ("app",), is_enabled: bool = True, cluster: str = "shop"
    ) -> str:
        """Run a task; its ARN."""
        definitions = [{"name": name, "image": "web:1.4", "memory": 64} for name in containers]
        self.ecs.register_task_definition(family=family, containerDefinitions=definitions)
        task = self.ecs.run_task(cluster=cluster, taskDefinition=family, enableExecuteCommand=is_enabled)["tasks"][0]
        return str(task["taskArn"])

    def connect(self, check: t.Callable[[], None] = lambda: None, cluster: str = "shop") -> session_client.Client:
        marker = session_client.new_marker()
        opener = self.opener(cluster)
        session = opener.open(session_shell.start(marker), 60)
        kms = self.client("kms")
        access = session_client.Access(
            session.url, session.token, check, lambda key, challenge: opener.data_key(kms, session.id, key, challenge)
        )
        return session_client.Client(access, marker, 60)

    def tunnel(self, port: int, host: str | None = None) -> session_forward.Tunnel:
        session = self.opener("shop").open_port(self.client("ssm"), port, host, 60)
        access = session_client.Access(session.url, session.token, lambda: None, lambda _key, _challenge: (b"", b""))
        return session_forward.Tunnel(access, 60)

    def opener(self, cluster: str) -> flow.Opener:
        """Of sessions in a new task."""
        return flow.Opener(self.ecs, cluster, self.start("web", cluster=cluster), "app")

    def client(self, service: str) -> t.Any:
        return boto3.client(service, endpoint_url=self.address, region_name=REGION, **KEYS)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def cloud() -> t.Iterator[Cloud]:
    kept, actions, kept_ssm = dict(vars(ecs)), dict(ecs._ACTION_MAP), dict(vars(ssm))
    bound = listener()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FILES))
        import execute_command  # type: ignore[import-not-found]

        patch.setattr(execute_command.session_agent, "OVERDUE_SECONDS", 0.05)
        patch.setattr(execute_command.session_agent, "RESEND_SECONDS", 0.02)
        patch.setattr(ecs, "_get_docker", lambda: None)
        services = execute_command.Services(ecs, kms, cloudwatch_logs, ssm, Machines())
        ports = execute_command.session_ports

        async def dial(host: str, port: int) -> t.Any:
            return await asyncio.open_connection(host, made.ssh_port if port == 22 else port)

        def opened(session: t.Any) -> t.Any:
            return ports.opened(session.forwards, dial) if session.forwards else PtyTerminal(session)

        served = execute_command.execute_command(services, emulator.app, bound.getsockname()[1], opened)
        network = BadNetwork(served)
        with serving(network, bound) as address:
            made = Cloud(address, network)
            yield made
            ecs.reset()
    vars(ecs).update(kept)
    vars(ssm).update(kept_ssm)
    ecs._ACTION_MAP.update(actions)
    for name in FILES.glob("*.py"):
        sys.modules.pop(name.stem, None)


@pytest.fixture(autouse=True)
def good_network(cloud: Cloud) -> None:
    cloud.network.loss = 0.0
    cloud.network.cut.clear()
    PtyTerminal.started.clear()

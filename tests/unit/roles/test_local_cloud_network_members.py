# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom the rules of the local cloud's network know: the containers that run, each by its own address."""

from __future__ import annotations

import os
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import alb, ec2, ecs

FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
SCOPE = ("000000000000", "eu-central-1")
CLUSTER = "arn:aws:ecs:eu-central-1:000000000000:cluster/members"


class Container:
    """A container as the Docker SDK shows it."""

    def __init__(self, address: str) -> None:
        self.attrs = {"NetworkSettings": {"Networks": {"bridge": {"IPAddress": address}}}, "State": {"Pid": 1}}

    def reload(self) -> None:
        """Nothing changes."""


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[t.Any]:
    """The module as the local cloud imports it."""
    monkeypatch.syspath_prepend(str(FILES))
    import network  # type: ignore[import-not-found]

    yield network
    for name in ("network", "network_rules", "network_startup", "network_patches", "emulator_patches"):
        sys.modules.pop(name, None)


@pytest.fixture
def enforcer(network: t.Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[t.Any]:
    """Applies no rules, and has two tasks."""
    applied: list[tuple[t.Any, str]] = []
    monkeypatch.setattr(network.Container, "apply", lambda container, rules: applied.append((container, rules)))
    with request_scope(*SCOPE):
        ec2._init_defaults()
        subnet, *_others = ec2._subnets
        tasks = {
            f"{CLUSTER}/{name}": {
                "taskArn": f"{CLUSTER}/{name}",
                "clusterArn": CLUSTER,
                "lastStatus": "RUNNING",
                "_network_mode": "awsvpc",
                "_subnet": subnet,
            }
            for name in ("first", "second")
        }
        for arn, task in tasks.items():
            ecs._tasks[arn] = task
        enforcer = network.Enforcer(ec2, ecs, alb, "172.17.0.1", 4566)
        enforcer.applied = applied
        yield enforcer
        for arn in tasks:
            del ecs._tasks[arn]


def known(enforcer: t.Any) -> dict[str, tuple[str, ...]]:
    return {party.name.rpartition("/")[2]: party.addresses for party in enforcer.network().parties}


def test_address_of_an_ended_container_is_that_of_the_next(enforcer: t.Any) -> None:
    """Also where the end of the first was noticed before its start."""
    enforcer.stopped(f"{CLUSTER}/first")
    enforcer.started(f"{CLUSTER}/first", Container("172.17.0.2"))
    enforcer.started(f"{CLUSTER}/second", Container("172.17.0.2"))
    assert known(enforcer) == {"second": ("172.17.0.2",)}


def test_stopped_task_is_a_member_no_longer(enforcer: t.Any) -> None:
    enforcer.started(f"{CLUSTER}/first", Container("172.17.0.2"))
    enforcer.started(f"{CLUSTER}/second", Container("172.17.0.3"))
    assert known(enforcer) == {"first": ("172.17.0.2",), "second": ("172.17.0.3",)}
    ecs._tasks[f"{CLUSTER}/first"]["lastStatus"] = "STOPPED"
    assert known(enforcer) == {"second": ("172.17.0.3",)}


def test_rules_are_applied_when_they_differ(enforcer: t.Any) -> None:
    enforcer.started(f"{CLUSTER}/first", Container("172.17.0.2"))
    assert len(enforcer.applied) == 1
    enforcer.sync()
    assert len(enforcer.applied) == 1, "the same rules were applied again"
    enforcer.started(f"{CLUSTER}/second", Container("172.17.0.3"))
    # The new container comes first, then the other one, which gets to know it.
    assert [container.addresses for container, _rules in enforcer.applied[1:]] == [("172.17.0.3",), ("172.17.0.2",)]


def test_rules_never_reach_this_machine(network: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of a container's process is that of another one once the container has ended."""
    monkeypatch.setattr(network.subprocess, "run", lambda *_args, **_options: pytest.fail("the rules were applied"))
    network.Container(os.getpid(), ("172.17.0.2",)).apply("table inet local_cloud {}")


def test_engine_of_another_machine_is_an_obstacle(network: t.Any) -> None:
    """As that of Docker Desktop, whose containers run in a virtual machine."""
    assert network.obstacle("docker-desktop") == "a Docker Engine on another machine, docker-desktop"

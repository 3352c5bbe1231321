# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster of moto whose rollouts end, and releases to it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._ecs.release import rollouts as rollout_group
from ansible_collections.slipway.aws.tests.unit.ecs.releases import Json, Rollouts, Run, item, newer


@pytest.fixture
def rollouts(ecs: t.Any, monkeypatch: pytest.MonkeyPatch) -> Rollouts:
    """A cluster whose services run one task each."""
    monkeypatch.setenv("MOTO_ECS_SERVICE_RUNNING", "1")
    for pause in ("FIRST_PAUSE", "LONGEST_PAUSE"):
        monkeypatch.setattr(rollout_group, pause, 0.01)
    ecs.create_cluster(clusterName="shop")
    return Rollouts(monkeypatch)


@pytest.fixture
def release(run: Run, rollouts: Rollouts) -> Run:
    """`release(item, item, option=…)`"""

    def released(*services: Json, check: bool = False, **options: t.Any) -> Json:
        return run(
            "ecs_release", check, **{"cluster": "shop", "services": list(services), "wait_timeout": 5, **options}
        )

    return released


@pytest.fixture
def shop(release: Run) -> list[Json]:
    """Three services, one after the other; `db` and `stock` run."""
    items = [item("db"), item("stock", after=["db"]), item("web", after=["stock"])]
    assert release(*items)["changed"]
    return newer(*items)

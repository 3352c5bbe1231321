# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account of these tests: AWS as it was recorded."""

from __future__ import annotations

import concurrent.futures
import types
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import waiting
from ansible_collections.slipway.aws.plugins.module_utils._ecs.hosts import flow as hosts_flow
from ansible_collections.slipway.aws.plugins.module_utils._project import details_flow
from ansible_collections.slipway.aws.plugins.module_utils._project.kinds import base_api
from ansible_collections.slipway.aws.plugins.module_utils._project.obsolete import flow as obsolete_flow
from ansible_collections.slipway.aws.tests.recorded.answers import REGION
from ansible_collections.slipway.aws.tests.recorded.readers import clock
from ansible_collections.slipway.aws.tests.recorded.replay import Replay


class InTurn:
    """An executor without threads: answers come at once, so there is nothing to wait for side by side."""

    def __init__(self, *_workers: object) -> None:
        """It needs no workers."""

    def __enter__(self) -> t.Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Nothing is left to end."""

    def map(self, call: t.Callable[..., t.Any], *items: t.Iterable[t.Any]) -> t.Iterator[t.Any]:
        return iter([call(*each) for each in zip(*items, strict=False)])


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Replay:
    for name in ("AWS_ENDPOINT_URL", "AWS_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "b2f0c1d4e7a9",
        "AWS_DEFAULT_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    # Whoever makes a clock without saying which gets this one, also dataclasses that did so when they were read.
    fast = clock()
    monkeypatch.setattr(waiting.Clock.__init__, "__defaults__", (fast.now, fast.sleep))
    futures = types.SimpleNamespace(ThreadPoolExecutor=InTurn, Future=concurrent.futures.Future)
    for module in (base_api, details_flow, hosts_flow, obsolete_flow):
        monkeypatch.setattr(module, "concurrent", types.SimpleNamespace(futures=futures))
    replay = Replay()
    replay.serves(monkeypatch)
    return replay

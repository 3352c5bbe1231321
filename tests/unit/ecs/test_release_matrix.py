# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worst of what tests/races plays at each stage of a release: the slow tests have all."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.tests.races.disturber import Disturber
from ansible_collections.slipway.aws.tests.races.matrix import PAIRS, Pair, draw
from ansible_collections.slipway.aws.tests.races.played import play
from ansible_collections.slipway.aws.tests.races.scene import EMULATOR, ROLLOUT_SECONDS

WORST: tuple[Pair, ...] = (
    ("starting the migration", "kill"),
    ("updating", "expired credentials"),
    ("rolling back", "interrupt"),
    ("recording", "kill"),
)


@pytest.fixture(scope="module")
def account(start: t.Callable[..., str]) -> str:
    pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
    return start(EMULATOR, ROLLOUT_SECONDS)


@pytest.mark.parametrize("pair", WORST, ids=str)
def test_a_release_converges_after_the_worst(pair: Pair, account: str) -> None:
    with Disturber(account) as proxy:
        play(draw(PAIRS.index(pair)), account, proxy)

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release with tasks, checks and a history, with each fault at each stage: it ends with a stable code and says what
to do, no two runs change services at the same time, and a rerun converges."""

from __future__ import annotations

import os
import time
import typing as t

import pytest

from ansible_collections.slipway.aws.tests.races import scene as scenes
from ansible_collections.slipway.aws.tests.races.disturber import Disturber
from ansible_collections.slipway.aws.tests.races.matrix import PAIRS, draw
from ansible_collections.slipway.aws.tests.races.played import play

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.races.matrix import Case

# The cases are those of the seeds from the first on. Without a number, each pair of a stage and a fault is one.
NUMBER = int(os.environ.get("SLIPWAY_MATRIX", str(len(PAIRS))))
FIRST = int(os.environ.get("SLIPWAY_MATRIX_SEED", "0"))


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[str]:
    with scenes.account(tmp_path_factory.mktemp("account")) as address:
        yield address


@pytest.mark.parametrize("case", [draw(seed) for seed in range(FIRST, FIRST + NUMBER)], ids=str)
def test_whatever_happens_at_a_stage_of_a_release(case: Case, account: str, record_property: t.Any) -> None:
    began = time.monotonic()
    with Disturber(account) as proxy:
        ended = play(case, account, proxy)
    record_property("ended", ended)
    print(f"{case}: {ended}, {time.monotonic() - began:.1f} s")

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is recorded is what AWS can answer, for everything that the code reads."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.aws.tests.recorded.answers import Recorded, problems, recorded
from ansible_collections.slipway.aws.tests.recorded.reads import reads


def test_every_read_has_an_answer() -> None:
    assert reads() - {(one.service, one.operation) for one in recorded()} == set()


def test_no_answer_is_left_of_what_nobody_reads() -> None:
    assert {(one.service, one.operation) for one in recorded()} - reads() == set()


@pytest.mark.parametrize("one", recorded(), ids=str)
def test_an_answer_has_the_form_of_the_model(one: Recorded) -> None:
    assert problems(one) == []
    assert one.seen

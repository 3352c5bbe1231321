# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reads AWS reads its answers right: it sees no difference where there is none, and it finishes whatever member an
answer lacks, or has in addition."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.slipway.aws.tests.recorded import mutations
from ansible_collections.slipway.aws.tests.recorded.answers import Recorded, model
from ansible_collections.slipway.aws.tests.recorded.readers import Outcome, Reader, read
from ansible_collections.slipway.aws.tests.recorded.scenarios import READERS

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.recorded.replay import Replay

# Of the many answers with one member less or more, the daily tests try each of so many.
SAMPLE = 29


@pytest.mark.parametrize("reader", READERS, ids=str)
@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
def test_the_recorded_state_is_read(aws: Replay, reader: Reader, check: bool) -> None:
    found = read(reader, aws.changes, check)
    if reader.deletes:
        assert found.changes or (check and found.result["changed"]), found
        return
    assert found.error is None, found
    assert not found.changes
    assert found.result["changed"] is False, found.result["diff"]
    if reader.names:
        assert reader.names(found.result)


def test_a_network_that_works_has_no_faults(aws: Replay) -> None:
    [reader] = [one for one in READERS if one.module == "ecs_service_info"]
    [service] = read(reader, aws.changes).result["services"]
    assert service["network"] == {"causes": [], "advice": [], "unread": []}


def variations(one: Recorded) -> t.Iterator[mutations.Mutated]:
    operation = model(one.service).operation_model(one.operation)
    is_json = operation.service_model.protocol == "json"
    return mutations.mutated(operation.output_shape, one.answer or {}, is_json)


def problems(aws: Replay, reader: Reader, every: int = 1) -> t.Iterator[str]:
    """What goes wrong with answers that differ in one member: a crash, or that something is taken for missing."""
    usual = read(reader, aws.changes)
    answered = [one for one in aws.answered if one.answer is not None]
    tried = ((one, change) for one in answered for change in variations(one))
    for one, change in itertools.islice(tried, 0, None, every):
        aws.instead = {one: change.answer}
        problem = _problem(aws, reader, usual)
        if problem:
            yield f"{one} {change.kind} {change.path}: {problem}"
    aws.instead = {}


def _problem(aws: Replay, reader: Reader, usual: Outcome) -> str:
    try:
        return reader.problem(read(reader, aws.changes), usual)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("reader", READERS, ids=str)
def test_members_that_are_missing_or_new_are_no_crash(aws: Replay, reader: Reader) -> None:
    assert list(problems(aws, reader, SAMPLE)) == []


@pytest.mark.variants
@pytest.mark.parametrize("reader", READERS, ids=str)
def test_each_member_may_be_missing_or_new(aws: Replay, reader: Reader) -> None:
    assert list(problems(aws, reader)) == []

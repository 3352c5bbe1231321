# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A member that an answer lacks never lets more be deleted."""

from __future__ import annotations

import datetime
import itertools
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core import history
from ansible_collections.slipway.aws.tests.recorded import mutations
from ansible_collections.slipway.aws.tests.recorded.answers import Recorded, model
from ansible_collections.slipway.aws.tests.recorded.readers import Reader, read

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.recorded.replay import Replay

Json = dict[str, t.Any]
# Of the many answers with one member less or more, the daily tests try each of so many.
SAMPLE = 29
PRUNE = Reader("project_prune", {"project": "shop", "keep_releases": 10, "keep_days": 0, "format": "none"})
# Without these, AWS says of an image that it has no tags, and of a revision that nobody knows whose it is.
TELL_NOTHING = {("DescribeImages", "imageDetails.imageTags")}


def releases() -> Json:
    """Eleven, of which the newest one ran the recorded revision."""
    versions = [{"task_definition": f"shop-web:{number}", "images": []} for number in range(1, 12)]
    written = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)
    records = [
        history.Record(id="x", run="x", outcome="succeeded", services={"web": {"before": one, "after": one}})
        for one in versions
    ]
    return {
        "Parameters": [
            {
                "Name": f"/slipway/shop/release/{number}",
                "Value": history.encoded(record)[0],
                "LastModifiedDate": written,
            }
            for number, record in enumerate(records, 1)
        ]
    }


def deleted(result: Json) -> set[str]:
    found = result["deleted"]
    images = [one["digest"] for one in found["images"]]
    return {*found["task_definitions"], *images, *map(str, found["releases"])}


@pytest.mark.parametrize("every", [SAMPLE, pytest.param(1, marks=pytest.mark.variants)])
def test_no_missing_member_lets_more_be_deleted(aws: Replay, every: int) -> None:
    stored = aws.find("ssm", "GetParametersByPath", set())
    assert stored is not None
    aws.instead = {stored: releases()}
    usual = read(PRUNE, aws.changes, check=True)
    assert usual.error is None
    # An image that nothing names.
    image = "sha256:4a1c6567c38904384ebc64e35b7eeddd8451110c299e3368d2210066487d97e5"
    assert deleted(usual.result) == {"1", image}
    answered = [one for one in aws.answered if one.answer is not None]
    tried = ((one, change) for one in answered for change in variations(one, stored))
    more = []
    for one, change in itertools.islice(tried, 0, None, every):
        aws.instead = {stored: releases(), one: change.answer}
        outcome = read(PRUNE, aws.changes, check=True)
        if outcome.error is None and deleted(outcome.result) - deleted(usual.result):
            more.append(f"{one.operation} {change.kind} {change.path}")
    assert more == []


def variations(one: Recorded, stored: Recorded) -> t.Iterator[mutations.Mutated]:
    operation = model(one.service).operation_model(one.operation)
    answer = releases() if one == stored else one.answer or {}
    for change in mutations.mutated(operation.output_shape, answer, operation.service_model.protocol == "json"):
        if (one.operation, change.path) not in TELL_NOTHING:
            yield change

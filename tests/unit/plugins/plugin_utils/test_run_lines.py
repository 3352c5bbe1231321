# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of a run's output."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.waiting import next_line
from ansible_collections.slipway.aws.plugins.plugin_utils import plan, run_lines


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (2.14, "2.1 s"), (3, "3 s"), (12.4, "12 s"), (59.7, "1 min 0 s"), (3725, "1 h 2 min")],
)
def test_durations_are_as_precise_as_anyone_needs(seconds: float, text: str) -> None:
    assert run_lines.duration(seconds) == text


def test_lines_about_what_takes_long_become_rare() -> None:
    due, found = 0.0, []
    while due < 200:
        due = next_line(due)
        found.append(due)
    assert found == [3, 10, 30, 60, 120, 180, 240]


def test_long_lists_are_counted() -> None:
    names = [f"subnet-{number}" for number in range(30)]
    assert run_lines.listed(names[:2]) == "subnet-0, subnet-1"
    assert run_lines.listed(names, limit=30) == "subnet-0, subnet-1, subnet-2 and 27 more"
    assert run_lines.listed(["a" * 200, "b"]) == f"{'a' * 200} and 1 more"
    assert run_lines.listed([]) == ""


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "  12:00:01  Waiting for cluster x to be stable: 3 s of up to 300 s.",
            "waiting for cluster x to be stable, up to 300 s",
        ),
        (
            "  12:00:01  In progress: 0 of 1 services done. web 0/2 running",
            "In progress: 0 of 1 services done. web 0/2 running",
        ),
    ],
)
def test_a_line_of_a_module_is_repeated_without_its_time(line: str, text: str) -> None:
    assert run_lines.waited_for(line) == text


def entry(task: str, item: str = "") -> plan.Entry:
    return plan.Entry("shop", "localhost", task, item, plan.CREATE)


def test_roles_are_listed_in_the_order_in_which_they_converge() -> None:
    summary = run_lines.Summary()
    summary.role("app")
    summary.role("network", converges=True)
    summary.role("unused")
    summary.role("app", converges=True).changes += [entry("Create", "a"), entry("Create", "b"), entry("Delete")]
    summary.role("verify", converges=True).failures.append("Ask")
    summary.role("cluster", converges=True).skipped = True
    assert summary.lines() == [
        "network  unchanged",
        "app      3 changed: Create (a, b), Delete",
        "verify   failed: Ask",
        "cluster  skipped (converged)",
    ]


def test_only_what_is_meant_for_the_end_of_a_run_is_read() -> None:
    summary = run_lines.Summary()
    for result in (
        {"ansible_facts": {"a_result": {"urls": {"web": "http://a"}}, "b_result": 7, "c": {"urls": {"no": "x"}}}},
        {"ansible_facts": None, "slipway_exit_code": "many"},
        {"slipway_exit_code": 2},
        {"ansible_facts": {"slipway_exit_code": "0"}},
    ):
        summary.read(result)
    assert summary.urls == {"web": "http://a"}
    assert summary.exit_code == 0


@pytest.mark.parametrize(
    ("diff", "parts"),
    [
        ({"before": {}, "after": {"a": 1}}, 0),
        ({"before": {"state": "absent"}, "after": {"state": "present"}}, 0),
        ([{"before": {"definition": {}}, "after": {"a": 1}}, {"before": {"a": 1}, "after": {"a": 2}}], 1),
        ({"before": "", "after": "text\n"}, 0),
        ({"before": "text\n", "after": ""}, 1),
        ({"before": {"count": 0}, "after": {"count": 1}}, 1),
        ({"prepared": "+ all of it"}, 1),
        (None, 0),
    ],
)
def test_differences_of_new_resources_repeat_the_variables(diff: object, parts: int) -> None:
    assert len(plan.of_existing(diff)) == parts

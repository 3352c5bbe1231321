# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan as Markdown: what a reviewer reads, and what nobody can smuggle into it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import plan
from ansible_collections.slipway.aws.plugins.plugin_utils.plan_markdown import LONGEST, document, text

HERE = plan.HERE


def entry(kind: str, task: str, item: str = "", group: str = "ecs_app", host: str = HERE) -> plan.Entry:
    return plan.Entry(group, host, task, item, kind)


def written(*entries: plan.Entry, **members: Any) -> str:
    usual: dict[str, Any] = {"differences": {}, "failures": [], "costs": []}
    return document("shop in eu-central-1", entries, **{**usual, **members})


def test_changes_are_listed_by_role_and_host_under_a_verdict() -> None:
    found = written(
        entry(plan.CREATE, "Create the cluster", group="ecs_cluster"),
        entry(plan.KEEP, "Create the load balancer", group="ecs_cluster"),
        entry(plan.CREATE, "Build the image: web", group="container_image", host="runner"),
        entry(plan.UPDATE, "Release all services together", "web"),
        entry(plan.OBSOLETE, "Obsolete: service", "old"),
    )
    lines = found.splitlines()
    assert lines[0] == "### shop in eu-central-1: 3 changes"
    assert lines[2].startswith("2 to create, 1 to update, 1 to keep, 1 obsolete (deleted with -e slipway")
    assert "- ~ update: Release all services together (web)" in lines
    assert "**container&#95;image** on runner" in lines
    assert "- ! obsolete: Obsolete: service (old)" in lines
    assert "load balancer" not in found


def test_no_changes_and_one_change() -> None:
    assert written(entry(plan.KEEP, "x")).startswith("### shop in eu-central-1: no changes\n")
    assert ": 1 change\n" in written(entry(plan.DELETE, "x"))


def test_a_failed_plan_says_where() -> None:
    found = written(entry(plan.CREATE, "Create the VPC"), failures=["Find the images: web: expected one, got none."])
    assert found.startswith("### shop in eu-central-1: the plan failed\n")
    assert "- **Failed:** Find the images: web: expected one, got none." in found


def test_differences_and_costs_are_folded() -> None:
    found = written(differences={(HERE, "Release"): "--- before\n+++ after\n-a\n+b"}, costs=["1 x 2 = 2"])
    assert "<details><summary>Difference: Release</summary>\n\n```diff\n--- before\n+++ after\n-a\n+b\n```" in found
    assert "<details><summary>Cost</summary>" in found


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>x</script>",
        "@everyone",
        "[link](http://x)",
        "![x](http://x)",
        "a\n# heading",
        "`code`",
        "| a | b |",
        "#12",
    ],
)
def test_names_are_shown_as_they_are(hostile: str) -> None:
    shown = text(hostile)
    assert not re.search(r"[<>@`|\[\]\n]|(?<!&)#", shown)


def test_nothing_leaves_a_difference() -> None:
    found = written(differences={(HERE, "x"): "\x1b[31m-a\x1b[0m\n```\n</details>\n````\n# no\x00"})
    fence = "`````"
    assert found.count(fence) == 2
    assert "\x1b" not in found
    assert "\x00" not in found


def test_a_long_plan_fits_into_a_comment() -> None:
    differences = {(HERE, f"task {number}"): "+line\n" * 3000 for number in range(20)}
    found = written(entry(plan.UPDATE, "x"), differences=differences)
    assert len(found) <= LONGEST + 100
    assert "the rest is in the log of the run" in found
    assert found.rstrip().endswith("The rest is in the log of the run.")
    many = [entry(plan.CREATE, "Create something with a long name", str(number)) for number in range(5000)]
    assert len(written(*many)) <= LONGEST + 1

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole project in one read: each resource with everything that AWS knows, relations, and what cannot be read."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._project import api
from ansible_collections.slipway.aws.tests.unit.project.test_project_info import MINISTACK, MOTO, make_all

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

Json = dict[str, t.Any]
KEYS = {"kind", "tag", "role", "id", "name", "arn", "tags", "holds", "details", "uses"}


ACCOUNTS = [("moto", MOTO, "123456789012"), ("ministack", MINISTACK, "000000000000")]


@pytest.mark.parametrize(("emulator", "unsupported", "number"), ACCOUNTS, indirect=["emulator"])
def test_each_resource_is_returned_in_full(
    run: RunModule, emulator: str, unsupported: set[str], number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "KINDS", tuple(kind for kind in api.KINDS if kind.name not in unsupported))
    make_all("ours")
    make_all("theirs")
    found = run("project_info", project="ours", details=True)
    resources = found["resources"]
    assert [one["kind"] for one in resources] == [kind.name for kind in api.KINDS if not kind.detailed]
    assert {frozenset(one) for one in resources} == {frozenset(KEYS)}
    assert len({one["arn"] for one in resources}) == len(resources)
    assert all(one["details"] and one["arn"].startswith("arn:aws:") for one in resources)
    short = [{key: one[key] for key in one if key not in {"arn", "details", "uses"}} for one in resources]
    assert short == run("project_info", project="ours")["resources"]
    assert (found["caller"]["account"], found["region"], found["records"]) == (number, "eu-central-1", {})
    # The local cloud has no Application Auto Scaling.
    expected = [("service", "application-autoscaling:DescribeScalableTargets", "unsupported")]
    unknown = [(one["kind"], one["action"], one["code"]) for one in found["unknown"]]
    assert unknown == (expected if emulator == "ministack" else [])

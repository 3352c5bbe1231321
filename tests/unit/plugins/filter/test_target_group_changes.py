# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What check mode says of target groups, which their module cannot."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.aws.plugins.filter.target_group_changes import target_group_changes

WANTED = {
    "name": "web",
    "health_check_protocol": "HTTP",
    "health_check_path": "/",
    "health_check_codes": "200-399",
    "health_check_interval": 10,
    "health_check_timeout": 5,
    "healthy_threshold": 2,
    "unhealthy_threshold": 3,
    "deregistration_delay": 30,
}
THERE = {
    "target_group_name": "shop-web",
    "health_check_protocol": "HTTP",
    "health_check_path": "/",
    "matcher": {"http_code": "200-399"},
    "health_check_interval_seconds": 10,
    "health_check_timeout_seconds": 5,
    "healthy_threshold_count": 2,
    "unhealthy_threshold_count": 3,
    "deregistration_delay_timeout_seconds": "30",
    "tags": {"a": "b"},
}


def test_one_that_is_not_there_is_made() -> None:
    assert target_group_changes([WANTED], [], "shop-") == [{"name": "web", "verb": "make"}]


def test_one_that_is_as_wanted_is_left() -> None:
    assert target_group_changes([WANTED], [THERE], "shop-", {"a": "b"}) == []


@pytest.mark.parametrize("setting", [*(set(WANTED) - {"name"}), "tags"])
def test_each_setting_counts(setting: str) -> None:
    wanted = {**WANTED, setting: "another"}
    tags = {} if setting == "tags" else {"a": "b"}
    assert target_group_changes([wanted], [THERE], "shop-", tags) == [{"name": "web", "verb": "change"}]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.slipway.aws.plugins.filter.pick import pick


def test_pick_renames_and_drops() -> None:
    source = {"target_group_arn": "arn:web", "port": 80, "vpc_id": "vpc-1"}
    picked = pick(source, arn="target_group_arn", port="port", name="target_group_name")
    assert picked == {"arn": "arn:web", "port": 80, "name": None}

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `slipway_production` sets, by the roles' defaults."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.role_defaults import resolved

NAMES = {
    f"ecs_load_balancer_{name}": name for name in ("deletion_protection", "access_logs_bucket", "access_logs_create")
}
STAGE = {"slipway_project": "Shop", "slipway_region": "eu-central-1", "slipway_account": "123456789012"}
BUCKET = "shop-access-logs-123456789012-eu-central-1"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (False, "", False)),
        ({"slipway_production": False}, (False, "", False)),
        ({"slipway_production": True}, (True, BUCKET, True)),
        # As -e gives it.
        ({"slipway_production": "true"}, (True, BUCKET, True)),
        # Refused, with the hint to name the account.
        ({"slipway_production": True, "slipway_account": ""}, (True, "", True)),
        ({"slipway_production": True, "ecs_load_balancer_access_logs_bucket": ""}, (True, "", False)),
        (
            {"slipway_production": True, "ecs_load_balancer_access_logs_bucket": "company"},
            (True, "company", True),
        ),
        ({"slipway_production": True, "ecs_load_balancer_deletion_protection": False}, (False, BUCKET, True)),
    ],
)
def test_production_protects_and_logs_unless_said_otherwise(
    given: dict[str, Any], expected: tuple[bool, str, bool]
) -> None:
    found = resolved({**STAGE, **given}, NAMES)
    assert tuple(found[name] for name in NAMES) == expected


def test_deployers_know_the_bucket_of_a_production_stage() -> None:
    assert resolved({**STAGE, "slipway_production": True}, ["deployer_buckets"])["deployer_buckets"] == [BUCKET]
    assert resolved(STAGE, ["deployer_buckets"])["deployer_buckets"] == []

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster of the release before gets the defaults of inventory/aws in place."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud

Json = dict[str, t.Any]
INVENTORY = Path(__file__).resolve().parents[3] / "inventory/aws/group_vars/all/cloud.yml"
# What the release before set, and what its inventory left to the role.
BEFORE = {"ecs_cluster_container_insights": "disabled", "ecs_cluster_log_retention": 14}
NAMES = (*BEFORE, "ecs_cluster_exec_log_retention", "slipway_kms_key")
NOW = {name: value for name, value in yaml.safe_load(INVENTORY.read_text()).items() if name in NAMES}
ROLE = [{"ansible.builtin.include_role": {"name": "slipway.aws.ecs_cluster"}}]


def state(cloud: Cloud) -> tuple[Json, Json]:
    """The cluster and the log group."""
    ecs, logs = cloud.client("ecs"), cloud.client("logs")
    (cluster,) = ecs.describe_clusters(clusters=["ecs"], include=["SETTINGS"])["clusters"]
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/ecs/ecs")["logGroups"]
    return cluster, group


@pytest.mark.variants
def test_a_cluster_of_the_release_before_gets_metrics_and_a_year_of_logs_in_place(cloud: Cloud) -> None:
    created = cloud.play(ROLE, **BEFORE)
    assert created.code == 0, created.output
    before, logs_before = state(cloud)
    predicted = cloud.play(ROLE, "--check", **NOW)
    assert (predicted.code, predicted.changed) == (0, 2), predicted.output
    assert "Create the log groups" in predicted.output
    assert "Create the cluster" in predicted.output
    assert state(cloud) == (before, logs_before)
    converged, again = (cloud.play(ROLE, **NOW) for _ in range(2))
    assert (converged.changed, again.changed) == (2, 0), converged.output + again.output
    after, logs_after = state(cloud)
    assert after["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert logs_after["retentionInDays"] == 365
    for member in ("arn", "creationTime"):
        assert logs_after[member] == logs_before[member]
    assert after["clusterArn"] == before["clusterArn"]


@pytest.mark.variants
def test_a_new_log_group_has_the_key_and_another_one_is_refused_later(cloud: Cloud) -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    given = {"slipway_project": "secret", "slipway_kms_key": key}
    created, again = (cloud.play(ROLE, **given) for _ in range(2))
    assert (created.code, again.changed) == (0, 0), created.output + again.output
    (group,) = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/ecs/secret")["logGroups"]
    assert group["kmsKeyId"] == key
    other = cloud.play(ROLE, **{**given, "slipway_kms_key": key.replace("1234abcd", "9999abcd")})
    assert other.code == 2
    assert "aws logs associate-kms-key --log-group-name /ecs/secret" in " ".join(other.output.split())

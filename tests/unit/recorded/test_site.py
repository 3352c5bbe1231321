# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS answered in public recordings is read into variables that ask for nothing else."""

from __future__ import annotations

import typing as t

from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_app import plan
from ansible_collections.slipway.aws.tests.recorded.readers import Json, Reader, read

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.recorded.replay import Replay

# Of the role ecs_app, what the inventory does not set.
DEFAULTS: Json = {
    "architecture": "X86_64",
    "group": "",
    "image_architecture": "X86_64",
    "images": {},
    "keep": [],
    "project": "shop",
    "region": "eu-central-1",
    "schedules": [],
    "secret_values": [],
    "secrets": {},
    "settings": {},
    "tags": {},
    "verify": [],
    "verify_address": "",
}


def account(site: Json) -> Json:
    """The results of the other roles for pieces that are named, not created."""
    project, groups = (
        site["variables"]["project"],
        site["variables"]["load_balancer"]["ecs_load_balancer_target_groups"],
    )
    arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/shop-web/608e176bc37cd1d3"
    return {
        "network": {"private_subnet_ids": [], "security_group_ids": {"tasks": ""}},
        "registry": {},
        "cluster": {
            "name": "shop",
            "existing": True,
            "capacity_providers": ["FARGATE", "FARGATE_SPOT"],
            "execution_role_arn": project["ecs_cluster_execution_role_arn"],
            "task_role_arn": project["ecs_cluster_task_role_arn"],
        },
        "load_balancer": {
            "target_groups": {one["name"]: {"arn": arn, "target_type": one["target_type"]} for one in groups}
        },
        "discovery": {},
        "repositories": [],
        "images": {},
        "secrets": {},
    }


def test_the_recorded_services_are_what_their_variables_ask_for(aws: Replay) -> None:
    site = site_without_changes(aws)
    assert "monitoring" not in site["services"][0]["options"]


def test_monitoring_is_that_of_the_revision_of_the_service(aws: Replay) -> None:
    """DescribeServices does not contain it."""
    revisions = aws.find("ecs", "DescribeServiceRevisions", set())
    assert revisions is not None
    assert revisions.answer is not None
    monitoring = {"metricConfigurations": [{"metricNames": ["CPUUtilization"], "resolutionSeconds": 20}]}
    [revision] = revisions.answer["serviceRevisions"]
    aws.instead = {revisions: {"serviceRevisions": [{**revision, "monitoring": monitoring}]}}
    site = site_without_changes(aws)
    assert site["services"][0]["options"]["monitoring"] == monitoring


def site_without_changes(aws: Replay) -> Json:
    """What is read of the cluster, after release and scaling have found no difference from it."""
    site = read(Reader("ecs_site_info", {"cluster": "shop"}), aws.changes).result["site"]
    assert [one["name"] for one in site["services"]] == ["web"]
    own = {**DEFAULTS, "services": site["services"], **site["variables"].get("schedules", {})}
    variables = {f"ecs_app_{name.removeprefix('ecs_app_')}": value for name, value in own.items()}
    planned = plan(variables, {}, account(site))
    assert planned["problems"] == []
    released = read(
        Reader("ecs_release", {"cluster": "shop", "services": planned["services"]}), aws.changes, check=True
    )
    assert released.error is None
    assert released.result["changed"] is False, released.result["diff"]
    scaling: Json = {"cluster": "shop", "services": planned["scaling"]}
    scaled = read(Reader("ecs_service_scaling", scaling), aws.changes, check=True)
    assert (scaled.error, planned["scaling"] != [], scaled.result["changed"]) == (None, True, False), scaled
    assert [note["place"] for note in site["notes"]] == ["rules.nightly-report"]
    return dict(site)

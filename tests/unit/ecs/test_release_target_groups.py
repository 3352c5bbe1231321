# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of target groups change with a release, and are rolled back with it."""

from __future__ import annotations

import typing as t

import boto3
import pytest
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._ecs.service import change_flow as service_changes
from ansible_collections.slipway.aws.plugins.module_utils._ecs.target_group import model as target_groups
from ansible_collections.slipway.aws.tests.unit.ecs.releases import (
    Json,
    Rollouts,
    Run,
    described,
    item,
    newer,
    running,
    states,
)

OLD: Json = {"health_check_path": "/", "deregistration_delay": 300}
NEW: Json = {"health_check_path": "/readyz", "deregistration_delay": 30}
CHANGES = {"ModifyTargetGroup", "ModifyTargetGroupAttributes", "CreateService", "UpdateService", "DeleteService"}


class Group:
    """A target group that the service `web` uses."""

    def __init__(self, elbv2: t.Any, ec2: t.Any) -> None:
        self.elbv2 = elbv2
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        created = elbv2.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc, HealthCheckPath="/")
        self.arn: str = created["TargetGroups"][0]["TargetGroupArn"]

    @property
    def settings(self) -> Json:
        (group,) = self.elbv2.describe_target_groups(TargetGroupArns=[self.arn])["TargetGroups"]
        attributes = self.elbv2.describe_target_group_attributes(TargetGroupArn=self.arn)["Attributes"]
        (delay,) = [one["Value"] for one in attributes if one["Key"] == "deregistration_delay.timeout_seconds"]
        return {"health_check_path": group["HealthCheckPath"], "deregistration_delay": int(delay)}

    def service(self, name: str = "web") -> Json:
        balancer = {"targetGroupArn": self.arn, "containerName": "web", "containerPort": 80}
        container = {"name": "web", "image": "app:1", "memory": 64, "portMappings": [{"containerPort": 80}]}
        return item(name, definition={"container_definitions": [container]}, load_balancers=[balancer])


@pytest.fixture
def group(aws: None) -> Group:
    return Group(boto3.client("elbv2"), boto3.client("ec2"))


@pytest.fixture
def web(release: Run, group: Group, calls: list[str]) -> Json:
    """The service runs, with the settings from before."""
    web = group.service()
    result = release(web, target_groups={group.arn: OLD})
    assert (result.get("changed"), group.settings) == (True, OLD), result
    calls.clear()
    return web


def changes(calls: list[str]) -> list[str]:
    return [call for call in calls if call in CHANGES]


def test_settings_change_right_before_the_service_and_once(
    release: Run, web: Json, group: Group, calls: list[str], ecs: t.Any
) -> None:
    result = release(*newer(web), target_groups={group.arn: NEW})
    assert (calls.count("DescribeTargetGroups"), calls.count("DescribeTargetGroupAttributes")) == (1, 1)
    assert (result["changed"], states(result)) == (True, {"web": "updated"})
    diff = result["services"]["web"]["diff"]
    assert (diff["before"]["target_groups"], diff["after"]["target_groups"]) == ({"web": OLD}, {"web": NEW})
    assert (group.settings, running(ecs, "web")) == (NEW, "web:2")
    assert changes(calls) == ["ModifyTargetGroup", "ModifyTargetGroupAttributes", "UpdateService"]
    calls.clear()
    assert not release(*newer(web), target_groups={group.arn: NEW})["changed"]
    assert changes(calls) == []


def test_settings_that_are_left_out_are_left_alone(release: Run, web: Json, group: Group) -> None:
    release(*newer(web), target_groups={group.arn: {"health_check_path": "/readyz"}})
    assert group.settings == {**OLD, "health_check_path": "/readyz"}


def test_check_mode_predicts_the_difference_and_touches_nothing(
    release: Run, web: Json, group: Group, calls: list[str]
) -> None:
    predicted = release(*newer(web), target_groups={group.arn: NEW}, check=True)
    assert (changes(calls), group.settings) == ([], OLD)
    real = release(*newer(web), target_groups={group.arn: NEW})
    assert predicted["diff"] == real["diff"]
    assert states(predicted) == states(real) == {"web": "updated"}


def test_settings_are_rolled_back_before_the_service_does(
    release: Run, web: Json, group: Group, calls: list[str], rollouts: Rollouts, ecs: t.Any
) -> None:
    rollouts.ends["web/2"] = "STOPPED"
    result = release(*newer(web), target_groups={group.arn: NEW})
    assert (result["code"], states(result)) == ("deployment_stopped", {"web": "rolled_back"})
    assert (group.settings, running(ecs, "web")) == (OLD, "web:1")
    once = ["ModifyTargetGroup", "ModifyTargetGroupAttributes", "UpdateService"]
    assert changes(calls) == once * 2
    assert any("target group web: health_check_path /readyz -> /" in line for line in result["progress"])


def test_with_a_service_that_the_release_created_settings_are_rolled_back_too(
    release: Run, group: Group, rollouts: Rollouts, ecs: t.Any
) -> None:
    rollouts.ends["web/1"] = "STOPPED"
    result = release(group.service(), target_groups={group.arn: NEW})
    assert states(result) == {"web": "rolled_back"}
    assert group.settings == OLD
    assert [service["status"] for service in described(ecs, "web")] == ["INACTIVE"]


def test_for_a_service_that_another_client_creates_meanwhile_settings_are_rolled_back(
    release: Run, group: Group, rollouts: Rollouts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_changes, "_STALE_SECONDS", 0.1)
    message = "Creation of service was not idempotent."
    error = ClientError({"Error": {"Code": "InvalidParameterException", "Message": message}}, "CreateService")
    rollouts.refused["CreateService", "web"] = error
    result = release(group.service(), target_groups={group.arn: NEW})
    assert (result["failed"], result["code"], group.settings) == (True, "conflict", OLD)


@pytest.fixture
def killed(release: Run, web: Json, group: Group, rollouts: Rollouts) -> Json:
    """A release that was killed between the target group and the service."""
    rollouts.refused["UpdateService", "web"] = KeyboardInterrupt
    asked = newer(web)[0]
    result = release(asked, target_groups={group.arn: NEW})
    assert (result["code"], group.settings) == ("interrupted", NEW)
    return asked


def test_a_killed_release_is_completed_by_a_rerun(release: Run, killed: Json, group: Group, ecs: t.Any) -> None:
    assert states(release(killed, target_groups={group.arn: NEW})) == {"web": "updated"}
    assert (group.settings, running(ecs, "web")) == (NEW, "web:2")


def test_a_rerun_that_fails_leads_back_to_before_the_killed_run(
    release: Run, killed: Json, group: Group, rollouts: Rollouts, ecs: t.Any
) -> None:
    rollouts.ends["web/2"] = "STOPPED"
    assert states(release(killed, target_groups={group.arn: NEW})) == {"web": "rolled_back"}
    assert (group.settings, running(ecs, "web")) == (OLD, "web:1")


def test_a_killed_release_is_undone_with_its_settings(
    release: Run, killed: Json, group: Group, monkeypatch: pytest.MonkeyPatch, ecs: t.Any
) -> None:
    tasks_run(monkeypatch)
    predicted = release(rollback=True, check=True)
    assert (predicted["changed"], group.settings) == (True, NEW)
    result = release(rollback=True)
    assert predicted["diff"] == result["diff"]
    assert result["services"]["web"]["diff"]["after"]["target_groups"] == {"web": OLD}
    assert (states(result), group.settings, running(ecs, "web")) == ({"web": "rolled_back"}, OLD, "web:1")
    assert not release(rollback=True)["changed"]


def tasks_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let targets show new settings at once."""
    monkeypatch.setattr(target_groups, "settling_seconds", lambda _settings: 0)


def test_a_target_group_that_no_service_uses_is_refused(release: Run, web: Json, group: Group) -> None:
    result = release(item("other"), target_groups={group.arn: NEW})
    assert (result["code"], group.settings) == ("invalid_option", OLD)
    assert f"expected groups that a service in the release uses, got {group.arn}" in result["msg"]


def test_a_target_group_that_does_not_exist_is_refused(release: Run, web: Json, group: Group) -> None:
    missing = group.arn.replace("/web/", "/missing/")
    result = release(*newer(web), target_groups={missing: NEW})
    assert result["code"] == "not_found"
    assert missing in result["msg"]


def test_in_check_mode_a_target_group_may_be_yet_to_be_created(release: Run) -> None:
    result = release(item("web"), target_groups={"unknown": NEW}, check=True)
    assert states(result) == {"web": "created"}


def test_a_setting_that_does_not_exist_is_refused(release: Run, web: Json, group: Group) -> None:
    result = release(web, target_groups={group.arn: {"path": "/"}})
    assert result["code"] == "invalid_option"
    assert f"target_groups, {group.arn}: " in result["msg"]

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""auto_scaling_group against both emulators, its options parsed for real."""

from __future__ import annotations

import importlib
import typing as t

import boto3
import pytest
import yaml

from ansible_collections.slipway.aws.plugins.module_utils._asg import api

Json = dict[str, t.Any]
Run = t.Callable[..., Json]


@pytest.fixture
def settings(aws: None) -> Json:
    """What a new group needs: a launch template, and two subnets."""
    ec2 = boto3.client("ec2")
    subnets = sorted(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"])[:2]
    data = {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"}
    template = ec2.create_launch_template(LaunchTemplateName="shop", LaunchTemplateData=data)["LaunchTemplate"]
    return {
        "MinSize": 1,
        "MaxSize": 2,
        "LaunchTemplate": {"LaunchTemplateId": template["LaunchTemplateId"], "Version": "1"},
        "VPCZoneIdentifier": ",".join(subnets),
        "NewInstancesProtectedFromScaleIn": True,
    }


@pytest.mark.witness("auto_scaling_group")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_twelve_steps(run: Run, settings: Json) -> None:
    name = {"name": "shop"}
    made = {**name, "settings": settings, "tags": {"team": "shop", "old": "1"}}
    changed = {**name, "settings": {"MaxSize": "3"}, "tags": {"team": "other"}}
    for step in (made, changed, {**name, "state": "absent", "force": True}):
        predicted = run("auto_scaling_group", check=True, **step)
        real = run("auto_scaling_group", **step)
        assert predicted["changed"]
        assert real["changed"], real
        if step is not made:  # only then it has instances
            assert predicted["diff"] == real["diff"]
        for check in (True, False):
            again = run("auto_scaling_group", check=check, **step)
            assert not again["changed"], again
            assert again["diff"] == {"before": {}, "after": {}}


def test_the_order_of_subnets_and_the_size_that_scaling_chose_are_kept(run: Run, settings: Json) -> None:
    run("auto_scaling_group", name="shop", settings=settings)
    boto3.client("autoscaling").set_desired_capacity(AutoScalingGroupName="shop", DesiredCapacity=2)
    turned = ", ".join(reversed(settings["VPCZoneIdentifier"].split(",")))
    again = run("auto_scaling_group", name="shop", settings={**settings, "VPCZoneIdentifier": turned})
    assert not again["changed"], again["diff"]
    assert len(again["auto_scaling_group"]["instances"]) == 2


def test_the_tag_of_ecs_is_kept(run: Run, settings: Json) -> None:
    made = {"name": "shop", "settings": settings, "tags": {"team": "shop"}}
    run("auto_scaling_group", **made)
    asg = boto3.client("autoscaling")
    common = {"ResourceId": "shop", "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    asg.create_or_update_tags(Tags=[{**common, "Key": "AmazonECSManaged", "Value": ""}])
    assert not run("auto_scaling_group", **made)["changed"]
    assert run("auto_scaling_group", name="shop", tags={})["changed"]
    assert [tag["Key"] for tag in asg.describe_tags()["Tags"]] == ["AmazonECSManaged"]


@pytest.mark.parametrize(
    ("settings_given", "text"),
    [
        ({"MinSize": 1, "MaxSise": 2}, "got 'MaxSise'."),
        ({"MinSize": "few", "MaxSize": 2}, "expected a whole number"),
        ({"MinSize": 3, "MaxSize": 2}, "settings.MinSize: expected at most MaxSize (2), got 3."),
        (
            {"MinSize": 1, "MaxSize": 2, "DesiredCapacity": 3},
            "settings.DesiredCapacity: expected 1 to 2, from MinSize to MaxSize, got 3.",
        ),
        ({"MinSize": 1, "MaxSize": 2, "VPCZoneIdentifier": "subnet-1"}, "settings: expected one of LaunchTemplate, "),
        (
            {
                "MinSize": 1,
                "MaxSize": 2,
                "LaunchTemplate": {"LaunchTemplateName": "shop"},
                "LaunchConfigurationName": "b",
            },
            "for a new group, got LaunchTemplate and LaunchConfigurationName.",
        ),
        (
            {"MinSize": 1, "MaxSize": 2, "LaunchConfigurationName": "b"},
            "expected VPCZoneIdentifier or AvailabilityZones or AvailabilityZoneIds for a new group, got none.",
        ),
        ({"MinSize": 1}, "expected MaxSize for the new Auto Scaling group shop"),
    ],
)
def test_invalid_settings_are_reported_before_anything_is_created(
    run: Run, calls: list[str], settings_given: Json, text: str
) -> None:
    result = run("auto_scaling_group", name="shop", settings=settings_given)
    assert result["code"] == "invalid_option"
    assert text in result["msg"]
    assert set(calls) <= {"DescribeAutoScalingGroups"}


def test_a_group_that_is_about_to_go_is_waited_for(
    run: Run, settings: Json, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = api.describe_group
    going = {"AutoScalingGroupName": "shop", "AutoScalingGroupARN": "arn:x", "Status": "Delete in progress"}
    states: list[Json] = [going, going]
    monkeypatch.setattr(api, "describe_group", lambda asg, name: states.pop() if states else found(asg, name))
    assert run("auto_scaling_group", name="shop", settings=settings)["changed"]
    assert [call for call in calls if call.endswith("Group")] == ["CreateAutoScalingGroup"]


def test_what_the_documentation_shows_works(run: Run, settings: Json) -> None:
    module = importlib.import_module("ansible_collections.slipway.aws.plugins.modules.auto_scaling_group")
    for task in yaml.safe_load(module.EXAMPLES):
        options = task["slipway.aws.auto_scaling_group"]
        if "VPCZoneIdentifier" in options.get("settings", {}):
            options["settings"]["VPCZoneIdentifier"] = settings["VPCZoneIdentifier"]
        assert run("auto_scaling_group", **options)["changed"]
        assert not run("auto_scaling_group", **options)["changed"], task["name"]

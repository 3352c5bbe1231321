# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ecs_capacity_provider against both emulators, its options parsed for real; what emulators lack is stood in for."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.plan import compare
from ansible_collections.slipway.aws.plugins.module_utils._ecs.capacity_provider import api
from ansible_collections.slipway.aws.plugins.module_utils._ecs.capacity_provider import model as capacity_provider

Json = dict[str, t.Any]
Run = t.Callable[..., Json]

GROUP = "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:11111111-2222:autoScalingGroupName/shop"
MADE: Json = {
    "name": "hosts",
    "auto_scaling_group_provider": {
        "autoScalingGroupArn": GROUP,
        "managedScaling": {"status": "ENABLED", "targetCapacity": 90},
        "managedTerminationProtection": "ENABLED",
    },
    "tags": {"team": "shop"},
}
CHANGED: Json = {
    "name": "hosts",
    "auto_scaling_group_provider": {
        "managedScaling": {"targetCapacity": 100},
        "managedTerminationProtection": "DISABLED",
    },
    "tags": {"team": "other"},
}


@pytest.mark.witness("ecs_capacity_provider")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_twelve_steps(run: Run, emulator: str) -> None:
    # MiniStack's UpdateCapacityProvider forgets the members of managedScaling that are not named, moto tags.
    tags = {} if emulator == "ministack" else {"tags": MADE["tags"]}
    changed = {**CHANGED, **tags}
    for step in (MADE, changed, {"name": "hosts", "state": "absent"}):
        predicted = run("ecs_capacity_provider", check=True, **step)
        real = run("ecs_capacity_provider", **step)
        assert predicted["changed"]
        assert real["changed"], real
        assert predicted["diff"] == real["diff"]
        for check in (True, False):
            again = run("ecs_capacity_provider", check=check, **step)
            assert not again["changed"], again
            assert again["diff"] == {"before": {}, "after": {}}


@pytest.mark.witness("ecs_capacity_provider_info")
@pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
def test_the_info_module_reads_what_exists(run: Run) -> None:
    made = run("ecs_capacity_provider", **MADE)["capacity_provider"]
    [found] = run("ecs_capacity_provider_info", names=["hosts", "nowhere"])["capacity_providers"]
    assert {name: found[name] for name in made} == made


def test_check_mode_returns_the_one_that_would_be(run: Run) -> None:
    predicted = run("ecs_capacity_provider", check=True, **MADE)["capacity_provider"]
    real = run("ecs_capacity_provider", **MADE)["capacity_provider"]
    assert predicted.pop("arn") == "unknown"
    assert real.pop("arn").endswith(":capacity-provider/hosts")
    assert predicted == real


def test_what_is_not_named_is_kept(run: Run) -> None:
    run("ecs_capacity_provider", **MADE)
    result = run(
        "ecs_capacity_provider", name="hosts", auto_scaling_group_provider={"managedTerminationProtection": "DISABLED"}
    )
    assert result["diff"]["after"] == {"auto_scaling_group_provider": {"managedTerminationProtection": "DISABLED"}}
    assert result["capacity_provider"]["auto_scaling_group_provider"]["managedScaling"]["targetCapacity"] == 90


def test_a_run_that_changes_nothing_makes_one_call(run: Run, calls: list[str]) -> None:
    run("ecs_capacity_provider", **MADE)
    calls.clear()
    run("ecs_capacity_provider", **MADE)
    assert calls == ["DescribeCapacityProviders"]


def test_a_group_given_by_name_is_its_arn(run: Run, calls: list[str]) -> None:
    run("ecs_capacity_provider", **MADE)
    calls.clear()
    named = {**MADE["auto_scaling_group_provider"], "autoScalingGroupArn": "shop"}
    assert not run("ecs_capacity_provider", **{**MADE, "auto_scaling_group_provider": named})["changed"]
    named["autoScalingGroupArn"] = "hop"
    result = run("ecs_capacity_provider", **{**MADE, "auto_scaling_group_provider": named})
    assert result["immutable"] == ["auto_scaling_group_provider.autoScalingGroupArn"]
    assert set(calls) == {"DescribeCapacityProviders"}


def test_another_group_is_refused(run: Run, calls: list[str]) -> None:
    run("ecs_capacity_provider", **MADE)
    calls.clear()
    result = run(
        "ecs_capacity_provider", name="hosts", auto_scaling_group_provider={"autoScalingGroupArn": f"{GROUP}2"}
    )
    assert (result["code"], result["immutable"]) == ("immutable", ["auto_scaling_group_provider.autoScalingGroupArn"])
    assert calls == ["DescribeCapacityProviders"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"name": "ecs-hosts"}, "expected a name without the reserved prefixes"),
        ({"auto_scaling_group_provider": {"scalingGroupArn": GROUP}}, "did you mean 'autoScalingGroupArn'?"),
        (
            {"auto_scaling_group_provider": {"managedDraining": "ENABLED"}},
            "expected the member 'autoScalingGroupArn', got none",
        ),
        ({"auto_scaling_group_provider": None}, "Expected one of auto_scaling_group_provider"),
        (
            {
                "auto_scaling_group_provider": {
                    "autoScalingGroupArn": GROUP,
                    "managedScaling": {"status": "DISABLED"},
                    "managedTerminationProtection": "ENABLED",
                }
            },
            "expected managedScaling with managedTerminationProtection",
        ),
    ],
)
def test_what_aws_would_refuse_is_reported_before(run: Run, calls: list[str], options: Json, text: str) -> None:
    result = run("ecs_capacity_provider", **{**MADE, **options})
    assert result["code"] == "invalid_option"
    assert text in result["msg"]
    assert set(calls) <= {"DescribeCapacityProviders"}


def test_deleting_takes_it_from_its_cluster_first(run: Run, calls: list[str]) -> None:
    run("ecs_capacity_provider", **MADE)
    strategy = [{"capacityProvider": "hosts", "weight": 1}]
    providers = ["FARGATE", "hosts"]
    run("ecs_cluster", name="shop", capacity_providers=providers, default_capacity_provider_strategy=strategy)
    options = {"name": "hosts", "state": "absent", "detach_from": ["shop", "nowhere"]}
    predicted = run("ecs_capacity_provider", check=True, **options)
    calls.clear()
    assert predicted["diff"] == run("ecs_capacity_provider", **options)["diff"]
    assert predicted["diff"]["before"]["clusters"] == ["shop"]
    changing = [call for call in calls if not call.startswith(("Describe", "List"))]
    assert changing == ["PutClusterCapacityProviders", "DeleteCapacityProvider"]
    cluster = run("ecs_cluster", name="shop")["cluster"]
    assert (cluster["capacity_providers"], cluster["default_capacity_provider_strategy"]) == (["FARGATE"], [])
    assert not run("ecs_capacity_provider", **options)["changed"]


def test_hosts_are_drained_before_its_deletion(run: Run, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    run("ecs_capacity_provider", **MADE)
    run("ecs_cluster", name="shop", capacity_providers=["hosts"])
    host = {
        "containerInstanceArn": "arn:1",
        "capacityProviderName": "hosts",
        "status": "ACTIVE",
        "runningTasksCount": 2,
    }
    other = {
        "containerInstanceArn": "arn:2",
        "capacityProviderName": "others",
        "status": "ACTIVE",
        "runningTasksCount": 9,
    }
    states = [[host, other], [{**host, "status": "DRAINING"}, other], [{**host, "runningTasksCount": 0}, other]]
    monkeypatch.setattr(api, "list_container_instances", lambda *_: states.pop(0) if len(states) > 1 else states[0])
    drained: list[str] = []
    monkeypatch.setattr(api, "drain_container_instances", lambda _ecs, _cluster, arns: drained.extend(arns))
    assert run("ecs_capacity_provider", name="hosts", state="absent", detach_from=["shop"])["changed"]
    assert (drained, len(states)) == (["arn:1"], 1)
    assert calls[-2:] == ["DeleteCapacityProvider", "DescribeCapacityProviders"]


def test_remaining_tasks_are_reported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("ecs_capacity_provider", **MADE)
    run("ecs_cluster", name="shop", capacity_providers=["hosts"])
    host = {"ec2InstanceId": "i-1", "capacityProviderName": "hosts", "status": "DRAINING", "runningTasksCount": 1}
    monkeypatch.setattr(api, "list_container_instances", lambda *_: [host])
    result = run("ecs_capacity_provider", name="hosts", state="absent", detach_from=["shop"], wait_timeout=0)
    assert (result["code"], result["hosts"]) == ("timeout", [{"instance": "i-1", "status": "DRAINING", "running": 1}])


class Answers:
    """Stands in for DescribeCapacityProviders: one state after the other, the last one for good."""

    def __init__(self, *states: Json | None) -> None:
        self.states = list(states)

    def __call__(self, _ecs: t.Any, name: str, _cluster: str | None) -> Json | None:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return None if state is None else {"name": name, "capacityProviderArn": "arn:x", **state}


ACTIVE: Json = {"status": "ACTIVE", "updateStatus": "CREATE_COMPLETE"}
GOING: Json = {"status": "ACTIVE", "updateStatus": "DELETE_IN_PROGRESS"}
GONE: Json = {"status": "INACTIVE", "updateStatus": "DELETE_COMPLETE"}


def test_one_that_is_about_to_go_is_created_again(run: Run, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "describe_capacity_provider", Answers(GOING, GOING, GONE, ACTIVE))
    assert run("ecs_capacity_provider", **MADE)["changed"]
    assert calls == ["CreateCapacityProvider"]


def test_one_that_is_deleted_is_absent(run: Run, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "describe_capacity_provider", Answers(GOING, GONE))
    assert not run("ecs_capacity_provider", name="hosts", state="absent")["changed"]
    assert calls == []


def test_what_aws_could_not_do_is_a_failure() -> None:
    failed = {"name": "hosts", "status": "ACTIVE", "updateStatus": "DELETE_FAILED", "updateStatusReason": "In use"}
    with pytest.raises(SlipwayError) as raised:
        capacity_provider.is_deleted(failed)
    assert raised.value.code == "capacity_provider_failed"
    assert "failed to delete the capacity provider hosts: In use" in raised.value.msg


def test_managed_instances_change_where_aws_lets_them(ecs_model: t.Any) -> None:
    shape = ecs_model.operation_model("UpdateCapacityProvider").input_shape
    old = {"infrastructureRoleArn": "arn:r", "instanceLaunchTemplate": {"monitoring": "BASIC", "fipsEnabled": False}}
    current = {"managed_instances_provider": old, "auto_scaling_group_provider": {}, "tags": {}}

    def plan(**template: t.Any) -> t.Any:
        params = {
            "managed_instances_provider": {"instanceLaunchTemplate": template},
            "auto_scaling_group_provider": None,
        }
        desired = capacity_provider.desired(current, capacity_provider.completed(current, params))
        return compare(current, desired, capacity_provider.SETS)

    request = capacity_provider.update_request(plan(monitoring="DETAILED"), shape)
    assert request == {
        "managedInstancesProvider": {
            "infrastructureRoleArn": "arn:r",
            "instanceLaunchTemplate": {"monitoring": "DETAILED"},
        }
    }
    with pytest.raises(
        SlipwayError, match=r"cannot change managed_instances_provider.instanceLaunchTemplate.fipsEnabled"
    ):
        capacity_provider.refuse_immutable("hosts", plan(fipsEnabled=True), shape)

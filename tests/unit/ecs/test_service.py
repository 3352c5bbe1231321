# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan from a current service to the desired one."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import option_names
from ansible_collections.slipway.aws.plugins.module_utils._ecs.service.model import (
    DesiredService,
    ServicePlan,
    Shapes,
    from_api,
    plan_service,
    refuse_blocked,
)
from ansible_collections.slipway.aws.plugins.modules.ecs_service import ARGUMENT_SPEC
from ansible_collections.slipway.aws.tests.unit.ecs.recorded import GROUP, PREFIX, Json, deployment, service

SUBNETS = {"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"]}}
# What AWS returns for a service that was created with minimal options.
PLAIN = {
    "networkConfiguration": {"awsvpcConfiguration": {**SUBNETS["awsvpcConfiguration"], "assignPublicIp": "DISABLED"}},
    "deploymentConfiguration": {
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    },
    "platformVersion": "LATEST",
    "propagateTags": "NONE",
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "deploymentController": {"type": "ECS"},
    "healthCheckGracePeriodSeconds": 0,
    "availabilityZoneRebalancing": "ENABLED",
    "tags": [{"key": "team", "value": "shop"}],
}


@pytest.fixture(scope="session")
def shapes(ecs_model: t.Any) -> Shapes:
    create, update = (ecs_model.operation_model(name).input_shape for name in ("CreateService", "UpdateService"))
    return Shapes(create, update)


@pytest.fixture
def plan(shapes: Shapes) -> t.Callable[..., ServicePlan]:
    def planned(
        current: Json | None, *, purge_tags: bool = True, recreate: bool = False, **asked: t.Any
    ) -> ServicePlan:
        options = from_api(current) if current else None
        return plan_service(options, DesiredService(asked, purge_tags=purge_tags, recreate=recreate), shapes)

    return planned


Planner = t.Callable[..., ServicePlan]


def live(**members: t.Any) -> Json:
    return service(**{**PLAIN, **members})


# Breadth


@pytest.mark.parametrize("operation", ["CreateService", "UpdateService"])
def test_every_member_of_the_api_is_an_option(ecs_model: t.Any, operation: str) -> None:
    elsewhere = {"service": "name", "service_name": "name"}
    names = {elsewhere.get(name, name) for name in option_names(ecs_model.operation_model(operation).input_shape)}
    assert names - set(ARGUMENT_SPEC) == set()


def test_choices_are_those_of_the_api(ecs_model: t.Any) -> None:
    shape = ecs_model.operation_model("CreateService").input_shape
    choices = {
        name: list(shape.members[member].enum)
        for name, member in option_names(shape).items()
        if getattr(shape.members[member], "enum", None)
    }
    assert choices == {name: ARGUMENT_SPEC[name]["choices"] for name in choices}


# What is no difference


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"network_configuration": SUBNETS},
        {"network_configuration": {"awsvpcConfiguration": {"subnets": ["subnet-2", "subnet-1"]}}},
        {"deployment_configuration": {"maximumPercent": 200}},
        {"deployment_configuration": {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}},
        {"deployment_configuration": {"alarms": {"alarmNames": [], "enable": False, "rollback": False}}},
        {"deployment_configuration": {"earlySuccessCriteria": {"enable": False}, "lifecycleHooks": []}},
        {"platform_version": "LATEST"},
        {"propagate_tags": "NONE", "enable_ecs_managed_tags": False, "enable_execute_command": False},
        {"health_check_grace_period_seconds": 0},
        {"load_balancers": [], "service_registries": [], "placement_constraints": [], "placement_strategy": []},
        {"capacity_provider_strategy": [], "volume_configurations": [], "vpc_lattice_configurations": []},
        {"service_connect_configuration": {"enabled": False}},
        {"scheduling_strategy": "REPLICA", "launch_type": "FARGATE", "deployment_controller": {"type": "ECS"}},
        {"tags": {"team": "shop"}},
    ],
    ids=lambda asked: ",".join(asked) or "nothing",
)
def test_what_aws_fills_in_is_no_difference(plan: Planner, asked: Json) -> None:
    planned = plan(live(), **asked)
    assert (planned.action, planned.plan.diff) == ("none", {"before": {}, "after": {}})


@pytest.mark.parametrize(("scheduling", "percents"), [("REPLICA", (200, 100)), ("DAEMON", (100, 0))])
def test_percentages_default_by_scheduling_strategy(plan: Planner, scheduling: str, percents: tuple[int, int]) -> None:
    configuration = {"maximumPercent": percents[0], "minimumHealthyPercent": percents[1]}
    running = live(schedulingStrategy=scheduling, deploymentConfiguration=configuration)
    assert not plan(running, deployment_configuration={}).changed


def test_order_of_sets_is_no_difference(plan: Planner) -> None:
    balancers = [{"targetGroupArn": f"{GROUP}{n}", "containerName": "web", "containerPort": 8080} for n in (1, 2)]
    strategy = [{"capacityProvider": name, "weight": 1, "base": 0} for name in ("FARGATE", "FARGATE_SPOT")]
    running = live(loadBalancers=balancers, capacityProviderStrategy=strategy, launchType=None)
    assert not plan(running, load_balancers=balancers[::-1], capacity_provider_strategy=strategy[::-1]).changed


def test_order_of_the_placement_strategy_is_a_difference(plan: Planner) -> None:
    spread, pack = {"type": "spread", "field": "instanceId"}, {"type": "binpack", "field": "MEMORY"}
    running = live(placementStrategy=[spread, pack])
    same = [{"type": "spread", "field": "host"}, {"type": "binpack", "field": "memory"}]
    assert not plan(running, placement_strategy=same).changed
    assert plan(running, placement_strategy=same[::-1]).request == {"placementStrategy": same[::-1]}


def test_weights_and_bases_default_to_nothing(plan: Planner) -> None:
    strategy = [
        {"capacityProvider": "one", "weight": 1, "base": 0},
        {"capacityProvider": "two", "weight": 0, "base": 0},
    ]
    running = live(capacityProviderStrategy=strategy, launchType=None)
    asked = [{"capacityProvider": "one", "weight": 1}, {"capacityProvider": "two"}]
    assert not plan(running, capacity_provider_strategy=asked).changed


def test_what_aws_shows_only_at_the_deployment_is_compared(plan: Planner) -> None:
    connect = {
        "enabled": True,
        "namespace": "shop",
        "services": [
            {
                "portName": "http",
                "discoveryName": "http",
                "clientAliases": [{"port": 80, "dnsName": "http.shop"}],
            }
        ],
    }
    running = service(deployment(serviceConnectConfiguration=connect), **PLAIN)
    asked = {"enabled": True, "services": [{"portName": "http", "clientAliases": [{"port": 80}]}]}
    assert not plan(running, service_connect_configuration=asked).changed
    asked["services"] = [{"portName": "http", "clientAliases": [{"port": 81}]}]
    planned = plan(running, service_connect_configuration=asked)
    assert planned.plan.members == {"service_connect_configuration"}
    assert planned.request["serviceConnectConfiguration"]["namespace"] == "shop"
    ended = plan(running, service_connect_configuration={"enabled": False, "namespace": "shop"})
    assert ended.request["serviceConnectConfiguration"] == {"enabled": False}


def test_aliases_that_are_left_out_are_each_services_own(plan: Planner) -> None:
    services = [
        {"portName": "http", "clientAliases": [{"port": 80}]},
        {"portName": "grpc", "clientAliases": [{"port": 81}]},
    ]
    running = service(deployment(serviceConnectConfiguration={"enabled": True, "services": services}), **PLAIN)
    asked = {"enabled": True, "services": [{"portName": "grpc"}, {"portName": "http"}]}
    assert not plan(running, service_connect_configuration=asked).changed


def test_roles_are_the_same_by_name_and_by_arn(plan: Planner) -> None:
    running = live(roleArn="arn:aws:iam::123456789012:role/ecs")
    assert not plan(running, role="ecs").changed
    assert plan(running, role="other").blocked == ("role",)


def test_target_groups_that_codedeploy_swaps_are_no_difference(plan: Planner) -> None:
    balancer = {"targetGroupArn": f"{GROUP}-green", "containerName": "web", "containerPort": 8080}
    running = live(loadBalancers=[balancer], deploymentController={"type": "CODE_DEPLOY"})
    assert not plan(running, load_balancers=[{**balancer, "targetGroupArn": f"{GROUP}-blue"}]).changed


# What is a difference


def test_a_nested_member_that_is_left_out_is_reset_to_its_default(plan: Planner) -> None:
    breaker = {"enable": True, "rollback": True}
    configuration = {**PLAIN["deploymentConfiguration"], "deploymentCircuitBreaker": breaker, "maximumPercent": 150}
    planned = plan(live(deploymentConfiguration=configuration), deployment_configuration={"maximumPercent": 150})
    assert planned.plan.diff == {
        "before": {"deployment_configuration": {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}},
        "after": {"deployment_configuration": {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}},
    }
    sent = planned.request["deploymentConfiguration"]
    assert sent["maximumPercent"] == 150
    assert (sent["deploymentCircuitBreaker"]["enable"], sent["deploymentCircuitBreaker"]["rollback"]) == (False, False)
    assert set(sent) == {"maximumPercent", "deploymentCircuitBreaker"}


def test_security_groups_that_are_left_out_are_sent_along(plan: Planner) -> None:
    moved = {"awsvpcConfiguration": {"subnets": ["subnet-3"]}}
    planned = plan(live(), network_configuration=moved)
    sent = planned.request["networkConfiguration"]["awsvpcConfiguration"]
    assert (sent["subnets"], sent["securityGroups"]) == (["subnet-3"], ["sg-1"])


def test_tags_are_changed_without_touching_the_service(plan: Planner) -> None:
    planned = plan(live(), tags={"stage": "test"})
    assert (planned.request, planned.put_tags, planned.remove_tags) == ({}, {"stage": "test"}, ["team"])
    kept = plan(live(), purge_tags=False, tags={"stage": "test"})
    assert (kept.put_tags, kept.remove_tags) == ({"stage": "test"}, [])
    assert kept.plan.predicted["tags"] == {"team": "shop", "stage": "test"}


def test_a_move_between_providers_forces_a_deployment(plan: Planner) -> None:
    spot = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    planned = plan(live(), capacity_provider_strategy=spot)
    assert (planned.blocked, planned.request) == ((), {"capacityProviderStrategy": spot, "forceNewDeployment": True})


def test_a_strategy_of_fargate_alone_is_what_its_launch_type_means(plan: Planner) -> None:
    running = live(capacityProviderStrategy=[{"capacityProvider": "FARGATE", "weight": 1}], launchType=None)
    assert plan(running, launch_type="FARGATE").action == "none"


def test_a_launch_type_empties_the_strategy(plan: Planner) -> None:
    running = live(capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}], launchType=None)
    planned = plan(running, launch_type="FARGATE")
    assert (planned.blocked, planned.request) == ((), {"capacityProviderStrategy": [], "forceNewDeployment": True})


# What cannot change


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"launch_type": "EC2"}, ["launch_type"]),
        ({"scheduling_strategy": "DAEMON"}, ["scheduling_strategy"]),
        ({"role": "other", "scheduling_strategy": "DAEMON"}, ["role", "scheduling_strategy"]),
    ],
)
def test_what_aws_cannot_change_is_refused_with_its_names(plan: Planner, asked: Json, names: list[str]) -> None:
    planned = plan(live(), **asked)
    with pytest.raises(SlipwayError) as refused:
        refuse_blocked(planned, "web")
    assert (refused.value.code, refused.value.details["immutable"]) == ("immutable", names)
    assert all(name in refused.value.msg for name in names)


def test_services_of_codedeploy_take_few_changes(plan: Planner) -> None:
    running = live(deploymentController={"type": "CODE_DEPLOY"})
    assert plan(running, platform_version="1.4.0").blocked == ("platform_version",)
    assert plan(running, desired_count=5).blocked == ()
    assert plan(running, platform_version="1.4.0", deployment_controller={"type": "ECS"}).blocked == ()


def test_a_service_of_codedeploy_is_refused_with_the_way_out(plan: Planner) -> None:
    running = live(deploymentController={"type": "CODE_DEPLOY"})
    with pytest.raises(SlipwayError) as refused:
        refuse_blocked(plan(running, task_definition="arn:aws:ecs:eu-central-1:1:task-definition/web:9"), "web")
    assert (refused.value.code, refused.value.details["immutable"]) == ("code_deploy", ["task_definition"])
    assert "deployment_controller.type=ECS" in refused.value.msg


def test_recreating_keeps_what_was_not_requested(plan: Planner) -> None:
    balancers = [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080}]
    running = live(loadBalancers=balancers, desiredCount=7, roleArn="arn:aws:iam::1:role/aws-service-role/ecs/x")
    planned = plan(running, recreate=True, launch_type="EC2")
    assert planned.action == "recreate"
    refuse_blocked(planned, "web")
    sent = planned.request
    assert (sent["launchType"], sent["desiredCount"], sent["loadBalancers"]) == ("EC2", 7, balancers)
    assert sent["tags"] == [{"key": "team", "value": "shop"}]
    assert "role" not in sent


def test_a_daemon_that_is_created_again_has_no_number_of_tasks(plan: Planner) -> None:
    connect = {"enabled": False}
    running = service(deployment(serviceConnectConfiguration=connect), **PLAIN, schedulingStrategy="DAEMON")
    sent = plan(running, recreate=True, launch_type="EC2").request
    assert (sent["schedulingStrategy"], sent["launchType"]) == ("DAEMON", "EC2")
    assert not {"desiredCount", "serviceConnectConfiguration"} & set(sent)


# New services


def test_a_new_service_runs_one_task_by_default(plan: Planner) -> None:
    assert plan(None, task_definition="web").request == {"taskDefinition": "web", "desiredCount": 1}
    assert "desiredCount" not in plan(None, task_definition="web", scheduling_strategy="DAEMON").request
    assert plan(None, task_definition="web", desired_count=0).request["desiredCount"] == 0


def test_a_new_service_is_predicted_with_what_aws_fills_in(plan: Planner) -> None:
    planned = plan(None, task_definition="web", tags={"a": "b"})
    assert planned.plan.diff["before"] == {}
    assert planned.plan.diff["after"] == {"task_definition": "web", "desired_count": 1, "tags": {"a": "b"}}
    assert planned.plan.predicted["propagate_tags"] == "NONE"
    assert planned.plan.predicted["volume_configurations"] == []
    assert set(planned.plan.predicted) <= {*ARGUMENT_SPEC, "service_arn"}
    assert planned.request["tags"] == [{"key": "a", "value": "b"}]


@pytest.mark.parametrize(
    ("options", "zones"),
    [
        ({}, "ENABLED"),
        ({"scheduling_strategy": "DAEMON"}, "DISABLED"),
        ({"launch_type": "EXTERNAL"}, "DISABLED"),
        ({"launch_type": "FARGATE"}, "ENABLED"),
        ({"deployment_controller": {"type": "EXTERNAL"}}, "DISABLED"),
        ({"deployment_configuration": {"maximumPercent": 100, "minimumHealthyPercent": 0}}, "DISABLED"),
        ({"deployment_configuration": {"maximumPercent": 150}}, "ENABLED"),
        ({"load_balancers": [{"loadBalancerName": "classic", "containerName": "web"}]}, "DISABLED"),
        ({"load_balancers": [{"targetGroupArn": GROUP, "containerName": "web"}]}, "ENABLED"),
        ({"placement_strategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}]}, "ENABLED"),
        ({"placement_strategy": [{"type": "binpack", "field": "memory"}]}, "DISABLED"),
        ({"placement_constraints": [{"type": "memberOf", "expression": "attribute:ecs.os-type == linux"}]}, "ENABLED"),
        (
            {"placement_constraints": [{"type": "memberOf", "expression": "attribute:ecs.availability-zone == a"}]},
            "DISABLED",
        ),
        ({"scheduling_strategy": "DAEMON", "availability_zone_rebalancing": "ENABLED"}, "ENABLED"),
    ],
)
def test_zones_are_rebalanced_where_tasks_can_move(plan: Planner, options: Json, zones: str) -> None:
    assert plan(None, task_definition="web", **options).plan.predicted["availability_zone_rebalancing"] == zones


# Names and ARNs

LINKED = "arn:aws:iam::123456789012:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
SPOT = f"{PREFIX}:capacity-provider/spot"
EBS = {"roleArn": "arn:aws:iam::123456789012:role/ebs", "sizeInGiB": 1}
KEY = "arn:aws:kms:eu-central-1:123456789012:key/0a"


@pytest.mark.parametrize(
    ("returned", "asked", "others"),
    [
        ({"roleArn": LINKED}, {"role": "AWSServiceRoleForECS"}, []),
        (
            {"roleArn": "arn:aws:iam::123456789012:role/ecs"},
            {"role": "ecs"},
            [{"role": "a/ecs"}, {"role": "arn:aws:iam::210987654321:role/ecs"}, {"role": LINKED}],
        ),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "spot", "weight": 1, "base": 0}], "launchType": ""},
            {"capacity_provider_strategy": [{"capacityProvider": SPOT, "weight": 1}]},
            [
                {"capacity_provider_strategy": [{"capacityProvider": f"{SPOT}2", "weight": 1}]},
                {"capacity_provider_strategy": [{"capacityProvider": SPOT, "weight": 2}]},
            ],
        ),
        (
            {"volumeConfigurations": [{"name": "v", "managedEBSVolume": {**EBS, "kmsKeyId": KEY}}]},
            {"volume_configurations": [{"name": "v", "managedEBSVolume": {**EBS, "kmsKeyId": "0a"}}]},
            [{"volume_configurations": [{"name": "v", "managedEBSVolume": {**EBS, "kmsKeyId": "0b"}}]}],
        ),
    ],
    ids=["linked role", "role", "capacity provider", "key"],
)
def test_a_name_and_its_arn_are_no_difference(plan: Planner, returned: Json, asked: Json, others: list[Json]) -> None:
    running = live(**returned)
    assert plan(running, **asked).plan.diff == {"before": {}, "after": {}}
    for other in others:
        assert plan(running, **other).changed


# Strategies

HOOK = {"hookTargetArn": "arn:aws:lambda:x", "roleArn": "arn:aws:iam::1:role/x", "lifecycleStages": ["POST_SCALE_UP"]}


@pytest.mark.parametrize(
    ("asked", "returned"),
    [
        ({"strategy": "BLUE_GREEN"}, {"bakeTimeInMinutes": 5}),
        ({"strategy": "LINEAR"}, {"linearConfiguration": {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}}),
        (
            {"strategy": "CANARY", "canaryConfiguration": {"canaryPercent": 10}},
            {"canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 10}},
        ),
        (
            {"strategy": "BLUE_GREEN", "lifecycleHooks": [HOOK]},
            {
                "lifecycleHooks": [
                    {
                        **HOOK,
                        "targetType": "AWS_LAMBDA",
                        "timeoutConfiguration": {"timeoutInMinutes": 1440, "action": "ROLLBACK"},
                    }
                ]
            },
        ),
        (
            {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
            {
                "deploymentCircuitBreaker": {
                    "enable": True,
                    "rollback": True,
                    "resetOnHealthyTask": True,
                    "thresholdConfiguration": {"type": "BOUNDED_PERCENT", "value": 50},
                }
            },
        ),
    ],
    ids=["blue/green", "linear", "canary", "hooks", "breaker"],
)
def test_defaults_of_strategies_are_no_difference(plan: Planner, asked: Json, returned: Json) -> None:
    running = live(deploymentConfiguration={**PLAIN["deploymentConfiguration"], **asked, **returned})
    assert plan(running, deployment_configuration=asked).plan.diff == {"before": {}, "after": {}}


def test_hooks_in_another_order_are_no_difference(plan: Planner) -> None:
    hooks = [HOOK, {**HOOK, "hookTargetArn": "arn:aws:lambda:y"}]
    running = live(deploymentConfiguration={**PLAIN["deploymentConfiguration"], "lifecycleHooks": hooks})
    assert not plan(running, deployment_configuration={"lifecycleHooks": hooks[::-1]}).changed


def test_settings_of_another_strategy_do_not_linger(plan: Planner) -> None:
    left_over = {"linearConfiguration": {"stepPercent": 20.0, "stepBakeTimeInMinutes": 1}}
    running = live(deploymentConfiguration={**PLAIN["deploymentConfiguration"], **left_over})
    assert not plan(running, deployment_configuration={"strategy": "ROLLING"}).changed

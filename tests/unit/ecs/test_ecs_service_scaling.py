# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A service gets exactly the scaling that is requested, keeps it, and loses it. MiniStack has none and says so."""

from __future__ import annotations

import typing as t

import boto3
import botocore.client
import pytest
import yaml

from ansible_collections.slipway.aws.plugins.module_utils._ecs.scaling.model import is_schedule
from ansible_collections.slipway.aws.plugins.modules import ecs_service_scaling

Json = dict[str, t.Any]
WEB: Json = {"name": "web", "min_capacity": 2, "max_capacity": 10}
NIGHT: Json = {"name": "night", "schedule": "cron(0 22 * * ? *)", "min_capacity": 1, "max_capacity": 2}
QUEUE: Json = {"name": "orders", "messages_per_task": 100}
WORKER: Json = {"name": "worker", "min_capacity": 0, "max_capacity": 20, "queue": QUEUE}
ALARM = "StepScaling-service/shop/worker-QueueStartFromZero"
MARK = {"key": "slipway:scaling", "value": "true"}


class Shop(t.NamedTuple):
    """A cluster with the services web and stock, and what AWS says of their scaling."""

    run: t.Callable[..., Json]
    ecs: t.Any
    client: t.Any

    def scale(self, *services: Json, check: bool = False) -> Json:
        return self.run("ecs_service_scaling", check, cluster="shop", services=list(services))

    def state(self, service: str = "web") -> Json:
        resource = {"ServiceNamespace": "ecs", "ResourceId": f"service/shop/{service}"}
        targets = self.client.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource["ResourceId"]])
        policies = self.client.describe_scaling_policies(**resource)["ScalingPolicies"]
        return {
            "bounds": [(one["MinCapacity"], one["MaxCapacity"]) for one in targets["ScalableTargets"]],
            "policies": {
                p["PolicyName"]: p["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for p in policies
            },
            "schedules": {
                action["ScheduledActionName"]: action["Schedule"]
                for action in self.client.describe_scheduled_actions(**resource)["ScheduledActions"]
            },
            "marked": MARK in self.tags(service),
        }

    def tags(self, service: str) -> list[Json]:
        found = self.ecs.describe_services(cluster="shop", services=[service], include=["TAGS"])["services"]
        return list(found[0].get("tags", []))


@pytest.fixture
def shop(run: t.Any, ecs: t.Any) -> Shop:
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web:1", "memory": 64}])
    for name in ("web", "stock"):
        ecs.create_service(cluster="shop", serviceName=name, taskDefinition="web", desiredCount=3)
    return Shop(run, ecs, boto3.client("application-autoscaling"))


class Queue(t.NamedTuple):
    """A worker in a cluster with Container Insights, and its queue."""

    shop: Shop
    cloudwatch: t.Any

    def scale(self, check: bool = False, **options: t.Any) -> Json:
        return self.shop.scale({**WORKER, **options}, check=check)

    def alarms(self) -> dict[str, Json]:
        """Alarms that AWS has not created for target tracking, by name."""
        found = self.cloudwatch.describe_alarms()["MetricAlarms"]
        return {one["AlarmName"]: one for one in found if not one["AlarmName"].startswith("TargetTracking-")}

    def policies(self) -> dict[str, Json]:
        place = {"ServiceNamespace": "ecs", "ResourceId": "service/shop/worker"}
        return {
            one["PolicyName"]: one for one in self.shop.client.describe_scaling_policies(**place)["ScalingPolicies"]
        }


@pytest.fixture
def queue(shop: Shop) -> Queue:
    insights = [{"name": "containerInsights", "value": "enabled"}]
    shop.ecs.update_cluster(cluster="shop", settings=insights)
    tags = [{"key": "slipway:project", "value": "shop"}]
    shop.ecs.create_service(cluster="shop", serviceName="worker", taskDefinition="web", desiredCount=0, tags=tags)
    boto3.client("sqs").create_queue(QueueName="orders")
    return Queue(shop, boto3.client("cloudwatch"))


@pytest.mark.witness("ecs_service_scaling")
def test_twelve_steps(shop: Shop) -> None:
    first = {**WEB, "cpu_utilization": 60, "memory_utilization": 70, "schedules": [NIGHT]}
    second = {**WEB, "max_capacity": 20, "cpu_utilization": 50, "scale_in_cooldown": 600}
    none: Json = {"bounds": [], "policies": {}, "schedules": {}, "marked": False}
    cpu, memory = "ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization"
    steps: list[tuple[Json, Json]] = [
        (
            first,
            {
                "bounds": [(2, 10)],
                "policies": {cpu: 60, memory: 70},
                "schedules": {"night": "cron(0 22 * * ? *)"},
                "marked": True,
            },
        ),
        (second, {**none, "bounds": [(2, 20)], "policies": {cpu: 50}, "marked": True}),
        ({"name": "web", "state": "absent"}, none),
    ]
    for wanted, expected in steps:
        before = shop.state()
        predicted = shop.scale(wanted, check=True)
        assert shop.state() == before
        done = shop.scale(wanted)
        assert (predicted["changed"], done["changed"]) == (True, True), done
        assert predicted["services"] == done["services"]
        assert predicted["diff"] == done["diff"]
        assert shop.state() == expected
        for check in (True, False):
            assert shop.scale(wanted, check=check)["changed"] is False


def test_a_new_target_gets_the_tags_of_its_service(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = shop.ecs.describe_services(cluster="shop", services=["web"])["services"][0]["serviceArn"]
    shop.ecs.tag_resource(resourceArn=arn, tags=[{"key": "slipway:project", "value": "shop"}])
    sent: list[Json] = []
    call = botocore.client.BaseClient._make_api_call

    def noted(client: t.Any, operation: str, members: Json) -> t.Any:
        if operation == "RegisterScalableTarget":
            sent.append(members.get("Tags", {}))
        return call(client, operation, members)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", noted)
    shop.scale(WEB)
    # AWS refuses tags for a target that exists.
    shop.scale({**WEB, "max_capacity": 20})
    assert sent == [{"slipway:project": "shop"}, {}]


def test_alarms_go_with_the_scaling(shop: Shop) -> None:
    cloudwatch = boto3.client("cloudwatch")
    shop.scale({**WEB, "cpu_utilization": 60})
    assert len(cloudwatch.describe_alarms()["MetricAlarms"]) == 2
    shop.scale({"name": "web", "state": "absent"})
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_the_diff_has_exactly_what_differs(shop: Shop) -> None:
    shop.scale({**WEB, "cpu_utilization": 60})
    diff = shop.scale({**WEB, "cpu_utilization": 75})["diff"]
    policies = "ECSServiceAverageCPUUtilization"
    assert diff["before"] == {"web": {"policies": {policies: {"TargetValue": 60.0}}}}
    assert diff["after"] == {"web": {"policies": {policies: {"TargetValue": 75.0}}}}


def test_services_are_read_and_changed_in_one_run(shop: Shop, calls: list[str]) -> None:
    both = [{**WEB, "cpu_utilization": 60}, {"name": "stock", "min_capacity": 1, "max_capacity": 2}]
    shop.scale(*both)
    calls.clear()
    assert shop.scale(*both)["changed"] is False
    assert sorted(set(calls)) == [
        "DescribeScalableTargets",
        "DescribeScalingPolicies",
        "DescribeScheduledActions",
        "DescribeServices",
    ]
    assert (calls.count("DescribeServices"), calls.count("DescribeScalableTargets")) == (1, 1)


def test_requests_are_counted_at_the_service_s_target_group(shop: Shop) -> None:
    ec2, elb = boto3.client("ec2"), boto3.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = [("10.0.0.0/24", "a"), ("10.0.1.0/24", "b")]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"eu-central-1{zone}")["Subnet"]["SubnetId"]
        for cidr, zone in zones
    ]
    group = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0][
        "TargetGroupArn"
    ]
    balancer = elb.create_load_balancer(Name="lb", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)
    shop.ecs.create_service(
        cluster="shop",
        serviceName="api",
        taskDefinition="web",
        desiredCount=1,
        loadBalancers=[{"targetGroupArn": group, "containerName": "web", "containerPort": 80}],
    )
    wanted = {**WEB, "name": "api", "requests_per_target": 500}
    policy = shop.scale(wanted)["services"]["api"]["policies"]["ALBRequestCountPerTarget"]
    label = f"{balancer.partition(':loadbalancer/')[2]}/{group.rpartition(':')[2]}"
    assert policy["PredefinedMetricSpecification"]["ResourceLabel"] == label
    assert shop.scale(wanted)["changed"] is False
    refused = shop.scale({**WEB, "requests_per_target": 500})
    assert (refused["code"], "one target group of the service, got 0" in refused["msg"]) == ("invalid_option", True)


def test_what_a_schedule_did_is_not_undone(shop: Shop) -> None:
    """At night the bounds are those of the night; other bounds than these come from someone else."""
    wanted = {**WEB, "schedules": [NIGHT]}
    shop.scale(wanted)
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/shop/web",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    shop.client.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
    assert shop.scale(wanted)["changed"] is False
    shop.client.register_scalable_target(**target, MinCapacity=1, MaxCapacity=7)
    assert shop.scale(wanted)["changed"] is True
    assert shop.state()["bounds"] == [(2, 10)]


def metrics_of(queries: list[Json]) -> dict[str, t.Any]:
    """What a policy or an alarm computes from what, by the names in its expression."""
    return {
        one["Id"]: one.get("Expression")
        or (one["MetricStat"]["Metric"]["MetricName"], one["MetricStat"]["Metric"]["Dimensions"])
        for one in queries
    }


def test_a_worker_follows_its_queue_to_and_from_zero(queue: Queue) -> None:
    predicted = queue.scale(check=True)
    assert (queue.policies(), queue.alarms()) == ({}, {})
    done = queue.scale()
    assert predicted["services"] == done["services"]
    policies, [alarm] = queue.policies(), queue.alarms().values()
    tracking = policies["QueueBacklogPerTask"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 100
    own, place = [{"Name": "QueueName", "Value": "orders"}], {"ClusterName": "shop", "ServiceName": "worker"}
    running = ("RunningTaskCount", [{"Name": name, "Value": value} for name, value in place.items()])
    assert metrics_of(tracking["CustomizedMetricSpecification"]["Metrics"]) == {
        "waiting": ("ApproximateNumberOfMessagesVisible", own),
        "in_flight": ("ApproximateNumberOfMessagesNotVisible", own),
        "running": running,
        "backlog_per_task": "(waiting + FILL(in_flight, 0)) / running",
    }
    starting = policies["QueueStartFromZero"]
    assert starting["StepScalingPolicyConfiguration"]["AdjustmentType"] == "ChangeInCapacity"
    assert (alarm["AlarmName"], alarm["AlarmActions"]) == (ALARM, [starting["PolicyARN"]])
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
    assert metrics_of(alarm["Metrics"]) == {
        "waiting": ("ApproximateNumberOfMessagesVisible", own),
        "running": running,
        "without_tasks": "IF(FILL(running, 0) < 1, waiting, 0)",
    }
    tags = queue.cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
    assert tags == [{"Key": "slipway:project", "Value": "shop"}]
    assert queue.scale()["changed"] is False
    assert queue.scale(check=True)["changed"] is False
    queue.shop.scale({"name": "worker", "state": "absent"})
    assert (queue.policies(), queue.cloudwatch.describe_alarms()["MetricAlarms"]) == ({}, [])


def test_a_worker_that_always_runs_needs_no_alarm(queue: Queue) -> None:
    queue.scale()
    assert queue.scale(min_capacity=1)["changed"]
    assert (list(queue.policies()), queue.alarms()) == (["QueueBacklogPerTask"], {})
    # At night it may have no task.
    night = {"name": "night", "schedule": "cron(0 22 * * ? *)", "min_capacity": 0, "max_capacity": 0}
    queue.scale(min_capacity=1, schedules=[night])
    assert list(queue.alarms()) == [ALARM]


@pytest.mark.parametrize("left", [{}, {"alarms": {}}])
def test_what_others_changed_on_the_alarm_is_restored(queue: Queue, left: Json) -> None:
    queue.scale()
    [alarm] = queue.alarms().values()
    if left:
        queue.cloudwatch.delete_alarms(AlarmNames=[ALARM])
    else:
        queue.cloudwatch.disable_alarm_actions(AlarmNames=[ALARM])
    assert queue.scale()["changed"]
    assert queue.alarms()[ALARM]["AlarmActions"] == alarm["AlarmActions"]
    assert queue.alarms()[ALARM]["ActionsEnabled"]
    assert queue.scale()["changed"] is False


def test_an_alarm_triggers_the_policy_that_replaced_its_own(queue: Queue) -> None:
    queue.scale()
    target = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    queue.shop.client.delete_scaling_policy(PolicyName="QueueStartFromZero", ResourceId="service/shop/worker", **target)
    assert queue.scale()["changed"]
    assert queue.alarms()[ALARM]["AlarmActions"] == [queue.policies()["QueueStartFromZero"]["PolicyARN"]]


def test_an_alarm_without_a_target_is_deleted(queue: Queue) -> None:
    """A run was interrupted, or someone has deregistered the target, which deletes its policies and keeps the alarm."""
    queue.scale()
    target = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
    queue.shop.client.deregister_scalable_target(ResourceId="service/shop/worker", **target)
    queue.shop.scale({"name": "worker", "state": "absent"})
    assert queue.alarms() == {}


@pytest.mark.parametrize("check", [False, True])
def test_a_queue_that_does_not_exist_is_reported(queue: Queue, calls: list[str], check: bool) -> None:
    result = queue.scale(check=check, queue={**QUEUE, "name": "order"})
    assert (result["failed"], result["code"]) == (True, "not_found")
    assert "services, worker: queue.name: expected an existing queue, got 'order'. Create the queue" in result["msg"]
    assert set(calls) == {"DescribeServices", "GetQueueUrl"}


def test_a_cluster_that_does_not_count_tasks_is_reported(queue: Queue) -> None:
    off = [{"name": "containerInsights", "value": "disabled"}]
    queue.shop.ecs.update_cluster(cluster="shop", settings=off)
    result = queue.scale()
    assert (result["failed"], result["code"]) == (True, "invalid_option")
    assert "worker: queue: expected Container Insights on the cluster shop" in result["msg"]
    assert (queue.policies(), queue.shop.tags("worker")) == ({}, [{"key": "slipway:project", "value": "shop"}])
    # The cluster may get it in the same run.
    assert queue.scale(check=True)["changed"]


def test_the_mark_survives_a_change_of_tags(shop: Shop) -> None:
    shop.scale(WEB)
    shop.run("ecs_service", name="web", cluster="shop", tags={"team": "shop"}, wait=False)
    assert sorted(tag["key"] for tag in shop.tags("web")) == ["slipway:scaling", "team"]


def test_check_mode_without_a_cluster(run: t.Any, aws: None) -> None:
    wanted = {**WEB, "cpu_utilization": 60, "requests_per_target": 500}
    predicted = run("ecs_service_scaling", check=True, cluster="shop", services=[wanted])
    assert predicted["changed"]
    specification = predicted["services"]["web"]["policies"]["ALBRequestCountPerTarget"][
        "PredefinedMetricSpecification"
    ]
    assert specification["ResourceLabel"] == "unknown"


def test_a_service_that_does_not_exist_is_reported(shop: Shop) -> None:
    result = shop.scale({**WEB, "name": "wbe"})
    assert (result["failed"], result["code"]) == (True, "not_found")


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"max_capacity": 1}, "min_capacity: expected at most max_capacity, 1, got 2"),
        ({"min_capacity": -1}, "min_capacity: expected 0 or more, got -1"),
        ({"max_capacity": None}, "expected min_capacity and max_capacity, got 2 and None"),
        ({"cpu_utilization": 120}, "cpu_utilization: expected a percentage above 0 and up to 100, got 120.0"),
        ({"requests_per_target": 0}, "requests_per_target: expected a number above 0, got 0.0"),
        ({"scale_in_cooldown": -5}, "scale_in_cooldown: expected 0 seconds or more, got -5"),
        ({"schedules": [NIGHT, NIGHT]}, "schedules: expected each name once, got night 2 times"),
        ({"schedules": [{**NIGHT, "schedule": "0 22 * * *"}]}, "such as cron(0 22 * * ? *), got '0 22 * * *'"),
        (
            {"schedules": [{**NIGHT, "timezone": "Seoul time"}]},
            "expected a time zone such as Asia/Seoul, got 'Seoul time'",
        ),
        ({"queue": {**QUEUE, "messages_per_task": 0}}, "queue.messages_per_task: expected a number above 0, got 0.0"),
        ({"queue": {**QUEUE, "name": "https://sqs/1/orders"}}, "queue.name: expected the name of a queue, up to 80"),
        (
            {"queue": QUEUE, "min_capacity": 0, "max_capacity": 0},
            "max_capacity: expected 1 or more for a service with a queue, got 0",
        ),
        (
            {"schedules": [{**NIGHT, "min_capacity": 3}]},
            "schedules, night: min_capacity: expected at most max_capacity, 2, got 3",
        ),
        (
            {"schedules": [{"name": "night", "schedule": "cron(0 22 * * ? *)", "max_capacity": 0}]},
            "schedules, night: max_capacity: expected at least 2, or a min_capacity, got 0",
        ),
        (
            {"schedules": [{"name": "day", "schedule": "cron(0 6 * * ? *)", "min_capacity": 11}]},
            "schedules, day: min_capacity: expected at most 10, or a max_capacity, got 11",
        ),
    ],
)
def test_wrong_scaling_is_refused(shop: Shop, calls: list[str], wrong: Json, problem: str) -> None:
    result = shop.scale({**WEB, **wrong})
    assert (result["code"], problem in result["msg"]) == ("invalid_option", True), result["msg"]
    assert calls == []


@pytest.mark.parametrize(
    ("expression", "right"),
    [
        ("at(2026-12-24T18:00:00)", True),
        ("at(2026-12-24)", False),
        ("rate(1 hour)", True),
        ("rate(12 hours)", True),
        ("rate(1 hours)", False),
        ("rate(0 days)", False),
        ("cron(0 22 ? * MON-FRI *)", True),
        ("cron(0 22 * * * *)", False),
        ("cron(0 22 * * ?)", False),
    ],
)
def test_schedules(expression: str, right: bool) -> None:
    assert is_schedule(expression) is right


def test_examples(shop: Shop, queue: Queue) -> None:
    for task in yaml.safe_load(ecs_service_scaling.EXAMPLES):
        options = task["slipway.aws.ecs_service_scaling"]
        assert shop.run("ecs_service_scaling", **options)["changed"], task["name"]
        assert not shop.run("ecs_service_scaling", **options)["changed"], task["name"]


@pytest.mark.parametrize("emulator", ["ministack"], indirect=True)
def test_an_endpoint_without_scaling_is_reported(shop: Shop) -> None:
    result = shop.scale(WEB, check=True)
    assert result["code"] == "unsupported"
    assert "does not support Application Auto Scaling" in result["msg"]

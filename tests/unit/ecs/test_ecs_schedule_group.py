# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A group has exactly the schedules that are requested; each runs what its service runs, as its tasks run."""

from __future__ import annotations

import datetime
import json
import typing as t

import boto3
import botocore.client
import pytest
import yaml
from botocore.exceptions import ClientError

from ansible_collections.slipway.aws.plugins.module_utils._core import creating
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SCHEDULE
from ansible_collections.slipway.aws.plugins.module_utils._ecs.schedule import model
from ansible_collections.slipway.aws.plugins.modules import ecs_schedule_group

Json = dict[str, t.Any]
MODULE = "ecs_schedule_group"
BOTH = pytest.mark.parametrize("emulator", ["moto", "ministack"], indirect=True)
ROLE = "arn:aws:iam::123456789012:role/shop-schedules"
QUEUE = "arn:aws:sqs:eu-central-1:123456789012:failed-schedules"
OWN = {"slipway:project": "shop"}
NIGHT: Json = {
    "name": "night",
    "service": "web",
    "schedule": "cron(0 22 * * ? *)",
    "timezone": "Asia/Seoul",
    "command": ["clean", "up"],
    "environment": {"DAYS": 7},
}
HOURLY: Json = {"name": "hourly", "task_definition": "web", "launch_type": "EC2", "schedule": "rate(1 hour)"}


class Shop(t.NamedTuple):
    """A cluster whose service web runs a revision of its own, and a group of schedules."""

    run: t.Callable[..., Json]
    ecs: t.Any
    scheduler: t.Any

    def set(self, *schedules: Json, check: bool = False, **options: t.Any) -> Json:
        own = {"cluster": "shop", "name": "shop", "role_arn": ROLE, "match_tags": OWN}
        return self.run(MODULE, check, **{**own, "schedules": list(schedules), **options})

    def names(self) -> list[str]:
        return sorted(one["Name"] for one in self.scheduler.list_schedules(GroupName="shop")["Schedules"])

    def groups(self) -> list[str]:
        return [one["Name"] for one in self.scheduler.list_schedule_groups()["ScheduleGroups"]]

    def target(self, name: str) -> Json:
        return dict(self.scheduler.get_schedule(GroupName="shop", Name=name)["Target"])

    def register(self, family: str = "web", **members: t.Any) -> str:
        """The ARN of a new revision."""
        containers = [{"name": family, "image": "web:1", "memory": 64}]
        answer = self.ecs.register_task_definition(family=family, containerDefinitions=containers, **members)
        return str(answer["taskDefinition"]["taskDefinitionArn"])


@pytest.fixture
def shop(run: t.Any, aws: None) -> Shop:
    shop = Shop(run, boto3.client("ecs"), boto3.client("scheduler"))
    shop.ecs.create_cluster(clusterName="shop")
    revision = shop.register()
    tags = [{"key": "slipway:project", "value": "shop"}]
    shop.ecs.create_service(
        cluster="shop", serviceName="web", taskDefinition=revision, desiredCount=0, propagateTags="SERVICE", tags=tags
    )
    # What no service runs.
    shop.register()
    return shop


@pytest.mark.witness(MODULE)
@BOTH
def test_twelve_steps(shop: Shop) -> None:
    changed = {**NIGHT, "schedule": "cron(0 23 * * ? *)", "maximum_retry_attempts": 3, "flexible_window": 15}
    steps: list[tuple[list[Json], Json, list[str]]] = [
        ([NIGHT, HOURLY], {"tags": {"stage": "test"}}, ["hourly", "night"]),
        ([changed], {"tags": {"stage": "live"}}, ["night"]),
        ([], {"state": "absent"}, []),
    ]
    for schedules, options, expected in steps:
        before = shop.groups(), shop.names()
        predicted = shop.set(*schedules, check=True, **options)
        assert (shop.groups(), shop.names()) == before
        done = shop.set(*schedules, **options)
        assert shop.names() == expected, done
        assert (predicted["changed"], done["changed"]) == (True, True), done
        assert predicted["diff"] == done["diff"]
        if options.get("state") != "absent":
            assert predicted["group"]["schedules"] == done["group"]["schedules"]
            assert done["group"]["tags"] == {**OWN, **options["tags"]}
        for check in (True, False):
            again = shop.set(*schedules, check=check, **options)
            assert (again["changed"], again["diff"]) == (False, {"before": {}, "after": {}})
    assert shop.groups() == ["default"]


@BOTH
def test_a_schedule_runs_what_the_service_runs_with_its_settings(shop: Shop) -> None:
    shop.set(NIGHT, {**HOURLY, "dead_letter_queue": QUEUE, "maximum_event_age": 600, "count": 2})
    target = shop.target("night")
    assert (target["Arn"].rpartition(":")[2], target["RoleArn"]) == ("cluster/shop", ROLE)
    assert target["EcsParameters"]["TaskDefinitionArn"].endswith("task-definition/web:1")
    # CDK has tags in this form, AWS's model allows any.
    assert target["EcsParameters"]["Tags"] == [{"key": "slipway:project", "value": "shop"}]
    assert json.loads(target["Input"]) == {
        "containerOverrides": [
            {"name": "web", "command": ["clean", "up"], "environment": [{"name": "DAYS", "value": "7"}]}
        ]
    }
    hourly = shop.target("hourly")
    assert (hourly["DeadLetterConfig"], hourly["RetryPolicy"]["MaximumEventAgeInSeconds"]) == ({"Arn": QUEUE}, 600)
    assert hourly["EcsParameters"]["TaskCount"] == 2
    # Without a revision, the latest one, which the service does not run.
    assert hourly["EcsParameters"]["TaskDefinitionArn"].endswith("task-definition/web:2")
    assert "Input" not in hourly


def test_schedules_follow_a_release_and_a_rollback(shop: Shop) -> None:
    shop.set(NIGHT, HOURLY)
    old = shop.target("night")
    shop.ecs.update_service(cluster="shop", service="web", taskDefinition=shop.register())
    predicted, done = (shop.set(NIGHT, HOURLY, check=check) for check in (True, False))
    assert predicted["diff"] == done["diff"]
    revision = done["diff"]["after"]["schedules"]["night"]["Target"]["EcsParameters"]
    assert list(revision) == ["TaskDefinitionArn"]
    assert shop.target("night")["EcsParameters"]["TaskDefinitionArn"].endswith("web:3")
    shop.ecs.update_service(cluster="shop", service="web", taskDefinition=old["EcsParameters"]["TaskDefinitionArn"])
    followed = shop.run(MODULE, name="shop", cluster="shop", match_tags=OWN)
    assert followed["changed"] is True
    assert shop.target("night") == old
    assert shop.target("hourly")["EcsParameters"]["TaskDefinitionArn"].endswith("web:1")
    assert shop.run(MODULE, name="shop", cluster="shop")["changed"] is False
    # A group that does not exist has nothing to follow, and is not created.
    assert shop.run(MODULE, name="other", cluster="shop")["changed"] is False
    assert "other" not in shop.groups()


@BOTH
def test_a_schedule_that_was_deleted_or_changed_by_hand_is_repaired(shop: Shop) -> None:
    shop.set(NIGHT, HOURLY)
    shop.scheduler.delete_schedule(GroupName="shop", Name="night")
    hourly = {"GroupName": "shop", "Name": "hourly", "FlexibleTimeWindow": {"Mode": "OFF"}}
    shop.scheduler.update_schedule(
        **hourly, ScheduleExpression="rate(1 hour)", State="DISABLED", Target=shop.target("hourly")
    )
    done = shop.set(NIGHT, HOURLY)
    assert done["diff"]["before"] == {"schedules": {"hourly": {"State": "DISABLED"}}}
    assert done["diff"]["after"]["schedules"]["hourly"] == {"State": "ENABLED"}
    assert shop.names() == ["hourly", "night"]


def test_other_schedules_of_the_group_are_kept_on_request(shop: Shop) -> None:
    shop.set(NIGHT, HOURLY)
    assert shop.set(NIGHT, purge_schedules=False)["changed"] is False
    one: Json = {"state": "absent", "schedules": [{"name": "hourly"}, {"name": "none"}]}
    assert shop.set(check=True, **one)["changed"] is True
    assert shop.set(**one)["group"]["schedules"].keys() == {"night"}
    assert shop.names() == ["night"]
    assert shop.set(**one)["changed"] is False


def test_a_group_of_someone_else_is_neither_changed_nor_deleted(shop: Shop) -> None:
    shop.scheduler.create_schedule_group(Name="shop", Tags=[{"Key": "slipway:project", "Value": "bank"}])
    for options in ({}, {"state": "absent"}, {"state": "absent", "schedules": [NIGHT]}):
        result = shop.set(NIGHT, **options)
        assert (result["code"], "slipway:project=shop" in result["msg"]) == ("conflict", True)
    assert shop.names() == []


def test_a_start_that_has_passed_is_dropped_as_aws_refuses_it_in_an_update(shop: Shop) -> None:
    now = datetime.datetime.now(datetime.UTC)
    later = {**NIGHT, "start_date": f"{now + datetime.timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}
    assert shop.set(later)["changed"]
    assert shop.set(later)["changed"] is False
    passed = model.schedule_from_api(
        shop.scheduler.get_schedule(GroupName="shop", Name="night"), now + datetime.timedelta(days=2)
    )
    assert "StartDate" not in passed
    early = {**NIGHT, "start_date": f"{now - datetime.timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"}
    done = shop.set(early)
    assert (done["changed"], "StartDate" in done["group"]["schedules"]["night"]) == (True, False)


def test_a_schedule_that_never_runs_again_is_left_alone_with_a_warning(shop: Shop) -> None:
    """AWS refuses a time that has passed, so each later release would fail."""
    once = {**NIGHT, "schedule": "at(2020-01-01T00:00:00)"}
    ended = {**HOURLY, "end_date": "2020-01-01T00:00:00Z"}
    done = shop.set(once, ended)
    assert shop.names() == []
    assert [f"The schedule {name} will never run again" in str(done["warnings"]) for name in ("night", "hourly")] == [
        True
    ] * 2


def test_check_mode_predicts_what_does_not_exist_yet(shop: Shop) -> None:
    new = {**NIGHT, "service": "stock"}
    assert shop.set(new, check=True)["group"]["schedules"]["night"]["Target"] == "unknown"
    assert shop.set(new, check=True, cluster="none")["changed"]
    revision = {**NIGHT, "task_definition": "web:unknown"}
    assert shop.set(revision, check=True)["group"]["schedules"]["night"]["Target"] == "unknown"
    assert shop.set(new)["msg"].startswith("schedules, night, service: expected a service of cluster shop, got 'stock'")


def test_a_role_that_aws_does_not_know_yet_is_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(creating, "PAUSE", 0.01)
    text = "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
    refusals = [True, True]
    call = botocore.client.BaseClient._make_api_call

    def refused(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation == "CreateSchedule" and refusals and refusals.pop():
            raise ClientError({"Error": {"Code": "ValidationException", "Message": text}}, operation)
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refused)
    assert shop.set(NIGHT)["changed"]
    assert (shop.names(), refusals) == (["night"], [])


def test_a_group_is_deleted_once_aws_has_deleted_its_schedules(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.set(NIGHT)
    states = ["DELETING", "DELETING"]
    call = botocore.client.BaseClient._make_api_call
    deleted: list[str] = []

    def slow(client: t.Any, operation: str, request: Json) -> t.Any:
        if operation == "DeleteScheduleGroup":
            deleted.append(request["Name"])
        if operation == "GetScheduleGroup" and deleted and states:
            return {"Name": "shop", "Arn": "arn:aws:scheduler:::schedule-group/shop", "State": states.pop()}
        return call(client, operation, request)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", slow)
    assert shop.set(state="absent")["changed"]
    assert (states, deleted) == ([], ["shop"])


def test_what_aws_answers_with_defaults_is_what_was_requested() -> None:
    """As a public recording of GetSchedule shows it, with the defaults that RunTask documents."""
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    network = {"awsvpcConfiguration": {"Subnets": ["b", "a"], "SecurityGroups": ["sg"]}}
    sent: Json = {
        "ScheduleExpression": "rate(1 hour)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": "cluster",
            "RoleArn": ROLE,
            "EcsParameters": {"TaskDefinitionArn": "web:1", "NetworkConfiguration": network},
        },
    }
    answered: Json = {
        **sent,
        "Name": "hourly",
        "GroupName": "shop",
        "ActionAfterCompletion": "NONE",
        "ScheduleExpressionTimezone": "UTC",
        "State": "ENABLED",
        "Target": {
            **sent["Target"],
            "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185},
            "EcsParameters": {
                "TaskDefinitionArn": "web:1",
                "TaskCount": 1,
                "EnableECSManagedTags": False,
                "EnableExecuteCommand": False,
                "CapacityProviderStrategy": [],
                "PlatformVersion": "LATEST",
                "NetworkConfiguration": {
                    "awsvpcConfiguration": {
                        "AssignPublicIp": "DISABLED",
                        "Subnets": ["a", "b"],
                        "SecurityGroups": ["sg"],
                    }
                },
            },
        },
    }
    assert model.schedule_from_api(answered, now) == model.schedule_from_api(sent, now)


@pytest.mark.parametrize(
    ("schedules", "options", "said"),
    [
        ([NIGHT], {"name": "default"}, "name: expected a separate group, got 'default'"),
        ([NIGHT], {"role_arn": None}, "role_arn: expected the role that EventBridge Scheduler assumes"),
        ([NIGHT, NIGHT], {}, "schedules: expected each name once, got 'night' 2 times"),
        ([{**NIGHT, "schedule": None}], {}, "schedules, night, schedule: expected an expression, got none"),
        ([{**NIGHT, "schedule": "0 22 * * *"}], {}, "schedules, night, schedule: expected at(2026-12-24T18:00:00)"),
        ([{**NIGHT, "service": None}], {}, "schedules, night, service: expected a service, or task_definition"),
        ([{**NIGHT, "start_date": "soon"}], {}, "schedules, night, start_date: expected a date such as"),
        (
            [{**NIGHT, "start_date": "2030-01-02", "end_date": "2030-01-01"}],
            {},
            "schedules, night, end_date: expected one after start_date, 2030-01-02, got 2030-01-01",
        ),
    ],
)
def test_options_that_contradict_each_other_are_refused(schedules: list[Json], options: Json, said: str) -> None:
    omitted: Json = {**{name: option.get("default") for name, option in SCHEDULE.items()}}
    given = {"state": "present", "name": "shop", "role_arn": ROLE, **options}
    with pytest.raises(SlipwayError) as caught:
        model.validate({**given, "schedules": [{**omitted, **one} for one in schedules]})
    assert (caught.value.code, said in caught.value.msg) == ("invalid_option", True), caught.value.msg


def test_what_aws_would_refuse_is_refused_before_anything_changes(shop: Shop) -> None:
    for members, said in (
        ({"maximum_retry_attempts": 200}, "MaximumRetryAttempts: expected 0 to 185, got 200"),
        ({"flexible_window": 2000}, "MaximumWindowInMinutes: expected 1 to 1440, got 2000"),
        ({"dead_letter_queue": "queue"}, "DeadLetterConfig.Arn: expected text that matches"),
        ({"name": "every night"}, "Name: expected text that matches"),
        ({"container": "db"}, "schedules, night, container: expected one of web, got 'db'"),
        ({"count": 11}, "schedules, night, count: expected 1 to 10, got 11"),
    ):
        result = shop.set({**NIGHT, **members})
        assert (result["code"], said in result["msg"]) == ("invalid_option", True), result["msg"]
    assert shop.groups() == ["default"]


def test_a_volume_that_is_configured_at_launch_cannot_be_scheduled(shop: Shop) -> None:
    shop.register("stock", volumes=[{"name": "data", "configuredAtLaunch": True}])
    result = shop.set({**HOURLY, "task_definition": "stock"})
    assert "schedules, hourly, task_definition: expected no volume that is configured at launch" in result["msg"]


def test_examples(shop: Shop) -> None:
    shop.ecs.update_service(cluster="shop", service="web", taskDefinition=shop.register("django"))
    for example in yaml.safe_load(ecs_schedule_group.EXAMPLES):
        result = shop.run(MODULE, **example[f"slipway.aws.{MODULE}"])
        assert result["changed"] is not example["name"].startswith("Run what"), result

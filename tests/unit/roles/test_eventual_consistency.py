# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An account whose reads lag behind its changes, as the local cloud's do with local_cloud_lag_seconds."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import sys
import time
import typing as t
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.tests import emulators

pytest.importorskip("ministack", reason="the local cloud's emulator is not installed")
from ministack.core.responses import request_scope
from ministack.services import ec2, iam
from ministack.services import ecs as emulator

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.conftest import RunModule

pytestmark = pytest.mark.own_cloud("lags itself")
Json = dict[str, t.Any]

FILES = Path(__file__).resolve().parents[3] / "roles/local_cloud/files"
LAG = 1.0
CONTAINER = {"name": "web", "image": "web", "memory": 64}
TRUST = '{"Version": "2012-10-17", "Statement": []}'


class Account:
    """The emulator behind the patch, with a clock of the test's."""

    def __init__(self, patch: t.Any) -> None:
        self.now = 0.0
        self.visibility = patch.Visibility(LAG, lambda: self.now)
        self.handlers = {
            name: patch.delayed(module.handle_request, name, self.visibility)
            for name, module in (("ec2", ec2), ("ecs", emulator), ("iam", iam))
        }

    def answer(self, service: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        status, _headers, answered = asyncio.run(self.handlers[service]("POST", "/", headers, body, {}))
        return status, answered if isinstance(answered, str) else answered.decode()

    def form(self, service: str, action: str, **parameters: str) -> tuple[int, str]:
        """A call of EC2 or IAM; two underscores in a parameter stand for a dot."""
        form = {"Action": action, **{name.replace("__", "."): value for name, value in parameters.items()}}
        body = urllib.parse.urlencode(form).encode()
        return self.answer(service, {"content-type": "application/x-www-form-urlencoded"}, body)

    def ecs(self, operation: str, **members: t.Any) -> Json:
        target = {"x-amz-target": f"AmazonEC2ContainerServiceV20141113.{operation}"}
        status, body = self.answer("ecs", target, json.dumps(members).encode())
        return {"status": status, **json.loads(body)}

    def later(self) -> None:
        self.now += LAG


@pytest.fixture
def account() -> Iterator[Account]:
    kept, actions = dict(vars(emulator)), dict(emulator._ACTION_MAP)
    with pytest.MonkeyPatch.context() as patch, request_scope("000000000000", "eu-central-1"):
        patch.syspath_prepend(str(FILES))
        import eventual_consistency  # type: ignore[import-not-found]

        found = Account(eventual_consistency)
        # Tasks are records only, wherever an engine answers.
        patch.setattr(emulator, "_get_docker", lambda: None)
        eventual_consistency.roles(emulator, found.visibility)
        eventual_consistency.linked_role(emulator, found.visibility)
        yield found
        for module in (ec2, emulator, iam):
            module.reset()
    vars(emulator).update(kept)
    emulator._ACTION_MAP.update(actions)
    for name in ("eventual_consistency", "emulator_patches"):
        sys.modules.pop(name, None)


def test_a_new_resource_of_ec2_is_not_found_for_a_moment(account: Account) -> None:
    created = account.form("ec2", "CreateSecurityGroup", GroupName="web", GroupDescription="new")[1]
    [group] = re.findall(r"<groupId>(.*?)</groupId>", created)
    named = {"Filter__1__Name": "group-name", "Filter__1__Value__1": "web"}
    status, missing = account.form("ec2", "DescribeSecurityGroups", GroupId__1=group)
    assert (status, "InvalidGroup.NotFound" in missing, group in missing) == (400, True, True)
    assert group not in account.form("ec2", "DescribeSecurityGroups", **named)[1]
    account.later()
    assert group in account.form("ec2", "DescribeSecurityGroups", **named)[1]
    assert account.form("ec2", "DescribeSecurityGroups", GroupId__1=group)[0] == 200


def test_a_read_shows_what_was_true_before_a_change(account: Account) -> None:
    account.ecs("CreateCluster", clusterName="web")
    read: Json = {"clusters": ["web"], "include": ["SETTINGS"]}
    assert account.ecs("DescribeClusters", **read)["failures"][0]["reason"] == "MISSING"
    assert account.ecs("ListClusters")["clusterArns"] == []
    account.later()
    before = account.ecs("DescribeClusters", **read)["clusters"][0]["settings"]
    after = [{"name": "containerInsights", "value": "enabled"}]
    account.ecs("UpdateClusterSettings", cluster="web", settings=after)
    assert account.ecs("DescribeClusters", **read)["clusters"][0]["settings"] == before != after
    account.later()
    assert account.ecs("DescribeClusters", **read)["clusters"][0]["settings"] == after


def test_no_read_is_older_than_the_lag(account: Account) -> None:
    """One from before the service was created is none that a later change brings back."""
    account.ecs("CreateCluster", clusterName="web")
    account.ecs("RegisterTaskDefinition", family="web", containerDefinitions=[CONTAINER])
    account.later()
    account.ecs("CreateService", cluster="web", serviceName="api", taskDefinition="web", desiredCount=0)
    read: Json = {"cluster": "web", "services": ["api"]}
    assert account.ecs("DescribeServices", **read)["services"] == []
    account.later()
    account.ecs("CreateCluster", clusterName="other")
    assert account.ecs("DescribeServices", **read)["services"][0]["serviceName"] == "api"


def test_what_exists_is_found_after_something_new_names_it(account: Account) -> None:
    account.ecs("CreateCluster", clusterName="web")
    account.later()
    account.ecs("RegisterTaskDefinition", family="web", containerDefinitions=[CONTAINER])
    vpc = re.findall(r"<vpcId>(.*?)</vpcId>", account.form("ec2", "CreateVpc", CidrBlock="10.9.0.0/16")[1])[0]
    account.visibility.reset()
    account.ecs("CreateService", cluster="web", serviceName="api", taskDefinition="web", desiredCount=0)
    found = account.ecs("DescribeServices", cluster="web", services=["api"])
    assert (found["status"], found["failures"][0]["reason"]) == (200, "MISSING")
    account.form("ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.9.0.0/24")
    assert account.form("ec2", "DescribeVpcs", VpcId__1=vpc)[0] == 200


def test_an_answer_may_be_text(account: Account) -> None:
    """That of ImportKeyPair is."""

    async def handle(*_request: t.Any) -> tuple[int, dict[str, str], str]:
        return 200, {}, "<keyPairId>key-0123456789abcdef0</keyPairId>"

    account.handlers["ec2"] = sys.modules["eventual_consistency"].delayed(handle, "ec2", account.visibility)
    assert account.form("ec2", "ImportKeyPair", KeyName="mine")[0] == 200
    assert account.visibility.hidden("ec2") == {"key-0123456789abcdef0"}


def test_a_new_service_is_not_found_in_a_cluster_of_the_same_name(account: Account) -> None:
    account.ecs("CreateCluster", clusterName="web")
    definition = account.ecs("RegisterTaskDefinition", family="web", containerDefinitions=[CONTAINER])
    account.later()
    revision = definition["taskDefinition"]["taskDefinitionArn"]
    account.ecs("CreateService", cluster="web", serviceName="web", taskDefinition=revision)
    answer = account.ecs("DescribeServices", cluster="web", services=["web"])
    assert (answer["services"], answer["failures"][0]["reason"]) == ([], "MISSING")
    account.later()
    assert account.ecs("DescribeServices", cluster="web", services=["web"])["services"]


def test_a_cluster_of_a_deleted_name_is_new_again(account: Account) -> None:
    for _time in range(2):
        account.ecs("CreateCluster", clusterName="web")
        assert account.ecs("DescribeClusters", clusters=["web"])["clusters"] == []
        account.later()
        assert account.ecs("DescribeClusters", clusters=["web"])["clusters"]
        account.ecs("DeleteCluster", cluster="web")
        account.later()
        assert account.ecs("DescribeClusters", clusters=["web"])["clusters"] == []


def test_a_new_role_cannot_be_assumed_for_a_moment(account: Account) -> None:
    account.ecs("CreateCluster", clusterName="web")
    account.later()
    account.form("iam", "CreateRole", RoleName="web", AssumeRolePolicyDocument=TRUST)
    assert "NoSuchEntity" in account.form("iam", "GetRole", RoleName="web")[1]
    role = "arn:aws:iam::000000000000:role/web"
    definition: Json = {"family": "web", "executionRoleArn": role, "containerDefinitions": [CONTAINER]}
    revision = account.ecs("RegisterTaskDefinition", **definition)["taskDefinition"]["taskDefinitionArn"]
    refused = account.ecs("RunTask", cluster="web", taskDefinition=revision)
    assert refused["__type"] == "ClientException"
    assert refused["message"].startswith(f"ECS was unable to assume the role '{role}'")
    service = account.ecs("CreateService", cluster="web", serviceName="web", taskDefinition=revision)["service"]
    assert "unable to assume the role" in service["events"][0]["message"]
    assert service["runningCount"] == 0
    account.later()
    end = time.monotonic() + 30
    while emulator._services["web/web"]["runningCount"] != 1:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_first_service_of_an_account_waits_for_the_service_linked_role(account: Account) -> None:
    account.ecs("RegisterTaskDefinition", family="web", containerDefinitions=[CONTAINER])
    for name, statuses in (("first", [400, 200]), ("second", [200, 400])):
        account.ecs("CreateCluster", clusterName=name)
        service = {"cluster": name, "serviceName": "web", "taskDefinition": "web:1"}
        answer = account.ecs("CreateService", **service)
        assert answer["status"] == statuses[0], answer
        account.later()
        assert account.ecs("CreateService", **service)["status"] == statuses[1]
    assert "service linked role" not in str(answer)


def test_ec2_does_not_know_a_new_instance_profile_for_a_moment(account: Account) -> None:
    account.form("iam", "CreateInstanceProfile", InstanceProfileName="web")
    launch = {"ImageId": "ami-12345678", "MinCount": "1", "MaxCount": "1", "IamInstanceProfile__Name": "web"}
    status, answer = account.form("ec2", "RunInstances", **launch)
    assert (status, "<Code>InvalidParameterValue</Code>" in answer) == (400, True)
    assert "parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name" in answer
    arn = "arn:aws:iam::000000000000:instance-profile/web"
    by_arn = {**launch, "IamInstanceProfile__Name": "", "IamInstanceProfile__Arn": arn}
    _status, answer = account.form("ec2", "RunInstances", **by_arn)
    assert f"({arn}) for parameter iamInstanceProfile.arn is invalid. Invalid IAM Instance Profile ARN" in answer
    account.later()
    assert account.form("ec2", "RunInstances", **launch)[0] == 200


@pytest.fixture
def lagging(aws: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with emulators.running(emulators.MINISTACK, tmp_path, LOCAL_CLOUD_LAG_SECONDS=str(LAG)) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        yield


def changes_nothing(run: RunModule, module: str, options: Json) -> bool:
    return run(module, **options).get("changed") is False


@pytest.mark.variants
def test_modules_converge_in_a_lagging_account(lagging: None, run: RunModule) -> None:
    """Each finds what it has just created, and a rerun changes nothing."""
    name = "shop"
    role = boto3.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    definition: Json = {"family": name, "execution_role_arn": role, "container_definitions": [CONTAINER]}
    service: Json = {"cluster": name, "name": "web", "task_definition": name, "desired_count": 1, "wait_timeout": 20}
    steps: list[tuple[str, Json]] = [
        ("ecs_cluster", {"name": name, "capacity_providers": ["FARGATE"]}),
        ("ecs_task_definition", definition),
        ("ecs_service", service),
        ("ecs_release", {"cluster": name, "services": [{"name": "api", "task_definition": definition}]}),
    ]
    for module, options in steps:
        created = run(module, **options)
        assert created.get("changed"), created.get("msg", created)
        # A rerun within the lag may repeat what it cannot see.
        again = run(module, **options)
        assert "failed" not in again, again
        end = time.monotonic() + 60
        # What reads show within the lag says nothing of what they show after it.
        time.sleep(1.5 * LAG)
        while not changes_nothing(run, module, options):
            assert time.monotonic() < end
            time.sleep(1.5 * LAG)
    for place in ("web", "api"):
        deleted = run("ecs_service", cluster=name, name=place, state="absent", force=True)
        assert deleted.get("changed"), deleted
    assert run("ecs_cluster", name=name, state="absent").get("changed")


# What the patch is for. A test that fails here means: remove that part of it.


def test_the_emulator_starts_tasks_with_any_role() -> None:
    assert "unable to assume" not in inspect.getsource(emulator)


def test_the_emulator_shows_each_change_at_once() -> None:
    assert "lag" not in inspect.getsource(emulator._describe_clusters)

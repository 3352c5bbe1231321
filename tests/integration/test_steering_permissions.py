# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases with tasks and strategies, and the verbs that steer them, as a user who has the policy `service` only.

SLIPWAY_AUTHORIZATION is the record of a local cloud that enforces policies (`local_cloud_auth`).
"""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import boto3
import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.deployer import policy_documents
from ansible_collections.slipway.aws.tests import deployers, permissions
from ansible_collections.slipway.aws.tests.integration.conftest import REGION, Json, Shop, fails
from ansible_collections.slipway.aws.tests.integration.processes import Playbook
from ansible_collections.slipway.aws.tests.integration.strategies import PATIENCE, Site
from ansible_collections.slipway.aws.tests.policies import PERMISSIONS, VALUES

pytestmark = pytest.mark.slow
PAUSE = {"pause": ["POST_TEST_TRAFFIC_SHIFT"], "pause_minutes": 100, "bake_minutes": 0}
QUICK_SHIFT = {"bake_minutes": 0}
MIGRATION = {"name": "migrate", "service": "web", "command": ["sh", "-c", "echo migrated"], "wait_timeout": PATIENCE}
ENDLESS = {"name": "migrate", "service": "web", "command": ["sleep", "600"], "wait_timeout": 5}
# Of the releases, newest first.
OUTCOMES = ["succeeded", "succeeded", "rolled_back", "succeeded", "failed", "succeeded"]
# What this test is about; a user who reads and creates a site needs more. Each statement with such an action has to be
# needed.
ACTIONS = {
    "ecs:ContinueServiceDeployment",
    "ecs:CreateService",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeServiceDeployments",
    "ecs:ListServiceDeployments",
    "ecs:RegisterTaskDefinition",
    "ecs:RunTask",
    "ecs:StopServiceDeployment",
    "ecs:StopTask",
    "ecs:TagResource",
    "ecs:UntagResource",
    "ecs:UpdateService",
    "iam:PassRole",
    "ssm:AddTagsToResource",
    "ssm:GetParametersByPath",
    "ssm:PutParameter",
}
# Of secrets, which this project has not.
OTHER_STATEMENTS = {"CreateSecrets"}


class Deployer:
    """An IAM user with the document `service` only, for a project that root has prepared."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.iam = boto3.client("iam")
        account = boto3.client("sts").get_caller_identity()["Account"]
        values = {**VALUES, "project": name, "cluster": name, "region": REGION, "account": account}
        self.document = policy_documents(PERMISSIONS, values, ["strategies", "tasks"])["service"]
        self.keys = deployers.user(self.iam, name, json.dumps(self.document))
        self.roles: dict[str, str] = {}

    def create_role(self, kind: str, service: str) -> None:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        made = self.iam.create_role(
            RoleName=f"{self.name}-{kind}",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        self.roles[kind] = str(made["Role"]["Arn"])

    def delete(self) -> None:
        user = f"{deployers.PREFIX}{self.name}"
        for key in self.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
            self.iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        self.iam.delete_user_policy(UserName=user, PolicyName="all")
        self.iam.delete_user(UserName=user)
        for kind in self.roles:
            self.iam.delete_role(RoleName=f"{self.name}-{kind}")


@pytest.fixture
def record() -> Path:
    path = os.environ.get("SLIPWAY_AUTHORIZATION")
    if not path:
        pytest.skip("SLIPWAY_AUTHORIZATION is not set: it is the record of a local cloud that enforces policies")
    return Path(path)


@pytest.fixture
def deployer(shop: Shop) -> t.Iterator[Deployer]:
    deployer, logs = Deployer(shop.name), boto3.client("logs")
    try:
        deployer.create_role("execution", "ecs-tasks.amazonaws.com")
        deployer.create_role("load-balancing", "ecs.amazonaws.com")
        logs.create_log_group(logGroupName=f"/ecs/{shop.name}")
        yield deployer
    finally:
        logs.delete_log_group(logGroupName=f"/ecs/{shop.name}")
        deployer.delete()


@pytest.fixture
def site(shop: Shop, deployer: Deployer, network: Json, listening: list[str], endpoint: str) -> t.Iterator[Site]:
    site = Site(shop, network, listening, endpoint)
    site.roles, site.tags, site.log_group = deployer.roles, {"slipway:project": shop.name}, f"/ecs/{shop.name}"
    try:
        site.create()
        yield site
    finally:
        site.delete()


class Steering:
    """Releases of the deployer. Runs in processes of their own have the keys of the user, too."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder

    def options(self, version: str, strategy: str, traffic: Json, **options: t.Any) -> Json:
        project = {"project": self.site.name, "record_tags": self.site.tags}
        return {**self.site.options(version, strategy, traffic), **project, **options}

    def release(self, version: str, strategy: str, traffic: Json, **options: t.Any) -> Json:
        return self.site.shop.run("ecs_release", **self.options(version, strategy, traffic, **options))

    def paused(self, version: str) -> Playbook:
        run = Playbook(self.folder, "ecs_release", **self.options(version, "blue_green", PAUSE))
        self.site.wait_paused(run)
        return run


def test_a_deployer_needs_each_permission_to_steer_and_no_other(
    site: Site, deployer: Deployer, record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", deployer.keys["access_key"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", deployer.keys["secret_key"])
    steering = Steering(site, tmp_path)

    # Releases with a migration: a good one, and one that hangs, whose revision is deregistered.
    created = steering.release("v1", "canary", QUICK_SHIFT, pre_deploy_tasks=[MIGRATION])
    assert created.get("changed"), created
    hung = steering.release("v2", "canary", QUICK_SHIFT, pre_deploy_tasks=[ENDLESS])
    fails(hung, "timeout", "Pre-deploy task migrate of service web: ")

    # A pause that is continued, and one that is stopped.
    run = steering.paused("v2")
    (continued,) = site.steer("continued")["deployments"]
    assert (continued["status"], run.process.wait(PATIENCE)) == ("SUCCESSFUL", 0), run.output
    run = steering.paused("v3")
    (stopped,) = site.steer("stopped")["deployments"]
    assert stopped["status"] == "ROLLBACK_SUCCESSFUL", stopped
    assert run.process.wait(PATIENCE) != 0, run.output

    # A release that is rolled back on demand, and the history of all of them.
    assert steering.release("v4", "blue_green", QUICK_SHIFT).get("changed")
    project = {"cluster": site.name, "project": site.name, "record_tags": site.tags, "wait_timeout": PATIENCE}
    rolled_back = site.shop.run("ecs_release", rollback_to="previous", **project)
    assert rolled_back.get("changed"), rolled_back
    assert site.request("production") == ("v2", 200)
    history = site.shop.run("project_history", project=site.name)["history"]
    assert [one["outcome"] for one in history["releases"]] == OUTCOMES, history

    lines = [json.loads(line) for line in record.read_text().splitlines()]
    own = [line for line in lines if line["caller"].endswith(f"/{deployers.PREFIX}{site.name}")]
    assert [f"{line['action']} on {line['refused']}" for line in own if "refused" in line] == []
    assert permissions.surplus("service", steering_part(deployer.document), own, set()) == []


def steering_part(document: Json) -> Json:
    """The statements of a policy, with those actions only that the test is about."""
    others = [one for one in document["Statement"] if one["Sid"] not in OTHER_STATEMENTS]
    return {"Statement": [{**one, "Action": sorted(ACTIONS & set(one["Action"]))} for one in others]}

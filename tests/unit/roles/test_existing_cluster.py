# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster, roles and a log group that others own: the role uses them and leaves them as they are."""

from __future__ import annotations

import json
import typing as t

import pytest

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Cloud, Run

Json = dict[str, t.Any]

REGION = "eu-central-1"
TASKS, ECS = "ecs-tasks.amazonaws.com", "ecs.amazonaws.com"
GROUP = {"name": "/others/logs", "existing": True}


def entry(name: str = "main") -> Json:
    return {"name": name, "ansible.builtin.include_role": {"name": "slipway.aws.ecs_cluster", "tasks_from": name}}


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Others(t.NamedTuple):
    """What other people have in the account."""

    cloud: Cloud
    cluster: str
    roles: dict[str, str]

    def state(self) -> str:
        """All that AWS says about it."""
        ecs, iam, logs = (self.cloud.client(service) for service in ("ecs", "iam", "logs"))
        include = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"]
        names = sorted(one["RoleName"] for one in iam.list_roles()["Roles"])
        roles = [
            (
                iam.get_role(RoleName=name)["Role"],
                iam.list_role_policies(RoleName=name)["PolicyNames"],
                iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
                iam.list_role_tags(RoleName=name)["Tags"],
            )
            for name in names
        ]
        clusters = ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"], include=include)["clusters"]
        groups = logs.describe_log_groups()["logGroups"]
        tags = [logs.list_tags_for_resource(resourceArn=one["arn"].removesuffix(":*"))["tags"] for one in groups]
        return json.dumps([clusters, roles, groups, tags], default=str, sort_keys=True)


@pytest.fixture(scope="module")
def others(cloud: Cloud) -> Others:
    ecs, iam, logs = (cloud.client(service) for service in ("ecs", "iam", "logs"))
    cluster = ecs.create_cluster(
        clusterName="shared",
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
        tags=[{"key": "owner", "value": "platform"}],
    )["cluster"]["clusterArn"]
    given = {"execution": TASKS, "task": TASKS, "load_balancer": ECS, "schedule": "scheduler.amazonaws.com"}
    roles = {
        name: iam.create_role(RoleName=f"shared-{name}", Path="/platform/", AssumeRolePolicyDocument=trust(service))
        for name, service in given.items()
    }
    logs.create_log_group(logGroupName=GROUP["name"])
    return Others(cloud, cluster, {name: answer["Role"]["Arn"] for name, answer in roles.items()})


def variables(others: Others, **more: t.Any) -> Json:
    roles = {f"ecs_cluster_{name}_role_arn": arn for name, arn in others.roles.items()}
    return {
        "slipway_project": "shop",
        "ecs_cluster_arn": others.cluster,
        "ecs_cluster_log_groups": [GROUP],
        **roles,
        **more,
    }


def play(others: Others, *options: str, entries: t.Sequence[str] = ("main",), **more: t.Any) -> Run:
    shown = {"ansible.builtin.debug": {"msg": "result={{ ecs_cluster_result | to_json }}"}}
    tasks = [*map(entry, entries), *([shown] if "absent" not in entries else [])]
    return others.cloud.play(tasks, *options, **variables(others, **more))


def result_of(run: Run) -> Json:
    text = run.output.partition("result=")[2].partition("\n")[0].removesuffix('"').replace('\\"', '"')
    return dict(json.loads(text))


@pytest.mark.variants
def test_existing_pieces_are_used_and_left_as_they_are(others: Others) -> None:
    before = others.state()
    for options in (("--check",), (), ()):
        run = play(others, *options)
        assert (run.code, run.changed) == (0, 0), run.output
        result = result_of(run)
        assert (result["name"], result["arn"], result["log_groups"]) == ("shared", others.cluster, [GROUP["name"]])
        assert {name: result[f"{name}_role_arn"] for name in others.roles} == others.roles
        assert result["default_strategy"] == [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    assert others.state() == before
    deleted = play(others, entries=["absent"])
    assert (deleted.code, deleted.changed) == (0, 0), deleted.output
    assert others.state() == before


@pytest.mark.variants
def test_names_are_enough(others: Others) -> None:
    roles = {f"ecs_cluster_{name}_role_arn": arn.rpartition("/")[2] for name, arn in others.roles.items()}
    for entries in (["main"], ["find"]):
        run = play(others, entries=entries, ecs_cluster_arn="shared", **roles)
        assert (run.code, run.changed) == (0, 0), run.output
        assert {name: result_of(run)[f"{name}_role_arn"] for name in others.roles} == others.roles


@pytest.mark.variants
def test_roles_of_the_project_are_created_beside_the_cluster_and_go_alone(others: Others) -> None:
    before = others.state()
    own = {f"ecs_cluster_{name}_role_arn": "" for name in others.roles}
    for options, changes in ((("--check",), 2), ((), 2), ((), 0)):
        run = play(others, *options, **own, ecs_cluster_task_role="", ecs_cluster_log_groups=[])
        assert (run.code, run.changed) == (0, changes), run.output
    assert (result_of(run)["task_role_arn"], result_of(run)["log_groups"]) == ("", [])
    assert result_of(run)["execution_role_arn"].endswith("role/shop-execution")
    deleted = play(others, entries=["absent"], **own)
    assert (deleted.code, deleted.changed) == (0, 1), deleted.output
    assert others.state() == before


ARN = f"arn:aws:ecs:{REGION}:000000000000:cluster"
# What the role finds in the account; each problem is in tests/unit/plugins/plugin_utils.
WRONG: Json = {
    "ecs_cluster_arn": f"{ARN}/missing",
    "ecs_cluster_task_role_arn": "missing",
    "ecs_cluster_execution_role_arn": "shared-schedule",
    "ecs_cluster_log_groups": [{**GROUP, "name": "/none"}],
}
REFUSED = [
    "ecs_cluster_arn: expected an active cluster of this account",
    "ecs_cluster_task_role_arn: expected an existing role, got none",
    "that ecs-tasks.amazonaws.com can assume, got shared-schedule",
    "(/none): expected an existing log group, got none",
]


def test_what_is_missing_or_wrong_is_refused_before_anything_is_created(others: Others) -> None:
    before = others.state()
    run = play(others, **WRONG)
    assert run.code == 2
    printed = " ".join(run.output.split())
    assert [problem for problem in REFUSED if problem not in printed] == []
    assert others.state() == before


@pytest.mark.variants
def test_what_has_the_projects_tag_is_not_of_others(others: Others) -> None:
    """Otherwise destroy would delete it."""
    tag = [{"key": "slipway:project", "value": "shop"}]
    others.cloud.client("ecs").tag_resource(resourceArn=others.cluster, tags=tag)
    try:
        refused = play(others)
        assert refused.code == 2
        assert "expected a cluster outside the project, got one with the tag slipway:project=shop" in " ".join(
            refused.output.split()
        )
        deleted = play(others, entries=["absent"])
        assert (deleted.code, deleted.changed) == (0, 0), deleted.output
    finally:
        others.cloud.client("ecs").untag_resource(resourceArn=others.cluster, tagKeys=["slipway:project"])

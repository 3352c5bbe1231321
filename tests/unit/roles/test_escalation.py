# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No policy document opens a known path to more permissions, or to what belongs to others.

The paths are data, in tests/escalations.py; the local cloud's evaluator of policies judges each of their calls.
"""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_cluster_resources
from ansible_collections.slipway.aws.plugins.plugin_utils.deployer import UNBOUNDED, policy_documents
from ansible_collections.slipway.aws.plugins.plugin_utils.policy_guards import listed
from ansible_collections.slipway.aws.tests.escalations import (
    LIMITS,
    PATHS,
    REGION,
    arn,
    attempts,
    iam,
)
from ansible_collections.slipway.aws.tests.policies import (
    DOCUMENTS,
    OWN,
    PERMISSIONS,
    ROOT,
    VALUES,
    VARIANTS,
    Policy,
    Request,
)
from ansible_collections.slipway.aws.tests.unit.plugins.plugin_utils.test_ecs_cluster import variables

Json = dict[str, t.Any]


def open_paths(document: Json, paths: t.Iterable[str] = PATHS) -> dict[str, str]:
    """The paths that a document opens, each with what it was tried on."""
    policy = Policy(document)
    found = ((name, attempt) for name in paths for attempt in attempts(name))
    return {
        name: ", ".join(f"{request.action} on {request.resource}" for request in attempt)
        for name, attempt in found
        if all(map(policy.allows, attempt))
    }


# Tasks may run images of other projects: what they are is up to the execution role.
NO_GAIN = {"boundary": {"images of others are pulled"}}


def gains(name: str, document: Json) -> dict[str, str]:
    return {path: tried for path, tried in open_paths(document).items() if path not in NO_GAIN.get(name, ())}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_opens_a_path(name: str) -> None:
    assert gains(name, DOCUMENTS[name]) == {}


def test_the_guide_names_what_aws_cannot_limit() -> None:
    assert set(open_paths(DOCUMENTS["all"], LIMITS)) == set(LIMITS)
    guide = (ROOT / "docs/docsite/rst/guide_permissions.rst").read_text().partition("What AWS cannot limit")[2]
    actions = {path.partition("@")[0] for path in LIMITS.values()}
    assert [action for action in actions if f"``{action}``" not in guide] == []


def test_without_a_boundary_nobody_creates_roles_or_gives_them_permissions() -> None:
    variants = [variant for variant in VARIANTS if variant != UNBOUNDED]
    documents = policy_documents(PERMISSIONS, {**VALUES, "boundary": ""}, variants)
    assert {name: found for name, document in documents.items() if (found := gains(name, document))} == {}
    actions = {action for one in documents["all"]["Statement"] for action in one["Action"]}
    assert "iam:CreateInstanceProfile" in actions
    assert actions & {"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"} == set()


def test_a_path_that_is_open_is_found() -> None:
    anything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}
    assert set(open_paths(anything)) == set(PATHS)


# What the site's roles do, in the words of a request.
CONTEXT = {
    "aws:ResourceTag/slipway:project": VALUES["project"],
    "ecs:cluster": arn("ecs", f"cluster/{VALUES['cluster']}"),
    "ecs:CreateAction": "RunTask",
    "iam:PassedToService": "ecs-tasks.amazonaws.com",
    "kms:ViaService": f"ssm.{REGION}.amazonaws.com",
}


def test_the_boundary_allows_what_the_sites_roles_need() -> None:
    project = VALUES["project"]
    names = {
        "execution_role": f"{project}-execution",
        "task_role": f"{project}-task",
        "name": VALUES["cluster"],
        "exec_log_group": f"/ecs/{project}/exec",
        "log_groups": [{"name": f"/ecs/{project}", "retention": 14}],
    }
    given = variables(
        project=project,
        hosting="ec2",
        exec=True,
        exec_bucket=VALUES["exec_buckets"][0],
        exec_kms_key=arn("kms", "key/1"),
        shifts_traffic=True,
        scheduled_families=["web"],
        schedule_queues=VALUES["queues"],
        secrets={"key": None, "database": {"type": "SecretsManager", "kms_key_id": arn("kms", "key/1")}},
        settings=["level"],
        task_statements=OWN,
        **names,
    )
    network = {"security_group_ids": {"tasks": "sg-1"}}
    roles = ecs_cluster_resources.resources(given, iam("user/deployer"), network)["roles"]
    policy = Policy(DOCUMENTS["boundary"])
    assert len(roles) == 5
    denied = [
        f"{role['name']}: {action} on {resource}"
        for role in roles
        for one in role["statements"]
        for action, resource in itertools.product(listed(one["Action"]), listed(one["Resource"]))
        if not policy.allows(Request(action, resource.replace(":*:", f":{REGION}:", 1).replace("*", "x"), CONTEXT))
    ]
    assert denied == []

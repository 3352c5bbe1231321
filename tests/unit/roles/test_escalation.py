# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No policy document opens a known path to more permissions, or to what belongs to others.

The paths are data, in tests/escalations.py; the local cloud's evaluator of policies judges each of their calls.
"""

from __future__ import annotations

import fnmatch
import typing as t

import pytest

from ansible_collections.slipway.aws.tests.escalations import ACCOUNT, PATHS, REGION, Request, attempts, iam
from ansible_collections.slipway.aws.tests.policies import DOCUMENTS

evaluator = pytest.importorskip("ministack.core.iam_evaluator", reason="the local cloud's emulator is not installed")

Json = dict[str, t.Any]


class Policy:
    """A document, as IAM judges requests by it."""

    def __init__(self, document: Json) -> None:
        self.statements = evaluator.parse_policy_document(document)
        self.actions = [action for one in document["Statement"] if one["Effect"] == "Allow" for action in one["Action"]]
        self.judged: dict[str, bool] = {}

    def allows(self, request: Request) -> bool:
        if not any(fnmatch.fnmatchcase(request.action, action) for action in self.actions):
            return False
        key = repr(request)
        if key not in self.judged:
            context = evaluator.EvalContext(
                principal_arn=iam("user/deployer"),
                principal_type="User",
                principal_account=ACCOUNT,
                action=request.action,
                resource_arn=request.resource,
                region=REGION,
                service_context={name.lower(): value for name, value in request.context.items()},
            )
            self.judged[key] = evaluator.evaluate(context, [self.statements]).decision == "Allow"
        return self.judged[key]


def open_paths(document: Json) -> dict[str, str]:
    """The paths that a document opens, each with what it was tried on."""
    policy = Policy(document)
    found = ((name, attempt) for name in PATHS for attempt in attempts(name))
    return {
        name: ", ".join(f"{request.action} on {request.resource}" for request in attempt)
        for name, attempt in found
        if all(map(policy.allows, attempt))
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_opens_a_path(name: str) -> None:
    assert open_paths(DOCUMENTS[name]) == {}

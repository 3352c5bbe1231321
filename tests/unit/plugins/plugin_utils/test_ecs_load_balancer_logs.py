# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bucket for access logs: its policy, how long it keeps logs, and what of an existing one differs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_load_balancer_logs import bucket

Json = dict[str, Any]
CALLER = {"account": "123456789012", "arn": "arn:aws:iam::123456789012:user/me"}


def planned(found: Json | None = None, caller: Json = CALLER, **changes: Any) -> Json:
    variables = {"bucket": "logs", "prefix": "", "create": True, "days": 365, **changes}
    buckets = [{"name": "logs", **found}] if found is not None else []
    prefixed = {f"ecs_load_balancer_access_logs_{name}": value for name, value in variables.items()}
    return bucket(prefixed, {"caller": caller, "buckets": [{"name": "other"}, *buckets]})


def existing(policy: Json, *rules: Json) -> Json:
    return {"bucket_policy": {"Policy": json.dumps(policy)}, "bucket_lifecycle_configuration": {"Rules": list(rules)}}


def rule(days: int, name: str = "slipway-access-logs", status: str = "Enabled") -> Json:
    return {"ID": name, "Status": status, "Filter": {"Prefix": ""}, "Expiration": {"Days": days}}


def test_load_balancers_write_only_below_the_account() -> None:
    caller = {**CALLER, "arn": "arn:aws-cn:iam::123456789012:user/me"}
    first = planned(caller=caller, prefix="web")["policy"]["Statement"][0]
    assert (first["Effect"], first["Resource"]) == ("Allow", "arn:aws-cn:s3:::logs/web/AWSLogs/123456789012/*")


def test_nobody_reaches_the_logs_without_tls() -> None:
    denied = [one for one in planned()["policy"]["Statement"] if one["Effect"] == "Deny"]
    assert [(one["Principal"], one["Action"], one["Condition"]) for one in denied] == [
        ("*", "s3:*", {"Bool": {"aws:SecureTransport": "false"}})
    ]
    assert denied[0]["Resource"] == ["arn:aws:s3:::logs", "arn:aws:s3:::logs/*"]


def test_a_bucket_of_others_gets_nothing() -> None:
    assert planned({}, create=False) == {}


def test_a_new_bucket_gets_both() -> None:
    assert (planned()["policy_differs"], planned()["lifecycle_differs"]) == (True, True)


def test_the_bucket_of_the_release_before_gets_both() -> None:
    before = {"Version": "2012-10-17", "Statement": planned()["policy"]["Statement"][:1]}
    found = planned({"bucket_policy": {"Policy": json.dumps(before)}, "bucket_lifecycle_configuration": {}})
    assert (found["policy_differs"], found["lifecycle_differs"]) == (True, True)


def test_an_answer_in_another_form_is_the_same() -> None:
    policy = json.loads(json.dumps(planned()["policy"]))
    policy["Statement"].reverse()
    policy["Statement"][0] |= {"Principal": {"AWS": "*"}, "Action": ["s3:*"]}
    policy["Statement"][0]["Resource"].reverse()
    found = planned(existing(policy, rule(7, "company"), rule(365)))
    assert (found["policy_differs"], found["lifecycle_differs"]) == (False, False)


@pytest.mark.parametrize(
    ("rules", "days", "differs"),
    [
        ([rule(365)], 365, False),
        ([rule(365)], 30, True),
        ([rule(365)], 0, True),
        ([rule(365, status="Disabled")], 365, True),
        ([rule(365, "company")], 365, True),
        ([rule(365, "company")], 0, False),
        ([], 0, False),
    ],
)
def test_only_the_rule_of_the_role_counts(rules: list[Json], days: int, differs: bool) -> None:
    assert planned(existing({}, *rules), days=days)["lifecycle_differs"] is differs

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bucket for access logs that the role ecs_load_balancer creates: its policy and lifecycle. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json

PREFIX = "ecs_load_balancer_access_logs_"
# The rule of the lifecycle that is the role's; other rules of the bucket are kept.
RULE = "slipway-access-logs"


def bucket(variables: Mapping[str, Any], found: Json) -> Json:
    """What the bucket gets, and what of it differs now. `found` has the caller, and the bucket where it exists."""
    name, caller = variables[f"{PREFIX}bucket"], found.get("caller") or {}
    if not (variables[f"{PREFIX}create"] and caller):
        return {}
    one: Json = next((one for one in found.get("buckets") or () if one["name"] == name), {})
    wanted, days = _policy(name, variables[f"{PREFIX}prefix"], caller), int(variables[f"{PREFIX}days"])
    return {
        "policy": wanted,
        "rule": RULE,
        "days": days,
        "policy_differs": _normal(_policy_of(one)) != _normal(wanted),
        "lifecycle_differs": _days_of(one) != days,
    }


def _policy(name: str, prefix: str, caller: Json) -> Json:
    """Load balancers write to the folder of their own account; nobody does anything without TLS.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    # With the partition, which is another one in China.
    arn = f"{':'.join(str(caller['arn']).split(':')[:2])}:s3:::{name}"
    folder = "/".join(part for part in (arn, prefix, "AWSLogs", str(caller["account"]), "*") if part)
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AccessLogs",
                "Effect": "Allow",
                "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": folder,
            },
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def _policy_of(one: Json) -> Json:
    text = (one.get("bucket_policy") or {}).get("Policy")
    return dict(json.loads(text)) if text else {}


def _normal(policy: Json) -> list[str]:
    """AWS returns a list of one as its element, and lists in an order of its own."""
    statements = [{key: _listed(key, value) for key, value in one.items()} for one in policy.get("Statement") or ()]
    return sorted(json.dumps(one, sort_keys=True) for one in statements)


def _listed(key: str, value: Any) -> Any:
    if key == "Principal" and value == {"AWS": "*"}:
        return "*"
    return sorted([value] if isinstance(value, str) else value) if key in ("Action", "Resource") else value


def _days_of(one: Json) -> int:
    """After how many days the role's rule deletes logs; 0 where there is no such rule."""
    rules = (one.get("bucket_lifecycle_configuration") or {}).get("Rules") or ()
    own = [rule for rule in rules if rule.get("ID") == RULE and rule.get("Status") == "Enabled"]
    return int((own[0].get("Expiration") or {}).get("Days") or 0) if own else 0

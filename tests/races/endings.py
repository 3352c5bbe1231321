# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the disturbed run of a case may end, as its user sees it."""

from __future__ import annotations

import typing as t

from ansible_collections.slipway.aws.tests.races.matrix import SIGNALLED

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.races.matrix import Case

Codes = t.Collection[str | None]

# The code of each fault that keeps the run from calling AWS.
LASTING = {
    "expired credentials": "no_credentials",
    "permission denied": "access_denied",
    "connection cut": "no_connection",
    "throttled": "throttled",
}
SPECIAL: dict[str, Codes] = {
    "image of a service missing": {"deployment_failed"},
    "image of the migration missing": {"task_failed"},
    "migration fails": {"task_failed"},
    "migration hangs": {"timeout"},
    "migration killed": {"task_failed"},
    "smoke test fails": {"task_failed"},
    "page fails": {"verification_failed"},
    "revision gone": {"rollback_impossible"},
    "image gone": {"rollback_impossible"},
    # ECS rolls the deployment back.
    "approval never comes": {"rolled_back"},
    "alarm": {"rolled_back"},
}
# What a message says of what stands, or of what to do next. One of them is in each.
NOTHING_CHANGED = ("Nothing was changed.", "No service was changed.")
NEXT = (*NOTHING_CHANGED, "Rolled back: ", "rerun the same command", "Wait until")


def codes_of(case: Case) -> Codes:
    """The codes with which the disturbed run may end; "" if it succeeds, None if it is killed."""
    undisturbed = "verification_failed" if case.page_fails else ""
    if case.fault in SPECIAL:
        return SPECIAL[case.fault]
    if case.fault == "kill":
        return {None}
    if case.fault in SIGNALLED:
        return {"interrupted"}
    if case.fault == "lock broken":
        # Whether the other run takes over before or after the last change of this one.
        return {"lock_lost", undisturbed}
    if case.fault == "service deleted":
        return _of_deletion(case)
    if case.fault in LASTING and not case.brief:
        # After its last call of this kind, the run misses neither permission nor capacity.
        spared = {undisturbed} if case.late and case.fault in ("permission denied", "throttled") else set()
        return {*_of_lasting(case, LASTING[case.fault]), *spared}
    return {undisturbed}


def _of_lasting(case: Case, code: str) -> Codes:
    if case.stage == "recording":
        # The release itself has ended; the result warns.
        return {""}
    if case.stage in ("clearing", "verifying"):
        return {"checkpoints_left"}
    if case.stage == "rolling back":
        return {"rollback_failed"}
    if case.stage == "updating":
        # What was updated cannot be rolled back either, which without credentials is not tried.
        return {code} if code == "no_credentials" else {code, "rollback_failed"}
    if case.stage in ("shifting", "paused") and code == "access_denied":
        # The deployments of the service show the same.
        return {"", code}
    return {code}


def _of_deletion(case: Case) -> Codes:
    if case.stage == "verifying":
        return {"", "checkpoints_left"}
    return {"rollback_failed"}

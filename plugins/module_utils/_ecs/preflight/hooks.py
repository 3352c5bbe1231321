# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Functions of AWS Lambda that ECS calls during deployments: they exist, and their role may invoke them. Pure."""

from __future__ import annotations

from ..._core.names import home_of, last
from ..._core.plan import UNKNOWN as NOT_KNOWN
from ..._core.types import Json
from .checklist import Checklist, Reference, Service, Unread
from .roles import DENIED

# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-permissions.html
INVOKE = "lambda:InvokeFunction"
# A paused deployment waits for people, and calls nothing.
PAUSE = "PAUSE"
_READY = ("Active", "Inactive")


def check(checklist: Checklist, service: Service) -> None:
    hooks = (service.options.get("deployment_configuration") or {}).get("lifecycleHooks") or ()
    for number, hook in enumerate(hooks):
        if hook.get("targetType") != PAUSE and hook.get("hookTargetArn") not in (None, "", NOT_KNOWN):
            _check_hook(checklist, service.at(f"deployment_configuration.lifecycleHooks[{number}]"), hook)


def _check_hook(checklist: Checklist, place: str, hook: Json) -> None:
    arn, own = str(hook["hookTargetArn"]), checklist.account.home
    home, at = home_of(arn), f"{place}.hookTargetArn"
    if not home or ":function:" not in arn:
        checklist.fail("hook", at, f"expected the ARN of a Lambda function, got {arn}. Correct the ARN.")
        return
    if home.account != own.account:
        checklist.unread("hook", at, f"whether {arn} exists", Unread("", f"it is in account {home.account}"))
        return
    remedy = "Create the function, or correct the ARN."
    found = checklist.find(Reference("hook", at, "Lambda function", arn, remedy))
    if not found:
        return
    if found["State"] not in _READY:
        text = f"expected a Lambda function that can be invoked, got {arn} with state {found['State']}."
        checklist.fail("hook", at, f"{text} Wait for it, or deploy the function again.")
        return
    checklist.ok("hook", at, f"Lambda function {found['FunctionName']} exists")
    _check_permission(checklist, f"{place}.roleArn", str(hook.get("roleArn") or ""), arn)


def _check_permission(checklist: Checklist, place: str, role: str, function: str) -> None:
    if not role:
        text = "expected a role that can invoke the function, got none. Set roleArn."
        checklist.fail("permissions", place, text)
        return
    if role == NOT_KNOWN or checklist.desired.manages("IAM role", last(role)):
        return
    found = checklist.account.known("IAM role", last(role))
    if not isinstance(found, dict):
        return
    decisions = checklist.account.read("permissions", str(found["Arn"]), function, INVOKE)
    what = f"whether {last(role)} can invoke {function}"
    if isinstance(decisions, Unread):
        checklist.unread("permissions", place, what, decisions)
    elif decisions.get(INVOKE) in DENIED:
        text = f"expected a role that can invoke the function, got {last(role)} without {INVOKE} on {function}."
        checklist.fail("permissions", place, f"{text} Allow this in a policy of the role.")
    elif decisions.get(INVOKE) == "allowed":
        checklist.ok("permissions", place, f"{last(role)} can invoke {function}")
    else:
        checklist.unread("permissions", place, what, Unread("", "conditions in its policies depend on the request."))

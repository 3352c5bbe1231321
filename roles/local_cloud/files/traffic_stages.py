# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lifecycle stages of blue/green, canary and linear deployments: which one follows, and when. No calls, no clock.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/canary-deployment-how-it-works.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-linear.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

STRATEGIES = frozenset({"BLUE_GREEN", "CANARY", "LINEAR"})
# Each stage can be seen for so long, also one in which nothing is to be done.
STAGE_SECONDS = 0.5
BEFORE = ("RECONCILE_SERVICE", "PRE_SCALE_UP")
PREPARING = (*BEFORE, "SCALE_UP", "POST_SCALE_UP", "TEST_TRAFFIC_SHIFT", "POST_TEST_TRAFFIC_SHIFT")
ANNOUNCED, SHIFTING = "PRE_PRODUCTION_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"
CLOSING = ("POST_PRODUCTION_TRAFFIC_SHIFT", "BAKE_TIME", "CLEAN_UP")
DEFAULT_CANARY = {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}
DEFAULT_LINEAR = {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}
DAY_IN_MINUTES = 1440
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
HOOK_FAILED = "Service deployment rolled back because {stage} lifecycle hook(s) failed."
HOOK_TIMED_OUT = "Service deployment rolled back because {stage} pause hook timed out."


@dataclass(frozen=True)
class Step:
    """Production traffic of the new revision in percent, and the minutes until the next step."""

    percent: float
    minutes: float = 0.0


def steps_of(configuration: Json, has_source: bool) -> list[Step]:
    """How production traffic shifts. Without another revision to share it with, at once."""
    strategy = configuration.get("strategy")
    if strategy == "CANARY" and has_source:
        canary = {**DEFAULT_CANARY, **(configuration.get("canaryConfiguration") or {})}
        first = Step(float(canary["canaryPercent"]), float(canary["canaryBakeTimeInMinutes"]))
        return [first, Step(100.0)] if first.percent < 100 else [Step(100.0)]
    if strategy == "LINEAR" and has_source:
        linear = {**DEFAULT_LINEAR, **(configuration.get("linearConfiguration") or {})}
        size, minutes = float(linear["stepPercent"]), float(linear["stepBakeTimeInMinutes"])
        count = int(100 // size) - (100 % size == 0)
        return [*(Step(round(size * number, 1), minutes) for number in range(1, count + 1)), Step(100.0)]
    return [Step(100.0)]


@dataclass
class Stages:
    """Where one deployment is. `ended` says how: completed, or to be rolled back for a reason."""

    configuration: Json
    steps: list[Step]
    stage: str
    since: float
    minute: float
    has_source: bool
    new_id: Callable[[], str]
    number: int = 0
    shifted: float | None = None
    production: float = 0.0
    test: float = 0.0
    hooks: list[Json] = field(default_factory=list)
    ended: str = ""
    reason: str = ""

    @property
    def is_scaling_up(self) -> bool:
        return self.stage not in BEFORE

    def move(self, scaled: bool, now: float) -> None:
        """Go on as far as possible."""
        while not self.ended and self._is_over(scaled, now):
            self._next(now)

    def enter(self, stage: str, now: float) -> None:
        """Begin a stage, with its hooks."""
        self.stage, self.since, self.shifted = stage, now, None
        for hook in self.configuration.get("lifecycleHooks") or ():
            if stage in (hook.get("lifecycleStages") or ()):
                self._begin(hook, now)

    def _begin(self, hook: Json, now: float) -> None:
        if hook.get("targetType") != "PAUSE":
            # The local cloud runs no functions of AWS Lambda.
            target = hook.get("hookTargetArn")
            self.end(
                "roll back", f"{HOOK_FAILED.format(stage=self.stage)} ECS was unable to invoke hook target {target}."
            )
            return
        timeout = {"timeoutInMinutes": DAY_IN_MINUTES, "action": "ROLLBACK", **(hook.get("timeoutConfiguration") or {})}
        detail = {"hookId": self.new_id(), "targetType": "PAUSE", "status": "AWAITING_ACTION"}
        expires = now + float(timeout["timeoutInMinutes"]) * self.minute
        self.hooks.append({**detail, "expiresAt": expires, "timeoutAction": timeout["action"]})

    def end(self, how: str, reason: str = "") -> None:
        self.ended, self.reason = how, reason

    def act(self, hook_id: str, action: str) -> bool:
        """What ContinueServiceDeployment does; False if no such hook waits."""
        waiting = [hook for hook in self.hooks if hook["hookId"] == hook_id and hook["status"] == "AWAITING_ACTION"]
        for hook in waiting:
            hook["status"] = "SUCCEEDED" if action == "CONTINUE" else "FAILED"
            if action == "ROLLBACK":
                self.end("roll back", HOOK_FAILED.format(stage=self.stage))
        return bool(waiting)

    def _is_over(self, scaled: bool, now: float) -> bool:
        if self._waits_for_action(now) or self.ended or now - self.since < STAGE_SECONDS:
            return False
        if self.stage == "SCALE_UP":
            return scaled
        if self.stage == "TEST_TRAFFIC_SHIFT":
            self.test = 100.0
        if self.stage == SHIFTING:
            step = self.steps[self.number]
            if self.shifted is None:
                self.production, self.shifted = step.percent, now
            return now - self.shifted >= step.minutes * self.minute
        if self.stage == "BAKE_TIME":
            minutes = float(self.configuration.get("bakeTimeInMinutes") or 0) if self.has_source else 0.0
            return now - self.since >= minutes * self.minute
        return True

    def _waits_for_action(self, now: float) -> bool:
        for hook in self.hooks:
            if hook["status"] == "AWAITING_ACTION" and now >= hook["expiresAt"]:
                hook["status"] = "TIMED_OUT"
                if hook["timeoutAction"] == "ROLLBACK":
                    self.end("roll back", HOOK_TIMED_OUT.format(stage=self.stage))
        return any(hook["status"] == "AWAITING_ACTION" for hook in self.hooks)

    def _next(self, now: float) -> None:
        if self.stage == "CLEAN_UP":
            self.end("completed")
        elif self.stage == SHIFTING and self.number + 1 < len(self.steps):
            self.number += 1
            self.enter(ANNOUNCED, now)
        else:
            order = (*PREPARING, ANNOUNCED, SHIFTING, *CLOSING)
            self.enter(order[order.index(self.stage) + 1], now)

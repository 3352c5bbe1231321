# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a service is deployed: what its `strategy` and `traffic` mean for ECS, and what is wrong with them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json

ROLLING = "rolling"
# The strategies that shift traffic from one target group to another, as ECS calls them.
SHIFTING: Mapping[str, str] = {"blue_green": "BLUE_GREEN", "canary": "CANARY", "linear": "LINEAR"}
STRATEGIES = (ROLLING, *SHIFTING)
# Those at which a deployment can pause.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
STAGES = (
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
)
# Long enough to notice a fault, and short enough to wait for.
BAKE_MINUTES = 5
DAY = 1440
# Least and most percent of one step, and AWS's own, by strategy.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CanaryConfiguration.html
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinearConfiguration.html
PERCENT = {"canary": (0.1, 100.0, 5.0), "linear": (3.0, 100.0, 10.0)}
MINUTES = {"canary": 10, "linear": 6}
MEMBERS = {
    "canary": ("canaryConfiguration", "canaryPercent", "canaryBakeTimeInMinutes"),
    "linear": ("linearConfiguration", "stepPercent", "stepBakeTimeInMinutes"),
}


def strategy_of(service: Json) -> str:
    return str(service.get("strategy") or ROLLING)


def shifts(service: Json) -> bool:
    """Whether ECS shifts the traffic of a service between two target groups of the role."""
    own = service.get("options") or {}
    return strategy_of(service) in SHIFTING and bool(service.get("load_balancers")) and "load_balancers" not in own


def shifted_groups(services: Sequence[Json]) -> list[str]:
    """Names of the target groups that have an alternate one."""
    balancers = (item for service in services if shifts(service) for item in service.get("load_balancers") or ())
    return list(dict.fromkeys(str(item.get("targetGroupArn")) for item in balancers))


def configuration(service: Json) -> Json:
    """The deployment configuration that follows from strategy and traffic."""
    strategy, traffic = strategy_of(service), _given(service)
    found: Json = {}
    if strategy in SHIFTING:
        found["strategy"] = SHIFTING[strategy]
        found["bakeTimeInMinutes"] = int(traffic.get("bake_minutes", BAKE_MINUTES))
    if strategy in MEMBERS:
        member, percent, minutes = MEMBERS[strategy]
        size = float(traffic.get("percent", PERCENT[strategy][2]))
        found[member] = {percent: size, minutes: int(traffic.get("minutes", MINUTES[strategy]))}
    if traffic.get("alarms"):
        found["alarms"] = {"alarmNames": list(traffic["alarms"]), "enable": True, "rollback": True}
    if traffic.get("pause"):
        timeout = {
            "timeoutInMinutes": int(traffic.get("pause_minutes", DAY)),
            "action": str(traffic.get("pause_action", "rollback")).upper(),
        }
        stages = list(traffic["pause"])
        found["lifecycleHooks"] = [
            {"targetType": "PAUSE", "lifecycleStages": stages, "timeoutConfiguration": timeout},
        ]
    return found


def balancers(service: Json, shifting: Mapping[str, Json], role_arn: str) -> list[Json]:
    """The load balancers of a service, by the names of target groups, with what ECS needs to shift their traffic."""
    found = []
    for item in service.get("load_balancers") or ():
        shift = shifting.get(str(item.get("targetGroupArn"))) if shifts(service) else None
        if not shift:
            found.append(dict(item))
            continue
        rules = {"productionListenerRule": shift["production_rule"], "testListenerRule": shift.get("test_rule")}
        advanced = {"alternateTargetGroupArn": shift["alternate_arn"], "roleArn": role_arn, **rules}
        advanced = {member: value for member, value in advanced.items() if value}
        found.append({**item, "targetGroupArn": shift["arn"], "advancedConfiguration": advanced})
    return found


def _given(service: Json) -> Json:
    return {name: value for name, value in (service.get("traffic") or {}).items() if value is not None}


def problems(service: Json) -> Iterator[str]:
    """What is wrong with strategy and traffic of a service, one sentence each."""
    strategy, traffic = strategy_of(service), _given(service)
    if strategy not in STRATEGIES:
        yield f"strategy: expected one of {', '.join(STRATEGIES)}, got {strategy!r}."
        return
    if strategy in MEMBERS and not service.get("load_balancers"):
        yield f"strategy: expected load_balancers, whose traffic {strategy} shifts, got none."
    if strategy in SHIFTING and (service.get("options") or {}).get("scheduling_strategy") == "DAEMON":
        yield f"strategy: expected rolling with scheduling_strategy DAEMON, got {strategy}."
    unused: list[str] = [] if strategy in MEMBERS else [name for name in ("percent", "minutes") if name in traffic]
    unused += [] if strategy in SHIFTING else [name for name in ("bake_minutes", "pause") if name in traffic]
    for name in unused:
        yield f"traffic.{name}: expected a strategy that supports it, got {strategy}. Omit it."
    yield from _number_problems(strategy, traffic)
    for number, stage in enumerate(traffic.get("pause") or ()):
        if stage not in STAGES:
            yield f"traffic.pause[{number}]: expected one of {', '.join(STAGES)}, got {stage!r}."
    for name in ("pause_minutes", "pause_action"):
        if name in traffic and not traffic.get("pause"):
            yield f"traffic.{name}: expected stages in traffic.pause, got none."


def _number_problems(strategy: str, traffic: Json) -> Iterator[str]:
    limits: dict[str, tuple[float, float]] = {
        "minutes": (0, DAY),
        "bake_minutes": (0, DAY),
        "pause_minutes": (1, 20160),
    }
    if strategy in PERCENT:
        limits["percent"] = PERCENT[strategy][:2]
    for name, (least, most) in limits.items():
        value: Any = traffic.get(name)
        if value is not None and not least <= float(value) <= most:
            yield f"traffic.{name}: expected {least:g} to {most:g}, got {value}."

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep values that AWS itself chooses, and that nobody can know beforehand."""

from __future__ import annotations

import copy
import typing as t

from ..._core.names import Names, home_of
from ..._core.plan import Resource
from ..limits import FARGATE
from .members import KINDS, SETS, Options


def _is_fargate_alone(strategy: t.Any) -> bool:
    """Whether the strategy means the same as the launch type."""
    return bool(strategy) and all(item["capacityProvider"] == FARGATE for item in strategy)


def keep_aws_values(desired: Options, current: Options) -> Options:
    """The desired options, completed with the current values that AWS has chosen."""
    given = {name: value for name, value in desired.items() if value is not None}
    options: Options = copy.deepcopy(Names(KINDS, SETS, home_of(current.get("service_arn"))).keep(given, current))
    if options.get("launch_type") == FARGATE and _is_fargate_alone(current.get("capacity_provider_strategy")):
        del options["launch_type"]
    elif options.get("launch_type") and current.get("capacity_provider_strategy"):
        options.setdefault("capacity_provider_strategy", [])
    if options.get("deployment_configuration", {}).get("strategy", "ROLLING") != "ROLLING":
        _leave(options["deployment_configuration"], current["deployment_configuration"], "bakeTimeInMinutes")
    vpc = (options.get("network_configuration") or {}).get("awsvpcConfiguration")
    if isinstance(vpc, dict):
        _leave(vpc, (current.get("network_configuration") or {}).get("awsvpcConfiguration"), "securityGroups")
    _keep_service_connect(options.get("service_connect_configuration"), current["service_connect_configuration"])
    if current["deployment_controller"].get("type") == "CODE_DEPLOY":
        # CodeDeploy swaps the target groups at each of its deployments.
        _keep_each(
            options.get("load_balancers"),
            current["load_balancers"],
            ("containerName", "containerPort"),
            "targetGroupArn",
            replace=True,
        )
    return options


def _keep_service_connect(options: t.Any, current: Resource) -> None:
    if not isinstance(options, dict) or not options.get("enabled"):
        return
    _leave(options, current, "namespace")
    _keep_each(options.get("services"), current.get("services"), ("portName",), "clientAliases")
    olds = {service.get("portName"): service for service in current.get("services") or ()}
    for service in options.get("services") or ():
        old = olds.get(service.get("portName"), {})
        _keep_each(service.get("clientAliases"), old.get("clientAliases"), ("port",), "dnsName")


def _keep_each(items: t.Any, current: t.Any, identity: tuple[str, ...], member: str, *, replace: bool = False) -> None:
    olds = {tuple(item.get(name) for name in identity): item for item in current or ()}
    for item in items or ():
        old = olds.get(tuple(item.get(name) for name in identity))
        if replace and old and member in old:
            item[member] = old[member]
        _leave(item, old, member)


def _leave(options: Options, current: t.Any, member: str) -> None:
    if options.get(member) is None and current and current.get(member) is not None:
        options[member] = current[member]

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A load balancer, listeners and target groups of others that a project uses, and never changes or deletes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import named
from ansible_collections.slipway.aws.plugins.module_utils._core.tags import PROJECT, as_text, belongs_to, carries
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json

Variables = Mapping[str, Any]
GROUPS = "ecs_load_balancer_target_groups"
PORTS = (443, 80)

_ELB = "arn:aws[a-z-]*:elasticloadbalancing:{region}:[0-9]{{12}}:"
_BALANCER = _ELB + "loadbalancer/(app|net)/[^/]+/[0-9a-z]+"
_LISTENER = _ELB + "listener/(app|net)/[^/]+/[0-9a-z]+/[0-9a-z]+"
_GROUP = _ELB + "targetgroup/[^/]+/[0-9a-z]+"
_NAME = "[a-zA-Z0-9-]{1,32}"


def has_balancer(variables: Variables) -> bool:
    return bool(variables["ecs_load_balancer_arn"] or variables["ecs_load_balancer_name_tags"])


def balancers(variables: Variables, found: Json) -> list[Json]:
    """The load balancers that the variables name: one, unless something is wrong."""
    given, some = variables["ecs_load_balancer_arn"], found.get("load_balancers") or ()
    if given:
        return [one for one in some if given in (one["load_balancer_arn"], one["load_balancer_name"])]
    wanted = as_text(variables["ecs_load_balancer_name_tags"])
    return [one for one in some if wanted and carries(dict(one.get("tags") or {}), wanted)]


def name_of_group(arn: str) -> str:
    """arn:…:targetgroup/<name>/<id>"""
    return arn.split("/")[-2] if arn.count("/") > 1 else arn


def listeners(variables: Variables, balancer: Json) -> list[Json]:
    """Those that get the project's rules, the one for production first: those that are named, or else the one of HTTPS
    or of HTTP.

    Where both are named, that of HTTPS has production traffic."""
    known, given = balancer.get("listeners") or (), variables["ecs_load_balancer_listener_arns"]
    if given:
        chosen = [one for one in known if one["listener_arn"] in given]
        chosen.sort(key=lambda one: (one.get("protocol") != "HTTPS", int(one["port"]) != PORTS[0], _place(one, given)))
    else:
        chosen = [one for port in PORTS for one in known if int(one["port"]) == port][:1]
    test = int(variables["ecs_load_balancer_test_port"])
    return [*chosen, *(one for one in known if test and int(one["port"]) == test and one not in chosen)]


def _place(listener: Json, given: Sequence[str]) -> int:
    return given.index(listener["listener_arn"])


def redirects_to(variables: Variables, listener: Json, chosen: Sequence[Json]) -> Json:
    """The listener of HTTPS to which one of HTTP sends the project's requests; {} if it forwards them itself."""
    test = int(variables["ecs_load_balancer_test_port"])
    if not variables["ecs_load_balancer_redirect_http"] or listener.get("protocol") != "HTTP":
        return {}
    if listener not in chosen or int(listener["port"]) == test:
        return {}
    return next((one for one in chosen if one.get("protocol") == "HTTPS" and int(one["port"]) != test), {})


def former_balancers(variables: Variables, found: Json, current: Json) -> list[str]:
    """Load balancers of others which the variables no longer name, and which may still have rules of the project: its
    target groups, or those that the variables name, are behind them."""
    project = variables["ecs_load_balancer_project"]
    theirs = [group.get("arn") for group in variables[GROUPS]]
    groups = [
        one
        for one in found.get("target_groups") or ()
        if belongs_to(dict(one.get("tags") or {}), project) or one["target_group_arn"] in theirs
    ]
    used = {arn for one in groups for arn in one.get("load_balancer_arns") or ()}
    foreign = [one for one in found.get("load_balancers") or () if not belongs_to(dict(one.get("tags") or {}), project)]
    return sorted(used & {one["load_balancer_arn"] for one in foreign} - {current.get("load_balancer_arn")})


# Problems of variables alone


def problems(variables: Variables, groups: Sequence[Json]) -> Iterator[str]:
    yield from _balancer_variable_problems(variables)
    region = variables["ecs_load_balancer_region"]
    for number, group in enumerate(groups):
        where = f"{GROUPS}[{number}]{named(group)}"
        arn = group.get("arn")
        if arn and not re.fullmatch(_GROUP.format(region=re.escape(region)), arn):
            yield (
                f"{where}.arn: expected the ARN of a target group in {region}, got {arn!r}. Set an existing one in"
                " this region."
            )
        if arn and group.get("target_group_name"):
            yield (
                f"{where}.target_group_name: expected none with arn, got {group['target_group_name']!r}. Use arn for an"
                " existing target group, target_group_name for one of this project."
            )


def _balancer_variable_problems(variables: Variables) -> Iterator[str]:
    of = {name.removeprefix("ecs_load_balancer_"): value for name, value in variables.items()}
    arn, region = of["arn"], of["region"]
    if arn and of["name_tags"]:
        yield (
            f"ecs_load_balancer_name_tags: expected none together with ecs_load_balancer_arn, got {of['name_tags']}."
            " Keep one of them."
        )
    if arn and not (re.fullmatch(_NAME, arn) or re.fullmatch(_BALANCER.format(region=re.escape(region)), arn)):
        yield (
            f"ecs_load_balancer_arn: expected the name or ARN of a load balancer in {region}, got {arn!r}. Set an"
            " existing one in this region."
        )
    for number, listener in enumerate(of["listener_arns"]):
        if not re.fullmatch(_LISTENER.format(region=re.escape(region)), listener):
            where = f"ecs_load_balancer_listener_arns[{number}]"
            yield f"{where}: expected the ARN of a listener in {region}, got {listener!r}."
    if of["listener_arns"] and not has_balancer(variables):
        yield (
            "ecs_load_balancer_listener_arns: expected none without ecs_load_balancer_arn or"
            f" ecs_load_balancer_name_tags, got {', '.join(of['listener_arns'])}. Set the load balancer of these"
            " listeners."
        )
    for name in ("certificate_arn", "domains", "access_logs_bucket"):
        if of[name] and has_balancer(variables):
            yield (
                f"ecs_load_balancer_{name}: expected none with an existing load balancer, whose settings do not"
                f" change, got {of[name]}. Remove it, or do not use an existing load balancer."
            )


# Problems of what exists


def account_problems(variables: Variables, groups: Sequence[Json], found: Json) -> Iterator[str]:
    if has_balancer(variables) and "load_balancers" in found:
        yield from _balancer_problems(variables, groups, found)
    known = {one["target_group_arn"]: one for one in found.get("target_groups") or ()}
    for number, group in enumerate(groups if "target_groups" in found else ()):
        if arn := group.get("arn"):
            where = f"{GROUPS}[{number}]{named(group)}.arn"
            yield from _group_problems(where, arn, known.get(arn), variables, str(found.get("vpc_id") or ""))


def _group_problems(where: str, arn: str, one: Json | None, variables: Variables, vpc: str) -> Iterator[str]:
    project = variables["ecs_load_balancer_project"]
    if one is None:
        yield f"{where}: expected an existing target group, got none for {arn}. Create it, or correct the ARN."
    elif belongs_to(dict(one.get("tags") or {}), project):
        yield (
            f"{where}: expected a target group outside the project, got {arn} with the tag {PROJECT}={project},"
            " which is deleted with the project. Remove its tag, or use target_group_name."
        )
    elif vpc and one.get("vpc_id") and one["vpc_id"] != vpc:
        yield (
            f"{where}: expected a target group in {vpc}, the VPC of the project, got {arn} in {one['vpc_id']}. Use"
            " another one, or set that VPC in ecs_network_vpc_id."
        )


def _balancer_problems(variables: Variables, groups: Sequence[Json], found: Json) -> Iterator[str]:
    some, project = balancers(variables, found), variables["ecs_load_balancer_project"]
    where = f"ecs_load_balancer_{'arn' if variables['ecs_load_balancer_arn'] else 'name_tags'}"
    if len(some) != 1:
        named_by = variables["ecs_load_balancer_arn"] or dict(variables["ecs_load_balancer_name_tags"])
        names = ", ".join(one["load_balancer_arn"] for one in some) or "none"
        yield (
            f"{where}: expected one load balancer in this account and region, got {names} for {named_by}. Set"
            " exactly one."
        )
        return
    one, vpc = some[0], str(found.get("vpc_id") or "")
    if belongs_to(dict(one.get("tags") or {}), project):
        yield (
            f"{where}: expected a load balancer outside the project, got {one['load_balancer_arn']} with the tag"
            f" {PROJECT}={project}, which is deleted with the project. Remove its tag, or remove {where}."
        )
    if vpc and one.get("vpc_id") and one["vpc_id"] != vpc:
        yield (
            f"{where}: expected a load balancer in {vpc}, the VPC of the project, got {one['load_balancer_arn']} in"
            f" {one['vpc_id']}. Use another one, or set that VPC in ecs_network_vpc_id."
        )
    yield from _listener_problems(variables, groups, one)


def _listener_problems(variables: Variables, groups: Sequence[Json], balancer: Json) -> Iterator[str]:
    where, known = "ecs_load_balancer_listener_arns", balancer.get("listeners") or ()
    arns = [one["listener_arn"] for one in known]
    if missing := [one for one in variables[where] if one not in arns]:
        yield (
            f"{where}: expected listeners of {balancer['load_balancer_name']} ({', '.join(arns) or 'none'}), got"
            f" {', '.join(missing)}. Correct them."
        )
        return
    test = int(variables["ecs_load_balancer_test_port"])
    if test and test not in [int(one["port"]) for one in known]:
        yield (
            "ecs_load_balancer_test_port: expected the port of a listener of"
            f" {balancer['load_balancer_name']}, got {test}."
            " Set an existing one, or 0 for no test listener."
        )
    if not any(group["has_rule"] for group in groups) and not variables["ecs_load_balancer_rules"]:
        return
    chosen = listeners(variables, balancer)
    if wrong := [one for one in chosen if one.get("protocol") not in ("HTTP", "HTTPS")]:
        yield (
            f"{where}: expected listeners with the protocol HTTP or HTTPS, got"
            f" {', '.join(str(one.get('protocol')) for one in wrong)}. Use others, or remove hosts and paths from"
            f" {GROUPS}."
        )
    if not chosen:
        ports = ", ".join(str(one["port"]) for one in known) or "none"
        yield f"{where}: expected a listener on port 443 or 80, got ports {ports}. Set the listener for the rules."

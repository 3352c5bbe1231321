# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the variables of the role ecs_load_balancer, one sentence each. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core.rule_conditions import value_problems
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import named
from ansible_collections.slipway.aws.plugins.module_utils._core.tags import PROJECT, belongs_to
from ansible_collections.slipway.aws.plugins.module_utils._core.tags import problems as tag_problems
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._ecs.limits import PORT, Limit
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_load_balancer_existing import has_balancer

Variables = Mapping[str, Any]

GROUPS = "ecs_load_balancer_target_groups"

_API = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"
_NUMBERS = {
    "health_check_interval": Limit(5, 300, f"{_API}API_CreateTargetGroup.html"),
    "health_check_timeout": Limit(2, 120, f"{_API}API_CreateTargetGroup.html"),
    "healthy_threshold": Limit(2, 10, f"{_API}API_CreateTargetGroup.html"),
    "unhealthy_threshold": Limit(2, 10, f"{_API}API_CreateTargetGroup.html"),
    "deregistration_delay": Limit(0, 3600, f"{_API}API_TargetGroupAttribute.html"),
    "port": PORT,
}
DAYS = Limit(1, 36500, "https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleExpiration.html")
_IDLE_TIMEOUT = Limit(1, 4000, f"{_API}API_LoadBalancerAttribute.html")
_NAME = re.compile(r"(?!internal-)[a-zA-Z0-9]([a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?")
_NAME_RULE = "1 to 32 letters, digits or hyphens, no hyphen first or last, and not internal- first"
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
_MOST_GROUPS = 100
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?")
_DOMAIN = re.compile(r"([*][.])?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?[.])+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
# The other policies still accept TLS 1.0 or 1.1, which RFC 8996 forbids.
_TLS = re.compile(r"ELBSecurityPolicy-(?:.*-)?(?:TLS13-1-[23]|TLS-1-2|FS-1-2)-[A-Za-z0-9-]+")


def of_variables(variables: Variables, groups: Sequence[Json]) -> Iterator[str]:
    """What can be refused without asking AWS; `groups` are the target groups with their defaults."""
    yield from tag_problems(variables["ecs_load_balancer_tags"], "ecs_load_balancer_tags")
    name = variables["ecs_load_balancer_name"]
    if not _NAME.fullmatch(name):
        yield f"ecs_load_balancer_name: expected {_NAME_RULE}, got {name!r}."
    yield from _group_problems(groups)
    yield from _rule_problems(groups, variables["ecs_load_balancer_rules"])
    timeout = variables["ecs_load_balancer_idle_timeout"]
    if not _IDLE_TIMEOUT.holds(int(timeout)):
        yield f"ecs_load_balancer_idle_timeout: expected {_IDLE_TIMEOUT} seconds, got {timeout}."
    port = int(variables["ecs_load_balancer_test_port"])
    if port and (port in (80, 443) or not PORT.holds(port)):
        yield f"ecs_load_balancer_test_port: expected {PORT} except 80 and 443, or 0 for no test listener, got {port}."
    if groups and not has_balancer(variables):
        yield from _access_log_problems(variables)
    yield from _https_problems(variables)


def _place(number: int, group: Json) -> str:
    return f"{GROUPS}[{number}]{named(group)}"


def _group_problems(groups: Sequence[Json]) -> Iterator[str]:
    if len(groups) > _MOST_GROUPS:
        yield (
            f"{GROUPS}: expected at most {_MOST_GROUPS} for one load balancer, which AWS cannot increase, got"
            f" {len(groups)}."
        )
    names: set[str] = set()
    for number, group in enumerate(groups):
        place = _place(number, group)
        if group.get("target_group_name") and not _NAME.fullmatch(group["full_name"]):
            yield f"{place}.target_group_name: expected {_NAME_RULE}, got {group['full_name']!r}."
        elif not group.get("arn") and not _NAME.fullmatch(group["full_name"]):
            yield (
                f"{place}.name: expected {_NAME_RULE}, including the prefix of ecs_load_balancer_project and a"
                f" hyphen, got {group['full_name']!r}."
            )
        if group["name"] in names:
            yield f"{place}.name: expected a unique name, got {group['name']!r} twice."
        names.add(group["name"])
        if group.get("arn"):
            continue
        for option, limit in _NUMBERS.items():
            if not limit.holds(int(group[option])):
                yield f"{place}.{option}: expected {limit}, got {group[option]}."
        if int(group["health_check_timeout"]) >= int(group["health_check_interval"]):
            yield (
                f"{place}.health_check_timeout: expected less than the health_check_interval"
                f" ({group['health_check_interval']}), got {group['health_check_timeout']}."
            )


def _rule_problems(groups: Sequence[Json], further: Sequence[Json]) -> Iterator[str]:
    taken: dict[int, str] = {}
    for number, group in enumerate(groups):
        place, priority = _place(number, group), group["priority"]
        if not group["has_rule"]:
            if group["has_priority"]:
                yield (
                    f"{place}.priority: expected hosts or paths together with a priority, got neither. Add them, or"
                    " remove the priority."
                )
            elif group.get("actions") or group.get("transforms"):
                yield f"{place}: expected hosts, paths or conditions for actions and transforms, got none. Add them."
            continue
        yield from (f"{place}.{problem}" for problem in value_problems(group))
        if priority in taken:
            yield f"{place}.priority: expected a unique priority, got {priority}, which {taken[priority]} also has."
        taken[priority] = group["name"]
    names = [group["name"] for group in groups]
    for number, rule in enumerate(further):
        place, priority = f"ecs_load_balancer_rules[{number}]", rule["priority"]
        yield from (f"{place}.{problem}" for problem in value_problems({"hosts": [], "paths": [], **rule}))
        if priority in taken:
            yield f"{place}.priority: expected a unique priority, got {priority}, which {taken[priority]} also has."
        taken[priority] = place
        if rule.get("target_group") and rule["target_group"] not in names:
            yield (
                f"{place}.target_group: expected a name in {GROUPS} ({', '.join(names) or 'none'}), got"
                f" {rule['target_group']!r}."
            )
        if not rule.get("target_group") and not rule.get("actions"):
            yield f"{place}: expected a target_group, or actions that complete a request, got neither. Add one of them."


def _access_log_problems(variables: Variables) -> Iterator[str]:
    names = ("bucket", "prefix", "create")
    bucket, prefix, create = (variables[f"ecs_load_balancer_access_logs_{name}"] for name in names)
    if not _BUCKET.fullmatch(bucket):
        yield (
            "ecs_load_balancer_access_logs_bucket: expected 3 to 63 lowercase letters, digits, dots or hyphens, got"
            f" {bucket!r}."
        )
    if prefix.startswith("/") or prefix.endswith("/") or "AWSLogs" in prefix:
        yield (f"ecs_load_balancer_access_logs_prefix: expected no slash at either end and no AWSLogs, got {prefix!r}.")
    if not bucket and (prefix or create):
        given = "ecs_load_balancer_access_logs_create" if create else "ecs_load_balancer_access_logs_prefix"
        yield (
            f"ecs_load_balancer_access_logs_bucket: expected the name of a bucket for {given}, got none. Set it, or"
            f" set slipway_account, from which a stage with slipway_production derives it, or set {given} to"
            f" {'false' if create else 'nothing'}."
        )
    if not DAYS.holds(days := int(variables["ecs_load_balancer_access_logs_days"])) and days:
        yield f"ecs_load_balancer_access_logs_days: expected {DAYS}, or 0 to keep logs, got {days}."


def _https_problems(variables: Variables) -> Iterator[str]:
    arn, domains = variables["ecs_load_balancer_certificate_arn"], variables["ecs_load_balancer_domains"]
    region, policy = variables["ecs_load_balancer_region"], variables["ecs_load_balancer_ssl_policy"]
    for number, domain in enumerate(domains):
        if not _DOMAIN.fullmatch(domain):
            yield (
                f"ecs_load_balancer_domains[{number}]: expected a name such as www.example.com or *.example.com,"
                f" in lowercase, got {domain!r}."
            )
    if (arn or domains) and not _TLS.fullmatch(policy):
        yield (
            "ecs_load_balancer_ssl_policy: expected an AWS policy with TLS 1.2 or newer, such as"
            f" ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09, got {policy!r}."
        )
    if arn and not re.fullmatch(f"arn:aws[a-z-]*:acm:{re.escape(region)}:[0-9]{{12}}:certificate/[0-9a-f-]+", arn):
        yield (
            f"ecs_load_balancer_certificate_arn: expected an ACM certificate in {region}, where the load balancer"
            f" is, such as arn:aws:acm:{region}:123456789012:certificate/12345678-1234-1234-1234-123456789012, got"
            f" {arn!r}."
        )


def of_account(variables: Variables, groups: Sequence[Json], found: Json) -> Iterator[str]:
    """What exists and is in the way, and what is missing."""
    yield from _certificate_problems(variables, found)
    project = variables["ecs_load_balancer_project"]
    given = {
        "ecs_load_balancer_name": [variables["ecs_load_balancer_name"]],
        GROUPS: [group["full_name"] for group in groups if not group.get("arn")],
        "ecs_load_balancer_access_logs_bucket": [variables["ecs_load_balancer_access_logs_bucket"]],
    }
    members = {"load_balancers": "load_balancer_name", "target_groups": "target_group_name", "buckets": "name"}
    for (variable, names), (kind, member) in zip(given.items(), members.items(), strict=True):
        foreign = [
            one[member]
            for one in found.get(kind) or ()
            if one[member] in names
            and not is_owned(one, project)
            and not (kind == "target_groups" and is_unowned(one))
            and not (kind == "load_balancers" and (has_balancer(variables) or not groups))
        ]
        if foreign:
            yield (
                f"{variable}: expected names that no other project uses, got {', '.join(foreign)}, without the tag"
                f" {PROJECT}={project}. Choose other names, or tag the resources that belong to this project."
                + (
                    " To use the bucket without changing it, set ecs_load_balancer_access_logs_create to false."
                    * (kind == "buckets")
                )
            )
    types = {one["target_group_name"]: one["target_type"] for one in found.get("target_groups") or ()}
    for number, group in enumerate(groups):
        if not group.get("arn") and types.get(group["full_name"], group["target_type"]) != group["target_type"]:
            yield (
                f"{_place(number, group)}.target_type: expected {types[group['full_name']]}, the type of the"
                f" existing target group, got {group['target_type']}. AWS cannot change it: choose another name."
            )


def is_owned(one: Json, project: str) -> bool:
    return belongs_to(dict(one.get("tags") or one.get("bucket_tagging") or {}), project)


def is_unowned(one: Json) -> bool:
    """Whether nobody's project has it: it is not adopted yet."""
    return PROJECT not in dict(one.get("tags") or {})


def _certificate_problems(variables: Variables, found: Json) -> Iterator[str]:
    arn, domains = variables["ecs_load_balancer_certificate_arn"], variables["ecs_load_balancer_domains"]
    if not arn:
        yield from _zone_problems(variables, domains, found.get("hosted_zones") or ())
        return
    one: Json = next(iter(found.get("given_certificates") or ()), {})
    names = one.get("subject_alternative_names") or []
    # Neither by name nor by the wildcard beside it.
    uncovered = [name for name in domains if not {name, re.sub(r"^[^.]+", "*", name)} & set(names)]
    if one.get("status") != "ISSUED" or uncovered:
        yield (
            "ecs_load_balancer_certificate_arn: expected an issued certificate for"
            f" {', '.join(domains) or 'the domains of the site'}, got {arn} (status:"
            f" {one.get('status', 'not found')}, domains: {', '.join(names) or 'none'})."
        )


def _zone_problems(variables: Variables, domains: Sequence[str], zones: Sequence[Json]) -> Iterator[str]:
    chosen, known = variables["ecs_load_balancer_hosted_zone_id"], ", ".join(zone["name"] for zone in zones)
    if domains and chosen and chosen not in [zone_id(zone) for zone in zones]:
        yield (
            "ecs_load_balancer_hosted_zone_id: expected the ID of a hosted zone in this account"
            f" ({known or 'none'}), got {chosen!r}."
        )
    outside = [domain for domain in domains if not hosted_zone(domain, zones)]
    if outside:
        yield (
            f"ecs_load_balancer_domains: expected names in public hosted zones in this account ({known or 'none'}), got"
            f" {', '.join(outside)}. For other names, request a certificate yourself and set it in"
            " ecs_load_balancer_certificate_arn."
        )


def zone_id(zone: Json) -> str:
    return str(zone["id"]).rpartition("/")[2]


def hosted_zone(domain: str, zones: Sequence[Json]) -> str:
    """The public zone with the longest name that fits, which resolvers ask; empty if none does."""
    labels = "." + domain.lower().rstrip(".").removeprefix("*.")
    public = [zone for zone in zones if not (zone.get("config") or {}).get("private_zone")]
    fitting = [zone for zone in public if labels.endswith("." + zone["name"].lower().rstrip("."))]
    longest = max(fitting, key=lambda zone: len(zone["name"]), default=None)
    return zone_id(longest) if longest else ""

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role ecs_load_balancer creates and keeps, from its variables and from what it found in the account. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.slipway.aws.plugins.module_utils._core.plan import UNKNOWN
from ansible_collections.slipway.aws.plugins.module_utils._core.tags import PROJECT, as_text, carries
from ansible_collections.slipway.aws.plugins.module_utils._core.target_groups import ARGUMENTS
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_app_ports, ecs_app_strategies
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_load_balancer_existing as existing
from ansible_collections.slipway.aws.plugins.plugin_utils import ecs_load_balancer_logs as logs
from ansible_collections.slipway.aws.plugins.plugin_utils.ecs_load_balancer_problems import (
    Variables,
    is_owned,
    is_unowned,
    of_account,
    of_variables,
)

# With AWS's own times, a target is in service after 150 s and out of it after 300 s, and deployments wait for both.
DEFAULTS: Json = {
    "protocol": "HTTP",
    "target_type": "ip",
    "hosts": [],
    "paths": [],
    "health_check_protocol": "HTTP",
    "health_check_path": "/",
    "health_check_codes": "200-399",
    "health_check_interval": 10,
    "health_check_timeout": 5,
    "healthy_threshold": 2,
    "unhealthy_threshold": 3,
    "deregistration_delay": 30,
}
# Complete, as AWS describes it: what is missing would be a difference at every run.
REDIRECT: Json = {
    "Type": "redirect",
    "RedirectConfig": {
        "Protocol": "HTTPS",
        "Port": "443",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
        "StatusCode": "HTTP_301",
    },
}
# What says which requests a target group gets, and what is done with them before they are forwarded.
CONDITIONS, ACTIONS = ("hosts", "paths", "conditions"), ("actions", "transforms")
# What the name of an alternate target group ends with.
ALTERNATE = "-2"
NAMES = {"load_balancers": "load_balancer_name", "target_groups": "target_group_name", "buckets": "name"}


@dataclass(frozen=True)
class Site:
    """The variables, and what modules returned, by kind.

    `load_balancers`, `target_groups` and `buckets` are those of the account, `load_balancer`, `groups` and
    `certificate` those that the role has created or, in check mode, predicted.
    """

    variables: Variables
    services: Sequence[Json]
    found: Json

    def of(self, name: str) -> Any:
        return self.variables[f"ecs_load_balancer_{name}"]

    def owned(self, kind: str) -> list[Json]:
        return [one for one in self.found.get(kind) or () if is_owned(one, self.of("project"))]

    @property
    def prefix(self) -> str:
        return f"{self.of('project')}-"

    @cached_property
    def groups(self) -> list[Json]:
        """The target groups with their defaults, and the names that they have in the account."""
        given = ecs_app_ports.target_groups(self.services, self.of("target_groups"))
        return [
            {
                **DEFAULTS,
                **{option: value for option, value in group.items() if value is not None},
                "full_name": self._full_name(group),
                "has_rule": any(group.get(member) for member in CONDITIONS),
                "priority": group.get("priority") or 10 * place,
                "has_priority": group.get("priority") is not None,
            }
            for place, group in enumerate(given, 1)
        ]

    def _full_name(self, group: Json) -> str:
        if group.get("arn"):
            return existing.name_of_group(str(group["arn"]))
        return str(group.get("target_group_name") or self.prefix + group["name"])

    @property
    def is_shared(self) -> bool:
        """Whether the load balancer is one of others, which is used and never changed."""
        return existing.has_balancer(self.variables)

    @property
    def is_needed(self) -> bool:
        """Whether the project has anything to do with a load balancer."""
        return bool(self.groups or self.is_shared)

    @cached_property
    def alternates(self) -> dict[str, Json]:
        """The other one of two target groups between which ECS shifts traffic, by the name of the first.

        It remains when the service is rolled out otherwise, as it may serve the requests then.
        """
        shifted = ecs_app_strategies.shifted_groups(self.services)
        own = [*self.owned("target_groups"), *(self.found.get("groups") or ())]
        there = [one["target_group_name"] for one in own]
        return {
            group["name"]: {
                **{option: value for option, value in group.items() if option != "arn"},
                "name": group["name"] + ALTERNATE,
                "full_name": group["full_name"] + ALTERNATE,
            }
            for group in self.groups
            if group["name"] in shifted or group["full_name"] + ALTERNATE in there
        }

    @cached_property
    def current(self) -> Json:
        if self.is_shared:
            named = existing.balancers(self.variables, self.found)
            return named[0] if len(named) == 1 else {}
        name = self.of("name")
        return next((one for one in self.owned("load_balancers") if one["load_balancer_name"] == name), {})

    @cached_property
    def known_groups(self) -> list[Json]:
        """The target groups as they are: those of the project, and those of others that it names."""
        wanted = [group for group in (*self.groups, *self.alternates.values()) if not group.get("arn")]
        names, theirs = [group["full_name"] for group in wanted], [group.get("arn") for group in self.groups]
        some = self.found.get("target_groups") or ()
        own = self.found.get("groups") or [one for one in some if one["target_group_name"] in names and self.has(one)]
        return [*own, *(one for one in some if one["target_group_arn"] in theirs)]

    def has(self, one: Json) -> bool:
        """Whether a target group is the project's, or nobody's yet."""
        return is_owned(one, self.of("project")) or is_unowned(one)

    def known(self, group: Json) -> Json:
        """What is known of a target group of the variables."""
        member, value = (
            ("target_group_arn", group["arn"]) if group.get("arn") else ("target_group_name", group["full_name"])
        )
        return next((one for one in self.known_groups if one[member] == value), {})

    @cached_property
    def arns(self) -> dict[str, str]:
        """ARNs of target groups by their names in the variables."""
        arns = {
            group["name"]: str(group.get("arn") or self.known(group).get("target_group_arn") or "")
            for group in (*self.groups, *self.alternates.values())
        }
        return {name: arn for name, arn in arns.items() if arn}

    @property
    def default_arn(self) -> str:
        """The target group of the requests that no rule takes."""
        return self.arns.get(self.groups[0]["name"], "") if self.groups else ""

    @cached_property
    def rule_listeners(self) -> list[Json]:
        """The listeners of others that get the project's rules."""
        return existing.listeners(self.variables, self.current) if self.is_shared else []

    @property
    def https(self) -> bool:
        if self.is_shared:
            return any(one["protocol"] == "HTTPS" for one in self.rule_listeners[:1])
        return bool(self.of("certificate_arn") or self.of("domains"))

    @property
    def requests_certificate(self) -> bool:
        return bool(self.of("domains") and not self.of("certificate_arn") and not self.is_shared)

    @property
    def certificate(self) -> str:
        requested = self.found.get("certificate") or {}
        return str(requested.get("certificate_arn", "") if self.requests_certificate else self.of("certificate_arn"))

    @property
    def port(self) -> int:
        if self.rule_listeners:
            return int(self.rule_listeners[0]["port"])
        return 443 if self.https else 80

    @cached_property
    def shifted(self) -> dict[str, int]:
        """Weights of the default target groups, if there are several. Amazon ECS shifts them in blue/green, linear and
        canary deployments; setting them would shift them back."""
        return self.shifted_at(self.port)

    def shifted_at(self, port: int) -> dict[str, int]:
        actions = [one["default_actions"] for one in self.current.get("listeners") or () if one["port"] == port]
        return _weights(actions[0], self.default_arn) if actions else {}


def _weights(actions: Sequence[Json], arn: str) -> dict[str, int]:
    if len(actions) != 1 or actions[0].get("type") != "forward":
        return {}
    groups = (actions[0].get("forward_config") or {}).get("target_groups") or ()
    weights = {group["target_group_arn"]: int(group.get("weight", 1)) for group in groups}
    return weights if len(weights) > 1 and arn in weights else {}


def plan(variables: Variables, services: Sequence[Json] = (), found: Json | None = None) -> Json:
    """Problems, what of the project exists, and the settings of what the role creates."""
    site = Site(variables, services, found or {})
    name_tag = {"Name": site.of("name")}
    return {
        "problems": [
            *of_variables(variables, site.groups),
            *existing.problems(variables, site.groups),
            *_shifting_problems(site),
            *(existing.account_problems(variables, site.groups, found) if found else ()),
            *(of_account(variables, site.groups, found) if found else ()),
        ],
        "owned": {kind: [one[name] for one in site.owned(kind)] for kind, name in NAMES.items()},
        "protected": [one["load_balancer_name"] for one in site.owned("load_balancers") if _is_protected(one)],
        "tags": as_text({**site.of("tags"), PROJECT: site.of("project")}),
        "certificate_tags": {PROJECT: site.of("project"), **name_tag},
        "requests_certificate": site.requests_certificate,
        "is_needed": site.is_needed,
        "is_shared": site.is_shared,
        "owner_tags": {PROJECT: site.of("project")},
        # Check mode compares these without their tags; a run refuses them.
        "not_adopted": _not_adopted(site),
        "target_groups": _created_groups(site),
        "current": site.current,
        # What check mode takes for granted: what exists, or unknown ARNs.
        "predicted": site.current
        or {"load_balancer_name": site.of("name"), "load_balancer_arn": UNKNOWN, "dns_name": UNKNOWN},
        "port": site.port,
        "listeners": [] if site.is_shared or not site.groups else _listeners(site),
        "shared_listeners": _shared_listeners(site),
        "former_balancers": existing.former_balancers(variables, site.found, site.current),
        "rules": _rules(site),
        "default": _default(site),
        "shifts": bool(site.alternates),
        "access_logs": logs.bucket(variables, site.found),
        # To turn access logs off, AWS requires the bucket again.
        "logs_bucket": site.of("access_logs_bucket") or site.current.get("access_logs_s3_bucket") or "",
        "obsolete_certificates": _certificates(site, name_tag),
        "owned_certificates": _certificates(site, {}),
        "result": _result(site),
    }


def _shifting_problems(site: Site) -> Iterator[str]:
    """ECS shifts the weights of a rule, and the default action of a shared listener belongs to others."""
    shifted = ecs_app_strategies.shifted_groups(site.services) if site.is_shared else ()
    for number, group in enumerate(site.groups):
        if group["name"] in shifted and not group["has_rule"]:
            yield (
                f"{existing.GROUPS}[{number}] ({group['name']}): expected hosts, paths or conditions, because a"
                " service with a strategy uses it on an existing load balancer, got none. Add them, or use the"
                " strategy rolling."
            )


def _not_adopted(site: Site) -> list[str]:
    names = [group["full_name"] for group in (*site.groups, *site.alternates.values()) if not group.get("arn")]
    some = site.found.get("target_groups") or ()
    return [one["target_group_name"] for one in some if one["target_group_name"] in names and is_unowned(one)]


def _shared_listeners(site: Site) -> list[Json]:
    """Each listener of the others' load balancer with the rules that the project has there; obsolete ones go."""
    chosen = [one["listener_arn"] for one in site.rule_listeners]
    return [
        {
            "listener_arn": one["listener_arn"],
            "label": f"{one['protocol']} {one['port']}",
            "rules": _rules_on(site, one) if one["listener_arn"] in chosen else [],
        }
        for one in (site.current.get("listeners") or () if site.is_shared else ())
        if one["listener_arn"] in chosen or len(one.get("rules") or ()) > 1
    ]


def _rules_on(site: Site, listener: Json) -> list[Json]:
    """The rules of the project on one listener. That of HTTP redirects their requests, as an own load balancer does."""
    secure = existing.redirects_to(site.variables, listener, site.rule_listeners)
    if not secure:
        return _rules(site)
    action = {**REDIRECT, "RedirectConfig": {**REDIRECT["RedirectConfig"], "Port": str(secure["port"])}}
    kept = ("priority", *CONDITIONS)
    return [{**{name: rule[name] for name in kept if name in rule}, "actions": [action]} for rule in _rules(site)]


def _is_protected(balancer: Json) -> bool:
    return str(balancer.get("deletion_protection_enabled")).lower() == "true"


def _created_groups(site: Site) -> list[Json]:
    """Each target group, as elb_target_group takes it.

    The port counts for targets that name none, and AWS cannot change it: one that follows from a service is only set
    when the group is created. Settings of groups that services use change with these, so that a failed release rolls
    both back.
    """
    there = [one["target_group_name"] for one in site.found.get("target_groups") or () if site.has(one)]
    given = {group["name"]: group for group in site.of("target_groups")}
    given |= {one["name"]: given.get(name) or {} for name, one in site.alternates.items()}
    balancers = [item for service in site.services for item in service.get("load_balancers") or ()]
    used = [item.get("targetGroupArn") for item in balancers]
    return [
        {
            **group,
            "port": None if "port" not in given[group["name"]] and group["full_name"] in there else group["port"],
            "keep_settings": group["name"].removesuffix(ALTERNATE) in used or group["name"] in used,
        }
        for group in (*site.groups, *site.alternates.values())
        if not group.get("arn")
    ]


def _listeners(site: Site) -> list[Json]:
    # Without actions, the module keeps those that exist.
    forward = [] if site.shifted else [{"Type": "forward", "TargetGroupArn": site.default_arn}]
    http = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [REDIRECT] if site.https else forward}
    https = {
        "Protocol": "HTTPS",
        "Port": 443,
        "SslPolicy": site.of("ssl_policy"),
        "Certificates": [{"CertificateArn": site.certificate}],
        "DefaultActions": forward,
    }
    port = site.of("test_port")
    plain = [] if site.shifted_at(port) else [{"Type": "forward", "TargetGroupArn": site.default_arn}]
    production = https if site.https else http
    test = [{**production, "Port": port, "DefaultActions": plain}] if port else []
    return [*([http, https] if site.https else [http]), *test]


def _rules(site: Site) -> list[Json]:
    """The rules, by priority. A name stands for an ARN that is not known yet."""
    rules = [
        {
            "priority": int(group["priority"]),
            **{member: group[member] for member in (*CONDITIONS, *ACTIONS) if member in group},
            "target_group_arn": site.arns.get(group["name"], group["name"]),
            "alternate_target_group_arn": _alternate_arn(site, group["name"]),
        }
        for group in site.groups
        if group["has_rule"]
    ] + [_further_rule(site, rule) for rule in site.of("rules")]
    return sorted(rules, key=lambda rule: int(rule["priority"]))


def _further_rule(site: Site, rule: Json) -> Json:
    """A rule that belongs to no target group; where it names one, requests end there."""
    name = str(rule.get("target_group") or "")
    target = {"target_group_arn": site.arns.get(name, name), "alternate_target_group_arn": _alternate_arn(site, name)}
    given = {member: value for member, value in rule.items() if value is not None and member != "target_group"}
    return {**given, **(target if name else {})}


def _alternate_arn(site: Site, name: str) -> str:
    """The ARN of the alternate target group, its name while that is not known, or nothing without one."""
    return site.arns.get(name + ALTERNATE, name + ALTERNATE) if name in site.alternates else ""


def _default(site: Site) -> Json:
    """The target groups of the default action, if ECS shifts traffic between two."""
    name = site.groups[0]["name"] if site.groups else ""
    if name not in site.alternates or site.is_shared:
        return {}
    return {
        "target_group_arn": site.arns.get(name, name),
        "alternate_target_group_arn": _alternate_arn(site, name),
    }


def _of_rules(site: Site, balancer: Json, port: int) -> dict[str, Json]:
    """The rule of each target group that has an alternate one, by its name: its ARN and weights."""
    listener: Json = next((one for one in balancer.get("listeners") or () if int(one["port"]) == port), {})
    found: dict[str, Json] = {}
    for number, group in enumerate(site.groups):
        is_default = number == 0 and not site.is_shared
        wanted = str(group["priority"]) if group["has_rule"] else "default" if is_default else ""
        rules = [one for one in listener.get("rules") or () if str(one.get("priority")) == wanted]
        if group["name"] in site.alternates and rules:
            actions, arn = rules[0].get("actions") or (), site.arns.get(group["name"], "")
            found[group["name"]] = {"arn": rules[0].get("rule_arn"), "weights": _weights(actions, arn)}
    return found


def _shifting(site: Site, balancer: Json) -> dict[str, Json]:
    """What a service needs whose traffic ECS shifts: two target groups and their rules, by the name of the first."""
    rules, test = _of_rules(site, balancer, site.port), _of_rules(site, balancer, site.of("test_port"))
    return {
        name: {
            "arn": site.arns.get(name, UNKNOWN),
            "alternate_arn": site.arns.get(name + ALTERNATE, UNKNOWN),
            "production_rule": rules[name]["arn"] if name in rules else UNKNOWN,
            "test_rule": (test[name]["arn"] if name in test else UNKNOWN) if site.of("test_port") else "",
        }
        for name in ecs_app_strategies.shifted_groups(site.services)
        if name in site.alternates
    }


def _serving(site: Site, balancer: Json, name: str) -> str:
    """The target group to roll a service out to: the alternate one, if a former deployment left the traffic there."""
    own, alternate = site.arns.get(name, ""), site.arns.get(name + ALTERNATE, "")
    weights = (_of_rules(site, balancer, site.port).get(name) or {}).get("weights") or {}
    is_shifting = name in ecs_app_strategies.shifted_groups(site.services)
    return alternate if not is_shifting and weights.get(alternate) and not weights.get(own) else own


def _idle(site: Site, balancer: Json, name: str) -> str:
    """The other one of both target groups, to which listener and rules forward, too."""
    own, alternate = site.arns.get(name, UNKNOWN), site.arns.get(name + ALTERNATE, UNKNOWN)
    return own if _serving(site, balancer, name) == alternate else alternate


def _certificates(site: Site, tags: Mapping[str, str]) -> Json:
    """Certificates of the project with these tags that are not in use, and the validation records that no other needs.

    AWS requires the same record for every certificate of a domain, and reads it again when it renews one.
    """
    deleted: list[Json] = []
    kept: list[Json] = []
    for one in site.found.get("certificates") or ():
        is_ours = carries(dict(one.get("tags") or {}), {PROJECT: site.of("project"), **tags})
        is_obsolete = is_ours and one["certificate_arn"] != site.certificate
        (deleted if is_obsolete else kept).append(one)
    records = sorted(_records(deleted) - _records(kept))
    return {
        "arns": [one["certificate_arn"] for one in deleted],
        "records": [{"name": name, "type": kind} for name, kind in records],
    }


def _records(certificates: Iterable[Json]) -> set[tuple[str, str]]:
    options = [option for one in certificates for option in one.get("domain_validation_options") or ()]
    found = [option["resource_record"] for option in options if option.get("resource_record")]
    return {(record["name"].lower().rstrip("."), record["type"]) for record in found}


def _result(site: Site) -> Json:
    one = site.found.get("load_balancer", site.current)
    listeners = sorted(one.get("listeners") or (), key=lambda listener: int(listener["port"]))
    url = _url(site, one) if one else ""
    return {
        "name": one.get("load_balancer_name", ""),
        "arn": one.get("load_balancer_arn", ""),
        "dns_name": one.get("dns_name", ""),
        "url": url,
        "urls": _urls(site, url) if url else {},
        "target_groups": {
            group["name"]: {
                "arn": _serving(site, one, group["name"]),
                "port": known.get("port"),
                "target_type": known.get("target_type"),
            }
            for group in site.groups
            if (known := site.known(group))
        },
        "alternates": {name: _idle(site, one, name) for name in site.alternates},
        "shifting": _shifting(site, one),
        # As the variables have them: those in AWS may change with the next release.
        "target_group_settings": {
            group["name"]: {option: group[option] for option in ARGUMENTS if option in group}
            for group in site.groups
            if not group.get("arn")
        },
        "listeners": [
            {"arn": listener.get("listener_arn"), "port": listener.get("port"), "protocol": listener.get("protocol")}
            for listener in listeners
        ],
        "shifted": site.shifted,
        "existing": site.is_shared,
    }


def _urls(site: Site, url: str) -> dict[str, str]:
    """Where the load balancer has each service, by its name."""
    groups = {group["name"]: group for group in site.groups}
    found: dict[str, str] = {}
    for service in site.services:
        used = [groups.get(item.get("targetGroupArn")) for item in service.get("load_balancers") or ()]
        addresses = [_address(url, group, group is site.groups[0] and not site.is_shared) for group in used if group]
        found |= {str(service.get("name")): address for address in addresses[:1] if address}
    return found


def _address(url: str, group: Json, is_default: bool) -> str:
    """A URL that reaches a target group: its first host and path without a wildcard."""
    if not (group["hosts"] or group["paths"] or is_default):
        return ""
    parts = urlsplit(url)
    host = next((host for host in group["hosts"] if not set(host) & set("*?")), "")
    netloc = f"{host}:{parts.port}" if host and parts.port else host or parts.netloc
    path = next((path.partition("*")[0] for path in group["paths"] if "?" not in path), "")
    return f"{parts.scheme}://{netloc}{path}"


def _url(site: Site, balancer: Json) -> str:
    names = [domain for domain in site.of("domains") if not domain.startswith("*")]
    host = next(iter(names), balancer["dns_name"])
    plain = "" if site.port in existing.PORTS else f":{site.port}"
    return str(site.of("url") or f"{'https' if site.https else 'http'}://{host}{plain}")

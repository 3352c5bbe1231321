# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conditions of listener rules in one form, whichever way they were written, and what AWS refuses of them. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html
"""

from __future__ import annotations

import ipaddress
import json
import re
import typing as t

from .types import Json

HOST = "host-header"
PATH = "path-pattern"
HEADER = "http-header"
METHOD = "http-request-method"
QUERY = "query-string"
SOURCE = "source-ip"
# The member that holds the values of a condition, by its field.
CONFIGURATIONS = {
    HOST: "HostHeaderConfig",
    PATH: "PathPatternConfig",
    HEADER: "HttpHeaderConfig",
    METHOD: "HttpRequestMethodConfig",
    QUERY: "QueryStringConfig",
    SOURCE: "SourceIpConfig",
}
# Options for conditions that have nothing but values.
SIMPLE = {HOST: "hosts", PATH: "paths"}
LISTS = ("Values", "RegexValues")
# Fields of which a rule has one condition at most, those that may have values outside of their configuration, and
# those with regular expressions.
ONCE = (HOST, PATH, METHOD, SOURCE)
FLAT = (HOST, PATH)
WITH_REGEX = (HOST, PATH, HEADER)
LONGEST_VALUE = 128
LONGEST_NAME = 40
# AWS's own limits, https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
PRIORITIES = range(1, 50001)
MOST_VALUES = 5
_HOST_VALUE = re.compile(r"[A-Za-z0-9.*?-]*\.[A-Za-z]+")
_PATH_VALUE = re.compile(r"[/*?][A-Za-z0-9_.$/~\"'@:+&()!,;=%*?-]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^`|~\w-]{1,40}", re.ASCII)
_METHOD = re.compile(r"[A-Z_-]{1,40}")


def normal(condition: Json) -> Json:
    """A condition with its values in the configuration of its field, as sets."""
    field = str(condition["Field"])
    name = CONFIGURATIONS.get(field)
    if name is None:
        return dict(condition)
    config = dict(condition.get(name) or {})
    for member in LISTS:
        values = config.pop(member, None) or condition.get(member) or ()
        if values:
            config[member] = _set(_same(field, member, value) for value in values)
    others = {key: value for key, value in condition.items() if key not in {"Field", name, *LISTS} and value}
    return {"Field": field, name: config, **others}


def _same(field: str, member: str, value: t.Any) -> t.Any:
    """One spelling for values that mean the same."""
    if field == HOST and member == "Values":
        return str(value).lower()
    return _network(str(value)) if field == SOURCE else value


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return text


def _set(values: t.Iterable[t.Any]) -> list[t.Any]:
    by_text = {json.dumps(value, sort_keys=True): value for value in values}
    return [by_text[text] for text in sorted(by_text)]


def split(conditions: t.Iterable[Json]) -> Json:
    """The options of a rule's conditions: hosts and paths where that says all, and the other conditions."""
    found = sorted((normal(one) for one in conditions), key=lambda one: json.dumps(one, sort_keys=True))
    fields = [one["Field"] for one in found]
    plain = [one for one in found if _is_plain(one) and fields.count(one["Field"]) == 1]
    simple = {SIMPLE[one["Field"]]: one[CONFIGURATIONS[one["Field"]]].get("Values", []) for one in plain}
    others = [one for one in found if one not in plain]
    return {"hosts": [], "paths": [], **simple, **({"conditions": others} if others else {})}


def _is_plain(condition: Json) -> bool:
    field = condition["Field"]
    return field in SIMPLE and len(condition) == 2 and set(condition[CONFIGURATIONS[field]]) <= {"Values"}


def joined(rule: Json) -> list[Json]:
    """The conditions of a rule, as AWS takes them: the reverse of `split`."""
    simple = [
        {"Field": field, CONFIGURATIONS[field]: {"Values": rule[option]}}
        for field, option in SIMPLE.items()
        if rule.get(option)
    ]
    return [*simple, *rule.get("conditions", ())]


def count(rule: Json) -> int:
    """How many values a rule compares with."""
    return sum(_count(condition) for condition in joined(rule))


def _count(condition: Json) -> int:
    config = condition.get(CONFIGURATIONS.get(condition["Field"], ""), {})
    return sum(len(config.get(member) or ()) for member in LISTS) or 1


def problems(conditions: t.Sequence[Json]) -> t.Iterator[str]:
    """What AWS would refuse of conditions that its model allows; each begins with the place."""
    for number, condition in enumerate(conditions):
        place, field = f"conditions[{number}]", condition.get("Field", "")
        if field not in CONFIGURATIONS:
            yield f"{place}.Field: expected one of {', '.join(CONFIGURATIONS)}, got {field!r}."
            continue
        yield from (f"{place}{problem}" for problem in _form_problems(field, condition))
        yield from (f"{place}.{problem}" for problem in _value_problems(field, normal(condition)))


def _form_problems(field: str, condition: Json) -> t.Iterator[str]:
    own = CONFIGURATIONS[field]
    allowed = {"Field", own, *(LISTS if field in FLAT else ("RegexValues",) if field in WITH_REGEX else ())}
    for name in sorted(set(condition) - allowed):
        yield f".{name}: expected {own} for {field}, got this member. Move the values there."
    if len(condition.get("Values") or ()) > 1:
        yield f".Values: expected one value, got {len(condition['Values'])}. Move them to {own}."
    if (condition.get(own) or {}).get("RegexValues") and field not in WITH_REGEX:
        yield f".{own}.RegexValues: expected none for {field}, got some."


def _value_problems(field: str, condition: Json) -> t.Iterator[str]:
    name = CONFIGURATIONS[field]
    config = condition[name]
    values = [value for member in LISTS for value in config.get(member) or ()]
    if not values and not (field == SOURCE and config.get("IpAddressType")):
        yield f"{name}: expected values, got none."
    for value in values:
        texts = [str(part) for part in value.values()] if isinstance(value, dict) else [str(value)]
        if any(len(text) > LONGEST_VALUE for text in texts):
            yield f"{name}: expected values of at most {LONGEST_VALUE} characters, got {max(map(len, texts))}."
    check = {HEADER: _header_problems, METHOD: _method_problems, QUERY: _query_problems, SOURCE: _source_problems}
    if field in check:
        yield from (f"{name}{problem}" for problem in check[field](config))


def _header_problems(config: Json) -> t.Iterator[str]:
    header = str(config.get("HttpHeaderName") or "")
    if not _HEADER_NAME.fullmatch(header):
        yield f".HttpHeaderName: expected a name of 1 to {LONGEST_NAME} characters, got {header!r}."
    if header.lower() == "host":
        yield f".HttpHeaderName: expected another header than {header}. Use hosts."


def _method_problems(config: Json) -> t.Iterator[str]:
    for value in config.get("Values") or ():
        if not _METHOD.fullmatch(str(value)):
            yield f".Values: expected methods in capital letters, such as GET, got {value!r}."


def _query_problems(config: Json) -> t.Iterator[str]:
    for value in config.get("Values") or ():
        if not value.get("Value"):
            yield ".Values: expected a Value in each, got one without."


def _source_problems(config: Json) -> t.Iterator[str]:
    for value in config.get("Values") or ():
        try:
            ipaddress.ip_network(str(value))
        except ValueError:
            yield f".Values: expected networks such as 192.0.2.0/24, got {value!r}."


def repeated(rule: Json) -> t.Iterator[str]:
    """Fields that have more conditions than AWS allows, hosts and paths included."""
    fields = [condition["Field"] for condition in joined(rule)]
    for field in ONCE:
        if fields.count(field) > 1:
            yield f"conditions: expected one of {field} at most, hosts and paths included, got {fields.count(field)}."


def value_problems(rule: Json) -> t.Iterator[str]:
    """What AWS would refuse of the priority and the conditions of one rule; each begins with the member's name."""
    if int(rule["priority"]) not in PRIORITIES:
        yield f"priority: expected {PRIORITIES[0]} to {PRIORITIES[-1]}, got {rule['priority']}."
    for host in rule["hosts"]:
        if not _HOST_VALUE.fullmatch(host) or len(host) > LONGEST_VALUE:
            yield f"hosts: expected names such as api.example.com or *.example.com, got {host!r}."
    for path in rule["paths"]:
        if not _PATH_VALUE.fullmatch(path) or len(path) > LONGEST_VALUE:
            yield f"paths: expected paths such as /api or /api/*, got {path!r}."
    yield from repeated(rule)
    values = count(rule)
    if not 0 < values <= MOST_VALUES:
        names = "hosts, paths and conditions: expected" if rule.get("conditions") else "hosts and paths: expected"
        yield f"{names} 1 to {MOST_VALUES} values together, got {values}."

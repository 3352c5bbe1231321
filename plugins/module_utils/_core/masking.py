# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that look like secrets, hidden in what modules return. Pure.

A mask is the same for every value: nothing can be guessed from it. That a value changed is said beside it.
"""

from __future__ import annotations

import itertools
import re
import typing as t
from collections.abc import Iterator, Mapping, Sequence

from .secret_forms import MASK, hide
from .templates import TEMPLATE

# Where containers and log drivers get name and value from; the values of maps are masked by their keys.
_PAIRS = ("environment", "properties", "secretOptions")
_MAPS = ("options", "driverOpts", "dockerLabels", "environment", "labels", "build_args")
_COMMANDS = ("command", "entryPoint")

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# A word that ends with one of these, as in DB_PASSWORD, PGPASSWORD or clientSecret.
_SECRET_ENDS = ("apikey", "credential", "credentials", "passphrase", "passwd", "password", "pwd", "secret", "token")
_BEFORE_KEY = frozenset(
    {"access", "api", "auth", "encryption", "hmac", "jwt", "license", "master", "private", "secret", "signing", "ssh"}
)
_BEFORE_PASS = frozenset(
    {"admin", "database", "db", "mongo", "mysql", "postgres", "rabbitmq", "redis", "root", "smtp", "user"}
)
# What a name ends with where the value only describes a secret or says where it is.
_ABOUT = frozenset(
    {
        "age",
        "algorithm",
        "arn",
        "count",
        "days",
        "dir",
        "directory",
        "enabled",
        "endpoint",
        "expiration",
        "expiry",
        "expires",
        "file",
        "header",
        "hours",
        "id",
        "issuer",
        "length",
        "lifetime",
        "limit",
        "max",
        "min",
        "minutes",
        "mode",
        "name",
        "names",
        "path",
        "policy",
        "prefix",
        "provider",
        "region",
        "required",
        "rotation",
        "seconds",
        "size",
        "timeout",
        "ttl",
        "type",
        "url",
        "uri",
        "version",
    }
)
_PLAIN_VALUES = frozenset(("", "true", "false", "yes", "no", "on", "off", "none", "null", MASK))
_PLACE = re.compile(r"arn:.*|(/[\w.-]+){2,}")
_CONNECTION = re.compile(
    r"(?P<start>(?:^|[;\s&?])(?:password|pwd|accountkey|sharedaccesskey)=)(?!\$[({A-Z_]|\*{8}(?:[;\s&]|$))[^;\s&]+",
    re.IGNORECASE,
)
_OPTION = re.compile(r"--?[A-Za-z][\w.-]*")
# Stands for a secret until the text that it is in becomes a template.
_MARK = "\0{}\0"
_MARKED = re.compile("\0(.+?)\0")
_ASSIGNED = re.compile(r"(?P<name>-{0,2}[A-Za-z][\w.-]*)=(?P<value>.*)", re.DOTALL)


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name usually holds a secret: `DB_PASSWORD`, not `PASSWORD_MIN_LENGTH`."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT or "public" in words:
        return False
    if any(word.endswith(_SECRET_ENDS) for word in words):
        return True
    if words[-1] == "pass":
        return len(words) == 1 or words[-2] in _BEFORE_PASS
    return any(one in _BEFORE_KEY and other == "key" for one, other in itertools.pairwise(words))


def is_secret(name: str, value: t.Any) -> bool:
    """Whether `value` is to be hidden: its name says so, or there is a password in it."""
    text = str(value)
    if text.lower() in _PLAIN_VALUES or _PLACE.fullmatch(text):
        return False
    return is_secret_name(name) or hide_passwords(text) != text


def hide_passwords(text: str) -> str:
    """The text with a mask for tokens and for passwords in addresses (`://user:password@`) and connection strings."""
    return _CONNECTION.sub(rf"\g<start>{MASK}", hide(text))


def mask(value: t.Any) -> t.Any:
    """A copy of `value` without the secrets in it.

    In a dictionary with the members `before` and `after`, which is a diff, a secret that differs is shown as changed.
    """
    return _hidden(_walk(value, "", lambda _where, name, secret: _masked(name, secret)))


def _hidden(value: t.Any) -> t.Any:
    """Without secrets in texts of any name, such as messages."""
    if isinstance(value, Mapping):
        return {name: _hidden(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_hidden(element) for element in value]
    return hide(value) if isinstance(value, str) else value


def mask_command(words: Sequence[t.Any]) -> list[t.Any]:
    """A command without the values of options such as `--password=x`, `--password x` and `PASSWORD=x`."""
    return _command(words, "", lambda _where, name, secret: _masked(name, secret))


# Takes where a value stands, its name and itself, and returns what stands there instead.
_Replace = t.Callable[[str, str, t.Any], t.Any]


def _masked(name: str, value: t.Any) -> t.Any:
    if not is_secret(name, value):
        return value
    return MASK if is_secret_name(name) else hide_passwords(str(value))


def _walk(value: t.Any, where: str, replace: _Replace) -> t.Any:
    if isinstance(value, Mapping):
        if {"before", "after"} <= value.keys():
            return _diff(value, where, replace)
        here = f"{where}/{value['name']}" if "name" in value else where
        return {name: _member(str(name), member, f"{here}/{name}", replace) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_walk(element, where, replace) for element in value]
    return value


def _diff(value: Mapping[t.Any, t.Any], where: str, replace: _Replace) -> dict[t.Any, t.Any]:
    before: dict[str, t.Any] = {}

    def note(place: str, name: str, secret: t.Any) -> t.Any:
        before[place] = secret
        return replace(place, name, secret)

    def compare(place: str, name: str, secret: t.Any) -> t.Any:
        shown = replace(place, name, secret)
        changed = shown != secret and place in before and before[place] != secret
        return f"{shown} (changed)" if changed else shown

    before, after = _walk(value["before"], where, note), _walk(value["after"], where, compare)
    names = [name for name in value if name not in ("before", "after")]
    others = {name: _walk(value[name], f"{where}/{name}", replace) for name in names}
    return {**others, "before": before, "after": after}


def _member(name: str, value: t.Any, where: str, replace: _Replace) -> t.Any:
    if name in _PAIRS and isinstance(value, (list, tuple)):
        return [_pair(element, where, replace) for element in value]
    if name in _MAPS and isinstance(value, Mapping):
        return {key: _scalar(str(key), member, f"{where}/{key}", replace) for key, member in value.items()}
    if name in _COMMANDS and isinstance(value, (list, tuple)):
        return _command(value, where, replace)
    return _walk(value, where, replace)


def _pair(element: t.Any, where: str, replace: _Replace) -> t.Any:
    if not isinstance(element, Mapping) or "value" not in element:
        return element
    name = str(element.get("name"))
    return {**element, "value": _scalar(name, element["value"], f"{where}/{name}", replace)}


def _scalar(name: str, value: t.Any, where: str, replace: _Replace) -> t.Any:
    return _walk(value, where, replace) if isinstance(value, (Mapping, list, tuple)) else replace(where, name, value)


def _command(words: Sequence[t.Any], where: str, replace: _Replace) -> list[t.Any]:
    masked: list[t.Any] = []
    option = ""
    for number, word in enumerate(words):
        text = str(word)
        assigned = _ASSIGNED.fullmatch(text)
        if isinstance(word, Mapping):
            # A template, which names the variable that has the secret.
            masked.append(word)
        elif option and not text.startswith("-"):
            masked.append(replace(f"{where}/{option}", option, word))
        elif assigned and is_secret_name(assigned["name"]):
            value = replace(f"{where}/{assigned['name']}", assigned["name"], assigned["value"])
            masked.append(f"{assigned['name']}={value}")
        else:
            masked.append(replace(f"{where}/{number}", "", word))
        option = text if _OPTION.fullmatch(text) and is_secret_name(text) else ""
    return masked


def with_secrets_replaced(value: t.Any, variable: t.Callable[[str, t.Any], str]) -> tuple[t.Any, list[tuple[str, str]]]:
    """A copy of `value` in which templates stand for secrets, and for each of these where it stood and its variable.

    `variable` returns its name by place and secret, or nothing where a value is to be kept.
    """
    found: list[tuple[str, str]] = []

    def note(where: str, name: str, secret: t.Any) -> t.Any:
        if not is_secret(name, secret):
            return secret
        name = variable(where, secret)
        if not name:
            return secret
        found.append((where, name))
        return _MARK.format(name)

    return _with_templates(_walk(value, "", note)), found


def _with_templates(value: t.Any) -> t.Any:
    """Texts with a mark become templates, whatever else is in them as it is."""
    if isinstance(value, Mapping):
        return {name: _with_templates(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_with_templates(element) for element in value]
    if not (isinstance(value, str) and _MARKED.search(value)):
        return value
    plain = re.sub(r"\{[{%#]", lambda start: f"{{{{ '{start[0]}' }}}}", value)
    return {TEMPLATE: _MARKED.sub(r"{{ \1 }}", plain)}


def secrets_in(value: t.Any) -> Iterator[tuple[str, str]]:
    """Where the secrets in `value` stand, and their names."""
    found: list[tuple[str, str]] = []

    def note(where: str, name: str, secret: t.Any) -> t.Any:
        if is_secret(name, secret):
            found.append((where, name))
        return secret

    _walk(value, "", note)
    yield from found

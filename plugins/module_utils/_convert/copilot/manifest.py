# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A manifest as an environment has it, and the forms of its values. Pure."""

from __future__ import annotations

import re
import shlex
import typing as t
from collections.abc import Mapping

from ..._core.types import Json

# Of these, an environment replaces one with the other.
_EITHER = (("build", "location"), ("range", "spot"))
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d)")
_NAMED = {
    "@yearly": "cron(0 0 1 1 ? *)",
    "@annually": "cron(0 0 1 1 ? *)",
    "@monthly": "cron(0 0 1 * ? *)",
    "@weekly": "cron(0 0 ? * 1 *)",
    "@daily": "cron(0 0 * * ? *)",
    "@midnight": "cron(0 0 * * ? *)",
    "@hourly": "cron(0 * * * ? *)",
}


class FormError(ValueError):
    """A value that has none of the forms that Copilot documents."""


def of_environment(manifest: Mapping[str, t.Any], environment: str) -> Json:
    """The manifest with what an environment overrides."""
    plain = {key: value for key, value in manifest.items() if key != "environments"}
    own = (manifest.get("environments") or {}).get(environment) or {}
    return t.cast(Json, _merged(plain, own))


def _merged(value: t.Any, own: t.Any) -> t.Any:
    if not isinstance(value, Mapping) or not isinstance(own, Mapping):
        return own
    replaced = {other for pair in _EITHER for name in pair if name in own for other in pair if other not in own}
    kept = {name: item for name, item in value.items() if name not in replaced}
    changed = {name: _merged(kept[name], item) if name in kept else item for name, item in own.items()}
    return {**kept, **changed}


def seconds(value: t.Any) -> float:
    """A duration such as 1h30m; a number is seconds."""
    if isinstance(value, int | float):
        return float(value)
    parts = _DURATION.findall(str(value))
    if not parts or "".join(number + unit for number, unit in parts) != str(value):
        raise FormError(f"expected a duration such as 90s or 1h30m, got {value!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def words(value: t.Any) -> list[str]:
    """A command: a text is split as a shell does it."""
    return [str(item) for item in value] if isinstance(value, list) else shlex.split(str(value))


def schedule(value: str) -> tuple[str, bool]:
    """A schedule as EventBridge Scheduler takes it, and whether it is enabled."""
    text = value.strip()
    if text.lower() == "none":
        return "rate(1 day)", False
    if text in _NAMED:
        return _NAMED[text], True
    if text.startswith("@every "):
        return _rate(seconds(text.removeprefix("@every ").strip())), True
    if re.fullmatch(r"(rate|cron|at)\(.*\)", text):
        return text, True
    return _cron(text), True


def _rate(every: float) -> str:
    minutes = round(every / 60)
    if minutes < 1 or minutes * 60 != every:
        raise FormError(f"expected whole minutes, got {every:g} seconds")
    return "rate(1 minute)" if minutes == 1 else f"rate({minutes} minutes)"


def _cron(text: str) -> str:
    """Cron with five fields as AWS has it: a year, ? for one of the two days, and Sunday as 1."""
    fields = text.split()
    if len(fields) != 5:
        raise FormError(f"expected @daily and the like, rate(…), cron(…) or five fields of cron, got {text!r}")
    minute, hour, day, month, weekday = fields
    if day != "*" and weekday != "*":
        raise FormError(f"expected * for the day of the month or of the week, got {text!r}")
    return f"cron({minute} {hour} {day if weekday == '*' else '?'} {month} {_weekday(weekday)} *)"


def _weekday(field: str) -> str:
    if field == "*":
        return "?"
    return re.sub(r"(?<![/\d])\d+", lambda found: str(int(found[0]) % 7 + 1), field)


def variables_of(text: str) -> dict[str, str]:
    """The variables of an env file."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, equals, value in pairs if equals}

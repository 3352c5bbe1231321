# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The functions of ecspresso's templates. Pure."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Callable, Mapping

from ..jinja import quoted
from ..placeholders import Placeholder, Placeholders, from_environment, unknown, variable_of
from . import tfstate


class Sources(t.NamedTuple):
    """What functions read: the environment, and states of Terraform by the prefix of their functions."""

    environment: Mapping[str, str]
    # None for a state that is not on this machine.
    states: Mapping[str, Mapping[str, t.Any] | None]
    # Names in the environment whose values are used now, as something is computed from them. None is all of them.
    fixed: frozenset[str] | None = frozenset()


_PULL = "Or put the state where the plugin tfstate reads it (terraform state pull), then convert again."
_REASONS = {
    "tfstate": "The Terraform state is not on this machine, or does not contain it.",
    "cfn_output": "It is an output of a CloudFormation stack, which the converter does not read.",
    "cfn_export": "It is a CloudFormation export, which the converter does not read.",
    "secretsmanager_arn": "It is the ARN of a secret, which the converter does not look up.",
}


def functions(sources: Sources, placeholders: Placeholders) -> dict[str, Callable[..., t.Any]]:
    """The functions of ecspresso's templates and of its Jsonnet, by name."""

    def env(*names: t.Any) -> str:
        return _env(sources, placeholders, [str(placeholders.actual(name)) for name in names])

    def must_env(name: t.Any) -> str:
        return _env(sources, placeholders, [str(placeholders.actual(name))], is_required=True)

    def ssm(path: t.Any, index: t.Any = None) -> str:
        return placeholders.token(_ssm(str(placeholders.actual(path)), index))

    def other(kind: str) -> Callable[..., str]:
        return lambda *names: placeholders.token(_unknown(kind, [str(placeholders.actual(name)) for name in names]))

    found: dict[str, Callable[..., t.Any]] = {
        "env": env,
        "must_env": must_env,
        "json_escape": lambda value: value if placeholders.find(value) else json.dumps(str(value))[1:-1],
        "ssm": ssm,
        "secretsmanager_arn": other("secretsmanager_arn"),
        "cfn_output": other("cfn_output"),
        "cfn_export": other("cfn_export"),
    }
    for prefix, state in sources.states.items():
        found[f"{prefix}tfstate"] = _state_function(state, placeholders)
        found[f"{prefix}tfstatef"] = _format_function(state, placeholders)
    return found


def _env(sources: Sources, placeholders: Placeholders, names: list[str], *, is_required: bool = False) -> str:
    keys, default = (names, None) if is_required else (names[:-1] or names, names[-1])
    value = next((sources.environment[key] for key in keys if sources.environment.get(key)), default)
    if value is not None and (sources.fixed is None or sources.fixed >= set(keys)):
        return value
    return placeholders.token(from_environment(keys, default, sources.environment))


def _ssm(path: str, index: t.Any) -> Placeholder:
    read = f"lookup('amazon.aws.ssm_parameter', {quoted(path)}, decrypt=false, region=slipway_region)"
    element = "" if index is None else f".split(',')[{int(index)}]"
    argument = path if index is None else f"{path} {index}"
    return Placeholder("ssm", argument, variable_of("ssm", argument), f"{{{{ {read}{element} }}}}")


def _state_function(state: Mapping[str, t.Any] | None, placeholders: Placeholders) -> Callable[..., t.Any]:
    def find(address: t.Any) -> t.Any:
        place = str(placeholders.actual(address))
        if state is None:
            return placeholders.token(_unknown("tfstate", [place], _PULL))
        try:
            value = tfstate.lookup(state, place)
        except tfstate.StateError as error:
            return placeholders.token(_unknown("tfstate", [place], f"The state: {error}."))
        return json.dumps(value) if isinstance(value, dict | list) else value

    return find


def _format_function(state: Mapping[str, t.Any] | None, placeholders: Placeholders) -> Callable[..., t.Any]:
    find = _state_function(state, placeholders)

    def form(address: t.Any, *values: t.Any) -> t.Any:
        rest = iter(str(placeholders.actual(value)) for value in values)
        return find(re.sub(r"%[sdv]", lambda _found: next(rest, ""), str(address)))

    return form


def _unknown(kind: str, arguments: list[str], advice: str = "") -> Placeholder:
    argument = " ".join(arguments)
    return unknown(kind, argument, f"the value of {kind} {argument}", _REASONS[kind], advice)

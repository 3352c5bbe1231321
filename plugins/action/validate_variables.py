# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validates the variables of the collection's roles. An action, as only these see the names of all variables."""

from __future__ import annotations

import typing as t
from functools import cache
from pathlib import Path

import yaml
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import (
    INVALID_VARIABLE,
    MISPLACED_SECRET,
)
from ansible_collections.slipway.aws.plugins.module_utils._core.plan import UNKNOWN
from ansible_collections.slipway.aws.plugins.module_utils._core.secret_forms import hide
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import Shape
from ansible_collections.slipway.aws.plugins.plugin_utils.variable_secrets import PLAIN_VALUES, secret_problems
from ansible_collections.slipway.aws.plugins.plugin_utils.variables import (
    Options,
    Specs,
    needs_value,
    variable_problems,
)

try:
    from botocore.exceptions import BotoCoreError
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    HAS_BOTOCORE = True
except ImportError:
    HAS_BOTOCORE = False

ROLES = Path(__file__).resolve().parents[2] / "roles"
# The loader in C is ten times as quick, and not there on every platform.
YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PLAIN = (str, int, float, bool, type(None))


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Reads argument specs and the names of variables; it sends no request to AWS."""

    TRANSFERS_FILES = False
    _VALID_ARGS: t.ClassVar[frozenset[str]] = frozenset()
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        specs = Specs.of(read_specs(ROLES))
        resolved = cache(lambda name: self._resolved(variables[name]))
        problems = variable_problems(variables.keys(), resolved, specs, shape_of)
        exposed = self._exposed(variables, resolved, specs)
        result["changed"] = False
        if problems or exposed:
            problems = [*exposed, *map(hide, problems)]
            counted = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
            result.update(
                failed=True,
                code=MISPLACED_SECRET if exposed else INVALID_VARIABLE,
                msg="\n".join([f"The variables have {counted}. Correct them, then rerun.", *problems]),
            )
        return result

    def _exposed(self, variables: dict[str, t.Any], resolved: t.Callable[[str], t.Any], specs: Specs) -> list[str]:
        """Secrets in variables that are not for secrets. What a template of text is, modules see."""

        def literal(name: str) -> t.Any:
            return self._resolved(variables[name], templates=False)

        def value(name: str) -> t.Any:
            is_known = name == PLAIN_VALUES or needs_value(specs.options[name], name)
            return resolved(name) if is_known else literal(name)

        secrets = [name for name, option in specs.options.items() if option.get("no_log")]
        return secret_problems([name for name in specs.options if name in variables], value, literal, secrets)

    def _resolved(self, value: t.Any, templates: bool = True) -> t.Any:
        """The value without templates. What is not known yet, or encrypted, is unknown."""
        if isinstance(value, dict):
            return {str(key): self._resolved(member, templates) for key, member in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._resolved(element, templates) for element in value]
        if not isinstance(value, PLAIN):
            return UNKNOWN
        if not isinstance(value, str) or ("{{" not in value and "{%" not in value):
            return value
        if not templates:
            return UNKNOWN
        try:
            found = self._templar.template(value)
        except AnsibleError:
            return UNKNOWN
        return UNKNOWN if isinstance(found, str) and found == value else self._resolved(found)


def read_specs(roles: Path) -> dict[str, Options]:
    """The options of each role, of all of its entry points."""
    found: dict[str, Options] = {}
    for path in sorted(roles.glob("*/meta/argument_specs.yml")):
        entries = yaml.load(path.read_text(encoding="utf-8"), YAML_LOADER)["argument_specs"]  # noqa: S506  # a safe one
        found[path.parts[-3]] = {
            name: option for entry in entries.values() for name, option in (entry.get("options") or {}).items()
        }
    return found


@cache
def _model(service: str) -> t.Any:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def shape_of(service: str, name: str) -> Shape | None:
    """A shape of botocore's, without a session, which would take five times as long."""
    if not HAS_BOTOCORE:
        return None
    try:
        return t.cast(Shape, _model(service).shape_for(name))
    except BotoCoreError:
        return None

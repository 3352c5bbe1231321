# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module ecs_preflight, prints its checks, writes the JUnit report, and reads the variables of a site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display

from ansible_collections.slipway.aws.plugins.action import compare_role
from ansible_collections.slipway.aws.plugins.module_utils._project.state import canonical, digest
from ansible_collections.slipway.aws.plugins.plugin_utils import site_preflight, skipping
from ansible_collections.slipway.aws.plugins.plugin_utils.collection import COLLECTION, version_of
from ansible_collections.slipway.aws.plugins.plugin_utils.preflight import FAIL, OK, UNKNOWN, WARN, junit, listing
from ansible_collections.slipway.aws.plugins.plugin_utils.printing import Json, PrintingAction

COLOURS = {
    FAIL: constants.COLOR_ERROR,
    WARN: constants.COLOR_WARN,
    UNKNOWN: constants.COLOR_SKIP,
    OK: constants.COLOR_OK,
}


class ActionModule(PrintingAction):
    """Prints the checks."""

    returned = "preflight"

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        variables = task_vars or {}
        if boolean(self._task.args.get("site") or False):
            skipped = self._complete(variables)
            if skipped:
                return {**skipped, "changed": False}
        result = super().run(tmp, task_vars)
        if "preflight" not in result:
            return result
        report = str(self._task.args.get("junit") or "")
        if report:
            path = Path(report).expanduser()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(junit(result["preflight"]), encoding="utf-8")
        # The callback slipway.aws.steps ends the run with it.
        return result if self._task.args.get("fail") else {**result, "slipway_exit_code": result["exit_code"]}

    def lines(self, result: Json) -> Iterator[tuple[str, str | None]]:
        for line in listing(result["preflight"], self._task.args.get("format") != "problems"):
            yield line.text, COLOURS.get(line.state)

    # From the variables of a site

    def _complete(self, variables: Mapping[str, Any]) -> Json:
        """Adds the module's options to those of the task. Returns the result if there is nothing to check."""
        values = self._values(variables)
        tags = [str(one) for one in self._task.args.get("site_tags") or variables.get("ansible_run_tags") or ["all"]]
        read = variables["hostvars"]["localhost"].get(compare_role.READ) or {}
        if "records" in read:
            why = site_preflight.why_checked(read, self._inputs(values, variables), version_of(COLLECTION))
            if not why:
                message = "Skipped preflight: nothing has changed since the last run."
                return {"slipway_skipped": True, "exit_code": 0, "msg": message}
            Display().v(f"Preflight runs: {why}.")
        try:
            found = site_preflight.options(values, tags)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # The roles that the run has say better what is wrong with a variable.
            message = (
                f"Preflight was skipped, because the variables could not be evaluated: {type(error).__name__}: {error}."
            )
            Display().warning(message)
            return {"exit_code": 1, "msg": message}
        self._task.args = {**found, **self._task.args}
        return {}

    def _values(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of the roles, with defaults for those that are not set."""
        merged = {**defaults(), **variables}
        templar = self._templar.copy_with_new_env(available_variables=merged)
        found: dict[str, Any] = {}
        for name in defaults():
            try:
                found[name] = templar.template(merged[name])
            except AnsibleError:
                # What refers to results of roles has no value yet, and is not needed here.
                Display().vv(f"Preflight ignores {name}, which cannot be resolved yet.")
        return found

    def _inputs(self, values: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, str]:
        """The digests of the roles' variables, as records have them."""
        found: dict[str, str] = {}
        for role in site_preflight.ROLES:
            options = compare_role.options_of(role) or {}
            known = {name: values.get(name, variables.get(name)) for name in options}
            found[role] = digest(canonical(skipping.variables_of(options, known.get)))
        return found


@cache
def defaults() -> dict[str, Any]:
    """The defaults of the roles that preflight reads, as templates."""
    loader = DataLoader()
    found: dict[str, Any] = {}
    for role in site_preflight.ROLES:
        path = COLLECTION / "roles" / role / "defaults/main.yml"
        found |= loader.load_from_file(str(path), trusted_as_template=True)
    return found

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_record with the roles that ran in full, as only an action sees the variables of all hosts."""

from __future__ import annotations

import typing as t

from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.slipway.aws.plugins.action.compare_role import content_of, contexts_of
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._project.state import canonical, digest
from ansible_collections.slipway.aws.plugins.plugin_utils.collection import COLLECTION, version_of


class ActionModule(NormalAction):  # type: ignore[misc]  # Ansible has no types
    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        given = self._task.args
        if given.get("state", "present") == "present" and "roles" not in given:
            hosts = (task_vars or {})["hostvars"]
            runs = [run for host in ("localhost", *hosts) for run in runs_of(hosts[host])]
            roles = {(run["role"], run["group"]): run for run in runs}
            if not roles:
                return {"changed": False, "records": {}}
            self._task.args = {**given, "roles": list(roles.values()), "collection": version_of(COLLECTION)}
        return t.cast("dict[str, t.Any]", super().run(tmp, task_vars))


def runs_of(variables: t.Mapping[str, t.Any]) -> t.Iterator[Json]:
    """The roles that ran in full on one host, from what compare_role returned there."""
    for name in [name for name in variables if name.startswith("__") and name.endswith("_record")]:
        compared = variables[name]
        run = compared.get("run") if isinstance(compared, dict) else None
        if run and f"{run['role']}_result" in variables:
            result = variables[f"{run['role']}_result"]
            yield {**run, "result": result, "unproven": run["unproven"] or why_unproven(compared, variables)}


def why_unproven(compared: Json, variables: t.Mapping[str, t.Any]) -> str:
    run, sources = compared["run"], compared["sources"]
    contexts, problems = contexts_of(sources["contexts"])
    files = {path: content_of(path) for path in sources["files"]}
    if problems or digest(canonical({**files, **contexts})) != run["inputs"]["files"]:
        return "its files changed during the last run"
    return str(variables.get(f"__{run['role']}_unproven") or "")

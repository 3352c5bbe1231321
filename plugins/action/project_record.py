# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_record with the roles that ran in full, as only an action sees the variables of all hosts."""

from __future__ import annotations

import typing as t

from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.slipway.aws.plugins.action.compare_role import COLLECTION, content_of, version_of
from ansible_collections.slipway.aws.plugins.module_utils._core.types import Json
from ansible_collections.slipway.aws.plugins.module_utils._project.state import canonical, digest


class ActionModule(NormalAction):  # type: ignore[misc]  # Ansible has no types
    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        if self._task.args.get("state", "present") == "present" and "roles" not in self._task.args:
            hosts = (task_vars or {})["hostvars"]
            roles = [run for host in ("localhost", *hosts) for run in roles_of(hosts[host])]
            distinct = {(run["role"], run["group"]): run for run in roles}
            self._task.args = {
                **self._task.args,
                "roles": list(distinct.values()),
                "collection": version_of(COLLECTION),
            }
        return t.cast("dict[str, t.Any]", super().run(tmp, task_vars))


def roles_of(variables: t.Mapping[str, t.Any]) -> t.Iterator[Json]:
    """The roles that ran in full on one host, from what compare_role returned there."""
    for name in [name for name in variables if name.startswith("__") and name.endswith("_record")]:
        compared = variables[name]
        run = compared.get("run") if isinstance(compared, dict) else None
        if run and f"{run['role']}_result" in variables:
            yield {
                **run,
                "result": variables[f"{run['role']}_result"],
                "unproven": run["unproven"] or why_unproven(compared, variables),
            }


def why_unproven(compared: Json, variables: t.Mapping[str, t.Any]) -> str:
    run = compared["run"]
    files = {path: content_of(path) for path in compared["files"]}
    if digest(canonical(files)) != run["inputs"]["files"]:
        return "its files changed during the last run"
    return str(variables.get(f"__{run['role']}_unproven") or "")

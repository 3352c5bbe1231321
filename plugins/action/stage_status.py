# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the status of a stage that another inventory describes. An action, as only these read inventories."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.plugins.action import ActionBase
from ansible.template import Templar
from ansible.vars.manager import VariableManager

from ansible_collections.slipway.aws.plugins.module_utils._core.error_codes import INVALID_OPTION
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError

Json = dict[str, t.Any]

STATUS = "slipway.aws.project_status"
# Of playbooks/vars/connection.yml.
CONNECTION = {
    "slipway_region": "region",
    "slipway_endpoint_url": "endpoint_url",
    "slipway_access_key": "access_key",
    "slipway_secret_key": "secret_key",
    "slipway_aws_config": "aws_config",
    "slipway_profile": "profile",
}
# The form of the status that this reads.
VERSION = 1
HOST = "localhost"


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """Runs project_status with the connection of the other stage."""

    TRANSFERS_FILES = False
    _VALID_ARGS: t.ClassVar[frozenset[str]] = frozenset({"stage"})
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        stage = str(self._task.args.get("stage") or "")
        try:
            path = _existing(stage)
            status = _recorded(path) if path.is_file() else None
            if status is None:
                arguments = self._arguments(path)
                result.update(self._execute_module(STATUS, arguments, task_vars=task_vars))
                # It has the keys of the other stage.
                result.pop("invocation", None)
            else:
                result.update(changed=False, status=status)
        except SlipwayError as error:
            result.update(failed=True, **error.result())
        return result

    def _arguments(self, path: Path) -> Json:
        """The options of project_status, from the variables of the inventory."""
        values = self._variables(path)
        missing = [name for name in ("slipway_project", "slipway_region") if not values.get(name)]
        if missing:
            message = f"stage: expected {' and '.join(missing)} in the inventory {path}, got none. Set them there."
            raise SlipwayError(INVALID_OPTION, message)
        chosen = {option: values[name] for name, option in CONNECTION.items() if values.get(name)}
        return {**chosen, "project": values["slipway_project"], "format": "none"}

    def _variables(self, path: Path) -> Json:
        inventory = InventoryManager(loader=self._loader, sources=[str(path)])
        host = inventory.get_host(HOST)
        if host is None:
            message = f"stage: expected an inventory with the host {HOST}, got {path}. Set another one."
            raise SlipwayError(INVALID_OPTION, message)
        variables = VariableManager(loader=self._loader, inventory=inventory).get_vars(host=host)
        templar = Templar(loader=self._loader, variables=variables)
        try:
            return {name: templar.template(variables.get(name)) for name in ("slipway_project", *CONNECTION)}
        except AnsibleError as error:
            message = f"stage: expected variables in {path} that Ansible can template, got: {error}. Correct them."
            raise SlipwayError(INVALID_OPTION, message) from error


def _existing(stage: str) -> Path:
    path = Path(stage).expanduser()
    if not stage or not path.exists():
        message = (
            f"stage: expected an inventory, or a file with a status as JSON, got {stage or 'nothing'}, which does"
            " not exist. Set one, such as inventory/staging."
        )
        raise SlipwayError(INVALID_OPTION, message)
    return path


def _recorded(path: Path) -> Json | None:
    """The status in a file of JSON; None for other files, which are inventories."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if not text.lstrip().startswith("{"):
        return None
    try:
        status = json.loads(text)
    except ValueError:
        status = {}
    if status.get("version") != VERSION or not isinstance(status.get("services"), list):
        message = (
            f"stage: expected the output of slipway.aws.status -e status_format=json in {path}, got other content."
            " Write the file again."
        )
        raise SlipwayError(INVALID_OPTION, message)
    return dict(status)

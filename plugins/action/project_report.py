# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module project_report, which reads a project, and writes the report of it on this machine."""

from __future__ import annotations

import datetime
import os
import tempfile
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.slipway.aws.plugins.plugin_utils import report
from ansible_collections.slipway.aws.plugins.plugin_utils.collection import COLLECTION, version_of
from ansible_collections.slipway.aws.plugins.plugin_utils.report_html import rendered


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible has no types
    """The file is written even if some of the project could not be read: the page says so."""

    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        options = dict(self._task.args)
        read = self._execute_module(module_args=options, task_vars=task_vars)
        if read.get("failed"):
            return {**result, **read}
        path = Path(str(options["dest"])).expanduser().absolute()
        page = report.page(
            str(options["project"]), read, now(), version_of(COLLECTION), str(options.get("endpoint_url") or "")
        )
        if not self._task.check_mode:
            write(path, rendered(page))
        kept = {name: read[name] for name in ("warnings", "deprecations") if name in read}
        return {**result, **kept, "changed": True, "path": str(path), **report.summary(page)}


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def write(path: Path, text: str) -> None:
    """For its owner alone, and never half of it: names, addresses and account numbers are nobody else's business."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Files of tempfile have mode 0600 from the start.
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise AnsibleActionFail(f"dest: expected a path that can be written, got {path} ({error.strerror}).") from error

"""Counts what a run of Ansible does, into the file that BENCHMARK_TASKS names. For any version of the collection."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no types
    """Tasks that ran, those that were skipped, and modules: an item of a loop is a module of its own."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "count_tasks"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._counted: Counter[str] = Counter()

    def v2_runner_on_ok(self, result: Any) -> None:
        self._counted["tasks"] += 1
        for one in result._result.get("results", [result._result]):
            # Only modules return it; an action that runs no module has none.
            self._counted["modules"] += isinstance(one, dict) and "invocation" in one
            self._counted["changed"] += isinstance(one, dict) and bool(one.get("changed"))

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._counted["skipped"] += 1

    def v2_playbook_on_stats(self, stats: Any) -> None:
        Path(os.environ["BENCHMARK_TASKS"]).write_text(json.dumps(self._counted))

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The revision in git of the files that a playbook deploys."""

from __future__ import annotations

import os
import subprocess
import typing as t

SECONDS = 10
# Of the collection's own playbooks, which say nothing about what they deploy.
_COLLECTIONS = "/ansible_collections/"


def revision_of(variables: t.Mapping[str, t.Any]) -> str:
    """The revision of the directory of the inventory, or else of the playbook; empty if git knows neither."""
    folders = [str(variables.get(name) or "") for name in ("inventory_dir", "playbook_dir")]
    found = (_describe(folder) for folder in folders if folder and _COLLECTIONS not in f"{folder}/")
    return next((revision for revision in found if revision), "")


def _describe(folder: str) -> str:
    command = ["git", "-C", folder, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""

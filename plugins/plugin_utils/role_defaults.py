# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables as a run has them, with the roles' defaults for those that are not set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

ROLES = Path(__file__).resolve().parents[2] / "roles"


def resolved(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The values of these variables, without templates. Names that nobody knows are missing."""
    loader = DataLoader()
    merged: dict[str, Any] = {}
    for path in sorted(ROLES.glob("*/defaults/main.yml")):
        merged |= loader.load_from_file(str(path), trusted_as_template=True)
    merged |= given
    templar = Templar(loader=loader, variables=merged)
    return {name: templar.template(merged[name]) for name in names if name in merged}

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where this collection is, and which version a collection has."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

COLLECTION = Path(__file__).resolve().parents[2]


def version_of(folder: Path) -> str:
    """An installed collection has a manifest, a checkout galaxy.yml; empty if it has neither."""
    manifest = folder / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    galaxy = folder / "galaxy.yml"
    return str(yaml.safe_load(galaxy.read_text(encoding="utf-8"))["version"]) if galaxy.exists() else ""

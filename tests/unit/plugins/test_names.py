# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible finds a filter or test by its file's name, and its documentation by the same."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"


@pytest.mark.parametrize("kind", ["filter", "test"])
def test_filters_and_tests_have_their_files_names(kind: str) -> None:
    for path in sorted((PLUGINS / kind).glob("*.py")):
        plugin = importlib.import_module(f"ansible_collections.slipway.aws.plugins.{kind}.{path.stem}")
        offered = plugin.FilterModule().filters() if kind == "filter" else plugin.TestModule().tests()
        assert list(offered) == [path.stem]
        assert yaml.safe_load(plugin.DOCUMENTATION)["name"] == path.stem

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide "Your own application", carried out: files, commands, and a plan of its site for an empty account."""

from __future__ import annotations

import re
import subprocess
import textwrap
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.action.validate_variables import ROLES, read_specs, shape_of
from ansible_collections.slipway.aws.plugins.plugin_utils.variables import Specs, variable_problems
from ansible_collections.slipway.aws.tests.artifact.installed import ROOT, Installed

GUIDE = (ROOT / "docs/docsite/rst/guide_own_application.rst").read_text()


def blocks() -> t.Iterator[tuple[str, str]]:
    """Each file of the guide, by its name."""
    for match in re.finditer(r"\.\. code-block:: \w+\n   :caption: (\S+)\n\n((?:   .*\n|\n)+)", GUIDE):
        yield match[1], textwrap.dedent(match[2]).strip() + "\n"


def commands(section: str) -> list[str]:
    """What the reader types in a section."""
    text = GUIDE.partition(f"\n{section}\n---")[2].partition("\n---")[0]
    return [line.strip(" $") for line in re.findall(r"^   \$ .+$", text, re.MULTILINE)]


def test_the_guide_has_every_file_of_its_tree() -> None:
    tree = re.search(r"   shop/\n((?:   .+\n)+)", GUIDE)
    assert tree
    named = {name for name in re.findall(r"── (\S+)", tree[1]) if not name.endswith("/")}
    assert {Path(name).name for name, _text in blocks()} == named


def test_its_inventory_is_valid() -> None:
    site = yaml.safe_load(dict(blocks())["inventory/shop.yml"])
    assert variable_problems(site.keys(), site.__getitem__, Specs.of(read_specs(ROLES)), shape_of) == []


def test_its_commands_leave_the_inventories_of_both_clouds(tmp_path: Path) -> None:
    typed = "\n".join(["set -e", f"SLIPWAY={ROOT}", *commands("The inventory")])
    subprocess.run(["bash", "-c", typed], cwd=tmp_path, check=True)
    assert {path.name for path in (tmp_path / "inventory").iterdir()} == {"local", "aws"}


@pytest.mark.variants
def test_its_repository_has_a_plan(tmp_path: Path, ministack: str) -> None:
    installed = Installed(tmp_path)
    typed = "\n".join(["set -e", f"SLIPWAY={installed.collection}", *commands("The inventory")])
    installed.run("bash", "-c", typed)
    for name, text in blocks():
        path = installed.here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert {path.name for path in (installed.here / "inventory").iterdir()} == {"shop.yml", "local", "aws"}

    listed = installed.run("ansible-inventory", "--list", "--inventory", "inventory/aws")
    assert "slipway_project" in listed
    for inventory in ("local", "aws"):
        planned = installed.run(
            *("ansible-playbook", "slipway.aws.site", "--check", "--diff", "--inventory", f"inventory/{inventory}"),
            *(
                "-e",
                f"slipway_endpoint_url={ministack}",
                "-e",
                "slipway_access_key=key",
                "-e",
                "slipway_secret_key=b2f0c1",
            ),
            *("-e", '{"ecs_network_docker_host_cidrs": ["192.0.2.1/32"]}'),
        )
        assert "failed=0" in planned
        assert "  + Build the image: shop\n" in planned
        assert re.search(r"localhost +: .*changed=[1-9]", planned)

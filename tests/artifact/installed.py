# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as its users have it: built, and installed into an empty folder, far from the checkout."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What would lead to the checkout, to a real account, or to other settings.
FOREIGN = ("ANSIBLE_", "AWS_", "MOLECULE_", "PYTHONPATH")


class Installed:
    """The archive and the installed collection in a folder; commands run in its subfolder `here`, which is empty.

    `source` is the checkout that is built; `here` a folder that the runs of several versions share.
    """

    def __init__(self, folder: Path, source: Path = ROOT, here: Path | None = None) -> None:
        self.here = here or folder / "here"
        self.here.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        tools = str(Path(sys.executable).parent)
        own = {"ANSIBLE_HOME": str(folder / "home"), "ANSIBLE_NOCOLOR": "1"}
        folder.mkdir(parents=True, exist_ok=True)
        self._environment = kept | own | {"PATH": os.pathsep.join([tools, kept["PATH"]])}
        self.run("ansible-galaxy", "collection", "build", "--output-path", str(folder), str(source))
        self.archive = next(folder.glob("slipway-aws-*.tar.gz"))
        # Offline, so the collections that it depends on have to be those of requirements.txt.
        self.run("ansible-galaxy", "collection", "install", "--offline", str(self.archive))
        self.collection = folder / "home/collections/ansible_collections/slipway/aws"

    @property
    def contents(self) -> set[str]:
        """The names of all files and links, from the collection's folder."""
        paths = self.collection.rglob("*")
        return {str(path.relative_to(self.collection)) for path in paths if path.is_symlink() or not path.is_dir()}

    @property
    def playbooks(self) -> list[str]:
        """Their full names."""
        return sorted(f"slipway.aws.{path.stem}" for path in self.collection.glob("playbooks/*.yml"))

    def run(self, *command: str, **environment: str) -> str:
        """What a command prints; where it fails, an assertion that names it and shows that."""
        ended = subprocess.run(
            command,
            cwd=self.here,
            env=self._environment | environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert ended.returncode == 0, f"{shlex.join(command)}: {ended.returncode}\n{ended.stdout}"
        return ended.stdout

    def play(self, *arguments: str, inventory: str = "local", **environment: str) -> str:
        """What playbooks print that are run with one of the collection's inventories."""
        places = ("-i", str(self.collection / "inventory" / inventory))
        return self.run("ansible-playbook", *places, *arguments, **environment)

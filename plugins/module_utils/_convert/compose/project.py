# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the conversion knows of a Compose project while it goes through it. Pure."""

from __future__ import annotations

import dataclasses
import re
import typing as t
from collections.abc import Mapping, Sequence

from ..._core.types import Json
from ..jinja import jinja_text, template
from ..notes import Notes
from .hosts import Hosts
from .ports import Port
from .secrets import Secrets
from .values import Value

# The variable of the written inventory that has the directory of the Compose file.
DIRECTORY = "compose_directory"


@dataclasses.dataclass(frozen=True)
class Options:
    """How to convert. `domain` is that of host names on the load balancer, `efs` a file system."""

    project: str
    domain: str
    region: str
    efs: str
    # Services behind the load balancer although Compose does not publish them to everyone.
    publish: tuple[str, ...]
    # The inventory's directory relative to that of the Compose file, and the other way round.
    directory: str


@dataclasses.dataclass(frozen=True)
class Project:
    """A Compose project. Everything by service is by its name in Compose."""

    options: Options
    model: Json
    services: Mapping[str, Json]
    environments: Mapping[str, Mapping[str, Value]]
    # Services whose containers are in one task, by the first one.
    tasks: Mapping[str, Sequence[str]]
    ports: Mapping[str, Sequence[Port]]
    # Services that others reach by name.
    named: frozenset[str]
    hosts: Hosts
    # Words that are no secrets, as names and plain values have them.
    public: frozenset[str]
    secrets: Secrets
    notes: Notes
    source_directory: str

    def note(self, service: str, key: str, reason: str, advice: str = "") -> None:
        self.notes.add(f"services.{service}.{key}", reason, advice)

    def has_secret(self, text: str) -> bool:
        """Whether a secret of the project stands in a text."""
        return self.secrets.are_in(text, self.public)

    def is_secret(self, text: str) -> bool:
        """Whether a text is a secret of the project, whatever has it."""
        return text in self.secrets.known(self.public)

    def task_of(self, service: str) -> str:
        return next(first for first, members in self.tasks.items() if service in members)

    def relative(self, path: str) -> str:
        """A path below the directory of the Compose file; others stay as they are."""
        prefix = self.source_directory.rstrip("/") + "/"
        return "." if path == self.source_directory else path.removeprefix(prefix)

    def located(self, path: str) -> t.Any:
        """The same for the written inventory, which may be moved together with the source."""
        relative = self.relative(path)
        if relative.startswith("/"):
            return path
        below = "" if relative == "." else f"/{jinja_text(relative)}"
        return template(f"{{{{ {DIRECTORY} }}}}{below}")


def container_name(service: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", service)[:255]


def image_name(service: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", service)

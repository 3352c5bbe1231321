# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of a project, written and converted as a user does it."""

from __future__ import annotations

import textwrap
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._convert.info import run

Json = dict[str, t.Any]
UNSET = {
    **dict.fromkeys(("project", "inventory", "domain", "efs", "environment")),
    "region": "us-east-1",
    "profiles": [],
    "publish": [],
    "env_files": [],
    "jsonnet_strings": {},
    "jsonnet_code": {},
}


class Result(t.NamedTuple):
    """What a conversion returns, with short ways to what tests look at."""

    given: Json

    @property
    def site(self) -> Json:
        return t.cast(Json, self.given["site"])

    @property
    def variables(self) -> Json:
        return {name: value for file in self.site["variables"].values() for name, value in file.items()}

    def service(self, name: str = "web") -> Json:
        return next(one for one in self.site["services"] if one["name"] == name)

    def container(self, service: str = "web", name: str | None = None) -> Json:
        containers: list[Json] = self.service(service)["task_definition"]["containerDefinitions"]
        return next(one for one in containers if one["name"] == (name or service))

    def environment(self, service: str = "web", name: str | None = None) -> Json:
        return {one["name"]: one["value"] for one in self.container(service, name).get("environment", [])}

    def secrets(self, service: str = "web", name: str | None = None) -> Json:
        return {one["name"]: one["valueFrom"] for one in self.container(service, name).get("secrets", [])}

    def note(self, place: str) -> str:
        """The note on a place; fails if there is none."""
        found = [note for note in self.given["notes"] if place in note["place"].split(", ")]
        known = [note["place"] for note in self.given["notes"]]
        return " ".join(f"{note['reason']} {note['advice']}" for note in found) or pytest.fail(
            f"{place} not in {known}"
        )

    @property
    def places(self) -> set[str]:
        return {place for note in self.given["notes"] for place in note["place"].split(", ")}

    def content(self, name: str) -> str:
        """The new content of a playbook."""
        return str(next(one["content"] for one in self.given["files"] if Path(one["source"]).name == name))


class ConvertFiles(t.Protocol):
    """Writes files and converts the source among them."""

    def __call__(self, origin: str, source: str, files: t.Mapping[str, str], **options: t.Any) -> Result: ...


@pytest.fixture
def convert_files(tmp_path: Path) -> ConvertFiles:
    def converted(origin: str, source: str, files: t.Mapping[str, str], **options: t.Any) -> Result:
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content))
        given = run({**UNSET, "origin": origin, "source": [str(tmp_path / source)], **options}, False)
        assert given["changed"] is False
        return Result(given)

    return converted


class Convert(t.Protocol):
    """Writes a Compose file with its neighbours, and converts it."""

    def __call__(self, text: str, files: Json | None = None, **options: t.Any) -> Result: ...


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    def converted(text: str, files: Json | None = None, **options: t.Any) -> Result:
        for name, content in {"compose.yml": text, **(files or {})}.items():
            (tmp_path / name).write_text(textwrap.dedent(content))
        params = {"source": ["compose.yml"], "env_files": [], **options}
        absolute = {name: [str(tmp_path / path) for path in params[name]] for name in ("source", "env_files")}
        return converted_compose(**{**params, **absolute})

    return converted


def converted_compose(**options: t.Any) -> Result:
    given = run({**UNSET, "origin": "compose", "project": "shop", **options}, False)
    assert given["changed"] is False
    return Result(given)

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compose files of our own, converted as a user does it. Docker Compose reads them, without a Docker Engine."""

from __future__ import annotations

import textwrap
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._convert.info import run
from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError

Json = dict[str, t.Any]


class Converted(t.NamedTuple):
    """A result, with short ways to what tests look at."""

    site: Json
    notes: list[Json]

    @property
    def variables(self) -> Json:
        return {name: value for file in self.site["variables"].values() for name, value in file.items()}

    def service(self, name: str) -> Json:
        return next(one for one in self.site["services"] if one["name"] == name)

    def container(self, service: str, name: str | None = None) -> Json:
        containers: list[Json] = self.service(service)["task_definition"]["containerDefinitions"]
        return next(one for one in containers if one["name"] == (name or service))

    def environment(self, service: str) -> Json:
        return {one["name"]: one["value"] for one in self.container(service).get("environment", [])}

    def secrets(self, service: str) -> Json:
        return {one["name"]: one["valueFrom"] for one in self.container(service).get("secrets", [])}

    def note(self, place: str) -> str:
        """The note on a place; fails if there is none."""
        return " ".join(
            f"{note['reason']} {note['advice']}" for note in self.notes if place in note["place"].split(", ")
        ) or pytest.fail(f"no note on {place}: {[note['place'] for note in self.notes]}")

    @property
    def places(self) -> set[str]:
        return {place for note in self.notes for place in note["place"].split(", ")}


class Convert(t.Protocol):
    """Writes a Compose file and converts it."""

    def __call__(self, text: str, files: Json | None = None, **options: t.Any) -> Converted: ...


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    def converted(text: str, files: Json | None = None, **options: t.Any) -> Converted:
        for name, content in {"compose.yml": text, **(files or {})}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(content))
        given = {"origin": "compose", "source": ["compose.yml"], "project": "shop", "region": "eu-central-1"}
        unset = dict.fromkeys(("inventory", "domain", "efs", "names"))
        params = {**given, **unset, "profiles": [], "env_files": [], **options}
        for name in ("source", "env_files"):
            params[name] = [str(tmp_path / path) for path in params[name]]
        result = run(params, False)
        assert result["changed"] is False
        return Converted(result["site"], result["notes"])

    return converted


def test_each_service_is_a_service_with_its_image_and_port(convert: Convert) -> None:
    found = convert("""
        services:
          web: {image: "nginx:1.29", ports: ["8080:80"], depends_on: [cache]}
          cache: {image: redis}
    """)
    assert [service["name"] for service in found.site["services"]] == ["cache", "web"]
    assert found.container("web")["image"] == "nginx:1.29"
    # Without a tag it would be one of the images that are built.
    assert found.container("cache")["image"] == "redis:latest"
    assert found.container("cache")["portMappings"] == [{"containerPort": 6379}]
    assert found.service("web")["after"] == ["cache"]
    assert found.service("web")["load_balancers"] == [
        {"targetGroupArn": "web", "containerName": "web", "containerPort": 80}
    ]
    assert found.variables["ecs_load_balancer_target_groups"] == [{"name": "web", "health_check_path": "/"}]
    assert found.variables["service_discovery_services"] == ["cache"]
    assert found.service("cache")["options"] == {"service_registries": [{"registryArn": "cache"}]}


def test_a_missing_file_is_an_error(convert: Convert) -> None:
    with pytest.raises(SlipwayError, match=r"expected a file at .*other\.yml, got none") as raised:
        convert("services: {}", source=["other.yml"])
    assert raised.value.code == "source_invalid"

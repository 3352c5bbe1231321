# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Dockerfiles say, as people write them, and which Dockerfiles an application has."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._docker.dockerfile import info
from ansible_collections.slipway.aws.plugins.module_utils._docker.dockerfile.model import instructions, parse

PYTHON = """\
# syntax=docker/dockerfile:1
ARG VERSION=3.13
ARG BASE_IMAGE=python:${VERSION}-slim
FROM --platform=$BUILDPLATFORM ${BASE_IMAGE} AS base
ENV PORT=9000 \\
    # where it listens
    NAME="the shop"
FROM base AS build
EXPOSE 1
RUN <<EOT
EXPOSE 2
EOT
FROM base
COPY --from=build /app /app
EXPOSE $PORT 9090/tcp 53/udp 7000-7010
HEALTHCHECK --interval=5s \\
  CMD curl --fail http://localhost:${PORT}/healthz || exit 1
USER app:app
CMD ["./run"]
"""


def test_the_last_stage_counts_with_those_that_it_is_built_from() -> None:
    found = parse(PYTHON)
    assert found.base == "base"
    assert found.ports == [9000, 9090, 7000]
    assert found.health_path == "/healthz"
    assert found.user == "app:app"
    assert found.arguments == ["VERSION", "BASE_IMAGE"]


@pytest.mark.parametrize(
    ("text", "ports", "path"),
    [
        ("FROM scratch", [], ""),
        ("from node\nexpose 3000", [3000], ""),
        ("FROM node\nENV PORT 3000", [3000], ""),
        ("FROM node\nENV PORT=3000\nEXPOSE 80", [80], ""),
        ("FROM node\nHEALTHCHECK CMD wget -qO- 127.0.0.1", [], ""),
        ("FROM node\nHEALTHCHECK CMD wget -qO- http://127.0.0.1:8080", [8080], "/"),
        ('FROM node\nHEALTHCHECK CMD ["curl", "-f", "http://localhost:81/up?x=1"]', [81], "/up?x=1"),
        ("FROM node\nHEALTHCHECK NONE", [], ""),
        ("FROM node\nHEALTHCHECK CMD curl http://db:5432/", [], ""),
        ("FROM node\nARG P=${Q:-4000}\nEXPOSE ${P}", [4000], ""),
        ("FROM node\nEXPOSE ${UNKNOWN}", [], ""),
        ("FROM node\nENV PORT=http", [], ""),
        ("# escape=`\nFROM node\nEXPOSE `\n  5000", [5000], ""),
        ("FROM node\nCOPY <<-'END' /etc/x\nEXPOSE 1\n\tEND\nEXPOSE 2", [2], ""),
        ("EXPOSE 1", [], ""),
        ("FROM node AS a\nEXPOSE 1\nFROM alpine", [], ""),
        ("FROM node\nEXPOSE 80 80/tcp", [80], ""),
        ("FROM node\nRUN x \\", [], ""),
    ],
)
def test_ports_and_health_checks(text: str, ports: list[int], path: str) -> None:
    found = parse(text)
    assert (found.ports, found.health_path) == (ports, path)


def test_comments_between_continued_lines_are_left_out() -> None:
    assert [one.value for one in instructions("RUN a \\\n# no\n\n  b")] == ["a b"]


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("FROM scratch\n")


def found_in(folder: Path, depth: int = 3) -> list[tuple[str, str, str]]:
    listed: list[dict[str, t.Any]] = info.run({"path": str(folder), "depth": depth}, False)["dockerfiles"]
    return [(one["path"], one["dockerfile"], one["name"]) for one in listed]


def test_files_are_found_by_each_usual_name_and_those_of_dependencies_are_not(tmp_path: Path) -> None:
    shop = tmp_path / "My Shop"
    write(shop, "Dockerfile", "Dockerfile.worker", "api/Dockerfile", "api/dev.Dockerfile", "web/Containerfile")
    write(shop, "node_modules/x/Dockerfile", ".git/Dockerfile", "Dockerfile.dockerignore", "a/b/c/d/Dockerfile")
    assert found_in(shop) == [
        ("", "Dockerfile", "my-shop"),
        ("", "Dockerfile.worker", "my-shop-worker"),
        ("api", "Dockerfile", "api"),
        ("api", "dev.Dockerfile", "api-dev"),
        ("web", "Containerfile", "web"),
    ]
    assert len(found_in(shop, 0)) == 2


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"\xff\xfe")
    with pytest.raises(SlipwayError, match="Dockerfile: expected a Dockerfile as text") as raised:
        found_in(tmp_path)
    assert raised.value.code == "unreadable"
    with pytest.raises(SlipwayError, match="expected a directory"):
        found_in(tmp_path / "missing")

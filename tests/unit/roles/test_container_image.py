# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From source to image, with a stand-in for Docker's command: what is built is what was tagged, and a failed build is
told once."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._docker import build_context

Json = dict[str, t.Any]

# As much of Docker's command as the build asks for. It prints what a failing Dockerfile of many steps prints.
DOCKER = r"""#!/bin/sh
case "$*" in
  *"version --format"*) echo '{"Client": {"Version": "28.0.0"}, "Server": {"Version": "28.0.0"}}' ;;
  *"info --format"*) echo '{"ClientInfo": {"Plugins": [{"Name": "buildx", "Version": "v0.20.0"}]}}' ;;
  *"buildx build"*)
    touch "$0.built"
    for step in $(seq 1 240); do echo "#9 $step.0 downloading layer $step" >&2; done
    printf '%s\n' '#9 ERROR: no-such-command: not found' ' > [2/2] RUN no-such-command:' 'ERROR: failed to solve' >&2
    exit 1 ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    command = tmp_path / "bin/docker"
    command.parent.mkdir()
    command.write_text(DOCKER)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent), prepend=":")
    return command


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM base\nRUN no-such-command\n")
    (root / "page.html").write_text("before")
    return root


def build(cloud: t.Any, source: Path, before: t.Callable[[], None] = lambda: None) -> t.Any:
    """Build the image as the role does, with the tag of the source as it was before `before`."""
    inputs = {"build_args": {"BASE_IMAGE": "base"}, "base_digests": ["unknown"], "inputs": {"architecture": "amd64"}}
    tag = build_context.summarise(build_context.locate(str(source), "Dockerfile"), inputs).tag
    before()
    settings = {"name": "shop", "path": str(source)}
    variables = {
        "container_image_base_image": "base",
        "container_image_project": f"test-{source.parent.name}",
        "__container_image": {"name": "shop", "content_tag": tag, "dockerfile": "Dockerfile"},
        "__container_image_settings": settings,
        "__container_image_reference": f"registry.example/shop:{tag}",
        "__container_image_pulls": {"results": [{"item": "base", "image": {"Architecture": "amd64"}}]},
    }
    role = {"name": "slipway.aws.container_image", "tasks_from": "source_to_image"}
    return cloud.play([{"name": "Build", "ansible.builtin.import_role": role}], **variables)


def test_a_failed_build_is_told_once_with_its_last_lines(cloud: t.Any, source: Path, docker: Path) -> None:
    run = build(cloud, source)
    assert run.code == 2
    assert docker.with_name("docker.built").exists(), run.output
    assert run.output.count("no-such-command: not found") == 1
    assert "The image shop could not be built" in run.output
    assert "downloading layer 240" in run.output
    assert "downloading layer 200" not in run.output
    assert len(run.output.splitlines()) < 70


def test_a_source_that_changed_after_its_tag_was_computed_is_not_built(
    cloud: t.Any, source: Path, docker: Path
) -> None:
    run = build(cloud, source, lambda: t.cast(None, (source / "page.html").write_text("after!")))
    assert run.code == 2
    assert "changed after its tag was computed: expected src-" in run.output
    assert not docker.with_name("docker.built").exists()

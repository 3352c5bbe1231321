# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.slipway.aws.plugins.modules import docker_build_context_info

MODULE = "docker_build_context_info"
Json = dict[str, t.Any]
Run = t.Callable[..., Json]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    return root


def test_nothing_changes_and_check_mode_says_the_same(run: Run, context: Path) -> None:
    result = run(MODULE, path=str(context))
    assert result == run(MODULE, check=True, path=str(context))
    assert not result["changed"]
    assert result["tag"] == f"src-{result['digest'][7:23]}"
    assert (result["dockerfile"], result["files"], result["size"]) == ("Dockerfile", 1, 22)


def test_the_archive_is_written_and_not_in_check_mode(run: Run, context: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    predicted = run(MODULE, check=True, path=str(context), archive=str(archive))
    assert not archive.exists()
    assert run(MODULE, path=str(context), archive=str(archive)) == predicted
    assert archive.exists()
    assert predicted["archive"] == str(archive)
    assert predicted["digest"] == run(MODULE, path=str(context))["digest"]


@pytest.mark.parametrize(
    "inputs",
    [
        {"build_args": {"A": "1"}},
        {"base_digests": ["sha256:a"]},
        {"base_digests": {"debian": "sha256:a"}},
        {"inputs": {"platform": "linux/arm64"}},
    ],
)
def test_every_input_counts(run: Run, context: Path, inputs: Json) -> None:
    assert run(MODULE, path=str(context), **inputs)["digest"] != run(MODULE, path=str(context))["digest"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"path": "/nowhere"}, "context_missing"),
        ({"dockerfile": "Dockerfile.web"}, "dockerfile_missing"),
        ({"base_digests": "sha256:a"}, "inputs_invalid"),
        ({"archive": "/nowhere/a.tar"}, "archive_not_written"),
    ],
)
def test_a_failure_has_a_code(run: Run, context: Path, options: Json, code: str) -> None:
    result = run(MODULE, **{"path": str(context), **options})
    assert (result["failed"], result["code"]) == (True, code)
    assert result["msg"].endswith(".")


def test_the_examples_work(run: Run, context: Path, tmp_path: Path) -> None:
    text = docker_build_context_info.EXAMPLES.replace("{{ scratch.path }}", str(tmp_path))
    for task in yaml.safe_load(text):
        result = run(MODULE, **{**task[f"slipway.aws.{MODULE}"], "path": str(context)})
        assert "failed" not in result, result

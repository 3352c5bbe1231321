# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From source to image, with a stand-in for Docker: what is built is what was tagged, and a failed build is reported
once."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._docker import build_context

if t.TYPE_CHECKING:
    from ansible_collections.slipway.aws.tests.unit.roles.conftest import Engine

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


def build(cloud: t.Any, source: Path) -> t.Any:
    """Build the image as the role does, from its archive."""
    archive = source.parent / "shop.tar.gz"
    summary = build_context.write_archive(build_context.locate(str(source), "Dockerfile"), {}, str(archive))
    variables = {
        "__container_image_scratch": str(source.parent / "scratch"),
        "__container_image_built_as": f"registry.example/shop:{summary.tag}",
        "__container_image": {
            "name": "shop",
            "path": str(source),
            "archive": str(archive),
            "dockerfile": "Dockerfile",
            "build_args": {},
            "secret_args": [],
        },
    }
    role = {"name": "slipway.aws.container_image", "tasks_from": "build"}
    return cloud.play([{"name": "Build", "ansible.builtin.import_role": role}], **variables)


@pytest.mark.variants
def test_a_failed_build_is_reported_once_with_its_last_lines(cloud: t.Any, source: Path, docker: Path) -> None:
    run = build(cloud, source)
    assert run.code == 2
    assert docker.with_name("docker.built").exists(), run.output
    assert run.output.count("no-such-command: not found") == 1
    assert "The image shop could not be built" in run.output
    assert "downloading layer 240" in run.output
    assert "downloading layer 200" not in run.output
    assert len(run.output.splitlines()) < 70
    assert not (source.parent / "scratch").exists()


@pytest.mark.variants
def test_an_image_that_runs_as_root_is_built_and_not_pushed(cloud: t.Any, source: Path, engine: Engine) -> None:
    cloud.client("ecr").create_repository(repositoryName="root")
    image = {"name": "root", "path": str(source), "tags": ["1"]}
    containers = {"family": "root", "containerDefinitions": [{"name": "root", "image": "root"}]}
    services = {"ecs_app_services": [{"name": "root", "task_definition": containers}]}
    refused = role(cloud, image, ecs_app_root_user="refuse", **services)
    assert refused.code == 2
    assert "container_image_images, root: expected a user other than root, got none." in " ".join(
        refused.output.split()
    )
    assert "image_build" in engine.calls()
    assert "image_push" not in engine.calls()
    containers["containerDefinitions"][0]["user"] = "1000"
    assert role(cloud, image, ecs_app_root_user="refuse", **services).code == 0


@pytest.mark.variants
def test_a_build_argument_that_looks_like_a_secret_is_in_no_output(cloud: t.Any, source: Path, engine: Engine) -> None:
    """It reaches the build, and decides about the tag."""
    cloud.client("ecr").create_repository(repositoryName="masked")
    more: Json = {"docker_host_result": {"version": "28.0.0"}, "slipway_plain_values": ["masked.build_args.INDEX"]}
    tags = set()
    for version in ("one", "two"):
        given = {"NPM_TOKEN": f"hunter2{version}", "INDEX": f"https://shop:hunter2{version}@packages.example/"}
        image = {"name": "masked", "path": str(source), "tags": ["1"], "build_args": given}
        for options in (["--check"], []):
            run = role(cloud, image, *options, "-vvv", "--diff", **more)
            assert (run.code, "hunter2" in run.output) == (0, False), run.output
            assert "NPM_TOKEN looks like a secret" in " ".join(run.output.split())
        built = [json.loads(line)[1] for line in engine.log.read_text().splitlines() if "image_build" in line]
        assert built[-1]["args"] == {"BASE_IMAGE": "base", **given}
        tags.add(built[-1]["name"])
    assert len(tags) == 2


# Edits the source when the role asks the registry whether it has the image: its tag is known, and it is not built yet.
EDITOR = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_NAME = "editor"

    def v2_playbook_on_task_start(self, task, is_conditional):
        if task.action.endswith("ecr_repository_info") and "image_tags" in task.args:
            Path({page!r}).write_text("after")
"""


@pytest.fixture
def edited(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "editor.py").write_text(EDITOR.format(page=str(source / "page.html")))
    monkeypatch.setenv("ANSIBLE_CALLBACK_PLUGINS", str(tmp_path))
    return source


def role(cloud: t.Any, image: Json, *options: str, check: bool = False, **variables: t.Any) -> t.Any:
    """Run the role for an image, in a registry that has its repository."""
    return cloud.play(
        [{"ansible.builtin.include_role": {"name": "slipway.aws.container_image"}}],
        *(["--check"] if check else []),
        *options,
        container_image_images=[image],
        container_image_base_image="base",
        # The role has a directory in the home directory, named after the project.
        slipway_project=f"test-{os.getpid()}",
        ecr_registry_result={"repositories": {image["name"]: {"uri": f"registry.example/{image['name']}"}}},
        **variables,
    )


Ship = t.Callable[[], Json]


@pytest.fixture
def ship(cloud: t.Any, edited: Path, engine: t.Any, tmp_path: Path) -> t.Iterator[Ship]:
    """Runs the role for the image `edited`; its result."""
    cloud.client("ecr").create_repository(repositoryName="edited")
    result = tmp_path / "result.json"

    def shipped() -> Json:
        run = cloud.play(
            [
                {"ansible.builtin.include_role": {"name": "slipway.aws.container_image"}},
                {
                    "ansible.builtin.copy": {
                        "content": "{{ container_image_result.images.edited }}",
                        "dest": str(result),
                    }
                },
            ],
            container_image_images=[{"name": "edited", "path": str(edited), "tags": ["1.0"]}],
            container_image_base_image="base",
            slipway_project=f"test-{tmp_path.name}",
            ecr_registry_result={"repositories": {"edited": {"uri": "registry.example/edited"}}},
        )
        assert run.code == 0, run.output
        return t.cast(Json, json.loads(result.read_text()))

    yield shipped
    cloud.client("ecr").delete_repository(repositoryName="edited", force=True)


@pytest.mark.variants
def test_what_is_built_is_what_was_tagged_whatever_is_edited_meanwhile(
    ship: Ship, edited: Path, engine: Engine
) -> None:
    ship()
    assert (edited / "page.html").read_text() == "after"
    assert (engine.built / "page.html").read_text() == "before"


@pytest.mark.witness("container_image")
@pytest.mark.variants
def test_an_edited_source_is_predicted_built_and_then_unchanged(
    cloud: t.Any, ship: Ship, edited: Path, engine: Engine
) -> None:
    image = {"name": "edited", "path": str(edited), "tags": ["1.0"]}
    predicted = role(cloud, image, check=True, docker_host_result={"version": "28.0.0"})
    assert (predicted.code, predicted.changed) == (0, 3), predicted.output
    assert engine.calls() == ["image_pull"]
    (edited / "page.html").write_text("before")
    before = ship()
    after = ship()
    assert (engine.built / "page.html").read_text() == "after"
    assert after["content_tag"] != before["content_tag"]
    (newest,) = [one for one in described(cloud) if "1.0" in one["imageTags"]]
    assert set(newest["imageTags"]) == {after["content_tag"], "1.0"}
    assert engine.calls().count("image_build") == 2
    third = ship()
    assert (third["built"], third["digest"]) == (False, after["digest"])
    assert engine.calls().count("image_build") == 2


def described(cloud: t.Any) -> list[Json]:
    return t.cast("list[Json]", cloud.client("ecr").describe_images(repositoryName="edited")["imageDetails"])


@pytest.mark.variants
def test_a_source_in_git_is_built_at_its_version(cloud: t.Any, source: Path, engine: t.Any, tmp_path: Path) -> None:
    cloud.client("ecr").create_repository(repositoryName="from-git")
    repository = tmp_path / "repository"
    repository.mkdir()
    source.rename(repository / "docker")
    commit = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--all", "--message=x"]
    page = repository / "docker/page.html"
    for command in (["git", "init", "--quiet"], ["git", "add", "."], commit, ["git", "tag", "1.0"]):
        subprocess.run(command, cwd=repository, check=True)
    page.write_text("after")
    subprocess.run(commit, cwd=repository, check=True)
    image = {"name": "from-git", "git": {"repo": str(repository), "version": "1.0", "path": "docker"}}
    run = role(cloud, image, slipway_directory=str(tmp_path / "state"))
    assert run.code == 0, run.output
    assert (engine.built / "page.html").read_text() == "before"


class Page(BaseHTTPRequestHandler):
    """What a container under test answers."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready" else 404)
        self.end_headers()
        self.wfile.write(b"Welcome")

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def port() -> t.Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.mark.variants
@pytest.mark.parametrize("content", ["Wel.ome", "Django"])
def test_only_an_image_that_passes_its_smoke_test_is_pushed(
    cloud: t.Any, source: Path, docker: Path, engine: t.Any, port: int, content: str
) -> None:
    name = f"tested-{content.lower().replace('.', '-')}"
    cloud.client("ecr").create_repository(repositoryName=name)
    test = {"container_port": 80, "path": "/ready", "content": content, "port": port}
    image = {"name": name, "path": str(source), "smoke_test": test}
    run = role(cloud, image, container_image_address="127.0.0.1", container_image_smoke_test_timeout=1)
    passed = content != "Django"
    assert run.code == (0 if passed else 2), run.output
    assert ("image_push" in engine.calls()) is passed
    # The container is deleted, whether or not the test passes.
    assert engine.calls()[-1 if not passed else -3] == "container"
    expected = (
        f'http://127.0.0.1:{port}/ready: expected status 200 and content that matches "Django", got other content.'
    )
    assert (expected in " ".join(run.output.split())) is not passed
    assert docker.exists()

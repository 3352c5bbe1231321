# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Base images are pinned to what their registry answers, or nothing is written."""

from __future__ import annotations

import hashlib
import json
import threading
import typing as t
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.module_utils._core.errors import SlipwayError
from ansible_collections.slipway.aws.plugins.module_utils._docker.base_image import flow, model

VARIABLES = ["container_image_base_image", "base_image"]
MANIFEST = b'{"schemaVersion": 2}'
OF_MANIFEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
OLD = "sha256:" + "0" * 64


class Registry(BaseHTTPRequestHandler):
    """A registry that wants a token, as public ones do. Of the repository `silent`, it does not name the digest."""

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        if self.path.startswith("/token?"):
            assert "service=registry" in self.path
            assert "scope=repository%3Abase%3Apull" in self.path
            return self.send(200, json.dumps({"token": "t0k3n"}).encode())
        return self.answer()

    def answer(self) -> None:
        if self.headers.get("Authorization") != "Bearer t0k3n":
            realm = f"http://{self.headers['Host']}/token"
            scope = 'service="registry",scope="repository:base:pull"'
            kind = "Basic realm=x" if "/secret/" in self.path else f'Bearer realm="{realm}",{scope}'
            return self.send(401, b"", {"WWW-Authenticate": kind})
        if not self.path.endswith("/manifests/stable") or "index" not in self.headers["Accept"]:
            return self.send(404, b"")
        return self.send(200, MANIFEST, {} if "/silent/" in self.path else {"Docker-Content-Digest": OF_MANIFEST})

    def send(self, status: int, body: bytes, headers: t.Mapping[str, str] = {}) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


def pin(path: Path, check_mode: bool = False) -> dict[str, t.Any]:
    return flow.run({"paths": [str(path)], "variables": VARIABLES}, check_mode)


INVENTORY = """\
# The base image, container_image_base_image: {registry}/old:stable
container_image_base_image: {registry}/base:stable{digest}  # Debian
container_image_images:
  - name: web
    base_image: "{registry}/silent/base:stable{digest}"
  - {{name: api, base_image: {registry}/base:stable{digest}, tags: [a]}}
  - name: own
    base_image: "localhost:{{{{ local_cloud_port }}}}/base/debian:trixie"
  - name: fixed
    base_image: {registry}/base@{old}
"""


def test_only_the_digests_change_and_a_rerun_changes_nothing(registry: str, tmp_path: Path) -> None:
    file, link = tmp_path / "shared.txt", tmp_path / "group_vars/all.yml"
    link.parent.mkdir()
    link.symlink_to(file)
    file.write_text(before := INVENTORY.format(registry=registry, digest="", old=OLD))
    predicted = pin(tmp_path / "group_vars", check_mode=True)
    assert (predicted["changed"], file.read_text()) == (True, before)
    first = pin(tmp_path / "group_vars")
    assert file.read_text() == INVENTORY.format(registry=registry, digest=f"@{OF_MANIFEST}", old=OLD)
    assert link.is_symlink()
    assert (first["diff"], first["images"]) == (predicted["diff"], predicted["images"])
    assert first["diff"][0]["prepared"].count("\n+") == 3 + 1
    assert not pin(tmp_path / "group_vars")["changed"]
    # A tag that has moved.
    file.write_text(INVENTORY.format(registry=registry, digest=f"@{OLD}", old=OLD))
    assert pin(file)["changed"]
    assert file.read_text() == INVENTORY.format(registry=registry, digest=f"@{OF_MANIFEST}", old=OLD)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("{registry}/base:gone", "status 404"),
        ("{registry}/secret/base:stable", "status 401"),
        ("127.0.0.1:1/base:stable", "Connection refused"),
    ],
)
def test_nothing_is_written_where_one_registry_does_not_answer(
    registry: str, tmp_path: Path, image: str, reason: str
) -> None:
    good, bad = tmp_path / "a.yml", tmp_path / "b.yml"
    good.write_text(before := f"base_image: {registry}/base:stable\n")
    bad.write_text(f"base_image: {image.format(registry=registry)}\n")
    with pytest.raises(SlipwayError) as error:
        pin(tmp_path)
    assert error.value.code == "registry_unreadable"
    assert reason in str(error.value)
    assert "Nothing was written." in str(error.value)
    assert good.read_text() == before


@pytest.mark.parametrize("text", ["", "base_image: '{{ other }}'\n", f"base_image: debian@{OLD}\n"])
def test_an_inventory_without_a_base_image_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "all.yml").write_text(text)
    for path in (tmp_path, tmp_path / "missing.yml"):
        with pytest.raises(SlipwayError) as error:
            pin(path)
        assert error.value.code == "base_image_missing"


@pytest.mark.parametrize(
    ("name", "url", "tag"),
    [
        ("debian", "https://registry-1.docker.io/v2/library/debian", "latest"),
        ("docker.io/bitnami/nginx:1", "https://registry-1.docker.io/v2/bitnami/nginx", "1"),
        (
            "public.ecr.aws/docker/library/debian:trixie-slim",
            "https://public.ecr.aws/v2/docker/library/debian",
            "trixie-slim",
        ),
        ("registry.example:5000/base:1", "https://registry.example:5000/v2/base", "1"),
        ("localhost:5000/base", "http://localhost:5000/v2/base", "latest"),
        (f"ghcr.io/a/b:1@{OLD}", "https://ghcr.io/v2/a/b", "1"),
    ],
)
def test_the_registry_follows_from_the_name_as_docker_reads_it(name: str, url: str, tag: str) -> None:
    found = model.image(name)
    assert found
    assert (found.url, found.tag) == (url, tag)

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._docker import build_context
from ansible_collections.slipway.aws.plugins.module_utils._docker.build_context import ContextError, Summary


@pytest.fixture
def context(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (root / "page.html").write_text("<h1>Hello</h1>")
    return root


def summarise(context: Path, dockerfile: str = "Dockerfile", **inputs: Any) -> Summary:
    return build_context.summarise(build_context.locate(str(context), dockerfile), inputs)


def names(context: Path, dockerfile: str = "Dockerfile") -> list[str]:
    return [entry.name for entry in build_context.collect(build_context.locate(str(context), dockerfile))]


def archive(context: Path, path: Path, dockerfile: str = "Dockerfile") -> Summary:
    return build_context.write_archive(build_context.locate(str(context), dockerfile), {}, str(path))


def failure(context: Path, dockerfile: str = "Dockerfile") -> str:
    with pytest.raises(ContextError) as error:
        summarise(context, dockerfile)
    return error.value.code


def test_the_tag_is_the_short_form_of_the_digest(context: Path) -> None:
    summary = summarise(context)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", summary.digest)
    assert summary.tag == f"src-{summary.digest[7:23]}"
    assert (summary.files, summary.size, summary.dockerfile) == (2, 22 + 14, "Dockerfile")


def test_times_owners_and_other_permissions_do_not_count(context: Path) -> None:
    before = summarise(context)
    os.utime(context / "page.html", (1, 1))
    (context / "page.html").chmod(0o600)
    assert summarise(context) == before


def test_the_place_of_the_source_does_not_count(context: Path) -> None:
    before = summarise(context)
    assert summarise(context.rename(context.with_name("elsewhere"))) == before


def test_the_order_of_creation_does_not_count(tmp_path: Path) -> None:
    digests = set()
    for order in (["a", "b", "c"], ["c", "a", "b"]):
        root = tmp_path / order[0]
        root.mkdir()
        for name in ["Dockerfile", *order]:
            (root / name).write_text(name)
        digests.add(summarise(root).digest)
    assert len(digests) == 1


def change_content(root: Path) -> None:
    (root / "page.html").write_text("<h1>hello</h1>")


def change_dockerfile(root: Path) -> None:
    (root / "Dockerfile").write_text("FROM scratch\n")


def rename(root: Path) -> None:
    (root / "page.html").rename(root / "page.htm")


def make_executable(root: Path) -> None:
    (root / "page.html").chmod(0o755)


def add_empty_directory(root: Path) -> None:
    (root / "empty").mkdir()


def replace_by_link(root: Path) -> None:
    (root / "page.html").unlink()
    (root / "page.html").symlink_to("Dockerfile")


def add_rules(root: Path) -> None:
    (root / ".dockerignore").write_text("page.html\n")


@pytest.mark.parametrize(
    "change",
    [
        change_content,
        change_dockerfile,
        rename,
        make_executable,
        add_empty_directory,
        replace_by_link,
        add_rules,
        lambda root: (root / "page.html").unlink(),
    ],
)
def test_every_change_to_what_is_sent_counts(context: Path, change: Any) -> None:
    before = summarise(context).digest
    change(context)
    assert summarise(context).digest != before


def test_the_boundary_between_name_and_content_counts(tmp_path: Path) -> None:
    digests = set()
    for name, content in (("ab", "c"), ("a", "bc")):
        root = tmp_path / name
        root.mkdir()
        (root / "Dockerfile").touch()
        (root / name).write_text(content)
        digests.add(summarise(root).digest)
    assert len(digests) == 2


def test_a_link_is_kept_and_not_followed(context: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("1")
    (context / "link").symlink_to(outside)
    (context / "dangling").symlink_to("nowhere")
    before = summarise(context)
    (outside / "secret").write_text("2")
    assert summarise(context) == before
    assert "link/secret" not in names(context)
    archive(context, tmp_path / "a.tar")
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert tar.getmember("link").linkname == str(outside)
        assert tar.getmember("dangling").issym()


def test_names_may_hold_any_character(context: Path, tmp_path: Path) -> None:
    odd = [b"new\nline", b"not-utf8-\xff", "\N{SNOWMAN}".encode(), b" space ", b"-dash", b"'quote\"", b"n" * 200]
    for name in odd:
        Path(os.fsdecode(os.fsencode(context) + b"/" + name)).touch()
    summary = archive(context, tmp_path / "a.tar")
    assert summary.files == 2 + len(odd)
    with tarfile.open(tmp_path / "a.tar") as tar:
        assert {os.fsencode(name) for name in tar.getnames()} >= set(odd)


def test_what_cannot_be_sent_is_left_out(context: Path) -> None:
    os.mkfifo(context / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(context / "socket"))
        assert names(context) == ["Dockerfile", "page.html"]


def test_folders_may_be_nested_deeper_than_python_may_call(context: Path, tmp_path: Path) -> None:
    depth = sys.getrecursionlimit() + 200
    place = os.getcwd()
    os.chdir(context)
    try:
        for _level in range(depth):
            os.mkdir("d")
            os.chdir("d")
        Path("file").write_text("x")
        archive(context, tmp_path / "out.tar")
    finally:
        os.chdir(place)
        subprocess.run(["rm", "-rf", str(context / "d")], check=True)  # shutil calls itself for each level, too
    with tarfile.open(tmp_path / "out.tar") as made:
        assert "d/" * depth + "file" in made.getnames()


def test_ignored_files_do_not_count(context: Path) -> None:
    (context / ".dockerignore").write_text("*.log\nnode_modules\n")
    before = summarise(context)
    (context / "x.log").touch()
    (context / "node_modules" / "deep").mkdir(parents=True)
    (context / "node_modules" / "deep" / "file").touch()
    assert summarise(context) == before


def test_the_dockerfile_and_the_rules_are_sent_even_when_ignored(context: Path) -> None:
    (context / ".dockerignore").write_text("*\n!page.html\n")
    assert names(context) == [".dockerignore", "Dockerfile", "page.html"]


def test_an_exception_brings_its_directories_with_it(context: Path) -> None:
    (context / "a" / "b").mkdir(parents=True)
    (context / "a" / "b" / "keep.md").touch()
    (context / "a" / "b" / "lose").touch()
    (context / ".dockerignore").write_text("a\n!**/*.md\n")
    assert names(context) == [".dockerignore", "Dockerfile", "a", "a/b", "a/b/keep.md", "page.html"]


def test_a_dockerfile_has_rules_of_its_own(context: Path) -> None:
    (context / "docker").mkdir()
    (context / "docker" / "web").touch()
    (context / ".dockerignore").write_text("docker\n")
    (context / "docker" / "web.dockerignore").write_text("page.html\nDockerfile\ndocker\n")
    assert names(context, "docker/web") == [".dockerignore", "docker", "docker/web", "docker/web.dockerignore"]


def test_a_dockerfile_outside_comes_along_and_stays_out_of_the_image(context: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile.web").write_text("FROM scratch\n")
    (context / ".dockerignore").write_text("page.html")
    outside = str(tmp_path / "Dockerfile.web")
    assert names(context, outside) == [
        ".dockerignore",
        ".slipway.Dockerfile",
        ".slipway.Dockerfile.dockerignore",
        "Dockerfile",
    ]
    assert summarise(context, outside) == summarise(context, "../Dockerfile.web")
    archive(context, tmp_path / "a.tar", outside)
    with tarfile.open(tmp_path / "a.tar") as tar:
        rules = tar.extractfile(".slipway.Dockerfile.dockerignore")
        assert rules
        assert rules.read() == b"page.html\n.slipway.Dockerfile\n.slipway.Dockerfile.dockerignore\n"


def test_a_dockerfile_that_is_a_link_is_sent_as_what_it_points_to(context: Path, tmp_path: Path) -> None:
    (context / "Dockerfile").rename(tmp_path / "real")
    (context / "Dockerfile").symlink_to(tmp_path / "real")
    before = summarise(context).digest
    (tmp_path / "real").write_text("FROM other\n")
    assert summarise(context).digest != before


def test_an_ignored_directory_need_not_be_readable(context: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (context / "private").mkdir()
    (context / ".dockerignore").write_text("private\n")
    forbid(monkeypatch, "private")
    assert "private" not in names(context)


@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_cannot_be_read_is_named(context: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    if what == "file":
        (context / "private").touch()
    else:
        (context / "private").mkdir()
    forbid(monkeypatch, "private")
    with pytest.raises(ContextError, match=r"Cannot read .*/private: Permission denied") as error:
        summarise(context)
    assert error.value.code == "unreadable"


def forbid(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Refuse to read one path: a test that runs as root is refused nothing."""

    def refuse(function: Any) -> Any:
        def wrapped(path: Any, *args: Any, **kwargs: Any) -> Any:
            if str(path).endswith(name):
                raise PermissionError(13, "Permission denied", path)
            return function(path, *args, **kwargs)

        return wrapped

    monkeypatch.setattr(os, "scandir", refuse(os.scandir))
    monkeypatch.setattr("builtins.open", refuse(open))


def test_errors_have_codes(context: Path) -> None:
    assert failure(context / "missing") == "context_missing"
    assert failure(context / "page.html") == "context_not_directory"
    assert failure(context, "Dockerfile.web") == "dockerfile_missing"
    assert failure(context, ".") == "dockerfile_missing"
    (context / ".dockerignore").write_text("[a\n")
    assert failure(context) == "ignore_file_invalid"


def test_build_arguments_base_images_and_other_inputs_count() -> None:
    canonical = build_context.canonical
    assert canonical({"a": 1, "b": True}) == canonical({"b": "true", "a": "1"})
    assert canonical({"a": None}) != canonical({"a": "None"})
    assert canonical({"a": "1"}) != canonical({"a": "2"})


def test_the_order_of_base_digests_does_not_count() -> None:
    def inputs(bases: Any) -> bytes:
        return build_context.canonical(
            build_context.other_inputs({"build_args": {}, "base_digests": bases, "inputs": {}})
        )

    assert inputs(["sha256:b", "sha256:a"]) == inputs(["sha256:a", "sha256:b"])
    assert inputs({"debian": "sha256:a"}) != inputs({"debian": "sha256:b"})
    with pytest.raises(ContextError, match="base_digests: expected a dictionary or a list, got"):
        inputs("sha256:a")


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz"])
def test_the_archive_is_the_same_byte_for_byte(context: Path, tmp_path: Path, name: str) -> None:
    archive(context, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    os.utime(context / "page.html", (1, 1))
    archive(context, tmp_path / name)
    assert (tmp_path / name).read_bytes() == first
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert (first[:2] == b"\x1f\x8b") is name.endswith("gz")


def test_the_unpacked_archive_is_the_same_source(context: Path, tmp_path: Path) -> None:
    (context / "bin").mkdir()
    (context / "bin" / "start").touch(0o755)
    (context / "empty").mkdir()
    (context / "link").symlink_to("page.html")
    (context / ".dockerignore").write_text("*.log\n")
    (context / "x.log").touch()
    summary = archive(context, tmp_path / "a.tar")
    assert summary == summarise(context)
    with tarfile.open(tmp_path / "a.tar") as tar:
        tar.extractall(tmp_path / "copy", filter="data")
    assert summarise(tmp_path / "copy") == summary


def test_an_edit_that_keeps_the_size_changes_the_time_in_the_archive(context: Path, tmp_path: Path) -> None:
    times = set()
    for page in ("<h1>Hello</h1>", "<h1>HELLO</h1>"):
        (context / "page.html").write_text(page)
        archive(context, tmp_path / "a.tar")
        with tarfile.open(tmp_path / "a.tar") as tar:
            times.add(tar.getmember("page.html").mtime)
    assert len(times) == 2


def test_an_archive_is_complete_or_not_there(context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (context / "private").touch()
    forbid(monkeypatch, "private")
    with pytest.raises(ContextError):
        archive(context, tmp_path / "a.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["context"]


def test_an_archive_has_no_place_in_its_own_context_or_in_nowhere(context: Path, tmp_path: Path) -> None:
    for path, code in ((context / "a.tar", "archive_in_context"), (tmp_path / "no" / "a.tar", "archive_not_written")):
        with pytest.raises(ContextError) as error:
            archive(context, path)
        assert error.value.code == code


def test_a_file_that_changes_while_it_is_read_is_an_error(
    context: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = build_context._content

    def then_change(entry: build_context.Entry) -> tuple[bytes, int]:
        result = content(entry)
        if entry.name == "page.html":
            change_content(context)
        return result

    monkeypatch.setattr(build_context, "_content", then_change)
    with pytest.raises(ContextError, match="changed while it was read"):
        archive(context, tmp_path / "a.tar")


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
plain = st.recursive(scalars, lambda items: st.dictionaries(st.text(max_size=3), items, max_size=3), max_leaves=5)


@given(st.dictionaries(st.text(max_size=3), plain, max_size=4))
def test_the_order_of_keys_never_counts(inputs: dict[str, Any]) -> None:
    assert build_context.canonical(dict(reversed(inputs.items()))) == build_context.canonical(inputs)

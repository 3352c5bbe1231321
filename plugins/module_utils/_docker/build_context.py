# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Docker build is made of: its files, a digest of them, and an archive of exactly them.

Two machines with the same source get the same digest and the same archive: times, owners, the order of
directories and the umask of a checkout do not count. As in git, the only permission that counts is "executable".
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from .._core.error_codes import (
    ARCHIVE_IN_CONTEXT,
    ARCHIVE_NOT_WRITTEN,
    CONTEXT_CHANGED,
    CONTEXT_MISSING,
    CONTEXT_NOT_DIRECTORY,
    DOCKERFILE_MISSING,
    IGNORE_FILE_INVALID,
    INPUTS_INVALID,
    UNREADABLE,
)
from .._core.errors import SlipwayError
from . import dockerignore

FILE, LINK, DIRECTORY = "file", "link", "directory"

# Names in the archive for a Dockerfile that lies outside of the context.
OUTSIDE_DOCKERFILE = ".slipway.Dockerfile"
# Changes when the same source shall get another digest.
_FORMAT = b"slipway build context 1"
_BLOCK = 1 << 20
# 2000-01-01: the time of what has no content.
_EPOCH = 946684800


class ContextError(SlipwayError):
    """A build context of which no digest can be computed."""


@dataclass(frozen=True)
class Source:
    """Where a build is: absolute paths, and the ignore file that Docker would choose."""

    root: str
    dockerfile: str
    ignore_file: str | None

    @property
    def dockerfile_name(self) -> str:
        """The Dockerfile's path inside of the context and the archive."""
        return os.path.relpath(self.dockerfile, self.root) if self.has_inside(self.dockerfile) else OUTSIDE_DOCKERFILE

    def has_inside(self, path: str) -> bool:
        return path.startswith(os.path.join(self.root, ""))


@dataclass(frozen=True)
class Entry:
    """One path that the build sends. `origin` is read; `content` stands in for a file that is not on the disk."""

    name: str
    kind: str
    origin: str
    executable: bool = False
    target: str = ""
    content: bytes | None = None


class Summary(NamedTuple):
    digest: str
    tag: str
    dockerfile: str
    files: int
    size: int


def locate(path: str, dockerfile: str) -> Source:
    """Find context, Dockerfile and ignore file, or say which one is missing."""
    root = os.path.abspath(path)
    if not os.path.exists(root):
        raise ContextError(CONTEXT_MISSING, f"path: expected an existing directory, got {path}.")
    if not os.path.isdir(root):
        raise ContextError(CONTEXT_NOT_DIRECTORY, f"path: expected a directory, got the file {path}.")
    recipe = os.path.normpath(os.path.join(root, dockerfile))
    if not os.path.isfile(recipe):
        raise ContextError(DOCKERFILE_MISSING, f"dockerfile: expected a Dockerfile at {recipe}, got none.")
    candidates = (f"{recipe}.dockerignore", os.path.join(root, ".dockerignore"))
    return Source(root, recipe, next((name for name in candidates if os.path.isfile(name)), None))


def collect(source: Source) -> list[Entry]:
    """Everything that the build sends, sorted by name. What Docker needs to read is included even if it is ignored."""
    entries = {entry.name: entry for entry in _walk(source.root, _read_ignore(source))}
    entries.update((entry.name, entry) for entry in _always_sent(source))
    for name in list(entries):
        while name := os.path.dirname(name):
            entries.setdefault(name, Entry(name, DIRECTORY, os.path.join(source.root, name)))
    return [entries[name] for name in sorted(entries, key=os.fsencode)]


def summarise(
    source: Source, inputs: Mapping[str, Any] | None = None, output: IO[bytes] | None = None, *, compress: bool = False
) -> Summary:
    """Digest the context and the other inputs of the build; write the archive, if one is wanted, in the same go."""
    digest = hashlib.sha256()
    _feed(digest, _FORMAT, os.fsencode(source.dockerfile_name), canonical(inputs or {}))
    files = size = 0
    with _open_archive(output, compress) as archive:
        for entry in collect(source):
            content_digest, content_size = _content(entry)
            _feed(
                digest,
                entry.kind.encode(),
                os.fsencode(entry.name),
                b"x" if entry.executable else b"-",
                os.fsencode(entry.target),
                content_digest,
            )
            if archive:
                _add(archive, entry, content_digest, content_size)
            files += entry.kind != DIRECTORY
            size += content_size
    hexadecimal = digest.hexdigest()
    return Summary(f"sha256:{hexadecimal}", f"src-{hexadecimal[:16]}", source.dockerfile_name, files, size)


def write_archive(source: Source, inputs: Mapping[str, Any], path: str) -> Summary:
    """Like `summarise`, with the archive at `path`: complete or not there, and readable by its owner only."""
    final = os.path.abspath(path)
    if source.has_inside(final):
        raise ContextError(ARCHIVE_IN_CONTEXT, f"archive: expected a path outside the build context, got {path}.")
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=".slipway.", dir=os.path.dirname(final))
        with os.fdopen(handle, "wb") as output:
            summary = summarise(source, inputs, output, compress=final.endswith((".gz", ".tgz")))
        os.replace(temporary, final)
    except OSError as error:
        raise ContextError(ARCHIVE_NOT_WRITTEN, f"archive: {path} cannot be written: {error.strerror}.") from error
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
    return summary


def other_inputs(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the build depends on apart from its files, from a module's parameters."""
    bases = params["base_digests"]
    if isinstance(bases, list):
        bases = sorted(str(digest) for digest in bases)
    elif bases is not None and not isinstance(bases, dict):
        raise ContextError(INPUTS_INVALID, f"base_digests: expected a dictionary or a list, got {bases!r}.")
    return {"build_args": params["build_args"], "base_digests": bases, "inputs": params["inputs"]}


def canonical(value: Any) -> bytes:
    """Inputs as text that does not depend on the order of keys, nor on how YAML spells a number or a boolean."""
    return json.dumps(_plain(value), sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)


def _read_ignore(source: Source) -> dockerignore.Ignore:
    if source.ignore_file is None:
        return dockerignore.Ignore()
    try:
        return dockerignore.parse(os.fsdecode(_read(source.ignore_file)))
    except dockerignore.InvalidPattern as error:
        raise ContextError(
            IGNORE_FILE_INVALID, f"{source.ignore_file}: expected patterns, got a line that Docker refuses: {error}."
        ) from error


def _walk(root: str, ignore: dockerignore.Ignore) -> Iterator[Entry]:
    """Everything below `root` that is not ignored; with a list of its own, since folders can be nested without end."""
    waiting: list[tuple[str, dockerignore.Matches]] = [("", ())]
    while waiting:
        directory, parent = waiting.pop()
        for item in _list(os.path.join(root, directory)):
            name = os.path.join(directory, item.name)
            ignored, matches = ignore.judge(name, parent)
            if not ignored and (entry := _entry(name, item)):
                yield entry
            if item.is_dir(follow_symlinks=False) and (not ignored or ignore.keeps_below(name)):
                waiting.append((name, matches))


def _list(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as items:
            return list(items)
    except OSError as error:
        raise _unreadable(directory, error) from error


def _entry(name: str, item: os.DirEntry[str]) -> Entry | None:
    """None for sockets, pipes and devices, which no image can hold by COPY."""
    status = item.stat(follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        return Entry(name, LINK, item.path, target=os.readlink(item.path))
    if stat.S_ISDIR(status.st_mode):
        return Entry(name, DIRECTORY, item.path)
    if stat.S_ISREG(status.st_mode):
        return Entry(name, FILE, item.path, executable=bool(status.st_mode & stat.S_IXUSR))
    return None


def _always_sent(source: Source) -> Iterator[Entry]:
    """The Dockerfile and the ignore file, so that a build of the unpacked archive is the build of the source."""
    name = source.dockerfile_name
    yield Entry(name, FILE, source.dockerfile, executable=bool(os.stat(source.dockerfile).st_mode & stat.S_IXUSR))
    if source.has_inside(source.dockerfile):
        if source.ignore_file:
            yield Entry(os.path.relpath(source.ignore_file, source.root), FILE, source.ignore_file)
        return
    rules = _read(source.ignore_file) if source.ignore_file else b""
    # Docker prefers this file, and the two files that are not the user's stay out of COPY.
    content = rules.rstrip(b"\n") + f"\n{name}\n{name}.dockerignore\n".encode()
    yield Entry(f"{name}.dockerignore", FILE, "", content=content)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise _unreadable(path, error) from error


def _content(entry: Entry) -> tuple[bytes, int]:
    """Digest and size of a file's content; empty for what has none."""
    if entry.kind != FILE:
        return b"", 0
    with _open(entry) as file:
        while file.read(_BLOCK):
            pass
        return file.digest, file.size


class _Counted:
    """A file that knows the digest and the size of what was read from it."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file, self._name = file, name
        self._digest, self.size = hashlib.sha256(), 0

    def read(self, size: int = -1, /) -> bytes:
        try:
            block = self._file.read(size)
        except OSError as error:
            raise _unreadable(self._name, error) from error
        self._digest.update(block)
        self.size += len(block)
        return block

    @property
    def digest(self) -> bytes:
        return self._digest.digest()


@contextmanager
def _open(entry: Entry) -> Iterator[_Counted]:
    if entry.content is not None:
        yield _Counted(io.BytesIO(entry.content), entry.name)
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open(entry.origin, "rb"))
        except OSError as error:
            raise _unreadable(entry.origin, error) from error
        yield _Counted(file, entry.origin)


@contextmanager
def _open_archive(output: IO[bytes] | None, compress: bool) -> Iterator[tarfile.TarFile | None]:
    if output is None:
        yield None
        return
    with ExitStack() as stack:
        # The fastest level: each run packs each source, and few build it.
        zipped = stack.enter_context(gzip.GzipFile("", "wb", 1, output, mtime=0)) if compress else None
        yield stack.enter_context(
            tarfile.open(
                fileobj=zipped or output,
                mode="w",
                format=tarfile.GNU_FORMAT,
                encoding=sys.getfilesystemencoding(),
                errors="surrogateescape",
            )
        )


def _add(archive: tarfile.TarFile, entry: Entry, content_digest: bytes, size: int) -> None:
    info = tarfile.TarInfo(entry.name)
    info.mode = 0o755 if entry.executable or entry.kind == DIRECTORY else 0o644
    # From the content, not constant: web servers make a file's ETag of its time and size, and a browser would
    # keep the old stylesheet when an edit leaves the size as it was.
    info.mtime = _EPOCH + (int.from_bytes(content_digest[:4], "big") >> 4)
    if entry.kind != FILE:
        info.type = tarfile.DIRTYPE if entry.kind == DIRECTORY else tarfile.SYMTYPE
        info.linkname = entry.target
        archive.addfile(info)
        return
    info.size = size
    with _open(entry) as file:
        try:
            archive.addfile(info, file)
        except OSError as error:
            raise _changed(entry) from error
        if file.digest != content_digest:
            raise _changed(entry)


def _changed(entry: Entry) -> ContextError:
    return ContextError(
        CONTEXT_CHANGED, f"{entry.origin} changed while it was read. Rerun while no program writes to it."
    )


def _feed(digest: hashlib._Hash, *fields: bytes) -> None:
    """Each field with its length before it: no two lists of fields look the same."""
    for field in fields:
        digest.update(len(field).to_bytes(8, "big"))
        digest.update(field)


def _unreadable(path: str, error: OSError) -> ContextError:
    return ContextError(UNREADABLE, f"Cannot read {path}: {error.strerror}.")

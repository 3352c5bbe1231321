# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the packed modules of a run for later runs.

Ansible packs each module with the files that it imports once a run, into ansiballz_cache in the run's own directory.
That takes longer than most modules run. A later run with the same files finds them there.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import stat
import sys
import tempfile
import typing as t
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from ansible import __version__
from ansible.plugins.loader import module_loader, module_utils_loader

# Below Ansible's home directory: one directory for each state of the files that modules are packed from.
STORE = "slipway/modules"
# How many of these directories are kept.
STATES = 8
CACHE = "ansiballz_cache"
# In the run's cache: a link to the directory of this state, or to nothing if the files have changed since.
STATE = ".state"
COMPILED = "__pycache__"
# Other modules may import files that are not compared.
COLLECTIONS = ("amazon.aws", "community.aws", "community.docker", "slipway.aws")
KEPT = ("ansible.modules.", *(f"ansible_collections.{name}.plugins.modules." for name in COLLECTIONS))


def begin(directory: str, home: str) -> None:
    """Give a run what earlier runs have packed from the same files. Without it, the run is slower."""
    cache, store = Path(directory, CACHE), Path(home, STORE)
    with contextlib.suppress(OSError):
        if not os.path.lexists(cache / STATE):
            restore(cache, store, fingerprint(sources()))


def add(directory: str) -> None:
    """Keep what the run has packed itself by now."""
    cache = Path(directory, CACHE)
    with contextlib.suppress(OSError):
        if new := list(unkept(cache)):
            keep(cache, new, fingerprint(sources()))


def restore(cache: Path, store: Path, state: str) -> None:
    """Link what earlier runs have packed from the same files."""
    store.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Ansible runs what it finds there.
    if not private(store):
        return
    kept = store / state
    if not kept.is_dir():
        kept.mkdir(mode=0o700, exist_ok=True)
        delete_oldest(store)
    os.utime(kept)
    cache.mkdir(mode=0o700, exist_ok=True)
    for name in os.listdir(kept):
        with contextlib.suppress(FileExistsError):
            if name.startswith(KEPT):
                (cache / name).symlink_to(kept / name)
    with contextlib.suppress(FileExistsError):
        (cache / STATE).symlink_to(kept)


def private(folder: Path) -> bool:
    """Whether it is a directory that only this user can use."""
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def delete_oldest(store: Path) -> None:
    """Delete the directories that have not been used for longest."""
    states = sorted(store.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for state in states[STATES:]:
        shutil.rmtree(state, ignore_errors=True)


def unkept(cache: Path) -> Iterator[Path]:
    """What this run has packed itself."""
    if not (cache / STATE).is_dir():
        return
    with os.scandir(cache) as found:
        for entry in found:
            packed = entry.name.startswith(KEPT) and not entry.name.endswith((".lock", "-part"))
            if packed and entry.is_file(follow_symlinks=False):
                yield cache / entry.name


def keep(cache: Path, new: Iterable[Path], state: str) -> None:
    """Move what this run has packed to the directory of its state, unless the files have changed meanwhile."""
    kept = Path(os.readlink(cache / STATE))
    if kept.name != state:
        replace(cache / STATE, partial(link, Path("changed")))
        return
    for packed in new:
        replace(kept / packed.name, partial(copy, packed))
        replace(packed, partial(link, kept / packed.name))


def replace(path: Path, write: t.Callable[[Path], None]) -> None:
    """Replace a file at once by another, as other workers read it."""
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=".new-"))
    try:
        write(folder / path.name)
        (folder / path.name).replace(path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def link(target: Path, path: Path) -> None:
    path.symlink_to(target)


def copy(source: Path, target: Path) -> None:
    """Copy a file, which is complete even after a power failure."""
    with source.open("rb") as reader, target.open("xb") as writer:
        shutil.copyfileobj(reader, writer)
        writer.flush()
        os.fsync(writer.fileno())


def sources() -> list[str]:
    """The folders of all files that the kept modules are packed from."""
    folders = [*module_loader._get_paths(subdirs=False), *module_utils_loader._get_paths(subdirs=False)]
    for name in COLLECTIONS:
        found = None
        # Its namespace may not be installed either.
        with contextlib.suppress(ImportError):
            found = importlib.util.find_spec(f"ansible_collections.{name}")
        for root in (found and found.submodule_search_locations) or ():
            folders += [os.path.join(root, part) for part in ("plugins/modules", "plugins/module_utils", "meta")]
    # Ansible lists what Python has compiled only in some processes.
    return sorted({folder for folder in folders if os.path.basename(folder) != COMPILED})


def fingerprint(folders: Iterable[str]) -> str:
    """A name for the state of all files in the folders, and of what packs them."""
    found = hashlib.sha256(repr((__version__, sys.version)).encode())
    for folder in folders:
        found.update(repr((folder, sorted(files(folder)))).encode())
    return found.hexdigest()


def files(folder: str) -> Iterator[tuple[str, int, int, int]]:
    """Path, inode, size and time of the last change of each file below a folder."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir():
            if entry.name != COMPILED:
                yield from files(entry.path)
        else:
            state = entry.stat()
            yield entry.path, state.st_ino, state.st_size, state.st_mtime_ns

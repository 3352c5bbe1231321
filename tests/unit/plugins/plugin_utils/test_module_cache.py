# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run finds what earlier runs have packed from the same files, and nothing else."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.slipway.aws.plugins.plugin_utils import module_cache

PING = "ansible.modules.ping-ZIP_DEFLATED-none"
RELEASE = "ansible_collections.slipway.aws.plugins.modules.ecs_release-ZIP_DEFLATED-none"
# What it imports is not compared.
OTHER = "ansible_collections.community.crypto.plugins.modules.openssl_csr-ZIP_DEFLATED-none"
OWN = "ansible.legacy.probe-ZIP_DEFLATED-none"


class Machine:
    """Runs of Ansible, as far as they pack modules. A module's content is that of its source."""

    def __init__(self, folder: Path) -> None:
        self.home, self.source = folder / "home", folder / "source"
        self.folder, self.runs = folder, 0
        self.source.mkdir()
        self.write("1")

    def write(self, content: str) -> None:
        (self.source / "module.py").write_text(content)

    def begin(self) -> Path:
        """The private directory of a new run, before its first module is packed."""
        self.runs += 1
        directory = self.folder / f"run-{self.runs}"
        directory.mkdir(mode=0o700)
        module_cache.begin(str(directory), str(self.home))
        return directory

    def pack(self, directory: Path, *names: str) -> list[str]:
        """As Ansible does: pack what is not there, and run it. Returns what the run uses."""
        cache = directory / module_cache.CACHE
        cache.mkdir(exist_ok=True)
        for name in names:
            if not (cache / name).exists():
                (cache / f"{name}-part").write_text((self.source / "module.py").read_text())
                (cache / f"{name}-part").rename(cache / name)
                (cache / f"{name}.lock").touch()
        module_cache.add(str(directory))
        return [(cache / name).read_text() for name in names]

    def found(self, directory: Path) -> set[str]:
        """What a run has from earlier ones."""
        cache = directory / module_cache.CACHE
        return {path.name for path in cache.glob("[!.]*") if path.exists()} if cache.exists() else set()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(module_cache, "sources", lambda: [str(made.source)])
    return made


def run(machine: Machine, *names: str) -> None:
    machine.pack(machine.begin(), *names)


def test_a_run_finds_what_an_earlier_one_packed(machine: Machine) -> None:
    run(machine, PING, RELEASE)
    assert machine.found(machine.begin()) == {PING, RELEASE}


def test_only_modules_whose_files_are_all_compared_are_kept(machine: Machine) -> None:
    run(machine, PING, OTHER, OWN)
    assert machine.found(machine.begin()) == {PING}


@pytest.mark.parametrize("change", ["edited", "replaced by an older one", "added", "deleted"])
def test_a_run_after_a_change_of_a_file_packs_again(machine: Machine, change: str) -> None:
    (machine.source / "deep").mkdir()
    (machine.source / "deep/utility.py").touch()
    run(machine, PING)
    if change == "edited":
        machine.write("2")
    elif change == "replaced by an older one":
        (machine.folder / "older.py").write_text("0")
        os.utime(machine.folder / "older.py", (1, 1))
        (machine.folder / "older.py").rename(machine.source / "module.py")
    elif change == "added":
        (machine.source / "deep/new.py").touch()
    else:
        (machine.source / "deep/utility.py").unlink()
    assert machine.found(machine.begin()) == set()


def test_what_a_run_packs_from_files_that_changed_meanwhile_is_not_kept(machine: Machine) -> None:
    directory = machine.begin()
    machine.write("2")
    machine.pack(directory, PING)
    machine.pack(directory, RELEASE)
    assert machine.found(machine.begin()) == set()
    assert machine.pack(directory, PING) == ["2"], "the run itself still has it"


def test_what_is_half_written_is_not_kept(machine: Machine) -> None:
    directory = machine.begin()
    (directory / module_cache.CACHE / f"{PING}-part").write_text("hal")
    machine.pack(directory, RELEASE)
    assert machine.found(machine.begin()) == {RELEASE}


def test_a_run_goes_on_when_what_it_found_is_deleted(machine: Machine) -> None:
    run(machine, PING)
    directory = machine.begin()
    for path in (machine.home / module_cache.STORE).rglob(PING):
        path.unlink()
    assert machine.pack(directory, PING) == ["1"]


def test_the_directories_that_were_used_last_are_kept(machine: Machine) -> None:
    for number in range(module_cache.STATES + 3):
        machine.write(str(number) * (number + 1))
        run(machine, PING)
    assert len(list((machine.home / module_cache.STORE).iterdir())) == module_cache.STATES
    assert machine.found(machine.begin()) == {PING}


@pytest.mark.parametrize("unsafe", ["readable by others", "a link", "a file"])
def test_nothing_is_taken_from_a_directory_that_others_may_write(machine: Machine, unsafe: str) -> None:
    store = machine.home / module_cache.STORE
    run(machine, PING)
    if unsafe == "readable by others":
        store.chmod(0o755)
    else:
        store.rename(machine.folder / "elsewhere")
        if unsafe == "a link":
            store.symlink_to(machine.folder / "elsewhere")
        else:
            store.touch()
    assert machine.found(machine.begin()) == set()


def test_all_is_private(machine: Machine) -> None:
    run(machine, PING)
    store = machine.home / module_cache.STORE
    assert {path.stat().st_mode & 0o077 for path in (store, *store.iterdir())} == {0}


def test_a_disk_that_is_full_only_costs_time(machine: Machine) -> None:
    def full(*_args: t.Any) -> None:
        raise OSError(28, "No space left on device")

    directory = machine.begin()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module_cache, "copy", full)
        assert machine.pack(directory, PING) == ["1"]
        assert machine.found(machine.begin()) == set()


def test_the_files_of_this_collection_and_of_those_it_requires_are_compared() -> None:
    compared = {path for folder in module_cache.sources() for path, *_state in module_cache.files(folder)}
    for name in (
        "ansible/modules/ping.py",
        "ansible/module_utils/basic.py",
        "slipway/aws/plugins/modules/ecs_release.py",
        "slipway/aws/plugins/module_utils/_ecs/release/flow.py",
        "slipway/aws/meta/runtime.yml",
        "amazon/aws/plugins/module_utils/modules.py",
    ):
        assert any(path.endswith(f"/{name}") for path in compared), name


def test_a_collection_that_is_not_installed_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_cache, "COLLECTIONS", ("nobody.nothing", "slipway.aws"))
    assert any(folder.endswith("slipway/aws/plugins/modules") for folder in module_cache.sources())

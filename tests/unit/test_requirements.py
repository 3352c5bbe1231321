"""What is installed is locked: every package by version and by hash, for each supported Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
NAMED = ["requirements.in", "requirements-test.in", "benchmarks/requirements.in", "docs/docsite/requirements.in"]


def named(path: str) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / path).read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def locked(path: str) -> dict[Requirement, list[str]]:
    """Each locked package with its hashes."""
    text = (ROOT / path).with_suffix(".txt").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {Requirement(line.partition(" --hash=")[0]): re.findall(r"--hash=(\S+)", line) for line in lines}


@pytest.mark.parametrize("path", NAMED)
def test_what_is_named_is_locked_in_that_version(path: str) -> None:
    versions = {(one.name.lower().replace("_", "-"), str(one.specifier)) for one in locked(path)}
    missing = {(one.name.lower().replace("_", "-"), str(one.specifier)) for one in named(path)} - versions
    assert not missing, "Run make lock."


@pytest.mark.parametrize("path", NAMED)
def test_each_package_is_locked_by_version_and_hash(path: str) -> None:
    assert [
        str(one) for one, hashes in locked(path).items() if not re.match(r"==[^*]+$", str(one.specifier)) or not hashes
    ] == []
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", found) for hashes in locked(path).values() for found in hashes)


@pytest.mark.parametrize("path", NAMED[1:])
def test_no_tool_needs_another_version_than_slipway(path: str) -> None:
    ours = {(one.name, str(one.specifier)) for one in locked("requirements.in")}
    names = {name for name, _version in ours}
    assert {(one.name, str(one.specifier)) for one in locked(path) if one.name in names} <= ours


def test_both_ends_of_ansible_are_locked() -> None:
    for core, python in (("2.19", "3.11"), ("2.21", "3.13")):
        chosen = [
            str(one.specifier)
            for one in locked("requirements.in")
            if one.name == "ansible-core"
            and (one.marker is None or one.marker.evaluate({"python_full_version": f"{python}.0"}))
        ]
        assert [version.startswith(f"=={core}.") for version in chosen] == [True]

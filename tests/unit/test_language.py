"""What people read uses the field's terms: no word or phrase that a native speaker would stumble over."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]

# What is not said, as regular expressions, and what is said instead.
BANNED = {
    r"anew|made again|makes? again": "create again, re-create",
    r"as (?:it|they|one) should be|what (?:it|they) should be": "valid, in the desired state",
    r"as asked|asked for|(?:is|are|was|were) asked": "requested, desired, configured",
    r"as described": "converge; the desired state",
    r"at hand": "available",
    r"beside (?:it|each other|others)": "next to it, in parallel",
    r"besides": "in addition, also",
    r"(?:brings?|brought|goes|go|went|gone|takes?|took|taken) (?:\w+ ){0,2}back": "roll back",
    r"ends? badly": "fail",
    r"for want of": "because of missing",
    r"foretells?|foretold": "predict, check mode",
    r"(?:g[ai]ve[sn]?|giving) (?:\w+ )?up": "time out, fail",
    r"glances?": "read",
    r"goals?": "desired state, steady state, stable",
    r"goes on|go on|going on|went on": "continue, resume, in progress",
    r"gone|goes away|went away": "deleted, missing",
    r"half-?way": "interrupted, incomplete",
    r"(?:is|are|was|were|be|been) made(?! of)|(?:has|have) made": "created, built",
    r"(?:is|are|was|were|be|not|what) right": "valid; expected X, got Y",
    r"(?:is|are|was|were) (?:not )?there": "exist, missing",
    r"look(?:s|ed|ing)? at": "read, inspect",
    r"mended": "corrected",
    r"no real account": "not tested on real AWS",
    r"on (?:its|their|the) way": "in progress",
    r"once more": "again; rerun",
    r"seams?": "patch",
    r"sights?": "snapshot",
    r"small mistakes": "mutation tests",
    r"somebody": "someone",
    r"stays? behind|stayed behind": "be left",
    r"surroundings": "dependencies, prerequisites",
    r"taken? down|takes? down": "delete, destroy",
    r"told|tell(?:s|ing)?(?! apart| you)": "say, report, list, print",
    r"that (?:is|are) no(?! longer| more)": "not a, without",
    r"the least is": "minimum version",
    r"time (?:to wait )?is over": "timed out",
    r"who has it": "requires",
    r"who may only": "read-only",
    r"wish(?:es|ed)?": "desired state, want",
}
PATTERNS = {re.compile(rf"\b(?:{banned})\b", re.IGNORECASE): better for banned, better in BANNED.items()}
# One search finds out that a text has none.
ANY = re.compile(rf"\b(?:{'|'.join(BANNED)})\b", re.IGNORECASE)

# Parts of the names of files, and of names in code.
BANNED_NAMES = {"foretold", "glance", "gone", "seam", "seams", "sight", "surroundings", "told", "unwanted", "wish"}

PROSE = ("*.md", "*.rst", "*.md.j2")
PLAYS = (
    "site.yml",
    "playbooks/*.yml",
    "roles/*/tasks/*.yml",
    "roles/*/handlers/*.yml",
    "molecule/*.yml",
    "tests/integration/targets/*.yml",
)
SETTINGS = ("roles/*/defaults/*.yml", "inventory/*.yml", "playbooks/*.yml", "site.yml")
STRINGS = ("changelogs/fragments/*.yml", "roles/*/meta/*.yml", "galaxy.yml", "meta/*.yml")
SOURCES = ("plugins/*.py", "roles/*/files/*.py", "docs/*.py")
READ = (*PROSE, *PLAYS, *SETTINGS, *STRINGS, *SOURCES, "Makefile")
# The members of a task or play that people read.
SHOWN = {"name", "fail_msg", "success_msg", "msg", "prompt", "label"}


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


@functools.cache
def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text())


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def texts(name: str) -> Iterator[str]:
    """What people read of a file."""
    content = (ROOT / name).read_text()
    if matches(name, PROSE):
        yield re.sub(r"`[^`]*`|\bhttps?:\S+", "", re.sub(r"(?ms)^```.*?^```", "", content))
    if matches(name, PLAYS):
        yield from shown(yaml.load(content, yaml.CSafeLoader))
    if matches(name, SETTINGS):
        yield "\n".join(line.partition("#")[2] for line in content.splitlines() if line.lstrip().startswith("#"))
    if matches(name, STRINGS):
        yield from strings(yaml.load(content, yaml.CSafeLoader))
    if matches(name, SOURCES):
        yield from messages(tree_of(name))
    if name == "Makefile":
        yield from (line for line in content.splitlines() if "## " in line or "echo" in line)


def strings(value: Any) -> Iterator[str]:
    """All text in data."""
    if isinstance(value, dict):
        value = value.values()
    if isinstance(value, str):
        yield value
    elif not isinstance(value, int | float | bool | None):
        for member in value:
            yield from strings(member)


def shown(value: Any) -> Iterator[str]:
    """What tasks and plays show."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from strings(member) if key in SHOWN else shown(member)
    elif isinstance(value, list):
        for member in value:
            yield from shown(member)


def messages(tree: ast.Module) -> Iterator[str]:
    """The texts in Python: documentation, messages; no docstrings, which only developers read."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and " " in node.value
            and id(node) not in docstrings
        ):
            yield re.sub(r"C\([^)]*\)|``[^`]*``", "", node.value)


def banned(text: str) -> list[str]:
    """The banned phrases in a text, each with what to say instead."""
    plain = " ".join(text.split())
    if not ANY.search(plain):
        return []
    return [f"{found[0]} (say: {better})" for pattern, better in PATTERNS.items() for found in pattern.finditer(plain)]


@pytest.mark.parametrize("name", [name for name in tracked() if matches(name, READ)])
def test_what_people_read_has_no_banned_phrase(name: str) -> None:
    assert [phrase for text in texts(name) for phrase in banned(text)] == []


def words(name: str) -> set[str]:
    """The parts of a path or of a name in code."""
    return set(re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))


def test_no_file_has_a_banned_name() -> None:
    assert [name for name in tracked() if BANNED_NAMES & words(name)] == []


@pytest.mark.parametrize("name", [name for name in tracked() if matches(name, SOURCES)])
def test_no_code_has_a_banned_name(name: str) -> None:
    tree = tree_of(name)
    named = {
        *(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)),
        *(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)),
        *(node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)),
        *(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)),
    }
    assert {one for one in named if BANNED_NAMES & words(one)} == set()

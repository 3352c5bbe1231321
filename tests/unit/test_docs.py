"""What is generated is up to date, and the generator reads Ansible's markup."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))

import role_readmes  # noqa: E402  # docs/ is no package


@pytest.mark.parametrize("role", sorted(path.name for path in (ROOT / "roles").iterdir()))
def test_readme_is_as_the_argument_specs_say(role: str) -> None:
    folder = ROOT / "roles" / role
    written = (folder / "README.md").read_text() if (folder / "README.md").exists() else ""
    assert written == role_readmes.readme(folder), "run `make docs`"


@pytest.mark.parametrize(
    ("ansible", "markdown"),
    [
        ("C(docker) or V(started)", "`docker` or `started`"),
        (r"V(name=f\(x\))", "`name=f(x)`"),
        ("see L(the guide, https://example.com/guide)", "see [the guide](https://example.com/guide)"),
        ("B(never)", "*never*"),
        ("two\n  lines", "two lines"),
    ],
)
def test_markup(ansible: str, markdown: str) -> None:
    assert role_readmes.markdown(ansible) == markdown

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.module_utils._docker import dockerignore
from ansible_collections.slipway.aws.plugins.module_utils._docker.linear import LinearPattern


def ignored(text: str, path: str) -> bool:
    """Whether the path, or a directory above it, is ignored when a walk gets there."""
    ignore = dockerignore.parse(text)
    verdict, matches = False, ()
    parts = path.split("/")
    for depth in range(1, len(parts) + 1):
        verdict, matches = ignore.judge("/".join(parts[:depth]), matches)
    return verdict


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("", "a", False),
        ("a", "a", True),
        ("a", "b/a", False),
        ("a", "a/b/c", True),
        ("/a", "a", True),
        ("a/", "a", True),
        ("./a/../b", "b", True),
        ("../a", "a", False),
        ("*", "a/b", True),
        ("*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("*/*.md", "docs/README.md", True),
        ("**/*.md", "README.md", True),
        ("**/*.md", "a/b/README.md", True),
        ("**/cache", "cache", True),
        ("**/cache", "a/b/cache/c", True),
        ("**/cache", "a/xcache", False),
        ("**", "a/b", True),
        ("a/**", "a/b", True),
        ("a/**", "a", False),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("[ab]c", "ac", True),
        ("[^ab]c", "ac", False),
        ("[^ab]c", "cc", True),
        ("[!a]c", "!c", True),
        (r"\*", "*", True),
        (r"\*", "a", False),
        ("a+b(c)|{d}$", "a+b(c)|{d}$", True),
        ("a.c*", "abc", False),
        # Case counts.
        ("readme", "README", False),
        # Comments, blank lines, spaces, a byte order mark, Windows' line ends.
        ("# a\n\n  b  \n", "a", False),
        ("# a\n\n  b  \n", "b", True),
        ("\ufeffa", "a", True),
        ("a\r\nb\r\n", "a", True),
        # The last rule that matches decides.
        ("*\n!a", "a", False),
        ("!a\n*", "a", True),
        ("*.md\n!README*.md\nREADME-secret.md", "README.md", False),
        ("*.md\n!README*.md\nREADME-secret.md", "README-secret.md", True),
        ("a\n!a/keep", "a/keep", False),
        ("a\n!a/keep", "a/other", True),
        ("*\n!src\nsrc/tmp", "src/x", False),
        ("*\n!src\nsrc/tmp", "src/tmp/x", True),
        ("**/modules\n!a/modules/keep", "a/modules/x/y", True),
        ("*\n!**/*.md", "a/b.md", False),
        ("! a\n", "a", False),
    ],
)
def test_dockers_rules(text: str, path: str, expected: bool) -> None:
    assert ignored(text, path) is expected


@pytest.mark.parametrize("text", ["!", "[a", "a[z-a]"])
def test_a_line_that_docker_refuses_is_named(text: str) -> None:
    with pytest.raises(dockerignore.InvalidPattern) as error:
        dockerignore.parse(f"fine\n{text}\n")
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("exception", "directory", "expected"),
    [("!a/b", "a", True), ("!a/b", "c", False), ("!ab", "a", False), ("!a/*", "a", True), ("!*/x", "c", True)],
)
def test_an_ignored_directory_is_entered_only_for_what_an_exception_may_keep(
    exception: str, directory: str, expected: bool
) -> None:
    assert dockerignore.parse(f"*\n{exception}").keeps_below(directory) is expected


names = st.text("abc.", min_size=1, max_size=3).filter(lambda name: name not in {".", ".."})
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@given(paths, st.text("abc.*?/!", max_size=8).filter(lambda text: text.strip().strip("!").strip("/")))
@example("b", "a/**")
def test_an_exception_at_the_end_includes_what_the_pattern_excluded(path: str, pattern: str) -> None:
    pattern = pattern.lstrip("!")
    assert not ignored(f"{pattern}\n!{pattern}", path)


@given(paths)
def test_a_path_named_in_full_is_ignored_and_nothing_else(path: str) -> None:
    assert ignored(path, path)
    assert not ignored(path, f"{path}x")


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 30 + "b", "a" * 250),
        ("**/" * 20 + "b", "a/" * 500 + "a"),
        ("**/*a*a*a*a*a*a*b", "/".join(["a" * 200] * 10)),
        ("a/**/" * 12 + "b", "a/" * 600),
        ("[ab]*[ab]*[ab]*[ab]*[ab]*[ab]*c", "ab" * 120),
        ("?*" * 20 + "b", "a" * 200),
    ],
)
def test_no_pattern_takes_long(pattern: str, path: str) -> None:
    start = time.process_time()
    assert not dockerignore.parse(pattern).judge(path)[0]
    assert time.process_time() - start < 2


@given(
    st.lists(st.sampled_from(["a", "b", ".", "/", "*", "**", "**/", "?", "[ab]", "[^a]", r"\*"]), max_size=7),
    st.text("ab/.*\n", max_size=9),
)
@example(["**/", "*", "a", "*"], "b/xa")
@example(["a", "**/", "b"], "ab")
@example(["a", "**/", "**/", "b"], "a/\nb")
def test_both_ways_to_match_agree(parts: list[str], path: str) -> None:
    _kind, expression = dockerignore._translate("".join(parts))
    assert LinearPattern(expression).search(path) == bool(re.search(expression, path))

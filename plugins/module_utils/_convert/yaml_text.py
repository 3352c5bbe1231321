# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML as other tools read it: 1.10 stays 1.10 where they want text, and no name or date is a value of Python. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Collection

_TEXT = "tag:yaml.org,2002:str"
_UNTOUCHED = ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")
_DATE = "tag:yaml.org,2002:timestamp"


def loaded(text: str, maps: Collection[str] = (), members: Collection[str] = ()) -> t.Any:
    """A document. All values of `maps`, and `members` of any dictionary, are text."""
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        _mark(node, maps, members, set())
        return loader.construct_document(node) if node else None
    finally:
        loader.dispose()


def _mark(node: t.Any, maps: Collection[str], members: Collection[str], seen: set[int]) -> None:
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node.value, str):
        node.tag = _TEXT if node.tag == _DATE else node.tag
        return
    for item in node.value:
        name, value = item if isinstance(item, tuple) else (None, item)
        if name is not None:
            _as_text(name)
            inner = [pair[1] for pair in value.value if isinstance(pair, tuple)] if name.value in maps else []
            for one in [*inner, *([value] if name.value in members else [])]:
                _as_text(one)
        _mark(value, maps, members, seen)


def _as_text(node: t.Any) -> None:
    if isinstance(node.value, str) and node.tag not in _UNTOUCHED:
        node.tag = _TEXT

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the tasks with modules of community.aws in a playbook or a file of tasks. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

from . import text as yaml_text
from .options import ALIASES, MODULES
from .text import Node, Pair

_COLLECTION = "community.aws."
_LISTS = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")


class Task(t.NamedTuple):
    """A task, the pair of its module and options, and the module without the collection's name."""

    node: Node
    pair: Pair
    module: str

    @property
    def name(self) -> str:
        found = yaml_text.member(self.node, "name")
        return yaml_text.scalar(found[1]) if found else self.module

    @property
    def registered(self) -> str:
        found = yaml_text.member(self.node, "register")
        return yaml_text.scalar(found[1]) if found else ""


def tasks(document: Node) -> Iterator[Task]:
    """All tasks with such a module, in order."""
    for item in yaml_text.items(document):
        lists = [pair[1] for pair in yaml_text.pairs(item) if yaml_text.scalar(pair[0]) in _LISTS]
        if lists:
            for one in lists:
                yield from tasks(one)
        else:
            yield from _task(item)


def _task(node: Node) -> Iterator[Task]:
    for pair in yaml_text.pairs(node):
        module = module_of(yaml_text.scalar(pair[0]))
        if module:
            yield Task(node, pair, module)


def module_of(name: str) -> str:
    """The module of community.aws that a task names, with or without its collection; empty for another one."""
    plain = name.removeprefix(_COLLECTION)
    plain = ALIASES.get(plain, plain)
    return plain if plain in MODULES and "." not in plain else ""


def defaults(document: Node) -> Iterator[Node]:
    """All module_defaults: of plays, blocks and tasks."""
    for pair in yaml_text.pairs(document):
        if yaml_text.scalar(pair[0]) == "module_defaults":
            yield pair[1]
        else:
            yield from defaults(pair[1])
    for item in yaml_text.items(document):
        yield from defaults(item)

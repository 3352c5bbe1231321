# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the tasks with modules of community.aws in a playbook or a file of tasks. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator, Mapping

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


def named_by_action(node: Node) -> Iterator[str]:
    """The modules of community.aws that tasks have in `action` or `local_action`."""
    for key, value in yaml_text.pairs(node):
        if yaml_text.scalar(key) in ("action", "local_action"):
            named = yaml_text.member(value, "module")
            words = yaml_text.scalar(named[1] if named else value).split()
            yield from (word for word in words[:1] if module_of(word))
        yield from named_by_action(value)
    for item in yaml_text.items(node):
        yield from named_by_action(item)


def others(node: Node) -> Iterator[str]:
    """The modules for ECS of community.aws that have no counterpart."""
    for key, value in yaml_text.pairs(node):
        name = yaml_text.scalar(key)
        if name.startswith(f"{_COLLECTION}ecs_") and not module_of(name):
            yield name
        yield from others(value)
    for item in yaml_text.items(node):
        yield from others(item)


class Loop(t.NamedTuple):
    """A task, by where it starts and ends, whose loop goes over the results of another loop."""

    start: int
    end: int
    # The variable of its elements, and the module that they are from.
    variable: str
    module: str


def loops_over(node: Node, results: Mapping[str, str]) -> Iterator[Loop]:
    """The loops over registered results of modules of community.aws."""
    names = {yaml_text.scalar(key): value for key, value in yaml_text.pairs(node)}
    for name, value in names.items():
        if name == "loop" or name.startswith("with_"):
            text = " ".join(yaml_text.scalar(one) for one in yaml_text.scalars(value))
            control = yaml_text.member(names["loop_control"], "loop_var") if "loop_control" in names else None
            variable = yaml_text.scalar(control[1]) if control else "item"
            for result in re.findall(r"(\w+)\.results\b", text):
                if result in results:
                    yield Loop(node.start_mark.index, node.end_mark.index, variable, results[result])
    for one in [*names.values(), *yaml_text.items(node)]:
        yield from loops_over(one, results)


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

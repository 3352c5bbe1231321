# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A playbook or a file of tasks with our modules in place of those of community.aws. Pure."""

from __future__ import annotations

import shlex
import typing as t
from collections.abc import Iterator, Mapping

from ..notes import Notes
from . import text as yaml_text
from . import values
from .options import CONNECTION, MODULES, Option
from .results import rewritten
from .tasks import Task, defaults, loops_over, module_of, named_by_action, others, tasks
from .text import Edit, Node, Pair

_OURS = "slipway.aws."
_GROUPS = ("group/aws", "group/amazon.aws.aws", "group/community.aws.aws")


class Converted(t.NamedTuple):
    """The text, and how many tasks have another module."""

    text: str
    tasks: int


def registered(text: str) -> dict[str, str]:
    """The variables that hold results of community.aws, and the module of each."""
    return {
        task.registered: task.module for task in tasks(_composed(text)) if task.registered and _reason(task) is None
    }


def convert(text: str, results: Mapping[str, str], place: str, notes: Notes) -> Converted:
    """The text of a file; `results` are those of all files."""
    text = yaml_text.applied(text, list(_renames(text, _composed(text), results, place, notes)))
    document = _composed(text)
    edits: list[Edit] = []
    count = 0
    for task in tasks(document):
        where = f"{place}: {task.name}"
        reason = _reason(task)
        if reason:
            notes.add(where, reason, "The task is unchanged.")
            continue
        edits += _task(text, task, where, notes)
        _differs(task, where, notes)
        count += 1
    for name in named_by_action(document):
        notes.add(
            f"{place}: {name}", "action and local_action name the module.", f"Write {name} as the key of the task."
        )
    for other in others(document):
        notes.add(f"{place}: {other}", "slipway.aws has no module for this.", "The task is unchanged.")
    for node in defaults(document):
        edits += _defaults(text, node, place, notes)
    return Converted(yaml_text.applied(text, edits), count)


def _renames(text: str, document: Node, results: Mapping[str, str], place: str, notes: Notes) -> Iterator[Edit]:
    """The edits of all that names members of results."""
    flow = set(yaml_text.in_flow(document))
    loops = list(loops_over(document, results))
    for node in yaml_text.scalars(document):
        start, end = node.start_mark.index, node.end_mark.index
        new = rewritten(text[start:end], results, place, notes)
        for loop in loops:
            if loop.start <= start < loop.end:
                # Elements have members of others, too.
                new = rewritten(new, {loop.variable: loop.module}, place, Notes())
        if new != text[start:end]:
            yield Edit(start, end, yaml_text.written_scalar(node, new, start in flow))


def _composed(text: str) -> Node:
    import yaml

    return yaml.compose(text, Loader=yaml.SafeLoader)


def _reason(task: Task) -> str | None:
    """Why a task has no counterpart; None if it has one."""
    options = task.pair[1]
    if task.module == "ecs_task":
        operation = _value(options, "operation")
        if operation != "run":
            return f"slipway.aws has no module for the operation {operation or 'of this task'}."
    if task.module == "ecs_tag":
        if _value(options, "resource_type") not in ("", "cluster"):
            return "slipway.aws sets the tags of services and task definitions with their own modules."
        if _value(options, "state") == "absent":
            return "slipway.aws removes tags that are not listed: list the tags to keep, without state."
    return None


def _differs(task: Task, where: str, notes: Notes) -> None:
    """Notes what a task does otherwise although its options are the same."""
    options = task.pair[1]
    if task.module in ("ecs_service", "ecs_task") and not yaml_text.member(options, "wait"):
        notes.add(
            where,
            "By default, it now waits until the service is stable or the task has stopped.",
            "wait: false restores the old behavior.",
        )
    if task.module == "ecs_service_info" and task.registered and _value(options, "details").lower() not in _TRUE:
        notes.add(where, "It returns full services instead of ARNs.", "Use the member service_arn.")


_TRUE = ("true", "yes", "on")


def _value(options: Node, name: str) -> str:
    found = yaml_text.member(options, name)
    return yaml_text.scalar(found[1]) if found else ""


def _task(text: str, task: Task, where: str, notes: Notes) -> Iterator[Edit]:
    key, options = task.pair
    place = values.Place(text, where, notes)
    if _value(options, "state") == "has_instances":
        yield from _has_instances(text, task, where, notes)
        return
    yield yaml_text.renamed(key, _OURS + MODULES[task.module].name)
    if yaml_text.is_template(options) and "=" not in yaml_text.scalar(options).partition("{{")[0]:
        notes.add(where, "Its options are a template.", "Change their names where they are defined.")
    elif yaml_text.kind(options) == "scalar" and yaml_text.scalar(options).strip():
        yield _free_form(text, task, where, notes)
    else:
        yield from _options(place, options, task.module)
        yield from _waits(task, text)
        yield from _purges(task, text)
    arguments = yaml_text.member(task.node, "args")
    if arguments:
        yield from _options(place, arguments[1], task.module)


def _options(place: values.Place, options: Node, module: str) -> Iterator[Edit]:
    if getattr(options, "flow_style", False):
        yield from _flow_options(place, options, module)
        return
    for pair in yaml_text.pairs(options):
        yield from _member(place, pair, module)


def _member(place: values.Place, pair: Pair, module: str) -> Iterator[Edit]:
    name = yaml_text.scalar(pair[0])
    option = MODULES[module].options.get(name)
    if name == "<<":
        place.note(name, "It merges options that stand elsewhere.", "Compare their names where they are defined.")
        return
    if option is None:
        if name not in CONNECTION:
            place.note(name, f"It is not a documented option of community.aws {module}.", "Check whether it is needed.")
        return
    if not option.to:
        _dropped(place, name, pair[1], option)
    if values.is_left_out(pair, option):
        yield yaml_text.removed(place.source, pair)
    else:
        yield from values.edits(place, pair, option)


def _dropped(place: values.Place, name: str, value: Node, option: Option) -> None:
    """Notes an option that is left out, unless its value means nothing."""
    if option.change != "wait" and yaml_text.scalar(value).lower() not in option.silent:
        place.note(name, f"The option was removed. {option.reason}", option.advice)


def _flow_options(place: values.Place, options: Node, module: str) -> Iterator[Edit]:
    """Rewrites options that share a line, because their commas change with them."""
    parts: list[str] = []
    for pair in yaml_text.pairs(options):
        start, end = pair[0].start_mark.index, yaml_text.end_of(place.source, pair[1])
        option = MODULES[module].options.get(yaml_text.scalar(pair[0]))
        edits = list(_member(place, pair, module))
        if option is None or (option.to and not values.is_left_out(pair, option)):
            parts.append(yaml_text.applied(place.source, edits, start, end))
    yield yaml_text.replaced(place.source, options, "{" + ", ".join(parts) + "}")


def _free_form(text: str, task: Task, where: str, notes: Notes) -> Edit:
    """Options as one text of name=value: they become a block."""
    options = task.pair[1]
    margin = task.pair[0].start_mark.column + 2
    pairs = (word.partition("=") for word in shlex.split(yaml_text.scalar(options)))
    block = "".join(f"{' ' * margin}{name}: {_scalar(value)}\n" for name, _equals, value in pairs)
    node = _composed(block)
    edits = list(_options(values.Place(block, where, notes), node, task.module))
    changed = yaml_text.applied(block, edits).rstrip("\n")
    start = task.pair[0].end_mark.index
    return Edit(start + 1, yaml_text.end_of(text, options), f"\n{changed}")


def _scalar(value: str) -> str:
    return yaml_text.dumped(value, 0) if not value or "{{" in value or ":" in value or "#" in value else value


def _waits(task: Task, text: str) -> Iterator[Edit]:
    """delay and repeat of a deletion become wait_timeout, where both are numbers."""
    options = task.pair[1]
    if task.module != "ecs_service" or getattr(options, "flow_style", False):
        return
    delay, repeat = _value(options, "delay"), _value(options, "repeat")
    if _value(options, "state") in ("deleting", "absent") and (delay + repeat).isdigit() and (delay or repeat):
        seconds = int(delay or 10) * int(repeat or 10)
        state = yaml_text.member(options, "state")
        if state:
            yield _after(text, state, f"wait_timeout: {seconds}")


def _purges(task: Task, text: str) -> Iterator[Edit]:
    """ecs_tag keeps other tags, where ecs_cluster removes them."""
    if task.module == "ecs_tag" and not yaml_text.member(task.pair[1], "purge_tags"):
        name = yaml_text.member(task.pair[1], "cluster_name")
        if name and not getattr(task.pair[1], "flow_style", False):
            yield _after(text, name, "purge_tags: false")


def _after(text: str, pair: Pair, line: str) -> Edit:
    """A line after a member of a block."""
    end = text.find("\n", yaml_text.end_of(text, pair[1]))
    position = len(text) if end < 0 else end + 1
    return Edit(position, position, f"{' ' * pair[0].start_mark.column}{line}\n")


def _has_instances(text: str, task: Task, where: str, notes: Notes) -> Iterator[Edit]:
    """Waiting for instances becomes reading the cluster until it has some."""
    key, options = task.pair
    margin = " " * key.start_mark.column
    name = yaml_text.member(options, "name")
    written = text[name[1].start_mark.index : yaml_text.end_of(text, name[1])] if name else "default"
    variable = task.registered or "cluster_info"
    lines = [
        f"{_OURS}ecs_cluster_info:",
        f"{margin}  names: [{written}]",
        *([] if task.registered else [f"{margin}register: {variable}"]),
        f"{margin}until: ({variable}.clusters | first).registered_container_instances_count > 0",
        f"{margin}retries: {_value(options, 'repeat') or 10}",
        f"{margin}delay: {_value(options, 'delay') or 10}",
    ]
    notes.add(where, "It polls the cluster until it has instances.", f"Its result is {variable}.clusters.")
    yield Edit(key.start_mark.index, yaml_text.end_of(text, options), "\n".join(lines))


def _defaults(text: str, node: Node, place: str, notes: Notes) -> Iterator[Edit]:
    """Defaults of modules; groups of AWS apply to ours, too, under the name of our group."""
    names = {yaml_text.scalar(pair[0]) for pair in yaml_text.pairs(node)}
    for pair in yaml_text.pairs(node):
        name = yaml_text.scalar(pair[0])
        module = module_of(name)
        if module:
            where = values.Place(text, f"{place}: module_defaults.{name}", notes)
            yield yaml_text.renamed(pair[0], _OURS + MODULES[module].name)
            yield from _options(where, pair[1], module)
        elif name in _GROUPS and f"group/{_OURS}aws" not in names and not getattr(node, "flow_style", False):
            names.add(f"group/{_OURS}aws")
            end = yaml_text.end_of_pair(text, pair)
            copy = f"group/{_OURS}aws{yaml_text.written(text, pair)}"
            yield Edit(end, end, f"\n{' ' * pair[0].start_mark.column}{copy}")

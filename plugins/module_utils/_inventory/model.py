# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of an inventory, from a description of the project. Pure.

A description ("site") has a `name`, `variables` by file, `services` as `ecs_app_services` takes them, `comments` by
file, and `notes`: what the inventory does not have, each with `place`, `reason` and `advice`.
"""

from __future__ import annotations

import json
import re
import typing as t

from .._core.templates import TEMPLATE, unescaped, unescaped_name

# A longer task definition is a JSON file of its own.
_YAML_LINES = 60
_WIDTH = 118
# Names of files have 255 characters at most, on some file systems 143.
_LONGEST_SLUG = 100
_LINE_ENDS = re.compile(r"[\r\x85\u2028\u2029]")
_MARKS = re.compile(r"\{[{%#]")

HOSTS = "hosts.yml"
_HOSTS = """\
---
all:
  hosts:
    localhost:
      # Modules run in forks of one process; `local` starts a Python for each.
      ansible_connection: slipway.aws.forkserver
      ansible_python_interpreter: "{{ ansible_playbook_python }}"
  children:
    # The role docker_instance adds the instance.
    docker_hosts: {}
"""
_READ_JSON = (
    "{{ lookup('ansible.builtin.file', hostvars.localhost.inventory_dir ~ '/group_vars/task_definitions/%s.json')"
    " | from_json }}"
)


class _Unsafe(str):
    """Text that Ansible must not template."""


class _Template(str):
    """Text that Ansible templates."""


def files(site: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Path below the inventory's directory → content."""
    comments = site.get("comments") or {}
    written = {HOSTS: _HOSTS}
    for name, variables in (site.get("variables") or {}).items():
        if variables:
            written[f"group_vars/all/{name}.yml"] = _document(variables, comments.get(name, ""))
    slugs = slugs_of(str(service["name"]) for service in site.get("services") or ())
    for slug, service in zip(slugs, site.get("services") or (), strict=True):
        written |= _service_files(slug, service)
    if slugs:
        listed = [{TEMPLATE: f"{{{{ service_{slug} }}}}"} for slug in slugs]
        comment = "The services. Each has its own file."
        written["group_vars/all/services.yml"] = _document({"ecs_app_services": listed}, comment)
    if site.get("notes"):
        written["NOTES.md"] = notes_page(site["notes"])
    return written


def slugs_of(names: t.Iterable[str]) -> list[str]:
    """For each name, what can be part of the name of a variable and of a file, each once in any spelling."""
    slugs: list[str] = []
    for name in names:
        slug = base = re.sub(r"\W", "_", name, flags=re.ASCII)[:_LONGEST_SLUG]
        number = 2
        # Some file systems take two names that differ in their case for one.
        while slug.lower() in map(str.lower, slugs):
            slug, number = f"{base}_{number}", number + 1
        slugs.append(slug)
    return slugs


def _service_files(slug: str, service: t.Mapping[str, t.Any]) -> dict[str, str]:
    definition = service.get("task_definition")
    written: dict[str, str] = {}
    if isinstance(definition, dict) and _is_large(definition):
        written[f"group_vars/task_definitions/{slug}.json"] = (
            json.dumps(unescaped(definition), indent=2, ensure_ascii=False) + "\n"
        )
        service = {**service, "task_definition": {TEMPLATE: _READ_JSON % slug}}
    comment = f"The service {service['name']}, an element of ecs_app_services."
    written[f"group_vars/all/service_{slug}.yml"] = _document({f"service_{slug}": service}, comment)
    return written


def _is_large(definition: t.Mapping[str, t.Any]) -> bool:
    # JSON is never templated.
    return _document(definition, "").count("\n") > _YAML_LINES and not _has_template(definition)


def _has_template(value: t.Any) -> bool:
    if isinstance(value, dict):
        return TEMPLATE in value or any(_has_template(item) for item in value.values())
    return isinstance(value, list) and any(_has_template(item) for item in value)


def notes_page(notes: t.Iterable[t.Mapping[str, str]]) -> str:
    """The notes as Markdown."""
    lines = (f"- **{note['place']}**: {note['reason']} {note.get('advice', '')}".rstrip() for note in notes)
    return "\n".join(["# What this inventory does not have", "", *lines]) + "\n"


# YAML


def _document(value: t.Any, comment: str) -> str:
    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    return f"---\n{head}{_yaml(_marked(value))}"


def _marked(value: t.Any) -> t.Any:
    """The value with text that Ansible would or would not template marked as such."""
    if isinstance(value, dict):
        if set(value) == {TEMPLATE}:
            return _Template(value[TEMPLATE])
        return {unescaped_name(str(key)): _marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(item) for item in value]
    if isinstance(value, str):
        return _Unsafe(value) if _MARKS.search(value) else str(value)
    return value


def _style(text: str) -> str | None:
    """A block keeps lines readable. Line ends of other kinds, which YAML would fold, are escaped in quotes."""
    if _LINE_ENDS.search(text):
        return '"'
    is_block = "\n" in text and text[0] not in " \n" and not re.search(r"[ \t](\n|$)|[^\n\x20-\x7e\xa0-\ud7ff]", text)
    return "|" if is_block else None


def _yaml(value: t.Any) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Lists are indented below their key, as ansible-lint has them, and nothing is an alias."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            del indentless
            super().increase_indent(flow, False)

        def ignore_aliases(self, data: t.Any) -> bool:
            del data
            return True

    def text(dumper: yaml.SafeDumper, data: str, tag: str = "tag:yaml.org,2002:str") -> yaml.ScalarNode:
        return dumper.represent_scalar(tag, data, style=_style(data))

    def template(dumper: yaml.SafeDumper, data: str) -> yaml.ScalarNode:
        is_folded = len(data) > _WIDTH - 30 and not _LINE_ENDS.search(data)
        return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=">" if is_folded else '"')

    Dumper.add_representer(str, text)
    Dumper.add_representer(_Template, template)
    Dumper.add_representer(_Unsafe, lambda dumper, data: text(dumper, data, "!unsafe"))
    return str(yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH))

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services whose options are given as a definition in AWS's spelling. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.slipway.aws.plugins.module_utils._core import tags as tagging
from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import snake
from ansible_collections.slipway.aws.plugins.module_utils._ecs.arguments import SERVICE_MEMBERS

Json = dict[str, Any]
# What the role sets by itself, and what ecs_release takes from the definition.
_ELSEWHERE = {"role", "task_definition"}


def options_of(service: Mapping[str, Any]) -> Json:
    """The options of a service, with those of its definition, which they override.

    They keep the definition, as ecs_release resolves the members that only the API model has.
    """
    options = dict(service.get("options") or {})
    definition = options.get("definition")
    if not isinstance(definition, Mapping):
        return options
    # AWS changes the number of a service that scales.
    unset = {"desired_count"} if service.get("scaling") else set()
    kept = {name: value for name, value in definition.items() if snake(name) not in unset}
    members = {snake(name): value for name, value in kept.items() if value is not None}
    known = {name: members[name] for name in SERVICE_MEMBERS if name in members and name not in _ELSEWHERE}
    if "tags" in known:
        tags = known["tags"]
        by_name = tagging.from_list(tags) if isinstance(tags, list) else dict(tags)
        known["tags"] = {name: text for name, text in by_name.items() if not name.startswith(tagging.AWS)}
    own = {name: value for name, value in options.items() if value is not None}
    return {**known, **own, "definition": kept}


def problems(service: Mapping[str, Any]) -> Iterator[str]:
    """What the role cannot read."""
    if (service.get("options") or {}).get("definition_file") is not None:
        yield (
            "options.definition_file: expected definition, got a file, which the role does not read. Use definition"
            " with lookup('ansible.builtin.file', …) | from_json."
        )

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.slipway.aws.plugins.filter.text_tags import text_tags
from ansible_collections.slipway.aws.plugins.module_utils._core import tags
from ansible_collections.slipway.aws.plugins.plugin_utils.variables import Specs, variable_problems

GIVEN: dict[str, t.Any] = {"critical": True, "tier": 1, "team": "web"}


def test_roles_write_tags_as_modules_do() -> None:
    assert text_tags(GIVEN) == tags.checked(GIVEN) == {"critical": "true", "tier": "1", "team": "web"}


@pytest.mark.parametrize("value", [None, 1.5, [], {}])
def test_what_is_no_text_is_refused(value: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="tags, 'a': expected text"):
        text_tags({"a": value})


@pytest.mark.parametrize(
    ("variables", "problems"),
    [
        ({"slipway_tags": {"a": None}}, ["slipway_tags, 'a': expected text, true, false or a whole number, got null."]),
        ({"ecs_app_tags": {"aws:a": "b"}}, ["ecs_app_tags, 'aws:a': expected a key without the prefix aws:"]),
        ({"slipway_tags": {"a": True, "b": 1, "c": "unknown"}}, []),
        ({"ecs_network_vpc_tags": {"aws:a": "b"}}, []),
    ],
)
def test_tags_are_validated_with_the_other_variables(variables: dict[str, t.Any], problems: list[str]) -> None:
    options = {name: {"type": "dict"} for name in ("ecs_app_tags", "ecs_network_vpc_tags")}
    specs = Specs.of({"ecs_app": options, "ecs_network": {}})
    found = variable_problems(variables.keys(), variables.__getitem__, specs, lambda _service, _name: None)
    found = [one for one in found if "unknown variable" not in one]
    assert [one.startswith(start) for one, start in zip(found, problems, strict=True)] == [True] * len(problems)

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: text_tags
short_description: Write the values of tags as text
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Writes V(true) as C(true), as JSON does, and numbers with their digits. So a tag has the same text in every service.
  - A value that is null, a list or a dictionary is an error.
options:
  _input:
    description: The tags.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Tags of two kinds
  ansible.builtin.debug:
    msg: "{{ {'critical': true, 'tier': 1} | slipway.aws.text_tags }}"
"""

RETURN = r"""
_value:
  description: The tags.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.slipway.aws.plugins.module_utils._core.shapes import text_of


def text_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    texts = {str(name): text_of(value) for name, value in tags.items()}
    for name, text in texts.items():
        if text is None:
            raise AnsibleFilterError(f"tags, {name!r}: expected text, true, false or a whole number. Quote the value.")
    return {name: text for name, text in texts.items() if text is not None}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, str]]]:
        return {"text_tags": text_tags}

# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: failed_checks
short_description: Say which checks of a site failed, and how
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Takes the results of a loop over checks as the role P(slipway.aws.ecs_verify#role) has them, and makes a sentence of
    each one that failed.
positional: _input, url
options:
  _input:
    description: The results, each with its check as C(item).
    type: list
    elements: dict
    required: true
  url:
    description: The address of the load balancer, which stands before the path of a page.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: What failed
  ansible.builtin.debug:
    msg: "{{ pages.results | slipway.aws.failed_checks(url='http://shop.example') }}"
"""

RETURN = r"""
_value:
  description: The sentences, none where nothing failed.
  type: list
  elements: str
"""

from collections.abc import Callable, Sequence
from typing import Any

Json = dict[str, Any]
SHOWN = 2000


def page(result: Json, check: Json, url: str) -> str:
    address, wanted = f"{url}{check.get('path', '/')}", int(check.get("status", 200))
    if int(result.get("status", -1)) == wanted:
        return f"{address} answers {wanted}, but without what its check asks for: {check.get('content')}"
    return f"{address} does not answer {wanted}: {result.get('msg', '')}"


def command(result: Json, check: Json) -> str:
    told = " ".join(str(word) for word in check["command"])
    printed = "\n".join(result["output"]) if "output" in result else str(result.get("stdout", ""))
    if int(result.get("exit_code", result.get("rc", -1)) or 0) == 0:
        return f"'{told}' prints {printed[:SHOWN]!r}, without what its check asks for: {check.get('content')}"
    reasons = [str(result.get(name) or "") for name in ("msg", "stderr", "stdout")]
    return f"'{told}' fails: {' '.join(filter(None, reasons))[:SHOWN]}"


def sentence(result: Json, url: str) -> str:
    check = result["item"]
    if check["type"] == "http":
        return page(result, check, url)
    if check["type"] == "tcp":
        return f"{check['host']} takes no connections on port {check['port']}: {result.get('msg', '')}"
    return command(result, check)


def failed_checks(results: Sequence[Json], url: str = "") -> list[str]:
    return [f"{result['item']['name']}: {sentence(result, url)}" for result in results if result.get("failed")]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., list[str]]]:
        return {"failed_checks": failed_checks}

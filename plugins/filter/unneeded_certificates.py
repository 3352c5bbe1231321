# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: unneeded_certificates
short_description: Tell which certificates and validation records may go
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Tells which certificates of an account are the caller's, by their tags, and not to stay, and which of their
    validation records no other certificate needs. AWS asks for the same record for every certificate of a domain, and
    looks for it again when it renews one.
positional: _input
options:
  _input:
    description: All certificates of the account, as M(community.aws.acm_certificate_info) gives them.
    type: list
    elements: dict
    required: true
  tags:
    description: The tags that every certificate of the caller has.
    type: dict
    required: true
  keep:
    description: The ARN of one that stays.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: What the shop leaves behind
  ansible.builtin.debug:
    msg: "{{ info.certificates | slipway.aws.unneeded_certificates(tags={'Name': 'shop'}) }}"
"""

RETURN = r"""
_value:
  description: C(arns), a list of ARNs, and C(records), a list of dictionaries with C(name) and C(type).
  type: dict
"""

import typing as t
from collections.abc import Callable, Mapping, Sequence

Json = dict[str, t.Any]


def unneeded_certificates(certificates: Sequence[Json], tags: Mapping[str, str], keep: str = "") -> Json:
    gone: list[Json] = []
    stay: list[Json] = []
    for certificate in certificates:
        is_ours = all((certificate.get("tags") or {}).get(key) == value for key, value in tags.items())
        (gone if is_ours and certificate["certificate_arn"] != keep else stay).append(certificate)
    unneeded = _records(gone) - _records(stay)
    return {
        "arns": [certificate["certificate_arn"] for certificate in gone],
        "records": [{"name": name, "type": kind} for name, kind in sorted(unneeded)],
    }


def _records(certificates: Sequence[Json]) -> set[tuple[str, str]]:
    options = [option for one in certificates for option in one.get("domain_validation_options") or ()]
    found = [option["resource_record"] for option in options if option.get("resource_record")]
    return {(record["name"].lower().rstrip("."), record["type"]) for record in found}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Json]]:
        return {"unneeded_certificates": unneeded_certificates}

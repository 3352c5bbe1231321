# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: region
short_description: Whether a name is that of an AWS region
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Whether a name is that of an AWS region that the installed botocore knows, in any of AWS's partitions.
  - Makes no requests, so that a wrong name is refused before anything is created.
options:
  _input:
    description: The name.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Validate the region
  ansible.builtin.assert:
    that: region is slipway.aws.region
  vars:
    region: eu-central-1
"""

RETURN = r"""
_value:
  description: Whether it is a region.
  type: bool
"""

from collections.abc import Callable

from ansible.errors import AnsibleFilterError

try:
    from botocore.session import get_session
except ImportError:
    get_session = None


def region(name: str) -> bool:
    if get_session is None:
        raise AnsibleFilterError("region: botocore is not installed")
    session = get_session()
    return any(name in session.get_available_regions("ec2", part) for part in session.get_available_partitions())


class TestModule:
    def tests(self) -> dict[str, Callable[[str], bool]]:
        return {"region": region}

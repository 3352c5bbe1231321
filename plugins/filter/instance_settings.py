# Copyright (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: instance_settings
short_description: Derive tags, filters and files of the Docker host from variables
version_added: 0.1.0
author: The Slipway authors (@slipway)
description:
  - Derives what the tasks of the role P(slipway.aws.docker_instance#role) need from its variables, and lists what is
    wrong with them.
  - Reads nothing itself. Private to the role.
positional: _input, parameter
options:
  _input:
    description: The variables of the role by name, with or without C(docker_instance_).
    type: dict
    required: true
  parameter:
    description: The public SSM parameter of the chosen image.
    type: str
    required: true
  python:
    description: The Python that runs Ansible, with which C(ssh) starts sessions.
    type: str
    default: python3
"""

EXAMPLES = r"""
- name: Print what is wrong with the variables
  ansible.builtin.debug:
    msg: "{{ (variables | slipway.aws.instance_settings('/aws/service/debian/release/13/latest/amd64')).problems }}"
"""

RETURN = r"""
_value:
  description:
    - C(tags), C(role_tags), C(filters), C(key_prefix), C(known_hosts), C(ssh_config), C(session_file),
      C(proxy_command), and C(problems), one sentence each.
  type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.slipway.aws.plugins.plugin_utils import docker_instance


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, Any]]]:
        return {"instance_settings": docker_instance.settings}

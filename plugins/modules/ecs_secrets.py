#!/usr/bin/python
# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecs_secrets
version_added: 0.1.0
short_description: Manages secrets and settings that containers get by reference
author: The Slipway authors (@slipway)
description:
  - Manages secrets and settings in AWS Systems Manager Parameter Store and in AWS Secrets Manager, and returns the
    C(valueFrom) of a container for each.
  - A secret without a value is created with a random one, which is never read or changed afterwards.
  - A secret with a value gets a new version when the value differs.
  - Values never appear in results or diffs.
options:
  state:
    description:
      - Whether O(secrets) exist.
      - V(absent) deletes all below O(path) that carry O(match_tags), and nothing else.
    type: str
    choices: [present, absent]
    default: present
  names:
    description:
      - With O(state=absent), delete only these, each by its name in its store, such as V(/shop/log-level) or
        V(shop/database).
    type: list
    elements: str
  path:
    description:
      - The prefix of the names. A parameter is C(/shop/name), a secret of Secrets Manager C(shop/name).
    type: str
    required: true
  secrets:
    description: The secrets and settings. Others below O(path) are kept.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name, below O(path).
        type: str
        required: true
      type:
        description:
          - V(SecureString) is an encrypted parameter, V(String) a plain one, for settings.
          - V(SecretsManager) is a secret of AWS Secrets Manager. It costs more, and a container can reference single
            keys of its JSON.
        type: str
        default: SecureString
      length:
        description: The length of a random value in letters and digits, 1 to 4096.
        type: raw
        default: 50
      from:
        description:
          - Name or ARN of an external parameter or secret. The module only checks that the name exists; an ARN is not
            read.
        type: str
      kms_key_id:
        description:
          - ARN of the key that encrypts it. Defaults to the account's key for the store.
        type: str
  values:
    description:
      - The values of O(secrets), by name. Values that are not strings are stored as JSON.
      - Pass them as one JSON string, as in the example. Otherwise Ansible masks each value wherever it occurs.
    type: json
  match_tags:
    description:
      - Tags that identify the caller's secrets. Others of these names are never changed; they are used if no value is
        given.
    type: dict
    required: true
  tags:
    description: Additional tags of all O(secrets).
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether to remove other tags.
    type: bool
    default: true
  recovery_window:
    description:
      - For how many days a deleted secret of Secrets Manager can be restored, 7 to 30, or 0 for none.
      - Creating it again meanwhile restores it, with its former value unless one is given.
    type: int
    default: 30
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - slipway.aws.boto3
  - slipway.aws.attributes
  - slipway.aws.attributes.changes
notes:
  - ECS reads values when a task starts. Running tasks keep theirs.
  - To change the key or type of a parameter, the module reads and rewrites its value.
seealso:
  - module: slipway.aws.ecs_task_definition
  - module: slipway.aws.ecs_release
"""

EXAMPLES = r"""
- name: Create a random key, a setting, and the account of the database
  slipway.aws.ecs_secrets:
    path: /shop/
    secrets:
      - name: session-key
      - name: log-level
        type: String
      - name: database
        type: SecretsManager
    values: "{{ {'log-level': 'info', 'database': {'username': 'shop', 'password': vault_password}} | to_json }}"
    match_tags:
      project: shop
  register: made

- name: Show how a container references the password alone
  ansible.builtin.debug:
    msg: {name: DB_PASSWORD, valueFrom: "{{ made.secrets.database.value_from }}:password::"}

- name: Delete all secrets of the project
  slipway.aws.ecs_secrets:
    state: absent
    path: /shop/
    match_tags:
      project: shop
    recovery_window: 7
"""

RETURN = r"""
secrets:
  description: Each of O(secrets) by its name.
  returned: success
  type: dict
  contains:
    type:
      description: The type.
      type: str
      sample: SecretsManager
    value_from:
      description:
        - The C(valueFrom) of a container, the name of a parameter or the ARN of a secret.
        - V(unknown) in check mode for a secret that would be created.
      type: str
      sample: arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop/database-Ab12Cd
    version:
      description:
        - The version of the value. V(unknown) in check mode where the value would change.
        - Empty for an external ARN.
      type: str
      sample: "3"
code:
  description:
    - The error code, for programs. R(Troubleshooting, ansible_collections.slipway.aws.docsite.guide_troubleshooting)
      says of each whether anything was changed, and what to do.
    - V(access_denied), V(aws_error), V(bad_answer), V(conflict), V(invalid_option), V(limit_exceeded),
      V(misplaced_secret), V(no_connection), V(no_credentials), V(not_found), V(refused) and V(throttled). These any
      module returns that calls AWS.
  returned: failure
  type: str
  sample: conflict
"""

from ansible_collections.slipway.aws.plugins.module_utils._core.module import TAG_OPTIONS, run
from ansible_collections.slipway.aws.plugins.module_utils._secrets import flow

SECRET = {
    "name": {"type": "str", "required": True},
    # Validated later: Ansible would show a value that it refuses, and that may be the secret.
    "type": {"type": "str", "default": "SecureString"},
    "length": {"type": "raw", "default": 50},
    "from": {"type": "str"},
    "kms_key_id": {"type": "str"},
}
ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "names": {"type": "list", "elements": "str"},
    "path": {"type": "str", "required": True},
    "secrets": {"type": "list", "elements": "dict", "options": SECRET, "default": [], "no_log": False},
    "values": {"type": "json", "no_log": True},
    "match_tags": {"type": "dict", "required": True},
    "recovery_window": {"type": "int", "default": 30},
    **TAG_OPTIONS,
}


def main() -> None:
    run(ARGUMENT_SPEC, flow.run)


if __name__ == "__main__":
    main()

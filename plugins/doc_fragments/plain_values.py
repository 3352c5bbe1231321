# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Values that may look like secrets."""

    DOCUMENTATION = r"""
options:
  plain_values:
    description:
      - Where values may stand that have the form of a secret, such as a token, a private key or an address with a
        password. Elsewhere the module refuses them with C(misplaced_secret).
      - An entry is what the message names, such as C(web.environment.DATABASE_URL).
    type: list
    elements: str
    version_added: 0.2.0
"""

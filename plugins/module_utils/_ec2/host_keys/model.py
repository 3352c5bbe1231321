# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SSH host keys in an instance's console output. Pure."""

from __future__ import annotations

import re

# As cloud-init writes them at the end of each boot.
_BLOCK = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)
_KEY = re.compile(r"\b(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) (AAAA[A-Za-z0-9+/]+=*)")


def host_keys(output: str) -> dict[str, str]:
    """The keys of the last complete block by their type; none if there is no complete block."""
    blocks = _BLOCK.findall(output)
    return dict(_KEY.findall(blocks[-1])) if blocks else {}

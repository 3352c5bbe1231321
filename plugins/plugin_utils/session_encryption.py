# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Encrypts what passes through a session whose cluster names a key of AWS KMS. Pure, but for random numbers.

As https://github.com/aws/session-manager-plugin, src/encryption/encrypter.go: AES-GCM, each message begins with its
nonce, and each half of the data key serves one direction.
"""

from __future__ import annotations

import os

NONCE = 12
KEY = 64


class Cipher:
    """The client's side of the encryption with a data key."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        half = len(key) // 2
        self._incoming, self._outgoing = AESGCM(key[:half]), AESGCM(key[half:])

    def encrypt(self, data: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return nonce + self._outgoing.encrypt(nonce, data, None)

    def decrypt(self, data: bytes) -> bytes:
        return self._incoming.decrypt(data[:NONCE], data[NONCE:], None)

# Copyright: (c) 2026, The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's side of the encryption of a session, as agent/session/crypto/blockcipher.go in amazon-ssm-agent."""

from __future__ import annotations

import base64
import os
from collections.abc import Awaitable, Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Json = dict[str, Any]


class Encryption:
    """One session. `decrypt` asks AWS KMS for the data key, with the context that was agreed upon."""

    def __init__(self, key_id: str, decrypt: Callable[[bytes, Json], Awaitable[bytes]]) -> None:
        self.key_id = key_id
        self.decrypt_key = decrypt
        self.challenge = base64.b64encode(os.urandom(16)).decode()
        self.proof = os.urandom(64)
        self.sealing: AESGCM | None = None
        self.opening: AESGCM | None = None

    async def begin(self, result: Json) -> None:
        """Take the data key of the client."""
        context = {"aws:ssm:RandomChallenge": self.challenge} if result["ChallengeAcknowledgement"] else {}
        key = await self.decrypt_key(base64.b64decode(result["KMSCipherTextKey"]), context)
        self.sealing, self.opening = AESGCM(key[:32]), AESGCM(key[32:])

    def seal(self, data: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self.sealing.encrypt(nonce, data, None) if self.sealing else data

    def open(self, data: bytes) -> bytes:
        return self.opening.decrypt(data[:12], data[12:], None) if self.opening else data

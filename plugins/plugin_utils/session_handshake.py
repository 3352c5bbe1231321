# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a client answers the agent before a session starts. Pure.

The members are those of https://github.com/aws/session-manager-plugin, src/message/handshakemessage.go and
src/service/service.go.
"""

from __future__ import annotations

import base64
import json
import typing as t

# The agent compares it to learn what the client understands: 1.2.312 was the first with all that there is today, and to
# later ones than 1.2.331 the agent does not talk without need, so that idle sessions end.
CLIENT_VERSION = "1.2.332.0"
SCHEMA_VERSION = "1.0"
SUCCESS, UNSUPPORTED = 1, 3
ENCRYPTION = "KMSEncryption"
SESSION_TYPES = frozenset({"Standard_Stream", "InteractiveCommands", "NonInteractiveCommands", "Port"})


class Answer(t.NamedTuple):
    """The answer to the agent, and what of its request cannot be done."""

    payload: bytes
    problems: list[str]


def opening(token: str, client: str, request: str) -> str:
    """The first message of a stream, as text: it proves that the client may use it."""
    return json.dumps(
        {
            "MessageSchemaVersion": SCHEMA_VERSION,
            "RequestId": request,
            "TokenValue": token,
            "ClientId": client,
            "ClientVersion": CLIENT_VERSION,
        }
    )


class Encryption(t.NamedTuple):
    """The key that the agent asks for, and a random value that has to be part of the encryption's context."""

    key: str
    challenge: str


def encryption(request: bytes) -> Encryption | None:
    """What the agent asks for if the session is to be encrypted."""
    for action in _actions(request):
        parameters = action.get("ActionParameters") or {}
        if action.get("ActionType") == ENCRYPTION:
            return Encryption(str(parameters.get("KMSKeyId")), str(parameters.get("Challenge") or ""))
    return None


def answer(request: bytes, data_key: bytes | None = None) -> Answer:
    """What the agent asks for is done, as far as the client can. The data key is as AWS KMS encrypted it."""
    actions = [_processed(action, data_key) for action in _actions(request)]
    problems = [action["Error"] for action in actions if action["Error"]]
    content = {"ClientVersion": CLIENT_VERSION, "ProcessedClientActions": actions, "Errors": problems}
    return Answer(json.dumps(content).encode(), problems)


def challenge(request: bytes) -> bytes:
    """The encrypted bytes with which the agent checks the encryption."""
    return base64.b64decode(json.loads(request)["Challenge"])


def challenge_response(encrypted: bytes) -> bytes:
    return json.dumps({"Challenge": base64.b64encode(encrypted).decode()}).encode()


def _actions(request: bytes) -> list[dict[str, t.Any]]:
    return json.loads(request).get("RequestedClientActions") or []


def _processed(action: dict[str, t.Any], data_key: bytes | None) -> dict[str, t.Any]:
    name = str(action.get("ActionType"))
    parameters = action.get("ActionParameters") or {}
    done: dict[str, t.Any] = {"ActionType": name, "ActionStatus": SUCCESS, "ActionResult": None, "Error": ""}
    if name == "SessionType" and parameters.get("SessionType") in SESSION_TYPES:
        return done
    if name == ENCRYPTION and data_key:
        result = {
            "KMSCipherTextKey": base64.b64encode(data_key).decode(),
            "KMSCipherTextHash": None,
            "ChallengeAcknowledgement": bool(parameters.get("Challenge")),
        }
        return {**done, "ActionResult": result}
    error = f"expected a session with a terminal, got {parameters.get('SessionType') or name}"
    return {**done, "ActionStatus": UNSUPPORTED, "Error": error}

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a client answers the agent before a session starts. Pure.

The members are those of https://github.com/aws/session-manager-plugin, src/message/handshakemessage.go and
src/service/service.go.
"""

from __future__ import annotations

import json
import typing as t

# The agent compares it to learn what the client understands: 1.2.312 was the first with all that there is today.
CLIENT_VERSION = "1.2.312.0"
SCHEMA_VERSION = "1.0"
SUCCESS, FAILED, UNSUPPORTED = 1, 2, 3
SESSION_TYPES = frozenset({"Standard_Stream", "InteractiveCommands", "NonInteractiveCommands"})


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


def answer(request: bytes) -> Answer:
    """What the agent asks for is done, as far as the client can."""
    actions = [_processed(action) for action in json.loads(request).get("RequestedClientActions") or ()]
    problems = [action["Error"] for action in actions if action["Error"]]
    content = {"ClientVersion": CLIENT_VERSION, "ProcessedClientActions": actions, "Errors": problems}
    return Answer(json.dumps(content).encode(), problems)


def _processed(action: dict[str, t.Any]) -> dict[str, t.Any]:
    name = str(action.get("ActionType"))
    kind = (action.get("ActionParameters") or {}).get("SessionType")
    if name == "SessionType" and kind in SESSION_TYPES:
        return {"ActionType": name, "ActionStatus": SUCCESS, "ActionResult": None, "Error": ""}
    error = f"expected a session with a terminal, without encryption by AWS KMS, got {kind or name}"
    return {"ActionType": name, "ActionStatus": UNSUPPORTED, "ActionResult": None, "Error": error}

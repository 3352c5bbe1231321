# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A data channel of Session Manager over which messages may be lost, repeated and reordered. Pure: no socket, no clock.

Each side numbers what it sends from 0, acknowledges what it receives, and repeats what is not acknowledged, as
https://github.com/aws/amazon-ssm-agent (agent/session/datachannel/datachannel.go) does. Times are in seconds.
"""

from __future__ import annotations

import json
import typing as t
import uuid
from collections import deque
from dataclasses import dataclass

from .session_message import (
    ACKNOWLEDGE,
    ACKNOWLEDGE_FLAGS,
    CHANNEL_CLOSED,
    FIRST,
    INPUT,
    OUTPUT,
    PAUSE,
    Message,
    decode,
)

# The agent reads and sends that much at a time.
PAYLOAD = 1024
# Messages on the wire that are not acknowledged: what a slow reader has to keep.
WINDOW = 64
# Messages that are kept until the ones before them have arrived; the agent keeps as many.
KEPT = 10_000
FIRST_TIMEOUT = 0.2
SHORTEST_MARGIN = 0.01
LONGEST_TIMEOUT = 1.0


class Data(t.NamedTuple):
    """What the other side sent, in order."""

    type: int
    payload: bytes


class Closed(t.NamedTuple):
    """The channel was closed, with what the service says about it."""

    output: str


Event = Data | Closed


@dataclass
class Sent:
    """A message that is not acknowledged."""

    frame: bytes
    first: float
    last: float
    repeated: bool = False


class Timer:
    """When to repeat a message: the estimate of RFC 6298, from the messages that were sent once."""

    def __init__(self) -> None:
        self.timeout = FIRST_TIMEOUT
        self._smoothed: float | None = None
        self._variation = 0.0

    def measured(self, seconds: float) -> None:
        if self._smoothed is None:
            self._smoothed, self._variation = seconds, seconds / 2
        else:
            self._variation += (abs(self._smoothed - seconds) - self._variation) / 4
            self._smoothed += (seconds - self._smoothed) / 8
        self.timeout = min(self._smoothed + max(4 * self._variation, SHORTEST_MARGIN), LONGEST_TIMEOUT)

    def expired(self) -> None:
        self.timeout = min(self.timeout * 2, LONGEST_TIMEOUT)


class Channel:
    """One side of a channel: the client's, unless it sends output."""

    def __init__(self, sends: str = INPUT) -> None:
        self.sends = sends
        self.receives = OUTPUT if sends == INPUT else INPUT
        self.paused = False
        self._next = 0
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._sent: dict[int, Sent] = {}
        self._timer = Timer()
        self._expected = 0
        self._early: dict[int, Message] = {}
        self._answers: list[bytes] = []

    @property
    def idle(self) -> bool:
        """All that was sent is acknowledged."""
        return not self._waiting and not self._sent

    @property
    def backlog(self) -> int:
        """Messages that are not on the wire yet."""
        return len(self._waiting)

    def send(self, payload_type: int, payload: bytes, seal: t.Callable[[bytes], bytes] | None = None) -> None:
        """Send bytes in as many messages as they need, each of them sealed."""
        for start in range(0, len(payload), PAYLOAD):
            part = payload[start : start + PAYLOAD]
            self._waiting.append((payload_type, seal(part) if seal else part))

    def discard(self) -> None:
        """Do not send what is not on the wire yet."""
        self._waiting.clear()

    def receive(self, frame: bytes, now: float) -> list[Event]:
        """What follows from the bytes that arrived."""
        message = decode(frame)
        # As the agent does: whatever else arrives shows that the other side is present again.
        self.paused = message.type == PAUSE
        if message.type == CHANNEL_CLOSED:
            return [Closed(str(_content(message).get("Output") or ""))]
        if message.type == ACKNOWLEDGE:
            self._acknowledged(_content(message), now)
        if message.type == self.receives:
            return self._in_order(message, now)
        return []

    def frames(self, now: float) -> list[bytes]:
        """What has to be written to the wire now."""
        answers, self._answers = self._answers, []
        if self.paused:
            return answers
        answers += self._repeated(now)
        while self._waiting and len(self._sent) < WINDOW:
            payload_type, payload = self._waiting.popleft()
            flags = FIRST if self._next == 0 else 0
            frame = Message(self.sends, self._next, _milliseconds(now), uuid.uuid4(), payload, payload_type, flags)
            self._sent[self._next] = Sent(frame.encode(), now, now)
            answers.append(self._sent[self._next].frame)
            self._next += 1
        return answers

    def wait(self, now: float) -> float | None:
        """Seconds until a message has to be repeated. None if there is nothing to repeat."""
        if self.paused or not self._sent:
            return None
        return max(0.0, next(iter(self._sent.values())).last + self._timer.timeout - now)

    def _acknowledged(self, content: dict[str, t.Any], now: float) -> None:
        sent = self._sent.pop(content.get("AcknowledgedMessageSequenceNumber", -1), None)
        if sent and not sent.repeated:
            self._timer.measured(now - sent.first)

    def _repeated(self, now: float) -> list[bytes]:
        """The oldest message that is not acknowledged, if it is overdue."""
        oldest = next(iter(self._sent.values()), None)
        if oldest is None or now - oldest.last < self._timer.timeout:
            return []
        oldest.last, oldest.repeated = now, True
        self._timer.expired()
        return [oldest.frame]

    def _in_order(self, message: Message, now: float) -> list[Event]:
        if message.sequence > self._expected and len(self._early) >= KEPT:
            return []
        # What arrived before is acknowledged again: the first acknowledgement may be lost.
        self._answers.append(_acknowledgement(message, now))
        if message.sequence >= self._expected:
            self._early.setdefault(message.sequence, message)
        events: list[Event] = []
        while self._expected in self._early:
            arrived = self._early.pop(self._expected)
            events.append(Data(arrived.payload_type, arrived.payload))
            self._expected += 1
        return events


def _acknowledgement(message: Message, now: float) -> bytes:
    content = {
        "AcknowledgedMessageType": message.type,
        "AcknowledgedMessageId": str(message.id),
        "AcknowledgedMessageSequenceNumber": message.sequence,
        "IsSequentialMessage": True,
    }
    payload = json.dumps(content).encode()
    return Message(ACKNOWLEDGE, 0, _milliseconds(now), uuid.uuid4(), payload, flags=ACKNOWLEDGE_FLAGS).encode()


def _content(message: Message) -> dict[str, t.Any]:
    try:
        content = json.loads(message.payload)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _milliseconds(now: float) -> int:
    return int(now * 1000)

# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data channel of Session Manager delivers what was sent, whatever the network does to its messages."""

from __future__ import annotations

import hashlib
import json
import random
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.plugin_utils import session_message as message
from ansible_collections.slipway.aws.plugins.plugin_utils.session_channel import (
    LONGEST_TIMEOUT,
    WINDOW,
    Channel,
    Closed,
    Data,
    Event,
)

# The values of the tests of amazon-ssm-agent, agent/session/contracts/agentmessage_test.go, at 1c217c89.
ID = uuid.UUID("dd01e56b-ff48-483e-a508-b5f073f31b16")
CREATED = 1503434274948
PAYLOAD = b"payload"
KNOWN = bytes.fromhex(
    "00000074"  # the header has 116 bytes
    + b"interactive_shell".hex().ljust(64, "0")
    + "00000001"
    + "0000015e0baa7884"  # 1503434274948
    + "0000000000000002"
    + "0000000000000003"
    + "a508b5f073f31b16dd01e56bff48483e"  # the halves of the ID are exchanged
    + hashlib.sha256(PAYLOAD).hexdigest()
    + "00000001"
    + "00000007"
    + PAYLOAD.hex()
)


def test_message_of_the_agents_own_tests_is_decoded() -> None:
    decoded = message.decode(KNOWN)
    assert decoded == message.Message("interactive_shell", 2, CREATED, ID, PAYLOAD, message.PayloadType.OUTPUT, flags=3)


def test_message_is_encoded_as_the_agent_does_with_its_type_padded_as_the_client_does() -> None:
    encoded = message.decode(KNOWN).encode()
    assert encoded == KNOWN.replace(b"shell" + bytes(15), b"shell" + b" " * 15)


@given(
    st.builds(
        message.Message,
        type=st.sampled_from([message.INPUT, message.OUTPUT, message.ACKNOWLEDGE]),
        sequence=st.integers(0, 2**63 - 1),
        created=st.integers(0, 2**64 - 1),
        id=st.uuids(),
        payload=st.binary(max_size=50),
        payload_type=st.sampled_from(message.PayloadType),
        flags=st.integers(0, 2**64 - 1),
    )
)
@settings(max_examples=50, deadline=None)
def test_decoding_reverts_encoding(sent: message.Message) -> None:
    assert message.decode(sent.encode()) == sent


@given(st.integers(0, len(KNOWN) - 1))
@settings(max_examples=50, deadline=None)
def test_message_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(message.BadMessage, match="expected"):
        message.decode(KNOWN[:length])


def test_message_with_another_payload_than_its_digest_says_is_refused() -> None:
    with pytest.raises(message.BadMessage, match="digest"):
        message.decode(KNOWN[:-1] + b"?")


def received(events: list[Event]) -> bytes:
    return b"".join(event.payload for event in events if isinstance(event, Data))


class Network:
    """Two sides, and between them a network that loses, repeats and reorders while it is bad."""

    def __init__(self, seed: int, loss: float) -> None:
        self.random = random.Random(seed)
        self.loss = loss
        self.now = 1000.0
        self.client = Channel(message.INPUT)
        self.agent = Channel(message.OUTPUT)
        self.got: dict[Channel, bytes] = {self.client: b"", self.agent: b""}

    def step(self, is_bad: bool) -> None:
        for source, target in ((self.client, self.agent), (self.agent, self.client)):
            frames = source.frames(self.now)
            if is_bad:
                frames = [frame for frame in frames for _copy in range(self.copies())]
                self.random.shuffle(frames)
            for frame in frames:
                self.got[target] += received(target.receive(frame, self.now))
        waits = [wait for wait in (self.client.wait(self.now), self.agent.wait(self.now)) if wait is not None]
        self.now += max(min(waits, default=0), 0.001)

    def copies(self) -> int:
        if self.random.random() < self.loss:
            return 0
        return 2 if self.random.random() < self.loss else 1


@given(st.integers(), st.floats(0, 0.9), st.binary(max_size=4000), st.binary(max_size=4000))
@settings(max_examples=60, deadline=None)
def test_what_is_sent_arrives_once_and_in_order(seed: int, loss: float, to_agent: bytes, to_client: bytes) -> None:
    network = Network(seed, loss)
    for number in range(0, max(len(to_agent), len(to_client)), 50):
        network.client.send(message.PayloadType.OUTPUT, to_agent[number : number + 50])
        network.agent.send(message.PayloadType.OUTPUT, to_client[number : number + 50])
        network.step(is_bad=True)
    for _step in range(500):
        if network.client.idle and network.agent.idle:
            break
        network.step(is_bad=False)
    assert network.got == {network.agent: to_agent, network.client: to_client}
    assert network.client.idle
    assert network.agent.idle


def test_no_more_is_on_the_wire_than_the_other_side_acknowledges() -> None:
    client, agent = Channel(message.INPUT), Channel(message.OUTPUT)
    client.send(message.PayloadType.OUTPUT, bytes(1024 * 3 * WINDOW))
    first = client.frames(0)
    assert len(first) == WINDOW
    assert client.frames(0.01) == []
    agent.receive(first[0], 0.02)
    client.receive(agent.frames(0.02)[0], 0.03)
    assert len(client.frames(0.03)) == 1


def test_message_is_repeated_until_it_is_acknowledged() -> None:
    client, agent = Channel(message.INPUT), Channel(message.OUTPUT)
    client.send(message.PayloadType.OUTPUT, b"a")
    [sent] = client.frames(0)
    repeated, now = 0, 0.0
    while now < 10:
        now += client.wait(now) or 0
        repeated += client.frames(now).count(sent)
    assert repeated >= 10 / LONGEST_TIMEOUT
    agent.receive(sent, now)
    client.receive(agent.frames(now)[0], now)
    assert client.idle
    assert client.wait(now) is None


def test_message_that_arrives_twice_is_acknowledged_twice() -> None:
    """The first acknowledgement may be lost; without a second one, the agent would repeat the message forever."""
    client, agent = Channel(message.INPUT), Channel(message.OUTPUT)
    agent.send(message.PayloadType.OUTPUT, b"a")
    [sent] = agent.frames(0)
    assert received(client.receive(sent, 0)) == b"a"
    assert received(client.receive(sent, 0)) == b""
    assert len(client.frames(0)) == 2


def steering(kind: str, payload: bytes = b"") -> bytes:
    return message.Message(kind, 0, CREATED, ID, payload).encode()


def test_nothing_is_sent_while_the_service_pauses_the_channel() -> None:
    client = Channel(message.INPUT)
    client.receive(steering(message.PAUSE), 0)
    client.send(message.PayloadType.OUTPUT, b"a")
    assert client.frames(0) == []
    assert client.wait(0) is None
    client.receive(steering(message.START), 1)
    assert len(client.frames(1)) == 1


def test_steering_messages_may_have_no_lengths() -> None:
    client = Channel(message.INPUT)
    assert client.receive(bytes(4) + steering(message.PAUSE)[4:-4] + bytes(4), 0) == []
    assert client.paused


def test_closed_channel_says_why() -> None:
    content = json.dumps({"SessionId": "s", "Output": "The container stopped."}).encode()
    client = Channel(message.INPUT)
    assert client.receive(steering(message.CHANNEL_CLOSED, content), 0) == [Closed("The container stopped.")]
    assert client.receive(steering(message.CHANNEL_CLOSED, b"no JSON"), 0) == [Closed("")]

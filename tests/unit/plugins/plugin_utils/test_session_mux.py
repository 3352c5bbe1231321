# Copyright (c) The Slipway authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Frames of connections arrive whole, however the stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.aws.plugins.plugin_utils import session_mux as mux


def test_a_frame_is_as_smux_says() -> None:
    """Little endian: version 1, command, length, number of the connection."""
    assert mux.frame(mux.DATA, 3, b"ab") == bytes([1, 2, 2, 0, 3, 0, 0, 0]) + b"ab"
    assert [mux.Mux().open(), mux.frame(mux.OPEN, 5)] == [3, bytes([1, 0, 0, 0, 5, 0, 0, 0])]


@given(st.lists(st.tuples(st.sampled_from([3, 5]), st.binary(max_size=70_000)), max_size=4), st.integers(1, 5000))
def test_data_arrives_whole_however_it_is_cut(sent: list[tuple[int, bytes]], size: int) -> None:
    stream = b"".join(mux.frames(number, data) for number, data in sent)
    receiver = mux.Mux()
    events = [event for at in range(0, len(stream), size) for event in receiver.receive(stream[at : at + size])]
    for number in (3, 5):
        whole = b"".join(data for one, data in sent if one == number)
        assert b"".join(event.data for event in events if event.connection == number) == whole


def test_a_test_whether_this_side_exists_is_answered() -> None:
    receiver = mux.Mux()
    assert receiver.receive(mux.frame(mux.NOTHING, 0) + mux.frame(mux.END, 3)) == [mux.Event(3, b"")]
    assert receiver.answer == mux.frame(mux.NOTHING, 0)


@pytest.mark.parametrize("start", [b"\x02\x00", b"\x01\x07"])
def test_another_protocol_is_refused(start: bytes) -> None:
    with pytest.raises(mux.BadFrame):
        mux.Mux().receive(start + bytes(6))

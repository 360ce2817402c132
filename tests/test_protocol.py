"""Frames, and what is found of them in a stream of anything."""

import importlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwact.boards.protocol import (
    LARGEST_REPLY,
    SYNC,
    Command,
    Decoder,
    Fault,
    Frame,
    Layout,
    Record,
    signature,
)
from hwact.errors import CheckError
from hwact.fixed import SQ, UQ

bytes_ = st.integers(0, 255)
frames = st.builds(Frame, bytes_, st.binary(max_size=300), bytes_)
#: Garbage that cannot begin a frame.
noise = st.binary(max_size=40).map(lambda data: data.replace(bytes([SYNC]), b"\0"))


def test_a_frame_is_as_documented():
    """Sync, tag, kind, length, payload and checksum, highest bytes first."""
    assert Frame(0, b"hi", 7).to_bytes() == bytes.fromhex("a5 07 00 0002 6869 d73d")


@given(st.lists(st.tuples(noise, frames), max_size=5), st.integers(1, 50))
def test_frames_are_found_between_garbage(parts, step):
    """However the bytes are cut, every frame comes out and every other byte is counted."""
    line = b"".join(garbage + frame.to_bytes() for garbage, frame in parts)
    decoder = Decoder()
    found = [frame for k in range(0, len(line), step) for frame in decoder.feed(line[k : k + step])]
    assert found == [frame for _, frame in parts]
    assert decoder.garbage == sum(len(garbage) for garbage, _ in parts)


@given(frames, st.data())
def test_no_flipped_bit_passes(frame, data):
    """A frame with a wrong bit is none."""
    line = bytearray(frame.to_bytes())
    bit = data.draw(st.integers(0, 8 * len(line) - 1))
    line[bit // 8] ^= 1 << bit % 8
    assert frame not in Decoder().feed(bytes(line))


def test_a_sound_frame_within_a_damaged_one_is_found():
    """What looks like a header does not swallow what follows."""
    frame = Frame(1, b"sound", 9)
    decoder = Decoder(lambda tag, kind, length: length < 100)
    assert decoder.feed(bytes([SYNC, 1, 2, 0, 3]) + frame.to_bytes()) == [frame]
    assert (decoder.damaged, decoder.garbage) == (1, 5)


def test_a_header_that_is_not_expected_is_garbage_at_once():
    """Nothing waits for 65,535 bytes that nobody asked for."""
    decoder = Decoder(lambda tag, kind, length: length == 2)
    assert decoder.feed(bytes([SYNC, 0, 0, 0xFF, 0xFF]) + Frame(0, b"ok").to_bytes()) == [Frame(0, b"ok")]


def record(**changes):
    """A record of some unit."""
    values = dict(version=1, units=2, unit=1, digest=bytes(range(32)), clock_hz=12_000_000, default_baud=115200)
    values |= dict(latency=3, input=SQ(4, 12), output=SQ(1, 15), derivative=UQ(0, 16), domain=(-32768, 32767))
    values |= dict(layout=Layout(2, 2, 2), leds=5, buttons=3, programmable=False, name="tanh")
    return Record(**values | changes)


@given(st.integers(-8, 30), st.integers(-5, 24), st.text("abc_9", max_size=57))
def test_a_record_comes_back(int_bits, low, name):
    """Whatever the formats, also negative numbers of bits, and without a derivative."""
    format = SQ(int_bits, max(1 - int_bits, 0) + 2)
    there = record(input=format, derivative=None, domain=(low - 5, low), name=name)
    assert Record.from_bytes(there.to_bytes()) == there
    assert len(there.to_bytes()) == 128


def test_a_record_of_another_version_is_refused():
    """In a sentence."""
    data = bytes([9]) + record().to_bytes()[1:]
    with pytest.raises(CheckError, match="^Board must speak version 1 of the protocol, not 9$"):
        Record.from_bytes(data)


@pytest.mark.parametrize("layout", [Layout(1, 1, 0), Layout(1, 1, 1), Layout(2, 2, 2), Layout(3, 4, 4)])
def test_a_reply_holds_the_largest_sweep(layout):
    """And no more."""
    most = layout.largest_sweep
    assert most * layout.result <= LARGEST_REPLY
    assert most == 256**layout.x or (most + 1) * layout.result > LARGEST_REPLY


def test_the_signature_sees_order_and_every_bit():
    """Of any two words that differ or are exchanged."""
    words = [1, 2, 3, 0x80000000]
    seen = {signature(words), signature([2, 1, 3, 0x80000000]), signature([1, 2, 3, 0]), signature(words[:3])}
    assert len(seen) == 4


def test_the_documents_frames_are_those_of_the_code(monkeypatch):
    """And every command and fault is listed with its number."""
    root = Path(__file__).resolve().parents[1]
    document = (root / "docs" / "board-protocol.md").read_text(encoding="utf-8")
    monkeypatch.syspath_prepend(root / "benchmarks")
    assert importlib.import_module("board_protocol").make() in document
    assert all(f"| `{command:02x}` | `{command.name}` |" in document for command in Command)
    assert all(f"| {fault} | `{fault.name}` |" in document for fault in Fault)

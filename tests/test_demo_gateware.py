"""The demo gateware, as compiled Verilog, at four clock cycles a bit."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator
from virtual_boards import BAUD, CLOCK_HZ, FALL_BACK, HALF_FRAME, TICK, Wire, demo, designs, image

from hwact import Spec
from hwact.boards.gateware import Demo
from hwact.boards.gateware.unit import StreamedUnit
from hwact.boards.outputs import outputs_of
from hwact.boards.probe import _opposite, _read
from hwact.boards.protocol import Command, Fault, Frame, Lamps, Record, signature
from hwact.errors import RequestError

LAYOUT = demo().records[0].layout


def codes_of(codes):
    """Codes as a request holds them."""
    return b"".join((int(code) & 0xFFFF).to_bytes(LAYOUT.x) for code in codes)


def span(first, count):
    """The payload of a sweep or a run."""
    return codes_of([first]) + count.to_bytes(LAYOUT.count)


@pytest.fixture
def wire():
    """A board just powered up."""
    return Wire()


def expected(unit, codes):
    """The golden model's outputs."""
    if unit == 2:
        return {"y": image().evaluate(codes)}
    return {name: designs()[unit].evaluate(codes, name) for name in outputs_of(designs()[unit])}


def assert_results(data, unit, codes):
    """The bytes are the golden model's results."""
    found = _read(data, LAYOUT, outputs_of(designs()[unit]))
    for name, values in expected(unit, codes).items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("size", [0, 1, 16, 255])
def test_ping_comes_back(wire, size):
    """With whatever it carried."""
    payload = random.Random(size).randbytes(size)
    assert wire.ask(Command.PING, payload) == payload


def test_every_unit_is_identified(wire):
    """By its number, and the selected one without."""
    for number, record in enumerate(demo().records):
        assert Record.from_bytes(wire.ask(Command.IDENTIFY, [number])) == record
        assert record.digest.hex() == designs()[number].digest
    wire.select(1)
    assert Record.from_bytes(wire.ask(Command.IDENTIFY)).unit == 1


@pytest.mark.parametrize("unit", [0, 1])
def test_every_code_is_swept(wire, unit):
    """The board counts the codes, across zero."""
    wire.select(unit)
    codes = designs()[unit].codes()
    assert_results(wire.ask(Command.SWEEP, span(codes[0], len(codes))), unit, codes)


@pytest.mark.parametrize("unit", [0, 1])
def test_codes_from_the_host_are_evaluated_in_order(wire, unit):
    """The unit is far faster than the line: it waits, and loses nothing."""
    wire.select(unit)
    codes = np.random.default_rng(1).choice(designs()[unit].codes(), 127)
    assert_results(wire.ask(Command.EVALUATE, codes_of(codes)), unit, codes)


@pytest.mark.parametrize("unit", [0, 1])
def test_a_run_takes_a_cycle_a_code(wire, unit):
    """And the latency once; its signature is that of the golden model's results."""
    wire.select(unit)
    design, codes = designs()[unit], designs()[unit].codes()
    reply = wire.ask(Command.RUN, span(codes[0], len(codes)))
    words = design.channel("y").format.to_bits(design.evaluate(codes)).astype(np.uint32)
    if unit == 0:
        words ^= _opposite(design.channel("dy").format.to_bits(design.evaluate(codes, "dy")).astype(np.uint32))
    assert int.from_bytes(reply[:4]) == signature(words.tolist())
    assert int.from_bytes(reply[4:]) == len(codes) + max(design.latency, 1)
    status = wire.ask(Command.STATUS)
    assert status[:3] == bytes([unit, Lamps.CURVE, 0]) and status[3:] == reply


def test_tables_are_loaded_and_read_back(wire):
    """Into the shadow bank of the programmable unit; then the banks are exchanged."""
    wire.select(2)
    writes = [address.to_bytes(2) + word.to_bytes(4) for address, word in image().writes]
    assert wire.ask(Command.WRITE, b"".join(writes)) == b""
    assert wire.ask(Command.READ, writes[0][:2]) == writes[0][2:]
    assert wire.ask(Command.WRITE, (12).to_bytes(2) + (1).to_bytes(4)) == b""
    codes = image().design.codes()
    assert_results(wire.ask(Command.SWEEP, span(codes[0], len(codes))), 2, codes)


def test_what_cannot_be_served_is_refused(wire):
    """Each with its fault, and the next request is served."""
    refusals = [
        (99, b"", Fault.COMMAND),
        (Command.READ, b"\0\0", Fault.COMMAND),  # not programmable
        (Command.WRITE, bytes(6), Fault.COMMAND),
        (Command.IDENTIFY, [3], Fault.ARGUMENT),
        (Command.SELECT, [3], Fault.ARGUMENT),
        (Command.LAMPS, [3], Fault.ARGUMENT),
        (Command.BAUD, [0, 3], Fault.ARGUMENT),
        (Command.BAUD, [0xFF, 0], Fault.ARGUMENT),
        (Command.SWEEP, span(0, LAYOUT.largest_sweep + 1), Fault.ARGUMENT),
        (Command.RUN, span(0, (1 << 16) + 1), Fault.ARGUMENT),
        *((kind, bytes(9), Fault.LENGTH) for kind in Command if kind not in (Command.PING, Command.EVALUATE)),
        (Command.EVALUATE, bytes(3), Fault.LENGTH),
        (Command.EVALUATE, b"", Fault.LENGTH),
    ]
    for kind, payload, fault in refusals:
        assert wire.ask(kind, payload) == fault, (kind, payload)
    wire.select(2)
    assert wire.ask(Command.WRITE, (0).to_bytes(2) + bytes(4)) == Fault.BUS  # a register that is only read
    assert wire.ask(Command.READ, (8).to_bytes(2)) == bytes(4)


def test_an_empty_sweep_has_an_empty_reply(wire):
    """And an empty run takes no time."""
    assert wire.ask(Command.SWEEP, span(0, 0)) == b""
    assert wire.ask(Command.RUN, span(0, 0)) == bytes(8)


def test_a_wrong_checksum_is_refused(wire):
    """Nothing is done."""
    frame = bytearray(Frame(Command.SELECT, b"\1", 5).to_bytes())
    frame[-1] ^= 1
    assert wire.send(bytes(frame)) == [Frame(0xFF, bytes([Fault.CHECKSUM]), 5)]
    assert wire.ask(Command.STATUS)[0] == 0


def test_a_request_that_is_too_long_is_refused_at_once(wire):
    """Its length alone says so."""
    assert wire.send(bytes([0xA5, 4, 0, 1, 0])) == [Frame(0xFF, bytes([Fault.LENGTH]), 4)]
    assert wire.ask(Command.PING, b"next") == b"next"


@pytest.mark.parametrize("kept", [1, 3, 5, 8, 11])
def test_half_a_frame_is_given_up(wire, kept):
    """After a while without a byte; then the board listens again."""
    frame = Frame(Command.PING, b"frame", 3).to_bytes()
    assert wire.send(frame[:kept], HALF_FRAME) == [Frame(0xFF, bytes([Fault.TIMEOUT]), 0)]
    assert wire.ask(Command.PING, b"again") == b"again"


def test_requests_after_garbage_are_served(wire):
    """Once half frames in it are given up."""
    source = random.Random(5)
    for _ in range(10):
        wire.send(source.randbytes(source.randrange(1, 60)), HALF_FRAME)
        assert wire.ask(Command.PING, b"sound") == b"sound"


def test_flipped_bits_never_make_a_wrong_reply(wire):
    """A request with a wrong bit has a fault for a reply, or none."""
    source, sound = random.Random(6), Frame(Command.SWEEP, span(0, 3), 8).to_bytes()
    for _ in range(40):
        line = bytearray(sound)
        line[source.randrange(len(line))] ^= 1 << source.randrange(8)
        assert all(reply.kind == 0xFF for reply in wire.send(bytes(line), HALF_FRAME))
    assert len(wire.send(sound)) == 1


@pytest.mark.parametrize("divisor", [5, 13, 104])
def test_the_rate_is_the_hosts_choice(wire, divisor):
    """The acknowledgement comes at the old rate, everything after it at the new one."""
    assert wire.ask(Command.BAUD, divisor.to_bytes(2)) == b""
    wire.baud = CLOCK_HZ / divisor
    assert wire.ask(Command.PING, b"new rate", 100_000) == b"new rate"


def test_a_rate_that_is_a_little_off_is_good_enough(wire):
    """Two per cent either way."""
    wire.ask(Command.BAUD, (100).to_bytes(2))
    for off in (0.98, 1.02):
        wire.baud = CLOCK_HZ / 100 * off
        assert wire.ask(Command.PING, bytes(range(50)), 100_000) == bytes(range(50))


@pytest.mark.parametrize("line", [b"", bytes(range(200))])
def test_the_board_falls_back_to_its_rate(wire, line):
    """In silence, and when it hears nothing but garbage."""
    wire.ask(Command.BAUD, (50).to_bytes(2))
    for _ in range(20):
        wire.machine.run(FALL_BACK // 20, BAUD, line)
    wire.machine.run(2 * HALF_FRAME, BAUD)
    assert wire.ask(Command.PING, b"back") == b"back"


def lit(wire, cycles):
    """Cycles in which each LED is lit."""
    before = wire.machine.lit
    wire.machine.run(cycles, BAUD)
    return [now - then for now, then in zip(wire.machine.lit, before)]


def test_leds_breathe_along_the_curve(wire):
    """The brightness of the first LED is y's, of the second dy's, as x goes up and down."""
    design = designs()[0]
    levels = {}
    for name in ("y", "dy"):
        format = design.channel(name).format
        offset = design.evaluate(design.codes(), name) - format.min_code
        levels[name] = (offset << 8 - format.width).tolist()
    seen = []
    for _ in range(2 * 64 + 8):
        on = lit(wire, 256)
        wire.machine.run(16 * TICK - 256, BAUD)
        seen.append((on[0], on[1]))
    curve = list(zip(levels["y"], levels["dy"]))
    assert set(seen) <= set(curve) | {(0, 0)}
    assert {pair[0] for pair in seen} >= set(levels["y"])
    # Up, then down again, in the order of the codes.
    tops = [pair[0] for pair in seen]
    peak = tops.index(max(tops))
    assert tops[1:peak] == sorted(tops[1:peak])


def test_leds_obey_the_host(wire):
    """Dark, or all lit; and the units' LEDs show which one is selected."""
    wire.ask(Command.LAMPS, [Lamps.OFF])
    assert lit(wire, 1000) == [0] * 64
    wire.ask(Command.LAMPS, [Lamps.ON])
    assert lit(wire, 1000)[:4] == [1000] * 4
    wire.ask(Command.LAMPS, [Lamps.CURVE])
    for unit in (0, 1, 2):
        wire.select(unit)
        assert lit(wire, 1000)[2:4] == [1000 * (unit == 0), 1000 * (unit == 1)]


def press(wire, button):
    """Press a button, which bounces, and let it go; return the selected unit."""
    source = random.Random(button)
    for level in (1 << button, 0):
        for _ in range(20):
            wire.machine.buttons = level if source.random() < 0.5 else 0
            wire.machine.run(TICK // 40, BAUD)
        wire.machine.buttons = level
        wire.machine.run(40 * TICK, BAUD)
    return wire.ask(Command.STATUS)[0]


def test_buttons_step_through_the_units(wire):
    """One forwards, the other backwards, once a press, round and round."""
    assert [press(wire, 0) for _ in range(4)] == [1, 2, 0, 1]
    assert [press(wire, 1) for _ in range(3)] == [0, 2, 1]


def test_the_status_tells_which_buttons_are_pressed(wire):
    """At this moment."""
    wire.machine.buttons = 2
    assert wire.ask(Command.STATUS)[2] == 2


@pytest.mark.parametrize("interface", ["comb", "pipe", "stream", "axis"])
def test_a_unit_of_any_interface_becomes_a_stream(interface):
    """Every code comes out once and in order, also when results are taken now and then."""
    design = Spec("tanh", "SQ3.3", "SQ1.5", derivative="slope", derivative_output="SQ2.4", interface=interface).design()
    unit, source, results = StreamedUnit(design), random.Random(3), []
    bits = design.input.to_bits(design.codes()).tolist()

    async def drive(context):
        taken = 0
        for _ in range(1000):
            context.set(unit.i.valid, taken < len(bits) and source.random() < 0.7)
            context.set(unit.i.payload, bits[min(taken, len(bits) - 1)])
            context.set(unit.o.ready, source.random() < 0.6)
            # A comb path from ready to ready: what is read holds for this cycle.
            moved = context.get(unit.i.valid & unit.i.ready)
            if context.get(unit.o.valid & unit.o.ready):
                results.append((context.get(unit.o.payload.y), context.get(unit.o.payload.dy)))
            await context.tick()
            taken += moved

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    wanted = [design.evaluate(design.codes(), name) for name in ("y", "dy")]
    bits = [outputs_of(design)[name].to_bits(codes).tolist() for name, codes in zip(("y", "dy"), wanted)]
    assert results == list(zip(*bits))


def test_what_the_demo_cannot_have_is_refused():
    """Each in one sentence."""
    unit = designs()[0]
    with pytest.raises(RequestError, match="^Units must be 1 to 16, not 0$"):
        Demo([], CLOCK_HZ)
    with pytest.raises(RequestError, match="^Rate must be 2400 to 3000000 baud at 12000000 Hz, not 4000000$"):
        Demo([unit], 12_000_000, 4_000_000)

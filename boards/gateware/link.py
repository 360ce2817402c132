"""The link to the host: requests in, replies out, and what every gateware answers by itself."""

from amaranth.hdl import Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...errors import RequestError
from ..protocol import FAULT, LARGEST_REQUEST, REPLY, Command, Fault
from .framing import FrameReceiver, FrameSender
from .uart import LOWEST_BAUD, SHORTEST, UartReceiver, UartTransmitter, divisor_bits

__all__ = ["Link"]

#: Ticks without a byte after which half a frame is given up, and without a sound frame after which the rate falls back.
HALF_FRAME_TICKS = 32
FALL_BACK_TICKS = 512
#: Where records begin in the memory, behind the payload of a request.
RECORDS = LARGEST_REQUEST + 1


class Link(wiring.Component):
    """Requests from a serial line, one at a time, and their replies.

    ``PING`` and ``BAUD`` are answered here, as are frames that are not sound. Every other request is held, `valid`,
    until `reply` is high for a cycle. What arrives before the reply is out is dropped.

    Parameters
    ----------
    clock_hz : float
    default_baud : int
        Rate to begin with, and to fall back to when no sound frame has come for `fall_back_cycles`.
    argument_bytes : int
        Size of `arguments`, at least 2.
    records : bytes
        Constant replies, from address `RECORDS` on.

    Members
    -------
    rx : In(1)
    tx : Out(1)
    valid : Out(1)
    kind, length : Out(8)
        Of the request.
    arguments : Out(8 * argument_bytes)
        The last bytes of its payload, the very last one lowest.
    data : Out(8)
        A byte of the payload: the first one, from the second cycle of the request on.
    shift : In(1)
        Shift `data` into `arguments`, and go on to the next byte, which is there two cycles later.
    reply : In(1)
        Begin the reply, which is as the following say in that cycle.
    fault : In(3)
        A `Fault` to reply with, or 0.
    size : In(16)
        Bytes of the reply's payload.
    stored : In(1)
        Its payload is in memory; else it comes from `i`.
    address : In
        Where in memory, the payload of the request at 0, records from `RECORDS` on.
    i : In(stream.Signature(8))
    tick : Out(1)
        High for one cycle about 1000 times a second.
    phase : Out(8)
        Counts clock cycles.

    Attributes
    ----------
    tick_bits : int
        A tick comes every ``2**tick_bits`` cycles.
    fall_back_cycles : int
    """

    def __init__(self, clock_hz, default_baud, argument_bytes=2, records=b""):
        self.tick_bits = max(round(clock_hz / 1024).bit_length() - 1, 8)
        self.fall_back_cycles = FALL_BACK_TICKS << self.tick_bits
        self._bits, self._divisor = divisor_bits(clock_hz), round(clock_hz / default_baud)
        if not SHORTEST <= self._divisor < 1 << self._bits:
            raise RequestError(
                f"Rate must be {LOWEST_BAUD} to {clock_hz / SHORTEST:.0f} baud at {clock_hz:.0f} Hz, not {default_baud}"
            )
        self._memory = Memory(shape=8, depth=RECORDS + len(records), init=bytes(RECORDS) + records)
        super().__init__(
            {
                "rx": In(1, init=1),
                "tx": Out(1, init=1),
                "valid": Out(1),
                "kind": Out(8),
                "length": Out(8),
                "arguments": Out(8 * argument_bytes),
                "data": Out(8),
                "shift": In(1),
                "reply": In(1),
                "fault": In(3),
                "size": In(16),
                "stored": In(1),
                "address": In(range(self._memory.depth)),
                "i": In(stream.Signature(8)),
                "tick": Out(1),
                "phase": Out(8),
            }
        )

    def elaborate(self, platform):
        m = Module()
        late = Signal()
        m.submodules.receiver = receiver = UartReceiver(self._bits)
        m.submodules.transmitter = transmitter = UartTransmitter(self._bits)
        m.submodules.requests = ResetInserter(late)(requests := FrameReceiver())
        m.submodules.replies = replies = FrameSender()
        m.submodules.memory = self._memory
        divisor = Signal(self._bits, init=self._divisor)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        m.d.comb += [receiver.divisor.eq(divisor), transmitter.divisor.eq(divisor)]
        m.d.comb += [self.kind.eq(requests.kind), self.length.eq(requests.length)]
        wiring.connect(m, replies.o, transmitter.i)

        # The payload goes to the memory and through the arguments.
        write, read = self._memory.write_port(), self._memory.read_port()
        pointer = Signal.like(self.address)
        m.d.comb += [write.en.eq(requests.write), write.addr.eq(requests.address), write.data.eq(receiver.o.payload)]
        m.d.comb += [self.data.eq(read.data), read.addr.eq(pointer)]
        with m.If(requests.write | self.shift):
            m.d.sync += self.arguments.eq(Cat(Mux(self.shift, read.data, receiver.o.payload), self.arguments))
        with m.If(self.shift):
            m.d.sync += pointer.eq(pointer + 1)

        # What the reply is made of.
        fault, stored, fresh = Signal(3), Signal(), Signal()
        m.d.comb += [replies.tag.eq(requests.tag), replies.kind.eq(Mux(fault.any(), FAULT, requests.kind | REPLY))]
        with m.If(fault.any()):
            m.d.comb += [replies.i.payload.eq(fault), replies.i.valid.eq(1)]
        with m.Elif(stored):
            m.d.comb += [replies.i.payload.eq(read.data), replies.i.valid.eq(fresh)]
            m.d.sync += fresh.eq(1)
            with m.If(fresh & replies.i.ready):
                m.d.sync += [pointer.eq(pointer + 1), fresh.eq(0)]
        with m.Else():
            m.d.comb += [replies.i.payload.eq(self.i.payload), replies.i.valid.eq(self.i.valid)]
            m.d.comb += self.i.ready.eq(replies.i.ready)

        def answer(size):
            m.d.comb += [replies.start.eq(1), replies.length.eq(size)]
            m.next = "send"

        def refuse(why):
            m.d.sync += fault.eq(why)
            answer(1)

        with m.FSM() as machine:
            with m.State("receive"):
                m.d.comb += [requests.i.payload.eq(receiver.o.payload), requests.i.valid.eq(receiver.o.valid)]
                m.d.sync += [fault.eq(0), stored.eq(0), pointer.eq(0), fresh.eq(0)]
                with m.If(requests.fault.any()):
                    refuse(requests.fault)
                with m.Elif(late):
                    refuse(Fault.TIMEOUT)
                with m.Elif(requests.done):
                    with m.Switch(requests.kind):
                        with m.Case(Command.PING):
                            m.d.sync += stored.eq(1)
                            answer(requests.length)
                        with m.Case(Command.BAUD):
                            wanted = self.arguments[:16]
                            with m.If(requests.length != 2):
                                refuse(Fault.LENGTH)
                            with m.Elif((wanted < SHORTEST) | wanted[self._bits :].any()):
                                refuse(Fault.ARGUMENT)
                            with m.Else():
                                answer(0)
                        with m.Default():
                            m.next = "serve"
            with m.State("serve"):
                m.d.comb += self.valid.eq(1)
                with m.If(self.reply):
                    m.d.sync += stored.eq(self.stored)
                    with m.If(self.stored):
                        m.d.sync += pointer.eq(self.address)
                    answer(self.size)
                    with m.If(self.fault.any()):
                        refuse(self.fault)
            with m.State("send"):
                with m.If(replies.done & transmitter.i.ready):
                    m.next = "receive"
                    with m.If((requests.kind == Command.BAUD) & ~fault.any()):
                        m.d.sync += divisor.eq(self.arguments)
        serving = ~machine.ongoing("receive") & ~fault.any()
        self._time(m, receiver.o.valid, requests, late, serving, divisor)
        return m

    def _time(self, m, byte, requests, late, serving, divisor):
        """Ticks, and what is given up after some of them."""
        clock = Signal(self.tick_bits)
        silence, lapse = Signal(range(HALF_FRAME_TICKS + 1)), Signal(range(FALL_BACK_TICKS + 1))
        m.d.sync += clock.eq(clock + 1)
        m.d.comb += [self.tick.eq(clock.all()), self.phase.eq(clock), late.eq(silence == HALF_FRAME_TICKS)]
        with m.If(byte | ~requests.busy):
            m.d.sync += silence.eq(0)
        with m.Elif(self.tick):
            m.d.sync += silence.eq(silence + 1)
        with m.If(requests.done | serving):
            m.d.sync += lapse.eq(0)
        with m.Elif(lapse == FALL_BACK_TICKS):
            m.d.sync += [lapse.eq(0), divisor.eq(self._divisor)]
        with m.Elif(self.tick):
            m.d.sync += lapse.eq(lapse + 1)

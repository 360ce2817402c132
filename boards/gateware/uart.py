"""A serial port: eight bits, no parity, one stop bit, at a rate that is a number of clock cycles."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["LOWEST_BAUD", "SHORTEST", "UartReceiver", "UartTransmitter", "divisor_bits"]

#: Clock cycles of a bit, at least.
SHORTEST = 4
LOWEST_BAUD = 2400


def divisor_bits(clock_hz):
    """Bits of the clock cycles of a bit, at most 16."""
    return min(round(clock_hz / LOWEST_BAUD).bit_length(), 16)


class UartReceiver(wiring.Component):
    """Bytes from a serial line.

    A byte is valid for one cycle. A byte without its stop bit is dropped.

    Parameters
    ----------
    bits : int
        Width of `divisor`.

    Members
    -------
    rx : In(1)
        The line, of any clock.
    divisor : In(bits)
        Clock cycles of a bit, at least 4.
    o : Out(stream.Signature(8, always_ready=True))
    """

    def __init__(self, bits):
        super().__init__(
            {"rx": In(1, init=1), "divisor": In(bits), "o": Out(stream.Signature(8, always_ready=True))}
        )

    def elaborate(self, platform):
        m = Module()
        line, before = Signal(init=1), Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, line, init=1)
        m.d.sync += [before.eq(line), self.o.valid.eq(0)]
        # A one moves down ahead of the bits: where it ends says how many have come.
        bits, wait, busy = Signal(10), Signal.like(self.divisor), Signal()
        m.d.comb += self.o.payload.eq(bits[1:9])
        with m.If(~busy):
            with m.If(before & ~line):
                m.d.sync += [busy.eq(1), bits.eq(1 << 9), wait.eq(self.divisor >> 1)]
        with m.Elif(wait == 1):
            m.d.sync += [wait.eq(self.divisor), bits.eq(Cat(bits[1:], line))]
            with m.If(bits[0]):
                m.d.sync += [busy.eq(0), self.o.valid.eq(line)]
            with m.If((bits == 1 << 9) & line):
                m.d.sync += busy.eq(0)  # no start bit after all
        with m.Else():
            m.d.sync += wait.eq(wait - 1)
        return m


class UartTransmitter(wiring.Component):
    """Bytes to a serial line.

    Parameters
    ----------
    bits : int
        Width of `divisor`.

    Members
    -------
    tx : Out(1)
    divisor : In(bits)
        Clock cycles of a bit.
    i : In(stream.Signature(8))
    """

    def __init__(self, bits):
        super().__init__({"tx": Out(1, init=1), "divisor": In(bits), "i": In(stream.Signature(8))})

    def elaborate(self, platform):
        m = Module()
        # Start bit, byte and stop bit; nothing is left once the stop bit is out.
        bits, wait, over = Signal(10), Signal.like(self.divisor, init=1), Signal()
        m.d.comb += [over.eq(wait == 1), self.i.ready.eq((bits == 0) & over)]
        with m.If(~over):
            m.d.sync += wait.eq(wait - 1)
        with m.Elif(bits != 0):
            m.d.sync += [self.tx.eq(bits[0]), bits.eq(bits >> 1), wait.eq(self.divisor)]
        with m.Elif(self.i.valid):
            m.d.sync += bits.eq(Cat(0, self.i.payload, 1))
        return m

"""A unit of any interface as a pair of streams, and the bus of a programmable one."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...design import Design
from ...errors import RequestError
from ...programmable import ProgrammableDesign
from ..outputs import outputs_of

__all__ = ["BusMaster", "StreamedUnit", "check_design"]


def check_design(design):
    """Return `design` if the demo can have it, else raise RequestError."""
    if not isinstance(design, (Design, ProgrammableDesign)):
        raise RequestError(f"Unit must be that of a function, or programmable, not {design.name!r}")
    lanes = getattr(getattr(design, "shell", None), "lanes", 1)
    if lanes != 1:
        raise RequestError(f"Unit must have one lane on a board, not {lanes}: {design.name!r}")
    return design


class StreamedUnit(wiring.Component):
    """A unit between two streams, whatever its own interface.

    Parameters
    ----------
    design : Design or ProgrammableDesign

    Members
    -------
    i : In(stream.Signature(width of input))
    o : Out(stream.Signature(StructLayout))
        Fields `y` and, where there is one, `dy`.

    Attributes
    ----------
    latency : int
        Clock cycles from a code to its result.
    bus : object or None
        The bus of a programmable unit.
    """

    def __init__(self, design):
        self.design = check_design(design)
        self._unit = design.create()
        self._interface = design.shell.interface if isinstance(design, Design) else "programmable"
        self.latency = max(design.latency, 1)
        self.bus = getattr(self._unit, "bus", None)
        widths = {name: format.width for name, format in outputs_of(design).items()}
        super().__init__(
            {
                "i": In(stream.Signature(design.input.width)),
                "o": Out(stream.Signature(data.StructLayout(widths))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.unit = unit = self._unit
        if self._interface in ("comb", "pipe"):
            self._clocked(m, unit)
            return m
        sides = [(unit.i.valid, self.i.valid), (self.i.ready, unit.i.ready)]
        sides += [(self.o.valid, unit.o.valid), (unit.o.ready, self.o.ready)]
        m.d.comb += [there.eq(here) for there, here in sides]
        if self._interface == "axis":
            m.d.comb += [unit.i.payload.x.eq(self.i.payload), unit.i.payload.keep.eq(~0)]
        else:
            m.d.comb += unit.i.payload.eq(self.i.payload)
        if self._interface == "programmable":
            m.d.comb += self.o.payload.y.eq(unit.o.payload)
        else:
            self._results(m.d.comb, unit.o.payload)
        return m

    def _results(self, domain, given):
        for name in outputs_of(self.design):
            domain += getattr(self.o.payload, name).eq(getattr(given, name))

    def _clocked(self, m, unit):
        """A unit without handshakes stands still as a whole while its result is not taken."""
        valid = Signal(self.latency)
        move = self.o.ready | ~self.o.valid
        m.d.comb += [self.i.ready.eq(move), self.o.valid.eq(valid[-1]), unit.x.eq(self.i.payload)]
        with m.If(move):
            m.d.sync += valid.eq(Cat(self.i.valid, valid))
        if self._interface == "pipe":
            m.d.comb += unit.ce.eq(move)
            self._results(m.d.comb, unit)
        else:
            with m.If(move):
                self._results(m.d.sync, unit)


class BusMaster(wiring.Component):
    """One transfer at a time on the bus of a programmable unit.

    Members
    -------
    start : In(1)
        Held, with what follows, until `done`.
    write : In(1)
    address : In(16)
    data : In(32)
    done : Out(1)
        High in the cycle that ends the transfer.
    refused : Out(1)
        It was refused.
    result : Out(32)
        What was read.
    """

    start: In(1)
    write: In(1)
    address: In(16)
    data: In(32)
    done: Out(1)
    refused: Out(1)
    result: Out(32)

    def __init__(self, unit):
        self._kind, self._bus = unit.design.bus, unit.bus
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        {"axi-lite": self._axi_lite, "wishbone": self._wishbone}[self._kind](m, self._bus)
        return m

    def _wishbone(self, m, bus):
        m.d.comb += [
            *(bus.cyc.eq(self.start), bus.stb.eq(self.start), bus.we.eq(self.write), bus.sel.eq(~0)),
            *(bus.adr.eq(self.address), bus.dat_w.eq(self.data)),
            *(self.done.eq(bus.ack | bus.err), self.refused.eq(bus.err), self.result.eq(bus.dat_r)),
        ]

    def _axi_lite(self, m, bus):
        sent = Signal()  # the request is taken, its response to come
        m.d.comb += [
            *(bus.awaddr.eq(self.address), bus.araddr.eq(self.address), bus.wdata.eq(self.data), bus.wstrb.eq(~0)),
            *(bus.bready.eq(1), bus.rready.eq(1), self.result.eq(bus.rdata)),
        ]
        with m.If(~sent):
            m.d.comb += [bus.awvalid.eq(self.start & self.write), bus.wvalid.eq(self.start & self.write)]
            m.d.comb += bus.arvalid.eq(self.start & ~self.write)
            m.d.sync += sent.eq(bus.awvalid & bus.awready | bus.arvalid & bus.arready)
        with m.Else():
            with m.If(self.write):
                m.d.comb += [self.done.eq(bus.bvalid), self.refused.eq(bus.bresp != 0)]
            with m.Else():
                m.d.comb += [self.done.eq(bus.rvalid), self.refused.eq(bus.rresp != 0)]
            with m.If(self.done):
                m.d.sync += sent.eq(0)

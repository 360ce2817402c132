"""The whole unit: the datapath in the shell that the design asks for."""

from amaranth.hdl import ClockDomain, ClockSignal, EnableInserter, Module, Mux, ResetSignal, Signal  # noqa: F401
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .datapath import Datapath

__all__ = ["ActivationUnit"]


class ActivationUnit(wiring.Component):
    """Activation unit of a design.

    Accepts one code per cycle and returns results in order, `latency` cycles later. Its clock domain
    is ``sync``.

    Parameters
    ----------
    design : Design

    Members
    -------
    x : In(width of input)
        Input code (``comb`` and ``pipe``).
    y, dy : Out(width of output)
        Output codes (``comb`` and ``pipe``).
    ce : In(1)
        Clock enable (``pipe``).
    i : In(stream.Signature(width of input))
        Input codes (``stream``).
    o : Out(stream.Signature(StructLayout))
        Output codes, fields `y` and `dy` (``stream``). Held while not ready; `valid` never waits for `ready`.

    Attributes
    ----------
    design : Design
    latency : int
        Clock cycles from a code to its result; in cycles of a set enable, for ``pipe``.
    """

    def __init__(self, design):
        self.design = design
        self.latency = design.latency
        widths = {channel.name: channel.format.width for channel in design.channels}
        if design.shell.interface == "stream":
            members = {
                "i": In(stream.Signature(design.input.width)),
                "o": Out(stream.Signature(data.StructLayout(widths))),
            }
        else:
            members = {"x": In(design.input.width), **{name: Out(width) for name, width in widths.items()}}
            if design.shell.interface == "pipe":
                members["ce"] = In(1)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        interface = self.design.shell.interface
        datapath = Datapath(self.design)
        getattr(self, f"_{interface}")(m, datapath)
        return m

    def _results(self, sink, datapath):
        return [getattr(sink, c.name).eq(getattr(datapath, c.name)) for c in self.design.channels]

    def _comb(self, m, datapath):
        m.submodules.datapath = datapath
        m.d.comb += [datapath.x.eq(self.x), *self._results(self, datapath)]

    def _pipe(self, m, datapath):
        m.submodules.datapath = EnableInserter(self.ce)(datapath)
        m.d.comb += [datapath.x.eq(self.x), *self._results(self, datapath)]

    def _stream(self, m, datapath):
        # The whole pipeline moves, or none of it: it stands still while a result waits to be taken.
        move = Signal()
        m.submodules.datapath = EnableInserter(move)(datapath)
        valid = self.i.valid
        for number in range(1, self.latency + 1):
            stage = Signal(name=f"valid_{number}")
            with m.If(move):
                m.d.sync += stage.eq(valid)
            valid = stage
        m.d.comb += [
            datapath.x.eq(self.i.payload),
            self.o.valid.eq(valid),
            move.eq(self.o.ready | ~valid),
            self.i.ready.eq(move),
            *self._results(self.o.payload, datapath),
        ]

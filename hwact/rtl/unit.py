"""The whole unit: the datapath in the shell that the design asks for."""

from amaranth.hdl import Cat, EnableInserter, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .datapath import Datapath

__all__ = ["ActivationUnit"]


class ActivationUnit(wiring.Component):
    """Activation unit of a design.

    Accepts one code per lane and cycle and returns results in order, `latency` cycles later. Its clock domain
    is ``sync``. Lanes lie side by side in every word of codes, lane 0 in the lowest bits.

    Parameters
    ----------
    design : Design

    Members
    -------
    x : In(lanes * width of input)
        Input codes (``comb`` and ``pipe``).
    y, dy : Out(lanes * width of output)
        Output codes (``comb`` and ``pipe``).
    ce : In(1)
        Clock enable (``pipe``).
    i : In(stream.Signature(lanes * width of input))
        Input codes (``stream``); for ``axis`` a structure of `x`, `keep` (a bit a lane), `last` and `user`.
    o : Out(stream.Signature(StructLayout))
        Output codes, fields `y` and `dy`; for ``axis`` `keep`, `last` and `user` too, as they came with their
        codes. Held while not ready; `valid` never waits for `ready`.

    Attributes
    ----------
    design : Design
    latency : int
        Clock cycles from a code to its result; in cycles of a set enable, for ``pipe``.
    """

    def __init__(self, design):
        self.design = design
        self.latency = design.latency
        shell, lanes = design.shell, design.shell.lanes
        x, widths = lanes * design.input.width, {c.name: lanes * c.format.width for c in design.channels}
        self._sidebands = {"keep": lanes, "last": 1, "user": shell.tuser} if shell.interface == "axis" else {}
        if shell.streaming:
            taken = data.StructLayout({"x": x, **self._sidebands}) if self._sidebands else x
            members = {
                "i": In(stream.Signature(taken)),
                "o": Out(stream.Signature(data.StructLayout({**widths, **self._sidebands}))),
            }
        else:
            members = {"x": In(x), **{name: Out(width) for name, width in widths.items()}}
            if shell.interface == "pipe":
                members["ce"] = In(1)
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        getattr(self, f"_{self.design.shell.interface}")(m)
        return m

    def _lanes(self, m, x, sink, enable=None):
        """The arithmetic of every lane, from `x` to the fields of `sink`."""
        lanes = self.design.shell.lanes
        datapaths = [Datapath(self.design) for _ in range(lanes)]
        for lane, datapath in enumerate(datapaths):
            name = "datapath" if lanes == 1 else f"lane_{lane}"
            m.submodules[name] = datapath if enable is None else EnableInserter(enable)(datapath)
            m.d.comb += datapath.x.eq(x.word_select(lane, len(datapath.x)))
        for channel in self.design.channels:
            m.d.comb += getattr(sink, channel.name).eq(Cat(getattr(datapath, channel.name) for datapath in datapaths))

    def _comb(self, m):
        self._lanes(m, self.x, self)

    def _pipe(self, m):
        self._lanes(m, self.x, self, self.ce)

    def _stream(self, m):
        self._handshake(m, self.i.payload)

    def _axis(self, m):
        beside = self._handshake(m, self.i.payload.x, Cat(self.i.payload[name] for name in self._sidebands))
        low = 0
        for name, width in self._sidebands.items():
            m.d.comb += self.o.payload[name].eq(beside[low : low + width])
            low += width

    def _handshake(self, m, x, beside=None):
        """Lanes between valid and ready, and what travels beside them; return the latter as it comes out."""
        # The whole pipeline moves, or none of it: it stands still while a result waits to be taken.
        move = Signal()
        valid = self.i.valid
        for number in range(1, self.latency + 1):
            stage = Signal(name=f"valid_{number}")
            with m.If(move):
                m.d.sync += stage.eq(valid)
            valid = stage
            if beside is not None:
                stage = Signal(len(beside), name=f"beside_{number}")
                with m.If(move):
                    m.d.sync += stage.eq(beside)
                beside = stage
        m.d.comb += [self.o.valid.eq(valid), move.eq(self.o.ready | ~valid), self.i.ready.eq(move)]
        self._lanes(m, x, self.o.payload, move)
        return beside

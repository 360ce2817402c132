"""The shell of a unit whose samples carry something beside the input code."""

from amaranth.hdl import EnableInserter, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["SidebandUnit"]


class SidebandUnit(wiring.Component):
    """A unit that takes a code and its sideband every cycle, and gives results in order, `latency` cycles later.

    Its clock domain is ``sync``.

    Parameters
    ----------
    design
        With `shell`, `input`, `channels`, `latency`, and `sideband`: name and width of what comes beside x.

    Members
    -------
    x, SIDEBAND : In
        Input code and what comes beside it (``comb`` and ``pipe``).
    y, dy : Out
        Output codes (``comb`` and ``pipe``).
    ce : In(1)
        Clock enable (``pipe``).
    i : In(stream.Signature(StructLayout))
        Fields `x` and SIDEBAND (``stream``).
    o : Out(stream.Signature(StructLayout))
        Output codes, fields `y` and `dy` (``stream``). Held while not ready; `valid` never waits for `ready`.
    """

    def __init__(self, design):
        self.design, self.latency = design, design.latency
        name, width = design.sideband
        self._inputs = {"x": design.input.width, name: width}
        self._outputs = {channel.name: channel.format.width for channel in design.channels}
        if design.shell.interface == "stream":
            members = {
                "i": In(stream.Signature(data.StructLayout(self._inputs))),
                "o": Out(stream.Signature(data.StructLayout(self._outputs))),
            }
        else:
            members = {name: In(width) for name, width in self._inputs.items()}
            members |= {name: Out(width) for name, width in self._outputs.items()}
            if design.shell.interface == "pipe":
                members["ce"] = In(1)
        super().__init__({**members, **{name: In(width) for name, width in design.beside.items()}})

    def datapath(self, m, move):
        """Place the datapath, whose registers move in cycles with `move` (None: there are none)."""
        raise NotImplementedError

    @staticmethod
    def enabled(move, component):
        """The component, its registers enabled by `move`."""
        return component if move is None else EnableInserter(move)(component)

    def elaborate(self, platform):
        m = Module()
        getattr(self, f"_{self.design.shell.interface}")(m)
        return m

    def _join(self, m, source, datapath, sink):
        m.d.comb += [getattr(datapath, name).eq(getattr(source, name)) for name in self._inputs]
        m.d.comb += [getattr(sink, name).eq(getattr(datapath, name)) for name in self._outputs]

    def _comb(self, m):
        self._join(m, self, self.datapath(m, None), self)

    def _pipe(self, m):
        self._join(m, self, self.datapath(m, self.ce), self)

    def _stream(self, m):
        # The whole pipeline moves, or none of it: it stands still while a result waits to be taken.
        move = Signal()
        self._join(m, self.i.payload, self.datapath(m, move), self.o.payload)
        valid = self.i.valid
        for number in range(1, self.latency + 1):
            stage = Signal(name=f"valid_{number}")
            with m.If(move):
                m.d.sync += stage.eq(valid)
            valid = stage
        m.d.comb += [self.o.valid.eq(valid), move.eq(self.o.ready | ~valid), self.i.ready.eq(move)]

"""The circuit of a parametric unit: a memory, a product, the unit of the function, a product."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..rtl import Datapath
from ..sideband.rtl import SidebandUnit

__all__ = ["ParametricUnit", "Scale"]


class Scale(wiring.Component):
    """Multiply a code by a factor, round to nearest, clamp; see `scaled`.

    Parameters
    ----------
    factor, format : Format
        Of the factor, and of the code and the result.

    Members
    -------
    factor, code : In
        Bits.
    result : Out
        Bits.
    """

    def __init__(self, factor, format):
        self._factor, self._format = factor, format
        super().__init__({"factor": In(factor.width), "code": In(format.width), "result": Out(format.width)})

    def elaborate(self, platform):
        m = Module()
        format, shift = self._format, self._factor.frac_bits
        factor = self.factor.as_signed() if self._factor.signed else self.factor
        code = self.code.as_signed() if format.signed else self.code
        product = factor * code
        rounded = (product + (1 << shift - 1)) >> shift if shift > 0 else product << -shift
        m.d.comb += self.result.eq(
            Mux(rounded < format.min_code, format.min_code, Mux(rounded > format.max_code, format.max_code, rounded))
        )
        return m


class ParametricUnit(SidebandUnit):
    """Unit for beta * f(alpha * x), `channel` beside each input code; see `SidebandUnit` for its ports.

    A sample has the alpha and beta that its channel has in the cycle in which it is taken. What is written in that
    cycle counts for samples of later cycles.

    Parameters
    ----------
    design : ParametricDesign

    Members
    -------
    w_enable : In(1)
        Write, whatever the samples do.
    w_channel, w_alpha, w_beta : In
        Where and what.
    """

    def datapath(self, m, move):
        """The datapath, which moves in cycles with `move`."""
        design = self.design
        names = {"x": In(design.input.width), "channel": In(design.sideband[1])}
        ports = wiring.Signature({**names, "y": Out(design.channels[0].format.width)}).create()
        memory = Memory(shape=design.alpha.width + design.beta.width, depth=design.channels_count, init=[])
        m.submodules.memory = memory
        # Samples stand still while a result waits, writes do not: the memory is outside of the pipeline.
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            write.en.eq(self.w_enable),
            write.addr.eq(self.w_channel),
            write.data.eq(Cat(self.w_alpha, self.w_beta)),
            read.en.eq(move),
            read.addr.eq(ports.channel),
        ]
        alpha, beta = read.data[: design.alpha.width], read.data[design.alpha.width :]
        m.submodules.before = before = Scale(design.alpha, design.input)
        m.submodules.behind = behind = Scale(design.beta, design.channels[0].format)
        datapath = Datapath(design.inner)
        m.submodules.datapath = self.enabled(move, datapath)
        x, argument, y = Signal.like(ports.x), Signal.like(ports.x), Signal.like(ports.y)
        with m.If(move):
            m.d.sync += [x.eq(ports.x), argument.eq(before.result), y.eq(behind.result)]
        m.d.comb += [before.factor.eq(alpha), before.code.eq(x), datapath.x.eq(argument)]
        for number in range(design.inner.latency + 1):
            delayed = Signal(design.beta.width, name=f"beta_{number}")
            with m.If(move):
                m.d.sync += delayed.eq(beta)
            beta = delayed
        m.d.comb += [behind.factor.eq(beta), behind.code.eq(datapath.y), ports.y.eq(y)]
        return ports

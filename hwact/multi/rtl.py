"""The circuit of a unit of several functions: the steps of a single one, but for folding and unfolding."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..rtl import Datapath
from ..rtl.fold import negates
from ..rtl.lookup import span
from ..rtl.stages import Step, schedule, unfolded_range
from ..rtl.stages import _Atom as Atom
from ..rtl.stages import _ChannelPlan as ChannelPlan
from ..sideband.rtl import SidebandUnit

__all__ = ["Fold", "Mirror", "MultiDatapath", "MultiPlan", "MultiUnit", "Restore"]


def chosen(page, entries):
    """The entry (none is negative) that belongs to a function's number, without a case: a value."""
    width = max(max(entries).bit_length(), 1)
    if len(set(entries)) == 1:
        return Const(entries[0], width)
    value = Const(0, width)
    for entry in sorted(set(entries) - {0}):
        here = Cat(*(page == number for number, other in enumerate(entries) if other == entry)).any()
        value = value | Mux(here, Const(entry, width), 0)
    return value


class Fold(wiring.Component):
    """Turn a function's number and an input code into an index of the table of all functions.

    Parameters
    ----------
    channel : MultiChannel
    input : Format
    width : int
        Bits of the index.

    Members
    -------
    x : In(width of input)
        Bits of the input code.
    select : In
    u : Out
        Index; the function's number is in its upper bits.
    negative : Out(1)
        Whether the code lies in the mirrored half of a folded function.
    page : Out
        The function's number: `select`, or the last one.
    """

    def __init__(self, channel, input, width):
        self._channel = channel
        self._signed = input.signed
        bits = (len(channel.folds) - 1).bit_length()
        ports = {"x": In(input.width), "select": In(bits), "u": Out(width)}
        super().__init__({**ports, "negative": Out(1), "page": Out(bits)})

    def elaborate(self, platform):
        m = Module()
        folds, bits = self._channel.folds, self._channel.page_bits
        last = len(folds) - 1
        m.d.comb += self.page.eq(Mux(self.select > last, last, self.select))
        index = Signal(bits)
        m.d.comb += self.u.eq(Cat(index, self.page))
        sign = self.x[-1]
        whole = chosen(self.page, [int(fold.index == "none") for fold in folds])
        # A range that is not folded is offset binary: the sign bit flips.
        upper = Mux(whole, ~sign, 0) if self._signed else sign
        m.d.comb += self.negative.eq(sign & ~whole if self._signed else 0)
        code, mirror = self.x, self.negative.replicate(len(self.x))
        if any(fold.index == "negate" for fold in folds):
            # -x is ~(x - 1): one adder whose sum bits are inverted where the code is negative; for the smallest code,
            # whose magnitude is beyond the page, it stays ~x.
            negate = Signal()
            magnitude = chosen(self.page, [int(fold.index == "negate") for fold in folds])
            m.d.comb += negate.eq(self.negative & magnitude & self.x[:-1].any())
            code = (self.x + negate.replicate(len(self.x)))[: len(self.x)]
        m.d.comb += index.eq(Cat((code ^ mirror)[:-1], upper))
        return m


class Mirror(wiring.Component):
    """What the mirrored half asks of the output.

    Parameters
    ----------
    channel : MultiChannel

    Members
    -------
    negative : In(1)
    page : In
        The function's number.
    inverted : Out(1)
        The function is odd, and the code in its mirrored half.
    minus : Out(1)
        And the mirror is a plain negation.
    """

    def __init__(self, channel):
        self._channel = channel
        bits = (len(channel.folds) - 1).bit_length()
        super().__init__({"negative": In(1), "page": In(bits), "inverted": Out(1), "minus": Out(1)})

    def elaborate(self, platform):
        m = Module()
        folds, width = self._channel.folds, self._channel.format.width
        odd = [int(fold.restore == "odd") for fold in folds]
        plain = [int(negates(fold, width)) for fold in folds]
        m.d.comb += self.inverted.eq(self.negative & chosen(self.page, odd))
        m.d.comb += self.minus.eq(self.negative & chosen(self.page, plain))
        return m


class Restore(wiring.Component):
    """Restore the output of the full range from that of half of it, as the function at hand needs it.

    Parameters
    ----------
    channel : MultiChannel
    input : Format
    halves : (int, int)
        Range of g.
    outputs : (int, int)
        Range of the result.
    decremented : bool
        The input is ``g - 1`` where a plain negation is asked for.

    Members
    -------
    g : In
    x : In(width of input)
        Bits of the input code (for ramps).
    inverted : In(1)
    page : In
        The function's number.
    y : Out
        Output code.
    """

    def __init__(self, channel, input, halves, outputs, decremented=False):
        self._channel, self._decremented = channel, decremented
        bits = (len(channel.folds) - 1).bit_length()
        least, most = halves
        ports = {"g": In(span(least - decremented, most)), "x": In(input.width), "inverted": In(1), "page": In(bits)}
        super().__init__({**ports, "y": Out(span(*outputs))})

    def elaborate(self, platform):
        m = Module()
        folds, width = self._channel.folds, len(self.y)
        wide = Signal(width)
        m.d.comb += wide.eq(self.g)
        value = wide ^ self.inverted.replicate(width)
        rests = [self._rest(fold, width) for fold in folds]
        if any(rests):
            value = (value + Mux(self.inverted, chosen(self.page, rests), 0))[:width]
        ramps = {fold.ramp_shift for fold in folds if fold.restore.startswith("ramp")}
        for shift in sorted(ramps):
            added = [self._sides(fold, shift) for fold in folds]
            rises = Signal(name=f"rises_{shift}")
            m.d.comb += rises.eq(chosen(self.page, added).bit_select(self.x[-1], 1))
            # Added first and selected afterwards: an adder cell does both.
            value = Mux(rises, (value + (self.x.as_signed() << shift))[:width], value)
        m.d.comb += self.y.eq(value)
        return m

    def _rest(self, fold, width):
        """What is added behind the inversion of an odd function."""
        if fold.restore != "odd":
            return 0
        decremented = self._decremented and negates(fold, self._channel.format.width)
        return (fold.constant + (not decremented)) % (1 << width)

    @staticmethod
    def _sides(fold, shift):
        """On which sides a ramp is added: bit 0 where x >= 0, bit 1 where x < 0."""
        if fold.ramp_shift != shift:
            return 0
        return {"ramp": 1, "ramp_down": 2}.get(fold.restore, 0)


class MultiPlan(ChannelPlan):
    """The atoms of one channel of a unit of several functions."""

    def __init__(self, design, channel, owners):
        super().__init__(design, channel.single(0, design.input), owners)
        self.channel, self.core = channel, channel.core
        self.u_width = channel.page_bits + design.select_bits
        self.index = channel.page_bits, tuple(fold.index for fold in channel.folds)
        self.owner = owners.setdefault(self.index, self.name)
        self.u, self.negative = f"{self.owner}_u", f"{self.owner}_negative"
        self.minus = f"{self.name}_minus"

    def atoms(self):
        """The atoms in order."""
        fold, *rest = super().atoms()

        def make():
            nets = {"negative": self.negative, **self._own("inverted", "minus")}
            return Step(f"{self.name}_mirror", Mirror(self.channel), nets)

        return [fold, Atom(make, 0.0), *rest]

    def _fold(self):
        def make():
            circuit = Fold(self.channel, self.design.input, self.u_width)
            return Step(f"{self.owner}_fold", circuit, {"u": self.u, "negative": self.negative})

        adds = any(fold.index == "negate" for fold in self.channel.folds)
        return Atom(make, 1.5, self.design.input.width if adds else 0, key=self.index)

    def _negates(self):
        return any(negates(fold, self.channel.format.width) for fold in self.channel.folds)

    def _unfold(self, outputs):
        return Restore(self.channel, self.design.input, self.halves, outputs, self.decremented)

    def _mirrors(self):
        return False

    def _adds(self):
        return any(fold.restore == "odd" or fold.restore.startswith("ramp") for fold in self.channel.folds)

    def _output_range(self):
        ranges = [unfolded_range(fold, self.halves, self.design.input) for fold in self.channel.folds]
        return min(least for least, _ in ranges), max(most for _, most in ranges)


class MultiDatapath(Datapath):
    """From a function's number and an input code to the output codes; see `Datapath`.

    Members
    -------
    select : In
        The function's number.
    """

    @staticmethod
    def inputs(design):
        """Width of each input by its name."""
        return {"x": design.input.width, "select": design.select_bits}

    @staticmethod
    def stages(design):
        """Steps of each stage."""
        return schedule(design, MultiPlan)


class MultiUnit(SidebandUnit):
    """Unit of several functions, `select` beside each input code; see `SidebandUnit` for its ports.

    Parameters
    ----------
    design : MultiDesign
    """

    def datapath(self, m, move):
        """The datapath, which moves in cycles with `move`."""
        datapath = MultiDatapath(self.design)
        m.submodules.datapath = self.enabled(move, datapath)
        return datapath

"""Folding the input range, and restoring it behind the table."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .carry import AddIf, Mirror, NegateIf
from .lookup import span

__all__ = ["FoldInput", "Unfold", "negates"]


class FoldInput(wiring.Component):
    """Turn an input code into the index of a table over half the range.

    Parameters
    ----------
    fold : Fold
    input : Format
    width : int
        Bits of the largest index.
    carry_cells : str
        As in `Design`.

    Members
    -------
    x : In(width of input)
        Bits of the input code.
    u : Out
        Index.
    negative : Out(1)
        Whether the code lies in the mirrored half; 0 where nothing is folded.
    """

    def __init__(self, fold, input, width, carry_cells=""):
        self._fold, self._carry_cells = fold, carry_cells
        self._signed = input.signed
        super().__init__({"x": In(input.width), "u": Out(width), "negative": Out(1)})

    def elaborate(self, platform):
        m = Module()
        sign = self.x[-1]
        if self._fold.index == "none":
            # Offset binary: the sign bit flips.
            m.d.comb += self.u.eq(Cat(self.x[:-1], ~sign) if self._signed else self.x)
            return m
        m.d.comb += self.negative.eq(sign)
        mirror = sign.replicate(len(self.x))
        if self._fold.index == "negate" and self._carry_cells:
            m.submodules.negate = negate = NegateIf(len(self.x))
            m.d.comb += [negate.a.eq(self.x), negate.enable.eq(sign), self.u.eq(negate.sum)]
        elif self._fold.index == "negate":
            # -x is ~(x - 1): one adder whose sum bits are inverted where the code is negative.
            m.d.comb += self.u.eq((self.x + mirror) ^ mirror)
        else:
            m.d.comb += self.u.eq(self.x ^ mirror)
        return m


def negates(fold, width):
    """Tell whether an odd fold mirrors by a plain negation of `width` output bits."""
    return fold.restore == "odd" and fold.constant % (1 << width) == 0


class Unfold(wiring.Component):
    """Restore the output of the full range from that of half of it.

    Odd folds use ``-g = ~(g - 1)``: where a constant is left over it is added behind the inversion,
    ``constant - g = ~g + (constant + 1)``. With `decremented`, the input is ``g`` in the positive half
    and already ``g - 1`` in the mirrored one, so that a negation is an inversion.

    Parameters
    ----------
    fold : Fold
    input : Format
    halves : (int, int)
        Range of g.
    outputs : (int, int)
        Range of the result.
    decremented : bool
    carry_cells : str
        As in `Design`.

    Members
    -------
    g : In
    x : In(width of input)
        Bits of the input code (for ramps).
    negative : In(1)
    y : Out
        Output code.
    """

    def __init__(self, fold, input, halves, outputs, decremented=False, carry_cells=""):
        self._fold, self._decremented, self._carry_cells = fold, decremented, carry_cells
        least, most = halves
        super().__init__(
            {
                "g": In(span(least - decremented, most)),
                "x": In(input.width),
                "negative": In(1),
                "y": Out(span(*outputs)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fold = self._fold
        if fold.restore in ("none", "even"):
            m.d.comb += self.y.eq(self.g)
        elif fold.restore == "odd":
            wide = Signal(len(self.y))
            mirror = self.negative.replicate(len(wide))
            rest = (fold.constant + (not self._decremented)) % (1 << len(wide))
            m.d.comb += wide.eq(self.g)
            if rest and self._carry_cells:
                m.submodules.mirror = adder = Mirror(len(wide), rest)
                m.d.comb += [adder.a.eq(wide), adder.enable.eq(self.negative), self.y.eq(adder.sum)]
            else:
                m.d.comb += self.y.eq((wide ^ mirror) + Mux(self.negative, rest, 0) if rest else wide ^ mirror)
        else:
            ramp = self.x.as_signed() << fold.ramp_shift
            if self._carry_cells:
                m.submodules.add = adder = AddIf(len(self.y), enable_low=fold.restore == "ramp")
                m.d.comb += [adder.a.eq(self.g), adder.b.eq(ramp), adder.enable.eq(self.negative), self.y.eq(adder.sum)]
            else:
                beside = self.negative if fold.restore == "ramp" else ~self.negative
                m.d.comb += self.y.eq(Mux(beside, self.g, self.g + ramp))
        return m


"""Folding the input range, and restoring it behind the table."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

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

    Members
    -------
    x : In(width of input)
        Bits of the input code.
    u : Out
        Index.
    negative : Out(1)
        Whether the code lies in the mirrored half; 0 where nothing is folded.
    """

    def __init__(self, fold, input, width):
        self._fold = fold
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
        if self._fold.index == "negate":
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

    Members
    -------
    g : In
    x : In(width of input)
        Bits of the input code (for ramps).
    negative : In(1)
    y : Out
        Output code.
    """

    def __init__(self, fold, input, halves, outputs, decremented=False):
        self._fold = fold
        self._decremented = decremented
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
            m.d.comb += self.y.eq((wide ^ mirror) + Mux(self.negative, rest, 0) if rest else wide ^ mirror)
        else:
            code = self.x.as_signed()
            beside = self.negative if fold.restore == "ramp" else ~self.negative
            m.d.comb += self.y.eq(Mux(beside, self.g, self.g + (code << fold.ramp_shift)))
        return m


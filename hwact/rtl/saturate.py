"""Clamping to the output format."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .lookup import span

__all__ = ["Saturate"]


class Saturate(wiring.Component):
    """Clamp an integer to the codes of a format.

    Parameters
    ----------
    least, most : int
        Range of the input.
    format : Format

    Members
    -------
    raw : In
    y : Out
    """

    def __init__(self, least, most, format):
        self._format = format
        super().__init__(
            {"raw": In(span(least, most)), "y": Out(span(format.min_code, format.max_code))}
        )

    def elaborate(self, platform):
        m = Module()
        format = self._format
        with m.If(self.raw < format.min_code):
            m.d.comb += self.y.eq(format.min_code)
        with m.Elif(self.raw > format.max_code):
            m.d.comb += self.y.eq(format.max_code)
        with m.Else():
            m.d.comb += self.y.eq(self.raw)
        return m

"""Clamping to the output format."""

from amaranth.hdl import Module, Mux
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
        self._least, self._most = least, most
        super().__init__(
            {"raw": In(span(least, most)), "y": Out(span(format.min_code, format.max_code))}
        )

    def elaborate(self, platform):
        m = Module()
        format, clamped = self._format, self.raw
        if self._most > format.max_code:
            clamped = Mux(self.raw > format.max_code, format.max_code, clamped)
        if self._least < format.min_code:
            clamped = Mux(self.raw < format.min_code, format.min_code, clamped)
        m.d.comb += self.y.eq(clamped)
        return m

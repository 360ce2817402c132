"""Which aligned block an index lies in, and how far into it."""

from amaranth.hdl import Cat, Module, Shape
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Select", "addresses"]


def addresses(lines):
    """First and last address of the segments' table entries."""
    first = lines.starts[0] >> lines.offset_bits if lines.segmentation == "uniform" else 0
    return first, first + lines.segments - 1


class Select(wiring.Component):
    """Find the segment of an index among aligned blocks.

    See `Search` for free breakpoints. Uniform blocks need no logic: the segment is the index's upper bits, the offset its lower ones.
    Dyadic blocks are recognised by their leading bits.

    Parameters
    ----------
    lines : Lines
    width : int
        Bits of the index.

    Members
    -------
    u : In(width)
    segment : Out
        Address of the segment's table entries (see `addresses`).
    offset : Out
        u less the segment's start; where segments meet in pairs, u less the start of the pair's right one.
    """

    def __init__(self, lines, width):
        self._lines = lines
        self._paired = lines.joints is not None
        super().__init__(
            {
                "u": In(width),
                "segment": Out(addresses(lines)[1].bit_length()),
                "offset": Out(Shape(lines.offset_bits + self._paired, signed=self._paired)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        getattr(self, f"_{self._lines.segmentation}")(m)
        return m

    def _uniform(self, m):
        bits = self._lines.offset_bits
        m.d.comb += self.segment.eq(self.u >> bits)
        m.d.comb += self.offset.eq(Cat(self.u[:bits], ~self.segment[0]) if self._paired else self.u)

    def _dyadic(self, m):
        width = len(self.u)
        with m.Switch(self.u):
            for k, (start, size) in enumerate(zip(self._lines.starts, self._lines.sizes)):
                low = size.bit_length() - 1
                prefix = format(start >> low, "b").zfill(width - low) if low < width else ""
                with m.Case(prefix + "-" * min(low, width)):
                    m.d.comb += self.segment.eq(k)
                    m.d.comb += self.offset.eq(self.u[:low])

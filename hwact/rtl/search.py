"""Which of freely placed segments an index lies in, in parts, so that registers can stand between them."""

from amaranth.hdl import Cat, Const, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Offset", "Search"]


class Search(wiring.Component):
    """A part of the search for the last start that an index has reached.

    Level 0 compares the index with all starts at once. Level k + 1 joins blocks of ``2**k`` segments in pairs: the
    flag of the second one's start says which of them counts, and is one more bit of the segment's number.

    Parameters
    ----------
    lines : Lines
    width : int
        Bits of the index.
    first, last : int
        Levels ``first <= level < last``.

    Members
    -------
    u : In(width)
        Index; for level 0 alone.
    flags, found : In
        Whether the starts of the blocks but the first are reached, and the number within each block; for
        later levels alone.
    left, inner : Out
        The same behind these levels; absent for the last one.
    segment : Out
        The segment's number; of the last level alone.
    """

    def __init__(self, lines, width, first, last):
        self._lines, self._levels = lines, range(first, last)
        if first:
            ports = {"flags": In(self._blocks(first) - 1), "found": In(self._blocks(first) * (first - 1))}
        else:
            ports = {"u": In(width)}
        if last > self.bits(lines):
            ports["segment"] = Out(self.bits(lines))
        else:
            ports |= {"left": Out(self._blocks(last) - 1), "inner": Out(self._blocks(last) * (last - 1))}
        super().__init__(ports)

    @staticmethod
    def bits(lines):
        """Bits of a segment's number."""
        return (lines.segments - 1).bit_length()

    def _blocks(self, level):
        """Blocks before a level."""
        return -(-self._lines.segments >> (level - 1))

    def elaborate(self, platform):
        m = Module()
        flags, found = self._begin()
        for _ in range(max(self._levels.start, 1), self._levels.stop):
            flags, found = flags[1::2], [self._join(flags, found, first) for first in range(0, len(found), 2)]
        if hasattr(self, "segment"):
            m.d.comb += self.segment.eq(found[0])
        else:
            m.d.comb += [self.left.eq(Cat(*flags)), self.inner.eq(Cat(*found))]
        return m

    def _begin(self):
        """Flags of the blocks but the first, and the number within each."""
        if not self._levels.start:
            return [self.u >= start for start in self._lines.starts[1:]], [Const(0, 0)] * self._lines.segments
        bits = self._levels.start - 1
        blocks = range(self._blocks(self._levels.start))
        return list(self.flags), [self.found[block * bits : (block + 1) * bits] for block in blocks]

    @staticmethod
    def _join(flags, found, first):
        """The number within two blocks."""
        if first + 1 == len(found):
            return Cat(found[first], Const(0, 1))
        return Cat(Mux(flags[first], found[first + 1], found[first]), flags[first])


class Offset(wiring.Component):
    """How far an index lies behind its segment's start.

    Parameters
    ----------
    lines : Lines
    width : int
        Bits of the index.

    Members
    -------
    u, start : In(width)
    offset : Out
    """

    def __init__(self, lines, width):
        start = max(lines.starts).bit_length()
        super().__init__({"u": In(width), "start": In(start), "offset": Out(lines.offset_bits)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.offset.eq(self.u - self.start)
        return m

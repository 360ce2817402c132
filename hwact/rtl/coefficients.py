"""The tables of slopes and intercepts, or of outputs."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .lookup import lookup, span

__all__ = ["Coefficients"]


def index_width(address_width, first, tables):
    """Bits of the address that tables need, if larger addresses are taken for the largest index.

    Behind some point a function is flat: from there on, every table repeats its last entry.
    """
    lengths = []
    for entries in tables:
        flat = len(entries) - 1
        while flat and entries[flat - 1] == entries[-1]:
            flat -= 1
        lengths.append(first + flat)
    return min(max(lengths).bit_length(), address_width)


class Coefficients(wiring.Component):
    """Tables that share one address.

    Parameters
    ----------
    address_width : int
    first : int
        Address of the first entries.
    tables : dict of str to sequence of int
        Entries by the name of the port that gives them.
    mirrored : tuple of str
        Tables whose entries are inverted where `negative` is set: within a table, that takes few cells or none.

    Members
    -------
    address : In(address_width)
    negative : In(1)
        Absent where nothing is mirrored.
    NAME : Out
        One port a table, of the smallest shape that holds its entries.
    """

    def __init__(self, address_width, first, tables, mirrored=()):
        self._first, self._tables, self._mirrored = first, tables, mirrored
        ports = {"negative": In(1)} if mirrored else {}
        ports |= {name: Out(span(min(entries), max(entries))) for name, entries in tables.items()}
        super().__init__({"address": In(address_width), **ports})

    def elaborate(self, platform):
        m = Module()
        width = index_width(len(self.address), self._first, self._tables.values())
        index = self.address
        if width < len(self.address):
            index = Signal(width)
            beyond = self.address[width:].any()
            m.d.comb += index.eq(self.address[:width] | beyond.replicate(width))
        for name, entries in self._tables.items():
            out = getattr(self, name)
            found = Signal.like(out, name=f"{name}_entry") if name in self._mirrored else out
            lookup(m, index, entries[: (1 << width) - self._first], self._first, found)
            if name in self._mirrored:
                m.d.comb += out.eq(found ^ self.negative.replicate(len(found)))
        return m

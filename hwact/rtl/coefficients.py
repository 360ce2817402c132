"""The tables of slopes and intercepts, or of outputs."""

from amaranth.hdl import Module, Mux, Signal
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
    mirrored : dict of str to sequence of int
        Other entries of some tables, for where `negative` is set. Where they are the complements of the first ones,
        or nearly, this takes few cells: less than to invert what the table gives.

    Members
    -------
    address : In(address_width)
    negative : In(1)
        Absent where nothing is mirrored.
    NAME : Out
        One port a table, of the smallest shape that holds its entries.
    """

    def __init__(self, address_width, first, tables, mirrored=()):
        self._first, self._tables, self._mirrored = first, tables, dict(mirrored)
        ports = {"negative": In(1)} if mirrored else {}
        for name, entries in tables.items():
            values = (*entries, *self._mirrored.get(name, ()))
            ports[name] = Out(span(min(values), max(values)))
        super().__init__({"address": In(address_width), **ports})

    def elaborate(self, platform):
        m = Module()
        width = index_width(len(self.address), self._first, [*self._tables.values(), *self._mirrored.values()])
        index = self.address
        if width < len(self.address):
            index = Signal(width)
            beyond = self.address[width:].any()
            m.d.comb += index.eq(self.address[:width] | beyond.replicate(width))
        count = (1 << width) - self._first
        for name, entries in self._tables.items():
            out = getattr(self, name)
            if name in self._mirrored:
                upright, mirrored = (Signal.like(out, name=f"{name}_{side}") for side in ("upright", "mirrored"))
                lookup(m, index, entries[:count], self._first, upright)
                lookup(m, index, self._mirrored[name][:count], self._first, mirrored)
                m.d.comb += out.eq(Mux(self.negative, mirrored, upright))
            else:
                lookup(m, index, entries[:count], self._first, out)
        return m

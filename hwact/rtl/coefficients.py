"""The tables of slopes and intercepts, or of outputs."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .lookup import lookup, span

__all__ = ["Coefficients"]


class Coefficients(wiring.Component):
    """Tables that share one address.

    Parameters
    ----------
    address_width : int
    first : int
        Address of the first entries.
    tables : dict of str to sequence of int
        Entries by the name of the port that gives them.

    Members
    -------
    address : In(address_width)
    NAME : Out
        One port a table, of the smallest shape that holds its entries.
    """

    def __init__(self, address_width, first, tables):
        self._first = first
        self._tables = tables
        ports = {name: Out(span(min(entries), max(entries))) for name, entries in tables.items()}
        super().__init__({"address": In(address_width), **ports})

    def elaborate(self, platform):
        m = Module()
        for name, entries in self._tables.items():
            lookup(m, self.address, entries, self._first, getattr(self, name))
        return m

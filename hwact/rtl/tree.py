"""A table of constants in parts, so that registers can stand within it.

A table is a tree of multiplexers: its low address bits select within the smallest sub-tables, every
further bit between two of them. Sub-tables that are equal, or each other's complement, are one node.
"""

from functools import cached_property

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .coefficients import index_width
from .lookup import lookup, span

__all__ = ["Branches", "TreePlan"]

#: Address bits of the smallest sub-tables: what one four-input lookup table takes.
LEAF_BITS = 4
#: Multiplexers written as one: compiled simulation takes time in proportion to the square of a concatenation.
WORD_BITS = 16


class TreePlan:
    """The nodes of tables that share one address.

    A node of level k is a function of the lowest k address bits, written as an integer of ``2**k`` bits:
    bit i is its value at address i. Nodes are stored with bit 0 clear, and inverted where that was set.

    Parameters
    ----------
    address_width : int
    first : int
        Address of the first entries.
    tables : dict of str to sequence of int
        Entries by the name of the port that gives them.
    mirrored : dict of str to sequence of int
        As for `Coefficients`.
    """

    def __init__(self, address_width, first, tables, mirrored=()):
        self.ports, self.mirrored = tuple(tables), {name: f"{name}_mirrored" for name in mirrored}
        tables = {**tables, **{self.mirrored[name]: entries for name, entries in dict(mirrored).items()}}
        self.address_width, self.tables = address_width, tables
        self._low = index_width(address_width, first, tables.values())
        self._first = first

    @property
    def width(self):
        """Bits of the index: low address bits, and whether there are others, where all tables are flat."""
        return min(self._low + 1, self.address_width)

    def index(self, address):
        """The index that an address stands for."""
        return Cat(address[: self._low], address[self._low :].any()) if self._low < len(address) else address

    @property
    def levels(self):
        """Where the tree can be cut: behind the leaves, and behind every further address bit."""
        return range(min(LEAF_BITS, self.width), self.width + 1)

    def sides(self, name):
        """Names of the tables of a port: its own, and the mirrored one where there is one."""
        return [name, self.mirrored[name]] if name in self.mirrored else [name]

    def shape(self, name):
        """Shape of a port."""
        values = [entry for table in self.sides(name) for entry in self.tables[table]]
        return span(min(values), max(values))

    def columns(self, name):
        """Every bit of a table, lowest first, as a function of the whole index."""
        entries = self.tables[name]
        padded = [entries[0]] * self._first + list(entries) + [entries[-1]] * (1 << self.width)
        padded = padded[: 1 << self.width]
        bits = range(self.shape(name.removesuffix("_mirrored")).width)
        return [int("".join("01"[entry >> bit & 1] for entry in reversed(padded)), 2) for bit in bits]

    def numbers(self, level):
        """Numbers of the nodes of a level (dict)."""
        return self._numbers[level]

    @cached_property
    def _numbers(self):
        nodes = {column for name in self.tables for column in self.columns(name)}
        found = {}
        for level in reversed(self.levels):
            stored = {_stored(node, level)[0] for node in nodes} - {0}
            found[level] = {node: number for number, node in enumerate(sorted(stored))}
            nodes = {half for node in stored for half in _halves(node, level)} if level else set()
        return found

    def value(self, node, level, signal):
        """What a node of a level is worth, where `signal` holds the level's nodes."""
        node, inverted = _stored(node, level)
        if not node:
            return Const(inverted, 1)
        bit = signal[self.numbers(level)[node]]
        return ~bit if inverted else bit


def _stored(node, level):
    """A node with bit 0 clear, and whether it was inverted for that."""
    inverted = node & 1
    return node ^ ((1 << (1 << level)) - 1) * inverted, inverted


def _halves(node, level):
    """The two nodes of the level below that the highest address bit of a node selects between."""
    half = 1 << (level - 1)
    return node & (1 << half) - 1, node >> half


class Branches(wiring.Component):
    """The part of a tree between two levels.

    Parameters
    ----------
    plan : TreePlan
    first, last : int
        Levels; a first one of 0 stands for the beginning of the tree.

    Members
    -------
    address : In
        The whole address, or what an earlier part left of the index.
    nodes : In
        Nodes of level `first`; absent where that is 0.
    rest : Out
        Bits of the index for later parts; absent for the last one.
    selected : Out
        Nodes of level `last`; absent for the last part.
    negative : In(1)
        As for `Coefficients`, of the last part alone.
    NAME : Out
        One port a table, of the last part alone.
    """

    def __init__(self, plan, first, last):
        self._plan, self._first, self._last = plan, first, last
        ports = {"address": In(plan.width - first if first else plan.address_width)}
        if first:
            ports["nodes"] = In(len(plan.numbers(first)))
        if last < plan.width:
            ports |= {"rest": Out(plan.width - last), "selected": Out(len(plan.numbers(last)))}
        else:
            ports |= {"negative": In(1)} if plan.mirrored else {}
            ports |= {name: Out(plan.shape(name)) for name in plan.ports}
        super().__init__(ports)

    def elaborate(self, platform):
        m = Module()
        plan = self._plan
        index = self.address if self._first else plan.index(self.address)
        level, nodes = self._first, self.nodes if self._first else None
        if not level:
            level, nodes = plan.levels[0], self._leaves(m, index)
        for level in range(level + 1, self._last + 1):
            nodes = self._branch(m, level, nodes, index[level - 1 - self._first])
        if self._last < plan.width:
            m.d.comb += [self.rest.eq(index[self._last - self._first :]), self.selected.eq(nodes)]
        else:
            for name in plan.ports:
                upright, *mirrored = (
                    Cat(*(plan.value(column, plan.width, nodes) for column in plan.columns(table)))
                    for table in plan.sides(name)
                )
                m.d.comb += getattr(self, name).eq(Mux(self.negative, *mirrored, upright) if mirrored else upright)
        return m

    def _leaves(self, m, index):
        level = self._plan.levels[0]
        numbers = self._plan.numbers(level)
        leaves = Signal(len(numbers))
        highest_first = sorted(numbers, reverse=True)
        rows = [int("".join("01"[node >> row & 1] for node in highest_first) or "0", 2) for row in range(1 << level)]
        lookup(m, index[:level], rows, 0, leaves)
        return leaves

    def _branch(self, m, level, nodes, bit):
        numbered, words = list(self._plan.numbers(level)), []
        for start in range(0, len(numbered), WORD_BITS):
            word = numbered[start : start + WORD_BITS]

            def side(number, word=word):
                return Cat(*(self._plan.value(_halves(node, level)[number], level - 1, nodes) for node in word))

            words.append(Signal(len(word), name=f"level_{level}_{start}"))
            m.d.comb += words[-1].eq(Mux(bit, side(1), side(0)))
        return Cat(*words)

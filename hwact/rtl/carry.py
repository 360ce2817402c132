"""Additions that the carry cells of a device do whole, where synthesis would put lookup tables beside them.

Each says in `carry_chain` how it is made of ECP5's cells, which is what an emitter writes for synthesis; what
`elaborate` makes is the same for every device and for simulation.
"""

from dataclasses import dataclass

from amaranth.hdl import Const, Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["AddIf", "CarryBit", "CarryChain", "Mirror", "NegateIf", "Subtract"]


@dataclass(frozen=True)
class CarryBit:
    """One bit of a carry chain: half a CCU2C with its input D at 1.

    Its lookup table gives p of A, B and C, and the low quarter of that table g of A and B. The sum's bit is p XOR
    the carry from below. That carry passes where p is 1; where it is 0, the carry is g.

    Parameters
    ----------
    init : int
        The lookup table, D the highest bit of its address.
    a, b, c : (str, int) or None
        Bits of ports; None is 0.
    """

    init: int
    a: object
    b: object = None
    c: object = None


@dataclass(frozen=True)
class CarryChain:
    """An addition as carry cells.

    Parameters
    ----------
    result : str
        The port that the sum's bits drive.
    carry : int
        Into the lowest bit.
    bits : tuple of CarryBit
    """

    result: str
    carry: int
    bits: tuple


def _init(p, g):
    """The lookup table of p(a, b, c) and g(a, b)."""
    upper = sum(bool(p(k & 1, k >> 1 & 1, k >> 2)) << k for k in range(8))
    lower = sum(bool(g(k & 1, k >> 1 & 1)) << k for k in range(4))
    return upper << 8 | lower << 4 | lower


class AddIf(wiring.Component):
    """The sum of two numbers, or the first one alone.

    Parameters
    ----------
    width : int
    enable_low : bool
        Add where `enable` is 0 rather than where it is 1.
    inverted : int
        So many low bits of `b` are inverted before they are added.

    Members
    -------
    a, b : In(width)
    enable : In(1)
    sum : Out(width)
    """

    def __init__(self, width, enable_low=False, inverted=0):
        self._enable_low, self._inverted = enable_low, inverted
        super().__init__({"a": In(width), "b": In(width), "enable": In(1), "sum": Out(width)})

    @property
    def carry_chain(self):
        """The addition as carry cells."""

        def bit(index):
            flip, low = index < self._inverted, self._enable_low
            init = _init(lambda a, b, enable: a ^ ((b ^ flip) & (enable ^ low)), lambda a, b: a)
            return CarryBit(init, ("a", index), ("b", index), ("enable", 0))

        return CarryChain("sum", 0, tuple(map(bit, range(len(self.sum)))))

    def elaborate(self, platform):
        m = Module()
        b = self.b ^ Const((1 << self._inverted) - 1, len(self.b)) if self._inverted else self.b
        added = (self.a + b)[: len(self.sum)]
        m.d.comb += self.sum.eq(Mux(self.enable, self.a, added) if self._enable_low else Mux(self.enable, added, self.a))
        return m


class NegateIf(wiring.Component):
    """A number, or its negation.

    Parameters
    ----------
    width : int

    Members
    -------
    a : In(width)
    enable : In(1)
    sum : Out(width)
    """

    def __init__(self, width):
        super().__init__({"a": In(width), "enable": In(1), "sum": Out(width)})

    @property
    def carry_chain(self):
        """The negation as carry cells: all bits above the lowest 1 flip, so the carry is 1 until that is passed."""
        init = _init(lambda a, enable, _: not a, lambda a, enable: not enable)
        return CarryChain("sum", 1, tuple(CarryBit(init, ("a", k), ("enable", 0)) for k in range(len(self.sum))))

    def elaborate(self, platform):
        m = Module()
        # -a is ~(a - 1): one adder whose sum bits are inverted.
        mirror = self.enable.replicate(len(self.a))
        m.d.comb += self.sum.eq((self.a + mirror)[: len(self.a)] ^ mirror)
        return m


class Subtract(wiring.Component):
    """The difference of two numbers, or one more than their sum.

    Parameters
    ----------
    width : int

    Members
    -------
    a, b : In(width)
    enable : In(1)
        Subtract.
    sum : Out(width)
    """

    def __init__(self, width):
        super().__init__({"a": In(width), "b": In(width), "enable": In(1), "sum": Out(width)})

    @property
    def carry_chain(self):
        """The addition as carry cells."""
        init = _init(lambda a, b, enable: a ^ b ^ enable, lambda a, b: a)
        bits = (CarryBit(init, ("a", k), ("b", k), ("enable", 0)) for k in range(len(self.sum)))
        return CarryChain("sum", 1, tuple(bits))

    def elaborate(self, platform):
        m = Module()
        mirrored = self.b ^ self.enable.replicate(len(self.b))
        m.d.comb += self.sum.eq((self.a + mirrored + 1)[: len(self.sum)])
        return m


class Mirror(wiring.Component):
    """A number, or its complement plus a constant.

    Parameters
    ----------
    width : int
    rest : int
        The constant, from 0 to less than ``2**width``.

    Members
    -------
    a : In(width)
    enable : In(1)
    sum : Out(width)
    """

    def __init__(self, width, rest):
        self._rest = rest
        super().__init__({"a": In(width), "enable": In(1), "sum": Out(width)})

    @property
    def carry_chain(self):
        """The addition as carry cells."""

        def bit(index):
            rest = self._rest >> index & 1
            init = _init(lambda a, enable, _: a ^ enable ^ (rest & enable), lambda a, enable: a ^ enable)
            return CarryBit(init, ("a", index), ("enable", 0))

        return CarryChain("sum", 0, tuple(map(bit, range(len(self.sum)))))

    def elaborate(self, platform):
        m = Module()
        mirrored = self.a ^ self.enable.replicate(len(self.a))
        m.d.comb += self.sum.eq((mirrored + Mux(self.enable, self._rest, 0))[: len(self.sum)])
        return m

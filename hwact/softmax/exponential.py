"""The exponential inside a softmax: one unit or, for wide inputs, the product of two small ones."""

from dataclasses import dataclass

import numpy as np

from ..design import Design
from ..errors import RequestError
from ..fixed import Format

__all__ = ["Exponential"]


@dataclass(frozen=True)
class Exponential:
    """From an offset to the exponential of its negative, UQ0.`bits`.

    With two factors the offset is cut into high and low bits, and::

        e = floor(coarse(high) * fine(low) / 2**excess + 1/2)

    Parameters
    ----------
    bits : int
        Fraction bits of the result.
    factors : tuple of Design
        A pipe unit to UQ0.`bits`; or one for the high bits of the offset, to UQ0.f, and one for the low
        bits, to UQ1.f, of the same latency.
    """

    bits: int
    factors: tuple

    def __post_init__(self):
        good = isinstance(self.factors, tuple) and 1 <= len(self.factors) <= 2
        if not good or not all(isinstance(factor, Design) for factor in self.factors):
            raise RequestError(f"Exponential factors must be one Design or two, not {self.factors!r}")
        for factor in self.factors:
            whole = factor.domain == (0, factor.input.max_code) and not factor.input.signed
            if not whole or factor.shell.interface != "pipe" or factor.latency != self.factors[0].latency:
                raise RequestError("Exponential factors must be pipe units of one latency for every unsigned code")
        formats = [factor.channels[0].format for factor in self.factors]
        shapes = [(format.signed, format.int_bits) for format in formats]
        if shapes != [(False, 0), (False, 1)][: len(shapes)]:
            raise RequestError(f"Exponential factors must be UQ0.f and UQ1.f, not {', '.join(map(str, formats))}")
        total = sum(format.frac_bits for format in formats)
        low = self.bits + (len(formats) == 2)
        if type(self.bits) is not int or not 1 <= self.bits or not low <= total <= 62 or len(formats) == 1 and total != self.bits:
            raise RequestError(f"Exponential bits must fit its factors of {total} bits, not {self.bits!r}")

    @property
    def input(self):
        """Format of an offset."""
        last = self.factors[-1].input
        return Format(False, sum(factor.input.width for factor in self.factors) - last.frac_bits, last.frac_bits)

    @property
    def format(self):
        """Format of the result."""
        return Format(False, 0, self.bits)

    @property
    def excess(self):
        """Bits of a product below the result's last one."""
        return sum(factor.channels[0].format.frac_bits for factor in self.factors) - self.bits

    def split(self, offsets):
        """An offset's part for each factor."""
        if len(self.factors) == 1:
            return (offsets,)
        low = self.factors[1].input.width
        return offsets >> low, offsets & ((1 << low) - 1)

    def evaluate(self, offsets):
        """Exponentials of offsets (int64 array)."""
        values = [factor.evaluate(part) for factor, part in zip(self.factors, self.split(np.asarray(offsets)))]
        if len(values) == 1:
            return values[0]
        return (values[0] * values[1] + (1 << (self.excess - 1))) >> self.excess

    def to_dict(self):
        """Plain lists, numbers and strings, ready for JSON."""
        return {"bits": self.bits, "factors": [factor.to_dict() for factor in self.factors]}

    @classmethod
    def from_dict(cls, plain):
        """Rebuild an exponential from `to_dict`'s value."""
        return cls(plain["bits"], tuple(Design.from_dict(factor) for factor in plain["factors"]))

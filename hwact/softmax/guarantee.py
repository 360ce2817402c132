"""What a softmax unit guarantees for every vector, in exact rationals from its exhaustively measured parts.

The argument is written out in ``docs/softmax.md``; the names here are its names.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction

import numpy as np

from ..errors import CheckError
from ..functions import ErrorBound, Reference, function

__all__ = ["Guarantee", "ceiling", "exponential_text", "guarantee"]


def exponential_text(bits):
    """Real function of the exponential unit: all ones at 0, because the scale cancels in the quotient."""
    return f"(1-2^-{bits})*exp(-x)"


@dataclass(frozen=True)
class Guarantee:
    """Bounds that hold for every vector of 1 to `length` input codes, in ulps of the output.

    Parameters
    ----------
    error_ulp : Fraction
        Largest distance of an output from the real softmax, clamped to the output's range.
    sum_ulp : Fraction
        Largest distance of the outputs' sum from 1.
    exponential_ulp : Fraction
        Largest error of the exponential unit on any code, in its own ulps (delta).
    reciprocal_low, reciprocal_high : Fraction
        Least and largest relative error of the reciprocal on any total (rho).
    """

    error_ulp: Fraction
    sum_ulp: Fraction
    exponential_ulp: Fraction
    reciprocal_low: Fraction
    reciprocal_high: Fraction

    def check(self, design):
        """Raise CheckError unless every output keeps the design's bound."""
        limit, strict = ErrorBound.parse(design.bound).in_ulps(design.output)
        if self.error_ulp > limit or strict and self.error_ulp == limit:
            raise CheckError(f"Outputs must be proven within {design.bound}, not within {float(self.error_ulp):.6g} ulp")

    def to_dict(self):
        """Floats, rounded up where that is the safe side."""
        return {
            "max_error_ulp": _up(self.error_ulp),
            "max_sum_error_ulp": _up(self.sum_ulp),
            "exponential_max_error_ulp": _up(self.exponential_ulp),
            "reciprocal_relative_error": [-_up(-self.reciprocal_low), _up(self.reciprocal_high)],
            "order": "preserved",
        }


def ceiling(value):
    """Decimal text of a bound, rounded up at the sixth decimal.

    >>> ceiling(0.1234561), ceiling(2.5)
    ('0.123457', '2.5')
    """
    text = f"{Decimal(value).quantize(Decimal('1e-6'), ROUND_CEILING):f}"
    return text.rstrip("0").rstrip(".")


def _up(value):
    """Least float that is no less than a fraction."""
    near = float(value)
    return near if Fraction(near) >= value else math.nextafter(near, math.inf)


def guarantee(design):
    """Measure both inner units on every code and conclude what holds for every vector.

    Parameters
    ----------
    design : SoftmaxDesign

    Returns
    -------
    Guarantee

    Raises
    ------
    CheckError
        If the exponential is not all ones at offset 0, or rises anywhere: the order of the outputs rests on that.
    """
    delta = _exponential_error(design)
    low, high = _reciprocal_errors(design)
    return Guarantee(_error(design, delta, low, high), _sum_error(design, low, high), delta, low, high)


def _exponential_error(design):
    unit, format = design.exponential, design.exponential.format
    codes = unit.input.codes()
    outputs = unit.evaluate(codes)
    if outputs[0] != format.max_code:
        raise CheckError(f"Exponential of offset 0 must be {format.max_code}, not {outputs[0]}")
    rising = np.flatnonzero(np.diff(outputs) > 0)
    if rising.size:
        raise CheckError(f"Exponential must not rise with the offset, as it does after code {codes[rising[0]]}")
    if outputs[-1] < 0:
        raise CheckError(f"Exponential must not be negative, not {outputs[-1]}")
    reference = Reference(function(exponential_text(design.exponential_bits)), unit.input, (0, unit.input.max_code))
    return Fraction(reference.error_ulp(format, codes, outputs).max_ulp)


def _reciprocal_errors(design):
    """Least and largest s * r - 1 over all s in [1, 2) and their reciprocals r, in exact integers."""
    indices = design.reciprocal.codes()
    r = design.reciprocal.evaluate(indices)
    if (r <= 0).any():
        raise CheckError(f"Reciprocal must be positive, not {r.min()}")
    first = indices + (1 << design.index_bits)  # the totals of one index: from first up to below first + 1
    one = 1 << design.index_bits + design.reciprocal_bits
    return Fraction(int((first * r).min()), one) - 1, Fraction(int(((first + 1) * r).max()), one) - 1


def _cut(design):
    """Most that one exponential loses to storage, in its ulps."""
    return (1 << design.dropped) - 1


def _error(design, delta, low, high):
    one = (1 << design.exponential_bits) - 1
    share = (design.length - 1) * delta / one
    below = share + Fraction(_cut(design), one) + max(-low, 0)
    above = share + max(high, 0)
    return Fraction(1, 2) + max(below, above) * (1 << design.output.frac_bits)


def _sum_error(design, low, high):
    one, length, scale = (1 << design.exponential_bits) - 1, design.length, 1 << design.output.frac_bits
    cut = Fraction(length * _cut(design), one + (length - 1) * _cut(design))
    rounding = min(Fraction(length, 2), scale * (1 + max(high, 0)))
    largest = math.floor(scale * (1 + max(high, 0)) + Fraction(1, 2))
    clamped = max(largest - design.output.max_code, 0)
    below = min(rounding + clamped + scale * (cut + max(-low, 0)), scale)
    return max(below, rounding + scale * max(high, 0))

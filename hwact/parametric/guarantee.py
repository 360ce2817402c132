"""The error of a parametric unit, bounded for all parameters and inputs.

The reference is r = clamp(beta * c(clamp(alpha * x))) with c = f clamped to the output's range; both other clamps are
to the ranges of the input and the output format. The code t is within half an ulp of clamp(alpha * x), so that c
differs at most by the variation V of f over half an ulp of the input to either side of a code. The inner unit is
within E of c(t). Rounding the product beta * g moves it by at most half an ulp of the output, and clamping brings
nothing further from a reference that is clamped alike. Where alpha has no fraction bits, t is exact, and V is 0. Hence,
in ulps of the output::

    |y - r| <= 1/2 + |beta| * (E + V)
"""

from dataclasses import dataclass

from ..errors import RequestError
from ..functions import function

__all__ = ["Guarantee", "guarantee"]

_PRECISION = 64


@dataclass(frozen=True)
class Guarantee:
    """What holds for every alpha, beta and x.

    Parameters
    ----------
    inner_ulp : float
        E, the largest error of the inner unit.
    variation_ulp : float
        V, the most that f changes within half an ulp of the input from a code.
    largest_beta : float
        Largest magnitude of beta.
    """

    inner_ulp: float
    variation_ulp: float
    largest_beta: float

    def at(self, beta):
        """Bound of the error in ulps of the output for one value of beta."""
        return 0.5 + abs(beta) * (self.inner_ulp + self.variation_ulp)

    @property
    def error_ulp(self):
        """Bound of the error in ulps of the output for every beta."""
        return self.at(self.largest_beta)

    def to_dict(self):
        """Plain numbers, ready for JSON."""
        return {
            "inner_max_error_ulp": self.inner_ulp,
            "variation_ulp": self.variation_ulp,
            "max_error_ulp": self.error_ulp,
        }


def guarantee(design, measured=None):
    """Bound the error of a design.

    Parameters
    ----------
    design : ParametricDesign
    measured : Measured, optional
        The inner unit's output, if it is at hand.

    Returns
    -------
    Guarantee

    Raises
    ------
    RequestError
        If the function is not bounded around some code.
    """
    from ..verify import measure

    measured = measured or measure(design.inner)["y"]
    beta = design.beta
    largest = max(abs(beta.min_code), beta.max_code) * float(beta.ulp)
    variation = _variation(design.inner) if design.alpha.frac_bits > 0 else 0.0
    return Guarantee(float(measured.max_ulp), variation, largest)


def _variation(inner):
    """Most that the function of a design changes from a code to within half an ulp of it, in ulps (rounded up)."""
    from flint import arb, ctx

    from ..functions.enclosure import Program

    channel = inner.channels[0]
    chosen = function(channel.expression, dict(inner.parameters))
    program = Program(chosen.expression, channel.format.frac_bits)
    first, last = inner.domain
    unit, largest = arb(2) ** -inner.input.frac_bits, arb(0)
    bottom, top = channel.format.min_code, channel.format.max_code
    clamped = lambda value: max(min(value, arb(top)), arb(bottom))
    with ctx.workprec(_PRECISION):
        for code in range(first, last + 1):
            low, high = max(code - 0.5, first) * unit, min(code + 0.5, last) * unit
            around, here = program.interval(low, high, _PRECISION), program.interval(code * unit, code * unit, _PRECISION)
            if around is None or here is None:
                raise RequestError(f"Function must be defined around every code, not undefined next to code {code}")
            ends = [clamped(end) for end in (*around, *here)]
            largest = max(largest, ends[1] - ends[2], ends[3] - ends[0])
        return float(largest.upper()) * (1 + 2.0**-40)

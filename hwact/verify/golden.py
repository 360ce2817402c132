"""The golden model against the real function: rigorous, and on every code of the domain."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ..errors import CheckError
from ..functions import ErrorBound, Reference, function
from .certificate import Check

__all__ = ["Measured", "measure"]


@dataclass(frozen=True)
class Measured:
    """One output of a design beside the real function.

    Parameters
    ----------
    design : Design
    channel : Channel
    reference : Reference
    """

    design: object
    channel: object
    reference: object

    @cached_property
    def codes(self):
        """Every input code of the domain."""
        return self.design.codes()

    @cached_property
    def outputs(self):
        """The golden model's output for every code."""
        return self.design.evaluate(self.codes, self.channel.name)

    @cached_property
    def exact(self):
        """The real function in output ulps, clamped to the output's range (float64)."""
        middle, _ = self.reference.enclose(self.channel.format.frac_bits)
        return np.clip(middle, self.channel.format.min_code, self.channel.format.max_code)

    @cached_property
    def _stats(self):
        return self.reference.error_ulp(self.channel.format, self.codes, self.outputs)

    @cached_property
    def max_ulp(self):
        """Rigorous upper bound of the largest error, in ulps of the output.

        Where every output is among those that the bound allows, the bound is one, too; a strict bound
        is told from its limit by the last bit of the float.
        """
        if self.channel.mode == "slope" or self._misses().size:
            return self._stats.max_ulp
        bound, strict = ErrorBound.parse(self.channel.bound).in_ulps(self.channel.format)
        limit = math.nextafter(float(bound), 0) if strict else float(bound)
        return min(self._stats.max_ulp, limit)

    @cached_property
    def _allowed(self):
        """Smallest and largest allowed output of every code."""
        return self.reference.intervals(self.channel.format, self.channel.bound)

    def _misses(self):
        """Positions of the codes whose outputs the bound does not allow."""
        lower, upper = self._allowed
        return np.flatnonzero((self.outputs < lower) | (self.outputs > upper))

    @property
    def mean_ulp(self):
        """Mean error, in ulps."""
        return self._stats.mean_ulp

    @property
    def mse_ulp2(self):
        """Mean squared error, in squared ulps."""
        return self._stats.mse_ulp2

    @property
    def worst_code(self):
        """Input code of the largest error."""
        return self._stats.worst_code

    @property
    def floor_segments(self):
        """Segments that real coefficients and infinitely fine codes would need, or None for a slope.

        The integral of sqrt(\\|f''\\|) / 4, divided by the square root of the bound (Frenzen, Sasao,
        Butler, Journal of Computational and Applied Mathematics 234(8), 2010).
        """
        if self.channel.mode == "slope":
            return None
        bound, _ = ErrorBound.parse(self.channel.bound).in_ulps(self.channel.format)
        bend = np.abs(np.diff(self.exact, 2))
        return round(float(np.sqrt(bend[bend > 2.0**-12]).sum()) / 4 / float(bound) ** 0.5, 1)

    def check(self):
        """The checks that this output passes.

        Raises
        ------
        CheckError
            At the first code whose output the bound does not allow, or if the proof of the minimal
            number of segments does not hold.
        """
        if self.channel.mode == "slope":
            return [self._check_slope()]
        return [self._check_bound(), *self._check_minimality()]

    def _check_bound(self):
        lower, upper = self._allowed
        wrong = self._misses()
        if wrong.size:
            k = wrong[0]
            raise CheckError(
                f"Output {self.channel.name} of code {self.codes[k]} must be {_range(lower[k], upper[k])}, "
                f"not {self.outputs[k]}"
            )
        method = f"golden model, {self.channel.bound}, against rigorous enclosures (Arb)"
        return Check("golden", "bound", self.channel.name, method, len(self.codes))

    def _check_slope(self):
        """The slope output against the slope of the line in use, unfolded, on every code."""
        design, y = self.design, self.design.channel("y")
        u, negative = y.fold.fold(self.codes, design.input)
        pieces, piece = np.unique(2 * y.core.locate(u) + negative, return_inverse=True)
        weight = Fraction(2) ** (self.channel.format.frac_bits + design.input.frac_bits - y.format.frac_bits)
        slopes = [_unfolded_slope(y, int(k) >> 1, bool(k & 1)) * weight for k in pieces]
        wrong = np.flatnonzero(np.array(slopes, dtype=object)[piece] != self.outputs)
        if wrong.size:
            k = wrong[0]
            raise CheckError(
                f"Output dy of code {self.codes[k]} must be {slopes[piece[k]]}, the slope of its segment, "
                f"not {self.outputs[k]}"
            )
        return Check("golden", "slope", "dy", "equals the slope of the segment in use", len(self.codes))

    def _check_minimality(self):
        proof = self.channel.minimality
        if proof is None or not proof.witnesses and proof.segments > 1:
            return []
        if len(proof.witnesses) != proof.segments - 1 or len(proof.starts) != proof.segments:
            raise CheckError(f"Segments of {self.channel.name} must have a proof for each of {proof.segments}")
        lower, upper = (bound.tolist() for bound in self._relaxed_intervals())
        origin, last = self.design.domain
        for codes, first, stop in zip(proof.witnesses, proof.starts, proof.starts[1:]):
            a, b, c, d = (code - origin for code in codes)
            inside = max(first, origin) <= min(codes) and max(codes) <= min(stop, last) and a < b and c < d
            if not inside or (lower[b] - upper[a] - 1) * (d - c) < (upper[d] + 1 - lower[c]) * (b - a):
                raise CheckError(f"Segments of {self.channel.name} must be proven minimal, not as by codes {codes}")
        method = f"no line serves any of {proof.segments - 1} windows: at least {proof.segments} segments"
        return [Check("golden", "minimality", self.channel.name, method, len(self.codes))]

    def _relaxed_intervals(self):
        """Allowed outputs before saturation."""
        lower, upper = self._allowed
        if not self.channel.saturate:
            return lower, upper
        far = 1 << 40
        return (
            np.where(lower == self.channel.format.min_code, -far, lower),
            np.where(upper == self.channel.format.max_code, far, upper),
        )


def _unfolded_slope(channel, segment, negative):
    """Slope of a segment on one side of the fold, in output ulps per input code (a Fraction)."""
    fold, slope = channel.fold, Fraction(channel.core.slopes[segment], 1 << channel.core.shift)
    if negative and fold.restore != "odd":
        slope = -slope
    ramp = fold.restore == ("ramp_down" if negative else "ramp")
    return slope + (1 << fold.ramp_shift) * ramp


def _range(low, high):
    return f"{low}" if low == high else f"{low} to {high}"


def measure(design):
    """Every output of a design beside its real function.

    Parameters
    ----------
    design : Design

    Returns
    -------
    dict of str to Measured
    """
    parameters = dict(design.parameters)
    return {
        channel.name: Measured(
            design,
            channel,
            Reference(function(channel.expression, parameters), design.input, design.domain),
        )
        for channel in design.channels
    }

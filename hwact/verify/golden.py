"""The golden model against the real function: rigorous, on every code of the domain, in one bounded pass."""

import importlib.metadata
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from ..errors import CheckError
from ..functions import ErrorBound, Reference, function
from .certificate import Check

__all__ = ["Measured", "check_golden", "chunks", "measure"]

#: Codes that are held in memory at once.
_CHUNK = 1 << 20
#: Domains up to this size are drawn and integrated code by code, larger ones at about as many codes.
_SHOWN = 1 << 16
#: Parts of a larger domain of which the codes of the least and the largest error are drawn, too.
_COLUMNS = 1 << 10
_FAR = 1 << 40  # beyond every output


@dataclass(frozen=True)
class Measured:
    """One output of a design beside the real function.

    Everything is found in one pass over the domain, a chunk of codes at a time, when it is first asked for.

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
    def _survey(self):
        return self._pass()

    def _pass(self, tick=None):
        survey = _Survey(self)
        for codes in chunks(self.design, tick):
            survey.add(codes)
        return survey

    @property
    def codes(self):
        """Input codes to draw, rising: all, or of a large domain a regular choice with the worst ones."""
        return self._survey.shown[0]

    @property
    def outputs(self):
        """The golden model's output for each of `codes`."""
        return self._survey.shown[1]

    @property
    def exact(self):
        """The real function at `codes` in output ulps, clamped to the output's range (float64)."""
        return self._survey.shown[2]

    @property
    def max_ulp(self):
        """Rigorous upper bound of the largest error over all codes, in ulps of the output.

        Where every output is among those that the bound allows, the bound is one, too; a strict bound
        is told from its limit by the last bit of the float.
        """
        if self.channel.mode == "slope" or self._survey.miss:
            return self._survey.max_ulp
        bound, strict = ErrorBound.parse(self.channel.bound).in_ulps(self.channel.format)
        limit = math.nextafter(float(bound), 0) if strict else float(bound)
        return min(self._survey.max_ulp, limit)

    @property
    def mean_ulp(self):
        """Mean error over all codes, in ulps."""
        return self._survey.mean_ulp

    @property
    def mse_ulp2(self):
        """Mean squared error over all codes, in squared ulps."""
        return self._survey.mse_ulp2

    @property
    def worst_code(self):
        """Input code of the largest error."""
        return self._survey.worst_code

    @property
    def floor_segments(self):
        """Segments that real coefficients and infinitely fine codes would need, or None for a slope.

        The integral of sqrt(\\|f''\\|) / 4, divided by the square root of the bound (Frenzen, Sasao,
        Butler, Journal of Computational and Applied Mathematics 234(8), 2010).
        """
        if self.channel.mode == "slope":
            return None
        bound, _ = ErrorBound.parse(self.channel.bound).in_ulps(self.channel.format)
        bend = np.abs(np.diff(self._survey.grid, 2))
        return round(float(np.sqrt(bend[bend > 2.0**-12]).sum()) / 4 / float(bound) ** 0.5, 1)

    def check(self, tick=None):
        """The checks that this output passes.

        Parameters
        ----------
        tick : callable, optional
            Called as ``tick(done, total)`` with numbers of codes.

        Raises
        ------
        CheckError
            At the first code whose output the bound does not allow, or if the proof of the minimal
            number of segments does not hold.
        """
        if tick and "_survey" not in self.__dict__:
            self.__dict__["_survey"] = self._pass(tick)
        if self._survey.miss:
            raise CheckError(self._survey.miss)
        if self.channel.mode == "slope":
            return [self._passed("slope", "equals the slope of the segment in use")]
        return [self._passed("bound", self._method()), *self._check_minimality()]

    def _passed(self, check, method):
        first, last = self.design.domain
        tools = (f"python-flint {importlib.metadata.version('python-flint')}",) if check == "bound" else ()
        return Check("golden", check, self.channel.name, method, last - first + 1, tools=tools)

    def _method(self):
        radius = self._survey.radius
        width = f"radius at most 2^{math.ceil(math.log2(radius))} ulp" if radius else "radius 0"
        enclosures = f"rigorous enclosures (Arb, {width}, less near the bound)"
        return f"golden model, {self.channel.bound}, against {enclosures}"

    def _check_minimality(self):
        proof = self.channel.minimality
        if proof is None or not proof.witnesses and proof.segments > 1:
            return []
        if len(proof.witnesses) != proof.segments - 1 or len(proof.starts) != proof.segments:
            raise CheckError(
                f"Segments of {self.channel.name} must have a proof for each of {proof.segments}"
            )
        origin, last = self.design.domain
        for codes, first, stop in zip(proof.witnesses, proof.starts, proof.starts[1:]):
            inside = max(first, origin) <= min(codes) and max(codes) <= min(stop, last)
            if not inside or not self._contradicts(*codes):
                raise CheckError(
                    f"Segments of {self.channel.name} must be proven minimal, not as by codes {codes}"
                )
        method = f"no line serves any of {proof.segments - 1} windows: at least {proof.segments} segments"
        return [self._passed("minimality", method)]

    def _contradicts(self, a, b, c, d):
        """Whether every slope that serves the codes c and d is below every slope that serves a and b."""
        allowed = self._survey.allowed
        rise = allowed[b][0] - allowed[a][1] - 1
        return a < b and c < d and rise * (d - c) >= (allowed[d][1] + 1 - allowed[c][0]) * (b - a)


class _Survey:
    """What one pass over the codes of a domain finds; `add` takes them in rising order.

    Parameters
    ----------
    measured : Measured
    """

    def __init__(self, measured):
        self.design, self.channel, self.reference = measured.design, measured.channel, measured.reference
        self.origin, self.last = self.design.domain
        self.count = self.last - self.origin + 1
        # Odd, so that blocks of a power of two are met in every place.
        self.stride = self.count // _SHOWN | 1 if self.count > _SHOWN else 1
        proof = self.channel.minimality
        self.wanted = np.unique(np.array(proof.witnesses if proof else (), dtype=np.int64))
        self.allowed = {}  # lowest and highest output before saturation, of the codes that witness
        self.miss = None  # sentence about the first wrong output
        self.max_ulp, self.worst_code, self.radius = -1.0, None, 0.0
        self._total = self._squares = 0.0
        self._kept = []

    def add(self, codes):
        outputs = self.design.evaluate(codes, self.channel.name)
        reference = Reference(self.reference.function, self.design.input, (int(codes[0]), int(codes[-1])))
        middle, radius = reference.enclose(self.channel.format.frac_bits)
        self.radius = max(self.radius, float(radius.max()))
        if self.channel.format.contains(outputs).all():  # else there is a miss
            self._add_errors(reference.error_ulp(self.channel.format, codes, outputs))
        self._keep(
            codes, outputs, np.clip(middle, self.channel.format.min_code, self.channel.format.max_code)
        )
        if self.channel.mode == "slope":
            self.miss = self.miss or self._wrong_slope(codes, outputs)
        else:
            allowed = reference.intervals(self.channel.format, self.channel.bound)
            self.miss = self.miss or self._wrong_output(codes, outputs, *allowed)
            self._witness(codes, *allowed)

    def _add_errors(self, stats):
        if stats.max_ulp > self.max_ulp:
            self.max_ulp, self.worst_code = stats.max_ulp, stats.worst_code
        self._total += stats.mean_ulp * stats.count
        self._squares += stats.mse_ulp2 * stats.count

    @property
    def mean_ulp(self):
        return self._total / self.count

    @property
    def mse_ulp2(self):
        return self._squares / self.count

    def _keep(self, codes, outputs, exact):
        keep = (codes - self.origin) % self.stride == 0
        if self.stride > 1:
            keep[[0, -1]] = True
            error, size = outputs - exact, -(-self.count // _COLUMNS)
            for start in range(0, len(codes), size):
                column = error[start : start + size]
                keep[[start + column.argmin(), start + column.argmax()]] = True
        self._kept.append((codes[keep], outputs[keep], exact[keep]))

    @cached_property
    def shown(self):
        """Codes, outputs and the function, at the codes that are kept."""
        return tuple(np.concatenate(parts) for parts in zip(*self._kept))

    @property
    def grid(self):
        """The function at equally spaced codes, coarse enough that the enclosures' radius is no bend."""
        codes, _, exact = self.shown
        return exact[(codes - self.origin) % (4 * self.stride if self.stride > 1 else 1) == 0]

    def _wrong_output(self, codes, outputs, lower, upper):
        wrong = (outputs < lower) | (outputs > upper)
        if wrong.any():
            k = wrong.argmax()
            allowed = f"{lower[k]}" if lower[k] == upper[k] else f"{lower[k]} to {upper[k]}"
            return f"Output {self.channel.name} of code {codes[k]} must be {allowed}, not {outputs[k]}"

    def _wrong_slope(self, codes, outputs):
        """The slope output against the slope of the line in use, unfolded."""
        y = self.design.channel("y")
        u, negative = y.fold.fold(codes, self.design.input)
        piece = 2 * y.core.locate(u) + negative
        whole, slopes = self._slopes
        wrong = ~whole[piece] | (slopes[piece] != outputs)
        if wrong.any():
            k = wrong.argmax()
            slope = self._slope(int(piece[k]))
            return f"Output dy of code {codes[k]} must be {slope}, the slope of its segment, not {outputs[k]}"

    @cached_property
    def _slopes(self):
        """Whether the slope of each piece is a code of dy, and which."""
        slopes = [self._slope(piece) for piece in range(2 * self.design.channel("y").core.segments)]
        return np.array([s.denominator == 1 for s in slopes]), np.array([int(s) for s in slopes])

    def _slope(self, piece):
        """Slope of a piece (twice its segment, and one more where x < 0) in ulps of dy."""
        y, segment, negative = self.design.channel("y"), piece >> 1, piece & 1
        fold, slope = y.fold, Fraction(y.core.slopes[segment], 1 << y.core.shift)
        if negative and fold.restore != "odd":
            slope = -slope
        ramp = fold.restore == ("ramp_down" if negative else "ramp")
        weight = Fraction(2) ** (
            self.channel.format.frac_bits + self.design.input.frac_bits - y.format.frac_bits
        )
        return (slope + (1 << fold.ramp_shift) * ramp) * weight

    def _witness(self, codes, lower, upper):
        """Remember what is allowed at the witnesses; a clamped output may lie beyond its format."""
        format, clamped = self.channel.format, self.channel.saturate
        for code in self.wanted[(self.wanted >= codes[0]) & (self.wanted <= codes[-1])].tolist():
            low, high = int(lower[code - codes[0]]), int(upper[code - codes[0]])
            low = -_FAR if clamped and low == format.min_code else low
            self.allowed[code] = low, _FAR if clamped and high == format.max_code else high


def chunks(design, tick=None):
    """The codes of a design's domain in rising order, as many at a time as memory should hold (int64)."""
    first, last = design.domain
    for start in range(first, last + 1, _CHUNK):
        stop = min(start + _CHUNK, last + 1)
        yield np.arange(start, stop, dtype=np.int64)
        if tick:
            tick(stop - first, last + 1 - first)


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


def check_golden(design, measured=None, tick=None):
    """The first rung: every output of the golden model within its bound of the real function.

    Parameters
    ----------
    design : Design
    measured : dict of str to Measured, optional
        The design's outputs, if they are already at hand.
    tick : callable, optional
        Called as ``tick(done, total)`` as the work goes on.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        At the first code whose output the bound does not allow, or if a claim of minimality does not hold.
    """
    measured = measured or measure(design)
    parts = [_part(tick, k, len(measured)) for k in range(len(measured))]
    return [check for one, part in zip(measured.values(), parts) for check in one.check(part)]


def _part(tick, number, parts):
    """The tick of one of several equal parts of the work."""
    return tick and (lambda done, total: tick(done + number * total, parts * total))

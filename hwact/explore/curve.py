"""What a page draws of a design: outputs and errors at few codes, its segments, and their slopes."""

from dataclasses import dataclass

import numpy as np

from ..emit.plots import bound_in_ulps, breakpoints
from ..errors import RequestError
from ..fixed import Format
from ..functions import Reference, function
from ..verify import measure

__all__ = ["curve"]

#: Columns that a domain is cut into; each is drawn from its least to its largest value.
_COLUMNS = 160
#: Segments beyond these are counted, not drawn one by one.
_MOST_SEGMENTS = 256
#: Codes of a domain, coarsened, at which the derivative is drawn.
_COARSE = 256


def curve(design, measured=None):
    """The curves of a design, thinned so that every extreme of the error is kept.

    A design carries its function's text, so nothing else is needed. About 10 ms at 12 bits, 0.1 s at 16.

    Parameters
    ----------
    design : Design
    measured : dict of str to Measured, optional
        What `hwact.verify.measure` gives for this design, if it is already at hand.

    Returns
    -------
    dict
        JSON-able, at most about 40 kB::

            {"input": "SQ4.4", "input_ulp": 0.0625,
             "outputs": {"y": {"expression", "mode", "format", "ulp", "bound", "bound_ulp" (or null), "method",
                               "segments" (straight pieces of the domain; null for a table),
                               "codes": [rising input codes], "outputs": [output codes], "error_ulp": [...],
                               "breakpoints": [positions in codes at which a segment begins]},
                         "dy": the same, where the design has one},
             "slope": {"codes", "slopes", "reference_codes", "reference"} or null}

        ``error_ulp`` is the output minus the function clamped to the output's range, so their difference is the
        reference. ``slope`` holds the slopes of the segments of y and the values of the real derivative; it is null
        where dy shows both, for a table, where every slope is 0, for more than 256 segments, and where the derivative
        is undefined.
    """
    measured = measured or measure(design)
    return {
        "input": str(design.input),
        "input_ulp": float(design.input.ulp),
        "outputs": {name: _output(design, one) for name, one in measured.items()},
        "slope": _slope(design) if len(measured) == 1 else None,
    }


def _output(design, measured):
    channel, codes = measured.channel, measured.codes
    error = measured.outputs - measured.exact
    starts = breakpoints(design, channel)
    pieces = len(starts) + 1 if channel.core.method == "pwl" else None
    starts = np.searchsorted(codes, starts[: _MOST_SEGMENTS if len(starts) < _MOST_SEGMENTS else 0])
    starts = starts[(starts > 0) & (starts < len(codes))]
    kept = np.unique(np.concatenate([_extremes(error), _extremes(measured.outputs), starts, starts - 1]).astype(int))
    return {
        "expression": channel.expression,
        "mode": channel.mode,
        "format": str(channel.format),
        "ulp": float(channel.format.ulp),
        "bound": channel.bound,
        "bound_ulp": bound_in_ulps(channel.bound, channel.format),
        "method": channel.core.method,
        "segments": pieces,
        "codes": codes[kept].tolist(),
        "outputs": measured.outputs[kept].tolist(),
        "error_ulp": _rounded(error[kept]),
        "breakpoints": np.searchsorted(kept, starts).tolist(),
    }


def _extremes(values):
    """Positions of the least and the largest value of every column, and of both ends."""
    if len(values) <= 2 * _COLUMNS:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), _COLUMNS + 1).astype(int)
    columns = [(start, values[start:stop]) for start, stop in zip(edges, edges[1:])]
    return np.array(
        [0, *(start + pick(part) for start, part in columns for pick in (np.argmin, np.argmax)), len(values) - 1]
    )


def _rounded(values, digits=5):
    """Floats with so many significant digits, which JSON writes short."""
    return [float(f"{value:.{digits}g}") for value in values.tolist()]


def _slope(design):
    """Slopes of the segments of y beside the real derivative, or None."""
    channel = design.channel("y")
    starts = breakpoints(design, channel)
    if channel.core.method != "pwl" or len(starts) >= _MOST_SEGMENTS or not any(channel.core.slopes):
        return None
    coarse = _Coarse(design)
    try:
        values = coarse.derivative(function(channel.expression, dict(design.parameters)))
    except RequestError:
        return None
    first, last = design.domain
    codes = np.unique(np.concatenate([[first], starts - 1, starts, [last]]).astype(np.int64))
    return {
        "codes": codes.tolist(),
        "slopes": _rounded(_slopes(design, channel, codes)),
        "reference_codes": coarse.codes.tolist(),
        "reference": _rounded(values),
    }


def _slopes(design, channel, codes):
    """Slope of the segment in use at every code, as a real number; 0 where the output is clamped."""
    fold, core = channel.fold, channel.core
    u, negative = fold.fold(codes, design.input)
    slopes = np.array(core.slopes, dtype=float)[core.locate(u)] / 2.0**core.shift
    if fold.restore in ("even", "ramp", "ramp_down"):
        slopes = np.where(negative, -slopes, slopes)
    if fold.restore in ("ramp", "ramp_down"):
        slopes = slopes + (negative == (fold.restore == "ramp_down")) * 2.0**fold.ramp_shift
    if channel.saturate:
        slopes = np.where(channel.format.contains(channel.evaluate_raw(codes, design.input)), slopes, 0.0)
    return slopes * float(channel.format.ulp / design.input.ulp)


@dataclass(frozen=True)
class _Coarse:
    """Every 2**k-th code of a design's domain, so few that a further function costs little."""

    design: object

    @property
    def shift(self):
        first, last = self.design.domain
        return max(0, ((last - first) // _COARSE).bit_length())

    @property
    def codes(self):
        first, last = (end >> self.shift for end in self.design.domain)
        return (
            np.arange(first, last + 1, dtype=np.int64)[int(first << self.shift < self.design.domain[0]) :]
            << self.shift
        )

    def derivative(self, function):
        """The function's derivative at `codes` (float64)."""
        input, codes = self.design.input, self.codes >> self.shift
        format = Format(input.signed, input.int_bits, input.frac_bits - self.shift)
        middle, _ = Reference(function.derivative(), format, (int(codes[0]), int(codes[-1]))).enclose(0, 2.0**-20)
        return middle

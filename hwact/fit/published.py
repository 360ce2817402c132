"""Two published segmenters, to reproduce and to compare with: least squares and minimax lines.

Both extend a segment while the error of its best real line stays within a cap, and then lower the cap
as far as the number of segments allows ("error flattening"). `lsq` fits lines by least squares, as
Liao et al. do (Electronics 2023, 12(2), 267); `minimax` takes the line of least maximum error, as PLAC
does (Dong, Wang, Lombardi, IEEE Transactions on Circuits and Systems I 67(9), 2020).
"""

import math
from typing import NamedTuple

import numpy as np

from ..design import Lines
from ..errors import RequestError
from .slope import MAX_SHIFT

__all__ = ["PUBLISHED", "RealLine", "fit_published", "flatten", "segment"]

#: Shares of the room beside the output's rounding that the real lines may take, the quantised ones taking the rest.
SHARES = (1 - 2**-10, 0.99, 0.98, 0.96, 0.93, 0.88, 0.8, 0.7, 0.5)


class RealLine(NamedTuple):
    """``slope * (u - start) + intercept`` for ``start <= u < stop``, and its largest error."""

    start: int
    stop: int
    slope: float
    intercept: float
    error: float


def _least_squares(values):
    """Slope and intercept of the least-squares line through values at 0, 1, 2, ..."""
    count = len(values)
    if count == 1:
        return 0.0, float(values[0])
    middle = (count - 1) / 2
    offsets = np.arange(count) - middle
    slope = float(offsets @ values) / (count * (count * count - 1) / 12)
    return slope, float(values.mean()) - slope * middle


def _minimax(values):
    """Slope and intercept of the line with the least maximum error, by exchange of its extremal points.

    The spread of the residues is convex in the slope; each evaluation gives a tangent to it, and the
    next slope is where the two innermost tangents meet.
    """
    count = len(values)
    if count == 1:
        return 0.0, float(values[0])
    offsets = np.arange(count, dtype=float)

    def tangent(slope):
        rest = values - slope * offsets
        high, low = int(np.argmax(rest)), int(np.argmin(rest))
        return float(rest[high] - rest[low]), float(values[high] - values[low]), high - low

    slope = float(values[-1] - values[0]) / (count - 1)
    best = (math.inf, slope)
    falling = (float(values[-1] - values[0]), count - 1)
    rising = (float(values[0] - values[-1]), 1 - count)
    for _ in range(100):
        spread, gap, run = tangent(slope)
        best = min(best, (spread, slope))
        if run > 0:
            falling = (gap, run)
        elif run < 0:
            rising = (gap, run)
        slope = (falling[0] - rising[0]) / (falling[1] - rising[1])
        if run == 0 or falling[0] - slope * falling[1] >= best[0] * (1 - 1e-12):
            break
    rest = values - best[1] * offsets
    return best[1], float(rest.max() + rest.min()) / 2


#: Line fits by the name of the published segmenter.
PUBLISHED = {"lsq": _least_squares, "minimax": _minimax}


def _fitted(values, start, stop, fit):
    window = values[start:stop]
    slope, intercept = fit(window)
    error = float(np.abs(window - (slope * np.arange(stop - start) + intercept)).max())
    return RealLine(start, stop, slope, intercept, error)


def segment(values, cap, fit):
    """Cover consecutive values by lines of an error of at most `cap`, each as long as it can be.

    Parameters
    ----------
    values : numpy.ndarray of float64
    cap : float
        In the unit of the values.
    fit : str
        ``lsq`` or ``minimax``.

    Returns
    -------
    list of RealLine
    """
    line_of = PUBLISHED[fit]
    lines, start = [], 0
    while start < len(values):
        length = lines[-1].stop - lines[-1].start if lines else 2
        good = _fitted(values, start, start + 1, line_of)
        low, high = start + 1, len(values) + 1  # a window up to `low` serves, one up to `high` does not
        trial = min(start + length, len(values))
        while high - low > 1:
            trial = min(max(trial, low + 1), high - 1)
            line = _fitted(values, start, trial, line_of)
            if line.error <= cap:
                good, low = line, trial
                trial = 2 * low - start if high > len(values) else (low + high) // 2
            else:
                high = trial
                trial = (low + high) // 2
        lines.append(good)
        start = good.stop
    return lines


def flatten(values, cap, fit):
    """The segmentation at the smallest cap that needs no more segments than `cap` does (error flattening)."""
    best = segment(values, cap, fit)
    low, high = 0.0, cap
    for _ in range(14):
        middle = (low + high) / 2
        lines = segment(values, middle, fit)
        if len(lines) <= len(best):
            best, high = lines, middle
        else:
            low = middle
    return best


def fit_published(problem, fit, bound_ulps, multiplier):
    """Fit one channel with a published segmenter, quantised with the fewest fraction bits that keep the bound.

    Parameters
    ----------
    problem : Problem
    fit : str
        ``lsq`` or ``minimax``.
    bound_ulps : Fraction
        The bound, in output ulps.
    multiplier : str

    Returns
    -------
    Channel

    Raises
    ------
    RequestError
        If the bound leaves no room beside the rounding of the output.
    """
    room = float(bound_ulps) - 0.5
    if room <= 0:
        raise RequestError(f"Bound must be above half an ulp of the output for --fit {fit}")
    found = []
    for folded in problem.folds:
        lines = _quantised(folded, fit, room, multiplier) if folded.fold.index != "complement" else None
        if lines is not None:
            found.append(((problem.pieces(folded.fold, lines), lines.segments), folded.fold, lines))
    if not found:
        raise RequestError(f"Bound must leave more room beside the output's rounding for --fit {fit}: take --fit exact")
    _, fold, lines = min(found, key=lambda candidate: candidate[0])
    return problem.channel(fold, lines)


def _segmentations(values, fit, room):
    """Segmentations of less and less error, until one leaves room enough for the coefficients' rounding."""
    yield flatten(values, room, fit)
    for share in SHARES:
        yield segment(values, room * share, fit)


def _quantised(folded, fit, room, multiplier):
    """The first quantisation of a flattened segmentation that keeps every allowed interval, or None."""
    values = folded.target
    for lines in _segmentations(values, fit, room):
        starts = tuple(line.start + folded.origin for line in lines)
        stop = lines[-1].stop + folded.origin
        u = np.arange(len(values), dtype=np.int64) + folded.origin
        for shift in range(MAX_SHIFT + 1):
            scale = 2.0**shift
            slopes = tuple(round(line.slope * scale) for line in lines)
            intercepts = tuple(math.floor((line.intercept + 0.5) * scale) for line in lines)
            found = Lines("free", starts, stop, shift, slopes, intercepts, "logic" if multiplier == "auto" else multiplier)
            outputs = found.evaluate(u)
            if ((outputs >= folded.band.lower) & (outputs <= folded.band.upper)).all():
                return found
    return None

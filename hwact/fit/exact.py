"""The exact fit: every candidate that was asked for, each with the fewest segments of its kind, the cheapest kept."""

import math
from functools import partial
from operator import itemgetter

import numpy as np

from ..design import Lines, Table
from ..errors import RequestError
from .coefficients import choose, choose_paired, serving
from .cost import cost
from .segmentation import SEGMENTERS, earliest_starts, free, serves, uniform

__all__ = ["fit_exact"]

#: Tables of more entries are not considered unless asked for, and never above the second number.
MAX_TABLE, MAX_TABLE_ASKED = 1 << 12, 1 << 16
#: Uniform blocks down to this many halvings of the largest feasible size are considered.
HALVINGS = 3
#: Larger shifts than the smallest that are considered: longer slopes can make intercepts shorter.
SPARE_SHIFTS = 2
#: Segmentations with so many times the minimal number of segments are not worth a look, unless they have few.
MAX_EXCESS, FEW_SEGMENTS = 8, 160


def fit_exact(problem, method, segmentation, multiplier, choose_one, beside=None):
    """Fit one channel exactly.

    Parameters
    ----------
    problem : Problem
    method, segmentation, multiplier : str
        As in `Spec`.
    choose_one : Chooser
    beside : Channel or None
        The unit's other channel, with which folding can be shared.

    Returns
    -------
    As the `Chooser` does.
    """
    candidates = []
    if method in ("auto", "table"):
        candidates += _tables(problem.folds, MAX_TABLE if method == "auto" else MAX_TABLE_ASKED)
    if method in ("auto", "pwl"):
        by_cost = method == "auto" and segmentation == "auto"
        kinds = tuple(SEGMENTERS) if by_cost else (("free" if segmentation == "auto" else segmentation),)
        for kind in kinds:
            for folded in problem.folds:
                candidates += _lines(problem, folded, kind, multiplier, by_cost)
    if not candidates:
        raise RequestError(f"Table must have at most {MAX_TABLE_ASKED} entries: take --method pwl")
    formats = problem.target.input, problem.target.output
    estimates = [cost(*found, *formats, beside and beside.fold, choose_one.layout) for found in candidates]
    ranked = sorted(zip(estimates, candidates), key=itemgetter(0))
    return choose_one([(estimate, partial(problem.channel, *found)) for estimate, found in _distinct(ranked)])


def _distinct(ranked):
    """Candidates without those that cost the same as an earlier one and have its slopes, at another scale."""
    seen = set()
    for estimate, (fold, core) in ranked:
        key = estimate, fold, core
        if isinstance(core, Lines):
            together = math.gcd(*core.slopes) or 1
            scale = together & -together
            key = estimate, fold, core.starts, core.joints is None, tuple(slope // scale for slope in core.slopes)
        if key not in seen:
            seen.add(key)
            yield estimate, (fold, core)


def _tables(folds, most):
    """Two tables a fold: the roundest output each, and the roundest output that serves each longest run."""
    for folded in folds:
        band = folded.band
        if len(band) <= most:
            for lower, upper in ((band.lower, band.upper), _runs(band)):
                entries = _roundest(lower, upper)
                last = entries[-1]
                refuses = np.flatnonzero((band.lower > last) | (band.upper < last))
                entries[refuses[-1] + 1 if refuses.size else 0 :] = last
                yield folded.fold, Table(folded.origin, tuple(entries.tolist()))


def _roundest(lower, upper):
    """The value with the most trailing zeros in each closed interval."""
    found = upper.copy()
    for bits in range(1, 63):
        rounder = upper >> bits << bits
        fits = rounder >= lower
        if not fits.any():
            break
        found = np.where(fits, rounder, found)
    return found


def _runs(band):
    """Each run of entries that one output serves, as long as it can be: that output's bounds, an entry each."""
    lower, upper = band.lower.tolist(), band.upper.tolist()
    start = 0
    while start < len(lower):
        least, most, stop = lower[start], upper[start], start + 1
        while stop < len(lower) and max(least, lower[stop]) <= min(most, upper[stop]):
            least, most, stop = max(least, lower[stop]), min(most, upper[stop]), stop + 1
        lower[start:stop], upper[start:stop] = [least] * (stop - start), [most] * (stop - start)
        start = stop
    return np.array(lower, dtype=np.int64), np.array(upper, dtype=np.int64)


def _lines(problem, folded, kind, multiplier, by_cost):
    """Yield (fold, lines) of one segmentation; with `by_cost` also those that trade segments for size."""
    grid = problem.slopes.grid(folded.fold)
    if grid is None:
        return
    base = SEGMENTERS[kind](folded.band, folded.origin, grid)
    most = max(MAX_EXCESS * len(problem.least) + 16, FEW_SEGMENTS) if by_cost else len(base)
    if kind == "free" and not by_cost and problem.pieces(folded.fold, base) > len(problem.least):
        return
    trials = [base]
    if kind == "uniform" and by_cost:
        exponent = (base.stop - base.starts[-1]).bit_length() - 1
        smaller = range(exponent - 1, max(exponent - 1 - HALVINGS, -1), -1)
        trials += [uniform(folded.band, folded.origin, bits=bits) for bits in smaller]
    for trial in trials:
        if len(trial) <= most:
            spare = SPARE_SHIFTS if by_cost and kind == "uniform" else 0
            for lines in _quantised(problem.slopes, folded, kind, trial, multiplier, spare):
                yield folded.fold, lines


def _quantised(slopes, folded, kind, base, multiplier, spare):
    """Lines with the smallest shift that needs no more segments than `base`, and with `spare` larger shifts."""
    band, origin, fold = folded.band, folded.origin, folded.fold
    earliest = earliest_starts(band, slopes.grid(fold)) if kind == "free" else None
    found, shifts = [], 0
    for shift in slopes.shifts:
        grid = slopes.grid(fold, shift)
        if kind == "free":
            chosen = free(band, origin, grid, earliest)
        else:
            chosen = base if found or serves(band, origin, base, grid) else None
        if chosen is not None:
            options = serving(band, chosen, origin, grid)
            coefficients = choose(options, chosen, origin, shift, folded.target, multiplier == "shift-add")
            resolved = "logic" if multiplier == "auto" else multiplier
            paired = choose_paired(options, chosen, shift) if spare and resolved == "logic" else None
            if paired:
                found.append(Lines(kind, chosen.starts, chosen.stop, shift, *paired, resolved))
            found.append(Lines(kind, chosen.starts, chosen.stop, shift, *coefficients, resolved))
            shifts += 1
            if shifts > spare:
                break
    if not found:
        raise RequestError(f"Bound must leave lines of at most {slopes.shifts[-1]} fraction bits: ask for a looser one")
    return found

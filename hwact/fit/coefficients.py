"""Slopes and intercepts for a given segmentation: the fewest bits first, then the least mean error."""

from typing import NamedTuple

import numpy as np

__all__ = ["Coefficients", "choose"]


class Coefficients(NamedTuple):
    """One slope and one intercept a segment."""

    slopes: tuple
    intercepts: tuple


def choose(band, windows, grid, target):
    """Choose coefficients for segments that lines on the grid can serve.

    In this order: slopes of the fewest bits; the fewest different slopes, each with as many trailing
    zeros as it can have; intercepts that all end in the same bits, as many as possible (they then
    cost one constant); the least mean error.

    Parameters
    ----------
    band : Band
    windows : list of (int, int)
        Start and stop of each segment, in entries of the band.
    grid : Grid
        Its shift is not None.
    target : numpy.ndarray of float64
        The real function in output ulps, one entry an index.

    Returns
    -------
    Coefficients
    """
    ranges = [band.slopes(start, stop, grid) for start, stop in windows]
    slopes = _stab(_narrowed(ranges), grid.step)
    spans = [band.intercepts(start, stop, slope, grid.shift) for (start, stop), slope in zip(windows, slopes)]
    step, residue = _common_ending(spans, grid.shift)
    intercepts = [
        _best_intercept(target[start:stop], slope, span, step, residue, grid.shift)
        for (start, stop), slope, span in zip(windows, slopes, spans)
    ]
    return Coefficients(tuple(slopes), tuple(intercepts))


def _narrowed(ranges):
    """Cut the slope ranges down to the smallest magnitude (in bits) that all of them reach."""
    reach = max(0 if least <= 0 <= most else min(abs(least), abs(most)) for least, most in ranges)
    bound = (1 << reach.bit_length()) - 1
    narrowed = [(max(least, -bound), min(most, bound)) for least, most in ranges]
    if all(most >= 0 for _, most in narrowed):
        return [(max(least, 0), most) for least, most in narrowed]
    if all(least <= 0 for least, _ in narrowed):
        return [(least, min(most, 0)) for least, most in narrowed]
    return narrowed


def _stab(ranges, step):
    """The fewest different values such that every range holds one; a value for each range.

    Ranges that hold zero take it: a slope of zero needs no product.
    """
    values = [0] * len(ranges)
    pending = [k for k, (least, most) in enumerate(ranges) if not least <= 0 <= most]
    pending.sort(key=lambda k: ranges[k][1])
    while pending:
        edge = ranges[pending[0]][1]
        group = [k for k in pending if ranges[k][0] <= edge]
        value = _roundest(max(ranges[k][0] for k in group), edge, step)
        for k in group:
            values[k] = value
        pending = [k for k in pending if ranges[k][0] > edge]
    return values


def _roundest(least, most, step):
    """The multiple of `step` in a range that has the most trailing zeros."""
    size = step
    while -(-least // (2 * size)) * 2 * size <= most:
        size *= 2
    return -(-least // size) * size


def _common_ending(spans, shift):
    """The largest power of two, and a residue, such that every span holds a number of that residue."""
    for bits in range(shift, 0, -1):
        step = 1 << bits
        covered = np.zeros(step + 1, dtype=np.int64)
        for least, most in spans:
            if most - least + 1 >= step:
                covered[0] += 1
                continue
            first, last = least % step, most % step
            covered[first] += 1
            covered[last + 1] -= 1
            if first > last:
                covered[0] += 1
        served = np.flatnonzero(np.cumsum(covered[:-1]) == len(spans))
        if len(served):
            # The residue nearest half an ulp rounds to nearest, which serves the mean error.
            return step, int(served[np.argmin(np.abs(served - step // 2))])
    return 1, 0


def _best_intercept(target, slope, span, step, residue, shift):
    """The intercept of the given residue with the least mean error over one segment."""
    least, most = span
    first = least + (residue - least) % step
    count = (most - first) // step + 1
    chosen = range(count) if count <= 5 else sorted({round(i * (count - 1) / 4) for i in range(5)})
    candidates = [first + step * i for i in chosen]
    if len(candidates) == 1:
        return candidates[0]
    ramp = slope * np.arange(len(target), dtype=np.int64)
    errors = [np.abs(((ramp + c) >> shift) - target).sum() for c in candidates]
    return candidates[int(np.argmin(errors))]

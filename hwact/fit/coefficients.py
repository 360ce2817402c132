"""Slopes and intercepts for a given segmentation: the fewest bits first, then the least mean error."""

import heapq
from typing import NamedTuple

import numpy as np

from ..fixed import signed_digits

__all__ = ["Coefficients", "choose", "choose_paired", "serving"]

#: Slopes considered for one segment; more are thinned out evenly.
MAX_SLOPES = 64
#: Intercepts considered for one slope.
MAX_INTERCEPTS = 5
#: Residues that are told apart; of larger moduli, only as many, evenly spaced.
RESIDUES = 1 << 14
#: Bits of whole output ulps that all intercepts may have in common, besides their fractions.
EXTRA_ENDING = 2


class Coefficients(NamedTuple):
    """One slope and one intercept a segment."""

    slopes: tuple
    intercepts: tuple


class _Options(NamedTuple):
    """Everything that serves one segment: slopes, and the range of the intercept (at its start) for each."""

    slopes: np.ndarray
    least: np.ndarray
    most: np.ndarray

    def only(self, kept):
        return _Options(self.slopes[kept], self.least[kept], self.most[kept])

    def read_at(self, offset):
        """The options, with intercepts at another offset than the start."""
        return _Options(self.slopes, self.least + self.slopes * offset, self.most + self.slopes * offset)

    def residues(self, step):
        """Which residues modulo `step` some intercept has: bool array over residues, or over `RESIDUES` of them."""
        grain = max(step // RESIDUES, 1)
        count = step // grain
        least, most = -(-self.least // grain), self.most // grain
        lengths = np.clip(most - least + 1, 0, count)
        covered = np.zeros(2 * count + 1, dtype=np.int64)
        first = least % count
        np.add.at(covered, first, 1)
        np.add.at(covered, first + lengths, -1)
        covered = np.cumsum(covered[:-1])
        return covered[:count] + covered[count:] > 0

    def with_residue(self, residue, step):
        """The options, with ranges shrunk to intercepts of a residue."""
        least = self.least + (residue - self.least) % step
        most = self.most - (self.most - residue) % step
        return _Options(self.slopes, least, most).only(least <= most)


def serving(band, segmentation, origin, grid):
    """Everything that serves each segment: slopes, thinned out, and the range of the intercept for each.

    Parameters
    ----------
    band : Band
    segmentation : Segmentation
    origin : int
        Index u of the band's first entry.
    grid : Grid
        Its shift is not None.

    Returns
    -------
    list
        One entry a segment, for `choose` and `choose_paired`.
    """
    windows = zip(segmentation.windows(origin, len(band)), segmentation.starts)
    # A block that begins before the band does has its intercept there.
    return [_options(band, *window, window[0] + origin - edge, grid) for window, edge in windows]


def choose(options, segmentation, origin, shift, target, few_digits=False):
    """Choose coefficients for segments that lines on the grid can serve.

    In this order: intercepts that all end in the same bits, as many as possible (they then cost one
    constant); slopes of the fewest bits; the fewest different slopes; the least mean error.

    Parameters
    ----------
    options : list
        What serves each segment, from `serving`.
    segmentation : Segmentation
    origin : int
        Index u of the target's first entry.
    shift : int
    target : numpy.ndarray of float64
        The real function in output ulps, one entry an index.
    few_digits : bool
        Before sharing slopes, keep to those of the fewest signed digits, for shift-and-add multipliers.

    Returns
    -------
    Coefficients
    """
    windows = segmentation.windows(origin, len(target))
    skipped = [start + origin - edge for (start, _), edge in zip(windows, segmentation.starts)]
    # A circuit reads falling lines from their far end, as rising ones: what counts is the intercept there.
    falling = all((one.slopes <= 0).any() for one in options) and not all((one.slopes >= 0).any() for one in options)
    far = (1 << (max(segmentation.sizes()) - 1).bit_length()) - 1 if falling else 0
    options = [one.read_at(far) for one in options]
    step, residue = _common_ending(options, shift)
    options = [one.with_residue(residue, step) for one in options]
    allowed = _narrowed(options)
    slopes = _shared(_with_few_digits(allowed) if few_digits else allowed)
    flat = _flat_intercepts(slopes, options, step, [target[start:stop] for start, stop in windows], shift)
    intercepts = [
        flat[k] if k in flat else _best_intercept(target[start:stop], skip - far, slope, one, step, shift)
        for k, ((start, stop), skip, slope, one) in enumerate(zip(windows, skipped, slopes, options))
    ]
    intercepts = [intercept - slope * far for slope, intercept in zip(slopes, intercepts)]
    return Coefficients(tuple(slopes), tuple(intercepts))


def choose_paired(options, segmentation, shift):
    """Choose coefficients for uniform segments of which the two of every aligned pair meet.

    Parameters
    ----------
    options, segmentation, shift
        As in `choose`.

    Returns
    -------
    Coefficients or None
        None where slopes of both signs are needed, or some pair has no common point.
    """
    signs = [sign for sign in (1, -1) if all((one.slopes * sign >= 0).any() for one in options)]
    if not signs:
        return None
    falls = int(signs[0] < 0)
    size = segmentation.sizes()[0]
    steps = [-falls if start // size % 2 else size - falls for start in segmentation.starts]
    options = [one.only(one.slopes * signs[0] >= 0).read_at(step) for one, step in zip(options, steps)]
    pairs = {}
    for k, start in enumerate(segmentation.starts):
        pairs.setdefault(start // size // 2, []).append(k)
    points = {pair: _common_points([options[k] for k in members]) for pair, members in pairs.items()}
    if not all(len(values) for values, _ in points.values()):
        return None
    step, residue = _ending_of([values for values, _ in points.values()], shift)
    allowed, joints = [], {}
    for pair, (values, freedom) in points.items():
        kept = values % step == residue
        joints[pair] = int(values[kept][np.argmax(freedom[kept])])
        for k in pairs[pair]:
            one = options[k]
            allowed.append(one.only((one.least <= joints[pair]) & (joints[pair] <= one.most)))
    slopes = _shared(_narrowed(allowed))
    intercepts = [
        joints[start // size // 2] - slope * step for start, slope, step in zip(segmentation.starts, slopes, steps)
    ]
    return Coefficients(tuple(slopes), tuple(intercepts))


def _common_points(options):
    """Values that a line of every segment can have at the point that options are read at, and how many lines do."""
    least = max(int(one.least.min()) for one in options)
    most = min(int(one.most.max()) for one in options)
    if most < least:
        return np.zeros(0, dtype=np.int64), None
    values = least + np.arange(0, most - least + 1, max((most - least) // RESIDUES, 1), dtype=np.int64)
    lines = [((one.least[:, None] <= values) & (values <= one.most[:, None])).sum(axis=0) for one in options]
    freedom = np.minimum.reduce(lines)
    return values[freedom > 0], freedom[freedom > 0]


def _ending_of(sets, shift):
    """The largest power of two, and a residue, such that every set has a value of that residue."""
    for bits in range(shift + EXTRA_ENDING, 0, -1):
        step = 1 << bits
        common = set.intersection(*(set(np.unique(values % step).tolist()) for values in sets))
        if common:
            return step, min(common, key=lambda residue: (abs(residue - step // 2), residue))
    return 1, 0


def _options(band, start, stop, skip, grid):
    """Every slope that serves a window, thinned out, with its intercepts."""
    least, most = band.slopes(start, stop, grid)
    count = (most - least) // grid.step + 1
    steps = np.arange(count) if count <= MAX_SLOPES else np.arange(MAX_SLOPES) * (count - 1) // (MAX_SLOPES - 1)
    slopes = least + grid.step * steps.astype(np.int64)
    if not (slopes == 0).any() and least <= 0 <= most:
        slopes = np.sort(np.append(slopes, 0))
    if len(slopes) * (stop - start) <= 1 << 16:
        ends = band.intercepts(start, stop, slopes[:, None], grid.shift)
    else:  # one at a time, to bound the memory
        ends = np.transpose([band.intercepts(start, stop, slope, grid.shift) for slope in slopes])
    return _Options(slopes, *ends).read_at(-skip)


def _common_ending(options, shift):
    """The largest power of two, and a residue, such that every segment has an intercept of that residue."""
    for bits in range(shift + EXTRA_ENDING, 0, -1):
        step = 1 << bits
        served = np.ones(min(step, RESIDUES), dtype=bool)
        for one in options:
            served &= one.residues(step)
            if not served.any():
                break
        else:
            choices = np.flatnonzero(served) * (step // len(served))
            # The residue nearest half an ulp rounds to nearest, which serves the mean error.
            return step, int(choices[np.argmin(np.abs(choices - step // 2))])
    return 1, 0


def _narrowed(options):
    """Cut the slopes down to the smallest magnitude (in bits), and to one sign, where all segments allow it."""
    reach = max(int(np.abs(one.slopes).min()) for one in options)
    bound = (1 << reach.bit_length()) - 1
    options = [one.only(np.abs(one.slopes) <= bound) for one in options]
    for sign in (1, -1):
        kept = [one.slopes * sign >= 0 for one in options]
        if all(some.any() for some in kept):
            return [one.only(some) for one, some in zip(options, kept)]
    return options


def _with_few_digits(options):
    """Keep the slopes of at most as many signed digits as the segment that needs most of them."""
    digits = [np.array([len(signed_digits(slope)) for slope in one.slopes.tolist()]) for one in options]
    most = max(int(counts.min()) for counts in digits)
    return [one.only(counts <= most) for one, counts in zip(options, digits)]


def _shared(options):
    """A slope for each segment, few different ones: zero where it serves, then always the one that serves most."""
    chosen = [0] * len(options)
    serves = {}
    for k, one in enumerate(options):
        if not (one.slopes == 0).any():
            for slope in one.slopes.tolist():
                serves.setdefault(slope, []).append(k)
    waiting = {k for group in serves.values() for k in group}
    left = {slope: len(group) for slope, group in serves.items()}

    def rank(slope):
        return -left[slope], -(slope & -slope).bit_length(), abs(slope), slope

    queue = [rank(slope) for slope in serves]
    heapq.heapify(queue)
    while waiting:
        first = heapq.heappop(queue)
        slope = first[-1]
        if first != rank(slope):  # others have taken some of its segments meanwhile
            heapq.heappush(queue, rank(slope))
            continue
        for k in waiting.intersection(serves[slope]):
            chosen[k] = slope
            waiting.discard(k)
            for other in options[k].slopes.tolist():
                left[other] -= 1
    return chosen


def _flat_intercepts(slopes, options, step, targets, shift):
    """Intercepts of the segments of slope zero by segment: runs of neighbours share one, from the last segment on."""
    runs = []
    for k in range(len(slopes) - 1, -1, -1):
        if slopes[k]:
            continue
        at_zero = options[k].only(options[k].slopes == 0)
        low, high = int(at_zero.least[0]), int(at_zero.most[0])
        if runs and max(low, runs[-1][0]) <= min(high, runs[-1][1]):
            least, most, run = runs[-1]
            runs[-1] = max(low, least), min(high, most), [*run, k]
        else:
            runs.append((low, high, [k]))
    chosen = {}
    for least, most, run in runs:
        values = np.concatenate([targets[k] for k in run])
        best = min(_spread(least, most, step), key=lambda c: float(np.abs((c >> shift) - values).sum()))
        chosen.update(dict.fromkeys(run, best))
    return chosen


def _spread(least, most, step):
    """A few intercepts of one residue, evenly spaced from the least to the most."""
    count = (most - least) // step + 1
    last = min(count, MAX_INTERCEPTS) - 1
    return [least + step * (i * (count - 1) // last if last else 0) for i in range(last + 1)]


def _best_intercept(target, skip, slope, options, step, shift):
    """The intercept with the least mean error over one segment."""
    k = int(np.flatnonzero(options.slopes == slope)[0])
    candidates = _spread(int(options.least[k]), int(options.most[k]), step)
    if len(candidates) == 1:
        return candidates[0]
    ramp = slope * np.arange(skip, skip + len(target), dtype=np.int64)
    errors = [np.abs(((ramp + c) >> shift) - target).sum() for c in candidates]
    return candidates[int(np.argmin(errors))]

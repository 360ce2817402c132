"""Candidates of a unit with uniform segments, drawn up for all segments at once and not to the last bit.

Where `hwact.fit` looks at every slope and intercept that serves a segment, and checks them in exact integers, this
looks at a few. What comes out has about the tables that the fit finds, in a hundredth of the time, and is
never built: a sketch is counted, not used.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..design import Lines

__all__ = ["Blocks", "Draft", "drafts"]

#: What is allowed where a block sticks out of the band.
_ANYTHING = 1 << 33
#: Slopes looked at for each segment, endings of the intercepts for each length, and points where two segments may meet.
_SLOPES, _ENDINGS, _POINTS = 8, 32, 8
#: Output ulps that an intercept is chosen from, at most.
_WIDE = 16
#: Real slopes lie in open intervals: narrower ones are empty.
_OPEN = 1e-9
#: Steps after which a slope's limit is taken as it is.
_STEPS = 40
#: Bits of whole output ulps that all intercepts may have in common, besides their fractions.
_EXTRA_ENDING = 2


@dataclass(frozen=True, eq=False)
class Draft:
    """Uniform segments that nobody has checked, with the names of `Lines`."""

    first: int
    bits: int
    shift: int
    slopes: list
    intercepts: list
    joints: object = None
    multiplier: str = "logic"

    method, segmentation = "pwl", "uniform"

    @property
    def segments(self):
        """Stored segments."""
        return len(self.slopes)

    @property
    def offset_bits(self):
        """Bits of the segment offset."""
        return self.bits

    @property
    def starts(self):
        """First index of each segment."""
        return range(self.first << self.bits, (self.first + len(self.slopes)) << self.bits, 1 << self.bits)

    @property
    def sizes(self):
        """Codes that each segment covers."""
        return [1 << self.bits] * len(self.slopes)

    def lines(self):
        """The segments as `Lines`."""
        starts, numbers = tuple(self.starts), (tuple(values) for values in (self.slopes, self.intercepts))
        return Lines("uniform", starts, starts[-1] + (1 << self.bits), self.shift, *numbers, self.multiplier)


class Blocks:
    """A band cut into aligned blocks of one size.

    Parameters
    ----------
    folded : Folded
    bits : int
        Blocks have ``2**bits`` indices.
    """

    def __init__(self, folded, bits):
        band, origin, size = folded.band, folded.origin, 1 << bits
        self.bits, self.size = bits, size
        self.first = origin >> bits
        self.count = -(-(origin + len(band)) // size) - self.first
        before = origin - self.first * size
        after = self.count * size - before - len(band)
        shape = (self.count, size)
        low = np.pad(band.lower, (before, after), constant_values=-_ANYTHING)
        high = np.pad(band.upper + 1, (before, after), constant_values=_ANYTHING)
        self.low, self.high = np.maximum(low, -_ANYTHING).reshape(shape), np.minimum(high, _ANYTHING).reshape(shape)
        self.offsets = np.arange(size, dtype=np.int64)

    @cached_property
    def slopes(self):
        """Least and largest real slope that serves each block; None where some block has none."""
        if self.bits == 0:
            return np.full(self.count, -_OPEN), np.full(self.count, _OPEN)
        runs = sorted({max(self.size // 4, 1), max(self.size // 2, 1), self.size - 1})
        most = np.min([(self.high[:, run:] - self.low[:, :-run]).min(axis=1) / run for run in runs], axis=0)
        least = np.max([(self.low[:, run:] - self.high[:, :-run]).max(axis=1) / run for run in runs], axis=0)
        if (most <= least).any():
            return None
        most, least = self._limit(most, 1), self._limit(least, -1)
        return None if most is None or least is None or (most - least < _OPEN).any() else (least, most)

    def _limit(self, slopes, side):
        """Slopes moved inward from one side until no pair of codes refuses them; None where some block has none."""
        active, low, high = np.arange(self.count), self.low, self.high
        for _ in range(_STEPS):
            ramp = slopes[active, None] * self.offsets
            i, j = (low - ramp).argmax(axis=1), (high - ramp).argmin(axis=1)
            rows = np.arange(len(active))
            gap, run = high[rows, j] - low[rows, i], j - i
            refused = gap <= slopes[active] * run - 1e-9
            if not refused.any():
                return slopes
            gap, run, active, low, high = gap[refused], run[refused], active[refused], low[refused], high[refused]
            if (run * side <= 0).any():
                return None
            slopes[active] = gap / run
        return slopes

    def options(self, grid):
        """A few slopes on a grid for each block, and the ranges of their intercepts; None where some block has none.

        Returns
        -------
        tuple of three arrays of shape (blocks, slopes)
            A range whose end lies before its beginning is none.
        """
        shift, scale = grid.shift, 1 << grid.shift
        least, most = np.ceil(self.slopes[0] * scale - 1e-6), np.floor(self.slopes[1] * scale + 1e-6)
        if grid.least is not None:
            least, most = np.maximum(least, grid.least), np.minimum(most, grid.most)
        if (least > most).any():
            return None
        least, most = least.astype(np.int64), most.astype(np.int64)
        coarse = np.ceil(np.log2((most - least + 1) / (_SLOPES - 1))).astype(np.int64)
        coarse = np.maximum(coarse, grid.step.bit_length() - 1)
        found = (-(-least >> coarse)[:, None] + np.arange(min(_SLOPES, int((most - least).max()) + 1))) << coarse[
            :, None
        ]
        ramp = found[:, :, None] * self.offsets
        low = ((self.low << shift)[:, None, :] - ramp).max(axis=2)
        high = ((self.high << shift)[:, None, :] - ramp).min(axis=2) - 1
        high[found > most[:, None]] = -_ANYTHING << shift
        return (found, low, high) if (low <= high).any(axis=1).all() else None


def drafts(blocks, shift, options, multiplier="logic"):
    """Segments for blocks: with intercepts of their own, and where segments can meet in pairs, with one a pair.

    Parameters
    ----------
    blocks : Blocks
    shift : int
    options : tuple
        From `Blocks.options`.
    multiplier : str
        As in `Lines`.

    Yields
    ------
    Draft
    """
    slopes, low, high = options
    served = low <= high
    rising = (served & (slopes >= 0)).any(axis=1).all()
    falling = not rising and (served & (slopes <= 0)).any(axis=1).all()
    common = blocks.first, blocks.bits, shift
    single = _single(shift, slopes, low, high, blocks.size - 1 if falling else 0)
    yield Draft(*common, *(values.tolist() for values in single), None, multiplier)
    if multiplier == "logic" and (rising or falling) and blocks.size > 1 and blocks.count > 1:
        kept = served & (slopes <= 0 if falling else slopes >= 0)
        paired = _paired(blocks, shift, slopes, low, np.where(kept, high, low - 1), int(falling))
        if paired is not None:
            yield Draft(*common, *(values.tolist() for values in paired))


def _single(shift, slopes, low, high, at):
    low, high = low + slopes * at, high + slopes * at
    step, residue = _ending(low, high, shift)
    first = low + ((residue - low) & (step - 1))
    chosen = _shared(slopes, first <= high)
    rows = np.arange(len(low))
    low, high, slopes = first[rows, chosen], high[rows, chosen], slopes[rows, chosen]
    narrow = np.minimum(high - low, _WIDE << shift)  # of what saturates, the end that is not far out
    low = np.where(np.abs(low) <= np.abs(high), low, low + (high - low - narrow) // step * step)
    values = low + narrow // (2 * step) * step
    return slopes, values - slopes * at


def _paired(blocks, shift, slopes, low, high, falls):
    odd = (np.arange(blocks.count) + blocks.first) % 2
    at = np.where(odd, -falls, blocks.size - falls)[:, None]
    low, high = low + slopes * at, high + slopes * at
    served = low <= high
    pair = (np.arange(blocks.count) + blocks.first) // 2 - blocks.first // 2
    starts = np.flatnonzero(np.diff(pair, prepend=-1))
    least = np.maximum.reduceat(np.where(served, low, _ANYTHING << shift).min(axis=1), starts)
    most = np.minimum.reduceat(np.where(served, high, -_ANYTHING << shift).max(axis=1), starts)
    if (least > most).any():
        return None
    step, residue = _ending(least[:, None], most[:, None], shift)
    first = least + ((residue - least) & (step - 1))
    room = (most - first) // step
    values = first[:, None] + (room[:, None] * np.arange(_POINTS) // (_POINTS - 1)) * step
    each = values[pair][:, None, :]
    free = ((low[:, :, None] <= each) & (each <= high[:, :, None])).sum(axis=1)
    best = np.minimum.reduceat(free, starts, axis=0).argmax(axis=1)
    values = values[np.arange(len(best)), best][pair]
    kept = served & (low <= values[:, None]) & (values[:, None] <= high)
    if not kept.any(axis=1).all():
        return None
    rows, chosen = np.arange(blocks.count), _shared(slopes, kept)
    slopes = slopes[rows, chosen]
    return slopes, values - slopes * at[:, 0], values


def _ending(low, high, shift):
    """The largest power of two, and a residue, such that a value of it lies in some range of every row."""
    for bits in range(shift + _EXTRA_ENDING, 0, -1):
        step = 1 << bits
        residues = np.arange(min(step, _ENDINGS)) * (step // min(step, _ENDINGS))
        served = np.ones(len(residues), dtype=bool)
        for start, stop in ((0, 4), (4, 32), (32, len(low))):
            some = slice(start, stop)
            least = low[some, :, None] + ((residues[served] - low[some, :, None]) & (step - 1))
            served[served] = (least <= high[some, :, None]).any(axis=1).all(axis=0)
            if not served.any():
                break
        else:
            found = residues[served]
            return step, int(found[np.abs(found - step // 2).argmin()])
    return 1, 0


def _shared(slopes, kept):
    """Which slope each row takes: short ones of one sign, zero where it serves, and few different ones."""
    magnitude = np.where(kept, np.abs(slopes), 1 << 60)
    kept = kept & (np.abs(slopes) < 1 << int(magnitude.min(axis=1).max()).bit_length())
    for sign in (1, -1):
        one_sign = kept & (slopes * sign >= 0)
        if one_sign.any(axis=1).all():
            kept = one_sign
            break
    chosen = np.where((kept & (slopes == 0)).any(axis=1), (kept & (slopes == 0)).argmax(axis=1), -1)
    waiting = np.flatnonzero(chosen < 0)
    rows, columns = np.nonzero(kept[waiting])
    values, number = np.unique(slopes[waiting][rows, columns], return_inverse=True)
    serves = np.zeros((len(waiting), len(values)), dtype=bool)
    serves[rows, number] = True
    where = np.zeros(serves.shape, dtype=np.int8)
    where[rows, number] = columns
    counts = serves.sum(axis=0) * 64 + np.log2(values & -values).astype(np.int64) if len(values) else None
    left = len(waiting)
    while left:
        best = int(counts.argmax())
        taken = np.flatnonzero(serves[:, best])
        chosen[waiting[taken]] = where[taken, best]
        counts -= 64 * serves[taken].sum(axis=0)
        serves[taken] = False
        left -= len(taken)
    return chosen

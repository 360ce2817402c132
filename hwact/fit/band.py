"""Lines through a band of allowed integers: the feasibility test that every segmentation rests on.

A `Band` holds, for consecutive indices u, the allowed outputs ``lower[u] <= y <= upper[u]``. A line
with integer slope m, intercept c and shift s serves a window of the band if
``lower <= (m * d + c) >> s <= upper`` for every offset d in it, which is
``lower * 2**s <= m * d + c <= (upper + 1) * 2**s - 1``.

For one slope, the room left for the intercept, ``min(high - m * d) - max(low - m * d)``, is a
concave, piecewise-linear function of the slope. Its maximum is found by cutting planes: each
evaluation names two codes whose constraints bound the slope from one side, and the next slope is
where the two tightest bounds leave equal room. Everything is integer or rational, so both answers
are exact, and a refusal comes with the codes that prove it.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

__all__ = ["Band", "Grid", "Infeasible", "Line"]


@dataclass(frozen=True)
class Grid:
    """Which slopes are allowed.

    Parameters
    ----------
    shift : int or None
        Fraction bits of the integer slopes; None for real slopes.
    step : int
        Slopes are multiples of it.
    least, most : int or None
        Range of the slopes.
    """

    shift: object = None
    step: int = 1
    least: object = None
    most: object = None

    def mirrored(self):
        """The grid for a band that is read from its end."""
        return self if self.least is None else replace(self, least=-self.most, most=-self.least)


class Line(NamedTuple):
    """A slope that serves a window: an integer on its grid, or a Fraction where the grid is real."""

    slope: object


class Infeasible(NamedTuple):
    """No line serves the window.

    `codes` are the pairs of indices whose constraints contradict each other: the slope must exceed
    what the first pair says and stay below what the second pair says.
    """

    codes: tuple

    @property
    def reach(self):
        """The largest index involved: no window from the same start over it can be served."""
        return max(self.codes)


class _Cut(NamedTuple):
    """``gap - slope * run >= 0`` (or > 0 for reals), from a pair of indices."""

    gap: int
    run: int
    codes: tuple


class Band:
    """Allowed integer outputs over consecutive indices.

    Parameters
    ----------
    lower, upper : numpy.ndarray of int64
        One entry an index, ``lower <= upper``.
    """

    def __init__(self, lower, upper):
        self.lower = np.ascontiguousarray(lower, dtype=np.int64)
        self.upper = np.ascontiguousarray(upper, dtype=np.int64)
        self._offsets = np.arange(len(self.lower), dtype=np.int64)
        self._scaled = {}

    def __len__(self):
        return len(self.lower)

    def reversed(self):
        """The band read from its end."""
        return Band(self.lower[::-1], self.upper[::-1])

    def at_shift(self, shift):
        """Smallest and largest ``m * d + c`` at a shift: two int64 arrays."""
        if shift not in self._scaled:
            self._scaled[shift] = (self.lower << shift, ((self.upper + 1) << shift) - 1)
        return self._scaled[shift]

    def line(self, start, stop, grid=Grid()):
        """Find a slope with which a line serves the window ``start <= u < stop``.

        Parameters
        ----------
        start, stop : int
            The window; it has at least one index.
        grid : Grid
            The slopes to choose from.

        Returns
        -------
        Line or Infeasible
        """
        if stop - start == 1:
            return Line(Fraction(0) if grid.shift is None else 0)
        if grid.shift is None:
            return self._real_line(start, stop)
        return self._integer_line(start, stop, grid)

    def _real_line(self, start, stop):
        lower, upper = self.lower[start:stop], self.upper[start:stop]
        offsets = self._offsets[: stop - start]
        last = stop - start - 1

        def cut(i, j):
            return _Cut(int(upper[j]) + 1 - int(lower[i]), j - i, (start + min(i, j), start + max(i, j)))

        above, below = cut(0, last), cut(last, 0)
        while above.gap * -below.run > -below.gap * above.run:
            slope = Fraction(above.gap - below.gap, above.run - below.run)
            p, q = slope.numerator, slope.denominator
            ramp = p * offsets
            found = cut(int(np.argmax(lower * q - ramp)), int(np.argmin(upper * q - ramp)))
            if found.gap * q > p * found.run:
                return Line(slope)
            if found.run > 0:
                above = found
            else:
                below = found
        return Infeasible((*below.codes, *above.codes))

    def _integer_line(self, start, stop, grid):
        low, high = (bound[start:stop] for bound in self.at_shift(grid.shift))
        step = grid.step
        offsets = self._offsets[: stop - start]
        last = stop - start - 1

        def cut(i, j):
            return _Cut(int(high[j]) - int(low[i]), (j - i) * step, (start + min(i, j), start + max(i, j)))

        above, below = cut(0, last), cut(last, 0)
        most = above.gap // above.run
        least = -(below.gap // -below.run)
        if grid.least is not None:
            least, most = max(least, -(-grid.least // step)), min(most, grid.most // step)
        while least <= most:
            balanced = (above.gap - below.gap) // (above.run - below.run)
            slope = min(max(balanced, least), most)
            ramp = (slope * step) * offsets
            found = cut(int(np.argmax(low - ramp)), int(np.argmin(high - ramp)))
            if found.gap >= slope * found.run:
                return Line(slope * step)
            if found.run > 0:
                above, most = found, found.gap // found.run
            else:
                below, least = found, -(found.gap // -found.run)
        return Infeasible((*below.codes, *above.codes))

    def slopes(self, start, stop, grid):
        """Smallest and largest integer slope with which some line serves a window that can be served."""
        if stop - start == 1:
            return 0, 0
        low, high = (bound[start:stop] for bound in self.at_shift(grid.shift))
        offsets = self._offsets[: stop - start] * grid.step
        last = stop - start - 1

        def newton(slope, bound):
            while True:
                ramp = slope * offsets
                i, j = int(np.argmax(low - ramp)), int(np.argmin(high - ramp))
                gap, run = int(high[j]) - int(low[i]), (j - i) * grid.step
                if gap >= slope * run:
                    return slope * grid.step
                slope = bound(gap, run)

        span = last * grid.step
        most = (int(high[last]) - int(low[0])) // span
        least = -((int(high[0]) - int(low[last])) // span)
        if grid.least is not None:
            least, most = max(least, -(-grid.least // grid.step)), min(most, grid.most // grid.step)
        return newton(least, lambda gap, run: -(gap // -run)), newton(most, lambda gap, run: gap // run)

    def intercepts(self, start, stop, slope, shift):
        """Smallest and largest intercepts (at `start`) with which integer slopes serve a window.

        `slope` is an integer, or a column of them; the results are integers, or arrays with one entry a slope.
        """
        low, high = (bound[start:stop] for bound in self.at_shift(shift))
        ramp = slope * self._offsets[: stop - start]
        return (low - ramp).max(axis=-1), (high - ramp).min(axis=-1)

    def extend(self, start, stop, line, grid):
        """How far beyond `stop` a line with this slope can serve, looking at most twice the window ahead."""
        end = min(len(self), 3 * stop - 2 * start)
        offsets = self._offsets[: end - start]
        if grid.shift is None:
            p, q = line.slope.numerator, line.slope.denominator
            low = self.lower[start:end] * q
            high = (self.upper[start:end] + 1) * q - 1
            ramp = p * offsets
        else:
            low, high = (bound[start:end] for bound in self.at_shift(grid.shift))
            ramp = line.slope * offsets
        room = np.minimum.accumulate(high - ramp) - np.maximum.accumulate(low - ramp)
        closed = room < 0
        return start + int(np.argmax(closed)) if closed.any() else end

    def longest(self, start, grid=Grid(), guess=2):
        """The largest `stop` such that a line serves ``start <= u < stop``, and the proof.

        Parameters
        ----------
        start : int
        grid : Grid
        guess : int
            A window length to try first.

        Returns
        -------
        stop : int
        Infeasible or None
            Why one index more cannot be served; None at the end of the band.
        """
        served, refused, proof = start + 1, len(self) + 1, None
        trial = min(start + max(guess, 2), len(self))
        while served + 1 < refused:
            trial = min(max(trial, served + 1), refused - 1)
            answer = self.line(start, trial, grid)
            if isinstance(answer, Line):
                served = min(self.extend(start, trial, answer, grid), refused - 1)
                trial = 2 * served - start if proof is None else (served + refused) // 2
            else:
                refused, proof = answer.reach + 1, answer
                trial = (served + refused) // 2
        return served, proof

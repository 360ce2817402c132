"""What one channel has to meet, and the fewest segments with which any unit can meet it."""

from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..design import Channel, Format, Lines, Minimality
from .band import Band, Line
from .folding import folds
from .segmentation import free

__all__ = ["Problem", "Target"]

#: How far beyond the output's range, in bits, a line may run where the unit saturates.
SATURATION_BITS = 26


class Target(NamedTuple):
    """What a channel has to meet.

    `codes` are consecutive; `lower` and `upper` are the allowed outputs, `exact` the real function
    in output ulps (float64), one entry a code each.
    """

    name: str
    expression: str
    mode: str
    input: Format
    output: Format
    bound: str
    codes: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    exact: np.ndarray

    def relaxed(self):
        """The target of a unit that saturates: at the ends of the range, anything beyond is allowed as well."""
        beyond = 1 << max(self.output.width + 1, SATURATION_BITS)
        return self._replace(
            lower=np.where(self.lower == self.output.min_code, self.lower - beyond, self.lower),
            upper=np.where(self.upper == self.output.max_code, self.upper + beyond, self.upper),
        )


class Problem:
    """A target, the slopes that may serve it, and what follows from both.

    Parameters
    ----------
    target : Target
    slopes : AnySlope or HeldSlope
    saturate : bool
        Clamp the output, and let segments rely on it.
    """

    def __init__(self, target, slopes, saturate=False):
        self.target = target.relaxed() if saturate else target
        self.slopes = slopes
        self.saturate = saturate
        self.whole = Band(self.target.lower, self.target.upper)

    @cached_property
    def folds(self):
        """Every fold that the allowed outputs permit, the unfolded one first (list of Folded)."""
        t = self.target
        return folds(t.codes, t.lower, t.upper, t.exact, t.input, t.output)

    @cached_property
    def least(self):
        """A minimal segmentation of the whole, unfolded range."""
        return free(self.whole, 0, self.slopes.grid(self.folds[0].fold))

    def pieces(self, fold, segmentation):
        """Straight pieces over the whole input range that the segments of a fold amount to.

        The two innermost pieces, mirror images of each other, count as one where one line serves both.

        Parameters
        ----------
        fold : Fold
        segmentation : Segmentation or Lines
            With `starts` and `stop` over the folded index.
        """
        starts = segmentation.starts
        if fold.index == "none":
            return len(starts)
        first, last = int(self.target.codes[0]), int(self.target.codes[-1])
        shared_zero = fold.index == "negate"  # u = 0 belongs to x = 0 alone
        inner = starts[1] if len(starts) > 1 else segmentation.stop
        left, right = max(-inner + shared_zero, first), min(inner - 1, last)
        one_line = isinstance(self.whole.line(left - first, right - first + 1, self.slopes.grid(fold)), Line)
        reach_left = -first if shared_zero else -first - 1
        return sum(start <= reach_left for start in starts) + sum(start <= last for start in starts) - one_line

    def channel(self, fold, core):
        """The channel with this fold and core, and the proof of the minimum."""
        t, first = self.target, int(self.target.codes[0])
        witnesses = (tuple(i + first for i in proof.codes) for proof in self.least.proofs)
        minimality = Minimality(
            segments=len(self.least),
            starts=tuple(start + first for start in self.least.starts),
            witnesses=tuple(witnesses) if self.slopes.by_witness else (),
        )
        return Channel(
            name=t.name,
            expression=t.expression,
            mode=t.mode,
            format=t.output,
            bound=t.bound,
            fold=fold,
            core=core,
            saturate=self.saturate,
            minimality=minimality,
            segments=self.pieces(fold, core) if isinstance(core, Lines) else None,
        )

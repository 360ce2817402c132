"""The candidate of least cost among those that a fit would look at, most of them not built."""

import math
from typing import NamedTuple

from ..errors import RequestError
from ..fit.cost import cost, dyadic_select, free_select
from ..fit.exact import FEW_SEGMENTS, MAX_EXCESS, MAX_TABLE, MAX_TABLE_ASKED
from ..fit.exact import _lines as lines_of
from ..fit.exact import _quantised as quantised
from ..fit.exact import _tables as tables_of
from ..fit.segmentation import dyadic, free
from .sketch import Blocks, drafts

__all__ = ["Candidate", "Search"]

#: Halvings of the largest block size that are looked at.
_HALVINGS = 3
#: Folds that need so many times the blocks of another are left alone.
_MANY = 2
#: What costs so many times the least is not followed; of the folds, not more than so many are.
_WORTH, _MOST_FOLDS = 1.1, 2
#: Dyadic segments that one free segment does not replace.
_FREEDOM = 4
#: Segments whose coefficients take a node a bit.
_ENTRIES = 16
#: Entries beyond which a table is looked at only if its outputs are few.
_LONG_TABLE, _FEW_OUTPUTS = 640, 1 << 5


class Candidate(NamedTuple):
    """A way to compute one channel, and its rank: what the fit, too, takes it to cost.

    Parameters
    ----------
    cost : float
    folded : Folded
    core : Lines, Table or Draft
    """

    cost: float
    folded: object
    core: object


class Search:
    """Candidates for one channel.

    Parameters
    ----------
    problem : Problem
    spec : Spec
    beside : Channel or None
        The unit's other channel.
    """

    def __init__(self, problem, spec, beside=None):
        self._problem, self._beside = problem, beside and beside.fold
        self._multiplier, self._layout = spec.multiplier, spec.layouts[0]
        self._target = problem.target
        self._best, self._segmented = None, {}

    def cheapest(self, method, segmentation):
        """The candidate of least cost for a method and a segmentation, as in `Spec`.

        Raises
        ------
        RequestError
            As the fit does.
        """
        if method in ("auto", "table"):
            self._tables(method)
        if method in ("auto", "pwl"):
            by_cost = method == "auto" and segmentation == "auto"
            kind = "free" if segmentation == "auto" else segmentation
            if by_cost or kind == "uniform":
                folds = self._uniform(by_cost)
            if by_cost:
                self._irregular(folds)
            elif kind != "uniform":
                self._as_fitted(kind)
        if self._best is None:
            raise RequestError(f"Table must have at most {MAX_TABLE_ASKED} entries: take --method pwl")
        return self._best

    @property
    def _least(self):
        return self._best.cost if self._best else math.inf

    def _try(self, folded, core):
        """Keep a candidate if it is the best so far; return its cost."""
        found = cost(folded.fold, core, self._target.input, self._target.output, self._beside, self._layout)
        if found < self._least:
            self._best = Candidate(found, folded, core)
        return found

    def _tables(self, method):
        most = MAX_TABLE if method == "auto" else MAX_TABLE_ASKED
        folds = self._problem.folds
        if method == "auto":
            folds = [folded for folded in folds if len(folded.band) <= _LONG_TABLE or _outputs(folded) <= _FEW_OUTPUTS]
        by_fold = {id(folded.fold): folded for folded in folds}
        for fold, table in tables_of(folds, most):
            self._try(by_fold[id(fold)], table)

    def _uniform(self, by_cost):
        """Try blocks of the largest size on every fold, and smaller ones on the best folds; return those."""
        largest, guess = [], max(self._target.input.width // 2 - 1, 0)
        for folded in self._problem.folds:
            if self._problem.slopes.grid(folded.fold) is not None:
                largest.append((folded, _largest(folded, guess)))
                guess = largest[-1][1].bits
        least = min(blocks.count for _, blocks in largest)
        bases = []
        for folded, blocks in largest:
            if blocks.count > _MANY * least:
                continue
            found = self._blocks(folded, blocks, by_cost)
            while found is None and blocks.bits and not (by_cost and self._too_many(folded, blocks)):
                blocks = Blocks(folded, blocks.bits - 1)
                found = self._blocks(folded, blocks, by_cost)
            if found is not None:
                bases.append((*found, len(bases), folded, blocks))
        if not bases and by_cost:
            return self._problem.folds
        if not bases:
            raise RequestError("Bound must leave lines of at most 28 fraction bits: ask for a looser one")
        bases.sort()
        worth = [base for base in bases if base[0] <= _WORTH * bases[0][0]][:_MOST_FOLDS]
        for last, shift, _, folded, blocks in worth if by_cost else ():
            found = self._blocks(folded, blocks, True, shift + 1)
            for bits in range(blocks.bits - 1, max(blocks.bits - 1 - _HALVINGS, -1), -1):
                last = min(last, found[0]) if found else last
                smaller = Blocks(folded, bits)
                found = self._blocks(folded, smaller, True)
                if found is None or found[0] > _WORTH * last:
                    break
                self._blocks(folded, smaller, True, found[1] + 1)
        return [base[3] for base in worth]

    def _blocks(self, folded, blocks, by_cost, first=0):
        """Try blocks with the smallest shift from a first one on that serves; return the least cost and the shift."""
        if by_cost and self._too_many(folded, blocks) or blocks.slopes is None:
            return None
        multiplier = "logic" if self._multiplier == "auto" else self._multiplier
        for shift in self._problem.slopes.shifts[first:]:
            options = blocks.options(self._problem.slopes.grid(folded.fold, shift))
            if options is not None:
                return min(self._try(folded, draft) for draft in drafts(blocks, shift, options, multiplier)), shift
        return None

    def _too_many(self, folded, blocks):
        return blocks.count > FEW_SEGMENTS and blocks.count > self._most(folded)

    def _most(self, folded):
        """About the blocks beyond which the fit does not look: a multiple of the least number of segments."""
        return MAX_EXCESS * len(self._dyadic(folded)) * (1 if folded.fold.index == "none" else 2) + 16

    def _dyadic(self, folded):
        if id(folded) not in self._segmented:
            grid = self._problem.slopes.grid(folded.fold)
            self._segmented[id(folded)] = dyadic(folded.band, folded.origin, grid)
        return self._segmented[id(folded)]

    def _irregular(self, folds):
        """Fit dyadic and free segments where their number does not rule them out."""
        for folded in folds:
            grid = self._problem.slopes.grid(folded.fold)
            found = self._dyadic(folded)
            if self._promises(found, dyadic_select(len(found))):
                self._quantise("dyadic", folded, found)
            most = int(min(self._least / free_select(1, self._target.input), len(folded.band)))
            if len(found) > _FREEDOM * most:
                continue
            # Given up as soon as one segment more is needed.
            found = free(folded.band, folded.origin, grid, [0] * most + [len(folded.band) + 1])
            if found is not None and self._promises(found, free_select(len(found), self._target.input)):
                self._quantise("free", folded, found)

    def _promises(self, segmentation, select):
        """Whether segments are likely to cost less than the best candidate, by their number and the longest alone."""
        width, offset_bits = self._target.output.width, (max(segmentation.sizes()) - 1).bit_length()
        tables = (width + offset_bits) * max(len(segmentation) / _ENTRIES, 1)
        return select + tables + offset_bits**2 + width < self._least

    def _quantise(self, kind, folded, segmentation):
        for lines in quantised(self._problem.slopes, folded, kind, segmentation, self._multiplier, 0):
            self._try(folded, lines)

    def _as_fitted(self, kind):
        """Try what the fit itself finds."""
        for folded in self._problem.folds:
            for _, lines in lines_of(self._problem, folded, kind, self._multiplier, False):
                self._try(folded, lines)


def _largest(folded, guess):
    """The largest blocks that real lines serve, looked for from a guess of their size."""
    most = (folded.origin + len(folded.band) - 1).bit_length()
    blocks = Blocks(folded, min(guess, most))
    while blocks.slopes is None:
        blocks = Blocks(folded, blocks.bits - 1)
    if blocks.bits < guess:
        return blocks
    while blocks.bits < most:
        larger = Blocks(folded, blocks.bits + 1)
        if larger.slopes is None:
            break
        blocks = larger
    return blocks


def _outputs(folded):
    return int(folded.band.lower.max()) - int(folded.band.lower.min())

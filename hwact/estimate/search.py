"""The candidate of least estimate among those that a fit would look at, most of them not built."""

from typing import NamedTuple

from ..design import Table
from ..errors import RequestError
from ..fit.exact import MAX_TABLE, MAX_TABLE_ASKED
from ..fit.exact import _lines as lines_of
from ..fit.exact import _tables as tables_of
from ..fit.features import Features, channel_features
from ..fit.segmentation import dyadic, free
from .sketch import Blocks, Draft, drafts

__all__ = ["Candidate", "Search"]

#: Halvings of the largest block size that are looked at, and larger shifts than the smallest.
_HALVINGS, _SPARE_SHIFTS = 3, 1
#: What is estimated at so many times the least is not followed.
_WORTH = 1.2
#: Entries beyond which a table is looked at only if its outputs are few.
_LONG_TABLE, _FEW_OUTPUTS = 1 << 10, 1 << 5


class Candidate(NamedTuple):
    """A way to compute one channel, and what it is estimated to take.

    Parameters
    ----------
    luts : float
    features : Features
    folded : Folded
    core : Lines, Table or Draft
    """

    luts: float
    features: Features
    folded: object
    core: object


class Search:
    """Candidates for one channel.

    Parameters
    ----------
    problem : Problem
    luts : function
        From `Features` to an estimate.
    multiplier : str
        As in `Spec`.
    beside : tuple of (Fold, Lines or Table)
        Other channels of the unit.
    """

    def __init__(self, problem, luts, multiplier, beside=()):
        self._problem, self._luts, self._beside = problem, luts, beside
        self._multiplier = multiplier
        self._target = problem.target
        self._codes = int(self._target.codes[0]), int(self._target.codes[-1])
        self._best = None

    def cheapest(self, method, segmentation):
        """The candidate of least estimate for a method and a segmentation, as in `Spec`.

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
                self._as_fitted(kind, self._problem.folds)
        if self._best is None:
            raise RequestError(f"Table must have at most {MAX_TABLE_ASKED} entries: take --method pwl")
        return self._best

    def _try(self, folded, core):
        """Keep a candidate if it is the best so far; return its estimate."""
        u_width = max(folded.fold.index_range(self._target.input, self._codes)[1].bit_length(), 1)
        features = channel_features(
            folded.fold,
            core,
            self._target.input,
            self._target.output,
            u_width=u_width,
            saturate=self._problem.saturate,
            beside=self._beside,
        )
        luts = self._luts(features)
        if self._best is None or luts < self._best.luts:
            self._best = Candidate(luts, features, folded, core)
        return luts

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
        bases = []
        for folded in self._problem.folds:
            grid = self._problem.slopes.grid(folded.fold)
            for bits in range((folded.origin + len(folded.band) - 1).bit_length(), -1, -1) if grid else ():
                least = self._blocks(folded, bits, 0)
                if least is not None:
                    bases.append((least, len(bases), folded, bits))
                    break
        if not bases:
            raise RequestError("Bound must leave lines of at most 28 fraction bits: ask for a looser one")
        worth = [base for base in sorted(bases) if base[0] <= _WORTH * min(bases)[0]][:2]
        for _, _, folded, bits in worth if by_cost else ():
            last = self._blocks(folded, bits, _SPARE_SHIFTS)
            for smaller in range(bits - 1, max(bits - 1 - _HALVINGS, -1), -1):
                found = self._blocks(folded, smaller, _SPARE_SHIFTS)
                if found is None or found > _WORTH * last:
                    break
                last = found
        return [folded for _, _, folded, _ in worth]

    def _blocks(self, folded, bits, spare):
        """Try blocks of a size, with the smallest shift that serves and `spare` larger ones; return the least estimate."""
        blocks = Blocks(folded, bits)
        if blocks.slopes is None:
            return None
        estimates, left = [], spare + 1
        for shift in self._problem.slopes.shifts:
            options = blocks.options(self._problem.slopes.grid(folded.fold, shift))
            if options is not None:
                multiplier = "logic" if self._multiplier == "auto" else self._multiplier
                estimates += [self._try(folded, draft) for draft in drafts(blocks, shift, options, multiplier)]
                left -= 1
                if left == 0:
                    break
        return min(estimates, default=None)

    def _irregular(self, folds):
        """Try dyadic and free segments where their number alone does not rule them out."""
        for folded in folds:
            grid = self._problem.slopes.grid(folded.fold)
            if self._promises(dyadic(folded.band, folded.origin, grid), blocks=1):
                self._as_fitted("dyadic", [folded])
            width = (folded.origin + len(folded.band)).bit_length()
            each = self._luts(Features(compare=width, segments=1))
            most = int(self._best.luts / each) if each else 0
            never = [0] * most + [len(folded.band) + 1]
            if most and free(folded.band, folded.origin, grid, never) is not None:
                self._as_fitted("free", [folded])

    def _promises(self, segmentation, **each):
        return self._luts(Features(**{name: len(segmentation) * value for name, value in each.items()})) < self._best.luts

    def _as_fitted(self, kind, folds):
        """Try what the fit itself finds."""
        for folded in folds:
            for _, lines in lines_of(self._problem, folded, kind, self._multiplier, False):
                self._try(folded, lines)


def _outputs(folded):
    return int(folded.band.lower.max()) - int(folded.band.lower.min())

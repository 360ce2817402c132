"""Segmentations of a band with the fewest segments: free, dyadic and uniform breakpoints.

What one line can serve, it can serve in part: feasibility is inherited by sub-windows. Hence, for
free breakpoints, taking the longest segment every time is optimal; for dyadic ones, splitting a
block only where it must be split; for uniform ones, the largest block size that serves everywhere.
"""

from typing import NamedTuple

from .band import Grid, Infeasible

__all__ = ["SEGMENTERS", "Segmentation", "dyadic", "free", "serves", "uniform"]


class Segmentation(NamedTuple):
    """Segments over indices u.

    `starts` and `stop` are indices; `proofs` are the contradictions (`Infeasible`, in entries of the
    band) that forced the breakpoints.
    """

    starts: tuple
    stop: int
    proofs: tuple

    def __len__(self):
        return len(self.starts)

    def sizes(self):
        """Codes that each segment covers."""
        edges = (*self.starts, self.stop)
        return [b - a for a, b in zip(edges, edges[1:])]

    def windows(self, origin, length):
        """Each segment as (start, stop) of the band's entries; ends that stick out are cut off."""
        edges = (*self.starts, self.stop)
        return [(max(a - origin, 0), min(b - origin, length)) for a, b in zip(edges, edges[1:])]


def free(band, origin=0, grid=Grid(), earliest=None):
    """Fewest segments with breakpoints anywhere, each as long as it can be.

    Parameters
    ----------
    band : Band
    origin : int
        Index u of the band's first entry.
    grid : Grid
    earliest : list of int or None
        From `earliest_starts`: give up, returning None, once the count must exceed its length.

    Returns
    -------
    Segmentation or None
    """
    starts, proofs, start = [], [], 0
    while start < len(band):
        guess = start - starts[-1] if starts else 2
        starts.append(start)
        start, proof = band.longest(start, grid, guess)
        if earliest is not None and start < earliest[len(starts) - 1]:
            return None
        if proof is not None:
            proofs.append(proof)
    return Segmentation(tuple(s + origin for s in starts), len(band) + origin, tuple(proofs))


def earliest_starts(band, grid=Grid()):
    """Earliest entry at which each further segment of a minimal free segmentation can start; the last is the end."""
    mirrored = free(band.reversed(), 0, grid.mirrored())
    return [len(band) - start for start in reversed(mirrored.starts)]


def _block_bits(origin, length):
    """Bits of the smallest power of two that holds every index u."""
    return (origin + length - 1).bit_length()


def dyadic(band, origin=0, grid=Grid()):
    """Fewest aligned power-of-two blocks, of any sizes."""
    starts, proofs = [], []
    pending = [(0, 1 << _block_bits(origin, len(band)))]
    stop = 0
    while pending:
        start, end = pending.pop()
        first, last = max(start - origin, 0), min(end - origin, len(band))
        if first >= last:
            continue
        answer = band.line(first, last, grid)
        if isinstance(answer, Infeasible):
            proofs.append(answer)
            middle = (start + end) // 2
            pending += [(middle, end), (start, middle)]
        else:
            starts.append(start)
            stop = end
    return Segmentation(tuple(starts), stop, tuple(proofs))


def uniform(band, origin=0, grid=Grid(), bits=None):
    """Fewest aligned blocks of one power-of-two size.

    With `bits`, blocks of ``2**bits`` codes are taken and need not serve (see `serves`).
    """
    proofs = ()
    for exponent in range(_block_bits(origin, len(band)), -1, -1) if bits is None else (bits,):
        size = 1 << exponent
        first = origin // size * size
        stop = -(-(origin + len(band)) // size) * size
        blocks = Segmentation(tuple(range(first, stop, size)), stop, proofs)
        refusal = next(refusals(band, origin, blocks, grid), None) if bits is None else None
        if refusal is None:
            return blocks
        proofs = (refusal,)
    raise AssertionError("single codes are always served")


def refusals(band, origin, segmentation, grid):
    """Yield the contradictions of all segments that no line on the grid serves."""
    for start, stop in segmentation.windows(origin, len(band)):
        answer = band.line(start, stop, grid)
        if isinstance(answer, Infeasible):
            yield answer


def serves(band, origin, segmentation, grid):
    """Tell whether lines on the grid serve every segment."""
    return next(refusals(band, origin, segmentation, grid), None) is None


#: Segmentation functions by name.
SEGMENTERS = {"free": free, "dyadic": dyadic, "uniform": uniform}

"""Folds: which halves of the input range mirror each other, read off the allowed outputs.

Symmetry is not taken from the function's description but from the allowed intervals themselves: a
fold is offered if, and only if, some output per folded index satisfies both codes it stands for.
So every expression folds that can, and a rounding that breaks a symmetry is never overlooked.
"""

from typing import NamedTuple

import numpy as np

from ..design import Fold
from .band import Band

__all__ = ["Folded", "folds"]


class Folded(NamedTuple):
    """A fold, the band of its halved outputs g, the index u of the band's first entry, and the target."""

    fold: Fold
    band: Band
    origin: int
    target: np.ndarray


class _Side(NamedTuple):
    """Allowed outputs of one half, over the folded index; everything allowed where no code folds to it."""

    lower: np.ndarray
    upper: np.ndarray
    target: np.ndarray
    known: np.ndarray


def folds(codes, lower, upper, target, input, output):
    """Every fold of a unit's allowed outputs, the unfolded one first.

    Parameters
    ----------
    codes, lower, upper : numpy.ndarray of int64
        Consecutive input codes and their allowed outputs.
    target : numpy.ndarray of float64
        The real function in output ulps, for the choice among equals.
    input, output : Format

    Returns
    -------
    list of Folded
    """
    found = [Folded(Fold(), Band(lower, upper), int(codes[0]) - input.min_code, target)]
    if not input.signed or not codes[0] < 0 < codes[-1]:
        return found
    for index in ("negate", "complement"):
        right, left, codes_right, codes_left = _halves(codes, lower, upper, target, index)
        found += _even(index, right, left)
        found += _odd(index, right, left, output)
        found += _ramps(index, right, left, codes_right, codes_left, output, input)
    return found


def _halves(codes, lower, upper, target, index):
    """The sides x >= 0 and x < 0 over u = 0 .. the largest index of either."""
    zero = int(np.searchsorted(codes, 0))
    pad = 1 if index == "negate" else 0
    length = max(len(codes) - zero, zero + pad)

    def side(values_lower, values_upper, values_target, before):
        after = length - before - len(values_lower)
        return _Side(
            np.pad(values_lower, (before, after), constant_values=-(1 << 40)),
            np.pad(values_upper, (before, after), constant_values=1 << 40),
            np.pad(values_target, (before, after)),
            np.pad(np.ones(len(values_lower), dtype=bool), (before, after)),
        )

    right = side(lower[zero:], upper[zero:], target[zero:], 0)
    left = side(lower[:zero][::-1], upper[:zero][::-1], target[:zero][::-1], pad)
    u = np.arange(length, dtype=np.int64)
    return right, left, u, (-u if index == "negate" else ~u)


def _combine(fold, right, left):
    """Intersect both sides, given in terms of g; no fold where an index is left with nothing."""
    lower = np.maximum(right.lower, left.lower)
    upper = np.minimum(right.upper, left.upper)
    if (lower > upper).any():
        return []
    weight = right.known.astype(float) + left.known
    target = (np.where(right.known, right.target, 0) + np.where(left.known, left.target, 0)) / weight
    return [Folded(fold, Band(lower, upper), 0, target)]


def _even(index, right, left):
    return _combine(Fold(index, "even"), right, left)


def _odd(index, right, left, output):
    both = right.known & left.known
    if not both.any():
        return []
    least = int((right.lower + left.lower)[both].max())
    most = int((right.upper + left.upper)[both].min())
    found = []
    for constant in _constants(least, most, output.width):
        mirrored = _Side(constant - left.upper, constant - left.lower, constant - left.target, left.known)
        found += _combine(Fold(index, "odd", constant), right, mirrored)
    return found


def _constants(least, most, width):
    """Constants worth trying: multiples of 2**width (a plain negation), one less (a complement), the middle."""
    if least > most:
        return []
    # Slices of ranges, which may be long where the output saturates.
    zeros = list(range(most >> width << width, least - 1, -(1 << width))[:1])
    ones = list(range(((most + 1) >> width << width) - 1, least - 1, -(1 << width))[:1])
    middle = (least + most) // 2
    return zeros + ones if zeros or ones else [middle]


def _ramps(index, right, left, codes_right, codes_left, output, input):
    """Folds that leave an even bump beside a ramp of power-of-two weight."""
    both = np.flatnonzero(right.known & left.known)
    far = both[-1]
    rise = (right.target[far] - left.target[far]) / (codes_right[far] - codes_left[far]) * 2
    if not rise >= 0.75:
        return []
    shift = round(float(np.log2(rise)))
    up = codes_right << shift
    down = codes_left << shift
    plain = _Side(right.lower - up, right.upper - up, right.target - up, right.known)
    bowed = _Side(left.lower - down, left.upper - down, left.target - down, left.known)
    found = _combine(Fold(index, "ramp", ramp_shift=shift), plain, left)
    found += _combine(Fold(index, "ramp_down", ramp_shift=shift), right, bowed)
    return found

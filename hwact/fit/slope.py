"""The slope of the segment in use as an output of its own, and the slopes that its format can hold."""

from dataclasses import dataclass

from ..design import Channel, Fold, Format, Lines
from ..errors import RequestError
from ..fixed import MAX_WIDTH
from .band import Grid

__all__ = ["AnySlope", "HeldSlope", "slope_channel"]


#: Fraction bits of a slope; with outputs of 32 bits, products then still fit 61 bits.
MAX_SHIFT = 28


class AnySlope:
    """Every slope is allowed; the count is stated for real slopes."""

    by_witness = True
    shifts = range(MAX_SHIFT + 1)

    def grid(self, fold, shift=None):
        """Slopes at a shift, or real ones."""
        return Grid(shift)


@dataclass(frozen=True)
class HeldSlope:
    """Only slopes that a format holds exactly, on both sides of a fold.

    Parameters
    ----------
    format : Format
        Format of the slope output.
    scale : int
        ``frac_bits`` of the input less those of the function's output.
    """

    format: Format
    scale: int

    by_witness = False

    @property
    def bits(self):
        """Fraction bits of a slope in output ulps per input ulp that the format resolves."""
        return self.format.frac_bits + self.scale

    @property
    def shifts(self):
        """Shifts worth trying: more fraction bits than the slopes have serve no line better."""
        return range(min(max(self.bits, 0), MAX_SHIFT) + 1)

    def grid(self, fold, shift=None):
        """Slopes at a shift, or at the finest one."""
        shift = self.shifts[-1] if shift is None else shift
        low, high = self.format.min_code, self.format.max_code
        if fold.restore == "even":
            low, high = max(low, -high), min(high, -low)
        elif fold.restore in ("ramp", "ramp_down"):
            weight = _ramp_weight(fold, self.bits)
            if weight is None:
                return None
            # One side gives the slope plus the ramp's, the other its negative (or the reverse).
            low, high = (
                (max(low - weight, -high), min(high - weight, -low))
                if fold.restore == "ramp"
                else (max(low, weight - high), min(high, weight - low))
            )
        exponent = self.bits - shift
        if low > 0 or high < 0:
            return None  # a slope of zero must be possible: single codes need one
        return Grid(shift, 1 << max(-exponent, 0), _toward_zero(low, exponent), _toward_zero(high, exponent))


def _toward_zero(code, exponent):
    magnitude = abs(code) >> exponent if exponent >= 0 else abs(code) << -exponent
    return magnitude if code >= 0 else -magnitude


def _ramp_weight(fold, bits):
    """The ramp's own slope as a code, or None where it has no exact code."""
    shift = fold.ramp_shift + bits
    return 1 << shift if shift >= 0 else None


def slope_channel(channel, expression, input, format=None):
    """The channel that gives the slope of the segment in use of another channel.

    Parameters
    ----------
    channel : Channel
        A piecewise-linear one.
    expression : str
        The derivative, for people to read.
    input : Format
    format : Format or None
        None takes the narrowest format that holds every slope.

    Returns
    -------
    Channel

    Raises
    ------
    RequestError
        If no format of at most 32 bits holds every slope.
    """
    lines, scale = channel.core, input.frac_bits - channel.format.frac_bits
    frac_bits = format.frac_bits if format else max(lines.shift - scale, 0)
    fold, weight = _slope_fold(channel.fold, frac_bits + scale)
    exponent = frac_bits + scale - lines.shift
    codes = tuple((m << exponent if exponent >= 0 else m >> -exponent) + weight for m in lines.slopes)
    if format is None:
        mirrored = [-c if fold.restore == "odd" else c for c in codes]
        extremes = (*codes, *(fold.constant + c for c in mirrored))
        width = max(c.bit_length() if c >= 0 else (~c).bit_length() for c in extremes) + 1
        if width > MAX_WIDTH:
            raise RequestError(f"Slope must fit {MAX_WIDTH} bits, not {width}: give --derivative-output a format")
        format = Format(True, width - frac_bits, frac_bits)
    zeros = (0,) * len(codes)
    core = Lines(lines.segmentation, lines.starts, lines.stop, 0, zeros, codes, lines.multiplier)
    return Channel("dy", expression, "slope", format, "none", fold, core, segments=channel.segments)


def _slope_fold(fold, bits):
    """How the slope unfolds, and what to add to the stored slopes."""
    if fold.restore == "none":
        return fold, 0
    if fold.restore == "odd":
        return Fold(fold.index, "even"), 0
    if fold.restore == "even":
        return Fold(fold.index, "odd", 0), 0
    weight = _ramp_weight(fold, bits)
    if weight is None:
        raise RequestError("Slope format must have more fraction bits to hold the slope of the ramp")
    return Fold(fold.index, "odd", weight), weight if fold.restore == "ramp" else 0

"""Fixed-point formats: exact integer arithmetic on codes, vectorised with NumPy.

A *code* is the stored integer, a *value* the real number it stands for:
``value = code * 2**-frac_bits``. Formats are written ``SQ4.12`` (signed) and ``UQ0.16``
(unsigned); the first number counts the integer bits **including the sign bit**, so the width
is the sum of both, as in Amaranth's RFC 41.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .errors import RequestError

__all__ = ["ROUNDING_MODES", "SQ", "UQ", "Format", "round_shift", "signed_digits"]

MAX_WIDTH = 32
_PATTERN = re.compile(r"\s*([SU])Q(-?\d{1,4})\.(-?\d{1,4})\s*", re.IGNORECASE)


def _shift_floor(codes, shift):
    return codes >> shift


def _shift_ceil(codes, shift):
    return -((-codes) >> shift)


def _shift_zero(codes, shift):
    return np.where(codes < 0, _shift_ceil(codes, shift), codes >> shift)


def _shift_half_up(codes, shift):
    return (codes + (np.int64(1) << (shift - 1))) >> shift


def _shift_half_down(codes, shift):
    return -_shift_half_up(-codes, shift)


def _shift_half_away(codes, shift):
    return np.where(codes < 0, _shift_half_down(codes, shift), _shift_half_up(codes, shift))


def _shift_half_even(codes, shift):
    floor = codes >> shift
    return (codes + (np.int64(1) << (shift - 1)) - 1 + (floor & 1)) >> shift


_ROUNDERS = {
    "floor": _shift_floor,
    "ceil": _shift_ceil,
    "zero": _shift_zero,
    "half_up": _shift_half_up,
    "half_down": _shift_half_down,
    "half_away": _shift_half_away,
    "half_even": _shift_half_even,
}

#: Names of the rounding modes, in the order of the documentation.
ROUNDING_MODES = tuple(_ROUNDERS)


def _rounder(mode):
    try:
        return _ROUNDERS[mode]
    except (KeyError, TypeError):
        raise RequestError(
            f"Rounding mode must be one of {', '.join(ROUNDING_MODES)}, not {mode!r}"
        ) from None


def round_shift(codes, shift, mode="floor"):
    """Divide integers by ``2**shift`` and round, exactly.

    Parameters
    ----------
    codes : array_like of int
        Any shape, magnitudes below 2**62.
    shift : int
        Bits to drop; a negative shift appends zeros.
    mode : str
        ``floor`` (toward minus infinity), ``ceil``, ``zero`` (truncate), or to nearest with ties
        going ``half_up`` (toward plus infinity), ``half_down``, ``half_away`` (from zero),
        ``half_even``.

    Returns
    -------
    numpy.ndarray of int64
        The same shape as `codes`.

    Raises
    ------
    RequestError
        If `mode` is not a rounding mode.

    Examples
    --------
    With two fraction bits dropped, -6, -2, 2 and 6 stand for the ties -1.5, -0.5, 0.5 and 1.5:

    >>> for mode in ROUNDING_MODES:
    ...     print(mode, round_shift([-6, -2, 2, 6], 2, mode).tolist())
    floor [-2, -1, 0, 1]
    ceil [-1, 0, 1, 2]
    zero [-1, 0, 0, 1]
    half_up [-1, 0, 1, 2]
    half_down [-2, -1, 0, 1]
    half_away [-2, -1, 1, 2]
    half_even [-2, 0, 0, 2]
    """
    rounder = _rounder(mode)
    codes = np.asarray(codes, dtype=np.int64)
    if shift <= 0:
        return codes << np.int64(-shift)
    if shift > 62:
        raise RequestError(f"Shift must be at most 62, not {shift}")
    return np.asarray(rounder(codes, np.int64(shift)), dtype=np.int64)


@dataclass(frozen=True, order=True)
class Format:
    """A fixed-point number format.

    Parameters
    ----------
    signed : bool
        Two's complement if true.
    int_bits : int
        Integer bits, the sign bit included; may be zero or negative.
    frac_bits : int
        Fraction bits; may be zero or negative. ``int_bits + frac_bits`` is the width, 1 to 32.

    Raises
    ------
    TypeError
        If a parameter is of the wrong kind.
    RequestError
        If the width is outside 1 to 32.

    Examples
    --------
    >>> SQ(4, 12)
    SQ(4, 12)
    >>> str(UQ(-2, 10)), UQ(-2, 10).width, UQ(-2, 10).max_value
    ('UQ-2.10', 8, 0.2490234375)
    >>> SQ(4, 4).to_code([0.5, -8.0, 99.0]).tolist()
    [8, -128, 127]
    """

    signed: bool
    int_bits: int
    frac_bits: int

    def __post_init__(self):
        if not isinstance(self.signed, bool):
            raise TypeError(f"Signedness must be a bool, not {self.signed!r}")
        for name in ("int_bits", "frac_bits"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"Format {name} must be an integer, not {value!r}")
        if not 1 <= self.width <= MAX_WIDTH:
            raise RequestError(
                f"Format width must be 1 to {MAX_WIDTH} bits, not {self.width} ({self})"
            )
        if abs(self.frac_bits) > 256:
            raise RequestError(f"Format frac_bits must be -256 to 256, not {self.frac_bits}")

    @classmethod
    def parse(cls, text):
        """Read ``SQ4.12`` or ``UQ-2.10``.

        Raises
        ------
        RequestError
            If `text` is not a format, or its width is outside 1 to 32.
        """
        if isinstance(text, cls):
            return text
        match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise RequestError(f"Format must be written like SQ4.12 or UQ0.16, not {text!r}")
        kind, int_bits, frac_bits = match.groups()
        return cls(kind.upper() == "S", int(int_bits), int(frac_bits))

    def __str__(self):
        return f"{'S' if self.signed else 'U'}Q{self.int_bits}.{self.frac_bits}"

    def __repr__(self):
        return f"{'S' if self.signed else 'U'}Q({self.int_bits}, {self.frac_bits})"

    @property
    def width(self):
        """Bits of a code."""
        return self.int_bits + self.frac_bits

    @property
    def min_code(self):
        """Smallest code."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max_code(self):
        """Largest code."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def ulp(self):
        """Weight of the last bit, exactly."""
        return Fraction(1, 1 << self.frac_bits) if self.frac_bits >= 0 else Fraction(1 << -self.frac_bits)

    @property
    def min_value(self):
        """Smallest value, as a float (exact)."""
        return float(self.min_code * self.ulp)

    @property
    def max_value(self):
        """Largest value, as a float (exact)."""
        return float(self.max_code * self.ulp)

    def codes(self):
        """Every code in rising order, as int64."""
        return np.arange(self.min_code, self.max_code + 1, dtype=np.int64)

    def contains(self, codes):
        """Tell which integers are codes of this format (bool array)."""
        codes = np.asarray(codes)
        return (codes >= self.min_code) & (codes <= self.max_code)

    def check_codes(self, codes):
        """Return `codes` as an int64 array of the same shape.

        Raises
        ------
        TypeError
            If `codes` are not integers.
        RequestError
            If a code is outside the format.
        """
        array = np.asarray(codes)
        if array.size == 0:
            return array.astype(np.int64)
        if array.dtype == object or array.dtype.kind not in "iu":
            raise TypeError(f"Codes must be integers, not {array.dtype}")
        inside = self.contains(array)
        if not inside.all():
            code = int(array[~inside].flat[0])
            raise RequestError(
                f"Code must be {self.min_code} to {self.max_code} in {self}, not {code}"
            )
        return array.astype(np.int64)

    def to_value(self, codes):
        """Turn codes into values (float64, exact)."""
        return np.ldexp(self.check_codes(codes).astype(np.float64), -self.frac_bits)

    def to_code(self, values, rounding="half_even", overflow="saturate"):
        """Round real values to codes.

        Parameters
        ----------
        values : array_like of float
            Any shape; infinities are allowed where `overflow` is ``saturate``.
        rounding : str
            One of `ROUNDING_MODES`.
        overflow : str
            ``saturate``, ``wrap`` or ``error``.

        Returns
        -------
        numpy.ndarray of int64

        Raises
        ------
        RequestError
            If a value is NaN, or outside the format and `overflow` is ``error``.
        """
        _rounder(rounding)
        scaled = np.ldexp(np.asarray(values, dtype=np.float64), self.frac_bits)
        if np.isnan(scaled).any():
            raise RequestError("Value must be a number, not nan")
        if overflow == "saturate":
            scaled = np.clip(scaled, self.min_code - 1.0, self.max_code + 1.0)
        elif (np.abs(scaled) >= 2.0**59).any():
            raise RequestError(f"Value must be within reach of {self}, not {np.max(np.abs(values))!r}")
        whole = np.floor(scaled)
        # The part below one ulp counts only as zero, below half, half, or above half: two bits.
        part = scaled - whole
        sticky = np.where(part == 0, 0, np.where(part < 0.5, 1, np.where(part == 0.5, 2, 3)))
        codes = round_shift(4 * whole.astype(np.int64) + sticky, 2, rounding)
        return self.fit(codes, overflow)

    def fit(self, codes, overflow="saturate"):
        """Bring integers into the format's range by ``saturate``, ``wrap`` or ``error``."""
        codes = np.asarray(codes, dtype=np.int64)
        if overflow == "saturate":
            return np.clip(codes, self.min_code, self.max_code)
        if overflow == "wrap":
            return self.from_bits(codes & ((1 << self.width) - 1))
        if overflow == "error":
            return self.check_codes(codes)
        raise RequestError(f"Overflow must be saturate, wrap or error, not {overflow!r}")

    def convert(self, codes, to, rounding="half_even", overflow="saturate"):
        """Turn codes of this format into codes of the format `to`, exactly but for the rounding."""
        codes = self.check_codes(codes)
        drop = self.frac_bits - to.frac_bits
        if drop < -31:
            # Beyond every code of `to`: keep the sign and an out-of-range magnitude.
            moved = np.sign(codes) << np.int64(61)
        else:
            moved = round_shift(codes, min(drop, 62), rounding)
        return to.fit(moved, overflow)

    def to_bits(self, codes):
        """Two's complement bit patterns of codes, as non-negative int64."""
        return self.check_codes(codes) & ((1 << self.width) - 1)

    def from_bits(self, bits):
        """Codes from two's complement bit patterns."""
        bits = np.asarray(bits, dtype=np.int64)
        if not self.signed:
            return bits
        half = np.int64(1) << (self.width - 1)
        return (bits ^ half) - half


def SQ(int_bits, frac_bits):
    """Signed format of `int_bits` (sign included) and `frac_bits`."""
    return Format(True, int_bits, frac_bits)


def UQ(int_bits, frac_bits):
    """Unsigned format of `int_bits` and `frac_bits`."""
    return Format(False, int_bits, frac_bits)


def signed_digits(value):
    """Signed powers of two that add up to an integer, no two of them adjacent: the fewest there are.

    Returns
    -------
    tuple of (int, bool)
        Exponent and whether it counts negatively, the largest first.

    Examples
    --------
    >>> signed_digits(7)
    ((3, False), (0, True))
    """
    digits, exponent = [], 0
    while value:
        if value & 1:
            negative = value & 3 == 3
            digits.append((exponent, negative))
            value += 1 if negative else -1
        value >>= 1
        exponent += 1
    return tuple(reversed(digits))

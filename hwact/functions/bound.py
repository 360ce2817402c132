"""The error bound of an output: how far it may lie from the real function."""

import re
from dataclasses import dataclass
from fractions import Fraction

from ..errors import RequestError

__all__ = ["ErrorBound"]

_NUMBER = re.compile(
    r"2\^(?P<power>[+-]?\d{1,3})|(?P<decimal>(\d{1,40}(\.\d{0,40})?|\.\d{1,40})(e[+-]?\d{1,2})?)", re.ASCII
)
_UNITS = ("faithful", "correct", "ulp", "absolute")


@dataclass(frozen=True)
class ErrorBound:
    """A bound on \\|y - t\\|, where t is the function clamped to the range of the output.

    Parameters
    ----------
    amount : Fraction
        The bound, in ulps or in units of the output's value.
    unit : str
        ``faithful`` (below 1 ulp; `amount` is 1), ``correct`` (at most 1/2 ulp; `amount` is 1/2),
        ``ulp`` or ``absolute`` (at most `amount`).

    Raises
    ------
    RequestError
        If `amount` is not positive, or `unit` is not a unit.

    Examples
    --------
    >>> [str(ErrorBound.parse(text)) for text in ("faithful", "1.50ulp", "2^-10", "0.001")]
    ['faithful', '1.5ulp', '2^-10', '0.001']
    """

    amount: Fraction
    unit: str

    def __post_init__(self):
        if self.unit not in _UNITS:
            raise RequestError(f"Bound unit must be one of {', '.join(_UNITS)}, not {self.unit!r}")
        object.__setattr__(self, "amount", Fraction(self.amount))
        if self.amount <= 0:
            raise RequestError(f"Bound must be above zero, not '{self.amount}'")
        fixed = {"faithful": 1, "correct": Fraction(1, 2)}.get(self.unit, self.amount)
        if self.amount != fixed:
            raise RequestError(f"Bound {self.unit} must be {fixed} ulp, not '{self.amount}'")

    @classmethod
    def parse(cls, text):
        """Read ``faithful``, ``correct``, ``1.5ulp``, ``2^-10``, ``1e-3`` or ``0.01``.

        Raises
        ------
        RequestError
            If `text` is not a bound, or is zero.
        """
        if isinstance(text, cls):
            return text
        wanted = text.strip().lower() if isinstance(text, str) else ""
        if wanted in ("faithful", "correct"):
            return cls(Fraction(1) if wanted == "faithful" else Fraction(1, 2), wanted)
        number = wanted.removesuffix("ulp").rstrip()
        match = _NUMBER.fullmatch(number)
        if match is None:
            raise RequestError(
                f"Bound must be faithful, correct, or a number like 1.5ulp, 2^-10 or 1e-3, not {text!r}"
            )
        amount = Fraction(2) ** int(match["power"]) if match["power"] else Fraction(match["decimal"])
        if amount == 0:
            raise RequestError(f"Bound must be above zero, not {text!r}")
        return cls(amount, "ulp" if number != wanted else "absolute")

    def __str__(self):
        if self.unit in ("faithful", "correct"):
            return self.unit
        return _amount_text(self.amount) + ("ulp" if self.unit == "ulp" else "")

    def in_ulps(self, format):
        """The bound in ulps of `format`, and whether it must be kept strictly.

        Returns
        -------
        tuple of (Fraction, bool)
        """
        ulps = self.amount / format.ulp if self.unit == "absolute" else self.amount
        return ulps, self.unit == "faithful"


def _amount_text(amount):
    """Shortest of the spellings that `ErrorBound.parse` reads back to the same number."""
    numerator, denominator = amount.numerator, amount.denominator
    if denominator > 1 and numerator == 1 and denominator & (denominator - 1) == 0:
        return f"2^-{denominator.bit_length() - 1}"
    digits = 0
    while (amount * 10**digits).denominator != 1:
        digits += 1
        if digits > 400:
            raise RequestError(f"Bound must be a decimal number, not '{amount}'")
    whole = str(int(amount * 10**digits)).rjust(digits + 1, "0")
    return f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole

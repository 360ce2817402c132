"""What a user asks of a softmax, and the choice of its inner widths."""

import shlex
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..design import RESETS, check_name
from ..errors import RequestError
from ..fixed import Format
from ..functions import ErrorBound
from ..spec import MAX_INPUT_WIDTH, Spec
from .design import SoftmaxDesign, check_formats, check_length, offsets_of
from .guarantee import exponential_text, guarantee

__all__ = ["SoftmaxSpec"]

#: Clock cycles of the exponential, one an element, and of the reciprocal, once a vector.
EXPONENTIAL_LATENCY, RECIPROCAL_LATENCY = 3, 4
#: Bounds of the exponential from the loosest on; the last one leaves no unit that is not monotone.
EXPONENTIAL_BOUNDS = ("faithful", "0.75ulp", "correct")


@dataclass(frozen=True)
class SoftmaxSpec:
    """A request for a softmax unit.

    Parameters
    ----------
    input, output : Format or str
    length : int
        Most elements of a vector.
    bound : ErrorBound or str
        Largest distance of every output from the real softmax, clamped to the output's range; above 1/2 ulp.
    multiplier : str
        ``logic`` or ``dsp``.
    reset : str
        As that of `Shell`.
    name : str

    Raises
    ------
    RequestError
        If a value is out of range or two of them contradict each other.

    Examples
    --------
    >>> from hwact.softmax import SoftmaxSpec
    >>> design = SoftmaxSpec(input="SQ3.2", output="UQ0.8", length=4).design()
    >>> design.evaluate([0, 4, 8, -16]).tolist()
    [23, 63, 170, 0]
    """

    input: Format
    output: Format
    length: int
    bound: ErrorBound = "faithful"
    multiplier: str = "logic"
    reset: str = "sync-high"
    name: str = "softmax"

    def __post_init__(self):
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        put("input", Format.parse(self.input))
        put("output", Format.parse(self.output))
        put("bound", ErrorBound.parse(self.bound))
        check_name(self.name)
        check_formats(self.input, self.output)
        check_length(self.length)
        if self.input.width > MAX_INPUT_WIDTH:
            raise RequestError(
                f"Input format must be at most {MAX_INPUT_WIDTH} bits wide, so that every code can be checked, not {self.input}"
            )
        if self.multiplier not in ("logic", "dsp"):
            raise RequestError(f"Multiplier must be logic or dsp, not {self.multiplier!r}")
        if self.reset not in RESETS:
            raise RequestError(f"Reset must be {', '.join(RESETS)}, not {self.reset!r}")
        if self._slack <= 0:
            raise RequestError(f"Bound must be above 1/2 ulp, which the rounding of an output takes, not {self.bound}")

    @property
    def _slack(self):
        """What the bound leaves for the exponentials, their storage and the reciprocal, in units of 1."""
        return (self.bound.in_ulps(self.output)[0] - Fraction(1, 2)) * self.output.ulp

    def widths(self):
        """Bits of the exponential, of what is stored of it, of the reciprocal's index and of the reciprocal.

        They keep the bound by the worst that faithful inner units can do: half of what the bound leaves goes
        to the exponentials, whose errors add up over the vector, a quarter to storage, the rest to the reciprocal.

        Raises
        ------
        RequestError
            If the bound takes wider units than there are.
        """
        slack = self._slack
        stored = max(_bits_for(slack / 4), self.output.frac_bits + 1)
        exponential = max(_bits_for(slack / 2 / max(self.length - 1, 1)), stored)
        rest = slack - Fraction(self.length - 1, (1 << exponential) - 1)
        rest -= Fraction((1 << exponential - stored) - 1, (1 << exponential) - 1)
        index, reciprocal = next(pair for pair in _pairs() if _reciprocal_error(*pair) < rest)
        if exponential > 32 or index > MAX_INPUT_WIDTH or reciprocal > 32 or stored + reciprocal > 62:
            raise RequestError(
                f"Bound must be looser, or vectors shorter: {self.bound} over {self.length} elements of {self.output} "
                f"takes exponentials of {exponential} bits and reciprocals of {reciprocal}, not at most 32"
            )
        return exponential, stored, index, reciprocal

    def design(self):
        """Fit the inner units and prove the bound.

        Returns
        -------
        SoftmaxDesign

        Raises
        ------
        RequestError
            If the bound takes wider units than there are.
        """
        exponential, stored, index, reciprocal = self.widths()
        design = SoftmaxDesign(
            name=self.name,
            input=self.input,
            output=self.output,
            length=self.length,
            bound=str(self.bound),
            exponential=self._exponential(exponential),
            reciprocal=self._inner(
                f"1/(1+x+2^-{index + 1})", "reciprocal", RECIPROCAL_LATENCY, Format(False, 0, index), reciprocal, "faithful"
            ),
            stored=stored,
            multiplier=self.multiplier,
            reset=self.reset,
        )
        guarantee(design).check(design)
        return design

    def _exponential(self, bits):
        """The loosest exponential that never rises."""
        for bound in EXPONENTIAL_BOUNDS:
            unit = self._inner(
                exponential_text(bits), "exponential", EXPONENTIAL_LATENCY, offsets_of(self.input), bits, bound
            )
            if not (np.diff(unit.evaluate(unit.codes())) > 0).any():
                return unit
        raise AssertionError("correctly rounded values of a falling function never rise")

    def _inner(self, function, name, latency, input, bits, bound):
        output = Format(False, 0, bits)
        words = {"bound": bound, "interface": "pipe", "latency": latency, "reset": "none", "name": name}
        multiplier = "dsp" if self.multiplier == "dsp" else "auto"
        return Spec(function, input=input, output=output, multiplier=multiplier, **words).design()

    def command(self):
        """The command line that makes this request, in a canonical form."""
        words = ["hwact", "softmax", "--input", str(self.input), "--output", str(self.output)]
        words += ["--length", str(self.length), "--bound", str(self.bound)]
        words += ["--multiplier", self.multiplier, "--reset", self.reset, "--name", self.name]
        return shlex.join(words)


def _bits_for(share):
    """Least G with 1 / (2**G - 1) <= share."""
    return (-(-share.denominator // share.numerator)).bit_length()


def _pairs():
    """Widths of index and reciprocal, the narrowest first."""
    return ((index, total - index) for total in range(2, 200) for index in range(1, total))


def _reciprocal_error(index, reciprocal):
    """Most that the relative error can be: an index covers a range of totals, and the unit is off by one ulp."""
    half = Fraction(1, 1 << index + 1)
    return max(half / s + s * Fraction(1, 1 << reciprocal) for s in (1, 2))

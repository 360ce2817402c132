"""What a user asks of a softmax, and the choice of its inner widths."""

import shlex
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ..design import RESETS, Table, check_name
from ..errors import RequestError
from ..fixed import Format
from ..functions import ErrorBound
from ..spec import MAX_INPUT_WIDTH, Spec
from .design import SoftmaxDesign, check_formats, check_length, offsets_of
from .exponential import Exponential
from .guarantee import exponential_text, guarantee

__all__ = ["SoftmaxSpec"]

#: Clock cycles of an inner unit: of lines, and of a table.
INNER_LATENCY, TABLE_LATENCY = 4, 2
#: Widest input whose exponential is one unit; those of wider ones are products of two tables.
WIDEST_SINGLE = 9
#: Most bits of an exponential, so that its factors, with guard bits, are formats.
WIDEST_EXPONENTIAL = 28
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
        put = lambda name, value: object.__setattr__(self, name, value)
        put("input", Format.parse(self.input))
        put("output", Format.parse(self.output))
        put("bound", ErrorBound.parse(self.bound))
        check_name(f"{check_name(self.name)}_reciprocal")
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
        if exponential > WIDEST_EXPONENTIAL or index > MAX_INPUT_WIDTH or reciprocal > 32 or stored + reciprocal > 62:
            raise RequestError(
                f"Bound must be looser, or vectors shorter: {self.bound} over {self.length} elements of {self.output} "
                f"takes exponentials of {exponential} bits and reciprocals of {reciprocal}, not at most {WIDEST_EXPONENTIAL} and 32"
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
            reciprocal=self._inner(f"1/(1+x+2^-{index + 1})", Format(False, 0, index), Format(False, 0, reciprocal), "faithful"),
            stored=stored,
            multiplier=self.multiplier,
            reset=self.reset,
        )
        guarantee(design).check(design)
        return design

    def _exponential(self, bits):
        """The first exponential that never rises: the loosest unit, or the product with the fewest guard bits."""
        offsets = offsets_of(self.input)
        tries = self._products if offsets.width > WIDEST_SINGLE else self._singles
        for exponential in tries(bits, offsets):
            if not (np.diff(exponential.evaluate(offsets.codes())) > 0).any():
                return exponential
        raise RequestError(f"Exponential of {bits} bits must not rise: ask for a looser bound or a narrower input")

    def _singles(self, bits, offsets):
        for bound in EXPONENTIAL_BOUNDS:
            unit = self._inner(exponential_text(bits), offsets, Format(False, 0, bits), bound)
            if isinstance(unit.channels[0].core, Table):
                unit = replace(unit, shell=replace(unit.shell, latency=TABLE_LATENCY))
            yield Exponential(bits, (unit,))

    def _products(self, bits, offsets):
        """Within a half of the product, errors of the coarse factor shrink with it, so that it alone needs guard bits."""
        low = offsets.width // 2
        fine = Format(False, low - offsets.frac_bits, offsets.frac_bits)
        coarse = Format(False, offsets.int_bits, offsets.frac_bits - low)
        small = self._factor("exp(-x)", fine, Format(False, 1, bits + 2))
        for guard in range(2, 33 - bits):
            yield Exponential(bits, (self._factor(exponential_text(bits), coarse, Format(False, 0, bits + guard)), small))

    def _factor(self, function, input, output):
        unit = self._inner(function, input, output, "correct", method="table")
        return replace(unit, shell=replace(unit.shell, latency=TABLE_LATENCY))

    def _inner(self, function, input, output, bound, latency=INNER_LATENCY, **more):
        words = {"bound": bound, "interface": "pipe", "latency": latency, "reset": "none", "name": "inner"}
        if self.multiplier == "dsp" and more.get("method") != "table":
            words["multiplier"] = "dsp"
        return Spec(function, input=input, output=output, **words, **more).design()

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

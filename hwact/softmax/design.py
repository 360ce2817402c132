"""The hinge of the softmax: one frozen, integer-only value with two units inside.

Its arithmetic, for the codes x of one vector, is this and nothing more::

    offset  = max(x) - x                                   # exact, never negative
    e       = exponential(offset)                          # UQ0.G, all ones at offset 0, falling
    total   = sum(e)                                       # exact
    2**exponent <= total < 2**(exponent + 1)
    r       = reciprocal(the bits of total below its leading one, cut to R)
    z       = (e >> (G - stored)) * r / 2**shift           # shift grows with exponent
    y       = min(floor(z + 1/2), largest code)
"""

from dataclasses import asdict, dataclass, fields

import numpy as np

from ..design import MULTIPLIERS, RESETS, Design, check_name
from ..fixed import Format
from ..record import Record, require
from .exponential import Exponential

__all__ = ["MAX_LENGTH", "SoftmaxDesign"]

MAX_LENGTH = 1024
#: Rows of conditional addition in one clock cycle of a multiplier in logic.
ROWS = 3


@dataclass(frozen=True)
class SoftmaxDesign(Record):
    """A softmax unit, decided to the last bit.

    Parameters
    ----------
    name : str
        Name of the Verilog module.
    input, output : Format
    length : int
        Most elements of a vector.
    bound : str
        What every output keeps; `guarantee` proves it.
    exponential : Exponential
        From the distance to the largest input.
    reciprocal : Design
        Fraction bits of the normalised total, UQ0.R, to its reciprocal, UQ0.H.
    stored : int
        Bits of an exponential that are kept for the second pass.
    multiplier : str
        How the quotients are multiplied: ``logic``, ``dsp``.
    reset : str
        As that of `Shell`.
    """

    name: str
    input: Format
    output: Format
    length: int
    bound: str
    exponential: Exponential
    reciprocal: Design
    stored: int
    multiplier: str = "logic"
    reset: str = "sync-high"

    def __post_init__(self):
        check_name(f"{check_name(self.name)}_reciprocal")  # the longest name of a part
        check_formats(self.input, self.output)
        check_length(self.length)
        require(isinstance(self.bound, str), f"Bound must be a string, not {self.bound!r}")
        require(self.reset in RESETS, f"Reset must be {', '.join(RESETS)}, not {self.reset!r}")
        require(self.multiplier in MULTIPLIERS[:2], f"Multiplier must be logic or dsp, not {self.multiplier!r}")
        self._check_inner()
        require(
            type(self.stored) is int and 1 <= self.stored <= self.exponential_bits,
            f"Stored bits must be 1 to {self.exponential_bits}, not {self.stored!r}",
        )
        require(
            self.output.frac_bits + 2 <= self.stored + self.reciprocal_bits <= 62,
            f"Product must have {self.output.frac_bits + 2} to 62 bits, not {self.stored + self.reciprocal_bits}",
        )

    def _check_inner(self):
        exponential, reciprocal = self.exponential, self.reciprocal
        require(isinstance(exponential, Exponential), f"Exponential must be an Exponential, not {exponential!r}")
        offsets = offsets_of(self.input)
        require(exponential.input == offsets, f"Exponential must be for {offsets}, not {exponential.input}")
        require(isinstance(reciprocal, Design), f"Reciprocal must be a Design, not {reciprocal!r}")
        for format in (reciprocal.input, reciprocal.channels[0].format):
            require(not format.signed and format.int_bits == 0, f"Reciprocal must be from and to UQ0.f, not {format}")
        whole = reciprocal.domain == (0, reciprocal.input.max_code)
        require(whole and reciprocal.shell.interface == "pipe", "Reciprocal must be a pipe unit for every code")

    # -- widths ---------------------------------------------------------------------------------

    @property
    def exponential_bits(self):
        """G: fraction bits of an exponential."""
        return self.exponential.bits

    @property
    def index_bits(self):
        """R: fraction bits of the total that choose the reciprocal."""
        return self.reciprocal.input.frac_bits

    @property
    def reciprocal_bits(self):
        """H: fraction bits of the reciprocal."""
        return self.reciprocal.channels[0].format.frac_bits

    @property
    def dropped(self):
        """Bits of an exponential that are not stored."""
        return self.exponential_bits - self.stored

    @property
    def domain(self):
        """First and last input code: all of them."""
        return self.input.min_code, self.input.max_code

    @property
    def total_bits(self):
        """Bits of the largest total."""
        return (self.length * ((1 << self.exponential_bits) - 1)).bit_length()

    @property
    def places(self):
        """Most places by which the leading one of a total can move."""
        return self.total_bits - self.exponential_bits

    @property
    def shift(self):
        """Right shift of the product where the total's leading one is in its lowest place."""
        return self.stored + self.reciprocal_bits - 1 - self.output.frac_bits

    # -- timing -----------------------------------------------------------------------------------

    @property
    def exponential_latency(self):
        """Clock cycles from an offset to its exponential."""
        first, *second = self.exponential.factors
        product = product_latency(first.channels[0].format.width, self.multiplier) + 1 if second else 0
        return first.latency + product

    @property
    def latency(self):
        """Clock cycles from the last input of a vector to its first output, at most, beyond one for each element."""
        inner = self.exponential_latency + self.reciprocal.latency + product_latency(self.stored, self.multiplier)
        return self.places + inner + 7

    @property
    def interval(self):
        """Clock cycles that a vector takes in a stream of equally long ones, at most, beyond one for each element."""
        return self.places + self.reciprocal.latency + 2

    # -- the golden model -----------------------------------------------------------------------

    def evaluate(self, codes):
        """Compute output codes, bit for bit as the circuit does.

        Parameters
        ----------
        codes : array_like of int, shape (..., n)
            Input codes; the last axis is the vector, of 1 to `length` elements.

        Returns
        -------
        numpy.ndarray of int64
            Output codes in the shape of `codes`.

        Raises
        ------
        TypeError
            If `codes` are not integers.
        RequestError
            If a code is outside the input format, or a vector is empty or too long.
        """
        codes = self.input.check_codes(codes)
        elements = codes.shape[-1] if codes.ndim else 0
        require(1 <= elements <= self.length, f"Vector must have 1 to {self.length} elements, not {elements}")
        exponentials = self.exponential.evaluate(codes.max(axis=-1, keepdims=True) - codes)
        reciprocals, places = self._reciprocals(exponentials.sum(axis=-1, keepdims=True))
        shift = self.shift + places
        rounded = ((exponentials >> self.dropped) * reciprocals + (1 << (shift - 1))) >> shift
        return np.minimum(rounded, self.output.max_code)

    def _reciprocals(self, totals):
        """Reciprocals of normalised totals, and the places by which their leading ones moved."""
        exponent = np.frexp(totals.astype(np.float64))[1].astype(np.int64) - 1  # exact below 2**53
        down = exponent - self.index_bits
        mantissa = np.where(down >= 0, totals >> np.maximum(down, 0), totals << np.maximum(-down, 0))
        return self.reciprocal.evaluate(mantissa - (1 << self.index_bits)), exponent - (self.exponential_bits - 1)

    # -- what follows from a design (imported late: the golden model needs none of it) ----------

    def create(self):
        """Create the Amaranth component (`hwact.softmax.rtl.Softmax`)."""
        from .rtl import Softmax

        return Softmax(self)

    def verify(self, level="rtl"):
        """Verify the unit as far down as `level`, ``golden`` or ``rtl``.

        Returns
        -------
        hwact.verify.Certificate

        Raises
        ------
        CheckError
            If a check fails.
        ToolError
            If a tool that the level needs is missing.
        """
        from ..verify import Certificate, rungs
        from .verify import climb
        from .verilog import verilog

        text = verilog(self, command="SoftmaxDesign.verify")
        return Certificate(self.digest, tuple(check for rung in rungs(level) for check in climb(rung, self, text)))

    # -- JSON -----------------------------------------------------------------------------------

    def to_dict(self):
        """Plain lists, numbers and strings, ready for JSON."""
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        plain |= {"input": asdict(self.input), "output": asdict(self.output)}
        return {**plain, "exponential": self.exponential.to_dict(), "reciprocal": self.reciprocal.to_dict()}

    @classmethod
    def _from_plain(cls, plain):
        formats = {name: Format(**plain[name]) for name in ("input", "output")}
        kinds = {"exponential": Exponential, "reciprocal": Design}
        inner = {name: kind.from_dict(plain[name]) for name, kind in kinds.items()}
        return cls(**{**plain, **formats, **inner})


def product_latency(width, multiplier):
    """Clock cycles of a multiplier whose first operand has `width` bits."""
    return 2 if multiplier == "dsp" else -(-width // ROWS)


def offsets_of(input):
    """Format of the distance from the largest code to another: as wide as the input, without a sign."""
    return Format(False, input.int_bits, input.frac_bits)


def check_formats(input, output):
    """Raise RequestError unless a softmax can have these formats."""
    for noun, format in (("Input", input), ("Output", output)):
        require(isinstance(format, Format), f"{noun} must be a Format, not {format!r}")
    require(
        output.frac_bits >= 1 and output.max_code >= (1 << output.frac_bits) - 1,
        f"Output format must reach 1 - ulp and have a fraction bit, such as UQ0.8 or SQ1.15, not {output}",
    )


def check_length(length):
    """Raise RequestError unless a vector can be this long."""
    require(type(length) is int and 1 <= length <= MAX_LENGTH, f"Length must be 1 to {MAX_LENGTH}, not {length!r}")

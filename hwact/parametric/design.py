"""A parametric unit, decided to the last bit.

For codes alpha and beta of the sample's channel and an input code x, the arithmetic is this and nothing more::

    t = clamp((alpha * x + half) >> alpha.frac_bits)          # a code of the input's format
    g = inner(t)                                              # the unit of f, a code of the output's format
    y = clamp((beta * g + half) >> beta.frac_bits)            # a code of the output's format

``half`` rounds to nearest, ties upwards; without fraction bits it is 0, and with negative ones the product is shifted
to the left.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np

from ..design import Design, check_name
from ..fixed import Format
from ..record import Record, require

__all__ = ["MAX_CHANNELS", "ParametricDesign", "scaled"]

MAX_CHANNELS = 1024
#: Clock cycles beside those of the inner unit: the memory, and a product before and behind.
OWN_LATENCY = 3


def scaled(factors, codes, factor_format, format):
    """Products of codes, rounded to nearest (ties upwards) and clamped to codes of `format` (int64 array)."""
    products = factors * codes
    shift = factor_format.frac_bits
    rounded = (products + (1 << shift - 1)) >> shift if shift > 0 else products << -shift
    return np.clip(rounded, format.min_code, format.max_code)


@dataclass(frozen=True)
class ParametricDesign(Record):
    """A unit for y = beta * f(alpha * x).

    Parameters
    ----------
    name : str
        Name of the Verilog module.
    inner : Design
        The unit of f, with one output over every input code; its shell is the whole unit's, but for `OWN_LATENCY`.
    alpha, beta : Format
    channels_count : int
        Entries of the memory, a power of two.

    Raises
    ------
    RequestError
        If a value is out of range or two of them contradict each other.
    """

    name: str
    inner: Design
    alpha: Format
    beta: Format
    channels_count: int

    def __post_init__(self):
        check_name(self.name)
        require(isinstance(self.inner, Design), "Inner unit must be a Design")
        for noun in ("alpha", "beta"):
            value = getattr(self, noun)
            require(isinstance(value, Format), f"{noun.capitalize()} must be a Format, not {value!r}")
            require(value.width <= 24, f"{noun.capitalize()} must be at most 24 bits wide, not {value}")
        count = self.channels_count
        require(
            type(count) is int and 2 <= count <= MAX_CHANNELS and count & (count - 1) == 0,
            f"Channels must be a power of two from 2 to {MAX_CHANNELS}, not {count!r}",
        )
        require(len(self.inner.channels) == 1, "Derivative must be none for a parametric unit")
        whole = self.inner.input.min_code, self.inner.input.max_code
        require(self.inner.domain == whole, "Domain must be left out for a parametric unit")
        require(self.inner.shell.interface != "comb", "Interface must be pipe or stream for a parametric unit, not comb")

    @property
    def input(self):
        """Format of x."""
        return self.inner.input

    @property
    def domain(self):
        """First and last input code."""
        return self.inner.domain

    @property
    def channels(self):
        """The output, as the inner unit's."""
        return self.inner.channels

    @property
    def shell(self):
        """Ports, registers and reset of the whole unit."""
        return replace(self.inner.shell, latency=self.latency)

    @property
    def latency(self):
        """Clock cycles from a code to its result."""
        return self.inner.latency + OWN_LATENCY

    @property
    def sideband(self):
        """Name and width of the input beside x."""
        return "channel", (self.channels_count - 1).bit_length()

    @property
    def meanings(self):
        """What inputs of its own are for, by name."""
        return {
            "channel": "whose alpha and beta the sample has",
            "w_enable": "write, whatever samples do",
            "w_channel": "channel to write",
            "w_alpha": "code of its alpha",
            "w_beta": "code of its beta",
        }

    @property
    def title(self):
        """What the unit computes, in a line."""
        return f"y = beta * f(alpha * x), f(x) = {self.channels[0].expression}"

    @property
    def beside(self):
        """Widths of the memory's write port by name."""
        widths = {"w_channel": self.sideband[1], "w_alpha": self.alpha.width, "w_beta": self.beta.width}
        return {"w_enable": 1, **widths}

    # -- the golden model ---------------------------------------------------------------------

    def evaluate(self, alpha, beta, codes):
        """Compute output codes, bit for bit as the circuit does.

        Parameters
        ----------
        alpha, beta : array_like of int
            Codes of the parameters; broadcast against `codes`.
        codes : array_like of int
            Input codes.

        Returns
        -------
        numpy.ndarray of int64

        Raises
        ------
        TypeError
            If something is no integer.
        RequestError
            If a code is out of range.
        """
        alpha, beta = self.alpha.check_codes(alpha), self.beta.check_codes(beta)
        codes = self.input.check_codes(codes)
        inner = self.inner.evaluate(scaled(alpha, codes, self.alpha, self.input))
        return scaled(beta, inner, self.beta, self.channels[0].format)

    # -- what follows from a design (imported late: the golden model needs none of it) ---------

    def create(self):
        """Create the Amaranth component (`hwact.parametric.rtl.ParametricUnit`)."""
        from .rtl import ParametricUnit

        return ParametricUnit(self)

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
        from ..sideband.verilog import verilog
        from ..verify import Certificate
        from .verify import climb, rungs

        text = verilog(self, command="ParametricDesign.verify")
        return Certificate(self.digest, tuple(check for rung in rungs(level) for check in climb(rung, self, text)))

    # -- JSON ---------------------------------------------------------------------------------

    def to_dict(self):
        """Plain lists, numbers and strings, ready for JSON."""
        formats = {name: asdict(getattr(self, name)) for name in ("alpha", "beta")}
        return {"name": self.name, **formats, "channels_count": self.channels_count, "inner": self.inner.to_dict()}

    @classmethod
    def _from_plain(cls, plain):
        formats = {name: Format(**plain[name]) for name in ("alpha", "beta")}
        return cls(**{**plain, **formats, "inner": Design.from_dict(plain["inner"])})

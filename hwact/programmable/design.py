"""The hinge of the programmable unit: one frozen, integer-only value, and what its tables can hold.

With the tables of one bank, the output for an input code ``x`` is this and nothing more::

    k = the segment that the search ends at            # START[k] <= x < START[k + 1], where starts rise
    y = saturate((SLOPE[k] * x + INTERCEPT[k]) >> shift)
"""

from dataclasses import asdict, dataclass

import numpy as np

from ..design import RESETS, check_name
from ..fixed import Format
from ..record import Record, require

__all__ = ["BUSES", "Contents", "ProgrammableDesign"]

BUSES = ("axi-lite", "wishbone")
MULTIPLIERS = ("logic", "dsp")
MAX_SEGMENTS = 1024
MAX_INPUT_WIDTH = 24
MAX_INTERCEPT_BITS = 60
#: Rows of conditional addition in one clock cycle of a multiplier in logic.
ROWS = 3
#: Clock cycles of a multiplier in DSP blocks.
DSP_LATENCY = 2


@dataclass(frozen=True)
class Contents:
    """What one bank of tables holds: one entry a segment in each tuple.

    Parameters
    ----------
    starts : tuple of int
        First input code of each segment; that of segment 0 is not used.
    slopes, intercepts : tuple of int
    """

    starts: tuple
    slopes: tuple
    intercepts: tuple

    def filled(self, segments):
        """As many segments as a unit has: the last one again and again, which changes no output."""
        spare = segments - len(self.starts)
        return Contents(*(values + values[-1:] * spare for values in (self.starts, self.slopes, self.intercepts)))


@dataclass(frozen=True)
class ProgrammableDesign(Record):
    """A unit whose segments are written over a bus, decided to the last bit.

    Parameters
    ----------
    name : str
        Name of the Verilog module.
    input, output : Format
    slope : Format
        Slopes in units of output per unit of input.
    segments : int
        Segments that a bank of tables holds.
    bus : str
        ``axi-lite`` or ``wishbone``.
    multiplier : str
        ``logic`` or ``dsp``.
    reset : str
        As that of `Shell`.
    """

    name: str
    input: Format
    output: Format
    slope: Format
    segments: int
    bus: str = "axi-lite"
    multiplier: str = "logic"
    reset: str = "sync-high"

    def __post_init__(self):
        check_name(self.name)
        for noun in ("input", "output", "slope"):
            value = getattr(self, noun)
            require(isinstance(value, Format), f"{noun.capitalize()} must be a Format, not {value!r}")
        require(
            2 <= self.input.width <= MAX_INPUT_WIDTH,
            f"Input format must be 2 to {MAX_INPUT_WIDTH} bits wide, not {self.input}",
        )
        require(self.slope.signed, f"Slope format must be signed, such as SQ2.10, not {self.slope}")
        require(
            type(self.segments) is int and 2 <= self.segments <= min(MAX_SEGMENTS, 1 << self.input.width),
            f"Segments must be 2 to {min(MAX_SEGMENTS, 1 << self.input.width)}, not {self.segments!r}",
        )
        require(self.bus in BUSES, f"Bus must be {' or '.join(BUSES)}, not {self.bus!r}")
        require(self.multiplier in MULTIPLIERS, f"Multiplier must be logic or dsp, not {self.multiplier!r}")
        require(self.reset in RESETS, f"Reset must be {', '.join(RESETS)}, not {self.reset!r}")
        require(
            0 <= self.shift <= 32,
            f"Slope format must have {-self._scale} to {32 - self._scale} fraction bits, so that products have 0 to 32 "
            f"more than the output, not {self.slope}",
        )
        require(
            self.intercept_bits <= MAX_INTERCEPT_BITS,
            f"Formats must give intercepts of at most {MAX_INTERCEPT_BITS} bits, not {self.intercept_bits}: "
            "take slopes of fewer bits",
        )

    # -- widths -----------------------------------------------------------------------------------

    @property
    def _scale(self):
        return self.input.frac_bits - self.output.frac_bits

    @property
    def shift(self):
        """Fraction bits of a product, in output ulps."""
        return self.slope.frac_bits + self._scale

    @property
    def levels(self):
        """Comparisons of the search: bits of a segment's number."""
        return (self.segments - 1).bit_length()

    @property
    def reach(self):
        """Largest magnitude of a line where an image uses it: one bit beyond the output's range, times 2**shift."""
        return 1 << self.output.width + self.shift

    @property
    def intercept_bits(self):
        """Bits of an intercept, with which every line that stays within `reach` somewhere can be written."""
        farthest = max(abs(self.input.min_code), self.input.max_code)
        return (self.reach + (1 << self.slope.width - 1) * farthest).bit_length() + 1

    @property
    def product_rows(self):
        """Clock cycles of the multiplication."""
        return DSP_LATENCY if self.multiplier == "dsp" else -(-self.input.width // ROWS)

    @property
    def latency(self):
        """Clock cycles from a code to its result."""
        return self.levels + self.product_rows + 2

    @property
    def domain(self):
        """First and last input code: all of them."""
        return self.input.min_code, self.input.max_code

    def codes(self):
        """Every input code in rising order (int64)."""
        return self.input.codes()

    # -- the golden model -------------------------------------------------------------------------

    def check(self, contents):
        """Return `contents` if the tables can hold them, else raise RequestError."""
        half = 1 << self.intercept_bits - 1
        ranges = {
            "starts": (self.input.min_code, self.input.max_code),
            "slopes": (self.slope.min_code, self.slope.max_code),
            "intercepts": (-half, half - 1),
        }
        for noun, (least, most) in ranges.items():
            values = getattr(contents, noun)
            require(len(values) == self.segments, f"Tables must have {self.segments} {noun}, not {len(values)}")
            wrong = next((value for value in values if type(value) is not int or not least <= value <= most), None)
            require(wrong is None, f"Tables must have {noun} from {least} to {most}, not {wrong}")
        return contents

    def locate(self, contents, codes):
        """The segment that the search ends at for each code, also where starts do not rise."""
        starts = np.array(contents.starts, dtype=np.int64)
        found = np.zeros(np.shape(codes), dtype=np.int64)
        for level in reversed(range(self.levels)):
            middle = found + (1 << level)
            inside = middle < self.segments
            found = np.where(inside & (codes >= starts[np.where(inside, middle, 0)]), middle, found)
        return found

    def evaluate(self, contents, codes):
        """Compute output codes with given tables, bit for bit as the circuit does.

        Parameters
        ----------
        contents : Contents
        codes : array_like of int
            Input codes, any shape.

        Returns
        -------
        numpy.ndarray of int64
            Output codes in the shape of `codes`.

        Raises
        ------
        TypeError
            If `codes` are not integers.
        RequestError
            If a code is outside the input format, or a number does not fit the tables.
        """
        self.check(contents)
        codes = self.input.check_codes(codes)
        segment = self.locate(contents, codes)
        slopes, intercepts = (np.array(values, dtype=np.int64) for values in (contents.slopes, contents.intercepts))
        total = slopes[segment] * codes + intercepts[segment]
        return np.clip(total >> self.shift, self.output.min_code, self.output.max_code)

    # -- what follows from a design (imported late: the golden model needs none of it) ------------

    def create(self):
        """Create the Amaranth component (`hwact.programmable.rtl.Programmable`)."""
        from .rtl import Programmable

        return Programmable(self)

    # -- JSON -------------------------------------------------------------------------------------

    def to_dict(self):
        """Plain numbers and strings, ready for JSON."""
        return asdict(self)

    @classmethod
    def _from_plain(cls, plain):
        formats = {name: Format(**plain[name]) for name in ("input", "output", "slope")}
        return cls(**{**plain, **formats})

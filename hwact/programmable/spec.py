"""What a user asks of a programmable unit, and the choice of its slopes."""

import shlex
from dataclasses import dataclass

from ..errors import RequestError
from ..fixed import MAX_WIDTH, Format
from .design import BUSES, ProgrammableDesign

__all__ = ["ProgrammableSpec"]

#: Integer bits of slopes that nobody asked for: those of all common activations lie within -2 to 2.
SLOPE_INT_BITS = 2
#: By how many bits a slope is finer than what tells apart the ends of an average segment.
SLOPE_SPARE_BITS = 3


@dataclass(frozen=True)
class ProgrammableSpec:
    """A request for a programmable unit.

    Parameters
    ----------
    input, output : Format or str
    segments : int
        Segments that a bank of tables holds.
    slope : Format, str or None
        Format of slopes; None takes -2 to 2, fine enough for segments of average length.
    bus : str
        ``axi-lite`` or ``wishbone``.
    multiplier, reset, name : str
        As in `ProgrammableDesign`.

    Raises
    ------
    RequestError
        If a value is out of range or two of them contradict each other.

    Examples
    --------
    >>> from hwact.programmable import ProgrammableSpec
    >>> ProgrammableSpec("SQ4.12", "SQ1.15", 32).design().slope
    SQ(2, 17)
    """

    input: Format
    output: Format
    segments: int
    slope: object = None
    bus: str = BUSES[0]
    multiplier: str = "logic"
    reset: str = "sync-high"
    name: str = "programmable"

    def __post_init__(self):
        put = lambda name, value: object.__setattr__(self, name, value)
        put("input", Format.parse(self.input))
        put("output", Format.parse(self.output))
        if type(self.segments) is not int:
            raise RequestError(f"Segments must be a whole number, not {self.segments!r}")
        put("slope", self._slope() if self.slope is None else Format.parse(self.slope))
        self.design()  # raises where something is out of range

    def _slope(self):
        """Slopes whose last bit moves the end of a segment of average length by an eighth of an output ulp."""
        levels = max(self.segments - 1, 1).bit_length()
        shift = max(self.input.width - levels, 0) + SLOPE_SPARE_BITS
        frac_bits = shift + self.output.frac_bits - self.input.frac_bits
        return Format(True, SLOPE_INT_BITS, min(max(frac_bits, 1 - SLOPE_INT_BITS), MAX_WIDTH - SLOPE_INT_BITS))

    def design(self):
        """The unit.

        Returns
        -------
        ProgrammableDesign
        """
        return ProgrammableDesign(**vars(self))

    def command(self):
        """The command line that makes this request, in a canonical form."""
        words = ["hwact", "generate", "--programmable", "--segments", str(self.segments)]
        words += ["--input", str(self.input), "--output", str(self.output), "--slope-format", str(self.slope)]
        words += ["--bus", self.bus, "--multiplier", self.multiplier, "--reset", self.reset, "--name", self.name]
        return shlex.join(words)

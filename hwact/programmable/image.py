"""Images: what a programmable unit's tables must hold to be the unit of a function, and the fit that finds it."""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from ..design import Design, Fold, Lines
from ..errors import RequestError
from ..fit import target_of
from ..fit.band import Band, Grid
from ..fit.coefficients import serving
from ..fit.problem import Problem
from ..fit.segmentation import free
from ..fit.slope import AnySlope
from ..functions import ErrorBound
from ..record import Record, require
from ..spec import Spec
from .design import Contents, ProgrammableDesign
from .registers import writes_of

__all__ = ["AUTO", "Image", "ImageSpec"]

#: The bound that stands for the tightest one that the unit's segments can keep, in steps of this.
AUTO, STEP = "auto", Fraction(1, 8)
#: Slopes that are compared for the least mean error of a segment.
SLOPES = 9


@dataclass(frozen=True)
class Image(Record):
    """A function as lines that a programmable unit's tables hold.

    Parameters
    ----------
    unit : ProgrammableDesign
    design : Design
        The same arithmetic with these lines: its golden model, C model and error are the image's.
    """

    unit: ProgrammableDesign
    design: Design

    def __post_init__(self):
        require(
            isinstance(self.unit, ProgrammableDesign), f"Image unit must be a ProgrammableDesign, not {self.unit!r}"
        )
        require(isinstance(self.design, Design), f"Image design must be a Design, not {self.design!r}")
        channel, unit = self.design.channels[0], self.unit
        formats = self.design.input, channel.format
        require(formats == (unit.input, unit.output), f"Image must be {unit.input} to {unit.output}, not {formats}")
        plain = channel.fold == Fold() and isinstance(channel.core, Lines) and channel.saturate
        require(
            plain and len(self.design.channels) == 1, "Image must have one output of saturated lines, without a fold"
        )
        require(channel.core.shift == unit.shift, f"Image must have a shift of {unit.shift}, not {channel.core.shift}")
        require(
            channel.core.segments <= unit.segments,
            f"Image must have at most {unit.segments} segments, not {channel.core.segments}",
        )
        unit.check(self.contents)

    @property
    def name(self):
        """The image's name."""
        return self.design.name

    @property
    def domain(self):
        """First and last input code for which the outputs are specified."""
        return self.design.domain

    @cached_property
    def contents(self):
        """What the tables hold: every line in terms of the input code itself."""
        core = self.design.channels[0].core
        starts = tuple(start + self.unit.input.min_code for start in core.starts)
        intercepts = tuple(c - m * start for c, m, start in zip(core.intercepts, core.slopes, starts))
        return Contents(starts, core.slopes, intercepts).filled(self.unit.segments)

    @property
    def identifier(self):
        """What the identifier register holds: the first 32 bits of the digest."""
        return int(self.digest[:8], 16)

    @property
    def writes(self):
        """Byte addresses and words that load the image into the shadow bank (tuple of pairs)."""
        return writes_of(self.unit, self.contents, self.identifier)

    def evaluate(self, codes):
        """Compute output codes, bit for bit as the unit does with these tables (see `Design.evaluate`)."""
        return self.design.evaluate(codes)

    def to_dict(self):
        """Plain lists, numbers and strings, ready for JSON."""
        return {"unit": self.unit.to_dict(), "design": self.design.to_dict()}

    @classmethod
    def _from_plain(cls, plain):
        return cls(ProgrammableDesign.from_dict(plain["unit"]), Design.from_dict(plain["design"]))


@dataclass(frozen=True)
class ImageSpec:
    """A request for an image.

    Parameters
    ----------
    unit : ProgrammableDesign
    function : Function or str
    bound : ErrorBound or str
        ``auto`` takes the tightest that the unit's segments can keep, in eighths of an ulp.
    domain, name : as in `Spec`

    Raises
    ------
    RequestError
        If a value is out of range.

    Examples
    --------
    >>> from hwact.fixed import SQ
    >>> from hwact.programmable import ImageSpec, ProgrammableDesign
    >>> unit = ProgrammableDesign("unit", SQ(4, 4), SQ(1, 7), SQ(2, 8), segments=16)
    >>> image = ImageSpec(unit, "tanh").image()
    >>> unit.evaluate(image.contents, [-128, 0, 8]).tolist()
    [-128, 0, 60]
    """

    unit: ProgrammableDesign
    function: object
    bound: object = "faithful"
    domain: object = None
    name: object = None

    def __post_init__(self):
        bound = self.bound if self.bound == AUTO else ErrorBound.parse(self.bound)
        object.__setattr__(self, "bound", bound)
        object.__setattr__(self, "_spec", self._at("faithful" if bound == AUTO else bound))
        object.__setattr__(self, "function", self._spec.function)
        object.__setattr__(self, "name", self._spec.name)

    def _at(self, bound):
        unit = self.unit
        more = {"domain": self.domain, "name": self.name, "method": "pwl", "saturate": True}
        return Spec(self.function, input=unit.input, output=unit.output, bound=bound, **more)

    @property
    def domain_codes(self):
        """First and last input code for which the outputs are specified."""
        return self._spec.domain_codes

    def image(self):
        """Fit the image: as few segments as the unit's slopes allow, then the least mean error.

        Returns
        -------
        Image

        Raises
        ------
        RequestError
            If the function is undefined at a code of the domain, or its lines do not fit the unit.
        """
        target, lines = self._tightest() if self.bound == AUTO else self._fitted(str(self.bound))
        self._check_room(target, lines)
        problem = Problem(target, AnySlope(), saturate=True)
        core = self._core(target, lines)
        design = Design(
            name=self.name,
            function=self.function.name,
            input=self.unit.input,
            domain=self.domain_codes,
            channels=(problem.channel(Fold(), core),),
            parameters=self._parameters(),
        )
        return Image(self.unit, design)

    def _parameters(self):
        from ..spec import open_parameters

        return open_parameters(self.function)

    @property
    def _grid(self):
        return Grid(self.unit.shift, 1, self.unit.slope.min_code, self.unit.slope.max_code)

    def _fitted(self, bound):
        """What is allowed, and the fewest segments that the unit's slopes permit."""
        target = target_of(self.function, self._spec, self.unit.output, ErrorBound.parse(bound))
        return target, free(self._band(target), self._origin, self._grid)

    def _band(self, target):
        """What a line may give: one bit beyond the output's range where the unit clamps."""
        output, most = self.unit.output, 1 << self.unit.output.width
        lower = np.where(target.lower == output.min_code, -most, target.lower)
        upper = np.where(target.upper == output.max_code, most - 1, target.upper)
        return Band(lower, upper)

    @property
    def _origin(self):
        return self.domain_codes[0] - self.unit.input.min_code

    def _tightest(self):
        """The fit at the tightest bound, in steps, that leaves few enough segments."""
        fits = lambda steps: self._fitted(f"{float(steps * STEP)}ulp")
        few = lambda fitted: len(fitted[1]) <= self.unit.segments
        low, high = int(Fraction(1, 2) / STEP) - 1, int(1 / STEP)
        while not few(found := fits(high)):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            trial = fits(middle)
            low, high, found = (low, middle, trial) if few(trial) else (middle, high, found)
        return found

    def _check_room(self, target, lines):
        needed, held = len(lines), self.unit.segments
        if needed <= held:
            return
        wider = f", slopes wider than {self.unit.slope}" if len(free(self._band(target))) <= held else ""
        raise RequestError(
            f"Function {self.function.name} must fit {held} segments, not need {needed}, for {target.bound}: take a "
            f"looser bound (--bound auto finds the tightest that fits){wider} or a unit of --segments {needed}"
        )

    def _core(self, target, lines):
        band, shift = self._band(target), self.unit.shift
        options = serving(band, lines, self._origin, self._grid)
        windows = lines.windows(self._origin, len(band))
        chosen = [self._line(one, target.exact[start:stop]) for one, (start, stop) in zip(options, windows)]
        slopes, intercepts = zip(*chosen)
        return Lines("free", lines.starts, lines.stop, shift, slopes, intercepts)

    def _line(self, options, exact):
        """Slope and intercept, at the segment's start, of the least mean error."""
        offsets, output = np.arange(len(exact), dtype=np.int64), self.unit.output
        best = None
        for k in np.unique(np.linspace(0, len(options.slopes) - 1, SLOPES).astype(int)):
            slope, least, most = (int(values[k]) for values in options)
            for intercept in sorted({least, (least + most) // 2, most}):
                total = (slope * offsets + intercept) >> self.unit.shift
                error = np.abs(np.clip(total, output.min_code, output.max_code) - exact).sum()
                if best is None or error < best[0]:
                    best = error, slope, intercept
        return best[1:]

    def command(self, folder):
        """The command line that makes this request for a unit in `folder`, in a canonical form."""
        import shlex

        words = shlex.split(self._spec.command())
        start = words.index("--input")
        function, domain = words[2:start], []
        if "--domain" in words:
            domain = words[words.index("--domain") : words.index("--domain") + 2]
        words = ["hwact", "image", *function, "--for", folder, "--bound", str(self.bound), *domain, "--name", self.name]
        return shlex.join(words)

    def renamed(self, name):
        """The same request under another name."""
        return replace(self, name=name)

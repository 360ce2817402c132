"""What a user asks for: one frozen value, checked when it is made."""

import math
import shlex
from dataclasses import dataclass, replace
from fractions import Fraction

from .design import MULTIPLIERS, SEGMENTATIONS, Shell, check_name
from .errors import RequestError
from .fixed import Format
from .functions import ErrorBound, Function, function

__all__ = ["DEFAULT_LATENCY", "DERIVATIVES", "EFFORTS", "FITS", "METHODS", "TARGETS", "Spec"]

METHODS = ("auto", "pwl", "table")
FITS = ("exact", "lsq", "minimax")
DERIVATIVES = ("none", "direct", "slope")
#: Families that a unit can be laid out for; their lookup tables have four inputs.
TARGETS = ("any", "ice40", "ecp5", "gowin")
#: Candidates that are synthesised, by effort.
EFFORTS = (0, 6, 16, 40)
#: Clock cycles of a clocked unit that asks for none.
DEFAULT_LATENCY = 3
#: Widest input whose every code is fitted and checked.
MAX_INPUT_WIDTH = 24


def _one_of(noun, value, choices):
    if value not in choices:
        words = [str(choice) for choice in choices]
        raise RequestError(f"{noun} must be {', '.join(words[:-1])} or {words[-1]}, not {value!r}")


def parse_domain(text):
    """Read ``a:b``, two real numbers.

    Raises
    ------
    RequestError
        If `text` is not two numbers.
    """
    parts = text.split(":")
    try:
        first, last = (Fraction(part.strip()) for part in parts)
    except (ValueError, ZeroDivisionError):
        raise RequestError(f"Domain must be two numbers like -2:1.5, not {text!r}") from None
    return first, last


def _domain_values(domain):
    """A pair of fractions from text or two numbers; None stays None."""
    if domain is None:
        return None
    if isinstance(domain, str):
        return parse_domain(domain)
    try:
        first, last = (Fraction(end) for end in domain)
    except (TypeError, ValueError, OverflowError):
        raise RequestError(f"Domain must be two finite numbers, not {domain!r}") from None
    return first, last


def _domain_codes(domain, input):
    """First and last code whose values lie in the closed interval `domain`."""
    if domain is None:
        return input.min_code, input.max_code
    low, high = (end / input.ulp for end in domain)
    first, last = math.ceil(low), math.floor(high)
    shown = f"{float(domain[0]):g}:{float(domain[1]):g}"
    if high == input.max_code + 1:  # the open end of the format's range, as people write it
        last = input.max_code
    if low < input.min_code or last > input.max_code:
        raise RequestError(
            f"Domain must lie within the values of {input}, {input.min_value:g}:{input.max_value:g}, not {shown}"
        )
    if first > last:
        raise RequestError(f"Domain must hold at least one code of {input}, not {shown}")
    return first, last


@dataclass(frozen=True)
class Spec:
    """A request for a unit.

    Parameters
    ----------
    function : Function or str
        A catalogue entry or an expression.
    input, output : Format or str
    bound : ErrorBound or str
        Largest distance from the real function, clamped to the output's range.
    derivative : str
        ``none``, ``direct`` (a second output that approximates the derivative) or ``slope`` (a second
        output that is exactly the slope of the segment in use).
    derivative_output : Format, str or None
        Needed for ``direct``; for ``slope``, None takes the narrowest format that holds every slope.
    derivative_bound : ErrorBound or str
    domain : str, pair of numbers, or None
        Closed interval of input *values*; None takes every code.
    method : str
        ``auto`` (the cheapest by estimate), ``pwl`` or ``table``.
    segmentation : str
        ``auto``, ``free``, ``dyadic`` or ``uniform``. ``auto`` takes the cheapest by estimate where the
        method is ``auto`` too, and else ``free``, which has the fewest segments.
    multiplier : str
        ``auto``, ``logic``, ``dsp`` or ``shift-add``.
    fit : str
        ``exact``, or a published segmenter: ``lsq`` (Liao et al. 2023) or ``minimax`` (PLAC).
    saturate : bool
        Let segments run beyond the output's range and clamp the result: fewer segments for clipped functions.
    interface, latency, reset, lanes, tuser, clock_name, reset_name : see `Shell`
        A `latency` of None takes 0 for ``comb`` and `DEFAULT_LATENCY` else; a `reset` of None takes ``sync-high``,
        but ``sync-low`` for ``axis``, as AXI4-Stream asks for.
    target : str
        ``any`` gives tables that people can read; ``ice40``, ``ecp5`` or ``gowin`` lays them out as networks
        of that family's lookup tables.
    effort : int
        0 takes the candidate of the least estimate; 1 to 3 synthesise more and more of the best for `target`.
    name : str or None
        Name of the Verilog module; None takes the function's.

    Raises
    ------
    RequestError
        If a value is out of range or two of them contradict each other.

    Examples
    --------
    >>> from hwact import SQ, Spec
    >>> design = Spec("tanh", input=SQ(4, 4), output=SQ(1, 7), method="pwl").design()
    >>> design.evaluate([-128, 0, 8]).tolist()
    [-127, 0, 59]
    """

    function: Function
    input: Format
    output: Format
    bound: ErrorBound = "faithful"
    derivative: str = "none"
    derivative_output: object = None
    derivative_bound: ErrorBound = "faithful"
    domain: object = None
    method: str = "auto"
    segmentation: str = "auto"
    multiplier: str = "auto"
    fit: str = "exact"
    saturate: bool = False
    interface: str = "comb"
    latency: object = None
    reset: object = None
    lanes: int = 1
    tuser: int = 0
    clock_name: str = "clk"
    reset_name: str = ""
    target: str = "any"
    effort: int = 0
    name: object = None

    def __post_init__(self):
        put = lambda name, value: object.__setattr__(self, name, value)
        put("function", function(self.function) if isinstance(self.function, str) else self.function)
        if not isinstance(self.function, Function):
            raise TypeError(f"Function must be a Function or its text, not {self.function!r}")
        put("input", Format.parse(self.input))
        put("output", Format.parse(self.output))
        put("bound", ErrorBound.parse(self.bound))
        put("derivative_bound", ErrorBound.parse(self.derivative_bound))
        if self.derivative_output is not None:
            put("derivative_output", Format.parse(self.derivative_output))
        put("domain", _domain_values(self.domain))
        put("name", check_name(self.function.name if self.name is None else self.name))
        if self.latency is None:
            put("latency", 0 if self.interface == "comb" else DEFAULT_LATENCY)
        if self.reset is None:
            put("reset", "sync-low" if self.interface == "axis" else "sync-high")
        self._check()

    def _check(self):
        self.domain_codes  # raises where the domain leaves the format
        _one_of("Derivative", self.derivative, DERIVATIVES)
        _one_of("Method", self.method, METHODS)
        _one_of("Segmentation", self.segmentation, ("auto", *SEGMENTATIONS))
        _one_of("Multiplier", self.multiplier, ("auto", *MULTIPLIERS))
        _one_of("Fit", self.fit, FITS)
        _one_of("Target", self.target, TARGETS)
        _one_of("Effort", self.effort, range(len(EFFORTS)))
        if self.effort and self.target == "any":
            raise RequestError("Effort must come with --target ice40, ecp5 or gowin")
        self.shell  # raises where interface, latency and reset do not go together
        if self.input.width > MAX_INPUT_WIDTH:
            raise RequestError(
                f"Input format must be at most {MAX_INPUT_WIDTH} bits wide, so that every code can be checked, not {self.input}"
            )
        if self.derivative == "direct" and self.derivative_output is None:
            raise RequestError("Derivative direct must have a format: add --derivative-output, such as SQ2.14")
        if self.derivative == "none" and self.derivative_output is not None:
            raise RequestError("Derivative output must come with --derivative direct or slope")
        if self.method == "table":
            for noun, value, plain in (
                ("Segmentation", self.segmentation, "auto"),
                ("Fit", self.fit, "exact"),
                ("Multiplier", self.multiplier, "auto"),
            ):
                if value != plain:
                    raise RequestError(f"{noun} must be {plain} for --method table, not {value}")
            if self.derivative == "slope":
                raise RequestError("Method must be pwl or auto for --derivative slope, not table")
        if self.fit != "exact" and self.segmentation not in ("auto", "free"):
            raise RequestError(f"Segmentation must be free for --fit {self.fit}, not {self.segmentation}")

    @property
    def domain_codes(self):
        """First and last input code of the domain."""
        return _domain_codes(self.domain, self.input)

    @property
    def shell(self):
        """The ports, registers and reset asked for."""
        names = self.clock_name, self.reset_name
        return Shell(self.interface, self.latency, self.reset, self.lanes, self.tuser, *names)

    @property
    def tries(self):
        """Candidates that are synthesised."""
        return EFFORTS[self.effort]

    @property
    def layouts(self):
        """Values of `Design.lut_inputs` that may be chosen, the most promising first."""
        return (0,) if self.target == "any" else (4, 0)

    @property
    def carry_cells(self):
        """Value of `Design.carry_cells`."""
        return "ccu2c" if self.target == "ecp5" else ""

    def design(self, *, tried=None):
        """Fit the unit.

        Parameters
        ----------
        tried : function or None
            Called with the number of LUTs after each candidate that was synthesised.

        Returns
        -------
        Design

        Raises
        ------
        RequestError
            If the function is undefined at a code of the domain, or the bound cannot be met.
        ToolError
            If Yosys is missing or breaks (`effort` above 0).
        """
        from .fit import fit

        return fit(self, self._area(tried) if self.effort else None)

    def _area(self, tried):
        from .synth import unit_area

        def area(design):
            design = replace(design, shell=replace(design.shell, lanes=1))  # lanes are alike
            luts = unit_area(design, self.target, dsp=self.multiplier == "dsp")
            if tried:
                tried(luts)
            return luts

        return area

    def command(self):
        """The command line that makes this request, in a canonical form."""
        words = ["hwact", "generate", *_function_words(self.function)]
        words += ["--input", str(self.input), "--output", str(self.output), "--bound", str(self.bound)]
        if self.derivative != "none":
            words += ["--derivative", self.derivative]
            if self.derivative_output is not None:
                words += ["--derivative-output", str(self.derivative_output)]
            if self.derivative == "direct":
                words += ["--derivative-bound", str(self.derivative_bound)]
        if self.domain is not None:
            words += ["--domain", ":".join(_number(code * self.input.ulp) for code in self.domain_codes)]
        for option in ("method", "segmentation", "multiplier", "fit"):
            if getattr(self, option) != ("exact" if option == "fit" else "auto"):
                words += [f"--{option}", getattr(self, option)]
        if self.saturate:
            words += ["--saturate"]
        if self.interface != "comb":
            words += ["--interface", self.interface, "--latency", str(self.latency), "--reset", self.reset]
        for option, usual in (("lanes", 1), ("tuser", 0), ("clock_name", "clk"), ("reset_name", "")):
            if getattr(self, option) != usual:
                words += [f"--{option.replace('_', '-')}", str(getattr(self, option))]
        if self.target != "any":
            words += ["--target", self.target, "--effort", str(self.effort)]
        return shlex.join([*words, "--name", self.name])


def open_parameters(function):
    """The parameters that a function's text leaves open, as pairs of text; the catalogue writes its own into it."""
    return () if function.source else tuple((name, _number(value)) for name, value in function.parameters)


def _function_words(function):
    """The words that ask for a function: an entry of the catalogue by its name, which units carry, else its text."""
    from_catalog = function.source and function.text.startswith(f"{function.name}(x")
    # A leading minus would be taken for an option.
    words = [f"--function={function.text}"] if function.text.startswith("-") else [function.text]
    parameters = open_parameters(function)
    if from_catalog:
        words = [function.name]
        parameters = [(n, _number(v)) for n, v in function.parameters if f", {n}=" in function.text]
    return words + [word for name, value in parameters for word in ("--parameter", f"{name}={value}")]


def _number(value):
    """Decimal text of a fraction where it has one, else ``p/q``."""
    value = Fraction(value)
    exact = Fraction(str(float(value)))
    return (f"{float(value):g}" if Fraction(f"{float(value):g}") == value else str(float(value))) if exact == value else str(value)

"""The hinge of the flow: one frozen, integer-only value that every later step reads.

A `Design` holds no real number and no function. Its arithmetic, for one output channel and an
input code ``x``, is this and nothing more::

    u, negative = fold(x)                                     # half the range, where symmetric
    k           = the segment with starts[k] <= u < starts[k + 1]
    g           = (slopes[k] * (u - starts[k]) + intercepts[k]) >> shift      # or a table's entry
    y           = saturate(unfold(g, x, negative))
"""

import json
import re
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

import numpy as np

from .errors import RequestError
from .fixed import Format
from .ports import is_stream, ports_of
from .record import Record, require

__all__ = [
    "INTERFACES",
    "MULTIPLIERS",
    "RESETS",
    "SEGMENTATIONS",
    "Channel",
    "Design",
    "Fold",
    "Lines",
    "Minimality",
    "Shell",
    "Table",
    "Trial",
]

INTERFACES = ("comb", "pipe", "stream", "axis")
RESETS = ("sync-high", "sync-low", "async-high", "async-low", "none")
SEGMENTATIONS = ("free", "dyadic", "uniform")
MULTIPLIERS = ("logic", "dsp", "shift-add")
#: Values of `Design.carry_cells`.
CARRY_CELLS = ("", "ccu2c")
MAX_LATENCY = 64
MAX_LANES = 64
#: Widest ``tuser``.
MAX_TUSER = 256

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
#: Words that cannot name a module in Verilog-2005, SystemVerilog or a C function.
KEYWORDS = frozenset(
    """always and assign automatic begin bit buf bufif0 bufif1 byte case casex casez cell char class cmos config
    const deassign default defparam design disable do double edge else end endcase endconfig endfunction
    endgenerate endmodule endprimitive endspecify endtable endtask enum event extern final float for force
    forever fork function generate genvar goto highz0 highz1 if ifnone incdir include initial inline inout
    input instance int integer interface join liblist library local localparam logic long
    macromodule main medium module nand negedge new nmos nor noshowcancelled not notif0 notif1 null or
    output package parameter pmos posedge primitive priority program property protected public pull0
    pull1 pulldown pullup rcmos real realtime ref reg register release repeat restrict return rnmos rpmos
    rtran rtranif0 rtranif1 scalared sequence short shortint showcancelled signed sizeof small solve
    specify specparam static string strong0 strong1 struct super supply0 supply1 switch table tagged task
    this time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg type typedef union unique unsigned
    use uwire var vectored virtual void volatile wait wand weak0 weak1 while wire with within wor xnor
    xor
    accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof byte chandle checker
    clocking constraint context cover covergroup coverpoint cross dist endchecker endclass endclocking endgroup
    endinterface endpackage endprogram endproperty endsequence eventually expect export extends first_match
    foreach forkjoin global iff ignore_bins illegal_bins implements implies import inside interconnect intersect
    let matches modport nettype new nexttime null package packed pure rand randc randcase randsequence ref
    reject_on restrict sequence shortreal soft string strong s_always s_eventually s_nexttime s_until
    s_until_with sync_accept_on sync_reject_on throughout timeprecision timeunit unique0 until until_with untyped
    wait_order weak wildcard""".split()
)


def _require_integers(name, values):
    require(
        isinstance(values, tuple) and all(type(value) is int and abs(value) < 1 << 60 for value in values),
        f"{name} must be a tuple of integers below 2**60",
    )


def check_name(name):
    """Return `name` if it can name a Verilog module and a C function, else raise RequestError."""
    require(
        isinstance(name, str) and len(name) <= 64 and _IDENTIFIER.fullmatch(name) and name not in KEYWORDS,
        f"Name must be an identifier of letters, digits and _ (at most 64) and no keyword of Verilog or C, not {name!r}",
    )
    return name


def check_carry_cells(cells):
    """Raise RequestError unless `cells` is a value of `Design.carry_cells`."""
    require(cells in CARRY_CELLS, f"Design carry_cells must be empty or ccu2c, not {cells!r}")


def check_port_name(noun, name):
    """Return `name` if it can name a Verilog port, else raise RequestError, in which `noun` stands for it."""
    require(
        isinstance(name, str) and len(name) <= 64 and _IDENTIFIER.fullmatch(name) and name not in KEYWORDS,
        f"{noun} must be an identifier of letters, digits and _ (at most 64) and no keyword of Verilog, not {name!r}",
    )
    return name


@dataclass(frozen=True)
class Fold:
    """How the input range is halved before the table, and restored after it.

    Parameters
    ----------
    index : str
        ``none``: u = x - min_code (offset binary); ``negate``: u = \\|x\\|;
        ``complement``: u = x where x >= 0, else -x - 1.
    restore : str
        ``none``, ``even``: y = g; ``odd``: y = constant - g where x < 0; ``ramp``: y = g + max(x, 0) * 2**ramp_shift;
        ``ramp_down``: y = g + min(x, 0) * 2**ramp_shift.
    constant : int
        What an odd function and its mirror image add up to.
    ramp_shift : int
        Weight of the ramp, in bits.
    """

    index: str = "none"
    restore: str = "none"
    constant: int = 0
    ramp_shift: int = 0

    def __post_init__(self):
        require(
            self.index in ("none", "negate", "complement"), f"Fold index must be none, negate or complement, not {self.index!r}"
        )
        require(
            self.restore in ("none", "even", "odd", "ramp", "ramp_down"),
            f"Fold restore must be none, even, odd, ramp or ramp_down, not {self.restore!r}",
        )
        require((self.index == "none") == (self.restore == "none"), "Fold must halve and restore, or do neither")
        _require_integers("Fold constant and ramp_shift", (self.constant, self.ramp_shift))
        require(0 <= self.ramp_shift <= 32, f"Fold ramp_shift must be 0 to 32, not {self.ramp_shift}")

    def fold(self, codes, input):
        """Return the table index u and the flag *negative*, for int64 codes of the format `input`."""
        if self.index == "none":
            return codes - input.min_code, np.zeros(codes.shape, dtype=bool)
        negative = codes < 0
        mirrored = -codes if self.index == "negate" else ~codes
        return np.where(negative, mirrored, codes), negative

    def index_range(self, input, domain):
        """Smallest and largest u that a domain (first and last code) folds to."""
        first, last = domain
        if self.index == "none":
            return first - input.min_code, last - input.min_code
        ends = [int(self.fold(np.int64(code), input)[0]) for code in domain]
        return (0 if first < 0 <= last else min(ends)), max(ends)

    def unfold(self, halves, codes, negative):
        """Return the outputs for the halved range's outputs g."""
        if self.restore == "odd":
            return np.where(negative, self.constant - halves, halves)
        if self.restore == "ramp":
            return halves + (np.where(negative, 0, codes) << self.ramp_shift)
        if self.restore == "ramp_down":
            return halves + (np.where(negative, codes, 0) << self.ramp_shift)
        return halves


@dataclass(frozen=True)
class Lines:
    """Piecewise-linear segments over the folded index u.

    Segment k covers ``starts[k] <= u < starts[k + 1]`` (the last one ends at `stop`) and gives
    ``(slopes[k] * (u - starts[k]) + intercepts[k]) >> shift``, the shift rounding down.

    Parameters
    ----------
    segmentation : str
        ``free``, ``dyadic`` (power-of-two blocks, aligned) or ``uniform`` (blocks of one size, aligned).
    starts, slopes, intercepts : tuple of int
        One entry a segment.
    stop : int
        One more than the last u.
    shift : int
        Fraction bits of the products.
    multiplier : str
        How the circuit multiplies: ``logic``, ``dsp`` or ``shift-add``. The numbers are the same.
    """

    segmentation: str
    starts: tuple
    stop: int
    shift: int
    slopes: tuple
    intercepts: tuple
    multiplier: str = "logic"

    method = "pwl"

    def __post_init__(self):
        require(
            self.segmentation in SEGMENTATIONS,
            f"Segmentation must be {', '.join(SEGMENTATIONS)}, not {self.segmentation!r}",
        )
        require(
            self.multiplier in MULTIPLIERS, f"Multiplier must be {', '.join(MULTIPLIERS)}, not {self.multiplier!r}"
        )
        for name in ("starts", "slopes", "intercepts"):
            _require_integers(f"Lines {name}", getattr(self, name))
        _require_integers("Lines stop and shift", (self.stop, self.shift))
        require(
            len(self.starts) == len(self.slopes) == len(self.intercepts) > 0,
            "Lines must have as many slopes and intercepts as starts, and at least one",
        )
        edges = (*self.starts, self.stop)
        require(
            edges[0] >= 0 and all(a < b for a, b in zip(edges, edges[1:])),
            "Lines starts must rise from at least 0 to below stop",
        )
        require(0 <= self.shift <= 48, f"Lines shift must be 0 to 48, not {self.shift}")
        reach = max(
            abs(slope) * (end - start) + abs(intercept)
            for slope, intercept, start, end in zip(self.slopes, self.intercepts, edges, edges[1:])
        )
        require(reach < 1 << 61, "Lines products must stay below 2**61")
        if self.segmentation != "free":
            self._check_alignment()

    def _check_alignment(self):
        sizes = self.sizes
        for start, size in zip(self.starts, sizes):
            require(
                size & (size - 1) == 0 and start % size == 0,
                f"Lines of {self.segmentation} segmentation must have aligned power-of-two blocks, not {start}+{size}",
            )
        if self.segmentation == "uniform":
            require(len(set(sizes)) == 1, "Lines of uniform segmentation must have blocks of one size")

    @property
    def range(self):
        """The half-open range of u that the segments cover."""
        return self.starts[0], self.stop

    @property
    def segments(self):
        """Stored segments."""
        return len(self.starts)

    @property
    def sizes(self):
        """Codes that each segment covers."""
        edges = (*self.starts, self.stop)
        return tuple(b - a for a, b in zip(edges, edges[1:]))

    @property
    def offset_bits(self):
        """Bits of the segment offset."""
        return (max(self.sizes) - 1).bit_length()

    @cached_property
    def joints(self):
        """Where the two segments of every aligned pair meet: the value there for each segment, else None.

        A circuit then stores it once a pair, and reads the lines from their common point: the right segment's
        first index, or the index before it where no line rises.
        """
        falls = int(max(self.slopes) <= 0)
        if self.segmentation != "uniform" or self.multiplier != "logic" or not falls and min(self.slopes) < 0:
            return None
        size = self.sizes[0]
        left = [start // size % 2 == 0 for start in self.starts]
        steps = [size - falls if first else -falls for first in left]
        values = [c + m * step for c, m, step in zip(self.intercepts, self.slopes, steps)]
        meet = all(a == b for a, b, first in zip(values, values[1:], left) if first)
        return tuple(values) if meet and size > 1 and len(values) > 1 and any(self.slopes) else None

    @cached_property
    def _arrays(self):
        return tuple(np.array(values, dtype=np.int64) for values in (self.starts, self.slopes, self.intercepts))

    def locate(self, u):
        """Segment number of each u."""
        return np.searchsorted(self._arrays[0], u, side="right") - 1

    def evaluate(self, u):
        """Outputs g of each u (int64 array, codes)."""
        starts, slopes, intercepts = self._arrays
        segment = self.locate(u)
        offset = u - starts[segment]
        total = slopes[segment] * offset + intercepts[segment]
        return total >> self.shift


@dataclass(frozen=True)
class Table:
    """One stored output for every folded index u from `start` on."""

    start: int
    entries: tuple

    method = "table"

    def __post_init__(self):
        _require_integers("Table start", (self.start,))
        _require_integers("Table entries", self.entries)
        require(self.start >= 0 and len(self.entries) > 0, "Table must start at 0 or above and have entries")

    @property
    def range(self):
        """The half-open range of u that the table covers."""
        return self.start, self.start + len(self.entries)

    @cached_property
    def _array(self):
        return np.array(self.entries, dtype=np.int64)

    def evaluate(self, u):
        """Outputs g of each u (int64 array, codes)."""
        return self._array[u - self.start]


@dataclass(frozen=True)
class Minimality:
    """Why no segmentation with fewer segments exists, in a form that can be checked without a fit.

    Parameters
    ----------
    segments : int
        The proven minimum over the whole domain, unfolded.
    starts : tuple of int
        Input codes at which the greedy, longest-first segmentation begins its segments.
    witnesses : tuple of (int, int, int, int)
        For every segment but the last, two pairs of input codes, from the segment and its successor's
        first code: the allowed outputs of the first pair ask for a slope that is above every slope
        that the second pair permits. So one line cannot serve a segment and one code more, and every
        segmentation needs as many segments.
        Empty where slopes are confined to a grid, and the argument is by enumeration.
    """

    segments: int
    starts: tuple
    witnesses: tuple = ()

    def __post_init__(self):
        _require_integers("Minimality segments", (self.segments,))
        _require_integers("Minimality starts", self.starts)
        require(isinstance(self.witnesses, tuple), "Minimality witnesses must be a tuple")
        for witness in self.witnesses:
            _require_integers("Minimality witness", witness)
            require(len(witness) == 4, "Minimality witness must have four codes")


@dataclass(frozen=True)
class Channel:
    """One output of a unit.

    Parameters
    ----------
    name : str
        ``y`` or ``dy``.
    expression : str
        What it approximates, for people to read.
    mode : str
        ``function``, ``direct`` (a derivative with its own bound) or ``slope`` (the slope in use).
    format : Format
    bound : str
    fold : Fold
    core : Lines or Table
    saturate : bool
        Whether codes beyond the output format are clamped.
    minimality : Minimality or None
    segments : int or None
        Straight pieces over the whole, unfolded domain; None for a table.
    """

    name: str
    expression: str
    mode: str
    format: Format
    bound: str
    fold: Fold
    core: object
    saturate: bool = False
    minimality: object = None
    segments: object = None

    def __post_init__(self):
        require(self.name in ("y", "dy"), f"Channel name must be y or dy, not {self.name!r}")
        require(
            self.mode in ("function", "direct", "slope"),
            f"Channel mode must be function, direct or slope, not {self.mode!r}",
        )
        for noun, kind in (("expression", str), ("bound", str), ("saturate", bool), ("format", Format), ("fold", Fold)):
            value = getattr(self, noun)
            require(isinstance(value, kind), f"Channel {noun} must be a {kind.__name__}, not {value!r}")
        require(isinstance(self.core, (Lines, Table)), "Channel core must be Lines or a Table")
        require(
            self.minimality is None or isinstance(self.minimality, Minimality),
            "Channel minimality must be a Minimality or None",
        )
        require(self.segments is None or type(self.segments) is int, "Channel segments must be an integer or None")

    def evaluate_raw(self, codes, input):
        """Outputs before saturation (int64 array)."""
        u, negative = self.fold.fold(codes, input)
        return self.fold.unfold(self.core.evaluate(u), codes, negative)

    def evaluate(self, codes, input):
        """Output codes (int64 array)."""
        raw = self.evaluate_raw(codes, input)
        return np.clip(raw, self.format.min_code, self.format.max_code) if self.saturate else raw


@dataclass(frozen=True)
class Shell:
    """What surrounds the arithmetic: ports, registers and reset.

    Parameters
    ----------
    interface : str
        ``comb``, ``pipe`` (clock enable, fixed latency), ``stream`` (valid and ready) or ``axis`` (AXI4-Stream).
    latency : int
        Clock cycles from a code to its result; 0 for ``comb``.
    reset : str
        ``sync-high``, ``sync-low``, ``async-high``, ``async-low`` or ``none``.
    lanes : int
        Codes taken at a time, each by arithmetic of its own.
    tuser : int
        Bits of ``tuser`` that travel with the data of ``axis``; 0 leaves the port out.
    clock_name : str
        Name of the clock port.
    reset_name : str
        Name of the reset port; empty: ``rst``, or ``rst_n`` where it is active low.
    """

    interface: str = "comb"
    latency: int = 0
    reset: str = "sync-high"
    lanes: int = 1
    tuser: int = 0
    clock_name: str = "clk"
    reset_name: str = ""

    def __post_init__(self):
        require(
            self.interface in INTERFACES, f"Interface must be {', '.join(INTERFACES)}, not {self.interface!r}"
        )
        require(self.reset in RESETS, f"Reset must be {', '.join(RESETS)}, not {self.reset!r}")
        for noun, value, least, most in (
            ("Latency", self.latency, 0, MAX_LATENCY),
            ("Lanes", self.lanes, 1, MAX_LANES),
            ("Tuser", self.tuser, 0, MAX_TUSER),
        ):
            require(type(value) is int and least <= value <= most, f"{noun} must be {least} to {most}, not {value!r}")
        require(
            (self.interface == "comb") == (self.latency == 0),
            "Latency must be 0 for comb and at least 1 for pipe, stream and axis, "
            f"not {self.latency} for {self.interface}",
        )
        require(self.tuser == 0 or self.interface == "axis", f"Tuser must come with axis, not {self.interface}")
        check_port_name("Clock name", self.clock_name)
        if self.reset_name:
            check_port_name("Reset name", self.reset_name)
            require(self.reset != "none", "Reset name must come with a reset, not with none")
        require(
            self.interface != "comb" or (self.clock_name, self.reset_name) == ("clk", ""),
            "Clock and reset names must come with pipe, stream or axis, not comb",
        )

    @property
    def streaming(self):
        """Whether there are valid and ready."""
        return is_stream(self.interface)

    @property
    def reset_port(self):
        """Name of the reset port, should there be one."""
        return self.reset_name or ("rst_n" if self.reset.endswith("low") else "rst")


@dataclass(frozen=True)
class Trial:
    """One candidate that was synthesised on the way to a design: what it was, its estimated and its measured LUTs."""

    candidate: str
    estimate: int
    luts: int


@dataclass(frozen=True)
class Design(Record):
    """A unit, decided to the last bit.

    Parameters
    ----------
    name : str
        Name of the Verilog module.
    function : str
        The function's name.
    input : Format
    domain : (int, int)
        First and last input code for which the outputs are specified.
    channels : tuple of Channel
        ``y`` and, where asked for, ``dy``.
    shell : Shell
    parameters : tuple of (str, str)
        Values of the parameters in the channels' expressions, for people and for the reference.
    lut_inputs : int
        Lay tables out as networks of lookup tables with so many inputs; 0 leaves them to synthesis.
        The numbers are the same.
    carry_cells : str
        ``ccu2c`` for conditional additions in ECP5's carry cells where the Verilog is synthesised; empty to leave
        them to synthesis. The numbers are the same.
    trials : tuple of Trial
        What was synthesised before this design was chosen, for people; no part of the digest.
    """

    name: str
    function: str
    input: Format
    domain: tuple
    channels: tuple
    shell: Shell = field(default_factory=Shell)
    parameters: tuple = ()
    lut_inputs: int = 0
    carry_cells: str = ""
    trials: tuple = field(default=(), compare=False)

    def __post_init__(self):
        check_name(self.name)
        check_carry_cells(self.carry_cells)
        require(
            type(self.lut_inputs) is int and (self.lut_inputs == 0 or 3 <= self.lut_inputs <= 6),
            f"Design lut_inputs must be 0, or 3 to 6, not {self.lut_inputs!r}",
        )
        require(isinstance(self.function, str), f"Function must be a string, not {self.function!r}")
        _require_integers("Design domain", self.domain)
        require(len(self.domain) == 2, "Design domain must be two codes")
        for pair in self.parameters:
            named = isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(part, str) for part in pair)
            require(named, f"Design parameters must be pairs of strings, not {pair!r}")
        first, last = self.domain
        require(
            self.input.min_code <= first <= last <= self.input.max_code,
            f"Domain must lie within {self.input} ({self.input.min_code}:{self.input.max_code}), not {first}:{last}",
        )
        names = [channel.name for channel in self.channels]
        require(names in (["y"], ["y", "dy"]), f"Design channels must be y, or y and dy, not {names}")
        modes = [channel.mode for channel in self.channels]
        require(modes[0] == "function", f"Channel y must have mode function, not {modes[0]}")
        require(
            "slope" not in modes or isinstance(self.channels[0].core, Lines),
            "Channel dy must be direct where y is a Table, not slope",
        )
        self._check_port_names()
        for channel in self.channels:
            require(
                channel.fold.index == "none" or self.input.signed, "Fold must have a signed input format"
            )
            low, high = channel.fold.index_range(self.input, self.domain)
            first, stop = channel.core.range
            require(
                first <= low and high < stop,
                f"Channel {channel.name} must cover indices {low} to {high}, not {first} to {stop - 1}",
            )

    def _check_port_names(self):
        """Refuse names of clock and reset that other ports or the module have, in any case of their letters."""
        ports, taken = ports_of(self), {self.name.lower()} if self.shell.interface != "comb" else set()
        chosen = [port for port in ports if port.roles[0] in ("clk", "rst")]
        taken |= {port.name.lower() for port in ports if port not in chosen}
        for port in chosen:
            noun = {"clk": "Clock", "rst": "Reset"}[port.roles[0]]
            require(
                port.name.lower() not in taken,
                f"{noun} name must differ from the module's and the other ports' names, not be {port.name!r}",
            )
            taken.add(port.name.lower())

    # -- reading ------------------------------------------------------------------------------

    def channel(self, name):
        """The channel called `name`."""
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise RequestError(f"Output must be {' or '.join(c.name for c in self.channels)}, not {name!r}")

    @property
    def latency(self):
        """Clock cycles from a code to its result."""
        return self.shell.latency

    def _digested(self):
        return replace(self, trials=()).to_dict()

    def codes(self):
        """Every input code of the domain in rising order (int64)."""
        return np.arange(self.domain[0], self.domain[1] + 1, dtype=np.int64)

    # -- the golden model ---------------------------------------------------------------------

    def evaluate(self, codes, output="y"):
        """Compute output codes, bit for bit as the circuit does.

        Parameters
        ----------
        codes : array_like of int
            Input codes, any shape.
        output : str
            ``y`` or ``dy``.

        Returns
        -------
        numpy.ndarray of int64
            Output codes in the shape of `codes`.

        Raises
        ------
        TypeError
            If `codes` are not integers.
        RequestError
            If a code is outside the domain, or there is no such output.
        """
        channel = self.channel(output)
        codes = self.input.check_codes(codes)
        outside = (codes < self.domain[0]) | (codes > self.domain[1])
        if outside.any():
            raise RequestError(
                f"Code must be in the domain {self.domain[0]}:{self.domain[1]}, not {int(codes[outside].flat[0])}"
            )
        return channel.evaluate(codes, self.input)

    # -- what follows from a design (imported late: the golden model needs none of it) ---------

    def create(self):
        """Create the Amaranth component (`hwact.rtl.ActivationUnit`)."""
        from .rtl import ActivationUnit

        return ActivationUnit(self)

    def verify(self, level="rtl"):
        """Verify the unit as far down as `level`, with the rungs before it.

        Parameters
        ----------
        level : str
            ``golden``, ``rtl``, ``proof``, ``netlist`` or ``bitstream``.

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
        from .emit.verilog import verilog
        from .verify import Certificate, climb, rungs

        text = verilog(self, command="Design.verify")
        return Certificate(self.digest, tuple(check for rung in rungs(level) for check in climb(rung, self, text)))

    # -- JSON ---------------------------------------------------------------------------------

    def to_dict(self):
        """Plain lists, numbers and strings, ready for JSON."""
        plain = asdict(self)
        for channel, values in zip(self.channels, plain["channels"]):
            values["core"] = {"method": channel.core.method, **values["core"]}
        for name in ("lut_inputs", "carry_cells", "trials"):
            if not plain[name]:
                del plain[name]
        usual = asdict(Shell())
        for name in ("lanes", "tuser", "clock_name", "reset_name"):
            if plain["shell"][name] == usual[name]:
                del plain["shell"][name]
        return json.loads(json.dumps(plain))

    @classmethod
    def _from_plain(cls, plain):
        return cls(
            name=plain["name"],
            function=plain["function"],
            input=Format(**plain["input"]),
            domain=_tuple(plain["domain"]),
            channels=tuple(_channel(values) for values in plain["channels"]),
            shell=Shell(**plain["shell"]),
            parameters=_tuple(plain["parameters"]),
            lut_inputs=plain.get("lut_inputs", 0),
            carry_cells=plain.get("carry_cells", ""),
            trials=tuple(Trial(**values) for values in plain.get("trials", ())),
        )


def _tuple(values):
    """Lists within lists as tuples within tuples."""
    return tuple(_tuple(value) if isinstance(value, list) else value for value in values)


def _fields(values):
    """Keyword arguments with tuples for lists."""
    return {key: _tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def _channel(values):
    core = _fields(values["core"])
    kind = {"pwl": Lines, "table": Table}[core.pop("method")]
    minimality = values["minimality"]
    rebuilt = {
        "format": Format(**values["format"]),
        "fold": Fold(**values["fold"]),
        "core": kind(**core),
        "minimality": minimality and Minimality(**_fields(minimality)),
    }
    return Channel(**{**values, **rebuilt})

"""A unit of several functions, decided to the last bit.

For one output, a function's number ``select`` and an input code ``x``, the arithmetic is this and nothing more::

    s           = min(select, functions - 1)
    u, negative = folds[s](x)                                 # half the range, where symmetric
    g           = core(s * 2**page_bits + u)                  # lines or a table over the pages of all functions
    y           = saturate(unfold[s](g, x, negative))

The core is one `Lines` of uniform blocks, or one `Table`: every function has a page of it. Blocks have one size and
products one shift, so that there is one multiplication for all. Of a fold to magnitudes, that of the smallest code
would need a bit more than all others: it is taken for the one below it.
"""

import json
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from ..design import Channel, Design, Fold, Lines, Shell, Table, Trial, check_carry_cells, check_name
from ..errors import RequestError
from ..fixed import Format
from ..record import Record, require

__all__ = ["MAX_FUNCTIONS", "MultiChannel", "MultiDesign"]

MAX_FUNCTIONS = 16


@dataclass(frozen=True)
class MultiChannel:
    """One output of a unit of several functions.

    Parameters
    ----------
    name, mode : str
        As in `Channel`.
    expressions : tuple of str
        What it approximates, a text for each function.
    format : Format
    bound : str
    folds : tuple of Fold
        One for each function.
    page_bits : int
        A function's page has ``2**page_bits`` indices.
    core : Lines or Table
        Over the pages of all functions, in their order. Entries that no code of the domain reaches are arbitrary.
    saturate : bool
    """

    name: str
    mode: str
    expressions: tuple
    format: Format
    bound: str
    folds: tuple
    page_bits: int
    core: object
    saturate: bool = False

    def __post_init__(self):
        count = len(self.expressions)
        require(2 <= count <= MAX_FUNCTIONS, f"Functions must be 2 to {MAX_FUNCTIONS}, not {count}")
        folds = len(self.folds) == count and all(isinstance(fold, Fold) for fold in self.folds)
        require(folds, "Channel folds must be one Fold for each function")
        require(
            type(self.page_bits) is int and 1 <= self.page_bits <= 32,
            f"Channel page_bits must be 1 to 32, not {self.page_bits!r}",
        )
        require(isinstance(self.core, (Lines, Table)), "Channel core must be Lines or a Table")
        if isinstance(self.core, Lines):
            require(self.core.segmentation == "uniform", "Channel core must have uniform segments")
            require(self.core.offset_bits <= self.page_bits, "Channel core must have no segment beyond a page")

    def page(self, number, input):
        """The core of one function, over the indices of its own `Fold` alone."""
        negates = self.folds[number].index == "negate"
        first = number << self.page_bits
        last = first + (input.max_code + 1 if negates else 1 << self.page_bits)
        core = self.core
        if isinstance(core, Table):
            entries = core.entries[max(first - core.start, 0) : max(last - core.start, 0)]
            return Table(max(core.start - first, 0), (*entries, *entries[-1:]))
        kept = [k for k, start in enumerate(core.starts) if first <= start < last]
        starts = [core.starts[k] - first for k in kept]
        slopes, intercepts = ([getattr(core, name)[k] for k in kept] for name in ("slopes", "intercepts"))
        size = core.sizes[0]
        if negates and core.stop >= last:
            starts.append(starts[-1] + size)
            intercepts.append(slopes[-1] * (size - 1) + intercepts[-1])
            slopes.append(slopes[-1])  # at one index, where it is of no account, but for the slope in use
        stop = starts[-1] + size
        return replace(core, starts=tuple(starts), stop=stop, slopes=tuple(slopes), intercepts=tuple(intercepts))

    def single(self, number, input):
        """The output of one function alone."""
        return Channel(
            name=self.name,
            expression=self.expressions[number],
            mode=self.mode,
            format=self.format,
            bound=self.bound,
            fold=self.folds[number],
            core=self.page(number, input),
            saturate=self.saturate,
        )

    def evaluate(self, select, codes, input):
        """Output codes (int64 array) for functions and input codes, arrays of one shape."""
        u, negative = np.zeros(codes.shape, dtype=np.int64), np.zeros(codes.shape, dtype=bool)
        for number, fold in enumerate(self.folds):
            here = select == number
            u[here], negative[here] = fold.fold(codes[here], input)
            if fold.index == "negate":
                u[here] = np.minimum(u[here], input.max_code)
        halves = self.core.evaluate((select << self.page_bits) + np.minimum(u, (1 << self.page_bits) - 1))
        raw = np.zeros(codes.shape, dtype=np.int64)
        for number, fold in enumerate(self.folds):
            here = select == number
            raw[here] = fold.unfold(halves[here], codes[here], negative[here])
        return np.clip(raw, self.format.min_code, self.format.max_code) if self.saturate else raw


@dataclass(frozen=True)
class MultiDesign(Record):
    """A unit of several functions.

    Parameters
    ----------
    name : str
        Name of the Verilog module.
    functions : tuple of str
        The functions' names; a function's place is the code that selects it.
    input : Format
    domain : (int, int)
        First and last input code for which the outputs are specified.
    channels : tuple of MultiChannel
        ``y`` and, where asked for, ``dy``.
    shell : Shell
    parameters : tuple of tuple of (str, str)
        For each function, values of the parameters in its expressions.
    lut_inputs, carry_cells, trials
        As in `Design`.

    Raises
    ------
    RequestError
        If a value is out of range or two of them contradict each other.
    """

    name: str
    functions: tuple
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
        count = len(self.functions)
        for channel in self.channels:
            require(len(channel.folds) == count, f"Channel {channel.name} must have {count} functions, not {len(channel.folds)}")
        require(len(self.parameters) == count, f"Design parameters must be given for {count} functions")
        for number in range(count):
            self.single(number)  # raises where a function alone would be refused

    @property
    def select_bits(self):
        """Bits of the input that selects the function."""
        return (len(self.functions) - 1).bit_length()

    @property
    def sideband(self):
        """Name and width of the input beside x."""
        return "select", self.select_bits

    @property
    def meanings(self):
        """What inputs of its own are for, by name."""
        return {"select": "which function; what is no function's number selects the last one"}

    @property
    def title(self):
        """What the unit computes, in a line."""
        return f"{' and '.join(channel.name for channel in self.channels)} of {', '.join(self.functions)}"

    @property
    def beside(self):
        """Widths of other inputs by name: none."""
        return {}

    @property
    def latency(self):
        """Clock cycles from a code to its result."""
        return self.shell.latency

    def single(self, number):
        """One function of the unit as a `Design` of its own: the same integers, for checks and for models.

        Parameters
        ----------
        number : int
            The code that selects the function.
        """
        return Design(
            name=f"{self.name}_{number}",
            function=self.functions[number],
            input=self.input,
            domain=self.domain,
            channels=tuple(channel.single(number, self.input) for channel in self.channels),
            shell=self.shell,
            parameters=self.parameters[number],
        )

    def codes(self):
        """Every input code of the domain in rising order (int64)."""
        return np.arange(self.domain[0], self.domain[1] + 1, dtype=np.int64)

    # -- the golden model ---------------------------------------------------------------------

    def evaluate(self, select, codes, output="y"):
        """Compute output codes, bit for bit as the circuit does.

        Parameters
        ----------
        select : array_like of int
            Which function; numbers that ``select_bits`` bits hold and that are no function's stand for the last one.
        codes : array_like of int
            Input codes; broadcast against `select`.
        output : str
            ``y`` or ``dy``.

        Returns
        -------
        numpy.ndarray of int64

        Raises
        ------
        TypeError
            If `select` or `codes` are not integers.
        RequestError
            If one is out of range, or there is no such output.
        """
        channel = {channel.name: channel for channel in self.channels}.get(output)
        require(channel, f"Output must be {' or '.join(c.name for c in self.channels)}, not {output!r}")
        select = Format(False, self.select_bits, 0).check_codes(select)
        codes = self.input.check_codes(codes)
        outside = (codes < self.domain[0]) | (codes > self.domain[1])
        if outside.any():
            raise RequestError(
                f"Code must be in the domain {self.domain[0]}:{self.domain[1]}, not {int(codes[outside].flat[0])}"
            )
        select, codes = np.broadcast_arrays(np.minimum(select, len(self.functions) - 1), codes)
        return channel.evaluate(select, codes, self.input)

    # -- what follows from a design (imported late: the golden model needs none of it) ---------

    def create(self):
        """Create the Amaranth component (`hwact.multi.rtl.MultiUnit`)."""
        from .rtl import MultiUnit

        return MultiUnit(self)

    def verify(self, level="rtl"):
        """Verify the unit as far down as `level`: ``golden``, ``rtl`` or ``netlist``.

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

        text = verilog(self, command="MultiDesign.verify")
        return Certificate(self.digest, tuple(check for rung in rungs(level) for check in climb(rung, self, text)))

    # -- JSON ---------------------------------------------------------------------------------

    def _digested(self):
        return replace(self, trials=()).to_dict()

    def to_dict(self):
        """Plain lists, numbers and strings, ready for JSON."""
        plain = asdict(self)
        for channel, values in zip(self.channels, plain["channels"]):
            values["core"] = {"method": channel.core.method, **values["core"]}
        return json.loads(json.dumps(plain))

    @classmethod
    def _from_plain(cls, plain):
        rebuilt = {
            "input": Format(**plain["input"]),
            "channels": tuple(_channel(values) for values in plain["channels"]),
            "shell": Shell(**plain["shell"]),
            "trials": tuple(Trial(**values) for values in plain["trials"]),
        }
        rest = {name: _tuple(plain[name]) for name in ("functions", "domain", "parameters")}
        return cls(**{**plain, **rebuilt, **rest})


def _tuple(values):
    """Lists within lists as tuples within tuples."""
    return tuple(_tuple(value) if isinstance(value, list) else value for value in values)


def _channel(values):
    core = {key: _tuple(value) if isinstance(value, list) else value for key, value in values["core"].items()}
    kind = {"pwl": Lines, "table": Table}[core.pop("method")]
    rebuilt = {
        "expressions": _tuple(values["expressions"]),
        "format": Format(**values["format"]),
        "folds": tuple(Fold(**fold) for fold in values["folds"]),
        "core": kind(**core),
    }
    return MultiChannel(**{**values, **rebuilt})

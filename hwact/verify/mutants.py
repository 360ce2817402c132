"""Faults to plant in a unit: small changes of the emitted Verilog and of the design.

A mutant is a value that says what changes where; `Edit` changes the text, `Change` the design. Each
belongs to one kind of `KINDS`. `draw` lists all that there are in an order in which every kind has its
turn, and every line of a kind one mutant before any line has two.
"""

import random
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import zip_longest

from ..design import Table

__all__ = ["KINDS", "Change", "Edit", "draw"]

#: Kinds of mutants, and what each one changes.
KINDS = {
    "operator": "operators of the Verilog: another one, dropped, operands swapped",
    "constant": "literals in the Verilog's expressions: a bit flipped, one more, one less",
    "table": "labels and entries of the Verilog's case statements",
    "select": "bit selects of the Verilog: one bit up or down",
    "register": "registers of the datapath: enable negated or stuck, first value flipped, bypassed, doubled",
    "handshake": "valid, ready, enable and reset: negated, stuck, another operator, and as registers",
    "breakpoint": "starts of the design's segments: one up or down",
    "line": "slopes, intercepts and shift of the design's segments",
    "entry": "entries of the design's tables",
    "fold": "fold and saturation of the design",
}


@dataclass(frozen=True)
class Edit:
    """A change of the Verilog text: `new` in place of what is from `start` to `stop`."""

    kind: str
    line: int
    start: int
    stop: int
    new: str

    @property
    def place(self):
        """Where it is, for people and for spreading mutants."""
        return f"line {self.line}"

    def apply(self, design, verilog):
        """The changed unit: the design as it was, and the new text."""
        return design, verilog[: self.start] + self.new + verilog[self.stop :]

    def diff(self, design, verilog):
        """The changed lines, before and after."""
        first = verilog.rfind("\n", 0, self.start) + 1
        last = verilog.find("\n", self.stop)
        before, after = (
            verilog[first:last],
            verilog[first : self.start] + self.new + verilog[self.stop : last],
        )
        return " ".join(before.split()), " ".join(after.split())


@dataclass(frozen=True)
class Change:
    """A change of the design: another value in a field of a channel, or of its fold or its core.

    Parameters
    ----------
    kind : str
    channel : int
        Position of the channel.
    part : str
        ``core``, ``fold``, or nothing for the channel itself.
    field : str
    index : int or None
        Position in a field that is a tuple.
    value : object
        The new value.
    """

    kind: str
    channel: int
    part: str
    field: str
    index: object
    value: object

    @property
    def place(self):
        """Where it is, for people and for spreading mutants."""
        position = "" if self.index is None else f"[{self.index}]"
        return f"{('y', 'dy')[self.channel]}{self.part and '.' + self.part}.{self.field}{position}"

    def apply(self, design, verilog):
        """The changed unit: the new design, and the text as it was.

        Raises
        ------
        RequestError
            If there is no such design.
        """
        channels = list(design.channels)
        channel = channels[self.channel]
        part = getattr(channel, self.part) if self.part else channel
        value = self.value
        if self.index is not None:
            value = list(getattr(part, self.field))
            value[self.index] = self.value
            value = tuple(value)
        # Blocks need not stay aligned: alignment is a promise to the circuit, not arithmetic.
        free = {"segmentation": "free"} if self.field == "starts" else {}
        part = replace(part, **{self.field: value}, **free)
        channels[self.channel] = replace(channel, **{self.part: part}) if self.part else part
        return replace(design, channels=tuple(channels)), verilog

    def diff(self, design, verilog):
        """The changed field, before and after."""
        channel = design.channels[self.channel]
        before = getattr(getattr(channel, self.part) if self.part else channel, self.field)
        if self.index is not None:
            before = before[self.index]
        return f"{self.place} = {before!r}", f"{self.place} = {self.value!r}"


def draw(design, verilog, seed=1):
    """Every mutant of a unit, in the order in which they are to be tried.

    Parameters
    ----------
    design : Design
    verilog : str
        Text as `hwact.emit.verilog` writes it.
    seed : int
        The same seed gives the same order.

    Returns
    -------
    list of Edit and Change
        Without duplicates. Some may be no valid Verilog, or no valid design.
    """
    generator = random.Random(seed)
    mutants = list(dict.fromkeys((*_edits(verilog), *_changes(design))))
    generator.shuffle(mutants)
    kinds = {kind: defaultdict(list) for kind in KINDS}
    for mutant in mutants:
        kinds[mutant.kind][mutant.place].append(mutant)
    return _turns(_turns(places.values()) for places in kinds.values())


def _turns(queues):
    """The first of each queue, then the second of each, and so on."""
    return [one for turn in zip_longest(*queues) for one in turn if one is not None]


# -- the design --------------------------------------------------------------------------------


def _changes(design):
    for position, channel in enumerate(design.channels):
        yield from _fold_changes(position, channel)
        if isinstance(channel.core, Table):
            yield from _tuple_changes("entry", position, channel.core, "entries")
        else:
            yield from _tuple_changes("breakpoint", position, channel.core, "starts", bits=0)
            yield from _tuple_changes("line", position, channel.core, "slopes")
            yield from _tuple_changes("line", position, channel.core, "intercepts")
            for shift in (channel.core.shift - 1, channel.core.shift + 1):
                yield Change("line", position, "core", "shift", None, shift)


def _tuple_changes(kind, position, core, field, bits=None):
    values = getattr(core, field)
    width = max(abs(value) for value in values).bit_length() if bits is None else bits
    for index, value in enumerate(values):
        for other in (value - 1, value + 1, *(value ^ 1 << bit for bit in range(1, width))):
            yield Change(kind, position, "core", field, index, other)


def _fold_changes(position, channel):
    fold = channel.fold
    yield Change("fold", position, "", "saturate", None, not channel.saturate)
    if fold.index == "none":
        return
    other = "negate" if fold.index == "complement" else "complement"
    yield Change("fold", position, "fold", "index", None, other)
    for restore in ("even", "odd", "ramp", "ramp_down"):
        if restore != fold.restore:
            yield Change("fold", position, "fold", "restore", None, restore)
    if fold.restore == "odd":
        for constant in (fold.constant - 1, fold.constant + 1, -fold.constant):
            if constant != fold.constant:
                yield Change("fold", position, "fold", "constant", None, constant)
    if fold.restore.startswith("ramp"):
        for shift in (fold.ramp_shift - 1, fold.ramp_shift + 1):
            yield Change("fold", position, "fold", "ramp_shift", None, shift)


# -- the Verilog -------------------------------------------------------------------------------

_LITERAL = re.compile(r"\b(\d+)'h([0-9a-f]+)\b")
_SELECT = re.compile(r"\b(\w+)\[(\d+)(?::(\d+))?\]")
_OPERATOR = re.compile(
    r"\$signed|(?<= )(?:>>>|<<|>>|<=|>=|==|!=|&&|\|\||[-+*&|^<>?])(?= )|(?<== )(?:~\||[~|&^-])(?=\S)"
)
_MODULE = re.compile(r"^module (\w+) \(.*?^endmodule$", re.MULTILINE | re.DOTALL)
_RANGE = r"(?:\[(\d+):(\d+)\])? *(\w+)"
_DECLARED = re.compile(rf"^  (?:(?:input|output) +)?(?:wire|reg) +{_RANGE}(?=[,;]|\n| +=| +//)", re.MULTILINE)
_ARGUMENT = re.compile(rf"(?<=[(,])\s?input {_RANGE}(?=[,)])")
_INPUT = re.compile(rf"^  input +wire +{_RANGE}", re.MULTILINE)
_ASSIGNED = re.compile(r"^  (?:assign|wire) .*? = (.*);$", re.MULTILINE)
_STATEMENT = re.compile(
    r"^ {4,}(?P<items>[\d'h, a-f]+):|^ {4,}(?:else )?if \((?P<test>.*?)\) (?!\S+ <=)|"
    r"(?:^ {4,}|(?<=: )|(?<=else )|(?<=\) ))\w+(?:\[[\d:]+\])? = (?P<value>.*);$",
    re.MULTILINE,
)
_INITIAL = re.compile(r"^  initial \w+ = (\d+'h[0-9a-f]+);$", re.MULTILINE)
_INSTANCE = re.compile(r"^  (\w+) \w+ \($(.*?)^  \);$", re.MULTILINE | re.DOTALL)
_CONNECTED = re.compile(r"^    \.(\w+)\((.*)\),?$", re.MULTILINE)
_REGISTER = re.compile(
    r"^  always @\(posedge clk[^)]*\)\n"
    r"(?:    if \((?P<reset>.*?)\) \S+ <= (?P<value>\S+);\n    else )?"
    r"(?: *if \((?P<enable>.*?)\) )?"
    r" *(?P<target>\w+) <= (?P<source>.*);$",
    re.MULTILINE,
)
_INSTEAD = {
    "+": ("-", "|", "^"),
    "-": ("+",),
    "*": ("+",),
    "&": ("|", "^"),
    "|": ("&", "^"),
    "^": ("|", "&"),
    "<": ("<=", ">=", ">"),
    "<=": ("<", ">"),
    ">": (">=", "<=", "<"),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
    "&&": ("||",),
    "||": ("&&",),
    "<<": (">>",),
    ">>": ("<<",),
    ">>>": (">>", "<<"),
}


def _edits(verilog):
    """Every edit of the text."""
    modules = list(_MODULE.finditer(verilog))
    inputs = {module[1]: {name: high == "" for high, _, name in _INPUT.findall(module[0])} for module in modules}
    for module in modules:
        shell = module[1] in (modules[0][1], f"{modules[0][1]}_unit")
        for edit in _module_edits(module, inputs, shell):
            kind, start, stop, new = edit
            start, stop = start + module.start(), stop + module.start()
            if verilog[start:stop] != new:
                yield Edit(kind, verilog.count("\n", 0, start) + 1, start, stop, new)


def _module_edits(module, inputs, shell):
    """Edits (kind, start, stop, new) of one module; `shell` where there is no arithmetic in it.

    `inputs` says of each module's inputs whether they are of one bit.
    """
    text = module[0]
    declared = [*_DECLARED.findall(text), *_ARGUMENT.findall(text)]
    ranges = {name: (int(low or 0), int(high or 0)) for high, low, name in declared}
    for match in _ASSIGNED.finditer(text):
        yield from _expression(text, *match.span(1), ranges, "handshake" if shell else None)
        if shell:
            yield from _condition(match, 1, "handshake")
    for match in _STATEMENT.finditer(text):
        span = match.span(match.lastindex)
        yield from _literals(text, *span, "table")
        yield from _selects(text, *span, ranges, "select")
    for match in _INITIAL.finditer(text):
        yield from _flipped(text, *match.span(1), "handshake" if shell else "register")
    for match in _REGISTER.finditer(text):
        yield from _register(match, ranges, "handshake" if shell else "register")
        yield from _selects(text, *match.span("source"), ranges, "select")
    for match in _INSTANCE.finditer(text):
        for port in _CONNECTED.finditer(text, *match.span(2)):
            if port[1] not in inputs[match[1]]:
                continue
            yield from _selects(text, *port.span(2), ranges, "select")
            if shell and inputs[match[1]][port[1]] and port[1] != "clk":
                yield from _condition(port, 2, "handshake")


def _expression(text, start, stop, ranges, kind=None):
    yield from _literals(text, start, stop, kind or "constant")
    yield from _selects(text, start, stop, ranges, kind or "select")
    yield from _operators(text, start, stop, kind or "operator")


def _literals(text, start, stop, kind):
    """Literals one up, one down and with one bit flipped."""
    for match in _LITERAL.finditer(text, start, stop):
        width, value = int(match[1]), int(match[2], 16)
        for other in (
            (value + 1) % 2**width,
            (value - 1) % 2**width,
            *(value ^ 1 << bit for bit in range(width)),
        ):
            yield kind, *match.span(), _literal(width, other)


def _flipped(text, start, stop, kind):
    """A literal with every bit flipped."""
    width, value = _LITERAL.fullmatch(text, start, stop).groups()
    yield kind, start, stop, _literal(int(width), ~int(value, 16) % 2 ** int(width))


def _literal(width, value):
    return f"{width}'h{value:0{-(-width // 4)}x}"


def _selects(text, start, stop, ranges, kind):
    """Bit selects one up and one down, within the declared range."""
    for match in _SELECT.finditer(text, start, stop):
        high = int(match[2])
        low = high if match[3] is None else int(match[3])
        for step in (-1, 1):
            least, most = ranges.get(match[1], (0, -1))
            if least <= low + step and high + step <= most:
                bits = f"{high + step}" if match[3] is None else f"{high + step}:{low + step}"
                yield kind, *match.span(), f"{match[1]}[{bits}]"


def _operators(text, start, stop, kind):
    """Operators replaced, dropped, and with operands swapped; one stands on a line."""
    for match in _OPERATOR.finditer(text, start, stop):
        operator, at, after = match[0], match.start(), match.end()
        if operator == "$signed":
            yield kind, at, after, ""
        elif operator == "?":
            yield from _choices(text, start, at, stop, kind)
        elif at == start:
            yield kind, at, after, ""
            for other in {"|": "&^", "&": "|^", "^": "|&"}.get(operator, ""):
                yield kind, at, after, other
        else:
            for other in _INSTEAD.get(operator, ()):
                yield kind, at, after, other
            left, right = text[start : at - 1], text[after + 1 : stop]
            if operator not in "+*&|^":
                yield kind, start, stop, f"{right} {operator} {left}"


def _choices(text, start, at, stop, kind):
    """``c ? a : b`` with the branches swapped, and with one of them alone."""
    condition, (first, second) = text[start : at - 1], text[at + 2 : stop].split(" : ", 1)
    for new in (f"{condition} ? {second} : {first}", first, second):
        yield kind, start, stop, new


def _condition(match, group, kind, stuck=("1'h0", "1'h1")):
    """A condition of one bit negated and stuck."""
    for new in (f"!({match[group]})", *stuck):
        yield kind, *match.span(group), new


def _register(match, ranges, kind):
    """A register with its conditions negated or stuck, its reset value flipped, bypassed, and doubled."""
    if match["reset"]:
        yield from _condition(match, "reset", kind)
        yield from _flipped(match.string, *match.span("value"), kind)
    if match["enable"]:
        yield from _condition(match, "enable", kind)
    target, source, extra = match["target"], match["source"], f"{match['target']}_extra"
    block = match[0].removesuffix(f"{target} <= {source};")
    yield kind, *match.span(), f"  always @*\n    {target} = {source};"
    doubled = match[0].replace(f"{target} <=", f"{extra} <=") + f"\n{block}{target} <= {extra};"
    low, high = ranges[target]
    yield kind, *match.span(), f"  reg [{high}:{low}] {extra} = 0;\n{doubled}"

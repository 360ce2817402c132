"""The text that Amaranth and Yosys write of a circuit (RTLIL), as values.

A *word* is a tuple of bits, the least significant first. A bit is ``(wire, index)``, or ``"0"``, ``"1"``
or ``"x"``.
"""

import re
from dataclasses import dataclass, field

__all__ = ["Cell", "Memory", "Module", "Process", "Wire", "read_rtlil"]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\{|\}|\[\d+(?::\d+)?\]|[^\s{}]+')


@dataclass
class Wire:
    """A net: its width, and its direction and place where it is a port."""

    name: str
    width: int
    direction: str = ""
    order: int = -1
    init: str = ""


@dataclass
class Memory:
    """An array of words."""

    name: str
    width: int
    size: int


@dataclass
class Cell:
    """An operator, a register, a memory's port, or an instance of a module."""

    kind: str
    name: str
    parameters: dict = field(default_factory=dict)
    ports: dict = field(default_factory=dict)


@dataclass
class Process:
    """Assignments and switches, in order.

    A statement is ``("assign", target, source)`` or ``("switch", word, cases)``; a case is a tuple of patterns, none
    for the default, and its statements.
    """

    body: list = field(default_factory=list)


@dataclass
class Module:
    """One module."""

    name: str
    wires: dict = field(default_factory=dict)
    memories: dict = field(default_factory=dict)
    cells: list = field(default_factory=list)
    processes: list = field(default_factory=list)
    connections: list = field(default_factory=list)

    @property
    def ports(self):
        """Its ports, in order."""
        return sorted((wire for wire in self.wires.values() if wire.direction), key=lambda wire: wire.order)


def read_rtlil(text):
    """Read RTLIL.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict of str to Module
        In the order of the text.
    """
    lines = [_TOKEN.findall(line) for line in text.split("\n") if line.strip() and not line.startswith("#")]
    return _Reader(lines).modules()


class _Reader:
    """Lines of tokens, read once."""

    def __init__(self, lines):
        self._lines = iter(lines)
        self._module = None

    def modules(self):
        """Every module by name."""
        found = {}
        for words in self._lines:
            if words[0] == "module":
                self._module = Module(_name(words[1]))
                self._body()
                found[self._module.name] = self._module
        return found

    def _body(self):
        module, init = self._module, ""
        for words in self._lines:
            match words:
                case ["end"]:
                    return
                case ["attribute", "\\init", value]:
                    init = value
                    continue
                case ["attribute", *_]:
                    continue
                case ["wire", *options, name]:
                    module.wires[_name(name)] = _wire(_name(name), options, init)
                case ["memory", *options, name]:
                    given = dict(zip(options[::2], options[1::2]))
                    module.memories[_name(name)] = Memory(_name(name), int(given["width"]), int(given["size"]))
                case ["cell", kind, name]:
                    module.cells.append(self._cell(kind, name))
                case ["process", _]:
                    module.processes.append(Process(self._statements()[0]))
                case ["connect", *tokens]:
                    target, rest = self._word(tokens)
                    module.connections.append((target, self._word(rest)[0]))
            init = ""

    def _cell(self, kind, name):
        cell = Cell(kind if kind.startswith("$") else _name(kind), _name(name))
        for words in self._lines:
            match words:
                case ["end"]:
                    break
                case ["parameter", *_, key, value]:
                    cell.parameters[_name(key)] = value
                case ["connect", key, *tokens]:
                    cell.ports[_name(key)] = self._word(tokens)[0]
        return cell

    def _statements(self):
        """Statements up to a line that belongs to what surrounds them, and that line."""
        found = []
        for words in self._lines:
            match words:
                case ["assign", *tokens]:
                    target, rest = self._word(tokens)
                    found.append(("assign", target, self._word(rest)[0]))
                case ["switch", *tokens]:
                    found.append(("switch", *_tested(self._word(tokens)[0], self._cases())))
                case ["attribute", *_] | ["sync", *_]:
                    pass
                case _:
                    return found, words

    def _cases(self):
        """Cases up to the end of their switch."""
        found, words = [], next(self._lines)
        while words[0] != "end":
            if words[0] == "case":
                patterns = tuple(item.split("'")[1] for item in "".join(words[1:]).split(",") if item)
                body, words = self._statements()
                found.append((patterns, body))
            else:
                words = next(self._lines)
        return found

    def _word(self, tokens):
        """The word that tokens begin with, and the tokens behind it."""
        first, *rest = tokens
        if first == "{":
            parts = []
            while rest[0] != "}":
                part, rest = self._word(rest)
                parts.append(part)
            return tuple(bit for part in reversed(parts) for bit in part), rest[1:]
        if first[0].isdigit():
            return _constant(first), rest
        name = _name(first)
        word = tuple((name, index) for index in range(self._module.wires[name].width))
        while rest and rest[0].startswith("["):
            high, _, low = rest[0][1:-1].partition(":")
            word, rest = word[int(low or high) : int(high) + 1], rest[1:]
        return word, rest


def _tested(word, cases):
    """The bits that a switch looks at, and its cases with patterns for these."""
    patterns = [pattern[::-1] for patterns, _ in cases for pattern in patterns]
    places = [place for place in range(len(word)) if any(pattern[place] != "-" for pattern in patterns)]

    def shortened(pattern):
        return "".join(pattern[::-1][place] for place in reversed(places))

    short = [(tuple(filter(None, map(shortened, patterns))), body) for patterns, body in cases]
    return tuple(word[place] for place in places), short


def _name(token):
    return token.removeprefix("\\")


def _wire(name, options, init):
    width = int(options[options.index("width") + 1]) if "width" in options else 1
    for direction in ("input", "output"):
        if direction in options:
            return Wire(name, width, direction, int(options[options.index(direction) + 1]), init)
    return Wire(name, width, init=init)


def _constant(token):
    """The word of a constant such as ``4'01x0`` or ``3``; what is left open is an x."""
    width, quote, digits = token.partition("'")
    if not quote:
        return tuple(reversed(format(int(token) % (1 << 32), "032b")))
    return tuple("x" if digit not in "01" else digit for digit in reversed(digits.removeprefix("s")))

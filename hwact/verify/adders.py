"""Every adder of a circuit, watched for results that do not fit.

An adder is a cell of the elaborated Verilog that can overflow: addition, subtraction, negation,
multiplication or shift to the left. Its operands are looked at as wide as they stand in the Verilog;
its result only as far as anything reads it, so that a sum which is cut off afterwards counts as cut.
An adder is *exact* if its result is that of the integers, for every code, under one reading of both
operands and one of the result: as unsigned numbers, or in two's complement.
"""

import re
from dataclasses import dataclass

__all__ = ["Adder", "adders", "probed"]

_OPERATORS = {"$add": "+", "$sub": "-", "$neg": "-", "$mul": "*", "$shl": "<", "$sshl": "<"}
_CELL = re.compile(r"^  cell (\$(?:add|sub|neg|mul|shl|sshl)) (\S+)\n(.*?)^  end\n", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"\.v:(\d+)\$\d+$")


@dataclass(frozen=True)
class Adder:
    """One adder of a flat circuit.

    Parameters
    ----------
    operator : str
        ``+``, ``-``, ``*`` or ``<`` (shift).
    line : int
        Line of the Verilog text; 0 if it is not known.
    nets : tuple of str
        What both operands and the result are connected to, in RTLIL.
    widths : tuple of int
        Bits of these nets.
    read : int
        Bits of the result that are read.
    """

    operator: str
    line: int
    nets: tuple
    widths: tuple
    read: int


def adders(text, reduced):
    """The adders of a flat module.

    Parameters
    ----------
    text : str
        RTLIL of the module.
    reduced : str
        The same after Yosys' ``wreduce``, which tells how far each result is read.

    Returns
    -------
    tuple of Adder
    """
    read = {name: _port(body, "Y")[1] for _, name, body in _CELL.findall(reduced)}
    found = [_adder(kind, name, body, read[name]) for kind, name, body in _CELL.findall(text) if name in read]
    return tuple(sorted(found, key=lambda adder: (adder.line, adder.nets)))


def _adder(kind, name, body, read):
    operands = [("1'0", 1), _port(body, "A")] if kind == "$neg" else [_port(body, "A"), _port(body, "B")]
    nets, widths = zip(*operands, _port(body, "Y"))
    line = _LINE.search(name)
    return Adder(_OPERATORS[kind], int(line[1]) if line else 0, nets, widths, min(read, widths[-1]))


def _port(body, port):
    """Net and width of a cell's port."""
    net = re.search(rf"^    connect \\{port} (.*)$", body, re.MULTILINE)
    return net[1], int(re.search(rf"^    parameter \\{port}_WIDTH (\d+)$", body, re.MULTILINE)[1])


def probed(text, watched):
    """The RTLIL text of a module with output ports ``probe_NUMBER_PORT`` for ports 0 to 2 of the adders."""
    lines, position = [], 1 << 20  # behind the module's own ports
    for number, adder in enumerate(watched):
        for port, (net, width) in enumerate(zip(adder.nets, adder.widths)):
            position += 1
            name = f"\\probe_{number}_{port}"
            lines += [f"  wire width {width} output {position} {name}\n", f"  connect {name} {net}\n"]
    head, end, tail = text.rpartition("end\n")
    return head + "".join(lines) + end + tail

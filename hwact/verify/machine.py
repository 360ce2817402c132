"""An emitted circuit as a state machine: gates between ports and registers, read from its Verilog.

Yosys reads the text and reduces it to AND gates, inverters and D flip-flops on the rising edge; what
it writes (BLIF) is read here, and anything else in it is refused. A value that the Verilog leaves open
(``x``, an undriven wire, a register's first value) is a free variable, so that what is proved holds for each.
"""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ..errors import CheckError, ToolError
from ..ports import ports_of
from ..synth.tools import run_yosys
from .aig import FALSE, TRUE, Aig

__all__ = ["Machine", "Register", "read_machine"]

#: Nothing here may choose a value for an x: `-keepdc` and free variables for every one of them.
_PASSES = (
    "setattr -mod -unset keep_hierarchy *",
    "proc -norom -noopt",
    "flatten",
    "setundef -anyseq -undriven",
    "opt_expr -keepdc",
    "opt_merge",
    "opt_clean",
    "memory_collect",
    "memory_map",
    "async2sync",
    "dffunmap",
    "techmap",
    "simplemap",
    "dffunmap",
    "setundef -anyseq -undriven",
)
_BIT = re.compile(r"(.*)\[(\d+)\]")


@dataclass(frozen=True)
class Register:
    """One flip-flop.

    Parameters
    ----------
    name : str
        Of the net that it drives.
    output : int
        Literal of its value: an input of the graph.
    next : int
        Literal of its value after the next rising edge.
    initial : int or None
        Value at power-up; None where the Verilog leaves it open.
    """

    name: str
    output: int
    next: int
    initial: object


class Machine:
    """Gates and registers of one circuit.

    Attributes
    ----------
    aig : Aig
    inputs, outputs : dict of str to list of int
        Words by port.
    registers : tuple of Register
    """

    def __init__(self, aig, inputs, outputs, registers):
        self.aig = aig
        self.inputs = inputs
        self.outputs = outputs
        self.registers = tuple(registers)

    def depends(self, roots):
        """Registers that literals depend on, through any number of clock edges."""
        own = {register.output >> 1: register for register in self.registers}
        found, waiting = {}, list(roots)
        while waiting:
            _, inputs = self.aig.cone(waiting)
            fresh = {node: own[node] for node in inputs if node in own and node not in found}
            found |= fresh
            waiting = [register.next for register in fresh.values()]
        return [found[node] for node in sorted(found)]

    def leaves(self, inputs, state):
        """Literals of another graph by node of this one, for inputs by port and registers by name."""
        known = {}
        for port, word in inputs.items():
            known |= {literal >> 1: value for literal, value in zip(self.inputs[port], word, strict=True)}
        return known | {r.output >> 1: state[r.name] for r in self.registers if r.name in state}


def read_machine(verilog, design, timeout=600):
    """The circuit in a Verilog text.

    Parameters
    ----------
    verilog : str
        Text with a module ``design.name``.
    design : Design
        Says the ports.
    timeout : float
        Seconds.

    Returns
    -------
    Machine

    Raises
    ------
    CheckError
        If the circuit has other ports, a latch, a loop without a register, a second clock or edge.
    ToolError
        If Yosys is missing or cannot read the text.
    """
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        Path(folder, "unit.v").write_text(verilog, encoding="utf-8")
        top = design.name
        passes = ["read_verilog -nosynthesis -noopt -defer unit.v", f"hierarchy -check -top {top}", *_PASSES]
        run_yosys([*passes, f"write_blif -top {top} unit.blif"], folder, timeout=timeout)
        try:
            text = Path(folder, "unit.blif").read_text(encoding="utf-8")
        except OSError:
            raise ToolError("Tool yosys must write a netlist, not nothing") from None
    return _Reader(text).machine(_widths(design), design.shell.clock_name)


def _widths(design):
    """Bits of the inputs, and of the outputs (dicts by port)."""
    return [
        {port.name: port.width for port in ports_of(design) if port.direction == direction}
        for direction in ("input", "output")
    ]


class _Reader:
    """A BLIF text taken apart: who drives each net."""

    def __init__(self, text):
        self._ports = {}
        self._drivers = {}
        self._registers = []
        self._aig = Aig()
        self._literals = {}
        cover = []
        for line in text.split("\n"):
            kind, *words = line.split() or [""]
            if kind == ".names":
                cover = self._gate(words)
            elif not kind.startswith((".", "#")):
                cover += [(kind, *words)] if kind else []
            elif kind == ".latch":
                self._registers.append(words)
            elif kind in (".inputs", ".outputs"):
                self._ports[kind] = words
            elif kind in (".subckt", ".gate"):
                self._part(*words)
        if text.count("\n.end") != 1:
            raise ToolError("Tool yosys must write a whole netlist, not a part of one")

    def _gate(self, nets):
        *operands, net = nets
        if net in self._drivers:
            raise CheckError(f"Net {net} must have one driver, not two")
        cover = []
        self._drivers[net] = operands, cover
        return cover

    def _part(self, kind, *pins):
        if kind != "$anyseq":
            raise CheckError(f"Circuit must be made of gates and registers, not of {kind}")
        for pin in pins:
            self._literals[pin.partition("=")[2]] = self._aig.input()

    def machine(self, widths, clock):
        """The machine, with inputs and outputs of these widths."""
        nets = self._ports.get(".inputs", []), self._ports.get(".outputs", [])
        for net in nets[0]:
            self._literals[net] = self._aig.input()
        for _, net, *_ in self._registers:
            if net in self._drivers or net in self._literals:
                raise CheckError(f"Net {net} must have one driver, not two")
            self._literals[net] = self._aig.input()
        registers = [self._register(words, clock) for words in self._registers]
        sides = [_words(side) for side in nets]
        for kind, side, known in zip(("Input", "Output"), sides, widths):
            for port, width in known.items():
                if len(side.get(port, ())) != width:
                    raise CheckError(f"{kind} {port} must have {width} bits, not {len(side.get(port, ()))}")
        inputs, outputs = (
            {port: [self._literal(net) for net in word] for port, word in side.items()} for side in sides
        )
        return Machine(self._aig, inputs, outputs, registers)

    def _register(self, words, clock):
        data, net, *trigger = words
        if trigger[:2] != ["re", clock]:
            raise CheckError(f"Register {net} must move at the rising edge of port {clock}, not otherwise")
        return Register(net, self._literals[net], self._literal(data), {"0": 0, "1": 1}.get(trigger[2]))

    def _literal(self, net):
        """Literal of a net; its whole cone is built on the way."""
        waiting, entered = [net], set()
        while waiting:
            name = waiting[-1]
            if name in self._literals:
                waiting.pop()
                continue
            operands, cover = self._driver(name)
            missing = [operand for operand in operands if operand not in self._literals]
            if not missing:
                self._literals[name] = self._sum([self._literals[o] for o in operands], cover)
            elif name in entered:
                raise CheckError(f"Circuit must have no loop without a register, not one through {name}")
            entered.add(name)
            waiting += missing
        return self._literals[net]

    def _driver(self, net):
        if net not in self._drivers or net == "$undef":
            raise ToolError(f"Tool yosys must say what drives every net, not leave out {net}")
        return self._drivers[net]

    def _sum(self, operands, cover):
        """The OR of a cover's rows, each an AND of operands: plain (1), inverted (0) or left out (-)."""
        total = FALSE
        for *pattern, output in cover:
            if output != "1":
                raise ToolError(f"Tool yosys must write rows that end in 1, not in {output!r}")
            row = TRUE
            for sign, operand in zip(pattern[0] if pattern else "", operands, strict=True):
                row = row if sign == "-" else self._aig.land(row, operand ^ (sign == "0"))
            total = self._aig.lor(total, row)
        return total


def _words(nets):
    """Nets of each port, the least significant bit first."""
    ports = {}
    for net in nets:
        match = _BIT.fullmatch(net)
        port, bit = (match[1], int(match[2])) if match else (net, 0)
        ports.setdefault(port, {})[bit] = net
    return {port: [bits[bit] for bit in sorted(bits)] for port, bits in ports.items()}

"""A circuit's modules with what is needed of them: who drives each bit, and which bits anybody reads.

Widths that a circuit does not need are cut before it is written: a linter would ask about them.
"""

from dataclasses import dataclass, field

from ..errors import ToolError
from .rtlil import Wire

__all__ = ["Circuit", "Scope", "extended", "is_clocked", "is_signed", "memory_name", "sources", "targets"]

#: Operators whose low result bits do not depend on high operand bits.
RIPPLE = ("$add", "$sub", "$mul", "$neg", "$shl")
#: Operators of which each result bit depends on the operands' bits of the same place.
BITWISE = ("$and", "$or", "$xor", "$not", "$mux")
#: Operators whose result bits depend on every operand bit.
WHOLE = (
    *("$eq", "$ne", "$lt", "$le", "$gt", "$ge", "$shr", "$sshr", "$shift", "$div", "$mod", "$divfloor", "$modfloor"),
    *("$reduce_or", "$reduce_bool", "$reduce_and", "$reduce_xor", "$logic_not"),
)
REGISTERS = ("$dff", "$adff")
_SHIFTS = ("$shl", "$shr", "$sshr")


def extended(word, signed, low, high):
    """Bits `low` to `high` of a word that is extended with zeros, or with its sign."""
    beyond = word[-1] if signed and word else "0"
    return tuple(word[index] if index < len(word) else beyond for index in range(low, high + 1))


def is_signed(cell, operand="A"):
    """Whether an operand is signed."""
    return cell.parameters.get(f"{operand}_SIGNED", "0").lstrip("0").endswith("1")


def is_clocked(cell):
    """Whether a memory's read port has a register behind it."""
    return cell.parameters["CLK_ENABLE"].endswith("1")


def memory_name(cell):
    """The memory that a port is of; None for other cells."""
    return cell.parameters.get("MEMID", "").strip('"').replace("\\", "") or None


@dataclass
class Scope:
    """One module: who drives its bits, and the range that is read of each wire.

    Parameters
    ----------
    module : Module
    parent : (Scope, Cell) or None
        Where it stands.
    ranges : dict of str to (int, int)
        Lowest and highest bit read of each wire that is driven here or an input; others are not read.
    outputs : dict of str to (int, int)
        Lowest and highest bit read outside of each output.
    """

    module: object
    parent: object = None
    ranges: dict = field(default_factory=dict)
    outputs: dict = field(default_factory=dict)

    def __post_init__(self):
        module = self.module
        self.aliases = {}
        self._part_luts()
        self.processes, plain = [], []
        for process in module.processes:
            if any(kind == "switch" for kind, *_ in process.body):
                self.processes.append(process)
            else:
                plain += [statement[1:] for statement in process.body]
        for target, source in [*module.connections, *plain, *map(_shifted, _constant_shifts(module))]:
            self.aliases |= zip(target, source)
        gone = set(map(id, _constant_shifts(module)))
        self.cells = self._different([cell for cell in module.cells if id(cell) not in gone])
        self.inputs = {wire.name for wire in module.ports if wire.direction == "input"}
        self.drivers = {}
        for process in self.processes:
            for bit in sorted(targets(process.body)):
                self.drivers[bit] = process
        for cell in self.cells:
            if cell.kind == "$shift":
                self._widen(cell)
            for port in ("Q", "Y", "DATA"):
                if cell.kind.startswith("$") and port in cell.ports and cell.kind != "$memwr_v2":
                    self.drivers |= dict.fromkeys(cell.ports[port], cell)

        self.merged = self._merged()

    def _different(self, cells):
        """Cells without operators that an earlier one is already."""
        first, found = {}, []
        for cell in cells:
            inputs = tuple(self.roots(word) for port, word in cell.ports.items() if port != "Y")
            key = cell.kind, tuple(cell.parameters.items()), inputs
            if cell.kind in (*RIPPLE, *BITWISE, *WHOLE) and key in first:
                self.aliases |= zip(cell.ports["Y"], first[key].ports["Y"])
            else:
                first[key] = cell
                found.append(cell)
        return found

    def _part_luts(self):
        """Give the output of every lookup table that Yosys made a wire of its own: it may be one bit of many."""
        luts = [cell for cell in self.module.cells if not cell.kind.startswith("$") and "LUT" in cell.parameters]
        for number, cell in enumerate(luts, 1):
            cell.name, name = f"lut_{number}", f"bit_{number}"
            self.module.wires[name] = Wire(name, 1)
            self.aliases |= zip(cell.ports["Y"], [(name, 0)])
            cell.ports["Y"] = ((name, 0),)

    def _merged(self):
        """Processes that one register reads and nobody else, by the net between the two."""
        uses, found = {}, {}
        for word in self._read_words():
            for net in {bit[0] for bit in self.roots(word) if isinstance(bit, tuple)}:
                uses[net] = uses.get(net, 0) + 1
        for cell in self.cells:
            if cell.kind in REGISTERS:
                word = self.roots(cell.ports["D"])
                net, process = word[0][0], self.drivers.get(word[0])
                whole = word == tuple((net, index) for index in range(len(word)))
                if whole and uses[net] == 1 and hasattr(process, "body"):
                    found[net] = process
        return found

    def _read_words(self):
        for process in self.processes:
            yield tuple(sources(process.body, targets(process.body)))
        for cell in self.cells:
            yield from (word for port, word in cell.ports.items() if port not in ("Q", "Y"))
        yield from (self.word(wire.name) for wire in self.module.ports if wire.direction == "output")

    def word(self, name, low=0, high=None):
        """Some bits of a wire."""
        return tuple((name, index) for index in range(low, self.module.wires[name].width if high is None else high + 1))

    def driver(self, net):
        """What drives the lowest bit that is read of a net; None for an input."""
        return self.drivers.get((net, self.ranges.get(net, (0, 0))[0]))

    def is_register(self, net):
        """Whether a net is written by a clocked block."""
        driver = self.driver(net)
        kind = getattr(driver, "kind", "")
        return kind in REGISTERS or kind == "$memrd_v2" and is_clocked(driver)

    def _widen(self, cell):
        """Give a shift's result the width of what is shifted."""
        ((name, _), *_), width = cell.ports["Y"], len(cell.ports["A"])
        if len(cell.ports["Y"]) < width:
            self.module.wires[name].width = width
            cell.ports["Y"] = tuple((name, index) for index in range(width))

    def root(self, bit):
        """What a bit is another name for: a driven bit, an input's, or a constant."""
        while bit in self.aliases:
            bit = self.aliases[bit]
        return "0" if bit == "x" else bit

    def roots(self, word):
        """The roots of a word's bits."""
        return tuple(map(self.root, word))


def targets(body):
    """Bits that statements assign."""
    found = set()
    for kind, word, rest in body:
        found |= set(word) if kind == "assign" else {bit for _, inner in rest for bit in targets(inner)}
    return found


def sources(body, wanted):
    """Bits that statements read for the bits `wanted` of their target."""
    for kind, word, rest in body:
        if kind == "assign":
            yield from (source for bit, source in zip(word, rest) if bit in wanted)
        else:
            yield from word
            for _, inner in rest:
                yield from sources(inner, wanted)


def _constant_shifts(module):
    return [c for c in module.cells if c.kind in _SHIFTS and all(bit in ("0", "1", "x") for bit in c.ports["B"])]


def _shifted(cell):
    """The connection that a shift by a constant is."""
    word, result = cell.ports["A"], cell.ports["Y"]
    amount = int("0" + "".join("01"[bit == "1"] for bit in reversed(cell.ports["B"])), 2)
    if cell.kind == "$shl":
        return result, ("0",) * amount + extended(word, is_signed(cell), 0, len(result) - 1)
    return result, extended(word, is_signed(cell) and cell.kind == "$sshr", amount, amount + len(result) - 1)


class Circuit:
    """A tree of modules, and what is read of it.

    Parameters
    ----------
    modules : dict of str to Module
        Each stands in one place at most; instances of others are taken for black boxes.
    top : str

    Attributes
    ----------
    scopes : dict of str to Scope
    """

    def __init__(self, modules, top):
        self.top = top
        self.scopes = {name: Scope(module) for name, module in modules.items()}
        for scope in self.scopes.values():
            for cell in scope.cells:
                if cell.kind in self.scopes:
                    self.scopes[cell.kind].parent = scope, cell
                if not cell.kind.startswith("$"):
                    self._join(scope, cell)
        self._waiting = []
        for wire in modules[top].ports:
            word = tuple((wire.name, index) for index in range(wire.width))
            if wire.direction == "output":
                self.scopes[top].outputs[wire.name] = 0, wire.width - 1
                self._read(self.scopes[top], word)
        while self._waiting:
            self._follow(*self._waiting.pop())

    def is_output(self, cell, port):
        """Whether an instance drives a port."""
        if cell.kind in self.scopes:
            return self.scopes[cell.kind].module.wires[port].direction == "output"
        return port == "Y"

    def _join(self, scope, cell):
        for port, word in cell.ports.items():
            if self.is_output(cell, port):
                scope.drivers |= {bit: (cell, port, place) for place, bit in enumerate(word)}

    def _read(self, scope, word):
        self._waiting += [(scope, bit) for bit in scope.roots(word) if isinstance(bit, tuple)]

    def _follow(self, scope, bit):
        """Widen the range of a wire so that it holds a bit, and read what the new bits depend on."""
        name, index = bit
        low, high = scope.ranges.get(name, (index, index - 1))
        driver = scope.drivers.get(bit)
        least, most = min(low, index), max(high, index)
        kind = getattr(driver, "kind", "")
        if kind in RIPPLE:
            least = 0
        elif kind in WHOLE or kind == "$memrd_v2":
            least, most = 0, scope.module.wires[name].width - 1
        scope.ranges[name] = least, most
        for place in (*range(least, low), *range(high + 1, most + 1)):
            self._depend(scope, (name, place), most)

    def _depend(self, scope, bit, most):
        name, index = bit
        driver = scope.drivers.get(bit)
        if name in scope.inputs:
            if scope.parent:
                outside, cell = scope.parent
                self._read(outside, (cell.ports[name][index],))
        elif driver is None:
            raise ToolError(f"Circuit must drive every net that it reads, not leave out {name}")
        elif isinstance(driver, tuple):
            self._instance(scope, *driver)
        elif not hasattr(driver, "kind"):
            self._read(scope, tuple(sources(driver.body, {bit})))
        else:
            self._cell(scope, driver, index, most)

    def _instance(self, scope, cell, port, place):
        if cell.kind in self.scopes:
            inner = self.scopes[cell.kind]
            low, high = inner.outputs.get(port, (place, place))
            inner.outputs[port] = low, high = min(low, place), max(high, place)
            self._read(inner, tuple((port, index) for index in range(low, high + 1)))
            self._read(scope, cell.ports[port][low : high + 1])
        else:
            for name, word in cell.ports.items():
                if not self.is_output(cell, name):
                    self._read(scope, word)

    def _cell(self, scope, cell, index, most):
        ports = cell.ports
        if cell.kind in REGISTERS:
            self._read(scope, (ports["D"][index], *ports["CLK"], *ports.get("ARST", ())))
        elif cell.kind in RIPPLE:
            for operand in "AB":
                whole = cell.kind == "$shl" and operand == "B"
                word = ports.get(operand, ())
                self._read(scope, word if whole else extended(word, is_signed(cell, operand), 0, most))
        elif cell.kind in BITWISE:
            for operand in "AB":
                self._read(scope, extended(ports.get(operand, ()), is_signed(cell, operand), index, index))
            self._read(scope, ports.get("S", ()))
        elif cell.kind in WHOLE:
            self._read(scope, (*ports["A"], *ports.get("B", ())))
        elif cell.kind == "$memrd_v2":
            for other in scope.cells:
                if other is cell or other.kind == "$memwr_v2" and other.parameters["MEMID"] == cell.parameters["MEMID"]:
                    words = (other.ports[port] for port in ("ADDR", "EN", "CLK"))
                    self._read(scope, tuple(bit for word in words for bit in word))
                    if other is not cell:
                        self._read(scope, other.ports["DATA"])
        else:
            raise ToolError(f"Circuit must be made of cells that can be written as Verilog-2005, not of {cell.kind}")

"""One module of a circuit as Verilog-2005 that linters and people read without a question.

Every operator stands on a line of its own, with operands of exactly the width of its result. Tables are
functions: unlike ``always @*`` they are evaluated at time zero, too.
"""

import textwrap

from ..errors import ToolError
from .carry_cells import carry_cells
from .circuit import REGISTERS, RIPPLE, WHOLE, extended, is_clocked, is_signed, memory_name, sources
from .nets import Nets
from .statements import Statements, block, grouped

__all__ = ["ModuleText"]

_BINARY = {
    **{"$add": "+", "$sub": "-", "$mul": "*", "$and": "&", "$or": "|", "$xor": "^"},
    **{"$eq": "==", "$ne": "!=", "$lt": "<", "$le": "<=", "$gt": ">", "$ge": ">="},
    **{"$shl": "<<", "$shr": ">>", "$sshr": ">>>", "$shift": ">>"},
    **{"$div": "/", "$mod": "%", "$divfloor": "/", "$modfloor": "%"},
}
_UNARY = {
    **{"$not": "~", "$neg": "-", "$reduce_or": "|", "$reduce_bool": "|", "$reduce_and": "&"},
    **{"$reduce_xor": "^", "$logic_not": "~|"},
}
_COMPARISONS = ("$eq", "$ne", "$lt", "$le", "$gt", "$ge")
_SHIFTS = ("$shl", "$shr", "$sshr", "$shift")
_UNSIGNED_ONLY = ("$div", "$mod", "$divfloor", "$modfloor")


class ModuleText:
    """Writes one module.

    Parameters
    ----------
    scope : Scope
    name : str
        Verilog name.
    is_top : bool
    taken : iterable of str
        Names that no net may have: keywords and modules.
    initial : bool
        State that memories hold zeros before they are written.
    """

    def __init__(self, scope, name, is_top, taken, initial=False):
        self.name, self.is_top, self._initial = name, is_top, initial
        self._scope = scope
        self.nets = Nets(scope, is_top, {*taken, name})
        self._memories = {memory: self.nets.fresh(memory) for memory in scope.module.memories}
        self._read = {}

    @property
    def is_empty(self):
        """Whether nothing goes in or out, so that the module need not be written."""
        return not self.is_top and not self.nets.ports

    def text(self, others, title, attributes="", chain=None):
        """The module's text.

        Parameters
        ----------
        others : dict of str to ModuleText
            Of the modules that stand in this one, by their names in the circuit.
        title : str
            What the module does; may be empty.
        attributes : str
            Lines in front of the module.
        chain : hwact.rtl.carry.CarryChain, optional
            The carry cells that the module is in synthesis.

        Returns
        -------
        str
        """
        scope = self._scope
        placed = [self._expression(net) for net in self._ordered()]
        instances = [text for cell in scope.cells for text in self._instance(cell, others)]
        registers = [self._register(cell) for cell in scope.cells if cell.kind in REGISTERS and self._alive(cell, "Q")]
        memories = [text for memory in scope.module.memories.values() for text in self._memory(memory)]
        whole = (port for port in self.nets.ports if not port.net)
        outputs = [f"  assign {port.name} = {self._word(self._output(port))};\n" for port in whole]
        expressions = [before + self._waived(net, line) for net, before, line in placed]
        declared = [self._declaration(net) for net in self._declared()]
        parts = ("".join(part).strip("\n") for part in (declared, expressions, instances, memories, registers, outputs))
        body = "".join(f"{part}\n\n" for part in parts if part).rstrip("\n")
        if chain:
            body = f"`ifdef SYNTHESIS\n{self._cells(chain)}`else\n{body}\n`endif"
        comment = textwrap.fill(title, 110, initial_indent="// ", subsequent_indent="// ")
        head = f"{comment}\n{attributes}" if title else attributes
        return f"{head}module {self.name} (\n{self._ports()});\n{body}\nendmodule\n"

    def _cells(self, chain):
        """Carry cells that drive the only output."""
        (port,) = (port for port in self.nets.ports if port.wire.direction == "output")

        def text(place):
            if place is None:
                return "1'b0"
            name, index = place
            if name != chain.result:
                return self._word((place,))
            return (port.name if port.low == port.high else f"{port.name}[{index}]") if port.low <= index <= port.high else ""

        return carry_cells(chain, port.high + 1, text, self.nets.fresh)

    # -- words ------------------------------------------------------------------------------------

    def _word(self, bits, rename=None):
        """Text of a word; what it reads is noted. A word without bits is the number 0.

        `rename` gives a name and a range in place of a net's, for each bit.
        """
        bits, chunks, start = self._scope.roots(bits), [], 0
        while start < len(bits):
            stop = _chunk(bits, start)
            chunks.append(self._part(bits[start:stop], rename or {}))
            start = stop
        if not chunks:
            return "1'h0"
        return chunks[0] if len(chunks) == 1 else f"{{ {', '.join(reversed(chunks))} }}"

    def _part(self, bits, rename):
        if isinstance(bits[0], str):
            return _constant(bits)
        (net, low), (_, high) = bits[0], bits[-1]
        if bits[0] in rename:
            name, span = rename[bits[0]]
        else:
            name, span = self.nets.names[net], self.nets.ranges[net]
            self._read.setdefault(net, set()).update(range(low, high + 1))
        if span != (low, high):
            name += f"[{low}]" if low == high else f"[{high}:{low}]"
        return name if len(bits) == high - low + 1 else f"{{{len(bits)}{{{name}}}}}"

    def _operand(self, cell, port, low, high, signed=False):
        text = self._word(extended(cell.ports[port], is_signed(cell, port), low, high))
        return f"$signed({text})" if signed else text

    # -- ports and declarations -------------------------------------------------------------------

    def _output(self, port):
        return self._scope.word(port.wire.name, port.low, port.high)

    def _ports(self):
        spans = [_span(port.low, port.high) for port in self.nets.ports]
        width, text = max(map(len, spans), default=0), ""
        for number, (port, span) in enumerate(zip(self.nets.ports, spans)):
            kind = "reg" if port.net and self._scope.is_register(port.net) else "wire"
            name = port.name + ("," if number + 1 < len(spans) else "")
            line = f"  {port.wire.direction:<6} {kind:<4} {span:<{width}}{' ' if width else ''}{name}\n"
            text += self._waived(port.net, line) if port.wire.direction == "input" else line
        return text

    def _declared(self):
        """Nets of instances and registers that are no ports."""
        ports = {port.net for port in self.nets.ports}
        for net in self.nets.names:
            if net not in ports and (isinstance(self._scope.driver(net), tuple) or self._scope.is_register(net)):
                yield net

    def _declaration(self, net):
        kind = "reg" if self._scope.is_register(net) else "wire"
        return self._waived(net, f"  {_typed(kind, *self.nets.ranges[net])} {self.nets.names[net]};\n")

    def _waived(self, net, line):
        """The line that declares a net, with a waiver where bits of it are not read."""
        low, high = self.nets.ranges[net]
        read = self._read.get(net, set())
        unread = [index for index in range(low, high + 1) if index not in read]
        if not unread or net in {port.net for port in self.nets.ports if port.wire.direction == "output"}:
            return line
        bits = self.nets.names[net]
        if read:
            bits += f"[{', '.join(_runs(unread))}]"
        return (
            f"  // {bits} {self._reason(net, unread, read)}.\n"
            f"  // verilator lint_off UNUSEDSIGNAL\n{line}  // verilator lint_on UNUSEDSIGNAL\n"
        )

    def _reason(self, net, unread, read):
        kind = getattr(self._scope.driver(net), "kind", "")
        if kind in RIPPLE and read and max(unread) < max(read):
            return "is not read: it is there for the carry into the bits above"
        if kind in WHOLE:
            return "is not read: it is shifted out of what is needed"
        if self.is_top:
            return "is not read: nothing depends on it"
        return "is not read: nothing here depends on it"

    # -- expressions ------------------------------------------------------------------------------

    def _ordered(self):
        """Nets of operators and tables, each behind those that it reads."""
        waiting = [
            net
            for net in self.nets.names
            if net not in self._scope.inputs
            and not isinstance(self._scope.driver(net), tuple)
            and not self._scope.is_register(net)
        ]
        ready, found = set(self.nets.names) - set(waiting), []
        needs = {net: self._needs(net) for net in waiting}
        while waiting:
            net = next((net for net in waiting if needs[net] <= ready), None)
            if net is None:
                raise ToolError(f"Circuit must have no loop without a register, not one through {waiting[0]}")
            waiting.remove(net)
            ready.add(net)
            found.append(net)
        return found

    def _needs(self, net):
        """Nets that an expression reads."""
        driver = self._scope.driver(net)
        if hasattr(driver, "body"):
            word = tuple(sources(driver.body, self._scope.word(net, *self.nets.ranges[net])))
        else:
            word = tuple(bit for port in ("A", "B", "S", "ADDR") for bit in driver.ports.get(port, ()))
        return {bit[0] for bit in self._scope.roots(word) if isinstance(bit, tuple) and bit[0] in self.nets.names}

    def _expression(self, net):
        """A net, what stands before its declaration, and that with what drives it."""
        driver, (low, high), name = self._scope.driver(net), self.nets.ranges[net], self.nets.names[net]
        function = hasattr(driver, "body")
        before, value = self._function(net, driver) if function else ("", self._operation(driver, low, high))
        if any(port.net == net for port in self.nets.ports):
            return net, before, f"  assign {name} = {value};\n"
        return net, before, f"  {_typed('wire', low, high)} {name} = {value};\n"

    def _operation(self, cell, low, high):
        kind, ports = cell.kind, cell.ports
        if kind == "$mux":
            first, second = (self._operand(cell, port, low, high) for port in "BA")
            return f"{self._word(ports['S'])} ? {first} : {second}"
        if kind == "$memrd_v2":
            return f"{self._memories[memory_name(cell)]}[{self._word(ports['ADDR'])}]"
        if kind in _COMPARISONS:
            low, high = 0, max(len(ports["A"]), len(ports["B"])) - 1
        elif kind in _UNARY and kind in WHOLE:
            low, high = 0, len(ports["A"]) - 1
        if kind in _UNARY:
            return _UNARY[kind] + self._operand(cell, "A", low, high)
        if kind not in _BINARY or kind in _UNSIGNED_ONLY and is_signed(cell):
            raise ToolError(f"Circuit must be made of cells that can be written as Verilog-2005, not of {kind}")
        signed = is_signed(cell) and (kind in _COMPARISONS or kind in ("$mul", "$sshr"))
        left = self._operand(cell, "A", low, high, signed)
        right = self._word(ports["B"]) if kind in _SHIFTS else self._operand(cell, "B", low, high, signed)
        return f"{left} {_BINARY[kind]} {right}"

    def _function(self, net, process):
        """A function with the statements of a process, and its call."""
        (low, high), rename, inputs, call = self.nets.ranges[net], {}, [], []
        name = self.nets.fresh(f"{self.nets.names[net]}_of")
        for word in self._arguments(net, process):
            argument = self.nets.local(f"{self.nets.names[word[0][0]]}_in", (name for name, _ in rename.values()))
            span = word[0][1], word[-1][1]
            inputs.append(f"{_typed('input', *span)} {argument}")
            rename |= dict.fromkeys(word, (argument, span))
            call.append(self._word(word))

        def renamed(word):
            return self._word(word, rename)

        statements = Statements(name, "=", net, low, high, offset=low, word=renamed, roots=self._scope.roots)
        head = f"  {_typed('function', 0, high - low)} {name}({', '.join(inputs)});\n"
        return f"\n{head}{_indented(grouped(statements.written(process.body)))}  endfunction\n", f"{name}({', '.join(call)})"

    def _arguments(self, net, process):
        """Words that a process reads, whole runs of bits each."""
        wanted = sources(process.body, self._scope.word(net, *self.nets.ranges[net]))
        words = []
        for bit in sorted({bit for bit in self._scope.roots(wanted) if isinstance(bit, tuple)}):
            if words and words[-1][-1] == (bit[0], bit[1] - 1):
                words[-1].append(bit)
            else:
                words.append([bit])
        return words

    # -- registers and memories -------------------------------------------------------------------

    def _alive(self, cell, port):
        return cell.ports[port][0][0] in self.nets.names

    def _register(self, cell):
        if any(cell.parameters.get(f"{port}_POLARITY", "1")[-1] != "1" for port in ("CLK", "ARST")):
            raise ToolError("Circuit must have registers on rising edges with active-high resets, not others")
        net = cell.ports["Q"][0][0]
        (low, high), name = self.nets.ranges[net], self.nets.names[net]
        source = self._scope.roots(cell.ports["D"][low : high + 1])
        process = self._scope.merged.get(source[0][0]) if isinstance(source[0], tuple) else None
        if process:
            kept = self._scope.word(net, low, high)
            statements = Statements(
                name, "<=", source[0][0], low, high, offset=0, word=self._word, roots=self._scope.roots, kept=kept
            )
            written = statements.written(statements.reset_first(process.body))
        else:
            written = [[f"{name} <= {self._word(source)};"]]
        edges, init = f"posedge {self._word(cell.ports['CLK'])}", self._scope.module.wires[net].init
        if "ARST" in cell.ports:
            reset = self._word(cell.ports["ARST"])
            edges += f" or posedge {reset}"
            value = cell.parameters["ARST_VALUE"].partition("'")[2][::-1][low : high + 1]
            written = [[f"if ({reset}) {name} <= {_constant(value)};", *block("else", written)]]
        first = init.partition("'")[2][::-1][low : high + 1]
        start = f"  initial {name} = {_constant(first)};\n" if first else ""
        return f"\n{start}  always @({edges})\n{_indented(grouped(written))}"

    def _memory(self, memory):
        """Declaration, first contents and clocked ports of a memory that is read."""
        cells = [cell for cell in self._scope.cells if memory_name(cell) == memory.name]
        if not any(cell.kind == "$memrd_v2" and self._alive(cell, "DATA") for cell in cells):
            return
        name = self._memories[memory.name]
        yield f"\n  {_typed('reg', 0, memory.width - 1)} {name} [0:{memory.size - 1}];\n"
        for cell in cells:
            if cell.kind == "$meminit_v2" and (self._initial or "1" in cell.ports["DATA"]):
                data, width = cell.ports["DATA"], memory.width
                words = [_constant(data[start : start + width]) for start in range(0, len(data), width)]
                yield _indented(block("initial", [[f"{name}[{row}] = {word};"] for row, word in enumerate(words)]), 2)
            elif cell.kind == "$memwr_v2":
                yield from self._write_port(name, cell)
            elif cell.kind == "$memrd_v2" and self._alive(cell, "DATA") and is_clocked(cell):
                yield self._read_port(name, cell)

    def _write_port(self, name, cell):
        enables, start = self._scope.roots(cell.ports["EN"]), 0
        clock, address = self._word(cell.ports["CLK"]), self._word(cell.ports["ADDR"])
        while start < len(enables):
            stop = next((k for k in range(start, len(enables)) if enables[k] != enables[start]), len(enables))
            part = "" if stop - start == len(enables) else f"[{stop - 1}:{start}]"
            enable, data = self._word(enables[start : start + 1]), self._word(cell.ports["DATA"][start:stop])
            yield f"  always @(posedge {clock})\n    if ({enable}) {name}[{address}]{part} <= {data};\n"
            start = stop

    def _read_port(self, name, cell):
        if "1" in cell.parameters["TRANSPARENCY_MASK"].partition("'")[2]:
            raise ToolError("Circuit must have memories whose reads do not see writes of the same cycle, not others")
        enable, clock = self._scope.roots(cell.ports["EN"]), self._word(cell.ports["CLK"])
        condition = "" if enable == ("1",) else f"if ({self._word(enable)}) "
        read = f"{self.nets.names[cell.ports['DATA'][0][0]]} <= {name}[{self._word(cell.ports['ADDR'])}];"
        return f"  always @(posedge {clock})\n    {condition}{read}\n"

    # -- instances --------------------------------------------------------------------------------

    def _instance(self, cell, others):
        if cell.kind.startswith("$") or cell.kind in others and others[cell.kind].is_empty:
            return
        name = self.nets.fresh(cell.name)
        if cell.kind in others:
            ports = others[cell.kind].nets.ports
            pins = [(port, cell.ports[port.wire.name][port.low : port.high + 1]) for port in ports]
            lines = ",\n".join(f"    .{port.name}({self._pin(word, port.wire.direction)})" for port, word in pins)
            yield f"\n  {others[cell.kind].name} {name} (\n{lines}\n  );\n"
        elif any(bit[0] in self.nets.names for bit in cell.ports["Y"]):
            values = ", ".join(f".{key}({_literal(value)})" for key, value in cell.parameters.items())
            pins = ((port, word, "output" if port == "Y" else "input") for port, word in cell.ports.items())
            text = ", ".join(f".{port}({self._pin(word, direction)})" for port, word, direction in pins)
            yield f"  {cell.kind} #({values}) {name} ({text});\n"

    def _pin(self, word, direction):
        """What an instance's port is connected to; what it drives is not read."""
        before = {net: set(bits) for net, bits in self._read.items()} if direction == "output" else None
        text = self._word(word)
        if before is not None:
            self._read = before
        return text


def _chunk(bits, start):
    """End of the chunk that begins at a bit: constants, copies of one bit, or bits of a net in a row."""

    def while_(holds):
        return next((stop for stop in range(start + 1, len(bits)) if not holds(stop)), len(bits))

    first = bits[start]
    if isinstance(first, str):
        return while_(lambda stop: isinstance(bits[stop], str))
    copies = while_(lambda stop: bits[stop] == first)
    return copies if copies > start + 1 else while_(lambda stop: bits[stop] == (first[0], first[1] + stop - start))


def _constant(bits):
    """A literal, from the least significant bit on."""
    value = int("".join("01"[bit == "1"] for bit in reversed(bits)), 2)
    return f"{len(bits)}'h{value:0{-(-len(bits) // 4)}x}"


def _literal(value):
    """A parameter's value."""
    digits = value.partition("'")[2]
    return _constant(digits[::-1]) if digits else value


def _span(low, high):
    return f"[{high}:{low}]" if high > low else ""


def _typed(kind, low, high):
    return f"{kind} {_span(low, high)}".rstrip()


def _runs(indices):
    """Texts of runs of indices, such as 7:4 and 0."""
    runs = []
    for index in indices:
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return [f"{high}:{low}" if high > low else f"{low}" for low, high in reversed(runs)]


def _indented(lines, depth=4):
    return "".join(f"{' ' * depth}{line}\n" for line in lines)

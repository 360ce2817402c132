"""The benches of a unit with a sideband: those of a plain unit with one wide input, which is split at the ports."""

from ..emit.bench import bench_text as plain_bench
from ..emit.cocotb_bench import cocotb_bench_text as plain_cocotb
from ..emit.header import line_comment, notice
from .flat import Flat, pairs, sides_of, wrapped
from .interface import ports

__all__ = ["bench_text", "cocotb_bench_text", "vectors_text"]

#: Vectors: every pair of code and sideband where there are no more.
MAX_VECTORS = 1 << 16


def vectors_text(design, command):
    """One line a vector: the bits of x with those of the sideband above them, then the outputs', in hexadecimal."""
    flat = Flat(design)
    codes = pairs(flat, MAX_VECTORS)
    columns = [[f"{code:x}" for code in codes.tolist()]]
    for channel in design.channels:
        bits = channel.format.to_bits(flat.evaluate(codes, channel.name))
        columns.append([f"{word:x}" for word in bits.tolist()])
    names = " ".join([f"x + {design.sideband[0]} * {1 << flat.bits}", *(channel.name for channel in design.channels)])
    head = line_comment("//", [*notice(design, command), f"{len(codes)} vectors: {names}"])
    return head + "".join(" ".join(row) + "\n" for row in zip(*columns))


class _View(Flat):
    """A flat unit under the unit's own name, with as many codes as there are vectors."""

    def __init__(self, design):
        super().__init__(design, design.name)
        count = len(pairs(self, MAX_VECTORS))
        self.domain = 0, count - 1

    def codes(self):
        """As many codes as there are vectors."""
        return range(self.domain[1] + 1)


def bench_text(design, command):
    """A bench in plain Verilog-2005; see `hwact.emit.bench.bench_text`."""
    text, port, bits = plain_bench(_View(design), command), ports(design), design.input.width
    side = port[design.sideband[0]]
    split = f".{port['x']}(x[{bits - 1}:0]),\n        .{side}(x[{bits + design.sideband[1] - 1}:{bits}])"
    text = _replaced(text, f".{port['x']}(x)", split)
    if not design.beside:
        return text
    module = f"{design.name}_loaded"
    text = _replaced(text, f"    {design.name} dut (", f"    {module} dut (")
    text = _replaced(text, "repeat (4) tick;", f"repeat ({4 + len(sides_of(design))}) tick; // the memory is written")
    return f"{text}\n// The unit with its memory written, again and again.\n{wrapped(design, module, flat=False)}"


def cocotb_bench_text(design, command):
    """A cocotb 2 bench; see `hwact.emit.cocotb_bench.cocotb_bench_text`."""
    text, port = plain_cocotb(_View(design), command), ports(design)
    for handle in (f"dut.{port['x']}.value", 'port(dut, "x").value'):
        text = text.replace(handle, "Wide(dut).value")
    text = text.replace('port(self.dut, "x").value', "Wide(self.dut).value")
    fill = {"x": port["x"], "side": port[design.sideband[0]], "bits": design.input.width}
    text = _replaced(text, "\n\ndef vectors():", _WIDE.format(**fill) + "\n\ndef vectors():")
    if not design.beside:
        return text
    text = _replaced(text, "\n\nclass Wide:", f"\n#: Channel, alpha and beta.\nPARAMETERS = {design.parameters!r}\n\n\nclass Wide:")
    return _replaced(text, _CYCLES, _LOAD + _CYCLES)


def _replaced(text, old, new):
    assert text.count(old) == 1, old
    return text.replace(old, new)


_CYCLES = """    for _ in range(cycles):
        await FallingEdge(port(dut, "clk"))
"""

_LOAD = """    dut.w_enable.value = 1
    for channel, alpha, beta in PARAMETERS:
        dut.w_channel.value, dut.w_alpha.value, dut.w_beta.value = channel, alpha, beta
        await FallingEdge(port(dut, "clk"))
    dut.w_enable.value = 0
"""

_WIDE = '''

class Wide:
    """The input code and what comes beside it as one number."""

    def __init__(self, dut):
        self.dut = dut

    @property
    def value(self):
        return int(self.dut.{x}.value) | int(self.dut.{side}.value) << {bits}

    @value.setter
    def value(self, wide):
        self.dut.{x}.value = wide & (1 << {bits}) - 1
        self.dut.{side}.value = wide >> {bits}
'''

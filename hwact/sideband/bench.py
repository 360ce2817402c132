"""The benches of a unit with a sideband: those of a plain unit with one wide input, which is split at the ports."""

from ..emit.bench import bench_text as plain_bench
from ..emit.cocotb_bench import cocotb_bench_text as plain_cocotb
from ..emit.header import line_comment, notice
from .flat import Flat, pairs
from .verilog import ports

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
    return _replaced(text, f".{port['x']}(x)", split, 1)


def cocotb_bench_text(design, command):
    """A cocotb 2 bench; see `hwact.emit.cocotb_bench.cocotb_bench_text`."""
    text, port = plain_cocotb(_View(design), command), ports(design)
    for handle in (f"dut.{port['x']}.value", 'port(dut, "x").value'):
        text = text.replace(handle, "Wide(dut).value")
    fill = {"x": port["x"], "side": port[design.sideband[0]], "bits": design.input.width}
    return _replaced(text, "\n\ndef vectors():", _WIDE.format(**fill) + "\n\ndef vectors():", 1)


def _replaced(text, old, new, count):
    assert text.count(old) == count, old
    return text.replace(old, new)


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

"""A unit with a sideband seen as one with a single, wider input: the sideband's bits stand above those of x.

So the drivers and comparisons of plain units serve, and every check drives pairs of code and sideband.
"""

import numpy as np

from ..fixed import Format
from .verilog import ports, widths

__all__ = ["Flat", "flat_verilog", "pairs"]


class Flat:
    """What the checks of a plain unit ask a design for.

    Parameters
    ----------
    design
        With `sideband`, `input`, `channels`, `shell`, and ``evaluate(sideband, codes, output)``.
    name : str
        Name of the module; left out, that of `flat_verilog`.
    """

    def __init__(self, design, name=None):
        self.design, self.name = design, name or f"{design.name}_flat"
        self.channels, self.shell, self.latency, self.digest = design.channels, design.shell, design.latency, design.digest
        self.bits = design.input.width
        self.input = Format(False, self.bits + design.sideband[1], 0)
        self.domain = 0, self.input.max_code

    def evaluate(self, codes, output="y"):
        """Output codes for wide codes; x is clipped into the domain."""
        codes = np.asarray(codes, dtype=np.int64)
        x = self.design.input.from_bits(codes & (1 << self.bits) - 1)
        return self.design.evaluate(codes >> self.bits, np.clip(x, *self.design.domain), output)

    def join(self, sideband, codes):
        """Wide codes."""
        return (np.asarray(sideband, dtype=np.int64) << self.bits) + self.design.input.to_bits(codes)


def pairs(flat, most, seed=1):
    """Wide codes in random order: every pair of sideband and code of the domain, or `most` of them.

    The order is random so that the sideband changes from sample to sample.
    """
    design, draw = flat.design, np.random.default_rng(seed)
    first, last = design.domain
    sides, count = 1 << design.sideband[1], last - first + 1
    numbers = np.arange(sides * count) if sides * count <= most else draw.integers(0, sides * count, most)
    return draw.permutation(flat.join(numbers // count, first + numbers % count))


def flat_verilog(design, text):
    """Verilog text of the unit and, around it, the module ``NAME_flat`` with the wide input."""
    roles, bits = ports(design), widths(design)
    sideband, width = design.sideband
    wide = {"x": f"[{bits['x'] - 1}:0]", sideband: f"[{bits['x'] + width - 1}:{bits['x']}]"}
    declared, joined = [], []
    for role, port in roles.items():
        if role in wide:
            joined.append(f".{port}({roles['x']}{wide[role]})")
        else:
            joined.append(f".{port}({port})")
        if role != sideband:
            kind = "output" if role in ("i_ready", "o_valid", *(c.name for c in design.channels)) else "input"
            total = bits[role] + (width if role == "x" else 0)
            declared.append(f"{kind} [{total - 1}:0] {port}")
    module = f"module {design.name}_flat({', '.join(declared)});\n  {design.name} unit ({', '.join(joined)});\nendmodule\n"
    return f"{text}\n{module}"

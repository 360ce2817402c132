"""A unit with a sideband seen as one with a single, wider input: the sideband's bits stand above those of x.

So the drivers and comparisons of plain units serve, and every check drives pairs of code and sideband.
"""

import numpy as np

from ..fixed import Format
from .interface import inputs, ports, widths

__all__ = ["Flat", "flat_verilog", "pairs", "sides_of", "wrapped"]


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
    sides, count = sides_of(design), last - first + 1
    total = len(sides) * count
    numbers = np.arange(total) if total <= most else draw.integers(0, total, most)
    return draw.permutation(flat.join(sides[numbers // count], first + numbers % count))


def sides_of(design):
    """Values of the sideband that checks drive: every one, or the design's own choice."""
    return np.asarray(getattr(design, "sides", range(1 << design.sideband[1])), dtype=np.int64)


def flat_verilog(design, text):
    """Verilog text of the unit and, around it, the module ``NAME_flat`` with the wide input."""
    return f"{text}\n{wrapped(design, f'{design.name}_flat', flat=True)}"


def wrapped(design, module, flat):
    """A module around the unit, with the ports that no handshake is for joined to the design's `loader`.

    Parameters
    ----------
    design
    module : str
        Its name.
    flat : bool
        Whether x and the sideband become one input.
    """
    roles, bits = ports(design), widths(design)
    (sideband, width), incoming = design.sideband, inputs(design)
    declared, joined, total = [], [], bits["x"] + width
    slices = {"x": f"[{bits['x'] - 1}:0]", sideband: f"[{total - 1}:{bits['x']}]"} if flat else {}
    for role, port in roles.items():
        if role in design.beside:
            joined.append(f".{port}(loader_{role})")
            continue
        joined.append(f".{port}({roles['x']}{slices[role]})" if role in slices else f".{port}({port})")
        if role != sideband or not flat:
            wide = total if flat and role == "x" else bits[role]
            declared.append(f"{'input' if role in incoming else 'output'} [{wide - 1}:0] {port}")
    body = f"{design.loader if design.beside else ''}  {design.name} unit ({', '.join(joined)});\n"
    return f"module {module}({', '.join(declared)});\n{body}endmodule\n"

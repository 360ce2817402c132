"""How long each rung of the ladder takes: faithful tanh, SQ4.f to SQ1.f, 8 to 20 bits."""

import time

from tables import main, table

from hwact import SQ, Spec
from hwact.emit.verilog import verilog
from hwact.verify import LEVELS, climb

UNITS = (
    (8, "comb", LEVELS),
    (12, "comb", LEVELS),
    (12, "stream", LEVELS),
    (16, "comb", LEVELS),
    (16, "stream", LEVELS),
    (20, "comb", ("golden", "rtl", "proof")),
)


def row(width, interface, levels):
    """Width and interface, and the seconds of each rung."""
    formats = {"input": SQ(4, width - 4), "output": SQ(1, width - 1)}
    design = Spec("tanh", interface=interface, **formats).design()
    text = verilog(design, command="benchmark")
    times = []
    for level in LEVELS:
        began = time.perf_counter()
        if level in levels:
            climb(level, design, text)
        times.append(f"{time.perf_counter() - began:.1f}" if level in levels else "-")
    return (f"{width} bits, {interface}", f"{1 << width:,}", *times)


def make():
    """The table."""
    climb("golden", Spec("tanh", input="SQ4.4", output="SQ1.7").design(), "")  # imports
    return table(("unit", "codes", *LEVELS), [row(*unit) for unit in UNITS])


if __name__ == "__main__":
    main(make, "ladder", "docs/certificate.md", __doc__)

"""How the time of the fit grows with the width: faithful tanh, SQ4.f to SQ1.f, 8 to 20 bits."""

import time

from tables import main, table

from hwact import SQ, Spec
from hwact.verify import measure

WIDTHS = range(8, 21, 2)


def row(width):
    """Width, codes, minimal segments; seconds of that fit, of the cheapest unit and of its check."""
    words = {"input": SQ(4, width - 4), "output": SQ(1, width - 1)}
    began = time.perf_counter()
    lines = Spec("tanh", method="pwl", **words).design()
    fitted = time.perf_counter()
    design = Spec("tanh", **words).design()
    chosen = time.perf_counter()
    measure(design)["y"].check()
    checked = time.perf_counter()
    times = (f"{seconds:.2f}" for seconds in (fitted - began, chosen - fitted, checked - chosen))
    return (width, f"{1 << width:,}", lines.channel("y").segments, *times)


def make():
    """The table."""
    row(8)  # imports
    head = ("bits", "codes", "segments", "minimal fit (s)", "cheapest unit (s)", "check of every code (s)")
    return table(head, [row(width) for width in WIDTHS])


if __name__ == "__main__":
    main(make, "fit-time", "README.md", __doc__)

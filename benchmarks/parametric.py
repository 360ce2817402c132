"""Parametric units on iCE40 and ECP5: the proven error, and cells without and with DSP blocks."""

from tables import main, table

from hwact.parametric import ParametricSpec, guarantee
from hwact.sideband.verilog import verilog
from hwact.synth import count_cells

CASES = (
    ("gelu", "SQ4.4", "UQ1.4", "SQ2.4", 16),
    ("tanh", "SQ4.8", "UQ1.7", "UQ1.7", 64),
    ("silu", "SQ4.8", "SQ2.8", "SQ2.8", 256),
)


def rows(function, format, alpha, beta, channels):
    """One row a target."""
    design = ParametricSpec(function, input=format, output=format, alpha=alpha, beta=beta, channels=channels, name="unit").design()
    text, error = verilog(design, command=""), guarantee(design).error_ulp
    for family, dsp, target in (("ice40", False, "iCE40"), ("ecp5", False, "ECP5"), ("ecp5", True, "ECP5, DSPs")):
        cells = count_cells(text, "unit", family, dsp=dsp, bram=True)
        yield (f"`{function}`", format, alpha, beta, channels, f"{error:.2f}", target, cells.luts, cells.ffs, cells.dsps, cells.brams)


def make():
    """The table."""
    head = ("f", "x and y", "alpha", "beta", "channels", "error <= (ulp)", "target", "LUTs", "FFs", "DSPs", "BRAMs")
    return table(head, [row for case in CASES for row in rows(*case)])


if __name__ == "__main__":
    main(make, "parametric", "docs/parametric.md", __doc__)

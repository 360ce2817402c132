"""Units of several functions on iCE40 and ECP5, beside the sum of units of one function made with the same options."""

from tables import main, table

from hwact import Spec
from hwact.emit.verilog import verilog as single_verilog
from hwact.multi import MultiSpec
from hwact.sideband.verilog import verilog
from hwact.synth import count_cells

SETS = (
    ("tanh", "sigmoid", "gelu"),
    ("silu", "softplus"),
    ("exp(x/4)", "exp2(x/4)"),
    ("x*sigmoid(1.702*x)", "x*exp(-x^2)", "cos(x)", "arctan"),
)
FORMATS = ("SQ4.4", "SQ4.6", "SQ4.8", "SQ4.12")
FAMILIES = ("ice40", "ecp5")


def texts(functions, format):
    """Verilog of one unit for all functions, and of a unit each."""
    request = {"input": format, "output": format, "name": "unit"}
    alone = [single_verilog(Spec(one, **request).design(), command="") for one in functions]
    return [verilog(MultiSpec(functions, **request).design(), command=""), *alone]


def row(functions, format):
    """One row: for every family the LUTs of the unit, those of carry cells included, the sum and their ratio."""
    cells, units = [], texts(functions, format)
    for family in FAMILIES:
        together, *alone = (count_cells(unit, "unit", family, bram=False).area for unit in units)
        cells += [together, sum(alone), f"{together / sum(alone):.2f}"]
    return (", ".join(f"`{one}`" for one in functions), format, *cells)


def make():
    """The table."""
    head = ["functions", "formats"]
    for family in ("iCE40", "ECP5"):
        head += [f"{family}: one unit (LUTs)", "a unit each", "ratio"]
    return table(head, [row(functions, format) for functions in SETS for format in FORMATS])


if __name__ == "__main__":
    main(make, "multi", "docs/multi.md", __doc__)

"""The size of a dozen units, to the LUT: what makes one larger has to be meant."""

import pytest

from hwact import Spec
from hwact.synth import tool_versions, unit_area

YOSYS = "0.70"
#: Function, input, output, and LUT4s on iCE40 of the unit that the estimate chooses.
UNITS = [
    ("tanh", "SQ4.4", "SQ1.7", 38),
    ("tanh", "SQ4.6", "SQ1.9", 73),
    ("tanh", "SQ4.8", "SQ1.11", 133),
    ("sigmoid", "SQ4.4", "UQ0.8", 42),
    ("gelu", "SQ4.4", "SQ4.4", 18),
    ("gelu", "SQ4.6", "SQ4.6", 42),
    ("gelu", "SQ4.8", "SQ4.8", 75),
    ("silu", "SQ4.4", "SQ4.4", 22),
    ("silu", "SQ4.8", "SQ4.8", 104),
    ("softplus", "SQ4.4", "SQ4.4", 24),
    ("elu", "SQ4.4", "SQ4.4", 18),
    ("exp(-x)", "UQ3.5", "UQ0.8", 49),
]


@pytest.mark.slow
@pytest.mark.parametrize(("function", "input", "output", "luts"), UNITS)
def test_unit_is_no_larger_and_no_smaller(function, input, output, luts):
    """By the estimate alone; a smaller unit is good news, to be written down here."""
    if not tool_versions()["pyosys"].startswith(YOSYS):
        pytest.skip(f"sizes are those of Yosys {YOSYS}")
    design = Spec(function, input, output, target="ice40", name="unit").design()
    assert unit_area(design, "ice40") == luts

"""The size of a dozen units, to the LUT: what makes one larger has to be meant."""

import pytest

from hwact import Spec
from hwact.synth import tool_versions, unit_area

YOSYS = "0.70"
#: Function, input, output, family, and LUTs of the unit that the estimate chooses, those of carry cells included.
UNITS = [
    ("tanh", "SQ4.4", "SQ1.7", "ice40", 38),
    ("tanh", "SQ4.6", "SQ1.9", "ice40", 73),
    ("tanh", "SQ4.8", "SQ1.11", "ice40", 133),
    ("sigmoid", "SQ4.4", "UQ0.8", "ice40", 42),
    ("gelu", "SQ4.4", "SQ4.4", "ice40", 18),
    ("gelu", "SQ4.6", "SQ4.6", "ice40", 43),
    ("gelu", "SQ4.8", "SQ4.8", "ice40", 75),
    ("silu", "SQ4.4", "SQ4.4", "ice40", 22),
    ("silu", "SQ4.8", "SQ4.8", "ice40", 104),
    ("softplus", "SQ4.4", "SQ4.4", "ice40", 24),
    ("elu", "SQ4.4", "SQ4.4", "ice40", 18),
    ("exp(-x)", "UQ3.5", "UQ0.8", "ice40", 49),
    ("elu", "SQ4.8", "SQ4.8", "ice40", 83),
    ("tanh", "SQ4.4", "SQ1.7", "ecp5", 43),
    ("tanh", "SQ4.8", "SQ1.11", "ecp5", 141),
    ("gelu", "SQ4.4", "SQ4.4", "ecp5", 19),
]


@pytest.mark.slow
@pytest.mark.parametrize(("function", "input", "output", "family", "luts"), UNITS)
def test_unit_is_no_larger_and_no_smaller(function, input, output, family, luts):
    """By the estimate alone; a smaller unit is good news, to be written down here."""
    if not tool_versions()["pyosys"].startswith(YOSYS):
        pytest.skip(f"sizes are those of Yosys {YOSYS}")
    design = Spec(function, input, output, target=family, name="unit").design()
    assert unit_area(design, family) == luts

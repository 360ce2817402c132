"""A small network that learns on the FPGA, with f and f' of one unit.

`network` is the golden model, `program` what the circuit does for a sample, `gateware` the circuit, `top` the circuit
behind a serial link, `host` the other end of the link, `data` what is learnt.
"""

from ...spec import Spec

__all__ = ["UNIT", "unit_design"]

#: The unit of the demonstration unless another is asked for: function, input, output and the derivative's format.
UNIT = ("tanh", "SQ4.8", "SQ2.10", "SQ2.10")


def unit_design():
    """Fit the unit of the demonstration (Design)."""
    function, input, output, slope = UNIT
    return Spec(function, input, output, derivative="direct", derivative_output=slope, interface="stream").design()

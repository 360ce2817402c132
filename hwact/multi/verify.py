"""Verification of a unit of several functions: each against enclosures, the circuit against the golden model."""

from dataclasses import replace

from ..errors import RequestError
from ..sideband.verify import check_c_model, check_circuit, check_netlist
from ..verify.golden import check_golden
from .c_model import CALL, c_model_text

__all__ = ["climb", "rungs"]

_LEVELS = ("golden", "rtl", "netlist")


def rungs(level):
    """The rungs up to `level`.

    Raises
    ------
    RequestError
        If a unit of several functions has no such rung.
    """
    if level not in _LEVELS:
        raise RequestError(f"Level must be golden, rtl or netlist for a unit of several functions, not {level}")
    return _LEVELS[: _LEVELS.index(level) + 1]


def climb(level, design, verilog, measured=None):
    """Establish one rung alone.

    Parameters
    ----------
    level : str
    design : MultiDesign
    verilog : str
    measured : list of dict of str to Measured, optional
        The outputs of each function, if they are at hand.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        If a check fails.
    RequestError
        If there is no such rung.
    """
    rungs(level)
    if level == "golden":
        return [check for number in range(len(design.functions)) for check in _golden(design, number, measured)]
    if level == "netlist":
        return check_netlist(design, verilog)
    header = c_model_text(design, "")
    return [*check_circuit(design, verilog), check_c_model(design, header, CALL.format(unit=design.name))]


def _golden(design, number, measured):
    """The checks of one function, which say which it is."""
    checks = check_golden(design.single(number), measured and measured[number])
    own = f"{design.functions[number]} (select {number})"
    return [replace(check, check=f"{check.check}_{number}", method=f"{own}: {check.method}") for check in checks]

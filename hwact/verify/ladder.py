"""The ladder from the real function down to the configured device, one rung at a time."""

from .certificate import LEVELS
from .circuit import check_circuit
from .golden import check_golden

__all__ = ["DEFAULT_SECONDS", "climb", "rungs"]

#: Time limit of a proof.
DEFAULT_SECONDS = 1800.0


def rungs(level):
    """The rungs up to `level`, which each stand on those before."""
    return LEVELS[: LEVELS.index(level) + 1]


def climb(level, design, verilog, *, contents=None, measured=None, seconds=DEFAULT_SECONDS, tick=None, note=None):
    """Establish one rung alone.

    Parameters
    ----------
    level : str
        One of `LEVELS`.
    design : Design
    verilog : str
        The emitted text.
    contents : dict, optional
        The manifest, which the proof is about; made from the design if left out.
    measured : dict of str to Measured, optional
        The design's outputs, if they are already at hand.
    seconds : float
        Time limit of a proof.
    tick : callable, optional
        Called as ``tick(done, total)`` as the work goes on.
    note : callable, optional
        Called with a line for people, such as how fast a simulation was.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        If a check fails.
    UndecidedError
        If the time limit is reached first.
    ToolError
        If a tool is missing or breaks.
    """
    if level == "golden":
        return check_golden(design, measured, tick)
    if level == "rtl":
        return check_circuit(design, verilog, tick, note)
    if level == "proof":
        from .proof import prove

        return prove(design, contents or _contents(design), verilog, seconds=seconds, tick=tick)
    if level == "netlist":
        from .netlist import check_netlist

        return check_netlist(design, verilog, tick)
    from .bitstream import check_bitstream

    return check_bitstream(design, verilog, tick)


def _contents(design):
    from ..emit import manifest

    return manifest(design, command="", statistics={}, certificate=None, files={})

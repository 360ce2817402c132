"""Emitted Verilog against the golden model: equal on every code, compiled simulation."""

import numpy as np

from ..errors import CheckError
from .certificate import Check
from .simulate import run_verilog

__all__ = ["check_circuit"]

#: Codes driven through the unit under random stalls.
STALLED_CODES = 1 << 12


def check_circuit(design, verilog):
    """Compare Verilog with the golden model on every code of the domain, and its latency and handshakes.

    Parameters
    ----------
    design : Design
    verilog : str
        Text with the module ``design.name``.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        At the first code whose output differs, if the latency is another one than the design's, or if
        a handshake's rule is broken.
    ToolError
        If Yosys or the C++ compiler is missing or breaks.
    """
    codes = design.codes()
    simulation = run_verilog(verilog, design, codes)
    if simulation.latency is not None and simulation.latency != design.latency:
        raise CheckError(f"Latency must be {design.latency} cycles, not {simulation.latency}")
    _compare(design, codes, simulation)
    outputs = " and ".join(channel.name for channel in design.channels)
    checks = [Check("rtl", "circuit", outputs, "Verilog equals golden model, compiled simulation (CXXRTL)", len(codes))]
    if design.shell.interface != "comb":
        sample = np.random.default_rng(1).choice(codes, min(len(codes), STALLED_CODES))
        _compare(design, sample, run_verilog(verilog, design, sample, stalls=1))
        method = "the same under random stalls, protocol checked"
        checks.append(Check("rtl", "stalls", outputs, method, len(sample), "random codes"))
    return checks


def _compare(design, codes, simulation):
    for channel in design.channels:
        golden = design.evaluate(codes, channel.name)
        got = simulation.outputs[channel.name]
        wrong = np.flatnonzero(got != golden)
        if wrong.size:
            k = wrong[0]
            raise CheckError(
                f"Output {channel.name} of code {codes[k]} must be {golden[k]} in the circuit, not {got[k]}"
            )

"""Emitted Verilog against the golden model: equal on every code, compiled simulation."""

import numpy as np

from ..errors import CheckError
from ..ports import sidebands_text
from ..synth.tools import named
from .c_model import check_c_model
from .certificate import Check
from .golden import chunks
from .properties import check_overflow, check_properties
from .simulate import MANY, Program

__all__ = ["check_circuit", "compare_codes", "count", "outputs", "stalled"]

#: Codes driven through the unit under random stalls.
STALLED_CODES = 1 << 12
_HERE = " in the circuit"


def check_circuit(design, verilog, tick=None, note=None):
    """The second rung: Verilog equals the golden model on every code of the domain, keeps its latency and the
    rules of its handshakes, and has the properties that are claimed of it; so does the C model.

    Parameters
    ----------
    design : Design
    verilog : str
        Text with the module ``design.name``.
    tick : callable, optional
        Called as ``tick(done, total)`` with numbers of codes as the simulation goes on.
    note : callable, optional
        Called with a line for people: how fast the simulation was.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        At the first code whose output differs, if the latency is another one than the design's, if a
        handshake's rule is broken, or if a property does not hold.
    ToolError
        If Yosys or a compiler is missing or breaks.
    """
    names, tools = outputs(design), (named("yosys"), named("g++"))
    lanes = f", in each of {design.shell.lanes} lanes" if design.shell.lanes > 1 else ""
    with Program(verilog, design, probes=True, many=count(design) >= MANY) as program:
        found, readings = _every_code(program, design, tick, note)
        method = f"Verilog equals golden model{lanes}, compiled simulation (CXXRTL)"
        checks = [Check("rtl", "circuit", names, method, count(design), tools=tools)]
        if design.shell.interface != "comb":
            codes = stalled(design)
            compare_codes(design, codes, program.run(codes, stalls=1), _HERE)
            method = "the same under random stalls, protocol checked"
            if design.shell.interface == "axis":
                method += f", {sidebands_text(design)} carried"
            checks.append(Check("rtl", "stalls", names, method, len(codes), "random codes", tools))
    checks += check_properties(design, found)
    checks.append(check_overflow(design, program.adders, readings, tools))
    checks.append(check_c_model(design, found))
    return checks


def _every_code(program, design, tick, note):
    """The circuit's outputs for the whole domain, compared, and each adder's readings that were exact."""
    seconds, parts, readings = (
        0.0,
        {channel.name: [] for channel in design.channels},
        [255] * len(program.adders),
    )
    for codes in chunks(design, tick):
        simulation = program.run(range(int(codes[0]), int(codes[-1]) + 1))
        compare_codes(design, codes, simulation, _HERE)
        for channel in design.channels:
            narrow = np.int32 if channel.format.max_code < 1 << 31 else np.int64
            first = np.atleast_2d(simulation.outputs[channel.name])[0]  # the lanes are equal
            parts[channel.name].append(first.astype(narrow))
        readings = [kept & exact for kept, exact in zip(readings, simulation.readings)]
        seconds += simulation.seconds
    found = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    if note:
        note(f"Simulated {count(design) / max(seconds, 1e-6) / 1e6:.1f} million codes a second")
    return found, readings


# -- what every simulated rung shares ----------------------------------------------------------


def outputs(design):
    """The outputs' names, as a check lists them."""
    return " and ".join(channel.name for channel in design.channels)


def count(design):
    """Number of codes of a design's domain."""
    first, last = design.domain
    return last + 1 - first


def stalled(design):
    """Codes to drive under random stalls."""
    first, last = design.domain
    return np.random.default_rng(1).integers(first, last + 1, min(count(design), STALLED_CODES))


def compare_codes(design, codes, simulation, where=""):
    """Raise CheckError unless a simulation has the design's latency and the golden model's outputs."""
    if simulation.latency not in (None, design.latency):
        raise CheckError(f"Latency must be {design.latency} cycles, not {simulation.latency}")
    for channel in design.channels:
        golden, lanes = design.evaluate(codes, channel.name), np.atleast_2d(simulation.outputs[channel.name])
        for number, got in enumerate(lanes):
            wrong = got != golden
            if wrong.any():
                k, lane = wrong.argmax(), f" in lane {number}" if len(lanes) > 1 else ""
                raise CheckError(
                    f"Output {channel.name} of code {codes[k]} must be {golden[k]}{where}{lane}, not {got[k]}"
                )

"""Emitted Verilog against the golden model: equal on every code, compiled simulation."""

import numpy as np

from ..errors import CheckError
from ..synth.tools import named
from .c_model import check_c_model
from .certificate import Check
from .golden import chunks
from .properties import check_overflow, check_properties
from .simulate import MANY, Program

__all__ = ["check_circuit"]

#: Codes driven through the unit under random stalls.
STALLED_CODES = 1 << 12


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
    first, last = design.domain
    count = last + 1 - first
    names, tools = " and ".join(channel.name for channel in design.channels), (named("yosys"), named("g++"))
    with Program(verilog, design, probes=True, many=count >= MANY) as program:
        outputs, readings = _every_code(program, design, tick, note)
        method = "Verilog equals golden model, compiled simulation (CXXRTL)"
        checks = [Check("rtl", "circuit", names, method, count, tools=tools)]
        if design.shell.interface != "comb":
            codes = np.random.default_rng(1).integers(first, last + 1, min(count, STALLED_CODES))
            _compare(design, codes, program.run(codes, stalls=1).outputs)
            method = "the same under random stalls, protocol checked"
            checks.append(Check("rtl", "stalls", names, method, len(codes), "random codes", tools))
    checks += check_properties(design, outputs)
    checks.append(check_overflow(design, program.adders, readings, tools))
    checks.append(check_c_model(design, outputs))
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
        if simulation.latency is not None and simulation.latency != design.latency:
            raise CheckError(f"Latency must be {design.latency} cycles, not {simulation.latency}")
        _compare(design, codes, simulation.outputs)
        for channel in design.channels:
            narrow = np.int32 if channel.format.max_code < 1 << 31 else np.int64
            parts[channel.name].append(simulation.outputs[channel.name].astype(narrow))
        readings = [kept & exact for kept, exact in zip(readings, simulation.readings)]
        seconds += simulation.seconds
    outputs = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    if note:
        note(f"Simulated {len(outputs['y']) / max(seconds, 1e-6) / 1e6:.1f} million codes a second")
    return outputs, readings


def _compare(design, codes, outputs):
    for channel in design.channels:
        golden, got = design.evaluate(codes, channel.name), outputs[channel.name]
        wrong = got != golden
        if wrong.any():
            k = wrong.argmax()
            raise CheckError(
                f"Output {channel.name} of code {codes[k]} must be {golden[k]} in the circuit, not {got[k]}"
            )

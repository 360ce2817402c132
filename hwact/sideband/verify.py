"""Verilog and C model of a unit with a sideband against its golden model."""

import os
import sys
import tempfile
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import CheckError
from ..synth.flow import write_netlist
from ..synth.tools import named, run
from ..verify.certificate import Check
from ..verify.circuit import compare_codes, outputs
from ..verify.netlist import flags, run_all, with_models
from ..verify.properties import check_overflow
from ..verify.simulate import MANY, Program
from .flat import Flat, flat_verilog, pairs, sides_of

__all__ = ["MAX_PAIRS", "check_bench", "check_c_model", "check_circuit", "check_netlist"]

#: Pairs of sideband and code that are simulated, and how many of them under random stalls.
MAX_PAIRS, STALLED = 1 << 22, 1 << 13
_METHOD = "equals golden model, compiled simulation (CXXRTL), sidebands in random order"


class FlatProgram(Program):
    """A `Program` of a flat unit, driven with pairs of the domain alone."""

    def __init__(self, verilog, flat, codes, **more):
        self._codes = codes
        super().__init__(flat_verilog(flat.design, verilog), flat, many=len(codes) >= MANY, **more)

    @cached_property
    def _differing(self):
        flat, codes = self._design, self._codes
        differs = np.zeros(len(codes), dtype=bool)
        for channel in flat.channels:
            found = flat.evaluate(codes, channel.name)
            differs |= found != found[0]
        return codes[[0, int(differs.argmax())]]


def check_circuit(design, verilog):
    """Compare Verilog with the golden model: pairs at full rate, some of them under stalls, resets in flight.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        At the first pair whose output differs, if the latency is another one than the design's, or if a
        handshake's rule is broken.
    ToolError
        If Yosys or the compiler is missing or breaks.
    """
    flat = Flat(design)
    codes = pairs(flat, MAX_PAIRS)
    names, tools = outputs(design), (named("yosys"), named("g++"))
    probes = not design.beside  # memories are in the way of them
    with FlatProgram(verilog, flat, codes, probes=probes) as program:
        simulation = program.run(codes)
        compare_codes(flat, codes, simulation, _where(flat))
        checks = [Check("rtl", "circuit", names, f"Verilog {_METHOD}", len(codes), _coverage(design, codes), tools)]
        if design.shell.interface != "comb":
            some = codes[:STALLED]
            compare_codes(flat, some, program.run(some, stalls=1), _where(flat))
            method = "the same under random stalls, protocol and resets checked"
            checks.append(Check("rtl", "stalls", names, method, len(some), "random pairs", tools))
        if probes:
            checks.append(check_overflow(flat, program.adders, simulation.readings, tools))
    return checks


def _where(flat):
    return f" in the circuit (code is x + {flat.design.sideband[0]} * {1 << flat.bits})"


def _coverage(design, codes):
    sides, count = len(sides_of(design)), design.domain[1] - design.domain[0] + 1
    if len(codes) < sides * count:
        return "random pairs"
    every = sides == 1 << design.sideband[1]
    return f"every {design.sideband[0]} and code" if every else f"{sides} values of {design.sideband[0]}, every code"


def check_netlist(design, verilog):
    """Synthesise Verilog for iCE40 and ECP5 and compare the netlists with the golden model on the same pairs.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        If a netlist differs from the golden model, has another latency or breaks a handshake's rules.
    ToolError
        If a tool is missing or breaks.
    """
    return run_all(lambda family=family: _check_family(design, verilog, family) for family in ("ice40", "ecp5"))


def _check_family(design, verilog, family):
    flat, what = Flat(design), f"{family} netlist ({flags(family)})"
    codes = pairs(flat, MAX_PAIRS)
    text = with_models(write_netlist(verilog, design.name, family, bram=False), design.name, family)
    with FlatProgram(text, flat, codes) as program:
        compare_codes(flat, codes, program.run(codes), f" in the {family} netlist")
        if design.shell.interface != "comb":
            some = codes[:STALLED]
            compare_codes(flat, some, program.run(some, stalls=1), f" in the {family} netlist")
    tools = named("yosys"), named("g++")
    return Check("netlist", f"netlist_{family}", outputs(design), f"{what} {_METHOD}", len(codes), _coverage(design, codes), tools)


_COMPILER = ("g++", "-x", "c", "-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic")
_MAIN = """\
#include "unit.h"
#include <stdio.h>

int main(void)
{{
    int64_t pair[2];
    FILE *in = fopen("pairs", "rb"), *out = fopen("outputs", "wb");
    if (!in || !out)
        return 1;
    while (fread(pair, sizeof pair, 1, in) == 1) {{
        const int64_t outputs[] = {{{calls}}};
        if (fwrite(outputs, sizeof outputs, 1, out) != 1)
            return 1;
    }}
    return fclose(out) != 0;
}}
"""


def check_c_model(design, header, call):
    """Compare a C model with the golden model.

    Parameters
    ----------
    design
    header : str
        Text of the C model.
    call : str
        The C expression of an output, with ``{name}`` for the channel, of ``side`` and ``x``.

    Returns
    -------
    Check

    Raises
    ------
    CheckError
        At the first pair whose output differs.
    ToolError
        If the compiler is missing, or refuses the header.
    """
    flat = Flat(design)
    codes = pairs(flat, MAX_PAIRS)
    side, x = codes >> flat.bits, design.input.from_bits(codes & (1 << flat.bits) - 1)
    calls = ", ".join(call.format(name=c.name, side="(int)pair[0]", x="(int32_t)pair[1]") for c in design.channels)
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        folder = Path(folder)
        (folder / "unit.h").write_text(header, encoding="utf-8")
        (folder / "model.c").write_text(_MAIN.format(calls=calls), encoding="utf-8")
        np.stack([side, x], axis=1).astype(np.int64).tofile(folder / "pairs")
        run([*_COMPILER, "model.c", "-o", "model"], folder=folder, name="g++")
        run([str(folder / "model")], folder=folder, name="C model")
        results = np.fromfile(folder / "outputs", dtype=np.int64).reshape(-1, len(design.channels))
    for got, channel in zip(results.T, design.channels):
        wanted = flat.evaluate(codes, channel.name)
        wrong = got != wanted if len(got) == len(wanted) else np.ones(1, dtype=bool)
        if wrong.any():
            k = wrong.argmax()
            raise CheckError(f"Output {channel.name} of x {x[k]} and {design.sideband[0]} {side[k]} must be {wanted[k]} in the C model, not {got[k]}")
    method = "C model equals golden model, compiled"
    return Check("rtl", "c_model", outputs(design), method, len(codes), _coverage(design, codes), (named("g++"),))


def check_bench(design, files, simulator="auto"):
    """Run the cocotb bench of a unit's files.

    Parameters
    ----------
    design
    files : dict of str to bytes
        Of the output folder.
    simulator : str
        ``verilator``, ``icarus`` or ``auto``.

    Returns
    -------
    Check

    Raises
    ------
    CheckError
        If a test fails.
    ToolError
        If the simulator is missing.
    """
    from ..sim.runner import _environment as environment

    simulator, env = environment(simulator)
    env |= {"SIM": simulator, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        for path, data in files.items():
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
            Path(folder, path).write_bytes(data)
        command = f"{sys.executable} -P tb/test_{design.name}.py > log 2>&1 || true"
        run(["sh", "-c", command], folder=folder, name="cocotb bench", timeout=600, env=env)
        log = Path(folder, "log").read_text(encoding="utf-8")
    verdict = [line for line in log.splitlines() if line.startswith(("PASS ", "FAIL "))]
    if not verdict or verdict[-1].startswith("FAIL"):
        raise CheckError(f"Bench must pass, not end with {(verdict or log.splitlines() or ['nothing'])[-1]!r}")
    return Check("bench", "bench", outputs(design), f"cocotb bench, {simulator}: {verdict[-1]}", 1, "vectors")

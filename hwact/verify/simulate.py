"""Compiled simulation of emitted Verilog: every code through the text that a user will synthesise.

Yosys turns the Verilog into C++ (CXXRTL), the system's compiler makes a program of it, and a small
driver plays the test bench: clock, reset, clock enable or handshakes, and a cycle budget. The
golden model is not asked for results here; compare what comes back with `Design.evaluate`.
"""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import CheckError
from ..synth.tools import run, run_yosys, yosys_share

__all__ = ["Simulation", "run_verilog", "simulate_verilog"]

_COMPILER = ("g++", "-std=c++14", "-O1", "-w")
_INTERFACES = ("comb", "pipe", "stream")


@dataclass(frozen=True)
class Simulation:
    """What a simulated unit did.

    Parameters
    ----------
    outputs : dict of numpy.ndarray
        Output codes (int64) of each output, in the order of the input codes.
    latency : int or None
        Measured clock cycles from a code to its result; 0 for ``comb``. None where no two of the
        codes have different outputs, so that a ``pipe`` unit's latency cannot be seen.
    cycles : int
        Clock cycles from the first code to the last result; 0 for ``comb``.
    """

    outputs: dict = field(hash=False)
    latency: object
    cycles: int


def simulate_verilog(verilog, design, codes, *, stalls=None):
    """Outputs of the Verilog text for `codes`: `run_verilog`'s outputs alone."""
    return run_verilog(verilog, design, codes, stalls=stalls).outputs


def run_verilog(verilog, design, codes, *, stalls=None, timeout=300):
    """Simulate Verilog text and measure it.

    Parameters
    ----------
    verilog : str
        Text with a module ``design.name`` that has the ports of ``design.shell``.
    design : Design
        Says the ports, formats and latency.
    codes : array_like of int
        Input codes, one dimension.
    stalls : int, optional
        Seed of random stalls (clock enable, valid and ready); without it the unit runs at full rate.
    timeout : float
        Seconds for each of translation, compilation and run.

    Returns
    -------
    Simulation

    Raises
    ------
    CheckError
        If results are missing, surplus or come before their code, or if a handshake's rules or the
        clock enable are violated.
    ToolError
        If g++ or pyosys is missing or fails, for instance on Verilog that is not valid.
    """
    codes = design.input.check_codes(np.ravel(codes))
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        folder = Path(folder)
        _build(verilog, design, folder, timeout)
        design.input.to_bits(codes).tofile(folder / "codes")
        seed = 0 if stalls is None else (stalls * 0x9E3779B97F4A7C15 + 1) % 2**64 or 1
        first, second = design.input.to_bits(_differing(design, codes))
        arguments = ["codes", "results", str(seed), str(first), str(second)]
        log = run([str(folder / "simulate"), *arguments], folder=folder, name="simulate", timeout=timeout)
        results = np.fromfile(folder / "results", dtype=np.int64).reshape(-1, 2)
    report = json.loads(log)
    if report["violation"]:
        raise CheckError(f"{report['violation']}, not as in cycle {report['cycle']}")
    if len(results) != len(codes):
        raise CheckError(f"Received {len(results)} of {len(codes)} outputs in {report['cycle']} cycles")
    outputs = {
        channel.name: channel.format.from_bits(results[:, position])
        for position, channel in enumerate(design.channels)
    }
    return Simulation(outputs, None if report["latency"] < 0 else report["latency"], report["cycles"])


def _build(verilog, design, folder, timeout):
    """Leave the program ``simulate`` in `folder`."""
    (folder / "unit.v").write_text(verilog, encoding="utf-8")
    passes = [
        "read_verilog -defer unit.v",
        f"hierarchy -check -top {design.name}",
        "proc",
        "flatten",
        "opt_clean",
        "write_cxxrtl -g0 unit.cc",
    ]
    run_yosys(passes, folder, timeout=timeout)
    driver = Path(__file__).with_suffix(".cc").read_text(encoding="utf-8")
    (folder / "simulate.cc").write_text(_definitions(design) + driver, encoding="utf-8")
    runtime = yosys_share() / "include" / "backends" / "cxxrtl" / "runtime"
    command = [*_COMPILER, f"-I{runtime}", "-I.", "simulate.cc", "-o", "simulate"]
    run(command, folder=folder, name="g++", timeout=timeout)


def _definitions(design):
    """The generated text in front of ``simulate.cc``."""
    shell = design.shell
    stream = shell.interface == "stream"
    outputs = [f"take(dut.{_member(('o_' if stream else '') + channel.name)})" for channel in design.channels]
    lines = [
        '#include "unit.cc"',
        f"#define DUT cxxrtl_design::{_member(design.name)}",
        f"#define INTERFACE {_INTERFACES.index(shell.interface)}",
        f"#define X {_member('i_payload' if stream else 'x')}",
        f"#define OUTPUTS {', '.join(outputs)}",
        f"#define WIDEST {(1 << design.input.width) - 1}ull",
        f"#define LATENCY {shell.latency}",
    ]
    if shell.interface != "comb" and shell.reset != "none":
        low = shell.reset.endswith("low")
        lines += [f"#define RESET {_member('rst_n' if low else 'rst')}", f"#define ACTIVE {0 if low else 1}u"]
    return "\n".join(lines) + "\n"


def _member(name):
    """CXXRTL's name of the member for a module or a port."""
    return "p_" + name.replace("_", "__")


def _differing(design, codes):
    """Two codes with different outputs, so that a change can be seen (twice the same if there are none)."""
    first, last = design.domain
    inside = codes[(codes >= first) & (codes <= last)]
    if not inside.size:
        inside = np.array(design.domain)
    outputs = np.stack([design.evaluate(inside, channel.name) for channel in design.channels])
    differs = (outputs != outputs[:, :1]).any(axis=0)
    return np.array([inside[0], inside[differs.argmax()]])

"""Verification of a softmax unit: the guarantee, then the Verilog against the golden model."""

import json
import tempfile
from itertools import chain
from pathlib import Path

import numpy as np

from ..emit.verilog import verilog as unit_verilog
from ..errors import CheckError, RequestError
from ..synth.tools import run, run_yosys, yosys_share
from ..verify import Check
from ..verify import check_circuit as check_unit
from .guarantee import ceiling, guarantee
from .vectors import vectors

__all__ = ["check_circuit", "check_golden", "climb", "run_verilog"]

#: Compiling takes longer than running.
_COMPILER = ("g++", "-std=c++14", "-O0", "-w")


def climb(level, design, verilog):
    """Establish one rung, ``golden`` or ``rtl``, alone.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        If a check fails.
    RequestError
        If a softmax has no such rung.
    """
    if level == "golden":
        return check_golden(design)
    if level == "rtl":
        return check_circuit(design, verilog)
    raise RequestError(f"Level must be golden or rtl for a softmax, whose vectors are too many for more, not {level}")


def check_golden(design):
    """Measure the inner units on every code, and prove from that what holds for every vector.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        If the exponential rises, or the bound does not follow.
    """
    proved = guarantee(design)
    proved.check(design)
    facts = proved.to_dict()
    offsets, totals = 1 << design.input.width, 1 << design.index_bits
    measured = offsets + totals
    methods = {
        "exponential": (
            f"all ones at 0, never rises, within {ceiling(facts['exponential_max_error_ulp'])} ulp of enclosures (Arb)",
            offsets,
            "every offset",
        ),
        "reciprocal": (
            "relative error {:.3g} to {:.3g}, in exact integers".format(*facts["reciprocal_relative_error"]),
            totals,
            "every total",
        ),
        "bound": (f"proved: every output within {ceiling(facts['max_error_ulp'])} ulp", measured, "every vector"),
        "sum": (f"proved: the outputs add up to 1 within {ceiling(facts['max_sum_error_ulp'])} ulp", measured, "every vector"),
        "order": ("proved: a larger input never has a smaller output", measured, "every vector"),
    }
    return [Check("golden", name, "y", *values) for name, values in methods.items()]


def check_circuit(design, verilog):
    """Compare the Verilog with the golden model: inner units on every code, the whole on `vectors`.

    Full rate and random stalls, resets in flight, `last` given or left out of the longest vectors.

    Parameters
    ----------
    design : SoftmaxDesign
    verilog : str

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        At the first output that differs, or if a handshake's rule is broken.
    ToolError
        If Yosys or the C++ compiler is missing or breaks.
    """
    inner = [*design.exponential.factors, design.reciprocal]
    for unit in inner:
        check_unit(unit, unit_verilog(unit, command="hwact.softmax.verify"))
    driven = vectors(design)
    for results in run_verilog(verilog, design, driven, stalls=(0, 1)):
        compare(design, driven, results)
    count = sum(map(len, driven))
    method = "Verilog equals golden model, compiled simulation (CXXRTL)"
    words = f"{len(driven)} vectors: corners, offsets, random"
    return [
        Check("rtl", "circuit", "y", method, count, words),
        Check("rtl", "stalls", "y", "the same under random stalls, protocol and resets checked", count, words),
        Check("rtl", "inner", "y", f"each of {len(inner)} inner units, {method}", sum(len(u.codes()) for u in inner)),
    ]


def compare(design, driven, results):
    """Raise CheckError at the first element that is not the golden model's."""
    wanted = [
        (int(y), k == len(vector) - 1) for vector in driven for k, y in enumerate(design.evaluate(vector).tolist())
    ]
    for number, (want, got) in enumerate(zip(wanted, results)):
        if want != got:
            raise CheckError(f"Output {number} must be {want[0]} with last {int(want[1])}, not {got[0]} with {int(got[1])}")
    if len(results) != len(wanted):
        raise CheckError(f"Received {len(results)} of {len(wanted)} outputs")


def run_verilog(verilog, design, driven, *, stalls=(0,), timeout=300):
    """Simulate Verilog text on vectors, one after the other, once for each of `stalls`.

    Parameters
    ----------
    verilog : str
    design : SoftmaxDesign
    driven : list of list of int
    stalls : sequence of int
        Seeds of random stalls; 0 runs at full rate.
    timeout : float
        Seconds for each of translation, compilation and run.

    Returns
    -------
    list of list of (int, bool)
        For each seed, output codes and their `last`.

    Raises
    ------
    CheckError
        If a handshake's rule is broken.
    ToolError
        If g++ or pyosys is missing or fails.
    """
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        folder = Path(folder)
        _build(verilog, design, folder, timeout)
        elements(design, driven).tofile(folder / "elements")
        return [_run(design, folder, seed, timeout) for seed in stalls]


def _run(design, folder, seed, timeout):
    command = [str(folder / "simulate"), "elements", "results", str(seed * 0x9E3779B97F4A7C15 % 2**64)]
    report = json.loads(run(command, folder=folder, name="simulate", timeout=timeout))
    if report["violation"]:
        raise CheckError(f"{report['violation']}, not as in cycle {report['cycle']}")
    results = np.fromfile(folder / "results", dtype=np.int64).reshape(-1, 2)
    return list(zip(design.output.from_bits(results[:, 0]).tolist(), results[:, 1].astype(bool).tolist()))


def elements(design, driven):
    """Bits and `last` of every element (int64, two columns); every other longest vector comes without `last`."""
    codes = design.input.to_bits(np.array(list(chain.from_iterable(driven)), dtype=np.int64))
    last = np.zeros(len(codes), dtype=np.int64)
    ends = np.cumsum([len(vector) for vector in driven]) - 1
    last[[end for k, end in enumerate(ends) if k % 2 or len(driven[k]) < design.length]] = 1
    return np.stack([codes, last], axis=1)


def _build(verilog, design, folder, timeout):
    """Leave the program ``simulate`` in `folder`."""
    (folder / "unit.v").write_text(verilog, encoding="utf-8")
    passes = ["read_verilog -nosynthesis -defer unit.v", f"hierarchy -check -top {design.name}", "proc", "flatten", "opt_clean"]
    run_yosys([*passes, "write_cxxrtl -g0 unit.cc"], folder, timeout=timeout)
    lines = [
        '#include "unit.cc"',
        f"#define DUT cxxrtl_design::p_{design.name.replace('_', '__')}",
        f"#define WIDEST {(1 << design.input.width) - 1}ull",
        f"#define PATIENCE {4 * design.length + 400}",
    ]
    if design.reset != "none":
        low = design.reset.endswith("low")
        lines += [f"#define RESET p_rst{'__n' if low else ''}", f"#define ACTIVE {0 if low else 1}u"]
    driver = Path(__file__).with_name("simulate.cc").read_text(encoding="utf-8")
    (folder / "simulate.cc").write_text("\n".join(lines) + "\n" + driver, encoding="utf-8")
    runtime = yosys_share() / "include" / "backends" / "cxxrtl" / "runtime"
    command = [*_COMPILER, f"-I{runtime}", "-I.", "simulate.cc", "-o", "simulate"]
    run(command, folder=folder, name="g++", timeout=timeout)

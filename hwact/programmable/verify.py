"""Verification of programmable units and of images."""

import json
import tempfile
from pathlib import Path

import numpy as np

from ..errors import CheckError, RequestError
from ..synth.tools import named, run, run_yosys, yosys_share
from ..verify import Check
from ..verify.golden import check_golden as check_function
from .probes import codes_of, order_of, probes, transfers
from .verilog import ports

__all__ = ["check_circuit", "check_image", "check_model", "climb", "run_verilog"]

_COMPILER = ("g++", "-std=c++14", "-O1", "-w")
#: Codes for which the golden model is compared with Python's own integers.
_SPOTS = 512


def climb(level, design, verilog):
    """Establish one rung of a unit, ``golden`` or ``rtl``, alone.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        If a check fails.
    RequestError
        If a programmable unit has no such rung.
    """
    if level == "golden":
        return check_model(design)
    if level == "rtl":
        return check_circuit(design, verilog)
    raise RequestError(
        f"Level must be golden or rtl for a programmable unit, whose tables are too many for more, not {level}"
    )


def check_model(design):
    """Compare the golden model with exact integers and a search from the first segment on, for `probes`.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        At the first code whose output differs.
    """
    tables = probes(design)
    codes = codes_of(design, tables)
    spots = codes[np.linspace(0, len(codes) - 1, min(_SPOTS, len(codes)), dtype=np.int64)]
    for number, table in enumerate(tables[:-1]):  # the last one's starts do not rise
        for code, output in zip(spots.tolist(), design.evaluate(table, spots).tolist()):
            wanted = _exactly(design, table, code)
            if output != wanted:
                raise CheckError(f"Output of code {code} with table {number} must be {wanted}, not {output}")
    method = f"golden model equals exact integers with {len(tables) - 1} tables: lines, extremes"
    return [Check("golden", "model", "y", method, len(spots), "evenly spaced codes")]


def _exactly(design, table, code):
    segment = max(k for k in range(design.segments) if k == 0 or table.starts[k] <= code)
    total = table.slopes[segment] * code + table.intercepts[segment]
    return min(max(total >> design.shift, design.output.min_code), design.output.max_code)


def check_image(image, measured=None, tick=None):
    """Check an image on every code: the bound against rigorous enclosures, and the unit's arithmetic with its words.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        At the first code whose output the bound does not allow, or that the words do not give.
    """
    checks = check_function(image.design, measured, tick)
    _check_words(image)
    codes = image.design.codes()
    outputs = image.unit.evaluate(image.contents, codes)
    wrong = outputs != image.evaluate(codes)
    if wrong.any():
        raise CheckError(f"Output y of code {codes[wrong.argmax()]} must be the image's, not {outputs[wrong.argmax()]}")
    method = f"the unit's golden model with the words of the image equals the image's, unit {image.unit.digest[:12]}"
    return [*checks, Check("golden", "words", "y", method, len(codes))]


def _check_words(image):
    """The words of an image, taken apart again, are its tables."""
    from .registers import SEGMENT, SHADOW, window_bytes, word_fields

    fields, unit = word_fields(image.unit), image.unit
    found = {}
    for address, value in image.writes:
        segment, word = divmod(address - SHADOW * window_bytes(unit), SEGMENT)
        name, low, _ = fields[word // 4]
        found[name, segment] = found.get((name, segment), 0) | value << low
    sizes = {"start": (unit.input.width, unit.input.signed), "slope": (unit.slope.width, True)}
    sizes["intercept"] = unit.intercept_bits, True
    for (name, segment), bits in found.items():
        width, signed = sizes[name]
        value = bits - (1 << width) * (signed and bits >> width - 1)
        wanted = getattr(image.contents, name + "s")[segment]
        if value != wanted and (name, segment) != ("start", 0):
            raise CheckError(f"Word of {name} {segment} must hold {wanted}, not {value}")


def check_circuit(design, verilog):
    """Compare the Verilog with the golden model for `probes`, loaded over the bus, swapped under traffic.

    Full rate and random stalls of codes, results and bus; resets in flight; every word read back from both banks.

    Parameters
    ----------
    design : ProgrammableDesign
    verilog : str

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        At the first output that differs, or if a rule of the streams or of the bus is broken.
    ToolError
        If Yosys or the C++ compiler is missing or breaks.
    """
    tables = probes(design)
    codes = codes_of(design, tables)
    for results in run_verilog(verilog, design, tables, codes, stalls=(0, 1)):
        compare(design, tables, codes, results)
    coverage = "every code" if len(codes) == 1 << design.input.width else "codes around starts, evenly spaced codes"
    method = f"Verilog equals golden model with {len(tables)} tables loaded over the bus, compiled simulation (CXXRTL)"
    stalled = "the same under random stalls, with resets; every result is of one bank, swaps take effect in order"
    bus = "every word read back from both banks; partial strobes, errors, protocol"
    tools = (named("g++"),)
    return [
        Check("rtl", "circuit", "y", method, len(codes), coverage, tools),
        Check("rtl", "swaps", "y", stalled, len(codes), coverage, tools),
        Check("rtl", "bus", "y", f"{design.bus}: {bus}", len(codes), "all registers", tools),
    ]


def compare(design, tables, codes, results):
    """Raise CheckError at the first result that is not of one of the tables that it can have seen, in order.

    Parameters
    ----------
    results : numpy.ndarray of int64, shape (n, 4)
        Number of the code, output code, least and most swaps.
    """
    outputs_of = [design.evaluate(table, codes) for table in tables]
    wanted = np.stack([outputs_of[table] for table in order_of(tables)])
    numbers, outputs, least, most = results.T
    known = least > 0  # before the first swap nothing is known of the tables
    sure = known & (least == most)
    wrong = sure & (wanted[np.maximum(least, 1) - 1, numbers] != outputs)
    if wrong.any():
        k = int(wrong.argmax())
        right = wanted[least[k] - 1, numbers[k]]
        raise CheckError(f"Output of code {codes[numbers[k]]} after swap {least[k]} must be {right}, not {outputs[k]}")
    swaps = 0
    for k in np.flatnonzero(known & ~sure):
        seen = range(max(swaps, int(least[k])), int(most[k]) + 1)
        swaps = next((swap for swap in seen if wanted[swap - 1, numbers[k]] == outputs[k]), None)
        if swaps is None:
            raise CheckError(f"Output of code {codes[numbers[k]]} must be of one table, not {outputs[k]}")
    seen = set(zip(least[sure].tolist(), numbers[sure].tolist()))
    if len({pair for pair in seen if 0 < pair[0] <= len(tables)}) < len(tables) * len(codes):
        raise CheckError(f"Received {len(seen)} of {len(tables) * len(codes)} outputs")


def run_verilog(verilog, design, tables, codes, *, stalls=(0,), timeout=600):
    """Simulate Verilog text with tables, one after the other, once for each of `stalls`.

    Parameters
    ----------
    verilog : str
    design : ProgrammableDesign
    tables : list of Contents
    codes : numpy.ndarray of int64
    stalls : sequence of int
        Seeds of random stalls; 0 runs at full rate.
    timeout : float
        Seconds for each of translation, compilation and run.

    Returns
    -------
    list of numpy.ndarray
        For each seed, what `compare` takes.

    Raises
    ------
    CheckError
        If a rule of the streams or of the bus is broken.
    ToolError
        If g++ or pyosys is missing or fails.
    """
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        folder = Path(folder)
        _build(verilog, design, folder, timeout)
        design.input.to_bits(codes).tofile(folder / "codes")
        np.array(transfers(design, tables), dtype=np.int64).tofile(folder / "transfers")
        return [_run(design, folder, seed, timeout) for seed in stalls]


def _run(design, folder, seed, timeout):
    command = [str(folder / "simulate"), "codes", "transfers", "results", str(seed * 0x9E3779B97F4A7C15 % 2**64)]
    report = json.loads(run(command, folder=folder, name="simulate", timeout=timeout))
    if report["violation"]:
        raise CheckError(f"{report['violation']}, not as in cycle {report['cycle']}")
    results = np.fromfile(folder / "results", dtype=np.int64).reshape(-1, 4)
    results[:, 1] = design.output.from_bits(results[:, 1])
    return results


def _build(verilog, design, folder, timeout):
    """Leave the program ``simulate`` in `folder`."""
    (folder / "unit.v").write_text(verilog, encoding="utf-8")
    passes = ["read_verilog -nosynthesis -defer unit.v", f"hierarchy -check -top {design.name}", "proc", "flatten", "opt_clean"]
    run_yosys([*passes, "write_cxxrtl -g0 unit.cc"], folder, timeout=timeout)
    lines = [
        '#include "unit.cc"',
        f"#define DUT cxxrtl_design::p_{design.name.replace('_', '__')}",
        f"#define PATIENCE {100 * (design.latency + 10)}",
        *(["#define AXI"] if design.bus == "axi-lite" else []),
    ]
    if "rst" in ports(design):
        low = design.reset.endswith("low")
        lines += [f"#define RESET p_rst{'__n' if low else ''}", f"#define ACTIVE {0 if low else 1}u"]
    driver = Path(__file__).with_name("simulate.cc").read_text(encoding="utf-8")
    (folder / "simulate.cc").write_text("\n".join(lines) + "\n" + driver, encoding="utf-8")
    runtime = yosys_share() / "include" / "backends" / "cxxrtl" / "runtime"
    command = [*_COMPILER, f"-I{runtime}", "-I.", "simulate.cc", "-o", "simulate"]
    run(command, folder=folder, name="g++", timeout=timeout)

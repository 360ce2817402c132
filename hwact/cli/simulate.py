"""``hwact simulate``."""

import tempfile
from pathlib import Path

import click

from ..errors import CheckError
from ..output import Unit
from ..sideband.output import SidebandFiles
from ..verify import Check
from .common import Verb, echo_json, json_option, progress, show_table
from .verify import record

__all__ = ["bench_check", "simulate"]

EPILOG = """
hwact simulate tanh
hwact simulate tanh --simulator icarus --json
hwact simulate tanh --samples 65536 --seed 7
"""


@click.command("simulate", cls=Verb, epilog=EPILOG, short_help="Run a unit's cocotb bench.")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option(
    "--simulator",
    type=click.Choice(("auto", "verilator", "icarus")),
    default="auto",
    show_default=True,
    help="Verilator comes with hwact; Icarus is used where it is installed.",
)
@click.option(
    "--samples", type=click.IntRange(1), default=4096, show_default=True, help="Codes in each test."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Seed of the codes' order and the stalls."
)
@json_option
def simulate(folder, simulator, samples, seed, as_json):
    """Run the cocotb bench on the Verilog in FOLDER: full rate, random stalls, reset in flight.

    A programmable unit has its tables loaded, swapped under traffic and read back, with its own samples and seeds.
    """
    unit = Unit.read(folder)
    if isinstance(unit, SidebandFiles):
        _simulate_vectors(unit, folder, simulator, as_json)
        return
    with progress("Simulating with cocotb"):
        if hasattr(unit, "bench_check"):
            result, check = unit.bench_check(folder, simulator)
        else:
            unit = Unit.read_function(folder)
            result, check = bench_check(unit, folder, simulator, samples, seed)
    unit.certify([check])
    record(unit, folder)
    if as_json:
        echo_json({"name": unit.design.name, **result.to_dict()})
    else:
        row = (result.simulator, result.samples, result.cycles, "passed")
        show_table(unit.design.name, ("simulator", "results compared", "cycles", "result"), [row])


def _simulate_vectors(unit, folder, simulator, as_json):
    """Run the bench of the folder itself."""
    with progress("Simulating with cocotb"):
        check = unit.bench_check(folder, simulator)
    unit.certify([check])
    record(unit, folder)
    if as_json:
        echo_json({"name": unit.design.name, "passed": True, "method": check.method})
    else:
        show_table(unit.design.name, ("bench", "result"), [(check.method, "passed")])


def bench_check(unit, folder, simulator="auto", samples=4096, seed=1):
    """Run the bench; its result, and the check that it amounts to.

    Raises
    ------
    CheckError
        If a test fails.
    ToolError
        If the simulator is missing.
    """
    from ..sim.runner import run_bench

    with tempfile.TemporaryDirectory(prefix="hwact-") as build:
        path = Path(folder, f"{unit.design.name}.v")
        result = run_bench(path, unit.design, build, simulator=simulator, samples=samples, seed=seed)
    if not result.passed:
        raise CheckError(result.messages[0] if result.messages else "Bench must run its tests, not none")
    outputs = " and ".join(channel.name for channel in unit.design.channels)
    method = f"cocotb bench with stalls and resets, {result.simulator}, {result.samples} results"
    return result, Check("bench", "bench", outputs, method, min(samples, len(unit.design.codes())), "random codes")

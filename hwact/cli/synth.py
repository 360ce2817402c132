"""``hwact synth``."""

import contextlib
import functools
import sys

import click

from ..errors import ToolError
from ..output import Unit
from .common import Verb, echo_json, json_option, show_table

__all__ = ["report_table", "steps_bar", "synth"]

EPILOG = """
hwact synth tanh --target ice40
hwact synth tanh --target ecp5 --target ice40-up5k --seeds 3 --json
hwact synth tanh --target generic --target xilinx7
hwact synth tanh --target ice40 --no-place
"""


@click.command("synth", cls=Verb, epilog=EPILOG, short_help="Synthesise, place and route a unit.")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option(
    "--target",
    "targets",
    multiple=True,
    default=("ice40",),
    show_default=True,
    help="ice40, ecp5, gowin, a device such as ice40-up5k, xilinx7 or generic; repeatable.",
)
@click.option("--dsp/--no-dsp", default=False, show_default=True, help="Let multipliers become DSP blocks.")
@click.option(
    "--bram/--no-bram",
    default=None,
    help="Let tables and buffers become block RAMs; left out, only those of a softmax or a parametric unit.",
)
@click.option(
    "--place/--no-place", default=True, show_default=True, help="Place and route, for the clock frequency."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the first placement.")
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    metavar="N",
    help="Placements; the best frequency and the median are reported.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Tools side by side; as many as processors if left out."
)
@json_option
def synth(folder, targets, dsp, bram, place, seed, seeds, jobs, as_json):
    """Synthesise the unit in FOLDER with Yosys and nextpnr, and report resources and clock frequency.

    A combinational unit is placed between registers, which are not counted. xilinx7 and generic are
    synthesised alone; generic counts two-input NAND gates, an inverter as one.
    """
    from ..synth import find_target, in_parallel, limit_tools, steps, synthesise

    chosen = [find_target(name) for name in targets]
    unit = Unit.read(folder)
    text = unit.verilog_text(folder)
    bram = unit.buffers if bram is None else bram
    numbers = range(seed, seed + seeds)
    if jobs is not None:
        limit_tools(jobs)
    with steps_bar("Synthesising", sum(steps(target, place, numbers) for target in chosen)) as advance:
        options = {"place": place, "seeds": numbers, "dsp": dsp, "bram": bram, "clock": unit.clock, "advance": advance}
        reports = in_parallel(
            functools.partial(synthesise, text, unit.design.name, target, **options) for target in chosen
        )
    failed = next((report for report in reports if report.status == "failed"), None)
    if failed is None and as_json:
        rows = [{"digest": unit.design.digest, **report.to_dict()} for report in reports]
        echo_json(rows[0] if len(rows) == 1 else rows)
    elif not as_json and (done := [report for report in reports if report.cells]):
        show_table(unit.design.name, *report_table(done))
    if failed is not None:
        raise ToolError(f"Synthesis for {failed.target} must succeed, not fail: {failed.reason}")


@contextlib.contextmanager
def steps_bar(text, total):
    """A function that moves a bar of `total` steps on a terminal's standard error; nothing shows where it is piped."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=total)
        yield lambda: bar.advance(task)


_COLUMNS = {
    "LUTs": "luts",
    "carries": "carries",
    "muxes": "muxes",
    "NAND2": "gates",
    "FFs": "ffs",
    "DSPs": "dsps",
    "BRAM bits": "bram_bits",
}
#: Columns that are shown only where they count something.
_SELDOM = ("muxes", "NAND2")


def report_table(reports):
    """Columns and rows that show reports of synthesised units."""
    shown = [name for name in _COLUMNS if name not in _SELDOM or any(_counts(report, name) for report in reports)]
    several = any(len(report.seeds) > 1 for report in reports)
    rows = [
        (
            report.target,
            *(_counts(report, name) for name in shown),
            _frequency(report.fmax_mhz),
            *((_frequency(report.fmax_median_mhz), len(report.seeds)) if several else ()),
        )
        for report in reports
    ]
    return ("target", *shown, "fmax MHz", *(("median MHz", "seeds") if several else ())), rows


def _counts(report, name):
    return getattr(report.cells, _COLUMNS[name])


def _frequency(mhz):
    return "-" if mhz is None else f"{mhz:.1f}"

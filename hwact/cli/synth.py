"""``hwact synth``."""

import click

from ..errors import ToolError
from ..output import Unit
from .common import Verb, echo_json, json_option, progress, show_table

__all__ = ["REPORT_COLUMNS", "report_row", "synth"]

EPILOG = """
hwact synth tanh --target ice40
hwact synth tanh --target ecp5 --target ice40-up5k --json
hwact synth tanh --target ice40 --no-place
"""

REPORT_COLUMNS = ("target", "LUTs", "carries", "FFs", "DSPs", "BRAM bits", "fmax MHz")


@click.command("synth", cls=Verb, epilog=EPILOG, short_help="Synthesise, place and route a unit.")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option(
    "--target",
    "targets",
    multiple=True,
    default=("ice40",),
    show_default=True,
    help="ice40, ecp5, gowin, or a device such as ice40-up5k; repeatable.",
)
@click.option("--dsp/--no-dsp", default=False, show_default=True, help="Let multipliers become DSP blocks.")
@click.option(
    "--bram/--no-bram",
    default=None,
    help="Let tables and buffers become block RAMs; left out, only those of a softmax.",
)
@click.option(
    "--place/--no-place", default=True, show_default=True, help="Place and route, for the clock frequency."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the placement.")
@json_option
def synth(folder, targets, dsp, bram, place, seed, as_json):
    """Synthesise the unit in FOLDER with Yosys and nextpnr, and report resources and clock frequency.

    A combinational unit is placed between registers, which are not counted.
    """
    from ..synth import find_target, synthesise

    chosen = [find_target(name) for name in targets]
    unit = Unit.read(folder)
    text = unit.verilog_text(folder)
    bram = unit.buffers if bram is None else bram
    reports = []
    for target in chosen:
        with progress(f"Synthesising for {target.name}"):
            reports.append(
                synthesise(text, unit.design.name, target, place=place, seed=seed, dsp=dsp, bram=bram)
            )
    failed = next((report for report in reports if report.status == "failed"), None)
    if failed is None and as_json:
        rows = [{"digest": unit.design.digest, **report.to_dict()} for report in reports]
        echo_json(rows[0] if len(rows) == 1 else rows)
    elif not as_json and (rows := [report_row(report) for report in reports if report.cells]):
        show_table(unit.design.name, REPORT_COLUMNS, rows)
    if failed is not None:
        raise ToolError(f"Synthesis for {failed.target} must succeed, not fail: {failed.reason}")


def report_row(report):
    """One report as a row of `REPORT_COLUMNS`."""
    cells = report.cells
    fmax = "-" if report.fmax_mhz is None else f"{report.fmax_mhz:.1f}"
    return report.target, cells.luts, cells.carries, cells.ffs, cells.dsps, cells.bram_bits, fmax

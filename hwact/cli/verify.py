"""``hwact verify``."""

import time

import click

from ..emit import check_seal, find_manifest
from ..errors import CheckError, RequestError
from ..output import Unit
from ..verify import DEFAULT_SECONDS, LEVELS, UndecidedError
from .common import Verb, bar, echo_json, json_option, show_table

__all__ = ["record", "verify"]

EPILOG = """
hwact verify tanh
hwact verify tanh --level golden --json
hwact verify tanh --level proof --time-limit 60
hwact verify tanh --level bitstream
"""

DOING = {
    "golden": "Checking the golden model on every code",
    "rtl": "Simulating the Verilog on every code",
    "proof": "Proving the Verilog for every input",
    "netlist": "Simulating the netlists on every code",
    "bitstream": "Simulating the bitstream on every code",
}
COLUMNS = ("level", "check", "output", "codes", "coverage", "result", "method")


@click.command("verify", cls=Verb, epilog=EPILOG, short_help="Verify a unit, from the function to the bitstream.")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="rtl",
    show_default=True,
    help="How far down: the model against the function; the Verilog against the model; a SAT proof of the Verilog; "
    "the netlists for iCE40 and ECP5; their bitstreams. Each includes those before.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    default=DEFAULT_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Give up a proof after that long; it is then not decided.",
)
@json_option
def verify(folder, level, time_limit, as_json):
    """Verify the unit in FOLDER on every input code, and record that in its certificate and datasheet.

    A folder in which a file is not as it was certified is refused.
    """
    find_manifest(folder)
    check_seal(folder)
    unit = Unit.read(folder)
    seconds, notes = {}, []
    for rung in unit.rungs(level):
        began = time.monotonic()
        try:
            with bar(DOING[rung]) as tick:
                unit.climb(folder, rung, time_limit, tick, notes.append)
        except Exception as error:
            _record_failure(unit, folder, rung, error)
            raise
        seconds[rung] = round(time.monotonic() - began, 3)
    record(unit, folder)
    certificate = unit.certificate.to_dict()
    if as_json:
        echo_json({"name": unit.design.name, "passed": True, **certificate, "seconds": seconds, "notes": notes})
        return
    rows = [[check[column] for column in COLUMNS] for check in certificate["checks"]]
    show_table(f"{unit.design.name}, digest {unit.design.digest[:12]}", COLUMNS, rows)
    for note in notes:
        click.echo(note)
    click.echo("Took " + ", ".join(f"{rung} {took:.1f} s" for rung, took in seconds.items()))


def _record_failure(unit, folder, rung, error):
    """Keep the rungs that were passed; a rung that failed is certified no longer."""
    if isinstance(error, CheckError) and not isinstance(error, UndecidedError):
        unit.disown(rung)
    record(unit, folder)


def record(unit, folder):
    """Write the certificate into the folder; a folder that cannot be written gets a note instead."""
    try:
        unit.record(folder)
    except RequestError as error:
        click.echo(f"hwact: What passed was not recorded: {error}", err=True)

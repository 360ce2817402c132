"""``hwact verify``."""

import click

from ..errors import RequestError
from ..output import Unit
from ..verify import check_circuit
from .common import Verb, echo_json, json_option, progress, show_table

__all__ = ["record", "verify"]

EPILOG = """
hwact verify tanh
hwact verify tanh --level golden --json
"""


@click.command("verify", cls=Verb, epilog=EPILOG, short_help="Verify a unit on every input code.")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option(
    "--level",
    type=click.Choice(("golden", "rtl")),
    default="rtl",
    show_default=True,
    help="golden: the model against the function; rtl: and the Verilog against the model.",
)
@json_option
def verify(folder, level, as_json):
    """Verify the unit in FOLDER on every input code, and record that in its manifest and datasheet."""
    unit = Unit.read(folder)
    text = unit.verilog_text(folder) if level == "rtl" else None
    with progress("Checking the golden model"):
        unit.check_golden()
    if level == "rtl":
        with progress("Simulating the Verilog on every code"):
            unit.certify(check_circuit(unit.design, text), text)
    record(unit, folder)
    certificate = unit.certificate.to_dict()
    if as_json:
        echo_json({"name": unit.design.name, "passed": True, **certificate})
        return
    rows = [(c["check"], c["output"], c["codes"], c["result"], c["method"]) for c in certificate["checks"]]
    title = f"{unit.design.name}, digest {unit.design.digest[:12]}"
    show_table(title, ("check", "output", "codes", "result", "method"), rows)


def record(unit, folder):
    """Write the certificate into the folder; a folder that cannot be written gets a note instead."""
    try:
        unit.record(folder)
    except RequestError as error:
        click.echo(f"hwact: The checks passed but were not recorded: {error}", err=True)

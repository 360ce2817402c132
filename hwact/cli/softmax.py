"""``hwact softmax``."""

import json

import click

from ..design import RESETS
from ..emit import write_folder
from ..emit.folder import check_folder
from .common import Verb, echo_json, json_option, progress, show_table

__all__ = ["softmax"]

EPILOG = """
hwact softmax --input SQ4.4 --output UQ0.8 --length 64
hwact softmax --input SQ4.8 --output UQ0.12 --length 1000 --bound 1.5ulp --multiplier dsp -o attention
hwact softmax --input UQ5.3 --output SQ1.11 --length 10 --bound 2^-10 --reset async-low --json
"""


@click.command("softmax", cls=Verb, epilog=EPILOG, short_help="Generate a softmax over vectors, with its guarantees.")
@click.option("--input", "input_", required=True, metavar="FORMAT", help="Input format, such as SQ4.4.")
@click.option("--output", required=True, metavar="FORMAT", help="Output format, such as UQ0.8 or SQ1.15.")
@click.option("--length", type=int, required=True, metavar="N", help="Most elements of a vector.")
@click.option(
    "--bound",
    default="faithful",
    show_default=True,
    help="Of every output: faithful (< 1 ulp), 1.5ulp, 2^-10, 1e-3; above 1/2 ulp.",
)
@click.option(
    "--multiplier",
    type=click.Choice(("logic", "dsp")),
    default="logic",
    show_default=True,
    help="How exponentials and quotients are multiplied.",
)
@click.option("--reset", type=click.Choice(RESETS), default="sync-high", show_default=True, help="Kind of reset.")
@click.option("--name", default="softmax", show_default=True, help="Name of the Verilog module.")
@click.option("-o", "folder", type=click.Path(file_okay=False), help="Output folder; ./NAME if left out.")
@click.option("--force", is_flag=True, help="Write into a folder that holds other files.")
@json_option
def softmax(input_, folder, force, as_json, **request):
    """Generate a streaming softmax over vectors of at most N elements.

    Its inner widths are chosen so that the bound is proved for every vector. The proof rests on the exponential
    and the reciprocal, which are checked on every code before anything is written.
    """
    from ..softmax import SoftmaxSpec
    from ..softmax.output import SoftmaxUnit

    spec = SoftmaxSpec(input=input_, **request)
    target = folder or spec.name
    check_folder(target, spec.name, overwrite=force)
    with progress("Fitting exponential and reciprocal"):
        unit = SoftmaxUnit(spec.design(), spec.command())
        unit.check_golden()
    with progress("Writing files"):
        files = unit.files()
        write_folder(target, files, overwrite=force)
    contents = json.loads(files[f"{spec.name}.json"])
    del contents["design"]
    if as_json:
        echo_json({**contents, "folder": target})
    else:
        _show(unit.design, contents, target)


def _show(design, contents, folder):
    proved = contents["guarantee"]
    columns = ("length", "max ulp", "sum within ulp", "order", "exponential", "stored", "reciprocal")
    row = (
        design.length,
        f"{proved['max_error_ulp']:.4g}",
        f"{proved['max_sum_error_ulp']:.4g}",
        proved["order"],
        design.exponential.format,
        design.stored,
        design.reciprocal.channels[0].format,
    )
    show_table(f"{design.name}, proved for every vector", columns, [row])
    click.echo(f"Wrote {folder}, digest {contents['digest'][:12]}")

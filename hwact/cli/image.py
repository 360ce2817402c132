"""``hwact image``."""

import json

import click

from ..emit import check_seal, find_manifest
from ..emit.folder import check_folder, write_folder
from ..emit.header import figures
from ..errors import RequestError
from .common import Verb, echo_json, json_option, progress, show_table
from .options import parameter_option, read_function

__all__ = ["image"]

EPILOG = """
hwact image gelu --for programmable
hwact image "x*sigmoid(b*x)" --parameter b=1.702 --for programmable --bound auto -o swish
hwact image sqrt --for programmable --domain 0:7 --bound 2ulp --json
"""


@click.command("image", cls=Verb, epilog=EPILOG, short_help="Compile a function for a programmable unit.")
@click.argument("function")
@parameter_option
@click.option("--for", "unit", required=True, type=click.Path(file_okay=False), help="Folder of the programmable unit.")
@click.option(
    "--bound",
    default="faithful",
    show_default=True,
    help="faithful (< 1 ulp), correct (<= 1/2 ulp), 1.5ulp, 2^-10, 1e-3; auto is the tightest that fits, in 1/8 ulp.",
)
@click.option("--domain", metavar="A:B", help="Only input values from A to B, both included, such as 0.5:7.5.")
@click.option("--name", help="Name of the image; the function's if left out.")
@click.option("-o", "folder", type=click.Path(file_okay=False), help="Output folder; ./NAME if left out.")
@click.option("--force", is_flag=True, help="Write into a folder that holds other files.")
@json_option
def image(function, parameter, unit, bound, domain, name, folder, force, as_json):
    """Compile FUNCTION, a name of the catalogue or an expression in x, to tables of a programmable unit.

    The fewest segments that the unit's slopes allow; every output is checked before anything is written.
    """
    from ..output import Unit
    from ..programmable import ImageSpec, ProgrammableDesign
    from ..programmable.output import ImageUnit

    find_manifest(unit)
    check_seal(unit)
    design = Unit.read(unit).design
    if not isinstance(design, ProgrammableDesign):
        raise RequestError(f"Folder must hold a programmable unit, not {unit!r}")
    spec = ImageSpec(design, read_function(function, parameter), bound, domain, name)
    target = folder or spec.name
    check_folder(target, spec.name, overwrite=force)
    with progress(f"Fitting {spec.function.text}"):
        made = spec.image()
    with progress("Checking every code"):
        output = ImageUnit(made, spec.command(design.name))
        output.check_golden()
    files = output.files()
    write_folder(target, files, overwrite=force)
    contents = json.loads(files[f"{spec.name}.json"])
    del contents["design"]
    if as_json:
        echo_json({**contents, "folder": target})
    else:
        _show(contents, made, target)


def _show(contents, made, folder):
    output = contents["outputs"][0]
    columns = ("function", "bound", "segments", "of", "max ulp", "mean ulp")
    errors = (figures(output["max_error_ulp"]), figures(output["mean_error_ulp"]))
    row = (output["expression"], output["bound"], output["segments"], made.unit.segments, *errors)
    show_table(f"{made.name}, every code checked", columns, [row])
    click.echo(f"Wrote {folder}, digest {contents['digest'][:12]}, for unit {made.unit.name} {made.unit.digest[:12]}")

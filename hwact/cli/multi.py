"""``hwact generate --functions``: one unit for several functions."""

import json
import re

import click

from ..emit.folder import check_folder, write_folder
from ..emit.header import figures
from ..errors import RequestError
from ..functions import catalog
from .common import echo_json, progress, show_table

__all__ = ["functions_option", "generate_multi"]

functions_option = click.option(
    "--functions",
    multiple=True,
    metavar="F,G,...",
    help="Several functions in one unit, chosen by a select input; names or expressions, with commas or repeated.",
)


def read_functions(texts, parameters, read):
    """The functions of a command line, each with the parameters that it uses.

    Parameters
    ----------
    texts : sequence of str
        Values of ``--functions``.
    parameters : sequence of str
        Values of ``--parameter``, for all functions that use the name.
    read : function
        Reads one function with its parameters.
    """
    from ..multi.spec import split_functions

    words = [word for text in texts for word in split_functions(text)]
    used, found = set(), []
    for text in words:
        entry = getattr(catalog, text, None)
        names = {name for name, _ in entry.parameters} if entry else set(re.findall(r"[A-Za-z_]\w*", text))
        own = [item for item in parameters if item.partition("=")[0].strip() in names]
        used.update(own)
        found.append(read(text, own))
    for item in parameters:
        if item not in used:
            raise RequestError(f"Parameter must be one of a function's, not {item!r}")
    return found


def generate_multi(functions, folder, force, as_json, request):
    """Fit, check and write a unit of several functions.

    Parameters
    ----------
    functions : sequence of Function
    folder : str or None
    force, as_json : bool
    request : dict
        What `MultiSpec` takes.
    """
    from ..multi import MultiSpec
    from ..multi.output import MultiFiles

    spec = MultiSpec(functions, **request)
    place = folder or spec.name
    check_folder(place, spec.name, overwrite=force)
    with progress(f"Fitting {len(functions)} functions") as show:
        design = spec.design(tried=show)
    with progress("Checking every code"):
        unit = MultiFiles(design, spec.command())
        unit.check_golden()
    with progress("Writing files"):
        files = unit.files()
        write_folder(place, files, overwrite=force)
    contents = json.loads(files[f"{spec.name}.json"])
    del contents["design"]
    if as_json:
        echo_json({**contents, "folder": place})
        return
    rows = [
        (one["select"], output["name"], output["expression"], output["method"])
        + tuple(figures(output[f"{kind}_error_ulp"]) for kind in ("max", "mean"))
        for one in contents["functions"]
        for output in one["outputs"]
    ]
    show_table(
        f"{design.name}, every code checked", ("select", "output", "function", "method", "max ulp", "mean ulp"), rows
    )
    click.echo(f"Wrote {place}, digest {contents['digest'][:12]}")

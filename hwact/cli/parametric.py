"""``hwact generate --parametric``: a unit between two products with parameters of its channel."""

import json

import click

from ..emit.folder import check_folder, write_folder
from ..emit.header import figures
from ..errors import RequestError
from .common import echo_json, progress, show_table

__all__ = ["generate_parametric", "parametric_options"]

_DEFAULTS = {"channels": 16, "alpha": "UQ1.7", "beta": "UQ1.7"}


def parametric_options(command):
    """The options of a parametric unit."""
    options = (
        click.option("--parametric", is_flag=True, help="beta * f(alpha * x), alpha and beta from a memory."),
        click.option("--channels", type=int, help="Pairs of alpha and beta, a power of two; 16 if left out."),
        click.option("--alpha", metavar="FORMAT", help="Format of alpha; UQ1.7 if left out."),
        click.option("--beta", metavar="FORMAT", help="Format of beta; UQ1.7 if left out."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def own_request(request):
    """What is asked for of a parametric unit alone, taken out of the options; None where none is.

    Raises
    ------
    RequestError
        If there are formats of parameters without ``--parametric``.
    """
    asked = request.pop("parametric")
    given = {name: request.pop(name) for name in _DEFAULTS}
    for name, value in given.items():
        if value is not None and not asked:
            raise RequestError(f"{name.capitalize()} must come with --parametric")
    if not asked:
        return None
    return {name: default if given[name] is None else given[name] for name, default in _DEFAULTS.items()}


def generate_parametric(function, own, folder, force, as_json, request):
    """Fit, check and write a parametric unit.

    Parameters
    ----------
    function : Function
    own : dict
        From `own_request`.
    folder : str or None
    force, as_json : bool
    request : dict
        What `Spec` takes.
    """
    from ..parametric import ParametricSpec
    from ..parametric.output import ParametricFiles

    spec = ParametricSpec(function, **own, **request)
    place = folder or spec.name
    check_folder(place, spec.name, overwrite=force)
    with progress(f"Fitting {function.text}"):
        design = spec.design()
    with progress("Checking every code"):
        unit = ParametricFiles(design, spec.command())
        unit.check_golden()
    with progress("Writing files"):
        files = unit.files()
        write_folder(place, files, overwrite=force)
    contents = json.loads(files[f"{spec.name}.json"])
    del contents["design"]
    if as_json:
        echo_json({**contents, "folder": place})
        return
    proved = contents["guarantee"]
    columns = ("channels", "alpha", "beta", "f max ulp", "all max ulp", "latency")
    errors = figures(proved["inner_max_error_ulp"]), figures(proved["max_error_ulp"])
    row = (design.channels_count, design.alpha, design.beta, *errors, design.latency)
    show_table(f"{design.name}, proved for every alpha, beta and code", columns, [row])
    click.echo(f"Wrote {place}, digest {contents['digest'][:12]}")

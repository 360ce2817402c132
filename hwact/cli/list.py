"""``hwact list``."""

import click

from ..functions import catalog
from .common import Verb, echo_json, json_option, show_table

__all__ = ["list_functions"]

EPILOG = """
hwact list
hwact list | grep odd
hwact list --json
"""


@click.command("list", cls=Verb, epilog=EPILOG)
@json_option
def list_functions(as_json):
    """List the functions of the catalogue."""
    functions = [catalog.get(name) for name in catalog.names()]
    if as_json:
        echo_json([_row(function) for function in functions])
        return
    rows = [(f.name, f.symmetry or "-", f.summary) for f in functions]
    show_table("Catalogue", ("function", "symmetry", "summary"), rows)


def _row(function):
    return {
        "name": function.name,
        "expression": function.text,
        "summary": function.summary,
        "symmetry": function.symmetry,
        "tails": list(function.tails),
        "source": function.source,
    }

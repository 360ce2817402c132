"""``hwact report``."""

import webbrowser
from pathlib import Path

import click

from ..errors import RequestError
from .common import Verb, bar, echo_json, json_option

__all__ = ["report"]

EPILOG = """
hwact report explore
hwact report explore -o tanh.html --title "tanh, 8 to 12 bits" --open
hwact report explore --x luts --y fmax_mhz
hwact report explore --png front.png --svg front.svg --x luts --y max_error_ulp
"""


def _picture(suffix):
    def check(context, parameter, path):
        if path is not None and path.suffix.lower() != suffix:
            raise RequestError(f"Option --{suffix[1:]} must name a {suffix} file, not {str(path)!r}")
        return path

    return check


@click.command(
    "report", cls=Verb, epilog=EPILOG, short_help="Make one interactive page, or pictures, of an exploration."
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page; FOLDER/report.html if left out.",
)
@click.option("--title", help="Title of the page and of the pictures; the folder's name if left out.")
@click.option("--x", "across", metavar="NAME", help="Number that goes across at first, such as luts or area.")
@click.option(
    "--y", "up", metavar="NAME", help="Number that goes up at first, such as max_error, max_error_ulp or fmax_mhz."
)
@click.option(
    "--png",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_picture(".png"),
    help="Draw the Pareto scatter as PNG, too.",
)
@click.option(
    "--svg",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_picture(".svg"),
    help="Draw the Pareto scatter as SVG, too.",
)
@click.option("--open", "show", is_flag=True, help="Show the page in the browser.")
@json_option
def report(folder, output, title, across, up, png, svg, show, as_json):
    """Make a page of the exploration in FOLDER: one HTML file, which needs no network.

    It shows the trade-off between any two numbers; the datasheet, the command and the curves of the point that is
    chosen; two points side by side; and all points as a table. An exploration that still runs can be looked at, too.
    """
    from ..explore.axes import axis
    from ..explore.report import write
    from ..explore.scatter import write_scatter
    from ..explore.store import Store

    for name in filter(None, (across, up)):
        axis(name)
    with Store(folder) as store:
        rows = store.rows()
        place = folder if folder.is_dir() else folder.parent
        output = output or place / "report.html"
        title = title or place.resolve().name
        written = [path for path in (output, png, svg) if path]
        for path in written:
            _check_folder(path)
        with bar("Packing curves") as tick:
            write(rows, store.packed_curves(), output, title, x=across, y=up, tick=tick)
        for path in written[1:]:
            write_scatter(rows, path, x=across, y=up, title=title)
    if as_json:
        echo_json({"points": len(rows), "files": [str(path) for path in written]})
    else:
        click.echo(f"{len(rows)} points: {', '.join(map(str, written))}")
    if show:
        webbrowser.open(output.resolve().as_uri())


def _check_folder(path):
    if not path.parent.is_dir() or path.is_dir():
        raise RequestError(f"File must be in a folder that exists, not {str(path)!r}")

"""``hwact show``."""

import click

from ..errors import RequestError
from ..fixed import SQ
from ..functions import Reference
from ..spec import parse_domain
from .common import Verb, echo_json, json_option
from .curves import characters, picture
from .options import parameter_option, read_function

__all__ = ["show"]

EPILOG = """
hwact show gelu
hwact show "x*sigmoid(b*x)" --parameter b=1.702 --range=-4:4
hwact show silu --plot silu.png
"""

_POINTS = 400
#: Fraction bits that plotted values are enclosed to.
_ACCURACY = 16


@click.command("show", cls=Verb, epilog=EPILOG, short_help="Show a function: formula, derivative, plot.")
@click.argument("function")
@parameter_option
@click.option("--range", "range_", default="-8:8", show_default=True, help="Values of x to plot, a:b.")
@click.option("--plot", type=click.Path(dir_okay=False), help="Write the plot to a .png or .svg file.")
@json_option
def show(function, parameter, range_, plot, as_json):
    """Show FUNCTION, a name of the catalogue or an expression in x: formula, derivative, source and plot."""
    chosen = read_function(function, parameter)
    derivative = chosen.derivative()
    grid = _grid(range_)
    if plot and not plot.endswith((".png", ".svg")):
        raise RequestError(f"Plot must be a .png or .svg file, not {plot!r}")
    if plot or not as_json:
        curves = {"f": _curve(chosen, *grid), "f'": _curve(derivative, *grid)}
    if plot:
        picture(plot, [(chosen.text, curves)])
    facts = {
        "name": chosen.name,
        "expression": chosen.text,
        "expanded": str(chosen.expression),
        "derivative": str(derivative.expression),
        "parameters": {name: str(value) for name, value in chosen.parameters},
        "symmetry": chosen.symmetry,
        "tails": list(chosen.tails),
        "summary": chosen.summary,
        "source": chosen.source,
    }
    if as_json:
        echo_json(facts)
        return
    for key, value in facts.items():
        if isinstance(value, dict):
            value = ", ".join(f"{name} = {number}" for name, number in value.items())
        elif isinstance(value, list):
            value = f"left: {value[0]}; right: {value[1]}" if any(value) else ""
        if value:
            click.echo(f"{key:>10}  {value}")
    if not plot:
        click.echo(characters(curves))


def _grid(text):
    """A format, and codes of it that are spread over the range `text`."""
    low, high = map(float, parse_domain(text))
    if not -(2.0**20) <= low < high <= 2.0**20:
        raise RequestError(f"Range must be rising numbers within +-2^20, not {text!r}")
    scale = next((scale for scale in range(32) if (high - low) * 2.0**scale >= _POINTS), None)
    if scale is None or max(-low, high) * 2.0**scale > 2.0**31:
        raise RequestError(f"Range must be wider, not {text!r}")
    format = SQ(32 - scale, scale)
    first, last = (max(min(round(end * 2.0**scale), format.max_code), format.min_code) for end in (low, high))
    return format, range(first, last + 1, max((last - first) // _POINTS, 1))


def _curve(function, format, codes):
    """Values of x and of the function, where it is defined."""
    points = []
    for code in codes:
        try:
            middle, _ = Reference(function, format, (code, code)).enclose(_ACCURACY)
        except RequestError:
            continue  # a pole, or outside the function's domain
        points.append((code * float(format.ulp), float(middle[0]) * 2.0**-_ACCURACY))
    return points

"""``hwact show``."""

import click

from ..errors import RequestError
from ..fixed import SQ
from ..functions import Reference
from ..spec import parse_domain
from .common import Verb, echo_json, json_option
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
        _picture(plot, chosen.text, curves)
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
        click.echo(_terminal(curves))


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


def _picture(path, title, curves):
    """The curves in a file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name, points in curves.items():
        axes.plot(*zip(*points) if points else ((), ()), label=name)
    axes.set_title(title if len(title) <= 80 else f"{title[:77]}...", parse_math=False)
    axes.set_xlabel("x")
    axes.grid(alpha=0.3)
    axes.legend()
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise RequestError(f"Plot must be writable, not {path!r}: {error.strerror}") from None


def _terminal(curves):
    """The curves in characters, the derivative in dots."""
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(78, 22)
    for (name, points), marker in zip(curves.items(), ("hd", "dot")):
        if points:
            plotext.plot(*zip(*points), label=name, marker=marker)
    limits = _limits([y for points in curves.values() for _, y in points])
    if limits:
        plotext.ylim(*limits)
    return "\n".join(line.rstrip() for line in plotext.build().splitlines())


def _limits(values):
    """Where to cut a plot that a pole would flatten: twice the spread of nine tenths of the values."""
    ordered = sorted(values)
    if not ordered:
        return None
    low, high = (ordered[round(share * (len(ordered) - 1))] for share in (0.05, 0.95))
    room = (high - low) / 2
    return (low - room, high + room) if ordered[-1] - ordered[0] > 6 * (high - low) > 0 else None

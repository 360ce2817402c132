"""``hwact show``."""

import click

from ..errors import RequestError
from ..fixed import Format
from ..functions import Reference
from .common import Verb, echo_json, json_option
from .generate import parameter_option, read_function

__all__ = ["show"]

EPILOG = """
hwact show gelu
hwact show "x*sigmoid(b*x)" --parameter b=1.702 --range=-4:4
hwact show silu --plot silu.png
"""


@click.command("show", cls=Verb, epilog=EPILOG)
@click.argument("function")
@parameter_option
@click.option("--range", "range_", default="-8:8", show_default=True, help="Values of x to plot, a:b.")
@click.option("--plot", type=click.Path(dir_okay=False), help="Write the plot to a .png or .svg file.")
@json_option
def show(function, parameter, range_, plot, as_json):
    """Show a function and its derivative: formula, source and plot."""
    chosen = read_function(function, parameter)
    derivative = chosen.derivative()
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
    curves = {"f": _curve(chosen, range_), "f'": _curve(derivative, range_)}
    if plot:
        _picture(plot, chosen.text, curves)
    if as_json:
        echo_json(facts)
        return
    for key, value in facts.items():
        if value and any(value):
            value = " / ".join(value) if isinstance(value, list) else value
            text = ", ".join(f"{k} = {v}" for k, v in value.items()) if isinstance(value, dict) else value
            click.echo(f"{key:>10}  {text}")
    if not plot:
        click.echo(_terminal(curves))


def _curve(function, text):
    """About 400 values over the part of the range in which the function is defined."""
    from ..spec import parse_domain

    low, high = map(float, parse_domain(text))
    if not -(2.0**20) <= low < high <= 2.0**20:
        raise RequestError(f"Range must be rising numbers within +-2^20, not {text!r}")
    scale = 0
    while (high - low) * 2.0**scale < 300:
        scale += 1
    codes = Format(True, 32 - scale, scale) if scale < 32 else None
    if codes is None:
        raise RequestError(f"Range must be wider, not {text!r}")
    first, last = (max(min(round(end * 2.0**scale), codes.max_code), codes.min_code) for end in (low, high))
    points = []
    step = max((last - first) // 400, 1)
    for code in range(first, last + 1, step):
        try:
            middle, _ = Reference(function, codes, (code, code)).enclose(16)
        except RequestError:
            continue  # a pole, or outside the function's domain
        points.append((code * 2.0**-scale, float(middle[0]) * 2.0**-16))
    return points


def _picture(path, title, curves):
    """The curves in a file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not path.endswith((".png", ".svg")):
        raise RequestError(f"Plot must be a .png or .svg file, not {path!r}")
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name, points in curves.items():
        axes.plot(*zip(*points), label=name)
    axes.set(title=title, xlabel="x")
    axes.grid(alpha=0.3)
    axes.legend()
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise RequestError(f"Plot must be writable, not {path!r}: {error.strerror}") from None


def _terminal(curves):
    """The curves in characters."""
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(78, 22)
    for name, points in curves.items():
        if points:
            plotext.plot(*zip(*points), label=name)
    return plotext.build()

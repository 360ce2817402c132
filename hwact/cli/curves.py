"""Curves over x, in a file or in characters."""

from ..errors import RequestError

__all__ = ["characters", "picture"]

#: Longest title of a picture.
_TITLE = 80


def picture(path, panels):
    """Draw curves into a file, one panel below the other.

    Parameters
    ----------
    path : str
    panels : list of (str, dict)
        A title, and points ``(x, y)`` by the curve's name.

    Raises
    ------
    RequestError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2 * len(panels)), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (title, curves) in enumerate(panels, 1):
        axes = figure.add_subplot(len(panels), 1, place)
        for name, points in curves.items():
            axes.plot(*zip(*points) if points else ((), ()), label=name)
        axes.set_title(title if len(title) <= _TITLE else f"{title[: _TITLE - 3]}...", parse_math=False)
        axes.set_xlabel("x")
        axes.grid(alpha=0.3)
        axes.legend()
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise RequestError(f"Plot must be writable, not {path!r}: {error.strerror}") from None


def characters(curves, title=""):
    """Two curves at most as text, the second one in dots.

    Parameters
    ----------
    curves : dict of str to list of (float, float)
    title : str

    Returns
    -------
    str
    """
    import plotext

    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(78, 22)
    if title:
        plotext.title(title)
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

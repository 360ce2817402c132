"""The Pareto scatter of an exploration as a picture for papers: SVG, PNG or PDF."""

import io
from pathlib import Path

from .axes import axis, enriched, usual_axes
from .pareto import GROUP

__all__ = ["front_of", "scatter", "write_scatter"]

#: What colours tell apart: the first of these that differs.
_TOLD_APART = ("function", "target", "derivative", "bound", "method", "segmentation", "output", "interface")
#: Okabe and Ito's colours without yellow, which papers do not show.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_MARKERS = "oDs^vPX*"
_STYLES = ("-", "--", ":", "-.")
_MOST_NAMES = 14


def front_of(rows, x, y):
    """The rows that no other row beats in one axis without being worse in the other, from the best in `x` on.

    Parameters
    ----------
    rows : iterable of dict
        Enriched rows; estimated ones count where none is done.
    x, y : Axis

    Returns
    -------
    list of dict
        Rows that are equal in both are all kept.
    """
    both = [row for row in rows if row[x.key] is not None and row[y.key] is not None]
    counted = [row for row in both if row["status"] == "done"] or [
        row for row in both if row["status"] == "estimated"
    ]
    costs = lambda row: tuple(row[one.key] * (1 if one.best == "min" else -1) for one in (x, y))
    front = []
    for row in sorted(counted, key=costs):
        if not front or costs(row)[1] < costs(front[-1])[1] or costs(row) == costs(front[-1]):
            front.append(row)
    return front


def scatter(rows, x=None, y=None, format="svg", title=""):
    """Draw rows by two of their numbers, with the front of every kind (function, domain, derivative mode, target).

    Parameters
    ----------
    rows : iterable of dict
    x, y : str, optional
        Keys of `hwact.explore.axes.AXES`.
    format : str
        ``svg``, ``png`` or ``pdf``.
    title : str

    Returns
    -------
    bytes
        The same for the same arguments.

    Raises
    ------
    RequestError
        If an axis is unknown.
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    rows = [enriched(row) for row in rows]
    usual = usual_axes(rows)
    across, up = axis(x or usual[0]), axis(y or usual[1])
    shown = [
        row for row in rows if row[across.key] is not None and row[up.key] is not None and row["status"] != "pruned"
    ]
    settings = {"svg.hashsalt": "hwact", "font.size": 9.0, "axes.linewidth": 0.7, "figure.dpi": 200}
    with style.context(["default", settings]):
        canvas = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = canvas.add_subplot()
        _draw(axes, shown, across, up)
        for one, side in ((across, axes.xaxis), (up, axes.yaxis)):
            side.set_label_text(one.label)
            if one.log and shown and min(row[one.key] for row in shown) > 0:
                _make_logarithmic(side)
        axes.set_title(title, parse_math=False)
        axes.grid(color="#e6e8eb", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        buffer = io.BytesIO()
        nameless = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
        canvas.savefig(buffer, format=format, metadata=nameless[format])
    return buffer.getvalue()


def _make_logarithmic(side):
    """Scale an axis, with plain numbers at 1, 2 and 5 times the powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter

    side.axes.set(**{f"{side.axis_name}scale": "log"})
    side.set_major_locator(LogLocator(subs=(1, 2, 5)))
    side.set_major_formatter("{x:g}")
    side.set_minor_formatter(NullFormatter())


def _draw(axes, rows, x, y):
    told_apart = next((key for key in _TOLD_APART if len({row.get(key) for row in rows}) > 1), None)
    names = list(dict.fromkeys(row.get(told_apart) for row in rows))
    for k, name in enumerate(names):
        own = [row for row in rows if row.get(told_apart) == name]
        look = {"color": _COLOURS[k % len(_COLOURS)]}
        label = _short(str(name)) if told_apart and k < _MOST_NAMES else None
        points = [row[x.key] for row in own], [row[y.key] for row in own]
        axes.plot(
            *points,
            _MARKERS[k % len(_MARKERS)],
            markersize=4.5,
            markeredgecolor="white",
            markeredgewidth=0.4,
            label=label,
            **look,
        )
        for number, kind in enumerate(dict.fromkeys(map(_kind, own))):
            front = front_of([row for row in own if _kind(row) == kind], x, y)
            steps = [row[x.key] for row in front], [row[y.key] for row in front]
            axes.plot(*steps, _STYLES[number % 4], linewidth=1.1, drawstyle="steps-post", alpha=0.8, **look)
    if told_apart:
        for text in axes.legend(frameon=False, fontsize=8).get_texts():
            text.set_parse_math(False)
    if not rows:
        axes.text(0.5, 0.5, "no point has both numbers", ha="center", va="center", transform=axes.transAxes)


def _kind(row):
    return tuple(row.get(key) for key in GROUP)


def _short(text):
    return text if len(text) <= 40 else f"{text[:37]}..."


def write_scatter(rows, path, **options):
    """Write `scatter` into a file, whole or not at all; its format follows from the file's suffix, SVG without one."""
    from ..emit.folder import replace_file

    path = Path(path)
    replace_file(path, scatter(rows, format=path.suffix[1:].lower() or "svg", **options))

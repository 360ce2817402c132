"""``NAME_y.svg``: a unit's function, its segments and its error, drawn from rows that are handed in."""

import io
import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from .. import __version__
from .header import figures, notice, plain

__all__ = ["Curve", "bound_in_ulps", "breakpoints", "figure"]

#: Columns that a curve is thinned to, each drawn from its smallest to its largest value.
_COLUMNS = 700
#: More breakpoints than these would hide the curve.
_MOST_DOTS = 200
_INK, _PAPER, _FIRST, _SECOND, _ERROR, _BOUND = (
    "#222222",
    "#c8ccd2",
    "#0b5fa5",
    "#e07a1f",
    "#3a7d44",
    "#b3202a",
)


@dataclass(frozen=True)
class Curve:
    """What a channel's figure shows; arrays of one length.

    Parameters
    ----------
    codes : numpy.ndarray of int64
        Input codes, rising.
    reference : numpy.ndarray of float64
        Values of the real function.
    outputs : numpy.ndarray of int64
        Output codes.
    error_ulp : numpy.ndarray of float64
        Output minus reference, in ulps of the output.
    """

    codes: np.ndarray
    reference: np.ndarray
    outputs: np.ndarray
    error_ulp: np.ndarray


def bound_in_ulps(bound, format):
    """A bound's text as a float in ulps of `format`; None where it is not a number (a slope has no bound)."""
    text = bound.strip().lower()
    if text in ("faithful", "correct"):
        return 1.0 if text == "faithful" else 0.5
    try:
        if text.endswith("ulp"):
            return float(Fraction(text.removesuffix("ulp").strip()))
        power = re.fullmatch(r"2\^(-?\d{1,3})", text)
        value = Fraction(2) ** int(power[1]) if power else Fraction(text)
        return float(value / format.ulp)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def breakpoints(design, channel):
    """Input codes of the domain, rising, at which another segment comes into use (int64)."""
    if channel.core.method != "pwl":
        return np.array([], dtype=np.int64)
    starts = np.array(channel.core.starts, dtype=np.int64)
    if channel.fold.index == "none":
        codes = starts + design.input.min_code
    else:
        # Where x < 0, the segment that starts at u is left at the first code that no longer folds to it.
        inner = starts[starts > 0]
        left = 1 - inner if channel.fold.index == "negate" else -inner
        codes = np.concatenate([left, starts, [0]])
    codes = np.unique(codes)
    return codes[(codes > design.domain[0]) & (codes <= design.domain[1])]


def figure(design, name, curve, command):
    """Draw a channel: the function with its segments, the error with its bound, and the error's distribution.

    Parameters
    ----------
    design : Design
    name : str
        The channel, ``y`` or ``dy``.
    curve : Curve
    command : str

    Returns
    -------
    str
        SVG, the same for the same arguments.
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    channel = design.channel(name)
    settings = {
        "svg.hashsalt": design.digest,
        "font.size": 9.0,
        "axes.edgecolor": _INK,
        "axes.linewidth": 0.7,
    }
    with style.context(["default", settings]):
        canvas = Figure(figsize=(9.6, 6.4), layout="constrained")
        axes = canvas.subplot_mosaic(
            [["function", "facts"], ["error", "count"]], width_ratios=[4.4, 1], height_ratios=[1.35, 1]
        )
        values = design.input.to_value(curve.codes)
        _draw_function(axes["function"], design, channel, curve, values)
        _draw_error(axes["error"], channel, curve, values)
        _draw_distribution(axes["count"], axes["error"], curve)
        _draw_facts(axes["facts"], design, channel, curve)
        _draw_legend(axes["function"], axes["function"], axes["error"])
        title = f"{design.name}: {name} \N{ALMOST EQUAL TO} {plain(channel.expression)}"
        canvas.suptitle(_shortened(title, 90), fontsize=12, parse_math=False)
        return _svg(canvas, title, design, command)


def _shortened(text, length):
    return text if len(text) <= length else text[: length - 3] + "..."


def _svg(canvas, title, design, command):
    buffer = io.StringIO()
    metadata = {
        "Title": title,
        "Description": "\n".join(notice(design, command)),
        "Creator": f"hwact {__version__}",
        "Date": None,
    }
    canvas.savefig(buffer, format="svg", metadata=metadata)
    return "".join(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def _thin(values):
    """Indices of each column's smallest and largest value, and of both ends, rising."""
    if len(values) <= 2 * _COLUMNS:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), _COLUMNS + 1).astype(int)
    columns = [(a, values[a:b]) for a, b in zip(edges, edges[1:])]
    picked = [a + pick(column) for a, column in columns for pick in (np.argmin, np.argmax)]
    return np.unique([0, *picked, len(values) - 1])


def _draw_function(axes, design, channel, curve, values):
    outputs = channel.format.to_value(channel.format.fit(curve.outputs))
    thin = _thin(curve.reference)
    axes.plot(values[thin], curve.reference[thin], color=_PAPER, linewidth=5, label="function")
    at = np.searchsorted(curve.codes, breakpoints(design, channel))
    at = at[(at > 0) & (at < len(values))]
    thin = np.unique(np.concatenate([_thin(outputs), at, at - 1]).astype(int))
    # Every second segment is drawn over a line that joins all of them.
    even = np.searchsorted(at, thin, side="right") % 2 == 0
    axes.plot(values[thin], outputs[thin], color=_FIRST, linewidth=1.3, label="unit, segment by segment")
    axes.plot(values[thin], np.where(even, np.nan, outputs[thin]), color=_SECOND, linewidth=1.3)
    if 0 < len(at) <= _MOST_DOTS:
        size = 4 if len(at) <= 64 else 2.5
        axes.plot(
            values[at], outputs[at], "o", color=_INK, markersize=size, markeredgewidth=0, label="breakpoint"
        )
    low, high = outputs.min(), outputs.max()
    margin = 0.06 * (high - low) or abs(low) or 1.0
    axes.set_ylim(low - margin, high + margin)
    axes.set_ylabel(channel.name)
    axes.tick_params(labelbottom=False)
    _finish(axes, values)


def _draw_error(axes, channel, curve, values):
    error = curve.error_ulp
    thin = _thin(error)
    mark = "." if len(error) <= 300 else None
    axes.plot(
        values[thin], error[thin], marker=mark, color=_ERROR, linewidth=0.6, markersize=3, label="error"
    )
    bound = bound_in_ulps(channel.bound, channel.format)
    reach = float(np.max(np.abs(error))) or 0.5
    if bound is not None and bound <= 20 * reach:
        for sign, label in ((-1, None), (1, "bound")):
            axes.axhline(sign * bound, color=_BOUND, linewidth=1, linestyle=(0, (5, 3)), label=label)
        reach = max(reach, bound)
    axes.set_ylim(-1.15 * reach, 1.15 * reach)
    axes.set_xlabel("x")
    axes.set_ylabel("error (ulp)")
    _finish(axes, values)


def _draw_legend(axes, *sources):
    entries = [source.get_legend_handles_labels() for source in sources]
    handles, labels = (sum(part, []) for part in zip(*entries))
    axes.legend(
        handles,
        labels,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(labels),
        frameon=False,
        fontsize=8,
        borderaxespad=0.2,
        columnspacing=1.6,
    )


def _finish(axes, values):
    axes.set_xlim(values[0], values[-1] if values[-1] > values[0] else values[0] + 1)
    axes.grid(color="#e6e8eb", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_distribution(axes, beside, curve):
    low, high = beside.get_ylim()
    counts, edges = np.histogram(curve.error_ulp, bins=60, range=(low, high))
    share = 100 * counts / max(counts.sum(), 1)
    axes.barh(edges[:-1], share, height=np.diff(edges), align="edge", color=_ERROR, linewidth=0)
    axes.set_ylim(low, high)
    axes.set_xlabel("codes (%)")
    axes.tick_params(labelleft=False)
    axes.grid(axis="y", color="#e6e8eb", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_facts(axes, design, channel, curve):
    axes.axis("off")
    facts = [
        ("input", str(design.input)),
        ("output", str(channel.format)),
        ("bound", channel.bound),
        ("largest error", f"{figures(np.abs(curve.error_ulp).max())} ulp"),
    ]
    if channel.core.method == "pwl":
        facts.append(("segments stored", str(channel.core.segments)))
    else:
        facts.append(("table entries", str(len(channel.core.entries))))
    for row, (what, value) in enumerate(facts):
        top = 1 - row / 6
        axes.text(0, top, what, transform=axes.transAxes, va="top", fontsize=8, color="#666666")
        axes.text(
            0, top - 0.055, plain(value), transform=axes.transAxes, va="top", fontsize=10.5, parse_math=False
        )

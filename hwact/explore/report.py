"""The report of an exploration: one HTML page that holds everything it shows and asks nothing of a network."""

import base64
import html
import importlib.resources
import json
import re
import zlib
from pathlib import Path

from .axes import AXES, enriched, usual_axes
from .pareto import GROUP

__all__ = ["report", "write"]

#: Scripts of the page, in the order in which they are run.
_SCRIPTS = ("figures.js", "table.js", "panel.js", "page.js")


def report(rows, curves, title="Exploration", x=None, y=None, tick=None):
    """The page as text.

    Parameters
    ----------
    rows : iterable of dict
        Rows of an exploration; see `hwact.explore`.
    curves : mapping
        What `hwact.explore.curve.curve` made of designs, by their digests: as dicts, or packed as by
        `Store.packed_curves`.
    title : str
    x, y : str, optional
        Keys of the axes that are shown first.
    tick : callable, optional
        Called as ``tick(done, total)`` with numbers of designs.

    Returns
    -------
    str
        HTML. Texts of the rows are data in it, never HTML or script.
    """
    from plotly.offline import get_plotlyjs

    rows = [enriched(row) for row in rows]
    usual = usual_axes(rows)
    data = {
        "rows": rows,
        "curves": _packed(rows, curves, tick),
        "axes": [axis.to_dict() for axis in AXES],
        "kind": GROUP,
        "x": x or usual[0],
        "y": y or usual[1],
    }
    parts = {
        "title": html.escape(title),
        "style": _part("page.css"),
        "data": json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"),
        "plotly": get_plotlyjs(),
        "script": "\n".join(map(_part, _SCRIPTS)),
    }
    return re.sub(r"@(title|style|data|plotly|script)@", lambda match: parts[match[1]], _part("page.html"))


def write(rows, curves, path, title="Exploration", **options):
    """Write `report` into a file, whole or not at all."""
    from ..emit.folder import replace_file

    replace_file(Path(path), report(rows, curves, title, **options).encode("utf-8"))


def _part(name):
    return importlib.resources.files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def _packed(rows, curves, tick):
    """Every design's curves, deflated and in base64, which a page unpacks when they are looked at."""
    digests = sorted({row["design_digest"] for row in rows if row.get("design_digest") in curves})
    packed = {}
    for done, digest in enumerate(digests, 1):
        packed[digest] = base64.b64encode(_deflated(curves[digest])).decode()
        if tick:
            tick(done, len(digests))
    return packed


def _deflated(curves):
    if isinstance(curves, bytes):
        return curves
    return zlib.compress(json.dumps(curves, separators=(",", ":"), allow_nan=False).encode())

"""What is better: objectives, and the rows that no other row beats."""

from ..errors import RequestError
from ..fixed import Format
from ..functions import ErrorBound

__all__ = ["ESTIMATED", "GROUP", "OBJECTIVES", "beaten", "better", "front", "groups", "read_objectives", "value"]

#: Columns by the name of the objective; all are better small but for the clock frequency.
OBJECTIVES = {
    "luts": "luts",
    "area": "area",
    "gates": "gates",
    "carries": "carries",
    "ffs": "ffs",
    "dsps": "dsps",
    "bram_bits": "bram_bits",
    "fmax": "fmax_mhz",
    "latency": "latency",
    "max_error": "max_error",
    "mean_error": "mean_error",
    "max_error_ulp": "max_error_ulp",
    "mean_error_ulp": "mean_error_ulp",
    "mse_ulp2": "mse_ulp2",
    "derivative_max_error_ulp": "derivative_max_error_ulp",
    "derivative_mean_error_ulp": "derivative_mean_error_ulp",
    "segments": "segments",
}
_LARGE = ("fmax",)
#: Objectives of which an estimate tells something.
ESTIMATED = ("luts", "latency", "max_error", "max_error_ulp")
#: Rows that differ in these do different things, or are counted in different cells: each kind has a front of its own.
GROUP = ("function", "domain", "derivative", "target")
#: The least error that a unit may come to, as a part of its bound: rounding alone takes as much.
_BEST_ERROR = 0.5


def read_objectives(text):
    """Names of objectives from text with commas, or a sequence.

    Raises
    ------
    RequestError
        If one is unknown, or there is none.
    """
    names = [name.strip() for name in text.split(",")] if isinstance(text, str) else list(text)
    names = [name.removesuffix("_mhz") if name == "fmax_mhz" else name for name in names]
    for name in names:
        if name not in OBJECTIVES:
            raise RequestError(f"Objective must be one of {', '.join(OBJECTIVES)}, not {name!r}")
    return tuple(dict.fromkeys(names))


def value(row, objective):
    """The value of an objective in a row, or None.

    Of a unit that was estimated only, LUTs are the estimate and the largest error is its bound.
    """
    found = row.get(OBJECTIVES[objective])
    if found is None and row["status"] in ("estimated", "pruned"):
        if objective == "luts":
            found = row["estimated_luts"]
        elif objective in ("max_error", "max_error_ulp"):
            found = _bound(row, in_ulps=objective == "max_error_ulp")
    return found


def _bound(row, in_ulps):
    format = Format.parse(row["output"])
    ulps, _ = ErrorBound.parse(row["bound"]).in_ulps(format)
    return float(ulps) * (1.0 if in_ulps else float(format.ulp))


def better(objective, a, b):
    """Whether the value `a` is better than `b`."""
    return a > b if objective in _LARGE else a < b


def groups(rows):
    """Rows that can be compared, in lists, in order of their first row."""
    found = {}
    for row in rows:
        found.setdefault(tuple(row.get(name) for name in GROUP), []).append(row)
    return list(found.values())


def front(rows, objectives):
    """The rows that no other row of the same kind beats.

    Rows are compared with those of the same function, domain, derivative mode and target. One row beats another if it
    is better in an objective and as good in all. Of rows that are equal in all, the first counts. Failed and pruned
    rows count nowhere, estimated ones only where none of their kind is done. A row without a value that others of its
    kind have does not count; an objective that none has is left out.

    Parameters
    ----------
    rows : iterable of dict
    objectives : sequence of str
        Names of `OBJECTIVES`.

    Returns
    -------
    list of dict
        Group by group, each sorted by the objectives.
    """
    objectives = read_objectives(objectives)
    return [row for group in groups(rows) for row in _front(group, objectives)]


def _front(rows, objectives):
    rows = [row for row in rows if row["status"] == "done"] or [row for row in rows if row["status"] == "estimated"]
    known = [name for name in objectives if any(value(row, name) is not None for row in rows)]
    signs = [-1 if name in _LARGE else 1 for name in known]
    scored = [(tuple(value(row, name) for name in known), row) for row in rows]
    scored = [(tuple(s * v for s, v in zip(signs, values)), row) for values, row in scored if None not in values]
    kept = []
    for score, row in sorted(scored, key=lambda pair: pair[0]):  # what beats a row comes before it
        if not any(all(a <= b for a, b in zip(other, score)) for other, _ in kept):
            kept.append((score, row))
    return [row for _, row in kept]


def beaten(row, rivals, objectives):
    """Whether an estimated row cannot be expected to come into a front beside rows that are done.

    The unit is taken at the low end of its estimate and at half its bound. Its clock frequency, which follows its
    size, is held to be no better than that of a smaller unit of the same latency.

    Parameters
    ----------
    row : dict
        With `estimated_low` and `latency`.
    rivals : sequence of dict
    objectives : sequence of str
    """
    return any(all(_as_good(rival, row, name) for name in objectives) for rival in rivals)


def _as_good(rival, row, objective):
    has, least = value(rival, objective), row["estimated_low"]
    if has is None:
        return False
    if objective in ("max_error", "max_error_ulp"):
        return has <= _BEST_ERROR * _bound(row, in_ulps=objective == "max_error_ulp")
    if objective == "latency":
        return has <= row["latency"]
    if least is None or objective not in ("luts", "fmax"):
        return False
    if objective == "luts":
        return has <= least
    same = all(rival[name] == row[name] for name in ("interface", "latency"))
    return same and value(rival, "luts") <= least

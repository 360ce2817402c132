"""Rows chosen and put in order by what people write."""

import difflib
import re

from ..errors import RequestError
from .row import COLUMNS

__all__ = ["check_columns", "chosen", "ordered", "read_conditions"]

_CONDITION = re.compile(r"\s*(\w+)\s*(<=|>=|!=|==|=|<|>|~)\s*(.*?)\s*", re.DOTALL)
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_COMPARE = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "~": lambda a, b: b.lower() in a.lower(),
}


def check_columns(names):
    """Return `names` if all of them are columns.

    Raises
    ------
    RequestError
        If one is none.
    """
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, 1)
            hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(COLUMNS)}"
            raise RequestError(f"Column must be one that rows have, not {name!r}: {hint}")
    return list(names)


def read_conditions(text):
    """Conditions such as ``luts<100 and function=tanh`` as (column, operator, value).

    Operators are ``= != < <= > >=`` and ``~``, for a text that holds another one. ``null`` stands for no value.

    Raises
    ------
    RequestError
        If one is malformed.
    """
    return [_condition(part) for part in re.split(r"\s+and\s+", text.strip())]


def _condition(text):
    match = _CONDITION.fullmatch(text)
    if match is None or not match[3]:
        raise RequestError(f"Condition must be written like luts<100 or function=tanh, not {text!r}")
    name, operator, value = match.groups()
    check_columns([name])
    value = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
    if value == "null":
        if operator not in ("=", "==", "!="):
            raise RequestError(f"Condition on null must be = or !=, not {operator!r}")
        return name, operator, None
    return name, operator, _typed(name, operator, value)


def _typed(name, operator, value):
    kind = COLUMNS[name]
    if kind in ("text", "json"):
        return value
    if operator == "~":
        raise RequestError(f"Condition on {name} must be = != < <= > or >=, not ~")
    try:
        return _TRUTHS[value.lower()] if kind == "flag" else float(value)
    except (ValueError, KeyError):
        wanted = "true or false" if kind == "flag" else "a number"
        raise RequestError(f"Condition on {name} must compare with {wanted}, not {value!r}") from None


def chosen(rows, conditions):
    """The rows that meet all conditions; one without a value meets none but ``=null`` (and ``!=`` another value)."""
    return [row for row in rows if all(_meets(row, *condition) for condition in conditions)]


def _meets(row, name, operator, wanted):
    value = row[name]
    if value is None or wanted is None:
        return (value is wanted) == (operator != "!=")
    return _COMPARE[operator](str(value) if COLUMNS[name] == "json" else value, wanted)


def ordered(rows, text):
    """Rows sorted by columns such as ``function,-fmax_mhz``, falling where a minus stands; no value comes last.

    Raises
    ------
    RequestError
        If there is no such column.
    """
    for part in reversed([part.strip() for part in text.split(",")]):
        falling, name = part.startswith("-"), part.lstrip("-")
        check_columns([name])
        key = str if COLUMNS[name] == "json" else lambda value: value
        known = sorted((row for row in rows if row[name] is not None), key=lambda row: key(row[name]), reverse=falling)
        rows = known + [row for row in rows if row[name] is None]
    return rows

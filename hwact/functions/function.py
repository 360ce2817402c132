"""A real function of one variable, from the catalogue or from an expression."""

import hashlib
import re
from dataclasses import dataclass
from fractions import Fraction

from ..errors import RequestError
from .catalog import ENTRIES
from .expression import MAX_TEXT, Expression, differentiate, expand, number, parse

__all__ = ["Function", "from_entry", "function"]

_DERIVED_SYMMETRY = {"odd": "even", "even": "odd", "point": "even", "ramp": "point", None: None}
_NUMBER = re.compile(r"[+-]?(\d{1,60}(\.\d{0,60})?|\.\d{1,60})(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_RATIO = re.compile(r"([+-]?\d{1,60})\s*/\s*(\d{1,60})", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]{0,39}")
_RESERVED = ("x", "pi", "e")
MAX_NAME = 40


@dataclass(frozen=True)
class Function:
    """A function to be turned into hardware.

    Parameters
    ----------
    name : str
        A Verilog identifier of at most 40 characters.
    expression : Expression
    text : str
        The function as it was asked for; `function(text, parameters)` reads it again.
    parameters : tuple of (str, Fraction)
        Values of the names that `text` uses.
    summary : str
        What the function is, in a few words.
    source : str
        Where the definition is taken from; empty for an expression.
    symmetry : str or None
        ``odd``, ``even``, ``point`` (f(x) - f(0) is odd), ``ramp`` (f(x) - max(x, 0) is even), or
        None where nothing is known.
    tails : tuple of (str, str)
        What the function does towards minus and plus infinity, for people.
    """

    name: str
    expression: Expression
    text: str
    parameters: tuple[tuple[str, Fraction], ...] = ()
    summary: str = ""
    source: str = ""
    symmetry: str | None = None
    tails: tuple[str, str] = ("", "")

    def derivative(self):
        """The derivative with respect to x, a function of its own."""
        text = f"diff({self.text})"
        return Function(
            name=_identifier(f"diff_{self.name}"),
            expression=differentiate(self.expression),
            text=text,
            parameters=self.parameters,
            summary=f"derivative of {self.summary or self.text}",
            source=self.source,
            symmetry=_DERIVED_SYMMETRY[self.symmetry],
        )


def _identifier(text):
    """A Verilog identifier of at most `MAX_NAME` characters that tells long texts apart."""
    slug = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    if len(slug) < 2 or not slug[0].isalpha():
        slug = f"f_{slug}".rstrip("_")
    if len(slug) <= MAX_NAME:
        return slug
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{slug[: MAX_NAME - 9].rstrip('_')}_{digest}"


def _exact(name, value):
    """A parameter's value as a Fraction; floats count as their shortest decimal."""
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return Fraction(value)
    text = repr(value) if isinstance(value, float) else value
    ratio = _RATIO.fullmatch(text.strip()) if isinstance(text, str) else None
    if ratio and int(ratio[2]):
        return Fraction(int(ratio[1]), int(ratio[2]))
    if not isinstance(text, str) or not _NUMBER.fullmatch(text.strip()):
        raise RequestError(f"Parameter {name} must be a number, not {value!r}")
    return Fraction(text.strip())


def _decimal(value):
    text = str(number(value))
    return text.strip("()")


def from_entry(entry, parameters=None):
    """The `Function` of a catalogue entry, its default parameters replaced by `parameters`."""
    given = {name: _exact(name, value) for name, value in (parameters or {}).items()}
    available = [name for name, _ in entry.defaults]
    for name in given:
        _check_available(name, available, f"function {entry.name}")
    values = {name: given.get(name, Fraction(default)) for name, default in entry.defaults}
    options = "".join(f", {name}={_decimal(value)}" for name, value in given.items())
    return Function(
        name=entry.name,
        expression=expand(entry, parameters={name: number(value) for name, value in values.items()}),
        text=f"{entry.name}(x{options})",
        parameters=tuple(values.items()),
        summary=entry.summary,
        source=entry.source,
        symmetry=entry.symmetry,
        tails=entry.tails,
    )


def _check_available(name, available, owner):
    if name not in available:
        wanted = f"one of {', '.join(available)}" if available else "left out"
        raise RequestError(f"Parameter of {owner} must be {wanted}, not {name!r}")


def _from_text(text, parameters):
    values = {name: _exact(name, value) for name, value in parameters.items()}
    for name in values:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in _RESERVED:
            raise RequestError(f"Parameter must be a name other than {', '.join(_RESERVED)}, not {name!r}")
    expression = parse(text, values)
    used = set(re.findall(r"[A-Za-z_][A-Za-z_0-9]*", text))
    for name in values:
        _check_available(name, sorted(used & set(values)), f"expression {text[:60]!r}")
    return Function(_identifier(text), expression, text.strip(), tuple(values.items()))


def function(text, parameters=None):
    """The function named or written by `text`.

    Parameters
    ----------
    text : str
        A name of the catalogue, or an expression in x.
    parameters : mapping, optional
        Parameters by name: numbers, or decimal text.

    Returns
    -------
    Function

    Raises
    ------
    RequestError
        If `text` is malformed or too long, or a name in it or in `parameters` is unknown.

    Examples
    --------
    >>> function("tanh").text
    'tanh(x)'
    >>> function("x*sigmoid(b*x)", {"b": "1.702"}).name
    'x_sigmoid_b_x'
    """
    if isinstance(text, Function):
        return text
    if not isinstance(text, str):
        raise TypeError(f"Function must be text, not {text!r}")
    entry = ENTRIES.get(text.strip()) if len(text) <= MAX_TEXT else None
    if entry is not None:
        return from_entry(entry, parameters)
    return _from_text(text, parameters or {})

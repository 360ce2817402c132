"""A space of requests: axes with values, from flags or TOML, and the points that they span."""

import difflib
import itertools
import math
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from ..design import INTERFACES, MULTIPLIERS, SEGMENTATIONS
from ..errors import RequestError
from ..fixed import Format
from ..functions import ErrorBound, function
from ..multi.spec import split_functions
from ..spec import DERIVATIVES, EFFORTS, FITS, METHODS, parse_domain
from ..synth.targets import find_target
from .point import Point

__all__ = ["AXES", "Axis", "Block", "Space", "preset_names", "read_preset", "read_toml"]

#: Points of one space, at most, where all of them are evaluated.
MAX_POINTS = 1_000_000
_PRESETS = resources.files(__package__) / "presets"
_RANGE = re.compile(r"(\d{1,6})-(\d{1,6})")


class Axis(NamedTuple):
    """How the values of an axis are read: their field of `Point`, what they are, and the reader of one."""

    field: str
    what: str
    read: object
    default: tuple = ()
    whole: bool = False


def _choice(*values):
    return f"{', '.join(values[:-1])} or {values[-1]}", lambda text: _one_of(text, values)


def _one_of(text, values):
    if text not in values:
        raise RequestError("")
    return text


def _whole(least, most):
    def read(text):
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise RequestError("")
        return int(text)

    return read


def _unless(word, read):
    """A reader for which `word` stands for None."""
    return lambda text: None if text == word else read(text)


def _checked(read):
    """A reader that keeps the text, if `read` takes it."""

    def checked(text):
        read(text)
        return text

    return checked


def _canonical(kind):
    return lambda text: str(kind.parse(text))


_DERIVATIVE_BOUND = "bounds such as faithful, 2ulp or 2^-8"

#: Every axis by its name in flags and TOML, the one that varies slowest first.
AXES = {
    "functions": Axis("function", "names or expressions in x", _checked(function)),
    "domain": Axis("domain", "intervals such as -2:1.5, or all", _unless("all", _checked(parse_domain)), (None,)),
    "derivative": Axis("derivative", *_choice(*DERIVATIVES), ("none",)),
    "targets": Axis("target", "targets such as ice40, ecp5-85k or generic", _checked(find_target), ("ice40",)),
    "input": Axis("input", "formats such as SQ4.4", _canonical(Format)),
    "output": Axis("output", "formats such as SQ1.7", _canonical(Format)),
    "bound": Axis("bound", _DERIVATIVE_BOUND, _canonical(ErrorBound), ("faithful",)),
    "derivative_output": Axis("derivative_output", "formats, or auto", _unless("auto", _canonical(Format)), (None,)),
    "derivative_bound": Axis("derivative_bound", _DERIVATIVE_BOUND, _canonical(ErrorBound), ("faithful",)),
    "method": Axis("method", *_choice(*METHODS), ("auto",)),
    "segmentation": Axis("segmentation", *_choice("auto", *SEGMENTATIONS), ("auto",)),
    "fit": Axis("fit", *_choice(*FITS), ("exact",)),
    "multiplier": Axis("multiplier", *_choice("auto", *MULTIPLIERS), ("auto",)),
    "interface": Axis("interface", *_choice("auto", *INTERFACES), ("auto",)),
    "latency": Axis("requested_latency", "clock cycles, or auto", _unless("auto", _whole(0, 64)), (None,), whole=True),
    "effort": Axis("effort", f"0 to {len(EFFORTS) - 1}", _whole(0, len(EFFORTS) - 1), (0,), whole=True),
    "seeds": Axis("seed", "whole numbers", _whole(0, 10**9 - 1), (1,), whole=True),
}


def _texts(axis, given):
    """The values of an axis as texts: of one text, what stands between its commas; of a list, each item."""
    if isinstance(given, str):
        found = split_functions(given)
    elif isinstance(given, (list, tuple)):
        found = given
    else:
        found = [given]
    for one in found:
        if not isinstance(one, str) and (type(one) is not int or not AXES[axis].whole):
            raise RequestError(f"Axis {axis} must hold {AXES[axis].what}, not {one!r}")
    return [str(one).strip() for one in found]


def _values(axis, given):
    """Values of an axis from a text with commas, a list or a number; each value once."""
    rule, found = AXES[axis], []
    for text in _texts(axis, given):
        numbers = _RANGE.fullmatch(text) if rule.whole else None
        if numbers and int(numbers[1]) <= int(numbers[2]):
            found += map(str, range(int(numbers[1]), int(numbers[2]) + 1))
        else:
            found.append(text)
    return tuple(dict.fromkeys(_value(axis, text) for text in found))


def _value(axis, text):
    rule = AXES[axis]
    try:
        if not text:
            raise RequestError("")
        return rule.read(text)
    except RequestError as error:
        reason = f": {error}" if str(error) else ""
        raise RequestError(f"Axis {axis} must hold {rule.what}, not {text!r}{reason}") from None


@dataclass(frozen=True)
class Block:
    """Values for every axis; the points are all their combinations.

    Parameters
    ----------
    axes : tuple of (str, tuple)
        Values by the name of the axis, in the order of `AXES`.

    Raises
    ------
    RequestError
        If an axis is unknown, empty or holds a value that is none of its own, or bears on no point.
    """

    axes: tuple

    @classmethod
    def read(cls, given):
        """A block from text, lists or numbers by the name of the axis; what is not given is plain."""
        for name in given:
            if name not in AXES:
                near = difflib.get_close_matches(name, AXES, 1)
                hint = f": did you mean {near[0]}?" if near else ""
                raise RequestError(f"Axis must be one of {', '.join(AXES)}, not {name!r}{hint}")
        found = {}
        for name, rule in AXES.items():
            found[name] = _values(name, given[name]) if name in given else rule.default
            if not found[name]:
                missing = f"be given: add --{name}, or name a preset"
                wanted = f"hold {rule.what}, not nothing" if name in given else missing
                raise RequestError(f"Axis {name} must {wanted}")
        _check_used(found)
        return cls(tuple(found.items()))

    @property
    def values(self):
        """Values by the name of the axis (dict of tuples)."""
        return dict(self.axes)

    @property
    def size(self):
        """Combinations, those included that amount to the same."""
        return math.prod(len(values) for _, values in self.axes)

    def points(self, **flow):
        """Every point, the last axes varying fastest; some may come more than once."""
        names = [AXES[name].field for name, _ in self.axes]
        for chosen in itertools.product(*(values for _, values in self.axes)):
            yield Point(**dict(zip(names, chosen)), **flow)

    def plain(self):
        """Texts by the name of the axis, ready for JSON; `read` takes them."""
        return {name: [_text(name, value) for value in values] for name, values in self.axes}


def _text(axis, value):
    return {"domain": "all"}.get(axis, "auto") if value is None else str(value)


def _check_used(values):
    """Refuse values that would bear on no point."""
    if values["derivative"] == ("none",) and values["derivative_output"] != (None,):
        raise RequestError("Axis derivative_output must come with derivative direct or slope")
    if "direct" not in values["derivative"] and values["derivative_bound"] != ("faithful",):
        raise RequestError("Axis derivative_bound must come with derivative direct")
    if values["interface"] == ("comb",) and any(values["latency"]):
        raise RequestError("Axis latency must come with interface pipe, stream or axis, not comb")
    if values["method"] == ("table",):
        for name, plain in (("segmentation", "auto"), ("fit", "exact"), ("multiplier", "auto")):
            if values[name] != (plain,):
                raise RequestError(f"Axis {name} must come with method auto or pwl, not table")


@dataclass(frozen=True)
class Space:
    """Blocks of points, and how far each point is taken.

    Parameters
    ----------
    blocks : tuple of Block
    place : bool
        Whether to place and route.
    bram : bool
        Whether tables may become block RAMs.
    estimate : bool
        Whether nothing is synthesised.

    Examples
    --------
    >>> space = Space.read({"functions": "tanh,max(x, 0)", "input": "SQ4.4", "output": ["SQ1.7"], "latency": "0-2"})
    >>> [(point.function, point.interface, point.requested_latency) for point in space.points()][:3]
    [('tanh', 'comb', None), ('tanh', 'pipe', 1), ('tanh', 'pipe', 2)]
    """

    blocks: tuple
    place: bool = True
    bram: bool = False
    estimate: bool = False

    def __post_init__(self):
        if self.estimate or not self.place:
            for block in self.blocks:
                if len(block.values["seeds"]) > 1:
                    raise RequestError("Axis seeds must hold one seed where nothing is placed")

    @classmethod
    def read(cls, plain, over=None):
        """A space from a dict as TOML has it.

        Parameters
        ----------
        plain : dict
            Values by the name of the axis; with ``block``, a list of such dicts, each of which adds to and replaces
            those beside it. ``place``, ``bram`` and ``estimate`` may be booleans.
        over : dict, optional
            Axes that replace those of `plain`, in every block.

        Raises
        ------
        RequestError
            If `plain` is malformed (see `Block`).
        """
        common = dict(plain)
        flow = {name: _flag(name, common.pop(name)) for name in ("place", "bram", "estimate") if name in common}
        blocks = common.pop("block", [{}])
        if not isinstance(blocks, list) or not blocks or not all(isinstance(block, dict) for block in blocks):
            raise RequestError("Space must have a list of tables as its block, such as [[block]] in TOML")
        return cls(tuple(Block.read({**common, **block, **(over or {})}) for block in blocks), **flow)

    @property
    def flow(self):
        """How far points are taken (dict of bool)."""
        return {"place": self.place, "bram": self.bram, "estimate": self.estimate}

    @property
    def size(self):
        """Points, those included that amount to the same."""
        return sum(block.size for block in self.blocks)

    def points(self):
        """Every point once.

        Raises
        ------
        RequestError
            If there are more than `MAX_POINTS`.
        """
        if self.size > MAX_POINTS:
            raise RequestError(
                f"Space must have at most {MAX_POINTS} points, not {self.size}: "
                "narrow it, or search it with --search nsga2"
            )
        return list(dict.fromkeys(point for block in self.blocks for point in block.points(**self.flow)))

    def plain(self):
        """The dict that `read` makes the same space of, ready for JSON."""
        return {**self.flow, "block": [block.plain() for block in self.blocks]}


def _flag(name, given):
    if not isinstance(given, bool):
        raise RequestError(f"Option {name} must be true or false, not {given!r}")
    return given


# -- files -------------------------------------------------------------------------------------


def preset_names():
    """Names of the presets that come with hwact."""
    return sorted(path.name.removesuffix(".toml") for path in _PRESETS.iterdir() if path.name.endswith(".toml"))


def read_preset(name):
    """The contents of a preset (dict).

    Raises
    ------
    RequestError
        If there is none of this name.
    """
    if name not in preset_names():
        raise RequestError(f"Preset must be one of {', '.join(preset_names())}, not {name!r}")
    return tomllib.loads((_PRESETS / f"{name}.toml").read_text(encoding="utf-8"))


def read_toml(path):
    """The contents of a TOML file (dict).

    Raises
    ------
    RequestError
        If it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise RequestError(f"Space must be a readable file, not {str(path)!r}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"Space must be a TOML file, not {str(path)!r}: {error}") from None

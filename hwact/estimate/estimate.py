"""From a `Spec` to an `Estimate`: the fit's way to a design, with sketches in place of fitted segments."""

import functools
import time
from dataclasses import asdict, dataclass, fields, replace

from ..design import Channel, Design, Lines
from ..fit import held_slopes, target_of
from ..fit.choice import described
from ..fit.features import unit_features
from ..fit.problem import Problem
from ..fit.published import fit_published
from ..fit.slope import AnySlope, slope_channel
from ..functions import Reference
from ..spec import Spec
from .model import Model
from .search import Search
from .sketch import Draft

__all__ = ["Estimate", "estimate"]


@dataclass(frozen=True)
class Estimate:
    """What a unit is expected to take, before it is fitted and synthesised.

    Parameters
    ----------
    target : str
        Family of devices.
    luts : int
        Lookup tables of four inputs that the unit takes up, those of its carry cells included: on ECP5, two each.
    low, high : int
        Nine in ten units have LUTs between these.
    carries, ffs, dsps, bram_bits : int
        Carry cells, flip-flops, multiplier blocks, and bits of block RAM (always 0: tables are LUTs).
    median_abs_error, p90_abs_error : float
        Half, and nine in ten, of the units that the model was checked on had no larger error, relative to their LUTs.
    checked : int
        How many units that were.
    method : str
        ``pwl`` or ``table``.
    segmentation : str or None
    segments : int or None
        Straight pieces over the whole domain; None for a table.
    latency : int
        Clock cycles.
    unit : str
        A few words on how the function is computed.
    seconds : float
        How long the estimate took.
    """

    target: str
    luts: int
    low: int
    high: int
    carries: int
    ffs: int
    dsps: int
    bram_bits: int
    median_abs_error: float
    p90_abs_error: float
    checked: int
    method: str
    segmentation: object
    segments: object
    latency: int
    unit: str
    seconds: float

    def to_dict(self):
        """One row of numbers and strings, ready for JSON."""
        return asdict(self)

    @property
    def sentence(self):
        """The estimate and its error in words."""
        half, most = (f"{100 * error:.0f} %" for error in (self.median_abs_error, self.p90_abs_error))
        return (
            f"About {self.luts} LUTs, most likely {self.low} to {self.high}: of {self.checked} other units half had "
            f"estimates within {half} of their LUTs, nine in ten within {most}"
        )


def estimate(spec, target=None):
    """Estimate the unit that `Spec.design` would choose, without effort and without a tool.

    Parameters
    ----------
    spec : Spec
        Its effort counts as 0.
    target : str or None
        Family to lay tables out for; None takes the spec's, and ``ice40`` where that is ``any``.

    Returns
    -------
    Estimate

    Raises
    ------
    RequestError
        As `Spec.design` does, or if there is no model of the target.
    """
    began = time.perf_counter()
    family = target or ("ice40" if spec.target == "any" else spec.target)
    model = Model.of(family)
    spec = replace(spec, target=family, effort=0)
    channels = _channels(spec)
    features = unit_features(spec.input, spec.domain_codes, channels)
    lanes = spec.lanes
    luts = lanes * model.cells(model.luts, features)
    return Estimate(
        target=family,
        luts=round(luts),
        low=round(luts / (1 + model.p90_abs_error)),
        high=round(luts / (1 - model.p90_abs_error)),
        carries=round(lanes * model.cells(model.carries, features)),
        ffs=round(model.ffs * _flip_flops(spec, channels)) if spec.latency else 0,
        dsps=lanes * round(features.dsps),
        bram_bits=0,
        median_abs_error=model.median_abs_error,
        p90_abs_error=model.p90_abs_error,
        checked=model.checked,
        method=channels[0].core.method,
        segmentation=getattr(channels[0].core, "segmentation", None),
        segments=channels[0].segments,
        latency=spec.latency,
        unit=described(channels[0]),
        seconds=round(time.perf_counter() - began, 4),
    )


#: Widest input whose functions are kept from one estimate to the next.
_KEPT_WIDTH = 16
#: What a request says beside the function's channel.
_BESIDE = (
    *("derivative", "derivative_output", "derivative_bound", "interface", "latency", "lanes", "tuser", "reset"),
    *("clock_name", "reset_name", "name"),
)


def _target_for(spec, function, output, bound, *words):
    """As `target_of`; explorations ask for the same function and format again and again."""
    kept = _kept_target if spec.input.width <= _KEPT_WIDTH else _kept_target.__wrapped__
    return kept(_Domain(spec.input, spec.domain_codes), function, output, bound, *words)


@dataclass(frozen=True)
class _Domain:
    """What `target_of` reads of a `Spec`."""

    input: object
    domain_codes: tuple


@functools.lru_cache(maxsize=64)
def _kept_target(domain, function, output, bound, *words):
    kept = _reference if domain.input.width <= _KEPT_WIDTH else _reference.__wrapped__
    words = words or ("y", "function")
    return target_of(function, domain, output, bound, *words, kept(function, domain))


@functools.lru_cache(maxsize=64)
def _reference(function, domain):
    return Reference(function, domain.input, domain.domain_codes)


def _channels(spec):
    """The channels of a unit."""
    if spec.derivative == "slope" or spec.input.width > _KEPT_WIDTH:
        y = _function(spec)
    else:
        # Whatever else is asked for, the function's channel is the same.
        usual = {field.name: field.default for field in fields(Spec) if field.name in _BESIDE}
        y = _kept_function(replace(spec, **usual))
    if spec.derivative == "none":
        return [y]
    derivative = spec.function.derivative()
    if spec.derivative == "slope":
        return [y, slope_channel(y, derivative.text, spec.input, spec.derivative_output)]
    target = _target_for(spec, derivative, spec.derivative_output, spec.derivative_bound, "dy", "direct")
    problem = Problem(target, AnySlope(), spec.saturate or spec.fit != "exact")
    return [y, _cheapest(problem, spec, spec.derivative_bound, spec.method, y)]


def _function(spec):
    """The channel of the function itself."""
    target = _target_for(spec, spec.function, spec.output, spec.bound)
    problem = Problem(target, held_slopes(spec), spec.saturate or spec.fit != "exact")
    return _cheapest(problem, spec, spec.bound, "pwl" if spec.derivative == "slope" else spec.method)


_kept_function = functools.lru_cache(maxsize=1024)(_function)


def _cheapest(problem, spec, bound, method, beside=None):
    """The channel that the fit is expected to choose."""
    if spec.fit != "exact":
        ulps, _ = bound.in_ulps(problem.target.output)
        return fit_published(problem, spec.fit, ulps, spec.multiplier)
    found = Search(problem, spec, beside).cheapest(method, spec.segmentation)
    core = found.core.lines() if isinstance(found.core, Draft) else found.core
    t = problem.target
    segments = problem.pieces(found.folded.fold, core) if isinstance(core, Lines) else None
    words = t.name, t.expression, t.mode, t.output, t.bound
    return Channel(*words, found.folded.fold, core, problem.saturate, segments=segments)


def _flip_flops(spec, channels):
    """Registers between the stages of a unit, and those of its handshake."""
    from ..rtl.registers import register_bits

    design = Design(spec.name, spec.function.name, spec.input, spec.domain_codes, tuple(channels), spec.shell)
    beside = {"comb": 0, "pipe": 0, "stream": 1, "axis": 2 + spec.lanes + spec.tuser}[spec.interface]
    return spec.lanes * register_bits(design) + spec.latency * beside

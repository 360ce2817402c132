"""From a point to its row: fit, check, synthesise. A pure function that runs in any process of any machine."""

import functools
import math
import time
from typing import NamedTuple

from .. import __version__
from ..errors import HwactError, RequestError
from ..synth.targets import FAMILIES, find_target
from .pareto import beaten
from .row import ERRORS, blank

__all__ = ["Result", "evaluate", "failed"]


class Result(NamedTuple):
    """A row, and the curves of its design: None where there is no design."""

    row: dict
    curve: object


def evaluate(point, rivals=(), objectives=()):
    """Fit a point's unit, measure its errors on every code, and synthesise it.

    Whatever goes wrong is a row too, with the status ``failed`` and the reason.

    Parameters
    ----------
    point : Point
    rivals : sequence of dict
        Rows that the point must have a chance to beat by its estimate; else its row is ``pruned``.
    objectives : sequence of str
        By which rivals are compared.

    Returns
    -------
    Result
    """
    began = time.perf_counter()
    row, curve = blank(point), None
    try:
        spec = point.spec()
        row |= {"expression": spec.function.text, "command": spec.command()}
        row |= _estimated(spec, point)
        if point.estimate:
            row["status"] = "estimated"
        elif beaten(row, rivals, objectives):
            row |= {"status": "pruned", "reason": "Estimate must not be worse than a unit at hand in every objective"}
        else:
            unit = _unit(spec)
            row |= unit.row
            curve = unit.curve
            row |= _synthesised(unit, point)
    except HwactError as error:
        row |= {"status": "failed", "reason": str(error)}
    except Exception as error:  # a point must not take the exploration with it
        row |= {"status": "failed", "reason": f"Internal error {type(error).__name__}: {error}"}
    row |= {"tool_versions": _versions(), "seconds": round(time.perf_counter() - began, 4)}
    return Result(row, curve)


def failed(point, reason):
    """The row of a point that came to nothing outside `evaluate`."""
    return Result(blank(point) | {"status": "failed", "reason": reason, "tool_versions": _versions()}, None)


@functools.cache
def _versions():
    from ..synth import tool_versions

    return {"hwact": __version__, **tool_versions()}


class _Unit(NamedTuple):
    name: str
    clock: str
    verilog: str
    row: dict
    curve: dict


@functools.lru_cache(maxsize=8)
def _unit(spec):
    """Design, errors and Verilog of a request; points that differ in device and seed alone share them."""
    from ..emit.verilog import verilog
    from ..fit.choice import described
    from ..verify import measure
    from .curve import curve

    design = spec.design()
    measured = measure(design)
    for one in measured.values():
        one.check()
    y = design.channel("y")
    row = {
        "design_digest": design.digest,
        "derivative_output": str(design.channels[1].format) if len(design.channels) > 1 else None,
        "chosen": "; ".join(f"{channel.name}: {described(channel)}" for channel in design.channels),
        "segments": y.segments,
        "minimal_segments": y.minimality.segments if y.minimality else None,
        "latency": design.latency,
    }
    for name, one in measured.items():
        row |= _errors("" if name == "y" else "derivative_", one)
    ulp = float(y.format.ulp)
    row |= {f"{kind}_error": row[f"{kind}_error_ulp"] * ulp for kind in ("max", "mean")}
    # The text that `hwact generate` writes, so that placing it again gives the same.
    text = verilog(design, command=spec.command())
    return _Unit(design.name, spec.clock_name, text, row, curve(design, measured))


def _errors(prefix, measured):
    values = {column: float(getattr(measured, name)) for column, name in ERRORS.items()}
    return {prefix + column: value if math.isfinite(value) else None for column, value in values.items()}


def _synthesised(unit, point):
    """Cells and clock frequency."""
    from ..synth import synthesise

    report = synthesise(
        unit.verilog,
        unit.name,
        point.target,
        place=point.place,
        seeds=(point.seed,),
        dsp=point.multiplier == "dsp",
        bram=point.bram,
        clock=unit.clock,
    )
    found = {"status": "failed" if report.status == "failed" else "done", "reason": report.reason or None}
    if report.cells:
        cells = report.cells.to_dict()
        found |= {name: cells[name] for name in ("carries", "muxes", "gates", "area", "ffs", "dsps", "bram_bits")}
        found["luts"] = cells["luts"] if FAMILIES[find_target(point.target).family].luts else None
    return {**found, "fmax_mhz": report.fmax_mhz}


def _estimated(spec, point):
    """What is known without a fit and a synthesis; nothing for a family that there is no model of."""
    from ..estimate import estimate

    try:
        guess = estimate(spec, find_target(point.target).family)
    except RequestError:
        if point.estimate:
            raise
        return {"latency": spec.latency}
    found = {"estimated_luts": guess.luts, "estimated_low": guess.low, "estimated_high": guess.high}
    if point.estimate:
        found |= {"chosen": f"y: {guess.unit}", "segments": guess.segments}
    return {**found, "latency": guess.latency}

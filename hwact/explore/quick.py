"""An estimate of a unit without synthesis."""

from typing import NamedTuple

__all__ = ["Guess", "quick"]


class Guess(NamedTuple):
    """Estimated LUTs, and what is known of the unit."""

    luts: float
    segments: object
    latency: int
    method: str


def quick(spec, target):
    """Estimate a request for a target, by the cost model that the fit ranks candidates with."""
    from ..fit.choice import described
    from ..fit.cost import cost

    design = spec.design()
    luts, beside = 0.0, None
    for channel in design.channels:
        luts += cost(channel.fold, channel.core, design.input, channel.format, beside, design.lut_inputs)
        beside = channel.fold
    y = design.channel("y")
    return Guess(round(luts, 1), y.segments, design.latency, described(y))

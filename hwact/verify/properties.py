"""What a circuit's outputs are like on every code: monotone, symmetric, in range, without overflow.

All of them are about outputs that a simulation gave; the golden model is not asked.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..errors import CheckError
from ..functions import ErrorBound, Reference
from .certificate import Check
from .golden import chunks, measure

__all__ = ["check_overflow", "check_properties"]


def check_properties(design, outputs):
    """Range, symmetry and monotony of a circuit's outputs.

    Parameters
    ----------
    design : Design
    outputs : dict of str to numpy.ndarray
        For each channel the output of every code of the domain, in rising order.

    Returns
    -------
    list of Check
        Symmetry only of a channel that is folded, monotony only of one with a bound.

    Raises
    ------
    CheckError
        If a property does not hold.
    """
    checks = []
    for name, measured in measure(design).items():
        checks.append(_check_range(design, measured.channel, outputs[name]))
        if measured.channel.fold.index != "none":
            checks.append(_check_symmetry(design, measured.channel, outputs[name]))
        if measured.channel.mode != "slope":
            checks.append(_check_monotone(design, measured, outputs[name]))
    return checks


def _check_range(design, channel, outputs):
    low, high, format = int(outputs.min()), int(outputs.max()), channel.format
    if not format.min_code <= low <= high <= format.max_code:
        raise CheckError(
            f"Output {channel.name} must be {format.min_code} to {format.max_code}, not {low} to {high}"
        )
    method = f"from {low} to {high}, within {format.min_code} to {format.max_code} ({format})"
    return Check("rtl", "range", channel.name, method, len(outputs))


# -- symmetry ------------------------------------------------------------------------------------


def _check_symmetry(design, channel, outputs):
    """y(x) and y of the mirrored code, for every x >= 0 whose mirror is another code of the domain."""
    fold, (first, last) = channel.fold, design.domain
    shift = int(fold.index == "complement")
    codes = np.arange(max(0, first, 1 - shift), min(last, -first - shift) + 1)
    right, left = (outputs[x - first].astype(np.int64) for x in (codes, -codes - shift))
    expected, identity = _mirrored(fold, codes, right, "-1 - x" if shift else "-x")
    ends = channel.format.min_code, channel.format.max_code
    clamped = (
        np.isin(left, ends) | np.isin(right, ends) if channel.saturate else np.zeros(len(codes), dtype=bool)
    )
    wrong = (left != expected) & ~clamped
    if wrong.any():
        k = wrong.argmax()
        raise CheckError(
            f"Output {channel.name} of code {-codes[k] - shift} must be {expected[k]}, as {identity}, "
            f"not {left[k]}"
        )
    if clamped.any():
        identity += f", but for {clamped.sum()} pairs at an end of the format"
    return Check("rtl", "symmetry", channel.name, identity, 2 * len(codes), "codes with their mirror images")


def _mirrored(fold, codes, right, mirror):
    """Outputs of the mirrored codes, and the identity that says so."""
    if fold.restore == "odd":
        constant = f"{fold.constant} " if fold.constant else ""
        return fold.constant - right, f"y({mirror}) = {constant}{'- ' if constant else '-'}y(x)"
    if fold.restore == "even":
        return right, f"y({mirror}) = y(x)"
    weight = f" * 2^{fold.ramp_shift}" if fold.ramp_shift else ""
    if fold.restore == "ramp_down" and fold.index == "complement":
        return right - (codes + 1 << fold.ramp_shift), f"y({mirror}) = y(x) - (x + 1){weight}"
    return right - (codes << fold.ramp_shift), f"y({mirror}) = y(x) - x{weight}"


# -- monotony ------------------------------------------------------------------------------------


def _check_monotone(design, measured, outputs):
    """Whether y never falls where the function rises, and if it does, that the bound allows it."""
    channel = measured.channel
    trends = _trends(design, measured)
    trend = next((trend for trend in trends if not trend.falls), None)
    if trend is None:
        return Check("rtl", "monotone", channel.name, "not monotone: f itself is not", len(outputs))
    sign, slack = trend.sign, trend.slack
    way, counter = ("rises", "falls") if sign > 0 else ("falls", "rises")
    number, most = _falls(sign * outputs.astype(np.int64))
    bound, _ = ErrorBound.parse(channel.bound).in_ulps(channel.format)
    if most > 2 * float(bound) + slack:
        raise CheckError(
            f"Output {channel.name} must not turn back by more than twice its bound, not by {most}"
        )
    within = f" (to within 2^{math.ceil(math.log2(slack))} ulp)" if slack else ""
    if number:
        turns = f"{number} {counter} of at most {most} ulp where f {way}{within}"
        method = f"not monotone: {turns}, allowed by the bound"
    else:
        method = f"y never {counter}, as f {way}{within}"
    return Check("rtl", "monotone", channel.name, method, len(outputs))


def _falls(values):
    """How often values fall from one to the next, and how far below an earlier one they get."""
    return int((values[1:] < values[:-1]).sum()), int((np.maximum.accumulate(values) - values).max())


@dataclass
class _Trend:
    """Whether sign * f rises, from enclosures in the order of the codes.

    Parameters
    ----------
    sign : int
    falls : bool
        Whether it certainly falls below an earlier value.
    slack : float
        How far below an earlier value it may be at most, in ulps.
    """

    sign: int
    falls: bool = False
    slack: float = 0.0
    sure: float = -math.inf  # what it certainly reached
    most: float = -math.inf  # what it reached at most

    def add(self, below, above):
        sure = np.maximum(np.maximum.accumulate(below), self.sure)
        most = np.maximum(np.maximum.accumulate(above), self.most)
        self.falls |= bool((above < sure).any())
        self.slack = max(self.slack, float((most - below).max()))
        self.sure, self.most = sure[-1], most[-1]


def _trends(design, measured):
    """How f, clamped to the output's range, rises and falls."""
    format, reference = measured.channel.format, measured.reference
    up, down = _Trend(1), _Trend(-1)
    for codes in chunks(design):
        part = Reference(reference.function, design.input, (int(codes[0]), int(codes[-1])))
        middle, radius = part.enclose(format.frac_bits)
        ends = (np.nextafter(middle + sign * radius, sign * np.inf) for sign in (-1, 1))
        below, above = (np.where(radius, end, middle).clip(format.min_code, format.max_code) for end in ends)
        up.add(below, above)
        down.add(-above, -below)
    return up, down


# -- overflow ------------------------------------------------------------------------------------


def check_overflow(design, adders, readings, tools=()):
    """Whether the adders of a circuit are exact on every code.

    Parameters
    ----------
    design : Design
    adders : sequence of Adder
    readings : sequence of int
        The readings under which each was exact on every code, see `Simulation`.
    tools : tuple of str

    Returns
    -------
    Check
        That says which adders wrap: their outputs are right, as those of the circuit are, but only modulo a
        power of two.
    """
    first, last = design.domain
    wraps = [adder for adder, exact in zip(adders, readings) if not exact]
    method = f"{len(adders) - len(wraps)} of {len(adders)} adders exact as integers"
    if wraps:
        places = ", ".join(f"line {adder.line}: modulo 2^{adder.read}" for adder in wraps)
        method += f", {len(wraps)} wrap by design ({places})"
    named = " and ".join(channel.name for channel in design.channels)
    return Check("rtl", "overflow", named, method, last + 1 - first, tools=tools)

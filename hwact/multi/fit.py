"""Fitting several functions at once: one size of blocks, one shift and one width of slopes for all of them.

The allowed outputs of all functions, folded, stand one behind the other in one band, a page each; between them
everything is allowed. The fit of that band is the one of a single function.
"""

from dataclasses import replace
from functools import partial
from operator import itemgetter

import numpy as np

from ..design import Fold, Table
from ..errors import RequestError
from ..fit import target_of
from ..fit.band import Band
from ..fit.choice import Chooser
from ..fit.cost import cost
from ..fit.exact import HALVINGS, MAX_TABLE, MAX_TABLE_ASKED, SPARE_SHIFTS
from ..fit.exact import _quantised as quantised
from ..fit.exact import _tables as tables_of
from ..fit.folding import Folded
from ..fit.problem import Problem
from ..fit.segmentation import serves, uniform
from ..fit.slope import AnySlope, slope_channel
from ..spec import MAX_INPUT_WIDTH, open_parameters
from .design import MultiChannel, MultiDesign

__all__ = ["fit"]

#: What is allowed where no code is, in bits.
_FREE_BITS = 34
#: Indices that folds may prefer; any other is taken where there is none of the kind.
_PREFERENCES = (("complement",), ("negate",), ("complement", "negate"), ("none",))

#: Choices of folds that are fitted jointly.
MAX_CHOICES = 2


def fit(spec, area=None):
    """Fit the unit that a `MultiSpec` asks for.

    Parameters
    ----------
    spec : MultiSpec
    area : function or None
        Measured size of a MultiDesign in LUTs, with which the best candidates are compared.

    Returns
    -------
    MultiDesign

    Raises
    ------
    RequestError
        If a function is undefined at a code of the domain, or a bound cannot be met.
    """
    common = spec.common
    design = partial(
        MultiDesign,
        name=spec.name,
        functions=tuple(one.function.name for one in spec.specs),
        input=common.input,
        domain=common.domain_codes,
        shell=common.shell,
        parameters=tuple(open_parameters(one.function) for one in spec.specs),
    )

    def chooser(before, variants):
        build = lambda channel, lut_inputs: design(channels=(*before, channel), lut_inputs=lut_inputs)  # noqa: E731
        return Chooser(build, area, common.tries, variants)

    targets = [target_of(one.function, one, one.output, one.bound) for one in spec.specs]
    method = "pwl" if common.derivative == "slope" else common.method
    y, lut_inputs, trials = _fit(targets, common, method, chooser((), common.layouts))
    channels = (y,)
    if common.derivative == "slope":
        channels = y, _slopes(y, [one.function.derivative().text for one in spec.specs], common.input)
    elif common.derivative == "direct":
        output, bound = common.derivative_output, common.derivative_bound
        targets = [target_of(one.function.derivative(), one, output, bound, "dy", "direct") for one in spec.specs]
        dy, _, more = _fit(targets, common, common.method, chooser((y,), (lut_inputs,)))
        channels, trials = (y, dy), (*trials, *more)
    return design(channels=channels, lut_inputs=lut_inputs, trials=trials)


def _fit(targets, common, method, choose_one):
    problems = [Problem(target, AnySlope(), common.saturate) for target in targets]
    candidates = []
    for chosen in _choices(problems, common.multiplier, choose_one.layout):
        joined, bits = _joined(chosen)
        cores = []
        if method in ("auto", "pwl"):
            cores += _lines(joined, common.multiplier, min(bits, max(common.input.width - 1, 1)))
        if method in ("auto", "table") and len(joined.band) <= MAX_TABLE_ASKED:
            cores += (core for _, core in tables_of([joined], MAX_TABLE_ASKED))
        folds, used = tuple(one.fold for one in chosen), [one.origin + len(one.band) for one in chosen]
        candidates += ((folds, bits, _repeated(core, used, bits)) for core in cores)
    if not candidates:
        raise RequestError(f"Table must have at most {MAX_TABLE_ASKED} entries: take --method pwl")
    target = targets[0]
    ranked = sorted(
        ((_estimate(folds, core, target, choose_one.layout), (folds, bits, core)) for folds, bits, core in candidates),
        key=itemgetter(0),
    )
    make = partial(
        MultiChannel,
        target.name,
        target.mode,
        tuple(one.expression for one in targets),
        target.output,
        target.bound,
        saturate=common.saturate,
    )
    return choose_one([(estimate, partial(make, *found)) for estimate, found in ranked])


def _choices(problems, multiplier, layout):
    """Different choices of a fold for each function: the cheapest ones for it alone, of a preferred kind."""
    scored = [_scores(problem, multiplier, layout) for problem in problems]
    found = {}
    for preferred in _PREFERENCES:
        chosen = [
            min([one for one in scores if one[1].fold.index in preferred] or scores, key=itemgetter(0))
            for scores in scored
        ]
        found[tuple(one.fold for _, one in chosen)] = sum(score for score, _ in chosen), [one for _, one in chosen]
    ranked = sorted(found.values(), key=itemgetter(0))
    return [chosen for _, chosen in ranked[:MAX_CHOICES]]


def _scores(problem, multiplier, layout):
    """Every fold of a function that a page can hold, with the estimated size of the function alone."""
    formats, scores = (problem.target.input, problem.target.output), []
    for folded in filter(None, map(_within_page, problem.folds)):
        cores = list(_lines(folded, multiplier, halvings=0, spare=0))
        if len(folded.band) <= MAX_TABLE:
            cores += [core for _, core in tables_of([folded], MAX_TABLE)]
        scores.append((min(cost(folded.fold, core, *formats, None, layout) for core in cores), folded))
    return scores


def _within_page(folded):
    """The fold with the magnitude of the smallest code taken for the one below it; None if no output serves both."""
    band, count = folded.band, len(folded.band)
    last = 1 << (count - 1).bit_length() - 1
    if folded.fold.index != "negate" or last < 2 or count != last + 1:
        return folded
    lower, upper = band.lower[:last].copy(), band.upper[:last].copy()
    lower[-1], upper[-1] = max(lower[-1], band.lower[last]), min(upper[-1], band.upper[last])
    return folded._replace(band=Band(lower, upper), target=folded.target[:last]) if lower[-1] <= upper[-1] else None


def _joined(chosen):
    """The bands of all functions as one, and the bits of a page."""
    ends = [one.origin + len(one.band) for one in chosen]
    bits = max((max(ends) - 1).bit_length(), 1)
    count = len(chosen) << bits
    lower = np.full(count, -(1 << _FREE_BITS), dtype=np.int64)
    upper, target = -lower, np.zeros(count)
    for number, one in enumerate(chosen):
        place = slice((number << bits) + one.origin, (number << bits) + one.origin + len(one.band))
        lower[place], upper[place], target[place] = one.band.lower, one.band.upper, one.target
    last = ((len(chosen) - 1) << bits) + ends[-1]
    return Folded(Fold(), Band(lower[:last], upper[:last]), 0, target[:last]), bits


def _repeated(core, used, bits):
    """The core with the indices that no code reaches filled by what is before them, so that address bits drop out."""
    if isinstance(core, Table):
        places = [_source(index + core.start, used, bits) - core.start for index in range(len(core.entries))]
        return Table(core.start, tuple(core.entries[max(place, 0)] for place in places))
    size = core.sizes[0]
    places = [(_source(start, used, bits) - core.starts[0]) // size for start in core.starts]
    own = {name: tuple(getattr(core, name)[max(k, 0)] for k in places) for name in ("slopes", "intercepts")}
    return replace(core, **own)


def _source(index, used, bits):
    """The index itself, or the one that differs in the address bits which a function has no use for."""
    number, place = index >> bits, index & (1 << bits) - 1
    return (number << bits) + place % (1 << (used[number] - 1).bit_length())


def _lines(folded, multiplier, most=MAX_INPUT_WIDTH, halvings=HALVINGS, spare=SPARE_SHIFTS):
    """Lines with the largest blocks that serve, of at most ``2**most`` indices, and with smaller ones."""
    band, origin, grid = folded.band, folded.origin, AnySlope().grid(folded.fold)
    blocks = (uniform(band, origin, grid, bits) for bits in range(most, -1, -1))
    largest = next(one for one in blocks if serves(band, origin, one, grid))
    exponent = (largest.stop - largest.starts[-1]).bit_length() - 1
    for bits in range(exponent, max(exponent - 1 - halvings, -1), -1):
        trial = uniform(band, origin, grid, bits)
        yield from quantised(AnySlope(), folded, "uniform", trial, multiplier, spare)


def _estimate(folds, core, target, layout):
    """Estimated LUT4s: the core once, the dearest fold of each kind, and what chooses between folds."""
    parts = {cost(fold, core, target.input, target.output, None, layout) for fold in folds}
    plain = cost(Fold(), core, target.input, target.output, None, layout)
    restores = {fold.restore for fold in folds} - {"none", "even"}
    constants = {fold.constant % (1 << target.output.width) for fold in folds if fold.restore == "odd"} - {0}
    return max(parts | {plain}) + target.output.width * (len(restores) > 1) + len(constants)


def _slopes(channel, expressions, input):
    """The channel of the slopes in use, in the narrowest format that holds those of every function."""
    singles = [slope_channel(channel.single(k, input), text, input) for k, text in enumerate(expressions)]
    format = max((one.format for one in singles), key=lambda format: format.width)
    lines, codes = channel.core, []
    for start in lines.starts:
        number = start >> channel.page_bits
        own = singles[number].core
        place = own.starts.index(start - (number << channel.page_bits))
        codes.append(own.intercepts[place])
    core = replace(lines, shift=0, slopes=(0,) * len(codes), intercepts=tuple(codes))
    folds = tuple(one.fold for one in singles)
    return MultiChannel("dy", "slope", tuple(expressions), format, "none", folds, channel.page_bits, core)

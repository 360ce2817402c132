"""Fitting several functions at once: one size of blocks, one shift and one width of slopes for all of them.

The allowed outputs of all functions, folded, stand one behind the other in one band, a page each; between them
everything is allowed. The fit of that band is the one of a single function.
"""

from dataclasses import replace
from functools import partial
from operator import itemgetter

import numpy as np

from ..design import Fold, Lines, Table
from ..errors import RequestError
from ..fit import target_of
from ..fit.band import Band
from ..fit.choice import Chooser
from ..fit.cost import cost
from ..fit.exact import MAX_TABLE, MAX_TABLE_ASKED, SPARE_SHIFTS
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
#: Partial choices of folds that are looked at further.
BEAM = 64
#: Choices of folds that are fitted jointly.
MAX_CHOICES = 3
#: Halvings of the largest blocks that are considered.
HALVINGS = 2


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
        carry_cells=common.carry_cells,
    )

    def chooser(before, variants):
        build = lambda channel, lut_inputs: design(channels=(*before, channel), lut_inputs=lut_inputs)
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
    """The best choices of a fold for each function, by the sizes of their tables and lines alone and of all folds.

    A beam search: partial choices that look dear are dropped.
    """
    target, beam = problems[0].target, [(0.0, [])]
    for problem in problems:
        scores = _scores(problem, multiplier, layout)
        longer = [(size + own, [*chosen, folded]) for size, chosen in beam for own, folded in scores]
        beam = sorted(longer, key=lambda one: one[0] + _folding([f.fold for f in one[1]], target, False))[:BEAM]
    return [chosen for _, chosen in beam[:MAX_CHOICES]]


def _scores(problem, multiplier, layout):
    """Every fold of a function that a page can hold, with the estimated size of table or lines."""
    formats, scores = (problem.target.input, problem.target.output), []
    for folded in filter(None, map(_within_page, problem.folds)):
        cores = list(_lines(folded, multiplier, halvings=0, spare=0))
        if len(folded.band) <= MAX_TABLE:
            cores += [core for _, core in tables_of([folded], MAX_TABLE)]
        scores.append((min(cost(Fold(), core, *formats, None, layout) for core in cores), folded))
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
    """Estimated LUT4s: what folds and unfolds, and the core once."""
    lines = isinstance(core, Lines)
    return cost(Fold(), core, target.input, target.output, None, layout) + _folding(folds, target, lines)


def _folding(folds, target, lines):
    """Estimated LUT4s of what folds and unfolds for all functions; lines take a negation into their last adder."""
    indices, width = {fold.index for fold in folds}, target.output.width
    size = len(indices) - 1.0
    if indices != {"none"}:
        size += target.input.width * (1.5 if "negate" in indices else 0.5)
    odd = [fold.constant + 1 for fold in folds if fold.restore == "odd"]
    rests = [rest % (1 << width) for rest in odd if not (lines and (rest - 1) % (1 << width) == 0)]
    zeros = [(rest & -rest).bit_length() - 1 for rest in rests if rest]
    size += width * (bool(odd) and not lines) + (width - min(zeros) if zeros else 0)
    ramps = {fold.ramp_shift for fold in folds if fold.restore.startswith("ramp")}
    return size + len(ramps) * (width + 1.0) + len({fold.restore for fold in folds}) - 1.0


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

"""The exact fit against brute force: feasibility, minimal counts, shifts, folds, slopes."""

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwact import SQ, UQ, ErrorBound, RequestError, Spec, function
from hwact.design import Fold, Lines, Table
from hwact.fit import target_of
from hwact.fit.band import Band, Grid, Infeasible, Line
from hwact.fit.exact import fit_exact
from hwact.fit.problem import Problem
from hwact.fit.segmentation import dyadic, earliest_starts, free, uniform
from hwact.fit.slope import AnySlope, HeldSlope

# -- brute force -------------------------------------------------------------------------------


def served_by_real_line(lower, upper):
    """Whether a real line serves a window: every two codes bound its slope, and the bounds leave room."""
    above, below = (-1, 0), (1, 0)  # fractions (numerator, denominator): minus and plus infinity
    for j in range(len(lower)):
        for i in range(j):
            run = j - i
            if (lower[j] - upper[i] - 1) * above[1] > above[0] * run:
                above = lower[j] - upper[i] - 1, run
            if (upper[j] + 1 - lower[i]) * below[1] < below[0] * run:
                below = upper[j] + 1 - lower[i], run
            if above[0] * below[1] >= below[0] * above[1] and above[1]:
                return False
    return True


def minimal_free(lower, upper):
    """Starts of the greedy segmentation, every pair of codes of a segment compared."""
    lower, upper, starts, k = lower.tolist(), upper.tolist(), [], 0
    while k < len(lower):
        start = k
        starts.append(start)
        above, below = (-1, 0), (1, 0)
        while k < len(lower):
            for i in range(start, k):
                run = k - i
                if (lower[k] - upper[i] - 1) * above[1] > above[0] * run:
                    above = lower[k] - upper[i] - 1, run
                if (upper[k] + 1 - lower[i]) * below[1] < below[0] * run:
                    below = upper[k] + 1 - lower[i], run
            if k > start and above[0] * below[1] >= below[0] * above[1]:
                break
            k += 1
    return starts


def slopes_that_serve(lower, upper, grid):
    """Every integer slope on a grid with which some intercept serves a window."""
    d = np.arange(len(lower))
    low, high = lower << grid.shift, ((upper + 1) << grid.shift) - 1
    reach = int(high.max() - low.min())
    least, most = (-reach, reach) if grid.least is None else (grid.least, grid.most)
    m = np.arange(-(-least // grid.step), most // grid.step + 1)[:, None] * grid.step
    return m[(low - m * d).max(axis=1) <= (high - m * d).min(axis=1), 0]


def minimal_on_grid(lower, upper, grid):
    """Segments of the greedy segmentation over every slope on a grid."""
    count, start = 0, 0
    while start < len(lower):
        stop = start + 1
        d = np.arange(len(lower) - start)
        low, high = (lower << grid.shift)[start:], (((upper + 1) << grid.shift) - 1)[start:]
        reach = int((upper.max() - lower.min() + 1) << grid.shift)
        least, most = (-reach, reach) if grid.least is None else (grid.least, grid.most)
        m = np.arange(-(-least // grid.step), most // grid.step + 1)[:, None] * grid.step
        room = np.minimum.accumulate(high - m * d, axis=1) - np.maximum.accumulate(low - m * d, axis=1)
        stop = start + int((room >= 0).sum(axis=1).max())
        count, start = count + 1, stop
    return count


@st.composite
def bands(draw):
    pairs = draw(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 4)), min_size=1, max_size=9))
    return Band([low for low, _ in pairs], [low + more for low, more in pairs])


GRIDS = st.builds(
    Grid,
    shift=st.integers(0, 3),
    step=st.integers(1, 4),
    least=st.integers(-9, 0),
    most=st.integers(0, 9),
) | st.builds(Grid, shift=st.integers(0, 3), step=st.integers(1, 4))


# -- bands -------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(bands(), GRIDS)
def test_integer_lines_are_found_exactly_where_they_exist(band, grid):
    """Every slope of a small grid tried; and a refusal names how far the contradiction reaches."""
    serving = slopes_that_serve(band.lower, band.upper, grid)
    answer = band.line(0, len(band), grid)
    if isinstance(answer, Line):
        assert answer.slope in serving
        low, high = band.slopes(0, len(band), grid)
        if len(band) > 1:
            assert (low, high) == (serving.min(), serving.max())
        least, most = band.intercepts(0, len(band), answer.slope, grid.shift)
        d = np.arange(len(band))
        for intercept, fits in ((least - 1, False), (least, True), (most, True), (most + 1, False)):
            y = (answer.slope * d + intercept) >> grid.shift
            assert ((band.lower <= y) & (y <= band.upper)).all() == fits
    else:
        assert not serving.size
        reach = answer.reach + 1
        assert not slopes_that_serve(band.lower[:reach], band.upper[:reach], grid).size


@settings(max_examples=300, deadline=None)
@given(bands())
def test_real_lines_are_found_exactly_where_they_exist(band):
    """And the pairs of a refusal contradict each other by themselves."""
    answer = band.line(0, len(band))
    assert isinstance(answer, Line) == served_by_real_line(band.lower.tolist(), band.upper.tolist())
    if isinstance(answer, Infeasible):
        a, b, c, d = answer.codes
        least = Fraction(int(band.lower[b] - band.upper[a]) - 1, b - a)
        most = Fraction(int(band.upper[d] - band.lower[c]) + 1, d - c)
        assert least >= most
    else:
        d = np.arange(len(band)) * answer.slope
        assert max(int(low) - ramp for low, ramp in zip(band.lower, d)) < min(
            int(high) + 1 - ramp for high, ramp in zip(band.upper, d)
        )


@settings(max_examples=200, deadline=None)
@given(bands(), GRIDS | st.just(Grid()), st.integers(1, 12))
def test_longest_segment_ends_where_brute_force_says(band, grid, guess):
    """Whatever length is tried first."""

    def served(stop):
        if grid.shift is None:
            return served_by_real_line(band.lower[:stop].tolist(), band.upper[:stop].tolist())
        return slopes_that_serve(band.lower[:stop], band.upper[:stop], grid).size > 0

    stop, proof = band.longest(0, grid, guess)
    assert stop == 1 or served(stop)
    assert (proof is None) == (stop == len(band))
    if proof is not None:
        assert not served(stop + 1) and proof.reach <= stop


@settings(max_examples=100, deadline=None)
@given(bands(), GRIDS | st.just(Grid()))
def test_earliest_starts_bound_every_minimal_segmentation(band, grid):
    """The mirror image has as many segments, and no minimal segmentation is behind it."""
    found, earliest = free(band, 0, grid), earliest_starts(band, grid)
    assert len(earliest) == len(found) and earliest[-1] == len(band)
    assert all(stop >= first for stop, first in zip((*found.starts[1:], found.stop), earliest))
    assert free(band, 0, grid, earliest) == found
    if len(found) > 1:
        assert free(band, 0, grid, earliest[1:]) is None


# -- minimal counts ----------------------------------------------------------------------------


def problem(text, input, output, bound="faithful", domain=None, slopes=None, saturate=False):
    spec = Spec(text, input, output, domain=domain)
    target = target_of(spec.function, spec, spec.output, ErrorBound.parse(bound))
    return Problem(target, slopes or AnySlope(), saturate)


PROBLEMS = [
    ("tanh", "SQ4.4", "SQ1.7"),
    ("tanh", "SQ3.4", "SQ1.6", "correct"),
    ("tanh", "SQ4.6", "SQ1.9", "2^-6"),
    ("sigmoid", "SQ4.5", "UQ0.9", "1.5ulp"),
    ("gelu", "SQ4.4", "SQ4.4"),
    ("gelu", "SQ4.3", "SQ4.5", "correct"),
    ("silu", "SQ3.5", "SQ3.5", "0.75ulp"),
    ("softplus", "SQ4.5", "SQ4.5", "faithful", "-3:2.5"),
    ("exp(-x)", "UQ3.5", "UQ0.9"),
    ("gaussian", "SQ3.4", "UQ0.10", "2^-6"),
    ("sin", "SQ3.5", "SQ2.7"),
    ("mish", "SQ3.5", "SQ3.6", "1e-2"),
    ("tanh", "SQ-1.9", "SQ-1.9"),
    ("tanh", "UQ-2.10", "UQ-2.11"),
    ("log2", "UQ1.7", "SQ1.6", "faithful", "0.25:1.9"),
    ("reciprocal", "UQ4.4", "UQ0.8", "faithful", "1:15.9375"),
    ("x^3", "SQ2.5", "SQ2.4"),
    ("tanh(x/16)", "SQ7.1", "SQ1.7"),
    ("hard_tanh", "SQ3.4", "SQ1.6"),
    ("exp(x)", "SQ1.5", "UQ6.-1", "correct"),
    ("0", "SQ2.2", "UQ1.3"),
]


@pytest.mark.parametrize("asked", PROBLEMS)
def test_free_segmentation_is_minimal_by_an_independent_count(asked):
    """Every pair of codes of every segment, in integers; the witnesses come out of the same windows."""
    made = problem(*asked)
    assert list(made.least.starts) == minimal_free(made.target.lower, made.target.upper)
    options = dict(zip(("bound", "domain"), asked[3:]))
    design = Spec(*asked[:3], **options, method="pwl").design()
    channel = design.channels[0]
    assert channel.core.segmentation == "free"
    assert channel.segments == channel.minimality.segments == len(made.least)
    outputs = design.evaluate(design.codes())
    assert ((outputs >= made.target.lower) & (outputs <= made.target.upper)).all()


KNOWN = {
    "tanh": (lambda w: (SQ(4, w - 4), SQ(1, w - 1)), (11, 23, 45, 199)),
    "sigmoid": (lambda w: (f"SQ4.{w - 4}", f"UQ0.{w}"), (11, 23, 47, 197)),
    "gelu": (lambda w: (SQ(4, w - 4),) * 2, (3, 7, 14, 60)),
    "silu": (lambda w: (SQ(4, w - 4),) * 2, (5, 9, 18, 78)),
    "softplus": (lambda w: (SQ(4, w - 4),) * 2, (4, 8, 17, 67)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_minima_of_faithful_units(name):
    """Segments at 8, 10, 12 and 16 bits, and one more is not needed on the stored half either."""
    formats, counts = KNOWN[name]
    for width, count in zip((8, 10, 12, 16), counts):
        assert len(problem(name, *formats(width)).least) == count


def test_fit_of_16_bits_takes_no_time_to_speak_of():
    """A generous limit; it is measured at 0.5 s."""
    started = time.process_time()
    Spec("tanh", SQ(4, 12), SQ(1, 15), method="pwl").design()
    assert time.process_time() - started < 3


@pytest.mark.parametrize("asked", PROBLEMS[:12])
def test_dyadic_and_uniform_segmentations_are_minimal_by_brute_force(asked):
    """Every aligned block judged pair by pair, on every fold."""
    for folded in problem(*asked).folds[:3]:
        lower, upper = folded.band.lower.tolist(), folded.band.upper.tolist()
        known = {}

        def served(start, size):
            first, last = max(start - folded.origin, 0), max(start + size - folded.origin, 0)
            if (first, last) not in known:
                known[first, last] = served_by_real_line(lower[first:last], upper[first:last])
            return known[first, last]

        def fewest(start, size):
            if start + size <= folded.origin or start >= folded.origin + len(lower):
                return 0
            return (
                1 if served(start, size) else fewest(start, size // 2) + fewest(start + size // 2, size // 2)
            )

        whole = 1 << (folded.origin + len(lower) - 1).bit_length()
        assert len(dyadic(folded.band, folded.origin)) == fewest(0, whole)
        counts = []
        for bits in range(whole.bit_length()):
            blocks = range(folded.origin >> bits << bits, folded.origin + len(lower), 1 << bits)
            if all(served(start, 1 << bits) for start in blocks):
                counts.append(len(blocks))
        assert len(uniform(folded.band, folded.origin)) == min(counts)


@pytest.mark.parametrize("segmentation", ["free", "dyadic", "uniform"])
@pytest.mark.parametrize(
    "asked", [("tanh", "SQ3.3", "SQ1.5"), ("silu", "SQ3.4", "SQ3.4"), ("exp(-x)", "UQ3.4", "UQ0.7")]
)
def test_shift_is_the_smallest_that_keeps_the_count(asked, segmentation):
    """No fewer fraction bits give as few segments, over every slope there is."""
    made = problem(*asked)
    channel = Spec(*asked, method="pwl", segmentation=segmentation).design().channels[0]
    [folded] = [folded for folded in made.folds if folded.fold == channel.fold]
    lower, upper, lines = folded.band.lower, folded.band.upper, channel.core

    def reached(shift):
        if segmentation == "free":
            return minimal_on_grid(lower, upper, Grid(shift)) == lines.segments
        windows = [
            (max(a - folded.origin, 0), b - folded.origin)
            for a, b in zip(lines.starts, (*lines.starts[1:], lines.stop))
        ]
        return all(slopes_that_serve(lower[a:b], upper[a:b], Grid(shift)).size for a, b in windows)

    assert reached(lines.shift)
    assert not any(reached(shift) for shift in range(lines.shift))


# -- folds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", PROBLEMS)
@pytest.mark.parametrize("saturate", [False, True])
def test_every_output_that_a_fold_allows_is_allowed_to_both_codes(asked, saturate):
    """Lowest, highest and random outputs of the half, unfolded."""
    made = problem(*asked, saturate=saturate)
    target, draw = made.target, np.random.default_rng(1)
    for folded in made.folds:
        u, negative = folded.fold.fold(target.codes, target.input)
        for share in (0.0, 1.0, draw.random(len(folded.band))):
            halves = folded.band.lower + np.floor((folded.band.upper - folded.band.lower) * share).astype(
                np.int64
            )
            outputs = folded.fold.unfold(halves[u - folded.origin], target.codes, negative)
            assert ((outputs >= target.lower) & (outputs <= target.upper)).all(), folded.fold


@pytest.mark.parametrize("asked", PROBLEMS)
def test_pieces_of_a_fold_are_counted_over_the_whole_range(asked):
    """Segments of either side that hold a code, the middle ones once where one line serves both."""
    made = problem(*asked)
    codes, lower, upper = made.target.codes, made.target.lower.tolist(), made.target.upper.tolist()
    for folded in made.folds[1:]:
        half = free(folded.band, folded.origin)
        u, negative = folded.fold.fold(codes, made.target.input)
        segment = np.searchsorted(half.starts, u, side="right") - 1
        inner = np.flatnonzero(segment == 0)
        joined = served_by_real_line(lower[inner[0] : inner[-1] + 1], upper[inner[0] : inner[-1] + 1])
        pieces = len(set(zip(segment.tolist(), negative.tolist()))) - joined
        assert made.pieces(folded.fold, half) == pieces


@pytest.mark.parametrize(
    ("text", "output", "domain", "restores"),
    [
        ("tanh", "SQ1.7", None, {"none", "odd"}),
        ("tanh", "SQ1.7", "-3:5", {"none", "odd"}),
        ("tanh", "SQ1.7", "0:5", {"none"}),
        ("sigmoid", "UQ0.8", None, {"none", "odd"}),
        ("gaussian", "UQ0.8", None, {"none", "even"}),
        ("gelu", "SQ4.4", None, {"none", "ramp", "ramp_down"}),
        ("softplus", "SQ4.4", None, {"none", "ramp", "ramp_down"}),
        ("4*abs(x)", "SQ6.4", None, {"none", "even"}),
        ("4*max(x, 0)", "SQ6.4", None, {"none", "ramp", "ramp_down"}),
        ("exp(-x)", "UQ4.4", "-2:2", {"none"}),
    ],
)
def test_folds_are_found_where_the_function_is_symmetric(text, output, domain, restores):
    """And no others, whatever the domain."""
    assert {folded.fold.restore for folded in problem(text, "SQ4.4", output, domain=domain).folds} == restores


def test_unsigned_inputs_are_never_folded():
    """There is nothing to mirror."""
    assert len(problem("gaussian", "UQ4.4", "UQ0.8").folds) == 1


# -- coefficients and candidates ---------------------------------------------------------------


@pytest.mark.parametrize("method", ["auto", "pwl", "table"])
@pytest.mark.parametrize("asked", PROBLEMS[:12])
def test_units_of_every_method_keep_the_bound(asked, method):
    """Whichever candidate is taken."""
    made = problem(*asked)
    options = dict(zip(("bound", "domain"), asked[3:]))
    design = Spec(*asked[:3], **options, method=method).design()
    outputs = design.evaluate(design.codes())
    assert ((outputs >= made.target.lower) & (outputs <= made.target.upper)).all()
    assert isinstance(design.channels[0].core, {"pwl": Lines, "table": Table}.get(method, (Lines, Table)))


@pytest.mark.parametrize("multiplier", ["logic", "dsp", "shift-add"])
@pytest.mark.parametrize("segmentation", ["free", "dyadic", "uniform"])
def test_what_is_asked_for_is_what_is_made(segmentation, multiplier):
    """Segmentation and multiplier."""
    design = Spec(
        "tanh", "SQ4.4", "SQ1.7", method="pwl", segmentation=segmentation, multiplier=multiplier
    ).design()
    assert (design.channels[0].core.segmentation, design.channels[0].core.multiplier) == (
        segmentation,
        multiplier,
    )


def test_two_fits_of_one_request_are_one_design():
    """Nothing is drawn by chance."""
    spec = Spec("gelu", "SQ4.4", "SQ4.4", derivative="direct", derivative_output="SQ2.6")
    assert spec.design() == spec.design()


def test_bounds_that_cannot_be_met_and_undefined_codes_are_requests_gone_wrong():
    """One sentence."""
    with pytest.raises(RequestError, match=" must "):
        Spec("tanh", "SQ4.4", "SQ1.3", bound="2^-9").design()
    with pytest.raises(RequestError, match=" must "):
        Spec("log2", "SQ4.4", "SQ4.4").design()
    with pytest.raises(RequestError, match="^Table must have at most 65536 entries: take --method pwl$"):
        Spec("exp(x)", "SQ4.14", "UQ1.3", method="table", domain="-8:-0.1").design()


# -- saturation --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "counts"),
    [
        (("hard_tanh", "SQ4.4", "SQ1.7"), (3, 1)),
        (("x^3", "SQ2.5", "SQ2.4"), None),
        (("relu6", "SQ5.3", "UQ3.3"), None),
    ],
)
def test_saturating_units_need_no_segments_for_the_clamp(asked, counts):
    """Fewer segments, minimal by the independent count, outputs within the bound."""
    plain, relaxed = problem(*asked), problem(*asked, saturate=True)
    assert list(relaxed.least.starts) == minimal_free(relaxed.target.lower, relaxed.target.upper)
    assert len(relaxed.least) < len(plain.least)
    assert counts is None or (len(plain.least), len(relaxed.least)) == counts
    design = Spec(*asked, method="pwl", saturate=True).design()
    outputs, raw = (
        design.evaluate(design.codes()),
        design.channels[0].evaluate_raw(design.codes(), design.input),
    )
    assert ((outputs >= plain.target.lower) & (outputs <= plain.target.upper)).all()
    assert (outputs != raw).any()


# -- derivatives -------------------------------------------------------------------------------


def lines_of(design):
    """The exact value of the line in use, in output ulps, before rounding, and a name of the piece."""
    channel = design.channels[0]
    fold, core = channel.fold, channel.core

    def line(x):
        u, negative = fold.fold(np.array(x), design.input)
        u, negative = int(u), bool(negative)
        k = int(core.locate(np.array(u)))
        g = Fraction(core.slopes[k] * (u - core.starts[k]) + core.intercepts[k], 1 << core.shift)
        y = {"odd": fold.constant - g if negative else g, "ramp": g + (max(x, 0) << fold.ramp_shift)}
        y |= {"ramp_down": g + (min(x, 0) << fold.ramp_shift)}
        return y.get(fold.restore, g), (k, negative)

    return line


SLOPED = [
    ("tanh", "SQ4.4", "SQ1.7", "SQ2.5"),
    ("tanh", "SQ3.3", "SQ1.9", "SQ4.4"),
    ("gelu", "SQ4.4", "SQ4.4", "SQ2.6"),
    ("softplus", "SQ4.3", "SQ4.5", "SQ2.5"),
    ("gaussian", "SQ3.4", "UQ0.8", "SQ2.6"),
    ("sigmoid", "SQ4.4", "UQ0.8", "UQ0.6"),
    ("exp(-x)", "UQ3.5", "UQ0.8", "SQ2.5"),
    ("silu", "SQ4.4", "SQ4.4", None),
    ("tanh", "SQ4.5", "SQ1.8", None),
    ("softplus", "SQ4.4", "SQ4.4", None),
    ("gaussian", "SQ3.3", "UQ0.7", None),
]


@pytest.mark.parametrize("saturate", [False, True])
@pytest.mark.parametrize("asked", SLOPED)
def test_slope_output_is_exactly_the_slope_of_the_line_in_use(asked, saturate):
    """The step of the unrounded line from one code to the next, whatever the fold."""
    *first, output = asked
    design = Spec(*first, derivative="slope", derivative_output=output, saturate=saturate).design()
    dy, line = design.channel("dy"), lines_of(design)
    assert output is None or str(dy.format) == output
    scale = dy.format.ulp * design.input.ulp / design.channels[0].format.ulp
    codes = design.codes()
    slopes = design.evaluate(codes, "dy").tolist()
    assert dy.format.contains(slopes).all()
    compared = 0
    for x in codes[:-1].tolist():
        (here, piece), (there, next_piece) = line(x), line(x + 1)
        if piece == next_piece:
            assert slopes[x - codes[0]] * scale == there - here
            compared += 1
    assert compared > len(codes) // 2


def test_natural_slope_format_is_the_narrowest_that_holds_every_slope():
    """One bit less in front would not hold one of them."""
    for asked in SLOPED:
        dy = Spec(*asked[:3], derivative="slope").design().channel("dy")
        slopes = np.array(dy.core.intercepts)
        if dy.fold.restore == "odd":
            slopes = np.r_[slopes, dy.fold.constant - slopes]
        reach = max(max(slopes.max(), -slopes.min() - 1), 0)
        assert dy.format.signed and reach > dy.format.max_code // 2


@pytest.mark.parametrize("output", [SQ(3, 1), SQ(4, 0), UQ(4, 0), UQ(3, 2), SQ(2, 3), SQ(5, -1)])
@pytest.mark.parametrize("restore", ["none", "even", "odd", "ramp", "ramp_down"])
def test_grid_holds_exactly_the_slopes_that_fit_the_format_on_both_sides(restore, output):
    """Every slope around its ends, unfolded by hand; zero, which single codes take, always fits."""
    fold = Fold() if restore == "none" else Fold("negate", restore, 0, 1 if "ramp" in restore else 0)
    held = HeldSlope(output, 2)  # the input has two fraction bits more than the function's output
    sides = {"even": lambda m: (m, -m), "ramp": lambda m: (m + 2, -m), "ramp_down": lambda m: (m, 2 - m)}

    def fits(m):
        codes = [
            slope * Fraction(2) ** (output.frac_bits + 2) for slope in sides.get(restore, lambda m: (m,))(m)
        ]
        return all(code.denominator == 1 and output.contains(int(code)) for code in codes)

    for shift in held.shifts:
        grid = held.grid(fold, shift)
        allowed = {m for m in range(-300, 301) if fits(Fraction(m, 1 << shift))}
        if grid is None:
            assert 0 not in allowed
        else:
            assert allowed == {m for m in range(grid.least, grid.most + 1) if m % grid.step == 0}


@pytest.mark.parametrize("asked", SLOPED[:7])
def test_segments_with_slopes_of_a_format_are_minimal_by_brute_force(asked):
    """Over every slope that the format holds."""
    *first, output = asked
    spec = Spec(*first, derivative="slope", derivative_output=output)
    held = HeldSlope(spec.derivative_output, spec.input.frac_bits - spec.output.frac_bits)
    made = problem(*first, slopes=held)
    grid = held.grid(made.folds[0].fold)
    assert len(made.least) == minimal_on_grid(made.target.lower, made.target.upper, grid)
    channel = spec.design().channels[0]
    assert channel.segments == channel.minimality.segments == len(made.least)
    assert channel.minimality.witnesses == ()


def test_direct_derivative_has_a_bound_of_its_own():
    """Both outputs are fitted to their own function."""
    spec = Spec(
        "tanh", "SQ4.4", "SQ1.7", derivative="direct", derivative_output="UQ0.9", derivative_bound="1.25ulp"
    )
    design = spec.design()
    target = target_of(function("diff(tanh(x))"), spec, spec.derivative_output, spec.derivative_bound)
    dy = design.evaluate(design.codes(), "dy")
    assert ((dy >= target.lower) & (dy <= target.upper)).all()
    assert (design.channel("dy").bound, design.channel("y").bound) == ("1.25ulp", "faithful")


def test_candidates_that_differ_in_scale_alone_are_tried_once():
    """Slopes of more fraction bits that are all even make the same circuit."""
    spec, offered, seen = Spec("tanh", "SQ4.4", "SQ1.7"), [], set()

    class Chooser:
        layout = 4

        def __call__(self, ranked):
            offered.extend((estimate, make()) for estimate, make in ranked)

    problem = Problem(target_of(spec.function, spec, spec.output, spec.bound), AnySlope(), False)
    fit_exact(problem, "auto", "auto", "auto", Chooser())
    for estimate, channel in offered:
        if isinstance(channel.core, Lines):
            slopes = np.array(channel.core.slopes)
            slopes //= max(np.gcd.reduce(slopes) & -np.gcd.reduce(slopes), 1)
            key = estimate, channel.fold, channel.core.starts, channel.core.joints is None, tuple(slopes.tolist())
            assert key not in seen
            seen.add(key)
    assert len(seen) > 10


def test_short_pairs_of_segments_are_found_where_lines_alone_would_be_fewer():
    """The unit with the fewest LUTs has far more segments than the minimum."""
    design = Spec("elu", "SQ4.8", "SQ4.8", target="ice40").design()
    assert design.channels[0].core.segments == 128 and design.channels[0].core.joints

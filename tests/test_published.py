"""Published segmenters: the counts of the literature, error flattening, and units that keep their bound."""

import numpy as np
import pytest

from hwact import ErrorBound, RequestError, Spec
from hwact.fit import target_of
from hwact.fit.published import PUBLISHED, flatten, segment

TANH = np.tanh(np.arange(0, 8, 2.0**-14))


@pytest.mark.parametrize(("fit", "counts"), [("lsq", (5, 9, 17, 33)), ("minimax", (4, 8, 14, 28))])
def test_segments_of_tanh_are_those_of_the_literature(fit, counts):
    """Over [0, 8) on a fine grid, at 2^-6, 2^-8, 2^-10 and 2^-12; every error as it is stated."""
    for bits, count in zip((6, 8, 10, 12), counts):
        lines = segment(TANH, 2.0**-bits, fit)
        assert len(lines) == count
        assert [line.start for line in lines] == [0, *(line.stop for line in lines[:-1])]
        assert lines[-1].stop == len(TANH)
        for line in lines:
            offsets = np.arange(line.stop - line.start)
            errors = np.abs(TANH[line.start : line.stop] - line.slope * offsets - line.intercept)
            assert errors.max() == pytest.approx(line.error, abs=1e-12) and line.error <= 2.0**-bits


@pytest.mark.parametrize(
    "values", [[3.0], [1.0, 4.0], [0.0, 1.0, 4.0, 9.0, 16.0], [2.0, -1.0, 0.5, 0.25, 3.0, -2.0]]
)
def test_lines_are_the_best_of_their_kind(values):
    """Least squares against NumPy, the least maximum error against every line through two points, moved."""
    values = np.array(values)
    offsets = np.arange(len(values))
    slope, intercept = PUBLISHED["lsq"](values)
    if len(values) > 1:
        assert (slope, intercept) == pytest.approx(tuple(np.polyfit(offsets, values, 1)), abs=1e-12)
    slope, intercept = PUBLISHED["minimax"](values)
    found = np.abs(values - slope * offsets - intercept).max()
    slopes = [(values[j] - values[i]) / (j - i) for j in offsets for i in range(j)] or [0.0]
    best = min(np.ptp(values - m * offsets) / 2 for m in slopes)
    assert found == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("fit", PUBLISHED)
def test_error_flattening_lowers_the_error_and_keeps_the_count(fit):
    """As many segments, none worse than before."""
    plain, flat = segment(TANH[::16], 2.0**-8, fit), flatten(TANH[::16], 2.0**-8, fit)
    assert len(flat) == len(plain)
    assert max(line.error for line in flat) < max(line.error for line in plain)


@pytest.mark.parametrize("fit", PUBLISHED)
@pytest.mark.parametrize(
    ("asked", "bound"),
    [
        (("tanh", "SQ4.6", "SQ1.9"), "2ulp"),
        (("tanh", "UQ3.7", "UQ0.12"), "2^-8"),
        (("sigmoid", "SQ4.4", "UQ0.8"), "faithful"),
        (("gelu", "SQ4.4", "SQ4.4"), "faithful"),
    ],
)
def test_units_of_published_fits_keep_their_bound(asked, bound, fit):
    """Quantised as coarsely as the bound lets them be, never with fewer segments than the minimum."""
    spec = Spec(*asked, bound=bound, fit=fit)
    design = spec.design()
    target = target_of(spec.function, spec, spec.output, ErrorBound.parse(bound))
    outputs = design.evaluate(design.codes())
    assert ((outputs >= target.lower) & (outputs <= target.upper)).all()
    assert design.channels[0].segments >= design.channels[0].minimality.segments
    assert design == spec.design()


def test_bounds_without_room_beside_rounding_are_refused():
    """A real line, rounded, may be half an ulp off from the start."""
    with pytest.raises(RequestError, match="^Bound must be above half an ulp of the output for --fit lsq$"):
        Spec("tanh", "SQ4.4", "SQ1.7", bound="correct", fit="lsq").design()
    sentence = "^Derivative output must be left out for --derivative slope with --fit minimax$"
    with pytest.raises(RequestError, match=sentence):
        Spec("tanh", "SQ4.4", "SQ1.7", fit="minimax", derivative="slope", derivative_output="SQ2.4").design()


@pytest.mark.parametrize("fit", ["lsq", "minimax"])
def test_outputs_that_saturate_everywhere_are_fitted_at_once(fit):
    """An output of one bit: nearly every integer is allowed before the clamp, and not each is tried."""
    design = Spec("min(x,1)", "SQ4.2", "SQ0.1", bound="2ulp", fit=fit).design()
    assert design.channels[0].segments == 1
    design.verify("golden")

"""The thinned curves of a design."""

import json

import numpy as np
import pytest

from hwact import Spec
from hwact.explore.curve import curve
from hwact.verify import measure

CASES = {
    "folded": Spec("tanh", "SQ4.4", "SQ1.7", method="pwl"),
    "ramp": Spec("silu", "SQ4.6", "SQ4.6", method="pwl"),
    "no symmetry": Spec("exp(x)/3 - x", "SQ2.8", "SQ4.8", method="pwl"),
    "clamped": Spec("exp", "SQ4.4", "UQ2.6", method="pwl", saturate=True),
    "two outputs": Spec("gelu", "SQ4.8", "SQ4.8", method="pwl", derivative="direct", derivative_output="SQ2.10"),
    "ranged": Spec("sqrt", "UQ4.6", "UQ2.8", method="pwl", domain="0.5:9"),
    "16 bits": Spec("tanh", "SQ4.12", "SQ1.15", method="pwl", derivative="slope"),
}


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request):
    """A design and its curves."""
    design = CASES[request.param].design()
    return design, curve(design)


def test_is_json_of_at_most_40_kilobytes(case):
    """It is stored and sent as such."""
    assert len(json.dumps(case[1], allow_nan=False)) < 41_000


def test_outputs_are_the_golden_model_s(case):
    """At every code that is kept, both ends of the domain among them."""
    design, drawn = case
    for name, output in drawn["outputs"].items():
        assert output["outputs"] == design.evaluate(output["codes"], name).tolist()
        assert [output["codes"][0], output["codes"][-1]] == list(design.domain)
        assert output["codes"] == sorted(set(output["codes"]))


def test_the_largest_error_is_kept(case):
    """However few codes are drawn."""
    design, drawn = case
    for name, measured in measure(design).items():
        largest = np.abs(measured.outputs - measured.exact).max()
        assert max(map(abs, drawn["outputs"][name]["error_ulp"])) == pytest.approx(largest, rel=1e-4)


def test_output_minus_error_is_the_function():
    """The reference is had by subtraction; it is clamped to the output's range."""
    output = curve(CASES["folded"].design())["outputs"]["y"]
    values = np.array(output["outputs"]) - np.array(output["error_ulp"])
    assert values * output["ulp"] == pytest.approx(
        np.tanh(np.array(output["codes"]) / 16).clip(-1, 127 / 128), abs=1e-6
    )


def test_segments_begin_and_end_at_kept_codes():
    """So that each can be drawn as one straight line, and their number is the design's."""
    design = CASES["folded"].design()
    output = curve(design)["outputs"]["y"]
    assert output["segments"] == len(output["breakpoints"]) + 1 >= design.channel("y").segments
    codes = output["codes"]
    for position in output["breakpoints"]:
        assert codes[position] - codes[position - 1] == 1


@pytest.mark.parametrize("name", ["folded", "ramp", "no symmetry", "clamped", "ranged"])
def test_slopes_are_the_rise_of_the_golden_model(name):
    """Over each segment, to what rounding allows: one ulp at either end."""
    design = CASES[name].design()
    drawn = curve(design)["slope"]
    ends = np.array(drawn["codes"])
    slopes = np.array(drawn["slopes"])
    ulp, step = float(design.channel("y").format.ulp), float(design.input.ulp)
    for k in range(0, len(ends) - 1, 2):
        run = (ends[k + 1] - ends[k]) * step
        if run > 0 and slopes[k] == slopes[k + 1]:
            rise = np.diff(design.evaluate(ends[k : k + 2])).item() * ulp
            assert abs(rise - slopes[k] * run) <= ulp * 1.001


def test_slope_has_the_derivative_beside_it():
    """From the expression, not from differences."""
    drawn = curve(CASES["folded"].design())["slope"]
    x = np.array(drawn["reference_codes"]) / 16
    assert np.array(drawn["reference"]) == pytest.approx(1 - np.tanh(x) ** 2, abs=1e-5)


def test_slope_is_null_for_a_table():
    """It has no segments."""
    drawn = curve(Spec("tanh", "SQ3.3", "SQ1.5", method="table").design())
    assert drawn["slope"] is None and drawn["outputs"]["y"]["segments"] is None


def test_slope_is_null_where_the_derivative_is_undefined():
    """The square root at 0."""
    drawn = curve(Spec("sqrt", "UQ4.4", "UQ2.6", method="pwl").design())
    assert drawn["slope"] is None and drawn["outputs"]["y"]["segments"] == 8

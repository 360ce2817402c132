"""Any request: a unit that keeps its bound, judged by the test's own formulas, or a refusal."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hwact import Design, Format, RequestError, Spec
from hwact.verify import measure


@dataclass(frozen=True)
class Formula:
    """A function as text for the request, and as Arb arithmetic, with its derivative, for the judgement."""

    text: str
    value: object
    slope: object


def rational(number):
    return arb(number.numerator) / number.denominator


def sigmoid(x):
    return 1 / (1 + (-x).exp())


ROOT_PI = arb.pi().sqrt()
BASE = [
    Formula("tanh({})", lambda x: 1 - 2 / ((2 * x).exp() + 1), lambda x: 1 / x.cosh() ** 2),
    Formula("sigmoid({})", sigmoid, lambda x: sigmoid(x) * sigmoid(-x)),
    Formula("{0}*sigmoid({0})", lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * sigmoid(-x))),
    Formula("softplus({})", lambda x: (1 + x.exp()).log(), sigmoid),
    Formula("erf({})", lambda x: x.erf(), lambda x: 2 / ROOT_PI * (-x * x).exp()),
    Formula("exp({})", lambda x: x.exp(), lambda x: x.exp()),
    Formula("exp(-({})^2)", lambda x: (-x * x).exp(), lambda x: -2 * x * (-x * x).exp()),
    Formula("sin({})", lambda x: x.sin(), lambda x: x.cos()),
    Formula("atan({})", lambda x: x.atan(), lambda x: 1 / (1 + x * x)),
    Formula("({})^3", lambda x: x**3, lambda x: 3 * x * x),
    Formula("1/(1 + ({})^2)", lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    Formula("{}", lambda x: x, lambda x: arb(1)),
    Formula("log({})", lambda x: x.log(), lambda x: 1 / x),
    Formula("sqrt({})", lambda x: x.sqrt(), lambda x: 1 / (2 * x.sqrt())),
]
EIGHTHS = st.integers(-20, 20).map(lambda k: Fraction(k, 8))


@st.composite
def formulas(draw):
    """base(a x + b), times or plus a constant, or the sum of two of them."""
    base, a, b = draw(st.sampled_from(BASE)), draw(EIGHTHS.filter(bool)), draw(EIGHTHS | st.just(Fraction(0)))
    inner = f"({float(a)}*x + {float(b)})" if b or a != 1 else "x"
    one = Formula(
        base.text.format(inner),
        lambda x: base.value(rational(a) * x + rational(b)),
        lambda x: rational(a) * base.slope(rational(a) * x + rational(b)),
    )
    kind = draw(st.sampled_from(["plain", "plain", "scaled", "sum"]))
    if kind == "plain":
        return one
    other, c = draw(st.sampled_from(BASE[:11])), draw(EIGHTHS)
    factor = rational(c)
    if kind == "scaled":
        return Formula(
            f"{float(c)}*{one.text}", lambda x: factor * one.value(x), lambda x: factor * one.slope(x)
        )
    return Formula(
        f"{one.text} + {float(c)}*{other.text.format('x')}",
        lambda x: one.value(x) + factor * other.value(x),
        lambda x: one.slope(x) + factor * other.slope(x),
    )


@st.composite
def formats(draw, least, most):
    """Odd widths, points outside the word, both kinds of sign."""
    width = draw(st.integers(least, most))
    int_bits = draw(st.integers(-2, 4) | st.just(3))
    return Format(draw(st.booleans()), int_bits, width - int_bits)


BOUNDS = st.sampled_from(
    ["faithful", "faithful", "correct", "0.75ulp", "1.5ulp", "3ulp", "2^-5", "0.02", "2^-9"]
)


@st.composite
def requests(draw, widest):
    formula, input = draw(formulas()), draw(formats(5, widest))
    method, derivative = (
        draw(st.sampled_from(["auto", "pwl", "table"])),
        draw(st.sampled_from(["none", "direct", "slope"])),
    )
    asked = {
        "function": formula.text,
        "input": input,
        "output": draw(formats(5, widest)),
        "bound": draw(BOUNDS),
        "method": method,
        "derivative": derivative,
        "saturate": draw(st.booleans()),
        "segmentation": draw(st.sampled_from(["auto", "auto", "free", "dyadic", "uniform"])),
        "multiplier": draw(st.sampled_from(["auto", "logic", "dsp"])),
        "fit": draw(st.sampled_from(["exact"] * 6 + ["lsq", "minimax"])),
        "name": "unit",
    }
    if derivative != "none" and (derivative == "direct" or draw(st.booleans())):
        asked |= {"derivative_output": draw(formats(5, 12)), "derivative_bound": draw(BOUNDS)}
    if method == "table":
        asked |= {"segmentation": "auto", "multiplier": "auto", "fit": "exact"}
        asked["derivative"] = "none" if derivative == "slope" else derivative
    if asked["fit"] != "exact":
        asked["segmentation"] = "auto"
    if asked["derivative"] == "none":
        asked.pop("derivative_output", None)
    if draw(st.booleans()):
        first = draw(st.integers(input.min_code, input.max_code))
        last = draw(st.integers(first, input.max_code))
        asked["domain"] = (first * input.ulp, last * input.ulp)
    return formula, asked


def assert_within(design, channel, true, bound):
    """No output is certainly farther from the clamped function than the bound says."""
    codes = design.codes()
    codes = (
        codes if len(codes) <= 300 else np.unique(np.linspace(0, len(codes) - 1, 300).astype(int)) + codes[0]
    )
    ulp = rational(channel.format.ulp)
    unit = rational(bound.amount) if bound.unit == "absolute" else rational(bound.amount) * ulp
    low, high = (
        rational(code * channel.format.ulp) for code in (channel.format.min_code, channel.format.max_code)
    )
    outputs = design.evaluate(codes, channel.name)
    assert channel.format.contains(outputs).all()
    for code, output in zip(codes.tolist(), outputs.tolist()):
        wanted = true(rational(code * design.input.ulp)).max(low).min(high)
        error = abs(wanted - rational(output * channel.format.ulp))
        wrong = error >= unit if bound.unit == "faithful" else error > unit
        assert not wrong, f"{channel.name} of {code} is {output}, true {wanted / ulp}"


def judge(formula, asked):
    """The outcome of one request: a right design, or a refusal."""
    try:
        spec = Spec(**asked)
        design = spec.design()
        measures = [measured for measured in measure(design).values() if measured.check()]
    except RequestError as error:
        text = str(error)
        assert " must " in text and "\n" not in text and text[0].isupper() and not text.endswith(".")
        return None
    y = design.channel("y")
    with_precision = ctx.prec
    ctx.prec = 160
    try:
        assert_within(design, y, formula.value, spec.bound)
        if spec.derivative == "direct":
            assert_within(design, design.channel("dy"), formula.slope, spec.derivative_bound)
    finally:
        ctx.prec = with_precision
    assert len(measures) == len(design.channels)
    assert y.segments is None or y.segments >= y.minimality.segments
    assert Design.from_dict(design.to_dict()) == design
    return design


def test_every_request_is_served_within_its_bound_or_refused():
    """Functions, formats, bounds, derivatives and methods drawn at random; most are served."""
    outcomes = Counter()

    @settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(requests(9))
    def judged(request):
        outcomes[judge(*request) is not None] += 1

    judged()
    assert outcomes[True] > 80, outcomes


@pytest.mark.slow
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests(12))
def test_every_wider_request_is_served_within_its_bound_or_refused(request):
    """New ones every time."""
    judge(*request)


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests(8), st.sampled_from([("comb", 0), ("pipe", 2), ("stream", 3)]))
def test_every_unit_s_circuit_equals_its_golden_model(request, shell):
    """Whatever was asked for, behind any interface."""
    formula, asked = request
    design = judge(formula, asked | {"interface": shell[0], "latency": shell[1]})
    if design is not None:
        assert design.verify().digest == design.digest

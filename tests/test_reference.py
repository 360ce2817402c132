"""The reference against Arb on every code, hand-checked ties, saturation, poles, and speed."""

import re
import time
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx
from test_catalog import POSITIVE, TEXTBOOK

from hwact.errors import RequestError
from hwact.fixed import SQ, UQ, Format
from hwact.functions import ErrorBound, Reference, catalog, function, reference


def truth(name, x):
    """f at a rational by the textbook formula at 400 bits."""
    return TEXTBOOK[name](arb(x.numerator) / x.denominator)


def derivative_truth(name, x):
    """f' at a rational, to 2**-150 or better, by a difference quotient."""
    step = arb(2) ** -200
    at = arb(x.numerator) / x.denominator
    return (TEXTBOOK[name](at + step) - TEXTBOOK[name](at - step)) / (2 * step) + arb(0, arb(2) ** -150)


def kinks(name):
    return {"hard_sigmoid": (-3, 3), "hard_tanh": (-1, 1), "hard_swish": (-3, 3), "relu6": (0, 6),
            "leaky_relu": (0,), "selu": (0,)}.get(name, ())  # fmt: skip


def check_intervals(made, input, output, bound, values, skipped=()):
    """Every y next to the interval's ends is inside or outside as the true value says.

    Returns the number of codes where Arb could not tell, which lie on an edge exactly.
    """
    low, high = made.intervals(output, bound)
    amount, strict = ErrorBound.parse(bound).in_ulps(output)
    amount = arb(amount.numerator) / amount.denominator
    on_edge = 0
    for code, first, last in zip(made.codes.tolist(), low.tolist(), high.tolist()):
        x = code * input.ulp
        if x in skipped:
            continue
        true = values(x) * arb(2) ** output.frac_bits
        true = arb(output.min_code) if true < output.min_code else true
        true = arb(output.max_code) if true > output.max_code else true
        for y in {first - 1, first, last, last + 1}:
            allowed = first <= y <= last
            if not output.min_code <= y <= output.max_code:
                assert not allowed
                continue
            distance = abs(y - true)
            if distance < amount:
                assert allowed, (code, y)
            elif distance > amount:
                assert not allowed, (code, y)
            else:
                on_edge += 1
                assert allowed != strict, (code, y)
    return on_edge


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(400):
        yield


def input_of(name, width):
    return UQ(3, width - 3) if name in POSITIVE else SQ(4, width - 4)


def whole_domain(name, input):
    return (1, input.max_code) if name in POSITIVE else None


@pytest.mark.parametrize("name", catalog.names())
@pytest.mark.parametrize("order", [0, 1])
def test_encloses_the_true_value_at_every_code(name, order):
    input = input_of(name, 10)
    made = catalog.get(name).derivative() if order else catalog.get(name)
    ref = Reference(made, input, whole_domain(name, input))
    middle, radius = ref.enclose(20)
    values = derivative_truth if order else truth
    for code, m, r in zip(ref.codes.tolist(), middle.tolist(), radius.tolist()):
        x = code * input.ulp
        if not (order and x in kinks(name)):
            assert abs(values(name, x) * 2**20 - m) <= arb(r) + arb(2) ** -120
    assert (radius <= np.maximum(2.0**-14, 2.0**-45 * np.abs(middle))).all()


@pytest.mark.parametrize("name", catalog.names())
@pytest.mark.parametrize(
    "output, bound", [(SQ(2, 8), "faithful"), (SQ(1, 7), "correct"), (UQ(1, 12), "2^-10")]
)
def test_intervals_are_exact_on_every_code(name, output, bound):
    input = input_of(name, 9)
    ref = Reference(catalog.get(name), input, whole_domain(name, input))
    check_intervals(ref, input, output, bound, lambda x: truth(name, x))


@pytest.mark.parametrize("name", catalog.names())
def test_intervals_of_derivatives_are_exact_on_every_code(name):
    input = input_of(name, 8)
    ref = Reference(catalog.get(name).derivative(), input, whole_domain(name, input))
    check_intervals(ref, input, SQ(2, 10), "0.75ulp", lambda x: derivative_truth(name, x), kinks(name))


def test_a_tie_may_go_either_way():
    low, high = Reference(function("0.5*x"), SQ(8, 0), (-3, 3)).intervals(SQ(8, 0), "correct")
    assert low.tolist() == [-2, -1, -1, 0, 0, 1, 1]
    assert high.tolist() == [-1, -1, 0, 0, 1, 1, 2]


def test_thirds_are_decided_exactly():
    low, high = Reference(function("x/3"), SQ(8, 0), (-3, 4)).intervals(SQ(8, 0), "faithful")
    assert low.tolist() == [-1, -1, -1, 0, 0, 0, 1, 1]
    assert high.tolist() == [-1, 0, 0, 0, 1, 1, 1, 2]
    third = Reference(function("x/3"), SQ(8, 0), (0, 4)).intervals(
        SQ(8, 0), ErrorBound(Fraction(1, 3), "ulp")
    )
    assert [end.tolist() for end in third] == [[0, 0, 1, 1, 1], [0, 0, 1, 1, 1]]


@pytest.mark.parametrize("text", ["tanh(x)", "sin(x)", "gelu(x)", "mish(x)", "softsign(x)", "x*exp(x)"])
def test_zero_at_zero_is_exact(text):
    low, high = Reference(function(text), SQ(4, 4), (0, 0)).intervals(SQ(2, 6), "faithful")
    assert (low[0], high[0]) == (0, 0)


@pytest.mark.parametrize(
    "text, x, value",
    [("sigmoid(x)", 0, 0.5), ("exp2(x)", -2, 0.25), ("exp2(x)", 3, 8), ("log2(x)", 4, 2), ("log2(x)", 0.5, -1),
     ("sqrt(x)", 2.25, 1.5), ("rsqrt(x)", 4, 0.5), ("exp(x)", 0, 1), ("cos(x)", 0, 1), ("erfc(x)", 0, 1)],
)  # fmt: skip
def test_exact_values_are_known(text, x, value):
    code = int(SQ(4, 4).to_code(x))
    low, high = Reference(function(text), SQ(4, 4), (code, code)).intervals(SQ(6, 4), "faithful")
    assert low[0] == high[0] == value * 16


def test_saturated_values_are_the_end_of_the_range():
    low, high = Reference(catalog.exp, SQ(6, 0)).intervals(SQ(4, 4), "faithful")
    assert (low[-20:] == 127).all() and (high[-20:] == 127).all()
    low, high = Reference(function("-2-x^2"), SQ(4, 2)).intervals(UQ(4, 4), "faithful")
    assert (low == 0).all() and (high == 0).all()


def test_a_vanishing_tail_is_still_not_zero():
    """exp(-x) > 0 lies strictly between two codes, however small: both are allowed."""
    low, high = Reference(function("exp(-x)"), UQ(32, 0), (10_000, 60_000)).intervals(SQ(2, 14), "faithful")
    assert (low == 0).all() and (high == 1).all()
    low, high = Reference(catalog.tanh, SQ(9, 7)).intervals(SQ(2, 14), "faithful")
    assert (low[-20_000:] == 16383).all() and (high[-20_000:] == 16384).all()


@pytest.mark.parametrize(
    "text, left, right",
    [
        ("gelu(x)", "zero-", "line-"),
        ("silu(x)", "zero-", "line-"),
        ("mish(x)", "zero-", "line-"),
        ("softplus(x)", "zero+", "line+"),
        ("log_sigmoid(x)", "line-", "zero-"),
        ("elu(x, alpha=2)", "-512+", "line"),
        ("erf(x)", "-256+", "256-"),
        ("diff(gelu(x))", "zero-", "256+"),
        ("diff(mish(x))", "zero-", "256+"),
        ("diff(softplus(x))", "zero+", "256-"),
    ],
)
def test_tails_know_the_side_they_come_from(text, left, right):
    """At |x| = 100 all of these are closer to their asymptote than 100 bits can tell."""
    start = time.process_time()
    low, high = Reference(function(text), SQ(8, 8)).intervals(SQ(9, 8), "faithful")
    for index, tail in ((32768 - 25600, left), (32768 + 25600, right)):
        near = {"zero": 0, "line": index - 32768}.get(tail.rstrip("+-"))
        near = int(tail.rstrip("+-")) if near is None else near
        assert (low[index], high[index]) == (near - tail.endswith("-"), near + tail.endswith("+"))
    assert time.process_time() - start < 10


def test_impatience_is_safe(monkeypatch):
    """With no patience for single codes the limits only lose edges."""
    made, output = function("diff(gelu_tanh(x))"), SQ(2, 8)
    low, high = Reference(made, SQ(6, 4)).intervals(output, "faithful")
    monkeypatch.setattr(reference, "_PATIENCE", -1)
    tighter_low, tighter_high = Reference(made, SQ(6, 4)).intervals(output, "faithful")
    assert (low <= tighter_low).all() and (tighter_low <= tighter_high).all() and (tighter_high <= high).all()
    assert (low[-8:] == 256).all() and (high[-8:] == 257).all()


def test_poles_and_gaps_name_the_first_undefined_code():
    message = (
        "Function {} must be defined on every code of the domain, not undefined at code {}: "
        "narrow it with --domain"
    )
    for made, input, domain, name, code in [
        (catalog.reciprocal, SQ(4, 12), None, "reciprocal", "0 (x = 0.0)"),
        (catalog.log2, SQ(4, 12), None, "log2", "-32768 (x = -8.0)"),
        (catalog.log2, SQ(4, 12), (0, 99), "log2", "0 (x = 0.0)"),
        (function("sqrt(1 - x)"), SQ(4, 12), None, "sqrt_1_x", "4097 (x = 1.000244140625)"),
        (function("1/(x - 5/4096)"), SQ(4, 12), None, "f_1_x_5_4096", "5 (x = 0.001220703125)"),
        (function("x/x"), SQ(4, 4), None, "x_x", "0 (x = 0.0)"),
        (function("1/(x-x*2/2)"), SQ(4, 4), None, "f_1_x_x_2_2", "-128 (x = -8.0)"),
    ]:
        start = time.perf_counter()
        with pytest.raises(RequestError, match=f"^{re.escape(message.format(name, code))}$"):
            Reference(made, input, domain).enclose(12)
        assert time.perf_counter() - start < 1


def test_a_bound_below_the_format_names_a_code():
    message = (
        "Bound 0.1ulp must leave an output code of SQ1.7 for every input, not none at code -128 (x = -8.0): "
        "loosen it or add fraction bits to the output"
    )
    with pytest.raises(RequestError, match=f"^{re.escape(message)}$"):
        Reference(function("0.03*x + 0.01"), SQ(4, 4)).intervals(SQ(1, 7), "0.1ulp")


@pytest.mark.parametrize("domain", [(3, 2), (-129, 0), (0, 128)])
def test_a_domain_outside_the_format_is_refused(domain):
    message = f"Domain must be codes -128 to 127 in rising order, not {domain[0]}:{domain[1]}"
    with pytest.raises(RequestError, match=f"^{re.escape(message)}$"):
        Reference(catalog.tanh, SQ(4, 4), domain)


def test_narrow_domains_are_the_same_numbers():
    whole, part = Reference(catalog.mish, SQ(4, 8)), Reference(catalog.mish, SQ(4, 8), (-77, 1234))
    assert part.codes[0] == -77 and part.codes.size == 1312
    for all_codes, some in zip(whole.intervals(SQ(4, 8), "correct"), part.intervals(SQ(4, 8), "correct")):
        assert (all_codes[2048 - 77 : 2048 + 1235] == some).all()


def test_dyadic_lines_have_no_radius():
    middle, radius = Reference(catalog.hard_tanh, SQ(4, 12)).enclose(15)
    assert not radius.any()
    assert (middle == np.clip(Format.codes(SQ(4, 12)) * 8, -32768, 32768)).all()


def test_horners_rule_is_called_exact_only_where_it_is():
    """A cubic with 24-bit codes needs 72 bits: radius zero would be a lie."""
    middle, radius = Reference(function("x^3"), SQ(2, 22), (2**22 - 64, 2**22 - 1)).enclose(39)
    assert (radius > 0).all()
    for code, m, r in zip(range(2**22 - 64, 2**22), middle, radius):
        assert abs(Fraction(code**3, 2**27) - Fraction(m)) <= Fraction(r)


@pytest.mark.parametrize(
    "floats, log_size, exact",
    [
        ([2.0**53, 1.0], 4, False),
        ([2.0**45, 1.0], 4, True),
        ([0.0, 0.0, 2.0**40, 2.0**-4], 4, False),
        ([2.0**40, 0.0, 1.0], 4, True),
        ([0.1, 0.0], 4, True),
        ([0.1, 0.1], 4, False),
        ([0.0, 0.0], 4, True),
    ],
)
def test_horners_rule_is_exact_where_all_partial_sums_fit_a_float(floats, log_size, exact):
    assert reference._is_exact([arb(value) for value in floats], floats, log_size) == exact
    assert not reference._is_exact([arb(floats[0], 1e-30), *map(arb, floats[1:])], floats, log_size)


def test_errors_of_outputs_are_measured_rigorously():
    ref, output = Reference(catalog.tanh, SQ(4, 4)), SQ(1, 7)
    codes = SQ(4, 4).codes()
    true = [truth("tanh", Fraction(int(code), 16)) * 128 for code in codes]
    outputs = np.clip([int(t.mid().floor().unique_fmpz()) for t in true], -128, 127)
    outputs[200] -= 3
    stats = ref.error_ulp(output, codes, outputs)
    errors = [abs(int(y) - min(t, arb(127))) for y, t in zip(outputs, true)]
    assert stats.worst_code == codes[200] == 72
    assert arb(stats.max_ulp) >= errors[200] >= arb(stats.max_ulp) - 2 * stats.max_ulp_radius
    assert stats.max_ulp_radius < 2e-4
    assert stats.mean_ulp == pytest.approx(float(sum(errors)) / 256, abs=1e-4)
    assert stats.mse_ulp2 == pytest.approx(float(sum(e * e for e in errors)) / 256, abs=1e-4)


def test_a_saturated_output_has_no_error():
    stats = Reference(catalog.exp, SQ(4, 4), (100, 127)).error_ulp(UQ(1, 7), range(100, 128), [255] * 28)
    assert stats.max_ulp == pytest.approx(0, abs=1e-12)


def test_outputs_must_fit_the_codes():
    ref = Reference(catalog.tanh, SQ(4, 4), (0, 9))
    with pytest.raises(RequestError, match="^Codes must be within the domain 0 to 9$"):
        ref.error_ulp(SQ(1, 7), [10], [0])
    with pytest.raises(RequestError, match="^Outputs must be one for each of the codes, not 1 for 2$"):
        ref.error_ulp(SQ(1, 7), [1, 2], [0])


def test_functions_too_fast_for_panels_are_still_right():
    made = function("sin(3000*x)")
    middle, radius = Reference(made, SQ(4, 6)).enclose(10)
    for code, m, r in zip(range(-512, 512), middle, radius):
        assert abs((arb(3000 * code) / 64).sin() * 1024 - m) <= arb(r)


def test_what_cannot_be_decided_takes_the_safe_side():
    """sin^2 + cos^2 is 1, which no finite precision shows; 1 is allowed whatever it is."""
    low, high = Reference(function("sin(x)^2 + cos(x)^2"), SQ(4, 0)).intervals(SQ(2, 6), "faithful")
    assert (low == 64).all() and (high == 64).all()


@pytest.mark.parametrize("fewer", [4, 7])
def test_fewer_terms_still_enclose(monkeypatch, fewer):
    """The radius accounts for the remainder, whatever the degree."""
    monkeypatch.setattr(reference, "_TERMS", fewer)
    middle, radius = Reference(catalog.silu, SQ(4, 6)).enclose(16, accuracy=0.25)
    for code, m, r in zip(range(-512, 512), middle, radius):
        assert abs(truth("silu", Fraction(code, 64)) * 2**16 - m) <= arb(r)
    assert radius.max() > 2.0**-30


@pytest.mark.parametrize("bound", ["faithful", "correct", "2^-12", "0.7ulp", "0.0001234"])
@pytest.mark.parametrize("text", ["hard_sigmoid(x)", "leaky_relu(x)", "x/3 - 1/7", "x*0.123456789012345678"])
def test_lines_that_are_not_dyadic_are_decided_exactly(text, bound):
    made, input, output = function(text), SQ(4, 8), SQ(2, 12)
    ref = Reference(made, input)
    low, high = ref.intervals(output, bound)
    amount, strict = ErrorBound.parse(bound).in_ulps(output)
    formula = {
        "hard_sigmoid(x)": lambda x: min(max(x + 3, 0), 6) / 6,
        "leaky_relu(x)": lambda x: max(x, x / 100),
        "x/3 - 1/7": lambda x: x / 3 - Fraction(1, 7),
        "x*0.123456789012345678": lambda x: x * Fraction("0.123456789012345678"),
    }[text]
    for code, first, last in zip(ref.codes.tolist(), low.tolist(), high.tolist()):
        true = min(max(formula(code * input.ulp) / output.ulp, output.min_code), output.max_code)
        for y in (first - 1, first, last, last + 1):
            if output.min_code <= y <= output.max_code:
                distance = abs(y - true)
                assert (first <= y <= last) == (distance < amount if strict else distance <= amount)


def test_a_line_with_ties_on_every_third_code_is_fast():
    start = time.process_time()
    Reference(catalog.hard_sigmoid, SQ(4, 14)).intervals(UQ(1, 15), "faithful")
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize("name", ["tanh", "gelu", "mish", "selu"])
def test_sixteen_bits_take_a_fraction_of_a_second(name):
    start = time.process_time()
    Reference(catalog.get(name), SQ(4, 12)).intervals(SQ(1, 15), "faithful")
    assert time.process_time() - start < 0.5

"""The catalogue and Function values: definitions, symmetry, derivatives, names."""

import re
from fractions import Fraction

import pytest
from flint import arb, ctx

from hwact.errors import RequestError
from hwact.functions import catalog
from hwact.functions.enclosure import Program
from hwact.functions.expression import PRIMITIVES
from hwact.functions.function import function


def clipped(x, low, high):
    return arb(low) if x < low else arb(high) if x > high else x


def textbook_tanh(x):
    return (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())


#: Every function a second time, as its source writes it, on Arb numbers.
TEXTBOOK = {
    "tanh": textbook_tanh,
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "gelu": lambda x: x / 2 * (1 + (x / arb(2).sqrt()).erf()),
    "gelu_tanh": lambda x: x / 2 * (1 + textbook_tanh((2 / arb.pi()).sqrt() * (x + arb("0.044715") * x**3))),
    "silu": lambda x: x / (1 + (-x).exp()),
    "mish": lambda x: x * textbook_tanh((1 + x.exp()).log()),
    "softplus": lambda x: (1 + x.exp()).log(),
    "softsign": lambda x: x / (1 + abs(x)),
    "elu": lambda x: x if x > 0 else x.exp() - 1,
    "selu": lambda x: (
        arb("1.0507009873554804934193349852946")
        * (x if x > 0 else arb("1.6732632423543772848170429916717") * (x.exp() - 1))
    ),
    "celu": lambda x: x if x > 0 else x.exp() - 1,
    "exp": lambda x: 1 / (-x).exp(),
    "log_sigmoid": lambda x: -(1 + (-x).exp()).log(),
    "erf": lambda x: 1 - x.erfc(),
    "arctan": lambda x: 2 * (x / (1 + (1 + x**2).sqrt())).atan(),
    "arcsinh": lambda x: (x + (x**2 + 1).sqrt()).log(),
    "gaussian": lambda x: 1 / (x**2).exp(),
    "sin": lambda x: 2 * (x / 2).sin() * (x / 2).cos(),
    "hard_sigmoid": lambda x: clipped(x + 3, 0, 6) / 6,
    "hard_tanh": lambda x: clipped(x, -1, 1),
    "hard_swish": lambda x: x * clipped(x + 3, 0, 6) / 6,
    "relu6": lambda x: clipped(x, 0, 6),
    "leaky_relu": lambda x: x if x > 0 else x / 100,
    "reciprocal": lambda x: 1 / x,
    "sqrt": lambda x: (x.log() / 2).exp() if x > 0 else arb(0),
    "rsqrt": lambda x: (-x.log() / 2).exp(),
    "log2": lambda x: x.log() / arb(2).log(),
    "exp2": lambda x: arb(2) ** x,
}
POSITIVE = ("sqrt", "rsqrt", "log2", "reciprocal")
POINTS = [Fraction(n, 16) for n in (-203, -96, -48, -33, -16, -7, -1, 1, 5, 16, 17, 48, 96, 111, 203)]


def points(name):
    return [p for p in POINTS if p > 0 or name not in POSITIVE]


def enclosure(made, x, prec=200):
    x = arb(x.numerator) / x.denominator
    low, high = Program(made.expression).interval(x, x, prec)
    return low.union(high)


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(400):
        yield


def test_every_function_of_the_design_is_there():
    assert catalog.names() == tuple(TEXTBOOK)
    assert catalog.tanh == catalog.get("tanh") == function("tanh")
    assert "tanh" in dir(catalog)


def test_unknown_names_are_refused():
    with pytest.raises(RequestError, match="^Function must be one of tanh, sigmoid, .*, exp2, not 'relu7'$"):
        catalog.get("relu7")
    with pytest.raises(AttributeError):
        _ = catalog.relu7


@pytest.mark.parametrize("name", catalog.names())
def test_agrees_with_the_textbook_definition(name):
    for x in points(name):
        mine, theirs = enclosure(catalog.get(name), x), TEXTBOOK[name](arb(x.numerator) / x.denominator)
        assert mine.overlaps(theirs) and mine.rad() < arb(2) ** -150 and theirs.rad() < arb(2) ** -150


@pytest.mark.parametrize("name", catalog.names())
def test_derivative_agrees_with_finite_differences(name):
    step = arb(2) ** -100
    derivative = catalog.get(name).derivative()
    for x in points(name):
        if name.startswith(("hard", "relu6")) and abs(x) in (1, 3, 6):
            continue  # a kink
        at = arb(x.numerator) / x.denominator
        slope = (TEXTBOOK[name](at + step) - TEXTBOOK[name](at - step)) / (2 * step)
        assert abs(enclosure(derivative, x) - slope) < arb(2) ** -120


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_derivative_of_every_primitive_agrees_with_finite_differences(name):
    made, step = function(f"{name}(1.1*x)"), Fraction(1, 2**100)
    for x in (Fraction(3, 10), Fraction(17, 10)):
        slope = (enclosure(made, x + step, 400) - enclosure(made, x - step, 400)) / (2 * arb(2) ** -100)
        assert abs(enclosure(made.derivative(), x) - slope) < arb(2) ** -120


@pytest.mark.parametrize("name", catalog.names())
@pytest.mark.parametrize("order", [0, 1, 2])
def test_symmetry_is_what_it_says(name, order):
    made = catalog.get(name)
    for _ in range(order):
        made = made.derivative()
    if made.symmetry is None:
        return
    for x in POINTS:
        right, left = enclosure(made, abs(x)), enclosure(made, -abs(x))
        if made.symmetry == "odd":
            rest = right + left
        elif made.symmetry == "even":
            rest = right - left
        elif made.symmetry == "point":
            rest = right + left - 2 * enclosure(made, Fraction(0))
        else:
            rest = right - left - arb(abs(x).numerator) / abs(x).denominator
        assert rest.contains(0) and rest.rad() < arb(2) ** -100


@pytest.mark.parametrize("name", catalog.names())
def test_every_entry_says_where_it_comes_from(name):
    made = catalog.get(name)
    assert re.search(r"\b(19|20)\d\d\b", made.source) and made.summary and all(made.tails)
    assert made.text == f"{name}(x)" and function(made.text).expression is made.expression


@pytest.mark.parametrize("name", catalog.names())
def test_huge_arguments_stay_in_reach(name):
    """Formats reach to 2**31; no function may overflow to nothing there."""
    for x in (2**31, Fraction(1, 2**31), -(2**31)):
        if x < 0 and name in POSITIVE:
            continue
        for made in (catalog.get(name), catalog.get(name).derivative()):
            x = Fraction(x)
            pair = Program(made.expression).interval(*[arb(x.numerator) / x.denominator] * 2, 64)
            assert pair is not None and pair[0].is_finite() and pair[1].is_finite()


def test_parameters_replace_defaults():
    made = function("elu", {"alpha": "1.5"})
    assert made.text == "elu(x, alpha=1.5)" and made.parameters == (("alpha", Fraction(3, 2)),)
    assert function(made.text).expression is made.expression
    assert function("elu", {"alpha": 0.1}).parameters == (("alpha", Fraction(1, 10)),)


@pytest.mark.parametrize(
    "text, parameters, message",
    [
        ("elu", {"beta": 1}, "Parameter of function elu must be one of alpha, not 'beta'"),
        ("tanh", {"beta": 1}, "Parameter of function tanh must be left out, not 'beta'"),
        ("b*x", {"b": 1, "c": 2}, "Parameter of expression 'b*x' must be one of b, not 'c'"),
        ("b*x", {"b": "much"}, "Parameter b must be a number, not 'much'"),
        ("b*x", {"b": float("nan")}, "Parameter b must be a number, not nan"),
        ("b*x", {}, "Expression must use known names, not 'b' at column 1"),
        ("x", {"x": 1}, "Parameter must be a name other than x, pi, e, not 'x'"),
    ],
)
def test_wrong_parameters_are_refused(text, parameters, message):
    with pytest.raises(RequestError, match=f"^{re.escape(message)}$"):
        function(text, parameters)


@pytest.mark.parametrize(
    "text, name",
    [
        ("x*sigmoid(1.702*x)", "x_sigmoid_1_702_x"),
        ("x", "f_x"),
        ("2*x", "f_2_x"),
        ("diff(tanh(x))", "diff_tanh_x"),
    ],
)
def test_names_are_verilog_identifiers(text, name):
    assert function(text).name == name


def test_long_names_are_cut_and_still_differ():
    one, other = (function("+".join(["sin(x)"] * 20) + tail) for tail in ("", "+1"))
    assert len(one.name) <= 40 and one.name != other.name


def test_functions_are_hashable_values():
    assert hash(catalog.mish) == hash(catalog.get("mish"))
    assert catalog.mish.derivative() == function("mish").derivative()
    assert catalog.mish.derivative().text == "diff(mish(x))" and catalog.mish.derivative().name == "diff_mish"

"""Expressions: what parses to what, what is refused, and that text and nodes round-trip."""

import copy
import pickle
import re
from fractions import Fraction

import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from hwact.errors import RequestError
from hwact.functions.bound import ErrorBound
from hwact.functions.catalog import ENTRIES
from hwact.functions.enclosure import Program
from hwact.functions.expression import PRIMITIVES, Expression, X, differentiate, number, parse
from hwact.functions.function import function

UNARY = sorted(PRIMITIVES | {"relu", "sign", "diff", *ENTRIES})


def value(text, at, parameters=None):
    """Value of an expression at a rational, as a float."""
    x = arb(Fraction(at).numerator) / Fraction(at).denominator
    pair = Program(parse(text, parameters)).interval(x, x, 64)
    return None if pair is None else float((pair[0] + pair[1]) / 2)


@pytest.mark.parametrize(
    "text, at, expected",
    [
        ("1 + 2*3", 0, 7),
        ("2 - 3 - 4", 0, -5),
        ("12/3/2", 0, 2),
        ("2^3^2", 0, 512),
        ("2**3**2", 0, 512),
        ("-x^2", 3, -9),
        ("2^-1", 0, 0.5),
        ("x^-2", 4, 0.0625),
        ("--x", 5, 5),
        ("-x*-x", 3, 9),
        ("1.5e1 - .5", 0, 14.5),
        ("x^0.5", 9, 3),
        ("x^1.5", 4, 8),
        ("pow(x, 3)", -2, -8),
        ("min(x, 1)", 3, 1),
        ("max(x, 1)", 3, 3),
        ("clip(x, -1, 2)", 5, 2),
        ("abs(x)", -3, 3),
        ("sign(x)", -3, -1),
        ("relu(x)", -3, 0),
        ("where(x < 1, 5, 6)", 1, 6),
        ("where(x <= 1, 5, 6)", 1, 5),
        ("where(x >= 1, 5, 6)", 1, 5),
        ("where(x > 1, 5, 6)", 1, 6),
        ("where(x > 0, log(x), 7)", -1, 7),
        ("log2(8) + exp2(3)", 0, 11),
        ("elu(x, alpha=2)", -1, 2 * (2.718281828459045**-1 - 1)),
        ("atan(x)", 1, 0.7853981633974483),
        ("e^x", 1, 2.718281828459045),
        ("pi", 0, 3.141592653589793),
        ("diff(x^3)", 2, 12),
        ("diff(diff(x^3))", 2, 12),
        ("diff(sigmoid(x))", 0, 0.25),
        ("diff(relu(x))", 0, 0),
        ("diff(abs(x))", 0, 0),
        ("diff(relu6(x))", 6, 0),
        ("diff(leaky_relu(x))", 0, 0.01),
    ],
)
def test_means_what_mathematics_means(text, at, expected):
    assert value(text, at) == pytest.approx(expected, rel=1e-15)


def test_parameters_are_exact_numbers():
    assert parse("b*x", {"b": Fraction(1, 3)}) is parse("x/3")
    assert parse("0.1").value == Fraction(1, 10)


def test_equal_expressions_are_one_object():
    assert parse("x + sin(x)") is parse(" x+ sin( x )")
    assert parse("x + 1") is not parse("1 + x")


def test_nodes_are_immutable_and_survive_copying_and_pickling():
    node = parse("x*tanh(x)")
    with pytest.raises(AttributeError, match="^Expression must not be changed$"):
        node.op = "add"
    assert copy.deepcopy(node) is node
    assert pickle.loads(pickle.dumps(node)) is node


@pytest.mark.parametrize(
    "text, simple",
    [
        ("x + 0", "x"), ("0*x", "0"), ("1*x", "x"), ("x/1", "x"), ("x - x", "0"), ("x^1", "x"), ("x^0", "1"),
        ("2*(3*x)", "6*x"), ("x*2", "2*x"), ("-(-x)", "x"), ("log(exp(x))", "x"), ("1/3 + 1/6", "0.5"),
        ("diff(3)", "0"), ("diff(x)", "1"), ("diff(2*x)", "2"), ("diff(exp(x))", "exp(x)"),
        ("diff(x^2)", "2*x"), ("diff(sin(x))", "cos(x)"), ("x + -2", "x - 2"), ("(x^2)^3", "x^6"),
    ],
)  # fmt: skip
def test_simplifies_lightly(text, simple):
    assert str(parse(text)) == simple


@pytest.mark.parametrize(
    "text, message",
    [
        ("x*(", "Expression must be well formed, not 'x*(': expected a value at column 4"),
        ("", "Expression must be well formed, not '': expected a value at column 1"),
        ("(x", "Expression must be well formed, not '(x': expected ')' at column 3"),
        ("x x", "Expression must be well formed, not 'x x': expected an operator at column 3"),
        ("2x", "Expression must be well formed, not '2x': expected an operator at column 2"),
        ("x.real", "Expression must be well formed, not 'x.real': unexpected character '.' at column 2"),
        ("'os'", "Expression must be well formed, not \"'os'\": unexpected character \"'\" at column 1"),
        ("sin", "Expression must be well formed, not 'sin': expected '(' at column 4"),
        ("min(x)", "Expression must be well formed, not 'min(x)': min takes 2 arguments, not 1, at column 1"),
        ("sin(x, x)", "Expression must be well formed, not 'sin(x, x)': sin takes 1 argument, not 2, at column 1"),
        ("where(x, 1, 2)", "Expression must be well formed, not 'where(x, 1, 2)': expected a comparison at column 8"),
        ("x > 0", "Expression must be well formed, not 'x > 0': expected an operator at column 3"),
        ("1e401", "Expression must be well formed, not '1e401': exponent beyond 400 at column 1"),
        ("sigmiod(x)", "Expression must use known names, not 'sigmiod' at column 1: did you mean 'sigmoid'?"),
        ("x + zzqq", "Expression must use known names, not 'zzqq' at column 5"),
        ("__import__('os')", ("Expression must be well formed, not \"__import__('os')\": "
                             "unexpected character \"'\" at column 12")),
        ("__import__(x)", "Expression must use known names, not '__import__' at column 1"),
        ("x^65", "Exponent must be -64 to 64, not '65'"),
        ("elu(x, beta=1)", "Parameter of elu must be one of alpha, not 'beta' at column 8"),
        ("tanh(x, a=1)", "Parameter of tanh must be left out, not 'a' at column 9"),
        ("(" * 100 + "x" + ")" * 100, "Expression must nest at most 60 deep, not '" + "(" * 57 + "...'"),
        ("x" * 2001, "Expression must be at most 2000 characters long, not 2001"),
    ],
)  # fmt: skip
def test_refuses_what_it_cannot_read(text, message):
    with pytest.raises(RequestError, match=f"^{re.escape(message)}$"):
        parse(text)


def test_refuses_to_grow_without_bound():
    with pytest.raises(RequestError, match="^Expression must have at most 5000 nodes, not [0-9]+$"):
        parse("diff(" * 20 + "gelu(sin(x)*mish(x))" + ")" * 20)
    with pytest.raises(RequestError, match="^Expression must be at most 250 operations deep, not 251$"):
        parse("+".join(["x*x"] * 400))


def test_numbers_of_any_size_stay_small_work():
    assert parse("((2^64)^64)^64").depth < 10
    assert value("x*((2^-64)^-64)^0", 3) == 3


numbers = st.fractions(min_value=-1000, max_value=1000, max_denominator=1000).map(number)
leaves = st.one_of(numbers, st.just(X), st.sampled_from([parse("pi"), parse("e")]))


def grow(inner):
    texts = st.sampled_from(
        ["({})+({})", "({})-({})", "({})*({})", "({})/({})", "min({},{})", "where({}>={},1,x)"]
    )
    pairs = st.tuples(texts, inner, inner).map(lambda p: parse(p[0].format(p[1], p[2])))
    names = st.sampled_from([name for name in UNARY if name != "diff"])
    calls = st.tuples(names, inner).map(lambda p: parse(f"{p[0]}({p[1]})"))
    powers = st.tuples(inner, st.integers(-5, 5)).map(lambda p: parse(f"({p[0]})^{p[1]}"))
    return st.one_of(pairs, calls, powers)


@settings(max_examples=150, deadline=None)
@given(st.recursive(leaves, grow, max_leaves=6))
def test_text_of_any_expression_reads_back_as_the_same_expression(node):
    if len(str(node)) <= 2000:
        assert parse(str(node)) is node
    try:
        slope = differentiate(node)
    except RequestError:
        return
    if len(str(slope)) <= 2000:
        assert parse(str(slope)) is slope


words = ["x", "1", "2.5", "1e9", "pi", "e", "(", ")", "+", "-", "*", "/", "^", "**", ",", ">", "=", "where(",
         "min(", "alpha", " ", ".", "'", "[", "é", "\n", "\0", *(f"{name}(" for name in UNARY)]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(words), max_size=15).map("".join)))
def test_random_text_never_raises_anything_but_a_request_error(text):
    try:
        made = function(text)
    except RequestError as error:
        assert str(error)[0].isupper() and not str(error).endswith(".")
    else:
        assert isinstance(made.expression, Expression)
        assert re.fullmatch("[a-z][a-z0-9_]{1,39}", made.name)


@pytest.mark.parametrize("text", ["faithful", "correct", "1.5ulp", "2^-10", "0.001", "0.01", "3", "2^-1ulp"])
def test_bounds_round_trip(text):
    assert str(ErrorBound.parse(text)) == text


def test_bounds_know_their_ulps():
    from hwact.fixed import SQ

    assert ErrorBound.parse("faithful").in_ulps(SQ(1, 15)) == (1, True)
    assert ErrorBound.parse("correct").in_ulps(SQ(1, 15)) == (Fraction(1, 2), False)
    assert ErrorBound.parse("1.5ulp").in_ulps(SQ(1, 15)) == (Fraction(3, 2), False)
    assert ErrorBound.parse("2^-10").in_ulps(SQ(1, 15)) == (32, False)
    assert ErrorBound.parse("1e-3").in_ulps(SQ(1, 15)) == (Fraction(2**15, 1000), False)
    assert ErrorBound.parse("2^-10").in_ulps(SQ(20, -2)) == (Fraction(1, 4096), False)


@pytest.mark.parametrize("text", ["0", "0ulp", "0.0"])
def test_refuses_a_zero_bound(text):
    with pytest.raises(RequestError, match=f"^Bound must be above zero, not '{text}'$"):
        ErrorBound.parse(text)


@pytest.mark.parametrize("text", ["", "-1", "fast", "1.5 lsb", "nan", "inf", "1e999", "2^", None, "1" * 99])
def test_refuses_a_bound_it_cannot_read(text):
    message = f"Bound must be faithful, correct, or a number like 1.5ulp, 2^-10 or 1e-3, not {text!r}"
    with pytest.raises(RequestError, match=f"^{re.escape(message)}$"):
        ErrorBound.parse(text)

"""The request: what it accepts, what it refuses in which words, and the command that repeats it."""

import shlex
from dataclasses import replace
from fractions import Fraction

import pytest

from hwact import SQ, UQ, ErrorBound, RequestError, Spec, catalog, function
from hwact.design import Shell

PLAIN = {"function": "tanh", "input": "SQ4.4", "output": "SQ1.7"}


def spec(**changes):
    return Spec(**PLAIN | changes)


def test_text_becomes_values():
    """Functions, formats, bounds and domains may be written as text."""
    made = spec(bound="2^-6", domain="-2:1.5", derivative="direct", derivative_output="SQ2.6")
    assert made.function == catalog.tanh
    assert (made.input, made.output, made.derivative_output) == (SQ(4, 4), SQ(1, 7), SQ(2, 6))
    assert (made.bound, made.derivative_bound) == (
        ErrorBound(Fraction(1, 64), "absolute"),
        ErrorBound.parse("faithful"),
    )
    assert made.domain == (Fraction(-2), Fraction(3, 2))
    assert made == Spec(
        catalog.tanh,
        SQ(4, 4),
        SQ(1, 7),
        ErrorBound.parse("2^-6"),
        "direct",
        SQ(2, 6),
        domain=(-2, 1.5),
    )
    assert hash(made) == hash(replace(made))


def test_latency_is_three_cycles_unless_asked_for():
    """And none for a combinational unit."""
    assert spec().shell == Shell("comb", 0)
    assert spec(interface="stream").shell == Shell("stream", 3)
    assert spec(interface="pipe", latency=7, reset="none").shell == Shell("pipe", 7, "none")


def test_name_is_the_function_s_unless_given():
    """Both are names of a Verilog module."""
    assert spec().name == "tanh"
    assert spec(name="act_0").name == "act_0"
    assert spec(function="x*sigmoid(x)").name == "x_sigmoid_x"


@pytest.mark.parametrize(
    ("domain", "input", "codes"),
    [
        (None, "SQ4.4", (-128, 127)),
        ("-8:7.9375", "SQ4.4", (-128, 127)),
        ("-8:8", "SQ4.4", (-128, 127)),
        ("0:16", "UQ4.4", (0, 255)),
        ("-2 : 1.5", "SQ4.4", (-32, 24)),
        ("1/3:2/3", "SQ4.4", (6, 10)),
        ("-1/3:-0.01", "SQ4.4", (-5, -1)),
        ((0.3, 0.7), "SQ4.4", (5, 11)),
        ((Fraction(1, 16), Fraction(1, 16)), "SQ4.4", (1, 1)),
        ("1e-1:1e0", "UQ4.4", (2, 16)),
        ("-1000:1000", "SQ12.-4", (-62, 62)),
    ],
)
def test_domain_is_the_codes_within_a_closed_interval(domain, input, codes):
    """Ends between two codes are cut inward; the format's open end counts as its end."""
    assert spec(domain=domain, input=input).domain_codes == codes


REFUSED = {
    "Domain must be two numbers like -2:1.5, not '3'": {"domain": "3"},
    "Domain must be two numbers like -2:1.5, not '1:2:3'": {"domain": "1:2:3"},
    "Domain must be two numbers like -2:1.5, not 'a:b'": {"domain": "a:b"},
    "Domain must be two numbers like -2:1.5, not '1:1/0'": {"domain": "1:1/0"},
    "Domain must be two numbers like -2:1.5, not 'nan:1'": {"domain": "nan:1"},
    "Domain must be two finite numbers, not (0, inf)": {"domain": (0, float("inf"))},
    "Domain must be two finite numbers, not (1, 2, 3)": {"domain": (1, 2, 3)},
    "Domain must be two finite numbers, not 3": {"domain": 3},
    "Domain must lie within the values of SQ4.4, -8:7.9375, not -8:9": {"domain": "-8:9"},
    "Domain must lie within the values of SQ4.4, -8:7.9375, not -8.5:0": {"domain": "-8.5:0"},
    "Domain must hold at least one code of SQ4.4, not 0.01:0.02": {"domain": "0.01:0.02"},
    "Domain must hold at least one code of SQ4.4, not 2:1": {"domain": "2:1"},
    "Derivative must be none, direct or slope, not 'both'": {"derivative": "both"},
    "Method must be auto, pwl or table, not 'poly'": {"method": "poly"},
    "Segmentation must be auto, free, dyadic or uniform, not 'best'": {"segmentation": "best"},
    "Multiplier must be auto, logic, dsp or shift-add, not 'lut'": {"multiplier": "lut"},
    "Fit must be exact, lsq or minimax, not 'chord'": {"fit": "chord"},
    "Interface must be comb, pipe, stream, axis, not 'axi'": {"interface": "axi"},
    "Reset must be sync-high, sync-low, async-high, async-low, none, not 'low'": {"reset": "low"},
    "Latency must be 0 to 64, not 2.0": {"interface": "pipe", "latency": 2.0},
    "Latency must be 0 for comb and at least 1 for pipe, stream and axis, not 2 for comb": {"latency": 2},
    "Latency must be 0 for comb and at least 1 for pipe, stream and axis, not 0 for pipe": {
        "interface": "pipe",
        "latency": 0,
    },
    "Input format must be at most 24 bits wide, so that every code can be checked, not SQ4.21": {
        "input": "SQ4.21"
    },
    "Derivative direct must have a format: add --derivative-output, such as SQ2.14": {"derivative": "direct"},
    "Derivative output must come with --derivative direct or slope": {"derivative_output": "SQ2.6"},
    "Segmentation must be auto for --method table, not free": {"method": "table", "segmentation": "free"},
    "Fit must be exact for --method table, not lsq": {"method": "table", "fit": "lsq"},
    "Multiplier must be auto for --method table, not dsp": {"method": "table", "multiplier": "dsp"},
    "Method must be pwl or auto for --derivative slope, not table": {
        "method": "table",
        "derivative": "slope",
    },
    "Segmentation must be free for --fit lsq, not dyadic": {"fit": "lsq", "segmentation": "dyadic"},
    "Bound must be faithful, correct, or a number like 1.5ulp, 2^-10 or 1e-3, not 'good'": {"bound": "good"},
    "Bound must be above zero, not '0ulp'": {"derivative_bound": "0ulp"},
    "Format must be written like SQ4.12 or UQ0.16, not 'Q4'": {"input": "Q4"},
    "Format width must be 1 to 32 bits, not 36 (UQ20.16)": {"output": "UQ20.16"},
    "Name must be an identifier of letters, digits and _ (at most 64) and no keyword of Verilog or C, not 'reg'": {"name": "reg"},
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_wrong_requests_are_refused_in_one_sentence(sentence):
    """What it must be, and what it was."""
    with pytest.raises(RequestError) as caught:
        spec(**REFUSED[sentence])
    assert str(caught.value) == sentence
    assert caught.value.exit_status == 2


def test_values_of_the_wrong_kind_are_refused_as_choices():
    """Lists and numbers are no words."""
    for option in ("derivative", "method", "segmentation", "multiplier", "fit", "interface", "reset"):
        for value in (3, ["auto"], *([] if option == "reset" else [None])):
            with pytest.raises(RequestError, match=" must be "):
                spec(**{option: value})
    with pytest.raises(TypeError, match="^Function must be a Function or its text, not 3$"):
        spec(function=3)


# -- the command -------------------------------------------------------------------------------


def spec_of(command):
    """The request that a command line makes, its options read by the names of `Spec`'s fields."""
    words = shlex.split(command)
    assert words[:2] == ["hwact", "generate"]
    options, parameters, k = {}, {}, 3
    while k < len(words):
        name = words[k].removeprefix("--").replace("-", "_")
        if name == "saturate":
            options[name], k = True, k + 1
            continue
        if name == "parameter":
            parameters.update([words[k + 1].split("=")])
        else:
            options[name] = int(words[k + 1]) if name == "latency" else words[k + 1]
        k += 2
    return Spec(function(words[2], parameters), **options)


ASKED = [
    {},
    {"bound": "correct"},
    {"bound": "1.25ulp", "method": "pwl"},
    {"bound": "0.003", "method": "table"},
    {"domain": "-2:1.5"},
    {"domain": "-1/2:0.0625", "name": "part"},
    {"segmentation": "dyadic", "multiplier": "dsp", "saturate": True},
    {"fit": "lsq", "bound": "2^-5"},
    {"derivative": "slope"},
    {"derivative": "slope", "derivative_output": "SQ2.6"},
    {"derivative": "direct", "derivative_output": "UQ1.7", "derivative_bound": "2ulp"},
    {"interface": "pipe", "latency": 5, "reset": "async-low"},
    {"interface": "stream"},
    {"input": "UQ-2.10", "output": "UQ3.-1"},
    {"function": "elu"},
    {"function": function("elu", {"alpha": "1.5"})},
    {"function": function("leaky_relu", {"slope": "0.01"})},
    {"function": "diff(tanh(x))"},
    {"function": "tanh(x)"},
    {"function": "x * sigmoid(x)"},
    {"function": function("x*sigmoid(b*x)", {"b": "1.702"})},
    {"function": function("a*x + b", {"a": "-1e-3", "b": 12345678901})},
]


@pytest.mark.parametrize("changes", ASKED)
def test_command_makes_the_same_request(changes):
    """Read back, it is equal: a file's header says how to make the file, digest included."""
    asked = spec(**changes)
    assert spec_of(asked.command()) == asked
    assert spec_of(asked.command()).command() == asked.command()


def test_command_cuts_a_domain_to_the_codes():
    """The ends that count."""
    asked = spec(domain="1/3:0.7")
    assert "--domain 0.375:0.6875" in asked.command()
    assert spec_of(asked.command()).domain_codes == asked.domain_codes


def test_command_is_canonical():
    """Defaults are left out, and what needs quotes has them."""
    head = "--input SQ4.4 --output SQ1.7 --bound faithful"
    assert spec().command() == f"hwact generate tanh {head} --name tanh"
    assert spec(function="2*x").command() == f"hwact generate '2*x' {head} --name f_2_x"
    assert spec(interface="stream").command() == (
        f"hwact generate tanh {head} --interface stream --latency 3 --reset sync-high --name tanh"
    )


@pytest.mark.parametrize("parameters", [{}, {"alpha": "0.75"}])
@pytest.mark.parametrize("name", ["elu", "celu"])
def test_units_of_the_catalogue_with_parameters_can_be_verified(name, parameters):
    """The parameters stand in the expression, which is read again for the reference."""
    from hwact.verify import measure

    design = spec(function=function(name, parameters), input=SQ(3, 3), output=SQ(3, 3)).design()
    assert [check.check for check in measure(design)["y"].check()][0] == "bound"


def test_parameters_of_an_expression_reach_the_reference():
    """As decimal text, in the design's JSON too."""
    from hwact.verify import measure

    design = spec(function=function("tanh(b*x)", {"b": "0.37"}), output=UQ(1, 6)).design()
    assert design.parameters == (("b", "0.37"),)
    assert measure(design)["y"].check()

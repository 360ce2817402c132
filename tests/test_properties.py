"""Properties of a circuit's outputs: each is seen where it is, missed where it is not, and can fail."""

import re
from dataclasses import replace

import numpy as np
import pytest
from small_units import small_design, small_verilog

from hwact import CheckError, Spec
from hwact.emit.verilog import verilog
from hwact.verify.c_model import check_c_model
from hwact.verify.circuit import check_circuit
from hwact.verify.properties import check_overflow, check_properties
from hwact.verify.simulate import Program


def design(**changes):
    return Spec(**{"function": "tanh", "input": "SQ4.4", "output": "SQ1.7"} | changes).design()


def outputs(unit):
    return {channel.name: unit.evaluate(unit.codes(), channel.name) for channel in unit.channels}


def methods(unit, wrong=None):
    """Method of each check by its name and output, with other outputs where `wrong` changes them."""
    given = outputs(unit)
    if wrong:
        wrong(given["y"], unit.codes())
    return {(check.check, check.output): check.method for check in check_properties(unit, given)}


# -- range ---------------------------------------------------------------------------------------


def test_range_states_what_is_reached_and_what_is_allowed():
    """Both ends, and the format."""
    assert methods(design())["range", "y"] == "from -127 to 127, within -128 to 127 (SQ1.7)"


def test_outputs_beyond_the_format_are_refused():
    """One code too many."""

    def wrong(y, codes):
        y[codes == 3] = 128

    with pytest.raises(CheckError, match="^Output y must be -128 to 127, not -127 to 128$"):
        methods(design(), wrong)


# -- symmetry ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "identities"),
    [
        ({}, {"y(-x) = -y(x)"}),
        ({"function": "sigmoid", "output": "UQ0.8"}, {"y(-x) = 256 - y(x)", "y(-1 - x) = 255 - y(x)"}),
        ({"function": "gaussian", "output": "UQ1.7"}, {"y(-x) = y(x)", "y(-1 - x) = y(x)"}),
        ({"function": "gelu", "output": "SQ4.4"}, {"y(-x) = y(x) - x", "y(-1 - x) = y(x) - x"}),
        (
            {"function": "softplus", "output": "UQ4.5"},
            {"y(-x) = y(x) - x * 2^1", "y(-1 - x) = y(x) - x * 2^1"},
        ),
    ],
)
def test_symmetry_is_an_identity_that_holds_for_every_pair(changes, identities):
    """Odd, even and ramps; one output off by one is found on either side."""
    unit = design(**changes)
    assert unit.channels[0].fold.index != "none"
    identity = methods(unit)["symmetry", "y"]
    assert identity.split(", but")[0] in identities
    for code in (-7, 7):

        def wrong(y, codes, code=code):
            y[codes == code] += 1

        mirror = -7 - ("-1 - x" in identity) * (code > 0)
        with pytest.raises(CheckError, match=rf"^Output y of code {mirror} must be .*, as y\(-"):
            methods(unit, wrong)


def test_units_that_are_not_folded_have_no_symmetry():
    """Nothing is claimed."""
    assert ("symmetry", "y") not in methods(design(function="exp", output="UQ4.4", domain="-8:2"))


# -- monotony ------------------------------------------------------------------------------------


def test_rising_unit_of_a_rising_function_is_monotone():
    """Until one output falls."""
    unit = design()
    within = "(to within 2^-29 ulp)"
    assert methods(unit)["monotone", "y"] == f"y never falls, as f rises {within}"

    def wrong(y, codes):
        y[codes == 0] = y[codes == 1] + 1
        y[codes == 50] -= 1

    given = outputs(unit)
    wrong(given["y"], unit.codes())
    flat = replace(unit, channels=(replace(unit.channels[0], fold=replace(unit.channels[0].fold)),))
    found = methods(unfolded(flat), wrong)["monotone", "y"]
    assert found == f"not monotone: 2 falls of at most 1 ulp where f rises {within}, allowed by the bound"


def unfolded(unit):
    """The unit's table over the whole range, so that symmetry is not asked of it."""
    from hwact.design import Fold, Table

    table = Table(0, tuple(unit.evaluate(unit.codes()).tolist()))
    return replace(unit, channels=(replace(unit.channels[0], fold=Fold(), core=table),))


def test_fall_beyond_twice_the_bound_is_refused():
    """Even a slow one, code by code."""

    def wrong(y, codes):
        y[codes > 100] = 127 - np.arange((codes > 100).sum()) // 5

    with pytest.raises(
        CheckError, match="^Output y must not turn back by more than twice its bound, not by 5$"
    ):
        methods(unfolded(design()), wrong)


def test_falling_functions_and_functions_that_do_both_are_told_apart():
    """1/x falls; gelu falls and rises."""
    falling = design(function="reciprocal", domain="1:7", output="UQ1.5")
    assert methods(falling)["monotone", "y"].startswith("y never rises, as f falls")
    gelu = design(function="gelu", output="SQ4.4")
    assert methods(gelu)["monotone", "y"] == "not monotone: f itself is not"


def test_slopes_have_a_range_alone():
    """They have no bound to be judged by."""
    unit = design(
        derivative="slope", function="sqrt", input="UQ4.4", domain="1:15", output="UQ2.6", method="pwl"
    )
    assert [key for key in methods(unit) if key[1] == "dy"] == [("range", "dy")]


# -- overflow ------------------------------------------------------------------------------------

EXACT = [
    "x[4:0] + x[4:0]",
    "({1'b0, x} + 7'd63) >> 1",
    "($signed({x[5], x}) - 7'sd5) >> 1",
    "(-$signed({x[5], x})) >> 1",
    "({6'd0, x} * {6'd0, x}) >> 6",
    "({3'd0, x} << x[1:0]) >> 3",
]
WRAPPING = [
    "x + x",
    "$signed(x) - 6'sd5",
    "({1'b0, x} + 7'd63) & 7'd63",
    "-x",
    "x * x",
    "x << x[1:0]",
]


def sums(expressions):
    """A small unit with one expression a line, from line 2 on."""
    unit = small_design()
    wires = "".join(f"  wire [7:0] w{k} = {expression};\n" for k, expression in enumerate(expressions))
    result = " ^ ".join(f"w{k}[5:0]" for k in range(len(expressions)))
    return (
        unit,
        f"module small_unit (input [5:0] x, output [5:0] y);\n{wires}  assign y = {result};\nendmodule\n",
    )


def test_sums_that_hold_every_result_are_exact_and_those_that_are_cut_off_wrap():
    """Unsigned or in two's complement, cut in the cell or behind it; fewer codes may need fewer bits."""
    unit, text = sums(EXACT + WRAPPING)
    with Program(text, unit, probes=True) as program:
        readings = program.run(unit.codes()).readings
        assert [adder.line for adder in program.adders] == list(range(2, 2 + len(readings)))
        assert [bool(exact) for exact in readings] == [True] * len(EXACT) + [False] * len(WRAPPING)
        check = check_overflow(unit, program.adders, readings)
        assert check.method.startswith(
            "6 of 12 adders exact as integers, 6 wrap by design (line 8: modulo 2^6, line 9: modulo 2^6, "
        )
        doubled = len(EXACT)
        for codes, fits in ((range(32), True), (range(-16, 16), True), (range(-16, 17), False)):
            assert bool(program.run(codes).readings[doubled]) is fits


def test_adders_of_real_units_are_exact_in_every_stage_of_a_pipeline():
    """No stage meets anything but codes while it is watched, and each meets all of them."""
    found = []
    for shell in ({}, {"interface": "pipe", "latency": 3}, {"interface": "stream", "latency": 2}):
        unit = design(function="softplus", output="UQ4.5", method="pwl", domain="-3:5", **shell)
        notes = []
        checks = check_circuit(unit, verilog(unit, command="test"), note=notes.append)
        checks = {check.check: check for check in checks}
        assert len(notes) == 1 and re.fullmatch(r"Simulated [0-9.]+ million codes a second", notes[0])
        assert checks["c_model"].method == "C model equals the circuit, compiled"
        found.append(re.sub(r"line \d+", "line", checks["overflow"].method))
    assert len(set(found)) == 1 and int(found[0].split()[0]) > 2


# -- the whole rung --------------------------------------------------------------------------------


def test_circuit_with_undefined_bits_is_refused():
    """As zeros they may be right."""
    unit = small_design()
    text = small_verilog(unit)
    zero = int(unit.codes()[unit.evaluate(unit.codes()) == 0][0])
    entry = f"6'd{zero & 63}: y_table = 6'd0"
    assert entry in text
    with pytest.raises(
        CheckError, match="^Output y must be defined, not hang on undefined bits of the circuit$"
    ):
        check_circuit(unit, text.replace(entry, entry.replace("6'd0", "6'bx")))


def test_undefined_bits_that_no_code_meets_are_no_matter():
    """A default that is never taken."""
    unit = small_design()
    text = small_verilog(unit).replace(
        "assign y = y_table", "assign y = y_table ^ (x == x + 6'd1 ? 6'bx : 6'd0)"
    )
    with Program(text, unit, probes=True) as program:
        assert program.run(unit.codes()).outputs["y"].tolist() == unit.evaluate(unit.codes()).tolist()


@pytest.mark.parametrize(
    ("drivers", "found"),
    [
        ("y = y_table; assign y = x", "multiple conflicting drivers"),
        ("y = y_table ^ (y & x)", "found logic loop"),
    ],
)
def test_circuit_with_two_drivers_or_a_loop_is_refused(drivers, found):
    """Before it is simulated."""
    text = small_verilog(small_design()).replace("assign y = y_table", f"assign {drivers}")
    sentence = f"^Circuit must have one driver for each wire and no loop, not {found}$"
    with pytest.raises(CheckError, match=sentence):
        check_circuit(small_design(), text)


def test_c_model_of_another_circuit_is_refused():
    """At the first code."""
    unit = design()
    wrong = outputs(unit)
    wrong["y"][3] += 1
    with pytest.raises(CheckError, match=r"^Output y of code -125 must be -?\d+ in the C model, not -?\d+$"):
        check_c_model(unit, wrong)
    assert check_c_model(unit, outputs(unit)).codes == 256

"""Faults put in on purpose: every one must be found, by the golden check or by the circuit check.

A mutant that survives is a hole in the checks that users rely on.
"""

import re
from dataclasses import replace

import pytest

from hwact import CheckError, Spec
from hwact.design import Fold, Shell
from hwact.emit.verilog import verilog
from hwact.verify import check_circuit, measure

TANH = Spec("tanh", "SQ4.4", "SQ1.7", method="pwl").design()
DYADIC = Spec("tanh", "SQ4.4", "SQ1.7", method="pwl", segmentation="dyadic").design()
TABLE = Spec("tanh", "SQ4.4", "SQ1.7", method="table").design()
RAMP = Spec("softplus", "SQ4.4", "SQ4.4", method="pwl").design()
CLAMPED = Spec("hard_tanh", "SQ4.4", "SQ1.7", method="pwl", saturate=True).design()
SLOPE = Spec("silu", "SQ4.4", "SQ4.4", derivative="slope").design()
DIRECT = Spec("tanh", "SQ4.4", "SQ1.7", method="pwl", derivative="direct", derivative_output="UQ1.7").design()
VALUE = r"(-?\d+(/\d+)?)( to -?\d+)?"
GOLDEN = rf"^Output d?y of code -?\d+ must be {VALUE}(, the slope of its segment)?, not -?\d+$"
CIRCUIT = r"^Output d?y of code -?\d+ must be -?\d+ in the circuit, not -?\d+$"


def core(design, name="y", **changes):
    """A design with changes to the coefficients of one channel."""
    return part(design, name, core=replace(design.channel(name).core, **changes))


def part(design, name="y", **changes):
    """A design with changes to one channel."""
    return replace(
        design, channels=tuple(replace(c, **changes) if c.name == name else c for c in design.channels)
    )


def without_rounding_constant(design):
    lines = design.channels[0].core
    return core(design, intercepts=tuple(c >> lines.shift << lines.shift for c in lines.intercepts))


def late_breakpoint(design, k):
    starts = design.channels[0].core.starts
    return core(design, starts=(*starts[:k], starts[k] + 1, *starts[k + 1 :]))


def swapped(values, i, j):
    values = list(values)
    values[i], values[j] = values[j], values[i]
    return tuple(values)


def changed(values, k, by):
    return tuple(value + by * (i == k) for i, value in enumerate(values))


def mutants():
    """Wrong designs by name, each beside the right one."""
    lines, table = TANH.channels[0].core, TABLE.channels[0].core
    dy = SLOPE.channel("dy").core
    steepest = max(range(lines.segments), key=lambda k: abs(lines.slopes[k]))
    made = {
        "rounding constant dropped": (TANH, without_rounding_constant(TANH)),
        "clamp dropped": (CLAMPED, part(CLAMPED, saturate=False)),
        "slopes swapped": (TANH, core(TANH, slopes=swapped(lines.slopes, 0, -1))),
        "intercepts swapped": (TANH, core(TANH, intercepts=swapped(lines.intercepts, 0, 1))),
        "slope negated": (
            TANH,
            core(TANH, slopes=changed(lines.slopes, steepest, -2 * lines.slopes[steepest])),
        ),
        "shift off by one": (TANH, core(TANH, shift=lines.shift + 1)),
        "intercept off by one ulp": (
            TANH,
            core(TANH, intercepts=changed(lines.intercepts, 0, 2 << lines.shift)),
        ),
        "table entry off by two": (TABLE, core(TABLE, entries=changed(table.entries, 9, 2))),
        "table entries swapped": (TABLE, core(TABLE, entries=swapped(table.entries, 3, 20))),
        "ramp dropped": (RAMP, part(RAMP, fold=Fold(RAMP.channels[0].fold.index, "even"))),
        "ramp twice as steep": (RAMP, part(RAMP, fold=replace(RAMP.channels[0].fold, ramp_shift=1))),
        "sign of the fold dropped": (TABLE, part(TABLE, fold=Fold(TABLE.channels[0].fold.index, "even"))),
        "constant of the fold off by three": (
            TABLE,
            part(TABLE, fold=Fold(TABLE.channels[0].fold.index, "odd", 3)),
        ),
        "derivative of the next segment": (
            SLOPE,
            core(SLOPE, "dy", intercepts=dy.intercepts[1:] + dy.intercepts[:1]),
        ),
        "derivative one unit off": (SLOPE, core(SLOPE, "dy", intercepts=changed(dy.intercepts, 1, 1))),
        "derivative is the function": (
            DIRECT,
            part(DIRECT, "dy", fold=DIRECT.channels[0].fold, core=DIRECT.channels[0].core),
        ),
    }
    for name, design in (("free", TANH), ("inner", DIRECT)):
        for k in range(1, design.channels[0].core.segments):
            made[f"breakpoint {k} late, {name}"] = (design, late_breakpoint(design, k))
    return made


MUTANTS = mutants()
#: One of a kind for the circuit, where each costs a compilation.
IN_VERILOG = [name for name in MUTANTS if "breakpoint" not in name] + ["breakpoint 1 late, free"]


def golden(design):
    return [check for measured in measure(design).values() for check in measured.check()]


@pytest.mark.parametrize("design", [TANH, DYADIC, TABLE, RAMP, CLAMPED, SLOPE, DIRECT])
def test_right_designs_pass_the_golden_check(design):
    """The mutants below differ from these."""
    assert golden(design)


def test_designs_that_the_mutants_need_have_the_parts_that_are_broken():
    """A fold with a sign, a ramp, a clamp at work, more than one segment."""
    assert TABLE.channels[0].fold.restore == "odd" and RAMP.channels[0].fold.restore.startswith("ramp")
    assert CLAMPED.channels[0].saturate and SLOPE.channel("dy").core.segments > 2


@pytest.mark.parametrize("name", MUTANTS)
def test_golden_check_kills_wrong_designs(name):
    """With the code, what is allowed, and what came."""
    right, wrong = MUTANTS[name]
    assert wrong != right
    with pytest.raises(CheckError, match=GOLDEN):
        golden(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_VERILOG)
def test_circuit_check_kills_circuits_of_wrong_designs(name):
    """The circuit of the mutant against the golden model of the right design."""
    right, wrong = MUTANTS[name]
    with pytest.raises(CheckError, match=CIRCUIT):
        check_circuit(right, verilog(wrong, command="test"))


# -- mutants of the text -----------------------------------------------------------------------

STREAM = replace(TANH, shell=Shell("stream", 2, "sync-high"))
PIPE = replace(DIRECT, shell=Shell("pipe", 3, "none"))


def text_of(design):
    return verilog(design, command="test")


def edited(text, pattern, new, count=1):
    """The text with a pattern replaced where it is found first (everywhere with count=0)."""
    wrong, found = re.subn(pattern, new, text, count=count)
    assert found, pattern
    return wrong


TEXT_MUTANTS = {
    "ready ignored": (
        STREAM,
        (r"assign move = o_ready \| inverted_1;", "assign move = 1;", 1),
        "^(Port o_valid must stay high|Outputs must be stable) while stalled, not as in cycle",
    ),
    "ready ignored by the data": (
        STREAM,
        (r"if \(move\) y <=", "if (1) y <=", 1),
        "^Outputs must be stable while stalled, not as in cycle",
    ),
    "valid not held": (
        STREAM,
        (r"else if \(move\) valid_2", "else valid_2", 1),
        "^(Port o_valid|Received|Output|Results)",
    ),
    "valid not reset": (
        STREAM,
        (r"if \(rst\) valid_2 <= 1'h0;\s+else", "", 1),
        "^Port o_valid must be low after reset",
    ),
    "first stage not reset": (
        STREAM,
        (r"if \(rst\) valid_1 <= 1'h0;\s+else", "", 1),
        "^Outputs must be one for each code, not as in cycle|^Port o_valid",
    ),
    "valid one stage early": (
        STREAM,
        (r"valid_2 <= valid_1", "valid_2 <= i_valid", 1),
        "^(Latency|Output|Received)",
    ),
    "one register left out": (
        PIPE,
        (r"always @\(posedge clk\)\s+if \(ce\) y <= (\w+);", r"always @* y = \1;", 1),
        "^(Output|Latency)",
    ),
    "clock enable ignored": (
        PIPE,
        (r"if \(ce\) dy <=", "if (1) dy <=", 1),
        "^Outputs must be stable while ce is low",
    ),
    "sign bit ignored": (TANH, (r"\bx\[7\]", "1'h0", 0), CIRCUIT),
}


@pytest.mark.parametrize("name", TEXT_MUTANTS)
def test_circuit_check_kills_wrong_text(name):
    """By an output, by the latency, or by the rule that is broken."""
    design, change, sentence = TEXT_MUTANTS[name]
    with pytest.raises(CheckError, match=sentence):
        check_circuit(design, edited(text_of(design), *change))


def test_circuit_check_kills_a_ready_that_feeds_valid():
    """Valid must not wait for ready."""
    text = edited(
        text_of(STREAM),
        r"(?s)output wire( +)o_valid(.*?\n\);)",
        r"output wire\1o_valid\2 wire own; assign o_valid = own & o_ready;",
    )
    with pytest.raises(CheckError, match="^(Port o_valid|Received)"):
        check_circuit(STREAM, edited(text, r"\.valid_2\(o_valid\)", ".valid_2(own)"))


@pytest.mark.parametrize("design", [STREAM, PIPE])
def test_circuit_check_kills_latencies_off_by_one(design):
    """One more or one less, at otherwise right results."""
    for off in (-1, 1):
        shell = replace(design.shell, latency=design.latency + off)
        with pytest.raises(
            CheckError, match=f"^Latency must be {design.latency} cycles, not {shell.latency}$"
        ):
            check_circuit(design, text_of(replace(design, shell=shell)))


@pytest.mark.parametrize("design", [STREAM, PIPE])
def test_right_text_passes_the_circuit_check(design):
    """The mutants above differ from these."""
    assert [check.check for check in check_circuit(design, text_of(design))][:2] == ["circuit", "stalls"]

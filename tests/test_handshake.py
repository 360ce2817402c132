"""The proof of the shell: what clock enable, valid, ready and reset do, and every way to break it."""

import re

import pytest
from designs import hand_made, with_shell

from hwact.emit.manifest import manifest
from hwact.emit.verilog import verilog
from hwact.errors import CheckError
from hwact.verify import delay_line
from hwact.verify.blocks import Deadline
from hwact.verify.handshake import Shell
from hwact.verify.machine import read_machine
from hwact.verify.proof import prove

ODD = hand_made()["uniform_odd"]
STREAM = with_shell(ODD, "stream", 3)
ASYNC = with_shell(ODD, "stream", 2, "async-low")
PIPE = with_shell(ODD, "pipe", 3)


def solve(aig, literal):
    return Deadline(60, "Test").solve(aig, literal)


def contents(design):
    return manifest(design, command="", statistics={}, certificate=None, files={})


def proved(design, text):
    return prove(design, contents(design), text, seconds=60)


def text_of(design):
    return verilog(design, command="test")


def edited(text, pattern, new, count=1):
    wrong, found = re.subn(pattern, new, text, count=count)
    assert found, pattern
    return wrong


# -- right shells ------------------------------------------------------------------------------


RARE = [pytest.param(reset, marks=pytest.mark.slow) for reset in ("sync-low", "async-high")]


@pytest.mark.parametrize("reset", ["sync-high", "async-low", "none", *RARE])
@pytest.mark.parametrize("interface", ["pipe", "stream"])
def test_shells_of_every_reset_are_proved(interface, reset):
    """Each with its properties named in the certificate."""
    checks = proved(with_shell(ODD, interface, 2, reset), text_of(with_shell(ODD, interface, 2, reset)))
    second = "hold" if interface == "pipe" else "handshake"
    assert [check.check for check in checks] == ["equivalence", second, "reset"]
    assert {check.level for check in checks} == {"proof"}
    assert ("power-up and" in checks[-1].method) == (reset != "none")


@pytest.mark.slow
@pytest.mark.parametrize("interface", ["pipe", "stream"])
def test_shells_of_the_greatest_latency_are_proved(interface):
    """64 stages."""
    design = with_shell(ODD, interface, 64, "async-low")
    assert len(proved(design, text_of(design))) == 3


# -- broken shells -----------------------------------------------------------------------------

MUTANTS = {
    "ready ignored": (
        STREAM,
        (r"assign move = o_ready \| inverted_1;", "assign move = 1;"),
        "Port i_ready must be high where o_ready is or o_valid is not, and only there",
    ),
    "ready never given": (
        STREAM,
        (r"assign move = o_ready \| inverted_1;", "assign move = o_ready;"),
        "Port i_ready must be high where o_ready is or o_valid is not, and only there",
    ),
    "ready ignored by the data": (
        STREAM,
        (r"if \(move\) y <=", "if (1) y <="),
        r"Register unit\.datapath\.y\[\d\] must hold its value while a result waits to be taken, not change",
    ),
    "valid not held": (
        STREAM,
        (r"else if \(move\) valid_2", "else valid_2"),
        "Register unit.valid_2 must hold its value while a result waits to be taken, not change",
    ),
    "result delivered twice": (
        STREAM,
        (r"valid_3 <= valid_2;", "valid_3 <= valid_2 | valid_3;"),
        "Port o_valid must show i_valid 3 moves later, not another",
    ),
    "bubble not squeezed out": (
        STREAM,
        (r"else if \(move\) valid_1 <=", "else if (o_ready) valid_1 <="),
        "Register unit.valid_1 must move while no result is shown, not wait for o_ready",
    ),
    "valid bit dropped": (
        STREAM,
        (r"valid_2 <= valid_1;", "valid_2 <= valid_1 & ~ valid_3;"),
        "Port o_valid must show i_valid 3 moves later, not another",
    ),
    "valid one stage early": (
        STREAM,
        (r"valid_2 <= valid_1;", "valid_2 <= i_valid;"),
        "Port o_valid must show i_valid 3 moves later, not another",
    ),
    "valid waits for ready": (
        STREAM,
        (
            r"(\n\);)(\n[^$]*?)\.valid_3\(o_valid\)",
            r"\1 wire own; assign o_valid = own & o_ready; \2.valid_3(own)",
        ),
        "Port o_valid must depend on registers alone, not on inputs of its cycle",
    ),
    "data wait for ready": (
        STREAM,
        (
            r"(\n\);)(\n[^$]*?)\.o_payload\(o_y\)",
            r"\1 wire [7:0] own; assign o_y = own ^ {8{o_ready}}; \2.o_payload(own)",
        ),
        "Port o_y must depend on registers alone, not on inputs of its cycle",
    ),
    "last stage not reset": (
        STREAM,
        (r"if \(rst\) valid_3 <= 1'h0;\s+else", ""),
        "Port o_valid must be low 0 moves after reset, not high",
    ),
    "first stage not reset": (
        STREAM,
        (r"if \(rst\) valid_1 <= 1'h0;\s+else", ""),
        "Port o_valid must be low 2 moves after reset, not high",
    ),
    "first stage full at power-up": (
        STREAM,
        (r"initial valid_1 = 1'h0", "initial valid_1 = 1'h1"),
        "Port o_valid must be low 2 moves after power-up, not high",
    ),
    "stage open at power-up": (
        STREAM,
        (r"initial valid_2 = 1'h0;", ""),
        "Port o_valid must be low 1 moves after power-up, not high",
    ),
    "reset of the other polarity": (
        ASYNC,
        (r"wire rst = ~rst_n", "wire rst = rst_n"),
        "Port o_valid must show i_valid 2 moves later, not another",
    ),
    "register left out": (
        PIPE,
        (
            r"always @\(posedge clk\)\s+if \(rst\) y <= \S+;\s+else if \(ce\) y <= (\w+);",
            r"always @* y = \1;",
        ),
        r"Output y of code -?\d+ must be -?\d+ in the circuit, not -?\d+",
    ),
    "clock enable ignored": (
        PIPE,
        (r"else if \(ce\) y <=", "else y <="),
        r"Register unit\.datapath\.y\[\d\] must hold its value while ce is low, not change",
    ),
    "register not reset": (
        PIPE,
        (r"if \(rst\) y <= 8'h00;\s+else", ""),
        r"Register unit\.datapath\.y\[\d\] must be 0 after reset, not 1",
    ),
    "register reset to another value": (
        PIPE,
        (r"if \(rst\) y <= 8'h00;", "if (rst) y <= 8'h08;"),
        r"Register unit\.datapath\.y\[3\] must be 0 after reset, not 1",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_broken_shells_are_found(name):
    """By the property that is broken."""
    design, change, sentence = MUTANTS[name]
    with pytest.raises(CheckError, match=f"^({sentence}): found by SAT$"):
        proved(design, edited(text_of(design), *change))


@pytest.mark.parametrize("design", [STREAM, PIPE])
@pytest.mark.parametrize("off", [-1, 1])
def test_latencies_off_by_one_are_found(design, off):
    """A result one move early or late."""
    other = with_shell(design, design.shell.interface, design.latency + off)
    with pytest.raises(
        CheckError, match=r"^(Output y of code|Port o_valid must show i_valid 3 moves later).*found by SAT$"
    ):
        proved(design, text_of(other))


def test_asynchronous_reset_that_waits_for_a_clock_is_found():
    """While reset is asserted, no result may be valid."""
    text = edited(text_of(ASYNC), " or posedge rst", "", count=0)
    with pytest.raises(
        CheckError, match="^Port o_valid must be low while an asynchronous reset is asserted, not high"
    ):
        proved(ASYNC, text)


# -- the delay line ----------------------------------------------------------------------------


@pytest.mark.parametrize("latency", [1, 2, 3, 16])
def test_delay_line_keeps_its_promises(latency):
    """No loss, no duplication, order, stability, recovery."""
    assert delay_line.broken_promise(latency, solve) is None


@pytest.mark.slow
def test_long_delay_line_keeps_its_promises():
    """64 stages."""
    assert delay_line.broken_promise(64, solve) is None


def faulty(change):
    """The line with a change to what follows a cycle."""

    def step(aig, state, inputs):
        after, accepts = delay_line.step(aig, state, inputs)
        change(aig, state, inputs, after)
        return after, accepts

    return step


def drop(aig, state, inputs, after):
    after["valid"][1] = 0


def duplicate(aig, state, inputs, after):
    """While the line is stalled, the last but one stage takes the last one's token as well."""
    stalled = aig.land(state["valid"][2], aig.lor(inputs["o_ready"], inputs["rst"]) ^ 1)
    for name in state:
        after[name][1] = aig.mux(stalled, state[name][2], after[name][1])


def forget_reset(aig, state, inputs, after):
    after["valid"][1] = delay_line.step(aig, state, {**inputs, "rst": 0})[0]["valid"][1]


def swap(aig, state, inputs, after):
    for word in after.values():
        word[0], word[1] = word[1], word[0]


def invent(aig, state, inputs, after):
    after["valid"][0] = aig.lor(after["valid"][0], inputs["rst"] ^ 1)


def slip(aig, state, inputs, after):
    """A waiting result gives way to the next one."""
    for name in state:
        after[name][2] = aig.mux(inputs["rst"], after[name][2], state[name][1])


@pytest.mark.parametrize(
    "change, promise",
    [
        (drop, "token A is not lost, one cycle later|what is not stalled moves on"),
        (duplicate, "token A is not (lost|duplicated), one cycle later"),
        (forget_reset, "a reset empties the line"),
        (swap, "what is not stalled moves on"),
        (invent, "token A is not lost, one cycle later"),
        (slip, "a result that waits stays"),
    ],
)
def test_faulty_delay_lines_break_a_promise(change, promise):
    """So that the promises say something."""
    broken = delay_line.broken_promise(3, solve, faulty(change))
    assert broken and re.fullmatch(f"Delay line of 3 stages must keep its promise: ({promise})", broken)


def test_properties_are_not_about_nothing():
    """Every property has literals that the solver is asked about, and the unit has registers."""
    machine = read_machine(text_of(STREAM), STREAM)
    shell = Shell(machine, STREAM)
    names = [name for name, _, wrong in shell.properties() if wrong]
    assert names == ["registered", "ready", "hold", "bubble", "delay", "reset"]
    assert {f"unit.valid_{k}" for k in (1, 2, 3)} <= {register.name for register in shell.registers}

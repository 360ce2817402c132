"""The proof that the emitted circuit equals the tables, and what must never pass for one."""

import random
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from designs import hand_made, random_design, with_shell

from hwact import Spec
from hwact.design import Table
from hwact.emit.manifest import manifest
from hwact.emit.verilog import verilog
from hwact.errors import CheckError, ToolError
from hwact.verify import UndecidedError, aig, machine
from hwact.verify.aig import Aig
from hwact.verify.proof import equivalent, prove
from hwact.verify.reference_netlist import ReferenceNetlist

MADE = hand_made()
SMALL = [name for name in MADE if name != "widest"]
TANH = Spec("tanh", "SQ4.4", "SQ1.7", method="pwl").design()
FOUND = r"^Output (d?y) of code (-?\d+) must be (-?\d+) in the circuit, not (-?\d+): found by SAT$"


def contents(design):
    return manifest(design, command="", statistics={}, certificate=None, files={})


def text_of(design):
    return verilog(design, command="test")


def proved(design, text, seconds=60, **options):
    return prove(design, contents(design), text, seconds=seconds, **options)


def edited(text, pattern, new, count=1):
    wrong, found = re.subn(pattern, new, text, count=count)
    assert found, pattern
    return wrong


# -- the reference netlist ---------------------------------------------------------------------


def netlist_outputs(design, channel, bits):
    """Outputs of the reference netlist for every code of the domain, from blocks of ``2**bits`` codes."""
    plain = design.to_dict()
    netlist = ReferenceNetlist(plain["channels"][design.channels.index(channel)], plain["input"])
    outputs = []
    for code in design.codes():
        first = max(int(code) >> bits << bits, design.domain[0])
        last = min((int(code) >> bits << bits) + (1 << bits) - 1, design.domain[1])
        graph = Aig()
        free = graph.inputs(bits)
        x = free + [int(code) >> k & 1 for k in range(bits, design.input.width)]
        word = netlist.build(graph, x, first, last)
        values = {literal >> 1: int(code) >> k & 1 for k, literal in enumerate(free)}
        pattern = graph.evaluate(word, values)
        outputs.append(sum(bit << k for k, bit in enumerate(pattern)) - (pattern[-1] << len(pattern)))
    return outputs


@pytest.mark.parametrize("name", SMALL)
def test_reference_netlist_equals_the_golden_model(name):
    """Two writings of one page of arithmetic: code by code, and in blocks of sixteen codes."""
    design = MADE[name]
    for channel in design.channels:
        golden = design.evaluate(design.codes(), channel.name).tolist()
        assert netlist_outputs(design, channel, 0) == golden
        assert netlist_outputs(design, channel, min(4, design.input.width)) == golden


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_reference_netlist_equals_the_golden_model_on_random_designs(seed):
    """Every fold, restore, segmentation and format."""
    design = random_design(seed)
    for channel in design.channels:
        golden = design.evaluate(design.codes(), channel.name).tolist()
        assert netlist_outputs(design, channel, random.Random(seed).randint(0, 3)) == golden


# -- right circuits ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "free_lines",
        "dyadic_even",
        "negate_ramp",
        "ranged_folded",
        "unsigned_clamped",
        "one_bit",
        "with_derivative",
    ],
)
def test_right_circuits_are_proved(name):
    """With the tools that the proof rests on, and the number of codes."""
    design = MADE[name]
    ticks = []
    (check,) = proved(design, text_of(design), tick=lambda *tick: ticks.append(tick))
    assert (check.level, check.check, check.codes) == ("proof", "equivalence", len(design.codes()))
    assert [tool.split()[0] for tool in check.tools] == ["Yosys", "Glucose"]
    assert ticks == sorted(ticks) and ticks[-1] == (check.codes, check.codes)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_all_right_circuits_are_proved(name):
    """No false alarm on any branch of the arithmetic."""
    assert proved(MADE[name], text_of(MADE[name]))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1012))
def test_random_circuits_are_proved(seed):
    """Behind every interface and reset."""
    draw = random.Random(seed)
    interface = draw.choice(("comb", "pipe", "stream"))
    latency = draw.choice((1, 2, 5)) * (interface != "comb")
    reset = draw.choice(("sync-high", "sync-low", "async-high", "async-low", "none"))
    design = with_shell(random_design(seed), interface, latency, reset)
    assert proved(design, text_of(design))


@pytest.mark.slow
@pytest.mark.parametrize("bits", [12, 16])
def test_wide_units_are_proved(bits):
    """In blocks of codes, each within its segment."""
    design = Spec("tanh", f"SQ4.{bits - 4}", f"SQ1.{bits - 1}").design()
    assert proved(design, text_of(design), seconds=300)


# -- wrong circuits ----------------------------------------------------------------------------


def wrong_constants():
    """TANH with one wrong number, by name."""
    lines = TANH.channels[0].core
    for k in (0, lines.segments - 1):
        intercepts = [c + (k == j) * (1 << lines.shift) for j, c in enumerate(lines.intercepts)]
        yield f"intercept {k}", replace(lines, intercepts=tuple(intercepts))
    slopes = (lines.slopes[0] + (1 << lines.shift - 1), *lines.slopes[1:])
    yield "slope", replace(lines, slopes=slopes)
    yield "breakpoint", replace(lines, starts=(0, lines.starts[1] - 1, *lines.starts[2:]))


@pytest.mark.parametrize("name, core", dict(wrong_constants()).items())
def test_wrong_numbers_are_found_with_a_counterexample(name, core):
    """The sentence names a code, what the golden model gives for it, and what the circuit does."""
    other = replace(TANH, channels=(replace(TANH.channels[0], core=core),))
    with pytest.raises(CheckError) as caught:
        proved(TANH, text_of(other))
    _, code, must, got = re.match(FOUND, str(caught.value)).groups()
    assert TANH.evaluate([int(code)]) == [int(must)] != [int(got)]
    assert other.evaluate([int(code)]) == [int(got)]


def test_single_wrong_entry_is_found():
    """One code of 64, behind a pipeline too."""
    design = MADE["whole_table"]
    table = design.channels[0].core
    entries = [entry ^ (k == 41) for k, entry in enumerate(table.entries)]
    other = replace(design, channels=(replace(design.channels[0], core=Table(0, tuple(entries))),))
    for interface in ("comb", "stream"):
        right, wrong = table.entries[41], entries[41]
        sentence = f"^Output y of code 9 must be {right} in the circuit, not {wrong}: found by SAT$"
        with pytest.raises(CheckError, match=sentence):
            proved(with_shell(design, interface), text_of(with_shell(other, interface)))


def test_codes_outside_the_domain_do_not_matter():
    """A fault there passes; one inside does not."""
    design = MADE["whole_table"]
    inner = replace(design, domain=(-32, 8))
    table = design.channels[0].core
    entries = [entry ^ (k == 41) for k, entry in enumerate(table.entries)]
    other = replace(design, channels=(replace(design.channels[0], core=Table(0, tuple(entries))),))
    assert proved(inner, text_of(other))
    with pytest.raises(CheckError, match=FOUND):
        proved(replace(design, domain=(-32, 9)), text_of(other))


PLAIN = replace(MADE["one_bit"], name="unit")
RIGHT = "module unit(input x, output y);\nassign y = ~x;\nendmodule\n"
REFUSED = {
    "a value left open": (
        "assign y = x ? 1'b0 : 1'bx;",
        "Output y of code 0 must be 1 in the circuit, not 0: found by SAT",
    ),
    "an undriven wire": (
        "wire a; assign y = ~x ^ a;",
        r"Output y of code [01] must be \d in the circuit, not \d: found by SAT",
    ),
    "a constant": ("assign y = 0;", "Output y of code 0 must be 1 in the circuit, not 0: found by SAT"),
    "a loop": ("wire a, b; assign a = b & x; assign b = a | x; assign y = ~a;", "Circuit must have no loop"),
    "a latch": (
        "reg a; always @* if (x) a = 0; assign y = ~a;",
        r"Register \S+ must move at the rising edge of port clk",
    ),
    "a register": (
        "reg a; always @(posedge x) a <= 0; assign y = a;",
        r"Register \S+ must move at the rising edge",
    ),
    "two drivers": (
        "assign y = ~x; assign y = x;",
        r"Net \S+ must have one driver, not two|Output y of code",
    ),
}


def test_plain_unit_is_proved():
    """The faults below are put into this one."""
    assert proved(PLAIN, RIGHT)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_circuit_is_refused(name):
    """Never proved, and with a sentence."""
    body, sentence = REFUSED[name]
    with pytest.raises(CheckError, match=f"^({sentence})"):
        proved(PLAIN, RIGHT.replace("assign y = ~x;", body))


def test_other_ports_are_refused():
    """Another width, another direction, none."""
    for header, sentence in (
        ("input [1:0] x, output y", "Input x must have 1 bits, not 2"),
        ("input x, output y, output [1:0] z", None),
        ("input y, output x", "Input x must have 1 bits, not 0"),
        ("input a, output y", "Input x must have 1 bits, not 0"),
    ):
        text = f"module unit({header}); assign y = ~x; endmodule\n"
        if sentence is None:
            assert proved(PLAIN, text)
            continue
        with pytest.raises(CheckError, match=f"^{re.escape(sentence)}$"):
            proved(PLAIN, text)


def test_other_edges_and_clocks_are_refused():
    """Registers of the falling edge, or of another signal."""
    design = with_shell(MADE["uniform_odd"], "pipe", 1)
    for pattern, new in ((r"posedge clk", "negedge clk"), (r"posedge clk", "posedge ce")):
        with pytest.raises(
            CheckError, match=r"^Register \S+ must move at the rising edge of port clk, not otherwise$"
        ):
            proved(design, edited(text_of(design), pattern, new))


def test_manifest_of_another_design_is_refused():
    """What is proved is what the design says."""
    with pytest.raises(CheckError, match="^Manifest must be that of the design "):
        prove(PLAIN, contents(TANH), RIGHT, seconds=60)


# -- never a false yes -------------------------------------------------------------------------


def test_time_limit_is_no_proof():
    """At once, and between two blocks of a unit that takes long."""
    with pytest.raises(UndecidedError, match="^Proof .* not decided in 0 s$"):
        proved(PLAIN, RIGHT, seconds=0)
    asked = []

    def tick(done, total):
        asked.append((done, total))
        time.sleep(4)

    with pytest.raises(UndecidedError, match="^Proof .* not decided in 3 s$"):
        proved(MADE["widest"], text_of(MADE["widest"]), seconds=3, tick=tick)
    assert len(asked) <= 1 and all(done < total for done, total in asked)


def test_widest_unit_is_proved_without_a_list_of_its_codes():
    """2^32 codes in few blocks."""
    check = proved(MADE["widest"], text_of(MADE["widest"]))[0]
    assert (check.check, check.codes) == ("equivalence", 1 << 32)


def test_solver_that_gives_up_is_no_proof(monkeypatch):
    """Interrupted, killed or out of its budget: None."""
    monkeypatch.setattr(aig, "_solve", lambda clauses, conflicts: None)
    with pytest.raises(UndecidedError, match="not decided in 0.2 s$"):
        proved(PLAIN, RIGHT, seconds=0.2)


@pytest.mark.parametrize("answer", [False, [1] * 99, [-1] * 99])
def test_solver_that_does_nothing_is_no_proof(monkeypatch, answer):
    """It must find what there is, and its models are evaluated."""
    monkeypatch.setattr(aig, "_solve", lambda clauses, conflicts: answer)
    with pytest.raises(ToolError, match="^Tool python-sat must "):
        proved(PLAIN, RIGHT)


def test_missing_solver_is_no_proof(monkeypatch):
    """One sentence, with what to do."""
    monkeypatch.setitem(sys.modules, "pysat.solvers", None)
    with pytest.raises(
        ToolError, match="^Tool python-sat must be installed, not missing: pip install python-sat$"
    ):
        proved(PLAIN, RIGHT)


@pytest.mark.parametrize("written", [None, "", ".model unit\n.inputs x\n.outputs y\n.names x y\n0 1\n"])
def test_yosys_that_writes_nothing_is_no_proof(monkeypatch, written):
    """Nor half of a netlist."""

    def run_yosys(passes, folder, **options):
        if written is not None:
            Path(folder, "unit.blif").write_text(written, encoding="utf-8")

    monkeypatch.setattr(machine, "run_yosys", run_yosys)
    with pytest.raises(ToolError, match="^Tool yosys must write a "):
        proved(PLAIN, RIGHT)


def test_invalid_verilog_is_the_tools_error():
    """Not a proof."""
    with pytest.raises(ToolError, match="^Tool yosys must succeed, not fail"):
        proved(PLAIN, "module unit(input x, output y); assign y = ; endmodule")


# -- two circuits ------------------------------------------------------------------------------


def test_equivalence_has_three_answers():
    """Proved, refuted, and neither within the time."""
    text = "module unit(input x, output y);\nwire z = x ^ 1'b1;\nassign y = z & (z | x);\nendmodule\n"
    assert equivalent(RIGHT, text, PLAIN, seconds=60) is True
    assert equivalent(RIGHT, text.replace("&", "^"), PLAIN, seconds=60) is False
    assert equivalent(RIGHT, text, PLAIN, seconds=0) is None


@pytest.mark.slow
@pytest.mark.parametrize("interface", ["pipe", "stream"])
def test_equivalence_of_units_with_registers(interface):
    """Data that cannot be seen make no difference; a lost reset, a late or wrong result do."""
    design = with_shell(MADE["uniform_odd"], interface, 2)
    text = text_of(design)
    assert equivalent(text, text, design, seconds=60) is True
    assert equivalent(text, text_of(with_shell(design, interface, 3)), design, seconds=60) is False
    wrong = edited(text, r"(\d+'h)0([1-7])\b", r"\g<1>0\g<2>^1")
    assert equivalent(text, wrong, design, seconds=60) is False
    if interface == "stream":
        unseen = edited(text, r"initial y = 8'h00", "initial y = 8'h15")
        assert equivalent(text, unseen, design, seconds=60) is True
        assert (
            equivalent(text, edited(text, r"if \(rst\) valid_2 <= 1'h0;\s+else", ""), design, seconds=60)
            is False
        )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_proof_of_faulty_text_agrees_with_the_machine_on_every_code(seed):
    """One wrong bit of one constant: a proof if and only if no code's output changes."""
    design, draw = random_design(seed), random.Random(seed)
    text = text_of(design)
    found = draw.choice(list(re.finditer(r"(?<='h)[0-9a-f]+", text)))
    digit = found.end() - 1
    wrong = f"{text[:digit]}{int(text[digit], 16) ^ 1 << draw.randrange(4):x}{text[digit + 1 :]}"
    try:
        circuit = machine.read_machine(wrong, design)
    except CheckError:  # a case is left out, so that a latch stands there
        with pytest.raises(CheckError, match="^Register "):
            proved(design, wrong)
        return
    changed = False
    for channel in design.channels:
        word = circuit.outputs[channel.name]
        for code, golden in zip(design.codes(), design.evaluate(design.codes(), channel.name)):
            values = {bit >> 1: int(code) >> k & 1 for k, bit in enumerate(circuit.inputs["x"])}
            pattern = sum(bit << k for k, bit in enumerate(circuit.aig.evaluate(word, values)))
            changed |= bool(channel.format.from_bits(np.array([pattern]))[0] != golden)
    if changed:
        with pytest.raises(CheckError, match=FOUND):
            proved(design, wrong)
    else:
        assert proved(design, wrong)
    assert equivalent(text, wrong, design, seconds=60) is not changed

"""Netlists: those of right units pass on every code, and faults of cells, wires and tools do not."""

import re
from functools import cache, partial

import pytest
from designs import hand_made, random_design, with_shell
from small_units import small_design, small_verilog

from hwact.emit.verilog import verilog
from hwact.errors import CheckError, ToolError
from hwact.synth import flow, write_netlist
from hwact.verify import netlist
from hwact.verify.netlist import check_netlist, compare, run_all, with_models

ADDING = hand_made()["uniform_odd"]


def emitted(design):
    return verilog(design, command="")


def simulated(design, text, family):
    """Compare a netlist with its design."""
    compare(design, with_models(text, design.name, family), "netlist")


@cache
def mapped(family):
    """The netlist of `ADDING`."""
    return write_netlist(emitted(ADDING), ADDING.name, family, bram=False)


def inverted(netlist, number):
    """The netlist with the contents of one lookup table inverted."""
    tables = list(re.finditer(r"INIT\(16'h([0-9a-f]{4})\)", netlist))
    start, stop = tables[number].span(1)
    return f"{netlist[:start]}{int(netlist[start:stop], 16) ^ 0xFFFF:04x}{netlist[stop:]}"


# -- right units -------------------------------------------------------------------------------


def test_netlists_of_both_families_equal_the_golden_model_on_every_code():
    """One check for each family, which says how it was synthesised and with what; steps are counted."""
    design, steps = small_design("stream", 2, derivative=True), []
    checks = check_netlist(design, small_verilog(design), tick=lambda done, total: steps.append((done, total)))
    assert [(check.level, check.check) for check in checks] == [
        ("netlist", "netlist_ice40"),
        ("netlist", "netlist_ecp5"),
    ]
    assert all((check.output, check.codes, check.coverage) == ("y and dy", 64, "every code") for check in checks)
    assert "(synth_ice40 -nobram)" in checks[0].method
    assert "(synth_ecp5 -nodsp -nobram)" in checks[1].method
    assert re.match(r"Yosys \d", checks[0].tools[0]) and re.match(r"g\+\+ \d", checks[0].tools[1])
    assert steps == [(done, 6) for done in range(1, 7)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_netlists_of_random_designs_equal_the_golden_model(seed):
    """Every interface and kind of reset, with and without derivative."""
    shells = [
        ("comb",),
        ("pipe", 1, "none"),
        ("pipe", 4, "sync-high"),
        ("stream", 1, "sync-low"),
        ("stream", 3, "async-low"),
        ("stream", 2, "async-high"),
    ]
    design = with_shell(random_design(seed), *shells[seed % len(shells)])
    assert len(check_netlist(design, emitted(design))) == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(hand_made()) - {"widest"}))
def test_netlists_of_every_branch_of_the_arithmetic_equal_the_golden_model(name):
    """Folds, clamps, narrow and constant outputs."""
    design = hand_made()[name]
    assert len(check_netlist(design, emitted(design))) == 2


# -- faults ------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["ice40", pytest.param("ecp5", marks=pytest.mark.slow)])
def test_wrong_lookup_table_is_caught(family):
    """A netlist with one table inverted differs, the netlist itself does not."""
    text = mapped(family)
    simulated(ADDING, text, family)
    with pytest.raises(CheckError, match=r"^Output y of code -?\d+ must be -?\d+, not -?\d+, in the netlist$"):
        simulated(ADDING, inverted(text, 0), family)


@pytest.mark.slow
def test_every_lookup_table_matters():
    """Whichever table is inverted, some code shows it."""
    text = mapped("ice40")
    for number in range(len(re.findall("LUT_INIT", text))):
        with pytest.raises(CheckError):
            simulated(ADDING, inverted(text, number), "ice40")


def test_fault_in_the_carry_chain_is_caught():
    """A carry whose first operand is stuck at one."""
    text = mapped("ice40")
    stuck = re.sub(r"(SB_CARRY [^;]*?\.I0\()[^)]*", r"\g<1>1'h1", text, count=1)
    assert stuck != text
    with pytest.raises(CheckError, match="^Output y of code"):
        simulated(ADDING, stuck, "ice40")


def test_fault_in_the_handshake_is_caught():
    """A reset that is not connected, a ready that is stuck."""
    design = small_design("stream", 2)
    text = write_netlist(small_verilog(design), design.name, "ice40", bram=False)
    assert ".R(rst)" in text and ".O(i_ready)" in text
    with pytest.raises(CheckError, match="^Port o_valid must be low after reset"):
        simulated(design, text.replace(".R(rst)", ".R(1'h0)"), "ice40")
    stuck = text.replace(".O(i_ready)", ".O()").replace("endmodule", "assign i_ready = 1'h1;\nendmodule")
    with pytest.raises(CheckError, match="must be stable while stalled|must stay high while stalled"):
        simulated(design, stuck, "ice40")


@pytest.mark.slow
def test_wrong_unit_is_told_with_the_family():
    """The Verilog of another latency is one fault in each family; the first is told."""
    design = small_design("pipe", 2)
    text = small_verilog(small_design("pipe", 1))
    with pytest.raises(CheckError, match="^Latency must be 2 cycles, not 1, in the iCE40 netlist$"):
        check_netlist(design, text)


# -- netlists and tools that prove nothing -----------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "assign y = a & b;",
        "reg r; always @(posedge a) r <= b; assign y = r;",
        "MYSTERY cell_1 (.A(a), .B(b), .Y(y));",
        "DP16KD ram (.CLKA(a), .ADA0(b), .DOA0(y));",
    ],
)
def test_netlist_of_anything_but_cells_with_models_is_refused(body):
    """Behaviour is no netlist, and a cell without a model is a black box."""
    with pytest.raises(ToolError, match="^Tool yosys must succeed, not fail: "):
        with_models(f"module unit (input a, input b, output y); {body} endmodule", "unit", "ecp5")


@pytest.mark.parametrize("module", [flow, netlist])
def test_yosys_that_does_nothing_is_no_yes(module, monkeypatch):
    """No file, no answer."""
    monkeypatch.setattr(module, "run_yosys", lambda *_, **__: "")
    design = small_design()
    with pytest.raises(ToolError, match=r"^Tool yosys must write (netlist|models\.v), not nothing$"):
        check_netlist(design, small_verilog(design))


def test_compiler_that_does_nothing_is_no_yes(monkeypatch, tmp_path):
    """A program that was never written cannot run."""
    fake = tmp_path / "g++"
    fake.write_text("#!/bin/sh\nexit 0\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    design = small_design()
    with pytest.raises(ToolError):
        compare(design, small_verilog(design), "netlist")


def test_failed_check_is_not_hidden_by_a_missing_tool():
    """Every check runs, and no comes before unknown."""

    def fail(error):
        raise error

    calls = [partial(fail, ToolError("missing")), partial(fail, CheckError("wrong")), lambda: "right"]
    with pytest.raises(CheckError, match="^wrong$"):
        run_all(calls)
    with pytest.raises(ToolError, match="^missing$"):
        run_all([calls[0], calls[2]])
    assert run_all([calls[2]]) == ["right"]

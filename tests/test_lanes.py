"""Lanes and AXI4-Stream: ports, what the emitted text does, and faults that simulation and proof must find."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from designs import hand_made

from hwact import Spec
from hwact.cli.generate import generate
from hwact.design import Design, Shell
from hwact.emit.bench import bench_text, vectors_text
from hwact.emit.cocotb_bench import cocotb_bench_text
from hwact.emit.manifest import manifest, ports
from hwact.emit.verilog import verilog
from hwact.errors import CheckError, RequestError
from hwact.ports import ports_of
from hwact.sim import run_bench
from hwact.verify.circuit import check_circuit
from hwact.verify.ladder import climb
from hwact.verify.mutate import mutate
from hwact.verify.proof import equivalent
from hwact.verify.simulate import Program

AXIS = {"interface": "axis", "latency": 2, "lanes": 2, "tuser": 2, "clock_name": "aclk", "reset_name": "aresetn"}


def unit(**changes):
    """A unit with padding at the input and at both outputs, one signed and one not."""
    request = {"input": "SQ3.6", "output": "SQ1.6", "derivative": "direct", "derivative_output": "UQ1.4", "name": "dut"}
    return Spec("tanh", **request | changes).design()


@pytest.fixture(scope="module")
def axis():
    """An AXI4-Stream unit of two lanes, and its Verilog."""
    design = unit(**AXIS)
    return design, verilog(design, command="test")


def wrapped(design, text, changes):
    """The text behind a module that gives ports other values, by expressions of their own ones."""
    lines, connections, named = [], [], ports_of(design)
    for port in named:
        inner = f"inner_{port.name}"
        if port.direction == "input":
            lines.append(f"  wire [{port.width - 1}:0] {inner} = {changes.get(port.name, port.name)};")
        else:
            lines.append(f"  wire [{port.width - 1}:0] {inner};")
            lines.append(f"  assign {port.name} = {changes.get(port.name, inner)};")
        connections.append(f".{port.name}({inner})")
    head = ", ".join(f"{port.direction} [{port.width - 1}:0] {port.name}" for port in named)
    body = "\n".join([*lines, f"  {design.name}_whole whole ({', '.join(connections)});"])
    inside = re.sub(rf"\b{design.name}\b", f"{design.name}_whole", text)
    return f"{inside}\nmodule {design.name}({head});\n{body}\nendmodule\n"


# -- ports -------------------------------------------------------------------------------------


def test_axis_packs_records_of_bytes_lane_by_lane(axis):
    """y below dy, lane 0 below lane 1, signs repeated above y and zeros above dy."""
    design, _ = axis
    named = {port.name: port for port in ports_of(design)}
    assert [(f.name, f.lane, f.low, f.padded) for f in named["m_axis_tdata"].fields] == [
        ("y", 0, 0, 8),
        ("dy", 0, 8, 8),
        ("y", 1, 16, 8),
        ("dy", 1, 24, 8),
    ]
    assert named["s_axis_tdata"].pack([-1, 2]) == 0x0002_FFFF
    assert named["s_axis_tdata"].unpack(0x0002_FFFF) == [0xFFFF, 2]
    assert [named[f"{side}_axis_tkeep"].width for side in "sm"] == [4, 4]


def test_manifest_says_lanes_roles_and_places(axis):
    """What other programs read."""
    contents = manifest(axis[0], command="", statistics={}, certificate=None, files={})
    assert (contents["interface"], contents["lanes"], contents["reset"]) == ("axis", 2, "sync-low")
    roles = contents["ports"]
    assert (roles["clk"], roles["rst"], roles["x"], roles["y"], roles["dy"]) == (
        "aclk",
        "aresetn",
        "s_axis_tdata",
        "m_axis_tdata",
        "m_axis_tdata",
    )
    assert contents["packing"]["dy"][1] == {"port": "m_axis_tdata", "lane": 1, "low": 24, "bits": 5, "padded": 8}
    assert json.loads(json.dumps(contents)) == contents


def test_lanes_lie_side_by_side_without_padding():
    """On every interface but AXI4-Stream."""
    design = unit(interface="stream", lanes=3)
    assert ports(design) == {
        "clk": "clk",
        "rst": "rst",
        "x": "i_payload",
        "i_valid": "i_valid",
        "i_ready": "i_ready",
        "y": "o_y",
        "dy": "o_dy",
        "o_valid": "o_valid",
        "o_ready": "o_ready",
    }
    assert [(port.width, [field.low for field in port.fields]) for port in ports_of(design) if port.fields] == [
        (27, [0, 9, 18]),
        (21, [0, 7, 14]),
        (15, [0, 5, 10]),
    ]


REFUSED = {
    "Lanes must be 1 to 64, not 0": {"lanes": 0},
    "Lanes must be 1 to 64, not 65": {"lanes": 65},
    "Lanes must be 1 to 64, not True": {"lanes": True},
    "Tuser must be 0 to 256, not 257": {"interface": "axis", "tuser": 257},
    "Tuser must come with axis, not stream": {"interface": "stream", "tuser": 1},
    "Clock and reset names must come with pipe, stream or axis, not comb": {"clock_name": "aclk"},
    "Reset name must come with a reset, not with none": {"interface": "pipe", "reset": "none", "reset_name": "r"},
    "Clock name must be an identifier of letters, digits and _ (at most 64) and no keyword of Verilog, not 'reg'": {
        "interface": "pipe",
        "clock_name": "reg",
    },
    "Reset name must be an identifier of letters, digits and _ (at most 64) and no keyword of Verilog, not '1st'": {
        "interface": "axis",
        "reset_name": "1st",
    },
    "Clock name must differ from the module's and the other ports' names, not be 'X'": {
        "interface": "pipe",
        "clock_name": "X",
    },
    "Clock name must differ from the module's and the other ports' names, not be 'dut'": {
        "interface": "pipe",
        "clock_name": "dut",
    },
    "Reset name must differ from the module's and the other ports' names, not be 'aclk'": {
        "interface": "axis",
        "clock_name": "aclk",
        "reset_name": "aclk",
    },
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_wrong_lanes_and_names_are_refused_in_one_sentence(sentence):
    """Before anything is fitted where the request alone shows it, else before anything is written."""
    with pytest.raises(RequestError, match=f"^{re.escape(sentence)}$"):
        unit(**REFUSED[sentence])


def test_usual_values_leave_digest_and_json_as_they_were():
    """So that designs from before have the same names."""
    plain = unit(interface="stream").to_dict()
    assert plain["shell"] == {"interface": "stream", "latency": 3, "reset": "sync-high"}
    design = unit(**AXIS)
    assert Design.from_dict(json.loads(json.dumps(design.to_dict()))) == design


def test_command_makes_the_same_request_again():
    """With every option of the shell in it."""
    spec = Spec("tanh", input="SQ3.3", output="SQ1.5", **AXIS)
    words = shlex.split(spec.command())
    with generate.make_context("generate", words[2:]) as context:
        for name, value in AXIS.items():
            assert context.params[name] == value
    assert Spec("tanh", input="SQ3.3", output="SQ1.5", interface="axis").reset == "sync-low"


# -- the circuit -------------------------------------------------------------------------------

SHELLS = [
    Shell(lanes=3),
    Shell("pipe", 2, "async-low", lanes=5),
    Shell("stream", 1, "none", lanes=2),
    Shell("axis", 1, "async-high"),
    Shell("axis", 3, "none", lanes=3, tuser=70, clock_name="move"),
]


@pytest.mark.parametrize(
    ("name", "shell"),
    [
        ("unsigned_clamped", SHELLS[4]),
        ("free_lines", SHELLS[1]),
        *(pytest.param("with_derivative", shell, marks=pytest.mark.slow) for shell in SHELLS),
    ],
)
def test_every_lane_gives_every_result(name, shell):
    """At full rate and under stalls, with codes that lie across the words of the simulation."""
    design = replace(hand_made()[name], shell=shell)
    with Program(verilog(design, command="test"), design) as program:
        for stalls in (None, 1):
            simulation = program.run(design.codes(), stalls=stalls)
            for channel in design.channels:
                wanted = design.evaluate(design.codes(), channel.name)
                np.testing.assert_array_equal(np.atleast_2d(simulation.outputs[channel.name]), [wanted] * shell.lanes)
            assert simulation.latency == design.latency


FAULTS = {
    "lanes swapped at the output": {"m_axis_tdata": "{inner_m_axis_tdata[15:0], inner_m_axis_tdata[31:16]}"},
    "lane 1 takes the code of lane 0": {"s_axis_tdata": "{2{s_axis_tdata[15:0]}}"},
    "sign not repeated": {"m_axis_tdata": "inner_m_axis_tdata & ~(32'd1 << 23)"},
    "padding of the unsigned one not 0": {"m_axis_tdata": "inner_m_axis_tdata | 1 << 15"},
    "tlast not delayed": {"m_axis_tlast": "s_axis_tlast"},
    "tlast lost": {"m_axis_tlast": "1'b0"},
    "keep bits of the other lane": {"m_axis_tkeep": "{inner_m_axis_tkeep[1:0], inner_m_axis_tkeep[3:2]}"},
    "one byte enough to keep a code": {"s_axis_tkeep": "{{2{|s_axis_tkeep[3:2]}}, {2{|s_axis_tkeep[1:0]}}}"},
    "tuser with its bits swapped": {"m_axis_tuser": "{inner_m_axis_tuser[0], inner_m_axis_tuser[1]}"},
    "padding of the input read": {"s_axis_tdata": "s_axis_tdata ^ {31'd0, s_axis_tdata[15]}"},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_lanes_and_sidebands_are_found_by_proof(axis, fault):
    """In any state and for any codes in the other lanes."""
    design, text = axis
    with pytest.raises(CheckError):
        climb("proof", design, wrapped(design, text, FAULTS[fault]))


@pytest.mark.parametrize(
    "fault", [name if number in (1, 5) else pytest.param(name, marks=pytest.mark.slow) for number, name in enumerate(FAULTS)]
)
def test_faults_of_lanes_and_sidebands_are_found_by_simulation(axis, fault):
    """Different codes, noise in the padding and random sidebands are enough."""
    design, text = axis
    with pytest.raises(CheckError):
        check_circuit(design, wrapped(design, text, FAULTS[fault]))


def test_module_in_a_wrapper_is_right(axis):
    """So that the faults are what is found; and the proof sees that both are alike."""
    design, text = axis
    around = wrapped(design, text, {})
    checks = [check.check for check in climb("proof", design, around)]
    assert checks == ["equivalence", "handshake", "reset", "sidebands"]
    assert equivalent(text, around, design, seconds=60)
    assert equivalent(text, wrapped(design, text, FAULTS["tlast lost"]), design, seconds=60) is False


def test_lane_that_looks_at_another_one_is_found_by_proof():
    """One wrong result for one pair of codes, which a simulation may well miss."""
    design = unit(lanes=2, derivative="none", derivative_output=None)
    fault = {"y": "inner_y ^ (x == {9'd77, 9'd300} ? 14'd128 : 14'd0)"}
    wrong = wrapped(design, verilog(design, command="test"), fault)
    sentence = "^Output y of lane 1 of code 77 must be .* in the circuit, not .*: found by SAT$"
    with pytest.raises(CheckError, match=sentence):
        climb("proof", design, wrong)


@pytest.mark.slow
def test_netlists_and_mutants_of_an_axis_unit():
    """The devices' cells do the same, and every planted fault is found."""
    design = Spec("tanh", input="SQ3.2", output="SQ1.5", name="dut", **AXIS).design()
    text = verilog(design, command="test")
    assert [check.check for check in climb("netlist", design, text)] == ["netlist_ice40", "netlist_ecp5"]
    assert not mutate(design, text, level="proof", count=10, jobs=1).survivors


# -- the emitted bench -------------------------------------------------------------------------


@pytest.mark.skipif(not shutil.which("iverilog"), reason="iverilog is not installed")
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_verilog_bench_passes_the_unit_and_fails_every_fault(axis, fault, tmp_path):
    """It drives all lanes, the padding and the sidebands too."""
    design, text = axis
    (tmp_path / "unit.v").write_text(wrapped(design, text, FAULTS[fault]) if fault else text)
    (tmp_path / "bench.v").write_text(bench_text(design, "test"))
    (tmp_path / "dut.hex").write_text(vectors_text(design, "test"))
    subprocess.run(["iverilog", "-g2005", "-o", "bench", "unit.v", "bench.v"], cwd=tmp_path, check=True, timeout=60)
    done = subprocess.run(["vvp", "bench"], cwd=tmp_path, capture_output=True, text=True, timeout=60).stdout
    assert done.startswith("FAIL dut: " if fault else "PASS dut: 512 vectors")


SHOWN = [None, "lanes swapped at the output", "sign not repeated", "tlast lost", "keep bits of the other lane"]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("iverilog"), reason="iverilog is not installed")
@pytest.mark.parametrize("fault", SHOWN)
def test_cocotb_benches_pass_the_unit_and_fail_faults(axis, fault, tmp_path):
    """That of `hwact simulate`, and the one in the folder, which needs nothing of hwact."""
    design, text = axis
    (tmp_path / "tb").mkdir()
    (tmp_path / "dut.v").write_text(wrapped(design, text, FAULTS[fault]) if fault else text)
    (tmp_path / "tb" / "dut.hex").write_text(vectors_text(design, "test"))
    (tmp_path / "tb" / "test_dut.py").write_text(cocotb_bench_text(design, "test"))
    result = run_bench(tmp_path / "dut.v", design, tmp_path / "sim", simulator="icarus")
    assert result.passed == (fault is None), result.messages
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COCOTB_"))}
    command = [sys.executable, "tb/test_dut.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == (0 if fault is None else 1), done.stdout[-2000:]

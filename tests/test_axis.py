"""AXI4-Stream units against cocotbext-axi, and faults that it must find."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hwact import Spec
from hwact.emit.manifest import ports
from hwact.emit.verilog import verilog

pytest.importorskip("cocotbext.axi")
pytestmark = pytest.mark.skipif(not shutil.which("iverilog"), reason="iverilog is not installed")

HERE = Path(__file__).parent
RUN = """
import sys
from cocotb_tools.runner import get_results, get_runner
runner = get_runner("icarus")
runner.build(sources=["unit.v"], hdl_toplevel=sys.argv[1], build_dir="build", timescale=("1ns", "1ps"))
results = runner.test(test_module="axi_bench", hdl_toplevel=sys.argv[1], build_dir="build", test_dir=".")
print("RESULTS", *get_results(results))
"""
NAMED = {"clock_name": "aclk", "reset_name": "aresetn"}


def unit(**changes):
    """A unit whose codes and results all need padding, the second result an unsigned one."""
    request = {"input": "SQ3.3", "output": "SQ1.8", "interface": "axis", "latency": 2, "name": "dut"}
    return Spec("tanh", **request | changes).design()


TWO = {"derivative": "direct", "derivative_output": "UQ1.4", "lanes": 2, "tuser": 5, **NAMED}


def bench(design, text, folder):
    """Numbers of tests and of failed ones, and the log."""
    (folder / "unit.v").write_text(text)
    roles = ports(design)
    job = {"design": design.to_dict(), "seed": 1, "clock": roles["clk"], "reset": roles["rst"]}
    (folder / "job.json").write_text(json.dumps(job))
    hidden = ("PYTEST_", "COCOTB_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    env |= {"HWACT_AXI": str(folder / "job.json")}
    env["PYTHONPATH"] = os.pathsep.join([str(HERE), *(path or os.getcwd() for path in sys.path)])
    command = [sys.executable, "-c", RUN, design.name]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    log = done.stdout + done.stderr
    found = re.search(r"^RESULTS (\d+) (\d+)$", log, re.MULTILINE)
    assert found, log[-3000:]
    return int(found[1]), int(found[2]), log


@pytest.mark.parametrize(
    "changes",
    [
        TWO,
        pytest.param({"latency": 1}, marks=pytest.mark.slow),
        pytest.param({"latency": 4, "lanes": 3, "reset": "async-low", "tuser": 1}, marks=pytest.mark.slow),
        pytest.param({"input": "UQ2.7", "domain": "0:3", "output": "UQ0.6", "reset": "sync-high"}, marks=pytest.mark.slow),
    ],
)
def test_cocotbext_axi_finds_nothing_wrong(changes, tmp_path):
    """Frames, keep bits, user bits, pauses and resets in flight."""
    design = unit(**changes)
    tests, failed, log = bench(design, verilog(design, command="test"), tmp_path)
    assert (tests, failed) == (3, 0), log[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"assign m_axis_tlast = .*;", "assign m_axis_tlast = 1'b0;"),
        (r"\.move\(s_axis_tready\)", ".move()"),
        (r"assign m_axis_tkeep = .*;", "assign m_axis_tkeep = ~0;"),
    ],
)
def test_cocotbext_axi_finds_what_is_wrong(old, new, tmp_path):
    """The last beat, the handshake, and the lanes that count."""
    design = unit(**TWO)
    text, count = re.subn(old, new, verilog(design, command="test"))
    assert count == 1
    tests, failed, _ = bench(design, text, tmp_path)
    assert failed

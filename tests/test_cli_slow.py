"""The command line with simulators and place and route: minutes, not seconds."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hwact import cli
from hwact.cli import hwact
from hwact.cli.common import run

pytestmark = pytest.mark.slow
WORDS = ("tanh", "--input", "SQ3.3", "--output", "SQ1.5", "--interface", "stream")


@pytest.fixture
def unit(tmp_path):
    """The folder of a small stream unit."""
    assert run(hwact, ["generate", *WORDS, "-o", str(tmp_path / "unit")]) == 0
    return tmp_path / "unit"


def test_simulate_runs_the_bench_and_records_it(unit, capsys):
    """A mismatch has status 1 and is not recorded."""
    assert run(hwact, ["simulate", str(unit), "--samples", "200", "--json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{") :])["passed"] is True
    manifest = (unit / "tanh.json").read_bytes()
    assert b'"bench"' in manifest
    text = (unit / "tanh.v").read_text()
    (unit / "tanh.v").write_text(text.replace("module tanh (", "module inner (") + INVERTED)
    assert run(hwact, ["simulate", str(unit), "--samples", "200"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(r"hwact: [^\n]+\n", captured.err)
    assert (unit / "tanh.json").read_bytes() == manifest


INVERTED = """
module tanh(input clk, input rst, input [5:0] i_payload, input i_valid, output i_ready,
            output [5:0] o_y, output o_valid, input o_ready);
  wire [5:0] y;
  assign o_y = ~y;
  inner unit(.clk(clk), .rst(rst), .i_payload(i_payload), .i_valid(i_valid), .i_ready(i_ready),
             .o_y(y), .o_valid(o_valid), .o_ready(o_ready));
endmodule
"""


def test_synth_places_and_routes(unit, capsys):
    """With a clock frequency."""
    assert run(hwact, ["synth", str(unit), "--target", "ice40", "--json"]) == 0
    out = capsys.readouterr().out
    report = json.loads(out[out.index("{") :])
    assert report["status"] == "routed" and report["fmax_mhz"] > 20


def test_demo_makes_proves_and_measures(tmp_path, monkeypatch, capsys):
    """Everything in one JSON object, and a datasheet with the resources."""
    monkeypatch.chdir(tmp_path)
    assert run(hwact, ["demo", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    kinds = {check["check"] for check in result["certificate"]["checks"]}
    assert kinds >= {"bound", "minimality", "circuit", "stalls", "overflow", "c_model", "bench"}
    assert [report["target"] for report in result["reports"]] == ["ice40-hx8k", "ecp5-25k"]
    assert all(report["status"] == "routed" for report in result["reports"])
    assert "## Resources" in (tmp_path / "demo/tanh16.md").read_text()


@pytest.mark.parametrize(
    "verb, wait", [("verify", 1.5), ("simulate", 3), ("simulate", 6), ("synth", 1.5), ("synth", 3)]
)
def test_interrupt_leaves_the_folder_as_it_was(unit, tmp_path, verb, wait):
    """No file is changed, and no temporary file or tool stays behind."""
    before = {path: path.read_bytes() for path in unit.rglob("*") if path.is_file()}
    (tmp_path / "tmp").mkdir()
    env = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2]), "TMPDIR": str(tmp_path / "tmp")}
    env["HWACT_CACHE"] = str(tmp_path / "cache")
    words = [sys.executable, "-m", "hwact.cli", verb, str(unit)]
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        time.sleep(wait)
        if child.poll() is not None:
            pytest.skip("it was done before the signal")
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (130, "", "hwact: Interrupted: nothing was left half-written\n")
    assert {path: path.read_bytes() for path in unit.rglob("*") if path.is_file()} == before
    assert not list((tmp_path / "tmp").iterdir())

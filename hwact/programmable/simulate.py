"""The cocotb bench of a unit's folder, run beside a copy of its Verilog."""

import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from ..errors import ToolError
from ..synth.tools import run

__all__ = ["run_own_bench"]

#: What the bench says of every test that passed, and at its end.
_TOTALS = re.compile(r"^TOTALS (\d+) (\d+)$", re.MULTILINE)


def run_own_bench(folder, design, simulator="auto", timeout=900):
    """Run ``tb/test_NAME.py`` of an output folder.

    Parameters
    ----------
    folder : str or Path
    design : ProgrammableDesign
    simulator : str
        As in `hwact.sim.runner.run_bench`.
    timeout : float
        Seconds.

    Returns
    -------
    hwact.sim.runner.BenchResult

    Raises
    ------
    ToolError
        If the simulator is missing, or breaks before the tests report.
    """
    from ..sim.runner import BenchResult, _environment, _messages

    began = time.monotonic()
    simulator, env = _environment(simulator)
    name = design.name
    with tempfile.TemporaryDirectory(prefix="hwact-") as place:
        place = Path(place)
        for path in (f"{name}.v", f"tb/test_{name}.py", f"tb/{name}.hex"):
            (place / path).parent.mkdir(exist_ok=True)
            shutil.copy(Path(folder, path), place / path)
        env |= {"SIM": simulator, "BUILD": str(place / "build"), "COCOTB_LOG_LEVEL": "INFO"}
        text, failed = "", None
        try:
            text = run(
                [sys.executable, "-P", f"tb/test_{name}.py"], folder=place, name=simulator, timeout=timeout, env=env
            )
        except ToolError as error:
            failed = error
        results = sorted(place.rglob("results.xml"))
        if failed and not results:
            raise failed
        messages = _messages(results[0], simulator)
        samples, cycles = (sum(column) for column in zip((0, 0), *((int(a), int(b)) for a, b in _TOTALS.findall(text))))
    seconds = round(time.monotonic() - began, 2)
    return BenchResult(not messages and not failed, samples, cycles, seconds, simulator, messages)

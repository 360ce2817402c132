"""What tests of explorations share: small requests, processes that are killed, and rows made up."""

import os
import subprocess
import sys
import time
from pathlib import Path

import hwact
from hwact.explore import Exploration, Store
from hwact.explore.evaluate import Result
from hwact.explore.row import blank

#: Six points of which two fail, and nothing is synthesised.
SMALL = {
    "functions": ["tanh", "log2", "x*exp(-x^2)"],
    "input": "SQ3.1",
    "output": ["SQ2.2", "SQ2.3"],
    "method": "table",
    "estimate": True,
}
#: What differs between two runs.
TIMES = ("seconds",)


def exploration(**changes):
    """An exploration of small units."""
    return Exploration.read(SMALL | changes)


def rows_of(folder):
    """Rows by digest, without what differs between two runs."""
    with Store(folder) as store:
        rows = store.rows()
    assert len({row["digest"] for row in rows}) == len(rows)
    return {row["digest"]: {name: value for name, value in row.items() if name not in TIMES} for row in rows}


def made_up(point, **values):
    """A row that is done, with values as a test wants them."""
    return blank(point) | {"status": "done", "seconds": 0.0, "tool_versions": {}} | values


def instant(point, rivals=(), objectives=()):
    """In place of `evaluate`: no work at all."""
    return Result(made_up(point, luts=len(point.function), max_error=0.5), None)


def slow(point, rivals=(), objectives=()):
    """In place of `evaluate`: some time, for a kill to fall into."""
    time.sleep(0.1)
    return instant(point)


def deadly(point, rivals=(), objectives=()):
    """In place of `evaluate`: the point of mish ends its worker."""
    if point.function == "mish":
        os.kill(os.getpid(), 9)
    return instant(point)


def unlucky(point, rivals=(), objectives=()):
    """In place of `evaluate`: a worker ends once, with whatever it has at hand."""
    mark = Path(os.environ["HWACT_UNLUCKY"])
    if point.function == "mish" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), 9)
    time.sleep(0.05)
    return instant(point)


def command(*arguments, **options):
    """The command line as a process in a session of its own."""
    env = {**os.environ, "PYTHONPATH": str(Path(hwact.__file__).parents[1])}
    pipe = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    return subprocess.Popen([sys.executable, "-m", "hwact.cli", *map(str, arguments)], env=env, **pipe | options)


def family(pid):
    """Processes that descend from a process, itself included, as far as they still run."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if words[0] != "Z":
            parents[int(stat.parent.name)] = int(words[1])
    found = {pid} & parents.keys()
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(pids):
    """Those of some processes that still run."""
    return {pid for pid in pids if family(pid)}

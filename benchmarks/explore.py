"""How explorations scale: two processes against one, what store and scheduler add to a point, estimates a minute."""

import os
import statistics
import tempfile
import time

from tables import main, table

from hwact.explore import Exploration, Point, Store
from hwact.explore.evaluate import Result, evaluate
from hwact.explore.pool import Processes
from hwact.explore.row import blank
from hwact.explore.run import Task, run

#: Units of similar size, which are fitted and synthesised but not placed.
UNITS = {
    "functions": "tanh,gelu,silu,mish",
    "input": "SQ4.3,SQ4.4",
    "output": "SQ2.4,SQ2.5",
    "place": False,
}
#: Estimates of units of 8 to 12 bits, with and without a derivative.
ESTIMATES = {
    "functions": "tanh,sigmoid,gelu,silu,mish,softplus,erf,softsign,gaussian,elu",
    "input": "SQ4.4,SQ4.6,SQ4.8",
    "output": "SQ4.4,SQ4.6,SQ4.8",
    "derivative": "none,direct",
    "derivative_output": "SQ2.6",
    "estimate": True,
}
ROUNDS = 2
EMPTY = 2000


def empty(point, rivals=(), objectives=()):
    """In place of an evaluation: no work, a row as large as any."""
    row = blank(point) | {"status": "done", "luts": 1, "command": "x" * 100, "tool_versions": {"hwact": "x" * 100}}
    return Result(row, None)


def seconds(tasks, jobs, work=evaluate):
    """Wall time of tasks in a new store and with an empty cache, the workers being up."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HWACT_CACHE"] = f"{folder}/cache"
        with Processes(jobs) as pool, Store(folder, create=True) as store:
            warm = [Point("tanh", "SQ3.1", "SQ1.3", f"{k}ulp", target="generic") for k in range(1, 2 * jobs + 1)]
            run(map(Task, warm), store, pool)
            began = time.perf_counter()
            run(tasks, store, pool, work=work)
            return time.perf_counter() - began


def make():
    """The table."""
    units = [Task(point) for point in Exploration.read(UNITS).space.points()]
    rounds = [(seconds(units, 1), seconds(units, 2)) for _ in range(ROUNDS)]
    ideal = statistics.mean(one / two / 2 for one, two in rounds)
    added = seconds([Task(Point("tanh", "SQ3.1", "SQ1.3", seed=100 + k)) for k in range(EMPTY)], 2, empty) / EMPTY
    estimates = Exploration.read(ESTIMATES).space.points()
    evaluate(estimates[0])
    began = time.process_time()
    assert all(evaluate(point).row["status"] == "estimated" for point in estimates)
    each = (time.process_time() - began) / len(estimates)
    rows = [
        (f"speed-up of two processes over one, {len(units)} units", f"{2 * ideal:.2f}, {100 * ideal:.0f} % of the ideal"),
        (f"store and scheduler, {EMPTY:,} points without work", f"{1000 * added:.1f} ms a point"),
        (f"estimates on one core, {len(estimates)} units of 8 to 12 bits", f"{60 / each:,.0f} a minute"),
    ]
    return table(("measured", "result"), rows)


if __name__ == "__main__":
    main(make, "explore-scale", "docs/explore.md", __doc__)

"""Explorations on a Dask cluster of several worker processes."""

import os
import signal
import threading
import time

import pytest
from explored import command, exploration, rows_of, slow

from hwact.errors import ToolError
from hwact.explore import Point, Store, explore
from hwact.explore.pool import Cluster
from hwact.explore.run import Task, run


@pytest.fixture(scope="module")
def cluster():
    """Three worker processes, and a nanny each that starts another one where one ends."""
    from distributed import LocalCluster

    options = {"n_workers": 3, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
    with LocalCluster(**options) as found:
        yield found


@pytest.mark.slow
def test_a_worker_that_is_killed_on_a_cluster_loses_nothing(tmp_path, cluster):
    """Every point is kept once."""
    asked = [Task(Point("tanh", "SQ3.1", "SQ1.3", seed=seed)) for seed in range(60)]
    with Store(tmp_path, create=True) as store, Cluster(cluster.scheduler_address) as pool:
        victim = cluster.workers[1].pid
        threading.Timer(1.0, os.kill, (victim, signal.SIGKILL)).start()
        began = time.monotonic()
        run(asked, store, pool, work=slow)
        assert time.monotonic() - began > 1
    rows = rows_of(tmp_path)
    assert rows.keys() == {task.point.digest for task in asked}
    assert {row["status"] for row in rows.values()} == {"done"}
    assert cluster.workers[1].pid != victim


@pytest.mark.slow
def test_a_cluster_gives_the_rows_that_processes_give(tmp_path, cluster):
    """By the command line, too."""
    with Store(tmp_path / "here", create=True) as store:
        explore(exploration(), store)
    words = ["--functions", "tanh,log2,x*exp(-x^2)", "--input", "SQ3.1", "--output", "SQ2.2,SQ2.3", "--method", "table"]
    words += ["--estimate-only", "--scheduler", cluster.scheduler_address, "-o", tmp_path / "there"]
    there = command("explore", *words)
    assert there.wait(120) == 0, there.stderr.read()
    assert rows_of(tmp_path / "there") == rows_of(tmp_path / "here") != {}


def test_a_scheduler_that_does_not_answer_is_one_sentence():
    """And not a wait without an end."""
    with pytest.raises(ToolError, match="^Scheduler must answer at nonsense://x, not fail: "):
        Cluster("nonsense://x")

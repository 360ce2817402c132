"""Evaluate points by a pool of workers, and keep each row as soon as it is there."""

import concurrent.futures
from typing import NamedTuple

from ..errors import ToolError
from .evaluate import evaluate, failed
from .point import Point
from .tally import Tally

__all__ = ["BARRIER", "Task", "run"]

#: In place of a task: every row before it must be in the store before the next task is asked for.
BARRIER = object()


class Task(NamedTuple):
    """A point, and the rows that it must have a chance to beat (see `evaluate`)."""

    point: Point
    rivals: tuple = ()
    objectives: tuple = ()
    again: bool = False


def run(tasks, store, pool, tally=None, work=evaluate):
    """Evaluate tasks and keep their rows.

    A task whose point has a row is not evaluated, unless it was pruned and the task has no rivals, or `again` is set
    and it failed. A point that ends its workers becomes a failed row.

    Parameters
    ----------
    tasks : iterable of Task or `BARRIER`
        Drawn from as workers become free.
    store : Store
    pool : Processes or Cluster
    tally : Tally, optional
        Told of every row.
    work : callable, optional
        In place of `evaluate`; importable by workers.

    Raises
    ------
    ToolError
        If a cluster goes away.
    """
    _Run(store, pool, tally or Tally(), work).all(tasks)


class _Run:
    def __init__(self, store, pool, tally, work):
        self.store, self.pool, self.tally, self.work = store, pool, tally, work
        self.flying = {}

    def all(self, tasks):
        for task in tasks:
            if task is BARRIER:
                self.land(0)
            elif self.wanted(task):
                self.land(self.pool.slots - 1)
                self.launch(task)
            else:
                self.tally.add(self.store.row(task.point.digest), kept=True)
        self.land(0)

    def wanted(self, task):
        status = self.store.status(task.point.digest)
        return status is None or status == "pruned" and not task.rivals or status == "failed" and task.again

    def launch(self, task):
        try:
            self.flying[self.pool.submit(self.work, task.point, task.rivals, task.objectives)] = task
        except self.pool.lost:
            self.recover([task])

    def land(self, most):
        """Take in results until at most `most` points are in flight."""
        while len(self.flying) > most:
            self.collect()

    def collect(self):
        done, _ = concurrent.futures.wait(self.flying, return_when=concurrent.futures.FIRST_COMPLETED)
        results, lost = [], []
        try:
            for future in done:
                task = self.flying.pop(future)
                result = self.result(future)
                if result is None:
                    lost.append(task)
                else:
                    results.append(result)
        finally:
            self.keep(results)
        if lost:
            self.recover(lost)

    def result(self, future):
        """What a point came to; None where its worker was lost."""
        try:
            return future.result()
        except self.pool.lost:
            return None
        except concurrent.futures.CancelledError:
            raise ToolError("Scheduler must stay, not go away") from None
        except Exception as error:  # `evaluate` makes a row of its own: this is a worker's
            raise ToolError(f"Worker must be able to evaluate points, not fail: {error!r}") from None

    def keep(self, results):
        self.store.add(results)
        for row, _ in results:
            self.tally.add(row)

    def recover(self, lost):
        """Evaluate points again, one at a time: a worker has ended, and any of them may have been the reason."""
        if self.pool.chances:
            for future, task in self.flying.items():
                result = self.result(future)
                if result is None:
                    lost.append(task)
                else:
                    self.keep([result])
            self.flying.clear()
            self.pool.renew()
        for task in lost:
            self.keep([self.alone(task)])

    def alone(self, task):
        for _ in range(self.pool.chances):
            result = self.result(self.pool.submit(self.work, task.point, task.rivals, task.objectives))
            if result is not None:
                return result
            self.pool.renew()
        return failed(task.point, "Worker must survive the point, not end whenever it is evaluated")

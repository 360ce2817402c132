"""How far an exploration is."""

from .pareto import better, value
from .row import STATUSES

__all__ = ["Tally"]


class Tally:
    """Counts of the rows that come in, and the best value of each objective.

    Parameters
    ----------
    objectives : sequence of str
    moved : callable, optional
        Called after every row.
    """

    def __init__(self, objectives=(), moved=lambda: None):
        self.objectives, self.moved = objectives, moved
        self.digests, self.kept, self.best = set(), 0, {}
        self._statuses = dict.fromkeys(STATUSES, 0)

    def add(self, row, kept=False):
        """Take in a row, which an earlier run may have `kept`."""
        if row["digest"] in self.digests:
            return
        self.digests.add(row["digest"])
        self.kept += kept
        self._statuses[row["status"]] += 1
        if row["status"] in ("done", "estimated"):
            for name in self.objectives:
                self._compare(name, value(row, name))
        self.moved()

    def _compare(self, name, found):
        if found is not None and (name not in self.best or better(name, found, self.best[name])):
            self.best[name] = found

    def counts(self):
        """Points, those of each status, and those of an earlier run (dict of int)."""
        return {"points": len(self.digests), **self._statuses, "kept": self.kept}

    def __str__(self):
        failed = self._statuses["failed"]
        best = ", ".join(f"{name} {found:.4g}" for name, found in self.best.items())
        return "; ".join(filter(None, (failed and f"{failed} failed", best and f"best {best}")))

"""What an exploration is asked for, and carrying it out."""

import contextlib
import os
from dataclasses import dataclass

from ..errors import RequestError
from .pareto import ESTIMATED, read_objectives
from .search import SEARCHES, tasks
from .space import Space

__all__ = ["DEFAULT_OBJECTIVES", "DEFAULT_TRIALS", "Exploration", "explore"]

DEFAULT_OBJECTIVES = ("luts", "max_error")
DEFAULT_TRIALS = 100


@dataclass(frozen=True)
class Exploration:
    """A space, what counts as better, and how the space is searched.

    Parameters
    ----------
    space : Space
    objectives : tuple of str
        Names of `hwact.explore.pareto.OBJECTIVES`.
    search : str
        ``grid`` evaluates every point; ``nsga2`` and ``tpe`` let Optuna choose.
    trials : int
        Points that an adaptive search evaluates.

    Raises
    ------
    RequestError
        If a value is out of range.
    """

    space: Space
    objectives: tuple = DEFAULT_OBJECTIVES
    search: str = "grid"
    trials: int = DEFAULT_TRIALS

    def __post_init__(self):
        object.__setattr__(self, "objectives", read_objectives(self.objectives))
        if self.search not in SEARCHES:
            raise RequestError(f"Search must be grid, nsga2 or tpe, not {self.search!r}")
        if "fmax" in self.objectives and not (self.space.place or self.space.estimate):
            raise RequestError("Objective fmax must come with placement, not with --no-place")
        for name in self.objectives if self.space.estimate and self.search != "grid" else ():
            if name not in ESTIMATED:
                known = ", ".join(ESTIMATED)
                raise RequestError(f"Objective must be {known} in a search by estimates alone, not {name}")
        if type(self.trials) is not int or not 1 <= self.trials <= 1_000_000:
            raise RequestError(f"Trials must be 1 to 1000000, not {self.trials!r}")

    @classmethod
    def read(cls, plain, over=None):
        """An exploration from a dict as TOML has it: that of `Space.read`, and ``objective``, ``search``, ``trials``.

        Raises
        ------
        RequestError
            If it is malformed.
        """
        plain, over = dict(plain), dict(over or {})
        own = {name: (plain | over)[name] for name in ("objective", "search", "trials") if name in plain | over}
        for name in ("title", "objective", "search", "trials"):
            plain.pop(name, None)
            over.pop(name, None)
        plain |= {name: over.pop(name) for name in ("place", "bram", "estimate") if name in over}
        if "objective" in own:
            own["objectives"] = own.pop("objective")
        return cls(Space.read(plain, over), **own)

    def plain(self):
        """The dict that `read` makes the same exploration of, ready for JSON."""
        own = {"objective": ",".join(self.objectives), "search": self.search, "trials": self.trials}
        return {**self.space.plain(), **own}

    @property
    def size(self):
        """Points that are evaluated, at most."""
        return len(self.space.points()) if self.search == "grid" else min(self.trials, self.space.size)


def explore(exploration, store, pool=None, *, again=False, tally=None):
    """Carry out an exploration: evaluate every point that the store has no row of.

    Parameters
    ----------
    exploration : Exploration
    store : Store
    pool : Processes or Cluster, optional
        Workers (see `hwact.explore.pool`); as many processes as processors if left out.
    again : bool
        Evaluate points that failed once more.
    tally : Tally, optional
        Told of every row.

    Raises
    ------
    RequestError
        If the space is too large.
    ToolError
        If the store cannot be written, or the cluster goes away.
    """
    from .pool import Processes
    from .run import run

    store.remember(exploration.plain())
    with contextlib.ExitStack() as stack:
        pool = pool or stack.enter_context(Processes(os.cpu_count() or 1))
        run(tasks(exploration, store, again), store, pool, tally)

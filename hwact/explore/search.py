"""Which points are evaluated, and in which order: all of them, or those that an optimiser asks for."""

import itertools
import math
import warnings

from .pareto import better, front, value
from .point import Point
from .run import BARRIER, Task
from .space import AXES

__all__ = ["SEARCHES", "tasks"]

SEARCHES = ("grid", "nsga2", "tpe")
#: Axes that span what is compared: each combination of their values is searched by a study of its own.
_APART = ("functions", "domain", "derivative", "targets")
#: Points that a study asks for at a time.
BATCH = 16
#: Batches without a new point after which a study has seen enough.
_PATIENCE = 8


def tasks(exploration, store, again=False):
    """The tasks of an exploration, for `hwact.explore.run.run`.

    An adaptive search asks for points batch by batch, and goes by nothing but the rows of the batches before: with
    the same rows it asks for the same points, so that one that was interrupted goes on where it was.

    Parameters
    ----------
    exploration : Exploration
    store : Store
        Holds the rows of tasks before a `BARRIER`.
    again : bool
        Whether points that failed are evaluated again.

    Yields
    ------
    Task or BARRIER
    """
    if exploration.search == "grid":
        for point in exploration.space.points():
            yield Task(point, again=again)
        return
    studies = list(_studies(exploration))
    share, rest = divmod(exploration.trials, len(studies))
    for k, study in enumerate(studies):
        yield from study.tasks(store, share + (k < rest), again)


def _studies(exploration):
    for block in exploration.space.blocks:
        apart = [block.values[name] for name in _APART]
        for chosen in itertools.product(*apart):
            fixed = dict(zip(_APART, chosen))
            axes = {name: values for name, values in block.axes if name not in _APART}
            yield _Study(exploration, fixed, axes)


class _Study:
    """The search among the points of one function, domain, derivative mode and target."""

    def __init__(self, exploration, fixed, axes):
        self.objectives = exploration.objectives
        self.search, self.flow = exploration.search, exploration.space.flow
        self.fixed = {AXES[name].field: value for name, value in fixed.items()}
        self.axes = axes

    def tasks(self, store, trials, again):
        """Tasks of as many different points."""
        every = math.prod(map(len, self.axes.values())) <= trials
        ask = _Every(self.axes) if every else _Optuna(self.axes, self.objectives, self.search)
        rows, idle = {}, 0
        while len(rows) < trials and idle < _PATIENCE:
            rivals = tuple(front(rows.values(), self.objectives))
            asked = [Point(**self.fixed, **chosen, **self.flow) for chosen in ask.batch()]
            new = {point.digest: point for point in asked if point.digest not in rows}
            new = dict(itertools.islice(new.items(), trials - len(rows)))
            idle = 0 if new else idle + 1
            yield from (Task(point, rivals, self.objectives, again) for point in new.values())
            yield BARRIER
            rows |= {digest: store.row(digest) for digest in new}
            ask.tell([rows.get(point.digest) for point in asked])


class _Every:
    """All combinations of values, for a space that is smaller than the number of trials."""

    def __init__(self, axes):
        names = [AXES[name].field for name in axes]
        self.left = (dict(zip(names, chosen)) for chosen in itertools.product(*axes.values()))

    def batch(self):
        """The next points, as values by the field of `Point`."""
        return list(itertools.islice(self.left, BATCH))

    def tell(self, rows):
        """What the points of the batch came to; None for one that was not evaluated."""


class _Optuna:
    """Combinations that an optimiser chooses by what earlier ones came to."""

    def __init__(self, axes, objectives, search):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.axes, self.objectives = axes, objectives
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            if search == "nsga2":
                sampler = optuna.samplers.NSGAIISampler(population_size=BATCH, seed=1)
            else:
                options = {"n_startup_trials": BATCH, "multivariate": True, "constant_liar": True}
                sampler = optuna.samplers.TPESampler(**options, seed=1)
        directions = ["maximize" if better(name, 1, 0) else "minimize" for name in objectives]
        self.study = optuna.create_study(sampler=sampler, directions=directions)

    def batch(self):
        """The next points, as values by the field of `Point`."""
        self.trials = [self.study.ask() for _ in range(BATCH)]
        return [{AXES[name].field: self._value(trial, name) for name in self.axes} for trial in self.trials]

    def _value(self, trial, name):
        values = self.axes[name]
        return values[trial.suggest_categorical(name, range(len(values)))] if len(values) > 1 else values[0]

    def tell(self, rows):
        """What the points of the batch came to; None for one that was not evaluated."""
        from optuna.trial import TrialState

        for trial, row in zip(self.trials, rows):
            values = [value(row, name) for name in self.objectives] if row and row["status"] != "failed" else [None]
            if None in values:
                self.study.tell(trial, state=TrialState.FAIL)
            else:
                self.study.tell(trial, values)

"""The ladder tried on planted faults: which rung sees which mutant.

A mutant of the Verilog is a fault of the emitter or of a later hand: the rungs that compare the circuit
with the design must see it. A mutant of the design is a fault of the fit where it breaks the bound, which
the golden rung must see; and as the Verilog stays as it was, every other rung must see that both differ.
Whatever no rung sees must be shown to do the same as the unit on the whole domain, by SAT or, where the
design is the mutant, by evaluating both. The rest survives, and is a gap in the ladder.
"""

import multiprocessing
import os
import signal
import tempfile
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

import numpy as np

from ..errors import CheckError, RequestError, ToolError
from ..functions import ErrorBound
from ..synth.tools import run_yosys
from .certificate import UndecidedError
from .golden import measure
from .ladder import climb, rungs
from .mutants import KINDS, Change, draw

__all__ = ["MUTATION_LEVELS", "Mutation", "Trial", "Verdict", "mutate"]

#: Levels down to which mutants can be tried: the golden rung alone sees no circuit.
MUTATION_LEVELS = rungs("bitstream")[1:]
#: What the float of an error may be off by, in ulps.
_SLACK = 1e-9


@dataclass(frozen=True)
class Verdict:
    """What one rung said to a mutant: killed or not, and the sentence it said."""

    killed: bool
    reason: str = ""


@dataclass(frozen=True)
class Trial:
    """One mutant and what became of it.

    Parameters
    ----------
    kind, place : str
    before, after : str
        The line that differs.
    verdicts : dict of str to Verdict
        By rung; only the rungs that answer for the mutant.
    equivalent : bool
        Whether it was shown to do the same as the unit.
    reason : str
        Why that could not be shown.
    """

    kind: str
    place: str
    before: str
    after: str
    verdicts: dict = field(hash=False)
    equivalent: bool = False
    reason: str = ""

    @property
    def killed(self):
        """Whether any rung saw the fault."""
        return any(verdict.killed for verdict in self.verdicts.values())

    @property
    def survives(self):
        """Whether the fault was neither seen nor shown to be none."""
        return not self.killed and not self.equivalent

    def to_dict(self):
        """Plain values, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Mutation:
    """What the ladder did with the mutants of one unit."""

    name: str
    digest: str
    level: str
    seed: int
    trials: tuple

    @property
    def survivors(self):
        """Mutants that are neither killed nor equivalent."""
        return [trial for trial in self.trials if trial.survives]

    @property
    def equivalent(self):
        """Mutants that do the same as the unit."""
        return [trial for trial in self.trials if trial.equivalent]

    @property
    def by_kind(self):
        """Number of mutants of each kind (dict)."""
        counted = Counter(trial.kind for trial in self.trials)
        return {kind: counted[kind] for kind in KINDS if counted[kind]}

    def faults(self, level, kind=None):
        """Trials that the rung `level` must kill, all or those of one kind."""
        return [
            trial
            for trial in self.trials
            if level in trial.verdicts and not trial.equivalent and kind in (None, trial.kind)
        ]

    def missed(self, level):
        """Faults that the rung `level` did not kill."""
        return [trial for trial in self.faults(level) if not trial.verdicts[level].killed]

    def rate(self, level):
        """Share of its faults that a rung killed, or None if there were none."""
        faults = self.faults(level)
        return (len(faults) - len(self.missed(level))) / len(faults) if faults else None

    def to_dict(self):
        """Plain values, ready for JSON."""
        return {
            "name": self.name,
            "digest": self.digest,
            "level": self.level,
            "seed": self.seed,
            "mutants": len(self.trials),
            "by_kind": self.by_kind,
            "rungs": {level: self._rung(level) for level in rungs(self.level)},
            "equivalent": len(self.equivalent),
            "survivors": [trial.to_dict() for trial in self.survivors],
        }

    def _rung(self, level):
        faults, missed = self.faults(level), self.missed(level)
        return {
            "applicable": len(faults),
            "killed": len(faults) - len(missed),
            "rate": self.rate(level),
            "missed": [trial.to_dict() for trial in missed],
        }


def mutate(design, verilog, *, level="proof", count=200, seed=1, seconds=60.0, jobs=None, tick=None):
    """Plant faults in a unit and try the ladder on each.

    Parameters
    ----------
    design : Design
    verilog : str
        The emitted text.
    level : str
        The last rung, one of `MUTATION_LEVELS`.
    count : int
        Mutants, as long as there are so many. Those that are no valid Verilog or design do not count.
    seed : int
        The same seed gives the same mutants.
    seconds : float
        Time limit of one proof about one mutant.
    jobs : int, optional
        Mutants tried at a time; as many as there are processors if left out.
    tick : callable, optional
        Called as ``tick(done, total)`` after every mutant.

    Returns
    -------
    Mutation

    Raises
    ------
    CheckError
        If the unit itself does not pass.
    ToolError
        If a tool that a rung needs is missing or breaks.
    """
    for rung in rungs(level):
        climb(rung, design, verilog)
    mutants = draw(design, verilog, seed)
    total, trials = min(count, len(mutants)), []
    with _workers(jobs or os.cpu_count(), design, verilog, level, seconds) as workers:
        for trial in _trials(workers, mutants, count):
            trials.append(trial)
            if tick:
                tick(len(trials), total)
    return Mutation(design.name, design.digest, level, seed, tuple(trials))


def _trials(idle, mutants, count):
    """The first `count` trials of valid mutants, in order; `idle` are pipes to workers."""
    waiting, busy, done, due = enumerate(mutants), {}, {}, 0
    while count:
        while idle and len(busy) + len(done) < count and (job := next(waiting, None)):
            pipe = idle.pop()
            busy[pipe], mutant = job
            with _talking():
                pipe.send(mutant)
        if not busy:
            return
        for pipe in wait(list(busy)):
            done[busy.pop(pipe)] = _received(pipe)
            idle.append(pipe)
        while due in done:
            trial = done.pop(due)
            due += 1
            if trial:
                count -= 1
                yield trial


def _received(pipe):
    with _talking():
        trial = pipe.recv()
    if isinstance(trial, Exception):
        raise trial
    return trial


@contextmanager
def _talking():
    """Raise ToolError if the worker at the other end is gone."""
    try:
        yield
    except (EOFError, ConnectionError):
        raise ToolError("Worker process must come to an end, not be killed: try fewer jobs") from None


# -- the processes ------------------------------------------------------------------------------


@contextmanager
def _workers(jobs, *unit):
    """Pipes to processes that try mutants of a unit; none is left when the block ends, however it ends."""
    context, started = multiprocessing.get_context("spawn"), {}
    try:
        for _ in range(jobs):
            ours, theirs = context.Pipe()
            started[ours] = context.Process(target=_work, args=(theirs, *unit))
            started[ours].start()
            theirs.close()
        yield list(started)
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            process.join()


def _work(pipe, *unit):
    """Answer mutants with trials; SIGTERM, or the end of the parent, ends this process and its tools."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    with suppress(EOFError):
        while True:
            pipe.send(_answer(pipe.recv(), *unit))


def _answer(mutant, *unit):
    try:
        return _try(mutant, *unit)
    except Exception as error:
        return error


def _leave(number, frame):
    raise SystemExit(128 + number)


def _leave_with_parent():
    wait([multiprocessing.parent_process().sentinel])
    os.kill(os.getpid(), signal.SIGTERM)


# -- one mutant ---------------------------------------------------------------------------------


def _try(mutant, design, verilog, level, seconds):
    """The trial of a mutant, or None if it is no valid Verilog or design."""
    try:
        changed, text = mutant.apply(design, verilog)
    except RequestError:
        return None
    if text != verilog and not _elaborates(text, design.name):
        return None
    what = (mutant.kind, mutant.place, *mutant.diff(design, verilog))
    if text == verilog and _agree(design, changed):
        return Trial(*what, {}, equivalent=True)
    verdicts = _verdicts(mutant, changed, text, level, seconds)
    if text == verilog or any(verdict.killed for verdict in verdicts.values()):
        return Trial(*what, verdicts)
    return Trial(*what, verdicts, *_equivalent(verilog, text, design, seconds))


def _elaborates(verilog, top):
    """Whether Yosys reads the text as a circuit without loops, clashing drivers and undriven wires."""
    passes = ["read_verilog -nosynthesis -defer unit.v", f"hierarchy -check -top {top}"]
    passes += ["setattr -mod -unset keep_hierarchy *", "proc", "flatten", "opt_clean"]
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        Path(folder, "unit.v").write_text(verilog, encoding="utf-8")
        try:
            run_yosys([*passes, "check -assert"], folder)
        except ToolError:
            return False
    return True


def _verdicts(mutant, changed, text, level, seconds):
    """What each rung says that answers for a mutant; the golden one for designs beyond their bound."""
    below = rungs(level)[1:]
    verdicts = {rung: _verdict(rung, changed, text, seconds) for rung in below}
    if isinstance(mutant, Change):
        golden = _verdict("golden", changed, text, seconds)
        if golden.killed or not _within_bound(changed):
            verdicts = {"golden": golden, **verdicts}
    return verdicts


def _within_bound(design):
    """Whether the outputs meet their bounds by their floating-point errors; slopes have none."""
    return all(_meets(one) for one in measure(design).values() if one.channel.mode != "slope")


def _meets(measured):
    bound, _ = ErrorBound.parse(measured.channel.bound).in_ulps(measured.channel.format)
    return np.abs(measured.outputs - measured.exact).max() <= float(bound) + _SLACK


def _verdict(rung, design, verilog, seconds):
    try:
        climb(rung, design, verilog, seconds=seconds)
    except (UndecidedError, ToolError) as error:
        return Verdict(False, str(error))
    except (CheckError, RequestError) as error:  # a design whose outputs leave their format is refused
        return Verdict(True, str(error))
    return Verdict(False)


def _agree(design, changed):
    """Whether two designs give the same outputs on every code."""
    codes, names = design.codes(), [channel.name for channel in design.channels]
    return all(np.array_equal(design.evaluate(codes, name), changed.evaluate(codes, name)) for name in names)


def _equivalent(verilog, text, design, seconds):
    """Whether a circuit is proved to do the same as the unit on the domain; if not, why."""
    from .proof import equivalent

    try:
        same = equivalent(verilog, text, design, seconds=seconds)
    except (CheckError, ToolError) as error:
        return False, str(error)
    return same is True, "" if same else "differs" if same is False else f"not decided in {seconds:g} s"

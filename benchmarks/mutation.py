"""What the rungs of the ladder kill: 200 mutants of each of a few units, down to the proof."""

from tables import main, table

from hwact import Spec
from hwact.emit.verilog import verilog
from hwact.verify import rungs
from hwact.verify.mutants import KINDS
from hwact.verify.mutate import mutate

LEVEL = "proof"
UNITS = (
    ("tanh", {"input": "SQ4.4", "output": "SQ1.7", "interface": "stream"}),
    ("sigmoid", {"input": "SQ4.4", "output": "UQ0.8", "method": "table", "interface": "pipe"}),
    (
        "gelu",
        {"input": "SQ4.6", "output": "SQ4.6", "method": "pwl", "derivative": "slope", "interface": "stream"},
    ),
)


def run(function, request):
    """The mutants of one unit."""
    design = Spec(function, **request).design()
    return mutate(design, verilog(design, command="benchmark"), level=LEVEL)


def row(result, request):
    """A unit, its mutants, and what each rung killed of the faults that it answers for."""
    unit = f"{result.name} {request['input']} to {request['output']}, {request['interface']}"
    killed = [_share(result.missed(level), result.faults(level)) for level in rungs(LEVEL)]
    return (unit, len(result.trials), len(result.equivalent), *killed, len(result.survivors))


def kind_row(kind, results):
    """The same for one kind of mutant, over all units."""
    trials = [trial for result in results for trial in result.trials if trial.kind == kind]
    killed = []
    for level in rungs(LEVEL):
        faults = [trial for result in results for trial in result.faults(level, kind)]
        killed.append(_share([trial for trial in faults if not trial.verdicts[level].killed], faults))
    survivors = sum(trial.survives for trial in trials)
    return (kind, len(trials), sum(trial.equivalent for trial in trials), *killed, survivors)


def _share(missed, faults):
    return f"{len(faults) - len(missed)} of {len(faults)}" if faults else "-"


def make():
    """A table by unit and one by kind."""
    results = [run(*unit) for unit in UNITS]
    head = ("mutants", "equivalent", *rungs(LEVEL), "survive")
    by_unit = [row(result, request) for result, (_, request) in zip(results, UNITS)]
    by_kind = [kind_row(kind, results) for kind in KINDS]
    return table(("unit", *head), by_unit) + "\n" + table(("kind", *head), by_kind)


if __name__ == "__main__":
    main(make, "mutation", "docs/mutation.md", __doc__)

"""``hwact mutate``."""

import click

from ..errors import CheckError
from ..output import Unit
from ..verify.mutate import MUTATION_LEVELS
from ..verify.mutate import mutate as run_mutants
from .common import Verb, bar, echo_json, json_option, show_table

__all__ = ["mutate"]

EPILOG = """
hwact mutate tanh
hwact mutate tanh --level rtl --mutants 60 --json
hwact mutate tanh --seed 2 --jobs 1
"""


@click.command("mutate", cls=Verb, epilog=EPILOG, short_help="Plant faults in a unit, see what finds them.")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--mutants", type=click.IntRange(1), default=200, show_default=True, help="Faults to plant.")
@click.option(
    "--level",
    type=click.Choice(MUTATION_LEVELS),
    default="proof",
    show_default=True,
    help="How far down to look for each fault, as for hwact verify.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the choice of mutants.")
@click.option("--jobs", type=click.IntRange(1), help="Mutants tried at a time; default: one a processor.")
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up a proof about one mutant after that long.",
)
@json_option
def mutate(folder, mutants, level, seed, jobs, time_limit, as_json):
    """Plant faults in the unit in FOLDER, one at a time, and count what each check of hwact verify finds.

    Faults are in the Verilog (constants, operators, tables, registers, handshakes) and in the design
    (breakpoints, lines, entries, fold). A mutant that no check finds must be proved equivalent to the unit;
    if that fails, it is shown and the exit status is 1. The folder is not changed.
    """
    unit = Unit.read_function(folder)
    with bar("Trying mutants") as tick:
        result = run_mutants(
            unit.design,
            unit.verilog_text(folder),
            level=level,
            count=mutants,
            seed=seed,
            seconds=time_limit,
            jobs=jobs,
            tick=tick,
        )
    if as_json:
        echo_json(result.to_dict())
    else:
        _show(result)
    if result.survivors:
        survive = len(result.survivors)
        raise CheckError(f"Mutants must be killed or shown equivalent, not survive: {survive} did")


def _show(result):
    """One row a kind and one in all: faults that each rung found, of those that it had to find."""
    levels = list(result.to_dict()["rungs"])
    rows = [_row(result, levels, kind) for kind in result.by_kind]
    rows.append(_row(result, levels, None))
    rows.append(["killed", "", "", *(_percent(result.rate(level)) for level in levels)])
    show_table(f"{result.name}, seed {result.seed}", ("kind", "mutants", "equivalent", *levels), rows)
    for trial in result.survivors:
        click.echo(f"survivor, {trial.kind}, {trial.place}{trial.reason and ': ' + trial.reason}")
        click.echo(f"- {trial.before}\n+ {trial.after}")


def _row(result, levels, kind):
    trials = [trial for trial in result.trials if kind in (None, trial.kind)]
    equivalent = sum(trial.equivalent for trial in trials)
    return [kind or "all", len(trials), equivalent, *(_found(result, level, kind) for level in levels)]


def _found(result, level, kind):
    faults = result.faults(level, kind)
    found = sum(trial.verdicts[level].killed for trial in faults)
    return f"{found} of {len(faults)}" if faults else "-"


def _percent(rate):
    return "-" if rate is None else f"{100 * rate:.1f} %"

"""``hwact explore``."""

import contextlib
import os
import sys
from pathlib import Path

import click

from ..errors import CheckError, RequestError
from .common import Verb, echo_json, json_option, show_table

__all__ = ["explore", "shown"]

EPILOG = """
hwact explore --functions tanh,mish --input SQ4.5,SQ4.7 --output SQ4.5 --bound faithful,2ulp --targets ice40 --no-place
hwact explore --functions "x*sigmoid(1.702*x)" --input SQ4.6 --output SQ4.6 --latency 0-3 --objective luts,fmax,latency
hwact explore --functions gelu --input SQ4.4,SQ4.6 --output SQ4.4 --derivative none,direct --derivative-output SQ2.6
hwact explore --space space.toml --search nsga2 --trials 200 --jobs 4 -o search
hwact explore --preset activations-8bit --targets ecp5 --scheduler tcp://10.0.0.1:8786
hwact explore --preset bits --estimate-only
hwact explore -o search --resume
"""

#: Help of each axis, in the order in which they are shown.
_AXES = {
    "functions": "Names of the catalogue, or expressions in x.",
    "input": "Input formats, such as SQ4.5,SQ4.7.",
    "output": "Output formats.",
    "bound": "Bounds on the error: faithful, correct, 2ulp, 2^-8.",
    "domain": "Intervals of input values A:B, or all.",
    "derivative": "Second outputs: none, direct, slope.",
    "derivative_output": "Formats of the derivative; auto leaves that of a slope open.",
    "derivative_bound": "Bounds of a direct derivative.",
    "method": "auto, pwl, table.",
    "segmentation": "auto, free, dyadic, uniform.",
    "fit": "exact, lsq, minimax.",
    "multiplier": "auto, logic, dsp, shift-add.",
    "interface": "comb, pipe, stream, axis; pipe where a latency is asked for, if left out.",
    "latency": "Clock cycles, such as 0,1,2 or 0-2.",
    "effort": "0 to 3: how many candidates of a unit are synthesised before one is chosen.",
    "targets": "ice40, ecp5, gowin, a device such as ice40-up5k, xilinx7, generic.",
    "seeds": "Seeds of the placement, such as 1-5.",
}
#: The columns of a table of rows: title, column of the store, digits.
_SHOWN = (
    ("function", "function", None),
    ("input", "input", None),
    ("output", "output", None),
    ("bound", "bound", None),
    ("derivative", "derivative", None),
    ("target", "target", None),
    ("LUTs", "luts", 0),
    ("MHz", "fmax_mhz", 1),
    ("latency", "latency", 0),
    ("max error", "max_error", 6),
    ("unit", "chosen", None),
)


def _axes(command):
    for name, text in reversed(_AXES.items()):
        command = click.option(f"--{name.replace('_', '-')}", name, metavar="A,B,...", help=text)(command)
    return command


@click.command("explore", cls=Verb, epilog=EPILOG, short_help="Compare many units: area, speed, error.")
@_axes
@click.option("--space", "path", type=click.Path(dir_okay=False), metavar="FILE", help="The axes, in TOML.")
@click.option("--preset", metavar="NAME", help="A space that comes with hwact; list shows their names.")
@click.option("--objective", metavar="A,B,...", help="What is better small (fmax: large); luts,max_error if left out.")
@click.option("--search", metavar="HOW", help="grid (every point; if left out), or nsga2, tpe: Optuna chooses.")
@click.option("--trials", type=int, metavar="N", help="Points of a search that is no grid; 100 if left out.")
@click.option("--estimate-only", "estimate", is_flag=True, default=None, help="Estimate LUTs, synthesise nothing.")
@click.option("--place/--no-place", default=None, help="Place and route, for the clock frequency; place if left out.")
@click.option("--bram/--no-bram", default=None, help="Let tables become block RAMs; not if left out.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Processes; as many as processors if left out.")
@click.option("--scheduler", metavar="ADDRESS", help="Use the workers of a Dask cluster, such as tcp://10.0.0.1:8786.")
@click.option("-o", "folder", type=click.Path(file_okay=False), help="Folder of the store; explore if left out.")
@click.option("--resume", is_flag=True, help="Go on with what the folder's store was asked for.")
@click.option("--again", is_flag=True, help="Evaluate points that failed once more.")
@json_option
def explore(path, preset, jobs, scheduler, folder, resume, again, as_json, **given):
    """Evaluate every combination of the values given, and show those that no other beats.

    Every axis takes values with commas. Each point becomes a row of the folder's store, points that fail too. A
    second run into the same folder evaluates only what is missing; several runs may share a folder. Units are
    compared with those of the same function, domain, derivative mode and target.
    """
    from ..explore import Store
    from ..explore import explore as evaluate
    from ..explore.pool import Cluster, Processes

    if preset == "list":
        return _list_presets(as_json)
    given = {name: value for name, value in given.items() if value is not None}
    folder = folder or preset or "explore"
    asked = [_asked(path, preset, given)] if path or preset or given or not resume else []
    if resume:
        with Store(folder) as store:
            asked = asked or _remembered(store)
    total = sum(one.size for one in asked)
    with (
        Cluster(scheduler) if scheduler else Processes(jobs or os.cpu_count() or 1) as pool,
        Store(folder, create=True) as store,
        _display(asked[-1].objectives, total) as tally,
    ):
        for one in asked:
            evaluate(one, store, pool, again=again, tally=tally)
        rows = store.rows()
        report = _write_report(store, rows, folder)
    _show(asked[-1].objectives, tally, rows, folder, report, as_json)


def _list_presets(as_json):
    from ..explore.space import preset_names, read_preset

    rows = [(name, read_preset(name)["title"]) for name in preset_names()]
    if as_json:
        echo_json([{"name": name, "title": title} for name, title in rows])
    else:
        show_table("Presets", ("preset", "what it explores"), rows)


def _asked(path, preset, given):
    """The exploration that options ask for."""
    from ..explore import Exploration
    from ..explore.space import read_preset, read_toml

    if path is not None and preset is not None:
        raise RequestError("Space must be given by --space or by --preset, not by both")
    base = read_toml(path) if path is not None else read_preset(preset) if preset is not None else {}
    return Exploration.read(base, given)


def _remembered(store):
    """What a store was asked for."""
    from ..explore import Exploration

    kept = [Exploration.read(plain) for plain in store.explorations()]
    if not kept:
        raise RequestError(f"Store must hold what it was asked for, not nothing: {str(store.path)!r}")
    return kept


def _write_report(store, rows, folder):
    """Write the page that shows the rows; its path."""
    from ..explore.report import write

    path = Path(folder, "report.html")
    write(rows, store.packed_curves(), path, Path(folder).resolve().name)
    return path


def _show(objectives, tally, rows, folder, report, as_json):
    """Print what came of an exploration."""
    from ..explore import front

    best = front([row for row in rows if row["digest"] in tally.digests], objectives)
    counts = tally.counts()
    if as_json:
        paths = {"folder": str(folder), "report": report and str(report)}
        echo_json({**paths, **counts, "objectives": objectives, "front": best})
    else:
        if best:
            show_table(f"Best of {counts['points']} points by {', '.join(objectives)}", *shown(best, objectives))
        words = ", ".join(f"{number} {name}" for name, number in counts.items() if number and name != "points")
        click.echo(f"Wrote {report or folder}: {words}")
    if counts["failed"] and counts["failed"] == counts["points"]:
        reason = next(row["reason"] for row in rows if row["digest"] in tally.digests and row["status"] == "failed")
        raise CheckError(f"Points must not all fail: {reason}")


def shown(rows, objectives=()):
    """Columns and rows of a table that shows rows; columns that are empty throughout are left out.

    Parameters
    ----------
    rows : sequence of dict
    objectives : sequence of str
        Shown, too.
    """
    from ..explore.pareto import OBJECTIVES

    usual = [column for _, column, _ in _SHOWN]
    more = [(name, OBJECTIVES[name], None) for name in objectives if OBJECTIVES[name] not in usual]
    columns = (*_SHOWN[:-1], *((name.replace("_", " "), column, digits) for name, column, digits in more), _SHOWN[-1])
    used = [column for column in columns if any(_text(row, *column[1:]) not in ("-", "none") for row in rows)]
    return [title for title, *_ in used], [[_text(row, *rest) for _, *rest in used] for row in rows]


def _text(row, column, digits):
    value = row[column]
    if value is None and column == "luts" and row["estimated_luts"] is not None:
        return f"~{row['estimated_luts']:.0f}"
    if value is None or isinstance(value, str):
        return value or "-"
    return f"{value:.4g}" if digits is None else f"{value:.{digits}f}"


# -- while it runs -----------------------------------------------------------------------------


@contextlib.contextmanager
def _display(objectives, total):
    """A tally that a terminal's standard error shows, with the time that is left; nothing shows where it is piped."""
    from ..explore.tally import Tally

    if not sys.stderr.isatty():
        yield Tally(objectives)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn()
    with Progress(*columns, TextColumn("left"), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        tally = Tally(objectives, lambda: bar.update(task, advance=1, description=str(tally)))
        yield tally

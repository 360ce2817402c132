"""``hwact results``."""

from pathlib import Path

import click

from ..emit.folder import replace_file
from ..errors import RequestError
from .common import Verb, echo_json, json_option, show_table
from .explore import shown

__all__ = ["results"]

EPILOG = """
hwact results explore
hwact results explore --where "luts<100 and function=tanh" --sort luts,-fmax_mhz
hwact results explore --where status=failed --columns function,input,output,reason
hwact results explore --pareto luts,max_error,latency
hwact results explore --format parquet -o units.parquet
hwact results explore --pareto luts,fmax --json
"""


@click.command("results", cls=Verb, epilog=EPILOG, short_help="The rows of an exploration: filter, sort, export.")
@click.argument("folder", default="explore", type=click.Path())
@click.option("--where", multiple=True, metavar="CONDITION", help="Such as luts<100 and function=tanh; repeatable.")
@click.option("--sort", metavar="A,-B,...", help="Columns to sort by; a minus: falling.")
@click.option("--pareto", metavar="A,B,...", help="Only rows that no other chosen row of their kind beats by these.")
@click.option("--columns", metavar="A,B,...", help="Columns to show or to write; list shows their names.")
@click.option("--format", "format_", type=click.Choice(("csv", "json", "parquet")), help="Write rows in a format.")
@click.option("-o", "path", type=click.Path(dir_okay=False), help="File to write; its ending tells the format.")
@json_option
def results(folder, where, sort, pareto, columns, format_, path, as_json):
    """Show or write the rows of the store in FOLDER, all columns of them where they are written.

    Conditions compare a column with a number or a text by = != < <= > >=, or ~ for a text that holds another one.
    Nothing compares with a row that has no value but = null.
    """
    from ..explore import Store, front
    from ..explore.export import encoded
    from ..explore.pareto import read_objectives
    from ..explore.query import check_columns, chosen, ordered, read_conditions
    from ..explore.row import COLUMNS

    if columns == "list":
        return show_table("Columns", ("column", "kind"), list(COLUMNS.items()))
    format_ = _format(format_, path)
    conditions = [condition for text in where for condition in read_conditions(text)]
    names = None if columns is None else check_columns([name.strip() for name in columns.split(",")])
    objectives = None if pareto is None else read_objectives(pareto)
    with Store(folder) as store:
        rows = chosen(store.rows(), conditions)
    rows = rows if objectives is None else front(rows, objectives)
    rows = rows if sort is None else ordered(rows, sort)
    if format_ is not None:
        _write(encoded(rows, format_, names or tuple(COLUMNS)), path)
        if path and not as_json:
            click.echo(f"Wrote {path}, {len(rows)} rows")
    if as_json:
        echo_json([{name: row[name] for name in names or COLUMNS} for row in rows])
    elif format_ is None and names:
        show_table(str(folder), names, [["-" if row[name] is None else row[name] for name in names] for row in rows])
    elif format_ is None:
        show_table(f"{folder}, {len(rows)} rows", *_usual(rows))


def _usual(rows):
    """The columns that a table of rows usually has: the status, too, where some point is not done."""
    titles, cells = shown(rows)
    if all(row["status"] == "done" for row in rows):
        return titles, cells
    return ("status", *titles), [(row["status"], *line) for row, line in zip(rows, cells)]


def _format(given, path):
    """The format to write in, or None."""
    ending = Path(path).suffix[1:] if path else None
    if given is None and path and ending not in ("csv", "json", "parquet"):
        raise RequestError(f"Format must be given, or a file end in .csv, .json or .parquet, not {path!r}")
    if given == "parquet" and path is None:
        raise RequestError("Format parquet must come with a file: add -o")
    return given or ending


def _write(data, path):
    if path is None:
        click.echo(data, nl=False)
        return
    try:
        replace_file(Path(path), data)
    except OSError as error:
        raise RequestError(f"File must be writable, not {path!r}: {error.strerror}") from None

"""What every verb shares: errors as one sentence, JSON, tables and progress."""

import contextlib
import json
import sys

import click
from rich.console import Console
from rich.table import Table

from ..errors import HwactError

__all__ = ["Verb", "echo_json", "json_option", "progress", "run", "show_table"]


class Verb(click.Command):
    """A command whose help keeps its examples as they are written."""

    def format_epilog(self, context, formatter):
        if self.epilog:
            formatter.write_paragraph()
            with formatter.section("Examples"):
                for line in self.epilog.strip().splitlines():
                    formatter.write(f"  {line.strip()}\n")


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


def echo_json(value):
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2))


@contextlib.contextmanager
def progress(text):
    """Show what is being done while it lasts, on a terminal's standard error; nothing where it is piped."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(f"{text} ..."):
        yield


def show_table(title, columns, rows):
    """Print rows as a table on a terminal, and as tab-separated lines where it is piped."""
    if not sys.stdout.isatty():
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join(map(str, row)))
        return
    table = Table(title=title, title_justify="left")
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right")
    for row in rows:
        table.add_row(*map(str, row))
    Console().print(table)


def run(group, arguments=None):
    """Run the command line and return its exit status."""
    try:
        result = group.main(args=arguments, prog_name="hwact", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except HwactError as error:
        click.echo(f"hwact: {error}", err=True)
        return error.exit_status
    except click.UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        click.echo(f"hwact: {error.format_message().rstrip('.')}{hint}", err=True)
        return 2
    except click.ClickException as error:
        click.echo(f"hwact: {error.format_message()}", err=True)
        return 2
    except (KeyboardInterrupt, click.Abort):
        click.echo("hwact: Interrupted: nothing was left half-written", err=True)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except MemoryError:
        click.echo("hwact: Memory must suffice for the unit, not run out: narrow --domain or the formats", err=True)
        return 3

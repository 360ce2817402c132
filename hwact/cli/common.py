"""What every verb shares: errors as one sentence, JSON, tables and progress."""

import contextlib
import difflib
import errno
import json
import os
import signal
import sys
import tempfile
import threading

import click

from ..errors import HwactError, RequestError, ToolError

__all__ = ["Group", "Verb", "bar", "echo_json", "json_option", "progress", "run", "show_table", "stoppable"]


class _Examples:
    """Help that ends with examples, each on a line of its own as it is written."""

    def format_epilog(self, context, formatter):
        if self.epilog:
            with formatter.section("Examples"):
                for line in self.epilog.strip().splitlines():
                    formatter.write(f"  {line.strip()}\n")


class Verb(_Examples, click.Command):
    """A command with examples."""

    def parse_args(self, context, arguments):
        try:
            return super().parse_args(context, arguments)
        except click.NoSuchOption as error:
            near = " or ".join(map(repr, error.possibilities or ()))
            hint = f"did you mean {near}?" if near else f"see {context.command_path} --help"
            if not error.option_name.startswith("--"):
                hint = "an expression that starts with - goes last, after --"
            raise RequestError(
                f"Option must be one of this command's, not {error.option_name!r}: {hint}"
            ) from None


class Group(_Examples, click.Group):
    """The commands in the order they are added in; an unknown one has the nearest name suggested."""

    def list_commands(self, context):
        return list(self.commands)

    def resolve_command(self, context, arguments):
        name = arguments[0]
        if name not in self.commands and not name.startswith("-"):
            near = difflib.get_close_matches(name, self.commands, 1)
            hint = f"did you mean {near[0]}?" if near else "see hwact --help"
            raise RequestError(f"Command must be one of {', '.join(self.commands)}, not {name!r}: {hint}")
        return super().resolve_command(context, arguments)


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value instead of text.")


def echo_json(value):
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2))


@contextlib.contextmanager
def progress(text):
    """Show what is being done while it lasts, on a terminal's standard error; nothing where it is piped."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{text} ..."):
        yield


@contextlib.contextmanager
def bar(text):
    """A progress bar on a terminal's standard error while it lasts, nothing where it is piped.

    Yields ``tick(done, total)``, which moves it.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as display:
        task = display.add_task(text, total=None)
        yield lambda done, total: display.update(task, completed=done, total=total)


def show_table(title, columns, rows):
    """Print rows as a table on a terminal, and as tab-separated lines where it is piped."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            click.echo("\t".join(map(str, row)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title), title_justify="left")
    for k, column in enumerate(columns):
        numbers = all(_is_number(row[k]) for row in rows)
        table.add_column(column, justify="right" if numbers else "left")
    for row in rows:
        table.add_row(*(Text(str(value)) for value in row))
    Console().print(table)


def _is_number(value):
    return str(value).strip("-").replace(".", "", 1).isdigit() or value == "-"


# -- from exceptions to exit statuses ----------------------------------------------------------


#: Characters of an error sentence that are shown, at most.
MAX_SENTENCE = 2000
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """A signal asks the process to end; its number is the argument."""


def stoppable(action):
    """The exit status ``action()``, which SIGINT, SIGTERM and SIGHUP end with `Stopped`."""

    def stop(number, frame):
        raise Stopped(number)

    def again(unraisable):
        # Raised in a destructor, where Python drops exceptions.
        if isinstance(unraisable.exc_value, Stopped):
            threading.Timer(0.01, os.kill, (os.getpid(), unraisable.exc_value.args[0])).start()
        else:
            sys.__unraisablehook__(unraisable)

    sys.unraisablehook = again
    heard = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    for number in heard:
        signal.signal(number, stop)
    status = action()
    for number in heard:
        signal.signal(number, signal.SIG_IGN)
    if status > 128:
        # At once: half-built circuits complain as they go, and half-imported extension modules may crash.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
    return status


@contextlib.contextmanager
def _own_temporary_folder():
    """A temporary folder of the process's own, so that killed tools leave nothing behind."""
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    try:
        own = tempfile.TemporaryDirectory(prefix="hwact-", ignore_cleanup_errors=True)
    except OSError as error:
        raise ToolError(f"Temporary folder must be writable, not fail: {error.strerror or error}") from None
    with own as folder:
        tempfile.tempdir = os.environ["TMPDIR"] = folder
        try:
            yield
        finally:
            tempfile.tempdir = before[0]
            os.environ.pop("TMPDIR")
            if before[1] is not None:
                os.environ["TMPDIR"] = before[1]


def run(group, arguments=None):
    """Run the command line and return its exit status; whatever goes wrong is one sentence on stderr."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with _own_temporary_folder(), group.make_context("hwact", arguments) as context:
            group.invoke(context)
        sys.stdout.flush()
        return 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except BrokenPipeError:
        # The reader has what it wants (`hwact list | head`); the interpreter must not flush again.
        _discard_stdout()
        return 0
    except (Exception, KeyboardInterrupt) as error:
        status, sentence = _explained(error)
        if os.environ.get("HWACT_DEBUG"):
            import traceback

            traceback.print_exception(error)
        with contextlib.suppress(OSError):
            click.echo(f"hwact: {_shortened(' '.join(sentence.split()))}", err=True)
        return status


def _shortened(sentence):
    """Both ends of a sentence that quotes what is too long to read."""
    if len(sentence) <= MAX_SENTENCE:
        return sentence
    half = MAX_SENTENCE // 2
    return f"{sentence[:half]} ... {sentence[-half:]}"


def _explained(error):
    """Exit status and sentence for an exception."""
    match error:
        case HwactError():
            return error.exit_status, str(error)
        case click.UsageError():
            hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
            return RequestError.exit_status, error.format_message().rstrip(".") + hint
        case click.ClickException():
            return RequestError.exit_status, error.format_message()
        case KeyboardInterrupt() | click.Abort():
            number = error.args[0] if isinstance(error, Stopped) else signal.SIGINT
            return 128 + number, "Interrupted: nothing was left half-written"
        case MemoryError():
            return (
                ToolError.exit_status,
                "Memory must suffice for the unit, not run out: narrow the domain or the input",
            )
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EFBIG):
            _discard_stdout()
            return ToolError.exit_status, "Disk must have room, not be full"
        case OSError():
            return ToolError.exit_status, f"Files must be readable and writable, not fail: {error}"
    name = type(error).__name__
    return (
        ToolError.exit_status,
        f"Internal error {name}: {error}: please report it with the output of HWACT_DEBUG=1",
    )


def _discard_stdout():
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""``hwact board learn``."""

import contextlib
import sys

import click

from ..errors import RequestError
from .common import Verb, echo_json, json_option, progress

__all__ = ["learn"]

EPILOG = """
hwact board learn --port /dev/ttyUSB1
hwact board learn --port /dev/ttyUSB1 --task moons --png moons.png
hwact board learn --port /dev/ttyUSB1 --task xor --steps 2000 --seed 7 --json
hwact board learn tanh --port $(cat port)
"""


@click.command("learn", cls=Verb, epilog=EPILOG, short_help="Let a network learn on a board.")
@click.argument("unit", metavar="[UNIT_FOLDER]", required=False, type=click.Path(file_okay=False))
@click.option("--port", required=True, help="Serial port of the board, or the virtual board's.")
@click.option("--task", default="xor", show_default=True, help="xor or moons.")
@click.option("--steps", type=click.IntRange(1, 10_000_000), help="Steps to learn; the task's if left out.")
@click.option("--period", type=click.IntRange(min=1), help="Steps from report to report; the task's if left out.")
@click.option("--rate", type=float, help="Learning rate; the task's if left out.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Of weights and data.")
@click.option(
    "--baud", type=click.IntRange(300, 12_000_000), default=115200, show_default=True, help="The board's default rate."
)
@click.option("--png", metavar="FILE", help="Draw what was learnt into a .png or .svg file.")
@json_option
def learn(unit, port, task, steps, period, rate, seed, baud, png, as_json):
    """Let the network on the board at PORT learn XOR or two moons, and watch it.

    The board must hold the demonstration `learn`, with the unit in UNIT_FOLDER or the usual one. Every loss that it
    reports, and its weights in the end, must be those of the golden model, bit for bit, or the exit status is 1.
    """
    from ..boards.client import Client
    from ..boards.learning.data import find_task
    from ..boards.learning.host import Teacher, hidden_of
    from ..boards.learning.network import Network
    from ..boards.learning.plot import check_path, picture

    task = find_task(task)
    check_path(png)
    steps, period, rate = steps or task.steps, period or task.period, task.rate if rate is None else rate
    with Client(port, baud) as client:
        hidden = hidden_of(client)
        with progress("Fitting the unit"):
            network = Network(_design(unit), hidden)
        samples = task.samples(network, seed)
        teacher = Teacher(client, network, samples, _rate_code(network, rate), network.initial(seed))
        teacher.check()
        with progress("Sending samples and weights"):
            client.speed_up()
            teacher.load()
        reports = _watch(teacher, task, steps, period, quiet=as_json)
        teacher.check_state()
    if png:
        picture(png, f"{task.name} on {client.record.name}", reports, network, teacher.state, samples)
    if as_json:
        return echo_json(_result(task, network, seed, rate, reports, teacher))
    click.echo(
        f"Learnt {task.name} in {steps} steps: accuracy {100 * reports[-1].accuracy:.1f} %, mean squared error "
        f"{reports[-1].mean_squared_error:.2g}; {len(reports)} losses and {network.weights} weights equal the golden "
        "model's",
        err=not sys.stdout.isatty(),
    )


def _design(folder):
    """The unit in a folder, or the usual one."""
    from ..boards.learning import unit_design
    from ..output import Unit

    return Unit.read(folder).design if folder else unit_design()


def _rate_code(network, rate):
    """The learning rate as a code."""
    if not 0 < rate <= network.weight.max_value:
        raise RequestError(f"Learning rate must be above 0 and at most {network.weight.max_value:g}, not {rate:g}")
    return max(int(network.weight.to_code(rate)), 1)


def _watch(teacher, task, steps, period, quiet):
    """Learn, and show every report as it comes: a plot on a terminal, lines where it is piped."""
    reports = []
    with _display(task, steps, quiet) as show:
        while teacher.step < steps:
            reports.append(teacher.learn(min(period, steps - teacher.step)))
            show(reports)
    return reports


@contextlib.contextmanager
def _display(task, steps, quiet):
    """Yields a function that shows reports."""
    if quiet:
        yield lambda reports: None
    elif not sys.stdout.isatty():
        click.echo("step\tloss\tmean_squared_error\taccuracy")
        yield _line
    else:
        from rich.live import Live
        from rich.text import Text

        from ..boards.learning.plot import terminal

        with Live(auto_refresh=False) as live:
            yield lambda reports: live.update(Text.from_ansi(terminal(task.name, reports, steps)), refresh=True)


def _line(reports):
    last = reports[-1]
    click.echo(f"{last.step}\t{last.loss}\t{last.mean_squared_error:.6g}\t{last.accuracy:.4f}")
    sys.stdout.flush()


def _result(task, network, seed, rate, reports, teacher):
    return {
        "task": task.name,
        "seed": seed,
        "rate": rate,
        "network": {**network.to_dict(), "digest": network.digest},
        "steps": teacher.step,
        "accuracy": reports[-1].accuracy,
        "reports": [vars(report) for report in reports],
        "weights": teacher.state.weights.tolist(),
        "matches": True,
    }

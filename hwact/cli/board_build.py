"""``hwact board build``."""

import click

from ..errors import RequestError
from .common import Verb, echo_json, json_option, progress, show_table
from .synth import steps_bar

__all__ = ["build", "chosen_designs", "demo_option", "show_build", "units_argument"]

EPILOG = """
hwact board build icebreaker
hwact board build icestick -o stick --seed 3
hwact board build ulx3s-12f tanh gelu12 --json
hwact board build tang-nano-9k --dry-run
hwact board build icebreaker --demo learn -o learner
"""

units_argument = click.argument("units", metavar="[UNIT_FOLDER]...", nargs=-1, type=click.Path(file_okay=False))
demo_option = click.option("--demo", default="activation", show_default=True, help="The demonstration to build.")


def chosen_designs(board, folders, demo="activation"):
    """Designs of the units in `folders`; where there are none, the usual ones of the demonstration."""
    from ..boards.demos import designs_of
    from ..output import Unit

    if not folders:
        with progress("Fitting the board's units"):
            return designs_of(demo, board)
    designs = [Unit.read(folder).design for folder in folders]
    names = [design.name for design in designs]
    for name in names:
        if names.count(name) > 1:
            raise RequestError(f"Unit must be given once, not twice: {name}")
    return designs


@click.command("build", cls=Verb, epilog=EPILOG, short_help="Build a board's bitstream.")
@click.argument("board")
@units_argument
@demo_option
@click.option("-o", "folder", type=click.Path(file_okay=False), help="Output folder; ./BOARD if left out.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Seed of the placement.")
@click.option("--dry-run", is_flag=True, help="Say what would be run; write nothing.")
@click.option("--allow-slow", is_flag=True, help="Write the bitstream even if it misses the board's clock.")
@json_option
def build(board, units, demo, folder, seed, dry_run, allow_slow, as_json):
    """Build the bitstream of a demonstration for BOARD, with the units in the folders or the board's usual ones.

    The circuit is synthesised, placed, routed and packed. It must meet the board's clock, or the exit status is 1
    and nothing is written.
    """
    from ..boards import find_board
    from ..boards.build import build as run
    from ..boards.build import check_build_folder, plan_build, write_build

    chosen = find_board(board)
    folder = folder or chosen.name
    check_build_folder(folder)
    plan = plan_build(chosen, chosen_designs(chosen, units, demo), demo=demo, seed=seed)
    if dry_run:
        return _show_plan(plan, folder, as_json)
    with steps_bar(f"Building for {chosen.title}", len(plan.steps)) as advance:
        built = run(plan, advance)
    if not allow_slow:
        built.check_timing()
    write_build(folder, built)
    if as_json:
        echo_json({**built.to_dict(), "folder": folder})
    else:
        show_build(built, folder)


def _show_plan(plan, folder, as_json):
    if as_json:
        return echo_json({**plan.to_dict(), "folder": folder})
    for step in plan.steps:
        click.echo(step)
    names = ", ".join(f"{design.name} {design.digest[:12]}" for design in plan.designs)
    click.echo(f"Would write {plan.bitstream} for {plan.board.title} into {folder}, with {names}")


def show_build(built, folder):
    """Print utilisation, timing and where the bitstream is."""
    board = built.plan.board
    rows = [(cell.name, cell.used, cell.available, f"{cell.percent:.1f}") for cell in built.cells if cell.used]
    show_table(f"{board.title}, {board.device}", ("cell", "used", "available", "%"), rows)
    verdict = "met" if built.timing_met else "missed"
    click.echo(
        f"Timing {verdict}: {built.fmax_mhz:g} MHz for a clock of {built.clock_mhz:g} MHz, "
        f"margin {built.margin_percent:g} %, {built.slack_ns:g} ns of {1000 / built.clock_mhz:.4g} ns"
    )
    click.echo(f"Wrote {folder}; next: hwact board flash {board.name} {folder}")

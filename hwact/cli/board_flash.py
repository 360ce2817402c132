"""``hwact board flash``."""

import shlex

import click

from .common import Verb, echo_json, json_option

__all__ = ["flash"]

EPILOG = """
hwact board flash icebreaker icebreaker
hwact board flash tang-nano-9k tang-nano-9k --dry-run
"""


@click.command("flash", cls=Verb, epilog=EPILOG, short_help="Program a board with its bitstream.")
@click.argument("board")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--dry-run", is_flag=True, help="Say what would be run; touch nothing.")
@json_option
def flash(board, folder, dry_run, as_json):
    """Program BOARD with the build in FOLDER, by the programmer that the board's platform calls.

    Programmers do not come with pip; where one is missing, a sentence says what to install.
    """
    from ..boards import find_board
    from ..boards.flash import flash as program
    from ..boards.flash import flash_command

    chosen = find_board(board)
    command = flash_command(chosen, folder)
    if not dry_run:
        program(command)
    if as_json:
        echo_json({"board": chosen.name, "folder": folder, "command": command, "programmed": not dry_run})
    else:
        click.echo(shlex.join(command) if dry_run else f"Programmed {chosen.title} with {folder}")

"""``hwact board``: the demonstration on FPGA boards."""

import click

from .board_build import build
from .board_flash import flash
from .board_learn import learn
from .board_list import list_boards
from .board_probe import board_probe
from .board_virtual import board_virtual
from .common import Group

__all__ = ["board"]

EPILOG = """
hwact board list
hwact board build icebreaker
hwact board flash icebreaker icebreaker
hwact board probe --port /dev/ttyUSB1 icebreaker
hwact board virtual icebreaker --port-file port &
"""


@click.group(
    "board",
    cls=Group,
    epilog=EPILOG,
    invoke_without_command=True,
    short_help="Put units on an FPGA board, or on a virtual one.",
)
@click.pass_context
def board(context):
    """Put units on an FPGA board, or on a virtual one, and try every code there."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (list_boards, build, flash, board_virtual, board_probe, learn):
    board.add_command(command)

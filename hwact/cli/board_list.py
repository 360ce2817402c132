"""``hwact board list``."""

import click

from .common import Verb, echo_json, json_option, show_table

__all__ = ["list_boards"]

EPILOG = """
hwact board list
hwact board list --json
"""


@click.command("list", cls=Verb, epilog=EPILOG)
@json_option
def list_boards(as_json):
    """List the boards: device, clock, LEDs and buttons.

    A board that is not listed is one small class of data; see docs/boards.md.
    """
    from ..boards import BOARDS

    if as_json:
        echo_json([_row(board) for board in BOARDS.values()])
        return
    columns = ("board", "name", "device", "clock MHz", "LEDs", "buttons")
    rows = [
        (board.name, board.title, board.device, f"{board.clock_hz / 1e6:g}", *map(len, map(board.pads, ("led", "button"))))
        for board in BOARDS.values()
    ]
    show_table("Boards", columns, rows)


def _row(board):
    return {
        "board": board.name,
        "name": board.title,
        "family": board.family,
        "device": board.device,
        "clock_mhz": board.clock_hz / 1e6,
        "pins": board.pins(),
        "units": [dict(zip(("function", "input", "output", "derivative_output"), unit)) for unit in board.units],
        "wiring": board.wiring,
        "port": board.port,
    }

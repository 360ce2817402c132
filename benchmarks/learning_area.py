"""The learning demonstration on boards: cells used and clock frequency, from nextpnr's reports."""

from tables import main, table

from hwact.boards import find_board
from hwact.boards.build import build, plan_build
from hwact.boards.demos import designs_of

BOARDS = ("icebreaker", "ice40-hx8k")


def row(name):
    """One board."""
    board = find_board(name)
    built = build(plan_build(board, designs_of("learn", board), demo="learn"))
    used = {cell.name: f"{cell.used} of {cell.available}" for cell in built.cells}
    cells = used["ICESTORM_LC"], used["ICESTORM_RAM"], used.get("ICESTORM_DSP", "none there")
    return board.title, *cells, f"{built.clock_mhz:g}", f"{built.fmax_mhz:g}", f"{built.margin_percent:g}"


def make():
    """The table."""
    head = ("board", "logic cells", "block RAMs", "DSP blocks", "clock (MHz)", "fmax (MHz)", "margin (%)")
    return table(head, map(row, BOARDS))


if __name__ == "__main__":
    main(make, "learning-area", "docs/learning.md", __doc__)

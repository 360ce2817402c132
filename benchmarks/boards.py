"""Build boards, and write docs/boards.md and a page a board from their data and what came out.

What came out is kept in benchmarks/boards.json, so that the pages can be written again without building.
"""

import argparse
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tables import ROOT, table, write

from hwact.boards import BOARDS, find_board
from hwact.boards.build import build, plan_build
from hwact.boards.flash import PROGRAMMERS, programmer
from hwact.cli.board_build import show_build

HWACT = (sys.executable, "-m", "hwact.cli")
RESULTS = ROOT / "benchmarks" / "boards.json"
#: Logic cells and block RAMs, by family.
CELLS = {
    "ice40": ("ICESTORM_LC", "ICESTORM_RAM"),
    "ecp5": ("TRELLIS_COMB", "DP16KD"),
    "gowin": ("LUT4", "BSRAM"),
}


def result(board):
    """What building a board's usual demonstration gives (dict)."""
    built = build(plan_build(board, board.designs()))
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        show_build(built, board.name)
    report = built.to_dict()
    kept = ("fmax_mhz", "clock_mhz", "margin_percent", "slack_ns", "timing_met", "seed", "tool_versions")
    cells = {name: cell for name, cell in report["cells"].items() if cell["used"] or name in CELLS[board.family]}
    return {"shown": shown.getvalue(), "cells": cells, **{name: report[name] for name in kept}}


def results():
    """What is kept, by board."""
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def row(board, found):
    """A board's row of the table."""
    name = f"[{board.title}](board-{board.name}.md)"
    if found is None:
        return (name, board.device, f"{board.clock_hz / 1e6:g}", *("-",) * 5)
    logic, memories = (found["cells"][cell] for cell in CELLS[board.family])
    return (
        *(name, board.device, f"{found['clock_mhz']:g}"),
        *(f"{logic['used']} of {logic['available']}", f"{100 * logic['used'] / logic['available']:.0f} %"),
        f"{memories['used']} of {memories['available']}",
        *(f"{found['fmax_mhz']:g}", f"{found['margin_percent']:g} %"),
    )


def overview(found):
    """The table of all boards."""
    head = ("board", "device", "clock MHz", "logic cells", "share", "block RAMs", "fmax MHz", "margin")
    return table(head, [row(board, found.get(board.name)) for board in BOARDS.values()])


PAGE = """\
# {title}

<!-- Written by `python benchmarks/boards.py --write`. -->

{device}, clock {clock:g} MHz, {leds} LEDs, {buttons} buttons. The command line calls it `{name}`.

## Wiring

{wiring} On Linux the line usually becomes `{port}`.

{pins}
A leading ~ marks a pin that is inverted on the board.

## Commands

```
hwact board build {name}
hwact board flash {name} {name}
hwact board probe --port {port} {name}
```

`flash` calls `{tool}`, which hwact does not bring: `{hint}`.

Without the board, `hwact board virtual {name}` runs the same circuit behind a pseudo-terminal{bitstream}.

## Expected output

{shown}
LED 0 breathes with y of the selected unit, LED 1 with its derivative; of the others, the one of the selected unit is
lit.{stepping} `probe` prints 0 mismatches for {units}, and ends with status 0; the
[tutorial](tutorial-board.md) shows how that looks.
"""


def page(board, found):
    """The page of a board."""
    command = programmer(board, ".")
    pins = [(name, f"{pin}") for name, pin in board.pins().items()]
    count = {kind: len(board.pads(kind)) for kind in ("led", "button")}
    shown = "It was not built for this page.\n" if found is None else f"```\n{_aligned(found['shown'])}```\n"
    return PAGE.format(
        title=board.title,
        name=board.name,
        device=board.device,
        clock=board.clock_hz / 1e6,
        leds=count["led"] or "no",
        buttons=count["button"] or "no",
        wiring=board.wiring,
        port=board.port,
        pins=table(("signal", "pin"), pins),
        tool=command[0],
        hint=PROGRAMMERS.get(command[0], "see the board's manual"),
        bitstream=", also from the bitstream itself (`--from-bitstream`)" if board.family == "ice40" else "",
        shown=shown,
        stepping=" Button 0 steps to the next unit, button 1 to the one before." if count["button"] else "",
        units=" and ".join(f"{function} ({input} to {output})" for function, input, output, _ in board.units),
    )


def _aligned(text):
    """Tab-separated lines in columns, the others as they are."""
    rows = [line.split("\t") for line in text.splitlines()]
    widths = [max(map(len, column)) for column in zip(*(cells for cells in rows if len(cells) > 1))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() if len(cells) > 1 else cells[0]
        for cells in rows
    )
    return "\n".join(lines) + "\n"


#: What the tutorial has done before it probes.
UNIT = "generate tanh --input SQ4.12 --output SQ1.15 --derivative direct --derivative-output UQ0.16"


def probed():
    """What the tutorial's probe prints, by a run of its commands."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        _hwact(UNIT)
        virtual = "board virtual icebreaker tanh --port-file port"
        board = subprocess.Popen([*HWACT, *virtual.split()], stdout=subprocess.DEVNULL)
        try:
            while board.poll() is None and not Path("port").exists():
                time.sleep(0.1)
            shown = _hwact(f"board probe --port {Path('port').read_text().strip()} tanh")
        finally:
            board.terminate()
            board.wait()
    return f"```\n{_aligned(shown)}```\n"


def _hwact(words):
    return subprocess.run([*HWACT, *words.split()], stdout=subprocess.PIPE, text=True, check=True).stdout


def pages(found):
    """Every page by path."""
    return {
        ROOT / "docs" / f"board-{board.name}.md": page(board, found.get(board.name)) for board in BOARDS.values()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("boards", nargs="*", metavar="BOARD", help="boards to build; none if left out")
    parser.add_argument("--all", action="store_true", help="build all boards")
    parser.add_argument("--tutorial", action="store_true", help="run the tutorial's probe on the virtual board")
    parser.add_argument("--write", action="store_true", help="write the table and the pages")
    arguments = parser.parse_args()
    found = results()
    for board in map(find_board, BOARDS if arguments.all else arguments.boards):
        found[board.name] = result(board)
        print(found[board.name]["shown"], end="", flush=True)
        if arguments.write:
            RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if arguments.tutorial:
        text = probed()
        print(text, end="")
        if arguments.write:
            write(text, "probe", "docs/tutorial-board.md")
    if arguments.write:
        write(overview(found), "boards", "docs/boards.md")
        for path, text in pages(found).items():
            Path(path).write_text(text, encoding="utf-8")
    print(overview(found), end="")


if __name__ == "__main__":
    main()

"""``hwact board probe``."""

import click

from ..errors import RequestError
from .common import Verb, bar, echo_json, json_option, show_table
from .curves import characters, picture

__all__ = ["board_probe"]

EPILOG = """
hwact board probe --port /dev/ttyUSB0 icebreaker
hwact board probe --port /dev/ttyUSB1 tanh --png tanh.png
hwact board probe --port $(cat port) --json
hwact board probe --port /dev/ttyUSB0 programmable --image gelu
"""

_RATE = click.IntRange(50, 50_000_000)
COLUMNS = ("unit", "name", "codes", "mismatches", "codes/s", "cycles", "codes/s on board", "retries")


@click.command("probe", cls=Verb, epilog=EPILOG, short_help="Try every code on a board.")
@click.argument("folders", metavar="[FOLDER]...", nargs=-1, type=click.Path(file_okay=False))
@click.option("--port", required=True, help="Serial port of the board, or pseudo-terminal of a virtual one.")
@click.option("--baud", type=_RATE, default=115200, show_default=True, help="Rate to begin with.")
@click.option("--fast-baud", type=_RATE, help="Rate for results; the fastest there is if left out.")
@click.option("--unit", type=click.IntRange(0, 255), help="Number of the unit to try; all of them if left out.")
@click.option("--image", type=click.Path(file_okay=False), help="Folder of tables for a programmable unit.")
@click.option("--png", type=click.Path(dir_okay=False), help="Write the plot to a file.")
@json_option
def board_probe(folders, port, baud, fast_baud, unit, image, png, as_json):
    """Try every code on the board at the serial port, and compare y and dy with the golden model bit for bit.

    The golden model is that of the units' folders, or of the folder of hwact board build; without any, that of a
    unit which this machine has put on a board. The exit status is 1 if a result differs.
    """
    from ..boards.client import Client
    from ..boards.golden import load_designs, read_image
    from ..boards.probe import probe

    if png and not png.endswith((".png", ".svg")):
        raise RequestError(f"Plot must be a .png or .svg file, not {png!r}")
    load_designs(folders)
    tables = read_image(image) if image else None
    with Client(port, baud) as client:
        count = client.record.units
        if unit is not None and unit >= count:
            raise RequestError(f"Unit must be 0 to {count - 1} on this board, not {unit}")
        client.speed_up(fast_baud)
        results = []
        for number in range(count) if unit is None else [unit]:
            with bar(f"Trying unit {number}") as tick:
                results.append(probe(client, number, folders, tables, tick))
    _show(results, png, as_json)
    for result in results:
        result.check()


def _show(results, png, as_json):
    if png:
        picture(png, [(_title(result), _curves(result)) for result in results])
    if as_json:
        echo_json([result.to_dict() for result in results])
        return
    first = results[0]
    rows = [
        (
            *(result.record.unit, result.name, result.codes, result.mismatches, round(result.line_rate)),
            *(result.cycles, round(result.run_rate), result.retries),
        )
        for result in results
    ]
    show_table(f"Board at {first.record.clock_hz / 1e6:g} MHz, {first.baud} baud", COLUMNS, rows)
    if png:
        click.echo(f"Wrote {png}")
    else:
        for result in results:
            click.echo(characters(_curves(result), f"{result.name}, as the board answered"))


def _curves(result):
    """Points of each output as the board answered it."""
    formats = {"y": result.record.output, "dy": result.record.derivative}
    step = max(len(result.inputs) // 2000, 1)
    x = result.record.input.to_value(result.inputs[::step]).tolist()
    return {name: list(zip(x, formats[name].to_value(codes[::step]).tolist())) for name, codes in result.outputs.items()}


def _title(result):
    return f"{result.name} on the board, {result.codes} codes, {result.mismatches} mismatches"

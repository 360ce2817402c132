"""``hwact board virtual``."""

import contextlib
import json
import sys

import click

from ..errors import RequestError
from .board_build import chosen_designs, demo_option, units_argument
from .common import Stopped, Verb, json_option, progress

__all__ = ["board_virtual"]

EPILOG = """
hwact board virtual icebreaker --port-file port &
hwact board virtual icestick tanh8 --seconds 60
hwact board virtual icebreaker --from-bitstream icebreaker --port-file port &
hwact board virtual icebreaker --demo learn --port-file port &
hwact board virtual icebreaker --inject-bit-errors 1e-4 --seed 7 --port-file port &
"""

_SHARE = click.FloatRange(0, 1)


@click.command("virtual", cls=Verb, epilog=EPILOG, short_help="Run a board without hardware.")
@click.argument("board")
@units_argument
@demo_option
@click.option("--port-file", type=click.Path(dir_okay=False), help="Write the port's name here; removed at the end.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="End after that long.")
@click.option("--inject-bit-errors", type=_SHARE, default=0.0, metavar="SHARE", help="Flip bits on the line.")
@click.option("--garbage", type=_SHARE, default=0.0, metavar="SHARE", help="Insert bytes on the line.")
@click.option("--unplug-after", type=click.IntRange(1), metavar="BYTES", help="Vanish after so many bytes.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of what goes wrong.")
@click.option(
    "--from-bitstream",
    type=click.Path(exists=True),
    metavar="PATH",
    help="Run the circuit in this bitstream of an iCE40, a file or a build's folder.",
)
@json_option
def board_virtual(
    board, units, demo, port_file, seconds, inject_bit_errors, garbage, unplug_after, seed, from_bitstream, as_json
):
    """Run BOARD's circuit, as it goes to synthesis, behind a pseudo-terminal that looks like its serial port.

    It prints the pseudo-terminal's name, keeps the rate that the host sets, and runs until it is stopped. Its clock
    stands still while the line is silent for long.
    """
    from ..boards import find_board
    from ..boards.demos import demo_of
    from ..boards.golden import keep_designs
    from ..boards.virtual import Faults, machine_of

    faults = Faults(inject_bit_errors, garbage, unplug_after, seed)
    chosen = find_board(board)
    if from_bitstream:
        if units:
            raise RequestError("Units must be left out with --from-bitstream: they are in it")
        machine, settle_cycles = _read_back(chosen, from_bitstream)
        return serve(machine, settle_cycles, faults, port_file, seconds, as_json)
    designs = chosen_designs(chosen, units, demo)
    top = demo_of(demo, chosen, designs)
    with progress(f"Compiling the circuit of {chosen.title}"):
        machine = machine_of(top, chosen.clock_hz)
    keep_designs(designs)
    serve(machine, top.settle_cycles, faults, port_file, seconds, as_json)


def _read_back(board, path):
    """The machine of a bitstream, and the cycles after which it has settled."""
    from ..boards.gateware import Link
    from ..boards.unpacked import TOP, pins_of, read_bitstream, unpacked
    from ..boards.virtual import virtual_machine

    bits = read_bitstream(board, path)
    with progress(f"Reading back the bitstream of {board.title}"):
        verilog = unpacked(board, bits)
    with progress(f"Compiling what is in the bitstream of {board.title}"):
        machine = virtual_machine(verilog, TOP, pins_of(board), board.clock_hz)
    return machine, 2 * Link(board.clock_hz, 115200).fall_back_cycles


def serve(machine, settle_cycles, faults, path, seconds, as_json):
    """Run a machine behind a pseudo-terminal until it is stopped."""
    from ..boards.virtual import VirtualBoard, port_file

    with VirtualBoard(machine, settle_cycles, faults) as virtual, contextlib.ExitStack() as stack:
        if path:
            stack.enter_context(port_file(path, virtual.name))
        click.echo(json.dumps({"port": virtual.name}) if as_json else f"Board at {virtual.name}")
        sys.stdout.flush()
        # To be stopped is how it ends.
        with contextlib.suppress(Stopped):
            virtual.serve(seconds)

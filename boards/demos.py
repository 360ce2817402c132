"""The demonstrations that a board can run, by name."""

from dataclasses import replace

from ..design import Design, Shell
from ..errors import RequestError
from ..spec import DEFAULT_LATENCY

__all__ = ["DEMOS", "demo_of", "streamed"]


def _activation(board, designs):
    from .gateware import Demo

    return Demo(designs, board.clock_hz, leds=len(board.pads("led")), buttons=len(board.pads("button")))


#: What makes the circuit of a demonstration, from a board and its designs.
DEMOS = {"activation": _activation}


def demo_of(name, board, designs):
    """The circuit of the demonstration `name`, board-independent, with plain signals (see `Top`).

    Raises
    ------
    RequestError
        If there is none.
    """
    if name not in DEMOS:
        raise RequestError(f"Demonstration must be one of {', '.join(DEMOS)}, not {name!r}")
    return DEMOS[name](board, designs)


def streamed(design):
    """A design with valid and ready, one lane and a synchronous reset, as the demonstrations drive it.

    Its numbers are the same. A design that has them already stays as it is.
    """
    if not isinstance(design, Design) or design.shell.interface == "stream" and design.shell.lanes == 1:
        return design
    return replace(design, shell=Shell("stream", latency=design.latency or DEFAULT_LATENCY))

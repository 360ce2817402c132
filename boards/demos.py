"""The demonstrations that a board can run, by name."""

from ..errors import RequestError

__all__ = ["DEMOS", "demo_of"]


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

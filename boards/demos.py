"""The demonstrations that a board can run, by name."""

from ..errors import RequestError

__all__ = ["DEMOS", "demo_of", "designs_of"]


def _activation(board, designs):
    from .gateware import Demo

    return Demo(designs, board.clock_hz, leds=len(board.pads("led")), buttons=len(board.pads("button")))


def _learn(board, designs):
    from .learning.network import Network
    from .learning.top import Learn

    if len(designs) != 1:
        raise RequestError(f"Network must have one unit, not {len(designs)}")
    lamps, buttons = len(board.pads("led")), len(board.pads("button"))
    return Learn(Network(designs[0]), board.clock_hz, leds=lamps, buttons=buttons)


#: What makes the circuit of a demonstration, from a board and its designs.
DEMOS = {"activation": _activation, "learn": _learn}


def demo_of(name, board, designs):
    """The circuit of the demonstration `name`, board-independent, with plain signals (see `Top`).

    Raises
    ------
    RequestError
        If there is none.
    """
    _check_name(name)
    return DEMOS[name](board, designs)


def designs_of(name, board):
    """Designs of the demonstration `name` on a board unless others are asked for."""
    from .learning import unit_design

    _check_name(name)
    return [unit_design()] if name == "learn" else board.designs()


def _check_name(name):
    if name not in DEMOS:
        raise RequestError(f"Demonstration must be one of {', '.join(DEMOS)}, not {name!r}")

"""The outputs of a unit of any kind that a board can hold."""

from ..programmable import ProgrammableDesign

__all__ = ["outputs_of"]


def outputs_of(design):
    """Formats of the outputs by name: ``y`` and, where there is one, ``dy``."""
    if isinstance(design, ProgrammableDesign):
        return {"y": design.output}
    return {channel.name: channel.format for channel in design.channels}

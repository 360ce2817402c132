"""How many bits stand between the stages of a unit."""

import warnings

from amaranth.hdl import Shape, UnusedElaboratable
from amaranth.lib.wiring import Out

from .stages import schedule

__all__ = ["register_bits"]

# Components are made for the widths of their ports alone.
warnings.filterwarnings("ignore", category=UnusedElaboratable, module=r".*hwact.rtl.stages")


def register_bits(design):
    """Bits of the registers in one lane's datapath: what `Datapath` keeps behind each of its stages.

    Synthesis may take a few away: those of constants, and copies.
    """
    stages = schedule(design)
    outputs = {channel.name for channel in design.channels}
    widths, total = {"x": design.input.width}, 0
    for number, steps in enumerate(stages, 1):
        for step in steps:
            members = step.component.signature.members
            widths |= {step.net(port)[0]: Shape.cast(members[port].shape).width for port in step.ports(Out)}
        later = outputs.union(*(step.reads for following in stages[number:] for step in following))
        widths = {name: width for name, width in widths.items() if name in later}
        total += sum(widths.values()) if design.latency else 0
    return total

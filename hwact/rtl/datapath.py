"""The steps of a design wired up, with registers between the stages."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .stages import schedule

__all__ = ["Datapath"]


class Datapath(wiring.Component):
    """From an input code to the output codes, `latency` clocks later, one a clock.

    Data registers are reset too: of registers that are not, synthesis makes its own resets out of the data, whose
    enables take a lookup table more and cost a sixth of the clock frequency.

    Parameters
    ----------
    design : Design

    Members
    -------
    x : In(width of input)
        Bits of the input code.
    y, dy : Out(width of output)
        Bits of the output codes.
    """

    def __init__(self, design):
        self._design = design
        self._inputs = self.inputs(design)
        outputs = {channel.name: Out(channel.format.width) for channel in design.channels}
        super().__init__({**{name: In(width) for name, width in self._inputs.items()}, **outputs})

    @staticmethod
    def inputs(design):
        """Width of each input by its name."""
        return {"x": design.input.width}

    @staticmethod
    def stages(design):
        """Steps of each stage."""
        return schedule(design)

    def elaborate(self, platform):
        m = Module()
        stages = self.stages(self._design)
        outputs = {channel.name for channel in self._design.channels}
        nets = {name: getattr(self, name) for name in self._inputs}
        for number, steps in enumerate(stages, 1):
            for step in steps:
                self._place(m, step, nets)
            later = outputs.union(*(step.reads for following in stages[number:] for step in following))
            nets = {name: net for name, net in nets.items() if name in later}
            if self._design.latency:
                nets = {name: self._register(m, net, f"{name}_{number}") for name, net in nets.items()}
        m.d.comb += [getattr(self, channel.name).eq(nets[channel.name]) for channel in self._design.channels]
        return m

    @staticmethod
    def _place(m, step, nets):
        m.submodules[step.name] = step.component
        for port in step.ports(wiring.In):
            net, part = step.net(port)
            value = nets[net]
            m.d.comb += getattr(step.component, port).eq(value if part is None else value[part])
        for port in step.ports(wiring.Out):
            name, value = step.net(port)[0], getattr(step.component, port)
            nets[name] = Signal.like(value, name=name)
            m.d.comb += nets[name].eq(value)

    @staticmethod
    def _register(m, net, name):
        register = Signal.like(net, name=name, init=0)
        m.d.sync += register.eq(net)
        return register

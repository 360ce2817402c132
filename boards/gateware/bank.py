"""Several units as one, of which one at a time is selected."""

from amaranth.hdl import Array, Cat, Const, Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..outputs import outputs_of
from .unit import BusMaster, StreamedUnit

__all__ = ["Bank"]


class Bank(wiring.Component):
    """Units side by side; codes and results are padded to the bytes of a `Layout`.

    Parameters
    ----------
    designs : sequence of Design or ProgrammableDesign
    layout : Layout

    Members
    -------
    selected : In
        Number of the unit; changes only while no code is `inside`.
    i : In(stream.Signature(8 * layout.x))
    o : Out(stream.Signature(StructLayout))
        Fields `y` and `dy`; the latter is empty where no unit has a derivative.
    inside : Out
        Codes that the unit holds.
    level_y, level_dy : Out(8)
        Brightness of the result: dark at the least code of its format.
    start, write, address, data, done, refused, result
        As those of `BusMaster`.
    programmable : Out(1)
        Whether the selected unit has a bus.
    """

    def __init__(self, designs, layout):
        self.units = [StreamedUnit(design) for design in designs]
        self._masters = {number: BusMaster(unit) for number, unit in enumerate(self.units) if unit.bus is not None}
        results = data.StructLayout({"y": 8 * layout.y, "dy": 8 * layout.dy})
        bus = BusMaster.__annotations__ if self._masters else {}
        super().__init__(
            {
                "selected": In(range(len(designs))),
                "i": In(stream.Signature(8 * layout.x)),
                "o": Out(stream.Signature(results)),
                "inside": Out(range(max(unit.latency for unit in self.units) + 2)),
                "level_y": Out(8),
                "level_dy": Out(8),
                "programmable": Out(1),
                **bus,
            }
        )

    def elaborate(self, platform):
        m = Module()
        for number, unit in enumerate(self.units):
            m.submodules[f"unit_{number}"] = unit
            here = self.selected == number
            m.d.comb += [
                unit.i.payload.eq(self.i.payload),
                unit.i.valid.eq(self.i.valid & here),
                unit.o.ready.eq(self.o.ready & here),
            ]
            with m.If(here):
                m.d.comb += [self.i.ready.eq(unit.i.ready), self.o.valid.eq(unit.o.valid)]
                self._results(m, unit)
        m.d.sync += self.inside.eq(
            self.inside + (self.i.valid & self.i.ready) - (self.o.valid & self.o.ready)
        )
        for number, master in self._masters.items():
            m.submodules[f"bus_{number}"] = master
            here = self.selected == number
            m.d.comb += [master.start.eq(self.start & here), master.write.eq(self.write)]
            m.d.comb += [master.address.eq(self.address), master.data.eq(self.data)]
            with m.If(here):
                m.d.comb += [self.programmable.eq(1), self.done.eq(master.done)]
                m.d.comb += [self.refused.eq(master.refused), self.result.eq(master.result)]
        return m

    def _results(self, m, unit):
        levels = {"y": self.level_y, "dy": self.level_dy}
        for name, format in outputs_of(unit.design).items():
            code = unit.o.payload[name]
            offset = Cat(code[:-1], ~code[-1]) if format.signed else code
            level = offset[-8:] if format.width >= 8 else Cat(Const(0, 8 - format.width), offset)
            m.d.comb += [self.o.payload[name].eq(code), levels[name].eq(level)]

    def spread(self, number):
        """The bits of `number` from the highest bit of a code on: from the least code to the largest."""
        codes = []
        for unit in self.units:
            format = unit.design.input
            lack = format.width - len(number)
            bits = Cat(Const(0, lack), number) if lack > 0 else number[-lack:]
            codes.append(Cat(bits[:-1], ~bits[-1]) if format.signed else bits)
        return Array(codes)[self.selected]

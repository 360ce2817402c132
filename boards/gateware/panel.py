"""LEDs and buttons."""

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..protocol import Lamps

__all__ = ["Buttons", "Leds"]

#: Ticks between two looks at the buttons, as powers of two: longer than they bounce.
_PAUSE = 4


class Leds(wiring.Component):
    """LEDs of given brightness, by pulse width; the others show which unit is selected.

    Parameters
    ----------
    count : int
        LEDs.
    levels : int
        How many of them have a brightness.
    units : int

    Members
    -------
    mode : In(2)
        One of `Lamps`.
    phase : In(8)
        Goes round.
    level_0, level_1, ... : In(8)
    selected : In
    leds : Out(count)
    """

    def __init__(self, count, levels, units):
        self._levels, self._units = min(levels, count), units
        members = {f"level_{k}": In(8) for k in range(levels)}
        super().__init__(
            {"mode": In(2), "phase": In(8), "selected": In(range(units)), "leds": Out(count), **members}
        )

    def elaborate(self, platform):
        m = Module()
        lit = [self.phase < getattr(self, f"level_{k}") for k in range(self._levels)]
        others = len(self.leds) - self._levels
        lit += [Array(led % self._units == unit for unit in range(self._units))[self.selected] for led in range(others)]
        with m.Switch(self.mode):
            with m.Case(Lamps.CURVE):
                m.d.comb += [led.eq(on) for led, on in zip(self.leds, lit)]
            with m.Case(Lamps.ON):
                m.d.comb += self.leds.eq(~0)
        return m


class Buttons(wiring.Component):
    """Buttons that are looked at so seldom that they do not bounce.

    Parameters
    ----------
    count : int

    Members
    -------
    buttons : In(count)
        The buttons, of any clock.
    tick : In(1)
        When time goes on.
    now : Out(count)
        The buttons in this clock domain.
    pressed : Out(2)
        Whether the first two have been pressed, until `served`.
    served : In(1)
    """

    def __init__(self, count):
        super().__init__({"buttons": In(count), "tick": In(1), "now": Out(count), "pressed": Out(2), "served": In(1)})

    def elaborate(self, platform):
        m = Module()
        seen, pause = Signal.like(self.now), Signal(_PAUSE)
        m.submodules.synchronizer = FFSynchronizer(self.buttons, self.now)
        with m.If(self.served):
            m.d.sync += self.pressed.eq(0)
        with m.If(self.tick):
            m.d.sync += pause.eq(pause + 1)
            with m.If(pause == 0):
                m.d.sync += seen.eq(self.now)
                with m.If((self.now & ~seen).any()):
                    m.d.sync += self.pressed.eq(self.now & ~seen)
        return m

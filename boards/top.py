"""A demonstration on the pins of a board."""

from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io

__all__ = ["Top"]


class Top(Elaboratable):
    """A demonstration with its plain signals on the board's pins. Its clock domain is ``sync``.

    Parameters
    ----------
    board : Board
    demo : Elaboratable
        With the signals `rx`, `tx`, `leds` and `buttons`; the last two are as wide as the board has of them.
    """

    def __init__(self, board, demo):
        self.board = board
        self.demo = demo

    def elaborate(self, platform):
        m = Module()
        m.submodules.demo = demo = self.demo
        uart = platform.request("uart", 0, dir="-")
        # Pins that the demonstration does not read, such as handshakes of the line, stay unconnected.
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [demo.rx.eq(rx.i), tx.o.eq(demo.tx)]
        for k, pad in enumerate(self._requested(platform, "led")):
            m.submodules[f"led_{k}"] = led = io.Buffer("o", pad)
            m.d.comb += led.o.eq(demo.leds[k])
        for k, pad in enumerate(self._requested(platform, "button")):
            m.submodules[f"button_{k}"] = button = io.Buffer("i", pad)
            m.d.comb += demo.buttons[k].eq(button.i)
        return m

    def _requested(self, platform, kind):
        """Ports of the board's LEDs or buttons, in order."""
        whole = {}
        for resource, number, *part in self.board.pads(kind):
            if (resource, number) not in whole:
                whole[resource, number] = platform.request(resource, number, dir="-")
            port = whole[resource, number]
            yield getattr(port, part[0]) if part else port

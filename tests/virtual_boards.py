"""A small board for tests: three units behind a serial line, compiled once."""

import functools
import os
import select
import threading
import tty

from hwact import Spec
from hwact.boards.gateware import Demo
from hwact.boards.machine import Machine
from hwact.boards.protocol import Command, Decoder, Frame
from hwact.boards.virtual import Faults, VirtualBoard, machine_of
from hwact.fixed import SQ
from hwact.programmable import Image, ImageSpec, ProgrammableDesign

#: Slow, so that what takes the board a while takes few cycles.
CLOCK_HZ = 1_000_000
#: Four cycles a bit.
BAUD = 250_000
#: Cycles of a tick, after which half a frame is given up, and after which the rate falls back.
TICK, HALF_FRAME, FALL_BACK = 512, 20_000, 270_000
LEDS, BUTTONS = 4, 2


@functools.cache
def designs():
    """A stream with a derivative, a comb unit of another width, and a programmable one."""
    return (
        Spec("tanh", "SQ3.3", "SQ1.5", derivative="direct", derivative_output="UQ1.6", interface="stream").design(),
        Spec("sigmoid", "SQ3.6", "UQ0.7", name="wide").design(),
        ProgrammableDesign("loadable", SQ(3, 3), SQ(1, 4), SQ(2, 6), 4, bus="wishbone"),
    )


@functools.cache
def image():
    """Tables for the programmable unit."""
    found = ImageSpec(designs()[2], "tanh").image()
    assert isinstance(found, Image)
    return found


@functools.cache
def demo():
    """The top of the small board."""
    return Demo(designs(), CLOCK_HZ, BAUD, leds=LEDS, buttons=BUTTONS)


@functools.cache
def _compiled():
    return machine_of(demo(), CLOCK_HZ).path


def machine():
    """A fresh small board."""
    return Machine(_compiled(), CLOCK_HZ)


class Wire:
    """A host that counts clock cycles instead of seconds."""

    def __init__(self):
        self.machine = machine()
        self.baud = BAUD
        self._tag = 0

    def send(self, data, cycles=20_000):
        """Frames that come back within so many cycles of silence."""
        decoder, found, out = Decoder(), [], self.machine.run(cycles, self.baud, data)
        while out or self.machine.busy:
            found += decoder.feed(out)
            out = self.machine.run(cycles, self.baud)
        return found

    def ask(self, kind, payload=b"", cycles=20_000):
        """The one reply to a request: its payload, or the `Fault`'s code as an integer."""
        self._tag = (self._tag + 1) & 0xFF
        (reply,) = self.send(Frame(kind, bytes(payload), self._tag).to_bytes(), cycles)
        assert reply.tag == self._tag
        if reply.kind == 0xFF:
            return reply.payload[0]
        assert reply.kind == kind | 0x80
        return reply.payload

    def select(self, unit):
        """Select a unit."""
        assert self.ask(Command.SELECT, [unit]) == b""


class Served:
    """The small board behind a pseudo-terminal, served by a thread; a context manager."""

    def __init__(self, made=machine, **faults):
        self._board = VirtualBoard(made(), demo().settle_cycles, Faults(**faults), BAUD)
        self._thread = threading.Thread(target=self._board.serve, kwargs={"seconds": 60})

    def __enter__(self):
        self._thread.start()
        return self._board.name

    def __exit__(self, *_):
        self._board.stop()
        self._thread.join()
        self._board.close()


class Relay:
    """A program that hands bytes on between a terminal of its own and another, whose rate it does not touch."""

    def __init__(self, port):
        self._port, self._stopped = port, False
        self._thread = threading.Thread(target=self._pump)

    def __enter__(self):
        self._board = os.open(self._port, os.O_RDWR | os.O_NOCTTY)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._thread.start()
        return os.ttyname(self._slave)

    def _pump(self):
        there = {self._board: self._master, self._master: self._board}
        while not self._stopped:
            for end in select.select(list(there), [], [], 0.05)[0]:
                os.write(there[end], os.read(end, 4096))

    def __exit__(self, *_):
        self._stopped = True
        self._thread.join()
        for end in (self._board, self._master, self._slave):
            os.close(end)


__all__ = [
    *("BAUD", "CLOCK_HZ", "FALL_BACK", "HALF_FRAME", "TICK"),
    *("Relay", "Served", "Wire", "demo", "designs", "image", "machine"),
]

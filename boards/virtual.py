"""A board without hardware: its circuit, compiled, behind a pseudo-terminal that looks like a serial port."""

import contextlib
import errno
import fcntl
import os
import random
import select
import struct
import termios
import time
import tty
from dataclasses import dataclass
from pathlib import Path

from ..errors import RequestError
from .client import DEFAULT_BAUD
from .machine import Machine, Pins, compiled, verilog_of

__all__ = ["Faults", "VirtualBoard", "machine_of", "virtual_machine"]

#: Clock cycles between two looks at the terminal.
_SLICE = 4096
#: Seconds between two looks at an idle terminal, and those after which what nobody reads is dropped.
_NAP, _UNREAD = 0.2, 1.0
#: Rate of a terminal that no host has given one.
_UNSET = 50
#: Linux's request for the rate of a terminal as a number, and where it is in the answer.
_TCGETS2, _SIZE, _SPEED = 0x802C542A, 44, 40
_RATES = {getattr(termios, name): int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdigit()}


def machine_of(demo, clock_hz):
    """Compile the top of a demonstration, as it goes to synthesis.

    Parameters
    ----------
    demo : Demo
        Or another top with `ports` that are called ``rx``, ``tx``, ``leds`` and ``buttons``.
    clock_hz : float

    Returns
    -------
    Machine
    """
    leds, buttons = (len(demo.ports[name]) for name in ("leds", "buttons"))
    pins = Pins(leds="leds" if leds else "", buttons="buttons" if buttons else "", led_count=leds)
    return virtual_machine(verilog_of(demo, demo.ports), "board", pins, clock_hz)


def virtual_machine(verilog, top, pins, clock_hz):
    """Compile Verilog from anywhere.

    Parameters
    ----------
    verilog : str
    top : str
        Name of its top module.
    pins : Pins
    clock_hz : float

    Returns
    -------
    Machine
    """
    return Machine(compiled(verilog, top, pins), clock_hz)


@dataclass(frozen=True)
class Faults:
    """What goes wrong on the line.

    Parameters
    ----------
    bit_errors : float
        Share of bits that are flipped, either way.
    garbage : float
        Share of bytes behind which a random one is inserted, either way.
    unplug_after : int or None
        Bytes after which the board is gone, both ways counted.
    seed : int
    """

    bit_errors: float = 0.0
    garbage: float = 0.0
    unplug_after: object = None
    seed: int = 1

    def __post_init__(self):
        for noun, value in (("Bit errors", self.bit_errors), ("Garbage", self.garbage)):
            if not 0 <= value <= 1:
                raise RequestError(f"{noun} must be a share of 0 to 1, not {value!r}")


class _Line:
    """The faults as they happen."""

    def __init__(self, faults):
        self._faults, self._random = faults, random.Random(faults.seed)
        self._left = faults.unplug_after

    @property
    def gone(self):
        """Whether the board is unplugged."""
        return self._left is not None and self._left <= 0

    def carry(self, data):
        """What becomes of bytes on their way."""
        if not data:
            return data
        if self._left is not None:
            data = data[: max(self._left, 0)]
            self._left -= len(data)
        faults, chance = self._faults, self._random.random
        if not (faults.bit_errors or faults.garbage):
            return data
        there = bytearray()
        for byte in data:
            there.append(byte ^ sum((chance() < faults.bit_errors) << k for k in range(8)))
            if chance() < faults.garbage:
                there.append(self._random.randrange(256))
        return bytes(there)


class VirtualBoard:
    """A machine behind a pseudo-terminal; a context manager.

    Parameters
    ----------
    machine : Machine
    settle_cycles : int
        Cycles after the last byte for which the clock goes on; then the board sleeps until the next.
    faults : Faults
    baud : int
        Rate of a host that sets none, such as a program that hands bytes on.

    Attributes
    ----------
    name : str
        The pseudo-terminal to open instead of a serial port.
    """

    def __init__(self, machine, settle_cycles=1 << 24, faults=Faults(), baud=DEFAULT_BAUD):
        self._machine, self._settle, self._line = machine, settle_cycles, _Line(faults)
        self._usual = baud
        self._master, slave = os.openpty()
        tty.setraw(slave)
        attributes = termios.tcgetattr(slave)
        attributes[4] = attributes[5] = termios.B50
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        self.name = os.ttyname(slave)
        # Held open, so that the terminal outlives its hosts.
        self._slave = slave
        os.set_blocking(self._master, False)
        self._stopped = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Unplug the board."""
        for end in (self._master, self._slave):
            if end is not None:
                os.close(end)
        self._master = self._slave = None
        self._machine.close()

    def stop(self):
        """Let `serve` end, from another thread."""
        self._stopped = True

    def serve(self, seconds=None):
        """Run until so many seconds are over, the board is unplugged, or stopped.

        Parameters
        ----------
        seconds : float, optional
        """
        end = None if seconds is None else time.monotonic() + seconds
        quiet = 0
        while not (self._stopped or self._line.gone or (end is not None and time.monotonic() >= end)):
            data = self._receive(0 if quiet < self._settle else _NAP)
            if data or quiet < self._settle:
                sent = self._machine.run(_SLICE, self._baud(), data)
                quiet = 0 if data or sent or self._machine.busy else quiet + _SLICE
                self._send(self._line.carry(sent))
        if self._line.gone:
            self.close()

    def _receive(self, patience):
        """What the host has sent, as it arrives."""
        if not select.select([self._master], [], [], patience)[0]:
            return b""
        try:
            return self._line.carry(os.read(self._master, 4096))
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EIO):
                return b""
            raise

    def _send(self, data):
        """Hand bytes to the host; the clock stands still while it does not read, but not for long."""
        while data:
            if not select.select([], [self._master], [], _UNREAD)[1]:
                return
            with contextlib.suppress(BlockingIOError):
                data = data[os.write(self._master, data) :]

    def _baud(self):
        """The rate that the host has set."""
        speed = 0
        with contextlib.suppress(OSError):
            state = fcntl.ioctl(self._master, _TCGETS2, bytes(_SIZE))
            speed = struct.unpack_from("I", state, _SPEED)[0]
        speed = speed or _RATES.get(termios.tcgetattr(self._master)[5], 0)
        return speed if speed > _UNSET else self._usual


@contextlib.contextmanager
def port_file(path, name):
    """A file that holds the name of a port as long as it is there: whole or not at all."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(f"{name}\n", encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise RequestError(f"Port file must be writable, not {str(path)!r}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)

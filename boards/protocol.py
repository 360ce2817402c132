"""The framed protocol between a host and the demo gateware: bytes to frames and back, without input or output.

A frame, of a request as of a reply, is this; numbers of several bytes have their highest byte first::

    sync (A5)  tag  kind  length (2)  payload (length)  CRC (2)

The CRC is CRC-16/IBM-3740 of everything between sync and CRC. A reply repeats the tag of its request, so that a late
one is not taken for another's.
"""

import struct
from binascii import crc_hqx
from dataclasses import astuple, dataclass
from enum import IntEnum

from ..errors import CheckError
from ..fixed import Format

__all__ = [
    "FAULT",
    "LARGEST_REQUEST",
    "RECORD",
    "REPLY",
    "SYNC",
    "VERSION",
    "Command",
    "Decoder",
    "Fault",
    "Frame",
    "Lamps",
    "Layout",
    "Record",
    "signature",
]

VERSION = 1
SYNC = 0xA5
#: What a reply's kind has beyond its request's.
REPLY = 0x80
#: Kind of a reply whose payload is a `Fault`.
FAULT = 0xFF
#: Payload of a request, at most.
LARGEST_REQUEST = 255
#: Payload of a reply, at most.
LARGEST_REPLY = 65535
#: Bytes of a `Record`.
RECORD = 128
_HEAD = struct.Struct(">BBBH")
_CRC_START = 0xFFFF


class Command(IntEnum):
    """Kinds of requests."""

    PING = 0
    BAUD = 1
    IDENTIFY = 2
    STATUS = 3
    SELECT = 4
    LAMPS = 5
    EVALUATE = 6
    SWEEP = 7
    RUN = 8
    WRITE = 9
    READ = 10


class Fault(IntEnum):
    """Why a request was not served."""

    CHECKSUM = 1
    COMMAND = 2
    LENGTH = 3
    ARGUMENT = 4
    TIMEOUT = 5
    BUS = 6

    @property
    def sentence(self):
        """The same in words."""
        return _FAULTS[self]


_FAULTS = {
    Fault.CHECKSUM: "the checksum was wrong",
    Fault.COMMAND: "the command is unknown",
    Fault.LENGTH: "the length does not suit the command",
    Fault.ARGUMENT: "an argument is out of range",
    Fault.TIMEOUT: "only a part of the frame arrived",
    Fault.BUS: "the unit's bus refused the access",
}


class Lamps(IntEnum):
    """What the LEDs show."""

    OFF = 0
    CURVE = 1
    ON = 2


@dataclass(frozen=True)
class Frame:
    """A request or a reply.

    Parameters
    ----------
    kind : int
    payload : bytes
    tag : int
    """

    kind: int
    payload: bytes = b""
    tag: int = 0

    def to_bytes(self):
        """The frame as it goes over the line."""
        body = _HEAD.pack(SYNC, self.tag, self.kind, len(self.payload)) + self.payload
        return body + crc_hqx(body[1:], _CRC_START).to_bytes(2)


class Decoder:
    """Frames out of a stream of bytes that may hold anything else as well.

    Whatever does not begin a sound frame is skipped byte by byte, so that no sound frame is lost after garbage.

    Parameters
    ----------
    expected : callable, optional
        ``expected(tag, kind, length)``, whether such a header can begin a frame; others are garbage at once.

    Attributes
    ----------
    garbage : int
        Bytes that were skipped.
    damaged : int
        Headers that were expected, but whose frame had a wrong checksum.
    """

    def __init__(self, expected=None):
        self._expected = expected or (lambda tag, kind, length: True)
        self._bytes = bytearray()
        self.garbage = self.damaged = 0

    def feed(self, data):
        """The frames that are complete now (list of Frame)."""
        self._bytes += data
        frames = []
        while frame := self._next():
            frames.append(frame)
        return frames

    @property
    def missing(self):
        """Bytes until the frame in hand can be complete; 1 where none has begun."""
        return max(self._length() - len(self._bytes), 1)

    def _length(self):
        """Bytes of the frame that begins the buffer, as far as is known."""
        if len(self._bytes) < _HEAD.size:
            return _HEAD.size
        return _HEAD.size + _HEAD.unpack_from(self._bytes)[3] + 2

    def _next(self):
        while self._bytes:
            start = self._bytes.find(SYNC)
            self._skip(start if start >= 0 else len(self._bytes))
            if len(self._bytes) < _HEAD.size:
                return None
            _, tag, kind, length = _HEAD.unpack_from(self._bytes)
            if self._expected(tag, kind, length):
                size = self._length()
                if len(self._bytes) < size:
                    return None
                if not crc_hqx(self._bytes[1:size], _CRC_START):
                    payload = bytes(self._bytes[_HEAD.size : size - 2])
                    del self._bytes[:size]
                    return Frame(kind, payload, tag)
                self.damaged += 1
            self._skip(1)
        return None

    def _skip(self, count):
        self.garbage += count
        del self._bytes[:count]


@dataclass(frozen=True)
class Layout:
    """Bytes of codes and results, the same for all units of a board.

    Parameters
    ----------
    x, y, dy : int
        Bytes of a code; 0 where no unit has a derivative.
    """

    x: int
    y: int
    dy: int

    @classmethod
    def of(cls, inputs, outputs, derivatives):
        """The layout that suffices for all formats."""
        return cls(*(max((-(-one.width // 8) for one in group), default=0) for group in (inputs, outputs, derivatives)))

    @property
    def result(self):
        """Bytes of a result: y, then dy."""
        return self.y + self.dy

    @property
    def count(self):
        """Bytes of a number of codes."""
        return self.x + 1

    @property
    def largest_sweep(self):
        """Codes of a sweep, at most."""
        return min(LARGEST_REPLY // self.result, self.largest_run)

    @property
    def largest_run(self):
        """Codes of a run, at most: all of them."""
        return 1 << 8 * self.x

    @property
    def largest_evaluate(self):
        """Codes in one request, at most."""
        return LARGEST_REQUEST // self.x


@dataclass(frozen=True)
class Record:
    """What a board says of one of its units.

    Parameters
    ----------
    version, units, unit : int
        Of the protocol; units of the board; number of this one.
    digest : bytes
        SHA-256 of the design.
    clock_hz, default_baud, latency : int
    input, output, derivative : Format
        `derivative` is None where the unit has none.
    domain : (int, int)
        First and last input code.
    layout : Layout
    leds, buttons : int
    programmable : bool
        Whether tables can be written.
    name : str
        At most 57 characters of it.
    """

    version: int
    units: int
    unit: int
    digest: bytes
    clock_hz: int
    default_baud: int
    latency: int
    input: Format
    output: Format
    derivative: object
    domain: tuple
    layout: Layout
    leds: int
    buttons: int
    programmable: bool
    name: str

    _FORM = struct.Struct(">BBBB32sIIB9siiBBBBB58s")

    def to_bytes(self):
        """The record in `RECORD` bytes."""
        formats = b"".join(map(_format_bytes, (self.input, self.output, self.derivative)))
        return self._FORM.pack(
            *(self.version, self.units, self.unit, self.programmable, self.digest, self.clock_hz, self.default_baud),
            *(self.latency, formats, *self.domain, *astuple(self.layout), self.leds, self.buttons),
            self.name.encode("ascii")[:57],
        ).ljust(RECORD, b"\0")

    @classmethod
    def from_bytes(cls, data):
        """The record in a reply's payload.

        Raises
        ------
        CheckError
            If it is of another version of the protocol, or malformed.
        """
        if len(data) != RECORD or data[0] != VERSION:
            found = data[0] if data else "none"
            raise CheckError(f"Board must speak version {VERSION} of the protocol, not {found}")
        version, units, unit, programmable, digest, clock, baud, latency, formats, low, high, *rest = cls._FORM.unpack(
            data[: cls._FORM.size]
        )
        *layout, leds, buttons, name = rest
        input, output, derivative = (_format(formats[k : k + 3]) for k in (0, 3, 6))
        return cls(
            *(version, units, unit, digest, clock, baud, latency, input, output, derivative, (low, high)),
            *(Layout(*layout), leds, buttons, bool(programmable), name.rstrip(b"\0").decode("ascii", "replace")),
        )


def _format_bytes(format):
    """Sign, integer bits and fraction bits; all zero for no format."""
    return struct.pack(">Bbb", format.signed, format.int_bits, format.frac_bits) if format else bytes(3)


def _format(data):
    signed, int_bits, frac_bits = struct.unpack(">Bbb", data)
    return Format(bool(signed), int_bits, frac_bits) if any(data) else None


#: Taps of the register that results are gathered in: those of CRC-32.
POLYNOMIAL = 0x04C11DB7


def signature(words):
    """Checksum of results as `Command.RUN` answers it.

    Parameters
    ----------
    words : iterable of int
        For each result, the bits of y, and those of dy XORed to them in the opposite order of 32.
    """
    value = 0
    for word in words:
        value = (value << 1 ^ word ^ (POLYNOMIAL if value >> 31 else 0)) & 0xFFFFFFFF
    return value

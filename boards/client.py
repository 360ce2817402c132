"""The host's end of a serial line: requests with their replies, whatever the line does to them."""

import contextlib
import time

from ..errors import CheckError, RequestError, ToolError
from .protocol import FAULT, REPLY, Command, Decoder, Fault, Frame, Record

__all__ = ["DEFAULT_BAUD", "Client"]

DEFAULT_BAUD = 115200
#: Rates at which a silent board is looked for, and those that are tried for speed.
_COMMON = (115200, 9600, 57600, 1_000_000, 3_000_000)
_FAST = (3_000_000, 2_000_000, 1_500_000, 1_000_000, 921_600, 500_000, 460_800, 230_400)
#: How often a request is sent, at most.
ATTEMPTS = 12
#: Seconds of silence that end the wait for a reply: of the first attempt, and of any.
_QUIET, _MOST_QUIET = 0.4, 2.0
#: Seconds after which the board has given up half a frame, and after which it has fallen back to its rate.
_HALF_FRAME, _FALL_BACK = 0.1, 1.6
#: Bytes of garbage in which a reply is looked for, beside its own length.
_MOST_GARBAGE = 4096
#: Share by which two rates may differ.
_TOLERANCE = 0.02
_PATTERN = bytes(range(0x00, 0x100, 0x0B)) + b"\xa5\xff\x55"


class _NoReplyError(Exception):
    """A request had no reply this time."""


class Client:
    """A board on a serial port; a context manager.

    Parameters
    ----------
    port : str
    baud : int
        The board's default rate.

    Attributes
    ----------
    baud : int
        The rate in use.
    record : Record
        What the board says of the selected unit.
    retries : int
        Requests that had to be sent again.
    garbage : int
        Bytes that belonged to no reply.

    Raises
    ------
    RequestError
        If there is no such port, or it may not be opened.
    ToolError
        If nothing answers, or the port vanishes.
    CheckError
        If what answers does not speak the protocol.
    """

    def __init__(self, port, baud=DEFAULT_BAUD):
        self.port, self._default, self.baud = port, baud, baud
        self.retries = self.garbage = 0
        self._tag = 0
        self._serial = _opened(port, baud)
        try:
            self._find()
            self.record = Record.from_bytes(self.request(Command.IDENTIFY, size=None))
        except BaseException:
            self._serial.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ToolError, CheckError, _NoReplyError):
            if self.baud != self._default:
                self._once(Command.BAUD, self._divisor(self._default).to_bytes(2), 0, 1)
        self._serial.close()

    def request(self, kind, payload=b"", size=0, attempts=ATTEMPTS, wait=0.0):
        """Send a request until its reply is there.

        Every request of the protocol may be served twice without harm.

        Parameters
        ----------
        kind : Command
        payload : bytes
        size : int or None
            Length of the reply's payload; None: any.
        attempts : int
        wait : float
            Seconds that the board takes before it replies.

        Returns
        -------
        bytes
            The reply's payload.

        Raises
        ------
        CheckError
            If the board refuses the request.
        ToolError
            If no reply comes, or the port vanishes.
        """
        for attempt in range(attempts):
            try:
                return self._once(kind, payload, size, attempt, wait)
            except _NoReplyError:
                self.retries += 1
                self._calm(attempt)
                if attempt % 4 == 3:
                    self._recover()
        raise ToolError(
            f"Board on {self.port} must answer at {self.baud} baud, not fail to {attempts} times in a row "
            f"({self.garbage} bytes were garbage)"
        )

    def _once(self, kind, payload, size, attempt, wait=0.0):
        """The reply's payload, or _NoReplyError if none comes in time."""
        self._tag = (self._tag + 1) & 0xFF
        tag = self._tag

        def expected(there, found, length):
            if found == FAULT:
                return length == 1
            return there == tag and found == kind | REPLY and (size is None or length == size)

        decoder = Decoder(expected)
        self._write(Frame(kind, payload, tag).to_bytes())
        quiet = min(_QUIET * 2**attempt, _MOST_QUIET) + wait
        try:
            while decoder.garbage <= _MOST_GARBAGE:
                data = self._read(decoder.missing, quiet)
                if not data:
                    break
                for frame in decoder.feed(data):
                    if frame.kind != FAULT:
                        return frame.payload
                    _check_fault(frame.payload[0])
                if decoder.damaged:
                    break
        finally:
            self.garbage += decoder.garbage
        raise _NoReplyError

    def _calm(self, attempt):
        """Wait until the line is silent, and the board listens again."""
        deadline = time.monotonic() + _FALL_BACK
        while time.monotonic() < deadline:
            data = self._read(4096, _HALF_FRAME * (1 + attempt // 2))
            if not data:
                return
            self.garbage += len(data)

    # -- rates ------------------------------------------------------------------------------------

    def _find(self):
        """Find the rate at which the board answers: its default, or, when that fails, a common one."""
        rates = (self._default, self._default, *(rate for rate in _COMMON if rate != self._default))
        for number, rate in enumerate(rates):
            self._set_rate(rate)
            if self._answers(2):
                self._default = rate
                return
            if number == 0:
                time.sleep(_FALL_BACK)  # an earlier host may have left it at another rate
        heard = f"but {self.garbage} bytes of garbage" if self.garbage else "but nothing"
        raise ToolError(
            f"Board on {self.port} must answer at {rates[0]} baud or another common rate, {heard} came back: "
            "check the port, the wiring and --baud, and that the board holds the demonstration"
        )

    def _answers(self, attempts):
        """Whether pings come back."""
        for attempt in range(attempts):
            try:
                if self._once(Command.PING, _PATTERN, len(_PATTERN), attempt) == _PATTERN:
                    return True
            except (_NoReplyError, CheckError):
                self._calm(attempt)
        return False

    def speed_up(self, baud=None):
        """Take the fastest rate that the board and the port share, or the given one.

        Parameters
        ----------
        baud : int, optional

        Raises
        ------
        RequestError
            If the given rate is not one of the board, or it does not work.
        """
        for rate in (baud,) if baud else _FAST:
            divisor = self._divisor(rate)
            actual = self.record.clock_hz / max(divisor, 1)
            if divisor < 4 or divisor > 0xFFFF or abs(actual / rate - 1) > _TOLERANCE:
                continue
            if self._try_rate(rate, divisor):
                return
        if baud:
            raise RequestError(
                f"Rate must be one that the port and the board's clock of {self.record.clock_hz} Hz can have, "
                f"not {baud} baud"
            )

    def _try_rate(self, rate, divisor):
        """Change to a rate; back to the one before if it does not work."""
        before = self.baud
        try:
            self.request(Command.BAUD, divisor.to_bytes(2), 0)
        except CheckError:
            return False
        if self._set_rate(rate, optional=True) and self._answers(3):
            return True
        self._set_rate(before)
        time.sleep(_FALL_BACK)
        self.request(Command.PING, _PATTERN, len(_PATTERN))
        return False

    def _recover(self):
        """Go back to the rate in use, should the board have fallen back to its own: the host was silent for long."""
        rate = self.baud
        if rate == self._default:
            return
        time.sleep(_FALL_BACK)
        self._set_rate(self._default)
        if not self._answers(2):
            self._set_rate(rate)
            return
        with contextlib.suppress(_NoReplyError):
            self._once(Command.BAUD, self._divisor(rate).to_bytes(2), 0, 1)
            self._set_rate(rate)

    def _divisor(self, baud):
        return round(self.record.clock_hz / baud)

    def _set_rate(self, rate, optional=False):
        try:
            self._serial.baudrate = rate
        except (OSError, ValueError, OverflowError) as error:
            if optional:
                return False
            raise RequestError(f"Rate must be one that {self.port} can have, not {rate} baud: {error}") from None
        self.baud = rate
        return True

    # -- bytes ------------------------------------------------------------------------------------

    def _write(self, data):
        with self._present():
            self._serial.write(data)
            self._serial.flush()

    def _read(self, most, quiet):
        """At most so many bytes; none after so many seconds of silence."""
        with self._present():
            self._serial.timeout = quiet
            data = self._serial.read(1)
            there = min(self._serial.in_waiting, most - 1) if data else 0
            return data + self._serial.read(there) if there > 0 else data

    @contextlib.contextmanager
    def _present(self):
        """Say in a sentence that the port has gone."""
        import termios

        try:
            yield
        except (OSError, TypeError, termios.error) as error:  # pyserial's own error is an OSError
            reason = str(error).partition("(")[0].strip() or type(error).__name__
            raise ToolError(f"Board on {self.port} must stay connected, not vanish: {reason}") from None


def _check_fault(code):
    """Raise CheckError if a request is refused for good, and _NoReplyError where the line is to blame."""
    if code in (Fault.CHECKSUM, Fault.LENGTH, Fault.TIMEOUT):
        raise _NoReplyError
    why = Fault(code).sentence if code in list(Fault) else f"of fault {code}"
    raise CheckError(f"Board must serve the request, not refuse it because {why}")


def _opened(port, baud):
    """The serial port, open for this process alone."""
    import serial
    from serial.tools.list_ports import comports

    try:
        return serial.Serial(port, baud, timeout=_QUIET, write_timeout=10, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        there = ", ".join(sorted(one.device for one in comports())) or "none"
        number = getattr(error, "errno", None)
        reasons = {
            2: f"missing (ports there are: {there})",
            13: "forbidden: join the group that owns it, such as dialout, or change its permissions",
            16: "in use by another program",
            11: "in use by another program",
        }
        reason = reasons.get(number) or f"unusable: {' '.join(str(error).split())} (ports there are: {there})"
        if "exclusively lock" in str(error):
            reason = reasons[16]
        raise RequestError(f"Port must be a serial port that can be opened, not {port!r}, which is {reason}") from None

"""Every code of a board's units, compared with the golden model bit for bit."""

import time
from dataclasses import asdict, dataclass

import numpy as np

from ..errors import CheckError, RequestError, ToolError
from ..programmable.registers import map_of
from .golden import find_design
from .outputs import outputs_of
from .protocol import LARGEST_REQUEST, Command, Record, signature

__all__ = ["Mismatch", "Probed", "load_image", "probe", "select"]

#: Codes of a request: at first and at most, and at least, when the line is bad.
_MOST, _LEAST = 4096, 8
#: Requests for the fewest codes that may fail in a row.
_TRIES = 16
#: Codes that also come from the host, at most.
_SENT = 1024
_WRITE = 6


@dataclass(frozen=True)
class Mismatch:
    """A result that is not the golden model's.

    Parameters
    ----------
    output : str
    code, expected, found : int
    """

    output: str
    code: int
    expected: int
    found: int

    def __str__(self):
        return f"{self.output} of code {self.code} must be {self.expected}, not {self.found}"


@dataclass(frozen=True)
class Probed:
    """What a unit on a board did.

    Parameters
    ----------
    record : Record
    name : str
        The unit's name, or the image's.
    codes : int
        Codes that were compared, all of the domain.
    mismatches : int
        Codes with a result that is not the golden model's.
    first : Mismatch or None
    seconds : float
        Time that the results took over the line.
    baud : int
    cycles : int
        Clock cycles that the unit took for all codes, one a cycle.
    signature_matches : bool
        Whether that run had the golden model's results.
    retries, garbage : int
        Requests that were sent again, and bytes that belonged to no reply.
    inputs : numpy.ndarray
    outputs : dict of numpy.ndarray
        Codes as the board answered them, by output.
    """

    record: Record
    name: str
    codes: int
    mismatches: int
    first: object
    seconds: float
    baud: int
    cycles: int
    signature_matches: bool
    retries: int
    garbage: int
    inputs: object
    outputs: dict

    @property
    def line_rate(self):
        """Codes a second over the line."""
        return self.codes / max(self.seconds, 1e-9)

    @property
    def run_rate(self):
        """Codes a second inside the board."""
        return self.codes * self.record.clock_hz / max(self.cycles, 1)

    @property
    def passed(self):
        """Whether every result is the golden model's."""
        return not self.mismatches and self.signature_matches

    def check(self):
        """Raise CheckError unless every result is the golden model's."""
        if self.mismatches:
            raise CheckError(f"Unit {self.name}: {self.first}; {self.mismatches} of {self.codes} codes differ")
        if not self.signature_matches:
            raise CheckError(f"Unit {self.name} must give the same results at one code a cycle, not others")

    def to_dict(self):
        """Plain numbers and strings, ready for JSON."""
        return {
            "unit": self.record.unit,
            "name": self.name,
            "digest": self.record.digest.hex(),
            "codes": self.codes,
            "mismatches": self.mismatches,
            "first_mismatch": asdict(self.first) if self.first else None,
            "signature_matches": self.signature_matches,
            "passed": self.passed,
            "seconds": round(self.seconds, 4),
            "codes_per_second": round(self.line_rate),
            "baud": self.baud,
            "cycles": self.cycles,
            "clock_hz": self.record.clock_hz,
            "codes_per_second_on_board": round(self.run_rate),
            "retries": self.retries,
            "garbage_bytes": self.garbage,
        }


def select(client, unit):
    """Select a unit and return its `Record`."""
    record = Record.from_bytes(client.request(Command.IDENTIFY, bytes([unit]), None))
    client.request(Command.SELECT, bytes([unit]))
    return record


def probe(client, unit=0, folders=(), image=None, tick=None):
    """Try every code of one unit.

    Parameters
    ----------
    client : Client
    unit : int
    folders : iterable of path
        Where the golden model is looked for (see `find_design`).
    image : Image, optional
        Tables for a programmable unit, to be loaded first.
    tick : callable, optional
        Called as ``tick(done, total)`` as the work goes on.

    Returns
    -------
    Probed

    Raises
    ------
    CheckError
        If the board holds another unit, or refuses a request.
    RequestError
        If the golden model cannot be found, or a programmable unit has no image.
    ToolError
        If the line breaks.
    """
    record = select(client, unit)
    model = design = find_design(record, folders)
    if record.programmable:
        if image is None:
            raise RequestError(f"Unit {record.name} is programmable: name an --image, made by hwact image")
        load_image(client, design, image)
        model = image.design
    retries, garbage = client.retries, client.garbage
    inputs = model.codes()
    expected = {name: model.evaluate(inputs, name) for name in outputs_of(model)}
    formats = outputs_of(design)
    client.request(Command.PING)  # the models may have taken so long that the board has fallen back to its rate
    began = time.monotonic()
    found = _read(_sweep(client, record, inputs, tick), record.layout, formats)
    seconds = time.monotonic() - began
    first, wrong = _compared(inputs, expected, found)
    sent = np.unique(np.linspace(0, len(inputs) - 1, min(_SENT, len(inputs))).astype(np.int64))
    streamed = _read(_evaluate(client, record, inputs[sent]), record.layout, formats)
    second, other = _compared(inputs[sent], {name: codes[sent] for name, codes in expected.items()}, streamed)
    cycles, matches = _run(client, record, inputs, expected, formats)
    return Probed(
        record=record,
        name=model.name,
        codes=len(inputs),
        mismatches=max(wrong, other),
        first=first or second,
        seconds=seconds,
        baud=client.baud,
        cycles=cycles,
        signature_matches=matches,
        retries=client.retries - retries,
        garbage=client.garbage - garbage,
        inputs=inputs,
        outputs=found,
    )


def load_image(client, design, image):
    """Write an image into the tables of the selected unit, and exchange the banks.

    Raises
    ------
    RequestError
        If the image is for another unit.
    CheckError
        If the unit refuses the image.
    """
    if image.unit.digest != design.digest:
        digests = design.digest[:12], image.unit.digest[:12]
        raise RequestError("Image must be for {name}, digest {}, not {}".format(*digests, name=design.name))
    control, _, active = map_of(design)
    writes = [address.to_bytes(2) + word.to_bytes(4) for address, word in image.writes]
    step = LARGEST_REQUEST // _WRITE
    for first in range(0, len(writes), step):
        client.request(Command.WRITE, b"".join(writes[first : first + step]))
    swap = control.address("CONTROL").to_bytes(2) + (1).to_bytes(4)
    identifier = active.address("IDENTIFIER").to_bytes(2)
    for _ in range(_TRIES):
        if client.request(Command.READ, identifier, 4) == image.identifier.to_bytes(4):
            return
        # Once, not until it is answered: a second exchange would undo the first.
        try:
            client.request(Command.WRITE, swap, attempts=1)
        except ToolError:
            continue
    raise CheckError(f"Unit {design.name} must exchange its banks, not keep the old one")


# -- requests for many codes -------------------------------------------------------------------


def _first(record, code):
    """A code as a request holds it."""
    return (int(code) & (1 << 8 * record.layout.x) - 1).to_bytes(record.layout.x)


def _sweep(client, record, inputs, tick):
    """Results of consecutive codes, counted by the board: fewer a request where the line is bad."""
    layout, parts, done, failed = record.layout, [], 0, 0
    most = min(_MOST, layout.largest_sweep)
    count = most
    while done < len(inputs):
        size = min(count, len(inputs) - done)
        payload = _first(record, inputs[done]) + size.to_bytes(layout.count)
        try:
            parts.append(client.request(Command.SWEEP, payload, size * layout.result, attempts=1))
        except ToolError as error:
            if "vanish" in str(error) or failed == _TRIES:
                raise
            failed += count <= _LEAST
            count = max(count // 2, _LEAST)
            continue
        done, failed, count = done + size, 0, min(count * 2, most)
        if tick:
            tick(done, len(inputs))
    return b"".join(parts)


def _evaluate(client, record, inputs):
    """Results of codes that the host sends."""
    layout = record.layout
    step = min(layout.largest_evaluate, 32)
    parts = []
    for first in range(0, len(inputs), step):
        codes = inputs[first : first + step]
        payload = b"".join(_first(record, code) for code in codes)
        parts.append(client.request(Command.EVALUATE, payload, len(codes) * layout.result))
    return b"".join(parts)


def _run(client, record, inputs, expected, formats):
    """Clock cycles of all codes at one a cycle, and whether the signature is the golden model's."""
    payload = _first(record, inputs[0]) + len(inputs).to_bytes(record.layout.count)
    wait = 50 * len(inputs) / record.clock_hz
    reply = client.request(Command.RUN, payload, 8, wait=wait)
    bits = {name: formats[name].to_bits(codes) for name, codes in expected.items()}
    words = bits["y"].astype(np.uint32)
    if "dy" in bits:
        words ^= _opposite(bits["dy"].astype(np.uint32))
    return int.from_bytes(reply[4:]), int.from_bytes(reply[:4]) == signature(words.tolist())


def _opposite(words):
    """Words of 32 bits with their bits in the opposite order."""
    for shift, mask in ((1, 0x55555555), (2, 0x33333333), (4, 0x0F0F0F0F), (8, 0x00FF00FF)):
        words = (words >> shift & mask) | ((words & mask) << shift)
    return words >> 16 | words << 16


def _read(data, layout, formats):
    """Output codes by name."""
    table = np.frombuffer(data, dtype=np.uint8).reshape(-1, layout.result).astype(np.int64)
    columns = {"y": table[:, : layout.y], "dy": table[:, layout.y :]}
    found = {}
    for name, format in formats.items():
        bits = np.zeros(len(table), dtype=np.int64)
        for column in columns[name].T:
            bits = bits << 8 | column
        found[name] = format.from_bits(bits & (1 << format.width) - 1)
    return found


def _compared(inputs, expected, found):
    """The first mismatch, and how many codes have one."""
    wrong = np.zeros(len(inputs), dtype=bool)
    for name, codes in expected.items():
        wrong |= codes != found[name]
    if not wrong.any():
        return None, 0
    place = int(wrong.argmax())
    name = next(name for name, codes in expected.items() if codes[place] != found[name][place])
    return Mismatch(name, int(inputs[place]), int(expected[name][place]), int(found[name][place])), int(wrong.sum())

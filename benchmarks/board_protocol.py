"""Frames of a short conversation with the demo gateware, byte by byte, with the results of the golden model."""

from tables import main

from hwact import Spec
from hwact.boards.gateware.demo import records_of
from hwact.boards.protocol import FAULT, REPLY, Command, Fault, Frame


def conversation():
    """What is said, the request and its reply (list of tuples)."""
    design = Spec("tanh", "SQ4.4", "SQ1.7", derivative="direct", derivative_output="UQ0.8", interface="stream").design()
    (record,) = records_of([design], 12_000_000, 115200, 5, 0)
    codes = range(-2, 2)
    first = (codes[0] & 0xFF).to_bytes(record.layout.x)
    results = b"".join(
        (int(design.evaluate(code, name)) & 0xFF).to_bytes(1) for code in codes for name in ("y", "dy")
    )
    said = [
        ("Is anybody there?", Command.PING, b"hi", b"hi"),
        ("Four clock cycles a bit, please: 3 Mbaud at 12 MHz", Command.BAUD, (4).to_bytes(2), b""),
        ("y and dy of the codes -2 to 1", Command.SWEEP, first + len(codes).to_bytes(record.layout.count), results),
    ]
    lines = []
    for tag, (words, kind, payload, reply) in enumerate(said, 1):
        lines.append((words, Frame(kind, payload, tag), Frame(kind | REPLY, reply, tag)))
    lines.append(("Unit 1, which there is not", Frame(Command.SELECT, b"\1", 4), Frame(FAULT, bytes([Fault.ARGUMENT]), 4)))
    return lines


def _hexadecimal(frame):
    """A frame's bytes in groups: sync, tag, kind, length, payload, CRC."""
    data = frame.to_bytes()
    groups = data[:1], data[1:2], data[2:3], data[3:5], data[5:-2], data[-2:]
    return " ".join(group.hex() for group in groups if group)


def make():
    """The conversation as a code block."""
    lines = []
    for words, request, reply in conversation():
        lines += [f"# {words}", f"> {_hexadecimal(request)}", f"< {_hexadecimal(reply)}"]
    return "```\n" + "\n".join(lines) + "\n```\n"


if __name__ == "__main__":
    main(make, "frames", "docs/board-protocol.md", __doc__)

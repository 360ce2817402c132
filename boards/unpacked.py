"""The circuit in an iCE40 bitstream, as Verilog again: what the device itself would do."""

import re
import tempfile
from pathlib import Path

from ..errors import RequestError
from ..synth.tools import product, run_icebox_vlog, run_yowasp, yosys_share
from .build import MANIFEST, read_build
from .machine import Pins

__all__ = ["TOP", "pins_of", "read_bitstream", "unpacked"]

#: Module of the Verilog text, and that of the device in it.
TOP, _CHIP = "board", "chip"
_HEAD = re.compile(rf"^module ({_CHIP}) \((.*)\);$", re.MULTILINE)
_RAM = re.compile(r"^module SB_RAM40_4K\w* .*?^endmodule\n", re.MULTILINE | re.DOTALL)
#: The models' ports may be left open in a newer Verilog; all of them are connected here.
_MACROS = "".join(f"`define ICE40_DEFAULT_ASSIGNMENT_{name}\n" for name in ("V(v)", "0", "1"))


def read_bitstream(board, path):
    """The bits for an iCE40 board: those of a file, or of a folder of ``hwact board build``.

    Raises
    ------
    RequestError
        If the board has no iCE40, or there is no bitstream for it.
    CheckError
        If the bitstream of the folder was altered.
    """
    if board.family != "ice40":
        raise RequestError(f"Bitstream must be that of an iCE40 to be read back, not of the {board.device}")
    path = Path(path)
    if path.is_dir() or (path.parent / MANIFEST).is_file():
        folder = path if path.is_dir() else path.parent
        manifest = read_build(folder)
        if manifest["board"] != board.name:
            raise RequestError(f"Bitstream must be for {board.name}, not for {manifest['board']}: {str(path)!r}")
        path = folder / manifest["bitstream"] if path.is_dir() else path
    try:
        return path.read_bytes()
    except OSError as error:
        raise RequestError(f"Bitstream must be readable, not {str(path)!r}: {error.strerror}") from None


def pins_of(board):
    """Ports of what `unpacked` returns."""
    leds, buttons = (len(board.pads(kind)) for kind in ("led", "button"))
    return Pins(leds="leds" if leds else "", buttons="buttons" if buttons else "", led_count=leds)


def unpacked(board, bits):
    """Verilog of the circuit in a bitstream, with the plain ports that a demonstration has.

    The bits of the device are turned into lookup tables, registers and memories by IceStorm, from the board's pins
    inwards: nothing of the design, the netlist or the constraints is read.

    Parameters
    ----------
    board : Board
        One with an iCE40.
    bits : bytes

    Returns
    -------
    str
        A module `TOP` with the ports ``clk``, ``rx``, ``tx``, ``leds`` and ``buttons``; LEDs and buttons are 1 for
        lit and for pressed.

    Raises
    ------
    ToolError
        If a tool is missing or breaks.
    """
    pins = {name.replace(" ", "_"): pin for name, pin in board.pins().items()}
    constraints = "".join(f"set_io {name} {pin.removeprefix('~')}\n" for name, pin in pins.items())
    package = board.device.partition("-")[2].lower()
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        Path(folder, "board.bin").write_bytes(bits)
        Path(folder, "board.pcf").write_text(constraints, encoding="utf-8")
        run_yowasp("iceunpack", ["board.bin", "board.asc"], folder)
        product(folder, "board.asc", "iceunpack")
        run_icebox_vlog(["-s", "-d", package, "-p", "board.pcf", "-n", _CHIP, "board.asc"], folder, "board.v")
        chip = product(folder, "board.v", "icebox_vlog").decode()
    models = (yosys_share() / "ice40" / "cells_sim.v").read_text(encoding="utf-8")
    return _MACROS + "".join(_RAM.findall(models)) + _HEAD.sub(_declared, chip) + _wrapper(pins)


def _declared(head):
    """The head of a module with its ports declared after it, as the wires of the same names want it."""
    ports = head[2].split(", ")
    names = ", ".join(port.split()[-1] for port in ports)
    return f"module {head[1]} ({names});\n" + "".join(f"{port};\n" for port in ports)


def _wrapper(pins):
    """Verilog of the module `TOP`, in which an inverted pin of the device is not."""
    connections, body = [], []
    widths = {kind: sum(name.startswith(kind) for name in pins) for kind in ("led", "button")}
    for name, pin in pins.items():
        kind, _, number = name.partition("_")
        plain = f"{kind}s[{number}]" if number else name
        inverted = "~" * pin.startswith("~")
        if kind == "led":
            body.append(f"  wire {name};\n  assign {plain} = {inverted}{name};\n")
            plain, inverted = name, ""
        connections.append(f".{name}({inverted}{plain})")
    ports = ["input clk", "input rx", "output tx"]
    ports += [f"output [{widths['led'] - 1}:0] leds"] * bool(widths["led"])
    ports += [f"input [{widths['button'] - 1}:0] buttons"] * bool(widths["button"])
    instance = f"  {_CHIP} chip ({', '.join(connections)});\n"
    return f"module {TOP} ({', '.join(ports)});\n{''.join(body)}{instance}endmodule\n"

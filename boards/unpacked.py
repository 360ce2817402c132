"""The circuit in an iCE40 bitstream, as Verilog again: what the device itself would do."""

import re
import tempfile
from pathlib import Path

from ..errors import RequestError
from ..synth.tools import product, run_icebox_vlog, run_yowasp, yosys_share
from .build import read_build
from .steps import NAME

__all__ = ["TOP", "unpacked"]

#: Module of the Verilog text.
TOP = "board"
_PIN = re.compile(r"^set_io\s+(\S+)\s+(\S+)", re.MULTILINE)
_HEAD = re.compile(rf"^module ({NAME}) \((.*)\);$", re.MULTILINE)
_RAM = re.compile(r"^module SB_RAM40_4K\w* .*?^endmodule\n", re.MULTILINE | re.DOTALL)
#: The models' ports may be left open in a newer Verilog; all of them are connected here.
_MACROS = "`define ICE40_DEFAULT_ASSIGNMENT_V(v)\n`define ICE40_DEFAULT_ASSIGNMENT_0\n`define ICE40_DEFAULT_ASSIGNMENT_1\n"
_PINS, _CHIP = "demo.pcf", "demo.v"


def unpacked(board, folder):
    """Verilog of the circuit in a build's bitstream, with the plain ports that a demonstration has.

    The bits of the device are turned into lookup tables, registers and memories by IceStorm, from the pins inwards:
    nothing of the design or the netlist is read.

    Parameters
    ----------
    board : Board
        One with an iCE40.
    folder : path
        As from ``hwact board build``.

    Returns
    -------
    str
        A module `TOP` with the ports ``clk``, ``rx``, ``tx``, ``leds`` and ``buttons``; LEDs and buttons are as the
        eye sees them, 1 for lit and for pressed.

    Raises
    ------
    RequestError
        If the board has no iCE40, or the folder is no build for it.
    CheckError
        If the bitstream was altered.
    ToolError
        If a tool is missing or breaks.
    """
    if board.family != "ice40":
        raise RequestError(f"Bitstream must be that of an iCE40 to be read back, not of the {board.device}")
    manifest = read_build(folder)
    if manifest["board"] != board.name:
        raise RequestError(f"Folder must hold a build for {board.name}, not for {manifest['board']}: {str(folder)!r}")
    pins = Path(folder, manifest["constraints"]).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="hwact-") as scratch:
        bits = Path(folder, manifest["bitstream"]).read_bytes()
        Path(scratch, "demo.bin").write_bytes(bits)
        Path(scratch, _PINS).write_text(pins, encoding="utf-8")
        run_yowasp("iceunpack", ["demo.bin", "demo.asc"], scratch)
        product(scratch, "demo.asc", "iceunpack")
        package = board.device.partition("-")[2].lower()
        run_icebox_vlog(["-s", "-d", package, "-p", _PINS, "-n", NAME, "demo.asc"], scratch, _CHIP)
        chip = product(scratch, _CHIP, "icebox_vlog").decode()
    return _memories() + _HEAD.sub(_declared, chip) + _wrapper(board, pins)


def _declared(head):
    """The head of a module with its ports declared after it, as the wires of the same names want it."""
    ports = head[2].split(", ")
    names = ", ".join(port.split()[-1] for port in ports)
    return f"module {head[1]} ({names});\n" + "".join(f"{port};\n" for port in ports)


def _memories():
    """Verilog of the block RAMs, as Yosys models them."""
    path = yosys_share() / "ice40" / "cells_sim.v"
    modules = _RAM.findall(path.read_text(encoding="utf-8"))
    return _MACROS + "".join(modules)


def _wrapper(board, constraints):
    """Verilog of a module `TOP` that gives the pins their plain names."""
    ports = {pin: port for port, pin in _PIN.findall(constraints)}
    widths = {kind: len(board.pads(kind)) for kind in ("led", "button")}
    lines, connections = [], []
    for name, pin in board.pins().items():
        kind, _, number = name.partition(" ")
        plain = f"{kind}s[{number}]" if number else name
        port = ports[pin.removeprefix("~")]
        inverted = "~" if pin.startswith("~") else ""
        if kind == "led":
            lines += [f"  wire {port};", f"  assign {plain} = {inverted}{port};"]
            plain, inverted = port, ""
        connections.append(f".{port}({inverted}{plain})")
    declared = [
        "input clk, input rx, output tx",
        f"output [{max(widths['led'], 1) - 1}:0] leds",
        f"input [{max(widths['button'], 1) - 1}:0] buttons",
    ]
    body = "\n".join([*lines, f"  {NAME} chip ({', '.join(connections)});"])
    return f"module {TOP} ({', '.join(declared)});\n{body}\nendmodule\n"

"""The fifth rung: the bitstream itself, unpacked again.

For iCE40 the bits of the device are turned back into Verilog with IceStorm's ``icebox_vlog``, from the pins
inwards, and that circuit equals the golden model on every code: a placement, a route or a bit that is wrong
shows. For ECP5 there is no such tool, so the bitstream is unpacked and packed again: it must come out the
same to the last byte and hold every lookup table that was routed, which says that nothing was lost on the
way into the file, not that the circuit is right.
"""

import json
import re
import tempfile
from functools import partial
from pathlib import Path

from ..errors import CheckError, RequestError, ToolError
from ..synth.flow import write_netlist
from ..synth.targets import FAMILIES, find_target
from ..synth.tools import named, product, run_icebox_vlog, run_yowasp
from .certificate import Check
from .netlist import Steps, compare, count, flags, outputs, run_all

__all__ = ["check_bitstream", "pack_ice40", "place", "unpack_ice40"]

#: Devices to try, the smallest first.
_DEVICES = {"ice40": ("ice40-hx1k", "ice40-hx8k"), "ecp5": ("ecp5-25k", "ecp5-85k")}
_OUTPUT = {"ice40": "--asc", "ecp5": "--textcfg"}
_FULL = re.compile(r"no BELs remaining|[Uu]nable to find a placement|[Uu]nable to place|[Ff]ailed to (?:place|route)")
_LUT = re.compile(r"word: \S+\.INIT \d*0\d*$")


def check_bitstream(design, verilog, tick=None):
    """Make bitstreams of a unit, alone on its pins, for iCE40 and ECP5, and check what is in them.

    Neither DSP blocks nor block RAMs are used.

    Parameters
    ----------
    design : Design
    verilog : str
        Text with the module ``design.name``.
    tick : callable, optional
        Called as ``tick(done, total)`` as the work goes on.

    Returns
    -------
    list of Check

    Raises
    ------
    CheckError
        If the circuit in the iCE40 bitstream differs from the golden model, has another latency or breaks a
        handshake's rules, or if the ECP5 bitstream does not survive unpacking.
    RequestError
        If the unit does not fit a device.
    ToolError
        If a tool is missing, breaks or writes nothing.
    """
    step = Steps(tick, 9)
    return run_all(partial(check, design, verilog, step) for check in (_check_ice40, _check_ecp5))


def place(verilog, top, family, folder):
    """Synthesise a unit, and place and route it on the smallest device of its family that holds it.

    ``placed`` in `folder` then holds the device's configuration as text, and ``pins.pcf`` the pins, where the
    target lists its package's.

    Returns
    -------
    Target

    Raises
    ------
    RequestError
        If the unit fits no device.
    ToolError
        If a tool is missing, breaks or writes nothing.
    """
    netlist = write_netlist(verilog, top, family, bram=False, language="json")
    Path(folder, "unit.json").write_text(netlist, encoding="utf-8")
    bits = tuple(_bits(json.loads(netlist)["modules"][top]["ports"]))
    for target in map(find_target, _DEVICES[family]):
        if _fits(target, bits, folder):
            product(folder, "placed", FAMILIES[family].nextpnr)
            return target
    raise RequestError(f"Unit must fit {target.device}, not need more cells or pins")


def _bits(ports):
    """Names of the ports' bits, as nextpnr knows them."""
    for name, port in ports.items():
        width = len(port["bits"])
        yield from (f"{name}[{k}]" for k in range(width)) if width > 1 else (name,)


def _fits(target, bits, folder):
    """Place and route; False if the unit has too many pins or cells."""
    tool = FAMILIES[target.family].nextpnr
    arguments = [*target.arguments, "--json", "unit.json", _OUTPUT[target.family], "placed"]
    if target.pins and len(bits) > len(target.pins):
        return False
    if target.pins:
        pins = "".join(f"set_io {bit} {pin}\n" for bit, pin in zip(bits, target.pins))
        Path(folder, "pins.pcf").write_text(pins, encoding="utf-8")
        arguments += ["--pcf", "pins.pcf"]
    else:
        arguments += ["--lpf-allow-unconstrained"]
    try:
        run_yowasp(tool, arguments, folder, timeout=1800)
    except ToolError as error:
        if _FULL.search(str(error)):
            return False
        raise
    return True


# -- iCE40 -------------------------------------------------------------------------------------


def _check_ice40(design, verilog, step):
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        tools = [named(tool) for tool in ("yosys", "nextpnr-ice40", "icepack", "icebox_vlog", "g++")]
        target = place(verilog, design.name, "ice40", folder)
        step()
        pack_ice40(folder)
        step()
        text = unpack_ice40(folder, design.name, target)
        step()
    compare(design, text, f"{target.device} bitstream")
    step()
    method = (
        f"{target.device} bitstream ({flags('ice40')}), unpacked and turned back into Verilog from the pins on, "
        "equals golden model, compiled simulation (CXXRTL), latency and stalls included"
    )
    return Check("bitstream", "bitstream_ice40", outputs(design), method, count(design), tools=tuple(tools))


def pack_ice40(folder):
    """Make the bitstream ``unit.bin`` of ``placed`` in `folder`."""
    run_yowasp("icepack", ["placed", "unit.bin"], folder)
    product(folder, "unit.bin", "icepack")


def unpack_ice40(folder, top, target):
    """Verilog text of a module `top`: the circuit in ``unit.bin`` of `folder`, between the pins of ``pins.pcf``.

    Raises
    ------
    ToolError
        If a tool is missing, breaks or writes nothing.
    """
    run_yowasp("iceunpack", ["unit.bin", "unpacked"], folder)
    product(folder, "unpacked", "iceunpack")
    package = target.arguments[-1]
    run_icebox_vlog(["-s", "-c", "-d", package, "-p", "pins.pcf", "-n", top, "unpacked"], folder, "unpacked.v")
    return product(folder, "unpacked.v", "icebox_vlog").decode()


# -- ECP5 --------------------------------------------------------------------------------------


def _check_ecp5(design, verilog, step):
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        tools = [named(tool) for tool in ("yosys", "nextpnr-ecp5", "ecppack")]
        device = place(verilog, design.name, "ecp5", folder).device
        step()
        packed = _pack_ecp5(folder, "placed", "unit.bit")
        step()
        run_yowasp("ecpunpack", ["unit.bit", "unpacked"], folder)
        unpacked = product(folder, "unpacked", "ecpunpack").decode()
        step()
        again = _pack_ecp5(folder, "unpacked", "again.bit")
        step()
        tables = _tables(product(folder, "placed", "nextpnr-ecp5").decode())
    if again != packed:
        raise CheckError(f"Bitstream for {device} must be the same when it is unpacked and packed, not another")
    if _tables(unpacked) != tables:
        raise CheckError(f"Bitstream for {device} must hold the lookup tables that were routed, not others")
    method = (
        f"{device} bitstream ({flags('ecp5')}), unpacked and packed again, is the same to the last byte and "
        f"holds the {len(tables)} lookup tables that were routed; a round trip, not a simulation"
    )
    return Check("bitstream", "bitstream_ecp5", outputs(design), method, 0, "no codes", tuple(tools))


def _pack_ecp5(folder, configuration, bitstream):
    run_yowasp("ecppack", [configuration, bitstream], folder)
    return product(folder, bitstream, "ecppack")


def _tables(configuration):
    """Tile, place and contents of each lookup table in a Trellis configuration (constant ones are its default)."""
    tables, tile = set(), None
    for line in configuration.splitlines():
        if line.startswith(".tile "):
            tile = line
        elif _LUT.match(line):
            tables.add((tile, line))
    return tables

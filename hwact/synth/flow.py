"""Synthesis, placement and routing of emitted Verilog, with results kept on disk.

Area is that of the unit alone. The maximum frequency is that of the unit between registers: a shell
of shift registers with four pins surrounds it on the device, so that units of any width fit any
package and the frequency of a combinational unit means something too.
"""

import contextlib
import hashlib
import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..errors import RequestError, ToolError
from .targets import FAMILIES, find_target
from .tools import cache_folder, product, require_yowasp, run_yosys, run_yowasp, tool_versions

__all__ = ["Cells", "SynthReport", "count_cells", "synthesise", "write_netlist"]

_CACHE_VERSION = 2
#: Bytes of an entry of the cache, at most.
_MAX_ENTRY = 1 << 16
_SHELL = "hwact_shell"
#: nextpnr's goal; out of reach, so that it always does its best.
_GOAL_MHZ = 400
_ESTIMATE = re.compile(r"Max frequency for clock .*: ([0-9.]+) MHz")
_WRITERS = {"verilog": "write_verilog -noattr", "json": "write_json"}
_DEPTH = re.compile(r"^Longest topological path in .* \(length=(\d+)\)", re.MULTILINE)


@dataclass(frozen=True)
class Cells:
    """Cells of a synthesised unit.

    Parameters
    ----------
    luts : int
        Four-input lookup tables.
    carries : int
        Carry cells: SB_CARRY, CCU2C (two bits each) or ALU.
    ffs, dsps, brams : int
        Flip-flops, multiplier blocks, block RAMs.
    bram_bits : int
        Capacity of those block RAMs.
    area : int
        Lookup tables taken up, those of the carry cells included.
    depth : int
        Cells on the longest path between registers or ports.
    """

    luts: int
    carries: int
    ffs: int
    dsps: int
    brams: int
    bram_bits: int
    area: int
    depth: int

    def to_dict(self):
        """Plain numbers and strings, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class SynthReport:
    """What synthesis, placement and routing made of a unit.

    Parameters
    ----------
    top : str
    target : str
    cells : Cells or None
        The unit's own cells; None where synthesis failed.
    fmax_mhz : float or None
        Maximum clock frequency between registers; None where the unit was not placed.
    seed : int
        Seed of the placement.
    dsp, bram : bool
        Whether DSP blocks and block RAMs were allowed.
    status : str
        ``routed``, ``synthesised`` (placement not asked for) or ``failed``.
    reason : str
        Why it failed.
    tool_versions : dict of str
    """

    top: str
    target: str
    cells: object
    fmax_mhz: object
    seed: int
    dsp: bool
    bram: bool
    status: str
    reason: str
    tool_versions: dict

    @property
    def delay_ns(self):
        """Longest delay between registers, or None."""
        return 1000 / self.fmax_mhz if self.fmax_mhz else None

    def to_dict(self):
        """One flat row of numbers and strings, ready for JSON."""
        row = asdict(self)
        cells = row.pop("cells") or dict.fromkeys(Cells.__dataclass_fields__)
        return {"top": row.pop("top"), "target": row.pop("target"), **cells, "delay_ns": self.delay_ns, **row}


def count_cells(verilog, top, family="ice40", *, dsp=False, bram=True, timeout=600):
    """Synthesise a unit and count its cells; nothing is placed.

    Parameters
    ----------
    verilog : str
        Text with a module `top`.
    top : str
    family : str
        ``ice40``, ``ecp5`` or ``gowin``.
    dsp : bool
        Whether multipliers may become DSP blocks.
    bram : bool
        Whether tables may become block RAMs.
    timeout : float
        Seconds.

    Returns
    -------
    Cells

    Raises
    ------
    RequestError
        If there is no such family.
    ToolError
        If Yosys is missing, fails or runs out of time.
    """
    family = _family(family)
    flags = family.flags(dsp, bram)

    def build():
        with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
            commands = ["tee -q -o stat.json stat -json", "tee -q -o depth.txt ltp -noff"]
            _synthesise(verilog, top, family, flags, commands, Path(folder), timeout)
            return _count(Path(folder), family).to_dict()

    return Cells(**_cached("cells", build, verilog, top, family.name, flags))


def write_netlist(verilog, top, family="ice40", *, dsp=False, bram=True, language="verilog", timeout=600):
    """Synthesise a unit and return its netlist of the family's cells, as Verilog text.

    Parameters
    ----------
    verilog, top, family, dsp, bram, timeout
        As for `count_cells`.
    language : str
        ``verilog``, or ``json``, which nextpnr reads.

    Raises
    ------
    RequestError
        If there is no such family.
    ToolError
        If Yosys is missing, fails or runs out of time.
    """
    family = _family(family)
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        commands = [f"{_WRITERS[language]} netlist"]
        _synthesise(verilog, top, family, family.flags(dsp, bram), commands, Path(folder), timeout)
        return product(folder, "netlist", "yosys").decode()


def synthesise(verilog, top, target="ice40", *, place=True, seed=1, dsp=False, bram=True, timeout=900):
    """Synthesise a unit and, unless `place` is false, place and route it between registers.

    Parameters
    ----------
    verilog : str
        Text with a module `top`; its clock, if any, is the port ``clk``.
    top : str
    target : str or Target
        A name of `TARGETS`, or a family's name.
    place : bool
    seed : int
        Seed of the placement.
    dsp : bool
        Whether multipliers may become DSP blocks, where the target has them.
    bram : bool
        Whether tables may become block RAMs.
    timeout : float
        Seconds for each tool.

    Returns
    -------
    SynthReport
        A unit that the tools could not build is a report too, with the status ``failed`` and a reason.

    Raises
    ------
    RequestError
        If there is no such target.
    ToolError
        If a tool is missing.
    """
    target = find_target(target)
    dsp = bool(dsp and target.dsps)
    if place:
        require_yowasp(FAMILIES[target.family].nextpnr)
    report = SynthReport(top, target.name, None, None, seed, dsp, bool(bram), "failed", "", tool_versions())
    try:
        cells = count_cells(verilog, top, target.family, dsp=dsp, bram=bram, timeout=timeout)
        report = replace(report, cells=cells, status="synthesised")
        if place:
            work = (verilog, top, target, FAMILIES[target.family].flags(dsp, bram), seed)
            fmax_mhz = _cached(
                "fmax", lambda: _place(*work, timeout), verilog, top, asdict(target), *work[3:]
            )
            report = replace(report, fmax_mhz=fmax_mhz, status="routed")
    except ToolError as error:
        return replace(report, status="failed", reason=str(error))
    return report


# -- Yosys -------------------------------------------------------------------------------------


def _family(name):
    if name not in FAMILIES:
        raise RequestError(f"Family must be one of {', '.join(FAMILIES)}, not {name!r}")
    return FAMILIES[name]


def _synthesise(verilog, top, family, flags, commands, folder, timeout):
    """Synthesise the unit alone in `folder`, then run the Yosys `commands` there."""
    (folder / "unit.v").write_text(verilog, encoding="utf-8")
    run_yosys(
        ["read_verilog unit.v", f"{family.synthesis} {flags} -top {top}", *commands], folder, timeout=timeout
    )


def _count(folder, family):
    """Read the cells from ``stat.json`` and ``depth.txt``."""
    by_type = json.loads(product(folder, "stat.json", "yosys"))["design"]["num_cells_by_type"]

    def count(pattern):
        return sum(number for name, number in by_type.items() if re.fullmatch(pattern, name))

    counts = {name: count(getattr(family, name)) for name in ("luts", "carries", "ffs", "dsps", "brams")}
    depth = _DEPTH.search(product(folder, "depth.txt", "yosys").decode())
    return Cells(
        **counts,
        bram_bits=counts["brams"] * family.bram_bits,
        area=counts["luts"] + family.carry_luts * counts["carries"],
        depth=int(depth[1]) if depth else 0,
    )


# -- place and route ---------------------------------------------------------------------------


def _place(verilog, top, target, flags, seed, timeout):
    """Maximum frequency (MHz) of the unit between registers."""
    family = FAMILIES[target.family]
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        folder = Path(folder)
        _surround(verilog, top, family, flags, folder, timeout)
        (folder / "shell.cst").write_text(target.constraints, encoding="utf-8")
        arguments = [
            *target.arguments,
            "--json",
            "shell.json",
            "--report",
            "report.json",
            "--seed",
            str(seed),
        ]
        arguments += ["--freq", str(_GOAL_MHZ), "--timing-allow-fail"]
        if target.family == "ecp5":
            arguments.append("--lpf-allow-unconstrained")
        log = run_yowasp(family.nextpnr, arguments, folder, timeout=timeout)
        clocks = json.loads(product(folder, "report.json", family.nextpnr))["fmax"]
    found = [clock["achieved"] for clock in clocks.values()]
    if not family.routed_timing:
        found += [float(match[1]) for match in _ESTIMATE.finditer(log)]
    if not found:
        raise ToolError(f"Tool {family.nextpnr} must report a clock, not none")
    return round(min(found), 2)


def _surround(verilog, top, family, flags, folder, timeout):
    """Leave ``shell.json``, the netlist of the unit in its shell, in `folder`.

    Unit and shell are synthesised apart, so that no register of the shell merges with the unit (a
    table between registers would become a block RAM) and what is placed is what was counted.
    """
    commands = ["write_rtlil unit.il", "write_json unit.json"]
    _synthesise(verilog, top, family, flags, commands, folder, timeout)
    ports = json.loads(product(folder, "unit.json", "yosys"))["modules"][top]["ports"]
    ports = {name: (port["direction"], len(port["bits"])) for name, port in ports.items()}
    (folder / "shell.v").write_text(_stub(ports, top) + _shell(ports, top), encoding="utf-8")
    commands = [
        "read_verilog shell.v",
        f"{family.synthesis} -top {_SHELL}",
        "read_rtlil -overwrite unit.il",
        f"hierarchy -top {_SHELL}",
        "flatten",
        "opt_clean",
        "write_json shell.json",
    ]
    run_yosys(commands, folder, timeout=timeout)


def _stub(ports, top):
    """Verilog of the unit as a black box."""
    lines = ",\n".join(f"  {direction} [{width - 1}:0] {name}" for name, (direction, width) in ports.items())
    return f"(* blackbox *)\nmodule {top} (\n{lines}\n);\nendmodule\n"


def _shell(ports, top):
    """Verilog of a top module with four pins that puts every port of `top` between registers."""
    inputs = {
        name: width for name, (direction, width) in ports.items() if direction == "input" and name != "clk"
    }
    outputs = {name: width for name, (direction, width) in ports.items() if direction == "output"}
    inside, outside = sum(inputs.values()), sum(outputs.values())
    clock = [".clk(clk)"] if "clk" in ports else []
    connections = ", ".join(clock + _slices(inputs, "given") + _slices(outputs, "result"))
    return f"""module {_SHELL} (input clk, input shift_in, input load, output shift_out);
  reg [{inside - 1}:0] given;
  reg [{outside - 1}:0] taken, shifted;
  wire [{outside - 1}:0] result;
  assign shift_out = shifted[{outside - 1}];
  always @(posedge clk) begin
    given <= {{given, shift_in}};
    taken <= result;
    shifted <= load ? taken : {{shifted, 1'b0}};
  end
  {top} unit ({connections});
endmodule
"""


def _slices(widths, bus):
    connections, low = [], 0
    for name, width in widths.items():
        connections.append(f".{name}({bus}[{low + width - 1}:{low}])")
        low += width
    return connections


# -- results on disk ---------------------------------------------------------------------------


def _cached(kind, build, *key):
    """``build()``, kept on disk under the digest of `key` and the tools' versions.

    Only successes are kept. An entry that does not carry the digest of its name and its result is built
    again. A cache that cannot be written keeps nothing, and the result is the same.
    """
    name = _digest([_CACHE_VERSION, kind, key, tool_versions()])
    path = cache_folder() / name[:2] / f"{name}.json"
    result = _kept(path)
    if result is None:
        result = build()
        with contextlib.suppress(OSError):
            _keep(path, result)
    return result


def _kept(path):
    """The result in an entry of the cache, None where there is no sound one."""
    try:
        # Not to wait for the writer, should the place be taken by a pipe.
        with open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as file:
            entry = json.loads(file.read(_MAX_ENTRY))
        if entry["digest"] == _digest([path.stem, entry["result"]]):
            return entry["result"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return None


def _keep(path, result):
    """Write an entry of the cache, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        try:
            json.dump({"digest": _digest([path.stem, result]), "result": result}, file)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _digest(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

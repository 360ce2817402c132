"""Synthesis, placement and routing of emitted Verilog, with results kept on disk.

Area is that of the unit alone. The maximum frequency is that of the unit between registers: a shell
of shift registers with four pins surrounds it on the device, so that units of any width fit any
package and the frequency of a combinational unit means something too.
"""

import contextlib
import functools
import hashlib
import json
import os
import re
import statistics
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..errors import RequestError, ToolError
from .targets import FAMILIES, find_target
from .tools import cache_folder, in_parallel, product, require_yowasp, run_yosys, run_yowasp, tool_versions

__all__ = ["Cells", "SynthReport", "count_cells", "steps", "synthesise", "unit_area", "write_netlist"]

_CACHE_VERSION = 3
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
        Lookup tables, of four inputs; of up to six for ``xilinx7``.
    carries : int
        Carry cells: SB_CARRY, CCU2C (two bits each), ALU, or CARRY4 (four bits each).
    muxes : int
        Multiplexers behind lookup tables: PFUMX and L6MUX21, or MUXF7 and MUXF8.
    gates : int
        NAND2 equivalents of ``generic``: two-input NAND gates, an inverter counted as one.
    ffs, dsps, brams : int
        Flip-flops, multiplier blocks, block RAMs.
    bram_bits : int
        Capacity of those block RAMs.
    area : int
        Lookup tables taken up, those of the carry cells included; gates for ``generic``.
    depth : int
        Cells on the longest path between registers or ports.
    """

    luts: int
    carries: int
    muxes: int
    gates: int
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
    seeds : tuple of int
        Seeds of the placements.
    fmax_mhz_by_seed : tuple of float
        Maximum clock frequency between registers, one a seed; empty where the unit was not placed.
    dsp, bram : bool
        Whether DSP blocks and block RAMs were allowed.
    status : str
        ``routed``, ``synthesised`` (placement not asked for, or none for this target) or ``failed``.
    reason : str
        Why it failed.
    tool_versions : dict of str
    """

    top: str
    target: str
    cells: object
    seeds: tuple
    fmax_mhz_by_seed: tuple
    dsp: bool
    bram: bool
    status: str
    reason: str
    tool_versions: dict

    @property
    def fmax_mhz(self):
        """Maximum clock frequency of the best seed, or None."""
        return max(self.fmax_mhz_by_seed, default=None)

    @property
    def fmax_median_mhz(self):
        """Median over the seeds, or None."""
        return round(statistics.median(self.fmax_mhz_by_seed), 2) if self.fmax_mhz_by_seed else None

    @property
    def delay_ns(self):
        """Longest delay between registers of the best seed, or None."""
        return 1000 / self.fmax_mhz if self.fmax_mhz else None

    def to_dict(self):
        """One row of numbers and strings, ready for JSON."""
        row = asdict(self)
        head = {name: row.pop(name) for name in ("top", "target")}
        cells = row.pop("cells") or dict.fromkeys(Cells.__dataclass_fields__)
        speed = {name: getattr(self, name) for name in ("fmax_mhz", "fmax_median_mhz", "delay_ns")}
        lists = {name: list(row.pop(name)) for name in ("seeds", "fmax_mhz_by_seed")}
        return {**head, **cells, **speed, **lists, **row}


def count_cells(verilog, top, family="ice40", *, dsp=False, bram=True, timeout=600):
    """Synthesise a unit and count its cells; nothing is placed.

    Parameters
    ----------
    verilog : str
        Text with a module `top`.
    top : str
    family : str
        ``ice40``, ``ecp5``, ``gowin``, ``xilinx7`` or ``generic``.
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
            commands = ["tee -q -o stat.json stat -json", f"tee -q -o depth.txt ltp -noff {family.between_ffs}"]
            _synthesise(verilog, top, family, flags, commands, Path(folder), timeout)
            return _count(Path(folder), family).to_dict()

    return Cells(**_cached("cells", build, verilog, top, family.name, flags))


def unit_area(design, family="ice40", *, dsp=False):
    """Lookup tables that a design takes up, those of carry cells included, without block RAMs.

    Parameters
    ----------
    design : Design
    family : str
    dsp : bool

    Returns
    -------
    int
    """
    from ..emit.verilog import verilog

    # A fixed command: what is kept on disk does not depend on who asks.
    return count_cells(verilog(design, command=""), design.name, family, dsp=dsp, bram=False).area


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


def synthesise(
    verilog,
    top,
    target="ice40",
    *,
    place=True,
    seeds=(1,),
    dsp=False,
    bram=True,
    clock="clk",
    timeout=900,
    advance=lambda: None,
):
    """Synthesise a unit and, unless `place` is false, place and route it between registers.

    Seeds are placed side by side.

    Parameters
    ----------
    verilog : str
        Text with a module `top`.
    top : str
    target : str or Target
        A name of `TARGETS`, or a family's name.
    place : bool
        Without effect for targets that have no place and route.
    seeds : sequence of int
        Seeds of the placement.
    dsp : bool
        Whether multipliers may become DSP blocks, where the target has them.
    bram : bool
        Whether tables may become block RAMs.
    clock : str
        Port that is the unit's clock, if it has one.
    timeout : float
        Seconds for each tool.
    advance : callable
        Called when the unit is synthesised, and with every seed that is placed (see `steps`).

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
    family = FAMILIES[target.family]
    dsp, place = bool(dsp and target.dsps), bool(place and family.nextpnr)
    if place:
        require_yowasp(family.nextpnr)
    seeds = tuple(seeds) if place else ()
    report = SynthReport(top, target.name, None, seeds, (), dsp, bool(bram), "failed", "", tool_versions())
    try:
        cells = count_cells(verilog, top, target.family, dsp=dsp, bram=bram, timeout=timeout)
        report = replace(report, cells=cells, status="synthesised")
        advance()
        if place:
            found = _place(verilog, top, target, family.flags(dsp, bram), clock, seeds, timeout, advance)
            report = replace(report, fmax_mhz_by_seed=tuple(found), status="routed")
    except ToolError as error:
        return replace(report, status="failed", reason=str(error))
    return report


def steps(target, place, seeds):
    """How often `synthesise` calls its `advance`."""
    return 1 + (len(seeds) if place and FAMILIES[find_target(target).family].nextpnr else 0)


# -- Yosys -------------------------------------------------------------------------------------


def _family(name):
    if name not in FAMILIES:
        raise RequestError(f"Family must be one of {', '.join(FAMILIES)}, not {name!r}")
    return FAMILIES[name]


def _synthesise(verilog, top, family, flags, commands, folder, timeout):
    """Synthesise the unit alone in `folder`, then run the Yosys `commands` there, on one flat module."""
    (folder / "unit.v").write_text(verilog, encoding="utf-8")
    # What is written for synthesis of ECP5's cells serves ECP5 alone.
    passes = [f"read_verilog {'' if family.name == 'ecp5' else '-nosynthesis'} unit.v", f"{family.synthesis} {flags} -top {top}"]
    passes += ["setattr -mod -unset keep_hierarchy *", "flatten", "opt_clean -purge", *family.mapping, *commands]
    run_yosys(passes, folder, timeout=timeout)


def _count(folder, family):
    """Read the cells from ``stat.json`` and ``depth.txt``."""
    by_type = json.loads(product(folder, "stat.json", "yosys"))["design"]["num_cells_by_type"]

    def count(pattern):
        return sum(number for name, number in by_type.items() if re.fullmatch(pattern, name))

    kinds = ("luts", "carries", "muxes", "gates", "ffs", "dsps", "brams")
    counts = {name: count(getattr(family, name)) for name in kinds}
    depth = _DEPTH.search(product(folder, "depth.txt", "yosys").decode())
    return Cells(
        **counts,
        bram_bits=counts["brams"] * family.bram_bits,
        area=counts["luts"] + family.carry_luts * counts["carries"] + counts["gates"],
        depth=int(depth[1]) if depth else 0,
    )


# -- place and route ---------------------------------------------------------------------------


def _place(verilog, top, target, flags, clock, seeds, timeout, advance):
    """Maximum frequencies (MHz) of the unit between registers, one a seed."""
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        folder = Path(folder)

        def kept(seed, build):
            return _cached("fmax", build, verilog, top, asdict(target), flags, clock, seed)

        def placed(seed):
            fmax_mhz = kept(seed, lambda: _route(target, folder, seed, timeout))
            advance()
            return fmax_mhz

        if any(kept(seed, lambda: None) is None for seed in seeds):
            _surround(verilog, top, FAMILIES[target.family], flags, clock, folder, timeout)
            (folder / "shell.cst").write_text(target.constraints, encoding="utf-8")
        return in_parallel(functools.partial(placed, seed) for seed in seeds)


def _route(target, folder, seed, timeout):
    """Maximum frequency (MHz) of ``shell.json`` with one seed."""
    family, name = FAMILIES[target.family], f"report_{seed}.json"
    arguments = [*target.arguments, "--json", "shell.json", "--report", name, "--seed", str(seed)]
    arguments += ["--freq", str(_GOAL_MHZ), "--timing-allow-fail"]
    if target.family == "ecp5":
        arguments.append("--lpf-allow-unconstrained")
    log = run_yowasp(family.nextpnr, arguments, folder, timeout=timeout)
    clocks = json.loads(product(folder, name, family.nextpnr))["fmax"]
    found = [clock["achieved"] for clock in clocks.values()]
    if not family.routed_timing:
        found += [float(match[1]) for match in _ESTIMATE.finditer(log)]
    if not found:
        raise ToolError(f"Tool {family.nextpnr} must report a clock, not none")
    return round(min(found), 2)


def _surround(verilog, top, family, flags, clock, folder, timeout):
    """Leave ``shell.json``, the netlist of the unit in its shell, in `folder`.

    Unit and shell are synthesised apart, so that no register of the shell merges with the unit (a
    table between registers would become a block RAM) and what is placed is what was counted.
    """
    commands = ["write_rtlil unit.il", "write_json unit.json"]
    _synthesise(verilog, top, family, flags, commands, folder, timeout)
    ports = json.loads(product(folder, "unit.json", "yosys"))["modules"][top]["ports"]
    ports = {name: (port["direction"], len(port["bits"])) for name, port in ports.items()}
    (folder / "shell.v").write_text(_stub(ports, top) + _shell(ports, top, clock), encoding="utf-8")
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


def _shell(ports, top, clock):
    """Verilog of a top module with four pins that puts every port of `top` between registers."""
    inputs = {
        name: width for name, (direction, width) in ports.items() if direction == "input" and name != clock
    }
    outputs = {name: width for name, (direction, width) in ports.items() if direction == "output"}
    inside, outside = sum(inputs.values()), sum(outputs.values())
    clocked = [f".{clock}(clk)"] if clock in ports else []
    connections = ", ".join(clocked + _slices(inputs, "given") + _slices(outputs, "result"))
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

    Only successes are kept, and no None. An entry that does not carry the digest of its name and its result is
    built again. A cache that cannot be written keeps nothing, and the result is the same.
    """
    name = _digest([_CACHE_VERSION, kind, key, tool_versions()])
    path = cache_folder() / name[:2] / f"{name}.json"
    result = _kept(path)
    if result is None:
        result = build()
        if result is not None:
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

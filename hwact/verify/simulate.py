"""Compiled simulation of emitted Verilog: every code through the text that a user will synthesise.

Yosys turns the Verilog into C++ (CXXRTL), the system's compiler makes a program of it, and a small
driver plays the test bench: clock, reset, clock enable or handshakes, and a cycle budget. The
golden model is not asked for results here; compare what comes back with `Design.evaluate`.
"""

import json
import re
import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import CheckError, ToolError
from ..ports import SIDEBANDS, ports_of
from ..synth.tools import product, run, run_yosys, yosys_share
from .adders import adders, probed
from .golden import chunks

__all__ = ["MANY", "Program", "Simulation", "run_verilog", "simulate_verilog"]

_COMPILER = ("g++", "-std=c++14", "-w")
_INTERFACES = {"comb": 0, "pipe": 1, "stream": 2, "axis": 2}
#: Codes from which on better machine code is worth the compiler's time.
MANY = 1 << 18
_FLAW = re.compile(r"^Warning: (multiple conflicting drivers|found logic loop)", re.MULTILINE)


@dataclass(frozen=True)
class Simulation:
    """What a simulated unit did.

    Parameters
    ----------
    outputs : dict of numpy.ndarray
        Output codes of each output, in the order of the input codes; a row a lane where there are several.
    latency : int or None
        Measured clock cycles from a code to its result; 0 for ``comb``. None where no two of the
        codes have different outputs, so that a ``pipe`` unit's latency cannot be seen.
    cycles : int
        Clock cycles from the first code to the last result; 0 for ``comb``.
    seconds : float
        Time that the codes took, without translation and compilation.
    readings : tuple of int
        For each of the program's adders the readings of its ports as signed numbers, one bit each, under
        which it was exact; 0 where the result went beyond its width.
    """

    outputs: dict = field(hash=False)
    latency: object
    cycles: int
    seconds: float = field(default=0.0, compare=False)
    readings: tuple = ()

    @property
    def rate(self):
        """Codes a second."""
        return self.outputs["y"].size / max(self.seconds, 1e-9)


def simulate_verilog(verilog, design, codes, *, stalls=None):
    """Outputs of the Verilog text for `codes`: `run_verilog`'s outputs alone."""
    return run_verilog(verilog, design, codes, stalls=stalls).outputs


def run_verilog(verilog, design, codes, *, stalls=None, timeout=300):
    """Simulate Verilog text and measure it: a `Program` that runs once.

    Parameters
    ----------
    verilog : str
    design : Design
    codes : range or array_like of int
    stalls : int, optional
    timeout : float

    Returns
    -------
    Simulation

    Raises
    ------
    CheckError, ToolError
        As `Program` and its `run` do.
    """
    with Program(verilog, design, many=len(codes) >= MANY, timeout=timeout) as program:
        return program.run(codes, stalls=stalls)


class Program:
    """Verilog text compiled for simulation; a context manager, as it keeps a temporary folder.

    Parameters
    ----------
    verilog : str
        Text with a module ``design.name`` that has the ports of ``design.shell``.
    design : Design
        Says the ports, formats and latency.
    probes : bool
        Watch every adder for results beyond its width, and compare a second program in which undefined
        bits are ones and not zeros, where there are any.
    many : bool
        Spend more time on compilation, for many codes.
    timeout : float
        Seconds for each of translation, compilation and run.

    Attributes
    ----------
    adders : tuple of Adder
        What is watched.

    Raises
    ------
    CheckError
        If the module has other ports, or, with `probes`, wires of several drivers or loops.
    ToolError
        If g++ or pyosys is missing or fails, for instance on Verilog that is not valid.
    """

    def __init__(self, verilog, design, *, probes=False, many=False, timeout=300):
        self._design, self._timeout = design, timeout
        self._temporary = tempfile.TemporaryDirectory(prefix="hwact-")
        self._folder = Path(self._temporary.name)
        try:
            self.adders = self._translate(verilog, probes)
            self._programs = ["zeros"]
            if probes and self._read("zeros.cc") != self._read("ones.cc"):
                self._programs.append("ones")
            for name in self._programs:
                self._compile(name, many)
        except BaseException:
            self._temporary.cleanup()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._temporary.cleanup()

    def run(self, codes, *, stalls=None):
        """Drive codes through the unit.

        Every lane takes every code, different lanes different ones at a time. AXI4-Stream's sidebands and the
        padding of its inputs are random; what comes out of them is compared with what must.

        Parameters
        ----------
        codes : range or array_like of int
            Input codes, one dimension; a range needs no memory.
        stalls : int, optional
            Seed of random stalls (clock enable, valid and ready); without it the unit runs at full rate.

        Returns
        -------
        Simulation

        Raises
        ------
        CheckError
            If results are missing, surplus or come before their code, if a handshake's rules or the
            clock enable are violated, if outputs hang on undefined bits, or if the circuit never comes to
            rest.
        ToolError
            If the program breaks.
        """
        seed = 0 if stalls is None else (stalls * 0x9E3779B97F4A7C15 + 1) % 2**64 or 1
        arguments = [str(value) for value in ("results", seed, *self._differing, *self._stimulus(codes))]
        simulation, *others = (self._run(name, arguments, len(codes)) for name in self._programs)
        for other in others:
            for name, output in simulation.outputs.items():
                if (output != other.outputs[name]).any():
                    raise CheckError(
                        f"Output {name} must be defined, not hang on undefined bits of the circuit"
                    )
        return simulation

    def _run(self, name, arguments, count):
        """What one of the programs makes of the stimulus."""
        log = run(
            [str(self._folder / name), *arguments],
            folder=self._folder,
            name="simulate",
            timeout=self._timeout,
        )
        report = _report(log)
        if report["violation"]:
            raise CheckError(f"{report['violation']}, not as in cycle {report['cycle']}")
        channels, lanes = self._design.channels, self._design.shell.lanes
        results = np.fromfile(self._folder / "results", dtype=np.uint32).reshape(-1, lanes, len(channels))
        if len(results) != count:
            raise CheckError(f"Received {len(results)} of {count} outputs in {report['cycle']} cycles")
        step = max(count // lanes, 1)  # as in the driver: what a lane is ahead of the one below
        results = np.stack([np.roll(results[:, lane], lane * step, axis=0) for lane in range(lanes)])
        outputs = {
            channel.name: channel.format.from_bits(results[0, :, k] if lanes == 1 else results[:, :, k])
            for k, channel in enumerate(channels)
        }
        latency = None if report["latency"] < 0 else report["latency"]
        return Simulation(outputs, latency, report["cycles"], report["seconds"], tuple(report["readings"]))

    def _stimulus(self, codes):
        """Last arguments of the driver: the first code, their number, and a file if they are no range."""
        input = self._design.input
        if isinstance(codes, range) and codes.step == 1:
            return input.to_bits(codes[0]), len(codes)
        input.to_bits(np.ravel(codes)).astype(np.uint32).tofile(self._folder / "codes")
        return 0, len(codes), "codes"

    @cached_property
    def _differing(self):
        """Bits of two codes with different outputs, so that a change can be seen (any if there are none)."""
        design = self._design
        base = [design.evaluate(design.domain[0], channel.name) for channel in design.channels]
        for codes in chunks(design):
            differs = np.zeros(len(codes), dtype=bool)
            for channel, output in zip(design.channels, base):
                differs |= design.evaluate(codes, channel.name) != output
            if differs.any():
                break
        return design.input.to_bits([design.domain[0], int(codes[differs.argmax()])])

    def _translate(self, verilog, probes):
        """Leave ``zeros.cc`` in the folder, with probes also ``ones.cc``; return the watched adders."""
        folder, design = self._folder, self._design
        (folder / "unit.v").write_text(verilog, encoding="utf-8")
        passes = [
            "read_verilog -nosynthesis -defer unit.v",
            f"hierarchy -check -top {design.name}",
            "setattr -mod -unset keep_hierarchy *",
            "proc",
            "flatten",
            "opt_clean",
        ]
        if not probes:
            self._yosys(*passes, "write_cxxrtl -g0 zeros.cc")
            watched = ()
        else:
            # Muxes whose other side can never be selected go first: they may hold undefined bits.
            passes += [
                "check",
                "opt_muxtree",
                "opt_clean",
                "write_rtlil unit.il",
                "wreduce",
                "write_rtlil reduced.il",
            ]
            flaw = _FLAW.search(self._yosys(*passes))
            if flaw:
                raise CheckError(f"Circuit must have one driver for each wire and no loop, not {flaw[1]}")
            watched = self._probe()
        _check_ports(design, self._read("zeros.cc"))
        return watched

    def _probe(self):
        """Translate ``unit.il`` with the adders' ports in sight."""
        text = self._read("unit.il")
        watched = adders(text, self._read("reduced.il"))
        (self._folder / "probed.il").write_text(probed(text, watched), encoding="utf-8")
        self._yosys(
            *(
                "read_rtlil probed.il",
                "design -save probed",
                "setundef -undriven -zero",
                "write_cxxrtl -g0 zeros.cc",
            ),
            *("design -load probed", "setundef -undriven -one", "write_cxxrtl -g0 ones.cc"),
        )
        return watched

    def _yosys(self, *passes):
        return run_yosys(passes, self._folder, timeout=self._timeout)

    def _read(self, name):
        return product(self._folder, name, "yosys").decode()

    def _compile(self, name, many):
        """Make a program of a translated circuit."""
        driver = Path(__file__).with_suffix(".cc").read_text(encoding="utf-8")
        text = f'#include "{name}.cc"\n{_definitions(self._design, self.adders)}{driver}'
        (self._folder / "simulate.cc").write_text(text, encoding="utf-8")
        runtime = yosys_share() / "include" / "backends" / "cxxrtl" / "runtime"
        command = [*_COMPILER, "-O2" if many else "-O1", f"-I{runtime}", "-I.", "simulate.cc", "-o", name]
        run(command, folder=self._folder, name="g++", timeout=self._timeout)


def _report(log):
    """What the driver wrote, where it was the driver that wrote."""
    try:
        return json.loads(log)
    except ValueError:
        raise ToolError("Tool simulate must write a report, not nothing") from None


def _check_ports(design, translated):
    """Raise CheckError unless the translated module has the design's ports and no other."""
    found = re.findall(
        r"^\s*/\*(input|output|inout)\*/ (?:value|wire)<(\d+)> (\w+)", translated, re.MULTILINE
    )
    there = {
        name: (kind, int(width)) for kind, width, name in found if not name.startswith(_member("probe_"))
    }
    wanted = {_member(port.name): (port.direction, port.width) for port in ports_of(design)}
    for name in sorted({*there, *wanted}):
        if there.get(name) != wanted.get(name):
            port = name.removeprefix("p_").replace("__", "_")
            raise CheckError(
                f"Port {port} must be {_describe(wanted.get(name))}, not {_describe(there.get(name))}"
            )


def _describe(port):
    return f"an {port[0]} of {port[1]} bits" if port else "absent"


def _definitions(design, watched):
    """The generated text in front of ``simulate.cc``."""
    shell, ports = design.shell, ports_of(design)
    by_role = {role: port for port in ports for role in port.roles}
    lines = [
        f"#define DUT cxxrtl_design::{_member(design.name)}",
        f"#define INTERFACE {_INTERFACES[shell.interface]}",
        f"#define LANES {shell.lanes}",
        f"#define CHANNELS {len(design.channels)}",
        f"#define WIDTH {design.input.width}",
        f"#define LATENCY {shell.latency}",
        f'#define ADDERS "{"".join(adder.operator for adder in watched)}"',
        f"#define WATCH {', '.join(_watch(*numbered) for numbered in enumerate(watched))}",
        f"#define PUT_CODES(word, noise) {', '.join(_put_codes(by_role['x']))}",
        f"#define CODES {', '.join(_codes(design, by_role))}",
        f"#define FORMATS {', '.join(_formats(design, by_role))}",
        f"#define PADDED {int(any(field.padding for field in by_role['x'].fields))}",
        *(f"#define {role.upper()} {_member(port.name)}" for role, port in by_role.items() if len(port.roles) == 1),
        *(f'#define {role.upper()}_NAME "{port.name}"' for role, port in by_role.items()),
        *_sidebands(by_role, shell.lanes),
    ]
    if "rst" in by_role:
        lines.append(f"#define ACTIVE {0 if shell.reset.endswith('low') else 1}u")
    return "\n".join(lines) + "\n"


def _put_codes(port):
    """Calls that put one code, with noise in its padding, into each lane."""
    for code in port.fields:
        place = f"{code.low}, {code.format.width}, {code.padded}"
        yield f"put_field<{place}>(dut.{_member(port.name)}, word[{code.lane}], noise)"


def _results(design, by_role):
    """Ports and fields of the results, lane by lane."""
    ports = dict.fromkeys(by_role[channel.name] for channel in design.channels)
    places = {(code.lane, code.name): (port, code) for port in ports for code in port.fields}
    return [places[lane, c.name] for lane in range(design.shell.lanes) for c in design.channels]


def _codes(design, by_role):
    """Expressions for the result of every lane and channel, with its padding."""
    for port, code in _results(design, by_role):
        yield f"field<{code.low}, {code.padded}>(dut.{_member(port.name)})"


def _formats(design, by_role):
    """Widths without and with padding and sign of each channel, as C++ initialisers."""
    for _, code in _results(design, by_role)[: len(design.channels)]:
        yield f"{{{code.format.width}, {code.padded}, {int(code.format.signed)}}}"


def _sidebands(by_role, lanes):
    """The words that travel beside the data, where there are any: 32 bits at most each."""
    words, put, taken = [], [], []
    for given, answered in SIDEBANDS.items():
        if given not in by_role:
            continue
        (source, size), (sink, bits) = ((by_role[role].name, by_role[role].width) for role in (given, answered))
        kept = given == "i_keep"
        step = size // lanes if kept else 32
        for k, low in enumerate(range(0, size, step)):
            width = min(step, size - low)
            at, out = (k * (bits // lanes), bits // lanes) if kept else (low, width)
            put.append(f"put_field<{low}, {width}, {width}>(dut.{_member(source)}, side[{len(words)}], 0)")
            words.append(f'{{{width}, {out if kept else 0}, "{sink}"}}')
            taken.append(f"field<{at}, {out}>(dut.{_member(sink)})")
    if words:
        yield f"#define SIDES {', '.join(words)}"
        yield f"#define PUT_SIDES(side) {', '.join(put)}"
        yield f"#define TAKE_SIDES {', '.join(taken)}"


def _watch(number, adder):
    """The call that watches one adder."""
    ports = [f"take(dut.{_member(f'probe_{number}_{port}')})" for port in range(3)]
    first, second, _ = adder.widths
    return (
        f"watch<'{adder.operator}', {first}, {second}, {adder.read}>(readings[{number}], {', '.join(ports)})"
    )


def _member(name):
    """CXXRTL's name of the member for a module or a port."""
    return "p_" + name.replace("_", "__")

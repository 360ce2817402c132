"""The fourth rung: the netlist that synthesis made of the Verilog equals the golden model on every code.

The netlist holds cells of the device's family alone. The models of these cells that come with Yosys take
their places, and what results is simulated like the Verilog itself: at full rate on every code, then under
random stalls, with the latency and the rules of the handshakes.
"""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from ..errors import CheckError, HwactError
from ..synth.flow import write_netlist
from ..synth.targets import FAMILIES
from ..synth.tools import named, product, run_yosys
from .certificate import Check
from .circuit import STALLED_CODES
from .golden import chunks
from .simulate import MANY, Program

__all__ = ["Steps", "check_netlist", "compare", "count", "flags", "outputs", "run_all", "with_models"]

_FAMILIES = {"ice40": "iCE40", "ecp5": "ECP5"}


def check_netlist(design, verilog, tick=None):
    """Synthesise Verilog for iCE40 and ECP5 and compare the netlists with the golden model.

    Neither DSP blocks nor block RAMs are used, as ``hwact synth`` does without more options.

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
        If a netlist differs from the golden model, has another latency or breaks a handshake's rules.
    ToolError
        If a tool is missing, breaks or writes nothing, or if a cell has no model.
    """
    step = Steps(tick, 3 * len(_FAMILIES))
    return run_all(partial(_check_family, design, verilog, family, step) for family in _FAMILIES)


def _check_family(design, verilog, family, step):
    netlist = write_netlist(verilog, design.name, family, bram=False)
    step()
    text = with_models(netlist, design.name, family)
    step()
    compare(design, text, f"{_FAMILIES[family]} netlist")
    step()
    method = (
        f"{_FAMILIES[family]} netlist ({flags(family)}) with Yosys's models of its cells equals golden model, "
        "compiled simulation (CXXRTL), latency and stalls included"
    )
    tools = named("yosys"), named("g++")
    return Check("netlist", f"netlist_{family}", outputs(design), method, count(design), tools=tools)


def with_models(netlist, top, family):
    """A netlist with the models of its cells in their places, as Verilog text that can be simulated.

    Parameters
    ----------
    netlist : str
        Verilog text with the module `top`.
    top : str
    family : str
        Key of `hwact.synth.targets.FAMILIES`.

    Raises
    ------
    ToolError
        If the netlist holds anything but cells (an operator, a process, a memory), or a cell without a model.
    """
    passes = [
        "read_verilog netlist.v",
        "select -assert-none t:$* p:* m:*",
        f"read_verilog -defer -DNO_INCLUDES +/{family}/cells_sim.v",
        f"hierarchy -simcheck -top {top}",
        "proc",
        "flatten -noscopeinfo",
        "opt_clean",
        "write_verilog -noattr models.v",
    ]
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        Path(folder, "netlist.v").write_text(netlist, encoding="utf-8")
        run_yosys(passes, folder)
        return product(folder, "models.v", "yosys").decode()


def compare(design, verilog, what):
    """Compare what was made of a unit with the golden model: every code, latency, and a sample under stalls.

    Parameters
    ----------
    design : Design
    verilog : str
        Text with the module ``design.name``.
    what : str
        What the text stands for, for messages.

    Raises
    ------
    CheckError
        If it differs or breaks a handshake's rule.
    ToolError
        If Yosys or the C++ compiler is missing or breaks.
    """
    first, last = design.domain
    try:
        with Program(verilog, design, many=count(design) >= MANY) as program:
            for codes in chunks(design):
                _compare(design, codes, program.run(range(int(codes[0]), int(codes[-1]) + 1)))
            if design.shell.interface != "comb":
                codes = np.random.default_rng(1).integers(first, last + 1, min(count(design), STALLED_CODES))
                _compare(design, codes, program.run(codes, stalls=1))
    except CheckError as error:
        raise type(error)(f"{error}, in the {what}") from None


def _compare(design, codes, simulation):
    if simulation.latency not in (None, design.latency):
        raise CheckError(f"Latency must be {design.latency} cycles, not {simulation.latency}")
    for channel in design.channels:
        golden, got = design.evaluate(codes, channel.name), simulation.outputs[channel.name]
        wrong = np.flatnonzero(got != golden)
        if wrong.size:
            k = wrong[0]
            raise CheckError(f"Output {channel.name} of code {codes[k]} must be {golden[k]}, not {got[k]}")


# -- what the rungs of the devices share -------------------------------------------------------


class Steps:
    """Counts finished steps of a known number: call it after each."""

    def __init__(self, tick, total):
        self._tick, self._done, self._total = tick, 0, total

    def __call__(self):
        self._done += 1
        if self._tick:
            self._tick(self._done, self._total)


def run_all(checks):
    """Results of calls that each return a Check, as a list; every one is run, whatever the others do.

    Raises
    ------
    HwactError
        What a call raised; a check that failed comes before a tool that is missing.
    """
    passed, failed = [], []
    for check in checks:
        try:
            passed.append(check())
        except HwactError as error:
            failed.append(error)
    if failed:
        raise min(failed, key=lambda error: not isinstance(error, CheckError))
    return passed


def flags(family):
    """The synthesis command, as it is run here: without DSP blocks and block RAMs."""
    family = FAMILIES[family]
    return f"{family.synthesis} {family.flags(dsp=False, bram=False)}"


def outputs(design):
    """The outputs' names, as a check lists them."""
    return " and ".join(channel.name for channel in design.channels)


def count(design):
    """Number of codes of a design's domain."""
    first, last = design.domain
    return last + 1 - first

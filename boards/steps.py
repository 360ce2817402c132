"""The commands of a board's build plan, run with the tools from PyPI.

An Amaranth platform knows what a build takes: it writes the sources, the constraints and the command lines. Here
those lines become calls of Yosys in `pyosys` and of the YoWASP tools, with a seed and a report added.
"""

import contextlib
import json
import re
import sys
import zlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..errors import ToolError
from ..synth.tools import product, run, run_yosys, run_yowasp, tool_versions

__all__ = ["EXTRA", "LOG", "NAME", "OVERRIDES", "REPORT", "Step", "fmax_of", "report_of", "steps_of", "versions"]

#: Name of the circuit's top module and of its files.
NAME = "demo"
#: What place and route reports, and what it says.
REPORT, LOG = "nextpnr.json", "nextpnr.log"
#: Options of the platforms' synthesis. For Gowin nextpnr 0.11 finds no routed delay through wide multiplexers, and
#: does not count outputs that could be switched off, as the platform makes all of them.
OVERRIDES = {"gowin": {"synth_opts": "-nowidelut", "script_after_read": "techmap -map outputs.map"}}
#: Files that those options name.
EXTRA = {
    "gowin": {
        "outputs.map": "module TBUF(input I, input OEN, output O); OBUF _TECHMAP_REPLACE_ (.I(I), .O(O)); endmodule\n"
    }
}
#: Seconds that a tool may take.
TIMEOUT = 1800
_ESTIMATE = re.compile(r"Max frequency for clock .*: ([0-9.]+) MHz")


@dataclass(frozen=True)
class Step:
    """One command of a build.

    Parameters
    ----------
    tool : str
    arguments : tuple of str
        Files are named relative to the build's folder.
    """

    tool: str
    arguments: tuple

    def __str__(self):
        return " ".join((self.tool, *self.arguments))

    @property
    def places(self):
        """Whether this is place and route."""
        return self.tool.startswith("nextpnr-")

    def run(self, folder):
        """Run it in `folder`.

        Raises
        ------
        ToolError
            If the tool is missing, fails, or runs out of time.
        """
        match self.tool:
            case "yosys":
                run_yosys([f"script {self.arguments[-1]}"], folder, timeout=TIMEOUT)
            case "gowin_pack":
                command = [sys.executable, "-P", "-m", "apycula.gowin_pack", *self.arguments]
                run(command, folder=folder, name=self.tool, timeout=TIMEOUT)
            case "dfu-suffix":
                _dfu_suffix(folder, *self.arguments)
            case _:
                run_yowasp(self.tool, self.arguments, folder, timeout=TIMEOUT)


def steps_of(plan, family, seed, clock_hz):
    """The commands of an Amaranth build plan, in order.

    Parameters
    ----------
    plan : amaranth.build.run.BuildPlan
    family : str
    seed : int
    clock_hz : int

    Returns
    -------
    tuple of Step
    """
    commands = json.loads(plan.files[f"{plan.script}.json"])["commands"]
    return tuple(_step(command, family, seed, clock_hz) for command in commands)


def _step(command, family, seed, clock_hz):
    tool, *arguments = command
    if not tool.startswith("nextpnr-"):
        return Step(tool, tuple(arguments))
    if tool == "nextpnr-gowin":
        # The platform still writes the options of its predecessor.
        tool = "nextpnr-himbaechel-gowin"
        arguments = _exchanged(arguments, {"--family": "family=", "--cst": "cst="})
    arguments = [LOG if before == "--log" else word for before, word in zip([None, *arguments], arguments)]
    goal = ["--freq", f"{clock_hz / 1e6:g}", "--seed", str(seed), "--timing-allow-fail", "--report", REPORT]
    return Step(tool, (*arguments, *goal))


def _exchanged(arguments, options):
    """`arguments` with ``--option value`` written ``--vopt option=value``."""
    found, words = [], iter(arguments)
    for word in words:
        found += ["--vopt", options[word] + next(words)] if word in options else [word]
    return found


def _dfu_suffix(folder, *arguments):
    """Append the suffix of the USB DFU specification 1.1, by which dfu-util knows what belongs to a device."""
    words = dict(zip(arguments[::2], arguments[1::2]))
    path = Path(folder, words["-a"])
    vendor, device = (int(words[name], 16).to_bytes(2, "little") for name in ("-v", "-p"))
    data = path.read_bytes() + b"\xff\xff" + device + vendor + b"\x00\x01UFD\x10"
    path.write_bytes(data + (zlib.crc32(data) ^ 0xFFFFFFFF).to_bytes(4, "little"))


def fmax_of(folder, family):
    """Maximum frequency (MHz) of the slowest clock that place and route reports in `folder`."""
    found = [clock["achieved"] for clock in report_of(folder)["fmax"].values()]
    if family == "gowin":
        # Its timing after routing does not see every path: the estimate before it counts too.
        log = product(folder, LOG, "nextpnr").decode(errors="replace")
        found += [float(match[1]) for match in _ESTIMATE.finditer(log)]
    if not found:
        raise ToolError("Tool nextpnr must report a clock, not none")
    return round(min(found), 2)


def report_of(folder):
    """What place and route reports (dict)."""
    return json.loads(product(folder, REPORT, "nextpnr"))


def versions():
    """Versions of the packages that a bitstream depends on (dict of str)."""
    found = tool_versions()
    for package in ("amaranth", "amaranth-boards", "apycula"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found

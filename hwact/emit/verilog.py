"""Verilog-2005 of a unit, written by Yosys from the Amaranth component."""

import re
import tempfile
from pathlib import Path

from .header import line_comment, notice
from .manifest import ports

__all__ = ["component_text", "verilog"]

#: Ends of the names of modules that hold tables.
TABLES = ("_coefficients", "_table")
#: How often the mapping of tables is improved; more gains nothing.
ROUNDS = 4

#: Modules that synthesis must not take apart: it would move a fold's inversion into the cells of the
#: additions behind it, which then no longer fit one lookup table a bit.
_BOUNDARY = re.compile(r"^(module \\\S+\.(?:fold_negate|\w+_rows_\d+_\d+)[ (])", re.MULTILINE)

_LUT = """
(* keep_hierarchy *)
module {name}_lut(A, Y);
  parameter WIDTH = 1;
  parameter LUT = 2'h0;
  input [WIDTH-1:0] A;
  output Y;
  wire [(1 << WIDTH)-1:0] selected = LUT >> A;
  assign Y = selected[0];
endmodule
"""
#: What Yosys calls the flag that makes its ``always @*`` blocks run once at time zero.
_TIME_ZERO = re.compile(r"\\\$auto\$verilog_backend\S+ ")
_ESCAPED = re.compile(r"\\(\S+) ")
_PLAIN = re.compile(r"(?<![\w$'])[a-z]\w*", re.IGNORECASE)


def verilog(design, *, command):
    """Verilog text of a design: one top module called ``design.name``, its parts called ``NAME_*``.

    Parameters
    ----------
    design : Design
    command : str
        The command line that makes the unit, for the header.

    Returns
    -------
    str

    Raises
    ------
    ToolError
        If Yosys is missing or breaks.
    """
    top, signals = _top(design)
    return component_text(top, design.name, signals, notice(design, command), design.lut_inputs)


def component_text(top, name, signals, lines, lut_inputs=0, initial=False):
    """Verilog text of an elaboratable: one top module called `name`, its parts called ``NAME_*``.

    Parameters
    ----------
    top : Elaboratable
    name : str
    signals : dict of str to Signal
        Ports of the top module, in order.
    lines : sequence of str
        The comment at the head.
    lut_inputs : int
        Inputs of the lookup tables that tables are laid out in; 0 leaves them as cases.
    initial : bool
        Keep what memories hold before they are written; else none may be read before.

    Returns
    -------
    str

    Raises
    ------
    ToolError
        If Yosys is missing or breaks.
    """
    from amaranth.back import rtlil

    from ..synth.tools import run_yosys

    ports = {port: (signal, None) for port, signal in signals.items()}
    text = rtlil.convert(top, name=name, ports=ports, emit_src=False)
    modules = re.findall(r"^module \\(\S+)$", text, re.MULTILINE)
    passes = ["read_rtlil unit.il"] + ["delete t:$meminit*"] * (not initial)
    passes += [f"proc {m}; opt_expr {m}; opt_clean {m}; opt_dff {m}" for m in modules if ".datapath." not in m]
    # In the steps of a datapath cases stay cases, so that tables can be read.
    passes += ["proc -nomux -norom", "opt_clean -purge", f"hierarchy -top {name}"]
    if lut_inputs:
        tables = [module for module in modules if module.endswith(TABLES)]
        passes += [step for module in tables for step in _laid_out(module, name, lut_inputs)]
    passes += ["write_verilog -noattr -norename unit.v"]
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        Path(folder, "unit.il").write_text(text, encoding="utf-8")
        run_yosys([step for line in passes for step in line.split("; ")], Path(folder))
        text = Path(folder, "unit.v").read_text(encoding="utf-8")
    text = _BOUNDARY.sub(r"(* keep_hierarchy *)\n\1", text)
    body = _renamed(re.sub(r"\A/\* .*? \*/\n", "", text, flags=re.DOTALL))
    cell = _LUT.format(name=name) if lut_inputs else ""
    return line_comment("//", lines) + body + cell


def _laid_out(module, name, inputs):
    """Passes that turn a module of tables into a network of lookup tables.

    Synthesis restructures logic that it is given, and takes a third more for it: hence every cell is
    a module that keeps its hierarchy.
    """
    return [
        f"select {module}",
        "proc -norom",
        "opt -full",
        "techmap",
        f"abc -lut {inputs} -script +{_area_script(inputs)}",
        "opt_clean -purge",
        f"chtype -set {name}_lut t:$lut",
        "select -clear",
    ]


def _area_script(inputs):
    """ABC's commands: decompose each column, then map for area, again and again."""
    once = f"dch -f; if -K {inputs} -a; mfs2 -a; lutpack -S 1"
    again = "; strash; ".join([once] * ROUNDS)
    return f"collapse; dsd; muxes; strash; {again}".replace("; ", ";").replace(" ", ",")


def _renamed(text):
    """The text with plain identifiers in place of escaped ones."""
    text = _TIME_ZERO.sub("time_zero", text)
    taken = set(_PLAIN.findall(text))
    names = {}
    for name in dict.fromkeys(_ESCAPED.findall(text)):
        plain = re.sub(r"\.(unit|datapath)(?=\.)", "", name)
        plain = re.sub(r"\W+|_{2,}", "_", plain).strip("_")
        plain = plain if plain[:1].isalpha() else f"wire_{plain}"
        while plain in taken:
            plain += "_"
        taken.add(plain)
        names[name] = plain
    return _ESCAPED.sub(lambda match: names[match[1]], text)


def _top(design):
    """The unit with its clock domain, and the signals of its ports by name."""
    from amaranth.hdl import ClockDomain, Elaboratable, Module, Signal

    unit, shell = design.create(), design.shell
    domain = ClockDomain("sync", reset_less=shell.reset == "none", async_reset=shell.reset.startswith("async"))
    own, joined = {"clk": domain.clk, "rst": Signal()}, []
    if shell.interface == "stream":
        own |= {"x": unit.i.payload, "i_valid": unit.i.valid, "i_ready": unit.i.ready}
        own |= {"o_valid": unit.o.valid, "o_ready": unit.o.ready}
        for channel in design.channels:  # one port each, not one packed bus
            own[channel.name] = Signal(channel.format.width)
            joined.append(own[channel.name].eq(getattr(unit.o.payload, channel.name)))
    else:
        own |= {name: getattr(unit, name) for name in ("x", "y", "dy", "ce") if hasattr(unit, name)}
    if shell.interface != "comb" and shell.reset != "none":
        joined.append(domain.rst.eq(~own["rst"] if shell.reset.endswith("low") else own["rst"]))

    class Top(Elaboratable):
        def elaborate(self, platform):
            m = Module()
            m.submodules.unit = unit
            if shell.interface != "comb":
                m.domains.sync = domain
            m.d.comb += joined
            return m

    return Top(), {name: own[role] for role, name in ports(design).items()}

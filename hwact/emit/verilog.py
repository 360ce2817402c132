"""Verilog-2005 of a unit, written by Yosys from the Amaranth component."""

import re
import tempfile
from pathlib import Path

from .header import line_comment, notice
from .layout import Layout
from .manifest import ports

__all__ = ["component_text", "verilog"]

#: Modules that synthesis must not take apart: it would move a fold's inversion into the cells of the
#: additions behind it, which then no longer fit one lookup table a bit.
_BOUNDARY = re.compile(r"^(module \\\S+\.(?:fold_negate|\w+_rows_\d+_\d+)[ (])", re.MULTILINE)

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
    entries = max(len(c.core.entries) if c.core.method == "table" else c.core.segments for c in design.channels)
    layout = Layout(design.name, design.lut_inputs, entries) if design.lut_inputs else None
    return component_text(top, design.name, signals, notice(design, command), layout)


def component_text(top, name, signals, lines, layout=None):
    """Verilog text of an elaboratable: one top module called `name`, its parts called ``NAME_*``.

    Parameters
    ----------
    top : Elaboratable
    name : str
    signals : dict of str to Signal
        Ports of the top module, in order.
    lines : sequence of str
        The comment at the head.
    layout : Layout, optional
        How tables are laid out; left out, they stay cases.

    Returns
    -------
    str

    Raises
    ------
    ToolError
        If Yosys is missing or breaks.
    """
    from amaranth.back import rtlil

    ports = {port: (signal, None) for port, signal in signals.items()}
    text = rtlil.convert(top, name=name, ports=ports, emit_src=False)
    modules = re.findall(r"^module \\(\S+)$", text, re.MULTILINE)
    passes = ["read_rtlil unit.il", "delete t:$meminit*"]  # no memory is read before it is written
    passes += [f"proc {m}; opt_expr {m}; opt_clean {m}; opt_dff {m}" for m in modules if ".datapath." not in m]
    # In the steps of a datapath cases stay cases, so that tables can be read.
    passes += ["proc -nomux -norom", "opt_clean -purge", f"hierarchy -top {name}"]
    last = ["opt_clean -purge", "write_verilog -noattr -norename unit.v"]
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        folder = Path(folder)
        (folder / "unit.il").write_text(text, encoding="utf-8")
        if layout is not None:
            _run([*passes, *layout.tries(modules), "write_rtlil laid_out.il"], folder)
            cells = (folder / "cells.json").read_text(encoding="utf-8")
            passes = ["read_rtlil laid_out.il", *layout.choice(modules, cells)]
        _run([*passes, *last], folder)
        text = (folder / "unit.v").read_text(encoding="utf-8")
    text = _BOUNDARY.sub(r"(* keep_hierarchy *)\n\1", text)
    body = _renamed(re.sub(r"\A/\* .*? \*/\n", "", text, flags=re.DOTALL))
    return line_comment("//", lines) + body + (layout.cell if layout else "")


def _run(passes, folder):
    from ..synth.tools import run_yosys

    run_yosys([step for line in passes for step in line.split("; ")], folder)


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

"""Verilog-2005 of a unit, written from the Amaranth component."""

import re
import tempfile
from pathlib import Path

from ..design import KEYWORDS
from ..ports import ports_of
from .circuit import Circuit
from .datasheet import port_rows
from .header import codes, line_comment, plain, verilog_head
from .lut_layout import LutLayout
from .module_text import ModuleText
from .nets import plain_name
from .rtlil import read_rtlil

__all__ = ["component_text", "verilog"]

#: Modules that synthesis must not take apart: it would move a fold's inversion into the cells of the
#: additions behind it, which then no longer fit one lookup table a bit.
_BOUNDARY = re.compile(r"\.(?:fold_negate|\w+_rows_\d+_\d+)$")

#: Around the parts of a unit: one file holds them all, and a linter asks for one file each.
_PARTS = """
// The parts of {name} stand in this file, not in files of their own names.
// verilator lint_off DECLFILENAME
{parts}
// verilator lint_on DECLFILENAME
"""


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
    channels = design.channels
    meanings = {c.name: f"{plain(c.expression)}, {codes(c.format)}, bound {plain(c.bound)}" for c in channels}
    meanings["x"] = codes(design.input, design.domain)
    formats = {
        port.name: "; ".join(meanings[role] for role in port.roles if role in meanings) for port in ports_of(design)
    }
    title = ", ".join(f"{c.name} = {c.expression}" for c in channels)
    head = verilog_head(design, command, title, port_rows(design), formats)
    return component_text(top, design.name, signals, head, LutLayout.of(design, design.name))


def component_text(top, name, signals, lines, layout=None, initial=False):
    """Verilog text of an elaboratable: one top module called `name`, its parts called ``NAME_*``.

    Parameters
    ----------
    top : Elaboratable
    name : str
    signals : dict of str to Signal
        Ports of the top module, in order.
    lines : sequence of str
        The comment at the head.
    layout : LutLayout, optional
        How tables are laid out; left out, they stay cases.
    initial : bool
        State that memories hold zeros before they are written; else none may be read before.

    Returns
    -------
    str

    Raises
    ------
    ToolError
        If Yosys is missing or breaks.
    """
    from amaranth.back import rtlil
    from amaranth.hdl import Fragment

    ports = {port: (signal, None) for port, signal in signals.items()}
    fragment = Fragment.get(top, None)
    text = rtlil.convert(fragment, name=name, ports=ports, emit_src=False)
    if layout:
        text = _laid_out(text, layout)
    modules = read_rtlil(text)
    for order, port in enumerate(signals):
        modules[name].wires[port].order = order
    scopes = Circuit(modules, name).scopes
    names, taken = {}, {*KEYWORDS, f"{name}_lut"}
    for module in modules:
        names[module] = plain_name(re.sub(r"\.(unit|datapath)(?=\.)", "", module), taken)
    parts = {module: ModuleText(scopes[module], names[module], module == name, taken, initial) for module in modules}
    components = dict(_components(fragment, (name,)))
    texts = []
    for module, part in parts.items():
        if part.is_empty:
            continue
        kept = "(* keep_hierarchy *)\n" if _BOUNDARY.search(module) else ""
        component = components.get(module)
        chain = getattr(component, "carry_chain", None)
        texts.append(part.text(parts, _title(component), kept, chain))
    if layout and any(f" {layout.cell_name} #(" in text for text in texts):  # not where registers cut every table
        texts.append(layout.cell)
    parts = _PARTS.format(name=name, parts="\n".join(text.strip("\n") + "\n" for text in texts[1:]))
    return f"{line_comment('//', lines)}\n{texts[0]}{parts}"


def _components(fragment, path):
    """The component that each module is made of."""
    for origin in fragment.origins or ():
        if type(origin).__module__.startswith(__package__.partition(".")[0]) and type(origin).__doc__:
            yield ".".join(path), origin
    for inner, name, _ in fragment.subfragments:
        yield from _components(inner, (*path, name))


def _title(component):
    """What a module does: the first paragraph of its component's docstring."""
    return " ".join((type(component).__doc__ if component else "").split("\n\n")[0].split()).replace("`", "")


def _laid_out(text, layout):
    """The circuit with its tables as networks of lookup tables, by Yosys."""
    from ..synth.tools import run_yosys

    modules = re.findall(r"^module \\(\S+)$", text, re.MULTILINE)
    with tempfile.TemporaryDirectory(prefix="hwact-") as folder:
        folder = Path(folder)
        (folder / "unit.il").write_text(text, encoding="utf-8")
        run_yosys(["read_rtlil unit.il", *layout.tries(modules), "write_rtlil tried.il"], folder)
        cells = (folder / "cells.json").read_text(encoding="utf-8")
        run_yosys(["read_rtlil tried.il", *layout.choice(modules, cells), "write_rtlil kept.il"], folder)
        return (folder / "kept.il").read_text(encoding="utf-8")


def _top(design):
    """The unit with its clock domain, and the signals of its ports by name."""
    from amaranth.hdl import ClockDomain, Elaboratable, Module, Signal

    unit, shell = design.create(), design.shell
    domain = ClockDomain("sync", reset_less=shell.reset == "none", async_reset=shell.reset.startswith("async"))
    own, joined = {"clk": domain.clk, "rst": Signal()}, []
    if shell.streaming:
        own |= {f"i_{name}": getattr(unit.i, name) for name in ("valid", "ready")}
        own |= {f"o_{name}": getattr(unit.o, name) for name in ("valid", "ready")}
    if shell.interface == "axis":
        joined += _axis(design, unit, own)
    elif shell.interface == "stream":
        own["x"] = unit.i.payload
        for channel in design.channels:  # one port each, not one packed bus
            own[channel.name] = Signal(shell.lanes * channel.format.width)
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

    return Top(), {port.name: own[port.roles[0]] for port in ports_of(design)}


def _axis(design, unit, own):
    """Statements that join the ports of AXI4-Stream, which are entered in `own`, to the unit's payloads."""
    from amaranth.hdl import Cat, Const, Signal

    lanes, given = design.shell.lanes, unit.o.payload
    by_role = {role: port for port in ports_of(design) for role in port.roles}
    for port in by_role.values():
        own.setdefault(port.roles[0], Signal(port.width, name=port.name))
    results = []
    for field in by_role["y"].fields:
        code = given[field.name].word_select(field.lane, field.format.width)
        padding = code[-1].replicate(len(field.padding)) if field.format.signed else Const(0, len(field.padding))
        results += [code, padding]
    yield own["y"].eq(Cat(results))
    # A code counts where all of its bytes do, and so do then all bytes of its results.
    size, wide = (by_role[role].width // lanes for role in ("i_keep", "o_keep"))
    taken = {
        "x": Cat(own["x"][field.slice] for field in by_role["x"].fields),
        "keep": Cat(own["i_keep"].word_select(lane, size).all() for lane in range(lanes)),
        "last": own["i_last"],
        "user": own.get("i_user", Const(0, 0)),
    }
    yield unit.i.payload.as_value().eq(Cat(taken.values()))
    yield own["o_keep"].eq(Cat(given.keep[lane].replicate(wide) for lane in range(lanes)))
    yield own["o_last"].eq(given.last)
    if design.shell.tuser:
        yield own["o_user"].eq(given.user)

"""Ports and Verilog-2005 of a unit whose samples carry something beside the input code."""

from ..emit.header import notice
from ..emit.layout import Layout
from ..emit.verilog import component_text

__all__ = ["ports", "verilog", "widths"]


def ports(design):
    """Name of the Verilog port for each role, in port order; a role that the unit does not have is absent."""
    shell, (sideband, _) = design.shell, design.sideband
    outputs = [channel.name for channel in design.channels]
    if shell.interface == "comb":
        return {role: role for role in ("x", sideband, *outputs)}
    names = {"clk": "clk"}
    if shell.reset != "none":
        names["rst"] = "rst_n" if shell.reset.endswith("low") else "rst"
    names |= {role: role for role in design.beside}
    if shell.interface == "pipe":
        return names | {role: role for role in ("ce", "x", sideband, *outputs)}
    names |= {"x": "i_payload", sideband: f"i_{sideband}", "i_valid": "i_valid", "i_ready": "i_ready"}
    return names | {output: f"o_{output}" for output in outputs} | {"o_valid": "o_valid", "o_ready": "o_ready"}


def widths(design):
    """Bits of each role's port."""
    given = {"x": design.input.width, **dict([design.sideband]), **design.beside}
    given |= {channel.name: channel.format.width for channel in design.channels}
    return {role: given.get(role, 1) for role in ports(design)}


def inputs(design):
    """Roles that are inputs of the unit."""
    results = {"i_ready", "o_valid", *(channel.name for channel in design.channels)}
    return [role for role in ports(design) if role not in results]


def verilog(design, *, command):
    """Verilog text of a unit: one top module called ``design.name``, its parts called ``NAME_*``.

    Parameters
    ----------
    design
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
    from amaranth.hdl import ClockDomain, Elaboratable, Module, Signal

    unit, shell = design.create(), design.shell
    sideband, _ = design.sideband
    domain = ClockDomain("sync", reset_less=shell.reset == "none", async_reset=shell.reset.startswith("async"))
    own, joined = {"clk": domain.clk, "rst": Signal()}, []
    own |= {role: getattr(unit, role) for role in design.beside}
    if shell.interface == "stream":
        for role in ("x", sideband):  # one port each, not one packed bus
            own[role] = Signal(len(getattr(unit.i.payload, role)))
            joined.append(getattr(unit.i.payload, role).eq(own[role]))
        for channel in design.channels:
            own[channel.name] = Signal(channel.format.width)
            joined.append(own[channel.name].eq(getattr(unit.o.payload, channel.name)))
        own |= {"i_valid": unit.i.valid, "i_ready": unit.i.ready, "o_valid": unit.o.valid, "o_ready": unit.o.ready}
    else:
        roles = ("x", sideband, "ce", *(channel.name for channel in design.channels))
        own |= {role: getattr(unit, role) for role in roles if hasattr(unit, role)}
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

    signals = {name: own[role] for role, name in ports(design).items()}
    return component_text(Top(), design.name, signals, notice(design, command), _layout(design))


def _layout(design):
    """How tables are laid out; None leaves them as cases."""
    inner = getattr(design, "inner", design)
    if not inner.lut_inputs:
        return None
    entries = max(len(c.core.entries) if c.core.method == "table" else c.core.segments for c in inner.channels)
    return Layout(design.name, inner.lut_inputs, entries)

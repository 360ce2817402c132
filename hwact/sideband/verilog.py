"""Verilog-2005 of a unit whose samples carry something beside the input code."""

from ..emit.header import codes, verilog_head
from ..emit.lut_layout import LutLayout
from ..emit.verilog import component_text
from .interface import port_rows, ports

__all__ = ["verilog"]


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
    formats = {ports(design)["x"]: codes(design.input, design.domain)}
    formats |= {ports(design)[channel.name]: codes(channel.format) for channel in design.channels}
    head = verilog_head(design, command, design.title, port_rows(design), formats)
    layout = LutLayout.of(getattr(design, "inner", design), design.name)
    return component_text(Top(), design.name, signals, head, layout)

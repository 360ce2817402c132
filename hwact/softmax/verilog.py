"""Verilog-2005 of a softmax unit."""

from ..emit.header import codes, reset_text, verilog_head
from ..emit.verilog import component_text

__all__ = ["port_rows", "ports", "verilog"]


def ports(design):
    """Name of the Verilog port for each role of a softmax unit, in port order."""
    names = {"clk": "clk"}
    if design.reset != "none":
        names["rst"] = "rst_n" if design.reset.endswith("low") else "rst"
    streams = [f"{side}_{role}" for side in "io" for role in ("payload", "last", "valid", "ready")]
    return names | {name: name for name in streams}


def port_rows(design):
    """Port, direction, bits and meaning of every port, in order."""
    roles = {**_ROLES, "rst": reset_text(design.reset)}
    return [
        (port, "in" if port in _INPUTS else "out", _widths(design).get(role, 1), roles[role])
        for role, port in ports(design).items()
    ]


def _widths(design):
    return {"i_payload": design.input.width, "o_payload": design.output.width}


_INPUTS = ("clk", "rst", "rst_n", "i_payload", "i_last", "i_valid", "o_ready")

_ROLES = {
    "clk": "rising edge",
    "i_payload": "input code",
    "i_last": "the input ends its vector; may stay low where vectors have full length",
    "i_valid": "the input is valid",
    "i_ready": "the unit takes the input",
    "o_payload": "output code",
    "o_last": "the output ends its vector",
    "o_valid": "the output is valid",
    "o_ready": "the output is taken",
}


def verilog(design, *, command):
    """Verilog text of a softmax unit: one top module called ``design.name``, its parts called ``NAME_*``.

    Parameters
    ----------
    design : SoftmaxDesign
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

    unit, reset = design.create(), design.reset
    domain = ClockDomain("sync", reset_less=reset == "none", async_reset=reset.startswith("async"))
    own = {"clk": domain.clk, "rst": Signal()}
    for side, port in (("i", unit.i), ("o", unit.o)):
        own |= {f"{side}_payload": Signal(len(port.payload.code)), f"{side}_last": Signal()}
        own |= {f"{side}_valid": port.valid, f"{side}_ready": port.ready}

    class Top(Elaboratable):
        def elaborate(self, platform):
            m = Module()
            m.submodules.unit = unit
            m.domains.sync = domain
            m.d.comb += [
                unit.i.payload.code.eq(own["i_payload"]),
                unit.i.payload.last.eq(own["i_last"]),
                own["o_payload"].eq(unit.o.payload.code),
                own["o_last"].eq(unit.o.payload.last),
            ]
            if reset != "none":
                m.d.comb += domain.rst.eq(~own["rst"] if reset.endswith("low") else own["rst"])
            return m

    signals = {name: own[role] for role, name in ports(design).items()}
    formats = {"i_payload": codes(design.input), "o_payload": codes(design.output)}
    title = f"softmax of at most {design.length} elements"
    head = verilog_head(design, command, title, port_rows(design), formats)
    return component_text(Top(), design.name, signals, head)

"""Verilog-2005 of a programmable unit."""

from ..emit.header import codes, reset_text, verilog_head
from ..emit.verilog import component_text
from .registers import address_bits

__all__ = ["BUS_NAMES", "bus_ports", "port_rows", "ports", "verilog"]

#: What the names of a bus's ports begin with.
PREFIXES = {"axi-lite": "s_axil_", "wishbone": "wb_"}
_STREAMS = ("i_payload", "i_valid", "i_ready", "o_payload", "o_valid", "o_ready")
#: Buses as people write them.
BUS_NAMES = {"axi-lite": "AXI4-Lite", "wishbone": "Wishbone B4"}
_INPUTS = frozenset(
    """clk rst i_payload i_valid o_ready awaddr awprot awvalid wdata wstrb wvalid bready araddr arprot arvalid rready
    cyc stb we adr sel dat_w""".split()
)
_ROLES = {
    "clk": "rising edge",
    "i_payload": "input code",
    "i_valid": "the input is valid",
    "i_ready": "the unit takes the input",
    "o_payload": "output code",
    "o_valid": "the output is valid",
    "o_ready": "the output is taken",
}


def bus_ports(design):
    """Name of the Verilog port for each signal of the bus, in port order."""
    if design.bus == "wishbone":
        names = "cyc stb we adr sel dat_w dat_r ack err stall"
    else:
        names = "awaddr awprot awvalid awready wdata wstrb wvalid wready bresp bvalid bready "
        names += "araddr arprot arvalid arready rdata rresp rvalid rready"
    return {name: PREFIXES[design.bus] + name for name in names.split()}


def widths(design):
    """Bits of each signal that has more than one."""
    wide = {"i_payload": design.input.width, "o_payload": design.output.width}
    wide |= {f"{kind}{name}": 32 for kind in "rw" for name in ("data",)} | {"dat_w": 32, "dat_r": 32}
    wide |= {name: address_bits(design) for name in ("awaddr", "araddr", "adr")}
    return wide | {"awprot": 3, "arprot": 3, "wstrb": 4, "sel": 4, "bresp": 2, "rresp": 2}


def ports(design):
    """Name of the Verilog port for each role of a programmable unit, in port order."""
    names = {"clk": "clk"}
    if design.reset != "none":
        names["rst"] = "rst_n" if design.reset.endswith("low") else "rst"
    return names | {name: name for name in _STREAMS} | bus_ports(design)


def port_rows(design):
    """Port, direction (``in`` or ``out``), bits and meaning of every port, in order."""
    wide, bus = widths(design), BUS_NAMES[design.bus]
    roles = {**_ROLES, "rst": reset_text(design.reset)}
    return [
        (port, "in" if role in _INPUTS else "out", wide.get(role, 1), roles.get(role, bus))
        for role, port in ports(design).items()
    ]


def verilog(design, *, command):
    """Verilog text of a programmable unit: one top module called ``design.name``, its parts called ``NAME_*``.

    Parameters
    ----------
    design : ProgrammableDesign
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
        own |= {f"{side}_{role}": getattr(port, role) for role in ("payload", "valid", "ready")}
    own |= {name: getattr(unit.bus, name) for name in bus_ports(design)}

    class Top(Elaboratable):
        def elaborate(self, platform):
            m = Module()
            m.submodules.unit = unit
            m.domains.sync = domain
            if reset != "none":
                m.d.comb += domain.rst.eq(~own["rst"] if reset.endswith("low") else own["rst"])
            return m

    signals = {name: own[role] for role, name in ports(design).items()}
    formats = {"i_payload": codes(design.input), "o_payload": codes(design.output)}
    title = f"any function of at most {design.segments} straight segments, from tables written over {BUS_NAMES[design.bus]}"
    head = verilog_head(design, command, title, port_rows(design), formats)
    return component_text(Top(), design.name, signals, head, initial=True)

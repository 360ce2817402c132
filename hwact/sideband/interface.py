"""The ports of a unit whose samples carry something beside the input code."""

from ..emit.datasheet import _ROLES as ROLES
from ..emit.datasheet import _table as table_text
from ..emit.header import reset_text
from ..emit.ipxact import ipxact_text
from ..errors import RequestError

__all__ = ["check_shell", "component_text", "inputs", "interface_text", "port_rows", "ports", "widths"]


def check_shell(shell, kind):
    """Raise RequestError unless a unit with a sideband can have this shell.

    Parameters
    ----------
    shell : Shell
    kind : str
        What the unit is, in messages.
    """
    if shell.interface == "axis":
        raise RequestError(f"Interface must be comb, pipe or stream for {kind}, not axis")
    if shell.lanes > 1:
        raise RequestError(f"Lanes must be 1 for {kind}, not {shell.lanes}")
    for noun, name, usual in (("Clock", shell.clock_name, "clk"), ("Reset", shell.reset_name, "")):
        if name != usual:
            raise RequestError(f"{noun} name must be left out for {kind}, not {name!r}")


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


def port_rows(design):
    """Port, direction (``in`` or ``out``), bits and meaning of every port, in order."""
    roles = {**ROLES, "rst": reset_text(design.shell.reset), **design.meanings}
    bits, incoming = widths(design), inputs(design)
    return [
        (port, "in" if role in incoming else "out", bits[role], roles[role]) for role, port in ports(design).items()
    ]


def component_text(design, command, description, paths, parameters):
    """``component.xml``; see `hwact.emit.ipxact.ipxact_text`."""
    return ipxact_text(
        design,
        command,
        description=description,
        rows=port_rows(design),
        roles=ports(design),
        reset=design.shell.reset,
        paths=paths,
        parameters={"digest": design.digest, **parameters, "latency": design.latency},
    )


def interface_text(design, timing):
    """The section of the datasheet: port table, `timing` in words, and an instance."""
    rows = [(f"`{port}`", *rest) for port, *rest in port_rows(design)]
    connections = ",\n".join(f"    .{port}({port})" for port in ports(design).values())
    return (
        f"## Interface: {design.shell.interface}\n\n"
        + table_text(("port", "direction", "bits", "meaning"), rows)
        + f"\n{timing}\n\n```verilog\n{design.name} {design.name}_i (\n{connections}\n);\n```\n"
    )

"""The section of a datasheet on the ports of a unit with a sideband."""

from ..emit.datasheet import _ROLES as ROLES
from ..emit.datasheet import _table as table_text
from .verilog import inputs, ports, widths

__all__ = ["interface_text"]


def interface_text(design, sideband, timing, beside=()):
    """Port table, timing and an instance.

    Parameters
    ----------
    design
    sideband : str
        What comes beside x, for people.
    timing : str
    beside : sequence of str
        The meaning of each port of `design.beside`.

    Returns
    -------
    str
    """
    shell = design.shell
    kind, _, level = shell.reset.partition("-")
    reset = f"{'asynchronous' if kind == 'async' else 'synchronous'} reset, active {level}"
    roles = {**ROLES, "rst": reset, design.sideband[0]: sideband, **dict(zip(design.beside, beside))}
    bits, incoming = widths(design), inputs(design)
    rows = [
        (f"`{port}`", "in" if role in incoming else "out", bits[role], roles[role])
        for role, port in ports(design).items()
    ]
    connections = ",\n".join(f"    .{port}({port})" for port in ports(design).values())
    return (
        f"## Interface: {shell.interface}\n\n"
        + table_text(("port", "direction", "bits", "meaning"), rows)
        + f"\n{timing}\n\n```verilog\n{design.name} {design.name}_i (\n{connections}\n);\n```\n"
    )

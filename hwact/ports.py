"""The ports of a unit: their names and directions, and what lies on each of their bits.

Lanes lie side by side, lane 0 in the lowest bits. On AXI4-Stream every code is padded to whole bytes, and a lane of
the results is the record of its outputs, ``y`` in its lowest bytes and ``dy`` above.
"""

from dataclasses import dataclass

from .fixed import Format

__all__ = ["SIDEBANDS", "Field", "Port", "is_stream", "ports_of", "roles_of", "sidebands_text"]

#: What AXI4-Stream carries beside the data, by the role of the input and that of the output.
SIDEBANDS = {"i_last": "o_last", "i_keep": "o_keep", "i_user": "o_user"}


@dataclass(frozen=True)
class Field:
    """Where one code lies in a port.

    Parameters
    ----------
    name : str
        ``x``, ``y`` or ``dy``.
    lane : int
    low : int
        Position of its lowest bit.
    padded : int
        Bits that it takes up: those beyond the format's width repeat the sign of a signed output, are 0 above an
        unsigned one, and are ignored at the input.
    format : Format
    """

    name: str
    lane: int
    low: int
    padded: int
    format: Format

    @property
    def slice(self):
        """The code's own bits."""
        return slice(self.low, self.low + self.format.width)

    @property
    def padding(self):
        """Positions of the bits above the code."""
        return range(self.low + self.format.width, self.low + self.padded)


@dataclass(frozen=True)
class Port:
    """One port of the Verilog module.

    Parameters
    ----------
    name : str
    direction : str
        ``input`` or ``output``.
    width : int
    roles : tuple of str
        What it is for; two where ``y`` and ``dy`` share it.
    fields : tuple of Field
        The codes on it, from the lowest bit on; none on a control signal.
    """

    name: str
    direction: str
    width: int
    roles: tuple
    fields: tuple = ()

    def pack(self, words):
        """The port's bits for one word a field; negative words fill the padding with ones."""
        pairs = zip(self.fields, words, strict=True)
        return sum((word & (1 << field.padded) - 1) << field.low for field, word in pairs)

    def unpack(self, bits):
        """Words of `Field.padded` bits, one a field."""
        return [bits >> field.low & (1 << field.padded) - 1 for field in self.fields]


def is_stream(interface):
    """Whether an interface has valid and ready."""
    return interface in ("stream", "axis")


def ports_of(design):
    """The ports of a unit, in order.

    Parameters
    ----------
    design : Design

    Returns
    -------
    tuple of Port
    """
    shell = design.shell
    outputs = [(channel.name, channel.format) for channel in design.channels]
    if shell.interface == "axis":
        return (*_clocking(shell), *_axis(shell, "s", "i", [("x", design.input)]), *_axis(shell, "m", "o", outputs))
    if shell.interface == "stream":
        names = "i_payload", *(f"o_{name}" for name, _ in outputs)
    else:
        names = "x", *(name for name, _ in outputs)
    x, *results = (_lanes(shell, port, *named) for port, named in zip(names, [("x", design.input), *outputs]))
    if shell.interface == "comb":
        return x, *results
    if shell.interface == "pipe":
        return (*_clocking(shell), _bit("ce", "input"), x, *results)
    offered = _bit("i_valid", "input"), _bit("i_ready", "output")
    answered = _bit("o_valid", "output"), _bit("o_ready", "input")
    return (*_clocking(shell), x, *offered, *results, *answered)


def roles_of(design):
    """Name of the port for each role, in port order (dict)."""
    return {role: port.name for port in ports_of(design) for role in port.roles}


def sidebands_text(design):
    """What travels beside the data of an AXI4-Stream, in words."""
    return "tkeep, tlast and tuser" if design.shell.tuser else "tkeep and tlast"


def _bit(role, direction, name=None):
    return Port(name or role, direction, 1, (role,))


def _clocking(shell):
    yield _bit("clk", "input", shell.clock_name)
    if shell.reset != "none":
        yield _bit("rst", "input", shell.reset_port)


def _lanes(shell, port, name, format):
    """A port of nothing but the codes of one name."""
    fields = tuple(Field(name, lane, lane * format.width, format.width, format) for lane in range(shell.lanes))
    return Port(port, "output" if name != "x" else "input", shell.lanes * format.width, (name,), fields)


def _axis(shell, side, prefix, named):
    """The ports of one AXI4-Stream."""
    data, back = ("input", "output") if side == "s" else ("output", "input")
    fields, low = [], 0
    for lane in range(shell.lanes):
        for name, format in named:
            fields.append(Field(name, lane, low, _bytes(format) * 8, format))
            low += fields[-1].padded
    yield Port(f"{side}_axis_tdata", data, low, tuple(name for name, _ in named), tuple(fields))
    yield Port(f"{side}_axis_tkeep", data, low // 8, (f"{prefix}_keep",))
    yield Port(f"{side}_axis_tlast", data, 1, (f"{prefix}_last",))
    if shell.tuser:
        yield Port(f"{side}_axis_tuser", data, shell.tuser, (f"{prefix}_user",))
    yield Port(f"{side}_axis_tvalid", data, 1, (f"{prefix}_valid",))
    yield Port(f"{side}_axis_tready", back, 1, (f"{prefix}_ready",))


def _bytes(format):
    return -(-format.width // 8)

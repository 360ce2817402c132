"""Small hand-written units for the tests of simulators and synthesis: a table behind each interface.

Independent of `hwact.rtl` and `hwact.emit`, so that these tests fail for faults of the tools alone.
"""

import numpy as np

from hwact.design import Channel, Design, Fold, Shell, Table
from hwact.fixed import SQ

EDGE = {
    "sync-high": ("rst", "posedge clk", "rst"),
    "sync-low": ("rst_n", "posedge clk", "!rst_n"),
    "async-high": ("rst", "posedge clk or posedge rst", "rst"),
    "async-low": ("rst_n", "posedge clk or negedge rst_n", "!rst_n"),
    "none": (None, "posedge clk", "1'b0"),
}


def small_design(
    interface="comb", latency=0, reset="sync-high", *, width=6, derivative=False, name="small_unit"
):
    """A table of a parabola's flank, and of a second function where `derivative`."""
    format = SQ(width // 2, width - width // 2)
    codes = format.codes()

    def channel(name, entries):
        entries = tuple(int(entry) for entry in np.clip(entries, format.min_code, format.max_code))
        return Channel(name, "x", "function", format, "faithful", Fold(), Table(0, entries))

    channels = [channel("y", (codes * 5 >> 2) + 3)]
    if derivative:
        channels.append(channel("dy", codes * codes >> width // 2))
    shell = Shell(interface, latency, reset)
    return Design(name, "small", format, (format.min_code, format.max_code), tuple(channels), shell)


def small_verilog(design):
    """Plain Verilog of a `small_design`."""
    return {"comb": _comb, "pipe": _pipe, "stream": _stream}[design.shell.interface](design)


def _tables(design, x):
    """One ``always`` block per channel, from the wire `x` to ``NAME_table``."""
    blocks = []
    for channel in design.channels:
        width = channel.format.width
        values = zip(
            design.input.to_bits(design.codes()),
            channel.format.to_bits(design.evaluate(design.codes(), channel.name)),
        )
        cases = "\n".join(
            f"      {design.input.width}'d{code}: {channel.name}_table = {width}'d{value};"
            for code, value in values
        )
        blocks.append(
            f"  reg [{width - 1}:0] {channel.name}_table;\n  always @* case ({x})\n{cases}\n"
            f"      default: {channel.name}_table = 0;\n  endcase\n"
        )
    return "".join(blocks)


def _ports(design, prefix=""):
    return "".join(f",\n  output [{c.format.width - 1}:0] {prefix}{c.name}" for c in design.channels)


def _stages(design, prefix, guard):
    """Registers behind the tables, as many as the latency; they move where `guard` holds."""
    text = ""
    for c in design.channels:
        text += f"  reg [{c.format.width - 1}:0] {c.name}_stage [0:{design.latency - 1}];\n"
        moves = [f"{c.name}_stage[0] <= {c.name}_table;"]
        moves += [f"{c.name}_stage[{k}] <= {c.name}_stage[{k - 1}];" for k in range(1, design.latency)]
        text += f"  always @(posedge clk) if ({guard}) begin {' '.join(moves)} end\n"
        text += f"  assign {prefix}{c.name} = {c.name}_stage[{design.latency - 1}];\n"
    return text


def _comb(design):
    assigns = "".join(f"  assign {c.name} = {c.name}_table;\n" for c in design.channels)
    return (
        f"module {design.name} (\n  input [{design.input.width - 1}:0] x{_ports(design)}\n);\n"
        f"{_tables(design, 'x')}{assigns}endmodule\n"
    )


def _pipe(design):
    reset = EDGE[design.shell.reset][0]
    return (
        f"module {design.name} (\n  input clk,\n{f'  input {reset},' if reset else ''}\n  input ce,\n"
        f"  input [{design.input.width - 1}:0] x{_ports(design)}\n);\n"
        f"{_tables(design, 'x')}{_stages(design, '', 'ce')}endmodule\n"
    )


def _stream(design):
    reset, event, asserted = EDGE[design.shell.reset]
    last = design.latency - 1
    follow = f"{{valid[{last - 1}:0], i_valid}}" if last else "i_valid"
    return (
        f"module {design.name} (\n  input clk,\n{f'  input {reset},' if reset else ''}\n"
        f"  input [{design.input.width - 1}:0] i_payload,\n  input i_valid,\n  output i_ready"
        f"{_ports(design, 'o_')},\n"
        f"  output o_valid,\n  input o_ready\n);\n"
        f"  reg [{last}:0] valid;\n  initial valid = 0;\n"
        f"  assign o_valid = valid[{last}];\n  assign i_ready = o_ready | ~o_valid;\n"
        f"  always @({event}) if ({asserted}) valid <= 0; else if (i_ready) valid <= {follow};\n"
        f"{_tables(design, 'i_payload')}{_stages(design, 'o_', 'i_ready')}endmodule\n"
    )

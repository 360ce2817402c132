"""``NAME.core``: the unit as a FuseSoC core."""

import json

from .. import __version__
from .header import line_comment, notice, plain

__all__ = ["core_text"]


def core_text(design, command, description=None):
    """A FuseSoC core (CAPI2): the default target is the Verilog, ``lint`` and ``sim`` check it.

    Parameters
    ----------
    design : Design
    command : str
    description : str, optional
        What the unit computes; left out, the expression and formats of its first output.

    Returns
    -------
    str
    """
    if description is None:
        description = f"{plain(design.channels[0].expression)}, {design.input} to {design.channels[0].format}"
    arch = "ecp5" if getattr(design, "carry_cells", "") else "ice40"
    return (
        "CAPI=2:\n"
        + line_comment("#", notice(design, command))
        + _CORE.format(
            name=design.name,
            version=__version__,
            description=json.dumps(description),
            device=_DEVICES[arch],
            arch=arch,
        )
    )


_DEVICES = {"ice40": "iCE40", "ecp5": "ECP5"}
_CORE = """
name: hwact:units:{name}:{version}
description: {description}

filesets:
  rtl:
    files:
      - {name}.v
    file_type: verilogSource-2005
  tb:
    files:
      - tb/{name}_tb.v: {{file_type: verilogSource-2005}}
      - tb/{name}.hex: {{file_type: user, copyto: {name}.hex}}

targets:
  default: &default
    filesets: [rtl]
    toplevel: {name}
  lint:
    <<: *default
    description: Verilator, every warning on
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]
  sim:
    filesets: [rtl, tb]
    toplevel: {name}_tb
    description: The self-checking bench, in Icarus Verilog
    flow: sim
    flow_options:
      tool: icarus
      iverilog_options: [-g2005, -Wall]
  synth:
    <<: *default
    description: Yosys for {device}, to see how large the unit is
    flow: generic
    flow_options:
      tool: yosys
      arch: {arch}
"""

"""An addition as ECP5's carry cells, in place of what synthesis would make of it."""

__all__ = ["carry_cells"]

_CELL = """\
  CCU2C #(.INIT0({init0}), .INIT1({init1}), .INJECT1_0("NO"), .INJECT1_1("NO")) {name} (
    .CIN({below}), .COUT({above}), .S0({sum0}), .S1({sum1}),
    {inputs0},
    {inputs1}
  );
"""


def carry_cells(chain, width, text, fresh):
    """Verilog of a carry chain's cells, two bits each.

    Parameters
    ----------
    chain : hwact.rtl.carry.CarryChain
    width : int
        Bits of the result that are needed, from the lowest on.
    text : function
        From a bit of a port, or None, to its Verilog; empty for a bit of the result that nobody reads.
    fresh : function
        From a stem to a name that nothing else has.

    Returns
    -------
    str
    """
    cells = range((width + 1) // 2)
    carries = fresh("carry")
    lines = f"  wire [{len(cells)}:0] {carries};\n  assign {carries}[0] = 1'b{chain.carry};\n"
    for number in cells:
        halves = [number * 2, number * 2 + 1]
        bits = [chain.bits[index] if index < width else None for index in halves]
        lines += _CELL.format(
            name=fresh(f"cell_{number}"),
            below=f"{carries}[{number}]",
            above=f"{carries}[{number + 1}]",
            **{f"init{half}": f"16'h{bit.init if bit else 0:04x}" for half, bit in enumerate(bits)},
            **{f"sum{half}": text((chain.result, index)) for half, index in enumerate(halves)},
            **{f"inputs{half}": _inputs(half, bit, text) for half, bit in enumerate(bits)},
        )
    return lines


def _inputs(half, bit, text):
    """The inputs of half a cell, which may be for no bit."""
    pins = zip("ABC", (bit.a, bit.b, bit.c) if bit else (None,) * 3)
    return ", ".join([*(f".{name}{half}({text(place)})" for name, place in pins), f".D{half}(1'b1)"])

"""What lanes cost: a faithful 11-bit tanh in one, two and four lanes, and a ROM that two lanes read."""

from tables import main, table

from hwact import Spec
from hwact.emit.verilog import verilog
from hwact.synth import count_cells

FAMILIES = ("ice40", "ecp5")
LANES = (1, 2, 4)
CORES = {"table": {"method": "table"}, "uniform segments": {"method": "pwl", "segmentation": "uniform"}}
WORDS = 1024


def area_row(core, lanes):
    """Lookup tables of a unit with so many lanes, by family."""
    request = {"input": "SQ4.7", "output": "SQ1.10", "interface": "pipe", "lanes": lanes, **CORES[core]}
    design = Spec("tanh", **request).design()
    text = verilog(design, command="")
    areas = [count_cells(text, design.name, family, bram=True).area for family in FAMILIES]
    return (core, lanes, *(f"{area} LUT4" for area in areas))


def rom(shared):
    """Verilog of a ROM of 1024 words of 16 bits for two lanes: one with two ports, or two with one."""
    words = "".join(f"  words[{k}] = {k * k * 37 % 65536};\n" for k in range(WORDS))
    memory = f"reg [15:0] words [0:{WORDS - 1}];\ninitial begin\n{words}end\n"
    if shared:
        reads = "always @(posedge clk) begin p <= words[a]; q <= words[b]; end\n"
        return f"module rom(input clk, input [9:0] a, b, output reg [15:0] p, q);\n{memory}{reads}endmodule\n"
    read = "always @(posedge clk) p <= words[a];\n"
    one = f"module lane(input clk, input [9:0] a, output reg [15:0] p);\n{memory}{read}endmodule\n"
    two = "lane first(clk, a, p);\nlane second(clk, b, q);\n"
    return f"{one}module rom(input clk, input [9:0] a, b, output [15:0] p, q);\n{two}endmodule\n"


def rom_row(shared):
    """Block RAMs of the ROM, by family."""
    name = "one ROM in block RAM" if shared else "two ROMs in block RAM"
    brams = [count_cells(rom(shared), "rom", family, bram=True).brams for family in FAMILIES]
    return (name, 2, *(f"{count} block RAM" for count in brams))


def make():
    """The table."""
    rows = [area_row(core, lanes) for core in CORES for lanes in LANES]
    return table(("what", "lanes", "iCE40", "ECP5"), [*rows, *(rom_row(shared) for shared in (False, True))])


if __name__ == "__main__":
    main(make, "lanes", "docs/interface-lanes.md", __doc__)

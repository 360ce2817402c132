"""Programmable units on iCE40 and ECP5: cells, block RAMs and clock frequency for several numbers of segments."""

from tables import main, table

from hwact.programmable import ProgrammableSpec
from hwact.programmable.verilog import verilog
from hwact.synth import synthesise
from hwact.synth.flow import write_netlist

CASES = tuple(
    (formats, segments, bus)
    for formats in (("SQ4.8", "SQ4.8"), ("SQ4.12", "SQ4.12"))
    for segments, bus in ((8, "axi-lite"), (16, "axi-lite"), (32, "axi-lite"), (32, "wishbone"))
)


def rows(formats, segments, bus):
    """One row a target."""
    design = ProgrammableSpec(*formats, segments, bus=bus).design()
    text = verilog(design, command="benchmarks/programmable.py")
    for target in ("ice40", "ecp5"):
        report = synthesise(text, design.name, target, bram=True)
        cells = report.cells
        mhz = "-" if report.fmax_mhz is None else f"{report.fmax_mhz:.1f}"
        small = write_netlist(text, design.name, "ecp5").count("TRELLIS_DPR16X4 ") if target == "ecp5" else "-"
        words = " to ".join(formats), segments, bus, design.latency, report.target
        yield (*words, cells.luts, cells.carries, cells.ffs, cells.brams, small, mhz)


def make():
    """The table."""
    head = ("formats", "segments", "bus", "latency", "target", "LUTs", "carries", "FFs", "BRAMs", "16x4 RAMs", "MHz")
    return table(head, [row for case in CASES for row in rows(*case)])


if __name__ == "__main__":
    main(make, "programmable", "docs/programmable.md", __doc__)

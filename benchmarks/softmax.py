"""Softmax units on iCE40 and ECP5: proven bounds, cycles a vector, cells and clock frequency."""

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator
from tables import main, table

from hwact.softmax import SoftmaxSpec, guarantee
from hwact.softmax.verilog import verilog
from hwact.synth import synthesise

CASES = (
    ("SQ4.4", "UQ0.8", 16, "faithful", "logic"),
    ("SQ4.4", "UQ0.8", 64, "faithful", "logic"),
    ("SQ4.4", "UQ0.8", 1024, "faithful", "logic"),
    ("SQ4.4", "UQ0.8", 64, "faithful", "dsp"),
    ("SQ4.8", "UQ0.12", 64, "faithful", "logic"),
    ("SQ4.8", "UQ0.12", 64, "faithful", "dsp"),
    ("SQ6.10", "SQ1.15", 256, "2ulp", "logic"),
    ("SQ6.10", "SQ1.15", 256, "2ulp", "dsp"),
)


def interval(design):
    """Clock cycles from the last output of a vector to that of the next, in a stream of full-length vectors.

    One element is the largest, the others are the smallest: the leading one of their total has the longest way.
    """
    top, unit, ends, taken = Module(), design.create(), [], 0
    top.domains.sync = ClockDomain("sync")
    top.submodules.dut = unit

    async def bench(ctx):
        ctx.set(unit.i.valid, 1)
        ctx.set(unit.o.ready, 1)
        nonlocal taken
        for cycle in range(8 * design.length + 500):
            ctx.set(unit.i.payload.code, design.input.min_code if taken % design.length else design.input.max_code)
            taken += ctx.get(unit.i.ready)
            if ctx.get(unit.o.valid) and ctx.get(unit.o.payload.last):
                ends.append(cycle)
            if len(ends) == 5:
                return
            await ctx.tick()

    simulator = Simulator(top)
    simulator.add_clock(1e-6, domain="sync")
    simulator.add_testbench(bench)
    simulator.run()
    return ends[-1] - ends[-2]


def rows(input, output, length, bound, multiplier):
    """One row a target."""
    design = SoftmaxSpec(input, output, length, bound, multiplier).design()
    proved, cycles = guarantee(design), interval(design)
    text = verilog(design, command="benchmarks/softmax.py")
    dsp = multiplier == "dsp"
    for target in ("ice40-up5k" if dsp else "ice40", "ecp5"):
        report = synthesise(text, design.name, target, dsp=dsp)
        cells = report.cells
        mhz = "-" if report.fmax_mhz is None else f"{report.fmax_mhz:.1f}"
        error = f"{float(proved.error_ulp):.3f}", f"{float(proved.sum_ulp):.1f}"
        yield (f"{input} to {output}", length, bound, *error, cycles, report.target, cells.luts, cells.carries) + (
            cells.ffs,
            cells.dsps,
            cells.brams,
            mhz,
        )


def make():
    """The table."""
    head = ("formats", "N", "bound", "error <= (ulp)", "sum within (ulp)", "cycles", "target")
    head += ("LUTs", "carries", "FFs", "DSPs", "BRAMs", "MHz")
    return table(head, [row for case in CASES for row in rows(*case)])


if __name__ == "__main__":
    main(make, "softmax", "docs/softmax.md", __doc__)

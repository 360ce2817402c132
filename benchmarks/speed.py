"""Clock frequencies: 16-bit units with their derivatives, and a registered 16-bit adder, on three devices.

Every placement is kept on disk, so that a run that was interrupted goes on where it stopped.
"""

import sys

from tables import main, table

from hwact import Spec
from hwact.emit.verilog import verilog
from hwact.synth import synthesise

#: Formats of y and dy; the input is SQ4.12.
UNITS = {
    "tanh": ("SQ1.15", "UQ1.15"),
    "sigmoid": ("UQ0.16", "UQ0.16"),
    "gelu": ("SQ4.12", "SQ2.14"),
    "silu": ("SQ4.12", "SQ2.14"),
}
#: Latency of the units on each device.
LATENCIES = {"ice40-hx8k": 8, "ecp5-25k": 15, "ice40-up5k": 8}
SEEDS = (1, 2, 3)

ADDER = """module adder (input clk, input [15:0] a, input [15:0] b, output reg [15:0] y);
  reg [15:0] left, right;
  always @(posedge clk) begin left <= a; right <= b; y <= left + right; end
endmodule
"""


def measured(text, top, target):
    """Report of a unit whose placements all succeed."""
    report = synthesise(text, top, target, seeds=SEEDS, bram=False)
    if report.status != "routed":
        raise SystemExit(f"{top} on {report.target}: {report.reason}")
    print(top, report.target, report.fmax_mhz_by_seed, file=sys.stderr, flush=True)
    return report


def row(name, latency, report, ceiling):
    """A report as a row, with its ratio to the adder's frequency."""
    cells, best, median = report.cells, report.fmax_mhz, report.fmax_median_mhz
    share = f"{best / ceiling:.2f}"
    return (report.target, name, latency, cells.area, cells.ffs, f"{best:.0f}", f"{median:.0f}", share)


def rows(target, latency):
    """The adder, and every unit."""
    adder = measured(ADDER, "adder", target)
    ceiling = adder.fmax_mhz
    yield row("registered 16-bit adder", 2, adder, ceiling)
    for name, (output, slope) in UNITS.items():
        spec = Spec(
            name,
            input="SQ4.12",
            output=output,
            derivative="direct",
            derivative_output=slope,
            interface="stream",
            latency=latency,
        )
        report = measured(verilog(spec.design(), command=spec.command()), name, target)
        yield row(f"{name}, {output}, with derivative, {slope}", latency, report, ceiling)


def make():
    """The table."""
    head = ("device", "unit", "latency", "area (LUT4)", "FFs", "best MHz", "median MHz", "of the adder's")
    return table(head, [one for item in LATENCIES.items() for one in rows(*item)])


if __name__ == "__main__":
    main(make, "speed", "docs/speed.md", __doc__)

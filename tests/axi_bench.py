"""cocotb tests of an AXI4-Stream unit with the sources and sinks of cocotbext-axi, which know nothing of hwact.

``HWACT_AXI`` names a JSON file with the design, the seed and the ports of clock and reset. What is expected is
packed here a second time, from the words of ``docs/interface-axis.md``.
"""

import json
import logging
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from hwact.design import Design

JOB = json.loads(Path(os.environ["HWACT_AXI"]).read_text(encoding="utf-8"))
DESIGN = Design.from_dict(JOB["design"])
LANES, USER = DESIGN.shell.lanes, DESIGN.shell.tuser
TAKEN = -(-DESIGN.input.width // 8)
GIVEN = sum(-(-channel.format.width // 8) for channel in DESIGN.channels)


def pauses(seed):
    """Runs of pauses of random length and density."""
    draw = random.Random(seed)
    while True:
        odds = draw.choice([0.1, 0.5, 0.9])
        for _ in range(draw.randint(1, 24)):
            yield draw.random() < odds


def input_bytes(codes, draw):
    """Bytes of codes, little-endian, with noise in the padding."""
    noise = draw.getrandbits(8 * TAKEN) << DESIGN.input.width
    mask = (1 << 8 * TAKEN) - 1
    return b"".join(((bits | noise) & mask).to_bytes(TAKEN, "little") for bits in DESIGN.input.to_bits(codes).tolist())


def output_bytes(codes):
    """Bytes of the results: y, then dy, each extended by its sign or by zeros to whole bytes."""
    results = zip(*(DESIGN.evaluate(codes, channel.name).tolist() for channel in DESIGN.channels))
    return b"".join(
        result.to_bytes(-(-channel.format.width // 8), "little", signed=channel.format.signed)
        for record in results
        for result, channel in zip(record, DESIGN.channels)
    )


class Bench:
    """Source, sink, clock and reset."""

    def __init__(self, dut):
        logging.getLogger("cocotb").setLevel(logging.WARNING)
        self.dut, self.draw = dut, random.Random(JOB["seed"])
        self.clock, self.reset = getattr(dut, JOB["clock"]), getattr(dut, JOB["reset"])
        self.asserted = int(DESIGN.shell.reset.endswith("high"))
        Clock(self.clock, 10, unit="ns").start()
        self.reset.value = self.asserted
        level = {"reset": self.reset, "reset_active_level": bool(self.asserted)}
        self.source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), self.clock, **level)
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), self.clock, **level)

    async def restart(self, cycles=4):
        """Hold the reset for some cycles."""
        self.reset.value = self.asserted
        for _ in range(cycles):
            await RisingEdge(self.clock)
        self.reset.value = 1 - self.asserted
        await RisingEdge(self.clock)

    def frame(self, codes):
        """A frame of codes, with another ``tuser`` in each beat, and the frame that must come back."""
        beats = -(-len(codes) // LANES)
        users = [self.draw.getrandbits(USER) if USER else 0 for _ in range(beats)]
        spread = lambda size: [users[k // (size * LANES)] for k in range(size * len(codes))]  # noqa: E731
        sent = AxiStreamFrame(input_bytes(codes, self.draw), tuser=spread(TAKEN))
        return sent, (output_bytes(codes), spread(GIVEN))

    async def exchange(self, groups):
        """Send a frame for each group of codes, and compare what comes back, frame by frame."""
        expected = []
        for codes in groups:
            sent, wanted = self.frame(codes)
            expected.append(wanted)
            await self.source.send(sent)
        for data, users in expected:
            got = await with_timeout(self.sink.recv(), 1_000_000, "ns")
            assert bytes(got.tdata) == data, "Results must be those of the golden model"
            got_users = [got.tuser] * len(data) if isinstance(got.tuser, int) else list(got.tuser or [0] * len(data))
            assert got_users == users, "tuser must come out beside its codes"
        assert self.sink.empty(), "Frames must be as many as were sent"


def groups(draw):
    """Every code of the domain in random order, cut into frames of random length."""
    codes = DESIGN.codes().tolist()
    draw.shuffle(codes)
    while codes:
        length = draw.randint(1, 12)
        yield codes[:length]
        codes = codes[length:]


@cocotb.test()
async def frames_come_back_at_full_rate(dut):
    """tlast ends each, tkeep leaves out lanes of its last beat, tuser differs from beat to beat."""
    bench = Bench(dut)
    await bench.restart()
    await bench.exchange(groups(bench.draw))


@cocotb.test()
async def frames_come_back_under_random_pauses(dut):
    """Source and sink pause, each at random."""
    bench = Bench(dut)
    bench.source.set_pause_generator(pauses(JOB["seed"]))
    bench.sink.set_pause_generator(pauses(JOB["seed"] + 1))
    await bench.restart()
    await bench.exchange(groups(bench.draw))


@cocotb.test()
async def resets_in_flight_leave_nothing_behind(dut):
    """After each reset nothing comes out but what was sent since."""
    bench = Bench(dut)
    bench.sink.set_pause_generator(pauses(JOB["seed"] + 2))
    await bench.restart()
    codes = DESIGN.codes()[: 9 * LANES].tolist()
    for flight in range(1, 2 * DESIGN.latency + 6):
        await bench.source.send(bench.frame(codes)[0])
        for _ in range(flight):
            await RisingEdge(bench.clock)
        bench.reset.value = bench.asserted
        await RisingEdge(bench.clock)
        bench.source.clear()
        await bench.restart()
        bench.sink.clear()
        await bench.exchange([codes])

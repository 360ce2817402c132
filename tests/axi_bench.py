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


def pauses(seed):
    """Runs of pauses of random length and density."""
    draw = random.Random(seed)
    while True:
        odds = draw.choice([0.1, 0.5, 0.9])
        for _ in range(draw.randint(1, 24)):
            yield draw.random() < odds


def size(format):
    """Bytes that a code takes."""
    return -(-format.width // 8)


def input_bytes(design, codes, draw):
    """Bytes of codes, little-endian, with noise in the padding."""
    taken = size(design.input)
    noise, mask = draw.getrandbits(8 * taken) << design.input.width, (1 << 8 * taken) - 1
    return b"".join(((bits | noise) & mask).to_bytes(taken, "little") for bits in design.input.to_bits(codes).tolist())


def output_bytes(design, codes):
    """Bytes of the results: y, then dy, each extended by its sign or by zeros to whole bytes."""
    results = zip(*(design.evaluate(codes, channel.name).tolist() for channel in design.channels))
    return b"".join(
        result.to_bytes(size(channel.format), "little", signed=channel.format.signed)
        for record in results
        for result, channel in zip(record, design.channels)
    )


class Bench:
    """Design, source, sink, clock and reset."""

    def __init__(self, dut):
        logging.getLogger("cocotb").setLevel(logging.WARNING)
        job = json.loads(Path(os.environ["HWACT_AXI"]).read_text(encoding="utf-8"))
        self.design, self.seed = Design.from_dict(job["design"]), job["seed"]
        self.draw = random.Random(self.seed)
        self.clock, self.reset = getattr(dut, job["clock"]), getattr(dut, job["reset"])
        self.asserted = int(self.design.shell.reset.endswith("high"))
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
        design, shell = self.design, self.design.shell
        users = [self.draw.getrandbits(shell.tuser) if shell.tuser else 0 for _ in range(-(-len(codes) // shell.lanes))]

        def spread(count):
            """The user bits of each byte, `count` bytes a code."""
            return [users[k // (count * shell.lanes)] for k in range(count * len(codes))]

        sent = AxiStreamFrame(input_bytes(design, codes, self.draw), tuser=spread(size(design.input)))
        return sent, (output_bytes(design, codes), spread(sum(size(channel.format) for channel in design.channels)))

    async def exchange(self, groups):
        """Send a frame for each group of codes, and compare what comes back, frame by frame."""
        expected = []
        for codes in groups:
            sent, wanted = self.frame(codes)
            expected.append(wanted)
            await self.source.send(sent)
        for data, users in expected:
            got = await with_timeout(self.sink.recv(), 50_000, "ns")
            assert bytes(got.tdata) == data, "Results must be those of the golden model"
            got_users = [got.tuser] * len(data) if isinstance(got.tuser, int) else list(got.tuser or [0] * len(data))
            assert got_users == users, "tuser must come out beside its codes"
        assert self.sink.empty(), "Frames must be as many as were sent"


def groups(bench):
    """Every code of the domain in random order, cut into frames of random length."""
    codes = bench.design.codes().tolist()
    bench.draw.shuffle(codes)
    while codes:
        length = bench.draw.randint(1, 12)
        yield codes[:length]
        codes = codes[length:]


@cocotb.test()
async def frames_come_back_at_full_rate(dut):
    """tlast ends each, tkeep leaves out lanes of its last beat, tuser differs from beat to beat."""
    bench = Bench(dut)
    await bench.restart()
    await bench.exchange(groups(bench))


@cocotb.test()
async def frames_come_back_under_random_pauses(dut):
    """Source and sink pause, each at random."""
    bench = Bench(dut)
    bench.source.set_pause_generator(pauses(bench.seed))
    bench.sink.set_pause_generator(pauses(bench.seed + 1))
    await bench.restart()
    await bench.exchange(groups(bench))


@cocotb.test()
async def resets_in_flight_leave_nothing_behind(dut):
    """After each reset nothing comes out but what was sent since."""
    bench = Bench(dut)
    bench.sink.set_pause_generator(pauses(bench.seed + 2))
    await bench.restart()
    codes = bench.design.codes()[: 9 * bench.design.shell.lanes].tolist()
    for flight in range(1, 2 * bench.design.latency + 6):
        await bench.source.send(bench.frame(codes)[0])
        for _ in range(flight):
            await RisingEdge(bench.clock)
        bench.reset.value = bench.asserted
        await RisingEdge(bench.clock)
        bench.source.clear()
        await bench.restart()
        bench.sink.clear()
        await bench.exchange([codes])

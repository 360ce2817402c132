"""cocotb tests of a programmable unit with other people's bus models: cocotbext-axi and cocotbext-wishbone.

The folders of the unit and of two images are named by the environment; each test drives codes without a pause in the
order of the codes, and knows of every result which images it can have been computed with.
"""

import itertools
import json
import os
import random
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, with_timeout

from hwact.emit.manifest import read_manifest

FOLDERS = [Path(path) for path in os.environ["HWACT_PROGRAMMABLE"].split(os.pathsep)]
CONTENTS, UNIT = read_manifest(FOLDERS[0])
IMAGES = [read_manifest(folder)[1] for folder in FOLDERS[1:]]
MAP = json.loads((FOLDERS[0] / "registers" / f"{UNIT.name}.json").read_text())
RESET_LOW = UNIT.reset.endswith("low")


def address_of(window, register, segment=0):
    """Byte address, from the JSON map alone."""
    window = next(one for one in MAP["windows"] if one["name"] == window)
    register = next(one for one in window["registers"] if one["name"] == register)
    return window["base"] + register["offset"] + MAP["segment_bytes"] * (segment - register["first"])


def pauses(chance):
    """Endless random pauses, for cocotbext-axi."""
    return (random.random() < chance for _ in itertools.count())


class Axi:
    """cocotbext-axi: words with random pauses on all five channels."""

    def __init__(self, dut, chance):
        from cocotbext.axi import AxiLiteBus, AxiLiteMaster

        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, reset_of(dut), not RESET_LOW)
        write, read = self.master.write_if, self.master.read_if
        for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel):
            channel.set_pause_generator(pauses(chance))

    async def write(self, address, data, strobes=15):
        """Write the bytes of a word; False where it failed. Only runs of bytes can be written."""
        lanes = [byte for byte in range(4) if strobes >> byte & 1]
        part = data.to_bytes(4, "little")[lanes[0] : lanes[-1] + 1]
        answer = await self.master.write(address + lanes[0], part)
        return answer is not None and answer.resp == 0

    async def read(self, address):
        """A word, None where it failed."""
        answer = await self.master.read(address, 4)
        return int.from_bytes(answer.data, "little") if answer is not None and answer.resp == 0 else None


class Wishbone:
    """cocotbext-wishbone: a pipelined master, or a classic one without `stall`."""

    def __init__(self, dut, chance):
        from cocotbext.wishbone import driver
        from cocotbext.wishbone.driver import WBOp, WishboneMaster

        # Icarus 11 loses a net that cocotb 2.1 sets at once before the first cycle.
        driver.set_immediate = lambda signal, value: setattr(signal, "value", value)

        class Master(WishboneMaster):
            _optional_signals = ["sel", "err"] + ["stall"] * bool(os.environ.get("HWACT_PIPELINED"))

        signals = {name: name for name in ("cyc", "stb", "we", "adr", "ack")} | {"datwr": "dat_w", "datrd": "dat_r"}
        self.op, self.chance = WBOp, chance
        self.master = Master(dut, "wb", dut.clk, timeout=5000, signals_dict=signals)

    async def _cycle(self, **words):
        idle = random.randrange(4) if random.random() < self.chance else 0
        (answer,) = await self.master.send_cycle([self.op(idle=idle, **words)])
        return answer

    async def write(self, address, data, strobes=15):
        return (await self._cycle(adr=address, dat=data, sel=strobes)).ack == 1

    async def read(self, address):
        answer = await self._cycle(adr=address)
        return int(answer.datrd) if answer.ack == 1 else None


def reset_of(dut):
    return dut.rst_n if RESET_LOW else dut.rst


class Traffic:
    """Codes in, results out, with random stalls; what each result may be follows from when its code was taken."""

    def __init__(self, dut, chance):
        self.dut, self.chance = dut, chance
        self.codes = UNIT.codes().tolist()
        self.inputs = UNIT.input.to_bits(UNIT.codes()).tolist()
        self.wanted = [UNIT.output.to_bits(image.evaluate(UNIT.codes())).tolist() for image in IMAGES]
        self.begun, self.ended = [], []  # images swapped to: asked for, and answered
        self.start()

    def start(self):
        self.flight, self.position, self.latest, self.checked = [], 0, 0, set()
        self.ambiguous = 0
        self.task = cocotb.start_soon(self.run())

    async def run(self):
        dut, offered = self.dut, False
        while True:
            offered = offered or random.random() >= self.chance
            dut.i_valid.value = int(offered)
            dut.i_payload.value = self.inputs[self.position] if offered else random.getrandbits(UNIT.input.width)
            dut.o_ready.value = int(random.random() >= self.chance)
            await RisingEdge(dut.clk)
            if dut.o_valid.value == 1 and dut.o_ready.value == 1:
                self.check(int(dut.o_payload.value))
            if offered and dut.i_ready.value == 1:
                self.flight.append((self.position, len(self.ended), len(self.begun)))
                self.position, offered = (self.position + 1) % len(self.codes), False

    def check(self, output):
        position, least, most = self.flight.pop(0)
        if not least:
            return
        self.ambiguous += least != most
        seen = range(max(self.latest, least), most + 1)
        found = next((n for n in seen if self.wanted[self.begun[n - 1]][position] == output), None)
        assert found is not None, f"Output of code {self.codes[position]} must be of one image, not {output}"
        self.latest = found
        self.checked.add((found, position))

    async def everything(self):
        """Wait until every code was checked since the last swap."""
        for _ in range(60 * len(self.codes) + 2000):
            if sum(swap == len(self.ended) for swap, _ in self.checked) == len(self.codes):
                return
            await RisingEdge(self.dut.clk)
        raise AssertionError(f"Received {len(self.checked)} of {len(self.codes)} outputs")


async def reset(dut, traffic=None):
    """Reset the unit in mid-flight; the traffic starts afresh."""
    if traffic:
        traffic.task.cancel()
    dut.i_valid.value = 0
    reset_of(dut).value = int(not RESET_LOW)
    for _ in range(3):
        await RisingEdge(dut.clk)
    reset_of(dut).value = int(RESET_LOW)
    await RisingEdge(dut.clk)
    assert dut.o_valid.value == 0
    if traffic:
        traffic.begun, traffic.ended = [], []
        traffic.start()


async def start(dut, chance):
    """Clock, reset, bus master and traffic."""
    random.seed(3)
    Clock(dut.clk, 10, "ns").start()
    dut.o_ready.value = 0
    dut.i_payload.value = 0
    master = (Axi if UNIT.bus == "axi-lite" else Wishbone)(dut, chance)
    if UNIT.bus == "axi-lite":
        dut.s_axil_awprot.value = dut.s_axil_arprot.value = 0
    await reset(dut)
    return master, Traffic(dut, chance)


async def load(master, image):
    for address, value in random.sample(image.writes, len(image.writes)):
        assert await master.write(address, value)


async def swap(master, traffic, number):
    traffic.begun.append(number)
    assert await master.write(address_of("CONTROL", "CONTROL"), 1)
    traffic.ended.append(number)


async def read_back(master, image, window):
    """Every word of an image, and its identifier through the map."""
    offset = address_of(window, "IDENTIFIER") - address_of("SHADOW", "IDENTIFIER")
    for address, value in image.writes:
        assert await master.read(address + offset) == value
    assert await master.read(address_of(window, "IDENTIFIER")) == image.identifier


async def whole_story(dut, chance):
    """Load the first, run all codes, load the second under traffic, swap, run all codes, read back, swap back."""
    master, traffic = await start(dut, chance)
    assert await master.read(address_of("CONTROL", "UNIT")) == int(UNIT.digest[:8], 16)
    assert await master.read(address_of("CONTROL", "CAPACITY")) == UNIT.segments
    assert await master.read(address_of("CONTROL", "STATUS")) == 0
    await load(master, IMAGES[0])
    await read_back(master, IMAGES[0], "SHADOW")
    await swap(master, traffic, 0)
    await traffic.everything()
    await load(master, IMAGES[1])
    await read_back(master, IMAGES[1], "SHADOW")
    await read_back(master, IMAGES[0], "ACTIVE")
    await swap(master, traffic, 1)
    assert (await master.read(address_of("CONTROL", "STATUS"))) & 1 == 0
    await traffic.everything()
    await read_back(master, IMAGES[1], "ACTIVE")
    await read_back(master, IMAGES[0], "SHADOW")
    for number in (0, 1) * 6:  # as fast as the bus can; writes must wait for old codes
        await swap(master, traffic, number)
        await load(master, IMAGES[1 - number])
    await swap(master, traffic, 0)
    await traffic.everything()
    return traffic


@cocotb.test()
async def loads_swaps_and_reads_back_at_full_rate(dut):
    """Nothing stalls."""
    await with_timeout(whole_story(dut, 0), 300, "us")


@cocotb.test()
async def loads_swaps_and_reads_back_with_stalls(dut):
    """Codes, results and every channel of the bus pause at random."""
    traffic = await with_timeout(whole_story(dut, 0.4), 600, "us")
    assert traffic.ambiguous, "Codes must be taken while a swap is under way"


@cocotb.test()
async def answers_errors_and_keeps_bytes(dut):
    """Bad addresses fail and change nothing; bytes that are not written stay."""
    master, traffic = await start(dut, 0.2)
    for image in IMAGES:
        await load(master, image)
        await swap(master, traffic, IMAGES.index(image))
    shadow, active = address_of("SHADOW", "IDENTIFIER"), address_of("ACTIVE", "IDENTIFIER")
    size = active - shadow
    for address in (3 * size, 3 * size + 4, 4 * size - 4, shadow + 12, active + 12, 16, size - 4):
        assert await master.read(address) is None
        assert not await master.write(address, 0xFFFFFFFF)
    last = active + MAP["segment_bytes"] * (UNIT.segments - 1)
    for address in (active, active + 4, last, last + 8, *(4 * word for word in range(3))):
        assert await master.read(address) is not None
        assert not await master.write(address, 0xFFFFFFFF)
    await read_back(master, IMAGES[1], "ACTIVE")
    await read_back(master, IMAGES[0], "SHADOW")
    assert await master.write(shadow, 0x11223344)
    for strobes, data, word in ((1, 0xAABBCCDD, 0x112233DD), (6, 0x01020304, 0x110203DD), (8, 0x55667788, 0x550203DD)):
        assert await master.write(shadow, data, strobes)
        assert await master.read(shadow) == word
    assert await master.write(address_of("CONTROL", "CONTROL"), 0x101, 2)  # the byte of the swap stays
    assert await master.write(address_of("CONTROL", "CONTROL"), 2)
    assert (await master.read(address_of("CONTROL", "STATUS"))) & 1 == 0
    await traffic.everything()


@cocotb.test()
async def holds_writes_while_old_codes_are_in_flight(dut):
    """With results not taken after a swap, a write waits, its bank stays, and reads still answer (on AXI4-Lite)."""
    master, traffic = await start(dut, 0)
    await load(master, IMAGES[0])
    await swap(master, traffic, 0)
    await traffic.everything()
    traffic.chance = 1.0  # no more codes, no more results
    for _ in range(3):
        await RisingEdge(dut.clk)
    assert traffic.flight
    await swap(master, traffic, 1)
    writing = cocotb.start_soon(master.write(IMAGES[1].writes[1][0], 0))
    for _ in range(100):
        await RisingEdge(dut.clk)
    assert not writing.done()
    if UNIT.bus == "axi-lite":
        assert (await master.read(address_of("CONTROL", "STATUS"))) >> 1 == 1
    assert traffic.flight
    traffic.begun[-1] = traffic.begun[-2]  # bank 0 holds nothing yet: no code is sent, none is checked
    traffic.chance = 0.5
    traffic.inputs, traffic.position = [traffic.inputs[0]] * len(traffic.inputs), 0
    await with_timeout(writing, 50, "us")


@cocotb.test()
async def resets_in_flight(dut):
    """Whatever the bus and the streams were doing; bank 0 is active then, and everything works again."""
    master, traffic = await start(dut, 0.3)
    if UNIT.bus == "wishbone":
        dut._log.info("the master has no reset: it is between transfers")
    for _ in range(10):
        if UNIT.bus == "axi-lite":
            loading = cocotb.start_soon(load_quietly(master, IMAGES[0]))
            for _ in range(random.randrange(60)):
                await RisingEdge(dut.clk)
            await reset(dut, traffic)
            loading.cancel()
        else:
            for address, value in IMAGES[0].writes[: random.randrange(9)]:
                assert await master.write(address, value)
            await swap(master, traffic, 0)
            traffic.begun, traffic.ended = [], []
            await reset(dut, traffic)
        assert await master.read(address_of("CONTROL", "STATUS")) == 0
    await load(master, IMAGES[1])
    await swap(master, traffic, 1)
    await traffic.everything()


async def load_quietly(master, image):
    for address, value in image.writes:
        await master.write(address, value)

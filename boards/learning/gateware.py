"""The learning circuit: one multiplier, one unit and a program, behind a bus of 32-bit words."""

from enum import IntEnum

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...rtl import ActivationUnit
from .network import WORD
from .program import Effect, Words, program

__all__ = [
    "ADDRESS_BITS",
    "LOSS_BITS",
    "SAMPLE_BITS",
    "WORD_BITS",
    "Learner",
    "Region",
    "Register",
    "address",
    "cycles_per_step",
]

ADDRESS_BITS = 12
#: Width of the sum of squared errors; it cannot overflow in 2**18 steps.
LOSS_BITS = 48
#: Memory of samples: 1024 numbers, three a sample.
SAMPLE_BITS = 10
#: Words of the network's memory, weights among them.
WORD_BITS = 8


class Region(IntEnum):
    """The upper two bits of an address."""

    REGISTERS = 0
    WORDS = 1
    SAMPLES = 2


class Register(IntEnum):
    """Addresses of the registers.

    STEP counts the steps done; a write sets it and begins with the first sample again. NOISE is the generator's state.
    LAST, write only, is the address of the last number of the samples. HIDDEN, read only, is the number of hidden
    neurons.
    """

    STEP = 0
    NOISE = 1
    LAST = 2
    HIDDEN = 3


def address(region, offset):
    """The address of a register, a word or a number of the samples."""
    return region << ADDRESS_BITS - 2 | offset


def cycles_per_step(network):
    """Clock cycles from one sample to the next."""
    steps = program(network.hidden)
    return 4 * len(steps) + sum(one.effect == Effect.ACTIVATE for one in steps) * (network.design.latency + 2)


class Learner(wiring.Component):
    """A network that learns from samples in its memory.

    An instruction takes four cycles, and `latency` + 2 more where it activates; a step takes `cycles_per_step`.
    Its clock domain is ``sync``.

    Parameters
    ----------
    network : Network

    Members
    -------
    address : In(ADDRESS_BITS)
        A `Region`, then an address in it.
    write : In(1)
        Write `write_data`; without effect while busy.
    write_data : In(32)
    read_data : Out(32)
        What is at the address of the cycle before; words with their sign, while not busy. Samples cannot be read.
    start : In(1)
        Learn until `step` is `goal`, unless it is already; without effect while busy.
    goal : In(32)
        Held until not busy.
    busy : Out(1)
        From the cycle after `start` on.
    step : Out(32)
        Steps done.
    loss : Out(LOSS_BITS)
        Sum of squared errors since the last `start` that did anything.

    Attributes
    ----------
    network : Network
    latency : int
        Cycles from a code to its result in the unit.
    program : tuple of Instruction
    cycles_per_step : int
        Clock cycles from one sample to the next.
    """

    def __init__(self, network):
        self.network = network
        self.latency = network.design.latency
        self.program = program(network.hidden)
        self.cycles_per_step = cycles_per_step(network)
        super().__init__(
            {
                "address": In(ADDRESS_BITS),
                "write": In(1),
                "write_data": In(32),
                "read_data": Out(32),
                "start": In(1),
                "goal": In(32),
                "busy": Out(1),
                "step": Out(32),
                "loss": Out(LOSS_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        network, kinds = self.network, list(self.network.shifts)
        accumulator = signed(2 * WORD.width + (network.hidden + 1).bit_length() + 1)

        # Registers, and the bus.
        offset, region = self.address[:-2], self.address[-2:]
        noise, last, pointer = Signal(32, init=1), Signal(SAMPLE_BITS), Signal(SAMPLE_BITS)
        idle, ending = Signal(), Signal()
        write = self.write & idle
        m.d.comb += self.busy.eq(~idle)
        m.d.sync += ending.eq(self.step + 1 == self.goal)
        with m.If(write & (region == Region.REGISTERS)):
            with m.Switch(offset):
                with m.Case(Register.STEP):
                    m.d.sync += [self.step.eq(self.write_data), pointer.eq(0)]
                with m.Case(Register.NOISE):
                    m.d.sync += noise.eq(self.write_data)
                with m.Case(Register.LAST):
                    m.d.sync += last.eq(self.write_data)

        # Memories: the program, the samples, and the words with two read ports.
        fields = {"a": WORD_BITS, "b": WORD_BITS, "d": WORD_BITS, "clear": 1, "negate": 1, "shift": 3, "effect": 3}
        layout = data.StructLayout({**fields, "last": 1})
        rows = [layout.const(_encoded(one, kinds)) for one in self.program]
        m.submodules.rom = rom = Memory(shape=layout, depth=len(rows), init=rows)
        m.submodules.samples = samples = Memory(shape=signed(WORD.width), depth=1 << SAMPLE_BITS, init=[])
        constants = [0] * (1 << WORD_BITS)
        constants[Words.UNIT], constants[Words.ONE] = 1, network.one
        m.submodules.words = words = Memory(shape=signed(WORD.width), depth=1 << WORD_BITS, init=constants)
        fetch, sample = rom.read_port(), samples.read_port()
        put, a, b = words.write_port(), words.read_port(), words.read_port()
        load = samples.write_port()
        now = fetch.data
        m.d.comb += [
            load.addr.eq(offset),
            load.data.eq(self.write_data),
            load.en.eq(write & (region == Region.SAMPLES)),
            sample.addr.eq(pointer),
            a.addr.eq(Mux(idle, offset, now.a)),
            b.addr.eq(now.b),
        ]
        chosen = Signal(2)
        is_word = Signal()
        m.d.sync += [chosen.eq(offset), is_word.eq(region == Region.WORDS)]
        registers = {Register.STEP: self.step, Register.NOISE: noise, Register.HIDDEN: network.hidden}
        with m.If(is_word):
            m.d.comb += self.read_data.eq(a.data)
        with m.Else():
            with m.Switch(chosen):
                for number, register in registers.items():
                    with m.Case(number):
                        m.d.comb += self.read_data.eq(register)

        # Arithmetic: multiply and accumulate, round, saturate.
        total, settled = Signal(accumulator), Signal(accumulator)
        product = Signal(signed(2 * WORD.width))
        base = Signal(accumulator)
        m.d.comb += [product.eq(a.data * b.data), base.eq(Mux(now.clear, 0, settled))]
        rounded = Signal(accumulator)
        dither = Signal(max(network.shifts.values()) or 1)
        biased = Signal(signed(len(total) + 1))
        m.d.comb += biased.eq(total + dither)
        with m.Switch(now.shift):
            for number, (kind, shift) in enumerate(network.shifts.items()):
                with m.Case(number):
                    random = network.noisy and kind == "update"
                    m.d.comb += dither.eq(noise[:shift] if random else 1 << shift >> 1)
                    m.d.comb += rounded.eq(biased >> shift)

        # The unit.
        m.submodules.unit = unit = ActivationUnit(network.design)
        results = [self._word(channel, unit.o.payload) for channel in network.design.channels]
        value, slope = results if network.has_derivative else (*results, 1)
        first, final = network.design.domain
        limited = _fitted(settled, len(unit.i.payload) + (not network.design.input.signed))
        code = Mux(limited < first, first, Mux(limited > final, final, limited))
        given = Signal.like(unit.i.payload)
        m.d.comb += unit.i.payload.eq(given)

        # The sequence.
        counter = Signal(range(len(rows)))
        m.d.comb += [fetch.addr.eq(counter), fetch.en.eq(0)]
        m.d.comb += [put.addr.eq(now.d), put.data.eq(_fitted(settled, WORD.width))]

        def proceed():
            m.d.comb += fetch.en.eq(1)
            m.next = "READ"
            with m.If(now.last):
                m.d.sync += self.step.eq(self.step + 1)
                with m.If(ending):
                    m.next = "IDLE"

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [idle.eq(1), fetch.en.eq(1), put.addr.eq(offset), put.data.eq(self.write_data)]
                m.d.comb += put.en.eq(write & (region == Region.WORDS))
                with m.If(self.start & (self.goal != self.step)):
                    m.d.sync += self.loss.eq(0)
                    m.next = "READ"
            with m.State("READ"):
                m.d.sync += counter.eq(Mux(now.last, 0, counter + 1))
                m.next = "EXECUTE"
            with m.State("EXECUTE"):
                m.d.sync += total.eq(Mux(now.negate, base - product, base + product))
                m.next = "ROUND"
            with m.State("ROUND"):
                m.d.sync += settled.eq(rounded)
                m.next = "WRITE"
            with m.State("WRITE"):
                if network.noisy:
                    with m.If(now.shift == kinds.index("update")):
                        m.d.sync += noise.eq(_next_noise(noise))
                with m.Switch(now.effect):
                    with m.Case(Effect.STORE):
                        m.d.comb += put.en.eq(1)
                    with m.Case(Effect.LOAD):
                        m.d.comb += [put.data.eq(sample.data), put.en.eq(1)]
                        m.d.sync += pointer.eq(Mux(pointer == last, 0, pointer + 1))
                    with m.Case(Effect.LOSS):
                        m.d.sync += self.loss.eq(self.loss + settled)
                with m.If(now.effect == Effect.ACTIVATE):
                    m.d.sync += given.eq(code)
                    m.next = "OFFER"
                with m.Else():
                    proceed()
            with m.State("OFFER"):
                m.d.comb += unit.i.valid.eq(1)
                m.next = "VALUE"
            with m.State("VALUE"):
                m.d.comb += [put.data.eq(value), put.en.eq(unit.o.valid)]
                with m.If(unit.o.valid):
                    m.next = "SLOPE"
            with m.State("SLOPE"):
                m.d.comb += [put.addr.eq(now.d + 1), put.data.eq(slope), put.en.eq(1), unit.o.ready.eq(1)]
                proceed()
        return m

    def _word(self, channel, payload):
        """An output of the unit with its sign, as far as it fits a word."""
        code = getattr(payload, channel.name)
        return (code.as_signed() if channel.format.signed else code) >> self.network.dropped(channel.name)


def _encoded(instruction, kinds):
    """Fields of an instruction as numbers."""
    return {**vars(instruction), "shift": kinds.index(instruction.shift), "effect": int(instruction.effect)}


def _fitted(number, width):
    """A signed number saturated to so many bits."""
    sign, above = number[-1], number[width - 1 : -1]
    fits = Mux(sign, above.all(), ~above.any())
    return Mux(fits, number[:width], Cat((~sign).replicate(width - 1), sign)).as_signed()


def _next_noise(noise):
    """See `network.next_noise`."""
    noise = noise ^ (noise << 13)[:32]
    noise = noise ^ (noise >> 17)
    return noise ^ (noise << 5)[:32]

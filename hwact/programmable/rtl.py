"""The circuit of a programmable unit: a pipelined search, a multiplication, and the bus that writes their tables.

Every table is a memory with two banks. A code takes the number of the active bank along, so that all its reads
are from one bank; the bus writes to the other bank alone, and waits while a code in flight still reads there.
"""

from amaranth.hdl import C, Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..rtl.lookup import span
from ..rtl.saturate import Saturate
from .design import ROWS
from .registers import (
    ACTIVE,
    CONTROL,
    INTERCEPT,
    SHADOW,
    SLOPE,
    START,
    STATUS,
    UNIT,
    WORD,
    address_bits,
    word_fields,
)

__all__ = ["AxiLite", "Pipeline", "Programmable", "Tables", "Wishbone", "bus_signature"]


def bus_signature(design):
    """The signals of the unit's bus, by their port names, seen from the unit."""
    address = address_bits(design)
    if design.bus == "wishbone":
        inputs = {"cyc": 1, "stb": 1, "we": 1, "adr": address, "sel": 4, "dat_w": WORD}
        outputs = {"dat_r": WORD, "ack": 1, "err": 1, "stall": 1}
    else:
        inputs = {"awaddr": address, "awprot": 3, "awvalid": 1, "wdata": WORD, "wstrb": 4, "wvalid": 1, "bready": 1}
        inputs |= {"araddr": address, "arprot": 3, "arvalid": 1, "rready": 1}
        outputs = {
            "awready": 1,
            "wready": 1,
            "bresp": 2,
            "bvalid": 1,
            "arready": 1,
            "rdata": WORD,
            "rresp": 2,
            "rvalid": 1,
        }
    flows = {name: In(width) for name, width in inputs.items()} | {name: Out(width) for name, width in outputs.items()}
    return wiring.Signature(flows)


def _flags(names):
    """One-bit signals of these names: Amaranth names only what is assigned alone."""
    return (Signal(name=name) for name in names.split())


class Programmable(wiring.Component):
    """A unit whose segments are written over a bus.

    Accepts one code per cycle and returns results in order, `latency` cycles later. Its clock domain is ``sync``.

    Parameters
    ----------
    design : ProgrammableDesign

    Members
    -------
    i, o : stream of codes
        Held while not ready; `valid` never waits for `ready`.
    bus : Out(bus_signature(design))

    Attributes
    ----------
    design : ProgrammableDesign
    latency : int
        Clock cycles from a code to its result.
    tables : Tables
        The part behind the bus.
    """

    def __init__(self, design):
        self.design = design
        self.latency = design.latency
        self.tables = Tables(design)
        super().__init__(
            {
                "i": In(stream.Signature(design.input.width)),
                "o": Out(stream.Signature(design.output.width)),
                "bus": Out(bus_signature(design)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.pipeline = pipeline = Pipeline(self.design)
        m.submodules.tables = tables = self.tables
        m.submodules.front = front = {"axi-lite": AxiLite, "wishbone": Wishbone}[self.design.bus](self.design)
        wiring.connect(m, wiring.flipped(self.i), pipeline.i)
        wiring.connect(m, pipeline.o, wiring.flipped(self.o))
        wiring.connect(m, front.access, tables.access)
        wiring.connect(m, tables.pipeline, pipeline.tables)
        for name, member in self.bus.signature.members.items():
            inner, outer = getattr(front.bus, name), getattr(self.bus, name)
            m.d.comb += inner.eq(outer) if member.flow is In else outer.eq(inner)
        return m


def _update(design):
    """What the tables tell the pipeline: the active bank, and a word for the other one; and what they hear of it."""
    return wiring.Signature(
        {
            "active": Out(1),
            "write": Out(1),
            "segment": Out(design.levels),
            "word": Out(2),
            "data": Out(WORD),
            "draining": In(1),
        }
    )


class Pipeline(wiring.Component):
    """From codes to results: one comparison a cycle, then rows of additions, then the intercept and the clamp.

    Members
    -------
    i, o : stream of codes
    tables : In(update)
    """

    def __init__(self, design):
        self.design = design
        super().__init__(
            {
                "i": In(stream.Signature(design.input.width)),
                "o": Out(stream.Signature(design.output.width)),
                "tables": In(_update(design)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        design = self.design
        self._move = Signal(name="move")
        # Valid bits and banks of the stages that still read tables, and valid bits of those that do not.
        last = design.latency - 2
        valid, bank = self.i.valid, self.tables.active
        banks, foreign = [bank], []
        for stage in range(1, design.latency + 1):
            valid = self._later(m, valid, f"valid_{stage}", reset_less=False)
            if stage <= last:
                bank = self._later(m, bank, f"bank_{stage}")
                banks.append(bank)
                foreign.append(valid & (bank != self.tables.active))
        m.d.comb += [
            self._move.eq(self.o.ready | ~valid),
            self.i.ready.eq(self._move),
            self.o.valid.eq(valid),
            self.tables.draining.eq(Cat(*foreign).any()),
        ]
        x = Signal(span(design.input.min_code, design.input.max_code))
        m.d.comb += x.eq(self.i.payload)
        x, segments = self._search(m, x, banks)
        total = self._multiply_add(m, x, segments, banks)
        # The clamp.
        m.submodules.saturate = saturate = Saturate(*self._range(), design.output)
        m.d.comb += [saturate.raw.eq(total), self.o.payload.eq(self._later(m, saturate.y, "result"))]
        return m

    def _later(self, m, value, name, reset_less=True):
        """`value` one move later."""
        later = Signal.like(value, name=name, reset_less=reset_less, init=0)
        with m.If(self._move):
            m.d.sync += later.eq(value)
        return later

    def _search(self, m, x, banks):
        """The code beside the number of its segment, `levels` moves later."""
        design = self.design
        number = C(0, 0)
        for level in range(design.levels):
            below = design.levels - 1 - level
            nodes = sum((2 * node + 1) << below < design.segments for node in range(1 << level))
            # Nodes of this level are the segments whose number has so many zeros at the end.
            segment = self.tables.segment
            here = segment[: below + 1] == 1 << below
            write = self.tables.write & (self.tables.word == START) & here
            read = self._memory(
                m,
                f"starts_{level}",
                x.shape(),
                level,
                number,
                banks[level],
                write,
                segment[below + 1 :],
                self.tables.data,
            )
            x = self._later(m, x, f"code_{level + 1}")
            number = self._later(m, number, f"number_{level + 1}") if level else number
            right = Signal(name=f"right_{level + 1}")
            m.d.comb += right.eq((x >= read) & (number < nodes if nodes < 1 << level else 1))
            number = Cat(right, number)
        return x, number

    def _memory(self, m, name, shape, depth_bits, number, bank, write, write_number, value):
        """A table of both banks: its entry for `number`, one move later."""
        m.submodules[name] = memory = Memory(shape=shape, depth=2 << depth_bits, init=[])
        port = memory.write_port()
        m.d.comb += [
            port.en.eq(write),
            port.addr.eq(Cat(write_number, ~self.tables.active)),
            port.data.eq(value),
        ]
        read = memory.read_port()
        m.d.comb += [read.en.eq(self._move), read.addr.eq(Cat(number, bank))]
        return read.data

    def _multiply_add(self, m, x, number, banks):
        """``(slope * x + intercept) >> shift``, the shift rounding down, `product_rows` + 1 moves later."""
        design, levels, width = self.design, self.design.levels, self.design.input.width
        slope = self._coefficient(m, "slopes", SLOPE, 0, signed(design.slope.width), number, banks[levels])
        low = self._coefficient(m, "intercepts_low", INTERCEPT, 0, unsigned(width), number, banks[levels])
        x = self._later(m, x, f"code_{levels + 1}")
        for row in range(design.product_rows):
            number = self._later(m, number, f"number_{levels + row + 1}")
        parts, fetched = self._high_parts(), []
        for name, word, lsb, part in parts:
            fetched.append(self._coefficient(m, name, word, lsb, part, number, banks[levels + design.product_rows]))
        high = Signal(signed(design.intercept_bits - width), name="intercept_high")
        m.d.comb += high.eq(Cat(*fetched))
        multiply = self._in_dsp if design.multiplier == "dsp" else self._in_rows
        accumulator, retired = multiply(m, x, slope, low)
        total = Signal(span(*self._range()), name="total")
        m.d.comb += total.eq(Cat(retired, accumulator + high).as_signed() >> design.shift)
        return total

    def _high_parts(self):
        """Memories of an intercept above the bits of a code: name, word, lowest bit of the word, shape."""
        width, bits = self.design.input.width, self.design.intercept_bits
        parts = [("intercepts_high", INTERCEPT, width, unsigned(min(bits, WORD) - width))]
        if bits > WORD:
            parts.append(("intercepts_top", INTERCEPT + 1, 0, unsigned(bits - WORD)))
        return parts

    def _coefficient(self, m, name, word, lsb, shape, number, bank):
        write = self.tables.write & (self.tables.word == word)
        value = self.tables.data[lsb:]
        return self._memory(m, name, shape, self.design.levels, number, bank, write, self.tables.segment, value)

    def _in_rows(self, m, x, slope, low):
        """A row of conditional addition for every bit of a code, which begins with the intercept's low bits.

        Returns what is above the code's bits, and those bits themselves.
        """
        width, design = self.design.input.width, self.design
        accumulator, retired, bits = low, C(0, 0), x.as_unsigned() if design.input.signed else x
        least, most = 0, (1 << width) - 1
        for stage, first in enumerate(range(0, width, ROWS), 1):
            for row in range(first, min(first + ROWS, width)):
                minus = design.input.signed and row == width - 1
                sign = -1 if minus else 1
                ends = sorted((sign * design.slope.min_code, sign * design.slope.max_code))
                least, most = least + min(ends[0], 0), most + max(ends[1], 0)
                total = Signal(span(least, most), name=f"row_{row}")
                added = accumulator - slope if minus else accumulator + slope
                m.d.comb += total.eq(Mux(bits[row - first], added, accumulator))
                accumulator, retired = total >> 1, Cat(retired, total[0])
                least, most = least >> 1, most >> 1
            rest = bits[min(ROWS, len(bits)) :]
            accumulator = self._later(m, accumulator, f"accumulator_{stage}")
            retired = self._later(m, retired, f"retired_{stage}")
            if len(rest):
                slope, rest = self._later(m, slope, f"slope_{stage}"), self._later(m, rest, f"bits_{stage}")
            bits = rest
        return accumulator, retired

    def _in_dsp(self, m, x, slope, low):
        """One multiplication between registers."""
        width = self.design.input.width
        x, slope, low = (
            self._later(m, value, f"{name}_1") for name, value in (("x", x), ("slope", slope), ("low", low))
        )
        product = self._later(m, x * slope, "product")
        total = product + self._later(m, low, "low_2")
        return (total >> width), total[:width]

    def _range(self):
        """Least and largest result before the clamp, whatever the tables hold."""
        design = self.design
        half = 1 << design.intercept_bits - 1
        ends = [m * x for m in (design.slope.min_code, design.slope.max_code) for x in design.domain]
        return (min(ends) - half) >> design.shift, (max(ends) + half - 1) >> design.shift


def _access(design):
    """What a bus asks of the tables: an address for two cycles; `write` or `take` in the second."""
    return wiring.Signature(
        {
            "address": Out(address_bits(design)),
            "data": Out(WORD),
            "strobes": Out(4),
            "write": Out(1),
            "draining": In(1),
            "cannot_read": In(1),
            "cannot_write": In(1),
            "result": In(WORD),
        }
    )


class Tables(wiring.Component):
    """Registers behind the bus: what was written last, the control window, and the active bank.

    A word that is written goes to the memory that the bus reads, merged there with the bytes that stay, and to
    the memory that the pipeline reads.

    Members
    -------
    access : In(access)
        In the cycle after one in which `address` was the same, `result` is what stands there, and `write` writes.
        `write` must stay low while `draining`.
    pipeline : Out(update)
    """

    def __init__(self, design):
        self.design = design
        super().__init__({"access": In(_access(design)), "pipeline": Out(_update(design))})

    def elaborate(self, platform):
        m = Module()
        design, access, levels = self.design, self.access, self.design.levels
        active = Signal()
        word, segment, window = access.address[2:4], access.address[4 : 4 + levels], access.address[4 + levels :]
        in_control, in_shadow, in_active = _flags("in_control in_shadow in_active")
        m.d.comb += [in_control.eq(window == 0), in_shadow.eq(window == SHADOW), in_active.eq(window == ACTIVE)]

        # The memory that the bus reads.
        m.submodules.words = words = Memory(shape=WORD, depth=8 << levels, init=[])
        read, write = words.read_port(), words.write_port()
        bank = Signal()
        m.d.comb += [
            bank.eq(Mux(in_active, active, ~active)),
            read.addr.eq(Cat(word, segment, bank)),
            read.en.eq(1),
            write.addr.eq(Cat(word, segment, ~active)),
        ]
        merged = Signal(WORD)
        for byte in range(4):
            part = slice(8 * byte, 8 * byte + 8)
            m.d.comb += merged[part].eq(Mux(access.strobes[byte], access.data[part], read.data[part]))

        # What there is at an address.
        held = Signal()
        words_held = sum(1 << number for number in word_fields(design))
        m.d.comb += [
            held.eq((segment < design.segments) & C(words_held, 4).bit_select(word, 1)),
            access.cannot_read.eq(~((in_control & (segment == 0)) | ((in_shadow | in_active) & held))),
            access.cannot_write.eq(~((in_control & (segment == 0) & (word == CONTROL)) | (in_shadow & held))),
            access.draining.eq(self.pipeline.draining),
        ]
        with m.If(access.cannot_read):
            m.d.comb += access.result.eq(0)
        with m.Elif(~in_control):
            m.d.comb += access.result.eq(read.data)
        with m.Elif(word == UNIT):
            m.d.comb += access.result.eq(int(design.digest[:8], 16))
        with m.Elif(word == STATUS):
            m.d.comb += access.result.eq(Cat(active, self.pipeline.draining))
        with m.Elif(word != CONTROL):
            m.d.comb += access.result.eq(design.segments)

        # Writes: a word of the shadow bank, or the swap. Nothing is written while codes read that bank.
        now = Signal()
        m.d.comb += [
            now.eq(access.write & ~access.cannot_write & ~self.pipeline.draining),
            write.en.eq(now & in_shadow),
            write.data.eq(merged),
            self.pipeline.active.eq(active),
            self.pipeline.write.eq(now & in_shadow),
            self.pipeline.segment.eq(segment),
            self.pipeline.word.eq(word),
            self.pipeline.data.eq(merged),
        ]
        with m.If(now & in_control & access.strobes[0] & access.data[0]):
            m.d.sync += active.eq(~active)
        return m


class AxiLite(wiring.Component):
    """AXI4-Lite: one transfer at a time, reads and writes in turn; SLVERR where there is no register.

    A write is taken when its address and its data are there. Every ready comes from a register.
    """

    def __init__(self, design):
        super().__init__({"bus": Out(bus_signature(design)), "access": Out(_access(design))})

    def elaborate(self, platform):
        m = Module()
        bus, access = self.bus, self.access
        writing, reading, turn = _flags("writing reading turn")
        may_write, may_read, idle, take_write = _flags("may_write may_read idle take_write")
        m.d.comb += [
            idle.eq(~writing & ~reading),
            may_write.eq(idle & bus.awvalid & bus.wvalid & ~bus.bvalid & ~access.draining),
            may_read.eq(idle & bus.arvalid & ~bus.rvalid),
            take_write.eq(may_write & ~(may_read & turn)),
            access.address.eq(Mux(take_write | writing, bus.awaddr, bus.araddr)),
            access.data.eq(bus.wdata),
            access.strobes.eq(bus.wstrb),
            access.write.eq(writing),
            bus.awready.eq(writing),
            bus.wready.eq(writing),
            bus.arready.eq(reading),
        ]
        m.d.sync += [writing.eq(take_write), reading.eq(may_read & ~take_write)]
        with m.If(writing):
            m.d.sync += [turn.eq(1), bus.bvalid.eq(1), bus.bresp.eq(Cat(C(0, 1), access.cannot_write))]
        with m.Elif(bus.bready):
            m.d.sync += bus.bvalid.eq(0)
        with m.If(reading):
            m.d.sync += [turn.eq(0), bus.rvalid.eq(1), bus.rresp.eq(Cat(C(0, 1), access.cannot_read))]
            m.d.sync += bus.rdata.eq(access.result)
        with m.Elif(bus.rready):
            m.d.sync += bus.rvalid.eq(0)
        return m


class Wishbone(wiring.Component):
    """Wishbone B4, for classic masters and, with `stall`, pipelined ones; `err` where there is no register."""

    def __init__(self, design):
        super().__init__({"bus": Out(bus_signature(design)), "access": Out(_access(design))})

    def elaborate(self, platform):
        m = Module()
        bus, access = self.bus, self.access
        second, asked, refused = _flags("second asked refused")
        m.d.comb += [
            asked.eq(bus.cyc & bus.stb),
            refused.eq(Mux(bus.we, access.cannot_write, access.cannot_read)),
            access.address.eq(bus.adr),
            access.data.eq(bus.dat_w),
            access.strobes.eq(bus.sel),
            access.write.eq(second & asked & bus.we),
            bus.dat_r.eq(access.result),
            bus.ack.eq(second & asked & ~refused),
            bus.err.eq(second & asked & refused),
            bus.stall.eq(~second),
        ]
        m.d.sync += second.eq(asked & ~second & ~(bus.we & access.draining))
        return m

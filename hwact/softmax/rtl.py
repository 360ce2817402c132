"""The circuit of a softmax: maximum, exponentials and their total, reciprocal, quotients.

Every part has streams for ports. `Hold` stands between them: a queue, in block RAM, whose elements
leave with a value (the maximum, the reciprocal) that is known only when the last of them is in::

    i -> Maximum -> Hold -> Exponentials -> Hold -> Quotients -> o
             \\______/            \\__ Normalise __/
"""

from amaranth.hdl import Cat, Const, EnableInserter, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..rtl import Datapath
from ..rtl.stages import _Atom as Atom
from ..rtl.stages import _ChannelPlan as ChannelPlan
from ..rtl.stages import schedule
from .design import ROWS, product_latency

__all__ = ["ExponentialOf", "Exponentials", "Hold", "Maximum", "Normalise", "Product", "Queue", "Quotients", "Softmax"]


def _stream(**fields):
    return stream.Signature(data.StructLayout(fields))


def _flags(names):
    """One-bit signals of these names: Amaranth names only what is assigned alone."""
    return (Signal(name=name) for name in names.split())


def _delayed(m, move, value, cycles, name, reset_less=True):
    """`value` as it was so many moves ago."""
    for number in range(1, cycles + 1):
        later = Signal.like(value, name=f"{name}_{number}", reset_less=reset_less, init=0)
        with m.If(move):
            m.d.sync += later.eq(value)
        value = later
    return value


class Softmax(wiring.Component):
    """Softmax unit of a design.

    A vector ends at the element with `last`, or at its `length`-th. Its outputs come in the order of its inputs, the
    last of them with `last`. A vector that follows another is taken in while that one is being worked on and given out.

    Parameters
    ----------
    design : SoftmaxDesign

    Members
    -------
    i, o : stream of {code, last}
        Held while not ready; `valid` never waits for `ready`.
    """

    def __init__(self, design):
        self.design = design
        super().__init__(
            {
                "i": In(_stream(code=design.input.width, last=1)),
                "o": Out(_stream(code=design.output.width, last=1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        design = self.design
        maximum, exponentials = Maximum(design), Exponentials(design)
        normalise, quotients = Normalise(design), Quotients(design)
        inputs = Hold(design.length, design.input.width, maximum.value.payload.shape())
        stored = Hold(design.length, design.stored, normalise.o.payload.shape())
        m.submodules.maximum = maximum
        m.submodules.inputs = inputs
        m.submodules.exponentials = exponentials
        m.submodules.normalise = normalise
        m.submodules.stored = stored
        m.submodules.quotients = quotients
        for source, sink in (
            (wiring.flipped(self.i), maximum.i),
            (maximum.o, inputs.i),
            (maximum.value, inputs.value),
            (inputs.o, exponentials.i),
            (exponentials.o, stored.i),
            (exponentials.total, normalise.i),
            (normalise.o, stored.value),
            (stored.o, quotients.i),
            (quotients.o, wiring.flipped(self.o)),
        ):
            wiring.connect(m, source, sink)
        return m


class Hold(wiring.Component):
    """Holds the elements of a vector until its value comes, then gives out each of them with that value.

    Parameters
    ----------
    length : int
        Most elements of a vector; there is room for as many.
    width : int
        Bits of an element.
    shape : ShapeLike
        Of a vector's value.

    Members
    -------
    i : In(stream of {code, last})
    value : In(stream of shape)
        One value for each vector, in order.
    o : Out(stream of {code, last, value})
    """

    def __init__(self, length, width, shape):
        self._length = length
        super().__init__(
            {
                "i": In(_stream(code=width, last=1)),
                "value": In(stream.Signature(shape)),
                "o": Out(_stream(code=width, last=1, value=shape)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = Queue(self._length, self.i.payload.shape().size)
        value = Signal.like(self.value.payload, name="vector_value", reset_less=True)
        known, takes, leaves, last = _flags("known takes leaves last")
        m.d.comb += [
            queue.i.payload.eq(self.i.payload),
            queue.i.valid.eq(self.i.valid),
            self.i.ready.eq(queue.i.ready),
            # An element leaves only with the value of its vector.
            Cat(self.o.payload.code, self.o.payload.last).eq(queue.o.payload),
            self.o.payload.value.eq(value),
            self.o.valid.eq(queue.o.valid & known),
            queue.o.ready.eq(self.o.ready & known),
            # The next value may take the place of the one whose last element leaves.
            last.eq(self.o.payload.last),
            leaves.eq(self.o.valid & self.o.ready & last),
            self.value.ready.eq(~known | leaves),
            takes.eq(self.value.valid & self.value.ready),
        ]
        m.d.sync += known.eq(takes | (known & ~leaves))
        with m.If(takes):
            m.d.sync += value.eq(self.value.payload)
        return m


class Queue(wiring.Component):
    """First in, first out, from a memory with a synchronous read port, which maps to block RAM.

    Parameters
    ----------
    depth : int
        Elements in the memory; one more stands in its output register.
    width : int
        Bits of an element.

    Members
    -------
    i, o : In, Out(stream.Signature(width))
    """

    def __init__(self, depth, width):
        self._depth = max(depth, 2)
        super().__init__({"i": In(stream.Signature(width)), "o": Out(stream.Signature(width))})

    def elaborate(self, platform):
        m = Module()
        width = len(self.i.payload)
        m.submodules.memory = memory = Memory(shape=width, depth=self._depth, init=[])
        write_port, read_port = memory.write_port(), memory.read_port()
        write, read, shown = _flags("write read shown")
        write_address = Signal(range(self._depth))
        read_address = Signal(range(self._depth))
        level = Signal(range(self._depth + 1))
        # Never both at one address: the pointers meet where nothing may be read, or nothing written.
        m.d.comb += [
            self.i.ready.eq(level != self._depth),
            write.eq(self.i.valid & self.i.ready),
            write_port.en.eq(write),
            write_port.addr.eq(write_address),
            write_port.data.eq(self.i.payload),
            # The output register is filled where it is empty, or emptied in this cycle.
            read.eq((level != 0) & (~shown | self.o.ready)),
            read_port.en.eq(read),
            read_port.addr.eq(read_address),
            self.o.payload.eq(read_port.data),
            self.o.valid.eq(shown),
        ]
        m.d.sync += [level.eq(level + write - read), shown.eq(read | (shown & ~self.o.ready))]
        for address, moves in ((write_address, write), (read_address, read)):
            with m.If(moves):
                m.d.sync += address.eq(Mux(address == self._depth - 1, 0, address + 1))
        return m


class Maximum(wiring.Component):
    """Passes elements on and finds the largest of each vector.

    Members
    -------
    i : In(stream of {code, last})
    o : Out(stream of {code, last})
        `last` also on the element that makes a vector as long as it may be.
    value : Out(stream of code)
        Largest code of each vector, one cycle after its last element; no element is taken before it has gone.
    """

    def __init__(self, design):
        self._length = design.length
        width = design.input.width
        self._shape = signed(width) if design.input.signed else unsigned(width)
        super().__init__(
            {
                "i": In(_stream(code=width, last=1)),
                "o": Out(_stream(code=width, last=1)),
                "value": Out(stream.Signature(self._shape)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        count = Signal(range(self._length))
        code = Signal(self._shape)
        largest = Signal(self._shape, reset_less=True)
        first, last, greater, found, takes = _flags("first last greater found takes")
        m.d.comb += [
            code.eq(self.i.payload.code),
            first.eq(count == 0),
            last.eq(self.i.payload.last | (count == self._length - 1)),
            greater.eq(code > largest),
            self.o.payload.code.eq(code),
            self.o.payload.last.eq(last),
            self.o.valid.eq(self.i.valid & ~found),
            self.i.ready.eq(self.o.ready & ~found),
            takes.eq(self.i.valid & self.i.ready),
            self.value.payload.eq(largest),
            self.value.valid.eq(found),
        ]
        with m.If(takes):
            m.d.sync += count.eq(Mux(last, 0, count + 1))
        with m.If(takes & (first | greater)):
            m.d.sync += largest.eq(code)
        m.d.sync += found.eq((takes & last) | (found & ~self.value.ready))
        return m


class Exponentials(wiring.Component):
    """Exponentials of the distances from the maximum, cut to what is stored, and the total of the uncut ones.

    Members
    -------
    i : In(stream of {code, last, value})
        The value is the largest code of the vector.
    o : Out(stream of {code, last})
        Stored bits of the exponentials.
    total : Out(stream of unsigned)
        Total of each vector, one cycle after its last exponential; none follows before it has gone.
    """

    def __init__(self, design):
        self._design = design
        width = design.input.width
        shape = signed(width) if design.input.signed else unsigned(width)
        super().__init__(
            {
                "i": In(_stream(code=width, last=1, value=shape)),
                "o": Out(_stream(code=design.stored, last=1)),
                "total": Out(stream.Signature(design.total_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        design = self._design
        # Everything moves, or nothing: it stands still where an exponential or a total waits to be taken.
        move, full, last, takes, found = _flags("move full last takes found")
        offset = Signal(design.input.width, reset_less=True)
        difference = Signal(design.input.width)
        exponential = Signal(design.exponential_bits)
        m.submodules.exp = unit = ExponentialOf(design)
        m.d.comb += [
            difference.eq(self.i.payload.value - self.i.payload.code),  # never negative
            self.i.ready.eq(move),
            unit.move.eq(move),
            unit.x.eq(offset),
            exponential.eq(unit.y),
        ]
        with m.If(move):
            m.d.sync += offset.eq(difference)
        cycles = 1 + design.exponential_latency
        m.d.comb += [
            full.eq(_delayed(m, move, self.i.valid, cycles, "full", reset_less=False)),
            last.eq(_delayed(m, move, self.i.payload.last, cycles, "last")),
        ]

        total = Signal(design.total_bits, reset_less=True)
        before = Signal(design.total_bits)
        after = Signal(design.total_bits)
        first = Signal(init=1)
        m.d.comb += [
            self.o.payload.code.eq(exponential >> design.dropped),
            self.o.payload.last.eq(last),
            self.o.valid.eq(full & ~found),
            takes.eq(self.o.valid & self.o.ready),
            move.eq(~full | takes),
            before.eq(Mux(first, 0, total)),
            after.eq(before + exponential),
            self.total.payload.eq(total),
            self.total.valid.eq(found),
        ]
        with m.If(takes):
            m.d.sync += [total.eq(after), first.eq(last)]
        m.d.sync += found.eq((takes & last) | (found & ~self.total.ready))
        return m


class Normalise(wiring.Component):
    """Moves the leading one of a total to the top, a place a cycle, and gives the reciprocal of what that leaves.

    Members
    -------
    i : In(stream of unsigned)
        A total, at least 2**(G - 1), so that a one is found. The next is taken when the reciprocal has gone.
    o : Out(stream of {reciprocal, places})
        `places` is how far the leading one stood above its lowest place.
    """

    def __init__(self, design):
        self._design = design
        layout = {"reciprocal": design.reciprocal_bits, "places": range(design.places + 1)}
        super().__init__({"i": In(stream.Signature(design.total_bits)), "o": Out(_stream(**layout))})

    def elaborate(self, platform):
        m = Module()
        design = self._design
        total = Signal(design.total_bits, reset_less=True)
        places = Signal(range(design.places + 1), reset_less=True)
        wait = Signal(range(design.reciprocal.latency + 1), reset_less=True)
        busy, takes, leaves, found = _flags("busy takes leaves found")
        m.submodules.reciprocal = unit = _Moving(design.reciprocal)
        padding = max(design.index_bits + 1 - design.total_bits, 0)
        m.d.comb += [
            found.eq(total[-1]),
            unit.move.eq(1),
            unit.x.eq(Cat(Const(0, padding), total[:-1])[-design.index_bits :]),
            self.i.ready.eq(~busy),
            takes.eq(self.i.valid & ~busy),
            self.o.payload.reciprocal.eq(unit.y),
            self.o.payload.places.eq(places),
            self.o.valid.eq(busy & found & (wait == 0)),
            leaves.eq(self.o.valid & self.o.ready),
        ]
        m.d.sync += busy.eq(takes | (busy & ~leaves))
        with m.If(takes | ~found):
            m.d.sync += [
                total.eq(Mux(takes, self.i.payload, total << 1)),
                places.eq(Mux(takes, design.places, places - 1)),
            ]
        with m.If(takes | (found & (wait != 0))):
            m.d.sync += wait.eq(Mux(takes, design.reciprocal.latency, wait - 1))
        return m


class Quotients(wiring.Component):
    """Products of exponentials and their vector's reciprocal, shifted, rounded and clamped.

    Members
    -------
    i : In(stream of {code, last, value})
        The value is {reciprocal, places}.
    o : Out(stream of {code, last})
        Output codes, `latency` cycles after their exponentials.
    """

    def __init__(self, design):
        self._design = design
        value = data.StructLayout({"reciprocal": design.reciprocal_bits, "places": range(design.places + 1)})
        super().__init__(
            {
                "i": In(_stream(code=design.stored, last=1, value=value)),
                "o": Out(_stream(code=design.output.width, last=1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        design = self._design
        # Everything moves, or nothing: it stands still while a result waits to be taken.
        move = Signal()
        m.submodules.product = product = Product(design.stored, design.reciprocal_bits, design.multiplier)
        m.d.comb += [
            product.move.eq(move),
            product.a.eq(self.i.payload.code),
            product.b.eq(self.i.payload.value.reciprocal),
        ]
        cycles = product.latency + 2
        full = _delayed(m, move, self.i.valid, cycles, "full", reset_less=False)
        last = _delayed(m, move, self.i.payload.last, cycles, "last")
        places = _delayed(m, move, self.i.payload.value.places, product.latency, "places")

        # One bit below the output's last one is left for rounding.
        shifted = Signal(design.output.frac_bits + 2)
        unrounded = Signal(design.output.frac_bits + 2, reset_less=True)
        rounded = Signal(design.output.frac_bits + 2)
        largest = min(design.output.max_code, (1 << len(rounded)) - 1)
        clamped = Signal(design.output.width)
        code = Signal(design.output.width, reset_less=True)
        m.d.comb += [
            shifted.eq(product.p[design.shift - 1 :] >> places),
            rounded.eq((unrounded + 1) >> 1),
            clamped.eq(Mux(rounded > largest, largest, rounded)),
            self.i.ready.eq(move),
            self.o.valid.eq(full),
            self.o.payload.code.eq(code),
            self.o.payload.last.eq(last),
            move.eq(self.o.ready | ~full),
        ]
        with m.If(move):
            m.d.sync += [unrounded.eq(shifted), code.eq(clamped)]
        return m


class Product(wiring.Component):
    """Product of two unsigned numbers, `latency` moves later.

    Parameters
    ----------
    a_width, b_width : int
    multiplier : str
        ``dsp``: one multiplication. ``logic``: a row of conditional addition for every bit of `a`, some rows a cycle.

    Members
    -------
    move : In(1)
    a, b : In(unsigned)
    p : Out(unsigned)
    """

    def __init__(self, a_width, b_width, multiplier):
        self._dsp = multiplier == "dsp"
        self.latency = product_latency(a_width, multiplier)
        super().__init__({"move": In(1), "a": In(a_width), "b": In(b_width), "p": Out(a_width + b_width)})

    def elaborate(self, platform):
        m = Module()
        if self._dsp:
            a, b = (_delayed(m, self.move, value, 1, name) for value, name in ((self.a, "a"), (self.b, "b")))
            m.d.comb += self.p.eq(_delayed(m, self.move, a * b, 1, "p"))
            return m
        a, b, accumulator, retired = self.a, self.b, Signal(len(self.b)), []
        for stage, first in enumerate(range(0, len(self.a), ROWS), 1):
            for row in range(min(ROWS, len(a))):
                total = Signal(len(self.b) + 1, name=f"row_{first + row}")
                m.d.comb += total.eq(Mux(a[row], accumulator + b, accumulator))
                accumulator, retired = total[1:], [*retired, total[0]]
            a = a[ROWS:]
            values = {"accumulator": accumulator, "retired": Cat(*retired), "a": a, "b": b}
            later = {k: _delayed(m, self.move, v, 1, f"{k}_{stage}") for k, v in values.items() if len(v)}
            accumulator, retired, a, b = later["accumulator"], list(later["retired"]), later.get("a", a), later["b"]
        m.d.comb += self.p.eq(Cat(*retired, accumulator))
        return m


class ExponentialOf(wiring.Component):
    """The exponential of a design, `exponential_latency` moves later.

    Members
    -------
    move : In(1)
    x, y : In, Out(unsigned)
    """

    def __init__(self, design):
        self._design = design
        super().__init__({"move": In(1), "x": In(design.input.width), "y": Out(design.exponential_bits)})

    def elaborate(self, platform):
        m = Module()
        exponential = self._design.exponential
        units = [_Moving(factor) for factor in exponential.factors]
        for name, unit in zip(("coarse", "fine"), units):
            m.submodules[name] = unit
            m.d.comb += unit.move.eq(self.move)
        if len(units) == 1:
            m.d.comb += [units[0].x.eq(self.x), self.y.eq(units[0].y)]
            return m
        coarse, fine = units
        m.submodules.product = product = Product(len(coarse.y), len(fine.y), self._design.multiplier)
        result = Signal(exponential.bits, reset_less=True)
        rounded = Signal(exponential.bits)
        m.d.comb += [
            Cat(fine.x, coarse.x).eq(self.x),
            product.move.eq(self.move),
            product.a.eq(coarse.y),
            product.b.eq(fine.y),
            rounded.eq((product.p[exponential.excess - 1 :] + 1) >> 1),
            self.y.eq(result),
        ]
        with m.If(self.move):
            m.d.sync += result.eq(rounded)
        return m


class _WholeTables(ChannelPlan):
    """Atoms of a channel whose tables are not cut."""

    def _lookup(self, *table):
        atoms = super()._lookup(*table)
        return [Atom(lambda: atoms[0].make(0, len(atoms)), sum(atom.levels for atom in atoms))]


class _MemoryDatapath(Datapath):
    """A datapath whose tables may become block RAMs: they are whole, and no reset clears the registers behind them."""

    @staticmethod
    def stages(design):
        """Steps of each stage."""
        return schedule(design, _WholeTables)

    @staticmethod
    def _register(m, net, name):
        register = Signal.like(net, name=name, init=0, reset_less=True)
        m.d.sync += register.eq(net)
        return register


class _Moving(wiring.Component):
    """The datapath of an inner unit with a clock enable.

    Members
    -------
    move : In(1)
    x, y : In, Out(unsigned)
    """

    def __init__(self, design):
        self._design = design
        super().__init__({"move": In(1), "x": In(design.input.width), "y": Out(design.channels[0].format.width)})

    def elaborate(self, platform):
        m = Module()
        datapath = _MemoryDatapath(self._design)
        m.submodules.datapath = EnableInserter(self.move)(datapath)
        m.d.comb += [datapath.x.eq(self.x), self.y.eq(datapath.y)]
        return m

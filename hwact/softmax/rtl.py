"""The circuit of a softmax: maximum, exponentials and their total, reciprocal, quotients.

Every part has streams for ports. `Hold` stands between them: a queue, in block RAM, whose elements
leave with a value (the maximum, the reciprocal) that is known only when the last of them is in::

    i -> Maximum -> Hold -> Exponentials -> Hold -> Quotients -> o
             \\______/            \\__ Normalise __/
"""

from amaranth.hdl import Cat, Const, EnableInserter, Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from ..rtl import Datapath

__all__ = ["Exponentials", "Hold", "Maximum", "Normalise", "Quotients", "Softmax"]


def _stream(**fields):
    return stream.Signature(data.StructLayout(fields))


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
        element = self.i.payload.as_value()
        # One element more stands in the memory's output register.
        m.submodules.queue = queue = SyncFIFOBuffered(width=len(element), depth=max(self._length, 2) + 1)
        m.d.comb += [
            queue.w_data.eq(element),
            queue.w_en.eq(self.i.valid),
            self.i.ready.eq(queue.w_rdy),
        ]

        # The value of the vector that is going out; the next one may take its place as the last element leaves.
        value = Signal.like(self.value.payload, reset_less=True)
        known = Signal()
        leaves = self.o.valid & self.o.ready & self.o.payload.last
        m.d.comb += self.value.ready.eq(~known | leaves)
        with m.If(self.value.valid & self.value.ready):
            m.d.sync += [value.eq(self.value.payload), known.eq(1)]
        with m.Elif(leaves):
            m.d.sync += known.eq(0)

        m.d.comb += [
            Cat(self.o.payload.code, self.o.payload.last).eq(queue.r_data),
            self.o.payload.value.eq(value),
            self.o.valid.eq(queue.r_rdy & known),
            queue.r_en.eq(self.o.ready & known),
        ]
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
        found = Signal()
        last = self.i.payload.last | (count == self._length - 1)
        m.d.comb += [
            code.eq(self.i.payload.code),
            self.o.payload.code.eq(code),
            self.o.payload.last.eq(last),
            self.o.valid.eq(self.i.valid & ~found),
            self.i.ready.eq(self.o.ready & ~found),
            self.value.payload.eq(largest),
            self.value.valid.eq(found),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [count.eq(Mux(last, 0, count + 1)), found.eq(last)]
            with m.If((count == 0) | (code > largest)):
                m.d.sync += largest.eq(code)
        with m.If(found & self.value.ready):
            m.d.sync += found.eq(0)
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
        move, full, last = Signal(), Signal(), Signal()
        offset = Signal(design.input.width, reset_less=True)
        exponential = Signal(design.exponential_bits)
        m.submodules.exponential = unit = _Moving(design.exponential)
        m.d.comb += [self.i.ready.eq(move), unit.move.eq(move), unit.x.eq(offset), exponential.eq(unit.y)]
        with m.If(move):
            m.d.sync += offset.eq(self.i.payload.value - self.i.payload.code)
        cycles = 1 + design.exponential.latency
        m.d.comb += [
            full.eq(_delayed(m, move, self.i.valid, cycles, "full", reset_less=False)),
            last.eq(_delayed(m, move, self.i.payload.last, cycles, "last")),
        ]

        total = Signal(design.total_bits, reset_less=True)
        first, done = Signal(init=1), Signal()
        m.d.comb += [
            self.o.payload.code.eq(exponential >> design.dropped),
            self.o.payload.last.eq(last),
            self.o.valid.eq(full & ~done),
            move.eq(~full | (self.o.ready & ~done)),
            self.total.payload.eq(total),
            self.total.valid.eq(done),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [total.eq(Mux(first, 0, total) + exponential), first.eq(last), done.eq(last)]
        with m.If(done & self.total.ready):
            m.d.sync += done.eq(0)
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
        m.submodules.reciprocal = unit = _Moving(design.reciprocal)
        below = Cat(0, total)[: design.total_bits]  # all but the leading one, at the top
        pad = max(design.index_bits + 1 - design.total_bits, 0)
        m.d.comb += [
            unit.move.eq(1),
            unit.x.eq(Cat(Const(0, pad), total[:-1])[-design.index_bits :]),
            self.o.payload.reciprocal.eq(unit.y),
            self.o.payload.places.eq(places),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [total.eq(self.i.payload), places.eq(design.places)]
                with m.If(self.i.valid):
                    m.next = "SHIFT"
            with m.State("SHIFT"):
                m.d.sync += wait.eq(design.reciprocal.latency)
                with m.If(total[-1]):
                    m.next = "WAIT"
                with m.Else():
                    m.d.sync += [total.eq(below), places.eq(places - 1)]
            with m.State("WAIT"):
                m.d.sync += wait.eq(wait - 1)
                with m.If(wait == 1):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.next = "IDLE"
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
        shifted = Signal(design.output.frac_bits + 2, reset_less=True)
        code = Signal(design.output.width, reset_less=True)
        rounded = Signal(range((1 << design.output.frac_bits + 1) + 1))
        m.d.comb += rounded.eq((shifted + 1) >> 1)
        with m.If(move):
            m.d.sync += [
                shifted.eq(product.p[design.shift - 1 :] >> places),
                code.eq(Mux(rounded > design.output.max_code, design.output.max_code, rounded)),
            ]
        m.d.comb += [
            self.i.ready.eq(move),
            self.o.valid.eq(full),
            self.o.payload.code.eq(code),
            self.o.payload.last.eq(last),
            move.eq(self.o.ready | ~full),
        ]
        return m


class Product(wiring.Component):
    """Product of two unsigned numbers, `latency` moves later.

    Parameters
    ----------
    a_width, b_width : int
    multiplier : str
        ``dsp``: one multiplication. ``logic``: a row of conditional addition for every bit of `a`, `ROWS` rows a cycle.

    Members
    -------
    move : In(1)
    a, b : In(unsigned)
    p : Out(unsigned)
    """

    ROWS = 4

    def __init__(self, a_width, b_width, multiplier):
        self._dsp = multiplier == "dsp"
        self.latency = 2 if self._dsp else -(-a_width // self.ROWS)
        super().__init__({"move": In(1), "a": In(a_width), "b": In(b_width), "p": Out(a_width + b_width)})

    def elaborate(self, platform):
        m = Module()
        if self._dsp:
            a, b = (_delayed(m, self.move, value, 1, name) for value, name in ((self.a, "a"), (self.b, "b")))
            m.d.comb += self.p.eq(_delayed(m, self.move, a * b, 1, "p"))
            return m
        a, b, accumulator, retired = self.a, self.b, Signal(len(self.b)), []
        for stage, first in enumerate(range(0, len(self.a), self.ROWS), 1):
            for row in range(min(self.ROWS, len(a))):
                total = Signal(len(self.b) + 1, name=f"row_{first + row}")
                m.d.comb += total.eq(Mux(a[row], accumulator + b, accumulator))
                accumulator, retired = total[1:], [*retired, total[0]]
            a, b = a[self.ROWS :], b
            values = {"accumulator": accumulator, "retired": Cat(*retired), "a": a, "b": b}
            later = {k: _delayed(m, self.move, v, 1, f"{k}_{stage}") for k, v in values.items() if len(v)}
            accumulator, retired, a, b = later["accumulator"], list(later["retired"]), later.get("a", a), later["b"]
        m.d.comb += self.p.eq(Cat(*retired, accumulator))
        return m


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
        datapath = Datapath(self._design, reset_less=True)
        m.submodules.datapath = EnableInserter(self.move)(datapath)
        m.d.comb += [datapath.x.eq(self.x), self.y.eq(datapath.y)]
        return m

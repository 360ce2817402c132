"""The board-independent top of the demo: units behind a serial link, LEDs that breathe, buttons that select."""

from contextlib import contextmanager

from amaranth.hdl import Array, Cat, Const, Elaboratable, Module, Mux, Signal

from ...errors import RequestError
from ..outputs import outputs_of
from ..protocol import POLYNOMIAL, RECORD, VERSION, Command, Fault, Lamps, Layout, Record
from .bank import Bank
from .link import RECORDS, Link
from .panel import Buttons, Leds
from .unit import check_design

__all__ = ["MAX_UNITS", "Demo", "records_of"]

MAX_UNITS = 16
#: Bits of the triangle that the LEDs follow.
_BREATH_BITS = 10
#: Bytes of an address and a word of a bus.
_ADDRESS, _WORD = 2, 4


def records_of(designs, clock_hz, default_baud, leds, buttons):
    """What a board says of its units (list of Record)."""
    outputs = [outputs_of(design) for design in designs]
    layout = Layout.of(
        [design.input for design in designs],
        [formats["y"] for formats in outputs],
        [formats["dy"] for formats in outputs if "dy" in formats],
    )
    return [
        Record(
            version=VERSION,
            units=len(designs),
            unit=number,
            digest=bytes.fromhex(design.digest),
            clock_hz=round(clock_hz),
            default_baud=default_baud,
            latency=max(design.latency, 1),
            input=design.input,
            output=formats["y"],
            derivative=formats.get("dy"),
            domain=design.domain,
            layout=layout,
            leds=leds,
            buttons=buttons,
            programmable=hasattr(design, "bus"),
            name=design.name,
        )
        for number, (design, formats) in enumerate(zip(designs, outputs))
    ]


class Demo(Elaboratable):
    """Units on a board.

    Its clock domain is ``sync``. LED 0 breathes with y, LED 1 with dy where a unit has one; of the others, that of the
    selected unit is lit. Button 0 steps to the next unit, button 1 to the one before.

    Parameters
    ----------
    designs : sequence of Design or ProgrammableDesign
        The units; the first is selected to begin with.
    clock_hz : float
        Frequency of ``sync``.
    default_baud : int
        Rate of the serial line to begin with.
    leds, buttons : int

    Attributes
    ----------
    rx : Signal, in
    tx : Signal, out
    leds : Signal(leds), out
        High where an LED is lit.
    buttons : Signal(buttons), in
        High where a button is pressed, of any clock.
    records : list of Record
    settle_cycles : int
        Cycles without a byte after which nothing changes any more but the LEDs.
    """

    def __init__(self, designs, clock_hz, default_baud=115200, leds=1, buttons=0):
        designs = [check_design(design) for design in designs]
        if not 1 <= len(designs) <= MAX_UNITS:
            raise RequestError(f"Units must be 1 to {MAX_UNITS}, not {len(designs)}")
        self.rx = Signal(init=1)
        self.tx = Signal(init=1)
        self.leds = Signal(leds)
        self.buttons = Signal(buttons)
        self.records = records_of(designs, clock_hz, default_baud, leds, buttons)
        self._layout = layout = self.records[0].layout
        self._programmable = any(record.programmable for record in self.records)
        arguments = max(layout.x + layout.count, 2, self._programmable * (_ADDRESS + _WORD))
        self._link = Link(clock_hz, default_baud, arguments, b"".join(record.to_bytes() for record in self.records))
        self._bank = Bank(designs, layout)
        self.settle_cycles = self._link.fall_back_cycles * 9 // 8

    @property
    def ports(self):
        """The signals by name."""
        return {"rx": self.rx, "tx": self.tx, "leds": self.leds, "buttons": self.buttons}

    def elaborate(self, platform):
        m = Module()
        m.submodules.link = link = self._link
        m.submodules.bank = bank = self._bank
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        self._lamps = Signal(2, init=Lamps.CURVE)
        buttons, breathes = self._panel(m)
        self._gather(m)
        self._count(m)
        self._choose_byte(m, buttons.now)
        with m.FSM():
            with m.State("idle"):
                with m.If(link.valid):
                    m.next = "dispatch"
                with m.Elif(buttons.pressed.any()):
                    m.d.comb += buttons.served.eq(1)
                    m.d.sync += bank.selected.eq(self._neighbour(buttons.pressed[0]))
                with m.Elif(link.tick):
                    m.next = "breathe"
            with m.State("breathe"):
                breathes(m)
            with m.State("dispatch"):
                with m.Switch(link.kind):
                    self._commands(m)
                    with m.Default():
                        self._refuse(m, Fault.COMMAND)
            with m.State("stream"):
                last = self._place == self._layout.result - 1
                self._feed(m, link.i.ready & last)
                m.d.comb += link.i.valid.eq(bank.o.valid)
                with m.If(link.i.valid & link.i.ready):
                    m.d.sync += self._place.eq(Mux(last, 0, self._place + 1))
                with m.If(~self._working):
                    m.next = "idle"
            with m.State("run"):
                self._feed(m, 1)
                with m.If(~self._working):
                    self._report(m, "signature", 8)
            with m.State("report"):
                m.d.comb += link.i.valid.eq(1)
                with m.If(link.i.ready):
                    m.d.sync += self._place.eq(self._place + 1)
                    with m.If(self._ends):
                        m.next = "idle"
            if self._programmable:
                self._transfers(m)
        return m

    # -- codes into the units, results out of them ------------------------------------------------

    def _gather(self, m):
        """Shift the bytes of a code, or those of a write, from the request into the arguments."""
        link, layout = self._link, self._layout
        self._left, self._counted = Signal(8 * layout.count), Signal(8 * layout.x)
        self._gathers, self._writes, self._used = Signal(), Signal(), Signal()
        fetched, gathered, self._whole = Signal(), Signal(3), Signal()
        m.d.comb += self._whole.eq(gathered == Mux(self._writes, _ADDRESS + _WORD, layout.x))
        with m.If(self._used):
            m.d.sync += [gathered.eq(0), self._left.eq(self._left - 1), self._counted.eq(self._counted + 1)]
        with m.Elif(self._gathers & (self._left != 0) & ~self._whole):
            m.d.sync += fetched.eq(~fetched)
            with m.If(fetched):
                m.d.comb += link.shift.eq(1)
                m.d.sync += gathered.eq(gathered + 1)

    def _feed(self, m, take):
        """Offer the next code to the unit, and take a result when told to."""
        bank, arguments = self._bank, self._link.arguments
        m.d.comb += [
            bank.i.payload.eq(Mux(self._gathers, arguments[: len(self._counted)], self._counted)),
            bank.i.valid.eq((self._left != 0) & (self._whole | ~self._gathers)),
            bank.o.ready.eq(take),
            self._used.eq(bank.i.valid & bank.i.ready),
        ]

    def _count(self, m):
        """The signature of the results of the last command, and the clock cycles that they took."""
        bank, signature, cycles = self._bank, Signal(32), Signal(32)
        self._signature, self._cycles, self._begin, self._working = signature, cycles, Signal(), Signal()
        m.d.comb += self._working.eq((self._left != 0) | (bank.inside != 0))
        counts = Signal()
        with m.If(self._begin):
            m.d.sync += [counts.eq(1), signature.eq(0), cycles.eq(0)]
        with m.Elif(counts & ~self._working):
            m.d.sync += counts.eq(0)
        with m.Elif(counts):
            m.d.sync += cycles.eq(cycles + 1)
            with m.If(bank.o.valid & bank.o.ready):
                word = bank.o.payload.y ^ _opposite(bank.o.payload.dy)
                m.d.sync += signature.eq((signature << 1) ^ word ^ Mux(signature[-1], POLYNOMIAL, 0))

    def _choose_byte(self, m, pressed):
        """The byte of a reply at `_place`: those of a result come first, then those of the board's state."""
        bank = self._bank
        states = {"selected": bank.selected, "lamps": self._lamps, "buttons": pressed}
        parts = {
            "y": bank.o.payload.y,
            "dy": bank.o.payload.dy,
            **{name: Cat(value, Const(0, 8))[:8] for name, value in states.items()},
            "signature": self._signature,
            "cycles": self._cycles,
        }
        if self._programmable:
            self._read = parts["read"] = Signal(8 * _WORD)
        bytes_, self._places, ends = [], {}, []
        for name, value in parts.items():
            self._places[name] = len(bytes_)
            bytes_ += [value[low : low + 8] for low in reversed(range(0, len(value), 8))]
            ends += [len(bytes_) - 1] * (name in ("cycles", "read"))
        self._place, self._ends = Signal(range(len(bytes_))), Signal()
        m.d.comb += self._link.i.payload.eq(Array(bytes_)[self._place])
        m.d.comb += self._ends.eq(Cat(self._place == end for end in ends).any())

    # -- requests ---------------------------------------------------------------------------------

    def _reply(self, m, size, following="idle"):
        m.d.comb += [self._link.reply.eq(1), self._link.size.eq(size)]
        m.d.sync += self._place.eq(0)
        m.next = following

    def _report(self, m, first, size):
        """Reply with state, from the byte of `first` on."""
        self._reply(m, size, "report")
        m.d.sync += self._place.eq(self._places[first])

    def _refuse(self, m, why):
        m.d.comb += [self._link.reply.eq(1), self._link.fault.eq(why)]
        m.next = "idle"

    @contextmanager
    def _case(self, m, command, length):
        """The case of a command whose length suits it."""
        with m.Case(command):
            with m.If(length):
                yield
            with m.Else():
                self._refuse(m, Fault.LENGTH)

    def _commands(self, m):
        """A case for each command."""
        link, layout, bank, arguments = self._link, self._layout, self._bank, self._link.arguments
        units = len(self.records)
        with self._case(m, Command.IDENTIFY, link.length <= 1):
            which = Mux(link.length == 0, bank.selected, arguments[:8])
            with m.If(which >= units):
                self._refuse(m, Fault.ARGUMENT)
            with m.Else():
                m.d.comb += [link.stored.eq(1), link.address.eq(RECORDS + which * RECORD)]
                self._reply(m, RECORD)
        with self._case(m, Command.STATUS, link.length == 0):
            self._report(m, "selected", 11)
        for command, register, limit in (
            (Command.SELECT, bank.selected, units),
            (Command.LAMPS, self._lamps, len(Lamps)),
        ):
            with self._case(m, command, link.length == 1):
                with m.If(arguments[:8] >= limit):
                    self._refuse(m, Fault.ARGUMENT)
                with m.Else():
                    m.d.sync += register.eq(arguments)
                    self._reply(m, 0)
        codes = _quotient(link.length, layout.x)
        with self._case(m, Command.EVALUATE, (codes * layout.x == link.length) & (codes != 0)):
            m.d.sync += [self._gathers.eq(1), self._writes.eq(0), self._left.eq(codes)]
            m.d.comb += self._begin.eq(1)
            self._reply(m, codes * layout.result, "stream")
        count, first = arguments[: 8 * layout.count], arguments[8 * layout.count :]
        for command in (Command.SWEEP, Command.RUN):
            with self._case(m, command, link.length == layout.x + layout.count):
                sweeps = command == Command.SWEEP
                with m.If(count > (layout.largest_sweep if sweeps else layout.largest_run)):
                    self._refuse(m, Fault.ARGUMENT)
                with m.Else():
                    m.d.sync += [self._gathers.eq(0), self._left.eq(count), self._counted.eq(first)]
                    m.d.comb += self._begin.eq(1)
                    if sweeps:
                        self._reply(m, count * layout.result, "stream")
                    else:
                        m.next = "run"
        if self._programmable:
            self._bus_commands(m)

    def _bus_commands(self, m):
        """The cases of what only a programmable unit can do."""
        link = self._link
        words = _quotient(link.length, _ADDRESS + _WORD)
        with self._case(m, Command.WRITE, (words * (_ADDRESS + _WORD) == link.length) & (words != 0)):
            with m.If(~self._bank.programmable):
                self._refuse(m, Fault.COMMAND)
            with m.Else():
                m.d.sync += [self._gathers.eq(1), self._writes.eq(1), self._left.eq(words)]
                m.next = "write"
        with self._case(m, Command.READ, link.length == _ADDRESS):
            m.next = "read"
            with m.If(~self._bank.programmable):
                self._refuse(m, Fault.COMMAND)

    def _transfers(self, m):
        """The states in which the selected unit's bus is busy."""
        bank, arguments = self._bank, self._link.arguments
        m.d.comb += bank.data.eq(arguments[: 8 * _WORD])
        with m.State("write"):
            m.d.comb += [bank.start.eq(self._whole), bank.write.eq(1), bank.address.eq(arguments[8 * _WORD :])]
            with m.If(bank.start & bank.done):
                m.d.comb += self._used.eq(1)
                with m.If(bank.refused):
                    m.d.sync += self._left.eq(0)
                    self._refuse(m, Fault.BUS)
                with m.Elif(self._left == 1):
                    self._reply(m, 0)
        with m.State("read"):
            m.d.comb += [bank.start.eq(1), bank.address.eq(arguments)]
            with m.If(bank.done):
                m.d.sync += self._read.eq(bank.result)
                self._report(m, "read", _WORD)
                with m.If(bank.refused):
                    self._refuse(m, Fault.BUS)

    # -- LEDs and buttons -------------------------------------------------------------------------

    def _panel(self, m):
        """The buttons, and the statements of the state in which the LEDs get a new brightness."""
        link, bank, units = self._link, self._bank, len(self.records)
        m.submodules.leds = leds = Leds(len(self.leds), 1 + (self._layout.dy > 0), units)
        m.submodules.buttons = buttons = Buttons(len(self.buttons))
        m.d.comb += [buttons.buttons.eq(self.buttons), buttons.tick.eq(link.tick), self.leds.eq(leds.leds)]
        m.d.comb += [leds.mode.eq(self._lamps), leds.phase.eq(link.phase), leds.selected.eq(bank.selected)]
        breath, taken = Signal(_BREATH_BITS + 1), Signal()

        def breathes(m):
            triangle = breath[:_BREATH_BITS] ^ breath[_BREATH_BITS].replicate(_BREATH_BITS)
            m.d.comb += [bank.i.payload.eq(bank.spread(triangle)), bank.i.valid.eq(~taken), bank.o.ready.eq(1)]
            with m.If(bank.i.ready):
                m.d.sync += taken.eq(1)
            with m.If(bank.o.valid):
                m.d.sync += [breath.eq(breath + 1), taken.eq(0)]
                m.d.sync += [getattr(leds, f"level_{k}").eq(level) for k, level in enumerate(self._brightness)]
                m.next = "idle"

        return buttons, breathes

    @property
    def _brightness(self):
        return (self._bank.level_y, self._bank.level_dy)[: 1 + (self._layout.dy > 0)]

    def _neighbour(self, forward):
        """The next unit, or the one before."""
        selected, last = self._bank.selected, len(self.records) - 1
        return Mux(forward, Mux(selected == last, 0, selected + 1), Mux(selected == 0, last, selected - 1))


def _quotient(length, divisor):
    """``length // divisor`` of a byte that is a multiple of `divisor`."""
    return length * -(-2048 // divisor) >> 11


def _opposite(code):
    """A result with its bits in the opposite order of 32."""
    return Cat(code, Const(0, 32 - len(code)))[::-1]

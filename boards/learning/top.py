"""The learning network behind a serial link: a top for any board."""

from amaranth.hdl import Cat, Elaboratable, Module, Signal

from ..gateware.link import RECORDS, Link
from ..protocol import RECORD, VERSION, Command, Fault, Layout, Record
from .gateware import Learner

__all__ = ["LEARN", "MAX_PERIOD", "NAME", "REPORT", "Learn", "record_of"]

#: Kind of the request to learn, beside those of `Command`.
LEARN = 0x20
#: Steps of one request, at most.
MAX_PERIOD = 4096
_ADDRESS, _WORD = 2, 4
#: Bytes of the reply to `LEARN`: the step, then the loss.
REPORT = 10
#: What the board's name begins with.
NAME = "learn_"


def record_of(network, clock_hz, default_baud, leds, buttons):
    """What the board says of itself; the digest is the network's."""
    design = network.design
    dy = design.channel("dy").format if network.has_derivative else None
    return Record(
        version=VERSION,
        units=1,
        unit=0,
        digest=bytes.fromhex(network.digest),
        clock_hz=round(clock_hz),
        default_baud=default_baud,
        latency=design.latency,
        input=design.input,
        output=network.data,
        derivative=dy,
        domain=design.domain,
        layout=Layout.of([design.input], [network.data], [dy] if dy else []),
        leds=leds,
        buttons=buttons,
        programmable=False,
        name=NAME + design.name,
    )


class Learn(Elaboratable):
    """A network that learns on a board what the host sends.

    Serves ``PING``, ``BAUD``, ``IDENTIFY`` and

    - ``WRITE``: any number of address (2 bytes) and word (4 bytes), written one after the other;
    - ``READ``: address (2 bytes); the reply is the word;
    - `LEARN`: a number of steps (4 bytes), at most `MAX_PERIOD` more than were done; the network learns until it has
      done so many since step 0. The reply is the number of steps done (4 bytes) and the sum of squared errors of those
      that it took (6 bytes). Asked again for the same number, it replies the same: a lost reply costs nothing.

    Addresses are those of `Learner`. Its clock domain is ``sync``. LED 0 is lit while it learns, the others count
    steps by 256.

    Parameters
    ----------
    network : Network
    clock_hz : float
        Frequency of ``sync``.
    default_baud : int
    leds, buttons : int

    Attributes
    ----------
    rx : Signal, in
    tx : Signal, out
    leds : Signal(leds), out
    buttons : Signal(buttons), in
        Unused.
    records : list of Record
    settle_cycles : int
        Cycles without a byte after which nothing changes any more.
    """

    def __init__(self, network, clock_hz, default_baud=115200, leds=1, buttons=0):
        self.rx = Signal(init=1)
        self.tx = Signal(init=1)
        self.leds = Signal(leds)
        self.buttons = Signal(buttons)
        self.records = [record_of(network, clock_hz, default_baud, leds, buttons)]
        self._learner = Learner(network)
        self._link = Link(clock_hz, default_baud, _ADDRESS + _WORD, self.records[0].to_bytes())
        learning = MAX_PERIOD * self._learner.cycles_per_step
        self.settle_cycles = 2 * self._link.fall_back_cycles + learning

    @property
    def ports(self):
        """The signals by name."""
        return {"rx": self.rx, "tx": self.tx, "leds": self.leds, "buttons": self.buttons}

    def elaborate(self, platform):
        m = Module()
        m.submodules.link = link = self._link
        m.submodules.learner = learner = self._learner
        m.d.comb += [link.rx.eq(self.rx), self.tx.eq(link.tx)]
        m.d.comb += self.leds.eq(Cat(learner.busy, learner.step[8:]))
        word = link.arguments[: 8 * _WORD]
        ahead = Signal(_WORD * 8)
        m.d.comb += [learner.write_data.eq(word), learner.goal.eq(word), ahead.eq(word - learner.step)]

        # Replies leave from a register, highest byte first.
        reply, left = Signal(8 * REPORT), Signal(range(REPORT + 1))
        m.d.comb += [link.i.payload.eq(reply[-8:]), link.i.valid.eq(left != 0)]
        with m.If(link.i.valid & link.i.ready):
            m.d.sync += [reply.eq(reply << 8), left.eq(left - 1)]

        def answer(value):
            m.d.comb += [link.reply.eq(1), link.size.eq(len(value) // 8)]
            m.d.sync += [reply[-len(value) :].eq(value), left.eq(len(value) // 8)]
            m.next = "idle"

        def refuse(why):
            m.d.comb += [link.reply.eq(1), link.fault.eq(why)]
            m.next = "idle"

        done, gathered, fetched = Signal.like(link.length), Signal(range(_ADDRESS + _WORD + 1)), Signal()
        with m.FSM():
            with m.State("idle"):
                m.d.sync += [done.eq(0), gathered.eq(0), fetched.eq(0)]
                with m.If(link.valid & (left == 0)):
                    with m.Switch(link.kind):
                        with m.Case(Command.IDENTIFY):
                            m.next = "identify"
                        with m.Case(Command.READ):
                            m.next = "address"
                        with m.Case(Command.WRITE):
                            m.next = "gather"
                        with m.Case(LEARN):
                            m.next = "learn"
                        with m.Default():
                            refuse(Fault.COMMAND)
            with m.State("identify"):
                # Of any unit: there is one.
                with m.If(link.length > 1):
                    refuse(Fault.LENGTH)
                with m.Elif((link.length == 1) & (link.arguments[:8] != 0)):
                    refuse(Fault.ARGUMENT)
                with m.Else():
                    m.d.comb += [link.reply.eq(1), link.stored.eq(1), link.address.eq(RECORDS), link.size.eq(RECORD)]
                    m.next = "idle"
            with m.State("address"):
                m.d.comb += learner.address.eq(link.arguments)
                m.next = "read"
                with m.If(link.length != _ADDRESS):
                    refuse(Fault.LENGTH)
            with m.State("read"):
                answer(learner.read_data)
            with m.State("gather"):
                # A byte in two cycles, from the payload into the arguments.
                m.d.sync += fetched.eq(~fetched)
                with m.If(done == link.length):
                    with m.If(gathered == 0):
                        m.d.comb += link.reply.eq(1)
                        m.next = "idle"
                    with m.Else():
                        refuse(Fault.LENGTH)
                with m.Elif(fetched):
                    m.d.comb += link.shift.eq(1)
                    m.d.sync += [done.eq(done + 1), gathered.eq(gathered + 1)]
                    with m.If(gathered == _ADDRESS + _WORD - 1):
                        m.next = "write"
            with m.State("write"):
                m.d.comb += [learner.address.eq(link.arguments[8 * _WORD :]), learner.write.eq(1)]
                m.d.sync += gathered.eq(0)
                m.next = "gather"
            with m.State("learn"):
                with m.If(link.length != _WORD):
                    refuse(Fault.LENGTH)
                with m.Elif(ahead > MAX_PERIOD):
                    refuse(Fault.ARGUMENT)
                with m.Else():
                    m.d.comb += learner.start.eq(1)
                    m.next = "learning"
            with m.State("learning"):
                with m.If(~learner.busy):
                    answer(Cat(learner.loss, learner.step))
        return m

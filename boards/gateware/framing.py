"""Frames from bytes, and bytes from frames: see `hwact.boards.protocol`."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.wiring import In, Out

from ..protocol import SYNC, Fault

__all__ = ["FrameReceiver", "FrameSender"]


class FrameReceiver(wiring.Component):
    """Requests out of bytes.

    Whatever is between frames is skipped. After a frame that is not sound, the next sync byte begins another.

    Members
    -------
    i : In(stream.Signature(8, always_ready=True))
    tag, kind, length : Out(8)
        Of the frame, until the next begins.
    write : Out(1)
        A byte of the payload is on `i`.
    address : Out(8)
        Its place in the payload.
    done : Out(1)
        High for one cycle after a sound frame.
    fault : Out(3)
        A `Fault`, for one cycle, after one that is not; else 0.
    busy : Out(1)
        A frame has begun.
    """

    i: In(stream.Signature(8, always_ready=True))
    tag: Out(8)
    kind: Out(8)
    length: Out(8)
    write: Out(1)
    address: Out(8)
    done: Out(1)
    fault: Out(3)
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC16_IBM_3740(8).create()
        byte, valid = self.i.payload, self.i.valid
        m.d.comb += [crc.data.eq(byte), crc.valid.eq(valid)]
        with m.FSM() as machine:
            with m.State("sync"):
                m.d.comb += [crc.valid.eq(0), crc.start.eq(1)]
                with m.If(valid & (byte == SYNC)):
                    m.next = "tag"
            with m.State("tag"):
                m.d.sync += self.tag.eq(byte)
                with m.If(valid):
                    m.next = "kind"
            with m.State("kind"):
                m.d.sync += self.kind.eq(byte)
                with m.If(valid):
                    m.next = "high"
            with m.State("high"):
                with m.If(valid):
                    m.next = "low"
                    with m.If(byte != 0):
                        m.d.comb += self.fault.eq(Fault.LENGTH)
                        m.next = "sync"
            with m.State("low"):
                m.d.sync += [self.length.eq(byte), self.address.eq(0)]
                with m.If(valid):
                    m.next = "payload"
                    with m.If(byte == 0):
                        m.next = "crc high"
            with m.State("payload"):
                m.d.comb += self.write.eq(valid)
                with m.If(valid):
                    m.d.sync += self.address.eq(self.address + 1)
                    with m.If(self.address + 1 == self.length):
                        m.next = "crc high"
            with m.State("crc high"):
                with m.If(valid):
                    m.next = "crc low"
            with m.State("crc low"):
                with m.If(valid):
                    m.next = "check"
            with m.State("check"):
                with m.If(crc.match_detected):
                    m.d.comb += self.done.eq(1)
                with m.Else():
                    m.d.comb += self.fault.eq(Fault.CHECKSUM)
                m.next = "sync"
        m.d.comb += self.busy.eq(~machine.ongoing("sync"))
        return m


class FrameSender(wiring.Component):
    """Bytes of a reply.

    Members
    -------
    start : In(1)
        Begin a frame of `length`; `tag` and `kind` must then hold until `done`.
    tag, kind : In(8)
    length : In(16)
    i : In(stream.Signature(8))
        The payload: as many bytes as `length` are taken.
    o : Out(stream.Signature(8))
    done : Out(1)
        High while no frame is on its way.
    """

    start: In(1)
    tag: In(8)
    kind: In(8)
    length: In(16)
    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))
    done: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = CRC16_IBM_3740(8).create()
        left, sent = Signal(16), Signal()
        m.d.comb += [sent.eq(self.o.valid & self.o.ready), crc.data.eq(self.o.payload), crc.valid.eq(sent)]

        def state(name, byte, following):
            with m.State(name):
                m.d.comb += [self.o.payload.eq(byte), self.o.valid.eq(1)]
                with m.If(sent):
                    m.next = following

        with m.FSM():
            with m.State("done"):
                m.d.comb += self.done.eq(1)
                m.d.sync += left.eq(self.length)
                with m.If(self.start):
                    m.next = "sync"
            with m.State("sync"):
                m.d.comb += [self.o.payload.eq(SYNC), self.o.valid.eq(1), crc.start.eq(1), crc.valid.eq(0)]
                with m.If(sent):
                    m.next = "tag"
            state("tag", self.tag, "kind")
            state("kind", self.kind, "high")
            state("high", left[8:], "low")
            state("low", left[:8], "payload")
            with m.State("payload"):
                with m.If(left == 0):
                    m.next = "crc high"
                with m.Else():
                    m.d.comb += [self.o.payload.eq(self.i.payload), self.o.valid.eq(self.i.valid)]
                    m.d.comb += self.i.ready.eq(self.o.ready)
                    with m.If(sent):
                        m.d.sync += left.eq(left - 1)
            with m.State("crc high"):
                m.d.comb += [self.o.payload.eq(crc.crc[8:]), self.o.valid.eq(1), crc.valid.eq(0)]
                with m.If(sent):
                    m.next = "crc low"
            state("crc low", crc.crc[:8], "done")
        return m

"""The benches of a softmax: plain Verilog-2005 and cocotb, and the vectors that both read."""

from ..emit.cocotb_bench import RUN
from ..emit.header import line_comment, notice
from .vectors import vectors
from .verilog import ports

__all__ = ["bench_text", "cocotb_bench_text", "vectors_text"]


def rows(design):
    """Bits of x, i_last, y and o_last of every element; every other longest vector comes without i_last."""
    for number, vector in enumerate(vectors(design)):
        given = number % 2 or len(vector) < design.length
        inputs, outputs = design.input.to_bits(vector), design.output.to_bits(design.evaluate(vector))
        for k, (x, y) in enumerate(zip(inputs.tolist(), outputs.tolist()), 1):
            last = k == len(vector)
            yield x, int(last and given), y, int(last)


def vectors_text(design, command):
    """One line an element: x, i_last, y and o_last in hexadecimal."""
    lines = [f"{x:x} {i_last} {y:x} {o_last}\n" for x, i_last, y, o_last in rows(design)]
    head = line_comment("//", [*notice(design, command), f"{len(lines)} elements: x i_last y o_last"])
    return head + "".join(lines)


def bench_text(design, command):
    """A bench that drives every vector at full rate, under stalls and after resets in flight.

    It prints ``PASS NAME: N outputs`` or ``FAIL NAME: ...`` and always ends. ``+vectors=FILE`` names the vectors.
    """
    reset = design.reset != "none"
    on, off = ("1'b0", "1'b1") if design.reset.endswith("low") else ("1'b1", "1'b0")
    fill = {
        "name": design.name,
        "notice": line_comment("//", notice(design, command)),
        "count": sum(1 for _ in rows(design)),
        "patience": 4 * design.length + 400,
        "x": design.input.width - 1,
        "y": design.output.width - 1,
        "declare": f"    reg rst = {on};\n" if reset else "",
        "connect": ", ".join(f".{port}({role})" for role, port in ports(design).items()),
        "assert": f"rst = {on};" if reset else ";",
        "release": f"rst = {off};" if reset else ";",
        "flights": 6 if reset else 0,
    }
    return _BENCH.format(**fill)


def cocotb_bench_text(design, command):
    """A cocotb 2 bench with driver, monitor and scoreboard, which also runs itself: ``python tb/test_NAME.py``."""
    roles = ports(design)
    constants = [
        f"NAME = {design.name!r}",
        f"LENGTH = {design.length}",
        f"WIDTH = {design.input.width}",
        f"RESET = {roles.get('rst')!r}",
        f"RESET_ACTIVE = {int(design.reset.endswith('high'))}",
    ]
    return (
        f'"""Bench of {design.name}: the Verilog gives the outputs of {design.name}.hex, bit for bit."""\n\n'
        + line_comment("#", notice(design, command))
        + _COCOTB.replace("CONSTANTS", "\n".join(constants))
        + RUN
    )


_BENCH = """\
// {name}_tb: self-checking bench of {name} in plain Verilog-2005.
{notice}//
// It prints "PASS {name}: N outputs" or "FAIL {name}: ..." and ends. Verilog-2005 cannot set an exit
// status: look for the line. The vectors are read from {name}.hex, or from +vectors=FILE.

module {name}_tb;
    localparam COUNT = {count};
    localparam PATIENCE = {patience};

    reg [31:0] vectors [0:4 * COUNT - 1]; // x, i_last, y, o_last of each element
    reg [8 * 1024 - 1:0] file;
    integer handle, flight;
    integer sent, received, idle, cycles, passed;
    reg [31:0] noise = 32'h2545f491;
    reg failed = 1'b0;
    reg stalled, offered;
    reg [{y}:0] held;

    reg clk = 1'b0;
{declare}    reg [{x}:0] i_payload = 0;
    reg i_last = 1'b0;
    reg i_valid = 1'b0;
    wire i_ready;
    wire [{y}:0] o_payload;
    wire o_last;
    wire o_valid;
    reg o_ready = 1'b0;

    {name} dut ({connect});

    // The clock is part of the one thread, so that inputs change and outputs are looked at while it is low.
    task tick;
        begin
            #1 clk = 1'b1;
            #5 clk = 1'b0;
            cycles = cycles + 1;
        end
    endtask

    // Pseudo-random bits, the same in every run (Marsaglia's xorshift).
    task draw;
        begin
            noise = noise ^ (noise << 13);
            noise = noise ^ (noise >> 17);
            noise = noise ^ (noise << 5);
        end
    endtask

    task fail(input integer reason);
        begin
            if (!failed) begin
                $write("FAIL {name}: ");
                case (reason)
                    0: $write("received %0d of %0d outputs", received, COUNT);
                    1: $write("o_valid must be 0 or 1, not unknown");
                    2: $write("outputs must hold until o_ready, not change");
                    3: $write("o_valid must not depend on o_ready, as it does");
                    4: $write("outputs must be as many as inputs, not more");
                    5: $write("o_valid must be low after a reset, not high");
                    default: $write("output %0d must be %0d with o_last %0d, not %0d with %0d", received,
                        vectors[4 * received + 2], vectors[4 * received + 3], o_payload, o_last);
                endcase
                $display(" (cycle %0d)", cycles);
            end
            failed = 1'b1;
        end
    endtask

    task reset;
        begin
            {assert}
            repeat (4) tick;
            {release}
            i_valid = 1'b0;
            #1 if (o_valid !== 1'b0) fail(5);
        end
    endtask

    // Every vector from the first one on; `slow` stalls at random, `limit` cycles end it early.
    task run(input slow, input integer limit);
        begin
            sent = 0; received = 0; idle = 0; cycles = 0; stalled = 1'b0;
            while (idle < PATIENCE && cycles < limit && !failed) begin
                draw;
                if (!i_valid) i_valid = sent < COUNT && (noise[8] || !slow);
                i_payload = i_valid ? vectors[4 * sent] : noise;
                i_last = i_valid ? vectors[4 * sent + 1] : noise[3];
                o_ready = 1'b0;
                #2 offered = o_valid;
                o_ready = noise[16] || !slow;
                #2;
                if (o_valid !== 1'b1 && o_valid !== 1'b0) fail(1);
                if (stalled && (!o_valid || o_payload !== held)) fail(2);
                if (o_valid !== offered) fail(3);
                if (o_valid && received >= sent) fail(4);
                if (o_valid && (o_payload !== vectors[4 * received + 2][{y}:0] || o_last !== vectors[4 * received + 3][0]))
                    fail(6);
                stalled = o_valid && !o_ready;
                held = o_payload;
                idle = idle + 1;
                if (o_valid && o_ready) begin
                    received = received + 1;
                    idle = 0;
                end
                if (i_valid && i_ready) begin
                    sent = sent + 1;
                    idle = 0;
                    tick;
                    i_valid = 1'b0;
                end else
                    tick;
            end
        end
    endtask

    task complete(input slow);
        begin
            run(slow, 32'h7fffffff);
            if (received != COUNT) fail(0);
            passed = passed + received;
        end
    endtask

    initial begin
        passed = 0;
        cycles = 0;
        received = 0;
        if (!$value$plusargs("vectors=%s", file)) file = "{name}.hex";
        handle = $fopen(file, "r");
        if (handle == 0)
            $display("FAIL {name}: vectors must be in {name}.hex or in the file that +vectors names");
        else begin
            $fclose(handle);
            $readmemh(file, vectors);
            reset;
            complete(1'b0);
            for (flight = 1; flight <= {flights}; flight = flight + 1) begin
                run(flight[0], flight * PATIENCE / 5);
                reset;
            end
            complete(1'b1);
            if (!failed) $display("PASS {name}: %0d outputs", passed);
        end
        $finish;
    end
endmodule
"""

_COCOTB = '''
import os
import random
import sys
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

HERE = Path(__file__).resolve().parent
CONSTANTS


def elements():
    """Rows of x, i_last, y and o_last, in order."""
    lines = (HERE / f"{NAME}.hex").read_text().splitlines()
    return [tuple(int(word, 16) for word in line.split()) for line in lines if not line.startswith("//")]


async def reset(dut, cycles=4):
    """Reset the unit, if it can be, and return just after a falling edge."""
    dut.i_valid.value = 0
    dut.o_ready.value = 0
    if RESET:
        getattr(dut, RESET).value = RESET_ACTIVE
    for _ in range(cycles):
        await FallingEdge(dut.clk)
    if RESET:
        getattr(dut, RESET).value = 1 - RESET_ACTIVE


class Scoreboard:
    """Compares the outputs, in order, with those of the rows that the unit took."""

    def __init__(self):
        self.expected = []
        self.received = 0

    def sent(self, row):
        self.expected.append(row[2:])

    def got(self, output):
        assert self.received < len(self.expected), "Outputs must be as many as inputs, not more"
        want = self.expected[self.received]
        assert output == want, f"Output {self.received} must be {want} (y, last), not {output}"
        self.received += 1


async def run(dut, rows, pause_in, pause_out, cycles=None):
    """Send rows through the unit, until all have come out or for some cycles; returns the cycles taken.

    Inputs change on falling edges; both streams are looked at once a cycle, before the rising edge.
    """
    scoreboard, position, offered, stalled, cycle = Scoreboard(), 0, False, None, 0
    budget = cycles or 40 * len(rows) + 40 * sum(row[3] for row in rows) + 8 * LENGTH + 1000
    while scoreboard.received < len(rows):
        offered = offered or (position < len(rows) and not pause_in())
        dut.i_valid.value = int(offered)
        dut.i_payload.value = rows[position][0] if offered else random.getrandbits(WIDTH)
        dut.i_last.value = rows[position][1] if offered else random.getrandbits(1)
        dut.o_ready.value = int(not pause_out())
        await ReadOnly()
        valid = int(dut.o_valid.value)
        output = (int(dut.o_payload.value), int(dut.o_last.value)) if valid else None
        assert stalled is None or output == stalled, "Outputs must be stable while stalled, not change"
        stalled = output if valid and dut.o_ready.value == 0 else None
        if valid and dut.o_ready.value == 1:
            scoreboard.got(output)
        if offered and dut.i_ready.value == 1:
            scoreboard.sent(rows[position])
            position, offered = position + 1, False
        cycle += 1
        if cycle == cycles:
            break
        assert cycle < budget, f"Received {scoreboard.received} of {len(rows)} outputs"
        await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    return cycle


def never():
    return False


def often():
    return random.random() < 0.4


@cocotb.test()
async def gives_every_vector_at_full_rate(dut):
    """Unstalled, outputs are right and in order."""
    Clock(dut.clk, 10, "ns").start()
    await reset(dut)
    await run(dut, elements(), never, never)


@cocotb.test()
async def gives_every_vector_under_stalls(dut):
    """With a random source and a random sink, nothing is lost, repeated or changed."""
    random.seed(1)
    Clock(dut.clk, 10, "ns").start()
    await reset(dut)
    await run(dut, elements(), often, often)


@cocotb.test(skip=RESET is None)
async def recovers_from_reset_in_flight(dut):
    """A reset drops what is in flight, whatever the unit was doing, and the unit then starts afresh."""
    random.seed(2)
    Clock(dut.clk, 10, "ns").start()
    await reset(dut)
    rows = elements()
    ends = [k for k, row in enumerate(rows, 1) if row[3]]
    some = rows[: next(end for end in ends if end >= min(2 * LENGTH, len(rows)))]
    for _ in range(12):
        await run(dut, rows, often, often, cycles=random.randint(1, 4 * LENGTH + 60))
        await reset(dut)
        await ReadOnly()
        assert dut.o_valid.value == 0, "Port o_valid must be low after a reset, not high"
        await FallingEdge(dut.clk)
    await run(dut, some, never, never)
'''

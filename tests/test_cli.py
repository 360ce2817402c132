"""The command line, run in this process where it can be: verbs, bad input, exit statuses, what is written."""

import json
import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hwact import cli, emit
from hwact.cli import hwact
from hwact.cli.common import run
from hwact.errors import ToolError
from hwact.synth import targets

FORMATS = ("--input", "SQ3.3", "--output", "SQ1.5")
VERBS = tuple(
    "list show generate estimate image softmax verify simulate mutate synth explore results report fusesoc demo".split()
)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The folder of a small stream unit, generated once."""
    folder = tmp_path_factory.mktemp("made") / "tanh"
    assert run(hwact, ["generate", "tanh", *FORMATS, "--interface", "stream", "-o", str(folder)]) == 0
    return folder


@pytest.fixture
def unit(made, tmp_path):
    """A copy of `made` that a test may spoil."""
    return shutil.copytree(made, tmp_path / "unit")


def tree(folder):
    """Every file under a folder, with its bytes."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()
    }


def process(*arguments, **options):
    """The command line as a process."""
    command = [sys.executable, "-m", "hwact.cli", *arguments]
    env = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2]), **options.pop("env", {})}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env, **options
    )


# -- verbs -------------------------------------------------------------------------------------


def test_alone_it_shows_its_help(hw):
    """Status 0, on stdout, with every verb and examples."""
    status, out, err = hw()
    assert (status, err) == (0, "")
    assert all(re.search(rf"^  {verb} ", out, re.MULTILINE) for verb in VERBS)
    assert "Examples:\n  hwact list\n" in out
    assert out.rstrip().endswith("hwact board list")


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_every_verb_has_help_with_examples_and_json(hw, verb, option):
    """Examples stand on lines of their own and begin with the command."""
    status, out, err = hw(verb, option)
    examples = out.split("Examples:\n")[1].splitlines()
    assert (status, err) == (0, "")
    assert "--json" in out
    assert examples and all(line.startswith(f"  hwact {verb}") for line in examples)


def test_examples_of_the_help_parse(hw):
    """No example names an option that its verb does not have."""
    for verb in VERBS:
        command = hwact.commands[verb]
        for line in command.epilog.strip().splitlines():
            words = shlex.split(line.split("|")[0])
            command.make_context(verb, words[2:])


def test_version_is_printed(hw):
    """As `hwact, version 0.1.0`."""
    assert hw("--version") == (0, "hwact, version 0.1.0\n", "")


def test_list_is_tab_separated_where_it_is_piped(hw):
    """A head, then one function a line."""
    status, out, _ = hw("list")
    rows = [line.split("\t") for line in out.splitlines()]
    assert status == 0
    assert rows[0] == ["function", "symmetry", "summary"]
    assert {len(row) for row in rows} == {3}
    assert ["tanh", "odd", "hyperbolic tangent"] in rows


def test_list_as_json_cites_a_source_for_every_function(hw):
    """One object a function."""
    _, out, _ = hw("list", "--json")
    functions = json.loads(out)
    assert {"tanh", "gelu", "rsqrt"} <= {f["name"] for f in functions}
    assert all(f["source"] and f["expression"] and f["summary"] for f in functions)


def test_show_prints_formula_and_plot(hw):
    """The plot has both curves, and no escape sequences where it is piped."""
    status, out, _ = hw("show", "x*sigmoid(b*x)", "--parameter", "b=1.702", "--range=-4:4")
    assert status == 0
    assert "expression  x*sigmoid(b*x)\n" in out
    assert "parameters  b = 851/500\n" in out
    assert " f'" in out and "•" in out and "\x1b" not in out


def test_show_cuts_a_pole(hw):
    """The plot of 1/x does not reach to a thousand."""
    _, out, _ = hw("show", "1/x")
    assert max(abs(float(y)) for y in re.findall(r"^ *(-?[\d.]+)┤", out, re.MULTILINE)) < 10


@pytest.mark.parametrize("suffix, magic", [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_show_draws_a_file(hw, tmp_path, suffix, magic):
    """PNG or SVG by the suffix."""
    assert hw("show", "tanh", "--plot", f"tanh.{suffix}")[0] == 0
    assert (tmp_path / f"tanh.{suffix}").read_bytes().startswith(magic)


def test_show_as_json_is_one_object(hw):
    """With the derivative's formula."""
    _, out, _ = hw("show", "silu", "--json")
    assert json.loads(out)["derivative"].count("sigmoid") >= 1


def test_generate_writes_the_folder_and_says_what_it_made(hw, tmp_path):
    """./NAME by default; a table of outputs, then where it is."""
    status, out, err = hw("generate", "tanh", *FORMATS)
    lines = out.splitlines()
    assert (status, err) == (0, "")
    assert lines[0] == "output\tfunction\tmethod\tsize\tminimum\tmax ulp\tmean ulp"
    assert lines[1].startswith("y\ttanh(x)\t")
    assert re.fullmatch(r"Wrote tanh, digest [0-9a-f]{12}", lines[-1])
    assert set(tree(tmp_path / "tanh")) == {
        "tanh.v", "tanh.json", "tanh.md", "tanh.h", "tanh.core", "tanh_y.svg",
        "tb/tanh_tb.v", "tb/tanh.hex", "tb/test_tanh.py", "tanh.cert.json", "component.xml",
    }  # fmt: skip


def test_generate_as_json_is_the_manifest_without_the_design(hw, tmp_path):
    """With the folder beside it."""
    _, out, _ = hw("generate", "tanh", *FORMATS, "--json", "-o", "new/deep/folder")
    printed = json.loads(out)
    written = json.loads((tmp_path / "new/deep/folder/tanh.json").read_text())
    assert printed.pop("folder") == "new/deep/folder"
    assert written.pop("design")
    assert printed == written


def test_manifest_keeps_the_contract(hw, tmp_path):
    """Every key that other programs rely on is there, for an expression with a derivative and a domain."""
    words = ["x*sigmoid(b*x)", "--parameter", "b=1.702", "--input", "SQ3.3", "--output", "SQ3.4"]
    words += ["--derivative", "direct", "--derivative-output", "SQ2.4", "--domain", "-2:2"]
    words += ["--interface", "stream", "--latency", "2", "--reset", "async-low", "--name", "my_unit"]
    assert hw("generate", *words)[0] == 0
    contents = json.loads((tmp_path / "my_unit/my_unit.json").read_text())
    output = contents["outputs"][0]
    assert contents["hwact"] == "0.1.0"
    assert re.fullmatch("[0-9a-f]{64}", contents["digest"])
    assert contents["name"] == contents["top"] == "my_unit"
    assert contents["function"]["expression"] == "x*sigmoid(b*x)"
    assert contents["input"] == {"signed": True, "int_bits": 3, "frac_bits": 3}
    assert contents["domain"] == [-16, 16]
    assert [(o["name"], o["mode"]) for o in contents["outputs"]] == [("y", "function"), ("dy", "direct")]
    assert output["format"] == {"signed": True, "int_bits": 3, "frac_bits": 4}
    assert output["bound"] == "faithful"
    assert 0 < output["mean_error_ulp"] <= output["max_error_ulp"] < 1
    assert -16 <= output["worst_code"] <= 16
    assert output["method"] in ("pwl", "table")
    assert {"segments", "minimal_segments"} <= set(output)
    assert (contents["interface"], contents["latency"], contents["reset"]) == ("stream", 2, "async-low")
    assert (contents["initiation_interval"], contents["lanes"]) == (1, 1)
    assert contents["ports"] == {
        "clk": "clk", "rst": "rst_n", "x": "i_payload", "i_valid": "i_valid", "i_ready": "i_ready",
        "y": "o_y", "dy": "o_dy", "o_valid": "o_valid", "o_ready": "o_ready",
    }  # fmt: skip
    assert contents["files"]["verilog"] == ["my_unit.v"]
    assert {path for paths in contents["files"].values() for path in paths} == set(tree("my_unit"))
    assert {check["check"] for check in contents["certificate"]["checks"]} >= {"bound"}


@pytest.mark.parametrize(
    "words",
    [
        ["tanh", *FORMATS, "--method", "pwl"],
        ["--function", "x*sigmoid(b*x)", "--parameter", "b=1.5", "--input", "SQ3.3", "--output", "SQ3.4"],
        ["reciprocal", "--input", "UQ3.3", "--output", "UQ1.5", "--domain", "1:7", "--bound", "2^-4"],
        [
            "tanh",
            *FORMATS,
            "--derivative",
            "slope",
            "--interface",
            "pipe",
            "--reset",
            "none",
            "--latency",
            "1",
        ],
    ],
)
def test_command_in_the_manifest_makes_the_same_folder(hw, tmp_path, words):
    """Byte for byte; and so does writing over it."""
    assert hw("generate", *words, "-o", "first")[0] == 0
    command = emit.read_manifest("first")[0]["command"]
    again = shlex.split(command)
    assert again[:2] == ["hwact", "generate"]
    for _ in range(2):
        assert hw(*again[1:], "-o", "second")[0] == 0
        assert tree("second") == tree("first")


def test_no_file_names_a_date_or_a_place(made):
    """So that the same request gives the same bytes anywhere."""
    text = b"".join(tree(made).values()).decode()
    assert str(made.parent) not in text and os.getcwd() not in text
    assert not re.search(r"20\d\d-\d\d-\d\d", text.replace("2023-", ""))


def test_verify_records_what_it_checked(hw, unit):
    """In the manifest and in the datasheet; twice gives the same."""
    status, out, err = hw("verify", str(unit))
    rows = [line.split("\t") for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert rows[0] == ["level", "check", "output", "codes", "coverage", "result", "method"]
    assert {("golden", "bound"), ("golden", "minimality"), ("rtl", "circuit"), ("rtl", "stalls")} <= {
        tuple(row[:2]) for row in rows[1:-2]
    }
    assert {row[5] for row in rows[1:-2]} == {"passed"}
    assert re.fullmatch(r"Took golden [0-9.]+ s, rtl [0-9.]+ s", out.splitlines()[-1])
    before = tree(unit)
    assert "circuit" in (unit / "tanh.md").read_text()
    status, out, _ = hw("verify", str(unit), "--json")
    assert json.loads(out)["passed"] is True
    assert set(json.loads(out)["seconds"]) == {"golden", "rtl"}
    assert tree(unit) == before


def test_synth_reports_resources(hw, unit, tmp_path, monkeypatch):
    """One row a target; one object for one target, a list for two."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path / "cache"))
    status, out, _ = hw("synth", str(unit), "--target", "ice40", "--no-place")
    head, row = (line.split("\t") for line in out.splitlines())
    assert status == 0
    assert head == ["target", "LUTs", "carries", "FFs", "DSPs", "BRAM bits", "fmax MHz"]
    assert row[0] == "ice40-hx8k" and int(row[1]) > 0 and row[-1] == "-"
    one = json.loads(hw("synth", str(unit), "--target", "ice40", "--no-place", "--json")[1])
    both = json.loads(
        hw("synth", str(unit), "--target", "ice40", "--target", "ecp5", "--no-place", "--json")[1]
    )
    assert one["luts"] == int(row[1])
    assert [report["target"] for report in both] == ["ice40-hx8k", "ecp5-25k"]
    assert one["digest"] == json.loads((unit / "tanh.json").read_text())["digest"]


def test_synth_shows_seeds_and_gates_where_there_are_any(hw, unit, tmp_path, monkeypatch):
    """The median beside the best, and gates for a target of gates alone."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path / "cache"))
    status, out, _ = hw("synth", str(unit), "--target", "generic", "--seeds", "3", "--jobs", "2")
    head, row = (line.split("\t") for line in out.splitlines())
    assert status == 0
    assert head == ["target", "LUTs", "carries", "NAND2", "FFs", "DSPs", "BRAM bits", "fmax MHz"]
    assert row[0] == "generic" and int(row[3]) > 0 and row[-1] == "-"
    assert hw("synth", str(unit), "--seeds", "0")[0] == 2


# -- bad requests ------------------------------------------------------------------------------

KEYWORD = "Name must be an identifier of letters, digits and _ (at most 64) and no keyword of Verilog or C, not 'module'"


@pytest.mark.parametrize(
    "words, sentence",
    [
        (
            ["tanhh", *FORMATS],
            "Expression must use known names, not 'tanhh' at column 1: did you mean 'tanh'?",
        ),
        (["x*(2", *FORMATS], None),
        (["2*y", *FORMATS], None),
        (["", *FORMATS], "Expression must be well formed, not '': expected a value at column 1"),
        (
            ["__import__('os')", *FORMATS],
            """Expression must be well formed, not "__import__('os')": unexpected character "'" at column 12""",
        ),
        (
            ["x.__class__", *FORMATS],
            "Expression must be well formed, not 'x.__class__': unexpected character '.' at column 2",
        ),
        (["eval(x)", *FORMATS], None),
        (["x+" * 5000 + "x", *FORMATS], "Expression must be at most 2000 characters long, not 10001"),
        (["(" * 500 + "x", *FORMATS], None),
        (
            ["tanh", "--input", "SQ0.0", "--output", "SQ1.7"],
            "Format width must be 1 to 32 bits, not 0 (SQ0.0)",
        ),
        (
            ["tanh", "--input", "SQ20.20", "--output", "SQ1.7"],
            "Format width must be 1 to 32 bits, not 40 (SQ20.20)",
        ),
        (
            ["tanh", "--input", "tiny", "--output", "SQ1.7"],
            "Format must be written like SQ4.12 or UQ0.16, not 'tiny'",
        ),
        (
            ["tanh", "--input", "SQ4.4", "--output", "SQ1.7;x"],
            "Format must be written like SQ4.12 or UQ0.16, not 'SQ1.7;x'",
        ),
        (
            ["tanh", "--input", "SQ4.28", "--output", "SQ1.7"],
            "Input format must be at most 24 bits wide, so that every code can be checked, not SQ4.28",
        ),
        (
            ["tanh", *FORMATS, "--bound", "2^-20"],
            "Bound 2^-20 must leave an output code of SQ1.5 for every input, not none at code -32 (x = -4.0): "
            "loosen it or add fraction bits to the output",
        ),
        (["tanh", *FORMATS, "--bound", "0"], "Bound must be above zero, not '0'"),
        (
            ["tanh", *FORMATS, "--bound", "good"],
            "Bound must be faithful, correct, or a number like 1.5ulp, 2^-10 or 1e-3, not 'good'",
        ),
        (
            ["tanh", *FORMATS, "--domain", "-9:9"],
            "Domain must lie within the values of SQ3.3, -4:3.875, not -9:9",
        ),
        (
            ["tanh", *FORMATS, "--domain", "0.01:0.02"],
            "Domain must hold at least one code of SQ3.3, not 0.01:0.02",
        ),
        (["tanh", *FORMATS, "--domain", "2:1"], "Domain must hold at least one code of SQ3.3, not 2:1"),
        (["tanh", *FORMATS, "--domain", "nan:inf"], "Domain must be two numbers like -2:1.5, not 'nan:inf'"),
        (
            ["reciprocal", "--input", "SQ4.4", "--output", "SQ4.4"],
            "Function reciprocal must be defined on every code of the domain, not undefined at code 0 (x = 0.0): "
            "narrow it with --domain",
        ),
        (["tanh", *FORMATS, "--effort", "1"], "Effort must come with --target ice40, ecp5 or gowin"),
        (
            ["tanh", *FORMATS, "--interface", "pipe", "--fmax", "50"],
            "Clock frequency must come with a device: add --target, such as ice40",
        ),
        (
            ["tanh", *FORMATS, "--interface", "pipe", "--fmax", "nan", "--target", "ice40"],
            "Clock frequency must be above 0 and below 10000 MHz, not nan",
        ),
        (
            ["tanh", *FORMATS, "--fmax", "50", "--target", "ice40"],
            "Interface must be pipe, stream or axis with --fmax, not comb",
        ),
        (
            ["tanh", *FORMATS, "--interface", "pipe", "--latency", "2", "--fmax", "50", "--target", "ice40"],
            "Latency must be left out with --fmax",
        ),
        (["tanh", *FORMATS, "--parameter", "b"], "Parameter must be written NAME=VALUE, not 'b'"),
        (["tanh", *FORMATS, "--parameter", "=1"], "Parameter must be written NAME=VALUE, not '=1'"),
        (["tanh", *FORMATS, "--parameter", "b=1"], "Parameter of function tanh must be left out, not 'b'"),
        (["b*x", *FORMATS, "--parameter", "b=one"], "Parameter b must be a number, not 'one'"),
        (["b*x", *FORMATS], None),
        (
            ["b*x", *FORMATS, "--parameter", "b=1", "--parameter", "b=2"],
            "Parameter b must be given once, not twice",
        ),
        (["tanh", "--input", "SQ3.3"], "Missing option '--output' (see hwact generate --help)"),
        ([*FORMATS], "Function must be given once, as the argument or with --function"),
        (
            ["tanh", "--function", "tanh", *FORMATS],
            "Function must be given once, as the argument or with --function",
        ),
        (
            ["tanh", *FORMATS, "--latency", "3"],
            "Latency must be 0 for comb and at least 1 for pipe, stream and axis, not 3 for comb",
        ),
        (["tanh", *FORMATS, "--interface", "pipe", "--latency", "65"], "Latency must be 0 to 64, not 65"),
        (["tanh", *FORMATS, "--reset", "none"], "Reset must come with --interface pipe, stream or axis, not comb"),
        (
            ["tanh", *FORMATS, "--method", "table", "--derivative", "slope"],
            "Method must be pwl or auto for --derivative slope, not table",
        ),
        (
            ["tanh", *FORMATS, "--method", "table", "--segmentation", "dyadic"],
            "Segmentation must be auto for --method table, not dyadic",
        ),
        (
            ["tanh", *FORMATS, "--derivative", "direct"],
            "Derivative direct must have a format: add --derivative-output, such as SQ2.14",
        ),
        (
            ["tanh", *FORMATS, "--derivative-output", "SQ2.4"],
            "Derivative output must come with --derivative direct or slope",
        ),
        (
            ["tanh", *FORMATS, "--derivative-bound", "correct"],
            "Derivative bound must come with --derivative direct, not none",
        ),
        (["tanh", *FORMATS, "--name", "module"], KEYWORD),
        (["tanh", *FORMATS, "--name", "../up"], KEYWORD.replace("module", "../up")),
        (
            ["tanh", *FORMATS, "--method", "cordic"],
            "Invalid value for '--method': 'cordic' is not one of 'auto', 'pwl', 'table' (see hwact generate --help)",
        ),
        (
            ["tanh", *FORMATS, "--inptu", "3"],
            "Option must be one of this command's, not '--inptu': did you mean '--input' or '--fit'?",
        ),
        (
            ["-x", *FORMATS],
            "Option must be one of this command's, not '-x': an expression that starts with - goes last, after --",
        ),
    ],
)
def test_bad_request_is_one_sentence_and_writes_nothing(hw, tmp_path, words, sentence):
    """Status 2, nothing on stdout, no file; the same with --json."""
    for more in ([], ["--json"]):
        status, out, err = hw("generate", *words, *more)
        assert (status, out) == (2, "")
        assert re.fullmatch(r"hwact: [A-Z][^\n]*[^.\n]\n", err)
        assert sentence is None or err == f"hwact: {sentence}\n"
    assert not list(tmp_path.iterdir())


def test_malformed_expression_names_the_column(hw):
    """Counted from 1."""
    assert "column 5" in hw("generate", "x*(2", *FORMATS)[2]


def test_expression_with_a_sign_goes_after_two_dashes(hw):
    """Or behind --function."""
    assert hw("generate", *FORMATS, "--name", "a", "--", "-tanh(x)")[0] == 0
    assert hw("generate", *FORMATS, "--name", "a", "--function", "-tanh(x)")[0] == 0


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["genrate"], "Command must be one of {verbs}, not 'genrate': did you mean generate?"),
        (["xyzzy"], "Command must be one of {verbs}, not 'xyzzy': see hwact --help"),
        (["--xyzzy"], "No such option '--xyzzy' (see hwact --help)"),
        (["show"], "Missing argument 'FUNCTION' (see hwact show --help)"),
        (["show", "tanh", "--range", "3:1"], "Range must be rising numbers within +-2^20, not '3:1'"),
        (["show", "tanh", "--range", "0:1e-12"], "Range must be wider, not '0:1e-12'"),
        (["show", "tanh", "--plot", "a.pdf"], "Plot must be a .png or .svg file, not 'a.pdf'"),
        (
            ["show", "tanh", "--plot", "no/a.png"],
            "Plot must be writable, not 'no/a.png': No such file or directory",
        ),
        (["synth", "any", "--target", "virtex"], "Target must be one of {targets}, not 'virtex'"),
        (["demo", "--folder"], "Option must be one of this command's, not '--folder': see hwact demo --help"),
    ],
)
def test_bad_command_is_one_sentence(hw, words, sentence):
    """Status 2, nothing on stdout."""
    known = ", ".join([*targets.ALIASES, *targets.TARGETS])
    expected = sentence.format(verbs=", ".join(hwact.commands), targets=known)
    assert hw(*words) == (2, "", f"hwact: {expected}\n")


# -- folders -----------------------------------------------------------------------------------


def test_foreign_folder_is_refused_before_the_fit(hw, tmp_path, monkeypatch):
    """Its files stay as they are; --force writes beside them."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("keep")
    with monkeypatch.context() as patch:
        patch.setattr("hwact.spec.Spec.design", lambda spec: pytest.fail("fitted"))
        status, out, err = hw("generate", "tanh", *FORMATS, "-o", "mine")
    sentence = "hwact: Output folder must be new, empty or an earlier output of tanh, not 'mine'\n"
    assert (status, out, err) == (2, "", sentence)
    assert tree(tmp_path) == {"mine/notes.txt": b"keep"}
    assert hw("generate", "tanh", *FORMATS, "-o", "mine", "--force")[0] == 0
    assert (tmp_path / "mine/notes.txt").read_text() == "keep"


def test_folder_of_another_unit_is_refused(hw, unit):
    """A unit does not replace one of another name."""
    status, _, err = hw("generate", "sigmoid", "--input", "SQ3.3", "--output", "UQ0.5", "-o", str(unit))
    assert status == 2
    assert "earlier output of sigmoid" in err


def test_output_in_the_place_of_a_file_is_refused(hw, tmp_path):
    """As the folder itself, or in its path."""
    (tmp_path / "file").write_text("keep")
    status, _, err = hw("generate", "tanh", *FORMATS, "-o", "file")
    assert (status, err) == (
        2,
        "hwact: Invalid value for '-o': Directory 'file' is a file (see hwact generate --help)\n",
    )
    status, _, err = hw("generate", "tanh", *FORMATS, "-o", "file/in")
    assert (status, err) == (2, "hwact: Output folder must be writable, not 'file/in': Not a directory\n")
    assert tree(tmp_path) == {"file": b"keep"}


def test_folder_that_cannot_be_written_is_left_as_it_was(hw, unit, monkeypatch):
    """Whichever step fails."""
    before = tree(unit)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("hwact.emit.folder.os.rename", refuse)
    status, out, err = hw("generate", "tanh", *FORMATS, "-o", str(unit))
    sentence = f"hwact: Output folder must be writable, not {str(unit)!r}: Permission denied\n"
    assert (status, out, err) == (2, "", sentence)
    assert tree(unit) == before


@pytest.mark.parametrize("verb", ["verify", "simulate", "synth"])
def test_folder_without_a_unit_is_refused(hw, tmp_path, verb):
    """Missing, or empty."""
    assert hw(verb, "nowhere") == (2, "", "hwact: Output folder must be a readable folder, not 'nowhere'\n")
    (tmp_path / "empty").mkdir()
    sentence = "hwact: Output folder must hold one manifest (NAME.json), not 0: 'empty'\n"
    assert hw(verb, "empty") == (2, "", sentence)


def _halved(text):
    return text[: len(text) // 2]


@pytest.mark.parametrize("verb", ["verify", "simulate", "synth"])
@pytest.mark.parametrize(
    "spoil, sentence",
    [
        (_halved, r"Manifest must be JSON, not 'tanh\.json': .*"),
        (lambda text: "{}", r"Manifest must have a design, not none: 'tanh\.json'"),
        (lambda text: "[" * 100000, r"Manifest must be JSON, not 'tanh\.json': .*"),
        (
            lambda text: re.sub('"digest": "....', '"digest": "0000', text, count=1),
            r"Manifest must have its design's digest [0-9a-f]{64}, not '0000[0-9a-f]{60}'",
        ),
    ],
)
def test_spoilt_manifest_is_refused(hw, unit, verb, spoil, sentence):
    """Cut off, empty, far too deep, or with another digest."""
    path = unit / "tanh.json"
    path.write_text(spoil(path.read_text()))
    before = tree(unit)
    status, out, err = hw(verb, str(unit))
    altered = r"File tanh\.json must be as it was certified, not altered: generate the unit again"
    assert (status, out) == (1 if verb == "verify" else 2, "")
    assert re.fullmatch(f"hwact: {altered if verb == 'verify' else sentence}\n", err)
    assert tree(unit) == before


@pytest.mark.parametrize("verb", ["verify", "simulate", "synth"])
def test_missing_file_is_refused(hw, unit, verb):
    """With the file's name."""
    (unit / "tanh.v").unlink()
    sentence = "hwact: File tanh.v must be as it was certified, not missing: generate the unit again\n"
    assert hw(verb, str(unit)) == (1, "", sentence)


@pytest.mark.parametrize("verb", ["verify", "simulate", "synth"])
@pytest.mark.parametrize("file", ["tanh.v", "tanh.h", "tanh.md", "tanh_y.svg", "tanh.core", "tb/tanh.hex"])
def test_altered_file_is_refused(hw, unit, verb, file):
    """One byte is enough, whatever it means."""
    (unit / file).write_bytes((unit / file).read_bytes() + b"\n")
    sentence = f"hwact: File {file} must be as it was certified, not altered: generate the unit again\n"
    assert hw(verb, str(unit)) == (1, "", sentence)


@pytest.mark.parametrize("verb", ["verify", "simulate", "synth"])
@pytest.mark.parametrize("old, new", [('"codes": 64', '"codes": 65'), ('"seal": "', '"seal": "0'), ("{", "[")])
def test_altered_certificate_is_refused(hw, unit, verb, old, new):
    """Its seal is the digest of its contents."""
    path = unit / "tanh.cert.json"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    sentence = "hwact: Certificate must be as it was written, not altered: 'tanh.cert.json'\n"
    assert hw(verb, str(unit)) == (1, "", sentence)


@pytest.mark.parametrize("verb", ["verify", "simulate", "synth"])
def test_missing_certificate_is_refused(hw, unit, verb):
    """There is nothing to compare the files with."""
    (unit / "tanh.cert.json").unlink()
    sentence = "Output folder must hold one certificate (NAME.cert.json), not 0: generate the unit again"
    assert hw(verb, str(unit)) == (1, "", f"hwact: {sentence}\n")


INVERTED = """
module tanh(input clk, input rst, input [5:0] i_payload, input i_valid, output i_ready,
            output [5:0] o_y, output o_valid, input o_ready);
  wire [5:0] y;
  assign o_y = ~y;
  inner unit(.clk(clk), .rst(rst), .i_payload(i_payload), .i_valid(i_valid), .i_ready(i_ready),
             .o_y(y), .o_valid(o_valid), .o_ready(o_ready));
endmodule
"""


def seal_again(folder):
    """Certify the files as they are, as only a forger would."""
    contents, design = emit.read_manifest(folder)
    files = {path: data for path, data in tree(folder).items() if not path.endswith(".cert.json")}
    seal = emit.sealed_text(design, contents["command"], contents["certificate"], files)
    (folder / "tanh.cert.json").write_text(seal)


def test_altered_verilog_fails_verification(hw, unit):
    """Status 1 and the first code that differs, even under a seal that fits; the rung is certified no longer."""
    assert hw("verify", str(unit))[0] == 0
    path = unit / "tanh.v"
    path.write_text(path.read_text().replace("module tanh (", "module inner (") + INVERTED)
    seal_again(unit)
    status, out, err = hw("verify", str(unit), "--json")
    assert (status, out) == (1, "")
    assert re.fullmatch(r"hwact: Output y of code -?\d+ must be -?\d+ in the circuit, not -?\d+\n", err)
    assert json.loads((unit / "tanh.cert.json").read_text())["level"] == "golden"
    assert hw("verify", str(unit), "--level", "golden")[0] == 0


def test_verilog_that_is_none_is_a_broken_tool(hw, unit):
    """Yosys's own words follow."""
    (unit / "tanh.v").write_text("module tanh(;\n")
    seal_again(unit)
    status, out, err = hw("verify", str(unit))
    assert (status, out) == (3, "")
    assert re.fullmatch(r"hwact: Tool yosys must succeed, not fail: [^\n]*syntax error[^\n]*\n", err)


def test_checks_that_cannot_be_recorded_are_still_reported(hw, unit, monkeypatch):
    """With a note on stderr and status 0."""

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("hwact.output.replace_file", refuse)
    before = tree(unit)
    status, out, err = hw("verify", str(unit), "--level", "golden")
    assert status == 0 and out.startswith("level\tcheck\t")
    assert re.search(r"^hwact: What passed was not recorded: Folder must be writable, [^\n]*$", err, re.MULTILINE)
    assert tree(unit) == before


# -- tools and what nobody expects -------------------------------------------------------------


def test_missing_tools_are_named(hw, unit, monkeypatch):
    """Status 3: the compiler, the simulators, and Yosys."""
    monkeypatch.setenv("PATH", "/nonexistent")
    assert hw("verify", str(unit)) == (3, "", "hwact: Tool g++ must be installed, not missing\n")
    sentence = "Tool make, which verilator needs, must be installed, not missing"
    assert hw("simulate", str(unit)) == (3, "", f"hwact: {sentence}\n")
    sentence = "Simulator icarus must be installed, not missing: apt-get install iverilog"
    assert hw("simulate", str(unit), "--simulator", "icarus") == (3, "", f"hwact: {sentence}\n")
    monkeypatch.setattr("hwact.synth.tools._version", lambda package: None)
    sentence = "Tool yosys must be installed, not missing: pip install pyosys"
    assert hw("generate", "tanh", *FORMATS, "--target", "ice40") == (3, "", f"hwact: {sentence}\n")
    monkeypatch.setenv("HWACT_CACHE", str(unit / "cache"))
    synthesis = f"Synthesis for ice40-hx8k must succeed, not fail: {sentence}"
    assert hw("synth", str(unit), "--no-place") == (3, "", f"hwact: {synthesis}\n")
    assert not Path("tanh").exists()


@pytest.mark.parametrize(
    "error, status, sentence",
    [
        (
            ZeroDivisionError("by\nzero"),
            3,
            "Internal error ZeroDivisionError: by zero: please report it with the output of HWACT_DEBUG=1",
        ),
        (
            RecursionError("deep"),
            3,
            "Internal error RecursionError: deep: please report it with the output of HWACT_DEBUG=1",
        ),
        (MemoryError(), 3, "Memory must suffice for the unit, not run out: narrow the domain or the input"),
        (OSError(28, "No space left on device"), 3, "Disk must have room, not be full"),
        (KeyboardInterrupt(), 130, "Interrupted: nothing was left half-written"),
        (ToolError("Tool x must succeed, not fail"), 3, "Tool x must succeed, not fail"),
    ],
)
def test_whatever_happens_is_one_sentence(hw, monkeypatch, error, status, sentence):
    """No traceback, unless HWACT_DEBUG asks for it."""

    def fail(spec, **_):
        raise error

    monkeypatch.setattr("hwact.cli.common._discard_stdout", lambda: None)
    monkeypatch.setattr("hwact.spec.Spec.design", fail)
    monkeypatch.delenv("HWACT_DEBUG", raising=False)
    assert hw("generate", "tanh", *FORMATS) == (status, "", f"hwact: {sentence}\n")
    monkeypatch.setenv("HWACT_DEBUG", "1")
    err = hw("generate", "tanh", *FORMATS)[2]
    assert "Traceback" in err and err.endswith(f"hwact: {sentence}\n")


def test_nothing_stays_in_the_temporary_folder(hw, unit, tmp_path, monkeypatch):
    """Tools that are killed leave files behind; hwact gives them a folder that goes with it."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert hw("verify", str(unit))[0] == 0
    assert os.environ["TMPDIR"] == str(tmp_path / "tmp")
    assert not list((tmp_path / "tmp").iterdir())


# -- as a process ------------------------------------------------------------------------------


def test_reader_that_goes_away_is_no_error():
    """As in `hwact list | head -1`: status 0, silent."""
    child = process("show", "tanh", stdin=subprocess.DEVNULL)
    child.stdout.close()
    assert (child.stderr.read(), child.wait()) == ("", 0)


def test_full_disk_behind_stdout_is_one_sentence():
    """Status 3."""
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "hwact.cli", "list"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (ended.returncode, ended.stderr) == (3, "hwact: Disk must have room, not be full\n")


def test_light_verbs_do_not_import_heavy_packages():
    """So that help and lists come at once."""
    heavy = "amaranth matplotlib cocotb pyosys rich scipy plotext"
    program = (
        "import sys; from hwact.cli import hwact; from hwact.cli.common import run; run(hwact, ['list']);"
        f"sys.exit(' '.join(name for name in '{heavy}'.split() if name in sys.modules) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_generate_leaves_nothing(tmp_path, number):
    """One sentence, 128 plus the signal's number, no output folder, no temporary file."""
    (tmp_path / "tmp").mkdir()
    words = ["sigmoid", "--input", "SQ4.16", "--output", "UQ0.16", "-o", "new/unit"]
    child = process("generate", *words, cwd=tmp_path, env={"TMPDIR": str(tmp_path / "tmp")})
    deadline = time.monotonic() + 20
    while not list((tmp_path / "tmp").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out) == (128 + number, "")
    assert err == "hwact: Interrupted: nothing was left half-written\n"
    assert [p.name for p in tmp_path.rglob("*")] == ["tmp"]


DEAF = """
import os, signal, time
from hwact.cli import common
from hwact.cli.common import stoppable

def action():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)
    except BaseException:
        pass  # as some library may
    try:
        time.sleep(10)
    except common.Stopped as stopped:
        return 128 + stopped.args[0]

common._AGAIN = 0.2
raise SystemExit(stoppable(action))
"""


def test_signal_that_a_library_drops_is_raised_again():
    """Until the command ends."""
    assert subprocess.run([sys.executable, "-c", DEAF], cwd=Path(cli.__file__).parents[2], timeout=15).returncode == 143


def test_terminal_gets_a_table():
    """With a title and lines, where stdout is a terminal."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "hwact.cli", "list"]
    with subprocess.Popen(
        command, stdout=slave, env={**os.environ, "TERM": "dumb", "COLUMNS": "120"}
    ) as child:
        os.close(slave)
        text = b""
        try:
            while block := os.read(master, 65536):
                text += block
        except OSError:
            pass  # how a terminal ends
    os.close(master)
    assert child.returncode == 0
    assert "Catalogue" in text.decode() and "│ tanh" in text.decode()

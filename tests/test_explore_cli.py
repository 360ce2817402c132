"""``hwact explore`` and ``hwact results``: what they print, write and refuse."""

import csv
import io
import json
import os
import pty
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
from explored import alive, command, family, made_up, rows_of

from hwact.explore import Point, Store
from hwact.explore.row import COLUMNS

SPACE = ("--functions", "tanh,log2,x*exp(-x^2)", "--input", "SQ3.1", "--output", "SQ2.2,SQ2.3", "--method", "table")
#: What other programs may count on.
PROMISED = "digest function input output bound method target luts fmax_mhz max_error_ulp latency status".split()


@pytest.fixture
def stored(tmp_path):
    """A folder with rows that are made up."""
    values = (
        ("tanh", "done", 30, 100.0, 0.5), ("tanh", "done", 20, None, 0.75), ("tanh", "done", 31, 90.0, 0.5),
        ("gelu", "done", 90, 55.5, 0.25), ("log2", "failed", None, None, None),
    )  # fmt: skip
    rows = [
        made_up(Point(name, "SQ3.1", "SQ1.3", seed=k), status=status, luts=luts, fmax_mhz=mhz, max_error=error)
        | {"reason": "Function, \"log2\"" if status == "failed" else None, "tool_versions": {"hwact": "1"}}
        for k, (name, status, luts, mhz, error) in enumerate(values)
    ]
    with Store(tmp_path / "stored", create=True) as store:
        store.add([(row, None) for row in rows])
    return tmp_path / "stored"


# -- explore -----------------------------------------------------------------------------------


def test_explore_shows_the_front_and_the_next_run_keeps_all(hw, tmp_path):
    """Failed points are counted, and their reasons are in the rows."""
    status, out, err = hw("explore", *SPACE, "--estimate-only", "-o", "units")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split("\t")[:5] == ["function", "input", "output", "bound", "target"]
    assert {line.split("\t")[0] for line in lines[1:-1]} == {"tanh", "x*exp(-x^2)"}
    assert re.fullmatch(r"Wrote units\S*: 2 failed, 4 estimated", lines[-1])
    status, out, err = hw("explore", "-o", "units", "--resume", "--json")
    found = json.loads(out)
    assert (status, found["points"], found["kept"], found["failed"], found["folder"]) == (0, 6, 6, 2, "units")
    assert found["objectives"] == ["luts", "max_error"] and set(PROMISED) <= found["front"][0].keys()
    reasons = {row["reason"] for row in rows_of("units").values() if row["status"] == "failed"}
    assert len(reasons) == 1 and "log2" in reasons.pop()


def test_all_points_failing_is_a_failed_check(hw):
    """With a reason, and the rows kept."""
    status, _, err = hw("explore", "--functions", "log2", "--input", "SQ3.1", "--output", "SQ2.2", "--estimate-only")
    assert status == 1 and re.fullmatch("hwact: Points must not all fail: Function log2 must be defined .*\n", err)
    assert [row["status"] for row in rows_of("explore").values()] == ["failed"]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ((), "Axis functions must be given: add --functions, or name a preset"),
        (("--functions", "tanh", "--input", "SQ3.1"), "Axis output must be given: add --output, or name a preset"),
        (("--preset", "nope"), "Preset must be one of .*, not 'nope'"),
        (("--preset", "bits", "--space", "x.toml"), "Space must be given by --space or by --preset, not by both"),
        (("--space", "x.toml"), "Space must be a readable file, not 'x.toml': No such file or directory"),
        ((*SPACE, "--objective", "size"), "Objective must be one of luts, .*, not 'size'"),
        ((*SPACE, "--search", "best"), "Search must be grid, nsga2 or tpe, not 'best'"),
        ((*SPACE, "--trials", "0"), "Trials must be 1 to 1000000, not 0"),
        ((*SPACE, "--no-place", "--objective", "fmax"), "Objective fmax must come with placement, not with --no-place"),
        (
            (*SPACE, "--estimate-only", "--search", "tpe", "--objective", "luts,fmax"),
            "Objective must be luts, latency, max_error, max_error_ulp in a search by estimates alone, not fmax",
        ),
        (("--resume", "-o", "none"), "Store must be the folder of an exploration, not 'none'"),
        ((*SPACE, "--bound", "faithful,none"), "Axis bound must hold bounds .*, not 'none': .*"),
    ],
)
def test_explore_refuses_in_one_sentence(hw, tmp_path, arguments, sentence):
    """With status 2, and nothing written."""
    status, out, err = hw("explore", *arguments)
    assert (status, out) == (2, "") and re.fullmatch(f"hwact: {sentence}\n", err)
    assert not list(tmp_path.iterdir())


def test_presets_are_listed(hw):
    """With what they explore."""
    status, out, _ = hw("explore", "--preset", "list", "--json")
    assert status == 0 and {"activations-8bit", "activations-12bit", "derivatives", "bits"} <= {
        one["name"] for one in json.loads(out)
    }


def test_interrupting_ends_the_workers(tmp_path):
    """With one sentence, and a store that can be resumed."""
    process = command("explore", "--preset", "bits", "--estimate-only", "-o", tmp_path / "units")
    deadline = time.monotonic() + 60
    while not (tmp_path / "units" / "store.sqlite").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(1)
    kin = family(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert process.stderr.read() == "hwact: Interrupted: nothing was left half-written\n"
    deadline = time.monotonic() + 20
    while alive(kin) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(kin)
    with Store(tmp_path / "units") as store:
        assert len(store.explorations()) == 1


def test_a_terminal_shows_how_far_it_is(tmp_path):
    """Points done, the best so far, failures and the time left, on standard error."""
    ours, theirs = pty.openpty()
    words = *SPACE, "--estimate-only", "-o", tmp_path / "units"
    process = command("explore", *words, stderr=theirs, stdout=subprocess.PIPE)
    os.close(theirs)
    seen = b""
    while True:
        try:
            seen += os.read(ours, 4096)
        except OSError:
            break
    assert process.wait(60) == 0
    assert "Wrote" in process.stdout.read()
    assert b"6/6" in seen and b"2 failed" in seen and b"best luts" in seen


# -- results -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where, count",
    [
        (("luts<31",), 2),
        (("luts <= 31 and function=tanh",), 3),
        (("luts<=31", "fmax_mhz>=95"), 1),
        (("function!=tanh",), 2),
        (("function~AN",), 3),
        (("fmax_mhz=null",), 2),
        (("fmax_mhz != null",), 3),
        (("reason='Function, \"log2\"'",), 1),
        (("place=true and seed>2",), 2),
        (("status=failed and luts>0",), 0),
    ],
)
def test_results_filter(hw, stored, where, count):
    """Several conditions are all met."""
    options = [word for text in where for word in ("--where", text)]
    status, out, _ = hw("results", stored, *options, "--json")
    rows = json.loads(out)
    assert status == 0 and len(rows) == count
    assert all(set(PROMISED) <= row.keys() for row in rows)


def test_results_sort_and_choose_columns(hw, stored):
    """Rows without a value come last either way."""
    luts = [hw("results", stored, "--sort", text, "--columns", "luts")[1].split() for text in ("luts", "-luts")]
    assert luts == [["luts", "20", "30", "31", "90", "-"], ["luts", "90", "31", "30", "20", "-"]]
    rows = json.loads(hw("results", stored, "--sort", "-function,luts", "--columns", "function,luts", "--json")[1])
    assert rows[0] == {"function": "tanh", "luts": 20} and rows[-1] == {"function": "gelu", "luts": 90}


def test_results_keep_what_nothing_beats(hw, stored):
    """Function by function, among the rows that are chosen."""
    rows = json.loads(hw("results", stored, "--pareto", "luts,max_error", "--json")[1])
    assert [(row["function"], row["luts"]) for row in rows] == [("tanh", 20), ("tanh", 30), ("gelu", 90)]
    rows = json.loads(hw("results", stored, "--pareto", "luts,max_error", "--where", "luts>30", "--json")[1])
    assert [(row["function"], row["luts"]) for row in rows] == [("tanh", 31), ("gelu", 90)]


def test_results_come_back_from_every_format(hw, stored):
    """CSV, JSON and Parquet hold the same rows."""
    import pyarrow.parquet

    with Store(stored) as store:
        rows = store.rows()
    for ending in ("csv", "json", "parquet"):
        status, out, _ = hw("results", stored, "-o", f"rows.{ending}")
        assert (status, out) == (0, f"Wrote rows.{ending}, 5 rows\n")
    assert json.loads(open("rows.json").read()) == rows
    table = pyarrow.parquet.read_table("rows.parquet")
    assert [row | {"tool_versions": json.loads(row["tool_versions"])} for row in table.to_pylist()] == rows
    assert {str(table.schema.field(name).type) for name in ("luts", "fmax_mhz", "place")} == {"int64", "double", "bool"}
    text = hw("results", stored, "--format", "csv")[1]
    assert text == open("rows.csv", newline="").read()
    for read, row in zip(csv.DictReader(io.StringIO(text)), rows, strict=True):
        assert list(read) == list(COLUMNS)
        for name, value in row.items():
            assert read[name] == ("" if value is None else json.dumps(value) if isinstance(value, dict) else str(value))


def test_results_of_an_empty_choice_are_empty_in_every_format(hw, stored):
    """A table with its head alone."""
    for ending in ("csv", "json", "parquet"):
        assert hw("results", stored, "--where", "luts>1000", "-o", f"none.{ending}")[0] == 0
    assert open("none.csv").read().count("\n") == 1 and json.loads(open("none.json").read()) == []


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("--where", "lut<3"), "Column must be one that rows have, not 'lut': did you mean luts\\?"),
        (("--where", "luts<many"), "Condition on luts must compare with a number, not 'many'"),
        (("--where", "luts"), "Condition must be written like luts<100 or function=tanh, not 'luts'"),
        (("--where", "luts<null"), "Condition on null must be = or !=, not '<'"),
        (("--where", "luts~3"), "Condition on luts must be = != < <= > or >=, not ~"),
        (("--where", "place=maybe"), "Condition on place must compare with true or false, not 'maybe'"),
        (("--sort", "size"), "Column must be one that rows have, not 'size': .*"),
        (("--columns", "luts,"), "Column must be one that rows have, not '': .*"),
        (("--pareto", "size"), "Objective must be one of .*, not 'size'"),
        (("--format", "parquet"), "Format parquet must come with a file: add -o"),
        (("-o", "rows.xls"), "Format must be given, or a file end in .csv, .json or .parquet, not 'rows.xls'"),
        (("-o", "none/rows.csv"), "File must be writable, not 'none/rows.csv': No such file or directory"),
    ],
)
def test_results_refuse_in_one_sentence(hw, stored, tmp_path, arguments, sentence):
    """With status 2, and nothing written."""
    status, out, err = hw("results", stored, *arguments)
    assert (status, out) == (2, "") and re.fullmatch(f"hwact: {sentence}\n", err)
    assert list(tmp_path.iterdir()) == [stored]


@pytest.mark.slow
def test_the_commands_of_the_page_run(hw, tmp_path):
    """One after the other, in an empty folder that holds the page's file."""
    text = (Path(__file__).parents[1] / "docs" / "explore.md").read_text(encoding="utf-8")
    blocks = {kind: re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) for kind in ("sh", "toml")}
    (tmp_path / "space.toml").write_text(blocks["toml"][0])
    lines = [line for block in blocks["sh"] for line in block.splitlines()]
    assert len(lines) >= 10
    for line in lines:
        status, _, err = hw(*shlex.split(line)[1:])
        assert (status, err) == (0, ""), line


@pytest.mark.slow
def test_the_command_of_a_row_makes_the_unit_of_the_row(hw, tmp_path):
    """The same design, and the same cells and frequency when it is synthesised again."""
    words = ["--functions", "x*sigmoid(1.702*x)", "--input", "SQ3.3", "--output", "SQ3.3"]
    words += ["--latency", "2", "--seeds", "3"]
    assert hw("explore", *words, "--derivative", "slope", "--target", "ice40")[0] == 2
    assert hw("explore", *words, "--derivative", "slope", "--targets", "ice40-hx1k", "-o", "units")[0] == 0
    row = next(iter(rows_of("units").values()))
    assert row["status"] == "done" and row["fmax_mhz"] > 0 and row["target"] == "ice40-hx1k"
    status, out, _ = hw(*shlex.split(row["command"])[1:], "-o", "again", "--json")
    made = json.loads(out)
    assert (status, made["digest"], made["latency"]) == (0, row["design_digest"], 2)
    assert made["outputs"][1]["mse_ulp2"] == row["derivative_mse_ulp2"]
    status, out, _ = hw("synth", "again", "--target", "ice40-hx1k", "--seed", "3", "--json")
    report = json.loads(out)
    assert (report["luts"], report["ffs"], report["fmax_mhz"]) == (row["luts"], row["ffs"], row["fmax_mhz"])

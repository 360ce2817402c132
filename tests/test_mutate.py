"""Mutation testing of the ladder: what is mutated, what counts as killed, what is reported."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
from designs import hand_made, with_shell
from small_units import small_design

from hwact.cli import hwact
from hwact.cli.common import run
from hwact.emit.verilog import verilog
from hwact.errors import CheckError, RequestError, ToolError
from hwact.verify import UndecidedError, mutate
from hwact.verify.mutants import KINDS, Change, Edit, draw

TEXT = """\
// a comment with 4'h3 + x[1] in it
module u (
  input  wire       clk,
  input  wire       i_valid,  // input is valid
  input  wire [3:0] x,
  output wire [3:0] y
);
  u_unit unit (
    .clk(clk),
    .valid(i_valid),
    .x(x),
    .y(y)
  );
endmodule

module u_unit (
  input  wire       clk,
  input  wire       valid,
  input  wire [3:0] x,
  output wire [3:0] y
);
  u_core core (
    .clk(clk),
    .x(x),
    .y(y)
  );
endmodule

module u_core (
  input  wire       clk,
  input  wire [3:0] x,
  output reg  [3:0] y
);
  wire [3:0] w = x[1] ? 4'h3 : x;

  function [1:0] t_of(input [3:2] x_in);
    casez (x_in)
      2'b1?: t_of = 2'h1;
      default: t_of = x_in[2];
    endcase
  endfunction
  wire [1:0] t = t_of(x[3:2]);

  initial y = 4'h0;
  always @(posedge clk)
    if (x[0]) y <= w;
endmodule
"""


@pytest.fixture(scope="module")
def unit():
    """A folded stream unit with registers, tables, rows and a handshake, and its Verilog."""
    design = with_shell(hand_made()["uniform_odd"], "stream")
    return design, verilog(design, command="test")


# -- what is mutated ---------------------------------------------------------------------------


def test_every_edit_of_a_small_text_is_known():
    """Literals, selects, branches, registers, labels and inputs of the shell, and nothing else."""
    design = small_design("stream", 1, name="u")
    edits = {m.diff(design, TEXT) + (m.kind,) for m in draw(design, TEXT) if isinstance(m, Edit)}
    choice, register = "wire [3:0] w = x[1] ? 4'h3 : x;", "always @(posedge clk) if (x[0]) y <= w;"
    expected = {
        *((".valid(i_valid),", f".valid({new}),", "handshake") for new in ("!(i_valid)", "1'h0", "1'h1")),
        *((choice, f"wire [3:0] w = x[{bit}] ? 4'h3 : x;", "select") for bit in (0, 2)),
        *((choice, f"wire [3:0] w = x[1] ? 4'h{new} : x;", "constant") for new in "421b7"),
        (choice, "wire [3:0] w = x[1] ? x : 4'h3;", "operator"),
        (choice, "wire [3:0] w = 4'h3;", "operator"),
        (choice, "wire [3:0] w = x;", "operator"),
        ("initial y = 4'h0;", "initial y = 4'hf;", "register"),
        *(("if (x[0]) y <= w;", f"if ({new}) y <= w;", "register") for new in ("!(x[0])", "1'h0", "1'h1")),
        (register, "always @* y = w;", "register"),
        (
            register,
            f"reg [3:0] y_extra = 0; {register.replace('y <=', 'y_extra <=')} "
            + register.replace("= w", "= y_extra"),
            "register",
        ),
        *(("2'b1?: t_of = 2'h1;", f"2'b1?: t_of = 2'h{new};", "table") for new in "203"),
        ("default: t_of = x_in[2];", "default: t_of = x_in[3];", "select"),
        ("wire [1:0] t = t_of(x[3:2]);", "wire [1:0] t = t_of(x[2:1]);", "select"),
    }
    assert edits == expected


def test_operators_are_replaced_dropped_and_swapped(unit):
    """One replacement of each kind, found in the text of a real unit."""
    changes = [m.diff(*unit) for m in draw(*unit) if isinstance(m, Edit)]
    after = {pair[1] for pair in changes}
    for before, mutants in {
        "assign move = o_ready | inverted_1;": ["o_ready & inverted_1", "o_ready ^ inverted_1", "1'h0", "1'h1"],
        "wire inverted_1 = ~valid_3;": ["valid_3"],
        "if (rst) valid_1 <= 1'h0;": [],
    }.items():
        assert before in {pair[0] for pair in changes}
        assert all(f"{before.split('=')[0]}= {mutant};" in after for mutant in mutants)
    assert {"if (!(rst)) valid_1 <= 1'h0;", "if (rst) valid_1 <= 1'h1;"} <= after


def test_each_edit_changes_one_place_of_its_line(unit):
    """The line that it names holds what it says was there, and comments stay."""
    design, text = unit
    lines = text.splitlines()
    for mutant in draw(design, text):
        if isinstance(mutant, Edit):
            _, changed = mutant.apply(design, text)
            before, after = mutant.diff(design, text)
            assert changed != text and before != after
            assert before.startswith(lines[mutant.line - 1].strip())
            comments = [[line for line in some if line.startswith("//")] for some in (lines, changed.splitlines())]
            assert comments[0] == comments[1]


def test_mutants_differ_from_each_other(unit):
    """No two give the same text or the same design."""
    design, text = unit
    seen = set()
    for mutant in draw(design, text):
        try:
            changed = mutant.apply(design, text)
        except RequestError:
            continue
        assert changed != unit and changed not in seen
        seen.add(changed)
    assert len(seen) > 400


def test_seed_decides_the_order(unit):
    """And the order alone: every mutant is there with any seed."""
    first, again, other = draw(*unit, seed=1), draw(*unit, seed=1), draw(*unit, seed=2)
    assert first == again != other
    assert set(first) == set(other)


def test_order_is_the_same_in_every_process():
    """Nothing depends on Python's hashes of strings."""
    program = (
        "import designs, hwact.verify.mutants as m, zlib\n"
        "print(zlib.crc32(repr(m.draw(designs.hand_made()['dyadic_even'], '')).encode()))"
    )
    orders = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": seed}
        words = [sys.executable, "-c", program]
        orders.add(subprocess.run(words, env=environment, check=True, capture_output=True).stdout)
    assert len(orders) == 1


def test_kinds_take_turns_and_lines_share_each_kind(unit):
    """The first 100 hold as many of each kind as it has, and no line has two while another has none."""
    mutants = draw(*unit)
    everything, first = (Counter(m.kind for m in some) for some in (mutants, mutants[:100]))
    assert set(everything) == set(KINDS) - {"entry"}
    fair = max(first.values())
    assert all(first[kind] >= min(everything[kind], fair - 1) for kind in everything)
    for kind in everything:
        places = {m.place for m in mutants if m.kind == kind}
        tried = [m.place for m in mutants if m.kind == kind][: len(places)]
        assert set(tried) == places


def test_changes_cover_every_number_of_a_design():
    """Starts, slopes, intercepts, shift, fold and saturation of both outputs; entries of tables."""
    lines = {m.place for m in draw(hand_made()["with_derivative"], "") if isinstance(m, Change)}
    for name in ("y", "dy"):
        assert {f"{name}.core.{field}[7]" for field in ("starts", "slopes", "intercepts")} <= lines
        assert {
            f"{name}.core.shift",
            f"{name}.saturate",
            f"{name}.fold.index",
            f"{name}.fold.restore",
        } <= lines
    assert "y.fold.constant" in lines
    table = {m.place for m in draw(hand_made()["whole_table"], "")}
    assert {f"y.core.entries[{k}]" for k in range(64)} <= table
    ramp = {m.diff(hand_made()["negate_ramp"], "") for m in draw(hand_made()["negate_ramp"], "")}
    assert ("y.fold.ramp_shift = 1", "y.fold.ramp_shift = 2") in ramp


def test_moved_breakpoint_need_not_be_aligned():
    """Blocks of a uniform segmentation may move by one code; below the first code there is no design."""
    design = hand_made()["uniform_odd"]
    changed, _ = Change("breakpoint", 0, "core", "starts", 1, 17).apply(design, "")
    assert changed.channels[0].core.starts[:2] == (0, 17)
    with pytest.raises(RequestError, match="^Lines starts must rise"):
        Change("breakpoint", 0, "core", "starts", 0, -1).apply(design, "")


# -- one mutant --------------------------------------------------------------------------------


@pytest.fixture
def climbs(monkeypatch):
    """The ladder replaced: `climbs.says` holds what each rung raises."""

    class Climbs:
        def __init__(self):
            self.says = {}

        def __call__(self, level, design, verilog, *, seconds=None):
            if error := self.says.get(level):
                raise error

    climbs = Climbs()
    monkeypatch.setattr(mutate, "climb", climbs)
    return climbs


SLOPE = Change("line", 0, "core", "slopes", 1, 1000)


def attempt(mutant, unit, level="proof"):
    return mutate._try(mutant, *unit, level, 1.0)


def test_undecided_proof_and_broken_tool_kill_nothing(unit, climbs, monkeypatch):
    """Nor do they make a mutant equivalent: it survives, and the report says why."""
    monkeypatch.setattr(mutate, "_within_bound", lambda design: True)
    climbs.says = {"rtl": ToolError("Tool g++ must be there"), "proof": UndecidedError("not decided")}
    trial = attempt(SLOPE, unit)
    assert trial.survives and not trial.killed
    assert {level: verdict.reason for level, verdict in trial.verdicts.items()} == {
        "rtl": "Tool g++ must be there",
        "proof": "not decided",
    }


def test_mutant_is_killed_by_any_rung(unit, climbs, monkeypatch):
    """Each rung has a verdict of its own."""
    monkeypatch.setattr(mutate, "_within_bound", lambda design: True)
    climbs.says = {"proof": CheckError("differs")}
    trial = attempt(SLOPE, unit)
    assert trial.killed and not trial.survives
    assert [trial.verdicts[level].killed for level in ("rtl", "proof")] == [False, True]


@pytest.mark.parametrize(("within", "levels"), [(True, ["rtl"]), (False, ["golden", "rtl"])])
def test_golden_rung_answers_for_designs_beyond_their_bound(unit, climbs, monkeypatch, within, levels):
    """Another design that meets the bound is no fault of the fit; the circuit rungs must still see it."""
    monkeypatch.setattr(mutate, "_within_bound", lambda design: within)
    assert sorted(attempt(SLOPE, unit, "rtl").verdicts) == levels


def test_design_with_the_same_outputs_is_equivalent(unit, climbs):
    """As evaluation on every code shows; no rung is asked."""
    climbs.says = {"rtl": AssertionError()}
    trial = attempt(Change("fold", 0, "", "saturate", None, True), unit)
    assert trial.equivalent and not trial.verdicts


def test_what_is_no_design_and_no_verilog_is_no_mutant(unit, climbs):
    """It does not count, whatever the ladder would say."""
    assert attempt(Change("line", 0, "core", "shift", None, -1), unit) is None
    where = unit[1].index("assign")
    assert attempt(Edit("operator", 1, where, where + 6, "asign"), unit) is None
    assert attempt(Edit("operator", 1, where, where + 6, "assign"), unit) is not None


def test_within_bound_is_told_by_floating_point_errors():
    """A unit that meets its bound, and one whose intercept is far off."""
    from hwact import Spec

    design = Spec("tanh", "SQ3.3", "SQ1.5", method="pwl").design()
    assert mutate._within_bound(design)
    far = design.channels[0].core.intercepts[0] + (9 << design.channels[0].core.shift)
    changed, _ = Change("line", 0, "core", "intercepts", 0, far).apply(design, "")
    assert not mutate._within_bound(changed)


# -- all of them -------------------------------------------------------------------------------


def trial(kind="line", *, equivalent=False, **killed):
    verdicts = {level: mutate.Verdict(dead) for level, dead in killed.items()}
    return mutate.Trial(kind, "line 3", "a", "b", verdicts, equivalent)


def mutation(*trials):
    return mutate.Mutation("u", "d" * 64, "proof", 1, trials)


def test_rates_are_of_the_faults_that_a_rung_answers_for():
    """Equivalent mutants are no faults, and no rung answers for what it does not see."""
    result = mutation(
        trial(golden=True, rtl=True, proof=True),
        trial(rtl=False, proof=True),
        trial("operator", rtl=False, proof=False, equivalent=True),
        trial("operator", rtl=True, proof=True),
    )
    plain = json.loads(json.dumps(result.to_dict()))
    rungs = plain["rungs"]
    assert {level: (r["applicable"], r["killed"], r["rate"]) for level, r in rungs.items()} == {
        "golden": (1, 1, 1.0),
        "rtl": (3, 2, 2 / 3),
        "proof": (3, 3, 1.0),
    }
    assert len(rungs["rtl"]["missed"]) == 1
    assert (plain["mutants"], plain["equivalent"], plain["survivors"]) == (4, 1, [])
    assert plain["by_kind"] == {"operator": 2, "line": 2}
    assert mutation().rate("rtl") is None


def test_unit_that_fails_itself_is_not_mutated(unit):
    """What the ladder says of mutants means nothing where it says no to the unit."""
    with pytest.raises(CheckError, match="^Output y of code"):
        mutate.mutate(with_expression(unit[0], "x"), unit[1], level="rtl", count=1)


def with_expression(design, expression):
    """A hand-made design that claims to approximate something."""
    return replace(design, channels=(replace(design.channels[0], expression=expression),))


def test_workers_try_mutants_in_order_and_leave_nothing(unit):
    """Invalid ones are drawn again; the first valid ones come back in their order, however many jobs."""
    where = unit[1].index("valid_1 <= 1'h0")
    bad, good = (Edit("handshake", 1, where + 11, where + 15, new) for new in ("(", "1'h1"))
    same = Change("fold", 0, "", "saturate", None, True)
    with mutate._workers(2, *unit, "rtl", 1.0) as pipes:
        trials = list(mutate._trials(pipes, [bad, good, same, same], 2))
    assert [(one.kind, one.killed, one.equivalent) for one in trials] == [
        ("handshake", True, False),
        ("fold", False, True),
    ]
    assert not multiprocessing.active_children()


def test_killed_worker_is_an_error(unit):
    """Not a mutant that was never heard of again."""
    with mutate._workers(1, *unit, "rtl", 1.0) as pipes:
        multiprocessing.active_children()[0].kill()
        with pytest.raises(
            ToolError, match="^Worker process must come to an end, not be killed: try fewer jobs$"
        ):
            list(mutate._trials(pipes, [Change("fold", 0, "", "saturate", None, True)], 1))


# -- the command -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a small stream unit."""
    folder = tmp_path_factory.mktemp("made") / "tanh"
    formats = ("--input", "SQ3.3", "--output", "SQ1.5", "--interface", "stream", "--latency", "2")
    assert run(hwact, ["generate", "tanh", *formats, "-o", str(folder)]) == 0
    return folder


def command(monkeypatch, capsys, result, *arguments):
    """Status, stdout and stderr of `hwact mutate` when the ladder says `result`."""
    monkeypatch.setattr("hwact.cli.mutate.run_mutants", lambda *a, **k: result)
    status = run(hwact, ["mutate", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_command_reports_each_rung_and_passes(made, monkeypatch, capsys):
    """One row a kind, one in all, and the rates."""
    result = mutation(trial(rtl=True, proof=True), trial("operator", rtl=False, proof=False, equivalent=True))
    status, out, err = command(monkeypatch, capsys, result, str(made))
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "kind\tmutants\tequivalent\tgolden\trtl\tproof",
        "operator\t1\t1\t-\t-\t-",
        "line\t1\t0\t-\t1 of 1\t1 of 1",
        "all\t2\t1\t-\t1 of 1\t1 of 1",
        "killed\t\t\t-\t100.0 %\t100.0 %",
    ]


def test_survivor_is_shown_and_fails(made, monkeypatch, capsys):
    """With the line that differs, in the table and in JSON."""
    result = mutation(trial(rtl=False, proof=False))
    status, out, err = command(monkeypatch, capsys, result, str(made))
    assert status == 1
    assert out.endswith("survivor, line, line 3\n- a\n+ b\n")
    assert err == "hwact: Mutants must be killed or shown equivalent, not survive: 1 did\n"
    status, out, _ = command(monkeypatch, capsys, result, str(made), "--json")
    assert status == 1
    assert [one["after"] for one in json.loads(out)["survivors"]] == ["b"]


def test_command_leaves_the_folder_alone(made, monkeypatch, capsys):
    """Neither certificate nor datasheet learn of mutants."""
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    assert command(monkeypatch, capsys, mutation(trial(rtl=True)), str(made), "--json")[0] == 0
    assert {path: path.read_bytes() for path in made.rglob("*") if path.is_file()} == before


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_command_leaves_no_process(made, tmp_path, number):
    """Workers and their tools end with it."""
    folder = shutil.copytree(made, tmp_path / "unit")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    words = [sys.executable, "-m", "hwact.cli", "mutate", str(folder), "--level", "rtl"]
    process = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, start_new_session=True)
    time.sleep(12)
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert err == b"hwact: Interrupted: nothing was left half-written\n"
    marked = f"TMPDIR={tmp_path}".encode()
    left = [p for p in os.listdir("/proc") if p.isdigit() and marked in environment_of(p)]
    assert not left


def environment_of(pid):
    """Environment of a process, as bytes; nothing if it is gone."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read()
    except OSError:
        return b""


@pytest.mark.slow
def test_ladder_kills_every_fault(made, capsys):
    """Mutants of a small unit, down to the proof: all are killed or shown equivalent."""
    status = run(hwact, ["mutate", str(made), "--mutants", "40", "--json"])
    plain = json.loads(capsys.readouterr().out)
    assert (status, plain["mutants"], plain["survivors"]) == (0, 40, [])
    assert plain["rungs"]["golden"]["rate"] == plain["rungs"]["proof"]["rate"] == 1.0

"""Explorations: spaces, points, rows, what beats what, and the runs that keep them."""

import json
import random
import re
import sqlite3
import time
import zlib
from dataclasses import replace

import pytest
from explored import alive, command, deadly, exploration, family, made_up, rows_of, unlucky
from hypothesis import given
from hypothesis import strategies as st

from hwact.errors import RequestError, ToolError
from hwact.explore import Exploration, Point, Space, Store, explore, front
from hwact.explore.evaluate import Result, evaluate
from hwact.explore.pareto import beaten
from hwact.explore.pool import Processes
from hwact.explore.run import Task, run
from hwact.explore.space import AXES, preset_names, read_preset, read_toml
from hwact.explore.tally import Tally

TANH = {"functions": "tanh", "input": "SQ3.1", "output": "SQ1.3"}
POINT = Point("tanh", "SQ3.1", "SQ1.3")


# -- spaces ------------------------------------------------------------------------------------


def test_flags_and_toml_give_the_same_points(tmp_path):
    """Text with commas is the same as a list, commas within parentheses belong to a function."""
    path = tmp_path / "space.toml"
    path.write_text(
        'functions = ["tanh", "max(x, x/4)"]\ninput = "SQ4.4,SQ4.6"\noutput = "SQ4.4"\n'
        'bound = ["faithful", "1.50ulp"]\ntargets = "ice40"\n'
        'derivative = ["none", "direct"]\nderivative_output = "SQ2.6"\nlatency = [0, 2]\nseeds = "1-3"\n'
    )
    flags = {
        "functions": "tanh, max(x, x/4)",
        "input": "SQ4.4, SQ4.6",
        "output": "SQ4.4",
        "bound": "faithful,1.5ulp",
        "derivative": "none,direct",
        "derivative_output": "SQ2.6",
        "latency": "0,2",
        "seeds": "1,2,3",
    }
    space = Space.read(flags)
    assert space.points() == Space.read(read_toml(path)).points() == Space.read(space.plain()).points()
    assert len(space.points()) == 2 * 2 * 2 * 2 * 2 * 3


def test_blocks_add_to_what_stands_beside_them_and_flags_replace_it():
    """Formats belong to functions."""
    plain = {"bound": "2ulp", "input": "SQ4.4", "block": [TANH, {"functions": "gelu", "output": "SQ4.4"}]}
    points = Space.read(plain, {"targets": "ecp5", "bound": "faithful"}).points()
    assert [(p.function, p.input, p.output, p.bound, p.target) for p in points] == [
        ("tanh", "SQ3.1", "SQ1.3", "faithful", "ecp5"),
        ("gelu", "SQ4.4", "SQ4.4", "faithful", "ecp5"),
    ]


@pytest.mark.parametrize(
    "one, other",
    [
        ({"derivative_output": "SQ2.4"}, {}),
        ({"derivative": "slope", "derivative_bound": "2ulp"}, {"derivative": "slope"}),
        ({"method": "table", "segmentation": "uniform", "multiplier": "dsp", "fit": "lsq"}, {"method": "table"}),
        ({"interface": "comb", "requested_latency": 3}, {}),
        ({"requested_latency": 2}, {"requested_latency": 2, "interface": "pipe"}),
        ({"target": "generic", "seed": 5}, {"target": "generic", "place": False}),
        ({"estimate": True, "bram": True, "place": True}, {"estimate": True, "place": False}),
    ],
)
def test_what_does_not_bear_on_a_point_makes_no_other_point(one, other):
    """A unit that would be the same is the same point, with one digest."""
    request = {"function": "tanh", "input": "SQ3.1", "output": "SQ1.3"}
    first, second = Point(**request, **one), Point(**request, **other)
    assert first == second and first.digest == second.digest


#: Two values for each axis that make two points, beside the first values of the others.
APART = {
    "functions": "tanh,erf", "domain": "all,-1:1", "derivative": "direct,slope", "targets": "ice40,ecp5",
    "input": "SQ3.1,SQ3.2", "output": "SQ1.3,SQ1.4", "bound": "faithful,2ulp", "derivative_output": "SQ2.2,SQ2.3",
    "derivative_bound": "faithful,2ulp", "method": "pwl,auto", "segmentation": "auto,free", "fit": "exact,lsq",
    "multiplier": "auto,dsp", "interface": "pipe,stream", "latency": "2,3", "effort": "0,1", "seeds": "1,2",
}  # fmt: skip


@pytest.mark.parametrize("axis", AXES)
def test_every_axis_changes_the_digest(axis):
    """No two requests share a row."""
    first = {name: values.split(",")[0] for name, values in APART.items()}
    found = Space.read(first | {axis: APART[axis]}).points()
    assert len({point.digest for point in found}) == 2


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"input": "SQ4"}, "Axis input must hold formats such as SQ4.4, not 'SQ4': .*"),
        ({"input": ""}, "Axis input must hold formats such as SQ4.4, not ''"),
        ({"output": []}, "Axis output must hold formats such as SQ1.7, not nothing"),
        ({"functions": "tanh,nope(x)"}, "Axis functions must hold names or expressions in x, not 'nope\\(x\\)': .*"),
        ({"method": "auto,cubic"}, "Axis method must hold auto, pwl or table, not 'cubic'"),
        ({"latency": "65"}, "Axis latency must hold clock cycles, or auto, not '65'"),
        ({"latency": 1.5}, "Axis latency must hold clock cycles, or auto, not 1.5"),
        ({"seeds": "3-1"}, "Axis seeds must hold whole numbers, not '3-1'"),
        ({"bound": "0ulp"}, "Axis bound must hold bounds such as faithful, 2ulp or 2\\^-8, not '0ulp': .*"),
        ({"targets": "ice41"}, "Axis targets must hold targets such as .*, not 'ice41': .*"),
        ({"domain": "1"}, "Axis domain must hold intervals such as -2:1.5, or all, not '1': .*"),
        ({"outputs": "SQ1.3"}, "Axis must be one of functions, .*, not 'outputs': did you mean output\\?"),
        ({"interface": "comb", "latency": "2"}, "Axis latency must come with interface pipe, stream or axis, not comb"),
        ({"derivative_output": "SQ2.2"}, "Axis derivative_output must come with derivative direct or slope"),
        ({"derivative_bound": "2ulp"}, "Axis derivative_bound must come with derivative direct"),
        ({"method": "table", "fit": "lsq"}, "Axis fit must come with method auto or pwl, not table"),
        ({"seeds": "1-2", "place": False}, "Axis seeds must hold one seed where nothing is placed"),
        ({"place": "no"}, "Option place must be true or false, not 'no'"),
        ({"block": {}}, "Space must have a list of tables as its block, such as \\[\\[block\\]\\] in TOML"),
    ],
)
def test_bad_values_name_their_axis(changes, sentence):
    """In one sentence."""
    with pytest.raises(RequestError, match=f"^{sentence}$"):
        Space.read(TANH | changes)


def test_a_space_too_large_for_a_grid_is_refused():
    """Before anything is evaluated."""
    sequence = ",".join(f"{k}ulp" for k in range(1, 1100))
    space = Space.read(TANH | {"bound": sequence, "seeds": "1-1000"})
    with pytest.raises(RequestError, match="^Space must have at most 1000000 points, not 1099000: .*$"):
        space.points()


@pytest.mark.parametrize("name", preset_names())
def test_presets_are_explorations(name):
    """Every point of them is a request that does not contradict itself."""
    found = Exploration.read(read_preset(name))
    assert found == Exploration.read(found.plain()) and 10 < found.size < 200
    for point in found.space.points():
        point.spec()


# -- rows --------------------------------------------------------------------------------------


def test_a_row_holds_what_was_measured():
    """The design's own figures, and the command that makes it."""
    row, curve = evaluate(replace(POINT, derivative="direct", derivative_output="SQ2.3", estimate=True))
    assert (row["status"], row["luts"], curve) == ("estimated", None, None) and row["estimated_luts"] > 0
    row, curve = evaluate(Point("tanh", "SQ3.1", "SQ1.3", requested_latency=2, target="generic"))
    assert (row["status"], row["reason"], row["interface"], row["latency"]) == ("done", None, "pipe", 2)
    assert row["gates"] > 0 and row["ffs"] > 0 and row["fmax_mhz"] is row["luts"] is None
    assert 0.5 < row["max_error_ulp"] < 1 and row["max_error"] == row["max_error_ulp"] / 8
    assert row["mse_ulp2"] <= row["max_error_ulp"] ** 2 and set(curve["outputs"]) == {"y"}
    words = "hwact generate tanh --input SQ3.1 --output SQ1.3 --bound faithful --interface pipe --latency 2"
    assert row["command"].startswith(words)


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"function": "log2(x)"}, "Function .* must be defined on every code of the domain, .*"),
        ({"derivative": "direct"}, "Derivative direct must have a format: .*"),
        ({"method": "table", "derivative": "slope"}, "Method must be pwl or auto for --derivative slope, not table"),
        ({"effort": 1, "target": "generic"}, "Effort must come with --target ice40, ecp5 or gowin"),
        ({"domain": "-9:1"}, "Domain must lie within .*"),
        ({"interface": "stream", "requested_latency": 0}, "Latency must be 0 for comb and at least 1 .*"),
    ],
)
def test_impossible_points_are_failed_rows(changes, reason):
    """With the reason, and what was asked for."""
    point = Point(**{"function": "tanh", "input": "SQ3.1", "output": "SQ1.3"} | changes)
    row, _ = evaluate(point)
    assert row["status"] == "failed" and row["digest"] == point.digest
    assert re.fullmatch(reason, row["reason"]), row["reason"]


# -- what beats what ---------------------------------------------------------------------------

ROWS = st.lists(
    st.builds(
        lambda name, **values: made_up(Point(name, "SQ3.1", "SQ1.3", seed=values["luts"]), **values),
        st.sampled_from(["tanh", "erf"]),
        luts=st.integers(1, 5),
        max_error=st.integers(1, 5),
        fmax_mhz=st.none() | st.integers(1, 5),
        status=st.sampled_from(["done", "done", "failed", "pruned"]),
    ),
    max_size=12,
)


@given(ROWS)
def test_front_is_what_nothing_beats(rows):
    """Every row that counts is in the front, or as good as, or beaten by a row of its own function in it."""
    found = front(rows, ["luts", "max_error", "fmax"])
    score = lambda row: (row["luts"], row["max_error"], -(row["fmax_mhz"] or 0))
    for name in ("tanh", "erf"):
        done = [row for row in rows if row["function"] == name and row["status"] == "done"]
        has_speed = any(row["fmax_mhz"] for row in done)
        counted = {score(row) for row in done if row["fmax_mhz"] or not has_speed}
        best = {a for a in counted if not any(b != a and all(x <= y for x, y in zip(b, a)) for b in counted)}
        assert sorted(best) == [score(row) for row in found if row["function"] == name]


def test_an_estimate_is_beaten_by_a_smaller_and_more_exact_unit_alone():
    """In every objective; the error that a unit may come to is half its bound."""
    estimate = {"estimated_low": 50, "latency": 0, "output": "SQ1.3", "bound": "faithful", "interface": "comb"}
    rival = made_up(POINT, luts=50, max_error=1 / 16, latency=0, fmax_mhz=100)
    assert beaten(estimate, [rival], ["luts", "max_error", "latency", "fmax"])
    for worse in ({"luts": 51}, {"max_error": 0.07}, {"latency": 1}):
        assert not beaten(estimate, [rival | worse], ["luts", "max_error", "latency"])
    assert not beaten(estimate, [rival], ["luts", "mean_error"])
    assert not beaten({"latency": 0, "estimated_low": None}, [rival], ["luts", "latency"])


# -- the store ---------------------------------------------------------------------------------


def test_store_returns_what_it_was_given(tmp_path):
    """Rows with every kind of value, and curves by design."""
    row = made_up(POINT, design_digest="d", fmax_mhz=12.5, luts=7, bram=True, tool_versions={"hwact": "1"})
    with Store(tmp_path / "new" / "folder", create=True) as store:
        store.add([(row, {"y": [1, 2]})])
        store.remember({"a": 1})
        store.remember({"a": 1})
    with Store(tmp_path / "new" / "folder" / "store.sqlite") as store:
        assert store.rows() == [row] == [store.row(POINT.digest)]
        assert store.curve("d") == {"y": [1, 2]} == json.loads(zlib.decompress(store.packed_curves()["d"]))
        assert store.row("x") is store.curve("x") is store.status("x") is None
        assert store.explorations() == [{"a": 1}]


def test_the_first_row_of_a_point_stays_unless_it_came_to_nothing(tmp_path):
    """Pruned gives way to measured, failed to done, done to nothing."""
    with Store(tmp_path, create=True) as store:
        for status, left in (
            ("failed", "failed"), ("pruned", "failed"), ("done", "done"), ("failed", "done"), ("pruned", "done"),
        ):  # fmt: skip
            store.add([(made_up(POINT, status=status), None)])
            assert store.status(POINT.digest) == left
        other = Point("erf", "SQ3.1", "SQ1.3")
        for status in ("pruned", "done"):
            store.add([(made_up(other, status=status), None)])
        assert [row["status"] for row in store.rows()] == ["done", "done"]


def test_a_batch_of_rows_is_kept_whole_or_not_at_all(tmp_path):
    """A row that cannot be written takes the others of its batch with it."""
    with Store(tmp_path, create=True) as store:
        with pytest.raises(KeyError):
            store.add([(made_up(POINT), None), ({"digest": "x"}, None)])
        assert store.rows() == []
        store.add([(made_up(POINT), None)])
        assert len(store.rows()) == 1


def test_what_is_no_store_is_refused(tmp_path):
    """In one sentence, and left as it was."""
    with pytest.raises(RequestError, match="^Store must be the folder of an exploration, not "):
        Store(tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / "store.sqlite").write_bytes(b"something else altogether, long enough for a header" * 40)
    with pytest.raises(RequestError, match="^Store must be sound, not "):
        Store(tmp_path)
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE rows (a)")
    with pytest.raises(RequestError, match="^Store must be one of this version of hwact, not "):
        Store(other, create=True)


# -- runs --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pool():
    """Two processes for all tests that do not end them."""
    with Processes(2) as found:
        yield found


def points(*names):
    """Points that made-up work tells apart."""
    return [Point(name, "SQ3.1", "SQ1.3", seed=seed) for name in names for seed in range(4)]


def test_a_run_keeps_every_point_once_and_the_next_does_nothing(tmp_path, pool):
    """Failed points are rows, and are evaluated again where that is asked for."""
    tally, again, fresh = Tally(), Tally(), Tally()
    with Store(tmp_path, create=True) as store:
        explore(exploration(), store, pool, tally=tally)
        before = store.rows()
        explore(exploration(), store, pool, tally=again)
        assert store.rows() == before
        explore(exploration(), store, pool, again=True, tally=fresh)
    assert len(before) == 6 and {row["digest"] for row in before} == {p.digest for p in exploration().space.points()}
    statuses = [row["status"] for row in before]
    assert tally.counts()["estimated"] == statuses.count("estimated") and tally.counts()["kept"] == 0
    assert again.counts()["kept"] == 6 and tally.counts()["failed"] == statuses.count("failed") > 0
    assert fresh.counts()["kept"] == statuses.count("estimated")


def test_a_point_that_ends_its_workers_is_a_failed_row(tmp_path):
    """And the points beside it are as if nothing had been."""
    with Store(tmp_path, create=True) as store, Processes(2) as pool:
        asked = [Task(point) for point in points("tanh")[:2] + points("mish")[:1] + points("erf")]
        run(asked, store, pool, work=deadly)
        rows = {row["digest"]: row for row in store.rows()}
    assert len(rows) == len(asked)
    for task in asked:
        status = "failed" if task.point.function == "mish" else "done"
        assert rows[task.point.digest]["status"] == status
    reason = "Worker must survive the point, not end whenever it is evaluated"
    assert {row["reason"] for row in rows.values()} == {None, reason}


def test_a_worker_that_is_killed_loses_nothing(tmp_path, monkeypatch):
    """The points it had at hand are evaluated again."""
    monkeypatch.setenv("HWACT_UNLUCKY", str(tmp_path / "mark"))
    with Store(tmp_path, create=True) as store, Processes(2) as pool:
        asked = [Task(point) for point in points("tanh", "mish", "erf")]
        run(asked, store, pool, work=unlucky)
        assert [row["status"] for row in store.rows()] == ["done"] * len(asked)
    assert (tmp_path / "mark").exists()


class Rehearsed:
    """In place of a pool: work at once, in this process."""

    lost, chances, slots = (), 0, 3

    def submit(self, function, *arguments):
        from concurrent.futures import Future

        future = Future()
        future.set_result(function(*arguments))
        return future


def landscape(point, rivals=(), objectives=()):
    """In place of `evaluate`: LUTs and errors that pull in opposite directions, with pruning."""
    bits, bound = int(point.output[4:]), float(point.bound.removesuffix("ulp"))
    row = made_up(point, luts=round(10 * bits + 100 / bound), max_error=0.8 * bound * 2.0**-bits, latency=0)
    row |= {"estimated_luts": row["luts"], "estimated_low": row["luts"], "max_error_ulp": None}
    if beaten(row, rivals, objectives):
        row |= {"status": "pruned", "luts": None, "max_error": None}
    return Result(row, None)


def searched(**changes):
    """A search among 240 points of two functions."""
    bounds = ",".join(f"{k}ulp" for k in range(1, 11))
    formats = ",".join(f"SQ1.{k}" for k in range(1, 13))
    return Exploration.read({"functions": "tanh,erf", "input": "SQ3.1", "output": formats, "bound": bounds} | changes)


def searched_rows(folder, trials, search="nsga2", limit=None):
    """Rows by digest of a search that is stopped after `limit` rows."""
    from hwact.explore.search import tasks

    class Enough(Exception):
        pass

    def stop():
        if limit is not None and len(tally.digests) >= limit:
            raise Enough

    tally = Tally(moved=stop)
    asked = searched(search=search, trials=trials)
    with Store(folder, create=True) as store:
        try:
            run(tasks(asked, store), store, Rehearsed(), tally, work=landscape)
        except Enough:
            pass
    return rows_of(folder)


@pytest.mark.parametrize("search", ["nsga2", "tpe"])
def test_a_search_that_was_interrupted_goes_on_where_it_was(tmp_path, search):
    """It asks for the same points as one that was not."""
    whole = searched_rows(tmp_path / "whole", 80, search)
    for limit in (3, 40):
        assert searched_rows(tmp_path / "parts", 80, search, limit).keys() < whole.keys()
    assert searched_rows(tmp_path / "parts", 80, search) == whole
    assert len(whole) == 80
    assert sorted(row["function"] for row in whole.values()) == ["erf"] * 40 + ["tanh"] * 40


def test_a_search_prunes_and_finds_the_ends_of_the_front(tmp_path):
    """Pruned points are rows, and none of them is as good as what was measured."""
    rows = list(searched_rows(tmp_path, 120).values())
    pruned = [row for row in rows if row["status"] == "pruned"]
    assert pruned and len(rows) == 120
    best = front(rows, ["luts", "max_error"])
    for row in pruned:
        true = landscape(next(p for p in searched().space.points() if p.digest == row["digest"])).row
        assert any(one["luts"] <= true["luts"] and one["max_error"] <= true["max_error"] for one in best)


def test_a_search_in_a_space_smaller_than_its_trials_takes_every_point(tmp_path):
    """Nothing is asked for twice, and it ends."""
    assert len(searched_rows(tmp_path, 1000)) == 240


#: 32 points of which none is synthesised.
WORDS = {"functions": "tanh,erf,mish,arctan", "input": "SQ3.1,SQ3.2", "output": "SQ2.2,SQ2.3", "bound": "faithful,2ulp"}


def test_killing_the_run_loses_points_in_flight_alone(tmp_path, pool):
    """The store that is resumed equals that of a run that was left alone, and no worker stays behind."""
    with Store(tmp_path / "whole", create=True) as store:
        explore(Exploration.read(WORDS | {"estimate": True}), store, pool)
    killed_at(tmp_path / "killed", [random.randrange(16)], ["--estimate-only"])
    before = rows_of(tmp_path / "killed")
    with Store(tmp_path / "killed") as store:
        for request in store.explorations():
            explore(Exploration.read(request), store, pool)
    assert rows_of(tmp_path / "killed") == rows_of(tmp_path / "whole")
    assert before and before.items() <= rows_of(tmp_path / "whole").items()


@pytest.mark.slow
def test_killing_a_synthesis_again_and_again_changes_no_row(tmp_path, monkeypatch):
    """With tools that run, and a last run that is resumed by the folder alone."""
    monkeypatch.setenv("HWACT_CACHE", str(tmp_path / "cache"))
    words = ["--functions", "tanh,mish", "--input", "SQ3.1,SQ3.2", "--output", "SQ2.2,SQ2.3"]
    killed_at(tmp_path / "killed", [0, 2, 4], ["--no-place"], words)
    assert command("explore", "-o", tmp_path / "killed", "--resume").wait(300) == 0
    assert command("explore", *words, "--no-place", "-o", tmp_path / "whole").wait(300) == 0
    assert rows_of(tmp_path / "killed") == rows_of(tmp_path / "whole")


def killed_at(folder, counts, flow, words=None):
    """Kill runs when more than so many points are there, and a random moment later than that."""
    words = words or [word for name, value in WORDS.items() for word in (f"--{name}", value)]
    for count in counts:
        process = command("explore", *words, *flow, "--jobs", "2", "-o", folder)
        deadline = time.monotonic() + 60
        while process.poll() is None and len(_rows(folder)) <= count and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(random.random() * 0.2)
        kin = family(process.pid)
        process.kill()
        process.wait()
        assert _gone(kin, 20)


def _rows(folder):
    try:
        with Store(folder) as store:
            return store.rows()
    except (RequestError, ToolError):
        return []


def _gone(pids, seconds):
    deadline = time.monotonic() + seconds
    while alive(pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pids)


def test_two_runs_share_a_store_at_the_same_time(tmp_path):
    """Every point of both is there once."""
    common = ["--input", "SQ3.1,SQ3.2", "--output", "SQ2.2,SQ2.3", "--estimate-only", "--jobs", "1"]
    common += ["--latency", "0,2", "-o", tmp_path]
    both = [command("explore", "--functions", names, *common) for names in ("tanh,erf,mish", "mish,gelu,tanh")]
    assert [(process.wait(120), process.stderr.read()) for process in both] == [(0, ""), (0, "")]
    rows = rows_of(tmp_path)
    assert len(rows) == 4 * 4 * 2 and {row["status"] for row in rows.values()} == {"estimated"}
    with Store(tmp_path) as store:
        assert len(store.explorations()) == 2
